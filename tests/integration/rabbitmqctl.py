"""What an operator, or an accident, does to a running RabbitMQ."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dev.program import Running
from dev.servers import TOOLS, tool
from pipeline import broker

SECONDS = 60.0
T = TypeVar("T")


def wait_for(fact: Callable[[], T | None], seconds: float = SECONDS) -> T:
    """Return the fact once it is there."""
    deadline = time.monotonic() + seconds
    while not (found := fact()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


def is_not_raised(check: Callable[[], None]) -> bool:
    """Whether a check finds nothing wrong now."""
    try:
        check()
    except broker.BrokerUnavailable:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Rabbit:
    """A broker of this test process alone, its address, and `rabbitmqctl` for it."""

    server: Running
    url: str

    def ctl(self, *words: str) -> str:
        """Run `rabbitmqctl` and return what it says."""
        program = tool("rabbitmqctl", TOOLS / "rabbitmq/usr/lib/rabbitmq/bin", Path("/usr/lib/rabbitmq/bin"))
        done = subprocess.run(
            [program, "--quiet", *words],
            env=dict(self.server.program.environment),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cut(self) -> None:
        """Close every connection by force."""
        self.ctl("close_all_connections", "a test")

    def close_channels(self) -> None:
        """Close the first channel of every connection as the broker does after an error."""
        error = '{channel_exit, 1, {amqp_error, precondition_failed, "a test", none}}'
        self.ctl("eval", f"[C ! {error} || C <- rabbit_networking:connections()].")

    def connections(self) -> list[str]:
        """Return one name for each connection."""
        return self.ctl("list_connections", "--no-table-headers", "pid").splitlines()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let the broker stand still: it is connected to, and never answers."""
        process = self.server._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)  # its last thread stands still
        try:
            yield
        finally:
            os.kill(process.pid, signal.SIGCONT)

    @contextmanager
    def short_of_memory(self) -> Iterator[None]:
        """Block everybody who publishes."""
        self.ctl("set_vm_memory_high_watermark", "0.0000001")
        try:
            wait_for(lambda: "memory" in self.ctl("eval", "rabbit_alarm:get_alarms()."))
            yield
        finally:
            self.ctl("set_vm_memory_high_watermark", "0.4")

    def anew(self) -> None:
        """Leave every queue empty."""
        with broker.opened(self.url, "test") as channel:
            for name in broker.QUEUES:
                channel.queue_purge(name)
                channel.queue_purge(f"{name}.dlq")

    def delete(self, queue: str) -> None:
        """Delete a queue with all that is in it."""
        with broker.opened(self.url, "test") as channel:
            channel.queue_delete(queue)

    def send(self, queue: str, *bodies: bytes) -> None:
        """Put messages into a queue, each confirmed."""
        with broker.opened(self.url, "test") as channel:
            channel.confirm_delivery()
            for body in bodies:
                channel.basic_publish("", queue, body, mandatory=True)

    def take(self, queue: str) -> list[bytes]:
        """Take every message that waits in a queue."""
        with broker.opened(self.url, "test") as channel:
            return [body for *_, body in iter(lambda: channel.basic_get(queue, auto_ack=True), (None,) * 3)]

    def depth(self, queue: str) -> int:
        """Return how many messages wait in a queue."""
        return broker.depth(self.url, queue)
