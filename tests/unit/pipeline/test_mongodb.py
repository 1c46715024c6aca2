"""How MongoDB is connected to."""

from pipeline import mongodb


def test_a_connection_that_may_have_been_forgotten_on_its_way_is_not_used_again() -> None:
    with mongodb.connect("mongodb://127.0.0.1:9") as client:
        assert client.options.pool_options.max_idle_time_seconds == 60


def test_the_timings_of_the_url_are_kept() -> None:
    with mongodb.connect("mongodb://127.0.0.1:9/?maxidletimems=5000&w=0") as client:
        assert client.options.pool_options.max_idle_time_seconds == 5
        assert client.options.pool_options.connect_timeout == 3
        assert client.write_concern.document == {"w": "majority", "j": True}
