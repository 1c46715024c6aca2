"""Real servers for the tests that need them, each started when it is first asked for.

Every pytest process has servers of its own, on free ports in its temporary folder: under xdist a
test may drop a database or kill a broker, and no other worker notices.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from dev import maildir, servers
from dev.ports import free_ports
from dev.program import Program, Running
from tests.leaks import handed_out

PASSWORD = "for-one-test-run"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let uploads over bad lines be larger, and the random walk over them longer, or another one."""
    parser.addoption("--mib", type=int, default=24, help="size of the file that survives cuts and kills")
    parser.addoption("--steps", type=int, default=2000, help="of the random walk over uploads")
    parser.addoption("--seed", type=int, default=17, help="of the same")


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in its own hook of this name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what shares expensive fixtures on one worker: a file, and all that needs a whole suite."""
    for item in items:
        folder, wired = item.path.parent.name, "wired" in getattr(item, "fixturenames", ())
        group = folder if folder in ("e2e", "page") else "wired" if wired else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(trylast=True)  # after the dot, or the F
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name what failed at once: a run that is stopped before its end has told that much."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(
            f"\n{report.when} of {report.nodeid} failed:\n{report.longreprtext[-2000:]}", file=sys.__stderr__
        )


@pytest.fixture(scope="session", autouse=True)
def no_log_tells_what_was_handed_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After the last test, when every process has ended, search what they logged."""
    handed_out.add("the servers' password", PASSWORD)
    yield
    assert not (found := handed_out.found_in(tmp_path_factory.getbasetemp())), "\n".join(found)


def running(program: Program) -> Iterator[Running]:
    server = Running(program)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def servers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def mongodb_server(servers_folder: Path) -> Iterator[Running]:
    """A MongoDB that a test may `kill()` and `start()` again: the address stays."""
    [port] = free_ports(1)
    yield from running(servers.mongodb(servers_folder / "mongodb", port, PASSWORD))


@pytest.fixture(scope="session")
def mongodb_url(mongodb_server: Running) -> str:
    return f"mongodb://root:{PASSWORD}@127.0.0.1:{mongodb_server.program.ports[0]}"


@pytest.fixture(scope="session")
def rabbitmq_server(servers_folder: Path) -> Iterator[Running]:
    """A RabbitMQ that a test may `stop()` or `kill()`, and `start()` again: queues and address stay.

    But for a quorum queue that was declared in the second before a `kill()`: 3.10 may lose it.
    """
    port, erlang_port, epmd_port = free_ports(3)
    folder = servers_folder / "rabbitmq"
    for _ in running(servers.epmd(folder, epmd_port)):
        yield from running(servers.rabbitmq(folder, (port, erlang_port), epmd_port, PASSWORD))


@pytest.fixture(scope="session")
def rabbitmq_url(rabbitmq_server: Running) -> str:
    return f"amqp://app:{PASSWORD}@127.0.0.1:{rabbitmq_server.program.ports[0]}/%2F"


@pytest.fixture(scope="session")
def mysql_server(servers_folder: Path) -> Iterator[Running]:
    """A MariaDB that a test may `kill()` and `start()` again: the address stays."""
    [port] = free_ports(1)
    yield from running(servers.mariadb(servers_folder / "mariadb", port, PASSWORD))


@pytest.fixture(scope="session")
def mysql_url(mysql_server: Running) -> str:
    """The database `auth`; its user may create and drop others whose names begin with `auth`."""
    return f"mysql://auth:{PASSWORD}@127.0.0.1:{mysql_server.program.ports[0]}/auth"


@dataclass(frozen=True, slots=True)
class SmtpSink:
    """A mail server that takes everything; `server` can be killed and started again."""

    url: str
    server: Running

    def mails(self, to: str | None = None) -> list[EmailMessage]:
        """The mails so far, the oldest first; those to one address if `to` is given."""
        return [mail for mail in maildir.mails(self.server.program.folder) if to in (None, mail["To"])]


@pytest.fixture(scope="session")
def smtp_sink(servers_folder: Path) -> Iterator[SmtpSink]:
    [port] = free_ports(1)
    for server in running(servers.mail_sink(servers_folder / "mail", port)):
        yield SmtpSink(f"smtp://127.0.0.1:{port}", server)
