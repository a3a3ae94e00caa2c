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
from optim_core.spec import L1, L2, UNPENALISED, Optimizer, Point, at_position


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


def lines(
    optimizer: Optimizer,
    hypers: Mapping[str, Any] | None = None,
    *,
    penalty: Point = UNPENALISED,
    noisy: bool = False,
    moving: bool = False,
) -> tuple[Line, ...]:
    """The optimizer's formula, line by line in the order of its source.

    First what the clock makes by step, where the gradient is taken if that is elsewhere, and the
    gradient; then the rule, whose last line gives the position. Of `hypers` (those not given take
    their defaults) only switches matter: they decide branches, and 1 · x, 0 · x, x + 0, x − 0 and
    x / 1 disappear with them.
    penalty: `Surface.penalty`, whose gradient joins f's, as noise does if it is `noisy`. With a
        proximal L1 the rule's last line gives z, and more follow: τ = λ₁ · reach, the position
        S(z, τ) (Beck & Teboulle 2009, eq. 1.5), and what becomes of a slot that remembers the whole
        step, with a tilde until then.
    moving: whether a schedule moves momentum; then what is a power of a constant β₁ is the product
        of the β₁'s so far.
    Raises ValueError for a hyperparameter out of its domain, for a symbol that is not declared, and
    for source that `recursion` cannot read.
    """
    return _lines(optimizer, switches(optimizer, hypers or {}), penalty, noisy, moving)


def lines_of(run: Run) -> tuple[Line, ...]:
    """The formula that a run followed, its penalty, noise and schedule included."""
    row = run.optimizer.row("momentum")
    name = run.optimizer.hypers[row].name if row >= 0 else ""
    betas = run.hypers_by_step.get(name, np.zeros(1))
    return lines(
        run.optimizer, run.hypers, penalty=run.surface.penalty, noisy=run.noisy,
        moving=bool((betas != betas[0]).any()),
    )  # fmt: skip


@lru_cache(maxsize=256)
def _lines(
    optimizer: Optimizer, chosen: Point, penalty: Point, noisy: bool, moving: bool
) -> tuple[Line, ...]:
    l1, l2, proximal = penalty
    found = recursion(optimizer, chosen, l1 > 0.0 and proximal > 0.0)
    symbols = _Symbols(optimizer, found, moving)
    at = symbols["p" if optimizer.probe is at_position else "probe"]
    left = symbols["g"]
    gradient = rf"{left} = \nabla f({at})"
    gradient += f" + {L2.symbol} {at}" if l2 else ""
    gradient += rf" + {L1.symbol} \operatorname{{sign}}({at})" if l1 and not proximal else ""
    gradient += r" + \xi_t" if noisy else ""
    return (
        *(_line(symbols, *d) for d in found.prelude if d[0] not in found.running),
        Line("g", gradient, left, _token("g", False), Name("g")),
        *(_line(symbols, *d) for d in found.rule if d[0] not in found.running),
        *(_line(symbols, *d) for d in found.proximal),
    )


def _line(symbols: Mapping[str, str], name: str, expr: Expr) -> Line:
    left, right = symbols[name], latex(expr, lambda name, _: symbols[name])
    return Line(name, f"{left} = {right}", left, latex(expr, _token, r" \cdot "), expr)


def _token(name: str, guarded: bool) -> str:
    escaped = name.replace("_", r"\_")
    return rf"\text{{{'@@' if guarded else '@'}{escaped}}}"


class _Symbols(dict[str, str]):
    """The LaTeX of every quantity of an optimizer."""

    def __init__(self, optimizer: Optimizer, found: Recursion, moving: bool) -> None:
        before, after = ("{t-1}", "t") if optimizer.counts == "t" else ("t", "{t+1}")
        super().__init__(optimizer.symbols + (optimizer.moving if moving else ()))
        self.key = optimizer.key
        self |= {hyper.name: hyper.symbol for hyper in optimizer.hypers}
        self |= {"p": rf"\theta_{before}", "p.after": rf"\theta_{after}", "g": "g_t"}
        for slot in optimizer.slots:
            self |= {f"{slot}.before": f"{slot}_{before}", slot: f"{slot}_{after}"}
        if found.proximal:
            self |= {L1.name: L1.symbol, "z": f"z_{after}", "tau": rf"\tau_{after}"}
        for slot in optimizer.slots:
            if f"{slot}.landed" in dict(found.proximal):
                self |= {f"{slot}.landed": self[slot], slot: rf"\tilde {self[slot]}"}

    def __missing__(self, name: str) -> str:
        raise ValueError(f"The symbols of {self.key} must have {name!r}, got none.")


def read(run: Run) -> Recursion:
    """The recursion of a run's optimizer as its switches were, and on its surface."""
    return recursion(run.optimizer, switches(run.optimizer, run.hypers), run.surface.shrinks)


def inputs(run: Run) -> dict[str, np.ndarray]:
    """What the steps of a run begin with, by name: (T, d), or (T, 1) where coordinates share it.

    Position, gradient, slots before, hyperparameters, "l1" if steps end with a proximal one, and
    the clock as it is in the step.
    """
    steps = len(run.gradients)
    found = {"p": run.positions[:-1], "g": run.gradients}
    found |= {f"{name}.before": slot[:-1] for name, slot in run.slots.items()}
    table = {n: run.hypers_by_step.get(n, np.full(steps, v)) for n, v in run.hypers.items()}
    found |= {name: column[:, None] for name, column in table.items()}
    if run.surface.shrinks:
        found[L1.name] = np.full((steps, 1), run.surface.penalty[0])
    clock = read(run).clock
    if any(clock):
        columns = zip(clock, run.clocks.T, strict=True)
        found |= {name: column[:, None] for name, column in columns if name}
    return found


def quantities(run: Run) -> dict[str, np.ndarray]:
    """Every quantity of the T steps of a run, by name and in a table's order; read-only float64.

    (T, d): "p" the position before, "probe" where the gradient was taken if elsewhere, "g" the
    gradient, "m.before" of each slot m, then what each line of the formula gives, "update" and
    "p.after", where p − update = p.after. (T,): what coordinates share, which lines of the clock
    give, and at the end the hyperparameters and the other values of the clock.
    On a surface that `shrinks`, p − update = z, after which come "tau", "p.after" and "m.landed"
    of a slot m that remembers the whole step: what the next step begins with, where "m" is still
    what the rule gives. "l1" is with the hyperparameters.
    The rule's operations in the rule's order, so slots and "p.after" are the run's to the bit, and
    overflow is inf or NaN. Raises ValueError as `lines`.
    """
    return dict(_quantities(run))


# What is shown of a run's steps asks for them several times.
@lru_cache(maxsize=4)
def _quantities(run: Run) -> dict[str, np.ndarray]:
    found, values = read(run), inputs(run)
    given = [*values]
    with np.errstate(all="ignore"):
        for name, expr in (*found.prelude, *found.rule, *found.proximal):
            values[name] = evaluate(expr, values)
        values["update"] = evaluate(found.update, values)
    formula = lines(run.optimizer, run.hypers, penalty=run.surface.penalty)
    written = [line.name for line in formula]
    written.insert(written.index(found.rule[-1][0]), "update")
    first = ["p", *(n for n in written if n == "probe"), "g"]
    slots = [f"{name}.before" for name in run.slots]
    order = dict.fromkeys([*first, *slots, *written, *given, *values])
    for name in order:
        column = values[name]
        own = np.array(column[:, 0] if name in found.shared else column)
        own.flags.writeable = False
        values[name] = own
    return {name: values[name] for name in order}
