"""Link beside a code: a page of the app that gets the verification's id and the code.

Both are in the fragment, which browsers send to no server, and no Referer has it (RFC 9110 §4.2.4,
§10.1.3). To open the link spends nothing: programs that look into emails open every link.
"""

from typing import Any, Self
from urllib.parse import urlencode

from functions.core.parameters import NotValid, ValidatedStr

LONGEST = 1900
"""Most characters; id and code fit into the 2,000 of every link."""


class CodeLink(ValidatedStr):
    """Link to a page of a configured host, without a fragment of its own."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Returns the URL unchanged. Raises `NotValid`."""
        from functions.core.messages.rendering.content import Link  # noqa: PLC0415 - only who sends one pays for it

        if len(text) > LONGEST:
            raise NotValid(f"must be at most {LONGEST} characters")
        if "#" in text:
            raise NotValid("must not have a fragment (#…), because id and code become it")
        link = cls(text)
        Link.read(link.with_code("k1.d6", "1" * 10))
        return link

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """An example."""
        return {
            "format": "uri",
            "maxLength": LONGEST,
            "examples": ["https://app.example.com/verify"],
        }

    def with_code(self, verification_id: str, code: str) -> str:
        """The URL as it stands in the message."""
        return f"{self}#{urlencode({'verification_id': verification_id, 'code': code})}"
