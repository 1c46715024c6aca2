"""Print the description of the API: `python -m gateway.openapi` (a test compares docs/openapi.json)."""

import json
import sys

from flask import Flask

from gateway import routes
from gateway.description.openapi import describe


def text() -> str:
    """Return the description of this version, as docs/openapi.json has it."""
    app = Flask("gateway", static_folder=None)
    routes.register(app)
    return json.dumps(describe(app), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
