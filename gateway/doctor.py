"""The operator's check-up: `python -m gateway.doctor`.

It reads the gateway's environment, and `SMTP_URL` where that is set too.
"""

import os
import sys
from collections.abc import Mapping

from chassis import logs
from chassis.settings import InvalidSettings
from gateway.settings import Settings
from gateway.upkeep.doctor import checks
from pipeline import mongodb


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Run every check; return 0 when all is well, 1 when something is wrong, 2 without settings."""
    try:
        settings = Settings.read(environment)
    except InvalidSettings as error:
        sys.stdout.write(f"{error}\n")
        return 2
    logs.configure("doctor", "error")
    with mongodb.connect(settings.mongodb_url.get_secret_value()) as client:
        results = [check.run() for check in checks(settings, client, environment.get("SMTP_URL"))]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
