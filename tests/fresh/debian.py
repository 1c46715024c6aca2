"""A minimal Debian in a folder, and commands that run in it as if the machine had nothing else.

Made by mmdebstrap from the mirror that this machine's own apt uses.  A command has process ids and mounts
of its own: what it leaves running ends with it, and no mount outlives it.
"""

import os
import re
import selectors
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

PACKAGES = "ca-certificates,curl,git,make,sudo"
OWN_SETTINGS = ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/uv", "etc/ssl/certs")
"""How this machine reaches the registries of packages."""
OWN_NAMES = re.compile(r"(SSL_CERT|PIP|UV|NODE_EXTRA_CA)_\w+|(https?|no|HTTPS?|NO)_(proxy|PROXY)")
INSIDE = """\
root=$1; shift
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"
"""
USERS = {"root": "/root", "sudoer": "/home/sudoer", "guest": "/home/guest"}


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command said, how it ended, and how long it was, and was silent at a stretch."""

    status: int
    said: str
    seconds: float
    silent: float


class Debian:
    """One release, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def build(cls, release: str, folder: Path) -> "Debian":
        """Make it, with a user who may sudo and one who may not."""
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", release]
        subprocess.run([*command, folder, _mirror()], check=True)
        for name in OWN_SETTINGS:
            if Path("/", name).exists():
                subprocess.run(["cp", "-rT", Path("/", name), folder / name], check=True)
        debian = cls(folder)
        for user in ("sudoer", "guest"):
            ran = debian.run("root", f"useradd --create-home --shell /bin/bash {user}")
            assert ran.status == 0, ran.said
        (folder / "etc/sudoers.d/sudoer").write_text("sudoer ALL=(ALL) NOPASSWD: ALL\n")
        return debian

    def copy(self, folder: Path) -> "Debian":
        """Return another like it."""
        subprocess.run(["cp", "--archive", self.folder, folder], check=True)
        return Debian(folder)

    def run(self, user: str, script: str, limit: float = 3600) -> Ran:
        """Run a script of bash in a user's home."""
        home = USERS[user]
        kept = {name: value for name, value in os.environ.items() if OWN_NAMES.fullmatch(name)}
        around = {
            "HOME": home,
            "USER": user,
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            **kept,
        }
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", INSIDE, "inside"]
        command += [str(self.folder), "runuser", "-u", user, "--", "bash", "-c", f"cd {home} && {script}"]
        return _watched(command, around, limit)


def _watched(command: list[str], environment: dict[str, str], limit: float) -> Ran:
    began = heard = time.monotonic()
    silent, said = 0.0, b""
    with (
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
        selectors.DefaultSelector() as selector,
    ):
        assert process.stdout is not None
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() - began < limit:
            ready = selector.select(1)
            piece = os.read(process.stdout.fileno(), 65536) if ready else b""
            now = time.monotonic()
            silent = max(silent, now - heard)
            if piece:
                heard, said = now, said + piece
            if ready and not piece:
                break
        else:
            process.kill()
        status = process.wait()
    return Ran(status, said.decode(errors="replace"), time.monotonic() - began, silent)


def _mirror() -> str:
    release = re.search(r"^VERSION_CODENAME=(\S+)$", Path("/etc/os-release").read_text(), re.MULTILINE)
    assert release is not None
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
    known = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return next(line.split()[0] for line in known if line.split()[1] == release[1])
