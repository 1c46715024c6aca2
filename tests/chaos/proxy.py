"""A TCP proxy that misbehaves when it is told to: `with Proxy(port).on(Latency(0.1), "up"):`.

It runs on a thread of its own, and its methods may be called from any other.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self, TypeVar

from tests.chaos.toxics import Direction, Down, Link, Switched, Timeout, Toxic

PIECE_BYTES = 32 * 1024
PIECES_UNDER_WAY = 64
"""How much a delayed direction holds before it stops reading."""
CALL_SECONDS = 10.0
RESETTING = struct.pack("ii", 1, 0)
"""SO_LINGER of 0 s: closing sends RST and throws away what was not sent."""
DIRECTIONS: tuple[Direction, ...] = ("up", "down")

T = TypeVar("T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Connection:
    """One client, one connection to the server, and the two directions between them."""

    def __init__(self, client: Streams, server: Streams) -> None:
        self._client, self._server = client, server
        self._links: list[Link] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._last = time.monotonic()
        self.ended = asyncio.Event()

    @property
    def idle(self) -> float:
        """Seconds since anything was received from either side."""
        return time.monotonic() - self._last

    def switch_on(self, switched: Switched) -> None:
        """Let a toxic begin."""
        link = Link(self, switched)
        self._links.append(link)
        self._start(switched.toxic.begin(link))

    async def run(self) -> None:
        """Carry bytes until both sides have ended, or the connection is closed."""
        both = asyncio.gather(
            self._start(self._carry(self._client[0], self._server[1], "up")),
            self._start(self._carry(self._server[0], self._client[1], "down")),
        )
        both.add_done_callback(lambda _: self._over.set())
        await self._over.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(both, *self._tasks, return_exceptions=True)
        for _, writer in (self._client, self._server):
            writer.close()
        self.ended.set()

    def close(self) -> None:
        """End both sides."""
        self._over.set()

    def reset(self) -> None:
        """End both sides with RST."""
        for _, writer in (self._client, self._server):
            _reset(writer)
        self._over.set()

    def _start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        """Read on while what was read is under way: a delay counts from the time of arrival."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(PIECES_UNDER_WAY)
        self._start(self._read(reader, under_way))
        try:
            while True:
                arrived, data = await under_way.get()
                links = [link for link in self._links if link.acts(direction)]
                if not data:
                    break
                for link in links:
                    link.arrived = arrived
                await _pass_on(data, writer, links)
            for link in links:
                await link.switched.toxic.end(link)
            writer.write_eof()
        except OSError:
            self.reset()

    async def _read(
        self, reader: asyncio.StreamReader, under_way: "asyncio.Queue[tuple[float, bytes]]"
    ) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while data := await reader.read(PIECE_BYTES):
                self._last = time.monotonic()
                await under_way.put((clock(), data))
            await under_way.put((clock(), b""))
        except OSError:
            self.reset()


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing():
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
        writer.transport.abort()


async def _pass_on(data: bytes, writer: asyncio.StreamWriter, links: list[Link]) -> None:
    """Send data through the toxics that are on, each one's pieces through the next."""
    if not links:
        writer.write(data)
        await writer.drain()
        return
    first, *others = links
    await first.switched.toxic.through(first, data, lambda piece: _pass_on(piece, writer, others))


class Proxy:
    """Listens on a port of loopback and carries every connection to one of `targets`, other ones.

    With several targets they take turns, and who refuses is passed over, as behind a Service of
    Kubernetes.  The list may be changed while the proxy runs.
    """

    def __init__(self, *targets: int, port: int = 0) -> None:
        self.targets = list(targets)
        self._accepted = 0
        self._on: list[Switched] = []
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        # Bound and never listening: nobody takes the port while the proxy is down.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._place.bind(("127.0.0.1", port))
        self.port: int = self._place.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._call(self._listen())

    @contextmanager
    def on(self, toxic: Toxic, *directions: Direction) -> Iterator[Self]:
        """Switch a toxic on for the time of the block; in both directions unless told otherwise."""
        switched = [self._call(self._switch_on(toxic, each)) for each in directions or DIRECTIONS]
        try:
            yield self
        finally:
            for each in switched:
                self._call(self._switch_off(each))

    def forget(self, idle: float = 0.0) -> int:
        """Carry nothing more on connections that are idle for so many seconds; return how many they are.

        So do firewalls, and tell nobody.
        """
        return self._call(self._forget(idle))

    def close(self) -> None:
        """End every connection and the thread."""
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()
        self._place.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, limit=PIECE_BYTES, reuse_port=True
        )

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = await self._reach()
        if server is None:
            _reset(writer)
            return
        connection = Connection((reader, writer), server)
        self._connections.add(connection)
        for switched in self._on:
            connection.switch_on(switched)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)

    async def _reach(self) -> Streams | None:
        self._accepted += 1
        for turn in range(len(self.targets)):
            target = self.targets[(self._accepted + turn) % len(self.targets)]
            with suppress(OSError):  # it is down: the next one's turn
                return await asyncio.open_connection("127.0.0.1", target, limit=PIECE_BYTES)
        return None

    async def _switch_on(self, toxic: Toxic, direction: Direction) -> Switched:
        switched = Switched(toxic, direction)
        self._on.append(switched)
        if isinstance(toxic, Down) and self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._connections:
            connection.switch_on(switched)
        return switched

    async def _switch_off(self, switched: Switched) -> None:
        self._on.remove(switched)
        switched.off.set()
        if self._server is None and not any(isinstance(other.toxic, Down) for other in self._on):
            await self._listen()

    async def _forget(self, idle: float) -> int:
        forgotten = [connection for connection in self._connections if connection.idle >= idle]
        for connection in forgotten:
            for direction in DIRECTIONS:
                connection.switch_on(Switched(Timeout(), direction))
        return len(forgotten)

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.reset()
        await asyncio.gather(*(connection.ended.wait() for connection in self._connections))
