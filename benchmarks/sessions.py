"""A class on one server: many sessions that each change something once a second."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import struct
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from benchmarks.browser import ROOT, serve

SESSIONS = 30
CHANGES = 15  # of each session, one a second
PATIENCE = 20.0  # seconds for one answer
RACE, RATES = "descent_race", "descent_rates"
PAGES = {RACE: "", RATES: "learning_rate"}
DEEP = {"cells": 1600, "steps": 5000}  # some half a minute of two cores
LARGEST = {"order": 1, "cells": 4000, "steps": 1}
MANY, SOME = 50, 5  # deep maps that are wanted at once
AGAIN = 10.0  # s after which a refused session tries again
AT_ONCE = 20  # who ask for the longest table, each again after a pause
PAUSE = 0.5  # s
TABLE = "/lab/step_by_step.csv?steps=5000&of=nadam&surface=rastrigin&noise=0.3&seed="
FINISHED = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)


class AnswerError(Exception):
    """The server's answer is not the answer to what was sent."""


@dataclass
class Answer:
    """What came until the script had finished."""

    query: str | None = None  # that the race message says it answers
    received: int = 0  # bytes
    job: Any = None  # how far a deep map is


@dataclass
class Session:
    """A browser without a picture: the same messages, the same cache of what was sent before."""

    socket: ClientConnection
    component: str = RACE
    kept: dict[str, ForwardMsg] = field(default_factory=dict)
    widget: str = ""
    fragment: str = ""
    page: str = ""

    async def open(self) -> Answer:
        """The first run of the page."""
        return await self._run(BackMsg(rerun_script=ClientState(page_name=PAGES[self.component])))

    async def change(self, query: str, **wish: Any) -> Answer:
        """A moved slider, and the answer with the new race."""
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash = self.page
        state.fragment_id = self.fragment
        state.cached_message_hashes.extend(self.kept)
        ask = {"ask": {"query": query, "window": None} | wish}
        state.widget_states.widgets.add(id=self.widget, json_value=json.dumps(ask))
        answer = await self._run(message)
        if answer.query != query:
            raise AnswerError(f"asked for {query!r}, answered was {answer.query!r}")
        return answer

    async def _run(self, message: BackMsg) -> Answer:
        answer, shown = Answer(), {}
        async with asyncio.timeout(PATIENCE):
            await self.socket.send(message.SerializeToString())
            while True:
                payload = await self.socket.recv(decode=False)
                answer.received += len(payload)
                news = ForwardMsg()
                news.ParseFromString(payload)
                kind = news.WhichOneof("type")
                if kind == "ref_hash":
                    # Sent before: only its hash comes again.
                    news = self.kept[news.ref_hash]
                    kind = "delta"
                if news.metadata.cacheable:
                    shown[news.hash] = news
                if kind == "new_session":
                    self.page = news.new_session.page_script_hash
                elif kind == "delta":
                    self._read(news, answer)
                elif kind == "script_finished":
                    if news.script_finished not in FINISHED:
                        raise AnswerError(f"the script ended with status {news.script_finished}")
                    self.kept = shown
                    return answer

    def _read(self, news: ForwardMsg, answer: Answer) -> None:
        element: Any = news.delta.new_element
        if element.WhichOneof("type") == "exception":
            raise AnswerError(element.exception.message)
        component = element.bidi_component
        if component.component_name == "descent_answer":
            answer.job = json.loads(component.json)["job"]
        if component.component_name == self.component:
            self.widget, self.fragment = component.id, news.delta.fragment_id
            (length,) = struct.unpack_from("<I", component.bytes)
            answer.query = json.loads(component.bytes[4 : 4 + length])["query"]


@dataclass
class Load:
    """What a number of sessions saw; times in seconds."""

    waits: list[float]
    errors: list[str]
    elapsed: float
    received: int  # bytes


def _connected(address: str) -> connect:
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    return connect(url, subprotocols=[Subprotocol("streamlit")], max_size=None)


async def _session(
    address: str,
    component: str,
    seed: int,
    changes: int,
    moved: str,
    go: asyncio.Barrier,
    load: Load,
) -> None:
    chance = random.Random(seed)
    name = moved or {RACE: "adam.lr", RATES: "lr"}[component]
    async with _connected(address) as socket:
        session = Session(socket, component)
        await session.open()
        await go.wait()
        due = time.perf_counter() + chance.random()
        for i in range(changes):
            # A late answer delays the next change, and who waits counts from when it was due.
            await asyncio.sleep(max(0.0, due + i - time.perf_counter()))
            try:
                answer = await session.change(
                    f"{name}={chance.uniform(0.01, 0.5):.6f}", fine=not moved
                )
            except (AnswerError, TimeoutError, ConnectionClosed) as error:
                load.errors.append(repr(error))
            else:
                load.waits.append(time.perf_counter() - due - i)
                load.received += answer.received


async def _load(
    address: str, sessions: int, changes: int, seed: int, component: str = RACE, moved: str = ""
) -> Load:
    load = Load([], [], 0.0, 0)
    go = asyncio.Barrier(sessions + 1)
    async with asyncio.TaskGroup() as group:
        for i in range(sessions):
            group.create_task(
                _session(address, component, 1000 * seed + i, changes, moved, go, load)
            )
        await go.wait()
        began = time.perf_counter()
    load.elapsed = time.perf_counter() - began
    return load


def _p95(waits: list[float]) -> float:
    return quantiles(waits, n=20, method="inclusive")[-1]


def _process(address: str) -> Path:
    """The /proc entry of the server that listens at an address."""
    port = address.rpartition(":")[2]
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = entry.read_text().split("\0")
            if "streamlit" in words and port in words:
                return entry.parent
    raise RuntimeError(f"no server at {address}")


async def _ordering(
    address: str, number: int, turn: asyncio.Semaphore, go: asyncio.Barrier
) -> None:
    """A session that wants a deep map of its own, and another one whenever that is done."""
    async with _connected(address) as socket:
        session = Session(socket, RATES)
        async with turn:
            await session.open()
        await go.wait()
        deep, serial = DEEP | {"cells": DEEP["cells"] - number, "order": 1}, 0
        while True:
            serial += 1
            with contextlib.suppress(TimeoutError):
                answer = await session.change("", serial=serial, fine=False, deep=deep)
                if answer.job["error"] or answer.job["ready"]:
                    deep |= {"order": serial, "cells": deep["cells"] - MANY}
                await asyncio.sleep(answer.job.get("pause", AGAIN))


async def _beside_deep_maps(address: str, maps: int, seed: int, **moved: Any) -> Load:
    """What one session sees while others want so many deep maps."""
    turn, go = asyncio.Semaphore(2), asyncio.Barrier(maps + 1)
    async with asyncio.TaskGroup() as group:
        others = [group.create_task(_ordering(address, i, turn, go)) for i in range(maps)]
        await go.wait()
        await asyncio.sleep(1.0)
        load = await _load(address, 1, CHANGES, seed, **moved)
        for other in others:
            other.cancel()
    return load


def _resident(process: Path) -> float:
    """Memory in use, MiB."""
    return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def _memory(address: str) -> tuple[float, float]:
    """MiB that the largest deep map takes at most, and after it was dropped."""
    process = _process(address)
    async with _connected(address) as socket:
        session = Session(socket, RATES)
        await session.open()
        before = most = _resident(process)
        job: Any = {"ready": False}
        serial = 0
        while not job["ready"]:
            serial += 1
            job = (await session.change("", serial=serial, fine=False, deep=LARGEST)).job
            most = max(most, _resident(process))
            await asyncio.sleep(0.1)
        await session.change("", serial=serial + 1, fine=False, deep=None)
    await asyncio.sleep(1.0)
    return most - before, _resident(process) - before


def _table(address: str, seed: int) -> int:
    """Ask for a table that nobody has asked for before; the answer's status."""
    try:
        with urllib.request.urlopen(f"{address}{TABLE}{seed}", timeout=60.0) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


async def _flooded(address: str) -> tuple[Load, Counter[int]]:
    """A class at work while others ask for the longest table all the time."""
    statuses: Counter[int] = Counter()
    load = asyncio.create_task(_load(address, SESSIONS, CHANGES, seed=8))
    seeds = iter(range(1, 1_000_000))
    threads = ThreadPoolExecutor(AT_ONCE)

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        while not load.done():
            statuses[await loop.run_in_executor(threads, _table, address, next(seeds))] += 1
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    return await load, statuses


def measure() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, bound)."""
    with serve(ROOT / "app.py") as address:
        alone = asyncio.run(_load(address, 1, CHANGES, seed=1))
        many = asyncio.run(_load(address, SESSIONS, CHANGES, seed=2))
        flooded, statuses = asyncio.run(_flooded(address))
        rates_alone = asyncio.run(_load(address, 1, CHANGES, seed=3, component=RATES))
        rates = asyncio.run(_load(address, SESSIONS, CHANGES, seed=4, component=RATES))
        beside = _deep_rows(address, alone)
    return [
        *_rows("a change a second", alone, many),
        *_flood_rows(many, flooded, statuses),
        *_rows("the Learning rate page's slider moved once a second", rates_alone, rates),
        *beside,
    ]


def _deep_rows(address: str, alone: Load) -> list[tuple[str, str, str]]:
    """Deep maps that others want, and their memory."""
    live: dict[str, Any] = {"component": RATES, "moved": "x"}
    quiet = asyncio.run(_load(address, 1, CHANGES, seed=5, **live))
    maps = asyncio.run(_beside_deep_maps(address, SOME, seed=6, **live))
    compare = asyncio.run(_beside_deep_maps(address, MANY, seed=7))
    most, left = asyncio.run(_memory(address))
    rows = []
    for what, before, after, bound in (
        (
            f"{MANY} sessions want a deep map: another's change on Compare, median",
            alone,
            compare,
            2.0,
        ),
        (f"{SOME} sessions want one: another's coarse live map, median", quiet, maps, 1.5),
    ):
        times = median(before.waits), median(after.waits)
        text = f"{1e3 * times[1]:.0f} ms ({times[1] / times[0]:.2f} x without)"
        rows.append((what, text, f"{bound} x"))
        rows.append(("  errors", str(len(before.errors) + len(after.errors)), "0"))
    return [
        *rows,
        ("a deep map of 4,000² cells: memory at most", f"{most:.0f} MiB", "100 MiB"),
        ("  after it was dropped", f"{left:.0f} MiB", ""),
    ]


def _flood_rows(calm: Load, flooded: Load, statuses: Counter[int]) -> list[tuple[str, str, str]]:
    usual, half = median(calm.waits), median(flooded.waits)
    others = statuses.total() - statuses[200] - statuses[503]
    return [
        (
            f"{SESSIONS} sessions while {AT_ONCE} ask for the longest CSV all the time: median",
            f"{1e3 * half:.0f} ms ({half / usual:.2f} x without them)",
            "2 x",
        ),
        ("  files sent, requests refused with 503", f"{statuses[200]}, {statuses[503]}", ""),
        ("  other answers, errors of sessions", f"{others}, {len(flooded.errors)}", "0, 0"),
    ]


def _rows(what: str, alone: Load, many: Load) -> list[tuple[str, str, str]]:
    for error in dict.fromkeys(alone.errors + many.errors):
        print(error)
    if not alone.waits or not many.waits:
        raise RuntimeError("no change was answered")
    least, half, most = median(alone.waits), median(many.waits), _p95(many.waits)
    answered = len(many.waits)
    return [
        (f"one session, {what}: change sent to run finished", f"{1e3 * least:.0f} ms", "the floor"),
        (
            f"{SESSIONS} sessions, {what} each: median",
            f"{1e3 * half:.0f} ms ({half / least:.2f} x the floor)",
            "",
        ),
        ("  95th percentile", f"{1e3 * most:.0f} ms ({most / least:.2f} x the floor)", ""),
        ("  slowest", f"{1e3 * max(many.waits):.0f} ms", ""),
        (
            "  changes answered",
            f"{answered} in {many.elapsed:.1f} s, {answered / many.elapsed:.1f} a second",
            f"{SESSIONS * CHANGES}",
        ),
        ("  bytes down a change", f"{many.received / answered / 1024:.1f} KiB", ""),
        ("  errors", str(len(alone.errors) + len(many.errors)), "0"),
    ]


if __name__ == "__main__":
    for row in measure():
        print(" | ".join(row))
