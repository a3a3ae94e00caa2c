"""A long computation of one session: it goes on while the page is used, and ends with it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from optim_core import Cancelled

PATIENCE = 5.0  # s; a page that has not asked for so long has been left

Work = Callable[[Callable[[int, int], None], Callable[[], bool]], bytes]


@dataclass
class _Job:
    subject: Any
    asked: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0
    dropped: bool = False
    result: bytes | None = None
    error: str | None = None

    def run(self, work: Work) -> None:
        try:
            self.result = work(self._tell, self._is_left)
        except Cancelled:
            self.error = "It was cancelled."
        except ValueError as error:
            self.error = str(error)
        except Exception:
            # A thread has no caller: whoever asks about the job must hear of it.
            logging.getLogger(__name__).exception("A deep map failed.")
            self.error = "It failed; the server's log says why."

    def _tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def _is_left(self) -> bool:
        return self.dropped or time.monotonic() - self.asked > PATIENCE


class Desk:
    """Holds at most one job. Every question about it tells that somebody still waits."""

    def __init__(self) -> None:
        self._job: _Job | None = None
        self._latest = 0

    def follow(self, number: int, subject: Any, work: Work) -> dict[str, Any]:
        """Begin order `number`, or ask again about it; it ends when its subject changes."""
        job = self._job
        if number != self._latest:
            self.clear()
            self._latest = number
            job = self._job = _Job(subject)
            threading.Thread(target=job.run, args=(work,), daemon=True).start()
        elif job is None or job.subject != subject:
            self.clear()
            return {"error": "It was dropped, because what it was to show has changed."}
        job.asked = time.monotonic()
        return {
            "done": job.done,
            "total": job.total,
            "error": job.error,
            "ready": job.result is not None,
        }

    @property
    def result(self) -> bytes | None:
        """What the job has made, once it is done."""
        return self._job.result if self._job else None

    def clear(self) -> None:
        """Drop what is under way."""
        if self._job:
            self._job.dropped = True
        self._job = None
