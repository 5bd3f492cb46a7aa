"""Tokens: the secrets that clients call the API with. Stored as SHA-256, shown once.

lookup.py reads them.
"""

import re
import secrets
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, NamedTuple

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute

from functions.core import clock
from functions.core.auth.lookup import ID_LENGTH, hash_of
from functions.core.aws import dynamodb
from functions.core.config import table_name

if TYPE_CHECKING:
    from functions.core.auth.caller import TokenKind

_BYTES = 32
"""256 random bits, so that a fast hash is enough to store them (OWASP ASVS 5.0, 11.4.2 asks for
slow ones for passwords).
"""

_SCOPE = re.compile(r"[a-z_]+:[a-z0-9_]+")
_AUDIENCE = re.compile(r"[!-~]{1,255}")
"""Printable ASCII without spaces: it travels in API Gateway's context and in proofs."""


class Token(dynamodb.Table):
    """A token as it is stored."""

    class Meta:
        """PynamoDB's description of the table."""

        table_name = table_name("TOKENS_TABLE")

    token_id = UnicodeAttribute(hash_key=True)
    token_hash = UnicodeAttribute()
    name = UnicodeAttribute()
    kind = UnicodeAttribute()
    scopes = UnicodeSetAttribute()
    audience = UnicodeAttribute(null=True)
    created_at = NumberAttribute()
    expires_at = NumberAttribute(null=True)
    revoked_at = NumberAttribute(null=True)


class NewToken(NamedTuple):
    """A token that was just issued. `text` exists nowhere else."""

    text: str
    token: Token


def issue_token(  # noqa: PLR0913 - a token's properties, by name
    name: str,
    kind: "TokenKind",
    scopes: Iterable[str],
    *,
    publishable_scopes: Collection[str] = (),
    valid_seconds: int | None = None,
    audience: str | None = None,
) -> NewToken:
    """Issues a token.

    Args:
        name: by which people recognise it.
        kind: secret or publishable.
        scopes: at least one.
        publishable_scopes: all that a publishable token may hold; a secret one may hold any scope.
        valid_seconds: until it expires; null: never.
        audience: of the proofs that verify_check gives for it; null: it gets none.

    Raises:
        ValueError: for a name, kind, scopes or audience that a token cannot have; the text is a
            sentence.
    """
    wanted = set(scopes)
    _refuse_wrong(name, kind, wanted, publishable_scopes)
    if audience is not None and not _AUDIENCE.fullmatch(audience):
        raise ValueError(
            "An audience is 1 to 255 ASCII characters without spaces, such as https://api.example.com."
        )
    text, now = f"wf_{secrets.token_urlsafe(_BYTES)}", clock.now()
    token_hash = hash_of(text)
    token = Token(
        token_hash[:ID_LENGTH],
        token_hash=token_hash,
        name=name,
        kind=kind,
        scopes=wanted,
        audience=audience,
        created_at=int(now),
        expires_at=int(now) + valid_seconds if valid_seconds else None,
    )
    token.save(Token.token_id.does_not_exist())
    return NewToken(text, token)


def list_tokens() -> list[Token]:
    """All tokens, oldest first."""
    return sorted(Token.scan(), key=lambda token: float(token.created_at))


def rescope_tokens(
    name: str, scopes: Iterable[str], *, publishable_scopes: Collection[str] = ()
) -> bool:
    """Gives all tokens of a name other scopes; false if the name has none.

    API Gateway may use the old scopes for another 60 s.

    Raises:
        ValueError: as `issue_token`.
    """
    wanted = set(scopes)
    found = [token for token in Token.scan() if token.name == name]
    for token in found:
        _refuse_wrong(name, token.kind, wanted, publishable_scopes)
    for token in found:
        token.update([Token.scopes.set(wanted)])
    return bool(found)


def revoke_token(token_id: str) -> bool:
    """Revokes a token for good; false when there is none of that id.

    API Gateway may accept it for another 60 s.
    """
    revoked, _ = Token.update_if(
        token_id,
        [Token.revoked_at.set(Token.revoked_at | int(clock.now()))],
        Token.token_id.exists(),
    )
    return revoked


def _refuse_wrong(
    name: str, kind: str, scopes: set[str], publishable_scopes: Collection[str]
) -> None:
    if not name.strip():
        raise ValueError("A token needs a name, by which it is recognised in the list.")
    if kind not in {"secret", "publishable"}:
        raise ValueError(f"The kind is secret or publishable, not {kind!r}.")
    if not scopes:
        raise ValueError("A token needs at least one scope, for instance workflow:verify_send.")
    if wrong := sorted(scope for scope in scopes if not _SCOPE.fullmatch(scope)):
        raise ValueError(
            f"These are no scopes: {', '.join(wrong)}. A scope looks like workflow:verify_send."
        )
    if kind == "publishable" and (wrong := sorted(scopes.difference(publishable_scopes))):
        allowed = ", ".join(sorted(publishable_scopes)) or "no scope of this stack"
        raise ValueError(
            f"A publishable token cannot hold {', '.join(wrong)}; it can hold {allowed}."
        )
