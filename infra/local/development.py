"""Development tokens, which are the same in every clone so that printed commands can be pasted.

Everybody knows them. They open only local stacks, and those only to programs and pages of the same
machine (server.py, guard.py). They are written straight into the emulator's table. On AWS they
cannot exist, because functions.core.auth.tokens issues random ones.
"""

import hashlib
import json
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from infra.local.deploy import Deployment
from infra.workflows import publishable_scopes

SECRET = "wf_the_secret_token_opens_the_local_stack_only"  # noqa: S105 - as above
PUBLISHABLE = "wf_the_publishable_token_of_a_local_stack_only"

_ID_LENGTH = 16
"""Characters of the hash, as in functions.core.auth.tokens."""


def write_tokens(deployment: Deployment, workflows: Iterable[str]) -> None:
    """Writes or restores both tokens; the secret one opens all workflows."""
    every = ["runs:read", "runs:write", "events:write", *(f"workflow:{name}" for name in workflows)]
    for text, kind, scopes in (
        (SECRET, "secret", every),
        (PUBLISHABLE, "publishable", publishable_scopes()),
    ):
        token_hash = _hash(text)
        item = {
            "token_id": {"S": token_hash[:_ID_LENGTH]},
            "token_hash": {"S": token_hash},
            "name": {"S": f"development {kind}"},
            "kind": {"S": kind},
            "scopes": {"SS": sorted(scopes)},
            "created_at": {"N": str(int(time.time()))},
        }
        deployment.emulator.client("dynamodb").put_item(
            TableName=deployment.outputs["TokensTable"], Item=item
        )


def revoke_earlier(deployment: Deployment, state: Path) -> bool:
    """Revokes the random tokens of an earlier version; false if the state has none."""
    path = state / "tokens.json"
    if not path.exists():
        return False
    earlier = json.loads(path.read_bytes())
    dynamodb = deployment.emulator.client("dynamodb")
    for text in (earlier["secret"], earlier["publishable"]):
        with suppress(dynamodb.exceptions.ConditionalCheckFailedException):  # not there any more
            dynamodb.update_item(
                TableName=deployment.outputs["TokensTable"],
                Key={"token_id": {"S": _hash(text)[:_ID_LENGTH]}},
                UpdateExpression="SET revoked_at = :now",
                ConditionExpression="attribute_exists(token_id)",
                ExpressionAttributeValues={":now": {"N": str(int(time.time()))}},
            )
    path.unlink()
    return True


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
