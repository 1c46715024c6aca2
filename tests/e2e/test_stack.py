"""The native stack itself: its demo, its secrets, its ports, and its end."""

import io
import socket
from pathlib import Path

import mutagen.mp3
import pytest
from rich.console import Console

from dev.demo import Demo
from dev.errors import CannotRun
from dev.stack import Stack
from dev.supervisor import MARK
from tests.e2e.conftest import CLIP, wait_for


def test_the_demo_ends_with_the_mp3_of_a_real_clip(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    screen = io.StringIO()

    Demo(stack, Console(file=screen, width=200)).run(CLIP)

    said = screen.getvalue()
    assert "Subject: MP3 Download" in said
    assert f"curl -F file=@{CLIP} -H" in said
    assert "demo/big_buck_bunny_5s.mp3" in said
    mp3 = mutagen.mp3.MP3(tmp_path / "demo" / "big_buck_bunny_5s.mp3")
    assert mp3.info.length == pytest.approx(5.312, abs=0.1)


def test_the_demo_of_a_bad_video_shows_the_mail_and_says_what_to_do(
    stack: Stack, silent_film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    screen = io.StringIO()

    with pytest.raises(CannotRun, match="there is no MP3: "):
        Demo(stack, Console(file=screen, width=200)).run(silent_film)

    assert "silent.mp4" in screen.getvalue()


def test_the_demo_of_a_missing_file_says_so(stack: Stack, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="there is no readable file"):
        Demo(stack).run(tmp_path / "no such.mp4")


def test_secrets_are_for_their_owner_only(stack: Stack) -> None:
    files = [file for file in stack.secrets.rglob("*") if file.is_file()]

    assert len(files) >= 8
    assert {oct(file.stat().st_mode & 0o777) for file in [*files, stack.folder / "supervisord.conf"]} == {
        "0o600"
    }


def test_everything_listens_on_loopback_only(stack: Stack) -> None:
    own = {port for program in stack.programs for port in program.ports} | {stack.port("supervisor")}

    addresses = listening()

    assert own <= set(addresses)
    assert {address for port in own for address in addresses[port]} <= LOOPBACK


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}
"""127.0.0.1, the same as Java writes it, and ::1, as the kernel shows them."""


def listening() -> dict[int, set[str]]:
    """The addresses that are listened on, by port."""
    found: dict[int, set[str]] = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, place, _, state, *_ = line.split()
            address, _, port = place.partition(":")
            if state == "0A":
                found.setdefault(int(port, 16), set()).add(address)
    return found


def test_a_second_stack_runs_beside_the_first_and_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    second = Stack(tmp_path / "stack")
    second.up()
    wait_for(lambda: all_run(second))

    second.clean()

    assert not second.folder.exists()
    mark = f"{MARK}={second.folder}".encode()
    assert not any(mark in environment for environment in environments())
    wait_for(lambda: all_run(stack))


def all_run(stack: Stack) -> bool:
    """Tell whether everything runs; supervisord calls "starting" what was started within the last second."""
    return set((stack.states() or {}).values()) == {"RUNNING", "DONE"}


def environments() -> list[bytes]:
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            found.append(file.read_bytes())
        except OSError:
            continue  # it ended just now
    return found


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(CannotRun, match=f"port {port} is taken"):
            Stack(tmp_path / "stack").up(port)
