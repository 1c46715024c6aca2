"""Machines that stop, that are full, and whose mail server is moody.

Everything here runs on machines whose clocks are 20 s apart: `wired`.
"""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest
from aiosmtpd.controller import Controller

from dev.ports import free_ports
from tests.chaos.flight import Media
from tests.chaos.toxics import Bandwidth
from tests.chaos.wired import WiredStack
from tests.e2e.conftest import CLIP, wait_for

CONVERTERS = ("converter", "converter-2")
LONG_SECONDS = 90.0


class Moody:
    """Answers every mail in the same way."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked = 0
        [self.port] = free_ports(1)

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - aiosmtpd's name
        self.asked += 1
        return self.answer


@pytest.fixture
def refuses() -> Iterator[Moody]:
    yield from served(Moody("554 5.7.1 we do not like it"))


@pytest.fixture
def puts_off() -> Iterator[Moody]:
    yield from served(Moody("451 4.3.0 come back later"))


def served(moody: Moody) -> Iterator[Moody]:
    controller = Controller(moody, hostname="127.0.0.1", port=moody.port)
    controller.start()
    yield moody
    controller.stop()


def busy_converter(wired: WiredStack) -> str:
    """Return the name of the converter that works."""
    for program in wired.programs:
        if program.name in CONVERTERS:
            with urlopen(f"http://127.0.0.1:{program.ports[-1]}/metrics") as answer:
                if b"\nconverter_busy 1.0" in answer.read():
                    return program.name
    return ""


def pid_of(wired: WiredStack, name: str) -> int:
    return int(wired.ask("getProcessInfo", name)["pid"])


def test_a_converter_that_slept_through_its_lease_is_fenced_off(wired: WiredStack, media: Media) -> None:
    with wired.some_user() as user, wired.mongodb() as client:
        job_id = user.upload(media.long)
        wait_for(lambda: user.job(job_id)["progress"] > 0)
        name = wait_for(lambda: busy_converter(wired))
        pid = pid_of(wired, name)
        jobs = client["jobs"]["jobs"]

        os.kill(pid, signal.SIGSTOP)
        long_ago = datetime.now(UTC) - timedelta(hours=1)  # in place of waiting for the lease's end
        jobs.update_one({"_id": job_id}, {"$set": {"lease.until": long_ago}})
        wait_for(lambda: jobs.find_one({"_id": job_id})["lease"]["token"] == 2, LONG_SECONDS)
        os.kill(pid, signal.SIGCONT)

        job = user.outcome(job_id, LONG_SECONDS)
        user.the_mail(job_id)
        wait_for(lambda: not busy_converter(wired))
        blobs = [file["_id"] for file in client["mp3s"]["fs.files"].find({"metadata.job_id": job_id})]
        chunks = client["mp3s"]["fs.chunks"].distinct("files_id", {"files_id": {"$regex": f"^{job_id}"}})
        assert (job["state"], job["attempt"]) == ("done", 2)
        assert blobs == chunks == [f"{job_id}.2"]
        assert pid_of(wired, name) == pid


def test_a_converter_that_must_stop_hands_its_job_back(wired: WiredStack, media: Media) -> None:
    with wired.some_user() as user:
        job_id = user.upload(media.long)
        wait_for(lambda: user.job(job_id)["progress"] > 0)
        name = wait_for(lambda: busy_converter(wired))

        wired.ask("signalProcess", name, "TERM")

        wait_for(lambda: user.job(job_id)["state"] == "queued" or busy_converter(wired) not in ("", name), 5)
        job = user.outcome(job_id, LONG_SECONDS)
        user.the_mail(job_id)
        wait_for(lambda: wired.ask("getProcessInfo", name)["statename"] == "RUNNING")
        assert (job["state"], job["attempt"]) == ("done", 1)


def test_a_job_waits_while_the_disk_is_full(wired: WiredStack, media: Media) -> None:
    with wired.some_user() as user, wired.mongodb() as client:
        find = client["jobs"]["jobs"].find_one
        with wired.wires["mongodb"].on(Bandwidth(2_000_000), "down"):
            half_fetched = user.upload(media.wav)
            wait_for(lambda: user.job(half_fetched)["state"] == "converting")
            wired.full_disk.touch()
        wait_for(lambda: user.job(half_fetched)["state"] == "queued")
        too_late = user.upload(CLIP)
        wait_for(lambda: find({"_id": too_late})["doorbell"]["video"]["delayed"])
        wired.full_disk.unlink()

        jobs = [user.outcome(job_id, LONG_SECONDS) for job_id in (half_fetched, too_late)]

        assert [job["state"] for job in jobs] == ["done", "done"]
        assert [job["attempt"] for job in jobs] == [2, 1]
        for job in jobs:
            user.the_mail(job["id"])


def test_a_mail_that_is_put_off_comes_in_the_end(wired: WiredStack, puts_off: Moody) -> None:
    with wired.some_user() as user:
        wired.wires["mail"].targets = [puts_off.port]
        job_id = user.upload(CLIP)
        wait_for(lambda: puts_off.asked)
        wired.wires["mail"].targets = [wired.port("mail")]

        user.the_mail(job_id)

        assert user.job(job_id)["notice"]["tries"] >= 2


def test_a_mail_that_is_refused_is_tried_once(wired: WiredStack, refuses: Moody) -> None:
    with wired.some_user() as user:
        wired.wires["mail"].targets = [refuses.port]
        job_id = user.upload(CLIP)

        wait_for(lambda: (user.job(job_id)["notice"] or {}).get("state") == "undeliverable")
        wired.wires["mail"].targets = [wired.port("mail")]

        assert user.job(job_id)["notice"]["tries"] == refuses.asked == 1
        assert user.mails(job_id) == []
