"""The divergence report of scheduled runs: closed forms, hand-written loops, and random runs."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES, Relay, Run, simulate, theory
from optim_core.divergence import STEADY, Report, report
from optim_core.spec import Factors, Point, Schedule
from surfaces import SURFACES
from tests.test_divergence import check
from tests.test_properties import SEARCH, runs
from tests.test_schedules import lively, value_of

PARABOLA, BOWL = SURFACES["parabola"], SURFACES["bowl"]
GD, MOMENTUM, ADAMW, RMSPROP = (OPTIMIZERS[k] for k in ("gd", "momentum", "adamw", "rmsprop"))
NUMBER = r"-?\d[\d.]*(?:e[+-]\d+)?(?<!\.)"


def growing(t: np.ndarray, total: float, h: Point) -> Factors:
    return 1.05**t, np.ones(len(t))


def jumping(t: np.ndarray, total: float, h: Point) -> Factors:
    return np.where(t < 1.0, 1e-307, 1000.0), np.ones(len(t))


LOOK = SCHEDULES["constant"].look
GROWING = Schedule("growing", "Growing", (), "", "", "", "", LOOK, factors=growing)
LIVELY = [lively(key) for key in SCHEDULES] + [
    SCHEDULES["constant"].with_params(warmup=15),
    SCHEDULES["piecewise"].with_params(first=9, second=20, middle=10.0, last=100.0),
    GROWING,
]


def blown_up(run: Run) -> Report:
    found = report(run)
    assert found is not None
    check(run, found)
    told(run, found)
    return found


def near(text: str, value: float) -> bool:
    """Whether a number in a sentence is one of the run, to the three digits that are shown."""
    return math.isclose(float(text), value, rel_tol=5.1e-3) or value > 1.79e308


def told(run: Run, found: Report) -> None:
    """What a sentence says of a schedule is true of the run's own rates."""
    sentence, rates = found.sentence, run.rates
    assert ("schedule" in sentence) <= theory.moved(run)
    if theory.moved(run):
        assert "you have" not in sentence
    for step, rate in re.findall(rf"rate at step (\d+) is ({NUMBER})", sentence):
        assert near(rate, rates[int(step)]), sentence
    for rate, step in re.findall(rf"η = ({NUMBER}), the schedule's rate at step (\d+)", sentence):
        assert near(rate, rates[int(step)]), sentence
    for factor, step, rate, product in re.findall(
        rf"position by ({NUMBER}) at step (\d+), .* there, ({NUMBER}), times .* is ({NUMBER}),",
        sentence,
    ):
        assert near(rate, rates[int(step)]), sentence
        assert near(product, rates[int(step)] * run.hypers["weight_decay"]), sentence
        assert math.isclose(float(factor), 1.0 - float(product), rel_tol=1e-2), sentence
    for name, value in re.findall(rf" with (momentum|beta1) ({NUMBER})", sentence):
        assert found.at_step is not None
        step = min(found.at_step, len(rates) - 1)
        assert near(value, run.hypers_by_step[name][step]), sentence
    if "η·λ" in sentence:
        product, edge, bound = re.findall(
            rf"η·λ(?: = ({NUMBER}))? is beyond ({NUMBER}), .* \(limit ({NUMBER})", sentence
        )[0]
        assert found.at_step is not None
        assert found.curvature is not None
        assert found.limit is not None
        h = run.hypers_at(min(found.at_step, len(rates) - 1))
        with np.errstate(over="ignore"):
            size = np.float64(h[0]) * found.curvature
        assert near(product, size) if product else size == np.inf, sentence
        assert near(edge, found.limit * found.curvature), sentence
        assert near(bound, found.limit), sentence
    if found.limit is not None:
        assert found.at_step is not None
        assert found.curvature is not None
        assert run.optimizer.limit is not None
        h = run.hypers_at(min(found.at_step, len(rates) - 1))
        assert found.limit == run.optimizer.limit(found.curvature, h)
    if found.growth_step is None or found.pattern is None:
        return
    # the step after the last finite loss, which grows as its square, may be finite as well
    end = min(int(np.isfinite(run.positions).all(axis=1).sum()) - 1, theory.last_finite(run) + 1)
    if found.pattern == "faster":
        steps = np.diff(run.positions[: end + 1], axis=0)[found.growth_step :] @ found.direction
        assert (np.diff(np.log(np.abs(steps[1:])) - np.log(np.abs(steps[:-1]))) > 5e-13).all()
    moving = {
        name: values[found.growth_step : end]
        for name, values in run.hypers_by_step.items()
        if np.ptp(values[found.growth_step : end]) > STEADY * values[found.growth_step : end].max()
    }
    assert ("while the schedule moved" in sentence) is bool(moving), sentence
    for name, values in moving.items():
        what = "the rate" if name == "lr" else name
        words = re.findall(rf"{what} (from|between) ({NUMBER}) (?:to|and) ({NUMBER})", sentence)
        assert len(words) == 1, sentence
        ((kind, first, last),) = words
        ends = (values[0], values[-1]) if kind == "from" else (values.min(), values.max())
        assert near(first, ends[0]), sentence
        assert near(last, ends[1]), sentence
        one_way = (np.diff(values) >= 0.0).all() or (np.diff(values) <= 0.0).all()
        assert one_way is np.bool_(kind == "from")


def product(run: Run, curvature: float) -> np.ndarray:
    """p_t / p_0 of gradient descent on λ p² / 2: the product of 1 − η_i λ."""
    with np.errstate(over="ignore"):
        return np.cumprod([1.0, *(1.0 - curvature * run.rates)])


# --- Closed forms ---------------------------------------------------------------------------


def test_a_growing_rate_crosses_the_limit_in_mid_run() -> None:
    """On p² the limit is 1, and 0.55 · 1.05ᵗ is beyond it from t = 13 on."""
    run = simulate(PARABOLA, GD, start=(10.0,), lr=0.55, steps=110, schedule=GROWING)
    np.testing.assert_allclose(run.positions[:, 0], 10.0 * product(run, 2.0), rtol=1e-12)
    first = 13
    assert 0.55 * 1.05 ** (first - 1) < 1.0 < 0.55 * 1.05**first
    found = blown_up(run)
    assert (found.rise_step, found.at_step, found.limit) == (first, first, 1.0)
    assert found.expected == pytest.approx(2.0 * run.rates[first] - 1.0)
    assert found.pattern == "faster"
    # a step is −2 η p, so that it is (η' / η)(1 − 2 η) times as long as the one before
    ratios = 1.05 * (2.0 * run.rates[:-1] - 1.0)
    assert found.growth_step is not None
    assert found.first_growth == pytest.approx(ratios[found.growth_step])
    assert found.growth == pytest.approx(ratios[-1])
    assert f"(limit 1; the schedule's rate at step {first} is {run.rates[first]:.3g})" in (
        found.sentence
    )


def test_the_sentence_of_a_growing_rate() -> None:
    run = simulate(PARABOLA, GD, start=(10.0,), lr=0.9, steps=40, schedule=GROWING)
    assert blown_up(run).sentence == (
        "From step 3 on its steps grew ever faster: ×1.14 at first, ×11 at the end, while the "
        "schedule moved the rate from 1.04 to 6.03. The curvature at -7.01, where it was at step "
        "3, is 2, so η·λ = 2.08 is beyond 2, where GD stops working (limit 1; the schedule's rate "
        "at step 3 is 1.04). At step 40 its loss is 6.58e+44."
    )


@pytest.mark.parametrize("lr", [0.0205, 0.022, 0.05])
def test_after_a_warm_up_from_below_the_factor_is_theorys(lr: float) -> None:
    schedule = SCHEDULES["constant"].with_params(warmup=10)
    run = simulate(BOWL, GD, lr=lr, steps=1000, schedule=schedule)
    steep = 1.5 * product(run, 100.0)[:100]
    np.testing.assert_allclose(run.positions[:100, 0], steep, rtol=1e-9)
    found = blown_up(run)
    assert found.pattern == "steady"
    assert found.growth == pytest.approx(100.0 * lr - 1.0, rel=1e-9)
    assert found.expected == pytest.approx(100.0 * lr - 1.0, rel=1e-9)
    assert "as theory says" in found.sentence
    assert found.growth_step is not None
    assert found.growth_step >= 9
    # the row at fault is the first from the rise on whose own rate is beyond
    assert found.at_step == max(found.rise_step or 0, int((run.rates > 0.02).argmax()))


@pytest.mark.parametrize("factor", [5.0, 10.0, 100.0])
def test_a_jump_beyond_the_limit_is_found_at_its_step(factor: float) -> None:
    schedule = SCHEDULES["piecewise"].with_params(first=30, second=1000, middle=factor)
    run = simulate(PARABOLA, GD, start=(10.0,), lr=0.3, steps=150, schedule=schedule)
    np.testing.assert_allclose(run.positions[:, 0], 10.0 * product(run, 2.0), rtol=1e-12)
    found = blown_up(run)
    assert (found.rise_step, found.at_step, found.growth_step) == (30, 30, 30)
    assert found.growth == pytest.approx(0.6 * factor - 1.0, rel=1e-9)
    assert f"rate at step 30 is {0.3 * factor:.3g})" in found.sentence
    assert "as theory says" in found.sentence


def test_a_peak_beyond_the_limit_is_recovered_from() -> None:
    """1cycle up to 1.3 on p², where the limit is 1: the error grows for some steps and vanishes."""
    run = simulate(PARABOLA, GD, start=(10.0,), lr=1.3, steps=200, schedule=SCHEDULES["one_cycle"])
    np.testing.assert_allclose(run.positions[:, 0], 10.0 * product(run, 2.0), rtol=1e-9, atol=0)
    beyond = np.flatnonzero(run.rates > 1.0)
    grew = np.flatnonzero(run.losses[1:] > run.losses[:-1])
    np.testing.assert_array_equal(grew, beyond)
    assert run.outcome.kind == "minimum"
    assert report(run) is None


def test_a_cycle_that_moves_momentum_is_compared_with_its_own_limit() -> None:
    schedule = SCHEDULES["one_cycle"].with_params(dip=0.2, rise=0.5, total=60)
    run = simulate(BOWL, MOMENTUM, lr=0.2, steps=40, schedule=schedule)
    found = blown_up(run)
    assert found.at_step is not None
    momentum = run.hypers_by_step["momentum"][found.at_step]
    assert momentum < 0.89
    assert found.limit == pytest.approx(2.0 * (1.0 + momentum) / 100.0, rel=1e-12)
    assert f" with momentum {momentum:.3g}; the schedule's rate at step {found.at_step} is" in (
        found.sentence
    )
    assert re.search(
        r"moved the rate (from|between) .* and momentum (from|between) ", found.sentence
    )


def test_the_factor_of_momentum_is_that_of_its_own_row() -> None:
    """While both move the factor is the largest root of z² − (1 + β − η λ) z + β at that row."""
    schedule = SCHEDULES["one_cycle"].with_params(dip=0.3, total=60)
    run = simulate(BOWL, MOMENTUM, lr=0.3, steps=30, schedule=schedule)
    found = blown_up(run)
    assert found.at_step is not None
    lr, beta, _ = run.hypers_at(found.at_step)
    largest = np.abs(np.roots([1.0, -(1.0 + beta - 100.0 * lr), beta])).max()
    assert found.expected == pytest.approx(largest, rel=1e-9)


# --- Methods that divide --------------------------------------------------------------------


@pytest.mark.parametrize("surface", ["parabola", "bowl", "rosenbrock"])
def test_a_decay_beyond_2_is_found_at_its_step(surface: str) -> None:
    schedule = SCHEDULES["piecewise"].with_params(first=20, second=1000, middle=50.0)
    run = simulate(
        SURFACES[surface], ADAMW, lr=10.0, weight_decay=0.01, steps=100, schedule=schedule
    )
    found = blown_up(run)
    assert found.expected == pytest.approx(4.0)
    where = re.search(r"decay alone multiplies the position by -4 at step (\d+)", found.sentence)
    assert where is not None
    assert int(where[1]) >= 20
    assert found.growth == pytest.approx(4.0, rel=1e-2)


def test_a_decay_under_a_falling_rate_is_found_row_by_row() -> None:
    schedule = SCHEDULES["cosine"].with_params(period=13, growth=2, warmup=8)
    found = blown_up(simulate(BOWL, ADAMW, lr=700.0, steps=60, schedule=schedule))
    # η w = 7 (0.1 + 0.9 t / 8) is 2 at t = 1.65
    assert "position by -1.27 at step 2, whatever the gradient" in found.sentence
    assert found.expected == pytest.approx(7.0 * 0.325 - 1.0)
    assert "theory" not in found.sentence


def test_a_scale_that_is_all_epsilon_has_its_own_steps_limit() -> None:
    # P = ε, so that RMSProp is gradient descent with η/ε, which is 0.55 · 1.05ᵗ
    run = simulate(
        PARABOLA, RMSPROP, start=(10.0,), lr=0.55e200, eps=1e200, steps=110, schedule=GROWING
    )
    found = blown_up(run)
    assert (found.rise_step, found.at_step) == (13, 13)
    assert found.limit == pytest.approx(1e200)
    assert "the limit is 1e+200, and the schedule's rate at step 13 is 1.04e+200" in found.sentence


def test_a_long_step_has_the_rate_of_that_step() -> None:
    run = simulate(
        SURFACES["rosenbrock"], OPTIMIZERS["adam"], lr=1e158, steps=30,
        schedule=SCHEDULES["constant"].with_params(warmup=5),
    )  # fmt: skip
    assert re.search(r"η = 1e\+157, the schedule's rate at step 0", blown_up(run).sentence)


def test_numbers_beyond_the_floats_are_left_out() -> None:
    rosenbrock = SURFACES["rosenbrock"]
    steep = blown_up(simulate(rosenbrock, GD, lr=1e306, steps=5, schedule=lively("power")))
    assert "so η·λ is beyond 2, where GD" in steep.sentence
    # the second step is 1e310 times as long as the first
    jump = replace(GROWING, factors=jumping)
    found = blown_up(simulate(PARABOLA, GD, start=(10.0,), lr=1e300, steps=5, schedule=jump))
    assert found.growth is None


# --- Going on -------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [GD, MOMENTUM, ADAMW], ids=lambda o: str(o.key))
def test_the_last_part_of_a_relay_is_told_in_its_own_steps(optimizer: Any) -> None:
    lr = {"gd": 0.018, "momentum": 0.03, "adamw": 20.0}[optimizer.key]
    schedule = SCHEDULES["piecewise"].with_params(first=30, second=1000, middle=20.0)
    chosen: dict[str, Any] = {"lr": lr, "schedule": schedule}
    whole = simulate(BOWL, optimizer, steps=90, **chosen)
    one = simulate(BOWL, optimizer, steps=12, **chosen)
    two = simulate(BOWL, optimizer, steps=78, after=one, **chosen)
    all_of_it, part = blown_up(whole), blown_up(Relay((one, two)).runs[-1])
    assert part.growth == pytest.approx(all_of_it.growth)
    assert part.limit == pytest.approx(all_of_it.limit)
    assert part.curvature == pytest.approx(all_of_it.curvature)
    assert part.at_step is not None
    assert all_of_it.at_step == part.at_step + 12
    assert part.at == all_of_it.at
    np.testing.assert_array_equal(theory.preconditioner(two, 40), theory.preconditioner(whole, 52))


# --- Whatever is asked ----------------------------------------------------------------------


@pytest.mark.parametrize("surface", ["bowl", "rosenbrock", "double_well"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
@pytest.mark.parametrize(
    "schedule",
    [SCHEDULES["constant"], SCHEDULES["piecewise"].with_params(first=400, second=400)],
    ids=["constant", "piecewise"],
)
def test_a_schedule_that_moves_nothing_changes_no_character(
    schedule: Schedule, optimizer: Any, surface: str
) -> None:
    place = SURFACES[surface]
    telling = optimizer.factor * float(getattr(place.pace, optimizer.pace))
    for share in (8.0, 1e4, 1e60):
        chosen: dict[str, Any] = {"lr": share * telling, "steps": 90}
        run = simulate(place, optimizer, schedule=schedule, **chosen)
        plain = simulate(place, optimizer, **chosen)
        assert report(run) == report(plain)
        for limit in (theory.limit(place, optimizer, r.hypers, r) for r in (run, plain)):
            assert limit == theory.limit(place, optimizer, plain.hypers, plain)
            assert "schedule" not in limit.text


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
@pytest.mark.parametrize("schedule", LIVELY, ids=lambda s: str(s.key))
def test_every_schedule_and_optimizer_at_huge_rates(schedule: Schedule, optimizer: Any) -> None:
    seen = 0
    for place in SURFACES.values():
        telling = optimizer.factor * float(getattr(place.pace, optimizer.pace))
        for share in (1.5, 60.0, 1e4, 1e60, 1e180):
            run = simulate(place, optimizer, lr=share * telling, steps=60, schedule=schedule)
            found = report(run)
            assert (found is None) == (run.outcome.kind != "diverged")
            if found is not None:
                seen += 1
                check(run, found)
                told(run, found)
    assert seen > 0


@st.composite
def scheduled(draw: st.DrawFn) -> Run:
    plain = draw(runs())
    chosen: dict[str, Any] = dict(plain.hypers)
    schedule = draw(st.sampled_from(LIVELY))
    if draw(st.booleans()):
        schedule = schedule.with_params(**{h.name: draw(value_of(h)) for h in schedule.settings})
    return simulate(
        plain.surface,
        plain.optimizer,
        start=plain.positions[0].tolist(),
        steps=len(plain.gradients),
        noise=draw(st.sampled_from([0.0, 0.0, 0.1, 1e200])),
        schedule=schedule,
        **chosen,
    )


@settings(SEARCH, max_examples=300)
@given(scheduled())
def test_every_scheduled_report_is_true(run: Run) -> None:
    limit = theory.limit(run.surface, run.optimizer, run.hypers, run)
    assert not re.search(r"\b(nan|inf|None|array|float64)\b", limit.text), limit.text
    found = report(run)
    assert (found is None) == (run.outcome.kind != "diverged")
    assume(found is not None)
    assert found is not None
    check(run, found)
    told(run, found)
