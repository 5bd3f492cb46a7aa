"""Pages of `make preview`: an index, and every email of templates/ in every locale."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import jinja2
import msgspec

from infra.local.loopback import HOST, is_loopback
from infra.preview.rendering import MESSAGES, TEMPLATES, Rendered, RenderMistake
from infra.sam import ROOT

SETTINGS = ROOT / "functions/settings.toml"

_VIEW = {"part": "html", "width": "desktop", "scheme": "light"}
"""Default view of an email; the query can change it."""

_SCHEMES = {"light": "not all", "dark": "all"}
"""Replacements of the media query of dark mode."""

_HEADERS = {
    "cache-control": "no-store",
    # Content of an email can neither run nor load anything.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'",
}


class PreviewServer(ThreadingHTTPServer):
    """Serves previews on the loopback interface."""

    daemon_threads = True

    def __init__(self, port: int, environment: Mapping[str, str]) -> None:
        """Binds the port (0 for any); raises `OSError` if it is in use.

        `environment` has the settings.
        """
        super().__init__((HOST, port), _Handler)
        self.environment = environment
        self.pages = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True
        )


def names() -> list[str]:
    """Current names of the templates of emails."""
    return sorted(path.parent.name for path in TEMPLATES.glob("*/subject.txt"))


def locales() -> list[str]:
    """Current locales."""
    return sorted(path.stem for path in (MESSAGES / "locales").glob("*.json"))


def render(name: str, locale: str, environment: Mapping[str, str]) -> Rendered:
    """An email, rendered from the current files."""
    command = [sys.executable, "-m", "infra.preview.rendering", name, locale]
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        return Rendered(mistake=RenderMistake(message=done.stderr.strip()))
    return msgspec.json.decode(done.stdout, type=Rendered)


def stamp() -> str:
    """Digest that changes with any file of the emails."""
    seen = hashlib.sha256()
    for path in [SETTINGS, *sorted(MESSAGES.rglob("*"))]:
        with suppress(FileNotFoundError):  # a temporary file of an editor
            if path.suffix in {".py", ".json", ".txt", ".html", ".toml"}:
                seen.update(f"{path} {path.stat().st_mtime_ns}\n".encode())
    return seen.hexdigest()


class _Handler(BaseHTTPRequestHandler):
    server: PreviewServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name, _, locale = url.path.strip("/").partition("/")
        if not is_loopback(self.headers["host"]):
            self._reply(
                403, "The preview answers only to a loopback Host, such as 127.0.0.1.", "text/plain"
            )
        elif url.path == "/stamp":
            self._reply(200, stamp(), "text/plain")
        elif url.path == "/":
            self._page(200, "index.html", {})
        elif name in names() and locale in locales():
            self._page(200, "email.html", self._email(name, locale, dict(parse_qsl(url.query))))
        else:
            self._page(404, "index.html", {"missing": url.path})

    def _email(self, name: str, locale: str, query: dict[str, str]) -> dict[str, object]:
        view = _VIEW | {key: value for key, value in query.items() if key in _VIEW}

        def address(**change: str) -> str:
            where = f"/{change.pop('name', name)}/{change.pop('locale', locale)}"
            return f"{where}?{urlencode(view | change)}"

        # Before the rendering, so that a change meanwhile is noticed.
        known = {"stamp": stamp(), "name": name, "locale": locale, "view": view, "address": address}
        email = render(name, locale, self.server.environment)
        media = _SCHEMES.get(view["scheme"], "all")
        return known | {
            "email": email,
            "html": email.html.replace("(prefers-color-scheme: dark)", media),
        }

    def _page(self, status: int, template: str, values: dict[str, object]) -> None:
        known = {"stamp": stamp(), "names": names(), "locales": locales()} | values
        self._reply(status, self.server.pages.get_template(template).render(known), "text/html")

    def _reply(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response_only(status)
        for header, value in _HEADERS.items():
            self.send_header(header, value)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        with suppress(BrokenPipeError):  # the page was closed
            self.wfile.write(body)
