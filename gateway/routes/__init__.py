"""The routes, one module a noun; each view is a few lines under decorators that say its contract."""

from flask import Flask

from gateway.routes import (
    account,
    admin,
    convert,
    description,
    events,
    jobs,
    original,
    page,
    session,
    uploads,
)

MODULES = (original, jobs, uploads, events, convert, session, account, admin, description, page)
    keys,
    original,
    session,
    uploads,
)


def register(app: Flask) -> None:
    """Add every route to the application."""
    for module in MODULES:
    every = (
        original,
        jobs,
        uploads,
        events,
        convert,
        session,
        account,
        keys,
        admin,
        description,
    )
    for module in every:
        app.register_blueprint(module.routes)
