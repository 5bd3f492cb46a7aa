"""Sentences for errors of AWS that an operator can put right."""

import os

from botocore import exceptions

_NOT_SIGNED_IN = (
    exceptions.CredentialRetrievalError,
    exceptions.LoginError,
    exceptions.NoAuthTokenError,
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)
_REFUSED_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
"""Codes of services that do not accept the credentials of a request."""


def sentence(error: BaseException, env: str) -> str:
    """Sentence for an error of `make … ENV=<env>`; unknown errors keep their text.

    Those of functions/core and PynamoDB are told as the error of botocore's that caused them.
    """
    error = _of_botocore(error)
    text = str(error).rstrip(".")
    if isinstance(error, exceptions.NoRegionError):
        return (
            f"ENV={env} has no AWS region. Set `region` in samconfig.toml, section "
            f"[{env}.global.parameters], or the variable AWS_REGION."
        )
    if isinstance(error, _NOT_SIGNED_IN) or _code(error) in _REFUSED_CREDENTIALS:
        profile = os.environ.get("AWS_PROFILE", "default")
        return (
            f"ENV={env} needs valid AWS credentials ({text}). Sign in with "
            f"`aws sso login --profile {profile}` or `aws configure --profile {profile}`, "
            "or name another profile in AWS_PROFILE or samconfig.toml, and try again."
        )
    if _code(error) == "ValidationError" and "does not exist" in text:
        return f"ENV={env} is not deployed ({text}). Deploy it first: make deploy ENV={env}"
    return str(error)


def _of_botocore(error: BaseException) -> BaseException:
    """The error of botocore's in a chain of causes; the last one where there is none."""
    if isinstance(error, exceptions.BotoCoreError | exceptions.ClientError):
        found: BaseException = error
        return found
    cause = getattr(error, "cause", None) or error.__cause__  # PynamoDB keeps its own
    return _of_botocore(cause) if cause else error


def _code(error: BaseException) -> str:
    response = error.response if isinstance(error, exceptions.ClientError) else {}
    return str(response.get("Error", {}).get("Code", ""))
