"""The reconciler's process: `python -m gateway.reconciler`.

Running two at once is harmless, since every repair is a transition of one job document that only one
of them can make.
"""

import signal
import sys
import threading

from chassis import admin, logs
from chassis.settings import InvalidSettings
from gateway.settings import Settings
from gateway.upkeep.reconciler import Reconciler
from pipeline import mongodb
from pipeline.broker import Publisher
from pipeline.mongodb import StoreRefused, StoreUnavailable

log = logs.get(__name__)


def main() -> int:
    """Run until SIGTERM; return the process's exit status."""
    try:
        settings = Settings.read()
    except InvalidSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("reconciler", settings.log_level, settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    client = mongodb.connect(settings.mongodb_url.get_secret_value())
    publisher = Publisher(settings.rabbitmq_url.get_secret_value(), "reconciler")
    reconciler = Reconciler(settings, client, publisher)
    heartbeat = admin.Heartbeat()
    checks = {"mongodb": lambda: mongodb.ping(client), "rabbitmq": publisher.check}
    admin.serve(settings.admin_host, settings.admin_port, checks=checks, heartbeat=heartbeat)
    while not stop.is_set():
        heartbeat.tick()
        try:
            reconciler.run_once(heartbeat.tick)
        except (StoreUnavailable, StoreRefused) as error:
            log.warning("this pass was interrupted: a server is unavailable", reason=str(error))
        stop.wait(settings.reconcile_every.total_seconds())
    publisher.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
