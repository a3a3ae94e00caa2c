"""Routes whose answer is computed: one at a time, few in line, and what was computed is kept."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ui.encoding import zipped

Make = Callable[[str], Iterator[str]]
FRESH = 3600  # s; an answer depends on nothing but its address and the app's version
LEVEL = 1  # of gzip: six takes four times as long and saves a twelfth


class QueryError(ValueError):
    """What was wrong in a query, as sentences for whoever asked."""


class FullError(Exception):
    """As many answers wait to be computed as may wait."""


class Bound:
    """Computes one answer at a time, lets `waiting` more stand in line, keeps `size` bytes.

    Two who ask for the same answer wait for the same computation.
    """

    def __init__(self, waiting: int = 8, size: int = 32_000_000) -> None:
        self._waiting, self._size = waiting, size
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="answers")
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, str], Future[bytes]] = {}
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def answer(self, path: str, query: str, make: Make) -> bytes:
        """The text of an answer as gzip; FullError, or what `make` raises."""
        key = path, query
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            if key not in self._pending:
                if len(self._pending) > self._waiting:
                    raise FullError
                self._pending[key] = self._thread.submit(self._work, key, make)
            future = self._pending[key]
        # Shielded: who gives up does not take the answer from the others.
        return await asyncio.shield(asyncio.wrap_future(future))

    def _work(self, key: tuple[str, str], make: Make) -> bytes:
        try:
            found = _compressed(make(key[1]))
            self._keep(key, found)
            return found
        finally:
            with self._lock:
                del self._pending[key]

    def _keep(self, key: tuple[str, str], found: bytes) -> None:
        with self._lock:
            self._kept[key] = found
            while sum(map(len, self._kept.values())) > self._size:
                self._kept.popitem(last=False)


SHARED = Bound()  # by all routes of the process


def _compressed(pieces: Iterator[str]) -> bytes:
    """All pieces as gzip; after each one the thread rests for as long as it took.

    The interpreter runs one thread at a time, so that without rests everybody else would wait.
    """
    found = io.BytesIO()
    began = time.perf_counter()
    with gzip.GzipFile(fileobj=found, mode="wb", compresslevel=LEVEL, mtime=0) as file:
        for piece in pieces:
            file.write(piece.encode())
            time.sleep(time.perf_counter() - began)
            began = time.perf_counter()
    return found.getvalue()


def computed(path: str, make: Make, media_type: str, filename: str, bound: Bound = SHARED) -> Route:
    """A route for a file: `make` turns a query into pieces of text, or raises QueryError.

    400 with the sentences of QueryError, 403 for a page of another site, 503 where too many ask.
    """

    async def answer(request: Request) -> Response:
        # Browsers say whose page asks (Fetch Metadata); what says nothing is no page.
        if request.headers.get("sec-fetch-site") == "cross-site":
            return _refused("Pages of other sites may not ask for this.", 403)
        try:
            content = await bound.answer(path, request.url.query, make)
        except QueryError as error:
            return _refused(str(error), 400)
        except FullError:
            sentence = "Too many files are being made just now. Try again in some seconds."
            return _refused(sentence, 503, {"Retry-After": "5"})
        # Weak, for the same file is sent compressed to one and plain to another.
        tag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"ETag": tag, "Cache-Control": f"public, max-age={FRESH}"}
        known = request.headers.get("if-none-match", "").split(",")
        if tag in (text.strip() for text in known):
            return Response(status_code=304, headers={"Vary": "Accept-Encoding", **headers})
        headers["Content-Disposition"] = f'attachment; filename="{filename}"'
        headers["Accept-Ranges"] = "none"
        return zipped(request, content, media_type, headers)

    return Route(path, answer)


def _refused(sentences: str, status: int, headers: dict[str, str] | None = None) -> Response:
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return PlainTextResponse(sentences, status_code=status, headers=sent)
