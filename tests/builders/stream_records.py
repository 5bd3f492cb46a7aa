"""Records of the verifications' stream, as the function `events` gets them."""

import json
from typing import Any

from infra import sam

_SAMPLE = sam.ROOT / "tests/events/events.json"
APPROVED: dict[str, Any] = json.loads(_SAMPLE.read_text())["Records"][0]
"""Change of a verification to approved."""
