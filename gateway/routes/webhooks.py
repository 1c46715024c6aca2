"""Webhooks: where a user's scripts are told of outcomes, and what became of telling them."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, jsonify

from gateway import problems
from gateway.collaborators import use
from gateway.description.documented import documented
from gateway.description.schemas.sharing import WebhookChange, WebhookReplay, WebhookWish
from gateway.door import audit, parameters
from gateway.door.access import requires
from gateway.sharing import problems as sharing_problems
from pipeline.addresses import InvalidUrl, parse
from pipeline.deliveries import STATES, Delivery
from pipeline.endpoints import Endpoint, TooManyEndpoints

CALLBACKS = "callbacks"
"""In place of an id: what the user's `callback_url` options share."""

routes = Blueprint("webhooks", __name__, url_prefix="/v1/webhooks")


@routes.get("")
@requires("jobs:read")
@documented({200: "Webhooks"})
def index() -> Response:
    """List your webhooks, the oldest first."""
    return jsonify(webhooks=[_describe(endpoint) for endpoint in use().endpoints.all(g.identity.username)])


@routes.post("")
@requires("jobs:write")
@documented({201: "NewWebhook"}, errors=(400, 409, 413, 422), body="WebhookWish")
def create() -> Response:
    """Add a webhook; the secret that its messages are signed with is told in this answer only."""
    wish = parameters.shape(WebhookWish)
    try:
        parse(wish.url, use().settings.webhook_networks)
        endpoint = use().endpoints.add(g.identity.username, wish.url, wish.events)
    except InvalidUrl as error:
        raise problems.invalid_url(str(error)) from None
    except TooManyEndpoints as error:
        raise sharing_problems.too_many_webhooks(str(error)) from None
    audit.record("webhook added", webhook=endpoint.id)
    return _with_secret(endpoint, HTTPStatus.CREATED)


@routes.patch("/<webhook_id>")
@requires("jobs:write")
@documented({200: "Webhook"}, errors=(400, 404, 413, 422), body="WebhookChange")
def change(webhook_id: str) -> Response:
    """Pause a webhook, or let it go on; what happened meanwhile can be replayed."""
    endpoint, asked = _own(webhook_id), parameters.shape(WebhookChange)
    endpoints = use().endpoints
    if asked.paused:
        endpoints.pause(endpoint, "asked")
        use().deliveries.give_up(endpoint.id)
    else:
        endpoints.resume(endpoint)
    audit.record("webhook paused" if asked.paused else "webhook resumed", webhook=endpoint.id)
    return jsonify(_describe(_own(webhook_id)))


@routes.delete("/<webhook_id>")
@requires("jobs:write")
@documented({204: "nothing"}, errors=(404,))
def delete(webhook_id: str) -> Response:
    """Delete a webhook and all that is known of its deliveries."""
    endpoint = _own(webhook_id)
    use().endpoints.delete(endpoint)
    use().deliveries.forget(endpoint.id)
    audit.record("webhook deleted", webhook=endpoint.id)
    return Response(status=HTTPStatus.NO_CONTENT)


@routes.post("/<webhook_id>/rotate")
@requires("jobs:write")
@documented({200: "NewWebhook"}, errors=(404, 409))
def rotate(webhook_id: str) -> Response:
    """Make another secret; for 24 hours messages are signed with both."""
    endpoint = use().endpoints.rotate(_own(webhook_id))
    if endpoint is None:
        raise sharing_problems.rotated_meanwhile()
    audit.record("webhook rotated", webhook=endpoint.id)
    return _with_secret(endpoint, HTTPStatus.OK)


@routes.post("/<webhook_id>/test")
@requires("jobs:write")
@documented({202: "Delivery"}, errors=(404, 409))
def test(webhook_id: str) -> Response:
    """Send a message of the type `webhook.test`; the list of deliveries tells what became of it."""
    endpoint = _own(webhook_id)
    if endpoint.url is None:
        raise sharing_problems.no_such_webhook()
    if endpoint.paused is not None:
        raise sharing_problems.webhook_paused()
    return _accepted(use().deliveries.test(endpoint, endpoint.url))


@routes.get("/<webhook_id>/deliveries")
@requires("jobs:read")
@documented({200: "Deliveries"}, errors=(404, 422), query=("status", "limit"))
def deliveries(webhook_id: str) -> Response:
    """List what was sent, and what was answered, the newest first."""
    parameters.only("status", "limit")
    page = use().deliveries.page(
        _own(webhook_id),
        state=parameters.one_of("status", STATES),  # type: ignore[arg-type]  # it is one of STATES
        limit=parameters.number("limit", 20, 1, parameters.MAX_PAGE),
    )
    return jsonify(deliveries=[_describe_delivery(delivery) for delivery in page])


@routes.post("/<webhook_id>/deliveries/<delivery_id>/replay")
@requires("jobs:write")
@documented({202: "Delivery"}, errors=(404, 409))
def replay(webhook_id: str, delivery_id: str) -> Response:
    """Send one again, whatever became of it."""
    endpoint = _own(webhook_id)
    if endpoint.paused is not None:
        raise sharing_problems.webhook_paused()
    found = use().deliveries.find(delivery_id, endpoint)
    again = None if found is None else use().deliveries.replay(found)
    if again is None:
        raise sharing_problems.no_such_delivery()
    return _accepted(again)


@routes.post("/<webhook_id>/replay")
@requires("jobs:write")
@documented({202: "ReplayedDeliveries"}, errors=(400, 404, 409, 413, 422), body="WebhookReplay")
def replay_since(webhook_id: str) -> Response:
    """Send again all that failed since a time."""
    endpoint, asked = _own(webhook_id), parameters.shape(WebhookReplay)
    if endpoint.paused is not None:
        raise sharing_problems.webhook_paused()
    response = jsonify(replayed=use().deliveries.replay_since(endpoint, asked.since))
    response.status_code = HTTPStatus.ACCEPTED
    return response


def _own(webhook_id: str) -> Endpoint:
    """Return the caller's webhook, or what their callbacks share.

    Raises:
        Problem: there is none with this id, or it is somebody else's.
    """
    owner, endpoints = g.identity.username, use().endpoints
    found = endpoints.callbacks(owner) if webhook_id == CALLBACKS else endpoints.find(webhook_id, owner)
    if found is None:
        raise sharing_problems.no_such_webhook()
    return found


def _with_secret(endpoint: Endpoint, status: HTTPStatus) -> Response:
    response = jsonify({**_describe(endpoint), "secret": endpoint.secrets[0]["secret"]})
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response


def _accepted(delivery: Delivery) -> Response:
    response = jsonify(_describe_delivery(delivery))
    response.status_code = HTTPStatus.ACCEPTED
    return response


def _describe(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id if endpoint.url is not None else CALLBACKS,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "created_at": endpoint.created_at.isoformat(),
        "paused": endpoint.paused and {**endpoint.paused, "at": endpoint.paused["at"].isoformat()},
        "failing_since": endpoint.failing_since and endpoint.failing_since.isoformat(),
    }


def _describe_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event": delivery.event,
        "type": delivery.type,
        "created_at": delivery.created_at.isoformat(),
        "state": delivery.state,
        "due_at": delivery.due_at and delivery.due_at.isoformat(),
        "tries": delivery.tries,
        "attempts": [{**one, "at": one["at"].isoformat()} for one in delivery.attempts],
        "body": delivery.body,
    }
