"""Several runs of one method: own settings, starts and schedules, told apart by name and look."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES, simulate
from optim_core.tuning import RATES, tune
from surfaces import SURFACES
from tests.reading import sent, state_of, told
from tests.test_state import EVERY_PAGE, SEARCH
from ui.panels.formula.panel import run_shown
from ui.panels.map.sheet import sheet
from ui.panels.paths.panel import lanes
from ui.runs.entry import keys

BOWL, GD = SURFACES["bowl"], OPTIMIZERS["gd"]
TWICE = "opt=gd-gd~2&gd~2.lr=0.2&gd~2.x=1"


def names(query: str) -> list[str]:
    return [entry["name"] for entry in told(query)["entries"]]


def test_each_run_has_its_own_values_and_start() -> None:
    one, other = (each.run for each in lanes(state_of(f"{TWICE}&steps=40")))
    np.testing.assert_array_equal(one.positions, simulate(BOWL, GD, steps=40, lr=0.017).positions)
    np.testing.assert_array_equal(
        other.positions, simulate(BOWL, GD, start=(1.0, 10.0), steps=40, lr=0.2).positions
    )


def test_a_run_has_its_own_schedule() -> None:
    query = "opt=gd-gd~2&schedule=power&gd~2.schedule=cosine&cosine.period=10&steps=40"
    plans = [SCHEDULES["power"], SCHEDULES["cosine"].with_params(period=10)]
    for each, plan in zip(lanes(state_of(query)), plans, strict=True):
        run = simulate(BOWL, GD, steps=40, lr=0.017, schedule=plan)
        np.testing.assert_array_equal(each.run.rates, run.rates)
        np.testing.assert_array_equal(each.run.positions, run.positions)


def test_a_method_alone_may_have_a_start_and_a_schedule_of_its_own() -> None:
    query = "opt=gd&gd.x=2&gd.schedule=exponential&steps=30"
    (each,) = lanes(state_of(query))
    run = simulate(
        BOWL, GD, start=(2.0, 10.0), steps=30, lr=0.017, schedule=SCHEDULES["exponential"]
    )
    np.testing.assert_array_equal(each.run.positions, run.positions)
    assert names(query) == ["GD"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (TWICE, ["GD η = 0.017", "GD η = 0.2, from (1, 10)"]),
        ("opt=gd-gd~2&gd.lr=0.0019&gd~2.lr=0.0021", ["GD η = 0.0019", "GD η = 0.0021"]),
        (
            "opt=momentum-momentum~2-momentum~3&momentum~2.momentum=0&momentum~3.momentum=0.99",
            ["Momentum β = 0.9", "Momentum β = 0", "Momentum β = 0.99"],
        ),
        (
            "opt=adam-adam~2&adam~2.bias_correction=0",
            ["Adam with bias correction", "Adam without bias correction"],
        ),
        ("opt=adam-adam~2&adam~2.beta1=0", ["Adam β₁ = 0.9", "Adam β₁ = 0"]),
        (
            "opt=gd-gd~2&gd.lr=0.12340&gd~2.lr=0.12341&gd.x=1&gd~2.x=1",
            ["GD η = 0.1234", "GD η = 0.12341"],
        ),
        (
            "opt=gd-gd~2&gd.x=1.00001&gd~2.x=1.00002",
            ["GD from (1.00001, 10)", "GD from (1.00002, 10)"],
        ),
        ("surface=parabola&opt=gd-gd~2&gd~2.x=3", ["GD", "GD from 3"]),
        ("opt=gd-gd~2&gd~2.schedule=cosine", ["GD constant", "GD cosine with restarts"]),
        ("opt=gd-gd~2-gd~3&gd~2.lr=0.5", ["GD η = 0.017", "GD η = 0.5", "GD η = 0.017 (2)"]),
        ("opt=gd-adam", ["GD", "Adam"]),
        ("opt=gd~2-adam&gd~2.lr=0.5", ["GD", "Adam"]),
    ],
)
def test_a_name_says_what_differs(query: str, expected: list[str]) -> None:
    assert names(query) == expected
    assert [run["look"]["name"] for run in told(query)["panels"]["paths"]["runs"]] == expected


CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "lr": st.sampled_from(["0.0019", "0.00190001", "0.0021", "0.019"]),
        "momentum": st.sampled_from(["0", "0.9", "0.99", "0.999"]),
        "x": st.sampled_from(["1.5", "1", "1.00001"]),
        "schedule": st.sampled_from(["constant", "cosine", "power"]),
    },
)


@SEARCH
@given(st.lists(CHOICES, min_size=2, max_size=9))
def test_no_two_runs_have_one_name(chosen: list[dict[str, str]]) -> None:
    runs = [key for key in keys(OPTIMIZERS) if key.startswith("momentum")][: len(chosen)]
    pairs = [
        f"{run}.{name}={value}"
        for run, own in zip(runs, chosen, strict=True)
        for name, value in own.items()
    ]
    entries = state_of("&".join([f"opt={'-'.join(runs)}", *pairs])).entries
    assert [entry.key for entry in entries] == runs
    assert len({entry.name for entry in entries}) == len(runs)


def test_no_two_runs_have_one_look() -> None:
    entries = state_of(f"opt={'-'.join(keys(OPTIMIZERS))}").entries
    assert len(entries) == 9 * len(OPTIMIZERS)
    for key, optimizer in OPTIMIZERS.items():
        looks = [entry.look for entry in entries if entry.recipe.optimizer is optimizer]
        assert looks[0] == optimizer.look, key
        assert {look.marker for look in looks} == {optimizer.look.marker}
        assert len({look.color for look in looks}) == len({look.dash for look in looks}) == 9


def test_runs_of_one_recipe_are_made_once() -> None:
    """Under whatever name and look: no look is part of what a run is known by."""
    state = state_of("opt=gd-gd~2&steps=21")
    one, other = lanes(state)
    assert one is other
    assert state.entries[0].look != state.entries[1].look
    # A start that is the one of all is none of its own.
    assert lanes(state_of("opt=gd~3&gd~3.x=1.5&gd~3.lr=0.017&steps=21"))[0] is one


def test_a_further_run_may_be_alone_with_the_default_of_its_method() -> None:
    state = state_of("opt=adam~4&adam.lr=0.25&steps=9")
    (entry,) = state.entries
    assert (entry.key, entry.recipe.values["lr"]) == ("adam~4", 0.3)
    assert told(state.clean)["defaults"]["adam.lr"] == 0.3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("opt=gd", ["GD (2)", "GD (3)"]),
        ("opt=gd-gd~2-gd~3&gd~3.x=3", ["GD (2)", "GD from (3, 10)"]),
        (
            "opt=gd&gd~2.schedule=cosine",
            ["GD cosine with restarts", "GD constant (2)"],
        ),
        ("opt=adam", ["GD", "GD (2)"]),
    ],
)
def test_two_that_are_mapped_are_told_apart_though_they_do_not_run(
    query: str, expected: list[str]
) -> None:
    said = told(f"{query}&of=gd~2&versus=gd~3&panel=basins&_coarse=1", "learning_rate")
    assert said["panels"]["map"]["view"]["names"] == expected


# Of each page the start of what it shows of gd~2.
STARTS = {
    "compare": "opt=gd~2",
    "learning_rate": "opt=gd-gd~2&of=gd~2",
    "step_by_step": "of=gd~2",
    "schedules": "of=gd~2&scene=handoff&to=gd~3&gd~3.x=1",
}


@EVERY_PAGE
def test_every_page_shows_a_further_run(page: str) -> None:
    query = f"{STARTS[page]}&gd~2.x=1&gd~2.y=-3&steps=30"
    state = state_of(query, page)
    shown = [run for run in told(query, page)["panels"]["paths"]["runs"] if run["key"] == "gd~2"]
    assert len(shown) == 1
    at = [entry.key for entry in state.entries].index("gd~2")
    assert sent(query, page)["paths.positions"][2 * at : 2 * at + 2, 0].tolist() == [1.0, -3.0]


def test_the_panels_of_a_page_are_of_the_further_run_too() -> None:
    own: dict[str, Any] = {"start": (1.0, -3.0), "steps": 30}
    query = "gd~2.x=1&gd~2.y=-3&steps=30"
    state = state_of(f"of=gd~2&{query}&gd~2.lr=0.01", "step_by_step")
    np.testing.assert_array_equal(
        run_shown(state).positions, simulate(BOWL, GD, lr=0.01, **own).positions
    )
    tuned = told(f"opt=gd-gd~2&tuned=1&{query}")["panels"]["tuning"]["tuning"]["each"]
    assert [each["key"] for each in tuned] == ["gd", "gd~2"]
    found = tune(BOWL, GD, **own)
    assert (tuned[1]["lr"], tuned[1]["loss"]) == (found.lr, found.excess[found.lr == RATES][0])
    view = state_of(f"opt=gd~2&of=gd~2&across=condition&{query}", "learning_rate")
    assert sheet(view, 4).start == own["start"]
    rates = told(f"opt=gd-gd~2&of=gd~2&lr=0.5&{query}", "learning_rate")["panels"]
    assert [limit["key"] for limit in rates["bands"]["limits"]] == ["gd", "gd~2"]
    assert rates["four"]["focus"]["key"] == rates["report"]["focus"] == "gd~2"
    assert all(rates["report"]["reports"]), "both diverge"
