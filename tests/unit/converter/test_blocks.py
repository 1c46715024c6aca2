"""How a sound is dealt out to several encoders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.encoding.blocks import CYCLE, Blocks, blocks_for
from converter.media import Track
from converter.plan import Plan

TRACK = Track(1, 0, "aac", 2, "stereo", 44100, 256, None, None, True, False, False, None, False)  # noqa: FBT003 - its fields in order


def planned(quality: str = "V2", channels: int = 2, sample_rate: int = 44100) -> Plan:
    return Plan(TRACK, 0.0, None, channels, sample_rate, quality)


@given(
    encoders=st.integers(2, 8),
    cycles=st.integers(5, 60),
    rate=st.sampled_from([48000, 44100, 24000, 22050]),
    samples=st.integers(1, 10_000_000),
)
def test_what_the_encoders_got_tells_how_long_the_sound_is(
    encoders: int, cycles: int, rate: int, samples: int
) -> None:
    blocks = Blocks(encoders, rate, cycles * CYCLE, 4 * CYCLE)
    cycle = CYCLE * (1152 if rate >= 32000 else 576)

    got = [
        sum(
            min(samples - begin, cycle)
            for n, begin in enumerate(range(0, samples, cycle))
            if (encoder and not n)
            or (n >= encoder * cycles and (n - encoder * cycles) % (encoders * cycles) < cycles + 4)
        )
        for encoder in range(encoders)
    ]

    assert blocks.samples(got) == samples


@pytest.mark.parametrize("quality", ["V2", "128"])
@pytest.mark.parametrize("rate", [48000, 44100, 22050])
def test_blocks_and_overlaps_are_whole_cycles_of_padding(quality: str, rate: int) -> None:
    blocks = blocks_for(planned("128" if rate == 22050 else quality, sample_rate=rate), 4, 3600)

    assert blocks is not None
    assert (blocks.length % CYCLE, blocks.overlap % CYCLE) == (0, 0)


@pytest.mark.parametrize(
    ("plan", "encoders", "seconds"),
    [
        (planned(), 1, 3600.0),
        (planned(), 2, 30.0),
        (planned("V0"), 2, 3600.0),
        (planned("V1"), 2, 3600.0),
        (planned("V2", sample_rate=24000), 2, 3600.0),
    ],
    ids=["one processor", "a short sound", "V0", "V1", "a variable bitrate at half the rate"],
)
def test_one_encoder_does_what_several_would_not_do_better(plan: Plan, encoders: int, seconds: float) -> None:
    assert blocks_for(plan, encoders, seconds) is None


@pytest.mark.parametrize(("seconds", "encoders"), [(1200.0, 2), (1200.0, 4), (None, 2), (43200.0, 8)])
def test_a_long_sound_gives_every_encoder_work(seconds: float | None, encoders: int) -> None:
    blocks = blocks_for(planned(), encoders, seconds)

    assert blocks is not None
    assert blocks.encoders == encoders
    if seconds is not None:
        assert blocks.length * 1152 / 44100 * encoders <= seconds
