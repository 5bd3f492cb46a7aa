"""Parameters of workflows, as any client sends them. Imports nothing of functions/."""


def send_parameters(to: object, **others: object) -> dict[str, object]:
    """Parameters of verify_send: an email to an address, an SMS to everything else."""
    return {"channel": "email" if "@" in str(to) else "sms", "to": to} | others


def check_parameters(verification_id: str, code: object) -> dict[str, object]:
    """Parameters of verify_check."""
    return {"verification_id": verification_id, "code": code}
