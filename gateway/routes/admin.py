"""What administrators may: users, which auth keeps, and any job."""

from dataclasses import asdict
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request

from gateway import problems
from gateway.collaborators import use
from gateway.description.documented import documented
from gateway.door import audit, parameters
from gateway.door.access import ask_auth_as_caller, requires
from gateway.jobs import problems as job_problems
from gateway.jobs.job_view import describe
from pipeline.job import STATES, Job
from pipeline.job_queries import OVER, InvalidCursor, cursor

GIVEN_UP = {
    "code": "given_up",
    "message": "The operators ended this conversion.",
    "hint": "Ask them why, or upload the video again.",
    "retryable": True,
}

routes = Blueprint("admin", __name__, url_prefix="/v1/admin")


@routes.get("/users")
@requires("admin")
@documented({200: "Users"})
def users() -> Response:
    """List the users."""
    return ask_auth_as_caller("/users")


@routes.post("/users")
@requires("admin")
@documented({201: "ChangedUser"}, errors=(400, 409, 413, 415, 422), body="NewUser")
def add_user() -> Response:
    """Add a user; a password that is not given is made and told once."""
    response = ask_auth_as_caller("/users")
    audit.record("user added", status=response.status_code)
    return response


@routes.patch("/users/<username>")
@requires("admin")
@documented({200: "ChangedUser"}, errors=(400, 404, 413, 415, 422), body="UserChange")
def change_user(username: str) -> Response:
    """Disable or enable a user, make an administrator of one, or give a new password."""
    response = ask_auth_as_caller(f"/users/{quote(username, safe='@')}")
    audit.record("user changed", name=username, status=response.status_code)
    return response


@routes.get("/jobs")
@requires("admin")
@documented({200: "AnyPage"}, errors=(422,), query=("owner", "state", "q", "limit", "before"))
def jobs() -> Response:
    """List anybody's jobs, the newest first."""
    parameters.only("owner", "state", "q", "limit", "before")
    try:
        page = use().jobs.page(
            parameters.text("owner"),
            limit=parameters.number("limit", 20, 1, parameters.MAX_PAGE),
            state=parameters.one_of("state", STATES),  # type: ignore[arg-type]  # it is one of STATES
            text=parameters.text("q"),
            before=request.args.get("before"),
        )
    except InvalidCursor:
        raise problems.invalid_parameter("before", "the cursor of an earlier answer's next") from None
    return jsonify({"jobs": [_describe(job) for job in page], "before": cursor(page[-1]) if page else None})


@routes.get("/jobs/<job_id>")
@requires("admin")
@documented({200: "AnyJob"}, errors=(404,))
def job(job_id: str) -> Response:
    """Tell all that is known of a job."""
    return jsonify(_describe(_any_job(job_id)))


@routes.post("/jobs/<job_id>/requeue")
@requires("admin")
@documented({200: "AnyJob"}, errors=(404, 409))
def requeue(job_id: str) -> Response:
    """Convert a job again that is over, while its video is kept."""
    found = _any_job(job_id)
    again = use().jobs.retry(job_id, found.owner)
    if again is None:
        raise job_problems.wrong_state(found.state, f"{' or '.join(OVER)}, with its video kept,")
    use().ring(again)
    audit.record("requeued", job_id=job_id)
    return jsonify(_describe(again))


@routes.post("/jobs/<job_id>/fail")
@requires("admin")
@documented({200: "AnyJob"}, errors=(404, 409))
def fail(job_id: str) -> Response:
    """End a job that is under way, and tell its owner."""
    found = _any_job(job_id)
    failed = use().jobs.give_up(found, GIVEN_UP)
    if failed is None:
        raise job_problems.wrong_state(_any_job(job_id).state, "queued or converting")
    use().ring(failed, "mp3")
    audit.record("given up", job_id=job_id)
    return jsonify(_describe(failed))


@routes.get("/dead-letters/<queue>")
@requires("admin")
@documented({200: "DeadLetters"}, errors=(404,))
def dead_letters(queue: str) -> Response:
    """Show messages that no consumer could decode."""
    return jsonify({"dead_letters": [asdict(letter) for letter in use().dead_letters.look(queue)]})


@routes.post("/dead-letters/<queue>/replay")
@requires("admin")
@documented({200: "Replayed"}, errors=(404,))
def replay(queue: str) -> Response:
    """Put them back into their queue."""
    count = use().dead_letters.replay(queue)
    audit.record("dead letters replayed", queue=queue, count=count)
    return jsonify({"replayed": count})


@routes.delete("/dead-letters/<queue>")
@requires("admin")
@documented({200: "Dropped"}, errors=(404,))
def drop(queue: str) -> Response:
    """Delete them."""
    count = use().dead_letters.drop(queue)
    audit.record("dead letters dropped", queue=queue, count=count)
    return jsonify({"dropped": count})


@routes.get("/doctor")
@requires("admin")
@documented({200: "Findings"})
def doctor() -> Response:
    """Look at every server that the gateway needs: what is there, or what is wrong and what to do."""
    return jsonify({"findings": [asdict(check.run()) for check in use().checks]})


def _any_job(job_id: str) -> Job:
    found = use().jobs.get(job_id)
    if found is None:
        raise problems.no_such_job()
    return found


def _describe(found: Job) -> dict[str, object]:
    log = [] if found.error is None else found.error.get("log", [])
    return {**describe(found), "owner": found.owner, "request_id": found.request_id, "log": log}
