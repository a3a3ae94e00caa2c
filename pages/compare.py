"""Compare: which optimizer gets there, along which way, at what cost?"""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from ui import permalink
from ui.ask import asked, window_of
from ui.player import race_view, surface_view
from ui.race import race_message, surface_message

KEY = "race"


@st.fragment
def compare() -> None:
    address = [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]
    query, window = asked(st.session_state.get(KEY), urlencode(address))
    setup, clean, notes = permalink.parse(query)
    surface_view(surface_message(setup.surface, window_of(window, setup.surface.dim)))
    race_view(race_message(setup, query, clean, notes), key=KEY)


compare()
