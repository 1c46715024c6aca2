"""The operator's check-up: `python -m gateway.doctor`.

It reads the gateway's environment, and `SMTP_URL` where that is set too.
"""

import os
import sys
from collections.abc import Mapping

from chassis import logs
from chassis.settings import InvalidSettings
from gateway.door.auth_client import AuthClient
from gateway.settings import Settings
from gateway.upkeep.doctor import Finding, checks
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
        auth = AuthClient(str(settings.auth_url))
        looks = checks(settings, client, auth, environment.get("SMTP_URL"))
        well = [_tell(check.run()) for check in looks]  # every one is told, also after a bad one
    return 0 if all(well) else 1


def _tell(finding: Finding) -> bool:
    """Print one finding, and return whether all is well."""
    sys.stdout.write(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.name}: {finding.seen}\n")
    if finding.advice:
        sys.stdout.write(f"       {finding.advice}\n")
    return finding.ok


if __name__ == "__main__":
    sys.exit(main())
