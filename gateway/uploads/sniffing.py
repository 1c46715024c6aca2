"""Tell from its first bytes that a file is certainly neither a video nor a sound.

`filetype` knows the formats; text has no signature and is recognized here.
In doubt the answer is no: the converter looks at the whole file, and says more.
"""

import filetype

HEAD_BYTES = 4096

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r\x1b"))


class NotMedia(Exception):
    """The file is surely neither a video nor a sound."""

    def __init__(self, looks_like: str) -> None:
        super().__init__(looks_like)
        self.looks_like = looks_like


class Sniffer:
    """Looks at the beginning of a file as it comes."""

    def __init__(self, head: bytes = b"") -> None:
        self._head = head

    def take(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            NotMedia: by now it is sure.
        """
        if len(self._head) < HEAD_BYTES:
            self._head = (self._head + data)[:HEAD_BYTES]
            if len(self._head) == HEAD_BYTES:
                self._judge()

    def end(self) -> None:
        """Judge a file that has come to its end.

        Raises:
            NotMedia: it is sure.
        """
        if len(self._head) < HEAD_BYTES:
            self._judge()

    def _judge(self) -> None:
        looks_like = not_media(self._head)
        if looks_like is not None:
            raise NotMedia(looks_like)


def not_media(head: bytes) -> str | None:
    """Return what a file looks like that certainly holds no sound, or `None`."""
    if not head:
        return "an empty file"
    kind = filetype.guess(head)
    if kind is not None:
        media = kind.mime.partition("/")[0] in ("audio", "video")
        return None if media else f"{kind.extension.upper()} ({kind.mime})"
    return "text" if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    if head.translate(None, _CONTROLS) != head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) == HEAD_BYTES and error.start >= HEAD_BYTES - 3  # a letter cut at the end
    return True
