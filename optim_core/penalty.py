"""L1 and L2 penalties on a surface, and which coordinates of a run they have made 0."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from optim_core import minima
from optim_core.checks import check_surface
from optim_core.outcome import NEAR
from optim_core.simulate import Run, check_run
from optim_core.spec import PENALTY, Point, Surface
from optim_core.theory import show

NAMES = {1: ("p",), 2: ("x", "y")}


def penalised(
    surface: Surface, *, l1: float = 0.0, l2: float = 0.0, proximal: bool = True
) -> Surface:
    """The surface with the loss F(p) = f(p) + l2/2 ‖p‖² + l1 ‖p‖₁, and with F's minima.

    l1, l2: finite and not negative. With both 0 it is the bare surface; a penalty that the surface
    has already is replaced. proximal: how steps take account of L1, see `Surface`.
    `kinks` are the minima where a coordinate is 0 under L1, and f's own; no saddles are declared.
    Raises ValueError, one sentence that names the value and what is allowed.
    """
    check_surface(surface)
    given = zip(PENALTY, (l1, l2, proximal), strict=True)
    return _penalised(surface.bare or surface, tuple(h.check(value) for h, value in given))


def with_params(surface: Surface, **values: Any) -> Surface:
    """A surface, penalised or not, with other parameter values and the penalty that it has."""
    l1, l2, proximal = check_surface(surface).penalty
    moved = (surface.bare or surface).with_params(**values)
    return penalised(moved, l1=l1, l2=l2, proximal=bool(proximal))


@lru_cache(maxsize=256)
def _penalised(bare: Surface, penalty: Point) -> Surface:
    l1, l2, _ = penalty
    if l1 == l2 == 0.0:
        return bare
    found = minima.find(bare, penalty)
    return replace(
        bare,
        minima=found,
        saddles=(),
        maxima=(),
        kinks=tuple(p for p in found if p in bare.kinks or (l1 > 0.0 and 0.0 in p)),
        penalty=penalty,
        bare=bare,
    )


@dataclass(frozen=True)
class Zero:
    """Whether one coordinate of a run has become 0 under L1."""

    name: str  # "p" in 1-D, "x" or "y" in 2-D
    since: int | None  # the first row from which it stays exactly 0; None if it does not
    near: float  # its largest size over the last tenth of the run, or the last 10 rows
    flips: bool  # it changes sign there
    text: str  # one sentence, with the numbers


def zeros(run: Run) -> tuple[Zero, ...]:
    """What L1 has made of each coordinate; () without L1, or for a run that has no finite end."""
    kind = check_run("run", run).outcome.kind
    if run.surface.penalty[0] == 0.0 or kind in ("diverged", "undefined"):
        return ()
    sides = (high - low for low, high in run.surface.domain)
    names = NAMES[run.surface.dim]
    return tuple(map(_zero, names, run.positions.T, sides))


def _zero(name: str, path: np.ndarray, side: float) -> Zero:
    steps = len(path) - 1
    count = min(steps, max(10, steps // 10))
    late = path[-count:]
    near, flips = float(np.abs(late).max()), bool((late > 0.0).any() and (late < 0.0).any())
    moved = np.flatnonzero(path)
    since = int(moved[-1]) + 1 if moved.size else 0
    if since <= steps:
        return Zero(name, since, near, flips, f"{name} is exactly 0 from step {since} on.")
    if not flips and near > NEAR * side:
        return Zero(name, None, near, flips, f"{name} ends at {show(path[-1])}.")
    never = "never exactly 0" if path.all() else "not exactly 0 in the end"
    signs = "changes sign" if flips else "keeps its sign"
    text = (
        f"{name} is {never}: over the last {count} steps it is within {show(near)} of it and "
        f"{signs}."
    )
    return Zero(name, None, near, flips, text)
