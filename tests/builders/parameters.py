"""Parameters of workflows, as any client sends them; nothing of functions/ is imported here."""


def send_parameters(to: object, **others: object) -> dict[str, object]:
    """What verify_send takes: an email to an address, and an SMS to everything else."""
    return {"channel": "email" if "@" in str(to) else "sms", "to": to} | others


def check_parameters(verification_id: str, code: str) -> dict[str, object]:
    """What verify_check takes."""
    return {"verification_id": verification_id, "code": code}
