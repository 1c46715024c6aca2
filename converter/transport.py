"""Find the packets of an MPEG transport stream (ISO 13818-1)."""

PACKETS = ((188, 0), (192, 4), (204, 0))
"""Length of a packet and what stands before its first byte: plain, Blu-ray and AVCHD, with parity."""
SYNC = b"G"
SEEN = 3
"""So many packets in a row are no chance."""


def first_packet(data: bytes, length: int, before: int) -> int | None:
    """Return where packets of a length begin; `None` if there are none."""
    for first in range(length):
        if data[first + before :: length][:SEEN] == SYNC * SEEN:
            return first
    return None
