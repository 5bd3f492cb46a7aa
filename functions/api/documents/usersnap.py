"""usersnap.js: loads Usersnap's widget where update_usersnap has switched it on, and is empty where not."""

from pathlib import Path

from functions.core.integrations import usersnap

_SCRIPT = (Path(__file__).parent / "usersnap.js").read_text()


def script() -> str:
    """The script with the app's key in it, which is checked again: a table can be written by others.

    Raises:
        NotValid: the key that is stored is none.
        Unavailable: when DynamoDB is.
    """
    state = usersnap.read()
    if not state.enabled:
        return ""
    return _SCRIPT.replace("SPACE_API_KEY", usersnap.SpaceApiKey.read(state.space_api_key or ""))
