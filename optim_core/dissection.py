"""A run's steps taken apart: memory, the newest gradient, decay, and the proximal step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optim_core.expressions import Expr, evaluate
from optim_core.formula import inputs, quantities, read
from optim_core.simulate import Run, check_run


@dataclass(frozen=True)
class Dissection:
    """The parts of T steps in d dimensions; all arrays (T, d) are read-only float64.

    memory + gradient + decay + shrinkage = θ_after − θ_before, and without the last z − θ_before,
    with z what the rule gives. The slots that only scale a step (`Optimizer.scales`) are held as
    they were; then z is linear in the other slots before it, in the gradient and in the position,
    and each of the first three parts is what one of these gives with the others 0.
    Adam's, at step t = 1, 2, …, with P below: memory = −η β₁ m_{t−1} / P and gradient =
    −η (1 − β₁) g_t / P. Nesterov's memory β m leads to the probe, where its gradient part begins.
    """

    memory: np.ndarray  # of the slots before
    gradient: np.ndarray  # of this step's gradient
    decay: np.ndarray  # of the position itself
    shrinkage: np.ndarray  # of the proximal step: θ_after − z; 0 on a surface that has none
    unscaled: np.ndarray  # (memory + gradient) P + decay, which is not divided by P
    rates: np.ndarray  # η_t / P, each coordinate's effective learning rate
    probes: np.ndarray  # where the gradient was taken


def dissect(run: Run) -> Dissection:
    """Take the steps of a run apart.

    P is `optimizer.preconditioner` of the slots and clock that each step's rule leaves, or else 1.
    A part that overflows is inf or NaN. Raises ValueError as `formula.lines`.
    """
    method, found = check_run("run", run).optimizer, read(run)
    values, known = inputs(run), quantities(run)
    held = {name: known[name] for name in method.scales}
    zero = np.zeros_like(run.gradients)
    moved = ("p", "g", *(f"{name}.before" for name in method.slots))

    def part(*kept: str) -> np.ndarray:
        now = values | {name: zero for name in moved if name not in kept} | held
        for name, expr in (*found.prelude, *found.rule):
            if name not in held:
                now[name] = evaluate(expr, now)
        return 0.0 - np.broadcast_to(evaluate(found.update, now), zero.shape)

    with np.errstate(all="ignore"):
        memory = part(*(f"{name}.before" for name in method.slots))
        gradient, decay = part("g"), part("p")
        shrinkage = known["p.after"] - known["z"] if run.surface.shrinks else zero
        scale = _scale(found.preconditioner, values | {n: known[n] for n in method.slots})
        unscaled = (memory + gradient) * scale + decay
        rates = np.broadcast_to(values["lr"] / scale, zero.shape)
    made = (memory, gradient, decay, shrinkage, unscaled, rates, run.probes)
    parts = [np.array(a) for a in made]
    for array in parts:
        array.flags.writeable = False
    return Dissection(*parts)


def _scale(preconditioner: Expr | None, values: dict[str, np.ndarray]) -> np.ndarray:
    return np.ones(1) if preconditioner is None else evaluate(preconditioner, values)
