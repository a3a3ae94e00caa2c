"""What a page asks for after every change: stateless, so that any process and any cache answers."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Mapping
from multiprocessing import cpu_count
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ui.page import Page
from ui.panel import File
from ui.server import assets
from ui.server.bounded import (
    LEVEL,
    Bound,
    FullError,
    LeftError,
    QueryError,
    compressed,
    is_foreign,
    kept,
    refused,
)
from ui.server.encoding import zipped
from ui.server.jobs import DESK, Desk

# No word of the exception: it may hold paths and values that are nobody's business.
FAILED = "This could not be computed. The fault is the app's, and its server has logged it."
FOREIGN = "Pages of other sites may not ask for this."
BINARY = "application/octet-stream"
BUSY = 1  # s after which a page that was refused may ask again
LEFT = 499  # who asked has gone: nobody reads it
QUICK = Bound(threads=cpu_count(), waiting=200)
SLOW = Bound(waiting=16, size=64_000_000)
FILES = Bound()


def routes(pages: Mapping[str, Page]) -> list[Route]:
    """The routes of all pages' answers, long jobs and files."""
    files = {panel.file.name: (page, panel.file) for page in pages.values() for panel in page
             if panel.file}  # fmt: skip
    base = "/lab/{digest}"
    return [
        Route(f"{base}/answer/{{page}}", _guarded(pages, _message)),
        Route(f"{base}/answer/{{page}}/{{panel}}", _guarded(pages, _large)),
        Route(f"{base}/job/{{page}}/{{panel}}", _guarded(pages, _job)),
        *(Route(f"/lab/{name}", _file(*found)) for name, found in files.items()),
    ]


def _guarded(pages: Mapping[str, Page], answer: Callable[[Request, Page], Any]) -> Any:
    async def guarded(request: Request) -> Response:
        if is_foreign(request):
            return refused(FOREIGN, 403)
        page = pages.get(request.path_params["page"])
        if page is None or request.path_params["digest"] != assets.digest():
            return refused("Another version is served here.", 404)
        return await _told(request, lambda: answer(request, page))

    return guarded


async def _told(request: Request, answer: Callable[[], Any]) -> Response:
    """An answer, or what keeps it from coming."""
    try:
        found: Response = await answer()
    except QueryError as error:
        return refused(str(error), 400)
    except FullError:
        sentence = "Too many answers are being computed just now. Try again in some seconds."
        return refused(sentence, 503, {"Retry-After": str(BUSY)})
    except LeftError:
        return refused("", LEFT)
    except Exception:
        # Whatever fails must not take the page with it, and only the log may know why.
        logging.getLogger(__name__).exception("%s?%s failed.", request.url.path, request.url.query)
        return refused(FAILED, 500)
    return found


async def _message(request: Request, page: Page) -> Response:
    query = request.url.query
    return await _packed(request, QUICK, (page.key, query), lambda: page.message(query))


async def _large(request: Request, page: Page) -> Response:
    query, key = request.url.query, request.path_params["panel"]
    panel = next((p for p in page if p.key == key and p.large), None)
    if panel is None:
        return refused("The page has no such panel.", 404)
    bound = SLOW if panel.is_slow else QUICK
    return await _packed(request, bound, (page.key, key, query), lambda: page.large(key, query))


async def _packed(
    request: Request, bound: Bound, key: tuple[str, ...], work: Callable[[], bytes]
) -> Response:
    found = await bound.answer(request, key, lambda: _zip(work()))
    headers: dict[str, str] = {}
    return kept(request, found, headers) or zipped(request, found, BINARY, headers)


def _zip(message: bytes) -> bytes:
    """A message's header is text; where it is not compressed yet, Streamlit does it in the loop."""
    return gzip.compress(message, LEVEL, mtime=0)


def _file(page: Page, file: File) -> Any:
    """A route for a file: 400 with what is wrong in the query."""

    def content(query: str) -> bytes:
        state = page.state.read(query)
        if state.notes:
            raise QueryError("\n".join(state.notes))
        return compressed(file.pieces(state))

    async def made(request: Request) -> Response:
        query = request.url.query
        found = await FILES.answer(request, (file.name, query), lambda: content(query))
        headers = {
            "Content-Disposition": f'attachment; filename="{file.name}"',
            "Accept-Ranges": "none",
        }
        return kept(request, found, headers) or zipped(request, found, file.media_type, headers)

    async def guarded(request: Request) -> Response:
        if is_foreign(request):
            return refused(FOREIGN, 403)
        return await _told(request, lambda: made(request))

    return guarded


async def _job(request: Request, page: Page) -> Response:
    """The result of a long job once it is there, and until then how far it is (202)."""
    return _follow(request, DESK, page)


def _follow(request: Request, desk: Desk, page: Page) -> Response:
    """Order a job, ask about it, or give it up (`_leave=1`), in the name of `_who`."""
    query, key = request.url.query, request.path_params["panel"]
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    panel = next((p for p in page if p.key == key and p.long), None)
    if panel is None or panel.long is None:
        return refused("The page has no such panel.", 404)
    who = asked.get("_who", "")
    if "_leave" in asked:
        desk.leave(who)
        return refused("", 200)
    try:
        job = panel.long(page.state.read(query), _count(asked, "_cells"), _count(asked, "_steps"))
        ordered = desk.ask(who, job.subject, lambda told, left: _zip(job.work(told, left)))
    except ValueError as error:
        return refused(str(error), 400)
    if ordered.error:
        desk.leave(who)  # so that it may be ordered again
        return refused(ordered.error, 400)
    if ordered.result is not None:
        desk.leave(who)
        headers = {"Cache-Control": "no-store"}
        return zipped(request, ordered.result, BINARY, headers)
    status = {
        "before": desk.before(ordered),
        "done": ordered.done,
        "total": ordered.total,
        "pause": desk.pause(),
    }
    return Response(
        json.dumps(status), 202, {"Cache-Control": "no-store"}, media_type="application/json"
    )


def _count(asked: Mapping[str, str], name: str) -> int | str:
    """A whole number, or the text as it is, for whoever checks it to refuse."""
    text = asked.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
