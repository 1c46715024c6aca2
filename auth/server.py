"""Gunicorn's configuration: one process with many threads; replicas scale, workers do not.

What the service cannot start without is checked here, so that it is refused in one line.
"""

import sys
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from auth import database
from auth.database import InvalidDatabaseUrl
from auth.keyring import InvalidKeys, Keyring
from auth.settings import Settings
from chassis import logs
from chassis.settings import InvalidSettings
from chassis.stopping import Stoppable, keep_signals_over_forks

try:
    _settings = Settings.read()
    database.connect(_settings.database_url.get_secret_value())
    Keyring(_settings.signing_keys_dir)
except (InvalidSettings, InvalidDatabaseUrl, InvalidKeys) as error:
    sys.exit(str(error))


class StoppableWorker(Stoppable, ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """Gunicorn's threads."""


bind = f"{_settings.host}:{_settings.port}"
worker_class = StoppableWorker
workers = 1
threads = _settings.threads
timeout = 60
graceful_timeout = 30
keepalive = 30
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn's heartbeat file belongs on memory
control_socket_disable = True
accesslog = None
loglevel = "warning"


def on_starting(server: Any) -> None:
    """Let gunicorn's own lines come out as all others do, and lose no signal."""
    keep_signals_over_forks()
    logs.configure("auth", _settings.log_level, _settings.log_format)
    server.log.error_log.handlers.clear()
    server.log.error_log.propagate = True
