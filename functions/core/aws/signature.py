"""Signature Version 4 of a POST request without query, as AWS's JSON services take it.

AWS IAM User Guide, "Create a signed AWS API request".
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from functions.core import clock

_ALGORITHM = "AWS4-HMAC-SHA256"


class Keys(NamedTuple):
    """Credentials."""

    key_id: str
    secret: str
    session_token: str = ""


def signed(  # noqa: PLR0913 - all that it covers
    headers: Mapping[str, str],
    body: bytes,
    keys: Keys,
    region: str,
    service: str,
    *,
    path: str = "/",
) -> dict[str, str]:
    """Headers of a request, with its signature.

    Args:
        headers: those to sign, with `host`; names in lower case.
        body: content of the request.
        keys: who signs.
        region: of the service.
        service: name by which it signs.
        path: as it is sent. The signature encodes it once more.
    """
    at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(clock.now()))
    token = {"x-amz-security-token": keys.session_token} if keys.session_token else {}
    all_headers = {**headers, "x-amz-date": at, **token}
    names = sorted(all_headers)
    lines = "".join(f"{name}:{all_headers[name]}\n" for name in names)
    content = hashlib.sha256(body).hexdigest()
    canonical = f"POST\n{quote(path, safe='/~')}\n\n{lines}\n{';'.join(names)}\n{content}"
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    text = f"{_ALGORITHM}\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{keys.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    proof = f"Credential={keys.key_id}/{scope}, SignedHeaders={';'.join(names)}"
    return {**all_headers, "authorization": f"{_ALGORITHM} {proof}, Signature={signature}"}
