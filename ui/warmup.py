"""Compile before the server answers: once per machine, then it is loaded from disk.

What few links ask for first follows in a thread of its own while the server answers already: what
maps have in common, which takes a third of the time, then schedules and proximal steps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, get_args

from optim_core import OPTIMIZERS, SCHEDULES, kernels
from surfaces import SURFACES
from ui import assets, permalink
from ui.race import race_message, surface_message


def compile_all() -> Iterator[tuple[int, int]]:
    """Compile or load what most visits need; yields how many kernels are ready, and of how many."""
    functions: tuple[kernels.Which, ...] = get_args(kernels.Which)
    work: list[Callable[[], object]] = []
    for optimizer in OPTIMIZERS.values():
        work += [partial(kernels.recorder, optimizer), partial(kernels.advancer, optimizer)]
    work += [partial(kernels.reactor, schedule) for schedule in SCHEDULES.values()]
    for surface in SURFACES.values():
        work += [partial(kernels.block, surface, which) for which in functions]
    for done, compile_one in enumerate(work, 1):
        compile_one()
        yield done, len(work)


def compile_the_rest() -> None:
    """Compile or load the driver of maps, and the kernels of schedules and of proximal steps."""
    kernels.sweeper()
    for optimizer in OPTIMIZERS.values():
        kernels.recorder(optimizer, watches=True)
        for scheduled, proximal in ((True, False), (False, True), (True, True)):
            kernels.advancer(optimizer, scheduled=scheduled, proximal=proximal)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Prepare, and say so every second where it takes that long."""
    began = said = time.perf_counter()
    print("Descent Lab: preparing …", flush=True)
    for done, total in compile_all():
        if time.perf_counter() - said > 1.0:
            said = time.perf_counter()
            print(f"Descent Lab: compiled {done} of {total}, once per machine …", flush=True)
    assets.prepare()
    setup, clean, notes = permalink.parse("")
    race_message(setup, "", clean, notes)
    surface_message(setup.surface, None)
    print(f"Descent Lab: ready in {time.perf_counter() - began:.1f} s", flush=True)
    threading.Thread(target=compile_the_rest, name="warm-up", daemon=True).start()
    yield
