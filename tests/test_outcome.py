"""The judge against what theory says about runs whose end is known in closed form."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, SCHEDULES, Outcome, simulate
from optim_core.outcome import NEAR, judge
from optim_core.spec import Point
from surfaces import SURFACES


def outcome(surface: str, optimizer: str = "gd", **settings: Any) -> Outcome:
    return simulate(SURFACES[surface], OPTIMIZERS[optimizer], **settings).outcome


def path(*points: float) -> Outcome:
    """The verdict on a made-up path on p²."""
    positions = np.array(points)[:, None]
    with np.errstate(over="ignore"):
        losses = positions[:, 0] ** 2
    return judge(SURFACES["parabola"], positions, losses, noisy=False)


@pytest.mark.parametrize("start", [10.0, 1e-3, 1e-7, 1e100])
def test_gd_on_the_parabola_at_its_limit_is_a_cycle(start: float) -> None:
    # p → (1 − 2·1) p = −p
    found = outcome("parabola", lr=1.0, start=(start,))
    assert (found.kind, found.period, found.step) == ("cycle", 2, 0)
    assert "the minimum at 0" in found.reason


@pytest.mark.parametrize("lr", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_gd_on_the_parabola_below_its_limit_reaches_the_minimum(lr: float) -> None:
    # |p| = 10 |1 − 2 lr|ᵗ, and the frame is 24 wide
    inside = NEAR * 24.0 / 10.0
    step = 1 if lr == 0.5 else math.ceil(math.log(inside) / math.log(abs(1.0 - 2.0 * lr)))
    found = outcome("parabola", lr=lr, steps=1000)
    assert (found.kind, found.step, found.target) == ("minimum", step, 0)


def test_gd_above_its_limit_leaves_the_floats_when_the_closed_form_does() -> None:
    # the loss is (10 · 1.1ᵗ)²
    step = math.ceil((math.log(np.finfo(float).max) / 2.0 - math.log(10.0)) / math.log(1.1))
    found = outcome("parabola", lr=1.05, steps=10_000)
    assert (found.kind, found.step, found.rise_step) == ("diverged", step, 0)
    assert f"step {step}" in found.reason


def test_a_run_that_grows_outside_the_frame_has_diverged_before_it_leaves_the_floats() -> None:
    found = outcome("parabola", lr=1.05, steps=20)
    assert (found.kind, found.step, found.rise_step) == ("diverged", None, 0)


def test_the_loss_rises_for_good_from_its_last_lowest_value() -> None:
    assert path(4.0, 3.0, -1.0, 1.0, 30.0, 1e200).rise_step == 3


def test_an_overshoot_outside_the_frame_that_slows_down_has_not_diverged() -> None:
    assert path(0.0, 8.0, 12.0, 14.0, 15.0, 15.5, 15.75, 15.8).kind == "moving"
    assert path(0.1, 0.2, 0.5, 1.0, 2.5, 6.0, 14.0, 40.0).kind == "diverged"
    assert path(0.1, 0.2, 0.5, 1.0, 2.5, 6.0, 14.0, 40.0, 12.0).kind == "moving"


def test_coming_back_to_the_frame_uphill_is_not_diverging() -> None:
    # the plane's loss grows along (1, 1)
    positions = -np.array([1000.0, 300.0, 90.0, 50.0, 40.0, 35.0, 31.0, 30.0])[:, None] * [1.0, 1.0]
    found = judge(SURFACES["plane"], positions, positions @ [1.0, 2.0], noisy=False)
    assert found.kind == "moving"
    assert "uphill" in found.reason


@pytest.mark.parametrize("start", [10.0, 1e-5, 1e-3])
def test_creeping_away_from_a_minimum_is_not_being_there(start: float) -> None:
    # |p| grows by 1.0002 a step
    found = outcome("parabola", lr=1.0001, steps=500, start=(start,))
    assert found.kind == "moving"
    assert "uphill" in found.reason or "moving away from the minimum" in found.reason


def test_a_slowly_contracting_oscillation_is_not_a_cycle() -> None:
    assert outcome("parabola", lr=0.999, steps=500).kind == "moving"
    assert outcome("parabola", lr=0.999, steps=500, start=(0.001,)).kind == "minimum"


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize(("share", "diverges"), [(0.99, False), (1.01, True)])
def test_heavy_ball_diverges_beyond_its_stability_limit(
    momentum: float, share: float, diverges: bool
) -> None:
    # 2 (1 + β) / L, with L = 2κ (Polyak 1964)
    limit = 2.0 * (1.0 + momentum) / 100.0
    found = outcome(
        "bowl", "momentum", lr=share * limit, momentum=momentum, steps=2000, start=(1.5, 10.0)
    )
    assert (found.kind == "diverged") == diverges
    assert diverges or found.kind == "minimum"


def test_gd_on_the_double_well_settles_where_its_multiplier_says() -> None:
    # the map's derivative at p = 1 is 1 − 8 lr: stable below lr = 1/4
    found = outcome("double_well", lr=0.24, steps=5000, start=(0.9,))
    assert (found.kind, found.target) == ("minimum", 1)


@pytest.mark.parametrize("lr", [0.26, 0.28, 0.3])
def test_gd_on_the_double_well_cycles_with_period_two(lr: float) -> None:
    # with a = 4 lr and y = √a p the map is y → r y − y³, r = 1 + a; its 2-cycle has y₁ y₂ = 1 and
    # y₁² + y₂² = r, multiplier 9 − 2r²: stable for 2 < r < √5, that is lr < 0.309
    run = simulate(SURFACES["double_well"], OPTIMIZERS["gd"], lr=lr, steps=2000, start=(0.9,))
    assert (run.outcome.kind, run.outcome.period) == ("cycle", 2)
    p, q = run.positions[-2:, 0]
    assert p * q == pytest.approx(1.0 / (4.0 * lr))
    assert p * p + q * q == pytest.approx(1.0 + 1.0 / (4.0 * lr))


def test_gd_on_the_double_well_doubles_its_period() -> None:
    # beyond r = √5; 4-cycles up to r ≈ 2.288, lr ≈ 0.322
    found = outcome("double_well", lr=0.315, steps=2000, start=(0.9,))
    assert (found.kind, found.period) == ("cycle", 4)


def test_chaos_is_moving() -> None:
    # r = 2.5: chaotic within |y| < √(r + 1)
    found = outcome("double_well", lr=0.375, steps=5000, start=(0.9,))
    assert (found.kind, found.period) == ("moving", None)
    assert "without settling" in found.reason


@pytest.mark.parametrize(("lr", "rho"), [(0.5, 0.9), (0.1, 0.9), (0.5, 0.99)])
def test_rmsprop_with_a_constant_rate_ends_in_a_cycle_of_width_lr(lr: float, rho: float) -> None:
    # √v ≈ |g| makes every step lr long: ±lr/2
    run = simulate(SURFACES["parabola"], OPTIMIZERS["rmsprop"], lr=lr, rho=rho, steps=5000)
    assert (run.outcome.kind, run.outcome.period) == ("cycle", 2)
    assert np.abs(run.positions[-2:, 0]) == pytest.approx(lr / 2.0, rel=1e-5)
    assert "around the minimum at 0" in run.outcome.reason


def test_the_start_of_a_cycle_is_where_it_begins_to_repeat() -> None:
    found = path(5.0, 4.0, 3.0, *(1.0, 2.0, -2.0) * 5)
    assert (found.kind, found.period, found.step) == ("cycle", 3, 3)


def test_a_cycle_too_narrow_to_tell_from_rounding_is_none() -> None:
    assert outcome("parabola", lr=1.0, start=(1e-12,)).kind == "minimum"
    assert path(*(1e9, np.nextafter(1e9, 2e9)) * 20).kind == "moving"


def test_a_cycle_beside_a_minimum_is_not_around_it() -> None:
    assert "minimum" not in path(*(3.0, 5.0) * 10).reason
    assert "minimum" in path(*(-3.0, 5.0) * 10).reason


def test_a_cycle_around_two_minima_names_the_nearer_to_its_middle() -> None:
    positions = np.array([[-1.1], [1.5]] * 10)
    losses = (positions[:, 0] ** 2 - 1.0) ** 2
    found = judge(SURFACES["double_well"], positions, losses, noisy=False)
    assert "the minimum at 1," in found.reason


def test_two_rounds_are_no_cycle() -> None:
    assert path(*(1.0, 2.0, -2.0) * 2).kind == "moving"
    assert path(*(1.0, 2.0, -2.0) * 3).kind == "cycle"


def test_noise_is_never_a_cycle() -> None:
    positions = np.array([[1.0], [-1.0]] * 20)
    found = judge(SURFACES["parabola"], positions, positions[:, 0] ** 2, noisy=True)
    assert found.kind == "moving"


def test_adam_on_the_parabola_reaches_the_minimum_where_gd_diverges() -> None:
    assert outcome("parabola", "adam", lr=1.05, steps=2000).kind == "minimum"
    assert outcome("parabola", "gd", lr=1.05, steps=2000).kind == "diverged"


def test_a_start_exactly_on_a_saddle_stays_there() -> None:
    found = outcome("saddle", start=(0.0, 0.0))
    assert (found.kind, found.step, found.target) == ("saddle", 0, 0)
    assert "saddle at (0, 0)" in found.reason
    assert "along (0, 1)" in found.reason


@pytest.mark.parametrize("index", range(len(SURFACES["himmelblau"].saddles)))
def test_himmelblaus_saddles_are_told_from_its_minima(index: int) -> None:
    start = SURFACES["himmelblau"].saddles[index]
    found = outcome("himmelblau", start=start, steps=10)
    assert (found.kind, found.step, found.target) == ("saddle", 0, index)


def test_a_run_along_the_stable_direction_ends_on_the_saddle() -> None:
    # x = 0.98ᵗ, and NEAR is 0.008 of the frame's side of 8
    found = outcome("saddle", lr=0.01, start=(1.0, 0.0), steps=1000)
    step = math.ceil(math.log(0.008) / math.log(0.98))
    assert (found.kind, found.step) == ("saddle", step)


def test_passing_a_saddle_slowly_is_leaving_it() -> None:
    # x = 0.98ᵗ and y = 1e-9 · 1.02ᵗ: still near the saddle, and x dominates
    found = outcome("saddle", lr=0.01, start=(1.0, 1e-9), steps=450)
    assert found.kind == "moving"
    assert "moving away from the saddle" in found.reason


@pytest.mark.parametrize("surface", ["double_well", "himmelblau"])
def test_the_top_of_a_hill_is_an_unstable_point_too(surface: str) -> None:
    found = outcome(surface, start=SURFACES[surface].maxima[0], steps=10)
    assert (found.kind, found.step, found.target) == ("saddle", 0, None)
    assert "maximum" in found.reason


def test_a_bottomless_surface_is_fallen_off_without_a_rise() -> None:
    # y grows by 1.2 a step, and the loss is −y²
    start = (3.5, 0.01)
    falling = outcome("saddle", lr=0.1, start=start, steps=200)
    assert falling.kind == "moving"
    assert "no known minimum" in falling.reason
    step = math.ceil((math.log(np.finfo(float).max) / 2.0 - math.log(0.01)) / math.log(1.2))
    fallen = outcome("saddle", lr=0.1, start=start, steps=3000)
    assert (fallen.kind, fallen.step, fallen.rise_step) == ("diverged", step, None)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_nothing_ends_on_a_plane(optimizer: str) -> None:
    found = outcome("plane", optimizer, lr=0.1, steps=1000)
    assert found.kind == "moving"


def test_gd_starves_on_a_plateau() -> None:
    # f' ≈ 2/p³, so a step far out is shorter than lr · 0.01
    found = outcome("plateau", lr=0.01, start=(7.0,))
    assert (found.kind, found.step) == ("plateau", 0)
    assert outcome("plateau", lr=0.5, start=(2.0,), steps=500).kind == "minimum"


def test_a_tiny_rate_on_a_slope_is_no_plateau() -> None:
    found = outcome("parabola", lr=1e-8)
    assert found.kind == "moving"
    assert "too small" in found.reason
    assert "too small" in outcome("parabola", lr=1e-8, start=(0.1,)).reason


def test_weight_decay_holds_a_run_beside_the_minimum_and_that_is_no_plateau() -> None:
    run = simulate(
        SURFACES["styblinski_tang"], OPTIMIZERS["adamw"], lr=0.15, weight_decay=0.1, steps=1000
    )
    assert run.outcome.kind == "moving"


def test_a_short_run_is_still_going_downhill() -> None:
    found = outcome("rosenbrock", lr=1e-3, steps=10)
    assert found.kind == "moving"
    assert "downhill: in the last 10 steps" in found.reason


def test_falling_is_told_from_falling_for_ever() -> None:
    assert "downhill" in outcome("plane", lr=0.01, steps=5).reason
    assert "no known minimum" in outcome("plane", lr=1.0, steps=50).reason
    assert "downhill" in outcome("parabola", lr=0.01, start=(15.0,), steps=5).reason


def test_an_oscillation_that_hardly_shrinks_is_not_called_downhill() -> None:
    assert "swings around" in path(*(0.25 * (-1.0 + 1e-5) ** t for t in range(100))).reason


def test_minus_zero_is_shown_as_zero() -> None:
    positions = np.array([[6.0], [4.0]])
    found = judge(SURFACES["parabola"], positions, np.array([1.0, -0.0]), noisy=False)
    assert "from 1 to 0." in found.reason


def decay(p: float) -> float:
    value: float = np.exp(-p)
    return value


def decay_gradient(p: float) -> Point:
    return (-decay(p),)


def decay_hessian(p: float) -> Point:
    return (decay(p),)


def test_a_flat_tail_is_no_minimum_though_newtons_steps_are_short() -> None:
    # e⁻ᵖ: Newton's step is 1 everywhere, and NEAR is 4
    tail = replace(
        SURFACES["plateau"],
        value=decay,
        gradient=decay_gradient,
        hessian=decay_hessian,
        domain=((0.0, 4000.0),),
        minima=(),
    )
    positions = np.full((50, 1), 30.0)
    assert judge(tail, positions, np.exp(-positions[:, 0]), noisy=False).kind == "plateau"


def test_a_start_beyond_the_floats_has_diverged_at_once() -> None:
    found = outcome("parabola", start=(1e308,))
    assert (found.kind, found.step, found.rise_step) == ("diverged", 0, None)


@pytest.mark.parametrize("optimizer", ["rmsprop", "adagrad", "adam", "adamw", "nadam", "adamax"])
def test_a_step_of_zero_by_zero_is_undefined_and_no_divergence(optimizer: str) -> None:
    # ε = 0, and no gradient has been anything but 0: along y on the saddle's ridge, at a minimum
    found = outcome("saddle", optimizer, lr=0.01, eps=0.0, start=(3.5, 0.0), steps=100)
    assert (found.kind, found.step, found.rise_step) == ("undefined", 1, None)
    assert found.reason.startswith("Step 1 divided 0 by 0: at (3.5, 0) the gradient along y is")
    found = outcome("parabola", optimizer, lr=0.5, eps=0.0, start=(0.0,), steps=100)
    assert (found.kind, found.step) == ("undefined", 1)


def test_an_overflow_that_gives_no_number_is_no_division_of_zero_by_zero() -> None:
    # η w overflows while Adam's step does: inf − inf, on a slope
    found = outcome("parabola", "adamw", lr=1e308, weight_decay=10.0, eps=0.0)
    assert found.kind == "diverged"
    assert found.reason.startswith("It overflowed at step 1;")


@pytest.mark.parametrize(
    ("what", "surface"),
    [
        (what, key)
        for key, s in SURFACES.items()
        for what in ("minima", "saddles", "maxima")
        if getattr(s, what)
    ],
)
def test_newton_finds_what_is_not_declared(what: str, surface: str) -> None:
    declared = SURFACES[surface]
    start = getattr(declared, what)[-1]  # Ackley's first minimum is a kink, this one is smooth
    found = simulate(
        replace(declared, minima=(), saddles=(), maxima=()),
        OPTIMIZERS["gd"],
        lr=1e-9,
        start=start,
        steps=10,
    ).outcome
    assert found.kind == ("minimum" if what == "minima" else "saddle")
    assert found.target is None


def test_newton_finds_a_minimum_from_beside_it() -> None:
    bare = replace(SURFACES["double_well"], minima=(), maxima=())
    found = judge(bare, np.full((30, 1), 1.003), np.full(30, 3.6e-5), noisy=False)
    assert found.kind == "minimum"
    assert "the minimum at 1 " in found.reason


def test_the_tip_of_a_cone_is_a_minimum() -> None:
    found = outcome("ackley", lr=1e-4, start=(0.01, 0.01), steps=200)
    assert (found.kind, found.target) == ("minimum", 0)


def test_flying_through_a_minimum_is_not_being_there() -> None:
    # a frictionless swing on p², ω = √(2 lr): 107 of its 35,124 steps are within NEAR
    found = outcome("parabola", "momentum", lr=1e-9, momentum=1.0 - 1e-10, steps=35_124)
    assert found.kind == "moving"
    assert "too late to tell" in found.reason


def test_a_run_that_is_in_the_frame_has_not_left_it() -> None:
    # once the largest |p| of the last quarter was taken for where the run is
    run = simulate(SURFACES["rastrigin"], OPTIMIZERS["nesterov"], steps=200, lr=0.0136)
    assert (np.abs(run.positions[-1]) < 5.12).all()
    assert run.outcome.kind == "moving"
    assert "outside" not in run.outcome.reason


@pytest.mark.parametrize("seed", range(3))
def test_a_random_walk_does_not_get_away_ever_faster(seed: int) -> None:
    # Ackley's loss is bounded by 20 + e; noise alone moves a run on a plane that is all but level
    assert outcome("ackley", lr=0.926, steps=500).kind == "moving"
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(size=(400, 1)), axis=0) * 10.0
    assert judge(SURFACES["parabola"], walk, walk[:, 0] ** 2, noisy=True).kind == "moving"


def test_the_period_is_the_shortest_one() -> None:
    # rows six steps apart are the same before those two steps apart are
    found = outcome("himmelblau", lr=0.0185, steps=500)
    assert (found.kind, found.period) == ("cycle", 2)
    assert outcome("himmelblau", lr=0.0185, steps=600).period == 2


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"surface": "beale", "optimizer": "adam", "start": (0.8, 3.2), "steps": 20, "lr": 1e-6},
         "the gradient's norm is 2468: its rate, 1e-06, is too small"),
        ({"surface": "plateau", "start": (7.5,), "steps": 20, "lr": 1e-6}, "its rate, 1e-06, is"),
        ({"surface": "rosenbrock", "lr": 0.0015,
          "schedule": SCHEDULES["piecewise"].with_params(first=150, second=1000, middle=1e-20)},
         "It has hardly moved since step 150 and is at (-1.02, 1.05), where the gradient's norm "
         "is 1.78: its rate has come down from 0.0015 to 1.5e-23."),
        ({"surface": "himmelblau", "optimizer": "adamw", "lr": 0.15, "weight_decay": 0.1,
          "steps": 2000}, "weight decay balances the gradient there"),
        ({"surface": "bowl", "optimizer": "adagrad", "lr": 1e-9, "eps": 1e3, "steps": 50},
         "its rate, 1e-09, is too small"),
        ({"surface": "bowl", "optimizer": "rmsprop", "lr": 0.1, "eps": 1e9, "steps": 50},
         "its effective rate, η/P, is only 1e-10."),
    ],
)  # fmt: skip
def test_what_holds_a_run_on_a_slope_is_named(settings: dict[str, Any], cause: str) -> None:
    found = outcome(**settings)
    assert found.kind == "moving"
    assert cause in found.reason


def test_a_run_that_passes_a_minimum_is_not_calming_down_there() -> None:
    # at a constant pace from −5 to 5, the loss falls and rises
    found = path(*np.linspace(-5.0, 5.0, 12))
    assert found.reason.startswith("It is still on its way: in the last 10 steps its loss was")


def test_numbers_that_differ_are_told_apart() -> None:
    narrow = path(*(3.0, 3.00001) * 10)
    assert "between 3 and 3.00001," in narrow.reason
    # the loss is 121 (1 − 6e-5)²ᵗ
    slow = outcome("parabola", lr=3e-5, start=(11.0,), steps=200)
    assert "fell from 118.4 to 118.1." in slow.reason


def test_a_minimum_that_a_longer_run_leaves_is_not_promised() -> None:
    settings: dict[str, Any] = {"surface": "plateau", "optimizer": "nadam", "lr": 0.15}
    found = outcome(**settings, steps=500)
    assert (found.kind, found.step) == ("minimum", 474)
    assert "has been within 0.1 % of the frame's side of the minimum at 0 since step 474" in (
        found.reason
    )
    assert outcome(**settings, steps=550).kind != "minimum"


@pytest.mark.parametrize(
    ("steps", "stay", "noisy", "kind"),
    [
        (5, 2, False, "moving"),
        (5, 3, False, "minimum"),
        (100, 9, False, "moving"),
        (100, 10, False, "minimum"),
        (1000, 19, False, "moving"),
        (1000, 20, False, "minimum"),
        (1000, 99, True, "moving"),
        (1000, 100, True, "minimum"),
    ],
)
def test_how_long_a_run_must_stay(steps: int, stay: int, noisy: bool, kind: str) -> None:
    positions = np.linspace(10.0, 5.0, steps + 1)[:, None]
    positions[-stay - 1 :] = 0.0
    found = judge(SURFACES["parabola"], positions, positions[:, 0] ** 2, noisy=noisy)
    assert found.kind == kind
    assert found.step == (steps - stay if kind == "minimum" else None)


def test_under_noise_a_drift_is_taken_for_chance() -> None:
    run = simulate(SURFACES["parabola"], OPTIMIZERS["gd"], lr=1.0001, start=(1e-3,))
    assert run.outcome.kind == "moving"
    assert judge(run.surface, run.positions, run.losses, noisy=True).kind == "minimum"


def test_a_noisy_run_is_at_the_minimum_if_it_stays_there() -> None:
    # a stationary standard deviation of σ √(lr / (4 (1 − lr))): 0.005 and 0.17, NEAR is 0.024
    quiet = outcome("parabola", lr=0.01, noise=0.1, steps=2000)
    assert (quiet.kind, quiet.target) == ("minimum", 0)
    loud = outcome("parabola", lr=0.1, noise=1.0, steps=2000)
    assert loud.kind == "moving"
    assert "around the minimum" in loud.reason
