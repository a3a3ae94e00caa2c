"""Formulas read from the rules: as the papers write them, and equal to what a run computed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES, Run, simulate
from optim_core.expressions import Expr, Name, Number, Op, evaluate, latex
from optim_core.formula import Line, lines, lines_of, quantities
from optim_core.penalty import penalised
from optim_core.spec import Hyper, Optimizer, Point, Schedule, as_left
from surfaces import SURFACES
from tests.test_step_tables import ADAM_TABLE, GD_DIVERGES, GD_TABLE, PARABOLA, rows

GD, MOMENTUM, ADAM, ADAMW = (OPTIMIZERS[key] for key in ("gd", "momentum", "adam", "adamw"))
INF, NAN = float("inf"), float("nan")
EVERY = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
MEANS = (
    r"m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t",
    r"v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2",
)
BEFORE, HERE = r"g_t = \nabla f(\theta_{t-1})", r"g_t = \nabla f(\theta_t)"
HATS = (r"\hat m_t = \frac{m_t}{1 - \beta_1^t}", r"\hat v_t = \frac{v_t}{1 - \beta_2^t}")
SHRUNK = (0.5, 0.0, 1.0)  # any L1, and proximal
ADAMS_STEP = r"\eta \frac{\hat m_t}{\sqrt{\hat v_t} + \epsilon}"
PAPERS: list[tuple[str, dict[str, float], tuple[str, ...]]] = [
    ("gd", {}, (HERE, r"\theta_{t+1} = \theta_t - \eta g_t")),
    # Polyak's m is x^n − x^(n−1); Sutskever et al. 2013, eqs. 1-2
    ("momentum", {}, (
        HERE, r"m_{t+1} = \beta m_t - \eta g_t", r"\theta_{t+1} = \theta_t + m_{t+1}",
    )),
    ("momentum", {"rate_inside": 0.0}, (
        HERE, r"m_{t+1} = \beta m_t - g_t", r"\theta_{t+1} = \theta_t + \eta m_{t+1}",
    )),
    # eqs. 3-4
    ("nesterov", {}, (
        r"\phi_t = \theta_t + \beta m_t", r"g_t = \nabla f(\phi_t)",
        r"m_{t+1} = \beta m_t - \eta g_t", r"\theta_{t+1} = \theta_t + m_{t+1}",
    )),
    ("adagrad", {}, (
        HERE, r"s_{t+1} = s_t + g_t^2",
        r"\theta_{t+1} = \theta_t - \eta \frac{g_t}{\sqrt{s_{t+1}} + \epsilon}",
    )),
    ("rmsprop", {}, (
        BEFORE, r"v_t = \rho v_{t-1} + (1 - \rho) g_t^2",
        r"\theta_t = \theta_{t-1} - \eta \frac{g_t}{\sqrt{v_t} + \epsilon}",
    )),
    # Kingma & Ba, Algorithms 1 and 2
    ("adam", {}, (BEFORE, *MEANS, *HATS, rf"\theta_t = \theta_{{t-1}} - {ADAMS_STEP}")),
    ("adam", {"bias_correction": 0.0}, (
        BEFORE, *MEANS, r"\hat m_t = m_t", r"\hat v_t = v_t",
        rf"\theta_t = \theta_{{t-1}} - {ADAMS_STEP}",
    )),
    ("adam", {"scaling": 0.0}, (
        BEFORE, *MEANS, *HATS, r"\theta_t = \theta_{t-1} - \eta \hat m_t",
    )),
    ("adamax", {}, (
        BEFORE, MEANS[0],
        r"u_t = \max(\beta_2 u_{t-1},\ \lvert g_t \rvert + \epsilon)",
        r"\theta_t = \theta_{t-1} - \frac{\eta}{1 - \beta_1^t} \frac{m_t}{u_t}",
    )),
    # Dozat's Algorithm 8 with its hats written out
    ("nadam", {}, (
        r"\mu_t = \beta_1 (1 - 0.5 \cdot 0.96^{0.004 t})",
        r"\mu_{t+1} = \beta_1 (1 - 0.5 \cdot 0.96^{0.004 (t+1)})",
        BEFORE, *MEANS,
        r"\bar m_t = \mu_{t+1} \frac{m_t}{1 - \prod_{i=1}^{t+1} \mu_i} + "
        r"(1 - \mu_t) \frac{g_t}{1 - \prod_{i=1}^{t} \mu_i}",
        HATS[1], r"\theta_t = \theta_{t-1} - \eta \frac{\bar m_t}{\sqrt{\hat v_t} + \epsilon}",
    )),
    # Loshchilov & Hutter, Algorithm 2 with the decay scaled by lr
    ("adamw", {}, (
        BEFORE, *MEANS, *HATS,
        rf"\theta_t = \theta_{{t-1}} - \eta \lambda \theta_{{t-1}} - {ADAMS_STEP}",
    )),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "hypers", "expected"), PAPERS, ids=["-".join([key, *h]) for key, h, _ in PAPERS]
)
def test_a_formula_is_its_papers(
    key: str, hypers: dict[str, float], expected: tuple[str, ...]
) -> None:
    assert tuple(line.latex for line in lines(OPTIMIZERS[key], hypers)) == expected


def test_every_formula_is_pinned() -> None:
    assert {key for key, _, _ in PAPERS} == set(OPTIMIZERS)


def soft(t: str) -> str:
    return rf"\theta_{t} = \operatorname{{sign}}(z_{t}) \max(\lvert z_{t} \rvert - \tau_{t},\ 0)"


TAU = r"\tau_{t+1} = \lambda_1 \eta"
PROXIMAL: list[tuple[str, dict[str, float], tuple[str, ...]]] = [
    # Beck & Teboulle, eqs. 1.4 and 1.5
    ("gd", {}, (HERE, r"z_{t+1} = \theta_t - \eta g_t", TAU, soft("{t+1}"))),
    # Ochs et al. 2014, Algorithm 1: the last step is that of the positions
    ("momentum", {}, (
        HERE, r"\tilde m_{t+1} = \beta m_t - \eta g_t", r"z_{t+1} = \theta_t + \tilde m_{t+1}",
        TAU, soft("{t+1}"), r"m_{t+1} = \theta_{t+1} - \theta_t",
    )),
    ("momentum", {"rate_inside": 0.0}, (
        HERE, r"\tilde m_{t+1} = \beta m_t - g_t",
        r"z_{t+1} = \theta_t + \eta \tilde m_{t+1}", TAU, soft("{t+1}"),
        r"m_{t+1} = \frac{\theta_{t+1} - \theta_t}{\eta}",
    )),
    ("adam", {}, (
        BEFORE, *MEANS, *HATS, rf"z_t = \theta_{{t-1}} - {ADAMS_STEP}",
        r"\tau_t = \lambda_1 \frac{\eta}{\sqrt{\hat v_t} + \epsilon}", soft("t"),
    )),
    ("adam", {"scaling": 0.0}, (
        BEFORE, *MEANS, *HATS, r"z_t = \theta_{t-1} - \eta \hat m_t",
        r"\tau_t = \lambda_1 \eta", soft("t"),
    )),
]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "hypers", "expected"), PROXIMAL, ids=["-".join([key, *h]) for key, h, _ in PROXIMAL]
)
def test_a_formula_has_its_proximal_step(
    key: str, hypers: dict[str, float], expected: tuple[str, ...]
) -> None:
    written = lines(OPTIMIZERS[key], hypers, penalty=SHRUNK)
    assert tuple(line.latex for line in written) == expected


@EVERY
def test_a_proximal_step_changes_no_line_before_it_but_z(optimizer: Optimizer) -> None:
    plain, written = lines(optimizer), lines(optimizer, penalty=SHRUNK)
    last = [*(line.name for line in plain[:-1]), "z", "tau", "p.after"]
    landed = [f"{name}.landed" for name in optimizer.slots if optimizer.landed is not as_left]
    assert [line.name for line in written] == [*last, *landed]
    for one, other in zip(plain, written, strict=False):
        assert (one.numbers, one.expr) == (other.numbers, other.expr)


# ---- numbers that are displayed, read as a person reads them


class Reading:
    """The value of a right side of LaTeX with numbers in it."""

    TOKEN = re.compile(
        r"\s*(?:\\left|\\right)?"
        r"(\\operatorname\{sign\}|\\[a-z]+|\\ |[\d.]+(?:e[+-]?\d+)?|[-+^(){},])"
    )

    def __init__(self, text: str) -> None:
        self.tokens, at = [], 0
        while at < len(text):
            found = self.TOKEN.match(text, at)
            assert found, text[at:]
            self.tokens.append(found[1])
            at = found.end()
        self.result = self.sum()
        assert not self.tokens, self.tokens

    def next(self, *expected: str) -> str:
        token = self.tokens.pop(0)
        assert not expected or token in expected, (token, self.tokens)
        return token

    def ahead(self, *tokens: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in tokens

    def sum(self) -> float:
        sign = -1.0 if self.ahead("-") and self.next() else 1.0
        total = sign * self.product()
        while self.ahead("+", "-"):
            total += self.product() if self.next() == "+" else -self.product()
        return total

    def product(self) -> float:
        result = self.power()
        while self.ahead(r"\cdot"):
            self.next()
            result *= self.power()
        return result

    def power(self) -> float:
        base = self.atom()
        return base ** int(self.next()) if self.ahead("^") and self.next() else base

    def group(self, opens: str, closes: str) -> float:
        self.next(opens)
        inside = self.sum()
        self.next(closes)
        return inside

    def atom(self) -> float:
        if self.ahead("("):
            return self.group("(", ")")
        if self.ahead(r"\lvert"):
            return abs(self.group(r"\lvert", r"\rvert"))
        token = self.next()
        if token == r"\frac":
            return self.group("{", "}") / self.group("{", "}")
        if token == r"\operatorname{sign}":
            return float(np.sign(self.group("(", ")")))
        if token == r"\sqrt":
            return float(self.group("{", "}") ** 0.5)
        if token in (r"\max", r"\min"):
            first = self.group("(", ",")
            self.next("\\ ")
            pair = first, self.sum()
            self.next(")")
            return max(pair) if token == r"\max" else min(pair)
        return float(token)


def filled(text: str, found: dict[str, np.ndarray], step: int, coordinate: int) -> str:
    """The displayed text of one step and coordinate, numbers in full precision."""

    def number(match: re.Match[str]) -> str:
        column = found[match[2].replace(r"\_", "_")][step]
        value = float(column if column.ndim == 0 else column[coordinate])
        guarded = match[1] == "@@" and np.signbit(value)  # of -0.0 too
        return f"({value!r})" if guarded else repr(value)

    return re.sub(r"\\text\{(@@?)([\w.\\]+)\}", number, text)


def assert_shown(run: Run, line: Line, found: dict[str, np.ndarray], step: int, j: int) -> None:
    text = filled(line.numbers, found, step, j)
    column = found[line.name][step]
    expected = float(column if column.ndim == 0 else column[j])
    assert Reading(text).result == pytest.approx(expected, rel=1e-12, abs=1e-14), (line.name, text)


def variants(optimizer: Optimizer) -> list[dict[str, Any]]:
    return [{}, *(dict(part.without) for part in optimizer.ingredients)]


@EVERY
def test_the_numbers_that_are_shown_give_the_next_position(optimizer: Optimizer) -> None:
    surface = SURFACES["rosenbrock"]
    pace = 0.3 * surface.pace.curvature  # small enough for a scaled method without its scaling
    for hypers in variants(optimizer):
        run = simulate(surface, optimizer, steps=12, lr=pace, noise=0.1, seed=3, **hypers)
        found, written = quantities(run), lines(optimizer, run.hypers)
        assert written[-1].name == "p.after"
        for step in (0, 1, 2, 11):
            for j in (0, 1):
                for line in written:
                    assert_shown(run, line, found, step, j)
                shown = Reading(filled(written[-1].numbers, found, step, j)).result
                assert shown == pytest.approx(run.positions[step + 1, j], rel=1e-12)


@EVERY
def test_the_numbers_of_a_proximal_step_give_the_next_position(optimizer: Optimizer) -> None:
    surface = penalised(SURFACES["bowl"], l1=3.0, l2=0.5)
    for hypers in variants(optimizer):
        pace = 0.3 * surface.pace.curvature
        run = simulate(surface, optimizer, steps=12, lr=pace, start=(1e-3, -4.0), **hypers)
        found, written = quantities(run), lines(optimizer, run.hypers, penalty=SHRUNK)
        assert not run.positions[1:, 0].all()
        assert run.positions[1:, 1].all()
        for step in (0, 1, 2, 11):
            for j in (0, 1):
                for line in written:
                    assert_shown(run, line, found, step, j)
                (last,) = (line for line in written if line.name == "p.after")
                shown = Reading(filled(last.numbers, found, step, j)).result
                assert shown == pytest.approx(run.positions[step + 1, j], rel=1e-12)


class Meaning(Reading):
    """The value of a right side of LaTeX whose symbols are replaced: factors stand side by side."""

    STARTS = ("(", r"\frac", r"\sqrt", r"\lvert", r"\max")

    def product(self) -> float:
        result = self.power()
        while self.ahead(r"\cdot", *self.STARTS):
            if self.ahead(r"\cdot"):
                self.next()
            result *= self.power()
        return result


def meant(run: Run, line: Line, found: dict[str, np.ndarray], step: int, j: int) -> float:
    """What a line as it is written says of a step: its symbols mean what a paper's do.

    Slots and positions are those of the run, hyperparameters this step's, a power is one, and a
    product is that of the numbers which the steps up to t had.
    """
    method, t = run.optimizer, step + 1
    h = dict(zip(run.hypers, run.hypers_at(step), strict=True))
    beta1 = [dict(zip(run.hypers, run.hypers_at(min(i, step)), strict=True)).get("beta1", 0.0)
             for i in range(t + 1)]  # fmt: skip
    mu = [b * (1.0 - 0.5 * 0.96 ** (0.004 * (i + 1))) for i, b in enumerate(beta1)]
    now, after = ("{t-1}", "t") if method.counts == "t" else ("t", "{t+1}")
    known = {
        "0.96^{0.004 t}": 0.96 ** (0.004 * t),
        "0.96^{0.004 (t+1)}": 0.96 ** (0.004 * (t + 1)),
        r"\prod_{i=1}^{t} \mu_i": np.prod(mu[:t]),
        r"\prod_{i=1}^{t+1} \mu_i": np.prod(mu),
        r"\prod_{i=1}^{t} \beta_{1,i}": np.prod(beta1[:t]),
        "g_t": run.gradients[step, j],
        rf"\theta_{now}": run.positions[step, j],
    }
    for slot in method.slots:
        known |= {f"{slot}_{now}": run.slots[slot][step, j]}
        known |= {f"{slot}_{after}": run.slots[slot][step + 1, j]}
    for hyper in method.hypers:
        known |= {hyper.symbol: h[hyper.name], f"{hyper.symbol}^t": h[hyper.name] ** t}
    own = (*method.symbols, *method.moving)
    hats = {symbol: found[name][step] for name, symbol in own if symbol not in known}
    known |= {s: float(c if c.ndim == 0 else c[j]) for s, c in hats.items()}
    text = line.latex.partition(" = ")[2]
    for symbol in sorted(known, key=len, reverse=True):
        text = text.replace(symbol, f"({float(known[symbol])!r})")
    return Meaning(text).result


MEANT = [None, *(SCHEDULES[key] for key in ("one_cycle", "exponential"))]


@pytest.mark.parametrize("plan", MEANT, ids=lambda plan: plan.key if plan else "none")
@EVERY
def test_a_formula_means_what_the_run_computed(optimizer: Optimizer, plan: Schedule | None) -> None:
    surface = SURFACES["rosenbrock"]
    for hypers in variants(optimizer):
        lr = 0.3 * surface.pace.curvature
        run = simulate(surface, optimizer, steps=50, lr=lr, schedule=plan, **hypers)
        found = quantities(run)
        for line in lines_of(run):
            if line.name == "g":
                continue  # a gradient has no numbers
            for step, j in ((0, 0), (8, 1), (49, 0)):
                column = found[line.name][step]
                expected = float(column if column.ndim == 0 else column[j])
                said = meant(run, line, found, step, j)
                assert said == pytest.approx(expected, rel=1e-9, abs=1e-13), (line.latex, step)


def test_a_beta1_that_moves_is_written_as_a_product() -> None:
    run = simulate(PARABOLA, ADAM, start=(10.0,), steps=50, schedule=SCHEDULES["one_cycle"], lr=0.5)
    one, other = (
        next(line for line in written if line.name == "m_hat")
        for written in (lines_of(run), lines(ADAM))
    )
    assert one.latex == r"\hat m_t = \frac{m_t}{1 - \prod_{i=1}^{t} \beta_{1,i}}"
    found = quantities(run)
    assert f"{found['m_hat'][9, 0]:.2f}" == f"{meant(run, one, found, 9, 0):.2f}" == "19.37"
    assert f"{meant(run, other, found, 9, 0):.2f}" == "17.72", "what β₁ᵗ would say"
    still = SCHEDULES["one_cycle"].with_params(dip=1.0)
    for plan in (None, SCHEDULES["exponential"], still):
        run = simulate(PARABOLA, ADAM, steps=50, schedule=plan)
        assert lines_of(run) == lines(ADAM)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"2 + 3 \cdot 4^2", 50.0), (r"-2 + (-3) \cdot 2", -8.0),
        (r"\frac{1 - 3}{4} - 1e-2", -0.51), (r"\left(\frac{1}{2}\right)^2", 0.25),
        (r"\sqrt{9} \cdot \max(1,\ \lvert -3 \rvert + 1)", 12.0),
        (r"\operatorname{sign}(1 - 3) \cdot \max(\lvert -3 \rvert - 1,\ 0)", -2.0),
    ],
)  # fmt: skip
def test_latex_is_read_rightly(text: str, value: float) -> None:
    assert Reading(text).result == value


@pytest.mark.parametrize("text", ["2 + -3", r"2 \cdot -3", "2 3", "(2"])
def test_what_nobody_would_write_is_not_read(text: str) -> None:
    with pytest.raises((AssertionError, ValueError, IndexError)):
        Reading(text)


VALUES = {"a": -1.5, "b": 0.25, "c": 3.0}


def shown(name: str, guarded: bool) -> str:
    value = VALUES[name]
    return f"({value})" if guarded and value < 0.0 else str(value)


TREES: st.SearchStrategy[Expr] = st.recursive(
    st.sampled_from([Name("a"), Name("b"), Name("c"), Number(2.0), Number(0.5)]),
    lambda inner: st.one_of(
        st.builds(lambda k, a, b: Op(k, (a, b)), st.sampled_from("+-*/"), inner, inner),
        st.builds(lambda k, a, b: Op(k, (a, b)), st.sampled_from(["max", "min"]), inner, inner),
        st.builds(lambda k, a: Op(k, (a,)), st.sampled_from(["negative", "abs"]), inner),
        st.builds(lambda a, b: Op("shrink", (a, Op("abs", (b,)))), inner, inner),
    ),
    max_leaves=12,
)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_any_tree_is_written_as_what_it_is(tree: Expr) -> None:
    with np.errstate(all="ignore"):
        expected = float(evaluate(tree, {name: np.array(v) for name, v in VALUES.items()}))
    if not np.isfinite(expected) or abs(expected) > 1e6:
        return

    text = latex(tree, shown, r" \cdot ")
    try:
        found = Reading(text).result
    except ZeroDivisionError:  # x / (y / 0), which is 0
        return
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-6), text


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Op("-", (Name("a"), Op("+", (Name("b"), Name("c"))))), "a - (b + c)"),
        (Op("*", (Op("*", (Name("a"), Name("a"))), Name("a"))), "a^3"),
        (Op("/", (Op("*", (Name("a"), Name("a"))), Name("b"))), r"\frac{a^2}{b}"),
        (Op("/", (Op("/", (Name("a"), Name("b"))), Name("c"))), r"\frac{a}{b c}"),
        (Op("*", (Name("power"), Name("power"))), "(b^t)^2"),
        (Op("*", (Name("a"), Number(2.0))), r"a \cdot 2"),
        (Op("*", (Number(1e-5), Name("a"))), "0.00001 a"),
        (Op("negative", (Op("+", (Name("a"), Name("b"))),)), "-(a + b)"),
        (Op("*", (Op("+", (Op("/", (Name("a"), Name("b"))), Name("c"))), Name("a"))),
         r"\left(\frac{a}{b} + c\right) a"),
        (Op("*", (Name("c"), Op("shrink", (Name("a"), Name("b"))))),
         r"c \operatorname{sign}(a) \max(\lvert a \rvert - b,\ 0)"),
        # what switches leave behind
        (Op("*", (Number(1.0), Name("a"))), "a"),
        (Op("-", (Number(1.0), Op("*", (Number(0.0), Name("a"))))), "1"),
        (Op("/", (Name("a"), Op("-", (Number(1.0), Op("*", (Name("b"), Number(0.0))))))), "a"),
        (Op("+", (Number(0.0), Name("a"))), "a"),
        (Op("+", (Op("*", (Number(1.0), Name("a"))), Number(0.0))), "a"),
    ],
)  # fmt: skip
def test_latex_has_no_more_than_it_needs(tree: Expr, text: str) -> None:
    assert latex(tree, lambda name, _: {"power": "b^t"}.get(name, name)) == text


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Op("*", (Name("a"), Name("c"))), r"-1.5 \cdot 3.0"),
        (Op("*", (Name("a"), Name("a"))), "(-1.5)^2"),
        (Op("-", (Name("a"), Name("a"))), "-1.5 - (-1.5)"),
        (Op("/", (Name("a"), Op("*", (Name("c"), Name("a"))))), r"\frac{-1.5}{3.0 \cdot (-1.5)}"),
        (Op("+", (Name("c"), Op("/", (Name("a"), Name("a"))))), r"3.0 + \frac{-1.5}{-1.5}"),
        (Op("abs", (Name("a"),)), r"\lvert -1.5 \rvert"),
        (Op("shrink", (Name("a"), Name("c"))),
         r"\operatorname{sign}(-1.5) \cdot \max(\lvert -1.5 \rvert - 3.0,\ 0)"),
    ],
)  # fmt: skip
def test_a_negative_number_is_in_parentheses_where_it_must_be(tree: Expr, text: str) -> None:
    assert latex(tree, shown, r" \cdot ") == text


@pytest.mark.parametrize(
    ("z", "tau", "value"),
    [
        (3.0, 1.0, 2.0), (-3.0, 1.0, -2.0), (5.0, 0.0, 5.0), (INF, 1.0, INF), (-INF, 1.0, -INF),
        (1.0, 1.0, 0.0), (-1.0, 1.0, 0.0), (-0.5, 1.0, 0.0), (-0.0, 0.0, 0.0), (-2.0, INF, 0.0),
        (NAN, 1.0, NAN), (1.0, NAN, NAN), (INF, INF, NAN),
    ],
)  # fmt: skip
def test_what_is_shrunk_to_0_has_no_sign(z: float, tau: float, value: float) -> None:
    with np.errstate(invalid="ignore"):
        found = evaluate(Op("shrink", (Name("z"), Name("tau"))), {"z": z, "tau": tau})
    same(found, np.array(value))


# ---- quantities


def same(found: np.ndarray, expected: np.ndarray) -> None:
    """Equal to the bit, the sign of 0 included."""
    np.testing.assert_array_equal(found, expected)
    real = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found)[real], np.signbit(expected)[real])


def assert_exact(run: Run) -> dict[str, np.ndarray]:
    found = quantities(run)
    same(found["p"], run.positions[:-1])
    same(found["g"], run.gradients)
    same(found["p.after"], run.positions[1:])
    for name, slot in run.slots.items():
        same(found.get(f"{name}.landed", found[name]), slot[1:])
        same(found[f"{name}.before"], slot[:-1])
    if "probe" in found:
        same(found["probe"], run.probes)
    else:
        same(run.probes, run.positions[:-1])
    with np.errstate(all="ignore"):
        moved = found["p"] - found["update"]
    given = found["z"] if run.surface.shrinks else run.positions[1:]
    here = np.isfinite(given).all(axis=1)
    size = np.abs(found["p"][here]).max(initial=1.0)
    np.testing.assert_allclose(moved[here], given[here], rtol=1e-14, atol=1e-14 * size)
    assert not any(column.flags.writeable for column in found.values())
    assert {column.dtype for column in found.values()} == {np.dtype(float)}
    return found


PLANS = [None, *(SCHEDULES[key] for key in ("cosine", "one_cycle", "performance"))]


@pytest.mark.parametrize("share", [0.3, 30.0, 1e150])
@pytest.mark.parametrize("key", ["parabola", "bowl", "rosenbrock"])
@EVERY
def test_quantities_are_the_runs_to_the_bit(optimizer: Optimizer, key: str, share: float) -> None:
    surface = SURFACES[key]
    lr = share * getattr(surface.pace, optimizer.pace)
    for plan in PLANS:
        for hypers in variants(optimizer):
            run = simulate(surface, optimizer, steps=60, lr=lr, noise=0.2, schedule=plan, **hypers)
            assert_exact(run)


def test_runs_that_leave_the_floats_are_among_them() -> None:
    run = simulate(SURFACES["rosenbrock"], GD, steps=60, lr=1.0)
    assert np.isnan(assert_exact(run)["p.after"]).any()


def assert_shrunk(run: Run) -> None:
    """The quantities of a proximal step, from the optimizer's functions step by step."""
    method, found = run.optimizer, assert_exact(run)
    l1, dim = run.surface.penalty[0], run.surface.dim
    z, tau, landed = (np.empty_like(run.gradients) for _ in range(3))
    k = method.clock_start
    slots = [run.slots[name] for name in method.slots]
    with np.errstate(all="ignore"):
        for t in range(len(z)):
            h = tuple(map(np.float64, run.hypers_at(t)))
            k = method.clock(h, k)
            for j in range(dim):
                p, g = run.positions[t, j], run.gradients[t, j]
                s = tuple(slot[t, j] for slot in slots) or (0.0,)
                z[t, j], s = method.rule(p, g, s, h, k)
                for name, value in zip(method.slots, s, strict=False):
                    same(found[name][t, j], np.asarray(value))
                tau[t, j] = l1 * method.reach(s, h, k)
                landed[t, j] = method.landed(run.positions[t + 1, j] - p, s, h, k)[0]
        shrunk = np.sign(z) * np.maximum(np.abs(z) - tau, 0.0)
    same(found["z"], z)
    same(np.broadcast_to(found["tau"].reshape(len(z), -1), z.shape), tau)
    np.testing.assert_array_equal(found["p.after"], shrunk)
    assert found["l1"].tolist() == [l1] * len(z)
    assert ("m.landed" in found) == (method.landed is not as_left)
    if "m.landed" in found:
        same(found["m.landed"], landed)


@pytest.mark.parametrize("l1", [0.1, 20.0, 1e200])
@pytest.mark.parametrize("key", ["bowl", "himmelblau", "parabola", "double_well"])
@EVERY
def test_quantities_of_a_proximal_step_are_the_runs_to_the_bit(
    optimizer: Optimizer, key: str, l1: float
) -> None:
    # only the penalty's numbers matter to a run; to find its minima takes longer
    surface = replace(SURFACES[key], penalty=(l1, 0.3, 1.0))
    for share in (0.3, 300.0, 1e150):
        lr = share * getattr(surface.pace, optimizer.pace)
        for plan in PLANS:
            for hypers in variants(optimizer):
                given: dict[str, Any] = {"lr": lr, "noise": 0.2, "schedule": plan, **hypers}
                assert_exact(simulate(surface, optimizer, steps=40, **given))
        assert_shrunk(simulate(surface, optimizer, steps=25, lr=lr, schedule=PLANS[1]))


@pytest.mark.parametrize("hypers", [{}, {"rate_inside": 0.0}])
def test_a_proximal_step_can_stop_a_run_and_not_bring_it_back(hypers: dict[str, Any]) -> None:
    bowl = replace(SURFACES["bowl"], penalty=(1e200, 0.0, 1.0))
    run = simulate(bowl, MOMENTUM, steps=5, **hypers)
    assert_shrunk(run)
    np.testing.assert_array_equal(run.positions[1:], 0.0)
    himmelblau = replace(SURFACES["himmelblau"], penalty=(0.1, 0.0, 1.0))
    gone = simulate(himmelblau, MOMENTUM, steps=30, lr=1.0, **hypers)
    assert_shrunk(gone)
    assert np.isnan(gone.positions[-1]).any()


@EVERY
def test_a_subgradient_of_l1_is_no_proximal_step(optimizer: Optimizer) -> None:
    run = simulate(replace(SURFACES["bowl"], penalty=(2.0, 0.3, 0.0)), optimizer, steps=20)
    plain = quantities(simulate(SURFACES["bowl"], optimizer, steps=20))
    assert [*assert_exact(run)] == [*plain]


@EVERY
def test_a_resumed_runs_proximal_steps_are_those_of_the_whole(optimizer: Optimizer) -> None:
    surface = replace(SURFACES["bowl"], penalty=(2.0, 0.0, 1.0))
    lr = 0.1 * getattr(surface.pace, optimizer.pace)
    first = simulate(surface, optimizer, steps=7, lr=lr)
    second = simulate(surface, optimizer, steps=5, lr=lr, after=first)
    whole = quantities(simulate(surface, optimizer, steps=12, lr=lr))
    for name, column in assert_exact(second).items():
        same(column, whole[name][7:])


@EVERY
def test_a_resumed_runs_quantities_are_those_of_the_whole(optimizer: Optimizer) -> None:
    surface = SURFACES["bowl"]
    lr, plan = 0.1 * getattr(surface.pace, optimizer.pace), SCHEDULES["power"]
    first = simulate(surface, optimizer, steps=7, lr=lr, schedule=plan)
    second = simulate(surface, optimizer, steps=5, lr=lr, schedule=plan, after=first)
    whole = quantities(simulate(surface, optimizer, steps=12, lr=lr, schedule=plan))
    for name, column in assert_exact(second).items():
        same(column, whole[name][7:])


def within(hyper: Hyper) -> st.SearchStrategy[float]:
    if hyper.scale == "switch":
        return st.sampled_from([0.0, 1.0])
    return st.floats(hyper.low, hyper.high)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_hyperparameters_give_the_run_to_the_bit(data: st.DataObject) -> None:
    optimizer = data.draw(st.sampled_from(list(OPTIMIZERS.values())))
    hypers: dict[str, Any] = {h.name: data.draw(within(h)) for h in optimizer.hypers}
    assert_exact(simulate(SURFACES["rosenbrock"], optimizer, steps=25, **hypers))


@EVERY
def test_quantities_have_what_a_line_or_token_names_in_a_tables_order(optimizer: Optimizer) -> None:
    run = simulate(SURFACES["bowl"], optimizer, steps=3)
    found, written = quantities(run), lines(optimizer)
    tokens = {
        name.replace(r"\_", "_")
        for line in written
        for name in re.findall(r"\\text\{@@?([^}]+)\}", line.numbers)
    }
    assert {*tokens, *(line.name for line in written), *run.hypers, "update"} <= set(found)
    columns = [name for name, column in found.items() if column.ndim == 2]
    probe = ["probe"] if "probe" in tokens | {line.name for line in written} else []
    before = [f"{name}.before" for name in optimizer.slots]
    assert columns[: 2 + len(probe) + len(before)] == ["p", *probe, "g", *before]
    assert columns[-2:] == ["update", "p.after"]
    after = [line.name for line in written if line.name not in ("probe", "g", "p.after")]
    assert columns[2 + len(probe) + len(before) : -2] == [n for n in after if n in columns]
    for hyper, value in run.hypers.items():
        assert found[hyper].tolist() == [value] * 3


@EVERY
def test_the_quantities_of_a_proximal_step_follow_the_update(optimizer: Optimizer) -> None:
    bowl = SURFACES["bowl"]
    plain = [*quantities(simulate(bowl, optimizer, steps=3))]
    run = simulate(replace(bowl, penalty=(2.0, 0.0, 1.0)), optimizer, steps=3)
    found = quantities(run)
    written = [line.name for line in lines(optimizer, penalty=SHRUNK)]
    follow = written[written.index("z") :]
    end = plain.index("update") + 1
    assert [*found][: end + len(follow)] == [*plain[:end], *follow]
    assert {*found} == {*plain, *follow, "l1"}
    assert found["l1"].shape == (3,)
    scaled = optimizer.preconditioner is not None
    assert found["tau"].shape == ((3, 2) if scaled else (3,))


def table(found: dict[str, np.ndarray], shape: str) -> list[str]:
    """Rows as `shape` formats them."""
    flat = {name.replace(".", "_"): c[:, 0] for name, c in found.items() if c.ndim == 2}
    count = len(flat["p"])
    return [
        shape.format(i=i, **{name: column[i] for name, column in flat.items()})
        for i in range(count)
    ]


def test_gradient_descents_step_table() -> None:
    found = quantities(simulate(PARABOLA, GD, start=(10.0,), steps=10, lr=0.1))
    shape = "| {i} | {p:.2f} | {g:.4f} | {update:.4f} | {p_after:.2f} |"
    assert table(found, shape) == rows(GD_TABLE)


def test_gradient_descents_step_table_above_its_limit() -> None:
    found = quantities(simulate(PARABOLA, GD, start=(10.0,), steps=11, lr=1.05))
    assert ", ".join(table(found, "{p:.2f}")) == GD_DIVERGES


def test_adams_step_table() -> None:
    found = quantities(simulate(PARABOLA, ADAM, start=(10.0,), steps=7, lr=1.05))
    shape = (
        "| {i} | {p:.2f} | {g:.4f} | {m:.2f} | {v:.2f} | {m_hat:.2f} | {v_hat:.2f} | "
        "{update:.4f} | {p_after:.2f} |"
    )
    assert table(found, shape) == rows(ADAM_TABLE)


def test_what_the_clock_gives_is_what_the_symbols_say() -> None:
    t = np.arange(1, 41)
    hypers: dict[str, Any] = {"beta1": 0.8, "beta2": 0.99}
    adam = quantities(simulate(PARABOLA, ADAM, steps=40, **hypers))
    np.testing.assert_allclose(adam["power1"], 0.8**t, rtol=1e-13)
    np.testing.assert_allclose(adam["power2"], 0.99**t, rtol=1e-13)
    nadam = quantities(simulate(PARABOLA, OPTIMIZERS["nadam"], steps=40, **hypers))
    mu = 0.8 * (1.0 - 0.5 * 0.96 ** (0.004 * np.arange(1, 42)))
    for name, expected in {
        "decay": 0.96 ** (0.004 * t), "next_decay": 0.96 ** (0.004 * (t + 1)), "now": mu[:-1],
        "ahead": mu[1:], "product": np.cumprod(mu)[:-1], "next_product": np.cumprod(mu)[1:],
    }.items():  # fmt: skip
        np.testing.assert_allclose(nadam[name], expected, rtol=1e-13, err_msg=name)


def test_the_update_of_adamw_has_its_decay() -> None:
    run = simulate(PARABOLA, ADAMW, start=(10.0,), steps=1, lr=0.5, weight_decay=0.25, eps=0.0)
    # Adam's first step is lr, whatever the gradient
    assert quantities(run)["update"][0, 0] == pytest.approx(0.5 + 0.5 * 0.25 * 10.0, rel=1e-15)


# ---- what a source may have


def clipped(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr = h[0]
    return p - lr * max(-1.0, min(1.0, g)), s


def lengthened(s: Point, h: Point, k: Point) -> float:
    return h[0] * h[1]


def unnamed(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    m, kept = s
    return p - h[0] * m, (0.5 * m + g, kept)


def powered(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    return p - h[0] * g**3, s


def branching(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    if g > 0.0:
        return p - h[0] * g, s
    return p, s


def standing(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    return (1.0 - h[0]) * p, s


def twice(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    step = h[0] * g
    step = 2.0 * step
    return p - step, s


def test_a_rule_with_a_clip_is_read() -> None:
    assert lines(replace(GD, rule=clipped))[-1].latex == (
        r"\theta_{t+1} = \theta_t - \eta \max(-1,\ \min(1,\ g_t))"
    )


def test_a_slot_without_a_local_of_its_own_has_a_line_too() -> None:
    written = lines(replace(MOMENTUM, rule=unnamed, slots=("m", "n")))
    assert [line.latex for line in written[1:]] == [
        "m_{t+1} = 0.5 m_t + g_t", "n_{t+1} = n_t", r"\theta_{t+1} = \theta_t - \eta m_t",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "said"),
    [(powered, "'g ** 3'"), (branching, "'g > 0.0'"), (standing, "minus or plus"),
     (twice, "'step' only once")],
)  # fmt: skip
def test_a_rule_that_cannot_be_read_says_so(rule: Callable[..., Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        lines(replace(GD, rule=rule, symbols=(("step", r"\Delta_t"),)))


def test_a_name_that_a_proximal_step_needs_is_not_taken() -> None:
    with pytest.raises(ValueError, match="The rule of momentum must assign 'z' only once"):
        lines(replace(MOMENTUM, rule=unnamed, slots=("z", "n")), penalty=SHRUNK)
    for name in ("l1", "tau"):
        taken = (*GD.hypers, replace(GD.hypers[0], name=name))
        with pytest.raises(ValueError, match=f"gd must leave '{name}' to the proximal step"):
            lines(replace(GD, rule=clipped, reach=lengthened, hypers=taken), penalty=SHRUNK)


def test_a_symbol_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match=r"The symbols of adam must have 'power1', got none\."):
        lines(replace(ADAM, symbols=ADAM.symbols[1:]))


def test_hyperparameters_are_checked() -> None:
    with pytest.raises(ValueError, match=r"scaling must be True or False, got 0\.5"):
        lines(ADAM, {"scaling": 0.5})


# ---- what happens without an ingredient


def without(optimizer: Optimizer, key: str) -> dict[str, Any]:
    (part,) = (part for part in optimizer.ingredients if part.key == key)
    return dict(part.without)


def steps_of(optimizer: Optimizer, gradients: np.ndarray, **hypers: float) -> np.ndarray:
    """The rule's own steps (T,) when it is given these gradients (T,)."""
    h = tuple(hypers.get(hyper.name, hyper.default) for hyper in optimizer.hypers)
    p, s, k = 0.0, (0.0,) * max(1, len(optimizer.slots)), optimizer.clock_start
    path = [p]
    for g in gradients:
        k = optimizer.clock(h, k)
        p, s = optimizer.rule(p, float(g), s, h, k)
        path.append(float(p))
    return np.diff(path)


def test_without_bias_correction_adam_is_too_fast_at_first() -> None:
    t = np.arange(1, 201)
    slow, fast = (
        steps_of(ADAM, np.full(200, 7.0), eps=0.0, **hypers)
        for hypers in ({}, without(ADAM, "bias_correction"))
    )
    ratio = fast / slow
    # under a constant gradient m = (1 − β₁ᵗ) g and v = (1 − β₂ᵗ) g²
    np.testing.assert_allclose(ratio, (1.0 - 0.9**t) / np.sqrt(1.0 - 0.999**t), rtol=1e-9)
    (part,) = (part for part in ADAM.ingredients if part.key == "bias_correction")
    first, step, most, near = re.findall(r"[\d.]*\d", part.about)
    assert (f"{ratio[0]:.2f}", step, f"{ratio.max():.1f}") == (first, "1", most)
    assert abs(t[ratio.argmax()] - int(near)) <= 1


@pytest.mark.parametrize("key", ["adam", "adamax", "adamw", "nadam"])
def test_without_momentum_a_step_goes_against_the_newest_gradient(key: str) -> None:
    optimizer = OPTIMIZERS[key]
    hypers: dict[str, Any] = {"weight_decay": 0.0} if key == "adamw" else {}
    # the turn comes after a run-up that momentum remembers
    g = np.concatenate([np.random.default_rng(0).standard_normal(50), np.ones(20), [-1e-3]])
    bare = steps_of(optimizer, g, **hypers, **without(optimizer, "momentum"))
    full = steps_of(optimizer, g, **hypers)
    assert np.array_equal(np.sign(bare), -np.sign(g))
    assert not np.array_equal(np.sign(full), -np.sign(g))
    if key == "nadam":
        adam = steps_of(ADAM, g, lr=0.002, **without(ADAM, "momentum"))
        np.testing.assert_array_equal(bare, adam)
    else:
        assert bare[0] == pytest.approx(full[0], rel=1e-12)


def test_without_scaling_ten_times_the_gradient_is_ten_times_the_step() -> None:
    g = np.random.default_rng(1).standard_normal(50)
    plain, more = (steps_of(ADAM, c * g, **without(ADAM, "scaling")) for c in (1.0, 10.0))
    np.testing.assert_allclose(more, 10.0 * plain, rtol=1e-9)
    scaled, same_again = (steps_of(ADAM, c * g, eps=0.0) for c in (1.0, 10.0))
    np.testing.assert_allclose(same_again, scaled, rtol=1e-9)


def test_without_scaling_a_square_that_overflows_does_no_harm() -> None:
    g = np.full(5, 1e200)
    assert np.isfinite(steps_of(ADAM, g, lr=1e-200, **without(ADAM, "scaling"))).all()


@pytest.mark.parametrize("key", ["momentum", "nesterov"])
def test_without_momentum_the_run_is_gradient_descents(key: str) -> None:
    optimizer = OPTIMIZERS[key]
    bare = simulate(SURFACES["rosenbrock"], optimizer, lr=1e-3, **without(optimizer, "momentum"))
    same(bare.positions, simulate(SURFACES["rosenbrock"], GD, lr=1e-3).positions)


def test_the_rate_outside_the_buffer_matters_once_it_changes() -> None:
    other = without(MOMENTUM, "rate_inside")
    far = []
    for plan in (None, SCHEDULES["exponential"]):
        one, two = (
            simulate(SURFACES["bowl"], MOMENTUM, steps=100, lr=1e-3, schedule=plan, **hypers)
            for hypers in ({}, other)
        )
        far.append(float(np.abs(one.positions - two.positions).max()))
    assert far[0] < 1e-12
    assert far[1] > 1e-3


def test_without_decay_adamw_is_adam() -> None:
    bare = simulate(SURFACES["rosenbrock"], ADAMW, lr=0.1, **without(ADAMW, "decay"))
    same(bare.positions, simulate(SURFACES["rosenbrock"], ADAM, lr=0.1).positions)


def test_the_ingredients_that_are_tested_are_all() -> None:
    assert {f"{o.key}.{part.key}" for o in OPTIMIZERS.values() for part in o.ingredients} == {
        "adam.bias_correction", "adam.momentum", "adam.scaling", "adamax.momentum",
        "adamw.momentum", "adamw.decay", "nadam.momentum", "momentum.momentum",
        "momentum.rate_inside", "nesterov.momentum",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("penalty", "noisy", "expected"),
    [
        ((0.0, 0.0, 1.0), False, r"g_t = \nabla f(\theta_{t-1})"),
        ((0.0, 0.1, 1.0), False, r"g_t = \nabla f(\theta_{t-1}) + \lambda_2 \theta_{t-1}"),
        (
            (0.3, 0.1, 0.0),
            True,
            r"g_t = \nabla f(\theta_{t-1}) + \lambda_2 \theta_{t-1}"
            r" + \lambda_1 \operatorname{sign}(\theta_{t-1}) + \xi_t",
        ),
        ((0.3, 0.0, 1.0), True, r"g_t = \nabla f(\theta_{t-1}) + \xi_t"),
    ],
)
def test_the_gradient_says_what_is_in_it(penalty: Point, noisy: bool, expected: str) -> None:
    found = lines(OPTIMIZERS["adam"], penalty=penalty, noisy=noisy)
    assert {line.name: line.latex for line in found}["g"] == expected
