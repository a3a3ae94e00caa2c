"""The Step by step page: what its link leaves out, its message, its table as a file."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, SCHEDULES, simulate
from optim_core.penalty import penalised
from surfaces import SURFACES
from tests import reading
from tests.reading import parse, state_of
from tests.test_assets import ask
from ui.panels.table.panel import pieces
from ui.state.common import suggested_lr

PAGE = "step_by_step"
EVERYONE = pytest.mark.parametrize("of", OPTIMIZERS)


def panels(query: str) -> dict[str, Any]:
    """What the page's message says, panel by panel."""
    found: dict[str, Any] = reading.told(query, PAGE)["panels"]
    return found


def table(query: str) -> str:
    return "".join(pieces(state_of(query, PAGE)))


def rows_of(text: str) -> dict[str, np.ndarray]:
    """A CSV file's columns by name, read by nobody who wrote it."""
    head, *rows = csv.reader(io.StringIO(text))
    return {name: np.array([float(row[i]) for row in rows]) for i, name in enumerate(head)}


@EVERYONE
def test_an_ingredient_is_removed_and_both_runs_are_there(of: str) -> None:
    for ingredient in OPTIMIZERS[of].ingredients:
        query = f"of={of}&without={ingredient.key}&shown=without&steps=9"
        state = state_of(query, PAGE)
        whole, without = state.entries
        assert state["shown_entry"] is without
        values = without.recipe.values
        changed = {n: v for n, v in values.items() if v != whole.recipe.values[n]}
        assert changed == dict(ingredient.without)
        assert ingredient.name.lower() in without.name.lower()
        assert parse(state.clean, PAGE)[0] == parse(query, PAGE)[0]
        said = panels(query)
        assert [run["key"] for run in said["paths"]["runs"]] == [of, "without"]
        assert (said["formula"]["shown"], said["formula"]["without"]) == (1, [ingredient.key])


def test_several_ingredients_are_removed_at_once() -> None:
    state = state_of("of=adam&without=momentum-scaling&adam.lr=0.01", PAGE)
    hypers = state.entries[1].recipe.values
    assert (hypers["beta1"], hypers["scaling"], hypers["lr"]) == (0.0, 0.0, 0.01)
    bowl = SURFACES["bowl"]
    run = simulate(bowl, OPTIMIZERS["adam"], steps=100, lr=0.01, beta1=0, scaling=False)
    plain = simulate(bowl, OPTIMIZERS["gd"], steps=100, lr=0.01)
    np.testing.assert_allclose(run.positions, plain.positions, rtol=1e-12)


@pytest.mark.parametrize(("shown", "momentum"), [("whole", 0.9), ("without", 0.0)])
def test_the_run_that_is_shown_is_taken_apart(shown: str, momentum: float) -> None:
    query = f"of=momentum&without=momentum&shown={shown}&steps=9&momentum.lr=0.01"
    run = simulate(SURFACES["bowl"], OPTIMIZERS["momentum"], steps=9, lr=0.01, momentum=momentum)
    read = rows_of(table(query))
    np.testing.assert_array_equal(read["p.after.x"], run.positions[1:, 0])
    names = [column["name"] for column in panels(query)["formula"]["columns"]]
    assert set(names) == {name.removesuffix(".x").removesuffix(".y") for name in read} - {"step"}
    moved = reading.sent(query, PAGE)["parts.parts"].reshape(5, 2, 9)[:3].sum(axis=0)
    np.testing.assert_allclose(moved, np.diff(run.positions, axis=0).T, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("of=sgd", "of must be one of"),
        ("of=gd~1", "of may have gd~2 to gd~9"),
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
    found, clean, (note,) = parse(query, PAGE)
    assert said in note
    assert parse(clean, PAGE) == (found, clean, [])


@pytest.mark.parametrize("surface", ["parabola", "bowl", "rosenbrock", "plane"])
@EVERYONE
def test_the_message_has_the_run_to_the_bit(of: str, surface: str) -> None:
    query = f"of={of}&surface={surface}&steps=30"
    groups = reading.sent(query, PAGE)
    optimizer, place = OPTIMIZERS[of], SURFACES[surface]
    run = simulate(place, optimizer, steps=30, lr=suggested_lr(place, optimizer))
    rows = iter(groups["formula.quantities"])
    found = {
        column["name"]: np.array([next(rows) for _ in range(1 if column["shared"] else place.dim)])
        for column in panels(query)["formula"]["columns"]
    }
    assert next(rows, None) is None
    np.testing.assert_array_equal(found["p"], run.positions[:-1].T)
    np.testing.assert_array_equal(found["p.after"], run.positions[1:].T)
    np.testing.assert_array_equal(found["g"], run.gradients.T)
    for name in optimizer.slots:
        np.testing.assert_array_equal(found[name], run.slots[name][1:].T)
    parts = groups["parts.parts"].reshape(5, place.dim, 30)
    np.testing.assert_allclose(
        parts[:3].sum(axis=0), np.diff(run.positions, axis=0).T, rtol=2e-5, atol=1e-5
    )


@EVERYONE
def test_every_number_in_a_formula_is_in_the_message(of: str) -> None:
    said = panels(f"of={of}&steps=3")["formula"]
    names = {column["name"] for column in said["columns"]}
    for line in said["lines"]:
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
    read, state = rows_of(table(query)), state_of(query, PAGE)
    recipe, surface = state.entries[0].recipe, state.surface
    run = simulate(
        surface, recipe.optimizer, start=state["start"], steps=int(state["steps"]),
        noise=state["noise"], seed=int(state["seed"]), schedule=recipe.schedule, **recipe.values,
    )  # fmt: skip
    axes = [".x", ".y"] if surface.dim == 2 else [""]
    for j, axis in enumerate(axes):
        expected = {"p": run.positions[:-1], "p.after": run.positions[1:], "g": run.gradients}
        expected |= {name: slot[1:] for name, slot in run.slots.items()}
        for name, values in expected.items():
            np.testing.assert_array_equal(read[name + axis], values[:, j])
    np.testing.assert_array_equal(read["lr"], run.rates)
    np.testing.assert_array_equal(read["step"], np.arange(state["steps"]))


def test_a_file_keeps_what_left_the_floats() -> None:
    read = rows_of(table("of=gd&gd.lr=0.3&steps=400"))
    assert math.isinf(np.abs(read["p.x"]).max()) or np.isnan(read["p.x"]).any()


def test_the_file_has_an_address() -> None:
    status, headers, body = ask(
        "/lab/step_by_step.csv", query="of=adam&steps=5", accept_encoding="identity"
    )
    assert status == 200
    assert headers["content-type"].startswith("text/csv")
    assert "attachment" in headers["content-disposition"]
    assert body.decode() == table("of=adam&steps=5")
    status, _, body = ask("/lab/step_by_step.csv", query="of=sgd&steps=x")
    assert status == 400
    assert "of must be one of" in body.decode()
    assert "steps" in body.decode()


def test_penalised_minima_and_zeros_are_told() -> None:
    header = reading.told("surface=himmelblau&l1=40&of=gd&gd.lr=0.005&steps=400", PAGE)
    surface, facts = penalised(SURFACES["himmelblau"], l1=40.0), header["surface"]
    assert facts["minima"] == [list(p) for p in surface.minima]
    assert facts["bare"] == [list(p) for p in SURFACES["himmelblau"].minima]
    (run,) = header["panels"]["paths"]["runs"]
    assert len(run["zeros"]) == 2
    assert reading.told("surface=himmelblau&of=gd", PAGE)["surface"]["bare"] is None


@pytest.mark.parametrize("key", SCHEDULES)
def test_every_schedule_is_applied(key: str) -> None:
    """Its rates are in the message unless they are all the same."""
    query = f"of=adam&schedule={key}&surface=rosenbrock&steps=150"
    groups = reading.sent(query, PAGE)
    run = simulate(
        SURFACES["rosenbrock"], OPTIMIZERS["adam"], steps=150, schedule=SCHEDULES[key],
        lr=suggested_lr(SURFACES["rosenbrock"], OPTIMIZERS["adam"]),
    )  # fmt: skip
    assert json.dumps(panels(query)["paths"]["runs"][0]["loss"]) == json.dumps(
        float(run.losses[-1])
    )
    if np.ptp(run.rates) == 0.0:
        assert "paths.rates" not in groups
    else:
        np.testing.assert_allclose(groups["paths.rates"][0], run.rates, rtol=3e-4)


def test_a_beta1_that_moves_is_a_product_in_the_message_too() -> None:
    for query, products in (("of=adam&schedule=one_cycle", 1), ("of=adam&schedule=cosine", 0)):
        lines = panels(f"{query}&surface=parabola&steps=50")["formula"]["lines"]
        formulas = [json.dumps(line["formula"], ensure_ascii=False) for line in lines]
        assert sum("∏" in formula for formula in formulas) == products
