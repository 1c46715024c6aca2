"""Foreign libraries verify the signatures (those that Standard Webhooks publishes)."""

import base64
import json
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from notification import signatures

SECRET = f"whsec_{base64.b64encode(b's' * 32).decode()}"
BODY = b'{"test": 2432232314}'


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_foreign_verifier_is_content_with_either_secret_while_both_are_good(size: int) -> None:
    new, old = (f"whsec_{base64.b64encode(bytes([n]) * size).decode()}" for n in (1, 2))
    body = json.dumps({"type": "job.done", "filename": "Vörträge 🎧.mp4"}, ensure_ascii=False).encode()
    made = signatures.headers([new, old], "evt", int(time.time()), body)

    for secret in (new, old):
        assert Webhook(secret).verify(body, made)["type"] == "job.done"


def test_it_is_content_with_nothing_else() -> None:
    made = signatures.headers([SECRET], "evt", int(time.time()), BODY)
    other = f"whsec_{base64.b64encode(b'x' * 24).decode()}"

    for secret, body, headers in (
        (other, BODY, made),
        (SECRET, BODY + b" ", made),
        (SECRET, BODY, {**made, "webhook-id": "another"}),
        (SECRET, BODY, {**made, "webhook-timestamp": str(int(time.time()) - 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)
