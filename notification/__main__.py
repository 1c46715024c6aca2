"""Start the notification service: `python -m notification`."""

import sys
import threading

from chassis import logs
from chassis.instance import Instance
from chassis.settings import InvalidSettings
from notification.mails import PauseWriter, Writer
from notification.notices import Notices, take_back
from notification.outbound import Outbound
from notification.settings import Settings
from notification.smtp import InvalidSmtpUrl, MailServer
from notification.webhooks import Sender, Webhooks
from pipeline import mongodb, worker
from pipeline.deliveries import Deliveries
from pipeline.endpoints import Endpoints
from pipeline.jobs import Jobs


def main() -> int:
    """Run until SIGTERM; return the process's exit status."""
    try:
        settings = Settings.read()
        server = MailServer.of(settings.smtp_url.get_secret_value())
    except (InvalidSettings, InvalidSmtpUrl) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("notification", settings.log_level, settings.log_format)
    client = mongodb.connect(settings.mongodb_url.get_secret_value())
    stop = threading.Event()
    instance = Instance.begin()
    jobs = Jobs(client, settings.timing, instance)
    names = {"mail_from": settings.mail_from, "public_url": settings.public_url}
    endpoints, deliveries = Endpoints(client, settings.clock_skew), Deliveries(client)
    pauses = Notices(endpoints, PauseWriter(**names), server, stop)
    outbound = Outbound(settings.webhook_networks)
    sender = Sender(Webhooks(jobs, endpoints, deliveries, outbound, pauses), stop)
    sending = threading.Thread(target=sender.run, name="webhooks")
    sending.start()
    threading.Thread(target=take_back, args=(jobs, instance, stop), name="take-back", daemon=True).start()
    try:
        worker.run(
            service="notification",
            queue="mp3",
            rabbitmq_url=settings.rabbitmq_url.get_secret_value(),
            settings=settings,
            look_at=Notices(jobs, Writer(**names), server, stop).look_at,
            checks={"mongodb": lambda: mongodb.ping(client), "smtp": server.check},
            stop=stop,
        )
    finally:
        stop.set()
        sending.join()
        instance.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
