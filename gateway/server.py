"""Gunicorn's configuration: one process with a greenlet a connection; replicas scale, workers do not.

One process a pod means one publisher, one admin port and one set of metrics.
"""

import gc
import resource
import sys
from typing import Any

from chassis import logs
from chassis.settings import InvalidSettings
from chassis.stopping import keep_signals_over_forks
from gateway.door.connections import Pace
from gateway.door.worker import Worker
from gateway.settings import Settings

gc.disable()  # what is imported stays: looking through it over and over took an eighth of the start

try:
    _settings = Settings.read()
except InvalidSettings as error:
    sys.exit(str(error))


SPARE_FILES = 512
"""For the connections to MongoDB, RabbitMQ and auth, and for files."""


class PacedWorker(Worker):
    """The worker at the pace of the settings."""

    pace = Pace(_settings.slow_after.total_seconds(), _settings.min_bytes_per_second)
    connections = _settings.connections


bind = f"{_settings.host}:{_settings.port}"
worker_class = PacedWorker
workers = 1
timeout = 60
graceful_timeout = int(_settings.shutdown_grace.total_seconds())
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn's heartbeat file belongs on memory
control_socket_disable = True
accesslog = None
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Let gunicorn's own lines come out as all others do, lose no signal, and open files enough."""
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (max(least, min(most, _settings.connections + SPARE_FILES)), most)
    )
    keep_signals_over_forks()
    logs.configure("gateway", _settings.log_level, _settings.log_format)
    server.log.error_log.handlers.clear()
    server.log.error_log.propagate = True


def post_worker_init(worker: Any) -> None:
    """Collect garbage from now on, without what is there for good."""
    del worker
    gc.freeze()
    gc.enable()
