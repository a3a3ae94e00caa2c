"""What the Learning rate page has of its own in a link: one rate for all, and the maps."""

from __future__ import annotations

import math
import random
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.simulate import NOISE
from optim_core.spec import Surface
from pages import PAGES
from surfaces import SURFACES
from tests.reading import parse, state_of
from tests.test_state import (
    BOWL,
    SEARCH,
    check_notes,
    methods_of,
    spelled,
    values,
)
from ui.panels.map.message import message as map_message
from ui.panels.map.places import across_of, panels_of
from ui.panels.map.sheet import sheet
from ui.state.common import FIELD, SEED, SPEED, STEPS, suggested_lr
from ui.state.rate import default_rate, rate_hyper

EVERY_SURFACE = pytest.mark.parametrize("surface", SURFACES.values(), ids=lambda s: str(s.key))


def test_the_learning_rate_page_maps_momentum_at_first() -> None:
    state = state_of("", "learning_rate")
    assert (state["lr"], state["focus"].key, state["versus"].key) == (0.021, "momentum", "gd")
    assert (state["panel"], state["across"].name, state["view"]) == ("map", "momentum", None)
    assert state.reader.told == {
        "x": 1.5, "y": 10.0, "lr": 0.021, "of": "momentum", "versus": "gd", "across": "momentum",
    }  # fmt: skip


@settings(SEARCH, max_examples=60)
@given(data=st.data())
def test_every_control_of_the_maps_makes_the_round_trip(data: st.DataObject) -> None:
    draw = data.draw
    surface = SURFACES[draw(st.sampled_from(sorted(SURFACES)))]
    chosen = draw(st.lists(st.sampled_from(sorted(OPTIMIZERS)), unique=True))
    focus, versus = (draw(st.sampled_from(sorted(OPTIMIZERS))) for _ in range(2))
    panel = draw(st.sampled_from(panels_of(surface)))
    options = [h.name for h in across_of(surface, OPTIMIZERS[focus])]
    finite = st.floats(allow_nan=False, allow_infinity=False)
    lr = draw(values(rate_hyper(surface)))
    params = {h.name: draw(values(h)) for h in surface.params}
    start = {axis: draw(finite) for axis in "xy"[: surface.dim]}
    hypers = {
        f"{key}.{h.name}": (h, draw(values(h)))
        for key, optimizer in OPTIMIZERS.items()
        for h in optimizer.hypers
        if h.name != "lr"
    }
    numbers = {h.name: (h, draw(values(h))) for h in (STEPS, NOISE, SEED, SPEED, FIELD)}
    words = {"surface": surface.key, "opt": "-".join(chosen), "of": focus, "versus": versus}
    words |= {"panel": panel, "across": draw(st.sampled_from(options)), "lr": repr(lr)}
    words |= {name: repr(v) for name, v in (params | start).items()}
    words |= {name: spelled(h, v) for name, (h, v) in (hypers | numbers).items()}
    shuffled = list(words.items())
    random.Random(draw(st.integers(0, 99))).shuffle(shuffled)

    found, clean, notes = parse(urlencode(shuffled), "learning_rate")
    assert notes == []
    assert dict(parse_qsl(clean, keep_blank_values=True)) == words
    assert found["surface"].key == surface.key
    assert dict(zip(params, found["surface"].args, strict=True)) == params
    assert found["start"] == tuple(start.values())
    assert (found["focus"].key, found["versus"].key) == (focus, versus)
    assert (found["lr"], found["panel"], found["across"].name) == (lr, panel, words["across"])
    assert {name: found[name] for name in numbers} == {n: v for n, (_, v) in numbers.items()}
    assert set(methods_of(found)) == set(chosen)
    for entry in (*found["entries"], found["focus"], found["versus"]):
        own = {n: v for n, (_, v) in hypers.items() if n.startswith(f"{entry.key}.")}
        values_of = {f"{entry.key}.{name}": v for name, v in entry.recipe.values.items()}
        assert values_of == own | {f"{entry.key}.lr": lr}
    assert parse(clean, "learning_rate") == (found, clean, [])


def test_an_optimizers_own_rate_is_kept_for_other_pages() -> None:
    """Compare has one for each; here it is shared."""
    found, clean, notes = parse("gd.lr=0.5", "learning_rate")
    assert (clean, notes) == ("gd.lr=0.5", [])
    assert {entry.recipe.values["lr"] for entry in found["entries"]} == {0.021}


@EVERY_SURFACE
def test_the_slider_reaches_every_suggested_rate(surface: Surface) -> None:
    rate = rate_hyper(surface)
    for optimizer in OPTIMIZERS.values():
        assert rate.low <= suggested_lr(surface, optimizer) <= rate.high
    assert rate.low < rate.default < rate.high


def sharpest(surface: Surface, h: float) -> float:
    """The largest curvature at the lowest minimum, from values alone."""
    at = min(surface.minima, key=lambda p: float(surface.value(*p, *surface.args)))
    unit = h * np.eye(surface.dim)

    def value(p: np.ndarray) -> float:
        return float(surface.value(*p, *surface.args))

    matrix = [
        [
            (value(at + a + b) - value(at + a - b) - value(at - a + b) + value(at - a - b))
            / (4.0 * h * h)
            for b in unit
        ]
        for a in unit
    ]
    return float(np.linalg.eigvalsh(np.array(matrix))[-1])


@EVERY_SURFACE
def test_the_default_rate_is_just_beyond_the_limit_of_gradient_descent(surface: Surface) -> None:
    if not surface.minima:
        assert default_rate(surface) > 0.0
        return
    found, finer = sharpest(surface, 1e-3), sharpest(surface, 5e-4)
    if math.isclose(found, finer, rel_tol=1e-2):
        assert default_rate(surface) == pytest.approx(1.05 * 2.0 / finer, rel=6e-3)
    else:  # no quadratic: the gradient jumps there
        assert surface.kinks


@pytest.mark.parametrize("condition", [1.0, 1000.0])
def test_the_shared_rate_follows_the_surfaces_parameters(condition: float) -> None:
    state = state_of(f"condition={condition}&opt=gd", "learning_rate")
    assert state["lr"] == pytest.approx(1.05 * 2.0 / (2.0 * condition), rel=1e-12)
    rates, _ = state["axes"]
    assert rates.low < state["lr"] < rates.high
    usual, moved = (
        state_of(f"across=condition&condition={c}", "learning_rate") for c in (50.0, condition)
    )
    assert usual["axes"] == moved["axes"], "a map over it is of all its values"


# view=, what the note must show of it
WINDOWS = [
    ("", "''"), ("0.1,0.2", "'0.1,0.2'"), ("0.1,0.2,0.3", "'0.1,0.2,0.3'"),
    ("0.1,0.2,0.3,0.4,0.5", "'0.1,0.2,0.3,0.4"), ("a,b,c,d", "'a,b,c,d'"),
    ("0.1,0.2,nan,0.4", "'0.1,0.2,nan,0.4'"), ("0.1,inf,0.3,0.4", "'0.1,inf,0.3,0.4'"),
    ("0.1,1_0,0.3,0.4", "'0.1,1_0,0.3,0.4'"), ("0.1, 0.2,0.3,0.4", "'0.1, 0.2,0.3,0.4'"),
    ("0.2,0.1,0.3,0.4", "'0.2,0.1,0.3,0.4'"), ("0.1,0.2,0.4,0.3", "'0.1,0.2,0.4,0.3'"),
    ("0.1,0.1,0.3,0.4", "'0.1,0.1,0.3,0.4'"), ("-1,0.2,0.3,0.4", "-1"), ("0,0.2,0.3,0.4", "0"),
    ("0.1,0.2,-0.1,0.4", "-0.1"), ("0.1,0.2,0.3,1", "1"), ("0.1,0.2,0.3,2", "2"),
    ("0.1,1e309,0.3,0.4", "inf"),
    ("0.1," + "9" * 400 + ",0,0.5", "inf"), ("☃,0.2,0.3,0.4", "☃"), ("<b>,1,2,3", "<b>"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), WINDOWS, ids=lambda v: ascii(v)[:24])
def test_a_window_that_cannot_be_is_said(text: str, shown: str) -> None:
    found, clean, (note,) = parse(urlencode({"view": text}), "learning_rate")
    assert (found["view"], clean) == (None, "")
    assert shown in note
    check_notes([note])


FARTHEST = [
    ("panel=basins", "-1e308,1e308,-1,1"), ("panel=basins", "-1,1,-1e308,1e308"),
    ("across=rotation", "0.1,1,-1e308,1e308"), ("across=x", "0.1,1,-1e308,1e308"),
    ("across=condition", "0.1,1,0,5"), ("of=adam&across=eps", "0.1,1,0,1"),
    ("of=adamw&across=weight_decay", "0.1,1,0,1e308"), ("", "1e-308,1e308,0,0.5"),
    ("surface=parabola&panel=orbits", "0,1,-1,1"), ("across=condition", "0.1,1,1e-308,1e308"),
    ("surface=parabola&panel=orbits", "0.1,1,-1e308,1e308"), ("", "0.1,1.7e308,0,0.5"),
    ("", "1e-320,1e300,0.3,0.4"),
    ("", "5e-324,1e-323,0,5e-324"), ("", "0.1,0.10000000000000002,0.5,0.5000000000000001"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "window"), FARTHEST)
def test_a_window_that_is_taken_can_be_drawn(query: str, window: str) -> None:
    """Either it is refused, or every cell of its map is a run."""
    state = PAGES["learning_rate"].state.read(f"{query}&view={window}")
    assert (state["view"] is None) == (len(state.notes) == 1) == ("view" not in state.clean)
    map_message(sheet(state, 3, 5))


@pytest.mark.parametrize(
    "text",
    [
        f"0.1,{0.1 * (1 + 1e-12)!r},0.5,{0.5 * (1 + 1e-12)!r}",
        "1e-05,1.00000000001e-05,0,1e-12",
        "0.1,0.2,0.999999999998,0.999999999999",
        "0.1,1e3,0,0.999",
    ],
)
def test_a_window_is_kept_however_small(text: str) -> None:
    found, clean, notes = parse(urlencode({"view": text}), "learning_rate")
    a, b, c, d = map(float, text.split(","))
    assert notes == []
    assert found["view"] == ((a, b), (c, d))
    assert dict(parse_qsl(clean)) == {"view": text}


@pytest.mark.parametrize(
    ("query", "view"),
    [
        ("panel=basins&view=-3,-2,-5,5", ((-3.0, -2.0), (-5.0, 5.0))),
        ("across=y&view=0.1,0.2,-5,5", ((0.1, 0.2), (-5.0, 5.0))),
        ("view=0.1,0.2,-5,5", None),
    ],
)
def test_a_window_is_checked_against_what_its_panel_shows(query: str, view: Any) -> None:
    assert parse(query, "learning_rate")[0]["view"] == view


@EVERY_SURFACE
@pytest.mark.parametrize("panel", ["map", "basins", "orbits"])
def test_a_panel_that_its_surface_has_not_is_said(surface: Surface, panel: str) -> None:
    found, clean, notes = parse(f"surface={surface.key}&panel={panel}", "learning_rate")
    has = {1: ("map", "orbits"), 2: ("map", "basins")}[surface.dim]
    assert found["panel"] == (panel if panel in has else "map")
    wrong = f"panel must be one of {', '.join(has)}, got {panel!r}. The default is taken."
    assert notes == ([] if panel in has else [wrong])
    assert parse(clean, "learning_rate")[0] == found
    names = {"map": ["lr", found["across"].name], "basins": ["x", "y"], "orbits": ["lr", "x"]}
    assert [axis.name for axis in found["axes"]] == names[found["panel"]]


@pytest.mark.parametrize(
    ("query", "name", "first"),
    [
        ("of=gd&across=momentum", "momentum", "condition"),
        ("of=adam&across=momentum", "momentum", "beta1"),
        ("of=momentum&across=beta1", "beta1", "momentum"),
        ("of=momentum&across=lr", "lr", "momentum"),
        ("surface=parabola&across=y", "y", "momentum"),
        ("surface=himmelblau&across=condition", "condition", "momentum"),
        ("of=adam&across=bias_correction", "bias_correction", "beta1"),
        ("across=moon", "moon", "momentum"),
    ],
)
def test_a_second_axis_that_its_optimizer_has_not_is_said(
    query: str, name: str, first: str
) -> None:
    found, clean, (note,) = parse(query, "learning_rate")
    assert found["across"].name == first
    assert "across" not in clean
    assert note.startswith("across must be one of")
    assert repr(name) in note
    check_notes([note])


@EVERY_SURFACE
@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_second_axis_can_be_drawn(surface: Surface, key: str) -> None:
    for hyper in across_of(surface, OPTIMIZERS[key]):
        query = f"surface={surface.key}&of={key}&across={hyper.name}"
        map_message(sheet(state_of(query, "learning_rate"), 2, 2))


@pytest.mark.parametrize("text", ["0", "-1", "nan", "x"])
def test_a_rate_that_cannot_be_is_said(text: str) -> None:
    found, clean, (note,) = parse(f"lr={text}", "learning_rate")
    assert (found["lr"], clean) == (0.021, "")
    assert note.startswith("lr must be")
    assert "(0, inf)" in note
    assert text.strip("-") in note


@pytest.mark.parametrize(
    ("query", "focus", "versus"),
    [
        ("opt=gd-adam", "gd", "adam"),
        ("opt=adam", "adam", "gd"),
        ("opt=", "momentum", "gd"),
        ("opt=&of=adam", "adam", "gd"),
        ("opt=gd-momentum&of=gd", "gd", "momentum"),
        ("opt=gd~2-gd~3", "gd~2", "gd~3"),
        ("of=gd~2&versus=gd~3", "gd~2", "gd~3"),
    ],
)
def test_the_focus_follows_those_that_are_shown(query: str, focus: str, versus: str) -> None:
    state = state_of(query, "learning_rate")
    assert (state["focus"].key, state["versus"].key) == (focus, versus)


def test_the_same_method_mapped_twice_is_the_same_twice() -> None:
    """Of one that does not run, too: a link's word about its schedule is for both."""
    state = state_of("opt=gd&of=adam&versus=adam&adam.schedule=cosine", "learning_rate")
    assert state["focus"].recipe == state["versus"].recipe
    assert state["focus"].recipe.schedule is SCHEDULES["cosine"]


def test_axes_have_their_hyperparameters_domain() -> None:
    rate, momentum = state_of("", "learning_rate")["axes"]
    assert (str(rate.domain), str(momentum.domain)) == ("(0, inf)", "[0, 1)")
    start = state_of("panel=basins", "learning_rate")["axes"][0]
    assert (start.low, start.high) == BOWL.domain[0]
