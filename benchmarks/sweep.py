"""What maps cost: a run's step beside the machine's own floor for it, two threads, every method."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numba import njit, types

from optim_core import OPTIMIZERS, kernels, sweep
from optim_core.spec import Optimizer, Surface
from surfaces import SURFACES

SIDE, STEPS = 400, 500
TURNS = 5
FAR = 3.0  # times the floor, beyond which a figure needs a reason
MAP = 0.150  # seconds
REPS = 4000
CORES = os.cpu_count() or 1
WHY = "few flops to hide positions, slots and the looks at where each run is behind"

Row = tuple[str, str, str]


@dataclass
class Count:
    """How many square roots and divisions a rule asks for; 1/x and x/y are both a division."""

    roots: int = 0
    divisions: int = 0


@dataclass
class Traced:
    """A number that counts what is done with it."""

    count: Count = field(default_factory=Count)
    value: float = 0.7

    def __add__(self, _: Any) -> Traced:
        return self

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __add__

    def __neg__(self) -> Traced:
        return self

    __abs__ = __neg__

    def __gt__(self, _: Any) -> bool:
        return True

    def __truediv__(self, _: Any) -> Traced:
        self.count.divisions += 1
        return self

    __rtruediv__ = __truediv__

    def sqrt(self) -> Traced:
        self.count.roots += 1
        return self


def counted(optimizer: Optimizer) -> Count:
    """Square roots and divisions of a step, for one coordinate; NumPy calls an object's sqrt()."""
    number: Any = Traced()
    h = tuple(number for _ in optimizer.hypers)
    s = tuple(number for _ in optimizer.slots or (0,))
    k = optimizer.clock(h, tuple(number for _ in optimizer.clock_start))
    optimizer.rule(number, number, s, h, k)
    count: Count = number.count
    return count


def medians(acts: list[Callable[[], object]]) -> list[float]:
    """Median seconds of each of several calls, taken in turns, after a warm-up."""
    times: list[list[float]] = [[] for _ in acts]
    for turn in range(TURNS + 1):
        for act, taken in zip(acts, times, strict=True):
            began = time.perf_counter()
            act()
            if turn:
                taken.append(time.perf_counter() - began)
    return [median(taken) for taken in times]


def axes(surface: Surface, optimizer: Optimizer) -> dict[str, np.ndarray]:
    """A map that a person would look at: lr against momentum or β₁, else against the start."""
    scale = getattr(surface.pace, optimizer.pace) * optimizer.factor
    second = next((h.name for h in optimizer.hypers if h.name in ("momentum", "beta1")), "y")
    low, high = (0.0, 0.99) if second != "y" else surface.domain[1]
    return {"lr": scale * np.geomspace(0.01, 10.0, SIDE), second: np.linspace(low, high, SIDE)}


def _map(surface: Surface, optimizer: Optimizer, threads: ThreadPoolExecutor) -> Callable[[], Any]:
    grid = axes(surface, optimizer)
    return lambda: sweep(surface, optimizer, axes=grid, steps=STEPS, executor=threads)


def _arithmetic(roots: int, divisions: int) -> Any:
    """A kernel of that many independent square roots and divisions a lane, and little else."""
    terms = [f"np.sqrt(a + {n}.0)" for n in range(1, roots + 1)]
    terms += [f"a / (a + {n}.5)" for n in range(1, divisions + 1)]
    code = (
        "def work(lanes, reps):\n"
        "    for _ in range(reps):\n"
        "        for i in range(len(lanes)):\n"
        "            a = lanes[i]\n"
        f"            lanes[i] = {' + '.join(terms)}\n"
    )
    scope: dict[str, Any] = {"np": np}
    exec(code, scope)
    return njit("void(float64[::1], int64)", nogil=True, error_model="numpy")(scope["work"])


def _gradients(block: Any, args: Any, points: Any, reps: int) -> None:
    slopes = np.empty(points.shape)
    for _ in range(reps):
        block(points, args, slopes)


def _floor(optimizer: Optimizer) -> tuple[Callable[[], object], str]:
    """What no implementation can do without, for a step of REPS * WIDTH runs, and what it is."""
    count = counted(optimizer)
    if count.roots + count.divisions:
        lanes = np.linspace(1.0, 2.0, kernels.WIDTH)
        work = _arithmetic(2 * count.roots, 2 * count.divisions)
        name = f"{2 * count.roots} square roots and {2 * count.divisions} divisions"
        return lambda: work(lanes, REPS), name
    points = np.linspace(-1.0, 1.0, 2 * kernels.WIDTH).reshape(2, -1)
    block, args = (
        kernels.block(SURFACES["rosenbrock"], "gradient"),
        np.array(SURFACES["rosenbrock"].weights),
    )
    signature = types.void(
        types.FunctionType(kernels.BLOCK), kernels.VECTOR, kernels.MATRIX, types.int64
    )
    work = njit(signature, nogil=True)(_gradients)
    return lambda: work(block, args, points, REPS), "the gradient alone"


def _beside(optimizer: Optimizer, one: ThreadPoolExecutor) -> tuple[float, float, str]:
    """Nanoseconds for a run's step on Rosenbrock, one thread, and of its floor, with its name."""
    work, name = _floor(optimizer)
    ours, floor = medians([_map(SURFACES["rosenbrock"], optimizer, one), work])
    return ours / (SIDE * SIDE * STEPS) * 1e9, floor / (REPS * kernels.WIDTH) * 1e9, name


def _each(one: ThreadPoolExecutor) -> list[Row]:
    rows = []
    for key, optimizer in OPTIMIZERS.items():
        ours, floor, name = _beside(optimizer, one)
        ratio = ours / floor
        why = "" if ratio <= FAR else f"; {WHY}"
        rows.append(
            (
                f"  {optimizer.name}, one thread",
                f"{ours:.2f} ns, {ratio:.1f} x {name} ({floor:.2f} ns){why}",
                "2.0 x" if key == "adam" else "",
            )
        )
    return rows


def _maps(both: ThreadPoolExecutor) -> list[Row]:
    rows = []
    for key in ("rosenbrock", "bowl"):
        surface = SURFACES[key]
        times = medians([_map(surface, o, both) for o in OPTIMIZERS.values()])
        names = [o.name for o in OPTIMIZERS.values()]
        shown = ", ".join(f"{n} {s * 1e3:.0f}" for n, s in zip(names, times, strict=True))
        rows.append(
            (f"  on {surface.name}, {CORES} threads, ms", shown, f"{MAP * 1e3:.0f} ms each")
        )
    return rows


def measure() -> list[Row]:
    """Rows of (what, measured, bound)."""
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(CORES) as both:
        adam = OPTIMIZERS["adam"]
        ways = [_map(SURFACES["rosenbrock"], adam, threads) for threads in (one, both)]
        alone, shared = medians(ways)
        return [
            (f"A step of one run, of {SIDE} x {SIDE} runs of {STEPS} on Rosenbrock", "", ""),
            *_each(one),
            (f"{CORES} threads beside one, Adam", f"{alone / shared:.2f} x as fast", "1.7 x"),
            (f"A map of {SIDE} x {SIDE} runs of {STEPS} steps", "", ""),
            *_maps(both),
        ]


if __name__ == "__main__":
    for row in measure():
        print(" | ".join(row))
