"""A class on one server: many sessions that each change something once a second."""

from __future__ import annotations

import asyncio
import json
import random
import struct
import time
from dataclasses import dataclass, field
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
COMPONENT = "descent_race"
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


@dataclass
class Session:
    """A browser without a picture: the same messages, the same cache of what was sent before."""

    socket: ClientConnection
    kept: dict[str, ForwardMsg] = field(default_factory=dict)
    widget: str = ""
    fragment: str = ""
    page: str = ""

    async def open(self) -> Answer:
        """The first run of the page."""
        return await self._run(BackMsg(rerun_script=ClientState()))

    async def change(self, query: str) -> Answer:
        """A moved slider, and the answer with the new race."""
        message = BackMsg()
        state = message.rerun_script
        state.page_script_hash = self.page
        state.fragment_id = self.fragment
        state.cached_message_hashes.extend(self.kept)
        ask = {"ask": {"query": query, "window": None}}
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
        if component.component_name == COMPONENT:
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


async def _session(address: str, seed: int, changes: int, go: asyncio.Barrier, load: Load) -> None:
    chance = random.Random(seed)
    url = address.replace("http", "ws", 1) + "/_stcore/stream"
    async with connect(url, subprotocols=[Subprotocol("streamlit")], max_size=None) as socket:
        session = Session(socket)
        await session.open()
        await go.wait()
        due = time.perf_counter() + chance.random()
        for i in range(changes):
            # A late answer delays the next change, and who waits counts from when it was due.
            await asyncio.sleep(max(0.0, due + i - time.perf_counter()))
            try:
                answer = await session.change(f"adam.lr={chance.uniform(0.01, 0.5):.6f}")
            except (AnswerError, TimeoutError, ConnectionClosed) as error:
                load.errors.append(repr(error))
            else:
                load.waits.append(time.perf_counter() - due - i)
                load.received += answer.received


async def _load(address: str, sessions: int, changes: int, seed: int) -> Load:
    load = Load([], [], 0.0, 0)
    go = asyncio.Barrier(sessions + 1)
    async with asyncio.TaskGroup() as group:
        for i in range(sessions):
            group.create_task(_session(address, 1000 * seed + i, changes, go, load))
        await go.wait()
        began = time.perf_counter()
    load.elapsed = time.perf_counter() - began
    return load


def _p95(waits: list[float]) -> float:
    return quantiles(waits, n=20, method="inclusive")[-1]


def measure() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, bound)."""
    with serve(ROOT / "app.py") as address:
        alone = asyncio.run(_load(address, 1, CHANGES, seed=1))
        many = asyncio.run(_load(address, SESSIONS, CHANGES, seed=2))
    for error in dict.fromkeys(alone.errors + many.errors):
        print(error)
    if not alone.waits or not many.waits:
        raise RuntimeError("no change was answered")
    least, half, most = median(alone.waits), median(many.waits), _p95(many.waits)
    answered = len(many.waits)
    return [
        (
            "one session, a change a second: change sent to run finished",
            f"{1e3 * least:.0f} ms",
            "the floor",
        ),
        (
            f"{SESSIONS} sessions, a change a second each: median",
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
