"""Search logs for whatever lets somebody in: by its form, and all that the tests were handed out."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    import httpx  # which the services' unit tests do without

FORMS = {
    "a token": rb"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{16,}",
    "a personal key": rb"v2m_[0-9A-Za-z]{16,}",
    "a webhook's secret": rb"whsec_[0-9A-Za-z+/]{16,}",
    "an unguessable address": rb"/(?:s|feeds)/[\w-]{20,}",
    "a session": rb"session=[\w-]{20,}",
    "a password": rb"[Bb]asic +(?=[a-z]*[0-9A-Z+/])[0-9A-Za-z+/]{12,}",
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY",
}
"""What each looks like, so that one is found that no test knew of."""
LEAST = 8
"""Nothing shorter is searched for: it would be found by chance."""


class HandedOut:
    """What tests were given that lets somebody in."""

    def __init__(self) -> None:
        self._values: dict[bytes, str] = {}

    def add(self, what: str, value: str) -> None:
        """Search for this too, as it is and as it is sent."""
        if len(value) < LEAST:
            return
        self._values[value.encode()] = what
        self._values[quote(value, safe="").encode()] = what
        for text in (value, f":{value}"):
            self._values |= dict.fromkeys(_in_base64(text.encode()), what)

    def add_files(self, folder: Path) -> None:
        """Search for what a stack's servers were given: a password, a URL with one."""
        for file in folder.iterdir():
            if file.is_file():
                text = file.read_text().strip()
                self.add(
                    f"the secret {file.name}", (urlsplit(text).password or "") if "://" in text else text
                )

    def watch(self, answer: "httpx.Response") -> None:
        """Add what an answer hands out; the event hook of a client."""
        for name, value in answer.cookies.items():
            self.add(f"the cookie {name}", value)
        of_json = answer.headers.get("Content-Type", "").startswith("application/json")
        if answer.is_success and of_json and answer.read():
            content = answer.json()
            if isinstance(content, dict):
                self._note(content)

    def _note(self, content: dict[str, object]) -> None:
        for name in ("key", "secret", "token"):
            if isinstance(value := content.get(name), str):
                self.add(f"a {name}", value)
        if isinstance(url := content.get("url"), str) and re.search("/(s|feeds)/", url):
            self.add("an address", Path(urlsplit(url).path).stem)

    def found_in(self, folder: Path) -> list[str]:
        """Return where in the logs below a folder one of these stands, without the thing itself."""
        return [place for log in sorted(folder.rglob("*.log*")) for place in self._told(log)]

    def _told(self, log: Path) -> Iterator[str]:
        if log.is_symlink() or not log.is_file():
            return
        text = log.read_bytes()
        for match in re.finditer(b"|".join(b"(%s)" % form for form in FORMS.values()), text):
            yield _place(log, text, match.start(), list(FORMS)[(match.lastindex or 1) - 1])
        for value, what in self._values.items():
            if (at := text.find(value)) >= 0:
                yield _place(log, text, at, what)


handed_out = HandedOut()
"""Of this process: its clients and its servers add to it."""


def _place(log: Path, text: bytes, at: int, what: str) -> str:
    line = text.count(b"\n", 0, at) + 1
    return f"{log}:{line}: {what}"


def _in_base64(secret: bytes) -> set[bytes]:
    """Return what stands in the middle of a text in Base64 if the secret stands in what it encodes."""
    found = set()
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret)
        # Characters that carry bits of what stands around it are left away.
        found.add(whole[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6])
    return {text for text in found if len(text) >= LEAST}
