"""Compile while the server says that it is starting: once per machine, then from disk.

It serves as soon as the first page can be shown. All else follows meanwhile, in the order in which
it is likely to be asked for; what is asked for before is compiled then.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from optim_core import OPTIMIZERS, SCHEDULES, kernels
from optim_core.spec import Surface
from surfaces import SURFACES
from ui.page import Page
from ui.server import assets

OPEN_FILES = 8192  # 1,000 sessions hold some 4,400
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta http-equiv="refresh" content="1"><title>Descent Lab is starting</title>
<p>Descent Lab is starting: {done} of {total} kernels are compiled, which happens once per machine.
This page goes on by itself.</p></html>"""


@dataclass
class _Start:
    """How far the start of this process is; `ended` is set when the server is told to stop."""

    done: int = 0
    total: int = 0
    under_way: bool = False
    ended: bool = False


_start = _Start()


def _blocks(surface: Surface) -> list[Callable[[], object]]:
    functions: tuple[kernels.Which, ...] = get_args(kernels.Which)
    return [partial(kernels.block, surface, which) for which in functions]


def needed_first(page: Page) -> list[Callable[[], object]]:
    """What compiles, or loads, the kernels of a page as it is opened."""
    state = page.state.read("")
    work: list[Callable[[], object]] = []
    for entry in state.entries:
        work.append(partial(kernels.recorder, entry.recipe.optimizer))
    return work + _blocks(state.surface)


def needed_soon() -> list[Callable[[], object]]:
    """The same for what most visits need."""
    work: list[Callable[[], object]] = []
    for optimizer in OPTIMIZERS.values():
        work += [partial(kernels.recorder, optimizer), partial(kernels.advancer, optimizer)]
    work += [partial(kernels.reactor, schedule) for schedule in SCHEDULES.values()]
    for surface in SURFACES.values():
        work += _blocks(surface)
    return work


def needed_later() -> list[Callable[[], object]]:
    """The same for the driver of maps, and for schedules and proximal steps."""
    work: list[Callable[[], object]] = [kernels.sweeper]
    for optimizer in OPTIMIZERS.values():
        work.append(partial(kernels.recorder, optimizer, watches=True))
        for scheduled, proximal in ((True, False), (False, True), (True, True)):
            work.append(
                partial(kernels.advancer, optimizer, scheduled=scheduled, proximal=proximal)
            )
    return work


def _prepare() -> None:
    """Make everything ready that the first visitor needs, and say so where it takes long."""
    began = said = time.perf_counter()
    print("Descent Lab: preparing …", flush=True)
    first = assets.page_at("")
    assert first is not None
    work = needed_first(first)
    _start.total = len(work)
    for _start.done, compile_one in enumerate(work):
        if _start.ended:
            return
        if time.perf_counter() - said > 1.0:
            said = time.perf_counter()
            print(
                f"Descent Lab: compiled {_start.done} of {_start.total}, once per machine …",
                flush=True,
            )
        compile_one()
    assets.prepare()
    first.message("")
    first.large("surface", "")
    print(f"Descent Lab: ready in {time.perf_counter() - began:.1f} s", flush=True)


def _warm_up() -> None:
    try:
        _prepare()
    except Exception:
        # A thread has no caller, and a server that never is ready must not stay.
        logging.getLogger(__name__).exception("Descent Lab cannot start.")
        signal.raise_signal(signal.SIGTERM)
        return
    _start.under_way = False
    for compile_one in [*needed_soon(), *needed_later()]:
        if _start.ended:
            return
        compile_one()


def _leave(thread: threading.Thread) -> None:
    """End the process without waiting for LLVM, which Python's own end would do for seconds."""
    if thread.is_alive():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)  # as Streamlit ends on Ctrl+C


def allow_open_files() -> None:
    """Raise this process's limit of open files, often 1,024, as far as it may and needs to."""
    if sys.platform == "win32":
        return  # has no such limit
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Compile in a thread, so that the server can answer, and be told to stop, at once."""
    allow_open_files()
    _start.under_way = True
    thread = threading.Thread(target=_warm_up, name="warm-up", daemon=True)
    atexit.register(_leave, thread)
    thread.start()
    yield
    _start.ended = True


class Starting:
    """Answers every request with 503 and a page that tries again, until the server is ready."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = self.app
        if _start.under_way and scope["type"] == "websocket":
            answer = WebSocketClose(1013)  # "try again later"
        elif _start.under_way and scope["type"] == "http":
            page = PAGE.format(done=_start.done, total=_start.total)
            answer = HTMLResponse(page, 503, {"Retry-After": "1", "Cache-Control": "no-store"})
        await answer(scope, receive, send)


if __name__ == "__main__":  # while a container's image is built
    for compile_one in [*needed_soon(), *needed_later()]:
        compile_one()
