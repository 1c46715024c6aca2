"""The words about the suite: what is wrong is said in one line."""

import shutil
import subprocess
import sys
import tarfile
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
        f"PORT_BASE={base} is not allowed: use 1024 to 65515, the first of 20 ports\n",
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


def make(*arguments: str, folder: Path = CLONE, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        ["make", "-s", "-C", str(folder), *arguments],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("file", ["no-such-talk.mp4", "~/talk.mp4", "a$(b)c.mp4", "two words.mp4"])
def test_a_typo_in_the_name_of_a_video_is_told_before_anything_is_set_up(file: str) -> None:
    code, said, error = make("demo", f"FILE={file}", ENGINE="native")

    assert (code, said) == (2, "")
    assert f"there is no readable file {file.replace('~', '/nowhere')};" in error
    assert len(error.splitlines()) == 2  # the second is make's own


def programs(folder: Path, *names: str) -> Path:
    """A folder for PATH that has these programs of this machine alone."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def test_without_apt_the_tests_are_told_to_run_where_it_is(tmp_path: Path) -> None:
    folder = programs(tmp_path / "bin", "sh", "make", "git", "tar", "timeout")

    code, _, error = make("test", PATH=str(folder))
    assert code == 2
    assert error.splitlines()[0].startswith("make test needs Debian 12 or 13, or Docker")


def test_without_apt_an_engine_gets_the_clone_as_it_is(tmp_path: Path) -> None:
    """What stands for the engine keeps what is sent to it."""
    folder = programs(tmp_path / "bin", "sh", "make", "git", "tar", "timeout", "cat")
    docker = folder / "docker"
    docker.write_text(f'#!/bin/sh\n[ "$1" = version ] || {{ echo "$@"; cat >{tmp_path}/sent; }}\n')
    docker.chmod(0o755)

    code, said, _ = make("test", PATH=str(folder))

    assert code == 0
    assert said.startswith("run --rm -i ")
    with tarfile.open(tmp_path / "sent") as sent:
        names = sent.getnames()
    assert {".git", "Makefile", "dev/setup.sh", "tests/unit/dev/test_words.py"} <= set(names)
    assert not any(name.startswith((".venv/", ".tools/")) for name in names)


def test_what_is_asked_of_this_machine_goes_through_no_proxy() -> None:
    _, said, _ = make(
        "--eval=show: ; @echo $$no_proxy $$NO_PROXY", "show", http_proxy="http://p:1", no_proxy="a.b"
    )

    assert said == "localhost,127.0.0.1,a.b localhost,127.0.0.1,a.b\n"


def test_every_word_needs_no_other_before_it() -> None:
    for word in ("lint", "unit", "check", "chaos", "docs", "bench"):
        _, said, _ = make("-n", word)
        assert said.startswith("dev/setup.sh native\n"), word


def clone(folder: Path) -> Path:
    """The scripts alone, elsewhere."""
    (folder / "dev").mkdir(parents=True)
    shutil.copy(CLONE / "dev/setup.sh", folder / "dev")
    shutil.copy(CLONE / "Makefile", folder)
    return folder


@pytest.mark.parametrize("name", ["two words", "it's", 'a"b', "a$b"])
def test_a_path_that_rabbitmqs_scripts_cannot_bear_is_refused_at_once(tmp_path: Path, name: str) -> None:
    code, _, error = make("setup", folder=clone(tmp_path / name))

    assert code == 2
    assert "RabbitMQ's scripts allow only letters" in error.splitlines()[0]


def test_who_may_not_install_is_given_the_line_to_paste(tmp_path: Path) -> None:
    """There is nothing on this path but a shell's own needs, and an `id` that is nobody's."""
    path = programs(tmp_path / "bin", "sh", "dirname", "mkdir", "flock", "cat", "apt-get", "find")
    (path / "id").write_text("#!/bin/sh\necho 1000\n")
    (path / "id").chmod(0o755)
    folder = clone(tmp_path / "clone")

    done = subprocess.run(
        ["/bin/sh", "dev/setup.sh", "native"],
        env={"PATH": str(path)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "As root:\n  apt-get update && apt-get install --no-install-recommends python3-venv" in done.stderr
    assert "sudo: not found" not in done.stderr


def test_a_clone_that_was_moved_is_set_up_anew(tmp_path: Path) -> None:
    folder = clone(tmp_path / "new")
    (folder / ".venv").mkdir()
    (folder / ".tools").mkdir()
    (folder / ".tools/place").write_text("/old\n")

    subprocess.run(
        ["/bin/sh", "dev/setup.sh", "no-such-mode"],
        env={"PATH": "/usr/bin:/bin"},
        cwd=folder,
        capture_output=True,
        check=False,
    )

    assert not (folder / ".venv").exists()
    assert (folder / ".tools/place").read_text() == f"{folder}\n"


def test_what_make_clean_leaves_is_named(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    (folder / ".tools").mkdir()
    (folder / ".tools/apt-installed").write_text("maven\nsocat\nmaven\n")

    _, _, error = make("clean", folder=folder)

    assert "left: apt packages; to remove them: apt-get remove maven socat" in error
    assert not (folder / ".tools").exists()


def test_a_full_disk_is_told_before_anything_starts(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "stack", least_free=10**18)

    with pytest.raises(CannotRun, match=r"MB are free where .* RabbitMQ accepts no messages below 1,000"):
        stack.up()


def test_a_video_or_a_folder_that_may_not_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    code, _, error = word("demo", ENGINE="native", FILE=str(tmp_path))

    assert (code, error) == (
        1, f"there is no file {tmp_path}: choose a video with make demo FILE=talk.mp4\n"
    )  # fmt: skip
