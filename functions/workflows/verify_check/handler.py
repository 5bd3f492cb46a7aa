"""verify_check: checks a submitted code."""

from functions.core import clock, config
from functions.core.aws import direct
from functions.core.errors import FieldError, InvalidIdempotencyKey, InvalidParameters
from functions.core.observability import count, logger
from functions.core.verification.checking import CheckedVerification, check
from functions.core.verification.codes import VerificationId, code_keys, read_code
from functions.core.verification.settings import ProofSettings
from functions.core.workflow import Call, NotValid, NumericStr, Parameters, Result, workflow

_SHORTEST_KEY = 16
"""Characters of an `Idempotency-Key` that signs a check: nobody guesses it."""

_LOST_ZEROS = "; a JSON number loses the zeros that a code begins with, so send text"


class TypedCode(NumericStr):
    """Code as people type and paste it."""

    longest = 256


class VerifyCheck(Parameters):
    """The code to check."""

    verification_id: VerificationId
    """Id that verify_send returned."""
    code: TypedCode
    """Code as people type and paste it. A JSON integer is read as its digits; a code that begins
    with 0 must be text.
    """

    def read_code(self) -> str:
        """Code without separators. Raises `InvalidParameters` if it cannot be a code.

        No attempt is charged by then.
        """
        try:
            return read_code(self.verification_id, self.code)
        except NotValid as error:
            lost = _LOST_ZEROS if self.code.was_number else ""
            raise InvalidParameters(FieldError("/code", f"{error}{lost}")) from None


class VerificationChecked(Result):
    """Whether the code is valid.

    Unknown, expired, spent and exhausted verifications give the same answer: false, 0 left.
    """

    valid: bool
    """Whether the code is right. A code is valid once."""
    attempts_left: int
    """Wrong codes that may still be submitted."""
    channel: str | None = None
    """Channel of the verified destination; null unless valid."""
    to: str | None = None
    """Verified destination; null unless valid."""
    purpose: str | None = None
    """Purpose that verify_send was given; null unless valid."""
    proof: str | None = None
    """Signed proof for the client's backend; null unless valid and the token has the audience of
    the one that sent the code.
    """
    test: bool | None = None
    """Whether it is a test destination, whose code is no secret; null unless valid."""


def verify_check(parameters: VerifyCheck, call: Call) -> VerificationChecked:
    """Checks a submitted code.

    A wrong code costs an attempt; a text that cannot be a code costs none. An `Idempotency-Key` of
    16 characters or more signs the check: the same key with the right code is valid again while the
    code would be. Nothing else makes a spent code valid again.

    Raises:
        InvalidIdempotencyKey, LimitExceeded
    """
    verification_id, signer = parameters.verification_id, _signer(parameters, call)
    keys = code_keys(verification_id)
    verdict = check(
        verification_id,
        keys.mac(verification_id, parameters.read_code()),
        clock.now(),
        signature=keys.check_mark(verification_id, signer) if signer else None,
    )
    if not verdict.repeated:  # repetitions are free, and could hide guesses from the alarm
        count("CheckValid" if verdict.valid else "CheckInvalid")
        count("WrongOverRight", -1 if verdict.valid else 1)
    if verdict.verification is None:
        return VerificationChecked(valid=False, attempts_left=verdict.attempts_left)
    return VerificationChecked(
        valid=True,
        attempts_left=verdict.attempts_left,
        channel=verdict.verification.channel,
        to=verdict.verification.to,
        purpose=verdict.verification.purpose,
        proof=_proof(
            verdict.verification,
            call,
            keys.proof_id(verification_id, signer) if signer else None,
        ),
        test=bool(verdict.verification.test),
    )


def _signer(parameters: VerifyCheck, call: Call) -> str | None:
    """The client's key with its token, which is part of it; None without a key.

    Raises:
        InvalidIdempotencyKey
    """
    if call.caller is None or call.idempotency_key is None:
        return None
    if len(call.idempotency_key) < _SHORTEST_KEY:
        raise InvalidIdempotencyKey(
            f"Idempotency-Key has at least {_SHORTEST_KEY} characters here, because it signs the "
            "check; send a UUID."
        )
    if call.idempotency_key == parameters.verification_id:
        raise InvalidIdempotencyKey(
            "Idempotency-Key must not be the verification_id, because it signs the check; send a "
            "UUID."
        )
    return f"{call.caller.token_id}\n{call.idempotency_key}"


def _proof(verification: CheckedVerification, call: Call, proof_id: bytes | None) -> str | None:
    """Signed proof; None if the token has no audience or another one than the token that sent, or
    the proof cannot be signed.

    The code is spent by now, so an error would lose the verification.
    """
    audience = call.caller.audience if call.caller else None
    if audience is None or not verification.proves_to(audience):
        return None
    from functions.core.verification.proof import prove  # noqa: PLC0415 - only tokens with an audience need it

    try:
        return prove(verification, audience=audience, domain=call.domain, proof_id=proof_id)
    except Exception:  # noqa: BLE001 - also TooSlow: a valid code stays valid without a proof
        count("ProofFailed")
        logger.exception("proof not signed; the answer has none")
        return None


def _prepare_proofs() -> None:
    if config.read(ProofSettings).proof_keys:
        from functions.core.signing import jws  # noqa: PLC0415 - only needed if proofs are on

        jws.prepare()


lambda_handler = workflow(
    verify_check,
    prepare=[code_keys, direct.connect, _prepare_proofs],
    background=False,
    idempotency="passed",
    publishable=True,
)
