"""What the doctor sees."""

import logging
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta

import pika
import pytest
import structlog

from dev.program import Running
from gateway import doctor
from gateway.description import schemas
from pipeline import mongodb
from tests.integration.gateway.conftest import Gateway, SmallAuth
from tests.integration.rabbitmqctl import Rabbit


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def environment(mongodb_url: str, rabbitmq_url: str, auth: SmallAuth) -> dict[str, str]:
    return {"MONGODB_URL": mongodb_url, "RABBITMQ_URL": rabbitmq_url, "AUTH_URL": auth.url}


@pytest.fixture
def mail_server() -> Iterator[tuple[str, list[bytes]]]:
    """Greets everybody with the same words."""
    words = [b"220 mail\r\n"]
    listener = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.sendall(words[0])
            connection.close()

    threading.Thread(target=greet, daemon=True).start()
    yield f"smtp://127.0.0.1:{listener.getsockname()[1]}", words
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_administrators_are_told_what_the_doctor_says(gateway: Gateway) -> None:
    with gateway.client("boss@example.com", "admin") as boss:
        answer = boss.get("/v1/admin/doctor")

    schemas.Findings.model_validate_json(answer.content)
    findings = {finding["name"]: finding for finding in answer.json()["findings"]}
    assert findings["mongodb"] == {"name": "mongodb", "ok": True, "seen": "answers", "advice": None}
    assert not findings["queues"]["ok"]  # there is no RabbitMQ here
    assert "RABBITMQ_URL" in findings["queues"]["advice"]


def test_all_is_well(
    environment: dict[str, str], mail_server: tuple[str, list[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    status = doctor.main({**environment, "SMTP_URL": mail_server[0]})

    lines = capsys.readouterr().out.splitlines()
    assert status == 0, lines
    names = [line.split()[1].rstrip(":") for line in lines]
    assert names == [
        "mongodb",
        "clock",
        "indexes",
        "space",
        "queues",
        "alarms",
        "keys",
        "revocations",
        "smtp",
    ]
    assert all(line.startswith("ok ") for line in lines)


def test_each_server_that_is_away_has_its_line_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = {"MONGODB_URL": "mongodb://127.0.0.1:9", "RABBITMQ_URL": "amqp://u:hidden@127.0.0.1:9"}
    status = doctor.main({**nowhere, "AUTH_URL": "http://127.0.0.1:9", "SMTP_URL": "smtp://127.0.0.1:9"})

    output = capsys.readouterr().out
    assert status == 1
    assert output.count("WRONG") == 9
    for advice in ("correct MONGODB_URL", "correct RABBITMQ_URL", "correct AUTH_URL", "correct SMTP_URL"):
        assert advice in output
    assert "hidden" not in output


def test_a_queue_of_another_type_is_named(
    environment: dict[str, str], rabbitmq_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(rabbitmq_url))
    channel = connection.channel()
    channel.queue_delete("mp3")
    channel.queue_declare("mp3", durable=True)

    status = doctor.main(environment)

    channel.queue_delete("mp3")
    connection.close()
    assert status == 1
    assert "WRONG  queues: a queue exists with other arguments" in capsys.readouterr().out


def test_a_broker_that_takes_no_messages_is_told_with_its_reason(
    environment: dict[str, str],
    rabbitmq_server: Running,
    rabbitmq_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Rabbit(rabbitmq_server, rabbitmq_url).short_of_memory():
        status = doctor.main(environment)

    assert status == 1
    assert "WRONG  alarms: RabbitMQ accepts no messages: low on memory" in capsys.readouterr().out


def test_a_full_disk_and_a_clock_that_is_wrong_are_told(environment: dict[str, str]) -> None:
    class Server:
        """Says what a MongoDB in trouble would."""

        def __getitem__(self, _: str) -> "Server":
            return self

        @property
        def admin(self) -> "Server":
            return self

        def command(self, name: str) -> dict[str, object]:
            if name == "isMaster":
                return {"localTime": mongodb.now() + timedelta(seconds=30)}
            return {"fsTotalSize": 10**9, "fsUsedSize": 9 * 10**8}

    checks = doctor.checks(doctor.Settings.read(environment), Server(), None)  # type: ignore[arg-type]  # for two looks
    found = [check.run() for check in checks if check.name in ("clock", "space")]

    assert [(finding.name, finding.ok, finding.seen) for finding in found] == [
        ("clock", False, "MongoDB's clock differs by +30 s from this one"),
        ("space", False, "95 MiB are free; uploads need 2048"),
    ]
    assert all(finding.advice for finding in found)


def test_what_answers_but_is_no_mail_server_is_told(
    environment: dict[str, str], mail_server: tuple[str, list[bytes]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, words = mail_server
    words[0] = b"HTTP/1.1 400 Bad Request\r\n"

    assert doctor.main({**environment, "SMTP_URL": url}) == 1
    assert "WRONG  smtp: it does not answer like a mail server" in capsys.readouterr().out


def test_without_settings_it_says_which_are_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main({}) == 2
    assert "MONGODB_URL is not set" in capsys.readouterr().out
