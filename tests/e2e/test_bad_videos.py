"""A bad video is a result: its owner is told what is wrong and what to do, and the next job runs."""

from pathlib import Path

import pytest

from tests.e2e.conftest import CLIP, User

BAD = {
    "a text file": b"These are the minutes of the last meeting.\n" * 40,
    "an empty file": b"",
    "a video without sound": "silent_film",
    "a video that lost its end": CLIP.read_bytes()[:4000],
}


@pytest.mark.parametrize("what", BAD)
def test_the_owner_of_a_bad_video_is_told_and_the_next_job_runs(
    what: str, user: User, request: pytest.FixtureRequest
) -> None:
    bad = BAD[what]
    video = bad if isinstance(bad, bytes) else request.getfixturevalue(bad).read_bytes()

    bad_id = user.upload(video, "holiday.mp4")
    good_id = user.upload(CLIP)

    failed = user.outcome(bad_id)
    mail = user.the_mail(bad_id)
    assert failed["state"] == "failed"
    assert "holiday.mp4" in mail
    assert " ".join(failed["error"]["message"].split()) in " ".join(mail.split())
    assert " ".join(failed["error"]["hint"].split()) in " ".join(mail.split())
    assert failed["error"]["hint"]
    assert user.outcome(good_id)["state"] == "done"


def test_a_failed_job_has_no_mp3_to_download(user: User, silent_film: Path) -> None:
    job_id = user.upload(silent_film)
    user.outcome(job_id)

    answer = user.http.get("/download", params={"fid": job_id})

    assert answer.status_code == 409
    assert answer.text == "there is no MP3 to download: the job is failed"
