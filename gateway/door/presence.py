"""Whether the client of the request that is answered now is still there."""

from flask import request

from gateway.door.connections import PacedSocket


def client_left() -> bool:
    """Tell whether the client has closed its connection; nobody else than the gateway's worker knows."""
    connection = request.environ.get("gunicorn.socket")
    return isinstance(connection, PacedSocket) and connection.is_closed_by_client()
