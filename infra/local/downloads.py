"""Downloads: URLs of exported runs that a browser may open, as it may on AWS.

No page can read what another one opens, and the browser saves it as a file. The emulator checks no
signature, and finds the service of a request in its query. So nothing else may stand there.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

_PATH = re.compile(
    r"/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/runs/[a-z0-9_]+\.[a-z0-9]+/[0-9a-f]+/export\.csv"
)
_QUERY = {
    "response-content-disposition": re.compile(r'attachment; filename="[a-z0-9_.]+"'),
    "response-content-type": re.compile(r"text/csv; charset=utf-8"),
    "X-Amz-Algorithm": re.compile(r"AWS4-HMAC-SHA256"),
    "X-Amz-Credential": re.compile(r"\w+/\d+/[a-z0-9-]+/s3/aws4_request"),
    "X-Amz-Date": re.compile(r"\w+"),
    "X-Amz-Expires": re.compile(r"\d+"),
    "X-Amz-SignedHeaders": re.compile(r"host"),
    "X-Amz-Security-Token": re.compile(r"\w+"),
    "X-Amz-Signature": re.compile(r"\w+"),
}
_OPTIONAL = {"X-Amz-Security-Token"}


def is_download(scope: MutableMapping[str, Any], headers: Mapping[str, list[str]]) -> bool:
    """True for a browser that opens the URL of an export."""
    if scope.get("method") != "GET" or not _PATH.fullmatch(scope["path"]):
        return False
    if "origin" in headers or headers.get("sec-fetch-mode") != ["navigate"]:
        return False
    if any(name == "authorization" or name.startswith("x-amz-") for name in headers):
        return False
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    if len(given) < len(pairs) or not _QUERY.keys() - _OPTIONAL <= given.keys() <= _QUERY.keys():
        return False
    return all(_QUERY[name].fullmatch(value) for name, value in given.items())
