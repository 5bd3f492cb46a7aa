"""usersnap.js: loads Usersnap's widget if update_usersnap switched it on; otherwise empty."""

from pathlib import Path

from functions.core.integrations import usersnap

_SCRIPT = (Path(__file__).parent / "usersnap.js").read_text()


def script() -> str:
    """Script with the app's key. The key is validated again, since others can write the table.

    Raises:
        NotValid: the stored key is not a valid key.
        Unavailable: DynamoDB is unavailable.
    """
    state = usersnap.read()
    if not state.enabled:
        return ""
    return _SCRIPT.replace("SPACE_API_KEY", usersnap.SpaceApiKey.read(state.space_api_key or ""))
