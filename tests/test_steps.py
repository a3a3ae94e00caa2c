"""The Step by step page: its link, its message, its table as a file."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES, simulate
from optim_core.penalty import penalised
from surfaces import SURFACES
from tests.test_assets import ask
from tests.test_rate_link import garbage
from tests.test_wire import decode
from ui.permalink import suggested_lr
from ui.step_link import DEFAULT_OPTIMIZER, FEW, parse
from ui.steps import steps_message, table

SEARCH = settings(derandomize=True, deadline=None, database=None)
EVERYONE = pytest.mark.parametrize("of", OPTIMIZERS)


def message(query: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    view, clean, notes = parse(query)
    assert notes == []
    header, groups = decode(steps_message(view, query, clean, notes))
    return header, {name: np.array(rows) for name, rows in groups.items()}


def rows_of(text: str) -> dict[str, np.ndarray]:
    """A CSV file's columns by name, read by nobody who wrote it."""
    head, *rows = csv.reader(io.StringIO(text))
    return {name: np.array([float(row[i]) for row in rows]) for i, name in enumerate(head)}


def test_nothing_is_the_defaults() -> None:
    view, clean, notes = parse("")
    assert (clean, notes) == ("", [])
    assert view.shown.optimizer.key == DEFAULT_OPTIMIZER
    assert view.setup.steps == FEW.default
    assert (view.removed, len(view.setup.racers)) == ((), 1)


@EVERYONE
def test_an_ingredient_is_removed_and_both_runs_are_there(of: str) -> None:
    for ingredient in OPTIMIZERS[of].ingredients:
        view, clean, notes = parse(f"of={of}&without={ingredient.key}&shown=without&steps=9")
        assert notes == []
        whole, without = view.setup.racers
        assert view.shown is without
        changed = {n: v for n, v in without.hypers if v != dict(whole.hypers)[n]}
        assert changed == dict(ingredient.without)
        assert ingredient.name.lower() in without.own_name.lower()
        assert parse(clean)[0] == view
        header, _ = message(clean)
        assert [run["key"] for run in header["runs"]] == [of, "without"]


def test_several_ingredients_are_removed_at_once() -> None:
    view, _, notes = parse("of=adam&without=momentum-scaling&adam.lr=0.01")
    assert notes == []
    hypers = dict(view.setup.racers[1].hypers)
    assert (hypers["beta1"], hypers["scaling"], hypers["lr"]) == (0.0, 0.0, 0.01)
    run = simulate(
        SURFACES["bowl"],
        OPTIMIZERS["adam"],
        steps=int(FEW.default),
        lr=0.01,
        beta1=0,
        scaling=False,
    )
    plain = simulate(SURFACES["bowl"], OPTIMIZERS["gd"], steps=int(FEW.default), lr=0.01)
    np.testing.assert_allclose(run.positions, plain.positions, rtol=1e-12)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("of=sgd", "of must be one of"),
        ("without=moon", "without must be one of"),
        ("of=gd&without=momentum", "without must be one of"),
        ("shown=both", "shown must be one of"),
        ("steps=0", "steps"),
        ("l1=-1", "l1 must be a finite number in [0, inf)"),
        ("l2=nan", "l2"),
        ("proximal=2", "proximal must be True or False"),
        ("schedule=linear", "schedule must be one of"),
        ("cosine.period=2.5", "cosine.period"),
        ("warmup=-3", "warmup"),
    ],
)
def test_what_is_wrong_is_said_and_left_out(query: str, said: str) -> None:
    view, clean, notes = parse(query)
    assert any(said in note for note in notes), notes
    assert parse(clean) == (view, clean, [])


@settings(SEARCH, max_examples=150)
@given(st.integers(0, 10**6))
def test_no_link_breaks_the_page(seed: int) -> None:
    view, clean, notes = parse(urlencode(garbage(seed), doseq=True))
    assert parse(clean)[0] == view
    assert all(note.endswith(".") for note in notes)


@pytest.mark.parametrize("surface", ["parabola", "bowl", "rosenbrock", "plane"])
@EVERYONE
def test_the_message_has_the_run_to_the_bit(of: str, surface: str) -> None:
    header, groups = message(f"of={of}&surface={surface}&steps=30")
    optimizer, place = OPTIMIZERS[of], SURFACES[surface]
    run = simulate(place, optimizer, steps=30, lr=suggested_lr(place, optimizer))
    rows = iter(groups["quantities"])
    found = {
        column["name"]: np.array([next(rows) for _ in range(1 if column["shared"] else place.dim)])
        for column in header["step"]["columns"]
    }
    assert next(rows, None) is None
    np.testing.assert_array_equal(found["p"], run.positions[:-1].T)
    np.testing.assert_array_equal(found["p.after"], run.positions[1:].T)
    np.testing.assert_array_equal(found["g"], run.gradients.T)
    for name in optimizer.slots:
        np.testing.assert_array_equal(found[name], run.slots[name][1:].T)
    parts = groups["parts"].reshape(5, place.dim, 30)
    np.testing.assert_allclose(
        parts[:3].sum(axis=0), np.diff(run.positions, axis=0).T, rtol=2e-5, atol=1e-5
    )


@EVERYONE
def test_every_number_in_a_formula_is_in_the_message(of: str) -> None:
    header, _ = message(f"of={of}&steps=3")
    names = {column["name"] for column in header["step"]["columns"]}
    for line in header["step"]["lines"]:
        assert line["formula"][0] == "math"
        for token in re.findall(r"@@?([\w.]+)", json.dumps(line["numbers"])):
            assert token in names
        assert line["name"] in names


@pytest.mark.parametrize(
    "query",
    [
        "of=adam&surface=parabola&adam.lr=1.05&steps=40",
        "of=nadam&steps=60&schedule=cosine&cosine.period=7&warmup=5",
        "of=gd&gd.lr=0.3&steps=400",
        "of=adamw&surface=himmelblau&l1=3&l2=0.5&steps=50",
        "of=momentum&schedule=one_cycle&noise=0.5&seed=3",
    ],
)
def test_the_file_read_back_equals_the_arrays(query: str) -> None:
    text, notes = table(query)
    assert notes == []
    read = rows_of("".join(text))
    racer, setup = parse(query)[0].shown, parse(query)[0].setup
    hypers: dict[str, Any] = dict(racer.hypers)
    run = simulate(
        setup.surface, racer.optimizer, start=setup.start, steps=setup.steps, noise=setup.noise,
        seed=setup.seed, schedule=racer.schedule, **hypers,
    )  # fmt: skip
    axes = [".x", ".y"] if setup.surface.dim == 2 else [""]
    for j, axis in enumerate(axes):
        expected = {"p": run.positions[:-1], "p.after": run.positions[1:], "g": run.gradients}
        expected |= {name: slot[1:] for name, slot in run.slots.items()}
        for name, values in expected.items():
            np.testing.assert_array_equal(read[name + axis], values[:, j])
    np.testing.assert_array_equal(read["lr"], run.rates)
    np.testing.assert_array_equal(read["step"], np.arange(setup.steps))


def test_a_file_keeps_what_left_the_floats() -> None:
    read = rows_of("".join(table("of=gd&gd.lr=0.3&steps=400")[0]))
    assert math.isinf(np.abs(read["p.x"]).max()) or np.isnan(read["p.x"]).any()


def test_the_file_has_an_address() -> None:
    status, headers, body = ask(
        "/lab/step_by_step.csv", query="of=adam&steps=5", accept_encoding="identity"
    )
    assert status == 200
    assert headers["content-type"].startswith("text/csv")
    assert "attachment" in headers["content-disposition"]
    assert body.decode() == "".join(table("of=adam&steps=5")[0])
    status, _, body = ask("/lab/step_by_step.csv", query="of=sgd&steps=x")
    assert status == 400
    assert "of must be one of" in body.decode()
    assert "steps" in body.decode()


def test_penalised_minima_and_zeros_are_told() -> None:
    header, _ = message("surface=himmelblau&l1=40&of=gd&gd.lr=0.005&steps=400")
    surface = penalised(SURFACES["himmelblau"], l1=40.0)
    assert np.array(header["penalised"]["minima"]).tolist() == [list(p) for p in surface.minima]
    assert header["penalised"]["bare"] == [list(p) for p in SURFACES["himmelblau"].minima]
    (run,) = header["runs"]
    assert len(run["zeros"]) == 2
    assert message("surface=himmelblau&of=gd")[0]["penalised"] is None


@pytest.mark.parametrize("key", SCHEDULES)
def test_every_schedule_is_applied(key: str) -> None:
    """Its rates are in the message unless they are all the same."""
    header, groups = message(f"of=adam&schedule={key}&surface=rosenbrock&steps=150")
    run = simulate(
        SURFACES["rosenbrock"], OPTIMIZERS["adam"], steps=150, schedule=SCHEDULES[key],
        lr=suggested_lr(SURFACES["rosenbrock"], OPTIMIZERS["adam"]),
    )  # fmt: skip
    assert json.dumps(header["runs"][0]["loss"]) == json.dumps(float(run.losses[-1]))
    if np.ptp(run.rates) == 0.0:
        assert "rates" not in groups
    else:
        np.testing.assert_allclose(groups["rates"][0], run.rates, rtol=3e-4)


def test_a_beta1_that_moves_is_a_product_in_the_message_too() -> None:
    for query, products in (("of=adam&schedule=one_cycle", 1), ("of=adam&schedule=cosine", 0)):
        lines = message(f"{query}&surface=parabola&steps=50")[0]["step"]["lines"]
        formulas = [json.dumps(line["formula"], ensure_ascii=False) for line in lines]
        assert sum("∏" in formula for formula in formulas) == products
