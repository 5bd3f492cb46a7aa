"""GitHub: `X-Hub-Signature-256: sha256=…`, an HMAC-SHA-256 over the body.

Neither a time nor the delivery's id is signed.
Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

from functools import partial

from functions.api.webhooks.scheme import Signature
from functions.api.webhooks.schemes import hmac

SIGNATURE = Signature(header="x-hub-signature-256", prefix="sha256=")

verify = partial(hmac.verify, SIGNATURE)
"""Verifies a delivery, by its body alone: `X-GitHub-Event` is not signed, so not used."""
