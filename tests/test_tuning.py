"""Fair tuning against the same trial runs, made one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, simulate
from optim_core.hypers import LR
from optim_core.tuning import A_DECADE, RATES, tune
from surfaces import SURFACES
from tests import reading

STEPS = 60
BOTTOMLESS = [key for key, surface in SURFACES.items() if not surface.minima]


def trials(surface: str, key: str, steps: int, **hypers: Any) -> tuple[np.ndarray, np.ndarray]:
    """Final losses above the least, and which runs diverged."""
    shape = SURFACES[surface]
    runs = [simulate(shape, OPTIMIZERS[key], steps=steps, lr=lr, **hypers) for lr in RATES]
    least = min(float(shape.value(*p, *shape.args)) for p in shape.minima)
    excess = np.array([run.losses[-1] for run in runs]) - least
    return excess, np.array([run.outcome.kind == "diverged" for run in runs])


@pytest.mark.parametrize("surface", ["bowl", "rosenbrock"])
@pytest.mark.parametrize(("key", "hypers"), [
    ("gd", {}), ("momentum", {"momentum": 0.5}), ("adam", {"beta1": 0.8}),
])  # fmt: skip
def test_it_is_what_single_runs_show(surface: str, key: str, hypers: dict[str, Any]) -> None:
    shape = SURFACES[surface]
    found = tune(shape, OPTIMIZERS[key], start=shape.start, steps=STEPS, **hypers)
    excess, diverged = trials(surface, key, STEPS, **hypers)
    np.testing.assert_array_equal(found.excess, excess)
    fair = np.where(diverged | ~np.isfinite(excess), np.inf, excess)
    first = float(shape.value(*shape.start, *shape.args))
    assert fair.min() > 1e-12 * first, "none has arrived, so the best is the one with least loss"
    assert found.lr == RATES[fair.argmin()]
    np.testing.assert_array_equal(found.works, fair <= 10.0 * fair.min())
    assert found.decades == pytest.approx(found.works.sum() / 30.0)
    assert 0 < found.works.sum() < len(RATES)


def test_noise_and_start_reach_the_trials() -> None:
    shape, gd = SURFACES["bowl"], OPTIMIZERS["gd"]
    found = tune(shape, gd, start=(1.0, -2.0), steps=30, noise=0.5, seed=4)
    runs = [
        simulate(shape, gd, start=(1.0, -2.0), steps=30, noise=0.5, seed=4, lr=lr) for lr in RATES
    ]
    np.testing.assert_array_equal(found.excess, [run.losses[-1] for run in runs])


def test_the_rates_are_evenly_spaced_and_short() -> None:
    assert (RATES[0], RATES[-1]) == (LR.low, LR.high)
    np.testing.assert_allclose(np.diff(np.log10(RATES)), 1.0 / A_DECADE, atol=5e-3)
    assert all(float(f"{rate:.3g}") == rate for rate in RATES)


@pytest.mark.parametrize("key", ["gd", "adam"])
def test_of_those_that_have_arrived_the_middle_one_is_the_best(key: str) -> None:
    """On p² from 10, gradient descent with lr leaves 10 (1 − 2 lr)ᵀ."""
    parabola = SURFACES["parabola"]
    found = tune(parabola, OPTIMIZERS[key], start=(10.0,), steps=3000)
    excess, diverged = trials("parabola", key, 3000)
    arrived = np.flatnonzero(~diverged & (excess <= 1e-12 * 100.0))
    assert len(arrived) > 10
    assert found.lr == RATES[arrived[len(arrived) // 2]]
    assert found.works[arrived].all()
    if key == "gd":
        closed = np.flatnonzero(6000.0 * np.log(np.abs(1.0 - 2.0 * RATES)) <= np.log(1e-12))
        np.testing.assert_array_equal(arrived, closed)


@pytest.mark.parametrize("surface", BOTTOMLESS)
def test_a_surface_without_a_bottom_has_no_best_rate(surface: str) -> None:
    shape = SURFACES[surface]
    with pytest.raises(ValueError, match=shape.name) as error:
        tune(shape, OPTIMIZERS["gd"], start=shape.start, steps=5)
    assert str(error.value).endswith(".")
    assert told(f"surface={surface}&tuned=1")["each"] == []


def told(query: str) -> Any:
    """What Compare says of tuning, or None if nothing."""
    return reading.told(query)["panels"].get("tuning", {"tuning": None})["tuning"]


def test_every_rate_may_diverge() -> None:
    found = tune(SURFACES["double_well"], OPTIMIZERS["gd"], start=(1e150,), steps=5)
    assert found.lr is None
    assert not found.works.any()
    assert found.decades == 0.0
    (said,) = told("surface=double_well&opt=gd&x=1e150&tuned=1")["each"]
    assert (said["lr"], said["loss"], set(said["fates"])) == (None, None, {"x"})


def test_all_have_the_same_trials_and_only_when_asked_for() -> None:
    everyone = "-".join(OPTIMIZERS)
    assert told(f"opt={everyone}&steps=20") is None
    said = told(f"opt={everyone}&steps=20&tuned=1")
    assert [one["key"] for one in said["each"]] == list(OPTIMIZERS)
    assert {len(one["fates"]) for one in said["each"]} == {said["trials"]} == {len(RATES)}
    assert said["rates"] == [LR.low, LR.high]
    for one in said["each"]:
        at = RATES.tolist().index(one["lr"])
        assert one["fates"][at] == "w"
        assert one["decades"] == pytest.approx(one["fates"].count("w") / A_DECADE)


def test_a_method_with_l2_as_its_own_decay_is_tuned_for_the_loss_that_is_compared() -> None:
    """f + l2/2 ‖p‖² of what AdamW ends at on f alone, from single runs."""
    query = "surface=himmelblau&l2=5&decoupled=1&opt=adam-adamw&steps=100&tuned=1"
    bare, adamw = SURFACES["himmelblau"], OPTIMIZERS["adamw"]
    ends = [simulate(bare, adamw, steps=100, lr=lr, weight_decay=5.0).positions[-1] for lr in RATES]
    with np.errstate(all="ignore"):
        losses = np.array([bare.value(*p) + 2.5 * p @ p for p in ends])
    _, said = told(query)["each"]
    assert said["lr"] == RATES[np.nanargmin(losses)]
    header = reading.told(f"{query}&adamw.lr={said['lr']}")
    loss = said["loss"] + header["surface"]["base"]
    assert header["panels"]["paths"]["runs"][1]["loss"] == pytest.approx(loss, rel=1e-12)


def test_a_method_that_runs_where_there_is_no_bottom_is_tuned_where_there_is_one() -> None:
    """The plane with L1 falls for ever, but with AdamW's decay the runs do not."""
    (said,) = told("surface=plane&l2=1&l1=1&decoupled=1&opt=adamw&steps=50&tuned=1")["each"]
    assert said["lr"] is not None
    assert said["loss"] < 1.0  # from (8, 8), where F is 62.5 above its least value


def test_an_optimizers_own_rate_does_not_matter_to_its_trials() -> None:
    one, other = (told(f"opt=gd&steps=9&gd.lr={lr}&tuned=1") for lr in (0.1, 0.2))
    assert one == other


def test_what_is_found_cannot_be_changed() -> None:
    found = tune(SURFACES["bowl"], OPTIMIZERS["gd"], start=(1.5, 10.0), steps=5)
    assert not found.works.flags.writeable
    assert not found.excess.flags.writeable
