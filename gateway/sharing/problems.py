"""Why a link, a feed or a webhook is refused."""

from http import HTTPStatus

from chassis.problem import Words
from gateway.problems import errors


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_share() -> Words:
    """The link is unknown, expired, used up or revoked, or its MP3 is gone."""
    return Words(
        "this link does not exist, or no longer works",
        "Check that you have copied all of it, or ask the sender for a new one.",
    )


@errors.problem(HTTPStatus.CONFLICT)
def too_many_shares(sentence: str) -> Words:
    """The job has as many links as allowed."""
    return Words(sentence, "Revoke one: DELETE /v1/shares/<id>.")


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_feed() -> Words:
    """The feed is unknown or revoked, or this file is not in it."""
    return Words(
        "this feed does not exist, or no longer works",
        "GET /v1/me/feeds lists your feeds; POST creates another.",
    )


@errors.problem(HTTPStatus.CONFLICT)
def too_many_feeds(sentence: str) -> Words:
    """The user has as many feeds as allowed."""
    return Words(sentence, "Revoke one: DELETE /v1/me/feeds/<id>.")


@errors.problem(HTTPStatus.CONFLICT)
def too_many_webhooks(sentence: str) -> Words:
    """The user has as many webhooks as allowed."""
    return Words(sentence, "Delete one that you no longer use.")


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_webhook() -> Words:
    """The id is unknown, or the webhook belongs to another user."""
    return Words("there is no such webhook", "GET /v1/webhooks lists your webhooks.")


@errors.problem(HTTPStatus.NOT_FOUND)
def no_such_delivery() -> Words:
    """The delivery is unknown, or was deleted because of its age."""
    return Words("there is no such delivery", "GET /v1/webhooks/<id>/deliveries lists all that are kept.")


@errors.problem(HTTPStatus.CONFLICT)
def webhook_paused() -> Words:
    """The webhook is paused, so nothing can be sent to it."""
    return Words(
        "the webhook is paused", """Resume it first: PATCH /v1/webhooks/<id> with {"paused": false}."""
    )


@errors.problem(HTTPStatus.CONFLICT)
def rotated_meanwhile() -> Words:
    """Another request has just changed the secret."""
    return Words("the secret was just rotated by another request", "Rotate it again to get the secret.")
