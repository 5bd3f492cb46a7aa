"""Security schemes: bearer tokens with scopes, and signatures of webhooks."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta

Security = Sequence[Mapping[str, Sequence[str]]]

SourceName = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,40}\Z", examples=["twilio"])]

_SIGNATURES = {
    "standard": ("webhook-signature", "Standard Webhooks, with webhook-id and webhook-timestamp"),
    "stripe": ("stripe-signature", "Stripe"),
    "github": ("x-hub-signature-256", "GitHub"),
    "twilio": ("x-twilio-signature", "Twilio"),
    "usersnap": ("x-usersnap-signature", "Usersnap, with x-usersnap-timestamp"),
}
"""Header and name of each scheme that signs in a header; sns signs in the body."""

PUBLIC: Security = []
SIGNED: Security = [*({f"{name}Signature": []} for name in _SIGNATURES), {}]

SCHEMES: dict[str, dict[str, Any]] = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "wf_…",
        "description": "A token of `make token`. It holds scopes: `workflow:<workflow>` to call a "
        "workflow, `runs:read` to look at runs and schedules, `runs:write` to start and change "
        "them; for these the workflow's scope is needed, too. `workflow:verify_check` also covers "
        "verify_status. A publishable token, which may "
        "stand in a page, holds only scopes of publishable workflows.",
    },
    **{
        f"{name}Signature": {
            "type": "apiKey",
            "in": "header",
            "name": header,
            "description": f"Signature of a source with the scheme `{name}`: {about}.",
        }
        for name, (header, about) in _SIGNATURES.items()
    },
}
"""All schemes by name."""


def bearer(*scopes: str) -> Security:
    """A token with one of these scopes."""
    return [{"token": [scope]} for scope in scopes]
