"""What all runs of a comparison have in common."""

from __future__ import annotations

from dataclasses import dataclass

from optim_core.spec import Point, Surface


@dataclass(frozen=True)
class Conditions:
    surface: Surface
    start: Point
    steps: int
    noise: float
    seed: int
