"""The Step by step page's table as a file, at an address of its own: the page's query after it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ui.steps import table


def _table(request: Request) -> Response:
    """All quantities of every step; 400 and the sentences if something in the query is wrong."""
    text, notes = table(request.url.query)
    if notes:
        return PlainTextResponse("\n".join(notes), status_code=400)
    headers = {"Content-Disposition": 'attachment; filename="step_by_step.csv"'}
    return Response(text, media_type="text/csv", headers=headers)


ROUTES = [Route("/lab/step_by_step.csv", _table)]
