"""The routes, one module a noun; each view is a few lines under decorators that say its contract."""

from flask import Flask

from gateway.routes import (
    account,
    admin,
    convert,
    description,
    events,
    feeds,
    jobs,
    keys,
    original,
    page,
    session,
    shares,
    uploads,
    webhooks,
)

MODULES = (
    original,
    jobs,
    uploads,
    events,
    convert,
    session,
    account,
    keys,
    webhooks,
    shares,
    feeds,
    admin,
    description,
    page,
)


def register(app: Flask) -> None:
    """Add every route to the application."""
    app.url_map.converters["job_id"] = jobs.JobId
    for module in MODULES:
        app.register_blueprint(module.routes)
