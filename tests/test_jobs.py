"""The long jobs of all visitors: in turn, shared, kept, given up, or refused."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest

from optim_core import Cancelled
from tests.reading import header_of
from tests.test_assets import DIGEST, Answer, ask
from ui.server import answers
from ui.server import jobs as module
from ui.server.background import Background
from ui.server.jobs import Desk, Job

TIME = 5.0  # s, for what takes no time at all
Told = Callable[[int, int], None]
Left = Callable[[], bool]


class Work:
    """A job under the test's hand: it goes on until it is let go, or told to stop."""

    def __init__(self, result: bytes = b"map") -> None:
        self.result = result
        self.begun, self.go, self.stopped = (threading.Event() for _ in range(3))

    def __call__(self, told: Told, left: Left) -> bytes:
        told(3, 8)
        self.begun.set()
        while not self.go.wait(0.005):
            if left():
                self.stopped.set()
                raise Cancelled("The sweep was cancelled.")
        return self.result


@dataclass(eq=False)
class Visitor:
    """One tab of a browser."""

    desk: Desk

    def ask(self, subject: object, work: Callable[[Told, Left], bytes]) -> Job:
        return self.desk.ask(self, subject, work)

    def place(self, subject: object, work: Work) -> int:
        return self.desk.before(self.ask(subject, work))

    def leave(self) -> None:
        self.desk.leave(self)

    def settled(self, subject: object, work: Callable[[Told, Left], bytes]) -> Job:
        """The job once it is over, asked about as a page asks."""
        until = time.monotonic() + TIME
        while time.monotonic() < until:
            job = self.ask(subject, work)
            if job.is_over:
                return job
            time.sleep(0.005)
        raise TimeoutError(subject)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def visitor(desk: Desk) -> Iterator[Callable[[], Visitor]]:
    """Makes visitors, and ends them with the test."""
    made: list[Visitor] = []

    def visitor() -> Visitor:
        made.append(Visitor(desk))
        return made[-1]

    yield visitor
    for one in made:
        one.leave()


def gone(desk: Desk) -> bool:
    """Whether the desk has nothing any more, and no thread either."""
    until = time.monotonic() + TIME
    while (desk._jobs or desk._thread) and time.monotonic() < until:
        time.sleep(0.005)
    return not desk._jobs and desk._thread is None


def test_a_job_runs_and_its_result_is_there(visitor: Callable[[], Visitor]) -> None:
    one, work = visitor(), Work()
    one.ask("sheet", work)
    assert work.begun.wait(TIME)
    job = one.ask("sheet", work)
    assert (job.done, job.total, job.is_over, one.desk.before(job)) == (3, 8, False, 0)
    work.go.set()
    assert one.settled("sheet", work).result == b"map"
    assert one.ask("sheet", work).result == b"map"


def test_jobs_of_all_visitors_run_one_at_a_time_and_say_their_place(
    visitor: Callable[[], Visitor],
) -> None:
    visitors, works = [visitor() for _ in range(4)], [Work(b"%d" % i) for i in range(4)]
    for i in range(4):
        visitors[i].ask(i, works[i])
    assert works[0].begun.wait(TIME)
    assert [visitors[i].place(i, works[i]) for i in range(4)] == [0, 1, 2, 3]
    assert not any(work.begun.is_set() for work in works[1:])
    visitors[1].leave()
    assert visitors[3].place(3, works[3]) == 2
    works[0].go.set()
    assert works[2].begun.wait(TIME)
    assert not works[1].begun.is_set(), "nobody wants it any more"
    assert not works[3].begun.is_set()


def test_two_who_want_the_same_share_one_job(visitor: Callable[[], Visitor]) -> None:
    one, other, work, second = visitor(), visitor(), Work(), Work(b"second")
    one.ask("sheet", work)
    assert work.begun.wait(TIME)
    assert other.ask("sheet", second).done == 3
    one.leave()
    assert not work.stopped.wait(0.05), "the other one waits for it"
    work.go.set()
    assert other.settled("sheet", second).result == b"map"
    assert not second.begun.is_set()


def test_a_reloaded_page_finds_its_job_again(visitor: Callable[[], Visitor]) -> None:
    """Under way, and when it is done."""
    lost, work = visitor(), Work()
    lost.ask("sheet", work)
    assert work.begun.wait(TIME)
    back, second = visitor(), Work()
    assert back.ask("sheet", second).done == 3
    work.go.set()
    assert back.settled("sheet", second).result == b"map"
    lost.leave()
    back.leave()
    assert visitor().ask("sheet", second).result == b"map"
    assert not second.begun.is_set()


def test_another_order_drops_the_first(visitor: Callable[[], Visitor]) -> None:
    one, first, second = visitor(), Work(b"first"), Work(b"second")
    one.ask(1, first)
    assert first.begun.wait(TIME)
    one.ask(2, second)
    assert first.stopped.wait(TIME)
    second.go.set()
    assert one.settled(2, second).result == b"second"
    assert not second.stopped.is_set()


def test_a_dropped_jobs_late_result_is_not_shown(visitor: Callable[[], Visitor]) -> None:
    one, begun, ended = visitor(), threading.Event(), threading.Event()

    def stubborn(told: Told, left: Left) -> bytes:
        begun.set()
        while not left():
            pass
        ended.set()
        return b"late"

    one.ask("sheet", stubborn)
    assert begun.wait(TIME)
    one.leave()
    work = Work()
    one.ask("sheet", work)
    assert ended.wait(TIME)
    work.go.set()
    assert one.settled("sheet", work).result == b"map"


def test_a_job_that_nobody_asks_about_is_given_up_and_begun_again_when_asked(
    visitor: Callable[[], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    one, other, work, waits = visitor(), visitor(), Work(), Work()
    one.ask("sheet", work)
    other.ask("another", waits)
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        one.ask("sheet", work)
        time.sleep(0.02)
    assert not work.stopped.is_set(), "it is asked about"
    assert work.stopped.wait(TIME)
    assert not waits.begun.is_set(), "nobody has asked about it for as long"
    again = Work(b"again")
    again.go.set()
    assert one.settled("sheet", again).result == b"again"


def test_more_than_may_wait_are_refused(visitor: Callable[[], Visitor]) -> None:
    first = Work()
    visitor().ask("first", first)
    assert first.begun.wait(TIME)
    for i in range(module.WAITING):
        assert visitor().place(i, Work()) == i + 1
    with pytest.raises(ValueError, match=rf"^{module.WAITING} deep maps are waiting .*\.$"):
        visitor().ask("one more", Work())
    assert visitor().place(3, Work()) == 4, "what waits already is no more"


def test_the_more_ask_the_later_they_ask_again(desk: Desk, visitor: Callable[[], Visitor]) -> None:
    work, pauses = Work(), []
    for _ in range(40):
        visitor().ask("sheet", work)
        pauses.append(desk.pause())
    assert pauses[0] == module.POLL
    assert all(i / pause <= module.POLLS for i, pause in enumerate(pauses, 1))


def test_results_are_bounded_in_bytes_and_in_time(
    desk: Desk, visitor: Callable[[], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BYTES", 25)
    monkeypatch.setattr(module, "KEPT", 0.3)
    visitors = [visitor() for _ in range(4)]
    for i, one in enumerate(visitors):
        work = Work(b"%d" % i * 10)
        work.go.set()
        one.settled(i, work)
    again = Work(b"again")
    again.go.set()
    assert visitors[0].settled(0, again).result == b"again", "the oldest had to go"
    assert visitors[3].ask(3, Work()).result == b"3" * 10
    time.sleep(0.4)
    assert visitors[3].ask(3, Work()).result == b"3" * 10, "a page still holds it"
    for one in visitors:
        one.leave()
    assert gone(desk)


@pytest.mark.parametrize("error", [ValueError("9 is more than 8."), MemoryError()])
def test_a_job_that_fails_says_so_and_may_be_ordered_again(
    visitor: Callable[[], Visitor], error: Exception
) -> None:
    """Else a page would ask about it for ever."""

    def broken(told: Told, left: Left) -> bytes:
        raise error

    one = visitor()
    job = one.settled("sheet", broken)
    assert job.result is None
    assert job.error is not None
    assert job.error == str(error) or "log" in job.error
    one.leave()
    work = Work()
    work.go.set()
    assert one.settled("sheet", work).result == b"map"


def follow(who: str, digest: str = DIGEST, page: str = "learning_rate", **query: str) -> Answer:
    """One question of a page about a map of so few cells that it takes no time."""
    asked = {"_cells": "2", "_steps": "1", "_who": who} | query
    return ask(f"/lab/{digest}/job/{page}/map", query=urlencode(asked))


def over(who: str, **query: str) -> Answer:
    """The first answer that says how it ended."""
    until = time.monotonic() + TIME
    while (found := follow(who, **query))[0] == 202 and time.monotonic() < until:
        time.sleep(0.005)
    return found


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> Iterator[threading.Event]:
    """The app's own desk is a new one, whose jobs begin once they are let."""
    go, run = threading.Event(), Job.run

    def wait(job: Job) -> None:
        assert go.wait(TIME)
        run(job)

    monkeypatch.setattr(answers, "DESK", desk)
    monkeypatch.setattr(Job, "run", wait)
    yield go
    go.set()
    for who in ("a", "b"):
        desk.leave(who)


def test_a_page_asks_until_the_result_is_there(held: threading.Event) -> None:
    assert follow("a")[0] == 202
    status, headers, body = follow("b", _cells="3")
    assert (status, headers["content-type"]) == (202, "application/json")
    said = json.loads(body)
    assert said == {"before": 1, "done": 0, "total": 0, "pause": module.POLL}
    held.set()
    status, headers, body = over("b", _cells="3")
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert header_of(gzip.decompress(body))["cells"] == 3
    # Whoever comes later, as after a reload, gets it at once.
    assert follow("a", _cells="3")[2] == body


def test_a_map_that_failed_may_be_ordered_again(
    held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise ZeroDivisionError("at /srv/secret/path.py")

    held.set()
    with monkeypatch.context() as patch:
        patch.setattr("ui.panels.map.panel.message", broken)
        status, _, body = over("a")
    assert (status, body.decode()) == (400, "It failed; the server's log says why.")
    assert over("a")[0] == 200


def test_who_leaves_takes_the_job_along(desk: Desk, held: threading.Event) -> None:
    follow("a")
    follow("b", _cells="3")
    assert follow("b", _cells="3", _leave="1")[0] == 200
    assert [job.holders for job in desk._jobs.values()] == [{"a"}]
    assert follow("a", _leave="1")[0] == 200
    held.set()
    assert gone(desk)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"_cells": "4001"}, "4001"),
        ({"_cells": "1"}, "cells"),
        ({"_cells": "many"}, "many"),
        ({"_cells": "²"}, "cells"),
        ({"_cells": "9" * 30}, "999"),
        ({"_cells": ""}, "cells"),
        ({"_steps": "0"}, "steps"),
        ({"_cells": "4000", "_steps": "5000"}, "80,000,000,000"),
    ],
)
def test_what_is_too_much_is_refused_in_a_sentence(
    held: threading.Event, query: dict[str, str], said: str
) -> None:
    status, headers, body = follow("a", **query)
    assert (status, headers["cache-control"]) == (400, "no-store")
    assert said in body.decode()
    assert body.decode().endswith(".")


def test_only_panels_with_long_jobs_have_them() -> None:
    assert follow("a", page="compare")[0] == 404
    assert follow("a", digest="0" * 16)[0] == 404


def test_what_may_wait_waits_for_what_is_urgent_but_not_for_ever() -> None:
    pool = Background(1)

    def work() -> float:
        time.sleep(0.1)
        return time.perf_counter()

    try:
        first = pool.submit(work).result()
        with pool.held_back():
            waits = pool.submit(work)
            time.sleep(0.2)
            released = time.perf_counter()
        assert waits.result() - released < 0.6
        assert waits.result() - first > 0.25, "it held back"
        with pool.held_back():
            assert pool.submit(work).result(timeout=TIME) > released
    finally:
        pool.shutdown()
