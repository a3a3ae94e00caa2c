"""A race: several runs under the same conditions, of one method or of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optim_core.simulate import Run, simulate
from optim_core.spec import Optimizer, Schedule, Surface


@dataclass(frozen=True)
class Entrant:
    """Who runs: a method with its settings, and a start of its own if it has one."""

    optimizer: Optimizer
    hypers: Mapping[str, Any] = field(default_factory=dict)
    schedule: Schedule | None = None
    start: Sequence[float] | None = None


def race(
    surface: Surface,
    entrants: Mapping[str, Entrant],
    *,
    start: Sequence[float] | None = None,
    steps: int = 200,
    noise: float = 0.0,
    seed: int = 0,
) -> dict[str, Run]:
    """Run every entrant, by its name, for as many steps and with the same noise.

    start: of all that have none of their own; by default the surface's. The other arguments are
    those of `simulate`, as is what it raises, with the entrant's name before it.
    """
    runs: dict[str, Run] = {}
    for name, entrant in entrants.items():
        try:
            runs[name] = simulate(
                surface, entrant.optimizer, start=start if entrant.start is None else entrant.start,
                steps=steps, noise=noise, seed=seed, schedule=entrant.schedule, **entrant.hypers,
            )  # fmt: skip
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return runs
