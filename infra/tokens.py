"""`make token`, `make tokens`, `make revoke`: tokens of the local stack or of a deployed one."""

import argparse
import difflib
import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from infra import stack_target
from infra.logs.sources import stack_sources
from infra.workflows import publishable_scopes, workflows

if TYPE_CHECKING:
    from functions.core.auth.tokens import Token


def main() -> int:
    """Runs one command; 1 with a sentence if it fails."""
    arguments = _arguments()
    commands = {"issue": _issue, "rescope": _rescope, "list": _list, "revoke": _revoke}
    return stack_target.run_command(arguments, commands[arguments.command])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.tokens", description=__doc__)
    stack_target.add_arguments(parser)
    commands = parser.add_subparsers(dest="command", required=True)
    issue = commands.add_parser("issue", help="issues a token and shows it once")
    issue.add_argument("--name", required=True)
    issue.add_argument("--kind", required=True, help="secret or publishable")
    issue.add_argument(
        "--scopes", required=True, help="comma-separated, such as workflow:verify_send,runs:read"
    )
    issue.add_argument("--days", type=int, default=0, help="days until it expires; 0 is never")
    issue.add_argument(
        "--audience", default="", help="audience of its proofs, such as https://api.example.com"
    )
    issue.add_argument("--json", action="store_true", help="prints token and token_id as JSON")
    rescope = commands.add_parser("rescope", help="replaces the scopes of all tokens of a name")
    rescope.add_argument("--name", required=True)
    rescope.add_argument("--scopes", required=True, help="all scopes, as for issue")
    commands.add_parser("list", help="lists all tokens")
    commands.add_parser("revoke", help="revokes a token").add_argument("id")
    return parser.parse_args()


def _issue(arguments: argparse.Namespace) -> str:
    from functions.core.auth.tokens import issue_token  # noqa: PLC0415 - reads the environment set above

    text, token = issue_token(
        arguments.name,
        arguments.kind,
        _scopes(arguments),
        publishable_scopes=publishable_scopes(),
        valid_seconds=arguments.days * 86_400 or None,
        audience=arguments.audience or None,
    )
    if arguments.json:
        return json.dumps({"token": text, "token_id": token.token_id})
    return f"{text}\n\nThis is the only time that it is shown. {_described(token)}"


def _rescope(arguments: argparse.Namespace) -> str:
    from functions.core.auth.tokens import rescope_tokens  # noqa: PLC0415 - as above

    if not rescope_tokens(
        arguments.name, _scopes(arguments), publishable_scopes=publishable_scopes()
    ):
        raise ValueError(f"There is no token with the name {arguments.name!r}.")
    return ""


def _scopes(arguments: argparse.Namespace) -> list[str]:
    scopes = [scope.strip() for scope in arguments.scopes.split(",") if scope.strip()]
    _refuse_unknown(scopes, arguments.env)
    return scopes


def _refuse_unknown(scopes: list[str], env: str) -> None:
    """Raises `ValueError` for a scope of a workflow that neither this project nor the stack has."""
    known = _known_scopes(workflows())
    if not known.issuperset(scopes):
        known |= _known_scopes(source.workflow for source in stack_sources(env) if source.workflow)
    for scope in scopes:
        if scope not in known:
            similar = difflib.get_close_matches(scope, known, n=1)
            hint = f"Did you mean {similar[0]}?" if similar else f"There are: {_listed(known)}."
            raise ValueError(f"There is no scope {scope}. {hint}")


def _listed(scopes: Iterable[str]) -> str:
    return ", ".join(sorted(scopes))


def _known_scopes(names: Iterable[str]) -> set[str]:
    return {"runs:read", "runs:write", "events:write", *(f"workflow:{name}" for name in names)}


def _list(_: argparse.Namespace) -> str:
    from functions.core.auth.tokens import list_tokens  # noqa: PLC0415 - as above

    return "\n".join(_described(token) for token in list_tokens())


def _revoke(arguments: argparse.Namespace) -> str:
    from functions.core.auth.tokens import revoke_token  # noqa: PLC0415 - as above

    if not revoke_token(arguments.id):
        raise ValueError(f"There is no token {arguments.id!r}. `make tokens` lists them.")
    return f"{arguments.id} is revoked. The API stops accepting it within 60 seconds."


def _described(token: "Token") -> str:
    state = f"revoked {_day(token.revoked_at)}" if token.revoked_at else "active"
    expires = f", expires {_day(token.expires_at)}" if token.expires_at else ""
    audience = f", proofs for {token.audience}" if token.audience else ""
    about = f"{token.kind:<11}  {token.name}  ({state}{expires}{audience})"
    return f"{token.token_id}  {about}  {' '.join(sorted(token.scopes))}"


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


if __name__ == "__main__":
    sys.exit(main())
