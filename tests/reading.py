"""Pages as tests read them: a link's state, and a page's message."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np

from pages import PAGES
from tests.test_wire import decode
from ui.state.schema import State


def state_of(query: str, page: str = "compare") -> State:
    """What a page reads in a link without a fault."""
    state = PAGES[page].state.read(query)
    assert state.notes == []
    return state


def parse(query: str, page: str = "compare") -> tuple[dict[str, Any], str, list[str]]:
    """Every value that a page reads in any link, what it keeps of it, and what was wrong."""
    schema = PAGES[page].state
    state = schema.read(query)
    return {name: state[name] for name in schema.fields}, state.clean, state.notes


def header_of(message: bytes) -> dict[str, Any]:
    """A message's header as a browser reads it, which knows no NaN and no infinity."""

    def refused(name: str) -> Any:
        raise AssertionError(name)

    (length,) = struct.unpack_from("<I", message)
    found: dict[str, Any] = json.loads(message[4 : 4 + length], parse_constant=refused)
    return found


def told(query: str, page: str = "compare") -> dict[str, Any]:
    """The header of a page's message about a link without a fault."""
    header = header_of(PAGES[page].message(query))
    assert header["notes"] == []
    return header


def sent(query: str, page: str = "compare") -> dict[str, np.ndarray]:
    """The numbers of a page's message, each group under `<panel>.<name>`."""
    groups = decode(PAGES[page].message(query))[1]
    return {name: np.array(rows) for name, rows in groups.items()}
