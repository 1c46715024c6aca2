"""Disturb a suite that is up on kubectl's current cluster while jobs run: `python -m tests.chaos.cluster`.

The clients run in a pod in the namespace `ingress-nginx`, the only place from which the policies let
anybody knock.  Exits 1 when a job or an MP3 was lost or doubled, a mail was sent twice, or a client
had to try a request more than twice.
"""

import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from dev import mailpit
from dev.cluster import forwarded
from tests.chaos.kubectl import WAIT, kubectl, say
from tests.chaos.rounds import ROUNDS, Load, Round

HERE = Path(__file__).parent
DOOR = "ingress-nginx"
VIDEO_SECONDS = 900
CPU_OF_ITS_OWN = {
    "spec": {
        "priorityClassName": "video-to-mp3-data",
        "containers": [{"name": "chaos", "resources": {"requests": {"cpu": "100m"}}}],
    }
}
"""Or the clients would have what the suite leaves, and give way to one more gateway."""
COUNT_MP3S = """
import pymongo, pathlib
files = pymongo.MongoClient(pathlib.Path("/run/secrets/mongodb_url").read_text().strip()).mp3s["fs.files"]
print("\\n".join(file["_id"].split(".")[0] for file in files.find({}, {"_id": 1})))
"""


PROMISES = ("lost", "mp3s_doubled", "mails_doubled", "retried_more")
"""What must be nothing."""


def main() -> int:
    """Run the rounds that are named, or all; return 0 when all promises were kept."""
    names = sys.argv[1:] or list(ROUNDS)
    make_client_pod()
    results = [judge(name, ROUNDS[name]) for name in names]
    remove_client_pod()
    return 0 if all(results) else 1


def remove_client_pod() -> None:
    """And with it the clients that may be left."""
    kubectl("delete", "pod", "chaos", "--ignore-not-found", "--now", namespace=DOOR)


def make_client_pod(at_least: int = 0) -> None:
    """A pod from the gateway's image, which has httpx, with a video of at least so many bytes."""
    image = kubectl("get", "deployment/gateway", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    subprocess.run(["kubectl", "create", "namespace", DOOR], capture_output=True, check=False)
    remove_client_pod()
    more = ("--override-type=strategic", f"--overrides={json.dumps(CPU_OF_ITS_OWN)}")
    kubectl("run", "chaos", f"--image={image}", *more, "--command", "--", "sleep", "7200", namespace=DOOR)
    kubectl("wait", "--for=condition=Ready", "pod/chaos", WAIT, namespace=DOOR)
    with tempfile.TemporaryDirectory() as folder:
        video = make_video(Path(folder), at_least)
        command = ["kubectl", "exec", "-n", DOOR, "-i", "chaos", "--", "sh", "-c", "cat > /tmp/video.mp4"]
        subprocess.run(command, stdin=video.open("rb"), check=True)


def make_video(folder: Path, at_least: int) -> Path:
    """A quarter of an hour of noise, and behind them an MP4's box that everybody passes over."""
    video = folder / "video.mp4"
    source = ("-f", "lavfi", "-i", f"anoisesrc=duration={VIDEO_SECONDS}")
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, "-c:a", "aac", "-b:a", "64k", video]
    subprocess.run(ffmpeg, check=True)
    missing = at_least - video.stat().st_size
    if missing > 0:
        with video.open("ab") as file:
            file.write(missing.to_bytes(4, "big") + b"free" + bytes(missing - 8))
    return video


def judge(name: str, round_: Round) -> bool:
    """Run one round under load and say what came of it."""
    clients = {f"{name}-{secrets.token_hex(3)}@example.com": load for load in round_.loads}
    running = {user: start(user, load) for user, load in clients.items()}
    began = time.monotonic()
    time.sleep(5)  # jobs are on their way
    round_.disturb()
    disturbed = time.monotonic() - began
    kept = True
    for user, process in running.items():
        output, _ = process.communicate(timeout=2400)
        happened = json.loads(output)
        found = {"round": name, "wanted": clients[user].jobs, **promises(happened, user)}
        seconds = f"{disturbed:.0f} s of disturbance, {time.monotonic() - began:.0f} s in all"
        say(json.dumps(found | {"time": seconds, "errors": Counter(happened["errors"])}, indent=1))
        broken = [promise for promise in PROMISES if found[promise]]
        kept &= not broken and found["accepted"] == found["wanted"]
        say(f"{name}: {', '.join(broken) or 'kept'}")
    return kept


def start(user: str, load: Load) -> "subprocess.Popen[str]":
    """Start the clients of a new user in the pod."""
    password = secrets.token_hex(12)
    kubectl("exec", "-i", "deployment/auth", "--", "python", "-m", "auth.users", "add", user, text=password)
    numbers = map(str, (load.jobs, load.every, load.looks))
    arguments = ["http://gateway.video-to-mp3:8080", user, password, *numbers]
    command = ["kubectl", "exec", "-n", DOOR, "-i", "chaos", "--", "python", "-", *arguments]
    with (HERE / "client.py").open("rb") as program:
        return subprocess.Popen(command, stdin=program, stdout=subprocess.PIPE, text=True)


def promises(happened: dict[str, Any], user: str) -> dict[str, Any]:
    """What must be zero, and what is worth knowing."""
    jobs = happened["jobs"]
    mp3s = Counter(kubectl("exec", "deployment/gateway", "--", "python", "-c", COUNT_MP3S).split())
    with forwarded("mailpit", 8025) as url:
        deadline = time.monotonic() + 60
        while len(mails := mailpit.mails(url, user)) < len(jobs) and time.monotonic() < deadline:
            time.sleep(1)
    mailed = {job_id: sum(job_id in mail for mail in mails) for job_id in jobs}
    return {
        "accepted": len(jobs),
        "done": sum(state == "done" for state in jobs.values()),
        "lost": [job_id for job_id, state in jobs.items() if state != "done" or not mailed[job_id]],
        "mp3s_doubled": [job_id for job_id in jobs if mp3s[job_id] > 1],
        "mails_doubled": [job_id for job_id, number in mailed.items() if number > 1],
        "different_mp3s": len(set(happened["sha256"].values())),
        "retried": happened["retried"],
        "retried_more": happened["retried_more"],
    }


if __name__ == "__main__":
    sys.exit(main())
