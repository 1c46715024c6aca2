"""A broker that is there, and breaks off before it has said a word."""

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.broker import BrokerUnavailable, Publisher, depth, parameters_of

RESETTING = struct.pack("ii", 1, 0)
SECONDS = 60.0


class HangsUp:
    """Accepts, and resets the connection at once: so does a balancer whose broker is away."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"amqp://app:x@127.0.0.1:{self.listener.getsockname()[1]}/%2F"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # the test is over
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
            connection.close()
            self.accepted += 1


@pytest.fixture
def hangs_up() -> Iterator[HangsUp]:
    broker = HangsUp()
    yield broker
    broker.listener.shutdown(socket.SHUT_RDWR)
    broker.listener.close()


def test_a_broker_that_hangs_up_at_once_is_away(hangs_up: HangsUp) -> None:
    for _ in range(100):  # pika has several ways to say so; which, depends on when the reset comes
        with pytest.raises(BrokerUnavailable):
            depth(hangs_up.url, "video")


@pytest.mark.parametrize(("asked_for", "seconds"), [("", 30), ("?heartbeat=4", 4)])
def test_the_heartbeat_is_that_of_the_url(asked_for: str, seconds: int) -> None:
    assert parameters_of(f"amqp://app:x@127.0.0.1:9/%2F{asked_for}", "test").heartbeat == seconds


def test_a_publisher_goes_on_trying(hangs_up: HangsUp) -> None:
    publisher = Publisher(hangs_up.url, "test")
    deadline = time.monotonic() + SECONDS

    while hangs_up.accepted < 4:
        assert time.monotonic() < deadline, "it has given up"
        time.sleep(0.01)

    publisher.close()
