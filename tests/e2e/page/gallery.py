"""Every state that a row and the administration may be in, side by side: what passes in a moment as well."""

import json
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Route

from tests.e2e.page.conftest import HOSTILE, Visit

SOON = "2126-01-02T03:04:05+00:00"
"""Whatever was changed then, was changed just now."""
LONG_AGO = "2026-01-02T03:04:05+00:00"
CHAPTERS = [{"start": n * 1.0, "end": n + 1.0, "title": title} for n, title in enumerate((*HOSTILE, None))]
PARTIAL = {"warnings": [{"code": "truncated", "message": "The video breaks off after 3 of 5 seconds."}]}
FAILED = {
    "error": {
        "code": "no_audio_track",
        "message": "The video has no audio track.",
        "hint": "Choose another video.",
    }
}
JOBS: dict[str, dict[str, Any]] = {
    "ready": {},
    "partial": {"result": {"complete": False, **PARTIAL}},
    "failed": {"state": "failed", **FAILED},
    "canceled": {"state": "canceled"},
    "expired": {"state": "expired"},
    "queued": {"state": "queued", "queue": {"position": 3}, "eta_seconds": 95},
    "probing": {"state": "converting", "phase": "probing", "progress": 0},
    "converting": {"state": "converting", "phase": "converting", "progress": 0.41},
    "storing": {"state": "converting", "phase": "storing", "progress": 1},
    "arriving": {"state": "uploading"},
}
UPLOADS = {"elsewhere": SOON, "forgotten": LONG_AGO}
LOCALS: dict[str, dict[str, Any]] = {
    "checking": {},
    "waiting": {},
    "extracting": {"extracted": 0.3},
    "sending": {"soundOnly": True, "total": 22_000_000, "sent": 8_000_000},
    "stalled": {"state": "sending", "sent": 400_000_000},
    "paused": {"sent": 900_000_000},
    "offline": {"sent": 100_000_000},
    "sealed": {"sent": 1_600_000_000},
    "refused": {"problem": {"code": "no.empty", "message": ["no.empty"], "hint": ["no.empty.hint"]}},
}
ADMINISTRATION: dict[str, dict[str, Any]] = {
    "users": {
        "users": [
            {"username": "admin@example.com", "admin": True, "disabled": False},
            {"username": "both@example.com", "admin": True, "disabled": True},
            *({"username": name, "admin": False, "disabled": True} for name in HOSTILE),
        ]
    },
    "dead-letters/video": {"dead_letters": [{"body": body * 10, "reason": "no JSON"} for body in HOSTILE]},
    "dead-letters/mp3": {"dead_letters": [{"body": "{}", "reason": "no fid in it"}]},
    "doctor": {
        "findings": [
            {"name": "MongoDB", "ok": True, "seen": "answers", "advice": None},
            {"name": "RabbitMQ", "ok": False, "seen": HOSTILE[3], "advice": "Start it."},
        ]
    },
}
STATES = {*JOBS, *UPLOADS, *LOCALS, "deleting"}
IS_FOLLOWING = """() => performance.getEntriesByType("resource")
    .filter(entry => entry.name.includes("/v1/jobs?")).length > 1"""
"""Once at the beginning and once when its stream is open, the page lists the jobs."""
FILL = """async locals => {
    const { store, changed } = await import(new URL("page/state.js", document.baseURI));
    const pace = stalled => ({
        perSecond: () => 1_250_000, secondsLeft: () => 95, stalled: () => stalled,
    });
    for (const [key, local] of Object.entries(locals)) {
        store.locals.set(key, { ...local, file: {}, pace: pace(key === "stalled") });
    }
    const [first] = [...store.jobs.values()].filter(job => job.source.filename === "deleting.mp4");
    store.deleting.set(first.id, true);
    changed();
}"""


def hang(visit: Visit, job: dict[str, Any]) -> None:
    """Show every state, made of a job that is done."""
    jobs = [_job(job, n, name, more) for n, (name, more) in enumerate(JOBS.items())]
    jobs.append(_job(job, len(jobs), "deleting", {}))
    uploads = [_upload(n, name, at) for n, (name, at) in enumerate(UPLOADS.items())]
    _answer(visit, "**/v1/jobs?*", {"jobs": jobs, "next": None})
    _answer(visit, "**/v1/uploads?*", {"uploads": uploads, "next": None})
    visit.page.reload()
    visit.page.wait_for_function(IS_FOLLOWING)
    for name in ("ready", *UPLOADS):
        visit.expect_state(f"{name}.mp4", name)
    now = datetime.now(UTC).timestamp() * 1000
    visit.page.evaluate(FILL, {name: _local(name, more, now) for name, more in LOCALS.items()})
    visit.expect_state("stalled.mp4", "stalled")


def furnish(visit: Visit, job: dict[str, Any]) -> None:
    """Have the administration show every state, made of a job that is done, when it is opened next."""
    jobs = [_job(job, n, name, more) for n, (name, more) in enumerate(JOBS.items())]
    owned = [{**job, "owner": HOSTILE[n % len(HOSTILE)]} for n, job in enumerate(jobs)]
    _answer(visit, "**/v1/admin/jobs?*", {"jobs": owned, "before": None})
    for path, body in ADMINISTRATION.items():
        _answer(visit, f"**/v1/admin/{path}", body)


def _answer(visit: Visit, path: str, body: dict[str, Any]) -> None:
    def fulfill(route: Route) -> None:
        route.fulfill(status=200, content_type="application/json", body=json.dumps(body))

    visit.page.route(path, fulfill)


def _job(job: dict[str, Any], n: int, name: str, more: dict[str, Any]) -> dict[str, Any]:
    result = {**job["result"], **more.get("result", {})}
    media = {**job["media"], "chapters": CHAPTERS, "tags": {"title": HOSTILE[0]}, "cover": True}
    made = {**job, **more, "result": result, "media": media, "created_at": f"2026-01-02T03:04:{n:02}+00:00"}
    return {**made, "id": f"{n:032x}", "source": {**job["source"], "filename": f"{name}.mp4"}}


def _upload(n: int, name: str, at: str) -> dict[str, Any]:
    length = {"length": 1_600_000_000, "offset": 700_000_000, "interrupted": False, "metadata": ""}
    times = {"created_at": LONG_AGO, "updated_at": at, "expires_at": SOON}
    return {
        "id": f"{n + 100:032x}",
        "filename": f"{name}.mp4",
        "links": {"self": "v1/uploads/0"},
        **length,
        **times,
    }


def _local(name: str, more: dict[str, Any], now: float) -> dict[str, Any]:
    told = {"key": name, "name": f"{name}.mp4", "at": now, "state": name, "tries": 0, "uploadId": None}
    return {**told, "size": 1_600_000_000, "total": 1_600_000_000, "sent": 0, "soundOnly": False, **more}
