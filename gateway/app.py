"""Put the gateway together: one application from settings, or from collaborators in a test."""

import threading
from functools import partial

from flask import Flask, Response, g
from werkzeug.middleware.proxy_fix import ProxyFix

from chassis import admin, logs, web
from chassis.identity import Verifier
from gateway import routes
from gateway.collaborators import Collaborators, use
from gateway.door import answers, framing, headers
from gateway.door.auth_client import AuthClient
from gateway.door.door import Door
from gateway.door.kept_keys import KeptKeys
from gateway.door.presence import client_left
from gateway.door.rates import Rates
from gateway.door.remembered import Remembered
from gateway.door.shares import Shares
from gateway.jobs.changes import Changes
from gateway.jobs.outlook import Outlook
from gateway.jobs.watch import Watch
from gateway.settings import Settings
from gateway.upkeep.doctor import checks
from gateway.uploads.ending import Ending
from gateway.uploads.limits import FreeSpace, Limits
from gateway.uploads.queueing import Queueing
from gateway.uploads.resumable import Resumable
from gateway.uploads.uploads import Uploads
from pipeline import mongodb
from pipeline.appending import PartialBlobs
from pipeline.broker import Publisher
from pipeline.counters import Counters
from pipeline.dead_letters import DeadLetters
from pipeline.deliveries import Deliveries
from pipeline.endpoints import Endpoints
from pipeline.feeds import Feeds
from pipeline.files import Blobs
from pipeline.idempotency import IdempotencyKeys
from pipeline.jobs import Jobs
from pipeline.shares import ShareLinks
from pipeline.speeds import Speeds
from pipeline.upload_store import UploadStore


def create_app() -> Flask:
    """Return the application of a gateway process, its admin port and connections started."""
    settings = Settings.read()
    logs.configure("gateway", settings.log_level, settings.log_format)
    client = mongodb.connect(settings.mongodb_url.get_secret_value())
    publisher = Publisher(settings.rabbitmq_url.get_secret_value(), "gateway")
    auth = AuthClient(str(settings.auth_url))
    keys = KeptKeys(settings.kept_keys, auth.keys, auth.revocations) if settings.kept_keys else auth
    verifier = Verifier(
        keys.keys, keys.revocations, issuer=settings.token_issuer, audience=settings.token_audience
    )
    verifier.keep_fresh()
    checks = {
        "mongodb": lambda: mongodb.ping(client),
        "rabbitmq": publisher.check,
        "auth keys": verifier.check,
    }
    # Uploads are accepted while the broker is away: the reconciler rings for them.
    admin.serve(settings.admin_host, settings.admin_port, checks=checks, dispensable={"rabbitmq"})
    return build(settings, client, publisher, auth, verifier)


def build(
    settings: Settings, client: mongodb.Client, publisher: Publisher, auth: AuthClient, verifier: Verifier
) -> Flask:
    """Return the application that works with these servers."""
    app = Flask("gateway", static_folder=None)
    stopping = app.extensions["stopping"] = threading.Event()
    jobs, videos = Jobs(client, settings.timing), Blobs(client, "videos")
    store, keys = UploadStore(client, settings.abandon_uploads_after), IdempotencyKeys(client)
    limits, queueing = Limits(settings, jobs, store, FreeSpace(client)), Queueing(jobs, videos, publisher)
    uploads = Uploads(
        queueing,
        keys,
        limits,
        settings.max_upload_bytes,
        settings.uploads_at_once,
        Shares("uploads", settings.uploads_per_user),
        stopping,
    )
    ending = Ending(store, PartialBlobs(client, "videos"), queueing)
    app.extensions["door"] = Door(
        settings, auth, verifier, Remembered(), Remembered(), Rates(Counters(client))
    )
    app.extensions["outlook"] = Outlook(jobs, Speeds(client).measured, partial(publisher.consumers, "video"))
    app.extensions["gateway"] = Collaborators(
        settings=settings,
        jobs=jobs,
        videos=videos,
        mp3s=Blobs(client, "mp3s"),
        publisher=publisher,
        uploads=uploads,
        resumable=Resumable(store, ending, keys, limits, uploads.place, settings.max_upload_bytes, stopping),
        changes=Changes(jobs, store, settings.clock_skew, stopping),
        watch=Watch(jobs.versions, stopping, client_left),
        downloads=Shares("downloads", settings.downloads_per_user),
        streams=Shares("streams", settings.streams_per_user),
        dead_letters=DeadLetters(settings.rabbitmq_url.get_secret_value()),
        checks=checks(settings, client, auth),
        endpoints=Endpoints(client),
        deliveries=Deliveries(client),
        share_links=ShareLinks(client),
        feeds=Feeds(client),
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_prefix=hops)  # type: ignore[method-assign]  # as Flask documents it
    app.url_map.merge_slashes = False  # a redirect would be a page, to whatever host the request names
    web.observe(app, _user)
    app.before_request(framing.check)
    app.after_request(_add_headers)
    answers.register(app)
    routes.register(app)
    return app


def _user() -> str | None:
    return g.identity.username if "identity" in g else None


def _add_headers(response: Response) -> Response:
    headers.add(response, use().settings)
    return response
