"""What the declarations say in words, held against runs.

A sentence of a declaration that has a number in it, or that names a method, needs a check here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, SCHEDULES, Run, simulate
from optim_core.penalty import penalised
from optim_core.spec import PENALTY, SHARED, Hyper, Optimizer, Point, Schedule, Surface
from optim_core.tuning import RATES, WITHIN
from surfaces import SURFACES
from tests.reading import state_of
from ui.panels.map.message import SETTLING
from ui.panels.map.sheet import LARGEST
from ui.panels.paths.panel import lanes
from ui.state.common import suggested_lr

GD, MOMENTUM, ADAM, ADAGRAD = (OPTIMIZERS[key] for key in ("gd", "momentum", "adam", "adagrad"))
PLANS = tuple(SCHEDULES.values())
CONSTANT, EXPONENTIAL, POWER, ONE_CYCLE = (
    SCHEDULES[key] for key in ("constant", "exponential", "power", "one_cycle")
)
HYPERS = [
    *(h for o in OPTIMIZERS.values() for h in o.hypers),
    *(h for s in PLANS for h in s.hypers),
    *(h for s in SURFACES.values() for h in s.params),
    *SHARED, *PENALTY,
]  # fmt: skip
# What happens without an ingredient is in test_formula.py, and `ends` in test_schedules.py.
SENTENCES = {s.about for s in SURFACES.values()} | {p.about for p in PLANS} | {
    h.about for h in HYPERS
}  # fmt: skip
README = " ".join((Path(__file__).parents[1] / "README.md").read_text().split())
CONVENTIONS = {o.convention for o in OPTIMIZERS.values()} | {p.convention for p in PLANS}
SAID = {README} | SENTENCES | CONVENTIONS
CHECKS: dict[str, Callable[[], None]] = {}
METHODS = re.compile("|".join(sorted((o.name for o in OPTIMIZERS.values()), key=len)[::-1]), re.I)


def holds(*parts: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """The check of these parts of sentences."""

    def keep(check: Callable[[], None]) -> Callable[[], None]:
        CHECKS.update(dict.fromkeys(parts, check))
        return check

    return keep


@pytest.mark.parametrize("part", CHECKS)
def test_a_part_that_is_checked_is_said(part: str) -> None:
    assert any(part in sentence for sentence in SAID)


def test_a_sentence_with_a_number_or_a_method_is_checked() -> None:
    claims = [s for s in SENTENCES if re.search(r"\d|½|half|twice|ten ", s) or METHODS.search(s)]
    assert len(claims) > 20
    assert [s for s in claims if not any(part in s for part in CHECKS)] == []


@lru_cache
def usual(surface: Surface, optimizer: Optimizer) -> Run:
    """The run with the start, rate and length that a visitor finds."""
    return simulate(surface, optimizer, steps=300, lr=suggested_lr(surface, optimizer))


def race(surface: Surface) -> list[Run]:
    return [usual(surface, optimizer) for optimizer in OPTIMIZERS.values()]


def parted(surface: Surface) -> tuple[list[Run], list[Run]]:
    """A race's runs: of methods that do not rescale the gradient, and of those that do."""
    runs = race(surface)
    plain = [run for run in runs if run.optimizer.preconditioner is None]
    return plain, [run for run in runs if run.optimizer.preconditioner is not None]


def nearest(run: Run) -> Point:
    """The minimum that a run's end is nearest to."""
    return min(run.surface.minima, key=lambda p: math.dist(p, run.positions[-1]))


def lengths(run: Run) -> np.ndarray:
    return np.asarray(np.hypot.reduce(np.diff(run.positions, axis=0), axis=1))


# ---- surfaces


@holds("Each GD step multiplies p by 1 − 2·lr, so beyond lr = 1 every step leads farther away")
def on_the_parabola() -> None:
    for lr in (0.3, 1.0, 1.05):
        p = simulate(SURFACES["parabola"], GD, steps=20, lr=lr).positions[:, 0]
        np.testing.assert_allclose(p[1:], (1.0 - 2.0 * lr) * p[:-1], rtol=1e-13)
        assert (np.abs(p[1:]) > np.abs(p[:-1]) * (1.0 + 1e-9)).all() == (lr > 1.0)


@holds("Far out the gradient is almost zero: GD crawls, and methods that rescale it walk on")
def on_the_plateau() -> None:
    plain, scaled = parted(SURFACES["plateau"])
    assert abs(plain[0].gradients[0, 0]) < 0.01
    assert all(run.losses[100] > 0.9 * run.losses[0] for run in plain)
    assert all(run.losses[100] < 0.02 * run.losses[0] for run in scaled)


@holds("only heavy-ball momentum rolls over the hill into the far one", "Two equal minima")
def on_the_double_well() -> None:
    surface = SURFACES["double_well"]
    assert [surface.loss(*p) for p in surface.minima] == [0.0, 0.0]
    for optimizer in OPTIMIZERS.values():
        end = usual(surface, optimizer).positions[-1, 0]
        assert end == pytest.approx(-1.0 if optimizer == MOMENTUM else 1.0, abs=0.01)


@holds("GD's steps stay equal, momentum's grow to ten times the first, and AdaGrad's shrink")
def on_the_plane() -> None:
    steps, grown, fallen = (lengths(usual(SURFACES["plane"], o)) for o in (GD, MOMENTUM, ADAGRAD))
    np.testing.assert_allclose(steps, steps[0], rtol=1e-12)
    assert grown[-1] == pytest.approx(10.0 * grown[0], rel=1e-9)
    assert (np.diff(grown) > -1e-12).all()
    assert (np.diff(fallen) < 0.0).all()


@holds("GD zigzags across, momentum overshoots, and Adam's first step is as long in y as in x")
def on_the_bowl() -> None:
    gd, momentum, adam = (usual(SURFACES["bowl"], o).positions for o in (GD, MOMENTUM, ADAM))
    assert (gd[1:50, 0] * gd[:49, 0] < 0.0).all()
    assert (gd[:, 1] > 0.0).all()
    assert momentum[:, 1].min() < -1.0
    assert abs(adam[1, 0] - adam[0, 0]) == pytest.approx(abs(adam[1, 1] - adam[0, 1]), rel=1e-6)


@holds("takes a few dozen steps; following its almost flat floor to (1, 1) takes hundreds")
def on_rosenbrock() -> None:
    for run in race(SURFACES["rosenbrock"]):
        x, y = run.positions.T
        assert np.abs(y - x * x)[:48].min() < 0.1
        assert np.hypot(x - 1.0, y - 1.0).min() > 1.0


@holds("drawn close to the saddle and lingers there before it slides off; Adam turns away early")
def on_the_saddle() -> None:
    plain, scaled = parted(SURFACES["saddle"])
    for run in plain:
        away = np.linalg.norm(run.positions, axis=1)
        assert away.min() < 0.3
        assert (away < 1.0).sum() > 20
        assert away[-1] > 100.0
    assert all(np.linalg.norm(run.positions, axis=1).min() > 2.0 for run in scaled)


@holds("From beside the saddle the loss falls quickly, then slowly along an almost flat valley")
def on_beale() -> None:
    surface = SURFACES["beale"]
    assert min(math.dist(surface.start, p) for p in surface.saddles) < 0.4
    for run in race(surface):
        fall = run.losses[0] - run.losses
        assert fall[100] > 0.95 * run.losses[0]
        assert fall[300] - fall[100] < 0.04 * run.losses[0]


@holds("Four equal minima", "methods that rescale the gradient go to another one than the rest")
def on_himmelblau() -> None:
    surface = SURFACES["himmelblau"]
    assert max(surface.loss(*p) for p in surface.minima) < 1e-25
    assert len(surface.minima) == 4
    plain, scaled = ({nearest(run) for run in runs} for runs in parted(surface))
    assert len(plain) == len(scaled) == 1
    assert plain != scaled


@holds("only heavy-ball momentum leaves the first basin, and even it misses the lowest", "Four min")
def on_styblinski_tang() -> None:
    surface = SURFACES["styblinski_tang"]
    heights = sorted(surface.loss(*p) for p in surface.minima)
    assert len(heights) == 4
    assert heights[0] < heights[1] - 1.0
    downhill = nearest(simulate(surface, GD, steps=3000, lr=1e-4))
    for run in race(surface):
        assert (nearest(run) == downhill) == (run.optimizer != MOMENTUM)
        assert surface.loss(*nearest(run)) > heights[0] + 1.0


@holds("Dozens of local minima around one deep one: from one start, methods end in different ones")
def on_ackley() -> None:
    surface = SURFACES["ackley"]
    heights = sorted(surface.loss(*p) for p in surface.minima)
    assert len(heights) > 48
    assert heights[0] < heights[1] - 2.0
    assert len({nearest(run) for run in race(surface)}) >= 5


@holds("most methods are caught by one beside the start, and none finds the lowest")
def on_rastrigin() -> None:
    surface = SURFACES["rastrigin"]
    runs = race(surface)
    beside = [run for run in runs if math.dist(nearest(run), surface.start) < 0.6]
    assert len(runs) / 2 < len(beside) < len(runs)
    assert all(run.losses[-1] > 1.0 for run in runs)


@holds("the curvature across the valley divided by the curvature along it")
def condition() -> None:
    for value in (1.0, 7.0, 300.0):
        f_xx, _, f_yy = SURFACES["bowl"].with_params(condition=value).hessian(0, 0, value, 0.0)
        assert f_xx / f_yy == value


@holds("methods that scale each coordinate by itself do not turn with it, all others do")
def rotation() -> None:
    turned = SURFACES["bowl"].with_params(rotation=30.0)
    c, s = math.cos(math.radians(30.0)), math.sin(math.radians(30.0))
    turn = np.array([[c, s], [-s, c]])
    for optimizer in OPTIMIZERS.values():
        straight = usual(SURFACES["bowl"], optimizer)
        start = tuple((np.array(straight.surface.start) @ turn).tolist())
        run = simulate(turned, optimizer, start=start, steps=40, lr=straight.hypers["lr"])
        apart = np.abs(run.positions - straight.positions[:41] @ turn).max()
        assert (apart > 0.5) if optimizer.preconditioner else (apart < 1e-9)


# ---- hyperparameters: what a tooltip says of a slot must hold for every method that has it


GRADIENTS = np.array([3.0, -2.0, 0.5, 0.4, -0.1, 2.5, 0.0, 1.0])


def slots_of(optimizer: Optimizer, **given: float) -> np.ndarray:
    """The slots (T + 1, n) under fixed gradients, from the rule itself."""
    h = tuple(given.get(hyper.name, hyper.default) for hyper in optimizer.hypers)
    p, s, k = 1.0, (0.0,) * len(optimizer.slots), optimizer.clock_start
    rows = [s]
    for g in GRADIENTS:
        k = optimizer.clock(h, k)
        p, s = optimizer.rule(p, float(g), s, h, k)
        rows.append(tuple(map(float, s)))
    return np.array(rows)


def having(part: str) -> list[tuple[Optimizer, Hyper]]:
    found = [(o, h) for o in OPTIMIZERS.values() for h in o.hypers if part in h.about]
    assert found
    return found


def is_a_slot(part: str, after: Callable[[float, np.ndarray], np.ndarray]) -> None:
    """One slot of every method with this tooltip becomes after(value, slot before)."""
    for optimizer, hyper in having(part):
        for value in (0.3, 0.8):
            slots = slots_of(optimizer, eps=0.0, **{hyper.name: value})
            kept = [np.allclose(s[1:], after(value, s[:-1]), rtol=1e-12) for s in slots.T]
            assert any(kept), (optimizer.key, hyper.name)


@holds("the running average of gradients")
def averages_gradients() -> None:
    is_a_slot("average of gradients", lambda b, s: b * s + (1.0 - b) * GRADIENTS)


@holds("the running average of squared gradients")
def averages_squares() -> None:
    is_a_slot("average of squared gradients", lambda b, s: b * s + (1.0 - b) * GRADIENTS**2)


@holds("the running maximum of gradient sizes")
def keeps_the_largest() -> None:
    is_a_slot("maximum of gradient sizes", lambda b, s: np.maximum(b * s, np.abs(GRADIENTS)))


@holds("the share of the buffer that each step keeps (a sum, not an average)")
def keeps_a_buffer() -> None:
    for outside in (0.0, 1.0):
        for optimizer, hyper in having("the buffer that each step keeps"):
            given = {hyper.name: 0.8, "rate_inside": outside, "lr": 0.5}
            (m,) = slots_of(optimizer, **given).T
            np.testing.assert_allclose(
                m[1:], 0.8 * m[:-1] - (0.5 if outside else 1.0) * GRADIENTS, rtol=1e-12
            )


@holds("the share of the last step that is kept, and how far along it to look ahead")
def looks_ahead() -> None:
    for optimizer, _ in having("how far along it to look ahead"):
        run = simulate(SURFACES["rosenbrock"], optimizer, steps=30, lr=1e-4, momentum=0.8)
        step = np.diff(run.positions, axis=0)
        np.testing.assert_allclose(
            run.probes[1:], (run.positions[:-1] + 0.8 * run.slots["m"][:-1])[1:]
        )
        np.testing.assert_allclose(step[1:], 0.8 * step[:-1] - 1e-4 * run.gradients[1:], atol=1e-14)


@holds("what the look-ahead's momentum μ climbs to from about half of it")
def warms_its_momentum_up() -> None:
    for optimizer, hyper in having("momentum μ climbs to"):
        h = tuple(0.8 if x is hyper else x.default for x in optimizer.hypers)
        k, mu = optimizer.clock_start, []
        for _ in range(100_000):
            k = optimizer.clock(h, k)
            mu.append(k[1])
        assert mu[0] == pytest.approx(0.4, rel=1e-3)
        assert mu[-1] == pytest.approx(0.8, rel=1e-6)
        assert (np.diff(mu) >= 0.0).all()


def divisors(optimizer: Optimizer, eps: float, *gradients: float) -> list[float]:
    """What each step's gradient is divided by, from the rule without momentum."""
    given = {"eps": eps, "lr": 1.0, "beta1": 0.0, "beta2": 0.5, "weight_decay": 0.0}
    h = tuple(given.get(hyper.name, hyper.default) for hyper in optimizer.hypers)
    p, s, k = 0.0, (0.0,) * len(optimizer.slots), optimizer.clock_start
    found = []
    for g in gradients:
        k = optimizer.clock(h, k)
        after, s = optimizer.rule(p, g, s, h, k)
        found.append(float(-g / (after - p)))
        p = float(after)
    return found


@holds("outside the root, so that a zero gradient does not divide 0 by 0")
def epsilon_outside_the_root() -> None:
    for optimizer, _ in having("outside the root"):
        low, high = (divisors(optimizer, eps, 9.0, 0.5) for eps in (0.25, 1.0))
        np.testing.assert_allclose(np.subtract(high, low), 0.75, rtol=1e-12)
        assert_no_step(optimizer)


@holds("added to |g| inside the maximum, so that a zero gradient does not divide 0 by 0")
def epsilon_inside_the_maximum() -> None:
    for optimizer, _ in having("inside the maximum"):
        low, high = (divisors(optimizer, eps, 9.0, 0.5) for eps in (0.25, 1.0))
        # the second maximum is half of the first one, which has its ε in it
        np.testing.assert_allclose(np.subtract(high, low), [0.75, 0.375], rtol=1e-12)
        assert_no_step(optimizer)


def assert_no_step(optimizer: Optimizer) -> None:
    at = SURFACES["parabola"].minima[0]
    assert not simulate(SURFACES["parabola"], optimizer, start=at, steps=3).positions.any()
    nowhere = simulate(SURFACES["parabola"], optimizer, start=at, steps=3, eps=0.0)
    assert np.isnan(nowhere.positions[1:]).all()


@holds("Divide each average by the sum of its weights, which is below 1")
def bias_correction() -> None:
    given = {"beta1": 0.8, "lr": 1.0, "scaling": 0.0}
    h = tuple(given.get(hyper.name, hyper.default) for hyper in ADAM.hypers)
    p, k = 0.0, ADAM.clock_start
    s: Point = (0.0, 0.0)
    for step in range(1, 6):
        k = ADAM.clock(h, k)
        before = p
        p, s = ADAM.rule(p, 1.0, s, h, k)
        weights = 0.2 * 0.8 ** np.arange(step)
        assert s[0] == pytest.approx(weights.sum(), rel=1e-12)
        assert before - p == pytest.approx(1.0, rel=1e-12)


@holds("each step takes the share lr times this away from the position")
def decay() -> None:
    for optimizer, hyper in having("takes the share lr times this away"):
        given: list[dict[str, Any]] = [{hyper.name: value} for value in (0.3, 0.0)]
        run, bare = (
            simulate(SURFACES["bowl"], optimizer, steps=1, lr=0.2, **chosen) for chosen in given
        )
        np.testing.assert_allclose(
            bare.positions[1] - run.positions[1], 0.2 * 0.3 * run.positions[0], rtol=1e-12
        )


@holds("L1 penalty: adds this times", "L2 penalty: adds half of this times")
def penalties() -> None:
    surface = penalised(SURFACES["bowl"], l1=3.0, l2=0.4)
    bare = SURFACES["bowl"].loss(-1.5, 2.0)
    assert surface.loss(-1.5, 2.0) - bare == pytest.approx(3.0 * 3.5 + 0.5 * 0.4 * 6.25)


@holds("Shrink each coordinate towards 0 after the step, and stop it there")
def proximal() -> None:
    run = simulate(penalised(SURFACES["parabola"], l1=5.0), GD, steps=10, lr=0.1)
    plain = run.positions[:-1] - 0.1 * run.gradients
    np.testing.assert_allclose(np.abs(run.positions[1:]), np.maximum(np.abs(plain) - 0.5, 0.0))
    assert run.positions[-1, 0] == 0.0


# ---- schedules


def rates(schedule: Schedule, steps: int = 300, **given: Any) -> np.ndarray:
    return schedule.with_params(**given).scale(0, steps)[:, 0]


@holds("a low one is slow at first, a high one stays restless under noise")
def one_rate() -> None:
    low, high = (
        simulate(SURFACES["bowl"], GD, steps=3000, noise=3.0, lr=lr, schedule=CONSTANT).losses
        for lr in (0.002, 0.018)
    )
    assert low[30] > 3.0 * high[30]
    assert high[-999:].mean() > 3.0 * low[-999:].mean()


@holds("if r < 1, all rates together have a finite sum", "to r times what it was", "every s steps")
def exponential() -> None:
    found = rates(EXPONENTIAL, 5000, span=40.0, ratio=0.3)
    np.testing.assert_allclose(found[1:] / found[:-1], 0.3 ** (1 / 40), rtol=1e-9)
    assert found.sum() == pytest.approx(1.0 / (1.0 - 0.3 ** (1 / 40)))
    assert found[[40, 80]] == pytest.approx([0.3, 0.09])


@holds("then ever more slowly: if c ≤ 1, the rates' sum has no bound",
       "Steps after which the rate is halved, if the power is 1",
       "Robbins and Monro's proof needs more than ½ and at most 1")  # fmt: skip
def power() -> None:
    found = rates(POWER, span=50.0, power=1.0)
    assert found[50] == 0.5
    assert (np.diff(found, 2) > 0.0).all()

    def tail(exponent: float) -> float:
        """How much a hundredfold number of steps adds to a sum."""
        terms = rates(POWER, 100_000, span=1.0, power=exponent)
        return float(terms[1000:].sum() / terms[:1000].sum())

    # Σ η has no bound for c ≤ 1 and Σ η² has one for c > ½
    assert tail(1.5) < 0.03 < 0.5 < tail(1.0) < tail(0.6)
    assert tail(2.0 * 0.6) < 0.3 < 0.5 < tail(2.0 * 0.5)


@holds("Climbs to η₀ and ends far below where it began, while momentum goes the other way",
       "How many times lower than its peak the rate begins",
       "How many times lower than it began the rate ends",
       "the rate climbs, and again in which it falls",
       "What momentum is multiplied by when the rate is at its peak")  # fmt: skip
def one_cycle() -> None:
    scale = ONE_CYCLE.with_params(rise=0.4, divide=20.0, drop=50.0, dip=0.7).scale(0, 300)
    rate, momentum = scale.T
    assert (rate.max(), rate.argmax()) == (1.0, 0.4 * 300 - 1)
    assert rate[0] == pytest.approx(1 / 20)
    assert rate[-1] == pytest.approx(1 / (20 * 50))
    assert momentum[rate.argmax()] == momentum.min() == 0.7
    assert rate[2 * 120 - 2] == pytest.approx(rate[0])
    turns = np.sign(np.diff(rate[:239])) == -np.sign(np.diff(momentum[:239]))
    assert turns.all()


@holds(
    "Falls along half a wave and jumps back up", "to the first restart", "How many times as long"
)
def cosine() -> None:
    found = rates(SCHEDULES["cosine"], period=40, growth=2, floor=0.1)
    assert (np.diff(found[:40]) < 0.0).all()
    assert found[[0, 20]] == pytest.approx([1.0, 0.55])
    assert np.flatnonzero(found == 1.0).tolist() == [0, 40, 120, 280]


@holds("Go in straight lines, as the paper does, and not along half waves")
def straight() -> None:
    line, wave = (rates(ONE_CYCLE, rise=0.5, linear=value)[:150] for value in (1.0, 0.0))
    share = np.arange(150) / 149
    np.testing.assert_allclose(line, 0.04 + 0.96 * share, rtol=1e-12)
    np.testing.assert_allclose(wave, 0.52 - 0.48 * np.cos(np.pi * share), rtol=1e-12)


@holds("which is left out if this is not above t₁", "The first step after the first rate")
def piecewise() -> None:
    plan = SCHEDULES["piecewise"]
    given: dict[str, Any] = {"middle": 0.5, "last": 0.2}
    found = rates(plan, first=10, second=30, **given)
    assert found[[9, 10, 29, 30]].tolist() == [1.0, 0.5, 0.5, 0.2]
    for second in (10, 4):
        assert set(rates(plan, first=10, second=second, **given).tolist()) == {1.0, 0.2}


@holds("0 is the length of the run")
def total() -> None:
    for steps in (40, 90):
        np.testing.assert_array_equal(rates(ONE_CYCLE, steps), rates(ONE_CYCLE, steps, total=steps))


# ---- conventions; what other libraries do is in the golden paths and in `make parity`


@holds("stores φ = θ + βm instead: its path is our probes while η and β are constant")
def nesterovs_probes() -> None:
    apart = []
    for plan in (CONSTANT, EXPONENTIAL):
        run = simulate(
            SURFACES["rosenbrock"], OPTIMIZERS["nesterov"], steps=40, lr=1e-4, schedule=plan
        )
        phi, buffer = np.array(run.surface.start), np.zeros(2)
        path = []
        for rate in run.rates.tolist():
            path.append(phi)
            slope = np.array(run.surface.gradient(*phi.tolist()))
            buffer = 0.9 * buffer + slope
            phi = phi - rate * (slope + 0.9 * buffer)
        apart.append(float(np.abs(run.probes - path).max()))
    assert apart[0] < 1e-12 < 1e-3 < apart[1]


@holds("ε outside the root, no bias correction, ρ = 0.99 by default")
def rmsprop() -> None:
    h = {hyper.name: hyper.default for hyper in OPTIMIZERS["rmsprop"].hypers}
    first = lengths(simulate(SURFACES["parabola"], OPTIMIZERS["rmsprop"], steps=1))[0]
    assert first == pytest.approx(h["lr"] / math.sqrt(1.0 - 0.99))
    assert h["rho"] == 0.99


@holds("Where the best loss is negative, 1 − τ times it is higher, and any loss below that is")
def progress_of_negative_losses() -> None:
    plan = SCHEDULES["performance"].with_params(patience=0, threshold=0.1, factor=0.5)
    for loss, factor in ((-9.5, 1.0), (-9.0, 0.5), (-10.5, 1.0)):
        assert plan.react(loss, plan.knobs, (1.0, -10.0, 0.0, 0.0))[0] == factor


@holds("at a restart the rate is η₀ again, so r_min η₀ itself is never reached")
def restarts() -> None:
    found = rates(SCHEDULES["cosine"], period=20, growth=1, floor=0.2)
    assert found.min() > 0.2 + 1e-3
    assert (found[::20] == 1.0).all()


# ---- the README's numbers


@holds("the best of the same 181 trial rates", "end within 10 times its best loss",
       "up to 15 billion steps in all", "a run visits after 500 steps")  # fmt: skip
def numbers_of_the_readme() -> None:
    assert (len(RATES), WITHIN, LARGEST, SETTLING) == (181, 10.0, 15e9, 500)


@holds("gradient descent overflows at step 7, momentum, RMSProp and Adam follow the valley")
def race_of_the_readme() -> None:
    (query,) = re.findall(r"`/\?(surface=rosenbrock&opt=[^`]*)`", README)
    for run in [lane.run for lane in lanes(state_of(query))]:
        assert (run.outcome.step == 7) == (run.optimizer == GD)
        assert (run.outcome.kind == "diverged") == (run.optimizer == GD)


@pytest.mark.parametrize("check", dict.fromkeys(CHECKS.values()), ids=lambda c: c.__name__)
def test_what_is_said_is_so(check: Callable[[], None]) -> None:
    check()
