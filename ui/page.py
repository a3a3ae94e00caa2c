"""What every page does around its own part: take what is asked for, answer, and never fall over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ui.ask import Wish, address, asked, latest, wish
from ui.player import wire
from ui.player.components import again_view, answer_view

# No word of the exception: it may hold paths and values that are nobody's business.
FAILED = "This could not be computed. The fault is the app's, and its server has logged it."


@dataclass
class Reply:
    """An ask, and the way to answer it."""

    view: Callable[[bytes, str], None]
    key: str
    query: str
    window: Any
    wish: Wish
    is_sent: bool = field(default=False, init=False)

    def send(self, message: bytes) -> None:
        """Hand the page's main component its message."""
        self.view(message, self.key)
        self.is_sent = True


def _anew(key: str) -> str:
    return f"{key}-again"


def listen(key: str) -> None:
    """Outside of the page's fragment: hear what a page asks for after a lost connection."""
    again_view(_anew(key))


@contextmanager
def answering(view: Callable[[bytes, str], None], key: str) -> Iterator[Reply]:
    """What the page of the main component `key` asks for.

    Whatever is raised while it is answered is logged, and told to the page in one sentence. The
    main component gets a message all the same: without one the page would leave the screen.
    """
    state = latest(st.session_state.get(key), st.session_state.get(_anew(key)))
    query, window = asked(state, address(st.query_params))
    reply = Reply(view, key, query, window, wish(state))
    try:
        yield reply
    except Exception:
        logging.getLogger(__name__).exception("The page %r failed at %r.", key, query)
        failed = {"failed": FAILED, "serial": reply.wish.serial}
        if reply.is_sent:
            answer_view(failed)
        else:
            reply.send(wire.pack(failed, {}))
