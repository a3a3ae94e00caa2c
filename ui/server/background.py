"""Threads for what may wait: they hold back while something is computed that a person waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import cpu_count
from threading import Condition
from typing import Any, TypeVar

T = TypeVar("T")
REST = 9.0  # times as long as it took does a thread hold back at most: it gets a tenth of the time


class Background(ThreadPoolExecutor):
    """An executor whose tasks begin while nothing urgent is under way, or after a rest.

    Portable, unlike a thread's priority, which also lets a thread of low priority keep Python's
    lock from one of high priority.
    """

    def __init__(self, threads: int) -> None:
        super().__init__(threads, thread_name_prefix="background")
        self._change = Condition()
        self._urgent = 0
        self._last = 0.0  # s that the last task took

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """While this lasts, tasks hold back."""
        with self._change:
            self._urgent += 1
        try:
            yield
        finally:
            with self._change:
                self._urgent -= 1
                self._change.notify_all()

    def submit(self, task: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a task as any executor does, once it is its turn."""
        return super().submit(self._run, task, args, kwargs)

    def _run(self, task: Callable[..., T], args: Any, kwargs: Any) -> T:
        with self._change:
            self._change.wait_for(lambda: not self._urgent, REST * self._last)
        began = time.perf_counter()
        try:
            return task(*args, **kwargs)
        finally:
            self._last = time.perf_counter() - began


# One core is left to the answers, where there are two.
BACKGROUND = Background(max(1, cpu_count() - 1))
