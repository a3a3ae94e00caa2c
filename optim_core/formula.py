"""An optimizer's rule as LaTeX, with the numbers of a step, and in numbers for all of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from optim_core.expressions import Expr, Name, evaluate, latex
from optim_core.recursion import Recursion, recursion, switches
from optim_core.simulate import Run
from optim_core.spec import Optimizer, Point, at_position


@dataclass(frozen=True)
class Line:
    r"""One line of an optimizer's formula.

    name: of the quantity that it gives, as in `quantities`.
    latex: the whole line. symbol: its left side.
    numbers: its right side with \text{@name} in place of each quantity and hyperparameter, or
        \text{@@name} where a negative number needs parentheses. In names _ is \_, as LaTeX's text
        has it. The gradient's is that quantity itself.
    expr: its right side, to evaluate.
    """

    name: str
    latex: str
    symbol: str
    numbers: str
    expr: Expr


def lines(optimizer: Optimizer, hypers: Mapping[str, Any] | None = None) -> tuple[Line, ...]:
    """The optimizer's formula, line by line in the order of its source.

    First what the clock makes by step, where the gradient is taken if that is elsewhere, and the
    gradient; then the rule, whose last line gives the position. Of `hypers` (those not given take
    their defaults) only switches matter: they decide branches, and 1 · x, 0 · x, x + 0, x − 0 and
    x / 1 disappear with them.
    Raises ValueError for a hyperparameter out of its domain, for a symbol that is not declared, and
    for source that `recursion` cannot read.
    """
    return _lines(optimizer, switches(optimizer, hypers or {}))


@lru_cache(maxsize=256)
def _lines(optimizer: Optimizer, chosen: Point) -> tuple[Line, ...]:
    found, symbols = recursion(optimizer, chosen), _Symbols(optimizer)
    at = "p" if optimizer.probe is at_position else "probe"
    left = symbols["g"]
    gradient = rf"{left} = \nabla f({symbols[at]})"
    return (
        *(_line(symbols, *d) for d in found.prelude if d[0] not in found.running),
        Line("g", gradient, left, _token("g", False), Name("g")),
        *(_line(symbols, *d) for d in found.rule if d[0] not in found.running),
    )


def _line(symbols: Mapping[str, str], name: str, expr: Expr) -> Line:
    left, right = symbols[name], latex(expr, lambda name, _: symbols[name])
    return Line(name, f"{left} = {right}", left, latex(expr, _token, r" \cdot "), expr)


def _token(name: str, guarded: bool) -> str:
    escaped = name.replace("_", r"\_")
    return rf"\text{{{'@@' if guarded else '@'}{escaped}}}"


class _Symbols(dict[str, str]):
    """The LaTeX of every quantity of an optimizer."""

    def __init__(self, optimizer: Optimizer) -> None:
        before, after = ("{t-1}", "t") if optimizer.counts == "t" else ("t", "{t+1}")
        super().__init__(optimizer.symbols)
        self.key = optimizer.key
        self |= {hyper.name: hyper.symbol for hyper in optimizer.hypers}
        self |= {"p": rf"\theta_{before}", "p.after": rf"\theta_{after}", "g": "g_t"}
        for slot in optimizer.slots:
            self |= {f"{slot}.before": f"{slot}_{before}", slot: f"{slot}_{after}"}

    def __missing__(self, name: str) -> str:
        raise ValueError(f"The symbols of {self.key} must have {name!r}, got none.")


def read(run: Run) -> Recursion:
    """The recursion of a run's optimizer as its switches were."""
    return recursion(run.optimizer, switches(run.optimizer, run.hypers))


def inputs(run: Run) -> dict[str, np.ndarray]:
    """What the steps of a run begin with, by name: (T, d), or (T, 1) where coordinates share it.

    Position, gradient, slots before, hyperparameters, and the clock as it is in the step.
    """
    steps = len(run.gradients)
    found = {"p": run.positions[:-1], "g": run.gradients}
    found |= {f"{name}.before": slot[:-1] for name, slot in run.slots.items()}
    table = {n: run.hypers_by_step.get(n, np.full(steps, v)) for n, v in run.hypers.items()}
    found |= {name: column[:, None] for name, column in table.items()}
    clock = read(run).clock
    if any(clock):
        k = run.optimizer.clock_start if run.began is None else run.began.clock
        rows = []
        for h in zip(*(column.tolist() for column in table.values()), strict=True):
            k = run.optimizer.clock(h, k)
            rows.append(k)
        columns = zip(clock, np.array(rows).T, strict=True)
        found |= {name: column[:, None] for name, column in columns if name}
    return found


def quantities(run: Run) -> dict[str, np.ndarray]:
    """Every quantity of the T steps of a run, by name and in a table's order; read-only float64.

    (T, d): "p" the position before, "probe" where the gradient was taken if elsewhere, "g" the
    gradient, "m.before" of each slot m, then what each line of the formula gives, "update" and
    "p.after", where p − update = p.after. (T,): what coordinates share, which lines of the clock
    give, and at the end the hyperparameters and the other values of the clock.
    The rule's operations in the rule's order, so slots and "p.after" are the run's to the bit, and
    overflow is inf or NaN. Raises ValueError as `lines`.
    """
    found, values = read(run), inputs(run)
    given = [*values]
    with np.errstate(all="ignore"):
        for name, expr in (*found.prelude, *found.rule):
            values[name] = evaluate(expr, values)
        values["update"] = evaluate(found.update, values)
    written = [line.name for line in lines(run.optimizer, run.hypers) if line.name != "p.after"]
    first = ["p", *(n for n in written if n == "probe"), "g"]
    slots = [f"{name}.before" for name in run.slots]
    order = dict.fromkeys([*first, *slots, *written, "update", "p.after", *given, *values])
    for name in order:
        column = values[name]
        own = np.array(column[:, 0] if name in found.shared else column)
        own.flags.writeable = False
        values[name] = own
    return {name: values[name] for name in order}
