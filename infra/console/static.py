"""Pages and assets of the console, from static/. Every page is the same document (index.html)."""

from http import HTTPStatus
from pathlib import Path

from infra.console.access import ASSETS
from infra.console.answer import Answer, Refused, made

STATIC = Path(__file__).parent / "static"

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
"""Content types of assets by suffix; other files are not served."""

_ASSET_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


def page(uploads: str) -> Answer:
    """The document of all pages.

    Args:
        uploads: origin to which the page uploads lists; empty for none.
    """
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {uploads}".rstrip()
        + "; frame-src 'self'; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    found = made((STATIC / "index.html").read_bytes(), "text/html; charset=utf-8", policy)
    return found._replace(headers={**found.headers, "cross-origin-opener-policy": "same-origin"})


def asset(path: str) -> Answer:
    """An asset by its path. Raises `Refused`.

    The path is compared with those of the files, so none leads out of the folder.
    """
    files = {
        ASSETS + file.relative_to(STATIC).as_posix(): file
        for file in STATIC.rglob("*")
        if file.suffix in _KINDS
    }
    if path not in files:
        raise Refused(HTTPStatus.NOT_FOUND, "The console has no such file.")
    found = made(files[path].read_bytes(), _KINDS[files[path].suffix], _ASSET_POLICY)
    return found._replace(headers={**found.headers, "cache-control": "no-cache"})
