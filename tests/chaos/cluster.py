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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from dev import mailpit
from dev.cluster import NAMESPACE, forwarded

HERE = Path(__file__).parent
DOOR = "ingress-nginx"
JOBS = 30
VIDEO_SECONDS = 240
OURS = ("auth", "gateway", "reconciler", "converter", "notification")
WAIT = "--timeout=300s"
COUNT_MP3S = """
import pymongo, pathlib
files = pymongo.MongoClient(pathlib.Path("/run/secrets/mongodb_url").read_text().strip()).mp3s["fs.files"]
print("\\n".join(file["_id"].split(".")[0] for file in files.find({}, {"_id": 1})))
"""


def kubectl(*arguments: str, text: str | None = None, namespace: str = NAMESPACE) -> str:
    """Run kubectl and return what it printed."""
    command = ["kubectl", "--namespace", namespace, *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def delete_every_pod() -> None:
    """One after another, each replaced before the next goes."""
    for name in (*OURS, "rabbitmq"):
        kind = "statefulset" if name == "rabbitmq" else "deployment"
        for pod in kubectl("get", "pods", "-l", f"app.kubernetes.io/name={name}", "-o", "name").split():
            say(f"delete {pod}")
            kubectl("delete", pod, "--wait=false")
            kubectl("rollout", "status", f"{kind}/{name}", WAIT)


def restart_every_deployment() -> None:
    """A rollout of each, one after another."""
    for name in OURS:
        say(f"restart {name}")
        kubectl("rollout", "restart", f"deployment/{name}")
        kubectl("rollout", "status", f"deployment/{name}", WAIT)


def scale_converters() -> None:
    """Up to four, and down to one in mid-work."""
    for replicas in (1, 4, 1):
        say(f"scale converter to {replicas}")
        kubectl("scale", "deployment/converter", f"--replicas={replicas}")
        kubectl("rollout", "status", "deployment/converter", WAIT)
        time.sleep(5)


def kill_converters() -> None:
    """Without any grace, as when a node dies."""
    for pod in kubectl("get", "pods", "-l", "app.kubernetes.io/name=converter", "-o", "name").split():
        say(f"kill {pod}")
        kubectl("delete", pod, "--grace-period=0", "--force")
    kubectl("rollout", "status", "deployment/converter", WAIT)


PROMISES = ("lost", "mp3s_doubled", "mails_doubled", "retried_more")
"""What must be nothing."""
ROUNDS: dict[str, Callable[[], None]] = {
    "delete": delete_every_pod,
    "restart": restart_every_deployment,
    "scale": scale_converters,
    "kill": kill_converters,
}


def main() -> int:
    """Run the rounds that are named, or all; return 0 when all promises were kept."""
    names = sys.argv[1:] or list(ROUNDS)
    make_client_pod()
    results = [judge(name, ROUNDS[name]) for name in names]
    kubectl("delete", "pod", "chaos", "--wait=false", namespace=DOOR)
    return 0 if all(results) else 1


def make_client_pod() -> None:
    """A pod from the gateway's image, which has httpx, with a user and a video."""
    image = kubectl("get", "deployment/gateway", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
    subprocess.run(["kubectl", "create", "namespace", DOOR], capture_output=True, check=False)
    kubectl("delete", "pod", "chaos", "--ignore-not-found", "--now", namespace=DOOR)
    kubectl("run", "chaos", f"--image={image}", "--command", "--", "sleep", "7200", namespace=DOOR)
    kubectl("wait", "--for=condition=Ready", "pod/chaos", WAIT, namespace=DOOR)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.mp4"
        noise = f"anoisesrc=duration={VIDEO_SECONDS}"
        ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
        subprocess.run(
            [ffmpeg, "-v", "error", "-f", "lavfi", "-i", noise, "-c:a", "aac", "-b:a", "64k", video],
            check=True,
        )
        subprocess.run(
            ["kubectl", "exec", "-n", DOOR, "-i", "chaos", "--", "sh", "-c", "cat > /tmp/video.mp4"],
            stdin=video.open("rb"),
            check=True,
        )


def judge(name: str, disturb: Callable[[], None]) -> bool:
    """Run one round under load and say what came of it."""
    user, password = f"{name}-{secrets.token_hex(3)}@example.com", secrets.token_hex(12)
    kubectl("exec", "-i", "deployment/auth", "--", "python", "-m", "auth.users", "add", user, text=password)
    arguments = ["http://gateway.video-to-mp3:8080", user, password, str(JOBS), "1"]
    command = ["kubectl", "exec", "-n", DOOR, "-i", "chaos", "--", "python", "-", *arguments]
    with (HERE / "client.py").open("rb") as program:
        clients = subprocess.Popen(command, stdin=program, stdout=subprocess.PIPE, text=True)
    began = time.monotonic()
    time.sleep(5)  # jobs are on their way
    disturb()
    disturbed = time.monotonic() - began
    output, _ = clients.communicate(timeout=2400)
    happened = json.loads(output)
    found = promises(happened, user)
    seconds = f"{disturbed:.0f} s of disturbance, {time.monotonic() - began:.0f} s in all"
    found |= {"round": name, "time": seconds, "errors": Counter(happened["errors"])}
    say(json.dumps(found, indent=1))
    broken = [promise for promise in PROMISES if found[promise]]
    say(f"{name}: {', '.join(broken) or 'kept'}")
    return not broken and len(happened["jobs"]) == JOBS


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


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - the report


if __name__ == "__main__":
    sys.exit(main())
