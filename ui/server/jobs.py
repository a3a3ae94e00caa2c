"""Long computations for all visitors: one at a time, in turn, and their results for a while.

A job is known by its subject, so that whoever wants the same shares it, and a page that was lost
finds it again. Bounded are: jobs at once (1), those that wait, and the bytes of the results.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from optim_core import Cancelled

WAITING = 16  # jobs that may wait behind the one under way
PATIENCE = 90.0  # s; a job unasked about for so long is given up; a hidden tab asks once a minute
KEPT = 600.0  # s; a result that nobody holds is kept so long after it was last asked for…
BYTES = 64 * 2**20  # …and what all results have, or the newest alone
POLL, POLLS = 0.5, 5.0  # s between two questions, and questions a second of all visitors together

Work = Callable[[Callable[[int, int], None], Callable[[], bool]], bytes]


@dataclass(eq=False)
class Job:
    """A computation that waits, is under way or is done."""

    subject: Hashable
    work: Work
    holders: set[object] = field(default_factory=set)
    asked: float = field(default_factory=time.monotonic)
    done: int = 0
    total: int = 0
    dropped: bool = False
    result: bytes | None = None
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether there is a result, or the reason why there is none."""
        return self.result is not None or self.error is not None

    def run(self) -> None:
        """Compute; a job that was given up has no result and no error."""
        try:
            self.result = self.work(self._tell, self._is_left)
        except Cancelled:
            self.dropped = True
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

    def expires(self) -> float:
        """When it is given up or forgotten, unless somebody asks again."""
        if self.result is None:
            return self.asked + PATIENCE
        return float("inf") if self.holders else self.asked + KEPT


class Desk:
    """The jobs of all visitors, in the order in which they came."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._jobs: dict[Hashable, Job] = {}
        self._thread: threading.Thread | None = None

    def ask(self, who: object, subject: Hashable, work: Work) -> Job:
        """The job of a subject, which `who` holds from now on, and no other; begun if it is new.

        ValueError, one sentence, if too many wait already.
        """
        with self._change:
            self._leave(who, subject)
            job = self._jobs.get(subject)
            if job is None:
                self._forget()
                if len(self._queue()) > WAITING:
                    raise ValueError(
                        f"{WAITING} deep maps are waiting on this server, and no more may: try "
                        "again in a few minutes."
                    )
                job = self._jobs[subject] = Job(subject, work)
            job.holders.add(who)
            job.asked = time.monotonic()
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="desk", daemon=True)
                self._thread.start()
            self._change.notify_all()
            return job

    def leave(self, who: object) -> None:
        """`who` wants nothing any more."""
        with self._change:
            self._leave(who, None)
            self._change.notify_all()

    def _leave(self, who: object, kept: Hashable) -> None:
        """`who` wants `kept` at most; what nobody wants, and has no result yet, ends."""
        for job in [j for j in self._jobs.values() if who in j.holders and j.subject != kept]:
            job.holders.remove(who)
            if not job.holders and job.result is None:
                self._drop(job)

    def before(self, job: Job) -> int:
        """How many jobs come before it; 0 when it is under way."""
        with self._change:
            queue = self._queue()
            return queue.index(job) if job in queue else 0

    def pause(self) -> float:
        """Seconds until a page should ask again: the more of them ask, the later."""
        with self._change:
            return max(POLL, sum(len(job.holders) for job in self._queue()) / POLLS)

    def _queue(self) -> list[Job]:
        """What is under way, and what waits."""
        return [job for job in self._jobs.values() if not job.is_over]

    def _drop(self, job: Job) -> None:
        job.dropped = True
        if self._jobs.get(job.subject) is job:
            del self._jobs[job.subject]

    def _serve(self) -> None:
        while True:
            with self._change:
                self._forget()
                job = next(iter(self._queue()), None)
                if job is None:
                    if not self._jobs:
                        self._thread = None
                        return
                    first = min(each.expires() for each in self._jobs.values())
                    self._change.wait(min(first - time.monotonic(), threading.TIMEOUT_MAX))
                    continue
            job.run()
            with self._change:
                if job.dropped:
                    self._drop(job)

    def _forget(self) -> None:
        """Give up what nobody asks about, and forget the oldest results beyond the bound."""
        for job in list(self._jobs.values()):
            if job.expires() < time.monotonic():
                self._drop(job)
        kept = sorted((j for j in self._jobs.values() if j.result), key=lambda j: j.asked)
        size = sum(len(job.result or b"") for job in kept)
        for job in kept[:-1]:
            if size > BYTES:
                size -= len(job.result or b"")
                self._drop(job)


DESK = Desk()
