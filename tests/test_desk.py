"""A session's long job: done, dropped, left alone, or refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from optim_core import Cancelled
from ui import desk as module
from ui.desk import Desk

TIME = 5.0  # s, for what takes no time at all
Told = Callable[[int, int], None]
Left = Callable[[], bool]
BLANK = {"done": 0, "total": 0, "error": None, "ready": False}


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
def desk() -> Iterator[Desk]:
    found = Desk()
    yield found
    found.clear()


def settled(desk: Desk, number: int, subject: Any, work: Any) -> dict[str, Any]:
    """The first answer that says how it ended."""
    pause, status = threading.Event(), desk.follow(number, subject, work)
    for _ in range(int(TIME / 0.005)):
        if status.get("ready") or status["error"]:
            return status
        pause.wait(0.005)
        status = desk.follow(number, subject, work)
    raise TimeoutError(status)


def test_a_job_runs_and_its_result_is_there(desk: Desk) -> None:
    work = Work()
    assert desk.follow(7, "sheet", work).keys() == BLANK.keys()
    assert work.begun.wait(TIME)
    assert desk.follow(7, "sheet", work) == BLANK | {"done": 3, "total": 8}
    assert desk.result is None
    work.go.set()
    assert settled(desk, 7, "sheet", work)["error"] is None
    assert desk.result == b"map"
    # It stays while it is looked at.
    assert desk.follow(7, "sheet", work)["ready"]
    assert desk.result == b"map"


def test_another_order_drops_the_first(desk: Desk) -> None:
    first, second = Work(b"first"), Work(b"second")
    desk.follow(1, "sheet", first)
    assert first.begun.wait(TIME)
    desk.follow(2, "sheet", second)
    assert first.stopped.wait(TIME)
    second.go.set()
    settled(desk, 2, "sheet", second)
    assert desk.result == b"second"
    assert not second.stopped.is_set()


def test_a_dropped_jobs_late_result_is_not_shown(desk: Desk) -> None:
    ended = threading.Event()

    def stubborn(told: Told, left: Left) -> bytes:
        while not left():
            pass
        ended.set()
        return b"late"

    desk.follow(1, "sheet", stubborn)
    work = Work()
    desk.follow(2, "sheet", work)
    assert ended.wait(TIME)
    assert desk.follow(2, "sheet", work)["ready"] is False
    assert desk.result is None


def test_a_changed_subject_drops_it_with_a_sentence(desk: Desk) -> None:
    work = Work()
    desk.follow(1, "sheet", work)
    assert work.begun.wait(TIME)
    status = desk.follow(1, "another", work)
    assert "changed" in status["error"]
    assert status["error"].endswith(".")
    assert work.stopped.wait(TIME)
    assert desk.result is None
    # Nothing starts again by being asked about.
    assert "changed" in desk.follow(1, "sheet", work)["error"]


def test_a_job_that_nobody_asks_about_is_cancelled(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    work = Work()
    desk.follow(1, "sheet", work)
    assert work.stopped.wait(TIME)
    status = settled(desk, 1, "sheet", work)
    assert status["error"] == "It was cancelled."
    assert not status["ready"]


def test_a_job_that_is_asked_about_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    work, pause = Work(), threading.Event()
    for _ in range(20):
        desk.follow(1, "sheet", work)
        pause.wait(0.02)
    assert not work.stopped.is_set()


def test_what_cannot_be_is_told_in_its_own_words(desk: Desk) -> None:
    def refused(told: Told, left: Left) -> bytes:
        raise ValueError("9 cells × 9 steps = 81 is more than the 80 that are allowed here.")

    status = settled(desk, 1, "sheet", refused)
    assert status["error"].startswith("9 cells")
    assert desk.result is None


def test_a_cleared_desk_stops_its_job(desk: Desk) -> None:
    work = Work()
    desk.follow(1, "sheet", work)
    assert work.begun.wait(TIME)
    desk.clear()
    assert work.stopped.wait(TIME)
    assert desk.result is None
    desk.clear()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_that_fails_does_not_stay_under_way(desk: Desk) -> None:
    """Else a page would ask about it for ever."""

    def broken(told: Told, left: Left) -> bytes:
        raise MemoryError

    assert settled(desk, 1, "sheet", broken)["error"]
    assert desk.result is None
