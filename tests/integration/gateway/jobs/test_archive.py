"""Several MP3s as one download, and the waveform of one."""

import io
import subprocess
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.integration.gateway.conftest import Gateway, Stores


def test_several_mp3s_come_as_one_zip_with_its_length_told_before(me: httpx.Client, stores: Stores) -> None:
    jobs = [stores.done("me@example.com", f"mp3 {n}".encode() * 200_000, f"{n}.mp4") for n in range(3)]
    url = f"/v1/jobs/archive?ids={','.join(job.id for job in jobs)}"

    head, answer = me.head(url), me.get(url)

    assert answer.headers["Content-Type"] == "application/zip"
    assert int(head.headers["Content-Length"]) == int(answer.headers["Content-Length"]) == len(answer.content)
    assert 'filename="mp3s.zip"' in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == ["0.mp3", "1.mp3", "2.mp3"]
    again = me.get(url, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_a_download_that_broke_off_goes_on_where_it_ended(
    gateway: Gateway, me: httpx.Client, stores: Stores, tmp_path: Path
) -> None:
    jobs = [stores.done("me@example.com", bytes([n]) * 3_000_000, "talk.mp4") for n in range(2)]
    url = f"{gateway.url}/v1/jobs/archive?ids={jobs[0].id},{jobs[1].id}"
    whole = me.get(url).content
    file = tmp_path / "mp3s.zip"
    file.write_bytes(whole[:3_500_000])

    curl = ["curl", "-fsS", "-C", "-", "-o", str(file), "-H", f"Authorization: {me.headers['Authorization']}"]
    subprocess.run([*curl, url], check=True, timeout=60)

    assert file.read_bytes() == whole
    changed = me.get(url, headers={"Range": "bytes=5-", "If-Range": '"of before"'})
    assert (changed.status_code, changed.content) == (200, whole)


@pytest.mark.parametrize(
    ("ids", "status", "code"),
    [
        ("", 422, "invalid_parameter"), (",", 422, "invalid_parameter"),
        ("{mine},", 422, "invalid_parameter"),
        ("{mine},{theirs}", 404, "no_such_job"), ("{mine},x", 404, "no_such_job"),
        ("{mine},{queued}", 409, "not_ready"), (",".join(map(str, range(101))), 422, "invalid_parameter"),
    ],
)  # fmt: skip
def test_what_cannot_be_in_a_zip_is_told(
    me: httpx.Client, stores: Stores, ids: str, status: int, code: str
) -> None:
    known = {
        "mine": stores.done("me@example.com", b"1").id,
        "theirs": stores.done("other@example.com", b"1").id,
        "queued": stores.queued().id,
    }

    answer = me.get(f"/v1/jobs/archive?ids={ids.format(**known)}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_job_that_is_named_twice_is_there_once(me: httpx.Client, stores: Stores) -> None:
    job = stores.done("me@example.com", b"1")

    answer = me.get(f"/v1/jobs/archive?ids={job.id},{job.id}")

    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == ["talk.mp3"]


def test_a_waveform_is_told_and_goes_with_its_mp3(me: httpx.Client, stores: Stores) -> None:
    job = stores.done("me@example.com", b"mp3")

    links = me.get(f"/v1/jobs/{job.id}").json()["links"]
    answer = me.get(links["peaks"])

    assert answer.json() == {"peaks": [7, 8]}
    assert me.get(links["peaks"], headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    me.delete(f"/v1/jobs/{job.id}")
    assert me.get(links["peaks"]).status_code == 404


def test_an_mp3_without_a_waveform_is_told(me: httpx.Client, stores: Stores) -> None:
    without, queued = stores.done("me@example.com", b"1"), stores.queued()
    stores.client["jobs"]["jobs"].update_one({"_id": without.id}, {"$unset": {"result.peaks": 1}})
    stores.client["mp3s"]["fs.files"].update_many({}, {"$unset": {"metadata.peaks": 1}})

    assert "peaks" not in me.get(f"/v1/jobs/{without.id}").json()["links"]
    assert me.get(f"/v1/jobs/{without.id}/peaks").json()["code"] == "no_peaks"
    assert me.get(f"/v1/jobs/{queued.id}/peaks").json()["code"] == "not_ready"
