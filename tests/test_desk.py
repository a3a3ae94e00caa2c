"""The long jobs of all sessions: in turn, shared, kept, given up, or refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from optim_core import Cancelled
from ui import desk as module
from ui.background import Background
from ui.desk import Desk, Order

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


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def session(desk: Desk) -> Iterator[Callable[[], Order]]:
    """Makes sessions, and ends them with the test."""
    made: list[Order] = []

    def session() -> Order:
        made.append(Order(desk))
        return made[-1]

    yield session
    for order in made:
        order.clear()


def settled(order: Order, number: int, subject: Any, work: Any) -> tuple[bytes | None, Any]:
    """The first answer that says how it ended."""
    until = time.monotonic() + TIME
    while time.monotonic() < until:
        result, status = order.follow(number, subject, work)
        if result is not None or status["error"]:
            return result, status
        time.sleep(0.005)
    raise TimeoutError(status)


def gone(desk: Desk) -> bool:
    """Whether the desk has nothing any more, and no thread either."""
    until = time.monotonic() + TIME
    while (desk._jobs or desk._thread) and time.monotonic() < until:
        time.sleep(0.005)
    return not desk._jobs and desk._thread is None


def test_a_job_runs_and_its_result_is_there(session: Callable[[], Order]) -> None:
    order, work = session(), Work()
    order.follow(7, "sheet", work)
    assert work.begun.wait(TIME)
    result, status = order.follow(7, "sheet", work)
    assert result is None
    assert status.pop("pause") == module.POLL
    assert status == {"before": 0, "done": 3, "total": 8, "error": None, "ready": False}
    work.go.set()
    assert settled(order, 7, "sheet", work)[0] == b"map"
    # It stays while it is looked at.
    result, status = order.follow(7, "sheet", work)
    assert (result, status["ready"], status["error"]) == (b"map", True, None)


def test_jobs_of_all_sessions_run_one_at_a_time_and_say_their_place(
    session: Callable[[], Order],
) -> None:
    sessions, works = [session() for _ in range(4)], [Work(b"%d" % i) for i in range(4)]
    for i in range(4):
        sessions[i].follow(1, i, works[i])
    assert works[0].begun.wait(TIME)
    places = [sessions[i].follow(1, i, works[i])[1]["before"] for i in range(4)]
    assert places == [0, 1, 2, 3]
    assert not any(work.begun.is_set() for work in works[1:])
    sessions[1].clear()
    assert sessions[3].follow(1, 3, works[3])[1]["before"] == 2
    works[0].go.set()
    assert works[2].begun.wait(TIME)
    assert not works[1].begun.is_set(), "nobody wants it any more"
    assert not works[3].begun.is_set()


def test_two_who_want_the_same_share_one_job(session: Callable[[], Order]) -> None:
    one, other, work, second = session(), session(), Work(), Work(b"second")
    one.follow(1, "sheet", work)
    assert work.begun.wait(TIME)
    assert other.follow(9, "sheet", second)[1]["done"] == 3
    one.clear()
    assert not work.stopped.wait(0.05), "the other one waits for it"
    work.go.set()
    assert settled(other, 9, "sheet", second)[0] == b"map"
    assert not second.begun.is_set()


def test_a_lost_session_finds_its_job_again(session: Callable[[], Order]) -> None:
    """The connection is gone, the page comes back as another session: under way, and when done."""
    lost, work = session(), Work()
    lost.follow(5, "sheet", work)
    assert work.begun.wait(TIME)
    back, second = session(), Work()
    assert back.follow(5, "sheet", second)[1]["done"] == 3
    work.go.set()
    assert settled(back, 5, "sheet", second)[0] == b"map"
    lost.clear()
    back.clear()
    assert session().follow(5, "sheet", second)[0] == b"map"
    assert not second.begun.is_set()


def test_another_order_drops_the_first(session: Callable[[], Order]) -> None:
    order, first, second = session(), Work(b"first"), Work(b"second")
    order.follow(1, "sheet", first)
    assert first.begun.wait(TIME)
    order.follow(2, "another", second)
    assert first.stopped.wait(TIME)
    second.go.set()
    assert settled(order, 2, "another", second)[0] == b"second"
    assert not second.stopped.is_set()


def test_a_dropped_jobs_late_result_is_not_shown(session: Callable[[], Order]) -> None:
    order, begun, ended = session(), threading.Event(), threading.Event()

    def stubborn(told: Told, left: Left) -> bytes:
        begun.set()
        while not left():
            pass
        ended.set()
        return b"late"

    order.follow(1, "sheet", stubborn)
    assert begun.wait(TIME)
    order.clear()
    work = Work()
    order.follow(2, "sheet", work)
    assert ended.wait(TIME)
    work.go.set()
    assert settled(order, 2, "sheet", work)[0] == b"map"


def test_a_changed_subject_drops_it_with_a_sentence(session: Callable[[], Order]) -> None:
    order, work = session(), Work()
    order.follow(1, "sheet", work)
    assert work.begun.wait(TIME)
    for subject in ("another", "sheet"):  # and nothing starts again by being asked about
        result, status = order.follow(1, subject, work)
        assert result is None
        assert "changed" in status["error"]
        assert status["error"].endswith(".")
    assert work.stopped.wait(TIME)


def test_a_job_that_nobody_asks_about_is_given_up_and_begun_again_when_asked(
    session: Callable[[], Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    order, work, waits = session(), Work(), Work()
    other = session()
    order.follow(1, "sheet", work)
    other.follow(1, "another", waits)
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        order.follow(1, "sheet", work)
        time.sleep(0.02)
    assert not work.stopped.is_set(), "it is asked about"
    assert work.stopped.wait(TIME)
    assert not waits.begun.is_set(), "nobody has asked about it for as long"
    again = Work(b"again")
    again.go.set()
    assert settled(order, 1, "sheet", again)[0] == b"again"


def test_more_than_may_wait_are_refused(session: Callable[[], Order]) -> None:
    first = Work()
    session().follow(1, "first", first)
    assert first.begun.wait(TIME)
    for i in range(module.WAITING):
        assert session().follow(1, i, Work())[1]["before"] == i + 1
    result, status = session().follow(1, "one more", Work())
    assert result is None
    assert status["error"].startswith(f"{module.WAITING} deep maps are waiting")
    assert status["error"].endswith(".")
    assert session().follow(1, 3, Work())[1]["before"] == 4, "what waits already is no more"


def test_the_more_ask_the_later_they_ask_again(session: Callable[[], Order]) -> None:
    work = Work()
    pauses = [session().follow(1, "sheet", work)[1]["pause"] for _ in range(40)]
    assert pauses[0] == module.POLL
    assert all(i / pause <= module.POLLS for i, pause in enumerate(pauses, 1))


def test_results_are_bounded_in_bytes_and_in_time(
    desk: Desk, session: Callable[[], Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BYTES", 25)
    monkeypatch.setattr(module, "KEPT", 0.3)
    orders = [session() for _ in range(4)]
    for i, order in enumerate(orders):
        work = Work(b"%d" % i * 10)
        work.go.set()
        settled(order, 1, i, work)
    result, status = orders[0].follow(1, 0, Work())
    assert result is None
    assert "no longer kept" in status["error"]
    assert orders[3].follow(1, 3, Work())[0] == b"3" * 10
    time.sleep(0.4)
    assert orders[3].follow(1, 3, Work())[0] == b"3" * 10, "a session still holds it"
    for order in orders:
        order.clear()
    assert gone(desk)


@pytest.mark.parametrize("error", [ValueError("9 is more than 8."), MemoryError()])
def test_a_job_that_fails_says_so_and_may_be_ordered_again(
    session: Callable[[], Order], error: Exception
) -> None:
    """Else a page would ask about it for ever."""

    def broken(told: Told, left: Left) -> bytes:
        raise error

    order = session()
    result, status = settled(order, 1, "sheet", broken)
    assert result is None
    assert status["error"] == str(error) or "log" in status["error"]
    work = Work()
    work.go.set()
    assert settled(order, 2, "sheet", work)[0] == b"map"


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
