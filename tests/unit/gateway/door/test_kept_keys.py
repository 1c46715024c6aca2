"""What a gateway knows that starts while auth is away."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chassis.identity import KeysUnavailable, Revocations
from gateway.door.kept_keys import MAX_AGE_SECONDS, KeptKeys

KEYS = {"keys": [{"kid": "k1"}]}
REVOKED = Revocations({"me@example.com": 7}, frozenset({"s1", "s2"}))


class Auth:
    """Answers, or is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away

    def keys(self) -> Mapping[str, Any]:
        self._answer()
        return KEYS

    def revocations(self) -> Revocations:
        self._answer()
        return REVOKED

    def _answer(self) -> None:
        if self.away:
            raise KeysUnavailable("away")


def kept(file: Path, auth: Auth, at: float = 1000.0) -> KeptKeys:
    return KeptKeys(file, auth.keys, auth.revocations, clock=lambda: at)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """What a process left that asked auth at 1000."""
    before = kept(tmp_path / "keys.json", Auth())
    before.keys()
    before.revocations()
    return tmp_path / "keys.json"


def test_what_auth_said_is_known_to_the_next_process(file: Path) -> None:
    after = kept(file, Auth(away=True), 1000 + MAX_AGE_SECONDS)

    assert (after.keys(), after.revocations()) == (KEYS, REVOKED)


@pytest.mark.parametrize("at", [1001 + MAX_AGE_SECONDS, 999.0])
def test_what_is_older_than_a_day_or_of_the_future_is_not_believed(file: Path, at: float) -> None:
    with pytest.raises(KeysUnavailable):
        kept(file, Auth(away=True), at).keys()


def test_auth_is_believed_before_the_file(file: Path) -> None:
    file.write_text(json.dumps({"at": 1000, "keys": {}, "revoked": {}}))

    assert kept(file, Auth()).keys() == KEYS


def test_a_process_that_auth_has_answered_keeps_what_it_knows_in_memory(file: Path) -> None:
    auth = Auth()
    process = kept(file, auth)
    process.keys()
    auth.away = True

    with pytest.raises(KeysUnavailable):
        process.keys()
    with pytest.raises(KeysUnavailable):
        process.revocations()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b"7", b"[" * 5000, b'{"at": 1000}', b'{"at": "x", "keys": {}, "revoked": {}}',
     b'{"at": 1000, "keys": {}, "revoked": {"x": 1}}', b'{"at": 1000, "keys": {}, "revoked": 7}'],
)  # fmt: skip
def test_a_file_that_is_damaged_is_no_file(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    with pytest.raises(KeysUnavailable):
        kept(file, Auth(away=True)).keys()


def test_a_file_that_others_may_write_is_not_believed(file: Path) -> None:
    file.chmod(0o622)

    with pytest.raises(KeysUnavailable):
        kept(file, Auth(away=True)).keys()


def test_a_link_to_a_file_is_not_believed(file: Path) -> None:
    link = file.with_name("link.json")
    link.symlink_to(file)

    with pytest.raises(KeysUnavailable):
        kept(link, Auth(away=True)).keys()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_believed(file: Path) -> None:
    os.chown(file, 12345, 12345)

    with pytest.raises(KeysUnavailable):
        kept(file, Auth(away=True)).keys()


def test_a_folder_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    process = kept(tmp_path / "nowhere" / "keys.json", Auth())

    assert (process.keys(), process.revocations()) == (KEYS, REVOKED)


def test_only_its_user_can_read_it_and_nothing_else_is_left(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
