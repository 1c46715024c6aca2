"""Waiting for jobs to change."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gateway.jobs.watch import Watch
from pipeline.mongodb import StoreUnavailable


class Store:
    """Versions of jobs that a test sets; counts how often it is looked at."""

    def __init__(self) -> None:
        self.versions = {"a": 1, "b": 1}
        self.looked: list[list[str]] = []
        self.away = False

    def __call__(self, job_ids: Sequence[str]) -> dict[str, int]:
        self.looked.append(sorted(job_ids))
        if self.away:
            raise StoreUnavailable("away")
        return {job_id: self.versions[job_id] for job_id in job_ids if job_id in self.versions}


def watch(store: Store, stopping: threading.Event | None = None) -> Watch:
    return Watch(store, stopping or threading.Event())


def test_a_change_ends_the_waiting() -> None:
    store = Store()
    own = watch(store)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(own.wait, "a", 1, 20)
        wait_for(lambda: bool(store.looked))
        store.versions["a"] = 2
        assert waiting.result(timeout=60)


def test_what_changed_before_the_waiting_began_ends_it_at_once() -> None:
    store = Store()
    store.versions["a"] = 5

    assert watch(store).wait("a", 4, 20)


def test_a_job_that_is_gone_has_changed() -> None:
    assert watch(Store()).wait("gone", 1, 20)


def test_waiting_lasts_as_long_as_asked() -> None:
    began = time.monotonic()

    assert not watch(Store()).wait("a", 1, 0.4)
    assert 0.4 <= time.monotonic() - began < 60


def test_one_look_serves_everyone() -> None:
    store = Store()
    own = watch(store)

    with ThreadPoolExecutor(20) as pool:
        waiting = [pool.submit(own.wait, "ab"[n % 2], 1, 1.0) for n in range(20)]
        assert not any(each.result() for each in waiting)

    assert len(store.looked) <= 8
    assert ["a", "b"] in store.looked


def test_a_store_that_is_away_for_a_moment_ends_nothing() -> None:
    store = Store()
    store.away = True
    own = watch(store)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(own.wait, "a", 1, 20)
        wait_for(lambda: bool(store.looked))
        store.versions["a"] = 2
        store.away = False
        assert waiting.result(timeout=60)


def test_a_process_that_stops_ends_all_waiting() -> None:
    stopping = threading.Event()
    own = watch(Store(), stopping=stopping)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(own.wait, "a", 1, 60)
        stopping.set()
        assert waiting.result(timeout=60) is False
    assert own.stopping


def test_nobody_looks_when_nobody_waits() -> None:
    store = Store()
    own = watch(store)
    own.wait("a", 1, 0.1)

    wait_for(lambda: own._thread is None)
    looked = len(store.looked)
    own.wait("a", 1, 0.1)

    assert len(store.looked) > looked


def test_only_those_whose_job_changed_are_woken() -> None:
    store = Store()
    own = watch(store)

    with ThreadPoolExecutor(2) as pool:
        changed, same = pool.submit(own.wait, "a", 1, 20), pool.submit(own.wait, "b", 1, 1.0)
        wait_for(lambda: ["a", "b"] in store.looked)
        store.versions["a"] = 2

        assert changed.result(timeout=10)
        assert not same.result(timeout=10)


def test_a_client_that_leaves_ends_its_waiting() -> None:
    own = Watch(Store(), threading.Event(), client_left=lambda: True)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(own.wait, "a", 1, 600).result(timeout=20) is False


def wait_for(fact: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not fact():  # type: ignore[operator]  # a function without arguments
        assert time.monotonic() < deadline
        time.sleep(0.01)
