"""Limits, four rates and tuning under a schedule: closed forms, plain loops, and single runs."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES, Run, simulate, theory
from optim_core.spec import Optimizer, Schedule
from optim_core.tuning import RATES, tune
from surfaces import SURFACES
from tests.test_schedules import lively, lr_of
from tests.test_theory import BOWL, CLOSED, LABELS, LINEAR, SCALED, ids

PARABOLA, ROSENBROCK, GD = SURFACES["parabola"], SURFACES["rosenbrock"], OPTIMIZERS["gd"]
MOVING = [lively(key) for key in SCHEDULES if key != "constant"] + [
    SCHEDULES["constant"].with_params(warmup=20),
    SCHEDULES["piecewise"].with_params(first=20, second=40, middle=3.0, last=1.0),
]
EVERY_SCHEDULE = pytest.mark.parametrize("schedule", MOVING, ids=lambda s: str(s.key))
STILL = [SCHEDULES["constant"], SCHEDULES["piecewise"].with_params(first=900, second=900)]


# --- Where a schedule's rate is beyond the limit --------------------------------------------


def beyond(run: Run, curvature: float) -> tuple[list[int], list[float]]:
    """The steps whose rate is beyond the limit that goes with their momentum, and the limits."""
    still = run.hypers.get("momentum", 0.0)
    limits = [
        CLOSED[run.optimizer.key](curvature, float(beta))
        for beta in run.hypers_by_step.get("momentum", np.full(len(run.rates), still))
    ]
    pairs = enumerate(zip(run.rates.tolist(), limits, strict=True))
    return [t for t, (rate, edge) in pairs if rate > edge], limits


def words(steps: list[int]) -> str:
    first, last = steps[0], steps[-1]
    if first == last:
        return f" at step {first}."
    if steps == list(range(first, last + 1)):
        return f" from step {first} to {last}."
    return f" at {len(steps)} of the steps {first} to {last}."


@EVERY_SCHEDULE
@pytest.mark.parametrize("share", [0.2, 0.97, 1.05, 3.0, 40.0])
@pytest.mark.parametrize("optimizer", LINEAR, ids=ids)
def test_the_steps_beyond_the_limit_are_told(
    optimizer: Optimizer, share: float, schedule: Schedule
) -> None:
    edge = CLOSED[optimizer.key](100.0, 0.9)
    run = simulate(BOWL, optimizer, steps=70, lr=share * edge, schedule=schedule)
    found = theory.limit(BOWL, optimizer, run.hypers, run)
    alone = theory.limit(BOWL, optimizer, run.hypers)
    assert (found.lr, found.curvature, found.at) == (alone.lr, alone.curvature, alone.at)
    steps, limits = beyond(run, 100.0)
    if not steps:
        assert found.text == alone.text
        return
    said = found.text.removeprefix(alone.text)
    assert said.startswith(" The schedule")
    assert said.endswith(words(steps))
    ends = re.findall(r"the limit, between ([\d.e-]+) and ([\d.e-]+):", said)
    assert bool(ends) is (min(limits) < max(limits))
    for low, high in ends:
        assert float(low) == pytest.approx(min(limits), rel=5e-3)
        assert float(high) == pytest.approx(max(limits), rel=5e-3)


def test_the_sentences_of_limits_under_a_schedule() -> None:
    still = "2/L = 1, where L = 2 is the largest curvature at the minimum 0."

    def text(lr: float, key: str, **chosen: Any) -> str:
        schedule = SCHEDULES[key].with_params(**chosen)
        run = simulate(PARABOLA, GD, lr=lr, steps=60, schedule=schedule)
        return theory.limit(PARABOLA, GD, {}, run).text

    # 1.5 · 0.1^(t / 100) is 1 at t = 17.6
    assert (
        text(1.5, "exponential") == f"{still} The schedule's rate is beyond it from step 0 to 17."
    )
    # 1.02 · 0.1^(1 / 100) is 0.997
    assert text(1.02, "exponential") == f"{still} The schedule's rate is beyond it at step 0."
    assert text(0.9, "exponential") == still
    # (1 + cos(π t / 25)) / 2 > 1/1.1 for t ≤ 4, and for the same steps from the restarts on
    assert text(1.1, "cosine", period=25) == (
        f"{still} The schedule's rate is beyond it at 15 of the steps 0 to 54."
    )


def test_a_moving_momentum_moves_the_limit() -> None:
    schedule = SCHEDULES["one_cycle"].with_params(rise=0.4, linear=True, dip=0.5)
    run = simulate(BOWL, OPTIMIZERS["momentum"], lr=0.035, steps=100, schedule=schedule)
    found = theory.limit(BOWL, OPTIMIZERS["momentum"], run.hypers, run)
    # η = 0.035 (1/25 + 24/25 t / 39) and β = 0.9 (1 − t / 78); 2 (1 + β) / 100 = η at t = 33.6
    assert (found.lr or 0.0) > 0.035, "never beyond the limit without the schedule's momentum"
    assert found.text.endswith(
        " The schedule moves momentum too, and with it the limit, between 0.029 and 0.038: its "
        "rate is beyond that of the same step from step 34 to 44."
    )


@pytest.mark.parametrize("optimizer", SCALED, ids=ids)
def test_a_preconditioned_limit_is_of_its_own_step(optimizer: Optimizer) -> None:
    """Half-way through 1cycle, momentum is at its lowest."""
    schedule = SCHEDULES["one_cycle"].with_params(total=100, rise=0.4, dip=0.5)
    run = simulate(ROSENBROCK, optimizer, lr=1e-3, steps=40, schedule=schedule)
    found = theory.limit(ROSENBROCK, optimizer, run.hypers, run)
    assert found.curvature is not None
    assert found.lr == pytest.approx(CLOSED[optimizer.key](found.curvature, 0.45), rel=1e-12)
    assert (" with beta1 0.45, where" in found.text) is (optimizer.row("momentum") >= 0)
    still = simulate(ROSENBROCK, optimizer, lr=1e-3, steps=40)
    assert " with " not in theory.limit(ROSENBROCK, optimizer, still.hypers, still).text


@EVERY_SCHEDULE
@pytest.mark.parametrize("optimizer", SCALED, ids=ids)
def test_a_preconditioned_limit_is_compared_with_its_own_steps_rate(
    optimizer: Optimizer, schedule: Schedule
) -> None:
    for share in (0.03, 1.0, 30.0):
        lr = lr_of(BOWL, optimizer, share)
        run = simulate(BOWL, optimizer, lr=lr, steps=55, schedule=schedule)
        found = theory.limit(BOWL, optimizer, run.hypers, run)
        rate = float(run.rates[theory.last_finite(run) - 1])
        if not theory.moved(run):
            assert "schedule" not in found.text
            continue
        assert ("schedule" in found.text) is (found.lr is not None and rate > found.lr)
        for shown in re.findall(r" The schedule's rate in that step, (.*), is beyond", found.text):
            assert float(shown) == pytest.approx(rate, rel=5e-3)


# --- Four rates -----------------------------------------------------------------------------


def rates_of(key: str, optimizer: Optimizer, schedule: Schedule | None) -> tuple[theory.Rate, ...]:
    surface = SURFACES[key]
    edge = theory.limit(surface, optimizer, {}).lr
    return theory.four_rates(
        surface, optimizer, {}, start=surface.start, steps=150, limit=edge, schedule=schedule
    )


@EVERY_SCHEDULE
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=ids)
def test_the_four_rates_are_what_they_are_called_under_the_schedule(
    optimizer: Optimizer, schedule: Schedule
) -> None:
    # Of every pair one surface, and with every method and every schedule all three.
    place = list(OPTIMIZERS).index(optimizer.key) + MOVING.index(schedule)
    key = ("bowl", "rosenbrock", "himmelblau")[place % 3]
    surface = SURFACES[key]
    rates = rates_of(key, optimizer, schedule)
    assert [r.label for r in rates] == LABELS
    lrs = [r.lr for r in rates]
    assert lrs == sorted(set(lrs))
    runs = [simulate(surface, optimizer, lr=lr, steps=150, schedule=schedule) for lr in lrs]
    late = [float(np.nan_to_num(r.losses[-15:], nan=np.inf).max()) for r in runs]
    peak = [float(np.nan_to_num(r.losses, nan=np.inf).max()) for r in runs]
    first, drop = runs[0].losses[0], runs[0].losses[0] - late[1]
    low, high = np.array(surface.domain).T
    away = [bool((np.abs(r.positions - (low + high) / 2.0) > high - low).any()) for r in runs]
    assert drop > 0.0
    assert late[0] >= late[1] + 0.49 * drop
    assert runs[0].outcome.kind != "minimum"
    assert not away[1]
    assert late[2] >= late[1] - 1e-6 * drop
    assert (runs[2].outcome.kind != "minimum" and late[2] >= late[1] + 0.019 * drop) or away[2]
    assert late[3] >= late[1] - 1e-6 * drop
    assert late[3] >= first or peak[3] >= late[1] + 9.9 * drop


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=ids)
def test_a_schedule_that_moves_nothing_leaves_the_four_rates(optimizer: Optimizer) -> None:
    for schedule in STILL:
        assert rates_of("bowl", optimizer, schedule) == rates_of("bowl", optimizer, None)


def test_a_good_rate_under_a_falling_schedule_is_beyond_the_limit() -> None:
    """On p² the limit is 1. A run ends at 10 Π (1 − 2 η_t), with η_t = η₀ / (1 + t / 0.7)."""
    schedule = SCHEDULES["power"].with_params(span=0.7, power=1.0)
    found = theory.four_rates(
        PARABOLA, GD, {}, start=(10.0,), steps=60, limit=1.0, schedule=schedule
    )
    good = found[1].lr
    assert good > 1.0
    assert abs(np.prod(1.0 - 2.0 * good / (1.0 + np.arange(60) / 0.7))) < 2e-4
    without = theory.four_rates(PARABOLA, GD, {}, start=(10.0,), steps=60, limit=1.0)
    assert without[1].lr < 1.0


# --- Tuning ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("surface", "key"), [("bowl", "adam"), ("rosenbrock", "momentum")])
@EVERY_SCHEDULE
def test_tuning_is_what_single_runs_show(surface: str, key: str, schedule: Schedule) -> None:
    shape, method = SURFACES[surface], OPTIMIZERS[key]
    found = tune(shape, method, start=shape.start, steps=50, schedule=schedule)
    runs = [simulate(shape, method, steps=50, lr=lr, schedule=schedule) for lr in RATES]
    least = min(float(shape.value(*p, *shape.args)) for p in shape.minima)
    excess = np.array([run.losses[-1] for run in runs]) - least
    np.testing.assert_array_equal(found.excess, excess)
    diverged = np.array([run.outcome.kind == "diverged" for run in runs])
    fair = np.where(diverged | ~np.isfinite(excess), np.inf, excess)
    assert found.lr == RATES[fair.argmin()]
    np.testing.assert_array_equal(found.works, fair <= 10.0 * fair.min())


@pytest.mark.parametrize("schedule", [None, *STILL], ids=lambda s: str(s and s.key))
def test_tuning_with_a_schedule_that_moves_nothing(schedule: Schedule | None) -> None:
    chosen: dict[str, Any] = {"start": (1.0, 2.0), "steps": 40, "noise": 0.1, "seed": 3}
    found = tune(BOWL, GD, schedule=schedule, **chosen)
    np.testing.assert_array_equal(found.excess, tune(BOWL, GD, **chosen).excess)


def test_tuned_rates_under_a_falling_schedule_are_the_closed_forms() -> None:
    """On p² from 10 gradient descent leaves 10 Π (1 − 2 η_t); the limit of a constant rate is 1."""
    schedule = SCHEDULES["power"].with_params(span=2.0, power=2.0)
    found = tune(PARABOLA, GD, start=(10.0,), steps=40, schedule=schedule)
    factors = (1.0 + np.arange(40) / 2.0) ** -2
    left = 10.0 * np.prod(1.0 - 2.0 * RATES[:, None] * factors, axis=1)
    np.testing.assert_allclose(found.excess, left**2, rtol=1e-9)
    assert found.lr == RATES[(left**2).argmin()]
    np.testing.assert_array_equal(found.works, left**2 <= 10.0 * (left**2).min())
    assert found.works[RATES > 1.0].any()


# --- Whatever is asked ----------------------------------------------------------------------


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    schedule=st.sampled_from(MOVING),
    optimizer=st.sampled_from(list(OPTIMIZERS.values())),
    surface=st.sampled_from(list(SURFACES.values())),
    steps=st.integers(1, 60),
)
def test_four_rates_are_found_or_not_under_every_schedule(
    schedule: Schedule, optimizer: Optimizer, surface: Any, steps: int
) -> None:
    rates = theory.four_rates(
        surface, optimizer, {}, start=surface.start, steps=steps,
        limit=theory.limit(surface, optimizer, {}).lr, schedule=schedule,
    )  # fmt: skip
    assert [r.label for r in rates] in ([], LABELS)
    assert all(math.isfinite(r.lr) for r in rates)
    assert [r.lr for r in rates] == sorted({r.lr for r in rates})


def test_what_is_no_schedule_is_refused() -> None:
    wrong: Any = "cosine"
    with pytest.raises(ValueError, match=r"schedule must be a Schedule or None, got 'cosine'\.$"):
        rates_of("bowl", GD, wrong)
    with pytest.raises(ValueError, match=r"schedule must be a Schedule or None, got 'cosine'\.$"):
        tune(BOWL, GD, start=BOWL.start, steps=5, schedule=wrong)
