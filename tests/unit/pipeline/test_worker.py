"""What becomes of a message, by what looking at its job came to."""

import json
import threading
from collections.abc import Callable

import pytest
import structlog

from pipeline.consumer import Verdict
from pipeline.mongodb import StoreRefused, StoreUnavailable
from pipeline.worker import Answerer

BODY = json.dumps({"video_fid": "j1", "mp3_fid": None, "username": "u", "request_id": "r1"}).encode()


class Store:
    """Is away for the first looks, and notes which jobs were looked at."""

    def __init__(self, *troubles: Exception, when_asked: Callable[[], None] = lambda: None) -> None:
        self.troubles = list(troubles)
        self.looked_at: list[str] = []
        self.when_asked = when_asked

    def look_at(self, job_id: str) -> None:
        self.looked_at.append(job_id)
        self.when_asked()
        if self.troubles:
            raise self.troubles.pop(0)


def answer(store: Store, body: bytes = BODY, stop: threading.Event | None = None) -> Verdict:
    return Answerer(store.look_at, stop or threading.Event())(body)


def test_a_job_that_was_looked_at_is_acknowledged() -> None:
    store = Store()

    assert answer(store) is Verdict.ACK
    assert store.looked_at == ["j1"]


@pytest.mark.parametrize("body", [b"not json", b"[]", b"{}", json.dumps({"job_id": "j", "v": 2}).encode()])
def test_what_is_no_message_of_this_version_is_dead_lettered_unlooked_at(body: bytes) -> None:
    store = Store()

    assert answer(store, body) is Verdict.DEAD_LETTER
    assert store.looked_at == []


@pytest.mark.parametrize("trouble", [StoreUnavailable("away"), StoreRefused("disk full")])
def test_a_message_in_hand_waits_for_the_store(trouble: Exception) -> None:
    store = Store(trouble, trouble)

    assert answer(store) is Verdict.ACK
    assert store.looked_at == ["j1", "j1", "j1"]


def test_a_message_that_waits_for_the_store_is_handed_back_when_the_process_should_end() -> None:
    stop = threading.Event()
    store = Store(*[StoreUnavailable("away")] * 1000)
    waiting = threading.Timer(0.1, stop.set)
    waiting.start()

    verdict = answer(store, stop=stop)

    waiting.join()
    assert verdict is Verdict.AGAIN
    assert len(store.looked_at) < 10


def test_a_bug_is_not_hidden_from_who_counts_deliveries() -> None:
    with pytest.raises(KeyError):
        answer(Store(KeyError("a bug")))


def test_every_line_of_the_log_names_the_job_and_the_request() -> None:
    structlog.contextvars.clear_contextvars()
    names: dict[str, object] = {}
    store = Store(when_asked=lambda: names.update(structlog.contextvars.get_contextvars()))

    answer(store)

    assert names == {"job_id": "j1", "request_id": "r1"}
    assert structlog.contextvars.get_contextvars() == {}
