"""A function that does nothing: the share of Python and of AWS's runtime client."""


def lambda_handler(_event: object, _context: object) -> dict[str, object]:
    """Answers with an empty response."""
    return {"statusCode": 200, "body": '{"valid": true}'}
