"""The Learning rate page's message: runs, limits, reports, curves and bands."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, simulate
from optim_core.penalty import penalised
from surfaces import SURFACES
from tests.test_maps import verdict
from tests.test_rate_link import sharpest
from tests.test_wire import BOUNDS, decode
from ui.rate_link import parse, rate_hyper
from ui.rates import NOTCHES, rates_message

ALL = "-".join(OPTIMIZERS)
LINES = [key for key, surface in SURFACES.items() if surface.dim == 1]


def message_of(query: str, *, fine: bool = True) -> bytes:
    view, clean, notes = parse(query)
    assert notes == []
    return rates_message(view, query, clean, notes, fine=fine)


def told(query: str, *, fine: bool = True) -> tuple[dict[str, Any], Any]:
    header, groups = decode(message_of(query, fine=fine))
    return header, {name: np.array(rows) for name, rows in groups.items()}


def test_one_rate_for_all_that_are_shown() -> None:
    header, groups = told("opt=gd-adam&lr=0.01&steps=50")
    keys = ["gd", "adam"]
    assert [run["key"] for run in header["runs"]] == keys
    assert [limit["key"] for limit in header["limits"]] == keys
    assert len(header["reports"]) == len(keys)
    assert header["view"] == {
        "lr": 0.01, "focus": "gd", "versus": "adam", "panel": "map", "across": "condition",
        "axes": ["lr", "condition"],
    }  # fmt: skip
    for i, key in enumerate(keys):
        run = simulate(SURFACES["bowl"], OPTIMIZERS[key], steps=50, lr=0.01)
        np.testing.assert_allclose(groups["excess"][i], run.losses, rtol=BOUNDS["lead4"])


def test_limits_are_the_closed_forms_where_there_are_some() -> None:
    header, _ = told(f"opt={ALL}&momentum.momentum=0.8&steps=200")
    top = sharpest(SURFACES["bowl"], 1e-2)
    found = {limit["key"]: limit for limit in header["limits"]}
    assert list(found) == list(OPTIMIZERS)
    assert found["gd"]["lr"] == pytest.approx(2.0 / top, rel=1e-6)
    assert found["momentum"]["lr"] == pytest.approx(3.6 / top, rel=1e-6)
    assert found["nesterov"]["lr"] == pytest.approx(3.8 / (2.8 * top), rel=1e-6)
    for key, limit in found.items():
        plain = key in ("gd", "momentum", "nesterov")
        assert (limit["kind"] == "closed form") == plain
        assert limit["text"].endswith(".")


@pytest.mark.parametrize("lr", [0.005, 0.03, 1.0])
def test_a_report_is_there_for_a_run_that_diverged_and_for_no_other(lr: float) -> None:
    header, _ = told(f"opt={ALL}&lr={lr}&steps=200", fine=False)
    assert len(header["reports"]) == len(header["runs"])
    for run, report in zip(header["runs"], header["reports"], strict=True):
        assert (report is not None) == (run["kind"] == "diverged")
        if report:
            assert report["sentence"].endswith(".")
    kinds = {run["kind"] for run in header["runs"]}
    assert ("diverged" in kinds) == (lr > 0.02)


def test_the_reports_growth_is_the_closed_form() -> None:
    """Of gradient descent on p² every step is 1 − 2 lr times the one before."""
    header, _ = told("surface=parabola&opt=gd&lr=1.25", fine=False)
    (report,) = header["reports"]
    assert report["growth"] == pytest.approx(1.5, rel=1e-9)
    assert report["expected"] == pytest.approx(1.5, rel=1e-9)
    assert (report["pattern"], report["rise"], report["limit"]) == ("steady", 0, 1.0)


def test_four_curves_come_when_the_hand_rests() -> None:
    query = "opt=gd&steps=100&lr=0.01"
    header, groups = told(query)
    labels = [four["label"] for four in header["four"]]
    assert labels == ["too low", "good", "slightly too high", "too high"]
    rates = [four["lr"] for four in header["four"]]
    assert rates == sorted(rates)
    for lr, curve in zip(rates, groups["four"], strict=True):
        run = simulate(SURFACES["bowl"], OPTIMIZERS["gd"], steps=100, lr=lr)
        np.testing.assert_allclose(curve, run.losses, rtol=BOUNDS["lead3"])
    moving, without = told(query, fine=False)
    assert "four" not in moving
    assert "four" not in without
    assert moving["runs"] == header["runs"]


def test_four_curves_are_of_the_focus_and_not_of_the_slider() -> None:
    one, other = (told(f"of=momentum&opt=gd&lr={lr}")[0]["four"] for lr in (0.001, 0.5))
    assert one == other
    assert one != told("of=gd&opt=gd&lr=0.5")[0]["four"]
    assert told("surface=plane")[0]["four"] == []


@pytest.mark.parametrize("query", ["opt=gd-adam", "surface=himmelblau&opt=momentum&noise=0.5"])
def test_bands_agree_with_single_runs(query: str) -> None:
    """At each place: lr = low (high / low)ᵘ, u being the middle of a notch."""
    view = parse(f"{query}&steps=300")[0]
    rate, surface = rate_hyper(view.setup.surface), view.setup.surface
    _, groups = told(f"{query}&steps=300", fine=False)
    assert groups["strips"].shape == (len(view.setup.racers), NOTCHES)
    for racer, strip in zip(view.setup.racers, groups["strips"], strict=True):
        differ = 0
        for notch in range(5, NOTCHES, 30):
            lr = rate.low * (rate.high / rate.low) ** ((notch + 0.5) / NOTCHES)
            run = simulate(
                surface, racer.optimizer, steps=300, noise=view.setup.noise,
                **(dict(racer.hypers) | {"lr": lr}),
            )  # fmt: skip
            differ += verdict(run) != strip[notch]
        assert differ <= 1
        assert len(np.unique(strip)) > 1


@pytest.mark.parametrize("l1", [0.0, 1.5])
@pytest.mark.parametrize("surface", LINES)
def test_the_update_map_is_one_step_of_a_run(surface: str, l1: float) -> None:
    _, groups = told(f"surface={surface}&panel=orbits&of=gd&lr=0.2&l1={l1}", fine=False)
    shape = penalised(SURFACES[surface], l1=l1)
    (low, high), (before, after) = shape.domain[0], groups["update"]
    assert before.min() <= low
    assert before.max() >= high
    single = float(np.finfo(np.float32).eps)
    for p, then in list(zip(before, after, strict=True))[::37]:
        run = simulate(shape, OPTIMIZERS["gd"], start=(p,), steps=1, lr=0.2)
        slope = abs(float(run.gradients[0, 0])) + abs(p)
        assert then == pytest.approx(run.positions[1, 0], abs=4 * single * (1 + 10 * slope))


def test_the_cobweb_is_of_the_focus_even_if_it_does_not_run() -> None:
    query = "surface=double_well&panel=orbits&opt=adam&of=gd&lr=0.27&steps=60&x=1.3"
    _, groups = told(query, fine=False)
    run = simulate(SURFACES["double_well"], OPTIMIZERS["gd"], start=(1.3,), steps=60, lr=0.27)
    np.testing.assert_allclose(groups["focus"], run.positions.T, rtol=BOUNDS["f4"])
    # A method with a memory has no such map.
    assert "update" not in told(query.replace("of=gd", "of=momentum"), fine=False)[1]
    assert "focus" not in told("surface=double_well", fine=False)[1]


def strict(message: bytes) -> dict[str, Any]:
    """The header as a browser reads it, which knows no NaN and no infinity."""

    def refused(name: str) -> Any:
        raise AssertionError(name)

    (length,) = struct.unpack_from("<I", message)
    found: dict[str, Any] = json.loads(message[4 : 4 + length], parse_constant=refused)
    return found


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("lr", ["30", "1e10", "1e200", "1e308"])
def test_a_huge_rate_is_told_in_numbers_that_a_browser_reads(surface: str, lr: str) -> None:
    header = strict(message_of(f"surface={surface}&opt={ALL}&lr={lr}&steps=30", fine=False))
    assert [run["key"] for run in header["runs"]] == list(OPTIMIZERS)
    for run, report in zip(header["runs"], header["reports"], strict=True):
        assert (report is not None) == (run["kind"] == "diverged")
    if surface in ("parabola", "bowl", "rosenbrock"):
        assert all(header["reports"][:3])


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("place", ["x=1e308&y=-1e308", "x=1e150&y=1e150", "noise=1e308"])
def test_a_start_far_out_is_told_too(surface: str, place: str) -> None:
    header = strict(message_of(f"surface={surface}&opt={ALL}&steps=20&{place}"))
    assert all(limit["text"] for limit in header["limits"])


@pytest.mark.parametrize("surface", SURFACES)
def test_every_optimizer_can_be_the_focus(surface: str) -> None:
    for key in OPTIMIZERS:
        header = strict(message_of(f"surface={surface}&opt={key}&steps=30"))
        assert header["view"]["focus"] == key
        assert len(header["four"]) in (0, 4)
        assert all(0.0 < four["lr"] < math.inf for four in header["four"])


def test_nobody_runs() -> None:
    header, groups = told("opt=")
    assert header["runs"] == header["limits"] == header["reports"] == []
    assert groups["strips"].size == 0
    assert len(header["four"]) == 4
