"""The local server's answer for a function that cannot be imported: a problem that names the mistake.

AWS answers `{"message": "Internal Server Error"}` and the log has the rest, which a terminal should not make anybody look for.
"""

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from infra.local.mistake import Mistake

FindMistake = Callable[[str], Mistake | None]
"""Of a folder with a function's code: why it cannot be imported."""

_INIT_FAILED = ("Worker init failed", "Worker process exited immediately")
"""With what the emulator's words for it begin."""
_API = "functions/api/"


def broken_folder(status: int, path: str, body: bytes) -> str | None:
    """The folder of the function that could not be imported; null if no such thing was answered.

    Args:
        status: of the emulator's answer.
        path: of the request, which may have a query.
        body: of the emulator's answer.
    """
    if status not in {500, 502} or not body.startswith(b"{"):
        return None
    said = json.loads(body)
    if status == 500 and said == {"message": "Internal Server Error"}:  # noqa: PLR2004 - of API Gateway, in AWS's words
        return f"{_API}authorize/"
    if status == 502 and str(said.get("errorMessage")).startswith(_INIT_FAILED):  # noqa: PLR2004 - as above
        return _folder(path)
    return None


def _folder(path: str) -> str:
    """Of the function whose route a path is."""
    first, _, rest = urlsplit(path).path.strip("/").partition("/")
    if first == "workflows":
        return f"functions/workflows/{rest}/"
    return f"{_API}{first}/" if first in {"runs", "schedules", "webhooks"} else f"{_API}documents/"


def problem(folder: str, mistake: Mistake, request_id: str) -> bytes:
    """The body of the answer, as all problems are. Made here, as functions/ may be what is broken."""
    name = folder.rstrip("/").rpartition("/")[2]
    line = f": `{mistake.text.strip()}`" if mistake.text.strip() else ""
    detail = f"{name} cannot be imported. {mistake.sentence}{line}. Mend it: the code is then reloaded by itself."
    body = {
        "type": "urn:backend-workflows:problem:internal_error",
        "title": "Internal error",
        "status": 500,
        "detail": detail,
        "code": "internal_error",
        "request_id": request_id,
        "retry_after_seconds": None,
        "errors": [],
    }
    return json.dumps(body, ensure_ascii=False).encode()
