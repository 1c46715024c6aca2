"""What the door works with: whom it asks who somebody is, and what it counts by."""

from dataclasses import dataclass

from flask import current_app

from chassis.identity import Verifier
from gateway.door.auth_client import AuthClient
from gateway.door.rates import Rates
from gateway.door.remembered import Remembered
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Door:
    """The auth service, its keys, the passwords and sessions seen lately, and the rates."""

    settings: Settings
    auth: AuthClient
    verifier: Verifier
    passwords: Remembered
    sessions: Remembered
    rates: Rates


def the_door() -> Door:
    """Return the door of the application that answers now."""
    door: Door = current_app.extensions["door"]
    return door
