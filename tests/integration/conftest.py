"""A RabbitMQ that a test may ill-treat: every test process has its own."""

from collections.abc import Iterator

import pytest

from dev.program import Running
from tests.integration.rabbitmqctl import Rabbit


@pytest.fixture
def rabbit(rabbitmq_server: Running, rabbitmq_url: str) -> Iterator[Rabbit]:
    """The broker, its queues empty; whatever was done to it, it runs again afterwards."""
    rabbit = Rabbit(rabbitmq_server, rabbitmq_url)
    rabbit.anew()
    yield rabbit
    if not rabbitmq_server.program.ready():
        rabbitmq_server.start()
