"""The Schedules page: its link, and whether what it says of its scenes is so."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES, simulate
from surfaces import SURFACES
from tests.test_rate_link import garbage
from tests.test_wire import decode
from ui.permalink import suggested_lr
from ui.race import race
from ui.scenes import SCENES
from ui.schedule_link import DEFAULT_OPTIMIZER, DEFAULT_SCHEDULES, RESTLESS, View, parse
from ui.schedules import schedules_message

SEARCH = settings(derandomize=True, deadline=None, database=None)
BOWL = SURFACES["bowl"]


def view_of(query: str) -> View:
    view, _, notes = parse(query)
    assert notes == []
    return view


def message(query: str) -> tuple[dict[str, Any], dict[str, Any]]:
    view, clean, notes = parse(query)
    return decode(schedules_message(view, query, clean, notes))


def numbers(text: str) -> list[float]:
    return [float(n.rstrip(".")) for n in re.findall(r"-?\d[\d.]*(?:e[+-]?\d+)?", text)]


def test_nothing_is_the_defaults() -> None:
    view, clean, notes = parse("")
    assert (clean, notes) == ("", [])
    assert view.scene.key == "race"
    assert view.cast.racer.optimizer.key == DEFAULT_OPTIMIZER
    assert [r.key for r in view.setup.racers] == [k for k in SCHEDULES if k in DEFAULT_SCHEDULES]
    assert view.setup.noise == RESTLESS.default


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("of", OPTIMIZERS)
@pytest.mark.parametrize("surface", ["bowl", "plane", "parabola"])
def test_every_scene_has_its_runs(scene: str, of: str, surface: str) -> None:
    header, groups = message(f"scene={scene}&of={of}&surface={surface}&steps=30&at=9")
    said = header["scene"]["says"]
    assert said.endswith(".")
    assert (header["scene"]["key"], header["scene"]["of"]) == (scene, of)
    keys = [run["key"] for run in header["runs"]]
    assert len(set(keys)) == len(keys)
    assert len(groups["positions"]) == len(keys) * SURFACES[surface].dim


@pytest.mark.parametrize("key", SCHEDULES)
def test_a_race_is_simulate_under_each_schedule(key: str) -> None:
    view = view_of(f"sched={key}&of=adam&steps=80&noise=0.5&seed=4&warmup=6")
    (lane,) = race(view.setup)
    run = simulate(
        BOWL, OPTIMIZERS["adam"], steps=80, noise=0.5, seed=4,
        lr=suggested_lr(BOWL, OPTIMIZERS["adam"]), schedule=SCHEDULES[key].with_params(warmup=6),
    )  # fmt: skip
    np.testing.assert_array_equal(lane.whole.positions, run.positions)
    np.testing.assert_array_equal(lane.whole.rates, run.rates)


def test_the_winner_is_the_lowest() -> None:
    view = view_of("sched=" + "-".join(SCHEDULES))
    said = view.scene.says(view.cast, view.setup)
    losses = {
        r.own_name: lane.whole.losses[-1]
        for r, lane in zip(view.setup.racers, race(view.setup), strict=True)
    }
    best = min(losses, key=lambda name: losses[name])
    assert f": {best}, " in said
    assert numbers(said)[-1] == pytest.approx(losses[best], rel=6e-3)
    assert view_of("sched=").setup.racers == ()
    assert "Choose a schedule" in message("sched=")[0]["scene"]["says"]


@pytest.mark.parametrize("key", SCHEDULES)
def test_a_resumed_run_with_the_count_kept_is_the_undivided_one(key: str) -> None:
    view = view_of(f"scene=resume&schedule={key}&steps=120&at=50&noise=1")
    kept, reset = race(view.setup)
    whole = simulate(
        BOWL, OPTIMIZERS[DEFAULT_OPTIMIZER], steps=120, noise=1.0, schedule=SCHEDULES[key],
        lr=suggested_lr(BOWL, OPTIMIZERS[DEFAULT_OPTIMIZER]),
    )  # fmt: skip
    np.testing.assert_array_equal(kept.whole.positions, whole.positions)
    np.testing.assert_array_equal(kept.whole.rates, whole.rates)
    np.testing.assert_array_equal(reset.whole.positions[:51], whole.positions[:51])
    if whole.rates[50] != whole.rates[0]:
        assert reset.whole.rates[50] == whole.rates[0], "back up at once"


@pytest.mark.parametrize(
    ("query", "step", "should", "factor"),
    [
        ("schedule=exponential&exponential.span=50&at=100", 100, 0.01, 100.0),
        # both have the first rate until the count that was kept is at its first drop
        ("schedule=piecewise&at=50", 100, 0.1, 10.0),
        ("schedule=constant&warmup=10&at=50", 50, 1.0, 0.1),
    ],
)
def test_the_jump_is_as_said(query: str, step: int, should: float, factor: float) -> None:
    view = view_of(f"scene=resume&noise=0&{query}")
    lr = suggested_lr(BOWL, OPTIMIZERS[DEFAULT_OPTIMIZER])
    expected = [step, lr * should, lr * should * factor, factor]
    assert numbers(view.scene.says(view.cast, view.setup))[:4] == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("query", ["schedule=constant", "schedule=cosine&at=200"])
def test_a_reset_that_changes_nothing_is_told(query: str) -> None:
    view = view_of(f"scene=resume&{query}")
    assert "a reset changes nothing" in view.scene.says(view.cast, view.setup)
    kept, reset = (lane.whole.positions for lane in race(view.setup))
    np.testing.assert_array_equal(kept, reset)


def test_the_two_conventions_part_only_under_a_schedule() -> None:
    view = view_of("scene=ingredient&schedule=exponential&noise=0")
    assert view.cast.ingredient is not None
    assert view.cast.ingredient.key == "rate_inside"
    said = view.scene.says(view.cast, view.setup)
    inside, outside = (lane.whole.positions for lane in race(view.setup))
    apart = np.linalg.norm(inside - outside, axis=1)
    first, at, most = numbers(said)
    assert apart[int(first)] > 1e-9
    assert (apart[: int(first)] < 1e-7).all()
    assert int(at) == apart.argmax()
    assert most == pytest.approx(apart.max(), rel=5e-3)
    level = view_of("scene=ingredient&schedule=constant&noise=0")
    assert "are the same" in level.scene.says(level.cast, level.setup)


def test_a_hand_over_goes_on_where_the_first_was() -> None:
    view = view_of("scene=handoff&of=adam&to=gd&at=40&steps=90&noise=0&gd.lr=0.004")
    one, other, both = (lane.whole for lane in race(view.setup))
    np.testing.assert_array_equal(both.positions[:41], one.positions[:41])
    gradient = 2.0 * both.positions[40] * [50.0, 1.0]
    np.testing.assert_allclose(both.positions[41], both.positions[40] - 0.004 * gradient)
    assert [r.own_name for r in view.setup.racers] == ["", "", "Adam, then GD"]
    assert not np.array_equal(other.positions, both.positions)
    said = numbers(view.scene.says(view.cast, view.setup))
    ends = [run.losses[-1] for run in (one, other, both)]
    assert said == pytest.approx([40, *ends], rel=5e-3)
    gone = view_of("scene=handoff&of=adam&to=gd&gd.lr=9&noise=0")
    assert "GD alone overflow, in turn overflow." in gone.scene.says(gone.cast, gone.setup)


def test_what_follows_a_plan_is_told_where_the_run_is_longer() -> None:
    (said,) = message("total=100")[0]["plans"]
    assert numbers(said)[:3] == [1.0, 100.0, 300.0]
    assert said.endswith(SCHEDULES["one_cycle"].ends)
    for query in ("", "total=300", "total=100&sched=cosine", "scene=resume&schedule=one_cycle"):
        assert message(query)[0]["plans"] == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("scene=moon", "scene must be one of"),
        ("sched=constant-moon", "sched must be one of"),
        ("of=sgd", "of must be one of"),
        ("to=sgd", "to must be one of"),
        ("of=adam&to=adam", "to must be another method than of"),
        ("steps=50&at=50", "at must be less than the 50 steps"),
        ("at=0", "at"),
        ("at=2.5", "whole number"),
        ("without=moon", "without must be one of"),
        ("power.power=-1", "power.power"),
    ],
)
def test_what_is_wrong_is_said_and_left_out(query: str, said: str) -> None:
    view, clean, notes = parse(query)
    assert any(said in note for note in notes), notes
    assert parse(clean)[0] == view


@settings(SEARCH, max_examples=150)
@given(st.integers(0, 10**6))
def test_no_link_breaks_the_page(seed: int) -> None:
    view, clean, notes = parse(urlencode(garbage(seed), doseq=True))
    assert parse(clean)[0] == view
    assert all(note.endswith(".") for note in notes)
