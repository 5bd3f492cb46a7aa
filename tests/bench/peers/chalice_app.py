"""verify_check with Chalice and boto3's resources."""

from typing import Any

from chalice.app import Chalice

from .boto3_table import check

lambda_handler = Chalice(app_name="verify")


@lambda_handler.route("/workflows/verify_check", methods=["POST"])
def verify_check() -> dict[str, Any]:
    """Answers a request; Chalice makes the response."""
    asked = lambda_handler.current_request.json_body
    return check(asked["verification_id"], asked["code"])
