"""Schedules: against PyTorch's values and runs, their formulas, and runs that are cut in two."""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES, Relay, Run, simulate, sweep
from optim_core.kernels import WIDTH
from optim_core.simulate import MAX_STEPS
from optim_core.spec import Hyper, Optimizer, Schedule, Surface, heedless
from optim_core.theory import preconditioner
from surfaces import SURFACES
from tests.test_declarations import is_balanced, is_one_sentence, stems
from tests.test_rules import EXACT
from tests.test_sweep import differences

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
MANIFEST = json.loads((GOLDEN / "schedules.json").read_text())
with np.load(GOLDEN / "schedules.npz") as stored:
    RUNS = dict(stored)
STEPS = MANIFEST["steps"]
PARABOLA, BOWL, ROSENBROCK = (SURFACES[key] for key in ("parabola", "bowl", "rosenbrock"))
GD, MOMENTUM, ADAM, NADAM = (OPTIMIZERS[key] for key in ("gd", "momentum", "adam", "nadam"))
EVERY_SCHEDULE = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=list(SCHEDULES))
EVERY_OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))

# Settings under which something happens within some 60 steps.
LIVELY: dict[str, dict[str, float]] = {
    "constant": {},
    "power": {"span": 9.0},
    "exponential": {"span": 30.0},
    "piecewise": {"first": 20, "second": 40},
    "performance": {"patience": 1, "threshold": 0.05, "cooldown": 2},
    "one_cycle": {"rise": 0.4},
    "cosine": {"period": 13, "growth": 2},
}


def lively(key: str, **more: float) -> Schedule:
    return SCHEDULES[key].with_params(**LIVELY[key], **more)


def lr_of(surface: Surface, optimizer: Optimizer, share: float = 0.3) -> float:
    return share * float(getattr(surface.pace, optimizer.pace))


# --- Beside PyTorch -------------------------------------------------------------------------


@pytest.mark.parametrize("case", MANIFEST["cases"], ids=lambda case: str(case["name"]))
def test_rates_momenta_and_path_are_pytorchs(case: dict[str, Any]) -> None:
    optimizer = OPTIMIZERS[case["optimizer"]]
    outside: dict[str, Any] = {"rate_inside": False} if optimizer is MOMENTUM else {}
    run = simulate(
        SURFACES[case["surface"]].with_params(**case["params"]),
        optimizer,
        start=case["start"],
        steps=STEPS,
        lr=case["lr"],
        schedule=SCHEDULES[case["schedule"]].with_params(**case["given"]),
        **outside,
    )
    rates, momenta, path = (RUNS[f"{case['name']}.{x}"] for x in ("rates", "momenta", "path"))
    # PyTorch multiplies its last rate: 240 roundings of 1e-16.
    np.testing.assert_allclose(run.rates, rates, rtol=1e-13)
    assert cuts(run.rates) == cuts(rates)
    name = optimizer.hypers[optimizer.row("momentum")].name
    np.testing.assert_allclose(run.hypers_by_step[name], momenta, rtol=1e-14)
    # As in test_parity.py: rounding, grown tenfold at most.
    assert np.max(np.abs(run.positions - path)) <= 1e-12 * np.max(np.abs(path))


def cuts(rates: np.ndarray) -> list[int]:
    """Where the rate is not that of the step before, by more than rounding."""
    return np.flatnonzero(np.abs(np.diff(rates)) > 1e-13 * rates[1:]).tolist()


def test_the_goldens_tell_what_they_are_for() -> None:
    cases = MANIFEST["cases"]
    assert {case["schedule"] for case in cases} == set(SCHEDULES)
    for key, schedule in SCHEDULES.items():
        sets = [case["given"] for case in cases if case["schedule"] == key]
        for hyper in schedule.hypers:
            assert len({chosen[hyper.name] for chosen in sets}) > 1, (key, hyper.name)
    assert any(case["given"].get("warmup") for case in cases)
    found = {
        case["name"]: len(cuts(RUNS[f"{case['name']}.rates"]))
        for case in cases
        if case["schedule"] == "performance"
    }
    assert min(found.values()) > 0, found
    assert max(found.values()) > 3, found


# --- Formulas -------------------------------------------------------------------------------


def factors(schedule: Schedule, steps: int) -> np.ndarray:
    return schedule.scale(0, steps)[:, 0]


def by_hand(t: int) -> dict[str, float]:
    """The formulas at step t of 201, with s = 50 and the other defaults."""
    climb, fall, drop = 0.45 * 201 - 1, 2 * 0.45 * 201 - 2, 200

    def half(a: float, b: float, x: float) -> float:
        return (a + b) / 2 + (a - b) / 2 * math.cos(math.pi * x)

    return {
        "constant": 1.0,
        "power": 1 / (1 + t / 50) ** 1.0,
        "exponential": 0.1 ** (t / 100),
        "piecewise": 1.0 if t < 100 else 0.1 if t < 150 else 0.01,
        "performance": 1.0,  # without losses
        "one_cycle": half(1 / 25, 1, t / climb) if t <= climb
        else half(1, 1 / 25, (t - climb) / (fall - climb)) if t <= fall
        else half(1 / 25, 1 / 25e4, (t - fall) / (drop - fall)),
        "cosine": (1 + math.cos(math.pi * (t % 50) / 50)) / 2,
    }  # fmt: skip


@EVERY_SCHEDULE
@pytest.mark.parametrize("t", [0, 50, 100, 200])
def test_a_schedule_is_its_formula(schedule: Schedule, t: int) -> None:
    assert set(by_hand(0)) == set(SCHEDULES)
    # 1cycle ends 4e-6 of its peak high, which is the difference of two numbers near 1/25.
    assert factors(schedule, 201)[t] == pytest.approx(by_hand(t)[schedule.key], rel=1e-11)


@pytest.mark.parametrize(
    ("key", "t", "expected"),
    [
        ("power", (0, 50, 100), (1.0, 1 / 2, 1 / 3)),
        ("exponential", (0, 100, 200), (1.0, 0.1, 0.01)),
        ("piecewise", (99, 100, 149, 150), (1.0, 0.1, 0.1, 0.01)),
        ("cosine", (0, 25, 49, 50, 75, 100), (1.0, 0.5, 0.0009866357858642205, 1.0, 0.5, 1.0)),
    ],
)
def test_landmarks(key: str, t: tuple[int, ...], expected: tuple[float, ...]) -> None:
    np.testing.assert_allclose(factors(SCHEDULES[key], 201)[list(t)], expected, rtol=1e-12)


def test_cosine_periods_grow() -> None:
    rates = factors(SCHEDULES["cosine"].with_params(period=10, growth=3), 140)
    assert np.flatnonzero(rates == 1.0).tolist() == [0, 10, 40, 130]


def test_one_cycle_turns_momentum_the_other_way() -> None:
    scale = SCHEDULES["one_cycle"].with_params(rise=0.4, linear=True, dip=0.8).scale(0, 100)
    rate, momentum = scale.T
    assert int(rate.argmax()) == int(momentum.argmin()) == 39
    assert (momentum[0], momentum[39], momentum[78], momentum[99]) == (1.0, 0.8, 1.0, 1.0)
    straight = np.diff(rate[:40])
    np.testing.assert_allclose(straight, straight[0], rtol=1e-10)  # differences of numbers near 1
    assert (np.sign(np.diff(rate[:79])) == -np.sign(np.diff(momentum[:79]))).all()
    assert rate[99] == pytest.approx(1 / 25e4)


def test_one_cycle_ends_with_the_run_unless_told() -> None:
    run = simulate(PARABOLA, GD, steps=80, schedule=SCHEDULES["one_cycle"], lr=0.1)
    planned = SCHEDULES["one_cycle"].with_params(total=80).scale(0, 200)[:80, 0]
    np.testing.assert_array_equal(run.rates, 0.1 * planned)


@EVERY_SCHEDULE
def test_what_follows_the_plan_is_declared_where_there_is_one(schedule: Schedule) -> None:
    short, long = (schedule.with_params(total=total).scale(0, 300) for total in (60, 90))
    assert bool(schedule.ends) == (not np.array_equal(short, long))
    if schedule.ends:
        assert is_one_sentence(schedule.ends)


def test_after_its_plan_one_cycle_stays_at_its_last_rate() -> None:
    plan = SCHEDULES["one_cycle"].with_params(total=60, divide=20.0, drop=50.0, warmup=5)
    scale = plan.scale(0, 300)
    assert "stays where it is, at η₀/(d q)" in plan.ends
    assert scale[58, 0] > scale[59, 0] == pytest.approx(1 / (20 * 50), rel=1e-12)
    assert (scale[59:] == scale[59]).all()
    assert plan.outlived(300) == f"1cycle is planned for 60 of the 300 steps. {plan.ends}"
    assert plan.outlived(60) == plan.with_params(total=0).outlived(300) == ""
    assert SCHEDULES["cosine"].with_params(total=60).outlived(300) == ""
    # a warm-up as long as the plan leaves one step of it
    assert " 61 of the 300 steps" in plan.with_params(warmup=60).outlived(300)


def test_a_run_whose_plan_is_made_anew_is_told_how_far_its_rate_jumps() -> None:
    plan = SCHEDULES["one_cycle"]
    first = simulate(PARABOLA, GD, steps=100, schedule=plan, lr=0.01)
    with pytest.warns(UserWarning, match="total=200") as told:
        second = simulate(PARABOLA, GD, steps=100, schedule=plan, lr=0.01, after=first)
    assert told[0].filename == __file__
    numbers = [float(x) for x in re.findall(r"\d[\d.]*(?:e-?\d+)?", str(told[0].message))]
    # one whole cycle has ended at η₀ / 25e4, and half of twice the steps is near the peak
    assert numbers[:4] == [200.0, 100.0, 4e-8, 0.00964]
    assert first.rates[-1] == pytest.approx(4e-8)
    assert second.rates[0] == pytest.approx(0.00964, rel=5e-4)
    # warnings are errors here: nothing is said of parts of one plan, or of a count that is reset
    whole = plan.with_params(total=200)
    one = simulate(PARABOLA, GD, steps=100, schedule=whole, lr=0.01)
    simulate(PARABOLA, GD, steps=100, schedule=whole, lr=0.01, after=one)
    simulate(PARABOLA, GD, steps=100, schedule=plan, lr=0.01, after=first, keep_count=False)


@EVERY_SCHEDULE
def test_a_warm_up_is_a_line_to_where_the_schedule_begins(schedule: Schedule) -> None:
    warm = schedule.with_params(warmup=8, warmup_from=0.2, total=108).scale(0, 108)
    cold = schedule.with_params(total=100).scale(0, 100)
    np.testing.assert_array_equal(warm[8:], cold)
    line = cold[0, 0] * (0.2 + 0.8 * np.arange(8) / 8)
    np.testing.assert_allclose(warm[:8, 0], line, rtol=1e-15)
    assert (warm[:8, 1] == cold[0, 1]).all()


def test_a_plateau_is_looked_for_after_the_warm_up() -> None:
    """Patience 0 and a threshold that no loss meets: the rate is halved at every step watched."""
    schedule = SCHEDULES["performance"].with_params(
        patience=0, threshold=0.99, warmup=6, warmup_from=0.5
    )
    run = simulate(PARABOLA, GD, steps=10, lr=1e-3, schedule=schedule)
    after = [1.0, 1.0, 0.5, 0.25]  # the first loss is the best one so far
    np.testing.assert_allclose(run.rates / 1e-3, [*(0.5 + np.arange(6) / 12), *after], rtol=1e-14)


# --- Runs -----------------------------------------------------------------------------------


def same(one: Run, other: Run) -> None:
    for name in ("positions", "losses", "gradients", "probes", "rates"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name in one.slots:
        np.testing.assert_array_equal(one.slots[name], other.slots[name], err_msg=name)
    assert one.ended is not None
    assert other.ended is not None
    assert one.ended.clock == other.ended.clock


@EVERY_OPTIMIZER
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_constant_schedule_is_none_to_the_bit(optimizer: Optimizer, noise: float) -> None:
    chosen: dict[str, Any] = {"steps": 90, "noise": noise, "lr": lr_of(ROSENBROCK, optimizer)}
    with_it = simulate(ROSENBROCK, optimizer, schedule=SCHEDULES["constant"], **chosen)
    without = simulate(ROSENBROCK, optimizer, **chosen)
    same(with_it, without)
    assert without.hypers_by_step == {}
    assert without.rates.shape == (90,)
    assert not without.rates.flags.writeable
    assert with_it.hypers_at(5) == without.hypers_at(5) == tuple(without.hypers.values())


def plainly(surface: Surface, optimizer: Optimizer, schedule: Schedule, run: Run) -> np.ndarray:
    """The loop that the specification of `Schedule` describes, on Python's own floats."""
    steps, dim = run.gradients.shape
    h0, roles = tuple(run.hypers.values()), [h.role for h in optimizer.hypers]
    p, k, m = list(surface.start), optimizer.clock_start, schedule.memory
    s: list[Any] = [(0.0,) * max(1, len(optimizer.slots))] * dim
    path = [list(p)]
    for t in range(steps):
        rate, momentum = schedule.scale(0, steps)[t].tolist()
        by_role = {"": 1.0, "rate": rate, "momentum": momentum}
        scaled = [x * by_role[role] for x, role in zip(h0, roles, strict=True)]
        h = tuple(x * m[0] if r == "rate" else x for x, r in zip(scaled, roles, strict=True))
        assert h == run.hypers_at(t)
        if t >= schedule.watch(0, steps):
            m = schedule.react(float(surface.value(*p, *surface.args)), schedule.knobs, m)
        k = optimizer.clock(h, k)
        probe = [float(optimizer.probe(p[j], s[j], h, k)) for j in range(dim)]
        slope = surface.gradient(*probe, *surface.args)
        for j in range(dim):
            new, state = optimizer.rule(p[j], float(slope[j]), s[j], h, k)
            p[j], s[j] = float(new), tuple(float(c) for c in state)
        path.append(list(p))
    return np.array(path)


@EVERY_OPTIMIZER
@pytest.mark.parametrize("key", ["one_cycle", "performance"])
def test_compiled_equals_plain_python_to_the_bit(optimizer: Optimizer, key: str) -> None:
    surface, schedule = EXACT[1], lively(key, warmup=4)
    lr = lr_of(surface, optimizer)
    run = simulate(surface, optimizer, steps=60, lr=lr, schedule=schedule)
    np.testing.assert_array_equal(run.positions, plainly(surface, optimizer, schedule, run))


@EVERY_SCHEDULE
@pytest.mark.parametrize("optimizer", [GD, MOMENTUM, ADAM, NADAM], ids=lambda o: str(o.key))
def test_what_a_scheduled_run_records(schedule: Schedule, optimizer: Optimizer) -> None:
    lr = lr_of(ROSENBROCK, optimizer)
    run = simulate(ROSENBROCK, optimizer, steps=60, lr=lr, schedule=lively(schedule.key))
    moving = {h.name for h in optimizer.hypers if h.role}
    assert set(run.hypers_by_step) == moving
    assert "lr" in moving
    for values in run.hypers_by_step.values():
        assert values.shape == (60,)
        assert values.dtype == np.float64
        assert not values.flags.writeable
        assert np.isfinite(values).all()
        assert (values > 0.0).all()
    assert (len(np.unique(run.rates)) > 1) == bool(schedule.hypers)
    assert run.hypers["lr"] == lr
    assert run.hypers_at(59)[0] == run.rates[59]


def test_a_moving_beta1_is_corrected_for_by_its_product() -> None:
    """m is a sum of gradients with weights that add up to 1 − Π β₁, which PyTorch's Adam, unlike
    its NAdam, takes to be 1 − β₁ᵗ. Here the gradient is always 1, so that m̂ must be 1.
    """
    run = simulate(SURFACES["plane"], ADAM, steps=50, lr=0.1, schedule=lively("one_cycle", dip=0.5))
    beta1 = run.hypers_by_step["beta1"]
    assert beta1.min() < 0.5 < 0.85 < beta1.max()
    step = -np.diff(run.positions[:, 0]) * np.sign(run.gradients[0, 0])
    np.testing.assert_allclose(step, run.rates, rtol=1e-6)  # ε is 1e-8, the gradient of order 1


def test_the_clock_of_a_scheduled_run_is_replayed_rightly() -> None:
    """What theory.py divides Adam's step by is (1 − β₁ᵗ)(√v̂ + ε) with that run's own β₁."""
    run = simulate(BOWL, ADAM, steps=40, lr=0.1, schedule=SCHEDULES["one_cycle"])
    beta1 = float(np.prod(run.hypers_by_step["beta1"]))
    v_hat = run.slots["v"][40] / (1.0 - 0.999**40)
    expected = (1.0 - beta1) * (np.sqrt(v_hat) + 1e-8)
    np.testing.assert_allclose(preconditioner(run, 40), expected, rtol=1e-12)


# --- Momentum with the rate inside or outside -------------------------------------------------


def recursion(inside: bool, lr: np.ndarray, beta: np.ndarray, p: float) -> np.ndarray:
    """Keras: m ← β m − η g, p ← p + m. PyTorch: b ← β b + g, p ← p − η b. On p²."""
    path, buffer = [p], 0.0
    for eta, b in zip(lr.tolist(), beta.tolist(), strict=True):
        buffer = b * buffer - eta * 2 * p if inside else b * buffer + 2 * p
        p = p + buffer if inside else p - eta * buffer
        path.append(p)
    return np.array(path)


@pytest.mark.parametrize("inside", [True, False], ids=["Keras", "PyTorch"])
@EVERY_SCHEDULE
def test_momentum_in_both_conventions(inside: bool, schedule: Schedule) -> None:
    run = simulate(
        PARABOLA, MOMENTUM, start=(10.0,), steps=60, lr=0.05, rate_inside=inside,
        schedule=lively(schedule.key),
    )  # fmt: skip
    expected = recursion(inside, run.rates, run.hypers_by_step["momentum"], 10.0)
    np.testing.assert_array_equal(run.positions[:, 0], expected)


def test_the_conventions_part_ways_when_the_rate_changes() -> None:
    def paths(key: str) -> list[np.ndarray]:
        return [
            simulate(
                PARABOLA, MOMENTUM, start=(10.0,), steps=60, lr=0.05, rate_inside=inside,
                schedule=lively(key),
            ).positions
            for inside in (True, False)
        ]  # fmt: skip

    one, other = paths("constant")
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-13)  # 60 roundings of 10
    one, other = paths("piecewise")
    np.testing.assert_allclose(one[:21], other[:21], rtol=0, atol=1e-13)
    # At the tenfold cut Keras's buffer still has steps of the old rate in it.
    assert np.abs(one[22:25] - other[22:25]).min() > 0.1
    kept = simulate(PARABOLA, MOMENTUM, start=(10.0,), steps=60, lr=0.05)
    np.testing.assert_array_equal(paths("constant")[0], kept.positions)


# --- Going on -------------------------------------------------------------------------------


@EVERY_SCHEDULE
@pytest.mark.parametrize("optimizer", [GD, MOMENTUM, ADAM, NADAM], ids=lambda o: str(o.key))
@pytest.mark.parametrize("cut", [1, 3, 25, 69])
def test_a_resumed_run_is_the_undivided_one_to_the_bit(
    schedule: Schedule, optimizer: Optimizer, cut: int
) -> None:
    chosen: dict[str, Any] = {
        "lr": lr_of(ROSENBROCK, optimizer), "noise": 0.2, "seed": 3,
        "schedule": lively(schedule.key, warmup=5, total=70),
    }  # fmt: skip
    whole = simulate(ROSENBROCK, optimizer, steps=70, **chosen)
    one = simulate(ROSENBROCK, optimizer, steps=cut, **chosen)
    two = simulate(ROSENBROCK, optimizer, steps=70 - cut, after=one, **chosen)
    relay = Relay((one, two))
    for name in ("positions", "losses", "rates"):
        np.testing.assert_array_equal(getattr(relay, name), getattr(whole, name), err_msg=name)
        assert not getattr(relay, name).flags.writeable
    np.testing.assert_array_equal(two.gradients, whole.gradients[cut:])
    for name in whole.slots:
        np.testing.assert_array_equal(two.slots[name], whole.slots[name][cut:])
    assert two.ended == whole.ended
    assert relay.starts == (0, cut)
    assert relay.outcome == whole.outcome


@pytest.mark.parametrize("key", ["power", "performance"])
def test_a_count_set_to_zero_lets_the_rate_jump_back(key: str) -> None:
    """The run itself goes on: only the schedule forgets, as Keras's without initial_epoch."""
    chosen: dict[str, Any] = {"lr": 0.1, "noise": 0.5, "schedule": lively(key, warmup=3)}
    one = simulate(PARABOLA, ADAM, steps=50, **chosen)
    kept = simulate(PARABOLA, ADAM, steps=50, after=one, **chosen)
    reset = simulate(PARABOLA, ADAM, steps=50, after=one, keep_count=False, **chosen)
    assert kept.rates[0] <= one.rates[-1] < 0.5 * one.rates.max()
    np.testing.assert_array_equal(reset.rates[:3], one.rates[:3])
    assert reset.rates[3] == 0.1
    for name in ("m", "v"):
        np.testing.assert_array_equal(reset.slots[name][0], one.slots[name][-1])
    assert reset.began is not None
    assert kept.began is not None
    assert reset.began.clock == kept.began.clock
    np.testing.assert_array_equal(reset.gradients[0], kept.gradients[0])


def test_a_hand_off_begins_with_new_slots_where_the_other_ended() -> None:
    adam = simulate(BOWL, ADAM, steps=30, lr=0.3, schedule=SCHEDULES["power"])
    plan = SCHEDULES["power"]
    sgd = simulate(BOWL, MOMENTUM, steps=40, lr=0.002, after=adam, schedule=plan)
    start = tuple(adam.positions[-1].tolist())
    anew = simulate(BOWL, MOMENTUM, steps=40, lr=0.002, start=start, schedule=plan)
    assert tuple(sgd.positions[0]) == start
    assert (sgd.slots["m"][0] == 0.0).all()
    np.testing.assert_array_equal(sgd.rates, 0.002 * plan.scale(30, 40)[:, 0])
    np.testing.assert_array_equal(anew.rates, 0.002 * plan.scale(0, 40)[:, 0])
    forgotten = simulate(
        BOWL, MOMENTUM, steps=40, lr=0.002, after=adam, schedule=plan, keep_count=False
    )
    same(forgotten, anew)
    # and from one with another clock
    nadam = simulate(BOWL, NADAM, steps=5, lr=0.1, after=adam)
    same(nadam, simulate(BOWL, NADAM, steps=5, lr=0.1, start=start))
    assert Relay((adam, sgd)).positions.shape == (71, 2)


def test_a_run_that_overflowed_can_be_gone_on_with() -> None:
    one = simulate(PARABOLA, GD, steps=9000, lr=1.2)
    two = simulate(PARABOLA, GD, steps=5, lr=0.1, after=one)
    assert np.isnan(two.positions).all()
    assert Relay((one, two)).outcome.kind == "diverged"


# --- Sweeps ---------------------------------------------------------------------------------


@EVERY_SCHEDULE
@pytest.mark.parametrize("optimizer", [GD, MOMENTUM, ADAM], ids=lambda o: str(o.key))
def test_a_cell_of_a_scheduled_sweep_is_a_run_to_the_bit(
    schedule: Schedule, optimizer: Optimizer
) -> None:
    rng = np.random.default_rng([ord(c) for c in schedule.key + optimizer.key])
    momentum = next((h.name for h in optimizer.hypers if h.role == "momentum"), "x")
    lr = lr_of(ROSENBROCK, optimizer, 1.0) * np.exp(rng.uniform(-4, 3, 5))
    axes = {"lr": lr, momentum: rng.uniform(0.0, 0.95, 3)}
    steps = int(rng.choice([1, 2, 31, 33, 65, 250]))
    chosen: dict[str, Any] = {
        "steps": steps, "noise": 0.1, "schedule": lively(schedule.key, warmup=3)
    }  # fmt: skip
    field = sweep(ROSENBROCK, optimizer, axes=axes, tail=1, **chosen)
    assert field.schedule == chosen["schedule"]
    for i, j in np.ndindex(3, 5):
        value = float(axes[momentum][i])
        own: dict[str, Any] = (
            {"start": (value, ROSENBROCK.start[1])} if momentum == "x" else {momentum: value}
        )
        run = simulate(ROSENBROCK, optimizer, **{"lr": lr[j], **own}, **chosen)
        assert differences(field, (i, j), run) == [], (lr[j], value, steps)


def test_many_lanes_do_not_mix_their_memories() -> None:
    """More lanes than go through the steps together, each with its own plateaus."""
    lr = np.geomspace(1e-3, 3.0, WIDTH + 7)
    chosen: dict[str, Any] = {"steps": 300, "schedule": lively("performance")}
    field = sweep(PARABOLA, GD, axes={"lr": lr}, **chosen)
    for i in (0, 100, WIDTH - 1, WIDTH, WIDTH + 6):
        run = simulate(PARABOLA, GD, lr=lr[i], **chosen)
        assert differences(field, (i,), run) == [], lr[i]


def test_a_sweep_with_a_constant_schedule_is_one_without() -> None:
    axes = {"lr": np.geomspace(1e-4, 1.0, 40), "beta1": np.array([0.0, 0.9])}
    one = sweep(ROSENBROCK, ADAM, axes=axes, steps=80, schedule=SCHEDULES["constant"])
    other = sweep(ROSENBROCK, ADAM, axes=axes, steps=80)
    np.testing.assert_array_equal(one.final_positions, other.final_positions)


# --- What they are --------------------------------------------------------------------------


def value_of(hyper: Hyper) -> st.SearchStrategy[float]:
    """Any value of the domain, and its ends as often as not."""
    domain = hyper.domain
    if hyper.scale == "switch":
        return st.sampled_from([0.0, 1.0])
    high = min(domain.high, 1e300)
    if hyper.whole:
        return st.integers(int(domain.low), int(min(high, 1e6))).map(float)
    return st.floats(
        domain.low, high, exclude_min=domain.open_low,
        exclude_max=domain.open_high and domain.high <= 1e300,
    )  # fmt: skip


@EVERY_SCHEDULE
@given(data=st.data(), count=st.integers(0, 10**5), steps=st.integers(1, 300))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_factors_are_finite_and_positive_everywhere(
    schedule: Schedule, data: st.DataObject, count: int, steps: int
) -> None:
    values = {h.name: data.draw(value_of(h), h.name) for h in schedule.settings}
    scale = schedule.with_params(**values).scale(count, steps)
    assert scale.shape == (steps, 2)
    assert np.isfinite(scale).all()
    assert (scale[:, 0] > 0.0).all()
    assert ((scale[:, 1] >= 0.0) & (scale[:, 1] <= 1.0)).all()  # β stays in its domain
    assert not scale.flags.writeable


@given(
    data=st.data(),
    losses=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=200),
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_reaction_is_finite_and_positive_everywhere(
    data: st.DataObject, losses: list[float]
) -> None:
    for schedule in SCHEDULES.values():
        if schedule.react is heedless:
            continue
        h = tuple(data.draw(value_of(x), x.name) for x in schedule.hypers)
        m = schedule.memory
        assert m[0] == 1.0
        for loss in losses:
            before, m = m, schedule.react(loss, h, m)
            assert 0.0 < m[0] <= before[0]


def test_keys_are_the_files_names() -> None:
    assert stems("optim_core/schedules") == set(SCHEDULES)
    assert set(SCHEDULES) == {
        "constant", "power", "exponential", "piecewise", "performance", "one_cycle", "cosine",
    }  # fmt: skip


@EVERY_SCHEDULE
def test_a_schedule_says_what_it_is(schedule: Schedule) -> None:
    assert is_balanced(schedule.formula)
    assert r"\eta" in schedule.formula
    assert is_one_sentence(schedule.about), schedule.about
    assert re.search(r"\b(18|19|20)\d\d\b", schedule.source)
    assert schedule.convention.endswith(".")
    assert schedule.memory[0] == 1.0
    assert schedule.given is None
    names = [h.name for h in schedule.settings]
    assert len(set(names)) == len(names)
    assert not set(names) & {"lr", "steps", "noise", "seed", "x", "y"}
    for hyper in schedule.hypers:
        if hyper.scale != "switch":
            assert hyper.symbol in schedule.formula or schedule.watches, hyper.name
    again = pickle.loads(pickle.dumps(schedule))  # for executors elsewhere
    assert again == schedule
    assert hash(again) == hash(schedule)


@EVERY_OPTIMIZER
def test_the_rate_and_at_most_one_momentum_have_a_role(optimizer: Optimizer) -> None:
    roles = [h.role for h in optimizer.hypers]
    assert roles[0] == "rate"
    assert roles.count("rate") == 1
    names = {h.name for h in optimizer.hypers}
    assert roles.count("momentum") == len({"momentum", "beta1"} & names)


ANY: Any = "cosine"
REFUSED: list[tuple[Callable[[], object], list[str]]] = [
    (lambda: SCHEDULES["power"].with_params(span=0.0), ["span", "(0, inf)", "0.0"]),
    (lambda: SCHEDULES["power"].with_params(drop=1.0),
     ["power", "'drop'", "it has: span, power, warmup, warmup_from, total"]),
    (lambda: SCHEDULES["cosine"].with_params(period=2.5), ["period", "whole", "[1, inf)", "2.5"]),
    (lambda: SCHEDULES["cosine"].with_params(period=0), ["period", "[1, inf)", "0."]),
    (lambda: SCHEDULES["cosine"].with_params(warmup=-1), ["warmup", "whole", "[0, inf)", "-1."]),
    (lambda: SCHEDULES["cosine"].with_params(warmup_from=0.0), ["warmup_from", "(0, 1]", "0.0"]),
    (lambda: SCHEDULES["constant"].with_params(total="9"), ["total", "whole", "'9'"]),
    (lambda: SCHEDULES["exponential"].with_params(ratio=1.5), ["ratio", "(0, 1]", "1.5"]),
    (lambda: SCHEDULES["performance"].with_params(factor=1.0), ["factor", "(0, 1)", "1.0"]),
    (lambda: SCHEDULES["performance"].with_params(patience=math.nan), ["patience", "nan"]),
    (lambda: SCHEDULES["one_cycle"].with_params(rise=0.6), ["rise", "(0, 0.5]", "0.6"]),
    (lambda: SCHEDULES["one_cycle"].with_params(linear=2), ["linear", "True or False", "2"]),
    (lambda: simulate(PARABOLA, GD, start=(1.0,), after=simulate(PARABOLA, GD)),
     ["start", "after", "(1.0,)"]),
    (lambda: simulate(PARABOLA, GD, after=simulate(BOWL, GD)), ["after", "parabola", "bowl"]),
    (lambda: simulate(BOWL, GD, after=simulate(BOWL.with_params(condition=3.0), GD)), ["after"]),
    (lambda: simulate(PARABOLA, GD, after=simulate(PARABOLA, GD, steps=99_999), steps=2),
     ["steps", "[1, 1]", "2"]),
    (lambda: simulate(PARABOLA, GD, after=simulate(PARABOLA, GD, steps=MAX_STEPS)),
     ["after", "100000"]),
    (lambda: Relay(()), ["runs", "()"]),
    (lambda: Relay((simulate(PARABOLA, GD), simulate(PARABOLA, GD))), ["runs[1]", "runs[0]"]),
    (lambda: simulate(PARABOLA, GD, schedule=ANY), ["schedule", "Schedule", "'cosine'"]),
    (lambda: sweep(PARABOLA, GD, axes={"lr": [0.1]}, schedule=ANY), ["schedule", "'cosine'"]),
    (lambda: simulate(PARABOLA, GD, after=ANY), ["after", "'cosine'"]),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "said"), REFUSED)
def test_bad_input_is_named(attempt: Callable[[], object], said: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        attempt()
    text = str(refused.value)
    assert [part for part in said if part not in text] == [], text
    assert "\n" not in text
