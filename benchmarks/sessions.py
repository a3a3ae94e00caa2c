"""A class on one server: many visitors who each change something once a second."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from benchmarks.browser import behind_nginx, workers

FEW, SESSIONS, CLASS, LECTURE = 8, 30, 100, 300
CHANGES = 12  # of each visitor, one a second
PATIENCE = 30.0  # seconds for one answer
DEEP = {"_cells": 1600, "_steps": 5000}  # some half a minute of two cores
MANY, SOME = 50, 5  # deep maps that are wanted at once
AGAIN = 10.0  # s after which a refused visitor tries again
REST = 0.25  # s after which a hand rests
AT_ONCE = 20  # who ask for the longest table, each again after a pause
PAUSE = 0.5  # s
OPENED = 200  # who open the same link at once
TABLE = "lab/step_by_step.csv?steps=5000&of=nadam&surface=rastrigin&noise=0.3&seed="
RACE = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamax", "nadam")
Row = tuple[str, str, str]


@dataclass
class Visitor:
    """A browser without a picture: one connection, which is kept."""

    base: str  # the app's address
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, accepts: str = "gzip") -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an address below the app's."""
        url = urlsplit(self.base)
        lines = [f"GET {url.path}/{path} HTTP/1.1", f"Host: {url.netloc}"]
        ask = "\r\n".join([*lines, f"Accept-Encoding: {accepts}", "", ""])
        # A server closes what was not used for some seconds; then a browser connects anew.
        if self.streams is None or self.streams[0].at_eof():
            self.streams = await asyncio.open_connection(url.hostname, url.port)
        reader, writer = self.streams
        writer.write(ask.encode())
        head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if headers.get("connection", "") == "close":
            self.close()
        return int(head.split()[1]), headers, body

    async def open(self, page: str = "") -> str:
        """The page's own HTML; where its answers are."""
        _, _, html = await self.get(page, "identity")
        found = re.search(r"lab/[0-9a-f]+/", html.decode())
        assert found is not None
        return found[0]

    def close(self) -> None:
        if self.streams:
            self.streams[1].close()
        self.streams = None


@dataclass
class Change:
    """What a visitor asks for after a change, and, where nobody waits, when the hand rests."""

    answers: list[str]
    later: list[str] = field(default_factory=list)


Changes = Callable[[random.Random], Iterator[Change]]  # the first is the opened page


def _place(chance: random.Random) -> str:
    """A start that nobody else has, so that no two have a run in common."""
    return f"x={chance.uniform(-4.0, 4.0):.6f}&y={chance.uniform(-4.0, 4.0):.6f}"


def compare(chance: random.Random) -> Iterator[Change]:
    """Adam's rate is moved on Compare."""
    place = _place(chance)
    while True:
        yield Change([f"compare?adam.lr={chance.uniform(0.01, 0.5):.6f}&{place}"])


def rate(chance: random.Random) -> Iterator[Change]:
    """The slider of the Learning rate page; its map has all rates already."""
    place = _place(chance)
    yield Change([f"learning_rate?{place}", f"learning_rate/map?{place}"])
    while True:
        page = f"learning_rate?lr={chance.uniform(0.01, 0.5):.6f}&{place}"
        yield Change([f"{page}&_coarse=1"], [page])


def start(chance: random.Random) -> Iterator[Change]:
    """The start is moved on the Learning rate page: other runs, strips and map at each change."""
    while True:
        place = f"{_place(chance)}&_coarse=1"
        yield Change([f"learning_rate?{place}", f"learning_rate/map?{place}"])


@dataclass
class Load:
    """What a number of visitors saw; times in seconds."""

    waits: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refused: int = 0
    elapsed: float = 0.0
    received: int = 0  # bytes

    async def answer(self, visitor: Visitor, path: str) -> None:
        """Ask as a page does: again where the server is busy, after as long as it says."""
        while True:
            status, headers, body = await visitor.get(path)
            self.received += len(body)
            if status == 503:
                self.refused += 1
                await asyncio.sleep(float(headers["retry-after"]))
            elif status != 200:
                raise ValueError(f"{status} for {path}: {body[:80]!r}")
            else:
                return


async def _visit(
    base: str, changes: Iterator[Change], count: int, first: float, go: asyncio.Barrier, load: Load
) -> None:
    # As a browser: connections that are used side by side.
    visitors = [Visitor(base), Visitor(base)]
    answers = await visitors[0].open() + "answer/"

    async def ask(paths: list[str]) -> None:
        async with asyncio.timeout(PATIENCE):
            asked = zip(visitors, paths, strict=False)
            await asyncio.gather(*(load.answer(v, answers + path) for v, path in asked))

    await ask(next(changes).answers)
    await go.wait()
    due = time.perf_counter() + first
    for i in range(count):
        # A late answer delays the next change, and who waits counts from when it was due.
        await asyncio.sleep(max(0.0, due + i - time.perf_counter()))
        change = next(changes)
        try:
            await ask(change.answers)
            load.waits.append(time.perf_counter() - due - i)
            if change.later:
                await asyncio.sleep(REST)
                await ask(change.later)
        except (ValueError, TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            load.errors.append(repr(error))
            for visitor in visitors:
                visitor.close()
    for visitor in visitors:
        visitor.close()


async def _load(base: str, visitors: int, changes: Changes, seed: int) -> Load:
    load, go = Load(), asyncio.Barrier(visitors + 1)
    async with asyncio.TaskGroup() as group:
        for i in range(visitors):
            chance = random.Random(1000 * seed + i)
            visit = _visit(base, changes(chance), CHANGES, chance.random(), go, load)
            group.create_task(visit)
        await go.wait()
        load.received = load.refused = 0
        began = time.perf_counter()
    load.elapsed = time.perf_counter() - began
    return load


async def _opened(base: str) -> tuple[float, Load]:
    """Seconds of one answer of all methods at 5,000 steps alone; of others that many ask for."""
    link = f"answer/compare?opt={'-'.join(RACE)}&steps=5000&noise=0.3&surface=rosenbrock&seed="
    load, visitors = Load(), [Visitor(base) for _ in range(OPENED)]
    for visitor in visitors:
        lab = await visitor.open()

    async def one(visitor: Visitor, seed: int) -> float:
        began = time.perf_counter()
        await load.answer(visitor, f"{lab}{link}{seed}")
        return time.perf_counter() - began

    alone = median([await one(visitors[0], seed) for seed in range(1, 6)])
    load.waits = list(await asyncio.gather(*(one(visitor, 9) for visitor in visitors)))
    for visitor in visitors:
        visitor.close()
    return alone, load


async def _flooded(base: str) -> tuple[Load, Counter[int]]:
    """A class at work while others ask for the longest table all the time."""
    statuses: Counter[int] = Counter()
    load = asyncio.create_task(_load(base, SESSIONS, compare, seed=8))
    seeds = iter(range(1, 1_000_000))

    async def ask() -> None:
        visitor = Visitor(base)
        while not load.done():
            statuses[(await visitor.get(f"{TABLE}{next(seeds)}"))[0]] += 1
            await asyncio.sleep(PAUSE)
        visitor.close()

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return await load, statuses


async def _job(visitor: Visitor, job: str, size: dict[str, int], who: str) -> tuple[int, Any]:
    asked = "&".join(f"{name}={value}" for name, value in size.items())
    status, _, body = await visitor.get(f"{job}?{asked}&_who={who}")
    return status, json.loads(body) if status == 202 else None


async def _ordering(base: str, number: int, go: asyncio.Barrier) -> None:
    """A visitor who wants a deep map of their own, and another one whenever that is done."""
    visitor = Visitor(base)
    job = await visitor.open() + "job/learning_rate/map"
    size = DEEP | {"_cells": DEEP["_cells"] - number}
    await go.wait()
    while True:
        status, said = await _job(visitor, job, size, str(number))
        if status == 200:
            size["_cells"] -= MANY
        await asyncio.sleep(said["pause"] if said else AGAIN)


async def _beside_deep_maps(base: str, maps: int, changes: Changes, seed: int) -> Load:
    """What one visitor sees while others want so many deep maps."""
    go = asyncio.Barrier(maps + 1)
    async with asyncio.TaskGroup() as group:
        others = [group.create_task(_ordering(base, i, go)) for i in range(maps)]
        await go.wait()
        await asyncio.sleep(1.0)
        load = await _load(base, 1, changes, seed)
        for other in others:
            other.cancel()
    return load


def _resident(process: Path) -> float:
    """Memory in use, MiB."""
    return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _process(base: str) -> Path:
    """The /proc entry of the server that listens at an address."""
    port = str(urlsplit(base).port)
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_text().split("\0")
            if "app:app" in words and port in words and "make" not in words:
                return entry.parent
    raise RuntimeError(f"no server at {base}")


async def _memory(base: str) -> tuple[float, float]:
    """MiB that the largest deep map takes at most, and after it was dropped."""
    process, visitor, size = _process(base), Visitor(base), {"_cells": 4000, "_steps": 1}
    job = await visitor.open() + "job/learning_rate/map"
    before = most = _resident(process)
    while (status := (await _job(visitor, job, size, "memory"))[0]) == 202:
        most = max(most, _resident(process))
        await asyncio.sleep(0.1)
    if status != 200:
        raise RuntimeError(f"the deep map was refused with {status}")
    await asyncio.sleep(1.0)
    return most - before, _resident(process) - before


def measure() -> list[Row]:
    """Rows of (what, measured, bound)."""
    with workers(1) as base:
        alone = asyncio.run(_load(base, 1, compare, seed=1))
        found = [("one visitor, a change a second on Compare: median", _ms(alone), "the floor")]
        some = asyncio.run(_load(base, SESSIONS, compare, seed=2))
        found += _rows(f"{SESSIONS} visitors", some)
        for visitors, bounds in ((CLASS, ("50 ms", "200 ms")), (LECTURE, ("", ""))):
            load = asyncio.run(_load(base, visitors, compare, seed=visitors))
            found += _rows(f"{visitors} visitors", load, bounds)
        found += _opened_rows(*asyncio.run(_opened(base)))
        found += _flood_rows(some, *asyncio.run(_flooded(base)))
        for visitors, what, changes, bounds in (
            (SESSIONS, "the Learning rate page's slider", rate, ("", "200 ms")),
            (FEW, "its start, and the map with it", start, ("", "")),
        ):
            load = asyncio.run(_load(base, visitors, changes, seed=3))
            found += _rows(f"{visitors} visitors move {what}", load, bounds)
        found += _deep_rows(base, alone)
    with behind_nginx(2) as base:
        load = asyncio.run(_load(base, LECTURE, compare, seed=5))
        what = f"{LECTURE} visitors, two processes behind nginx"
        return found + _rows(what, load, ("50 ms", "200 ms"))


def _ms(load: Load) -> str:
    for error in dict.fromkeys(load.errors):
        print(error)
    if not load.waits:
        raise RuntimeError("no change was answered")
    return f"{1e3 * median(load.waits):.0f} ms"


def _rows(what: str, load: Load, bounds: tuple[str, str] = ("", "")) -> list[Row]:
    answered, p95 = len(load.waits), quantiles(load.waits, n=20, method="inclusive")[-1]
    return [
        (f"{what}: median", _ms(load), bounds[0]),
        ("  95th percentile", f"{1e3 * p95:.0f} ms", bounds[1]),
        ("  slowest", f"{1e3 * max(load.waits):.0f} ms", ""),
        (
            "  changes answered a second, KiB each",
            f"{answered / load.elapsed:.0f}, {load.received / answered / 1024:.1f}",
            "",
        ),
        ("  errors, refused with 503", f"{len(load.errors)}, {load.refused}", "0, 0"),
    ]


def _opened_rows(alone: float, load: Load) -> list[Row]:
    return [
        (
            f"a link opened by {OPENED} at once: the last has its answer after",
            f"{1e3 * max(load.waits):.0f} ms (one alone after {1e3 * alone:.0f} ms)",
            "",
        )
    ]


def _flood_rows(calm: Load, flooded: Load, statuses: Counter[int]) -> list[Row]:
    usual, half = median(calm.waits), median(flooded.waits)
    others = statuses.total() - statuses[200] - statuses[503]
    return [
        (
            f"{SESSIONS} visitors while {AT_ONCE} ask for the longest CSV all the time: median",
            f"{1e3 * half:.0f} ms ({half / usual:.2f} x without them)",
            "2 x",
        ),
        ("  files sent, requests refused with 503", f"{statuses[200]}, {statuses[503]}", ""),
        ("  other answers, errors of visitors", f"{others}, {len(flooded.errors)}", "0, 0"),
    ]


def _deep_rows(base: str, alone: Load) -> list[Row]:
    """Deep maps that others want, and their memory."""
    # First, for those who leave without a word are waited for.
    most, left = asyncio.run(_memory(base))
    quiet = asyncio.run(_load(base, 1, start, seed=5))
    maps = asyncio.run(_beside_deep_maps(base, SOME, start, seed=6))
    busy = asyncio.run(_beside_deep_maps(base, MANY, compare, seed=7))
    rows: list[Row] = []
    for what, before, after, bound in (
        (f"{MANY} visitors want a deep map: another's change on Compare", alone, busy, 2.0),
        (f"{SOME} visitors want one: another's coarse live map", quiet, maps, 1.5),
    ):
        times = median(before.waits), median(after.waits)
        text = f"{1e3 * times[1]:.0f} ms ({times[1] / times[0]:.2f} x without)"
        rows.append((f"{what}, median", text, f"{bound} x"))
        rows.append(("  errors", str(len(before.errors) + len(after.errors)), "0"))
    return [
        *rows,
        ("a deep map of 4,000² cells: memory at most", f"{most:.0f} MiB", "100 MiB"),
        ("  after it was dropped", f"{left:.0f} MiB", ""),
    ]


if __name__ == "__main__":
    for row in measure():
        print(" | ".join(row))
