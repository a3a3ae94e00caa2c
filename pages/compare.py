"""Compare: which optimizer gets there, along which way, at what cost?"""

from __future__ import annotations

import streamlit as st

from ui import permalink
from ui.ask import address, asked, window_of
from ui.player.components import race_view, surface_view
from ui.race import race_message, surface_message

KEY = "race"


@st.fragment
def compare() -> None:
    query, window = asked(st.session_state.get(KEY), address(st.query_params))
    setup, clean, notes = permalink.parse(query)
    surface_view(surface_message(setup.surface, window_of(window, setup.surface.dim)))
    race_view(race_message(setup, query, clean, notes), key=KEY)


compare()
