"""`make token`, `make tokens`, `make revoke`: the tokens of the local stack (ENV=local) or of a deployed one (dev, prod)."""

import argparse
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from infra import stack_target
from infra.local.errors import LocalStackError
from infra.workflows import publishable_scopes

if TYPE_CHECKING:
    from functions.core.auth.tokens import Token


def main() -> int:
    """Runs one command; 1 with a sentence when it cannot."""
    arguments = _arguments()
    try:
        stack_target.select_stack(arguments.env, arguments.state)
        return {"issue": _issue, "rescope": _rescope, "list": _list, "revoke": _revoke}[
            arguments.command
        ](arguments)
    except (LocalStackError, ValueError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="infra.tokens", description=__doc__)
    stack_target.add_arguments(parser)
    commands = parser.add_subparsers(dest="command", required=True)
    issue = commands.add_parser("issue", help="issues a token and shows it once")
    issue.add_argument("--name", required=True)
    issue.add_argument("--kind", required=True, help="secret or publishable")
    issue.add_argument(
        "--scopes", required=True, help="comma-separated, such as workflow:verify_send"
    )
    issue.add_argument("--days", type=int, default=0, help="days until it expires; 0 is never")
    issue.add_argument(
        "--audience", default="", help="whom its proofs are for, such as https://api.example.com"
    )
    issue.add_argument("--json", action="store_true")
    rescope = commands.add_parser("rescope", help="gives the tokens of a name other scopes")
    rescope.add_argument("--name", required=True)
    rescope.add_argument("--scopes", required=True, help="as for issue; all of them")
    commands.add_parser("list", help="lists all tokens")
    commands.add_parser("revoke", help="revokes a token").add_argument("id")
    return parser.parse_args()


def _issue(arguments: argparse.Namespace) -> int:
    from functions.core.auth.tokens import issue_token  # noqa: PLC0415 - reads the environment set above

    scopes = _scopes(arguments)
    seconds = arguments.days * 86_400 or None
    audience = arguments.audience or None
    text, token = issue_token(
        arguments.name,
        arguments.kind,
        scopes,
        publishable_scopes=publishable_scopes(),
        valid_seconds=seconds,
        audience=audience,
    )
    if arguments.json:
        print(json.dumps({"token": text, "token_id": token.token_id}))
    else:
        print(f"{text}\n\nThis is the only time that it is shown. {_described(token)}")
    return 0


def _rescope(arguments: argparse.Namespace) -> int:
    from functions.core.auth.tokens import rescope_tokens  # noqa: PLC0415 - as above

    if not rescope_tokens(
        arguments.name, _scopes(arguments), publishable_scopes=publishable_scopes()
    ):
        raise ValueError(f"There is no token with the name {arguments.name!r}.")
    return 0


def _scopes(arguments: argparse.Namespace) -> list[str]:
    return [scope.strip() for scope in arguments.scopes.split(",") if scope.strip()]


def _list(_: argparse.Namespace) -> int:
    from functions.core.auth.tokens import list_tokens  # noqa: PLC0415 - as above

    for token in list_tokens():
        print(_described(token))
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    from functions.core.auth.tokens import revoke_token  # noqa: PLC0415 - as above

    if not revoke_token(arguments.id):
        raise ValueError(f"There is no token {arguments.id!r}. `make tokens` lists them.")
    print(f"{arguments.id} is revoked; within 60 seconds nothing accepts it any more.")
    return 0


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
