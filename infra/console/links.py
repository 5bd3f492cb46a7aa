"""Links of an email. Its frame in the console opens none, so they are listed beside it."""

from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import urlsplit

_SCHEMES = {"http", "https"}


def links(html: str) -> list[dict[str, str]]:
    """Links to web pages in the order of the document: `{text, url}`."""
    reader = _Reader()
    with suppress(AssertionError):  # Python's parser gives up at `<![x[`
        reader.feed(html)
        reader.close()
    return [
        {"text": " ".join(text.split()), "url": url}
        for url, text in reader.found
        if _is_web_page(url)
    ]


def _is_web_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._is_open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        url = dict(attrs).get("href") if tag == "a" else None
        if url:
            self.found.append((url.strip(), ""))
            self._is_open = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._is_open = False

    def handle_data(self, data: str) -> None:
        if self._is_open:
            url, text = self.found[-1]
            self.found[-1] = url, text + data
