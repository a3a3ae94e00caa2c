"""Streamlit components, each of which loads its browser code from the app."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui import assets

# Inline code is sent along with every change, so it only points at the files that are cached.
# The line break tells Streamlit that this is code and not a path.
LOADER = (
    "export default (c) => import(new URL({address!r}, document.baseURI).href)\n"
    ".then((m) => m.{name}(c), () => document.querySelector('[data-lab-failed]')"
    "?.removeAttribute('hidden'))"
)
# Drawn before any script has loaded, so that the first second is not blank; and what to do if none
# does, because the network fails or a server of another version was asked for them.
SKELETON = (
    '<p data-lab-failed hidden role="alert">The app\'s files did not load: the connection failed, '
    'or the app has just been updated. <a href="" target="_self">Reload</a>: your setup is kept.'
    "</p>"
    '<div class="lab-root" data-lab><p class="lab-wait">Warming up the optimizers…</p></div>'
)


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
AGAIN = _component("again")


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


def again_view(key: str) -> None:
    """Outside of a page's fragment: by it the browser can have the whole script run again.

    A new session does not know the fragment yet, and ignores what asks for it.
    """
    AGAIN(key=key, height=1, on_ask_change=lambda: None)
