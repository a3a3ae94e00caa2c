"""The Step by step page's table as a file, at an address of its own: the page's query after it."""

from __future__ import annotations

from collections.abc import Iterator

from ui.bounded import QueryError, computed
from ui.steps import table


def _table(query: str) -> Iterator[str]:
    """All quantities of every step, if nothing in the query is wrong."""
    pieces, notes = table(query)
    if notes:
        raise QueryError("\n".join(notes))
    return pieces


ROUTES = [computed("/lab/step_by_step.csv", _table, "text/csv", "step_by_step.csv")]
