"""Answers that are computed: how many at once, who waits for the same, and what is kept."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import Request

from ui.server import bounded
from ui.server.bounded import Bound, FullError, LeftError, compressed

TIME = 20.0  # s, for what takes no time at all


class Work:
    """Computes answers once it is let, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = threading.Event()
        self.at_work = self.most = 0

    def __call__(self, query: str) -> Callable[[], bytes]:
        def answer() -> bytes:
            self.begun.append(query)
            self.at_work += 1
            self.most = max(self.most, self.at_work)
            assert self.go.wait(TIME)
            self.at_work -= 1
            if query == "broken":
                raise ZeroDivisionError
            return f"the answer to {query}".encode()

        return answer


def visitor(left: asyncio.Event | None = None) -> Request:
    """Who asks; `left` is set when the connection is closed."""

    async def receive() -> Any:
        await (left or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": []}, receive)


async def begun(work: Work, count: int) -> None:
    async with asyncio.timeout(TIME):
        while len(work.begun) < count:
            await asyncio.sleep(0.002)


def test_few_are_computed_some_wait_and_the_others_are_refused() -> None:
    work, bound = Work(), Bound(threads=2, waiting=2)

    async def crowd() -> list[bytes | BaseException]:
        # Each number twice: who asks for the same waits for the same.
        queries = [str(i // 2) for i in range(20)]
        tasks = [asyncio.create_task(bound.answer(visitor(), (q,), work(q))) for q in queries]
        await begun(work, 2)
        tasks[2].cancel()  # and takes nothing from the other who asks for 1
        work.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(crowd())
    assert isinstance(answers.pop(2), asyncio.CancelledError)
    assert answers[:7] == [f"the answer to {i}".encode() for i in (0, 0, 1, 2, 2, 3, 3)]
    assert all(isinstance(answer, FullError) for answer in answers[7:])
    assert (sorted(work.begun), work.most) == (["0", "1", "2", "3"], 2)
    # The line is empty again.
    assert asyncio.run(bound.answer(visitor(), ("9",), work("9")))


def test_what_200_ask_for_at_once_is_computed_once() -> None:
    work, bound = Work(), Bound(threads=2, waiting=0)

    async def crowd() -> list[bytes]:
        tasks = [
            asyncio.create_task(bound.answer(visitor(), ("1",), work("1"))) for _ in range(200)
        ]
        await begun(work, 1)
        work.go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(crowd()) == 200 * [b"the answer to 1"]
    assert work.begun == ["1"]


def test_nothing_is_begun_for_who_has_left() -> None:
    """Else what a moved slider has overtaken would keep others waiting."""
    work, bound = Work(), Bound(threads=1, waiting=2)

    async def crowd() -> list[bytes | BaseException]:
        leave, stay = asyncio.Event(), asyncio.Event()
        asked = [("0", leave), ("1", leave), ("2", leave), ("2", stay)]
        tasks = [asyncio.create_task(bound.answer(visitor(e), (q,), work(q))) for q, e in asked]
        await begun(work, 1)
        leave.set()
        done, _ = await asyncio.wait(tasks[:3], timeout=TIME)
        assert len(done) == 3, "nobody waits for an answer that nobody reads"
        # The place of what was not begun is free again.
        tasks.append(asyncio.create_task(bound.answer(visitor(), ("3",), work("3"))))
        await asyncio.sleep(0)
        work.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    *left, still, last = asyncio.run(crowd())
    assert all(isinstance(answer, LeftError) for answer in left)
    assert (still, last) == (b"the answer to 2", b"the answer to 3")
    assert work.begun == ["0", "2", "3"]


def test_what_was_computed_is_kept_until_others_need_the_room() -> None:
    work = Work()
    work.go.set()

    def ask(bound: Bound, *queries: str) -> None:
        for query in queries:
            asyncio.run(bound.answer(visitor(), ("page", query), work(query)))

    size = len("page" + "1" + "the answer to 1")  # a stranger may ask with a long query
    bound = Bound(size=3 * size)
    ask(bound, "1", "2", "3", "1", "4", "1", "2")
    # 4 took the room of 2, which had not been asked for since long.
    assert work.begun == ["1", "2", "3", "4", "2"]
    ask(bound, "5" * 2 * size, "2")
    assert work.begun[5:] == ["5" * 2 * size, "2"], "alone it is more than there is room for"


def test_an_error_is_told_to_who_asked_and_to_nobody_later() -> None:
    work, bound = Work(), Bound(waiting=0)
    work.go.set()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            asyncio.run(bound.answer(visitor(), ("broken",), work("broken")))
    assert len(work.begun) == 3


def test_the_thread_rests_as_long_as_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever needs the interpreter waits for it at each of their own steps."""
    rests: list[float] = []
    clock = SimpleNamespace(perf_counter=time.perf_counter, sleep=rests.append)
    monkeypatch.setattr(bounded, "time", clock)

    def pieces() -> Iterator[str]:
        for _ in range(20):
            until = time.perf_counter() + 0.002
            while time.perf_counter() < until:
                pass
            yield "x"

    assert gzip.decompress(compressed(pieces())) == 20 * b"x"
    assert len(rests) == 20
    assert min(rests) >= 0.002
