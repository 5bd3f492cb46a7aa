"""Answer of the local server for a function that cannot be imported: a problem with the mistake.

AWS answers only `{"message": "Internal Server Error"}`, and the mistake is in the log.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from infra.local.api import Reply
from infra.local.mistake import Mistake

FindMistake = Callable[[str], Mistake | None]
"""Finds why the code in a function's folder cannot be imported."""

_INIT_FAILED = ("Worker init failed", "Worker process exited immediately")
"""Prefixes of the emulator's error messages for it."""
_API = "functions/api/"


def named_mistake(reply: Reply, path: str, find_mistake: FindMistake) -> Reply:
    """The answer, or a problem with the mistake if the function cannot be imported.

    Args:
        reply: the emulator's answer.
        path: of the request, which may have a query.
        find_mistake: as its type says.
    """
    folder = unimportable_folder(reply.status, path, reply.body)
    mistake = find_mistake(folder) if folder else None
    if not (folder and mistake):
        return reply
    headers = [
        ("content-type", "application/problem+json"),
        ("cache-control", "no-store"),
        *(each for each in reply.headers if each[0].lower().startswith("access-control-")),
    ]
    body = import_problem(folder, mistake, reply.header("apigw-requestid"))
    return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, headers, body)


def unimportable_folder(status: int, path: str, body: bytes) -> str | None:
    """Folder of the function that could not be imported; null for any other answer.

    Args:
        status: of the emulator's answer.
        path: of the request, which may have a query.
        body: of the emulator's answer.
    """
    if status not in {500, 502} or not body.startswith(b"{"):
        return None
    answer = json.loads(body)
    if status == 500 and answer == {"message": "Internal Server Error"}:  # noqa: PLR2004 - of API Gateway, in AWS's words
        return f"{_API}authorize/"
    if status == 502 and str(answer.get("errorMessage")).startswith(_INIT_FAILED):  # noqa: PLR2004 - as above
        return _folder(path)
    return None


def _folder(path: str) -> str:
    """Folder of the function that serves a path."""
    first, _, rest = urlsplit(path).path.strip("/").partition("/")
    if first == "workflows":
        return f"functions/workflows/{rest}/"
    return f"{_API}{first}/" if first in {"runs", "schedules", "webhooks"} else f"{_API}documents/"


def import_problem(folder: str, mistake: Mistake, request_id: str) -> bytes:
    """Body of the answer, a problem. It is made here because functions/ may be broken."""
    name = folder.rstrip("/").rpartition("/")[2]
    line = f": `{mistake.text.strip()}`" if mistake.text.strip() else ""
    detail = (
        f"{name} cannot be imported. {mistake.sentence}{line}. "
        "Correct it: the code is then reloaded automatically."
    )
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
