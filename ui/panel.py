"""A panel: one thing that a page shows, with what it sends to the browser."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np

from figures.relief import Window
from ui.state.reader import NUMBER
from ui.state.schema import State

FOLDER = Path(__file__).parent / "panels"
FARTHEST = 1e306  # beyond it a window and its margin are wider than a float can tell
Groups = Mapping[str, tuple[str, np.ndarray]]


@dataclass(frozen=True)
class Ask:
    """What the browser asks for beside the state, by names that no link has."""

    window: Window | None = None  # the part of the plane that is looked at; None is all of it
    exact: bool = False  # the window is so narrow that it shows the rounding of what is sent else
    coarse: bool = False  # a hand moves: what takes long may be less fine, or left out

    @classmethod
    def of(cls, query: str) -> Ask:
        """What a query asks for; what cannot be used is as if it were not there."""
        asked = dict(parse_qsl(query))
        return cls(
            window_of(asked.get("_window", "")),
            asked.get("_exact") == "1",
            asked.get("_coarse") == "1",
        )

    def window_in(self, dim: int) -> Window | None:
        """The window, if it has as many axes as the surface."""
        return self.window if self.window is not None and len(self.window) == dim else None


def window_of(text: str) -> Window | None:
    """A zoomed window as the browser sends it, low,high of each axis, or None if it is none."""
    numbers = text.split(",")
    if len(numbers) not in (2, 4) or not all(NUMBER.fullmatch(n) for n in numbers):
        return None
    ends = list(map(float, numbers))
    window = tuple(zip(ends[::2], ends[1::2], strict=True))
    return window if all(-FARTHEST < a < b < FARTHEST for a, b in window) else None


@dataclass(frozen=True)
class Part:
    """A panel's share of a page's message."""

    header: Mapping[str, Any] = field(default_factory=dict)
    groups: Groups = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """A file of a page's state, at an address of its own: the page's query after it."""

    name: str
    media_type: str
    pieces: Callable[[State], Iterator[str]]


@dataclass(frozen=True)
class Job:
    """Something that takes long: `subject` says what comes out of it, `work` computes it.

    work is called with a function to tell (done, total) and one that says whether to give up.
    """

    subject: Hashable
    work: Callable[[Callable[[int, int], None], Callable[[], bool]], bytes]


@dataclass(frozen=True)
class Panel:
    """What a panel sends; panel.js and panel.css beside its file are found by themselves.

    part: its share of the page's message, or None if it has none in this state.
    large: a message of its own, for what is large and seldom changes.
    long: the same as a job, with so many cells a side and steps.
    """

    key: str
    part: Callable[[State, Ask], Part | None] | None = None
    large: Callable[[State, Ask], bytes] | None = None
    long: Callable[[State, Any, Any], Job] | None = None
    file: File | None = None
    is_slow: bool = False  # what is large takes so long that one after the other is computed
    has_coarse: bool = False  # whether what it sends depends on whether a hand moves

    @cached_property
    def script(self) -> bool:
        return (FOLDER / self.key / "panel.js").exists()

    @cached_property
    def style(self) -> bool:
        return (FOLDER / self.key / "panel.css").exists()
