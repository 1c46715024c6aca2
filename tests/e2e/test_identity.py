"""Who may come in while auth is away, keys change, and users are shut out."""

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator

import httpx
import jwt
import pytest

from auth.keyring import PUBLISHED_FIRST_SECONDS
from dev.program import answers
from dev.services import BIN, CLONE
from dev.stack import Stack
from tests.e2e.conftest import PASSWORD, User, wait_for

AWAY = "the auth service is not available right now"


@pytest.fixture(autouse=True)
def everything_is_up(stack: Stack) -> Iterator[None]:
    """Leave the suite as the next test wants to find it."""
    yield
    stack.up()


def log_in(user: User, password: str = PASSWORD) -> httpx.Response:
    return user.http.post("/login", auth=(user.name, password))


def test_auth_may_die_and_is_used_again_as_soon_as_it_is_back(stack: Stack, user: User) -> None:
    stack.ask("stopProcess", "auth")
    login, listed = log_in(user), user.http.get("/v1/jobs")
    stack.ask("startProcess", "auth")
    wait_for(lambda: answers(stack.port("auth"), b"GET / HTTP/1.0\r\n\r\n"))

    back = log_in(user)

    assert (login.status_code, login.text) == (503, AWAY)
    assert listed.status_code == 200
    assert back.status_code == 200


def test_a_disabled_users_token_is_refused(stack: Stack, user: User) -> None:
    assert user.http.get("/v1/jobs").status_code == 200

    stack.users("disable", user.name)

    wait_for(lambda: user.http.get("/v1/jobs").status_code == 401, 30)
    assert log_in(user).status_code == 401


def test_a_changed_password_ends_the_tokens_of_the_old_one(user: User) -> None:
    auth = httpx.BasicAuth(user.name, PASSWORD)

    changed = user.http.put("/v1/me/password", auth=auth, json={"password": "another password of mine"})

    assert changed.status_code == 204
    wait_for(lambda: user.http.get("/v1/jobs").status_code == 401, 30)
    assert log_in(user).status_code == 401
    token = log_in(user, "another password of mine").text
    assert user.http.get("/v1/jobs", headers={"Authorization": f"Bearer {token}"}).status_code == 200


class Load:
    """Logs in again and again, and uses the token at once."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._over = threading.Event()
        self.failed: list[str] = []
        self.signed_by: dict[str, int] = {}
        self.threads = [threading.Thread(target=self._run) for _ in range(3)]
        for thread in self.threads:
            thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            with httpx.Client(base_url=self._user.stack.gateway_url, timeout=60) as http:
                login = http.post("/login", auth=(self._user.name, PASSWORD))
                kid = jwt.get_unverified_header(login.text)["kid"] if login.is_success else "none"
                used = http.get("/v1/jobs", headers={"Authorization": f"Bearer {login.text}"})
            self.failed += [answer.text for answer in (login, used) if not answer.is_success]
            self.signed_by[kid] = self.signed_by.get(kid, 0) + 1

    def end(self) -> None:
        self._over.set()
        for thread in self.threads:
            thread.join()


def run_keys(stack: Stack, *arguments: str) -> list[list[str]]:
    """Run the operators' command; return the fields of each line that it prints."""
    program = next(program for program in stack.programs if program.name == "auth")
    command = [str(BIN / "python"), "-m", "auth.keys", *arguments]
    ran = subprocess.run(
        command, env=dict(program.environment), cwd=CLONE, capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in ran.stdout.splitlines()]


def key_sets_fetched(stack: Stack) -> int:
    program = next(program for program in stack.programs if program.name == "auth")
    metrics = httpx.get(f"http://127.0.0.1:{program.ports[-1]}/metrics").text
    counts = re.findall(r"^http_requests_total\{[^}]*jwks\.json[^}]*\} ([0-9.]+)$", metrics, re.MULTILINE)
    return round(sum(map(float, counts)))


def test_keys_are_rotated_under_load_and_no_request_fails(stack: Stack, user: User) -> None:
    load = Load(user)
    try:
        [[new, file]] = run_keys(stack, "add")
        fetched = key_sets_fetched(stack)
        wait_for(lambda: key_sets_fetched(stack) >= fetched + 2)
        assert new not in load.signed_by
        long_ago = time.time() - PUBLISHED_FIRST_SECONDS - 1  # as if so much time had passed
        os.utime(stack.secrets / "signing-keys" / file, (long_ago, long_ago))
        wait_for(lambda: load.signed_by.get(new, 0) > 30)
        old = next(line for line in run_keys(stack, "list") if line[0] != new)
        run_keys(stack, "remove", old[1], "--now")
        after = load.signed_by[new]
        fetched = key_sets_fetched(stack)
        wait_for(lambda: key_sets_fetched(stack) >= fetched + 2 and load.signed_by[new] > after + 30)
    finally:
        load.end()

    assert load.failed == []
    assert set(load.signed_by) == {old[0], new}
