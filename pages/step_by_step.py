"""Step by step: what happens inside one step?"""

from __future__ import annotations

import streamlit as st

from ui import step_link
from ui.ask import window_of
from ui.page import answering, listen
from ui.player.components import steps_view, surface_view
from ui.race import surface_message
from ui.steps import steps_message

KEY = "steps"


@st.fragment
def step_by_step() -> None:
    with answering(steps_view, KEY) as ask:
        view, clean, notes = step_link.parse(ask.query)
        surface = view.setup.surface
        surface_view(surface_message(surface, window_of(ask.window, surface.dim), ask.wish.exact))
        ask.send(
            steps_message(
                view, ask.query, clean, notes, serial=ask.wish.serial, exact=ask.wish.exact
            )
        )


listen(KEY)
step_by_step()
