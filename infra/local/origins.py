"""Pages that may call the local API: those of AllowedOrigins and of this machine, on any port.

API Gateway has no patterns for ports. So the API sees a page of this machine as one that it allows.
"""

from collections.abc import Sequence

from infra.local.loopback import is_loopback_origin


def refusal(origin: str | None, allowed: Sequence[str]) -> str | None:
    """Reason to refuse a request with this Origin, and how to allow it; none if it may pass.

    Args:
        origin: the header; none if it is absent, as programs leave it.
        allowed: AllowedOrigins, where `*` is every page.
    """
    if origin is None or origin in allowed or "*" in allowed or is_loopback_origin(origin):
        return None
    if origin == "null":
        return (
            "refused a page without an origin, such as a file or a frame: "
            "serve it from http://localhost"
        )
    setting = ",".join([*allowed, origin])
    page = f"refused a page of {origin!r:.200}, which AllowedOrigins does not list"
    return f"{page}. Yours? make run ALLOWED_ORIGINS={setting}"


def known(origin: str, allowed: Sequence[str]) -> str:
    """Origin that the API sees instead of this one."""
    return origin if origin in allowed or not allowed else allowed[0]
