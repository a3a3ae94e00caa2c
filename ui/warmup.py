"""Compile what the first page needs before the server answers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ui import assets, permalink
from ui.race import race_message, surface_message


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Say what takes time: the first start on a machine compiles, later ones load from disk."""
    began = time.perf_counter()
    print("Descent Lab: preparing the first page (compiles once per machine) …", flush=True)
    assets.prepare()
    setup, clean, notes = permalink.parse("")
    race_message(setup, "", clean, notes)
    surface_message(setup.surface, None)
    print(f"Descent Lab: ready in {time.perf_counter() - began:.1f} s", flush=True)
    yield
