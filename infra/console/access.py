"""Who may read the console: programs of this machine, whoever opens it, and its own pages.

A page of another origin cannot hide that it is one. A browser adds `Origin` or Fetch Metadata
(`Sec-Fetch-Site`), and no script can change them. AllowedOrigins does not count here.
"""

from email.message import Message

ASSETS = "/console/assets/"
READS = "/_local/"

_OTHER_SITES = {"cross-site", "same-site"}


def is_of_console(path: str) -> bool:
    """True for paths of the console; all others belong to the API."""
    return path in {"/", "/console"} or path.startswith(("/console/", READS))


def refusal(path: str, headers: Message) -> str | None:
    """Reason to refuse a request to a path of the console; none if it may pass.

    Args:
        path: of the console.
        headers: with one loopback Host, as a browser takes it from the address.
    """
    own = f"http://{headers['host']}".lower()
    if any(origin.lower() != own for origin in headers.get_all("origin", [])):
        return f"Only the console's own pages, {own}, may ask for this."
    if headers["sec-fetch-site"] not in _OTHER_SITES or _is_link(path, headers):
        return None
    return "Other pages cannot read this. Open it in its own tab, or use curl."


def _is_link(path: str, headers: Message) -> bool:
    """True for a link to a page of the console in a tab; it shows the page and does nothing."""
    return (
        not path.startswith((ASSETS, READS))
        and headers["sec-fetch-mode"] == "navigate"
        and headers["sec-fetch-dest"] == "document"
    )
