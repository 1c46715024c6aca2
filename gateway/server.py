"""Gunicorn's configuration: one process with many threads; replicas scale, workers do not.

One process a pod means one publisher thread, one admin port and one set of metrics.
"""

import sys

from chassis.settings import InvalidSettings
from gateway.settings import Settings

try:
    _settings = Settings.read()
except InvalidSettings as error:
    sys.exit(str(error))

bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = 1
threads = _settings.threads
timeout = 60
graceful_timeout = 60
keepalive = 30
worker_tmp_dir = "/dev/shm"  # noqa: S108 - gunicorn's heartbeat file belongs on memory
control_socket_disable = True
accesslog = None
