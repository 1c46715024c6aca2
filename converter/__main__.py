"""Start the converter: `python -m converter` serves the queue, with arguments it converts one file."""

import socket
import sys
import threading
from uuid import uuid4

from chassis import logs
from chassis.settings import InvalidSettings
from converter import cli
from converter.encoding import cores
from converter.limits import Limits
from converter.scratch import Scratch
from converter.settings import Settings
from converter.worker import Conversions
from pipeline import mongodb, worker
from pipeline.broker import Publisher
from pipeline.fair_queue import FairQueue
from pipeline.files import Blobs
from pipeline.jobs import Jobs
from pipeline.speeds import Speeds
from pipeline.turns import Turns


def serve() -> int:
    """Convert the jobs of the queue `video` until SIGTERM; return the process's exit status."""
    try:
        settings = Settings.read()
    except InvalidSettings as error:
        sys.stderr.write(f"{error}\n")
        return 2
    logs.configure("converter", settings.log_level, settings.log_format)
    client = mongodb.connect(settings.mongodb_url.get_secret_value())
    url = settings.rabbitmq_url.get_secret_value()
    publisher = Publisher(url, "converter")
    holder = f"{socket.gethostname()}.{uuid4().hex[:8]}"
    scratch = Scratch(settings.scratch_dir, holder)
    stop = threading.Event()
    jobs = Jobs(client, settings.timing)
    conversions = Conversions(
        jobs=jobs,
        queue=FairQueue(jobs, Turns(client)),
        speeds=Speeds(client),
        videos=Blobs(client, "videos"),
        mp3s=Blobs(client, "mp3s"),
        publisher=publisher,
        scratch=scratch,
        limits=Limits(encoders=cores.encoders(settings.encoders)),
        holder=holder,
        stop=stop,
        grace=settings.shutdown_grace,
    )
    worker.run(
        service="converter",
        queue="video",
        rabbitmq_url=url,
        settings=settings,
        look_at=conversions.look_at,
        checks={"mongodb": lambda: mongodb.ping(client), "publisher": publisher.check},
        stop=stop,
    )
    publisher.close()
    scratch.close()
    return 0


if __name__ == "__main__":
    sys.exit(cli.main(sys.argv[1:]) if sys.argv[1:] else serve())
