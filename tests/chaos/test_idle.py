"""Nobody comes for hours, and firewalls forget every connection: the next upload works at once.

Nothing keeps anybody waiting longer than a minute in production; here it is seconds (`wired.SHORTENED`).
"""

import time

from tests.chaos.wired import SERVERS, WiredStack
from tests.e2e.conftest import CLIP, PASSWORD, wait_for

HEARTBEAT = 4.0
FORGOTTEN_AFTER = 6.0
"""Longer than MongoDB's driver keeps an idle connection, and than a heartbeat."""


def test_an_upload_after_a_long_idle_time_works_the_first_time(wired: WiredStack) -> None:
    with wired.some_user() as user:
        first = user.upload(CLIP)
        user.the_mail(first)
        deadline = time.monotonic() + 4 * HEARTBEAT
        while time.monotonic() < deadline:  # the quiet time itself is the subject
            time.sleep(1)
            for server in SERVERS:
                wired.wires[server].forget(idle=FORGOTTEN_AFTER)

        login = user.http.post("/login", auth=(user.name, PASSWORD))
        second = user.upload(CLIP)

        assert login.status_code == 200
        wait_for(lambda: user.job(second)["state"] == "done", 10)
        user.the_mail(second)
