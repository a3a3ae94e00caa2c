"""Routes whose answer is computed: few at a time, few in line, and what was computed is kept."""

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

FRESH = 3600  # s; an answer depends on nothing but its address and the app's version
LEVEL = 1  # of gzip: six takes four times as long and saves a twelfth


class QueryError(ValueError):
    """What was wrong in a query, as sentences for whoever asked."""


class FullError(Exception):
    """As many answers wait to be computed as may wait."""


class LeftError(Exception):
    """Who asked has gone before the answer was there."""


class _Pending:
    """An answer that is computed, or waits for it, and how many wait for it."""

    def __init__(self, future: Future[bytes]) -> None:
        self.future, self.waiting = future, 0


class Bound:
    """Computes `threads` answers at a time, lets `waiting` more stand in line, keeps `size` bytes.

    A key counts too, for it holds a stranger's query. Who asks for what is computed already waits
    for the same computation. What nobody waits for any more, because a newer question has
    overtaken it, is not begun.
    """

    def __init__(self, threads: int = 1, waiting: int = 8, size: int = 32_000_000) -> None:
        self._threads, self._waiting, self._size = threads, waiting, size
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="answers")
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, ...], _Pending] = {}
        self._kept: OrderedDict[tuple[str, ...], bytes] = OrderedDict()
        self._bytes = 0

    async def answer(
        self, request: Request, key: tuple[str, ...], work: Callable[[], bytes]
    ) -> bytes:
        """The bytes of an answer; FullError, LeftError, or what `work` raises."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            pending = self._pending.get(key)
            if pending is None:
                if len(self._pending) >= self._threads + self._waiting:
                    raise FullError
                pending = _Pending(self._executor.submit(self._work, key, work))
                self._pending[key] = pending
            pending.waiting += 1
        try:
            return await _unless_left(request, asyncio.wrap_future(pending.future))
        finally:
            with self._lock:
                pending.waiting -= 1
                is_alone = not pending.waiting and self._pending.get(key) is pending
                if is_alone and pending.future.cancel():  # False for what has begun
                    del self._pending[key]

    def _work(self, key: tuple[str, ...], work: Callable[[], bytes]) -> bytes:
        try:
            found = work()
            self._keep(key, found)
            return found
        finally:
            with self._lock:
                self._pending.pop(key, None)

    def _keep(self, key: tuple[str, ...], found: bytes) -> None:
        with self._lock:
            self._kept[key] = found
            self._bytes += _size(key, found)
            while self._bytes > self._size:
                self._bytes -= _size(*self._kept.popitem(last=False))


def _size(key: tuple[str, ...], found: bytes) -> int:
    return sum(map(len, key)) + len(found)


async def _unless_left(request: Request, future: asyncio.Future[bytes]) -> bytes:
    """A future's result; LeftError if the client closes the connection before."""
    left = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((future, left), return_when=asyncio.FIRST_COMPLETED)
        if future.done():
            return future.result()
        raise LeftError
    finally:
        left.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def compressed(pieces: Iterator[str]) -> bytes:
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


def is_foreign(request: Request) -> bool:
    """Whether another site's page asks: browsers say so (Fetch Metadata), others say nothing."""
    return request.headers.get("sec-fetch-site") == "cross-site"


def refused(sentences: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """An answer without what was asked for, that nobody on the way may keep."""
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return PlainTextResponse(sentences, status_code=status, headers=sent)


def kept(request: Request, content: bytes, headers: dict[str, str]) -> Response | None:
    """Complete the headers of an answer that may be kept; 304 for who has it already."""
    # Weak, for the same file is sent compressed to one and plain to another.
    tag = f'W/"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers |= {"ETag": tag, "Cache-Control": f"public, max-age={FRESH}"}
    known = request.headers.get("if-none-match", "").split(",")
    if tag in (text.strip() for text in known):
        return Response(status_code=304, headers={"Vary": "Accept-Encoding", **headers})
    return None
