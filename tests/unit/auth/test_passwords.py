"""Passwords are hashed with argon2id, a few at a time."""

import threading
import time
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from auth import passwords as module
from auth.passwords import Busy, Passwords, generate

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_a_password_is_known_again() -> None:
    passwords = Passwords()

    stored = passwords.hash("correct horse")

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(stored, "correct horse")
    assert not passwords.verify(stored, "correct horsf")
    assert not passwords.outdated(stored)


def test_without_a_hash_no_password_is_right() -> None:
    assert not Passwords(CHEAP).verify(None, "")


def test_what_is_no_hash_verifies_nothing() -> None:
    assert not Passwords(CHEAP).verify("secret", "secret")


def test_a_letter_typed_in_two_ways_is_one_letter() -> None:
    passwords = Passwords(CHEAP)

    stored = passwords.hash("pässword")

    assert passwords.verify(stored, "pa\N{COMBINING DIAERESIS}ssword")


def test_a_hash_of_other_parameters_is_outdated() -> None:
    assert Passwords().outdated(CHEAP.hash("secret"))


class Gate:
    """A hasher that counts who is in, and lets nobody out before it is opened."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.open = threading.Event()
        self._lock = threading.Lock()

    def hash(self, _password: object) -> str:
        return "hash"

    def verify(self, _hash: str, _password: object) -> None:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.open.wait(60)
        with self._lock:
            self.inside -= 1


def wait_for(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def test_no_more_are_hashed_at_once_than_allowed() -> None:
    gate = Gate()
    passwords = Passwords(gate, at_once=2)  # type: ignore[arg-type]  # it hashes nothing
    threads = [threading.Thread(target=passwords.verify, args=("hash", "pw")) for _ in range(8)]

    for thread in threads:
        thread.start()
    wait_for(lambda: gate.inside == 2)
    gate.open.set()
    for thread in threads:
        thread.join(60)

    assert gate.most == 2
    assert gate.inside == 0


def test_who_waits_too_long_for_a_place_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    gate = Gate()
    passwords = Passwords(gate, at_once=1)  # type: ignore[arg-type]  # it hashes nothing
    first = threading.Thread(target=passwords.verify, args=("hash", "pw"))
    first.start()
    wait_for(lambda: gate.inside == 1)

    with pytest.raises(Busy):
        passwords.hash("pw")

    gate.open.set()
    first.join(60)


def test_generated_passwords_are_long_and_never_the_same() -> None:
    assert len({generate() for _ in range(100)}) == 100
    assert len(generate()) == 24
