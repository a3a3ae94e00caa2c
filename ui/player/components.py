"""Streamlit components, each of which loads its browser code from the app."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import assets

# Inline code is sent along with every change, so it only points at the files that are cached.
# The line break tells Streamlit that this is code and not a path.
LOADER = (
    "export default async (c) =>\n"
    "(await import(new URL({address!r}, document.baseURI).href)).{name}(c);"
)
# Drawn before any script has loaded, so that the first second is not blank.
SKELETON = '<div class="lab-root" data-lab><p class="lab-wait">Warming up the optimizers…</p></div>'


def _component(name: str, html: str = "") -> Any:
    script = LOADER.format(address=assets.address("main.js"), name=name)
    # Not isolated: Plotly adds its styles to the document, which a shadow root would not see.
    return st.components.v2.component(f"descent_{name}", html=html, js=script, isolate_styles=False)


SURFACE = _component("surface")
RACE = _component("race", SKELETON)
RATES = _component("rates", SKELETON)
SCHEDULES = _component("schedules", SKELETON)
STEPS = _component("steps", SKELETON)
MAP = _component("map")
ANSWER = _component("answer")


def surface_view(message: bytes) -> None:
    """Hand the surface over; the same bytes are sent once, Streamlit's message cache sees to it."""
    SURFACE(key="surface", data=message, height=1)


def race_view(message: bytes, key: str) -> None:
    """The player and its controls. What a person changes arrives as session_state[key].ask."""
    RACE(key=key, data=message, on_ask_change=lambda: None)


def rates_view(message: bytes, key: str) -> None:
    """The Learning rate page: the player, the slider and the place for the maps."""
    RATES(key=key, data=message, on_ask_change=lambda: None)


def schedules_view(message: bytes, key: str) -> None:
    """The Schedules page: the player and its scenes."""
    SCHEDULES(key=key, data=message, on_ask_change=lambda: None)


def steps_view(message: bytes, key: str) -> None:
    """The Step by step page: the player, the formula and the table."""
    STEPS(key=key, data=message, on_ask_change=lambda: None)


def map_view(message: bytes) -> None:
    """Hand a map over; like the surface, it is sent when it is another one."""
    MAP(key="map", data=message, height=1)


def answer_view(answer: dict[str, Any]) -> None:
    """The last word of an answer: all that was asked for has been sent."""
    ANSWER(key="answer", data=answer, height=1)
