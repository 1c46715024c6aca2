"""The words about the suite: what is wrong is said in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from dev.demo import Demo
from dev.errors import CannotRun
from dev.maildir import mails, text
from dev.program import DidNotStart, Program, Running, nothing
from dev.servers import tool
from dev.services import BIN, CLONE, image_command
from dev.stack import NAMES, Stack


def word(*arguments: str, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "dev", *arguments],
        env={"PATH": "/usr/bin:/bin", **environment},
        cwd=CLONE,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_an_unknown_engine_is_refused() -> None:
    code, _, error = word("up", ENGINE="podman")

    assert (code, error) == (1, "ENGINE=podman is neither native nor docker\n")


@pytest.mark.parametrize("base", ["abc", "80", "65535", "-1"])
def test_a_range_of_ports_that_cannot_be_is_refused(base: str) -> None:
    code, _, error = word("up", ENGINE="native", PORT_BASE=base)

    assert (code, error) == (
        1,
        f"PORT_BASE={base} cannot be: it is the first of 20 ports, 1024 to 65515\n",
    )


def test_a_service_is_started_by_the_command_of_its_image() -> None:
    assert image_command("converter") == [str(BIN / "python"), "-m", "converter"]
    assert image_command("auth") == [
        str(BIN / "gunicorn"), "--config", "python:auth.server", "auth.app:create_app()"
    ]  # fmt: skip


def test_a_missing_tool_is_named_with_what_installs_it() -> None:
    with pytest.raises(CannotRun, match="no-such-tool is missing: make setup installs it"):
        tool("no-such-tool")


def test_every_port_of_a_stack_is_another(tmp_path: Path) -> None:
    (tmp_path / "port-base").write_text("9000\n")
    stack = Stack(tmp_path)

    ports = [port for program in stack.programs for port in program.ports] + [stack.port("supervisor")]

    assert len(ports) == len(set(ports)) == len(NAMES) + 5
    assert min(ports) == stack.port("gateway") == 9000
    assert max(ports) < 9020


def test_a_stack_that_never_was_is_down(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "stack")

    stack.down()

    assert stack.states() is None
    assert not stack.folder.exists()


def program(folder: Path, command: str) -> Program:
    return Program("failing", ("/bin/sh", "-c", command), {}, folder, (), lambda: False, nothing)


def test_a_program_that_ends_leaves_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(DidNotStart, match="failing: the disk is full"):
        Running(program(tmp_path, "echo the disk is full; exit 3")).start()


def test_a_mail_is_shown_as_one_reads_it(tmp_path: Path) -> None:
    new = tmp_path / "mails" / "new"
    new.mkdir(parents=True)
    (new / "1").write_bytes(b"From: a@example.com\nTo: b@example.com\nSubject: Hi\n\nHello\n\n")

    [mail] = mails(tmp_path)

    assert text(mail) == "From: a@example.com\nTo: b@example.com\nSubject: Hi\n\nHello\n"


def test_the_demo_knows_the_commands_of_a_shell(tmp_path: Path) -> None:
    class Suite:
        gateway_url = "http://localhost:1"
        secrets = tmp_path

        def users(self, *_: str, password: str = "") -> None:
            raise AssertionError(password)

        def mails(self, to: str) -> list[str]:
            raise AssertionError(to)

    command = Demo(Suite())._curl("/download?fid=1", "-fo 'my talk.mp3'")

    assert command == (
        "curl -fo 'my talk.mp3' -H \"Authorization: Bearer $TOKEN\" 'http://localhost:1/download?fid=1'"
    )
