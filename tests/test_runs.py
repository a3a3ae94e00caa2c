"""A comparison: fair runs, honest numbers, and messages that a browser can read."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figures.relief import Window, padded
from optim_core import OPTIMIZERS
from optim_core.kernels import evaluate
from optim_core.penalty import penalised
from optim_core.simulate import gradient_noise
from pages import PAGES
from surfaces import SURFACES
from tests.reading import sent, state_of, told
from tests.test_wire import BOUNDS, decode
from ui.panel import window_of
from ui.panels.paths.panel import lanes
from ui.panels.surface.panel import MARGIN
from ui.panels.surface.panel import message as surface_message
from ui.runs.lane import THRESHOLDS, Lane, lane, path_length, steps_within

SEARCH = settings(derandomize=True, deadline=None, database=None)
ALL = "-".join(OPTIMIZERS)
EVERY_SURFACE = pytest.mark.parametrize("key", SURFACES)


def race(query: str) -> list[Lane]:
    return lanes(state_of(query))


def runs_of(query: str) -> list[dict[str, Any]]:
    """What Compare's message says of its runs."""
    runs: list[dict[str, Any]] = told(query)["panels"]["paths"]["runs"]
    return runs


def first_within(excess: list[float], tolerance: float) -> int | None:
    """The definition, tried step by step."""
    for t in range(len(excess)):
        if all(e <= tolerance for e in excess[t:]):
            return t
    return None


@SEARCH
@given(
    st.lists(st.floats() | st.sampled_from([0.0, 0.5, 1.0, math.nan, math.inf]), min_size=1),
    st.sampled_from([0.0, 0.5, 1.0, 1e-6, 1e300]),
)
def test_steps_within_is_its_definition(excess: list[float], tolerance: float) -> None:
    assert steps_within(np.array(excess), tolerance) == first_within(excess, tolerance)


@pytest.mark.parametrize(
    ("excess", "expected"),
    [
        ([2.0, 1.0, 0.5], 1),
        ([1.0, 1.0], 0),
        ([0.0, 2.0, 0.0], 2),
        ([0.0, 0.0, 2.0], None),
        ([0.0, math.nan, 0.0], 2),
        ([0.0, 0.0, math.nan], None),
        ([math.inf, -math.inf], 1),
    ],
)
def test_steps_within_by_hand(excess: list[float], expected: int | None) -> None:
    assert steps_within(np.array(excess), 1.0) == expected


@pytest.mark.parametrize(
    ("lr", "total"),
    [
        (0.25, 10.0),  # p halves at every step: 5 + 2.5 + … = 10 (1 − 2⁻ᵀ)
        (0.75, 30.0),  # p turns into −p/2: steps of 15, 7.5, … add up however they are directed
    ],
)
def test_path_length_is_a_geometric_series(lr: float, total: float) -> None:
    (only,) = race(f"surface=parabola&opt=gd&x=10&steps=40&gd.lr={lr}")
    assert only.result["length"] == pytest.approx(total * (1.0 - 2.0**-40), rel=1e-15)


def test_path_length_in_the_plane() -> None:
    assert path_length(np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0], [-2.0, -8.0]])) == 18.0


@pytest.mark.parametrize("last", [math.inf, -math.inf, math.nan])
def test_path_length_of_an_overflow_is_none(last: float) -> None:
    assert path_length(np.array([[0.0, 1.0], [2.0, last]])) is None


def test_path_length_that_overflows_in_the_sum_is_none() -> None:
    assert path_length(np.array([[-1e308], [1e308], [-1e308]])) is None


@pytest.mark.parametrize("surface", ["plane", "bowl", "parabola"])
def test_all_racers_get_the_same_noise(surface: str) -> None:
    shape = SURFACES[surface]
    drawn = gradient_noise(0.5, 3, 50, shape.dim)
    assert np.ptp(drawn) > 1.0
    for one in race(f"surface={surface}&opt={ALL}&noise=0.5&seed=3&steps=50"):
        slopes = evaluate(shape, "gradient", one.run.probes)
        # What is left of a gradient of this size after a rounded sum and a difference.
        rounding = 4.0 * np.finfo(float).eps * (np.abs(slopes).max() + 3.0)
        np.testing.assert_allclose(one.run.gradients - slopes, drawn, rtol=0, atol=rounding)


def test_seeds_differ_and_repeat() -> None:
    first, second, again = (
        race(f"opt=gd&noise=1&steps=20&seed={seed}")[0].run.gradients for seed in (1, 2, 1)
    )
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, again)


def test_all_racers_have_the_same_budget_and_start() -> None:
    lanes = race(f"opt={ALL}&steps=77&x=1&y=-2")
    assert [one.run.optimizer.key for one in lanes] == list(OPTIMIZERS)
    for one in lanes:
        assert one.result["evaluations"] == 77
        assert one.run.probes.shape == one.run.gradients.shape == (77, 2)
        assert one.run.positions.shape == (78, 2)
        np.testing.assert_array_equal(one.run.positions[0], [1.0, -2.0])
    nesterov = next(one.run for one in lanes if one.run.optimizer.key == "nesterov")
    # Its only gradients are those at the probes: it gets none where it stands.
    assert not np.array_equal(nesterov.probes[1:], nesterov.positions[1:-1])
    slopes = evaluate(nesterov.surface, "gradient", nesterov.probes)
    np.testing.assert_array_equal(nesterov.gradients, slopes)


def test_hyperparameters_reach_the_run() -> None:
    (only,) = race("opt=adam&adam.lr=0.5&adam.beta1=0.25&adam.bias_correction=0")
    expected = {"lr": 0.5, "beta1": 0.25, "beta2": 0.999, "eps": 1e-8, "bias_correction": 0.0}
    expected["scaling"] = 1.0
    assert only.run.hypers == expected


@pytest.mark.parametrize(
    "query",
    [
        "surface=parabola&gd.lr=2&steps=5000",
        "surface=rosenbrock&gd.lr=1&steps=100",
        "surface=saddle&steps=5000",
        "surface=bowl&x=1e308&y=-1e308",
        "surface=beale&x=1e200&y=1e200",
        "surface=bowl&condition=1e308&rotation=1e308",
        "surface=plane&noise=1e308",
        "surface=styblinski_tang&gd.lr=1e308",
    ],
)
def test_a_run_that_leaves_the_floats_is_still_json(query: str) -> None:
    """The browser's JSON has no NaN and no infinity."""
    query += f"&opt={ALL}"
    for one in race(query):
        json.dumps(one.result, allow_nan=False)
    assert [run["key"] for run in runs_of(query)] == list(OPTIMIZERS)


def test_a_diverged_run_says_so() -> None:
    query = "surface=parabola&opt=gd&gd.lr=2&steps=2000"
    (run,) = runs_of(query)
    assert run["kind"] == "diverged"
    assert run["loss"] in ("inf", "nan")
    assert run["length"] is None
    assert run["within"] == [None, None]
    assert not math.isfinite(sent(query)["paths.excess"][0][-1])


def test_the_table_of_a_converged_run() -> None:
    query = "surface=parabola&opt=gd&gd.lr=0.25&x=10&steps=30"
    (run,) = runs_of(query)
    # The loss is 100/4ᵗ: at or below 1e-3 from t = 9 on, below 1e-6 from t = 14 on.
    assert THRESHOLDS == (1e-3, 1e-6)
    assert run["within"] == [9, 14]
    assert run["loss"] == pytest.approx(100.0 / 4.0**30, rel=1e-12)
    assert told(query)["surface"]["base"] == 0.0


def test_the_message_holds_the_runs() -> None:
    query = f"surface=rosenbrock&opt={ALL}&steps=60"
    header, groups, runs = told(query), sent(query), race(query)
    assert (header["clean"], header["surface"]["key"]) == (query, "rosenbrock")
    assert [run["key"] for run in header["panels"]["paths"]["runs"]] == list(OPTIMIZERS)
    for i, (entry, run) in enumerate(
        zip(header["entries"], header["panels"]["paths"]["runs"], strict=True)
    ):
        optimizer = OPTIMIZERS[entry["key"]]
        look: dict[str, Any] = {"color": optimizer.look.color, "marker": optimizer.look.marker}
        look |= {"name": optimizer.name, "dash": list(optimizer.look.dash)}
        assert entry == {"key": optimizer.key, "of": optimizer.key} | look
        assert (run["look"], run["lr"]) == (look, runs[i].run.hypers["lr"])
        for j in range(2):
            row = groups["paths.positions"][2 * i + j]
            np.testing.assert_allclose(row, runs[i].run.positions[:, j], rtol=BOUNDS["f4"])
        np.testing.assert_allclose(
            groups["paths.excess"][i], runs[i].run.losses, rtol=BOUNDS["lead4"]
        )
        slopes = evaluate(SURFACES["rosenbrock"], "gradient", runs[i].run.positions)
        lengths = np.sqrt(slopes[:, 0] ** 2 + slopes[:, 1] ** 2)
        np.testing.assert_allclose(groups["paths.slopes"][i], lengths, rtol=BOUNDS["lead3"])


def test_what_is_asked_for_exactly_comes_to_the_bit() -> None:
    """The paths, and in one dimension the loss, which is a place there too."""
    for surface, rounded in (("parabola", False), ("beale", True)):
        query = f"surface={surface}&opt=adam&steps=40"
        (one,), groups = race(query), sent(f"{query}&_exact=1")
        np.testing.assert_array_equal(groups["paths.positions"], one.run.positions.T)
        same = np.array_equal(groups["paths.excess"][0], one.excess)
        assert same != rounded
        assert not np.array_equal(sent(query)["paths.positions"], one.run.positions.T)


def test_the_loss_is_counted_from_the_best_known() -> None:
    groups = sent("surface=styblinski_tang&opt=gd&x=-2.9&y=-2.9&steps=500")
    # At the lowest minimum, where the loss itself is about −78.
    assert 0.0 <= groups["paths.excess"][0][-1] < 1e-9


def test_a_surface_without_a_bottom_has_no_base() -> None:
    query = "surface=plane&opt=gd&steps=1&x=1&y=1"
    assert told(query)["surface"]["base"] is None
    assert runs_of(query)[0]["within"] == [None, None]
    assert sent(query)["paths.excess"][0][0] == 3.0  # x + 2y


def test_a_local_minimum_is_no_base_where_the_loss_falls_without_end() -> None:
    query = "surface=saddle&l1=0.5&opt=gd&x=1&y=0.6&steps=40&tuned=1"
    header = told(query)
    facts = header["surface"]
    assert (facts["minima"], facts["lowest"], facts["base"]) == ([[0.0, 0.0]], [False], None)
    assert (facts["bare"], facts["saddles"]) == ([], [])
    assert runs_of(query)[0]["within"] == [None, None]
    assert header["panels"]["tuning"]["tuning"]["each"] == []
    # the loss itself
    assert sent(query)["paths.excess"][0][0] == pytest.approx(1.0 - 0.36 + 0.5 * 1.6)


def test_nobody_runs() -> None:
    query = "opt=&steps=10"
    assert told(query)["entries"] == runs_of(query) == []
    groups = sent(query)
    assert set(groups) == {"paths.positions", "paths.excess", "paths.slopes"}
    assert all(rows.size == 0 for rows in groups.values())


def test_one_dimension() -> None:
    query = "surface=parabola&opt=gd-adam&steps=10&x=2&gd.lr=0.25"
    groups = sent(query)
    assert len(runs_of(query)) == len(groups["paths.positions"]) == 2
    assert groups["paths.positions"][0].tolist() == [2.0 / 2.0**t for t in range(11)]
    # f' = 2p: without a sign, as a norm is.
    assert groups["paths.slopes"][0].tolist() == [4.0 / 2.0**t for t in range(11)]


def test_slopes_have_no_sign_in_one_dimension() -> None:
    groups = sent("surface=parabola&opt=gd&steps=2&x=-2&gd.lr=0.25")
    assert groups["paths.slopes"][0].tolist() == [4.0, 2.0, 1.0]


@pytest.mark.parametrize("proximal", [0, 1])
def test_at_a_kink_that_is_a_minimum_the_slope_is_0(proximal: int) -> None:
    query = f"surface=himmelblau&l1=40&proximal={proximal}&opt=gd&gd.lr=0.005&x=0.1&y=2"
    groups = sent(query)
    # In its first row it is that of the sum; a subgradient's run jumps about the kink.
    slope = np.hypot(4 * 0.1 * (0.01 + 2 - 11) + 2 * (0.1 + 4 - 7) + 40, -2 * 8.99 - 8 * 2.9 + 40)
    assert groups["paths.slopes"][0][0] == pytest.approx(slope, rel=BOUNDS["lead3"])
    if proximal:
        assert groups["paths.positions"][0][-1] == 0.0
        assert groups["paths.slopes"][0][-1] < 1e-9


def test_the_message_is_small() -> None:
    """Two coordinates of four bytes are what eight paths of 500 steps cost at least."""
    query = f"opt={'-'.join(list(OPTIMIZERS)[:8])}&steps=500"
    assert len(PAGES["compare"].message(query)) <= 1.3 * 8 * 501 * 2 * 4 + 10 * 1024


@EVERY_SURFACE
@pytest.mark.parametrize("zoom", [None, 1e-9, 1e300])
def test_every_surface_can_be_sent(key: str, zoom: float | None) -> None:
    surface = SURFACES[key]
    centers = [0.5] * surface.dim
    window: Window | None = (
        None if zoom is None else tuple((c - zoom / 2, c + zoom / 2) for c in centers)
    )
    header, groups = decode(surface_message(surface, window))
    assert header["surface"] == key
    assert header["params"] == list(surface.args)
    assert header["bounded"] == bool(surface.minima)
    expected = padded(window or surface.domain, MARGIN)
    np.testing.assert_array_equal(header["window"], expected)
    heights = np.array(groups["heights"])
    assert heights.shape[0] == (1 if surface.dim == 1 else heights.shape[1])
    if zoom != 1e300:
        assert np.isfinite(heights).all()
    if surface.dim == 2:
        assert len(groups["arrows"]) == 4
    else:
        assert groups["arrows"] == []


@pytest.mark.parametrize(
    ("key", "window"),
    [
        ("bowl", ((0.0, 1.2e308), (0.0, 1.0))),
        ("bowl", ((-8e307, 8e307), (-8e307, 8e307))),
        ("bowl", ((-1e308, 0.7e308), (-1.0, 1.0))),
        ("bowl", ((1.0, math.nextafter(1.0, 2.0)), (1.0, 2.0))),
        ("bowl", ((0.0, 5e-324), (0.0, 5e-324))),
        ("bowl", ((1.7e308, 1.79e308), (0.0, 1.0))),
        ("parabola", ((-8e307, 8e307),)),
        ("parabola", ((0.0, 5e-324),)),
    ],
)
def test_a_window_at_the_ends_of_the_floats_can_be_sent(key: str, window: Window) -> None:
    """Whatever passes window_of must not end in an exception or a warning."""
    asked = ",".join(repr(end) for ends in window for end in ends)
    assert window_of(asked) in (window, None)
    message = PAGES["compare"].large("surface", f"surface={key}&_window={asked}")
    assert np.isfinite(decode(message)[0]["window"]).all()


def test_surface_parameters_are_in_the_message() -> None:
    surface = SURFACES["bowl"].with_params(condition=7.0, rotation=30.0)
    header, _ = decode(surface_message(surface, None))
    assert header["params"] == [7.0, 30.0]


def test_an_unchanged_run_is_not_made_again() -> None:
    before = race("opt=gd-adam&steps=123")
    after = race("opt=gd-momentum-adam&steps=123&adam.lr=0.5")
    assert after[0] is before[0]
    assert after[2] is not before[1]
    assert race("opt=gd-adam&steps=124")[0] is not before[0]


@pytest.mark.parametrize(
    "query",
    ["surface=himmelblau", "condition=2", "x=1", "gd.x=1", "noise=0.1", "seed=5", "gd.lr=0.5",
     "schedule=cosine", "gd.schedule=cosine", "l2=1"],
)  # fmt: skip
def test_a_run_is_of_its_own_conditions_and_recipe(query: str) -> None:
    assert race(f"opt=gd&steps=12&{query}")[0] is not race("opt=gd&steps=12")[0]


def test_pages_share_their_runs() -> None:
    (one,) = race("opt=adam&steps=100&adam.lr=0.021")
    state = state_of("opt=adam&steps=100&lr=0.021", "learning_rate")
    assert lanes(state)[0] is one
    assert lanes(state_of("of=adam&adam.lr=0.021", "step_by_step"))[0] is one


def test_what_is_kept_cannot_be_written_to() -> None:
    """A lane is shared by sessions."""
    state = state_of("opt=adam&steps=31")
    one = lane(state.conditions, state.entries[0].recipe)
    run = one.run
    recorded = [run.positions, run.losses, run.gradients, run.probes, *run.slots.values()]
    assert [a.flags.writeable for a in [*recorded, one.excess, one.slopes]] == [False] * 8


def test_l2_and_decoupled_decay_end_at_different_points() -> None:
    """Adam with L2 at the penalised minimum, AdamW with the same λ on the bare loss elsewhere."""
    query = "surface=himmelblau&opt=adam-adamw&l2=12&steps=3000&x=2&y=1&schedule=cosine"
    query += "&cosine.period=3000&adam.lr=0.03&adamw.lr=0.03"
    adam, adamw = race(query + "&decoupled=1")
    surface = penalised(SURFACES["himmelblau"], l2=12.0)
    gaps = np.abs(np.array(surface.minima) - adam.run.positions[-1]).max(axis=1)
    assert gaps.min() < 1e-4
    assert adamw.run.surface == SURFACES["himmelblau"]
    assert adamw.run.hypers["weight_decay"] == 12.0
    gaps = np.abs(np.array(surface.minima) - adamw.run.positions[-1]).max(axis=1)
    assert gaps.min() > 0.05, "which can be seen"
    # Both are compared by the same loss, the penalised one.
    for one in (adam, adamw):
        losses = evaluate(surface, "value", one.run.positions)
        np.testing.assert_array_equal(one.excess, losses - (surface.best or 0.0))
        assert one.result["loss"] == losses[-1]
    both = race(query)
    assert both[1].run.surface == surface, "unless it is asked for"
    assert both[1].run.hypers["weight_decay"] == 0.01


def test_a_rate_that_leaves_the_floats_is_still_sent() -> None:
    query = "opt=gd&gd.lr=1e308&schedule=piecewise&piecewise.first=2&piecewise.middle=10&steps=9"
    assert runs_of(query)[0]["kind"] == "diverged"
    assert math.inf in sent(query)["paths.rates"][0]
