"""The publisher, and the calls that need a connection for a moment, in every weather of a real RabbitMQ."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from pipeline import broker
from pipeline.broker import PUBLISH_SECONDS, BrokerUnavailable, Publisher
from tests.integration.rabbitmqctl import Rabbit, is_not_raised, wait_for


@pytest.fixture
def publisher(rabbit: Rabbit) -> Iterator[Publisher]:
    """A publisher that is connected."""
    publisher = Publisher(rabbit.url, "test")
    wait_for(lambda: is_not_raised(publisher.check))
    yield publisher
    publisher.close()


def publish(publisher: Publisher, body: bytes) -> bool:
    """Publish, and return whether it is certain that the message is in its queue."""
    return is_not_raised(lambda: publisher.publish("video", body))


# -- the publisher ------------------------------------------------------------------------------


def test_what_was_published_lies_in_its_queue_to_stay(rabbit: Rabbit, publisher: Publisher) -> None:
    publisher.publish("mp3", b"hello")

    with broker.opened(rabbit.url, "test") as channel:
        method, properties, body = channel.basic_get("mp3")
        channel.basic_ack(method.delivery_tag)
    assert (body, properties.delivery_mode, properties.content_type) == (b"hello", 2, "application/json")


def test_many_threads_publish_over_one_connection(rabbit: Rabbit, publisher: Publisher) -> None:
    bodies = [str(number).encode() for number in range(400)]

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda body: publisher.publish("video", body), bodies))

    assert len(rabbit.connections()) == 1
    assert sorted(rabbit.take("video")) == sorted(bodies)


def test_consumers_are_counted_over_the_same_connection(rabbit: Rabbit, publisher: Publisher) -> None:
    assert publisher.consumers("video") == 0

    with broker.opened(rabbit.url, "test") as channel:
        channel.basic_consume("video", lambda *_: None)

        wait_for(lambda: publisher.consumers("video") == 1)

    wait_for(lambda: publisher.consumers("video") == 0)
    assert len(rabbit.connections()) == 1


def test_consumers_of_a_broker_that_is_away_are_not_counted(rabbit: Rabbit, publisher: Publisher) -> None:
    rabbit.server.stop()

    with pytest.raises(BrokerUnavailable):
        publisher.consumers("video")


def test_without_a_broker_a_message_is_refused_at_once_and_nothing_ends(rabbit: Rabbit) -> None:
    rabbit.server.stop()
    publisher = Publisher(rabbit.url, "test")
    began = time.monotonic()

    with pytest.raises(BrokerUnavailable, match="not connected"):
        publisher.publish("video", b"x")

    assert time.monotonic() - began < PUBLISH_SECONDS
    rabbit.server.start()
    wait_for(lambda: publish(publisher, b"after"))
    assert rabbit.take("video") == [b"after"]
    publisher.close()


def test_a_connection_closed_by_force_is_made_anew(rabbit: Rabbit, publisher: Publisher) -> None:
    publisher.publish("video", b"before")

    rabbit.cut()

    wait_for(lambda: publish(publisher, b"after"))
    assert set(rabbit.take("video")) == {b"before", b"after"}


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_over_a_restart_of_the_broker_everything_confirmed_is_kept(
    rabbit: Rabbit, publisher: Publisher, ending: str
) -> None:
    confirmed: list[bytes] = []
    stop = threading.Event()

    def go_on() -> None:
        for number in range(1_000_000):
            if stop.is_set():
                return
            if publish(publisher, str(number).encode()):
                confirmed.append(str(number).encode())
            else:
                stop.wait(0.01)

    thread = threading.Thread(target=go_on)
    thread.start()
    wait_for(lambda: len(confirmed) > 50)
    getattr(rabbit.server, ending)()
    before = len(confirmed)
    rabbit.server.start()
    wait_for(lambda: len(confirmed) > before + 50)
    stop.set()
    thread.join()

    assert set(confirmed) <= set(rabbit.take("video"))


def test_a_broker_short_of_memory_refuses_within_the_limit_and_takes_again_afterwards(
    rabbit: Rabbit, publisher: Publisher
) -> None:
    with rabbit.short_of_memory():
        began = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda body: publish(publisher, body), [b"first", b"behind it"]))
        seconds = time.monotonic() - began

    assert outcomes == [False, False]
    assert seconds < PUBLISH_SECONDS + 5
    wait_for(lambda: publish(publisher, b"after"))
    assert len({b"first", b"behind it"} & set(rabbit.take("video"))) <= 1  # what nobody waits for is not sent


def test_readiness_tells_that_a_broker_takes_no_messages_and_that_it_does_again(
    rabbit: Rabbit, publisher: Publisher
) -> None:
    publisher.publish("video", b"before")

    with rabbit.short_of_memory():
        reborn = Publisher(rabbit.url, "test")
        for each in (publisher, reborn):
            wait_for(lambda each=each: is_blocked(each) or not publish(each, b"in vain"))
            wait_for(lambda each=each: is_blocked(each))

    for each in (publisher, reborn):
        wait_for(lambda each=each: publish(each, b"after"))
        each.check()
    reborn.close()


def is_blocked(publisher: Publisher) -> bool:
    try:
        publisher.check()
    except BrokerUnavailable as error:
        return "RabbitMQ accepts no messages: low on memory" in str(error)
    return False


def test_a_broker_that_stands_still_refuses_within_the_limit_and_takes_again_afterwards(
    rabbit: Rabbit, publisher: Publisher
) -> None:
    with rabbit.silent():
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="no confirmation"):
            publisher.publish("video", b"unheard")
        seconds = time.monotonic() - began

    assert seconds < PUBLISH_SECONDS + 5
    wait_for(lambda: publish(publisher, b"after"))


def test_a_deleted_queue_is_declared_again(rabbit: Rabbit, publisher: Publisher) -> None:
    rabbit.delete("video")  # which itself declares the queues first

    with pytest.raises(BrokerUnavailable, match="queue video did not take it"):
        publisher.publish("video", b"lost")

    publisher.publish("video", b"kept")
    assert rabbit.take("video") == [b"kept"]


def test_a_channel_that_the_broker_closes_is_made_anew(rabbit: Rabbit, publisher: Publisher) -> None:
    before = rabbit.connections()

    rabbit.close_channels()

    wait_for(lambda: not set(before) & set(rabbit.connections()))
    wait_for(lambda: publish(publisher, b"after"))


@pytest.mark.parametrize("body", [None, 7, "\ud800", object()])
def test_a_message_that_cannot_be_sent_does_not_end_the_publisher(
    rabbit: Rabbit, publisher: Publisher, body: Any
) -> None:
    with pytest.raises(BrokerUnavailable):
        publisher.publish("video", cast("bytes", body))

    wait_for(lambda: publish(publisher, b"after"))
    assert rabbit.take("video") == [b"after"]


def test_a_closed_publisher_takes_nothing(rabbit: Rabbit, publisher: Publisher) -> None:
    publisher.close()

    with pytest.raises(BrokerUnavailable):
        publisher.publish("video", b"x")
    wait_for(lambda: not rabbit.connections())


# -- for a moment -------------------------------------------------------------------------------


def test_the_depth_of_a_queue_is_what_waits_in_it(rabbit: Rabbit) -> None:
    rabbit.send("video", b"1", b"2")

    assert (broker.depth(rabbit.url, "video"), broker.depth(rabbit.url, "mp3")) == (2, 0)


def test_a_queue_that_does_not_exist_yet_has_no_depth(rabbit: Rabbit) -> None:
    rabbit.delete("video")

    assert broker.depth(rabbit.url, "video") == 0


def test_queues_of_another_type_are_explained(rabbit: Rabbit) -> None:
    rabbit.delete("mp3")
    rabbit.ctl(
        "eval",
        'rabbit_amqqueue:declare({resource, <<"/">>, queue, <<"mp3">>}, true, false, [], none, <<"test">>).',
    )
    try:
        with pytest.raises(BrokerUnavailable, match="drain and delete it"):
            broker.declare(rabbit.url)
    finally:
        rabbit.ctl("delete_queue", "mp3")

    broker.declare(rabbit.url)


def test_a_call_that_the_broker_refuses_is_told(rabbit: Rabbit) -> None:
    with pytest.raises(BrokerUnavailable, match="NOT_FOUND"), broker.opened(rabbit.url, "test") as channel:
        channel.basic_get("no such queue")


def test_a_broker_that_is_away_is_told(rabbit: Rabbit) -> None:
    rabbit.server.stop()

    for call in (lambda: broker.declare(rabbit.url), lambda: broker.depth(rabbit.url, "video")):
        with pytest.raises(BrokerUnavailable):
            call()


def test_a_wrong_password_is_told(rabbit: Rabbit) -> None:
    url = rabbit.url.replace("app:", "app:wrong")

    with pytest.raises(BrokerUnavailable, match=r"ACCESS_REFUSED|Authentication"):
        broker.declare(url)


def test_a_url_that_is_none_is_refused_when_the_process_is_put_together() -> None:
    with pytest.raises(ValueError, match="port"):
        Publisher("amqp://broker:port", "test")
