"""The notification service as a process: what it needs, what it tells, and how it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from dev.ports import free_ports
from dev.program import Running
from pipeline.doorbell import Doorbell
from pipeline.timing import DEFAULT
from tests.conftest import SmtpSink
from tests.integration.notification.conftest import Store
from tests.integration.rabbitmqctl import Rabbit, wait_for
from tests.unit.notification.mail_server import MailServer

COMMAND = (sys.executable, "-m", "notification")
SECONDS = 60.0
TOO_SOON_FOR_THE_LEASE = (DEFAULT.mail_lease + DEFAULT.clock_skew).total_seconds() - 5


@dataclass(frozen=True, slots=True)
class Service:
    """`python -m notification` and its admin port."""

    process: subprocess.Popen[str]
    url: str

    def readiness(self) -> tuple[int, dict[str, str]]:
        answer = httpx.get(f"{self.url}/readyz", timeout=60)
        return answer.status_code, answer.json()

    @property
    def is_ready(self) -> bool:
        try:
            return self.readiness()[0] == httpx.codes.OK
        except httpx.TransportError:
            return False

    def ask_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def status(self) -> int:
        """Wait for the end and return the exit status."""
        return self.process.wait(SECONDS)


Start = Callable[[str], Service]


@pytest.fixture
def start(rabbit: Rabbit, mongodb_url: str) -> Iterator[Start]:
    """Start the service for a mail server's URL, and wait until it listens."""
    begun: list[subprocess.Popen[str]] = []

    def begin(smtp_url: str) -> Service:
        [port] = free_ports(1)
        values = {"MONGODB_URL": mongodb_url, "RABBITMQ_URL": rabbit.url, "SMTP_URL": smtp_url}
        values |= {"MAIL_FROM": "mp3@example.org", "ADMIN_HOST": "127.0.0.1", "ADMIN_PORT": str(port)}
        begun.append(subprocess.Popen(COMMAND, env={**os.environ, **values}, text=True))
        service = Service(begun[-1], f"http://127.0.0.1:{port}")
        wait_for(lambda: service.is_ready, SECONDS)
        return service

    yield begin
    for process in begun:
        process.kill()
        process.wait()


def ring(rabbit: Rabbit, store: Store, job: Any) -> None:
    """Ring as the converter does."""
    rabbit.send("mp3", Doorbell.of(job).encode())
    store.jobs.mark_rung(job, "mp3")


def test_an_outcome_becomes_a_mail(rabbit: Rabbit, store: Store, start: Start, smtp_sink: SmtpSink) -> None:
    owner = "process@example.com"
    start(smtp_sink.url)

    job = store.done(owner)
    ring(rabbit, store, job)

    [mail] = wait_for(lambda: smtp_sink.mails(to=owner))
    assert mail["Message-ID"] == f"<{job.id}.1@example.org>"
    wait_for(lambda: store.notice(job)["state"] == "sent")


def test_asked_to_stop_in_mid_mail_it_ends_and_records_the_mail_first(
    rabbit: Rabbit, store: Store, start: Start
) -> None:
    job, other = store.done(), store.done()
    with MailServer(wait_at=".") as server:
        service = start(f"smtp://127.0.0.1:{server.port}")
        ring(rabbit, store, job)
        ring(rabbit, store, other)
        assert server.arrived.wait(SECONDS)

        service.ask_to_stop()
        with pytest.raises(subprocess.TimeoutExpired):
            service.process.wait(2)
        server.go_on.set()

        assert service.status() == 0

    assert (store.notice(job)["state"], store.notice(other)["state"]) == ("sent", "pending")
    assert len(server.texts) == 1
    [left] = rabbit.take("mp3")
    assert Doorbell.decode(left).job_id == other.id


def test_asked_to_stop_in_mid_mail_while_the_store_is_away_it_waits_to_record_it(
    rabbit: Rabbit, store: Store, start: Start, mongodb_server: Running
) -> None:
    job = store.done()
    with MailServer(wait_at=".") as server:
        service = start(f"smtp://127.0.0.1:{server.port}")
        ring(rabbit, store, job)
        assert server.arrived.wait(SECONDS)

        mongodb_server.kill()
        service.ask_to_stop()
        server.go_on.set()
        with pytest.raises(subprocess.TimeoutExpired):
            service.process.wait(2)
        mongodb_server.start()

        assert service.status() == 0

    assert store.notice(job)["state"] == "sent"
    assert rabbit.take("mp3") == []


def test_an_idle_service_stops_at_once(start: Start, smtp_sink: SmtpSink) -> None:
    service = start(smtp_sink.url)

    service.ask_to_stop()

    assert service.status() == 0


def test_readiness_tells_which_server_is_away_and_liveness_stays(start: Start, smtp_sink: SmtpSink) -> None:
    service = start(smtp_sink.url)
    assert service.readiness() == (200, {"mongodb": "ok", "smtp": "ok", "rabbitmq": "ok"})

    smtp_sink.server.stop()
    try:
        status, servers = service.readiness()
        alive = httpx.get(f"{service.url}/livez").status_code
    finally:
        smtp_sink.server.start()

    assert (status, alive) == (503, 200)
    assert "ConnectionRefusedError" in servers["smtp"]
    assert (servers["mongodb"], servers["rabbitmq"]) == ("ok", "ok")


def test_a_refused_login_shows_in_the_metrics(rabbit: Rabbit, store: Store, start: Start) -> None:
    with MailServer({"AUTH": "535 5.7.8 bad credentials"}) as server:
        service = start(f"smtp://me:wrong@127.0.0.1:{server.port}")
        ring(rabbit, store, store.done())

        wait_for(lambda: "smtp_login_refused 1.0" in httpx.get(f"{service.url}/metrics").text)

        service.ask_to_stop()
        assert service.status() == 0


GOOD = {
    "MONGODB_URL": "mongodb://u:hidden@127.0.0.1",
    "RABBITMQ_URL": "amqp://u:hidden@127.0.0.1",
    "SMTP_URL": "smtp://u:hidden@127.0.0.1",
    "MAIL_FROM": "mp3@example.com",
}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"MONGODB_URL": None, "SMTP_URL": None}, ["MONGODB_URL is not set", "SMTP_URL is not set"]),
        ({"SMTP_URL": "mail://u:hidden@127.0.0.1"}, ["SMTP_URL must begin with one of"]),
        ({"MAIL_FROM": "nobody"}, ["MAIL_FROM cannot be used"]),
    ],
)
def test_a_service_that_cannot_be_put_together_says_why_and_no_secret(
    values: dict[str, str | None], told: list[str]
) -> None:
    environment = {
        name: value for name, value in {**os.environ, **GOOD, **values}.items() if value is not None
    }

    done = subprocess.run(
        COMMAND,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert all(line in done.stderr for line in told)
    assert "hidden" not in done.stderr + done.stdout


def test_the_mail_of_a_killed_sender_is_sent_by_its_next_run_at_once(
    rabbit: Rabbit, store: Store, start: Start
) -> None:
    job = store.done()
    with MailServer(wait_at=".") as server:
        first = start(f"smtp://127.0.0.1:{server.port}")
        ring(rabbit, store, job)
        assert server.arrived.wait(SECONDS)

        first.process.kill()
        first.process.wait()
        server.go_on.set()
        start(f"smtp://127.0.0.1:{server.port}")

        wait_for(lambda: store.notice(job)["state"] in ("pending", "sent"), TOO_SOON_FOR_THE_LEASE)
        ring(rabbit, store, job)
        wait_for(lambda: store.notice(job)["state"] == "sent", SECONDS)

    assert store.notice(job)["tries"] == 2


def test_the_mail_of_a_sender_that_lives_is_left_to_it(rabbit: Rabbit, store: Store, start: Start) -> None:
    job, next_one = store.done(), store.done()
    with MailServer(wait_at=".") as server:
        start(f"smtp://127.0.0.1:{server.port}")
        ring(rabbit, store, job)
        assert server.arrived.wait(SECONDS)

        twin = start(f"smtp://127.0.0.1:{server.port}")
        twin.process.kill()
        twin.process.wait()
        start(f"smtp://127.0.0.1:{server.port}")
        ring(rabbit, store, job)
        ring(rabbit, store, next_one)
        wait_for(lambda: store.notice(next_one)["state"] == "sending", SECONDS)
        server.go_on.set()
        for each in (job, next_one):
            wait_for(lambda each=each: store.notice(each)["state"] == "sent", SECONDS)

    assert (store.notice(job)["tries"], len(server.texts)) == (1, 2)
