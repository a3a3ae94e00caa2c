"""Schedules: what does changing the learning rate over time do to the path?"""

from __future__ import annotations

import streamlit as st

from ui import schedule_link
from ui.ask import window_of
from ui.page import answering, listen
from ui.player.components import schedules_view, surface_view
from ui.race import surface_message
from ui.schedules import schedules_message

KEY = "schedules"


@st.fragment
def schedules() -> None:
    with answering(schedules_view, KEY) as ask:
        view, clean, notes = schedule_link.parse(ask.query)
        surface = view.setup.surface
        surface_view(surface_message(surface, window_of(ask.window, surface.dim), ask.wish.exact))
        ask.send(
            schedules_message(
                view, ask.query, clean, notes, serial=ask.wish.serial, exact=ask.wish.exact
            )
        )


listen(KEY)
schedules()
