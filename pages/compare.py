"""Compare: which optimizer gets there, along which way, at what cost?"""

from __future__ import annotations

import streamlit as st

from ui import permalink
from ui.ask import window_of
from ui.page import answering, listen
from ui.player.components import race_view, surface_view
from ui.race import race_message, surface_message

KEY = "race"


@st.fragment
def compare() -> None:
    with answering(race_view, KEY) as ask:
        setup, clean, notes = permalink.parse(ask.query)
        surface_view(
            surface_message(setup.surface, window_of(ask.window, setup.surface.dim), ask.wish.exact)
        )
        ask.send(
            race_message(
                setup, ask.query, clean, notes, {"serial": ask.wish.serial}, exact=ask.wish.exact
            )
        )


listen(KEY)
compare()
