"""One recorded run: what it refuses, what it records, and closed forms that it must meet."""

from __future__ import annotations

import decimal
import math
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, Run, simulate
from optim_core.kernels import evaluate
from optim_core.spec import Optimizer
from surfaces import SURFACES

PARABOLA, ROSENBROCK = SURFACES["parabola"], SURFACES["rosenbrock"]
GD, MOMENTUM, ADAM = OPTIMIZERS["gd"], OPTIMIZERS["momentum"], OPTIMIZERS["adam"]
EVERY_OPTIMIZER = pytest.mark.parametrize(
    "optimizer", OPTIMIZERS.values(), ids=lambda o: str(o.key)
)

NAN, INF = math.nan, math.inf
POSITIVE = "in (0, inf)"
COUNT = "steps must be an integer in [1, 100000], got "


@pytest.mark.parametrize(
    ("optimizer", "given", "said"),
    [
        (GD, {"rate": 0.1}, ["gd", "'rate'", "it has: lr"]),
        (MOMENTUM, {"eps": 0.1}, ["momentum", "'eps'", "it has: lr, momentum"]),
        (GD, {"lr": 0.0}, ["lr", POSITIVE, "0.0"]),
        (GD, {"lr": -0.1}, ["lr", POSITIVE, "-0.1"]),
        (GD, {"lr": NAN}, ["lr", POSITIVE, "nan"]),
        (GD, {"lr": INF}, ["lr", "finite", POSITIVE, "inf."]),
        (GD, {"lr": "0.1"}, ["lr", POSITIVE, "'0.1'"]),
        (GD, {"lr": True}, ["lr", POSITIVE, "True"]),
        (GD, {"lr": None}, ["lr", POSITIVE, "None"]),
        (GD, {"lr": 1j}, ["lr", POSITIVE, "1j"]),
        (MOMENTUM, {"momentum": 1.0}, ["momentum", "in [0, 1)", "1.0"]),
        (MOMENTUM, {"momentum": -0.1}, ["momentum", "in [0, 1)", "-0.1"]),
        (ADAM, {"beta1": 1}, ["beta1", "in [0, 1)", "1."]),
        (ADAM, {"beta2": 1.0}, ["beta2", "in [0, 1)", "1.0"]),
        (ADAM, {"eps": -1e-8}, ["eps", "in [0, inf)", "-1e-08"]),
        (ADAM, {"bias_correction": 0.5}, ["bias_correction", "True or False", "0.5"]),
        (ADAM, {"bias_correction": "yes"}, ["bias_correction", "True or False", "'yes'"]),
        (GD, {"start": ()}, ["start", "1 finite number", "()"]),
        (GD, {"start": (1.0, 2.0)}, ["start", "1 finite number", "(1.0, 2.0)"]),
        (GD, {"start": 1.0}, ["start", "1 finite number", "1.0"]),
        (GD, {"start": (NAN,)}, ["start", "1 finite number", "nan"]),
        (GD, {"start": (-INF,)}, ["start", "1 finite number", "-inf"]),
        (GD, {"start": (None,)}, ["start", "1 finite number", "None"]),
        (GD, {"start": ("a",)}, ["start", "1 finite number", "'a'"]),
        (GD, {"steps": 0}, [COUNT, "0."]),
        (GD, {"steps": -1}, [COUNT, "-1."]),
        (GD, {"steps": 100_001}, [COUNT, "100001."]),
        (GD, {"steps": 2.5}, [COUNT, "2.5."]),
        (GD, {"steps": NAN}, [COUNT, "nan."]),
        (GD, {"steps": True}, [COUNT, "True."]),
        (GD, {"steps": "3"}, [COUNT, "'3'."]),
        (GD, {"steps": None}, [COUNT, "None."]),
        (GD, {"seed": -1}, ["seed must be an integer in [0, ", "-1."]),
        (GD, {"seed": 0.5}, ["seed must be an integer in [0, ", "0.5."]),
        (GD, {"seed": 2**63}, ["seed must be an integer in [0, ", f"{2**63}."]),
        (GD, {"noise": -1.0}, ["noise", "in [0, inf)", "-1.0"]),
        (GD, {"noise": NAN}, ["noise", "in [0, inf)", "nan"]),
        (GD, {"noise": INF}, ["noise", "in [0, inf)", "inf."]),
        (GD, {"noise": True}, ["noise", "in [0, inf)", "True"]),
    ],
)
def test_bad_input_is_named(optimizer: Optimizer, given: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        simulate(PARABOLA, optimizer, **given)
    text = str(refused.value)
    assert [part for part in said if part not in text] == []
    assert "\n" not in text


@pytest.mark.parametrize("start", ["1", ("1",), (True,)])
def test_only_numbers_are_a_start(start: Any) -> None:
    with pytest.raises(ValueError, match="start"):
        simulate(PARABOLA, GD, start=start)


@pytest.mark.parametrize("given", [{"lr": 10**400}, {"start": (10**400,)}, {"noise": 10**400}])
def test_integers_too_large_for_a_float_are_named(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))):
        simulate(PARABOLA, GD, **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tilt": 1.0}, ["bowl", "'tilt'", "it has: condition, rotation"]),
        ({"condition": 0.5}, ["condition", "in [1, inf)", "0.5"]),
        ({"condition": True}, ["condition", "in [1, inf)", "True"]),
        ({"rotation": -INF}, ["rotation", "finite", "-inf"]),
        ({"rotation": NAN}, ["rotation", "finite", "nan"]),
    ],
)
def test_bad_surface_parameters_are_named(given: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        SURFACES["bowl"].with_params(**given)
    assert [part for part in said if part not in str(refused.value)] == []


@pytest.mark.parametrize("steps", [1, 3.0, np.int64(3)])
def test_whole_numbers_of_any_type_are_steps(steps: Any) -> None:
    assert len(simulate(PARABOLA, GD, steps=steps).gradients) == int(steps)


def test_numbers_of_numpy_are_hyperparameters() -> None:
    given: dict[str, Any] = {"start": np.array([10.0]), "steps": np.int64(1)}
    run = simulate(PARABOLA, GD, lr=np.float64(0.1), **given)
    assert run.positions[1, 0] == 8.0


def test_the_most_steps() -> None:
    assert len(simulate(PARABOLA, GD, steps=100_000).positions) == 100_001


@EVERY_OPTIMIZER
@pytest.mark.parametrize("surface", [PARABOLA, ROSENBROCK], ids=["1-D", "2-D"])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_what_is_recorded(optimizer: Optimizer, surface: Any, noise: float) -> None:
    start = tuple(0.5 * c for c in surface.start)
    run = simulate(surface, optimizer, start=start, steps=7, noise=noise)
    shapes = {
        "positions": (8, surface.dim),
        "losses": (8,),
        "gradients": (7, surface.dim),
        "probes": (7, surface.dim),
    }
    arrays = {name: getattr(run, name) for name in shapes}
    assert {name: array.shape for name, array in arrays.items()} == shapes
    assert list(run.slots) == list(optimizer.slots)
    assert {slot.shape for slot in run.slots.values()} <= {(8, surface.dim)}
    for array in (*arrays.values(), *run.slots.values()):
        assert array.dtype == np.float64
        assert not array.flags.writeable
    assert tuple(run.positions[0]) == start
    assert all(np.all(slot[0] == 0.0) for slot in run.slots.values())
    assert run.hypers == {h.name: h.default for h in optimizer.hypers}
    assert run.noisy == (noise > 0.0)
    losses = [surface.value(*row) for row in run.positions.tolist()]
    np.testing.assert_array_equal(run.losses, losses)


def test_what_is_recorded_can_be_evaluated_again() -> None:
    run = simulate(PARABOLA, GD, steps=3)
    np.testing.assert_array_equal(evaluate(PARABOLA, "value", run.positions), run.losses)


def test_the_start_is_the_surface_s_own_unless_given() -> None:
    assert tuple(simulate(ROSENBROCK, GD, steps=1).positions[0]) == ROSENBROCK.start


def noise_in(run: Run) -> np.ndarray:
    slopes = [run.surface.gradient(*row, *run.surface.args) for row in run.probes.tolist()]
    return run.gradients - np.array(slopes, dtype=np.float64)


@EVERY_OPTIMIZER
def test_every_method_meets_the_same_noise(optimizer: Optimizer) -> None:
    lr = 0.01 * getattr(PARABOLA.pace, optimizer.pace)
    run = simulate(PARABOLA, optimizer, steps=300, noise=2.0, seed=5, lr=lr)
    draws = 2.0 * np.random.default_rng(5).standard_normal((300, 1))
    # Taking the slope of up to 20 away again costs its rounding, 4e-15.
    np.testing.assert_allclose(noise_in(run), draws, rtol=0, atol=1e-14)


def test_noise_is_reproducible_and_a_longer_run_begins_alike() -> None:
    given: dict[str, Any] = {"noise": 0.3, "lr": 1e-4}
    short = simulate(ROSENBROCK, GD, steps=20, seed=1, **given)
    long = simulate(ROSENBROCK, GD, steps=90, seed=1, **given)
    other = simulate(ROSENBROCK, GD, steps=20, seed=2, **given)
    again = simulate(ROSENBROCK, GD, steps=20, seed=1, **given)
    np.testing.assert_array_equal(again.positions, short.positions)
    np.testing.assert_array_equal(long.positions[:21], short.positions)
    assert not np.any(other.positions[1:] == short.positions[1:])


def test_noise_has_the_deviation_asked_for_and_leaves_the_loss_alone() -> None:
    run = simulate(PARABOLA, GD, steps=100_000, noise=3.0, lr=1e-3)
    # Four standard errors of the deviation, 1/√(2n), and of the mean, 3/√n, of 100,000 draws
    assert np.std(noise_in(run)) == pytest.approx(3.0, rel=4.0 / np.sqrt(200_000))
    assert np.mean(noise_in(run)) == pytest.approx(0.0, abs=12.0 / np.sqrt(100_000))
    np.testing.assert_array_equal(run.losses, run.positions[:, 0] ** 2)


def test_without_noise_the_seed_changes_nothing() -> None:
    runs = [simulate(ROSENBROCK, GD, steps=20, seed=seed, lr=1e-3) for seed in (0, 1)]
    np.testing.assert_array_equal(runs[0].positions, runs[1].positions)


@EVERY_OPTIMIZER
@pytest.mark.parametrize("surface", [PARABOLA, ROSENBROCK], ids=["1-D", "2-D"])
def test_overflow_is_recorded_and_says_nothing(
    optimizer: Optimizer, surface: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    """Warnings are errors here; compiled code could still print."""
    start = [1e200] * surface.dim
    run = simulate(surface, optimizer, start=start, steps=50, lr=1e200)
    assert not np.all(np.isfinite(run.losses))
    assert tuple(run.positions[0]) == tuple(start)
    assert capfd.readouterr() == ("", "")


def test_noise_that_overflows_says_nothing() -> None:
    assert not np.all(np.isfinite(simulate(PARABOLA, GD, steps=99, noise=1e308).gradients))


def test_gradient_descent_on_rosenbrock_leaves_the_floats_for_good() -> None:
    run = simulate(ROSENBROCK, GD, steps=50, lr=0.1)
    first = int(np.argmin(np.all(np.isfinite(run.positions), axis=1)))
    assert 0 < first < 50
    assert not np.any(np.isfinite(run.positions[first:]).all(axis=1))


def test_nothing_is_clipped() -> None:
    """On p² with lr 1.05 each number is 10·(−1.1)ᵗ, until the slope 2p passes 1.8e308."""
    run = simulate(PARABOLA, GD, start=(10.0,), steps=7_500, lr=1.05)
    p = run.positions[:, 0]
    finite = int(np.argmin(np.isfinite(p)))
    with decimal.localcontext(prec=40):
        factor = 1 - 2 * decimal.Decimal.from_float(1.05)  # the double, not exactly 1.05
        exact = np.array([float(10 * factor**t) for t in range(finite)])
    steep = np.abs(exact) > np.finfo(float).max / 2.0
    assert np.flatnonzero(steep).tolist() == [finite - 1]
    # 7,417 steps, each rounding at random by up to 3e-16: 3e-16 · √7417 is 3e-14
    np.testing.assert_allclose(p[:finite], exact, rtol=1e-12)
    assert not np.any(np.isfinite(p[finite:]))


BOWL = SURFACES["bowl"].with_params(condition=30.0, rotation=25.0)
TURN = np.array([[np.cos(np.pi * 25 / 180), -np.sin(np.pi * 25 / 180)],
                 [np.sin(np.pi * 25 / 180), np.cos(np.pi * 25 / 180)]])  # fmt: skip
HESSIAN = TURN @ np.diag([60.0, 2.0]) @ TURN.T
ONE, LR, BETA = np.eye(2), 0.02, 0.8

# (θ, m) at the next step, as a matrix, since the slope is HESSIAN @ θ
MATRICES = {
    "gd": np.block([[ONE - LR * HESSIAN, 0 * ONE], [0 * ONE, 0 * ONE]]),
    "momentum": np.block([[ONE - LR * HESSIAN, BETA * ONE], [-LR * HESSIAN, BETA * ONE]]),
    "nesterov": np.block(
        [
            [ONE - LR * HESSIAN, BETA * (ONE - LR * HESSIAN)],
            [-LR * HESSIAN, BETA * (ONE - LR * HESSIAN)],
        ]
    ),
}


@pytest.mark.parametrize("key", MATRICES)
def test_closed_form_on_a_quadratic(key: str) -> None:
    given: dict[str, Any] = {"lr": LR} if key == "gd" else {"lr": LR, "momentum": BETA}
    run = simulate(BOWL, OPTIMIZERS[key], start=(3.0, -2.0), steps=100, **given)
    state = np.array([3.0, -2.0, 0.0, 0.0])
    for t in range(101):
        exact = np.linalg.matrix_power(MATRICES[key], t) @ state
        # 100 contracting steps of a few roundings (2e-16) of a start of 3
        np.testing.assert_allclose(run.positions[t], exact[:2], rtol=0, atol=1e-13)
        if key != "gd":
            np.testing.assert_allclose(run.slots["m"][t], exact[2:], rtol=0, atol=1e-13)
