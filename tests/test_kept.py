"""A cache bounded by weight: what is kept, what goes, and what several threads ask for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from ui.runs.kept import kept


def test_what_was_not_asked_for_longest_makes_room() -> None:
    made: list[str] = []

    @kept(room=10, weigh=len)
    def text(letter: str, times: int) -> str:
        made.append(letter)
        return letter * times

    for letter, times in (("a", 4), ("b", 4), ("a", 4), ("c", 5)):
        assert text(letter, times) == letter * times
    assert made == ["a", "b", "c"]
    text("a", 4)
    assert made == ["a", "b", "c"], "it was asked for after b"
    text("b", 4)
    text("a", 1)
    assert made[3:] == ["b", "a"]
    for _ in range(2):
        assert len(text("d", 11)) == 11, "more than there is room for is made each time"
    assert made[5:] == ["d", "d"]
    text("e", 10)
    text("e", 10)
    assert made[7:] == ["e"], "what does not fit takes no room"


def test_an_error_is_not_kept() -> None:
    made: list[int] = []

    @kept(room=10, weigh=len)
    def text(n: int) -> str:
        made.append(n)
        raise ValueError(n)

    for _ in range(2):
        with pytest.raises(ValueError, match="7"):
            text(7)
    assert made == [7, 7]


def test_what_two_threads_make_at_once_weighs_once() -> None:
    made: list[int] = []
    both = Barrier(2)

    @kept(room=20, weigh=lambda _: 10)
    def square(n: int) -> int:
        made.append(n)
        if n == 3:
            both.wait(20.0)
        return n * n

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(square, [3, 3])) == [9, 9]
    assert [square(n) for n in (4, 3, 4)] == [16, 9, 16]
    assert made == [3, 3, 4], "there is room for two"
