"""Every process is restarted, one after the other, while clients upload and log in: nobody notices.

Both of a service stand behind one address, as behind a Service of Kubernetes: `wired`.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx
import pytest

from dev.stack import ADMIN_NAMES
from tests.chaos.wired import WiredStack
from tests.e2e.conftest import CLIP, PASSWORD, User, wait_for

PAUSE_SECONDS = 0.3
"""Before a client asks again that was not told how long to wait."""
COME_SECONDS = 0.7
"""Between two clients."""
RESTART_SECONDS = 90.0
SETTLE_SECONDS = 120.0
CLIENTS = 8


class Clients:
    """Clients of one user that ask again once, after as long as they are told to wait."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.accepted: list[str] = []
        self.given_up: list[tuple[str, ...]] = []
        self.second_tries: Counter[str] = Counter()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self._numbers = count()

    def come(self) -> None:
        """Begin an upload and a login."""
        self._pool.submit(self._upload, f"talk-{next(self._numbers)}.mp4")
        self._pool.submit(self._ask, "/login", auth=(self.user.name, PASSWORD))

    def close(self) -> None:
        """Return when everybody has an answer."""
        self._pool.shutdown()

    def _upload(self, name: str) -> None:
        answer = self._ask("/upload", files={"file": (name, CLIP.read_bytes())})
        if answer is not None:
            self.accepted.append(answer.headers["X-Job-Id"])

    def _ask(self, path: str, **arguments: object) -> httpx.Response | None:
        said = []
        for _ in range(2):
            pause = PAUSE_SECONDS
            try:
                answer = self.user.http.post(path, **arguments)
            except httpx.TransportError as error:
                said.append(type(error).__name__)
            else:
                if answer.is_success:
                    self.second_tries.update(said)
                    return answer
                said.append(f"{answer.status_code} {answer.text}")
                pause = float(answer.headers.get("Retry-After", 0))
            time.sleep(pause)
        self.given_up.append((path, *said))
        return None


@pytest.fixture
def clients(wired: WiredStack) -> Iterator[Clients]:
    with wired.some_user() as user:
        clients = Clients(user)
        yield clients
        clients.close()


def test_a_rolling_restart_costs_nobody_more_than_one_retry(wired: WiredStack, clients: Clients) -> None:
    user = clients.user
    for name in (f"{service}{twin}" for service in ADMIN_NAMES for twin in ("", "-2")):
        program = next(program for program in wired.programs if program.name == name)
        wired.ask("stopProcess", name, False)  # noqa: FBT003 - an interface by position: do not wait
        meanwhile(clients, lambda each=name: wired.states()[each] == "STOPPED")
        wired.ask("startProcess", name, False)  # noqa: FBT003 - likewise
        meanwhile(clients, program.ready)
    clients.close()
    wait_for(lambda: all(is_told(user, job_id) for job_id in clients.accepted), SETTLE_SECONDS)
    books = wired.books(user, clients.accepted)

    assert clients.given_up == []
    assert len(clients.accepted) > len(ADMIN_NAMES)
    assert {what: found for what, found in books.items() if found} == {}


def is_told(user: User, job_id: str) -> bool:
    notice = user.job(job_id)["notice"]
    return notice is not None and notice["state"] == "sent"


def meanwhile(clients: Clients, fact: Callable[[], bool]) -> None:
    """Have clients come until it is so."""
    deadline = time.monotonic() + RESTART_SECONDS
    while not fact():
        assert time.monotonic() < deadline, "it did not come about"
        clients.come()
        time.sleep(COME_SECONDS)
