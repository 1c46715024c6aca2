"""What can be wrong with a connection: the eight toxics of toxiproxy, each for one direction.

https://github.com/Shopify/toxiproxy#toxics says what each one does; `proxy` puts them on connections.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol

Direction = Literal["up", "down"]
"""From the client to the server, or from the server to the client."""
Send = Callable[[bytes], Awaitable[None]]
"""Hands bytes to the next toxic, the last one's to the peer."""


class Toxic:
    """Changes nothing: each toxic acts at one or more of three moments."""

    async def begin(self, link: "Link") -> None:
        """Act when it is switched on, or when a connection begins while it is on."""

    async def through(self, link: "Link", data: bytes, send: Send) -> None:
        """Send on what goes through of `data`."""
        del link
        await send(data)

    async def end(self, link: "Link") -> None:
        """Act before the sender's end of the stream is passed on."""


@dataclass(frozen=True)
class Latency(Toxic):
    """Everything arrives later by `seconds` ± `jitter`; nothing is slower for it."""

    seconds: float
    jitter: float = 0.0

    async def through(self, link: "Link", data: bytes, send: Send) -> None:
        late = self.seconds + random.uniform(-self.jitter, self.jitter)  # noqa: S311 - makes waves, hides nothing
        await link.pause(late - link.age)
        await send(data)


@dataclass(frozen=True)
class Down(Toxic):
    """Every connection is reset, and new ones are refused."""

    async def begin(self, link: "Link") -> None:
        link.connection.reset()


@dataclass(frozen=True)
class Bandwidth(Toxic):
    """So many bytes a second go through."""

    rate: int

    async def through(self, link: "Link", data: bytes, send: Send) -> None:
        size = max(1, self.rate // 10)
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            await link.pause(len(piece) / self.rate)
            await send(piece)


@dataclass(frozen=True)
class SlowClose(Toxic):
    """The end of the stream comes so many seconds late."""

    seconds: float

    async def end(self, link: "Link") -> None:
        await link.pause(self.seconds)


@dataclass(frozen=True)
class Timeout(Toxic):
    """Nothing goes through, and nobody is told; the connection is closed after so many seconds.

    `None` waits until the toxic is switched off, and closes then, as bytes are missing.
    """

    seconds: float | None = None

    async def begin(self, link: "Link") -> None:
        await link.pause(self.seconds)
        link.connection.close()

    async def through(self, link: "Link", data: bytes, send: Send) -> None:
        """Send nothing."""

    async def end(self, link: "Link") -> None:
        await link.pause(None)


@dataclass(frozen=True)
class ResetPeer(Toxic):
    """Both sides' connections are reset after so many seconds."""

    seconds: float = 0.0

    async def begin(self, link: "Link") -> None:
        if await link.pause(self.seconds):
            link.connection.reset()


@dataclass(frozen=True)
class Slicer(Toxic):
    """Everything comes in pieces of `average` ± `variation` bytes, `pause` seconds apart."""

    average: int
    variation: int = 0
    pause: float = 0.0

    async def through(self, link: "Link", data: bytes, send: Send) -> None:
        while data:
            size = self.average + random.randint(-self.variation, self.variation)  # noqa: S311 - as above
            await send(data[: max(1, size)])
            data = data[max(1, size) :]
            await link.pause(self.pause)


@dataclass(frozen=True)
class LimitData(Toxic):
    """The connection is closed after so many bytes."""

    most: int

    async def through(self, link: "Link", data: bytes, send: Send) -> None:
        left = self.most - link.passed
        link.passed += len(data)
        await send(data[: max(0, left)])
        if len(data) >= left:
            link.connection.close()


@dataclass(eq=False)
class Switched:
    """A toxic that is on in one direction, until `off` is set."""

    toxic: Toxic
    direction: Direction
    off: asyncio.Event = field(default_factory=asyncio.Event)


class Cuts(Protocol):
    """A connection, as far as toxics act on it."""

    def close(self) -> None:
        """End both sides."""

    def reset(self) -> None:
        """End both sides with RST."""


@dataclass(eq=False)
class Link:
    """What a toxic knows of the connection that it is on."""

    connection: Cuts
    switched: Switched
    passed: int = 0
    """Bytes that came through since it is on."""
    arrived: float = 0.0
    """When those came that are on their way through now, by the loop's clock."""

    @property
    def age(self) -> float:
        """Seconds since they came."""
        return asyncio.get_running_loop().time() - self.arrived

    def acts(self, direction: Direction) -> bool:
        """Whether the toxic is still on, and for this direction."""
        return self.switched.direction == direction and not self.switched.off.is_set()

    async def pause(self, seconds: float | None) -> bool:
        """Wait, `None` for ever, and return at once when the toxic is switched off; whether it is on."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.switched.off.wait()
        return not self.switched.off.is_set()
