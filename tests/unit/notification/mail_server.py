"""A mail server that does what a test tells it to: answers by a script, cuts, keeps silent, trickles."""

import socket
import threading
from collections.abc import Mapping
from typing import Self

CUT = "cut the connection"
SILENCE = "never answer"
TRICKLE = "one byte now and then, without end"
TRICKLE_SECONDS = 0.02
GOOD = {
    "greeting": "220 mail.example.com",
    "EHLO": "250-mail.example.com\r\n250 AUTH PLAIN LOGIN",
    "AUTH": "235 welcome",
    "DATA": "354 go on",
    "QUIT": "221 bye",
}


class MailServer:
    """Listens on loopback while it is entered; `script` replaces answers, by the command's first word.

    `greeting` stands for the greeting, `.` for the end of the text.
    """

    def __init__(self, script: Mapping[str, str] = {}, wait_at: str = "") -> None:
        self._script = {**GOOD, **script}
        self._wait_at = wait_at
        self.arrived, self.go_on = threading.Event(), threading.Event()
        """With `wait_at`: that command came; set the other, and it is answered."""
        self.texts: list[bytes] = []
        self.commands: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # `accept` would not notice a close
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        try:
            with connection, connection.makefile("rb") as lines:
                command = "greeting"
                while self._answer(connection, command):
                    if command == "DATA" and self._script["DATA"].startswith("354"):
                        self.texts.append(b"".join(iter(lines.readline, b".\r\n")))
                        command = "."
                    else:
                        command = lines.readline().decode("latin-1").strip().partition(" ")[0].upper()
                        self.commands += [command]
        except OSError:
            return  # the client is gone

    def _answer(self, connection: socket.socket, command: str) -> bool:
        """Answer one command, and return whether the session goes on."""
        answer = self._script.get(command, "250 ok")
        if command == self._wait_at:
            self.arrived.set()
            self.go_on.wait(30)
        if answer == SILENCE:
            connection.recv(1)  # until the client hangs up
        elif answer == TRICKLE:
            while True:
                connection.sendall(b"2")
                threading.Event().wait(TRICKLE_SECONDS)
        elif command and answer != CUT:
            connection.sendall(answer.encode() + b"\r\n")
            return command != "QUIT"
        return False
