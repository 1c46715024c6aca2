"""A server is away in mid-upload, mid-conversion and mid-mail: nothing that was accepted is lost.

OUTAGE_SECONDS=30 makes the outages longer.
"""

import os

import pytest

from tests.chaos.flight import Media
from tests.chaos.outages import OUTAGES, RECOVERY_SECONDS, suffer
from tests.chaos.wired import WiredStack
from tests.e2e.conftest import wait_for

SWEEP_SECONDS = 180.0
SECONDS = float(os.environ.get("OUTAGE_SECONDS", "5"))
REFUSED = {"mongodb": {"upload", "login", "look"}, "rabbitmq": set(), "mariadb": {"login"}, "mail": set()}
"""What may be refused while each server is away; everything else must go on."""


@pytest.mark.parametrize(
    ("server", "how"),
    [
        ("mongodb", "stopped"),
        ("mongodb", "silent"),
        ("rabbitmq", "stopped"),
        ("rabbitmq", "silent"),
        ("mariadb", "silent"),
        ("mail", "stopped"),
    ],
)
def test_an_outage_loses_nothing_and_is_over_when_it_ends(
    wired: WiredStack, media: Media, server: str, how: str
) -> None:
    seen = suffer(wired, media, server, OUTAGES[how], SECONDS)

    refused = {what.split()[0] for what in seen.answers if what.endswith("503")}
    assert seen.unclear == []
    assert refused <= REFUSED[server]
    assert seen.books == {key: [] for key in seen.books}
    assert seen.recovered < RECOVERY_SECONDS


def test_what_refused_uploads_left_is_swept_up(wired: WiredStack) -> None:
    wait_for(lambda: wired.leftovers() == [], SWEEP_SECONDS)
