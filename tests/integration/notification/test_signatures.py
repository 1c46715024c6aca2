"""Foreign libraries verify the signatures (those that Standard Webhooks publishes)."""

import base64
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

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


PAGE = (Path(__file__).resolve().parents[3] / "docs/api.md").read_text(encoding="utf-8")
MESSAGE = '{"type":"job.done","filename":"Vörträge \\"1\\" $x `y`.mp4"}'
CALL = """
const [secret, body, headers] = JSON.parse(process.argv[1]);
process.exit(verify(secret, headers, body) ? 0 : 1);
"""


def snippet(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
@pytest.mark.parametrize("forged", [False, True])
def test_the_manuals_verification_in_node_works(*, forged: bool) -> None:
    made = signatures.headers([SECRET], "evt", int(time.time()), MESSAGE.encode())
    body = MESSAGE + " " * forged

    ran = subprocess.run(
        ["node", "-e", snippet("js") + CALL, json.dumps([SECRET, body, made])], check=False, timeout=60
    )

    assert ran.returncode == forged


@pytest.mark.parametrize("forged", [False, True])
def test_the_manuals_verification_in_a_shell_works(*, forged: bool) -> None:
    other = f"whsec_{base64.b64encode(b'o' * 32).decode()}"
    made = signatures.headers([other, SECRET], "evt", int(time.time()), MESSAGE.encode())
    given = ["evt", made["webhook-timestamp"], made["webhook-signature"], MESSAGE + " " * forged]

    ran = subprocess.run(
        ["bash", "-c", snippet("bash") + 'verify "$@"', "-", SECRET, *given], check=False, timeout=60
    )

    assert ran.returncode == forged
