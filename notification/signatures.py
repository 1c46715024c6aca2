"""Sign what a webhook sends, as Standard Webhooks 1.0.0 says (https://www.standardwebhooks.com)."""

import base64
import hashlib
import hmac
from collections.abc import Iterable


def headers(secrets: Iterable[str], message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove who sent a body, with one signature for each `whsec_…` secret."""
    content = b".".join((message_id.encode(), str(seconds).encode(), body))
    signatures = (
        base64.b64encode(
            hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256)
        )
        for secret in secrets
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{signature.decode()}" for signature in signatures),
    }
