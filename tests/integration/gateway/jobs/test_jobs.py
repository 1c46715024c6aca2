"""Jobs under /v1, as a script uses them."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.conftest import Gateway, StartGateway, Stores, some, wait_until

VIDEO = ("talk.mp4", b"\0\0\0 ftypisom a video")
UNKNOWN = "0" * 32


def test_a_form_with_several_files_makes_a_job_of_each(me: httpx.Client, stores: Stores) -> None:
    files = [("file", VIDEO), ("file", ("b.mkv", b"\x1aE\xdf\xa3 another"))]

    answer = me.post("/v1/jobs", files=files, data={"quality": "v0", "channels": "mono"})

    jobs = answer.json()["jobs"]
    assert answer.status_code == 202
    assert [job["source"]["filename"] for job in jobs] == ["talk.mp4", "b.mkv"]
    assert {(job["state"], job["options"]["quality"], job["options"]["channels"]) for job in jobs} == {
        ("queued", "V0", "mono")
    }
    assert answer.headers["Location"] == f"/v1/jobs/{jobs[0]['id']}"
    assert stores.videos.find(jobs[1]["id"]).size == 12


def test_a_body_may_be_the_file_and_the_query_its_name_and_options(me: httpx.Client, stores: Stores) -> None:
    answer = me.post("/v1/jobs", params={"name": "talk.mp4", "title": "A talk"}, content=VIDEO[1])

    [job] = answer.json()["jobs"]
    assert (job["source"]["filename"], job["options"]["title"]) == ("talk.mp4", "A talk")
    assert b"".join(stores.videos.read(stores.videos.find(job["id"]))) == VIDEO[1]


@pytest.mark.parametrize(
    ("query", "fields", "code"),
    [
        ({"quality": "V12"}, {}, "invalid_option"),
        ({}, {"quality": "loud"}, "invalid_option"),
        ({}, {"colour": "red"}, "invalid_option"),
        ({}, {"start": "20", "end": "10"}, "invalid_option"),
    ],
)
def test_options_that_do_not_exist_are_refused_with_what_is_allowed(
    me: httpx.Client, stores: Stores, query: dict[str, str], fields: dict[str, str], code: str
) -> None:
    answer = me.post("/v1/jobs", params=query, data=fields, files={"file": VIDEO})

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "use " in answer.text or "must be" in answer.text or "options are" in answer.text
    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_the_original_route_takes_options_and_ignores_other_fields(me: httpx.Client) -> None:
    headers = {"Accept": "application/json"}
    taken = me.post("/upload", data={"quality": "V4", "colour": "red"}, files={"f": VIDEO}, headers=headers)
    refused = me.post("/upload", data={"quality": "V12"}, files={"f": VIDEO}, headers=headers)

    assert taken.json()["options"]["quality"] == "V4"
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04" + b"x" * 9000, "ZIP"),
        (b"#EXTM3U\nhttp://example.com/\n", "text"),
        ("é".encode() * 5000, "text"),
    ],
)
def test_what_is_surely_no_video_is_refused_at_the_door(
    me: httpx.Client, stores: Stores, content: bytes, kind: str
) -> None:
    answer = me.post("/v1/jobs", files={"file": ("talk.mp4", content)})

    assert (answer.status_code, answer.json()["code"]) == (415, "not_media")
    assert f"it looks like {kind}" in answer.json()["detail"]
    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_the_original_route_leaves_that_to_the_converter_and_its_mail(me: httpx.Client) -> None:
    assert me.post("/upload", files={"file": ("talk.mp4", b"a text")}).text == "success!"


@pytest.mark.parametrize("body", [{"content": b""}, {"data": {"quality": "V2"}, "files": {}}])
def test_a_request_without_file_is_refused(me: httpx.Client, stores: Stores, body: dict[str, object]) -> None:
    answer = me.post("/v1/jobs", **body)  # type: ignore[arg-type]  # httpx's own arguments

    assert answer.status_code in (400, 415)
    assert (stores.documents(), stores.chunks()) == (0, 0)


def test_a_key_that_was_used_makes_no_second_job(me: httpx.Client, stores: Stores) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = me.post("/v1/jobs", files={"file": VIDEO}, headers=key)
    again = me.post("/v1/jobs", files={"file": VIDEO}, headers=key)
    other = me.post("/v1/jobs", files={"file": ("talk.mp4", b"\0other")}, headers=key)
    options = me.post("/v1/jobs", files={"file": VIDEO}, data={"quality": "V0"}, headers=key)

    assert [answer.status_code for answer in (first, again, other, options)] == [202, 202, 422, 422]
    assert again.json() == first.json() or again.json()["jobs"][0]["id"] == first.json()["jobs"][0]["id"]
    assert other.json()["code"] == "key_used_otherwise"
    assert (stores.documents(), stores.chunks()) == (1, 1)


def test_a_key_is_its_owners_own_and_free_again_when_its_job_is_gone(
    me: httpx.Client, other: httpx.Client, stores: Stores
) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = me.post("/upload", files={"file": VIDEO}, headers=key).headers["X-Job-Id"]
    others = other.post("/upload", files={"file": VIDEO}, headers=key).headers["X-Job-Id"]
    me.post(f"/v1/jobs/{first}/cancel")
    me.delete(f"/v1/jobs/{first}")

    again = me.post("/upload", files={"file": VIDEO}, headers=key).headers["X-Job-Id"]

    assert len({first, others, again}) == 3
    assert stores.documents() == 2


def test_many_requests_with_one_key_at_once_make_one_job(gateway: Gateway, stores: Stores) -> None:
    def upload(_: int) -> str:
        with gateway.client() as client:
            answer = client.post("/upload", files={"file": VIDEO}, headers={"Idempotency-Key": "k"})
            return answer.headers["X-Job-Id"]

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(upload, range(8)))

    assert (len(ids), stores.documents(), stores.chunks()) == (1, 1, 1)


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb"])
def test_a_key_that_is_none_is_refused(me: httpx.Client, key: str) -> None:
    answer = me.post("/v1/jobs", files={"file": VIDEO}, headers={"Idempotency-Key": key})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_key")


def test_the_list_is_ones_own_the_newest_first_and_in_pages(
    me: httpx.Client, other: httpx.Client, stores: Stores
) -> None:
    jobs = [stores.queued(filename=f"talk {n}.mp4") for n in range(5)]
    stores.queued("other@example.com")
    newest_first = sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)  # some in one ms

    pages, url = [], "/v1/jobs?limit=2"
    while url:
        answer = me.get(url)
        pages.append([job["id"] for job in answer.json()["jobs"]])
        url = answer.json()["next"]
        assert answer.headers.get("Link") == (f'<{url}>; rel="next"' if url else None)

    assert [job_id for page in pages for job_id in page] == [job.id for job in newest_first]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len(other.get("/v1/jobs").json()["jobs"]) == 1


def test_the_list_is_narrowed_by_state_and_by_name(me: httpx.Client, stores: Stores) -> None:
    done = stores.done("me@example.com", b"mp3", "Lecture (1).mp4")
    stores.queued(filename="holiday.mp4")

    def ids(**query: str) -> list[str]:
        return [job["id"] for job in me.get("/v1/jobs", params=query).json()["jobs"]]

    assert ids(state="done") == ids(q="LECTURE (") == ids(q="lecture", state="done") == [done.id]
    assert ids(state="failed") == ids(q=".*") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=-1",
        "state=odd",
        "before=nonsense",
        "colour=red",
        f"q={'x' * 101}",
    ],
)
def test_a_query_that_is_not_allowed_is_named(me: httpx.Client, query: str) -> None:
    answer = me.get(f"/v1/jobs?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert query.split("=", maxsplit=1)[0] in answer.json()["detail"]


def test_a_job_says_where_one_can_go_from_it(me: httpx.Client, stores: Stores) -> None:
    queued, done = stores.queued(), stores.done("me@example.com", b"mp3")

    assert me.get(f"/v1/jobs/{queued.id}").json()["links"].keys() == {"self", "events", "cancel"}
    links = me.get(f"/v1/jobs/{done.id}").json()["links"]
    assert me.get(links["mp3"]).content == b"mp3"
    assert links.keys() == {"self", "events", "mp3", "peaks", "retry"}


def test_a_job_that_is_over_says_when_its_files_go(me: httpx.Client, stores: Stores) -> None:
    waiting, over = stores.queued(), stores.done("me@example.com", b"mp3")

    assert me.get(f"/v1/jobs/{waiting.id}").json()["expires_at"] is None
    told = me.get(f"/v1/jobs/{over.id}").json()
    assert datetime.fromisoformat(told["expires_at"]) - timedelta(days=7) == over.ended_at


def test_waiting_ends_when_the_state_changes(me: httpx.Client, stores: Stores) -> None:
    job = stores.queued()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(me.get, f"/v1/jobs/{job.id}", params={"wait": "10"})
        claimed = some(stores.jobs.claim(job.id, "c"))
        state = waiting.result().json()["state"]

    assert state in ("queued", "converting")
    assert claimed.state == "converting"


def test_waiting_lasts_no_longer_than_asked_and_not_at_all_when_it_is_over(
    me: httpx.Client, stores: Stores
) -> None:
    began = time.monotonic()
    queued = me.get(f"/v1/jobs/{stores.queued().id}", params={"wait": "1"})
    waited = time.monotonic() - began
    done = me.get(f"/v1/jobs/{stores.done('me@example.com', b'mp3').id}", params={"wait": "60"})

    assert (queued.json()["state"], done.json()["state"]) == ("queued", "done")
    assert 1 <= waited < 30
    assert time.monotonic() - began < 60


def events_of(answer: httpx.Response) -> list[dict[str, str]]:
    blocks = [block for block in "".join(answer.iter_text()).split("\n\n") if block]
    return [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]


def test_events_tell_state_and_progress_and_end_at_the_end(me: httpx.Client, stores: Stores) -> None:
    job = stores.queued()

    with ThreadPoolExecutor(1) as pool, me.stream("GET", f"/v1/jobs/{job.id}/events") as answer:
        reading = pool.submit(events_of, answer)
        stores.finished(job)
        events = reading.result(timeout=60)

    told = [(event["event"], json.loads(event["data"])["state"]) for event in events if "event" in event]
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert told[0] == ("state", "queued")
    assert told[-1] == ("state", "done")
    assert [int(event["id"]) for event in events if "id" in event] == sorted(
        {int(event["id"]) for event in events if "id" in event}
    )


def test_events_go_on_after_the_last_one_that_was_seen(me: httpx.Client, stores: Stores) -> None:
    job = stores.done("me@example.com", b"mp3")

    def since(version: int) -> httpx.Response:
        return me.get(f"/v1/jobs/{job.id}/events", headers={"Last-Event-ID": str(version)})

    assert len([line for line in since(job.version - 1).text.splitlines() if line.startswith("data")]) == 1
    assert (since(job.version).status_code, since(job.version).content) == (204, b"")


def test_events_end_when_the_job_is_deleted(me: httpx.Client, stores: Stores) -> None:
    job = stores.queued()

    with ThreadPoolExecutor(1) as pool, me.stream("GET", f"/v1/jobs/{job.id}/events") as answer:
        reading = pool.submit(events_of, answer)
        stores.client["jobs"]["jobs"].delete_one({"_id": job.id})
        events = reading.result(timeout=60)

    assert events[-1]["event"] == "deleted"


def test_one_user_s_streams_are_limited_and_another_user_notices_nothing(
    start_gateway: StartGateway, stores: Stores
) -> None:
    gateway, job = start_gateway(STREAMS_PER_USER="2"), stores.queued()
    url = f"/v1/jobs/{job.id}/events"

    with gateway.client() as me, me.stream("GET", url), me.stream("GET", url) as second:
        next(second.iter_bytes())
        refused = me.get(url)
        waited = me.get(f"/v1/jobs/{job.id}", params={"wait": "60"})
        with gateway.client("you@example.com") as you:
            other = you.get("/v1/jobs")

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_at_once")
    assert refused.headers["Retry-After"] == "5"
    assert waited.status_code == 429
    assert other.status_code == 200


def test_a_wait_that_its_client_abandons_gives_its_share_back(
    start_gateway: StartGateway, stores: Stores
) -> None:
    gateway, job = start_gateway(STREAMS_PER_USER="1"), stores.queued()
    with gateway.client() as me:
        for _ in range(3):
            with pytest.raises(httpx.ReadTimeout):
                me.get(f"/v1/jobs/{job.id}", params={"wait": "300"}, timeout=0.5)
            wait_until(lambda: me.get(f"/v1/jobs/{job.id}?wait=1").status_code == 200)


def test_a_job_is_canceled_once_and_stays_so(me: httpx.Client, stores: Stores) -> None:
    queued, done = stores.queued(), stores.done("me@example.com", b"mp3")

    answers = [me.post(f"/v1/jobs/{queued.id}/cancel") for _ in range(2)]
    refused = me.post(f"/v1/jobs/{done.id}/cancel")

    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "canceled")] * 2
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


def test_a_kept_video_is_converted_again_with_other_options(me: httpx.Client, stores: Stores) -> None:
    job = stores.failed(stores.queued())

    same = me.post(f"/v1/jobs/{job.id}/retry")
    stores.failed(some(stores.jobs.get(job.id)))
    form = me.post(f"/v1/jobs/{job.id}/retry", data={"quality": "V0"})
    stores.failed(some(stores.jobs.get(job.id)))
    as_json = me.post(f"/v1/jobs/{job.id}/retry", json={"quality": "192", "track": 2, "strict": True})

    assert [answer.status_code for answer in (same, form, as_json)] == [202, 202, 202]
    assert (same.json()["options"], form.json()["options"]["quality"]) == ({}, "V0")
    options = as_json.json()["options"]
    assert (options["quality"], options["track"], options["strict"]) == ("192", 2, True)


def test_a_retry_that_cannot_be_says_why(me: httpx.Client, stores: Stores) -> None:
    queued, gone = stores.queued(), stores.done("me@example.com", b"mp3")
    stores.jobs.release_source(gone)
    as_json = {"Content-Type": "application/json"}

    answers = [
        me.post(f"/v1/jobs/{queued.id}/retry"),
        me.post(f"/v1/jobs/{gone.id}/retry"),
        me.post(f"/v1/jobs/{gone.id}/retry", json={"quality": "x"}),
        me.post(f"/v1/jobs/{gone.id}/retry", json=[1]),
        me.post(f"/v1/jobs/{gone.id}/retry", content=b"[" * 15_000, headers=as_json),
        me.post(f"/v1/jobs/{gone.id}/retry", content=b"\xff", headers=as_json),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (409, "wrong_state"),
        (410, "source_gone"),
        (422, "invalid_option"),
        (400, "malformed_options"),
        (400, "malformed_options"),
        (400, "malformed_options"),
    ]


def test_deleting_a_job_deletes_its_files(me: httpx.Client, stores: Stores) -> None:
    job_id = me.post("/upload", files={"file": VIDEO}).headers["X-Job-Id"]
    refused = me.delete(f"/v1/jobs/{job_id}")
    stores.finished(some(stores.jobs.get(job_id)))

    deleted = me.delete(f"/v1/jobs/{job_id}")

    assert (refused.status_code, deleted.status_code, deleted.content) == (409, 204, b"")
    assert (stores.documents(), stores.chunks(), stores.chunks("mp3s")) == (0, 0, 0)
    assert me.get(f"/v1/jobs/{job_id}").status_code == 404


ROUTES = [
    ("GET", "/v1/jobs/{}"),
    ("GET", "/v1/jobs/{}?wait=5"),
    ("GET", "/v1/jobs/{}/events"),
    ("GET", "/v1/jobs/{}/mp3"),
    ("GET", "/v1/jobs/{}/parts/1"),
    ("HEAD", "/v1/jobs/{}/mp3"),
    ("POST", "/v1/jobs/{}/cancel"),
    ("POST", "/v1/jobs/{}/retry"),
    ("DELETE", "/v1/jobs/{}"),
    ("GET", "/download?fid={}"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_anothers_job_is_as_unknown_as_an_unknown_one(
    other: httpx.Client, stores: Stores, method: str, path: str
) -> None:
    job = stores.done("me@example.com", b"mp3")

    answers = [
        other.request(method, path.format(job_id), headers={"X-Request-Id": "r"})
        for job_id in (job.id, UNKNOWN, "nonsense", "%00", "' or 1=1 --")
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert some(stores.jobs.get(job.id)).version == job.version


def test_one_line_of_curl_is_the_whole_conversion(gateway: Gateway, stores: Stores, tmp_path: Path) -> None:
    video = tmp_path / "talk.mp4"
    video.write_bytes(VIDEO[1])
    (tmp_path / "out").mkdir()

    with ThreadPoolExecutor(1) as pool:
        url = f"{gateway.url}/v1/convert/"
        command = ["curl", "-sS", "-f", "-u", "me@example.com:right", "-T", str(video), url, "-OJL"]
        converted = pool.submit(
            subprocess.run, command, cwd=tmp_path / "out", timeout=60, check=True, capture_output=True
        )
        wait_until(lambda: stores.client["jobs"]["jobs"].count_documents({"state": "queued"}) == 1)
        stores.finished(some(stores.jobs.page("me@example.com")[0]), b"the mp3")
        converted.result()

    assert [(file.name, file.read_bytes()) for file in (tmp_path / "out").iterdir()] == [
        ("talk.mp3", b"the mp3")
    ]


def test_a_conversion_that_lasts_or_fails_says_so(me: httpx.Client, stores: Stores) -> None:
    lasts = me.put("/v1/convert/talk.mp4?wait=0&quality=V0", content=VIDEO[1])
    with ThreadPoolExecutor(1) as pool:
        failing = pool.submit(me.put, "/v1/convert/bad.mp4?wait=20", content=VIDEO[1])
        wait_until(lambda: len(stores.jobs.page("me@example.com")) == 2)
        wait_until(lambda: stores.jobs.page("me@example.com")[0].state == "queued")
        failed = stores.failed(stores.jobs.page("me@example.com")[0])
        fails = failing.result()

    assert (lasts.status_code, lasts.json()["state"]) == (202, "queued")
    assert lasts.headers["Location"] == lasts.json()["links"]["self"]
    assert (fails.status_code, fails.json()["detail"]) == (422, "It is silent.")
    assert fails.headers["Location"] == f"/v1/jobs/{failed.id}"


@pytest.mark.parametrize(
    ("method", "way", "status"), [("POST", "/cancel", 200), ("POST", "/retry", 202), ("DELETE", "", 204)]
)
def test_a_job_that_has_changed_is_left_as_it_is_for_who_asks_for_that(
    me: httpx.Client, stores: Stores, method: str, way: str, status: int
) -> None:
    job = stores.queued() if way == "/cancel" else stores.done("me@example.com", b"mp3")
    url = f"/v1/jobs/{job.id}"
    seen = me.get(url).headers["ETag"]

    refused = [
        me.request(method, url + way, headers={"If-Match": tag})
        for tag in ('"0"', f'"{job.version + 1}"', f"W/{seen}", "1", "")
    ]
    unchanged = me.get(url).headers["ETag"]
    done = me.request(method, url + way, headers={"If-Match": f'"0", {seen}'})

    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {
        (412, "precondition_failed")
    }
    assert (seen, unchanged) == (f'"{job.version}"', seen)
    assert done.status_code == status
    if status != 204:
        assert done.headers["ETag"] != seen
        assert done.headers["ETag"] == f'"{done.json()["version"]}"'


def test_any_version_of_a_job_may_be_asked_for(me: httpx.Client, stores: Stores) -> None:
    job = stores.queued()

    assert me.post(f"/v1/jobs/{job.id}/cancel", headers={"If-Match": "*"}).status_code == 200
    assert me.delete(f"/v1/jobs/{job.id}", headers={"If-Match": "*"}).status_code == 204
    assert me.delete(f"/v1/jobs/{job.id}", headers={"If-Match": "*"}).status_code == 404


def test_a_job_that_is_known_is_not_told_again(me: httpx.Client, stores: Stores) -> None:
    job = some(stores.jobs.claim(stores.queued().id, "c"))
    first = me.get(f"/v1/jobs/{job.id}")
    known = {"If-None-Match": first.headers["ETag"]}

    same = me.get(f"/v1/jobs/{job.id}", headers=known)
    stores.jobs.cancel(job.id, "me@example.com")
    other = me.get(f"/v1/jobs/{job.id}", headers=known)

    assert (same.status_code, same.content) == (304, b"")
    assert (other.status_code, other.json()["state"]) == (200, "canceled")


def test_a_full_page_of_the_longest_jobs_is_small(me: httpx.Client) -> None:
    long = ("n" * 3000 + ".mp4", VIDEO[1], "video/" + "a" * 4000)

    made = [me.post("/v1/jobs", files=[("file", long)] * 20, data={"title": "t" * 200}) for _ in range(5)]
    page = me.get("/v1/jobs", params={"limit": "100"})

    assert {answer.status_code for answer in made} == {202}
    assert len(page.json()["jobs"]) == 100
    assert len(page.content) < 200_000
