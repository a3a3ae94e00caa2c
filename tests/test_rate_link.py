"""The Learning rate page's link: what is right in it survives, what is wrong is said."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS
from optim_core.simulate import NOISE
from optim_core.spec import Hyper, Surface
from surfaces import SURFACES
from tests.test_permalink import SEARCH, check_notes, spelled, values
from ui import maps
from ui.permalink import DEFAULT_SURFACE, FIELD, LONGEST, SEED, SPEED, STEPS, suggested_lr
from ui.rate_link import (
    DEFAULT_FOCUS,
    DEFAULT_RACERS,
    across_of,
    default_rate,
    panel_axes,
    panels_of,
    parse,
    rate_hyper,
)

EVERY_SURFACE = pytest.mark.parametrize("surface", SURFACES.values(), ids=lambda s: str(s.key))
DEFAULT = parse("")[0]


def test_nothing_is_the_defaults() -> None:
    for query in ("", "?"):
        view, clean, notes = parse(query)
        assert (clean, notes) == ("", [])
        surface = SURFACES[DEFAULT_SURFACE]
        assert view.setup.surface.key == surface.key
        assert view.setup.start == surface.start
        assert [r.optimizer.key for r in view.setup.racers] == list(DEFAULT_RACERS)
        assert view.lr == default_rate(surface)
        assert {dict(r.hypers)["lr"] for r in view.setup.racers} == {view.lr}
        assert (view.focus.optimizer.key, view.versus.optimizer.key) == (DEFAULT_FOCUS, "gd")
        assert (view.panel, view.across.name, view.window) == ("map", "momentum", None)
        assert (view.setup.steps, view.setup.noise, view.setup.seed) == (
            STEPS.default, NOISE.default, SEED.default,
        )  # fmt: skip


@settings(SEARCH, max_examples=60)
@given(data=st.data())
def test_every_control_makes_the_round_trip(data: st.DataObject) -> None:
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

    view, clean, notes = parse(urlencode(shuffled))
    assert notes == []
    assert dict(parse_qsl(clean, keep_blank_values=True)) == words
    assert view.setup.surface == (surface.with_params(**params) if params else surface)
    assert view.setup.start == tuple(start.values())
    assert (view.focus.optimizer.key, view.versus.optimizer.key) == (focus, versus)
    assert (view.lr, view.panel, view.across.name) == (lr, panel, words["across"])
    assert view.setup.steps == numbers["steps"][1]
    assert view.setup.noise == numbers["noise"][1]
    assert view.setup.seed == numbers["seed"][1]
    assert {r.optimizer.key for r in view.setup.racers} == set(chosen)
    for racer in (*view.setup.racers, view.focus, view.versus):
        own = {h.name: lr for h in racer.optimizer.hypers if h.name == "lr"}
        key = racer.optimizer.key
        own |= {h.name: hypers[f"{key}.{h.name}"][1] for h in racer.optimizer.hypers[1:]}
        assert dict(racer.hypers) == own
    assert parse(clean) == (view, clean, [])


def test_a_link_to_an_optimizers_own_rate_is_said() -> None:
    """Compare has one for each; here it is shared."""
    view, clean, (note,) = parse("gd.lr=0.5")
    assert (view, clean) == (DEFAULT, "")
    assert "'gd.lr'" in note


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
    view = parse(f"condition={condition}&opt=gd")[0]
    assert view.lr == pytest.approx(1.05 * 2.0 / (2.0 * condition), rel=1e-12)
    rates, _ = panel_axes(view)
    assert rates.low < view.lr < rates.high
    usual, moved = (parse(f"across=condition&condition={c}")[0] for c in (50.0, condition))
    assert panel_axes(usual) == panel_axes(moved), "a map over it is of all its values"


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
    view, clean, (note,) = parse(urlencode({"view": text}))
    assert (view, clean) == (DEFAULT, "")
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
    view, clean, notes = parse(f"{query}&view={window}")
    assert (view.window is None) == (len(notes) == 1) == ("view" not in clean)
    maps.message(maps.sheet(view, 3, 5))


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
    view, clean, notes = parse(urlencode({"view": text}))
    a, b, c, d = map(float, text.split(","))
    assert notes == []
    assert view.window == ((a, b), (c, d))
    assert dict(parse_qsl(clean)) == {"view": text}


def test_a_window_is_checked_against_what_its_panel_shows() -> None:
    assert parse("panel=basins&view=-3,-2,-5,5")[0].window == ((-3.0, -2.0), (-5.0, 5.0))
    assert parse("across=y&view=0.1,0.2,-5,5")[0].window == ((0.1, 0.2), (-5.0, 5.0))
    assert parse("view=0.1,0.2,-5,5")[0].window is None


@EVERY_SURFACE
@pytest.mark.parametrize("panel", ["map", "basins", "orbits"])
def test_a_panel_that_its_surface_has_not_is_said(surface: Surface, panel: str) -> None:
    view, clean, notes = parse(f"surface={surface.key}&panel={panel}")
    has = {1: ("map", "orbits"), 2: ("map", "basins")}[surface.dim]
    assert view.panel == (panel if panel in has else "map")
    wrong = f"panel must be one of {', '.join(has)}, got {panel!r}. The default is taken."
    assert notes == ([] if panel in has else [wrong])
    assert parse(clean)[0] == view
    names = {"map": ["lr", view.across.name], "basins": ["x", "y"], "orbits": ["lr", "x"]}
    assert [axis.name for axis in panel_axes(view)] == names[view.panel]


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
    view, clean, (note,) = parse(query)
    assert view.across.name == first
    assert "across" not in clean
    assert note.startswith("across must be one of")
    assert repr(name) in note
    check_notes([note])


@EVERY_SURFACE
@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_second_axis_can_be_drawn(surface: Surface, key: str) -> None:
    for hyper in across_of(surface, OPTIMIZERS[key]):
        view, _, notes = parse(f"surface={surface.key}&of={key}&across={hyper.name}")
        assert notes == []
        maps.message(maps.sheet(view, 2, 2))


WORDS = [
    "", "garbage", "1e308", "-1e308", "1e309", "NaN", "inf", "-0", "0", "1", "0.999", "1e-308",
    "5e-324", "☃" * 9, "<script>alert(1)</script>", "%00", "\x00", "a\nb", "gd-adam", "moon",
    "x" * 5000, "9" * 400, "1_000", "5000", "plane", "parabola", "double_well", "rosenbrock",
    "momentum", "adam", "basins", "orbits", "map", "condition", "y", "x", "0.1,0.2,0.3,0.4",
    "0.2,0.1,0.3,0.4", "1,2,3", "0,1,0,1", "-2,2,-2,2", "1e-9,1e9,0.5,0.9",
]  # fmt: skip
NAMES = [
    "surface", "opt", "of", "versus", "panel", "across", "view", "lr", "x", "y", "condition",
    "rotation", "steps", "noise", "seed", "speed", "field", "gd.lr", "momentum.momentum",
    "adam.beta1", "adam.eps", "adam.bias_correction", "adamw.weight_decay", "nosuch", "",
]  # fmt: skip


FITTING = {
    "surface": ["parabola", "double_well", "plane", "rosenbrock"],
    "panel": ["map", "basins", "orbits"],
    "view": ["0.1,0.2,0.3,0.4", "-2,2,-2,2", "1e-9,1e9,0.5,0.9"],
}


def garbage(seed: int) -> dict[str, Any]:
    dice = random.Random(seed)
    found: dict[str, Any] = {}
    for _ in range(dice.randint(1, 12)):
        name = dice.choice([*NAMES, *FITTING, *FITTING, *FITTING])
        value: Any = dice.choice(FITTING.get(name, WORDS) if dice.random() < 0.5 else WORDS)
        found[name] = [value, value] if dice.random() < 0.1 else value
    return found


@pytest.mark.parametrize("tens", range(10))
def test_no_text_raises(tens: int) -> None:
    for seed in range(10 * tens, 10 * tens + 10):
        pairs = garbage(seed)
        query = urlencode(pairs, doseq=True)
        view, clean, notes = parse(query)
        check_notes(notes)
        assert all(note.endswith(".") for note in notes)
        assert parse(clean) == (view, clean, []), pairs
        for name in ("surface", "of", "versus", "panel"):
            if pairs.get(name) in ("moon", "garbage") and len(query) <= LONGEST:
                assert any(note.startswith(name) and repr(pairs[name]) in note for note in notes)


def test_the_garbage_is_garbage_and_not_all_of_it() -> None:
    read = [parse(urlencode(garbage(seed), doseq=True)) for seed in range(100)]
    assert sum(bool(notes) for *_, notes in read) > 50
    assert sum(bool(clean) for _, clean, _ in read) > 25
    assert {view.panel for view, *_ in read} == {"map", "basins", "orbits"}
    assert sum(view.window is not None for view, *_ in read) > 3


@pytest.mark.parametrize(("name", "text"), [("lr", "0"), ("lr", "-1"), ("lr", "nan"), ("lr", "x")])
def test_a_rate_that_cannot_be_is_said(name: str, text: str) -> None:
    view, clean, (note,) = parse(urlencode({name: text}))
    assert (view, clean) == (DEFAULT, "")
    assert note.startswith("lr must be")
    assert "(0, inf)" in note
    assert text.strip("-") in note


def test_the_focus_follows_those_that_are_shown() -> None:
    assert parse("opt=gd-adam")[0].focus.optimizer.key == "gd"
    assert parse("opt=gd-adam")[0].versus.optimizer.key == "adam"
    assert parse("opt=adam")[0].versus.optimizer.key != "adam"
    assert parse("opt=")[0].focus.optimizer.key == DEFAULT_FOCUS
    assert parse("opt=&of=adam")[0].focus.optimizer.key == "adam"


def test_axes_have_their_hyperparameters_domain() -> None:
    rate, momentum = panel_axes(DEFAULT)
    assert (str(rate.domain), str(momentum.domain)) == ("(0, inf)", "[0, 1)")
    start: Hyper = panel_axes(replace(DEFAULT, panel="basins"))[0]
    assert (start.low, start.high) == SURFACES[DEFAULT_SURFACE].domain[0]
