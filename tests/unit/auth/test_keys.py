"""Keys are rotated by a command, without a token being refused."""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from auth import keys
from auth.keyring import InvalidKeys, Keyring, load
from auth.keys import StillNeeded, add, remove

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIGNING_KEYS_DIR", str(tmp_path))


def test_the_first_key_is_for_its_owner_only(tmp_path: Path) -> None:
    key = add(tmp_path)

    assert key.file.stat().st_mode & 0o777 == 0o600
    assert Keyring(tmp_path).signing().id == key.id


def test_a_further_key_comes_last_and_is_for_the_same_readers(
    write_key: Callable[..., Path], tmp_path: Path
) -> None:
    write_key("1.pem").chmod(0o640)

    key = add(tmp_path)

    assert key.file.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["1.pem", key.file.name]
    os.utime(key.file, (time.time() - 91,) * 2)
    assert Keyring(tmp_path).signing().id == key.id


def test_a_key_that_would_not_come_last_is_not_made(write_key: Callable[..., Path], tmp_path: Path) -> None:
    write_key("z.pem")

    with pytest.raises(InvalidKeys, match="rename it first"):
        add(tmp_path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidKeys, match="no key can be put"):
        add(tmp_path / "nowhere")


def test_the_last_key_is_not_removed(write_key: Callable[..., Path], tmp_path: Path) -> None:
    write_key("1.pem")

    with pytest.raises(StillNeeded, match="the last key"):
        remove(tmp_path, "1.pem", DAY, now=True)


def test_a_key_is_kept_while_its_tokens_are_good(write_key: Callable[..., Path], tmp_path: Path) -> None:
    old = write_key("1.pem")
    write_key("2.pem", age=DAY.total_seconds() + 60)

    with pytest.raises(StillNeeded, match="may be in use until"):
        remove(tmp_path, old.name, DAY, now=False)

    remove(tmp_path, old.name, DAY, now=True)
    assert not old.exists()


def test_a_key_whose_tokens_have_expired_is_removed(write_key: Callable[..., Path]) -> None:
    old = write_key("1.pem")
    write_key("2.pem", age=DAY.total_seconds() + 120)

    assert keys.main(["remove", old.name]) == 0

    assert not old.exists()


def test_keys_are_listed_with_what_they_do(
    write_key: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    old = load(write_key("1.pem"))
    keys.main(["add"])
    new = capsys.readouterr().out.split()[0]

    assert keys.main(["list"]) == 0

    first, second = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    assert (first[0], first[-1]) == (old.id, "signs")
    assert (second[0], second[-1]) == (new, "published")


def test_an_unknown_key_is_told(write_key: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    write_key("1.pem")

    assert keys.main(["remove", "nothing"]) == 1
    assert "there is no key nothing" in capsys.readouterr().err


def test_a_missing_setting_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SIGNING_KEYS_DIR")

    assert keys.main(["list"]) == 2
    assert "SIGNING_KEYS_DIR is not set" in capsys.readouterr().err
