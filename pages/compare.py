"""Compare: which optimizer gets there, along which way, at what cost?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from ui import permalink
from ui.player import race_view, surface_view
from ui.race import race_message, surface_message

KEY = "race"


def asked(state: Mapping[str, Any] | None, address: str) -> tuple[str, Any]:
    """The query and the window that the browser last asked for; at first, the page's address."""
    ask = state.get("ask") if state else None
    if isinstance(ask, dict) and isinstance(ask.get("query"), str):
        return ask["query"], ask.get("window")
    return address, None


def window_of(value: Any, dim: int) -> tuple[tuple[float, float], ...] | None:
    """A zoomed window as the browser sends it, or None if it is not a usable one."""
    try:
        window = tuple((float(a), float(b)) for a, b in value)
    except (TypeError, ValueError):
        return None
    usable = all(math.isfinite(b - a) and b > a for a, b in window)
    return window if len(window) == dim and usable else None


@st.fragment
def compare() -> None:
    pairs = [(k, v) for k in st.query_params for v in st.query_params.get_all(k)]
    query, window = asked(st.session_state.get(KEY), urlencode(pairs))
    setup, clean, notes = permalink.parse(query)
    surface_view(surface_message(setup.surface, window_of(window, setup.surface.dim)))
    race_view(race_message(setup, query, clean, notes), key=KEY)


compare()
