"""Maps cell by cell: against single runs, closed forms and known cycles."""

from __future__ import annotations

import math
import mmap
import random
import tracemalloc
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from optim_core import OPTIMIZERS, Cancelled, simulate, sweep
from optim_core.outcome import NEAR
from optim_core.simulate import MAX_STEPS, Run
from optim_core.spec import Hyper, Interval
from pages import PAGES
from surfaces import SURFACES
from tests.reading import state_of
from tests.test_map_state import sharpest
from tests.test_wire import BOUNDS, decode
from ui.panels.bands.panel import NOTCHES, strip
from ui.panels.map import message as maps
from ui.panels.map.fates import (
    ARRIVED,
    CYCLE,
    DIVERGED,
    NOWHERE,
    OTHER,
    SETTLED,
    UNDEFINED,
    counts,
)
from ui.panels.map.message import ROWS
from ui.panels.map.places import panels_of, places
from ui.panels.map.sheet import CALM, Sheet, live_sheet, sheet
from ui.state.rate import rate_hyper
from ui.state.schema import State

ANY = Interval(-np.inf)
LOG = Hyper("rate", "", 1.0, Interval(0.0), 1e-5, 10.0, "log", "")
DECAY = Hyper("decay", "", 0.5, Interval(0.0, 1.0), 0.0, 0.999, "one_minus", "")
LINE = Hyper("start", "", 0.0, ANY, -4.0, 4.0, "linear", "")
STEPS = 1000


def view_of(query: str) -> State:
    return state_of(query, "learning_rate")


@cache
def map_of(query: str, cells: int, steps: int | None = None) -> tuple[dict[str, Any], Any]:
    header, groups = decode(maps.message(sheet(view_of(query), cells, steps, losses=True)))
    return header, {name: np.array(rows) for name, rows in groups.items()}


@pytest.mark.parametrize("count", [1, 2, 400])
@pytest.mark.parametrize(
    ("hyper", "low", "high"),
    [
        (LOG, 1e-5, 10.0),
        (LOG, 1e-100, 1e100),
        (LOG, 0.3, 0.3 * (1.0 + 1e-12)),
        (LOG, 1e-5, 1e-5 * (1.0 + 1e-12)),
        (DECAY, 0.0, 0.999),
        (DECAY, 0.0, 1e-12),
        (DECAY, 0.9, 0.9 + 1e-12),
        (DECAY, 0.99, 0.99 + 1e-12),
        (LINE, -4.0, 4.0),
        (LINE, -3.0, -3.0 + 1e-12),
        (LINE, 0.0, 1e-12),
        (LINE, 1e6, 1e6 * (1.0 + 1e-12)),
    ],
    ids=lambda v: v.scale if isinstance(v, Hyper) else repr(v),
)
def test_cells_are_apart_and_inside(hyper: Hyper, low: float, high: float, count: int) -> None:
    found = places(hyper, low, high, count)
    assert found.shape == (count,)
    assert (np.diff(found) > 0.0).all()
    assert low < found[0]
    assert found[-1] < high


def test_cells_are_where_their_scale_says() -> None:
    """The middles of 8 cells are every second of 17 places, their ends among them."""
    found = places(LOG, 1e-4, 100.0, 8)
    np.testing.assert_allclose(found, np.geomspace(1e-4, 100.0, 17)[1::2], rtol=1e-13)
    found = 1.0 - places(DECAY, 0.5, 0.999, 8)
    np.testing.assert_allclose(found, np.geomspace(0.5, 0.001, 17)[1::2], rtol=1e-12)
    found = places(LINE, -4.0, 12.0, 8)
    np.testing.assert_allclose(found, np.linspace(-4.0, 12.0, 17)[1::2], rtol=1e-15)


@pytest.mark.parametrize(
    ("panel", "first", "second"),
    [
        ("", "lr=0.1", "lr=0.2"),
        ("", "momentum.momentum=0.1", "momentum.momentum=0.2"),
        ("across=condition", "condition=3", "condition=4"),
        ("across=y", "y=3", "y=4"),
        ("panel=basins", "x=1&y=2", "x=3&y=4"),
        ("surface=parabola&panel=orbits", "lr=0.1&x=1", "lr=0.2&x=2"),
        ("", "opt=gd&of=momentum", "opt=adam-momentum"),
        ("", "adam.lr=1", ""),
        ("", "adam.beta1=0.1&field=1", "adam.beta1=0.2&speed=10"),
    ],
)
def test_a_map_does_not_depend_on_what_its_axes_replace(
    panel: str, first: str, second: str
) -> None:
    one, other = (view_of(f"{panel}&{query}") for query in (first, second))
    assert sheet(one, 9) == sheet(other, 9)
    assert hash(sheet(one, 9)) == hash(sheet(other, 9))


@pytest.mark.parametrize(
    ("panel", "first", "second"),
    [
        ("panel=basins", "lr=0.1", "lr=0.2"),
        ("across=condition", "momentum.momentum=0.1", "momentum.momentum=0.2"),
        ("", "condition=3", "condition=4"),
        ("", "x=1", "x=2"),
        ("across=y", "x=1", "x=2"),
        ("", "steps=10", "steps=11"),
        ("", "noise=0.1", "noise=0.2"),
        ("noise=1", "seed=1", "seed=2"),
        ("", "of=gd", "of=momentum"),
        ("panel=basins", "versus=gd", "versus=adam"),
        ("", "view=0.1,0.2,0.3,0.4", "view=0.1,0.2,0.3,0.5"),
        ("", "surface=beale", "surface=himmelblau"),
    ],
)
def test_a_map_depends_on_all_else(panel: str, first: str, second: str) -> None:
    assert sheet(view_of(f"{panel}&{first}"), 9) != sheet(view_of(f"{panel}&{second}"), 9)


def test_a_moving_hand_gets_fewer_cells() -> None:
    """And long runs fewer of them, so that a map takes no longer."""
    for query in ("", "steps=5000", "panel=basins", "steps=1"):
        view = view_of(query)
        coarse, fine = (live_sheet(view, fine=fine) for fine in (False, True))
        assert (coarse.cells, fine.cells) == (fine.cells // 2, fine.cells)
        assert (coarse.losses, fine.losses) == (False, True)
        assert fine.cells**2 * view.conditions.steps * len(fine.recipes) <= CALM
    assert live_sheet(view_of(""), fine=True).cells == 400


def single(made: Sheet, header: dict[str, Any], column: int, row: int, which: int = 0) -> Run:
    """The run of one cell, from `simulate`."""
    recipe = made.recipes[which]
    values = {
        axis["name"]: header["places"][i][(column, row)[i]] for i, axis in enumerate(header["axes"])
    }
    start = [values.pop(c, s) for c, s in zip("xy", made.start, strict=False)]
    own = {h.name for h in recipe.optimizer.hypers}
    hypers = recipe.values | {n: v for n, v in values.items() if n in own}
    surface = made.surface
    params = {n: v for n, v in values.items() if n not in own}
    return simulate(
        surface.with_params(**params) if params else surface,
        recipe.optimizer,
        start=start,
        steps=made.steps,
        noise=made.noise,
        seed=made.seed,
        **hypers,
    )


def verdict(run: Run) -> int:
    outcome = run.outcome
    if outcome.kind == "minimum":
        return OTHER if outcome.target is None else SETTLED
    codes = {"diverged": DIVERGED, "cycle": CYCLE, "undefined": UNDEFINED}
    return codes.get(outcome.kind, OTHER)


def outside_since(run: Run) -> int:
    """The first step from which it is never in the frame again, the last one if there is none.

    What is no number is outside.
    """
    low, high = np.array(run.surface.domain).T
    with np.errstate(invalid="ignore"):
        inside = ((run.positions >= low) & (run.positions <= high)).all(axis=1)
    first = int(np.flatnonzero(inside)[-1]) + 1 if inside.any() else 0
    return min(first, len(inside) - 1)


@pytest.mark.parametrize("surface", ["bowl", "rosenbrock", "himmelblau", "double_well"])
@pytest.mark.parametrize("key", ["gd", "momentum", "adam"])
def test_a_cell_says_what_its_run_says(surface: str, key: str) -> None:
    """A map does not look whether a run that is at a minimum is about to leave it again."""
    across = {"gd": "x", "momentum": "momentum", "adam": "beta1"}[key]
    query = f"surface={surface}&of={key}&across={across}&steps={STEPS}"
    header, groups = map_of(query, 12)
    made, differ = sheet(view_of(query), 12), 0
    best = made.surface.best
    assert best is not None
    for row in range(12):
        for column in range(12):
            run = single(made, header, column, row)
            kind, count = (groups[name][row, column] for name in ("kind0", "count0"))
            if verdict(run) != kind:
                differ += 1
                continue
            loss = groups["loss0"][row, column]
            np.testing.assert_allclose(loss, run.losses[-1], rtol=BOUNDS["lead3"])
            if kind == OTHER:
                with np.errstate(all="ignore"):
                    fallen = np.log10((run.losses[0] - best) / (run.losses[-1] - best))
                assert count == pytest.approx(max(0.0, 100.0 * fallen), abs=1.0)
            else:
                outcome = run.outcome
                step = {CYCLE: outcome.period, SETTLED: outcome.step, DIVERGED: outside_since(run)}
                assert count == step[kind]
    assert differ <= 0.02 * 144
    assert len(np.unique(groups["kind0"])) > 1


def test_a_step_beyond_two_bytes_is_not_another_one() -> None:
    """A deep map may have 100,000 steps."""
    query = "surface=parabola&of=gd&across=x&view=3.4e-05,3.6e-05,9.9,10"
    header, groups = map_of(query, 2, MAX_STEPS)
    run = single(sheet(view_of(query), 2, MAX_STEPS), header, 0, 0)
    assert run.outcome.step is not None
    assert run.outcome.step > 65_535
    assert groups["kind0"][0, 0] == SETTLED
    assert groups["count0"][0, 0] == run.outcome.step


def test_a_cell_that_arrives_exactly_is_the_darkest() -> None:
    """Its loss is the least known to the bit, in ten of 100 × 100 cells."""
    query = "surface=styblinski_tang&of=gd&across=x&y=-2.9&steps=16"
    header, groups = map_of(query, 100)
    made = sheet(view_of(query), 100)
    best = made.surface.best
    assert best is not None
    arrived = np.argwhere(groups["count0"] == ARRIVED)
    ends = [float(single(made, header, c, r).losses[-1]) for r, c in arrived]
    assert ends.count(best) == 10
    assert max(ends) <= best
    others = (groups["kind0"] == OTHER) & (groups["count0"] != ARRIVED)
    assert groups["count0"][others].max() < 2_000, "a float has 16 digits, and 10 decades are shown"
    for row, column in np.argwhere(others)[::999]:
        assert single(made, header, column, row).losses[-1] > best


@pytest.mark.parametrize(
    ("first", "final", "shade"),
    [
        (5.0, 3.0, ARRIVED), (5.0, 2.9, ARRIVED), (5.0, 4.0, 30), (5.0, 7.0, 0), (5.0, 5.0, 0),
        (3.0, 3.0, 0), (3.0, 2.9, 0), (5.0, math.inf, 0), (5.0, math.nan, 0), (math.nan, 3.0, 0),
        (math.inf, 3.0, ARRIVED), (math.inf, 4.0, 30825), (math.inf, math.inf, 0),
        (1e308, 3.0 + 2.0**-40, 32004),
    ],
)  # fmt: skip
def test_how_far_a_loss_has_come_down(first: float, final: float, shade: int) -> None:
    """In hundredths of a decade above the least known, 3 here; log10 of the largest is 308.25."""
    surface = replace(SURFACES["parabola"], levels="linear", minima=((0.0,),))
    surface = replace(surface, value=lambda p, *_: p * p + 3.0)
    made = sweep(SURFACES["parabola"], OPTIMIZERS["gd"], axes={"lr": [0.1]}, steps=1)
    found = replace(made, surface=surface, final_loss=np.array([final]))
    assert surface.best == 3.0
    assert counts(found, np.array([OTHER]), first).tolist() == [shade]


@pytest.mark.parametrize("seed", range(40))
def test_any_links_map_is_packed_without_a_warning(seed: int) -> None:
    """Where a loss overflows, arrives exactly, or is no number; warnings are errors in tests."""
    dice = random.Random(seed)
    surface = SURFACES[dice.choice(["parabola", "bowl", "rastrigin", "double_well", "plane"])]
    pairs = {
        "surface": surface.key,
        "panel": dice.choice([*panels_of(surface), "map"]),
        "of": dice.choice(["gd", "momentum", "adagrad"]),
        "across": dice.choice(["x", "x", "momentum"]),
        "x": dice.choice(["0", "0.5", "1e80", "1e300", "-2.9"]),
        "l1": dice.choice(["0", "0.5", "1.21864", "40"]),
        "l2": dice.choice(["0", "0", "0.3"]),
        "steps": str(dice.randint(1, 150)),
    }
    view = PAGES["learning_rate"].state.read(urlencode(pairs))
    header, groups = decode(maps.message(sheet(view, 20, losses=dice.random() < 0.5)))
    assert np.max(groups["count0"]) <= (ARRIVED if header["panel"] != "orbits" else 700)


FORMULAS = {
    "gd": lambda top, beta: 2.0 / top,
    "momentum": lambda top, beta: 2.0 * (1.0 + beta) / top,
    "nesterov": lambda top, beta: 2.0 * (1.0 + beta) / ((1.0 + 2.0 * beta) * top),
}


@pytest.mark.parametrize("key", FORMULAS)
@pytest.mark.parametrize("across", ["momentum", "condition"])
def test_the_line_is_the_theorys(key: str, across: str) -> None:
    if key == "gd" and across == "momentum":
        pytest.skip("it has none")
    header, _ = map_of(f"of={key}&across={across}", 2, 2)
    line, (low, high) = header["boundary"], header["window"][1]
    assert (line[0][1], line[-1][1]) == (low, high)
    bowl = SURFACES["bowl"]
    for lr, value in line[::8]:
        surface = bowl.with_params(condition=value) if across == "condition" else bowl
        beta = value if across == "momentum" else 0.9
        assert lr == pytest.approx(FORMULAS[key](sharpest(surface, 1e-2), beta), rel=1e-6)


@pytest.mark.parametrize("key", ["gd", "momentum", "nesterov"])
def test_runs_fail_beyond_the_line_and_not_before(key: str) -> None:
    """On a quadratic, but for cells at the line, where growth takes longer than the run."""
    header, groups = map_of(f"of={key}&across=condition&steps=2000&view=0.001,10,2,90", 24)
    lines = np.array(header["boundary"])
    limits = np.interp(header["places"][1], lines[:, 1], lines[:, 0])
    share = np.array(header["places"][0])[None, :] / limits[:, None]
    kind = groups["kind0"]
    assert (kind[share > 1.05] == DIVERGED).all()
    assert not (kind[share < 0.95] == DIVERGED).any()
    assert min((share > 1.05).sum(), (share < 0.95).sum()) > 50


@pytest.mark.parametrize("query", ["of=adam", "surface=plane", "of=rmsprop&across=condition"])
def test_where_there_is_no_closed_form_there_is_no_line(query: str) -> None:
    assert map_of(query, 2, 2)[0]["boundary"] is None


@pytest.mark.parametrize(
    ("query", "cells", "said"),
    [("", 4000, "16,000,000 cells × 100,000 steps"), ("panel=basins", 300, "180,000 cells")],
)
def test_too_large_a_map_is_refused_before_any_work(query: str, cells: int, said: str) -> None:
    told: list[tuple[int, int]] = []
    with pytest.raises(ValueError, match=said) as error:
        maps.message(
            sheet(view_of(query), cells, MAX_STEPS), progress=lambda *now: told.append(now)
        )
    assert told == []
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("query", ["", "panel=basins"])
def test_progress_comes_to_its_end_and_never_goes_back(query: str) -> None:
    told: list[tuple[int, int]] = []
    maps.message(sheet(view_of(query), 200, 200), progress=lambda *now: told.append(now))
    done, totals = zip(*told, strict=True)
    assert len(set(totals)) == 1
    assert done[-1] == totals[0]
    assert list(done) == sorted(set(done))


@pytest.mark.parametrize("query", ["", "panel=basins", "surface=parabola&panel=orbits"])
def test_a_map_can_be_stopped(query: str) -> None:
    with pytest.raises(Cancelled):
        maps.message(sheet(view_of(query), 50), cancel=lambda: True)


@pytest.mark.parametrize(("query", "bytes_a_cell"), [("", 3), ("panel=basins&surface=beale", 8)])
def test_a_large_map_has_three_bytes_a_cell(
    query: str, bytes_a_cell: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And some tiles at a time: as many megabytes, however large it is."""
    sizes: list[int] = []

    def pages(fd: int, size: int) -> mmap.mmap:
        sizes.append(size)
        return mmap.mmap(fd, size)

    monkeypatch.setattr(maps, "mmap", pages)
    made = sheet(view_of(query), 1000, 1)
    maps.message(replace(made, cells=9))
    sizes.clear()
    tracemalloc.start()
    try:
        maps.message(made)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(sizes) == bytes_a_cell * 1000**2
    assert peak < 25e6


def test_basins_are_of_the_minimum_where_the_run_ends() -> None:
    query = "surface=himmelblau&panel=basins&of=momentum&versus=adam&lr=0.005&adam.beta1=0.5"
    header, groups = map_of(query, 12)
    made = sheet(view_of(query), 12)
    assert header["racers"] == ["momentum", "adam"]
    (low, high), minima = np.array(made.surface.domain).T, np.array(made.surface.minima)
    seen: set[float] = set()
    for which in (0, 1):
        for row in range(12):
            for column in range(12):
                end = single(made, header, column, row, which).positions[-1]
                found = groups[f"minimum{which}"][row, column]
                with np.errstate(all="ignore"):
                    gaps = np.abs((minima - end) / (high - low)).max(axis=1)
                near = int(gaps.argmin()) if gaps.min() <= NEAR else NOWHERE
                assert found == near
                seen.add(found)
                if groups[f"kind{which}"][row, column] == SETTLED:
                    assert found != NOWHERE
    assert seen > {0, 1, 2, 3}


def orbits(surface: str, lr: float) -> tuple[set[int], int, float]:
    """Visited rows at the rate nearest to one, the kind there, and its count."""
    query = f"surface={surface}&panel=orbits&of=gd"
    header, groups = map_of(query, 200)
    column = int(np.abs(np.array(header["places"][0]) - lr).argmin())
    rows = set(np.flatnonzero(groups["visits"][:, column]).tolist())
    return rows, int(groups["kind0"][0, column]), float(groups["count0"][0, column])


def row_of(header: dict[str, Any], p: float) -> int:
    low, high = header["window"][1]
    return int((p - low) / (high - low) * ROWS)


def test_on_the_parabola_one_place_is_visited_below_one_and_none_above() -> None:
    """p is multiplied by 1 − 2 lr; just below 1 it has not shrunk to one row in 500 steps."""
    header, groups = map_of("surface=parabola&panel=orbits&of=gd", 200)
    assert groups["visits"].shape == (ROWS, 400)
    rates = np.array(header["places"][0])
    rows = (groups["visits"] > 0).sum(axis=0)
    assert (rows[rates < 0.95] == 1).all()
    assert (rows[rates > 1.05] == 0).all()
    assert (groups["kind0"][0, rates > 1.05] == DIVERGED).all()
    assert min((rates < 0.95).sum(), (rates > 1.05).sum()) > 50


def test_on_the_double_well_cycles_double_to_chaos() -> None:
    """p → (1 + a) p − a p³ with a = 4 lr: p = 1 repels beyond a = 1; the two points of the cycle
    then have the product 1 / a and the square of their sum is 1 + 3 / a; it repels beyond
    a = √5 − 1; beyond a = 2 all but a few starts leave."""
    header, _ = map_of("surface=double_well&panel=orbits&of=gd", 200)
    rates = np.array(header["places"][0])
    rows, kind, _ = orbits("double_well", 0.24)
    assert rows <= {row_of(header, 1.0) - 1, row_of(header, 1.0)}, "p = 1 is where rows meet"
    assert kind == SETTLED
    a = 4.0 * rates[np.abs(rates - 0.27).argmin()]
    total, product = np.sqrt(1.0 + 3.0 / a), 1.0 / a
    half = np.sqrt(total**2 / 4.0 - product)
    rows, kind, period = orbits("double_well", 0.27)
    assert rows == {row_of(header, total / 2.0 - half), row_of(header, total / 2.0 + half)}
    assert (kind, period) == (CYCLE, 2)
    assert orbits("double_well", 0.3)[1:] == (CYCLE, 2)
    rows, kind, period = orbits("double_well", 0.315)
    assert (len(rows), kind, period) == (4, CYCLE, 4)
    rows, kind, _ = orbits("double_well", 0.45)
    assert len(rows) > 60
    assert kind == OTHER
    for lr in (0.55, 0.6):
        assert orbits("double_well", lr)[:2] == (set(), DIVERGED)


def test_a_band_is_what_single_runs_say() -> None:
    state = view_of("surface=himmelblau&steps=200&noise=0.1&seed=3&opt=gd")
    (entry,) = state.entries
    found = strip(state.conditions, entry.recipe.without_values("lr"))
    rate, each = rate_hyper(state.surface), slice(6, None, 12)
    runs = [
        simulate(state.surface, OPTIMIZERS["gd"], steps=200, noise=0.1, seed=3, lr=lr)
        for lr in places(rate, rate.low, rate.high, NOTCHES)[each]
    ]
    np.testing.assert_array_equal(found[each], [verdict(run) for run in runs])
    assert len(set(found.tolist())) > 1
