"""Learning rate: where does it stop working, and why there?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from optim_core.checks import check_count
from optim_core.simulate import MAX_STEPS
from ui import maps, rate_link
from ui.ask import Wish, window_of
from ui.background import BACKGROUND
from ui.desk import DESK, Order
from ui.page import answering, listen
from ui.player.components import answer_view, map_view, rates_view, surface_view
from ui.race import surface_message
from ui.rate_link import View
from ui.rates import rates_message

KEY = "rates"
CELLS = 4000  # a side, of the largest map that the page draws


@st.cache_resource(scope="session", on_release=Order.clear, show_spinner=False)
def order() -> Order:
    """The session's own."""
    return Order(DESK)


def deep_map(view: View, wanted: Wish) -> tuple[bytes | None, dict[str, Any] | None]:
    """The long map that was ordered, if it is done, and how far it is."""
    if wanted.deep is None:
        order().clear()
        return None, None
    number, cells, steps = wanted.deep
    try:
        sheet = maps.sheet(
            view, check_count("cells", cells, 2, CELLS), check_count("steps", steps, 1, MAX_STEPS)
        )
        maps.check_size(sheet)
    except ValueError as error:
        return None, {"order": number, "error": str(error)}
    found, status = order().follow(
        number,
        sheet,
        lambda told, left: maps.message(sheet, executor=BACKGROUND, progress=told, cancel=left),
    )
    return found, {"order": number, **status}


@st.fragment
def learning_rate() -> None:
    with answering(rates_view, KEY) as ask:
        wanted = ask.wish
        view, clean, notes = rate_link.parse(ask.query)
        surface = view.setup.surface
        surface_view(surface_message(surface, window_of(ask.window, surface.dim), ask.wish.exact))
        ask.send(
            rates_message(
                view, ask.query, clean, notes,
                fine=wanted.fine, serial=wanted.serial, exact=wanted.exact,
            )
        )  # fmt: skip
        found, status = deep_map(view, wanted)
        map_view(found or maps.live_message(maps.live_sheet(view, fine=wanted.fine)))
        answer_view({"serial": wanted.serial, "job": status})


listen(KEY)
learning_rate()
