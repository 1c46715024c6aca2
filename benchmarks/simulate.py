"""Replay days of uploads against 1 to 1,000 converters, and see who waits how long.

`python -m benchmarks.simulate` measures how long conversions take here, and then simulates: fair turns
against first come, first served, and a fixed number of converters against KEDA's rules of
manifests/components/keda.  Claims are decided by the code that decides them in the suite.
`--check 1 2` compares with a real suite of so many converters: it converts a burst, and the
same arrivals and conversion times are simulated.  Long, because arrivals, queue, autoscaler and the real
suite are told in one program that can be read from top to bottom.
"""

import argparse
import heapq
import math
import random
import statistics
import tempfile
import threading
import time
from bisect import insort
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol

from benchmarks.eta import cut, make_media, suite, upload, user, watch
from converter.convert import convert
from converter.limits import Limits
from dev.stack import Stack
from pipeline import mongodb
from pipeline.fair_queue import WINDOW, order
from pipeline.job_queries import Waiting
from pipeline.options import Options
from pipeline.turns import turn_after

Policy = Literal["fair", "first come"]
HOUR = 3600.0
DAY = 24 * HOUR
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
CLIP_MINUTES, LECTURE_MINUTES = 4.0, 75.0
"""Medians of the lengths of clips and lectures."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An upload: when, whose, and how many seconds its conversion takes."""

    at: float
    owner: str
    seconds: float


# -- how many converters there are ------------------------------------------------------------------


class Capacity(Protocol):
    """Decides how many converters there are."""

    def wanted(self, time: float, messages: int, there: int) -> int:
        """Return how many there should be, asked every `every` seconds."""

    @property
    def every(self) -> float:
        """How often it is asked, in seconds."""

    @property
    def first(self) -> int:
        """How many there are at the beginning."""

    @property
    def start_seconds(self) -> float:
        """How long a converter takes to start."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always as many."""

    first: int
    every: float = DAY
    start_seconds: float = 0.0

    def wanted(self, time: float, messages: int, there: int) -> int:
        """Return them."""
        del time, messages, there
        return self.first


@dataclass(slots=True)
class Keda:
    """What manifests/components/keda asks for: one for every two messages, those in work among them.

    Up at once, down to the most that was wanted in the last two minutes and by half a minute at the most.
    """

    most: int
    first: int = 0
    every: float = 15.0
    """How often Kubernetes' autoscaler decides."""
    start_seconds: float = 20.0
    _seen: deque[tuple[float, int]] = field(default_factory=deque)
    _shrunk_at: float = 0.0

    def wanted(self, time: float, messages: int, there: int) -> int:
        """Return how many there should be."""
        asked = min(math.ceil(messages / 2), self.most)
        self._seen.append((time, asked))
        while self._seen[0][0] < time - 120:
            self._seen.popleft()
        if asked >= there:
            return asked
        lasting = max(count for _, count in self._seen)
        if lasting >= there or time - self._shrunk_at < 60:  # noqa: PLR2004 - a minute
            return there
        self._shrunk_at = time
        return max(lasting, there // 2)


# -- the queue ----------------------------------------------------------------------------------------


class Line:
    """What waits, in the order of the suite's index, and who is served."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._line: list[tuple[int, datetime, str, Waiting, Arrival]] = []
        self._running: Counter[str] = Counter()
        self._last: dict[str, int] = {}
        self._waits: Counter[str] = Counter()
        self._served: dict[str, int] = {}
        self._clock = 0

    def __len__(self) -> int:
        return len(self._line)

    @property
    def in_work(self) -> int:
        """How many are being converted."""
        return self._running.total()

    def add(self, number: int, arrival: Arrival) -> None:
        """Queue a job."""
        owner, turn = arrival.owner, 0
        if self._policy == "fair":
            last = self._last[owner] if self._waits[owner] else None
            turn = turn_after(self._clock, self._served.get(owner), last)
        self._last[owner] = turn
        self._waits[owner] += 1
        at, name = EPOCH + timedelta(seconds=arrival.at), f"{number:032x}"
        insort(self._line, (turn, at, name, Waiting(name, owner, turn, at, "", 0), arrival))

    def take(self) -> Arrival:
        """Claim the job whose turn it is."""
        running = self._running if self._policy == "fair" else Counter[str]()
        ranked = order(running)
        found = min(self._line[:WINDOW], key=lambda entry: ranked(entry[3]))
        self._line.remove(found)
        turn, arrival = found[0], found[4]
        self._clock = max(self._clock, turn)
        self._served[arrival.owner] = max(self._served.get(arrival.owner, turn), turn)
        self._waits[arrival.owner] -= 1
        self._running[arrival.owner] += 1
        return arrival

    def end(self, owner: str) -> None:
        """Note that a conversion is done."""
        self._running[owner] -= 1


def simulate(
    arrivals: Sequence[Arrival], policy: Policy, capacity: Capacity
) -> tuple[list[tuple[str, float]], float]:
    """Return how long each job waited, with its owner, and how many converter hours that cost."""
    line, waits = Line(policy), list[tuple[str, float]]()
    events: list[tuple[float, int, str, str]] = []  # when, a number to keep their order, what, whose
    numbers = iter(range(10**9))

    def plan(at: float, what: str, owner: str = "") -> None:
        heapq.heappush(events, (at, next(numbers), what, owner))

    for arrival in arrivals:
        plan(arrival.at, "come", arrival.owner)
    idle, there, coming, spent, then = capacity.first, capacity.first, 0, 0.0, 0.0
    plan(capacity.every, "scale")
    upcoming, count = iter(arrivals), 0
    while len(waits) < len(arrivals) or line.in_work:
        now, _, what, owner = heapq.heappop(events)
        spent, then = spent + there * (now - then), now
        if what == "come":
            line.add(count, next(upcoming))
            count += 1
        elif what == "end":
            line.end(owner)
            idle += 1
        elif what == "start":
            idle, there, coming = idle + 1, there + 1, coming - 1
        else:
            wanted = capacity.wanted(now, len(line) + line.in_work, there + coming)
            for _ in range(wanted - there - coming):
                coming += 1
                plan(now + capacity.start_seconds, "start")
            gone = min(idle, max(there + coming - wanted, 0))  # one that works is given its grace
            idle, there = idle - gone, there - gone
            plan(now + capacity.every, "scale")
        while idle and len(line):
            job = line.take()
            waits.append((job.owner, now - job.at))
            idle -= 1
            plan(now + job.seconds, "end", job.owner)
    return waits, spent / HOUR


# -- traces -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Service:
    """How long a conversion takes: so many seconds, and so many a minute of video."""

    fixed: float
    per_minute: float

    def seconds(self, minutes: float) -> float:
        """Return the seconds of a video of so many minutes."""
        return self.fixed + self.per_minute * minutes


@dataclass(slots=True)
class Traces:
    """Days of uploads that keep so many converters as busy, however many there are.

    Of more than a hundred, a part of the day is enough.
    """

    service: Service
    converters: int
    draw: random.Random

    @property
    def _share(self) -> float:
        return min(1.0, 100 / self.converters)

    def steady(self) -> list[Arrival]:
        """Clips of twenty users, evenly: 70 % of what the converters can do, for six hours."""
        return sorted(self._clips(0.7, 0, 6 * HOUR * self._share), key=lambda arrival: arrival.at)

    def burst(self) -> list[Arrival]:
        """Clips at 40 %, and after an hour two hours' work of one user's lectures at once."""
        hour = HOUR * self._share
        lectures = self._work("bulk", 2 * hour * self.converters, LECTURE_MINUTES)
        at_once = [Arrival(hour + number * 0.01, *lecture) for number, lecture in enumerate(lectures)]
        return sorted([*self._clips(0.4, 0, 6 * hour), *at_once], key=lambda arrival: arrival.at)

    def lecture_day(self) -> list[Arrival]:
        """Ten times a day lectures end together, each time 48 minutes' work, and clips at 10 %."""
        times = range(9, 9 + max(round(10 * self._share), 1))
        lectures = [
            Arrival(hour * HOUR - 900 + self.draw.uniform(0, 300), f"lecturer {hour}.{number}", seconds)
            for hour in times
            for number, (_, seconds) in enumerate(
                self._work("", 0.8 * HOUR * self.converters, LECTURE_MINUTES)
            )
        ]
        begin, end = (0.0, DAY) if self._share == 1 else ((times[0] - 1) * HOUR, (times[-1] + 1) * HOUR)
        return sorted([*self._clips(0.1, begin, end), *lectures], key=lambda arrival: arrival.at)

    def _work(self, owner: str, seconds: float, minutes: float) -> Iterator[tuple[str, float]]:
        while seconds > 0:
            job = self.service.seconds(self.draw.lognormvariate(math.log(minutes), 0.6))
            seconds -= job
            yield owner, job

    def _clips(self, load: float, begin: float, end: float) -> Iterator[Arrival]:
        work = self._work("", load * self.converters * (end - begin), CLIP_MINUTES)
        for _, seconds in work:
            yield Arrival(self.draw.uniform(begin, end), f"user {self.draw.randrange(20)}", seconds)


def told(waits: Sequence[tuple[str, float]], digits: int = 0) -> str:
    """Return the waiting times of a run: those of the many, and of who brings most at once."""
    groups = {"clips": "user", "one user's burst": "bulk", "lectures": "lecturer"}
    parts = []
    for name, beginning in groups.items():
        times = [wait for owner, wait in waits if owner.startswith(beginning)]
        if times:
            parts.append(
                f"{name} {percentile(times, 50):,.{digits}f} / {percentile(times, 95):,.{digits}f} s"
            )
    return ", ".join(parts)


def percentile(times: Sequence[float], percent: int) -> float:
    """Return a percentile."""
    return sorted(times)[min(len(times) * percent // 100, len(times) - 1)]


# -- the real suite -----------------------------------------------------------------------------------


def measure_service(whole: Path) -> Service:
    """Return how long the converter takes for a video, by two lengths."""
    times = {}
    for minutes in (1, 20):
        video = cut(whole, minutes * 60)
        runs = []
        for _ in range(5):
            began = time.perf_counter()
            convert(
                video,
                whole.with_name("out.mp3"),
                Options(),
                limits=Limits(encoders=1),
                stop=threading.Event(),
                on_media=lambda _: None,
                on_progress=lambda _phase, _fraction: None,
            )
            runs.append(time.perf_counter() - began)
        times[minutes] = statistics.median(runs)
    per_minute = (times[20] - times[1]) / 19
    return Service(max(times[1] - per_minute, 0.0), per_minute)


def check(stack: Stack, video: Path, converters: int) -> None:
    """Have a real suite convert a burst, simulate it with the same arrivals and times, and compare."""
    bulk, clips = user(stack, "bulk@example.com"), user(stack, "user@example.com")
    files = [(bulk, cut(video, 600))] * 8 * converters + [(clips, cut(video, 60))] * 2 * converters
    watch([clips], {upload(clips, cut(video, 60))})  # now every connection stands
    came = {upload(http, file): time.time() for http, file in files}
    watch([bulk, clips], set(came))
    arrivals, real = [], []
    with mongodb.connect((stack.secrets / "mongodb_url").read_text().strip()) as client:
        for job_id, at in came.items():
            job = client["jobs"]["jobs"].find_one({"_id": job_id}) or {}
            since, ended = job["lease"]["since"], job["ended_at"]
            arrivals.append(Arrival(at, job["owner"], (ended - since).total_seconds()))
            real.append((job["owner"], max(since.timestamp() - at, 0.0)))
    begin = arrivals[0].at
    shifted = [Arrival(arrival.at - begin, arrival.owner, arrival.seconds) for arrival in arrivals]
    foreseen, _ = simulate(shifted, "fair", Fixed(converters))
    print(f"{converters} converters, {len(real)} jobs: real {told(real, 1)}; simulated {told(foreseen, 1)}")  # noqa: T201 - what this program is for


def replay(service: Service, converters: int, seed: int) -> None:
    """Print what comes of each day with so many converters."""
    rows: list[tuple[str, Callable[[Traces], list[Arrival]]]] = [
        ("steady", Traces.steady),
        ("burst", Traces.burst),
        ("lecture day", Traces.lecture_day),
    ]
    for name, trace in rows:
        arrivals = trace(Traces(service, converters, random.Random(seed)))  # noqa: S311 - so that a run can be had again
        hours = sum(arrival.seconds for arrival in arrivals) / HOUR
        print(f"{name}, {converters:,} converters, {len(arrivals):,} jobs of {hours:,.0f} converter hours")  # noqa: T201 - likewise
        ways: tuple[tuple[str, Policy, Capacity], ...] = (
            ("first come", "first come", Fixed(converters)),
            ("fair turns", "fair", Fixed(converters)),
            ("fair turns, KEDA", "fair", Keda(converters)),
        )
        for way, policy, capacity in ways:
            waits, spent = simulate(arrivals, policy, capacity)
            print(f"  {way:17} {told(waits)}; {spent:,.0f} converter hours paid")  # noqa: T201 - likewise


def main() -> None:
    """Measure, simulate, and compare with a real suite if that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--converters", type=int, nargs="*", default=[1, 4, 10, 100, 1000])
    parser.add_argument("--service", type=float, nargs=2, help="seconds, and seconds a minute; else measured")
    parser.add_argument("--check", type=int, nargs="*", default=[], help="against real suites of so many")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = make_media(folder, "mp4")["mp4"]
        service = Service(*arguments.service) if arguments.service else measure_service(video)
        print(f"a conversion takes {service.fixed:.2f} s and {service.per_minute:.2f} s a minute of video")  # noqa: T201 - likewise
        for converters in arguments.check:
            with suite(folder / str(converters), converters) as stack:
                check(stack, video, converters)
        for converters in arguments.converters:
            replay(service, converters, arguments.seed)


if __name__ == "__main__":
    main()
