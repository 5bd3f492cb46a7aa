"""Every template of emails in every language, rendered anew when a file of theirs changes."""

import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from infra.console.answer import Answer, Refused, inert_document
from infra.console.messages import in_scheme
from infra.console.render_mistake import RenderMistake
from infra.console.rendering import Rendered
from infra.console.routes import Request, Route
from infra.sam import ROOT

_SUFFIXES = {".py", ".json", ".txt", ".html", ".toml"}


class Emails:
    """Renders emails in a process of its own, so that edits of Python files count too."""

    def __init__(self, environment: Callable[[], Mapping[str, str]], project: Path = ROOT) -> None:
        """`environment` returns all variables of that process, with the settings."""
        self._environment = environment
        self._project = project
        self._messages = project / "functions/core/messages"
        self._lock = threading.Lock()
        self._stamp = ""
        self._rendered: dict[str, Rendered] = {}

    def routes(self) -> list[Route]:
        """Reads of the page Emails."""
        return [
            Route("GET", "/_local/emails", lambda _: self.listing()),
            Route("GET", "/_local/emails/{template}/{locale}", self._email),
            Route("GET", "/_local/emails/{template}/{locale}/html", self._html),
        ]

    def listing(self) -> dict[str, Any]:
        """Templates, languages, and a stamp that changes with any of the emails' files."""
        return {
            "templates": self.templates(),
            "locales": sorted(path.stem for path in (self._messages / "locales").glob("*.json")),
            "stamp": self.stamp(),
        }

    def templates(self) -> list[str]:
        """Names of the templates."""
        found = (self._messages / "templates").glob("*/subject.txt")
        return sorted(path.parent.name for path in found)

    def stamp(self) -> str:
        """Digest of the names and times of the files."""
        seen = hashlib.sha256()
        settings = self._project / "functions/settings.toml"
        for path in [settings, *sorted(self._messages.rglob("*"))]:
            with suppress(FileNotFoundError):  # a temporary file of an editor
                if path.suffix in _SUFFIXES:
                    seen.update(f"{path} {path.stat().st_mtime_ns}\n".encode())
        return seen.hexdigest()[:32]

    def email(self, template: str, locale: str) -> Rendered:
        """An email from the current files. Raises `Refused` if there is none of that name."""
        about = self.listing()
        if template not in about["templates"] or locale not in about["locales"]:
            raise Refused(HTTPStatus.NOT_FOUND, f"There is no email {template} in {locale}.")
        with self._lock:  # all wait for the one rendering
            if about["stamp"] != self._stamp:
                self._rendered, self._stamp = self._render(about), about["stamp"]
            return self._rendered[f"{template}/{locale}"]

    def _email(self, _: Request, template: str, locale: str) -> dict[str, Any]:
        """The email; instead of its HTML a digest, by which a page knows whether it changed."""
        email: dict[str, Any] = msgspec.to_builtins(self.email(template, locale))
        digest = hashlib.sha256(email.pop("html").encode(errors="replace")).hexdigest()[:16]
        return email | {"digest": digest}

    def _html(self, request: Request, template: str, locale: str) -> Answer:
        html = self.email(template, locale).html
        return inert_document(in_scheme(html, request.query.get("scheme", "")))

    def _render(self, about: Mapping[str, Any]) -> dict[str, Rendered]:
        names = [f"{name}/{locale}" for name in about["templates"] for locale in about["locales"]]
        done = subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, "-m", "infra.console.rendering", *names],
            cwd=self._project,
            env=dict(self._environment()),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            return dict.fromkeys(names, Rendered(mistake=RenderMistake(message=said)))
        return msgspec.json.decode(done.stdout, type=dict[str, Rendered])
