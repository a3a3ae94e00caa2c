"""The Learning rate page's message: runs, limits, reports, curves and bands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, simulate
from optim_core.penalty import penalised
from surfaces import SURFACES
from tests import reading
from tests.test_map_state import sharpest
from tests.test_maps import verdict
from tests.test_wire import BOUNDS
from ui.panels.bands.panel import NOTCHES
from ui.state.rate import rate_hyper

PAGE = "learning_rate"
ALL = "-".join(OPTIMIZERS)
LINES = [key for key, surface in SURFACES.items() if surface.dim == 1]
MOVING = "&_coarse=1"  # while a hand moves, no curves are sent


def panels(query: str) -> dict[str, Any]:
    """What the page's message says, panel by panel; it has no NaN and no infinity in it."""
    found: dict[str, Any] = reading.told(query, PAGE)["panels"]
    return found


def sent(query: str) -> dict[str, np.ndarray]:
    return reading.sent(query, PAGE)


def keys(said: list[dict[str, Any]]) -> list[str]:
    return [one["key"] for one in said]


def test_one_rate_for_all_that_are_shown() -> None:
    query = "opt=gd-adam&lr=0.01&steps=50"
    said, chosen = panels(query), ["gd", "adam"]
    assert keys(said["paths"]["runs"]) == keys(said["bands"]["limits"]) == chosen
    assert said["report"]["limits"] == said["bands"]["limits"]
    assert (said["report"]["lr"], said["report"]["focus"]) == (0.01, "gd")
    assert len(said["report"]["reports"]) == len(chosen)
    assert said["map"]["view"] == {
        "lr": 0.01, "focus": "gd", "versus": "adam", "names": ["GD", "Adam"], "panel": "map",
        "look": {"name": "GD", "color": OPTIMIZERS["gd"].look.color}, "panels": ["map", "basins"],
        "across": "condition", "axes": ["lr", "condition"],
    }  # fmt: skip
    for key, curve in zip(chosen, sent(query)["paths.excess"], strict=True):
        run = simulate(SURFACES["bowl"], OPTIMIZERS[key], steps=50, lr=0.01)
        np.testing.assert_allclose(curve, run.losses, rtol=BOUNDS["lead4"])


def test_the_sliders_ends_are_the_surfaces() -> None:
    for surface in ("bowl", "plateau"):
        rate = rate_hyper(SURFACES[surface])
        entry = reading.told(f"surface={surface}{MOVING}", PAGE)["hypers"]["lr"]
        found = [entry[name] for name in ("low", "default", "high", "scale")]
        assert found == [rate.low, rate.default, rate.high, "log"]


def test_limits_are_the_closed_forms_where_there_are_some() -> None:
    said = panels(f"opt={ALL}&momentum.momentum=0.8&steps=200{MOVING}")["bands"]["limits"]
    top = sharpest(SURFACES["bowl"], 1e-2)
    found = {limit["key"]: limit for limit in said}
    assert list(found) == list(OPTIMIZERS)
    assert found["gd"]["lr"] == pytest.approx(2.0 / top, rel=1e-6)
    assert found["momentum"]["lr"] == pytest.approx(3.6 / top, rel=1e-6)
    assert found["nesterov"]["lr"] == pytest.approx(3.8 / (2.8 * top), rel=1e-6)
    for key, limit in found.items():
        plain = key in ("gd", "momentum", "nesterov")
        assert (limit["kind"] == "closed form") == plain
        assert limit["text"].endswith(".")


def pairs(said: dict[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each run with its report."""
    return list(zip(said["paths"]["runs"], said["report"]["reports"], strict=True))


@pytest.mark.parametrize("lr", [0.005, 0.03, 1.0])
def test_a_report_is_there_for_a_run_that_diverged_and_for_no_other(lr: float) -> None:
    said = panels(f"opt={ALL}&lr={lr}&steps=200{MOVING}")
    for run, report in pairs(said):
        assert (report is not None) == (run["kind"] == "diverged")
        if report:
            assert report["sentence"].endswith(".")
    kinds = {run["kind"] for run in said["paths"]["runs"]}
    assert ("diverged" in kinds) == (lr > 0.02)


def test_the_reports_growth_is_the_closed_form() -> None:
    """Of gradient descent on p² every step is 1 − 2 lr times the one before."""
    (report,) = panels(f"surface=parabola&opt=gd&lr=1.25{MOVING}")["report"]["reports"]
    assert report["growth"] == pytest.approx(1.5, rel=1e-9)
    assert report["expected"] == pytest.approx(1.5, rel=1e-9)
    assert (report["pattern"], report["rise"], report["limit"]) == ("steady", 0, 1.0)


def test_four_curves_come_when_the_hand_rests() -> None:
    query = "opt=gd&steps=100&lr=0.01"
    said = panels(query)
    labels = [four["label"] for four in said["four"]["four"]]
    assert labels == ["too low", "good", "slightly too high", "too high"]
    rates = [four["lr"] for four in said["four"]["four"]]
    assert rates == sorted(rates)
    for lr, curve in zip(rates, sent(query)["four.four"], strict=True):
        run = simulate(SURFACES["bowl"], OPTIMIZERS["gd"], steps=100, lr=lr)
        np.testing.assert_allclose(curve, run.losses, rtol=BOUNDS["lead3"])
    moving = panels(query + MOVING)
    assert "four" not in moving
    assert "four.four" not in sent(query + MOVING)
    assert moving["paths"] == said["paths"]


def test_four_curves_are_of_the_focus_and_not_of_the_slider() -> None:
    one, other = (panels(f"of=momentum&opt=gd&lr={lr}")["four"] for lr in (0.001, 0.5))
    assert one == other
    assert one["four"] != panels("of=gd&opt=gd&lr=0.5")["four"]["four"]
    assert panels("surface=plane")["four"]["four"] == []


@pytest.mark.parametrize("query", ["opt=gd-adam", "surface=himmelblau&opt=momentum&noise=0.5"])
def test_bands_agree_with_single_runs(query: str) -> None:
    """At each place: lr = low (high / low)ᵘ, u being the middle of a notch."""
    state = reading.state_of(f"{query}&steps=300", PAGE)
    rate, strips = rate_hyper(state.surface), sent(f"{query}&steps=300{MOVING}")["bands.strips"]
    assert strips.shape == (len(state.entries), NOTCHES)
    for entry, strip in zip(state.entries, strips, strict=True):
        differ = 0
        for notch in range(5, NOTCHES, 30):
            lr = rate.low * (rate.high / rate.low) ** ((notch + 0.5) / NOTCHES)
            run = simulate(
                state.surface, entry.recipe.optimizer, steps=300, noise=state["noise"],
                **(entry.recipe.values | {"lr": lr}),
            )  # fmt: skip
            differ += verdict(run) != strip[notch]
        assert differ <= 1
        assert len(np.unique(strip)) > 1


@pytest.mark.parametrize("l1", [0.0, 1.5])
@pytest.mark.parametrize("surface", LINES)
def test_the_update_map_is_one_step_of_a_run(surface: str, l1: float) -> None:
    groups = sent(f"surface={surface}&panel=orbits&of=gd&lr=0.2&l1={l1}{MOVING}")
    shape = penalised(SURFACES[surface], l1=l1)
    (low, high), (before, after) = shape.domain[0], groups["map.update"]
    assert before.min() <= low
    assert before.max() >= high
    single = float(np.finfo(np.float32).eps)
    for p, then in list(zip(before, after, strict=True))[::37]:
        run = simulate(shape, OPTIMIZERS["gd"], start=(p,), steps=1, lr=0.2)
        slope = abs(float(run.gradients[0, 0])) + abs(p)
        assert then == pytest.approx(run.positions[1, 0], abs=4 * single * (1 + 10 * slope))


def test_the_cobweb_is_of_the_focus_even_if_it_does_not_run() -> None:
    query = "surface=double_well&panel=orbits&opt=adam&of=gd&lr=0.27&steps=60&x=1.3"
    run = simulate(SURFACES["double_well"], OPTIMIZERS["gd"], start=(1.3,), steps=60, lr=0.27)
    focus = sent(query + MOVING)["map.focus"]
    np.testing.assert_allclose(focus, run.positions.T, rtol=BOUNDS["f4"])
    # A method with a memory has no such map.
    assert "map.update" not in sent(query.replace("of=gd", "of=momentum") + MOVING)
    assert "map.focus" not in sent(f"surface=double_well{MOVING}")


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("lr", ["30", "1e10", "1e200", "1e308"])
def test_a_huge_rate_is_told_in_numbers_that_a_browser_reads(surface: str, lr: str) -> None:
    said = panels(f"surface={surface}&opt={ALL}&lr={lr}&steps=30{MOVING}")
    assert keys(said["paths"]["runs"]) == list(OPTIMIZERS)
    for run, report in pairs(said):
        assert (report is not None) == (run["kind"] == "diverged")
    if surface in ("parabola", "bowl", "rosenbrock"):
        assert all(said["report"]["reports"][:3])


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("place", ["x=1e308&y=-1e308", "x=1e150&y=1e150", "noise=1e308"])
def test_a_start_far_out_is_told_too(surface: str, place: str) -> None:
    said = panels(f"surface={surface}&opt={ALL}&steps=20&{place}")
    assert all(limit["text"] for limit in said["bands"]["limits"])


@pytest.mark.parametrize("surface", SURFACES)
def test_every_optimizer_can_be_the_focus(surface: str) -> None:
    for key in OPTIMIZERS:
        said = panels(f"surface={surface}&opt={key}&steps=30")
        assert said["map"]["view"]["focus"] == said["four"]["focus"]["key"] == key
        assert len(said["four"]["four"]) in (0, 4)
        assert all(0.0 < four["lr"] < math.inf for four in said["four"]["four"])


def test_nobody_runs() -> None:
    said = panels("opt=")
    assert said["paths"]["runs"] == said["bands"]["limits"] == said["report"]["reports"] == []
    assert sent("opt=")["bands.strips"].size == 0
    assert len(said["four"]["four"]) == 4
