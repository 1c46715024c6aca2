"""The suite on Kubernetes: `python -m dev.cluster minikube|up|demo|status|down|secrets`.

Works on whatever cluster kubectl's current context names.  The environment variable LOAD_IMAGE is the
command that hands an image of the local Docker to the cluster's nodes; its name is appended.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev import mailpit
from dev.demo import CLIP, USER, Demo, Words
from dev.errors import CannotRun
from dev.ports import free_ports
from dev.program import answers
from dev.secret_files import keep, keep_all
from dev.services import FIRST_ADMIN
from dev.waiting import WORD_SECONDS

CLONE = Path(__file__).resolve().parent.parent
OVERLAY = CLONE / "manifests" / "overlays" / "minikube"
SECRETS = CLONE / "manifests" / "components" / "secret-files" / ".secrets"
NAMESPACE = "video-to-mp3"
OURS = ("auth", "gateway", "converter", "notification")
MINIKUBE_LOADER = "minikube image load"
CPUS, MEMORY_GB = 2, 4
"""The node that minikube is given; the overlay fits on it."""
ADDONS = ("ingress", "metrics-server")
WAIT = "900s"
"""The first time, three servers are pulled from a registry."""


def up() -> None:
    """Build the images, hand them to the cluster, apply everything and wait until all of it is ready.

    Again at will: what changed is rolled.

    Raises:
        CannotRun: something is missing, or does not become ready.
    """
    _look()
    make_secrets(SECRETS)
    tags = {name: _build(name) for name in OURS}
    rendered = _run("kubectl", "kustomize", str(OVERLAY))
    for name, tag in tags.items():
        rendered = rendered.replace(f"image: {name}:dev\n", f"image: {tag}\n")
    _load(sorted(set(re.findall(r"^ *(?:- )?image: (\S+)$", rendered, re.MULTILINE))))
    _say("applying the manifests")
    _kubectl("delete", "job", "auth-migrate", "--ignore-not-found")  # a Job cannot be changed in place
    _run("kubectl", "apply", "--filename", "-", text=rendered)
    _wait()


def demo() -> None:
    """Bring everything up and convert a video through the cluster's own door.

    Raises:
        CannotRun: a step did not work.
    """
    up()
    with forwarded("gateway", 8080) as gateway_url, forwarded("mailpit", 8025) as mails_url:
        Demo(Suite(gateway_url, mails_url), words=WORDS_OF_THE_DEMO).run(Path(os.environ.get("FILE") or CLIP))


def minikube() -> None:
    """Have a minikube with an ingress and policies that are enforced, and run the demo on it."""
    if _fails("minikube", "status"):
        _say("starting minikube; the first start takes a few minutes")
        _run("minikube", "start", f"--cpus={CPUS}", f"--memory={MEMORY_GB}g", "--cni=calico")
    for addon in ADDONS:  # those of one that runs may be off
        _run("minikube", "addons", "enable", addon)
    _run("kubectl", "config", "use-context", "minikube")
    demo()
    address = _run("minikube", "ip").strip()
    _say(
        f"\nFor http://mp3converter.com, add this line to /etc/hosts (on macOS and Windows write 127.0.0.1 "
        f"and keep `minikube tunnel` running):\n  {address} mp3converter.com rabbitmq-manager.com"
    )


def make_secrets(folder: Path) -> None:
    """Fill `folder` with what the component `secret-files` reads and is not there yet."""
    keep_all(folder)
    rabbitmq = keep(folder / "rabbitmq_password")
    keep(folder / "rabbitmq_http_url", f"http://app:{rabbitmq}@rabbitmq.{NAMESPACE}:15672/")


def status() -> None:
    """Print the pods, and how they are reached.

    Raises:
        CannotRun: there are none.
    """
    pods = _kubectl("get", "pods", "--output", "wide")
    if not pods:
        raise CannotRun(f"nothing is up on the cluster {_context()}: make cluster-demo")
    sys.stdout.write(f"{pods}\n{REACH}\n")


def down() -> None:
    """Remove the suite with all that it stored, and the files of its secrets."""
    _say(f"removing the suite from the cluster {_context()}")
    make_secrets(SECRETS)  # or nothing can be rendered
    # What they still work on goes too; a pod that was given its own grace keeps it, whatever is said later.
    _kubectl("delete", "deployment,replicaset,statefulset,job", "--all", "--cascade=orphan")
    _kubectl("delete", "pods", "--all", "--grace-period=5")
    _run("kubectl", "delete", "--ignore-not-found", "--kustomize", str(OVERLAY))
    shutil.rmtree(SECRETS)


@contextmanager
def forwarded(service: str, port: int) -> Iterator[str]:
    """Reach a service of the cluster at the URL that is given, for as long as the context lasts."""
    [local] = free_ports(1)
    command = ["kubectl", "--namespace", NAMESPACE, "port-forward", f"service/{service}", f"{local}:{port}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:  # noqa: S603 - built above
        try:
            deadline = time.monotonic() + 30
            while not answers(local, speaks_first=False):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise CannotRun(f"kubectl cannot reach {service}; its own words are above")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{local}"
        finally:
            process.terminate()


@dataclass(frozen=True, slots=True)
class Suite:
    """The running pods as the demo uses them."""

    gateway_url: str
    mails_url: str
    secrets: Path = SECRETS

    def users(self, *arguments: str, password: str = "") -> None:
        """Run auth's operators' tool, with a password on its standard input."""
        _kubectl(
            "exec", "-i", "deployment/auth", "--", "python", "-m", "auth.users", *arguments, text=password
        )

    def mails(self, to: str) -> list[str]:
        """Return the text of each mail to one address, the oldest first."""
        return mailpit.mails(self.mails_url, to)


def _look() -> None:
    """Say which cluster it is, and see before minutes of building that everything needed answers."""
    context, loader = _context(), _loader()[0]
    _run("kubectl", "get", "--raw", "/readyz", "--request-timeout=20s")
    if shutil.which(loader) is None:
        raise CannotRun(
            f"{loader}, which loads images onto the nodes, is not installed; to use another command:\n"
            '  LOAD_IMAGE="kind load docker-image" make cluster-demo'
        )
    if _fails("docker", "version"):
        raise CannotRun("docker, which builds the images, does not answer: install or start it")
    _say(f"installing on the cluster {context}, kubectl's current context")


def _context() -> str:
    return _run("kubectl", "config", "current-context").strip()


def _loader() -> list[str]:
    return shlex.split(os.environ.get("LOAD_IMAGE") or MINIKUBE_LOADER)


def _build(name: str) -> str:
    """Build a service's image and return its name, with a tag that changes with its content."""
    _say(f"building {name}")
    dockerfile = ("--file", f"{name}/Dockerfile", "--tag", f"{name}:dev")
    built = _run("docker", "build", "--quiet", "--network", "host", *dockerfile, ".")
    tag = f"{name}:{built.strip().removeprefix('sha256:')[:12]}"
    _run("docker", "tag", f"{name}:dev", tag)
    return tag


def _load(images: list[str]) -> None:
    """Hand the nodes those images that Docker has and they have not."""
    loader = _loader()
    # A node tells of fifty images at most; minikube of all.
    listing = ("kubectl", "get", "nodes", "--output", "jsonpath={.items[*].status.images[*].names[*]}")
    there = set(_run(*(("minikube", "image", "ls") if loader[0] == "minikube" else listing)).split())
    for image in images:
        on_node = bool({f"docker.io/library/{image}", f"docker.io/{image}", image} & there)
        if not on_node and not _fails("docker", "image", "inspect", image):
            _say(f"loading {image}")
            _run(*loader, image)


def _fails(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0  # noqa: S603 - never a shell


def _wait() -> None:
    """Return when the migration is complete and every workload is rolled out."""
    for kind in ("statefulset", "deployment"):
        for workload in _kubectl("get", kind, "--output", "name").split():
            if workload.endswith("/auth"):
                _say("waiting for the migration")
                _kubectl("wait", "--for=condition=Complete", "job/auth-migrate", f"--timeout={WAIT}")
            _say(f"waiting for {workload}")
            _kubectl("rollout", "status", workload, f"--timeout={WAIT}")


def _kubectl(*arguments: str, text: str = "") -> str:
    return _run("kubectl", "--namespace", NAMESPACE, *arguments, text=text)


def _run(*command: str, text: str = "") -> str:
    if shutil.which(command[0]) is None:
        raise CannotRun(f"{command[0]} is not installed")
    began, given = time.monotonic(), text or None
    with subprocess.Popen(  # noqa: S603 - never a shell
        command, cwd=CLONE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while True:
            try:
                said, complaint = process.communicate(given, timeout=WORD_SECONDS)
                break
            except subprocess.TimeoutExpired:
                given = None
                _say(f"  … {_verb(command)} ({time.monotonic() - began:.0f} s)")
    if process.returncode != 0:
        raise CannotRun(f"{shlex.join(command)} failed:\n{(complaint or said).strip()}")
    return said


def _verb(command: tuple[str, ...]) -> str:
    """Return the first words of a command, without those that all of them share."""
    return shlex.join([word for word in command if word not in ("--namespace", NAMESPACE)][:3])


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


REACH = f"""\
To reach it at http://localhost:8080, and its mails at http://localhost:8025:
  kubectl -n {NAMESPACE} port-forward service/gateway 8080:8080
  kubectl -n {NAMESPACE} port-forward service/mailpit 8025:8025
The first administrator is {FIRST_ADMIN}, the demo's user {USER}; the passwords:
  cat {SECRETS.relative_to(CLONE)}/first_admin_password
  cat {SECRETS.relative_to(CLONE)}/demo_password"""
WORDS_OF_THE_DEMO = Words(
    afterwards=f"""\
The suite stays up; only the port in the commands above was the demo's own.
{REACH}
Links in its mails name mp3converter.com. Unless your /etc/hosts leads that name to the cluster, it is a
stranger's: put http://localhost:8080 in its place.
To try next:
  make cluster-status   its pods
  make cluster-down     remove it with all that it stored""",
    doctor=f"kubectl -n {NAMESPACE} exec deployment/gateway -- python -m gateway.doctor",
    logs=f"kubectl -n {NAMESPACE} logs deployment/notification",
)

WORDS: dict[str, Callable[[], None]] = {
    "minikube": minikube,
    "up": up,
    "demo": demo,
    "status": status,
    "down": down,
    "secrets": lambda: make_secrets(SECRETS),
}


def main() -> int:
    """Do what the one argument says; return the process's exit status."""
    try:
        WORDS[sys.argv[1]]()
    except CannotRun as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
