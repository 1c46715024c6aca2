"""Put auth together: one application from settings, or from collaborators in a test."""

from flask import Flask

from auth import admin_views, database, key_views, problems, views
from auth.key_store import PersonalKeys
from auth.keyring import Keyring
from auth.logins import Logins
from auth.passwords import Passwords
from auth.sessions import Sessions
from auth.settings import Settings
from auth.store import Users
from auth.throttle import Throttle
from auth.tokens import Tokens
from chassis import admin, logs, web

MAX_BODY_BYTES = 16 * 1024


def create_app() -> Flask:
    """Return the application of an auth process, its admin port started."""
    settings = Settings.read()
    logs.configure("auth", settings.log_level, settings.log_format)
    engine = database.connect(settings.database_url.get_secret_value(), connections=settings.threads)
    users = Users(engine)
    tokens = Tokens(
        Keyring(settings.signing_keys_dir),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        lifetime=settings.token_lifetime,
    )
    tokens.keep_fresh()
    admin.serve(settings.admin_host, settings.admin_port, checks={"mysql": users.check})
    throttle = Throttle(
        engine,
        per_account=settings.failures_per_account,
        per_address=settings.failures_per_address,
        window=settings.failures_window,
    )
    return build(Logins(users, Passwords(), tokens, throttle, Sessions(engine), PersonalKeys(engine)))


def build(logins: Logins) -> Flask:
    """Return the application that lets users in this way."""
    app = Flask("auth", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.extensions["auth"] = logins
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    web.observe(app, polled=("/revocations", "/.well-known/jwks.json"))
    problems.register(app)
    app.register_blueprint(views.routes)
    app.register_blueprint(admin_views.routes)
    app.register_blueprint(key_views.routes)
    return app
