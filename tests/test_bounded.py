"""Answers that are computed: how many at once, who may ask, and what is kept."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers

from tests.test_assets import ask
from ui import bounded
from ui.bounded import Bound, FullError, QueryError, computed


class Work:
    """Computes answers once it is let, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = threading.Event()
        self.at_work = self.most = 0

    def __call__(self, query: str) -> Iterator[str]:
        if query == "bad":
            raise QueryError("It is bad.\nVery.")
        if query == "broken":
            raise ZeroDivisionError
        self.asked.append(query)
        return self.pieces(query)

    def pieces(self, query: str) -> Iterator[str]:
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        assert self.go.wait(20)
        yield "one,"
        yield query
        self.at_work -= 1


def test_one_is_computed_few_wait_and_the_others_are_refused() -> None:
    work, bound = Work(), Bound(waiting=3)

    async def crowd() -> list[bytes | BaseException]:
        # Each number twice: who asks for the same waits for the same.
        tasks = [asyncio.create_task(bound.answer("/a", str(i // 2), work)) for i in range(20)]
        await asyncio.sleep(0.1)
        tasks[2].cancel()  # and takes nothing from the other who asks for 1
        work.go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    answers = asyncio.run(crowd())
    assert isinstance(answers.pop(2), asyncio.CancelledError)
    got = [gzip.decompress(a).decode() for a in answers[:7] if isinstance(a, bytes)]
    assert got == [f"one,{i}" for i in (0, 0, 1, 2, 2, 3, 3)]
    assert all(isinstance(answer, FullError) for answer in answers[7:])
    assert (work.asked, work.most) == (["0", "1", "2", "3"], 1)
    # The line is empty again.
    assert asyncio.run(bound.answer("/a", "9", work))


def test_what_was_computed_is_kept_until_others_need_the_room() -> None:
    work = Work()
    work.go.set()
    size = len(asyncio.run(Bound().answer("/a", "0", work)))
    work.asked.clear()
    bound = Bound(size=3 * size)
    for query in ("1", "2", "3", "1", "4", "1", "2"):
        asyncio.run(bound.answer("/a", query, work))
    # 4 took the room of 2, which had not been asked for since long.
    assert work.asked == ["1", "2", "3", "4", "2"]
    asyncio.run(bound.answer("/b", "2", work))
    assert work.asked[-2:] == ["2", "2"]


def test_an_error_is_told_to_who_asked_and_to_nobody_later() -> None:
    work, bound = Work(), Bound(waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            asyncio.run(bound.answer("/a", "broken", work))


def test_the_thread_rests_as_long_as_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever needs the interpreter waits for it at each of their own steps."""
    rests: list[float] = []
    clock = SimpleNamespace(perf_counter=time.perf_counter, sleep=rests.append)
    monkeypatch.setattr(bounded, "time", clock)

    def pieces(_query: str) -> Iterator[str]:
        for _ in range(20):
            until = time.perf_counter() + 0.002
            while time.perf_counter() < until:
                pass
            yield "x"

    asyncio.run(Bound().answer("/a", "", pieces))
    assert len(rests) == 20
    assert min(rests) >= 0.002


def test_a_route_says_what_it_does() -> None:
    work = Work()
    work.go.set()
    app = Starlette(routes=[computed("/a", work, "text/csv", "a.csv", Bound())])

    def get(query: str = "1", method: str = "GET", **headers: str) -> tuple[int, Headers, bytes]:
        return ask("/a", method, query, app, **headers)

    status, sent, body = get()
    assert (status, gzip.decompress(body)) == (200, b"one,1")
    assert sent["content-disposition"] == 'attachment; filename="a.csv"'
    assert sent["cache-control"] == "public, max-age=3600"
    assert sent["vary"] == "Accept-Encoding"
    # A part of a file may be refused if that is said (RFC 9110, section 14.3).
    assert sent["accept-ranges"] == "none"
    assert get(range="bytes=0-1")[0] == 200
    assert get(accept_encoding="identity")[2] == b"one,1"
    assert get(method="HEAD")[:2] == (status, sent)
    for known in (sent["etag"], f'"x", {sent["etag"]}'):
        status, again, body = get(if_none_match=known)
        assert (status, again["etag"], body) == (304, sent["etag"], b"")
    assert get(if_none_match='"x"')[0] == 200
    assert get("2")[1]["etag"] != sent["etag"]
    assert work.asked == ["1", "2"]

    status, sent, body = get("bad")
    assert (status, body) == (400, b"It is bad.\nVery.")
    assert sent["cache-control"] == "no-store"
    assert get(method="POST")[0] == 405


@pytest.mark.parametrize(
    ("site", "status"),
    [("cross-site", 403), ("same-site", 200), ("same-origin", 200), ("none", 200)],
)
def test_pages_of_other_sites_are_refused(site: str, status: int) -> None:
    """The values are those of Fetch Metadata, which every browser sends."""
    assert ask("/lab/step_by_step.csv", sec_fetch_site=site)[0] == status


def test_too_many_are_asked_to_come_again() -> None:
    app = Starlette(routes=[computed("/a", Work(), "text/csv", "a.csv", Bound(waiting=-1))])
    status, headers, body = ask("/a", app=app)
    assert status == 503
    assert int(headers["retry-after"]) > 0
    assert headers["cache-control"] == "no-store"
    assert b"Try again" in body
