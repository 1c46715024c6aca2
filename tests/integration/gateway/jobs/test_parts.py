"""The parts of a split MP3: listed, downloaded one by one and as a zip, and gone with their job."""

import io
import zipfile

import httpx

from tests.integration.gateway.conftest import Stores

PARTS = (b"first" * 300_000, b"second" * 400_000, b"third" * 5)


def test_each_part_is_listed_with_its_address_and_can_be_downloaded(me: httpx.Client, stores: Stores) -> None:
    job = stores.split("me@example.com", *PARTS)

    told = me.get(f"/v1/jobs/{job.id}").json()
    answers = [me.get(part["url"]) for part in told["result"]["parts"]]

    assert [answer.content for answer in answers] == list(PARTS)
    assert answers[1].headers["Content-Type"] == "audio/mpeg"
    assert 'filename="02.mp3"' in answers[1].headers["Content-Disposition"]
    assert len({answer.headers["ETag"] for answer in answers}) == 3
    assert not any("place" in part for part in told["result"]["parts"])


def test_a_range_of_a_part_is_its_own(me: httpx.Client, stores: Stores) -> None:
    job = stores.split("me@example.com", *PARTS)

    answer = me.get(f"/v1/jobs/{job.id}/parts/2", headers={"Range": "bytes=2399990-"})

    assert (answer.status_code, answer.content) == (206, PARTS[1][-10:])
    assert answer.headers["Content-Range"] == "bytes 2399990-2399999/2400000"


def test_all_parts_come_as_one_zip_in_a_folder(me: httpx.Client, stores: Stores) -> None:
    job, other = stores.split("me@example.com", *PARTS), stores.done("me@example.com", b"whole")
    links = me.get(f"/v1/jobs/{job.id}").json()["links"]

    alone = me.get(links["parts"])
    both = me.get(f"/v1/jobs/archive?ids={job.id},{other.id}")

    with zipfile.ZipFile(io.BytesIO(alone.content)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["talk/01.mp3", "talk/02.mp3", "talk/03.mp3"]
        assert [opened.read(name) for name in opened.namelist()] == list(PARTS)
    with zipfile.ZipFile(io.BytesIO(both.content)) as opened:
        assert opened.namelist() == ["talk/01.mp3", "talk/02.mp3", "talk/03.mp3", "talk (2).mp3"]


def test_what_is_no_part_is_told(me: httpx.Client, stores: Stores) -> None:
    split, whole = stores.split("me@example.com", *PARTS), stores.done("me@example.com", b"whole")

    answers = [me.get(f"/v1/jobs/{split.id}/parts/{number}") for number in ("0", "4", "01", "x")]
    unsplit = me.get(f"/v1/jobs/{whole.id}/parts/1")
    early = me.get(f"/v1/jobs/{stores.queued().id}/parts/1")

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "no_such_part")}
    assert "1 to 3" in answers[0].json()["hint"]
    assert (unsplit.status_code, unsplit.json()["detail"]) == (404, "this MP3 has no parts")
    assert early.status_code == 409
    assert "parts" not in me.get(f"/v1/jobs/{whole.id}").json()["links"]


def test_parts_count_as_stored_and_go_with_their_job(me: httpx.Client, stores: Stores) -> None:
    before = me.get("/v1/me/usage").json()["stored_bytes"]
    job = stores.split("me@example.com", *PARTS)
    after = me.get("/v1/me/usage").json()["stored_bytes"]
    stored = stores.chunks("mp3s")

    deleted = me.delete(f"/v1/jobs/{job.id}")

    assert after - before >= 2 * sum(map(len, PARTS))
    assert (deleted.status_code, stored > 0, stores.chunks("mp3s")) == (204, True, 0)
