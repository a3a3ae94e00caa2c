"""The Schedules page: its scenes, and whether what it says of them is so."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, SCHEDULES, simulate
from surfaces import SURFACES
from tests import reading
from tests.reading import parse, state_of
from ui.panels.paths.panel import lanes
from ui.panels.scene.scenes import SCENES
from ui.state.common import suggested_lr
from ui.state.schema import State

PAGE, DEFAULT_OPTIMIZER = "schedules", "momentum"
BOWL = SURFACES["bowl"]


def view_of(query: str) -> State:
    return state_of(query, PAGE)


def panels(query: str) -> dict[str, Any]:
    """What the page's message says, panel by panel."""
    found: dict[str, Any] = reading.told(query, PAGE)["panels"]
    return found


def says(query: str) -> str:
    """The sentence of a scene."""
    found: str = panels(query)["scene"]["says"]
    return found


def numbers(text: str) -> list[float]:
    return [float(n.rstrip(".")) for n in re.findall(r"-?\d[\d.]*(?:e[+-]?\d+)?", text)]


def test_four_schedules_race_at_first() -> None:
    state = view_of("")
    assert (state["scene"].key, state["cast"].method.key) == ("race", DEFAULT_OPTIMIZER)
    names = ["constant", "exponential", "one_cycle", "cosine"]
    assert [entry.key for entry in state.entries] == [key for key in SCHEDULES if key in names]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("of", OPTIMIZERS)
@pytest.mark.parametrize("surface", ["bowl", "plane", "parabola"])
def test_every_scene_has_its_runs(scene: str, of: str, surface: str) -> None:
    query = f"scene={scene}&of={of}&surface={surface}&steps=30&at=9"
    said = panels(query)
    assert said["scene"]["says"].endswith(".")
    assert (said["scene"]["key"], said["scene"]["of"]) == (scene, of)
    keys = [run["key"] for run in said["paths"]["runs"]]
    assert len(set(keys)) == len(keys)
    groups = reading.sent(query, PAGE)
    assert len(groups["paths.positions"]) == len(keys) * SURFACES[surface].dim


@pytest.mark.parametrize("key", SCHEDULES)
def test_a_race_is_simulate_under_each_schedule(key: str) -> None:
    (lane,) = lanes(view_of(f"sched={key}&of=adam&steps=80&noise=0.5&seed=4&warmup=6"))
    run = simulate(
        BOWL, OPTIMIZERS["adam"], steps=80, noise=0.5, seed=4,
        lr=suggested_lr(BOWL, OPTIMIZERS["adam"]), schedule=SCHEDULES[key].with_params(warmup=6),
    )  # fmt: skip
    np.testing.assert_array_equal(lane.whole.positions, run.positions)
    np.testing.assert_array_equal(lane.whole.rates, run.rates)


def test_the_winner_is_the_lowest() -> None:
    query = "sched=" + "-".join(SCHEDULES)
    state, said = view_of(query), says(query)
    losses = {
        entry.name: lane.whole.losses[-1]
        for entry, lane in zip(state.entries, lanes(state), strict=True)
    }
    best = min(losses, key=lambda name: losses[name])
    assert f": {best}, " in said
    assert numbers(said)[-1] == pytest.approx(losses[best], rel=6e-3)
    assert view_of("sched=").entries == ()
    assert "Choose a schedule" in says("sched=")


@pytest.mark.parametrize("key", SCHEDULES)
def test_a_resumed_run_with_the_count_kept_is_the_undivided_one(key: str) -> None:
    kept, reset = lanes(view_of(f"scene=resume&schedule={key}&steps=120&at=50&noise=1"))
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
    lr = suggested_lr(BOWL, OPTIMIZERS[DEFAULT_OPTIMIZER])
    expected = [step, lr * should, lr * should * factor, factor]
    assert numbers(says(f"scene=resume&noise=0&{query}"))[:4] == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize("query", ["schedule=constant", "schedule=cosine&at=200"])
def test_a_reset_that_changes_nothing_is_told(query: str) -> None:
    query = f"scene=resume&{query}"
    assert "a reset changes nothing" in says(query)
    kept, reset = (lane.whole.positions for lane in lanes(view_of(query)))
    np.testing.assert_array_equal(kept, reset)


def test_the_two_conventions_part_only_under_a_schedule() -> None:
    query = "scene=ingredient&schedule=exponential&noise=0"
    assert panels(query)["scene"]["without"] == "rate_inside"
    inside, outside = (lane.whole.positions for lane in lanes(view_of(query)))
    apart = np.linalg.norm(inside - outside, axis=1)
    first, at, most = numbers(says(query))
    assert apart[int(first)] > 1e-9
    assert (apart[: int(first)] < 1e-7).all()
    assert int(at) == apart.argmax()
    assert most == pytest.approx(apart.max(), rel=5e-3)
    assert "are the same" in says("scene=ingredient&schedule=constant&noise=0")


def test_a_hand_over_goes_on_where_the_first_was() -> None:
    query = "scene=handoff&of=adam&to=gd&at=40&steps=90&noise=0&gd.lr=0.004"
    state = view_of(query)
    one, other, both = (lane.whole for lane in lanes(state))
    np.testing.assert_array_equal(both.positions[:41], one.positions[:41])
    gradient = 2.0 * both.positions[40] * [50.0, 1.0]
    np.testing.assert_allclose(both.positions[41], both.positions[40] - 0.004 * gradient)
    assert [entry.name for entry in state.entries] == ["Adam", "GD", "Adam, then GD"]
    assert not np.array_equal(other.positions, both.positions)
    ends = [run.losses[-1] for run in (one, other, both)]
    assert numbers(says(query)) == pytest.approx([40, *ends], rel=5e-3)
    gone = says("scene=handoff&of=adam&to=gd&gd.lr=9&noise=0")
    assert "GD alone overflow, in turn overflow." in gone


def test_what_follows_a_plan_is_told_where_the_run_is_longer() -> None:
    (said,) = panels("total=100")["paths"]["plans"]
    assert numbers(said)[:3] == [1.0, 100.0, 300.0]
    assert said.endswith(SCHEDULES["one_cycle"].ends)
    for query in ("", "total=300", "total=100&sched=cosine", "scene=resume&schedule=one_cycle"):
        assert panels(query)["paths"]["plans"] == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("scene=moon", "scene must be one of"),
        ("sched=constant-moon", "sched must be one of"),
        ("of=sgd", "of must be one of"),
        ("to=sgd", "to must be one of"),
        ("to=gd~0", "to may have gd~2 to gd~9"),
        ("of=adam&to=adam", "to must be another method than of"),
        ("steps=50&at=50", "at must be less than the 50 steps"),
        ("at=0", "at"),
        ("at=2.5", "whole number"),
        ("without=moon", "without must be one of"),
        ("power.power=-1", "power.power"),
    ],
)
def test_what_is_wrong_is_said_and_left_out(query: str, said: str) -> None:
    found, clean, (note,) = parse(query, PAGE)
    assert said in note
    assert parse(clean, PAGE) == (found, clean, [])
