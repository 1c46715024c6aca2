"""Whatever is killed or stopped: an acknowledged upload ends in one MP3 and one mail, and nobody helps."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymongo
import pytest

from dev.program import answers
from dev.servers import AMQP_HELLO
from dev.stack import Stack
from tests.e2e.conftest import CLIP, PATIENT_SECONDS, User, wait_for

TWO_HEARTBEATS = 65.0
"""A connection that nobody keeps alive is cut by the broker after two heartbeats of 30 s."""


@pytest.fixture(autouse=True)
def everything_is_up(stack: Stack) -> Iterator[None]:
    """Leave the suite as the next test wants to find it."""
    yield
    stack.up()


def pid_of(stack: Stack, name: str) -> int:
    pid: int = stack.ask("getProcessInfo", name)["pid"]
    return pid


def kill(stack: Stack, name: str) -> None:
    """Kill a process and return when the supervisor has started another."""
    pid = pid_of(stack, name)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pid_of(stack, name) not in (0, pid))


def mp3_blobs(stack: Stack, job_id: str) -> list[str]:
    url = (stack.secrets / "mongodb_url").read_text().strip()
    with pymongo.MongoClient[dict[str, Any]](url) as client:
        files = client["mp3s"]["fs.files"].find({})
        chunks = client["mp3s"]["fs.chunks"].distinct("files_id")
        return [
            str(blob) for blob in {*(file["_id"] for file in files), *chunks} if str(blob).startswith(job_id)
        ]


def test_a_killed_converters_job_is_done_by_the_next(stack: Stack, user: User, long_video: Path) -> None:
    job_id = user.upload(long_video)
    wait_for(lambda: user.job(job_id)["phase"] == "converting" and user.job(job_id)["progress"] > 0)

    kill(stack, "converter")

    job = user.outcome(job_id, PATIENT_SECONDS)
    assert (job["state"], job["attempt"]) == ("done", 2)
    user.the_mail(job_id)
    assert len(mp3_blobs(stack, job_id)) == 1


def test_an_upload_is_taken_while_the_broker_is_away(stack: Stack, user: User) -> None:
    stack.ask("stopProcess", "rabbitmq")

    job_id = user.upload(CLIP)
    state_without_broker = user.job(job_id)["state"]
    stack.ask("startProcess", "rabbitmq")

    assert state_without_broker == "queued"
    assert user.outcome(job_id)["state"] == "done"
    user.the_mail(job_id)


def test_the_first_upload_after_a_restart_of_the_broker_and_a_quiet_time_works(
    stack: Stack, user: User
) -> None:
    stack.ask("stopProcess", "rabbitmq")
    stack.ask("startProcess", "rabbitmq")
    wait_for(lambda: answers(stack.port("rabbitmq"), AMQP_HELLO))
    time.sleep(TWO_HEARTBEATS)  # the quiet time itself is the subject

    job_id = user.upload(CLIP)

    wait_for(lambda: user.job(job_id)["state"] == "done", 10)
    user.the_mail(job_id)


def test_users_who_are_logged_in_need_no_auth(stack: Stack, user: User) -> None:
    stack.ask("stopProcess", "auth")

    job_id = user.upload(CLIP)
    login = user.http.post("/login", auth=(user.name, "whatever"))

    assert user.outcome(job_id)["state"] == "done"
    assert (login.status_code, login.text) == (503, "the auth service is not available right now")


def test_a_mail_waits_for_its_server(stack: Stack, user: User) -> None:
    stack.ask("stopProcess", "mail")
    job_id = user.upload(CLIP)
    user.outcome(job_id)
    wait_for(lambda: user.job(job_id)["notice"]["tries"] > 0)

    stack.ask("startProcess", "mail")

    user.the_mail(job_id)


def test_everything_comes_up_again_after_kill_9(stack: Stack, user: User) -> None:
    before = user.upload(CLIP)
    user.the_mail(before)
    names = [program.name for program in stack.programs if not program.once]

    for name in names:
        kill(stack, name)
    os.kill(stack.ask("getPID"), signal.SIGKILL)

    wait_for(lambda: set(stack.states() or {}) >= set(names))
    stack.up()
    after = user.upload(CLIP)
    user.the_mail(after)
    assert len(user.mails(before)) == 1
