"""What the browser asks for: a query, and the part of the plane that it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from figures.relief import Window

FARTHEST = 1e306  # beyond it a window and its margin are wider than a float can tell


def address(params: Any) -> str:
    """The page's own query string, from Streamlit's query parameters."""
    return urlencode([(name, value) for name in params for value in params.get_all(name)])


def asked(state: Mapping[str, Any] | None, address: str) -> tuple[str, Any]:
    """The query and the window last asked for by the player; at first, the page's address."""
    ask = state.get("ask") if state else None
    if isinstance(ask, dict) and isinstance(ask.get("query"), str):
        return ask["query"], ask.get("window")
    return address, None


def latest(*states: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Of the states of several components, the one with the newest ask."""
    return max(states, key=lambda state: wish(state).serial)


@dataclass(frozen=True)
class Wish:
    """What is asked for beside the query."""

    serial: int  # of the ask: told back when all of it is answered
    fine: bool  # the hand rests, so the map may be finer
    deep: tuple[int, Any, Any] | None  # a long map: number of the order, cells a side, steps
    exact: bool = False  # the window is so narrow that it shows the rounding of what is sent else


def wish(state: Mapping[str, Any] | None) -> Wish:
    """The rest of what was last asked for; at first, a fine map and nothing else."""
    ask = state.get("ask") if state else None
    if not isinstance(ask, dict):
        return Wish(0, True, None)
    serial, deep = ask.get("serial"), ask.get("deep")
    ordered = None
    if isinstance(deep, dict) and isinstance(deep.get("order"), int):
        ordered = deep["order"], deep.get("cells"), deep.get("steps")
    number = serial if isinstance(serial, int) and serial > 0 else 0
    return Wish(number, ask.get("fine") is not False, ordered, ask.get("exact") is True)


def window_of(value: Any, dim: int) -> Window | None:
    """A zoomed window as the browser sends it, or None if it is not a usable one."""
    try:
        window = tuple((float(a), float(b)) for a, b in value)
    except (TypeError, ValueError, OverflowError):
        return None
    usable = all(-FARTHEST < a < b < FARTHEST for a, b in window)
    return window if len(window) == dim and usable else None
