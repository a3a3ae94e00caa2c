"""Whatever is handed to a public function, it works or says in one sentence why not."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, SCHEDULES, Relay, simulate, sweep, theory
from optim_core.dissection import dissect
from optim_core.divergence import report
from optim_core.penalty import penalised, with_params, zeros
from optim_core.spec import in_short
from optim_core.tuning import tune
from surfaces import SURFACES

BOWL, GD = SURFACES["bowl"], OPTIMIZERS["gd"]
RUN = simulate(BOWL, GD, steps=5)
PLACE: dict[str, Any] = {"surface": BOWL, "optimizer": GD}
TIMES: dict[str, Any] = {"start": (1.5, 10.0), "steps": 5}
RACE: dict[str, Any] = PLACE | TIMES | {"noise": 0.1, "seed": 1, "schedule": None}
BRACKET: dict[str, Any] = {"low": 0.001, "high": 0.1}

# Each public function with arguments that it takes.
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "simulate": (simulate, RACE | {"lr": 0.01, "after": None, "keep_count": True}),
    "sweep": (
        sweep,
        RACE
        | {"axes": {"lr": [0.1]}, "tail": 2, "tol": 1e-3, "executor": None, "progress": None}
        | {"cancel": None, "budget": None},
    ),
    "sweep over lr": (lambda lr: sweep(BOWL, GD, axes={"lr": lr}, steps=5), {"lr": [0.1]}),
    "sweep over x": (lambda x: sweep(BOWL, GD, axes={"x": x}, steps=5), {"x": [0.1]}),
    "tune": (tune, RACE | {"judged_on": None}),
    "Relay": (Relay, {"runs": (RUN,)}),
    "penalised": (penalised, {"surface": BOWL, "l1": 1.0, "l2": 1.0, "proximal": True}),
    "with_params": (with_params, {"surface": BOWL, "condition": 3.0}),
    "Surface.with_params": (BOWL.with_params, {"condition": 3.0, "rotation": 0.0}),
    "Schedule.with_params": (SCHEDULES["cosine"].with_params, {"warmup": 3, "total": 10}),
    "limit": (theory.limit, PLACE | {"hypers": {}, "run": None}),
    "growth_factor": (theory.growth_factor, {"optimizer": GD, "hypers": {}, "curvature": 2.0}),
    "measured_limit": (
        theory.measured_limit, PLACE | BRACKET | {"hypers": {}, "minimum": (0.0, 0.0)},
    ),
    "first_failure": (theory.first_failure, PLACE | TIMES | BRACKET | {"hypers": {}, "points": 3}),
    "four_rates": (
        theory.four_rates, PLACE | TIMES | {"hypers": {}, "limit": 0.02, "schedule": None},
    ),
    "hypers_of": (theory.hypers_of, {"optimizer": GD, "hypers": {}}),
    "curvature": (theory.curvature, {"surface": BOWL, "at": (0.0, 0.0)}),
    "free": (theory.free, {"surface": BOWL, "at": (0.0, 0.0)}),
    "nearest": (theory.nearest, {"surface": BOWL, "point": (0.0, 0.0)}),
    "preconditioner": (theory.preconditioner, {"run": RUN, "row": 2}),
    "preconditioned": (theory.preconditioned, {"run": RUN, "row": 2, "at": None}),
    "zeros": (zeros, {"run": RUN}),
    "report": (report, {"run": RUN}),
    "dissect": (dissect, {"run": RUN}),
}  # fmt: skip


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Talkative:
    def __repr__(self) -> str:
        return "many words\n" * 100


HOSTILE: list[Any] = [
    None, True, np.True_, "", "x", "x" * 9999, b"ab", bytearray(b"ab"), 1j, float("nan"),
    float("inf"), -float("inf"), -1, 0, 2.5, 10**5000, -(10**5000), 2**64, Fraction(1, 3),
    Fraction(10**5000), Decimal("0.1"), np.float32(0.5), np.longdouble("1e4000"), np.int64(-3),
    [], (), {}, {9.0, 8.0}, {"a": 1}, {1: 2}, {"lr": "x"}, [0.1, 0.1], [float("nan")] * 2, ["a"],
    [[0.1, 0.1]], [None, 1.0], [10**5000, 1.0], [True, False], range(2), list(range(500)),
    np.array(1.0), np.array([[0.1, 0.1]]), np.array(["a", "b"]), np.array([1j, 2.0]), np.zeros(0),
    np.array([None, object()]), np.array([1, 2], "M8[s]"), object(), object, len,
    Silent(), Talkative(), RUN, BOWL, GD, SCHEDULES["cosine"],
]  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_what_is_refused_is_refused_in_one_sentence(name: str) -> None:
    function, given = CALLS[name]
    function(**given)
    for argument in given:
        for value in [*HOSTILE, (c for c in (1.0, 2.0))]:
            if argument in ("progress", "cancel") and callable(value):
                continue  # what a caller's own function raises is the caller's
            try:
                function(**(given | {argument: value}))
            except ValueError as refused:
                text = str(refused)
                assert text.endswith("."), text
                assert "\n" not in text
                assert len(text) < 200, text
                assert re.search(r" must | has no | cannot | is more than ", text), text


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("simulate", {"surface": None}, "surface must be a Surface, got None."),
        ("simulate", {"optimizer": "gd"}, "optimizer must be an Optimizer, got 'gd'."),
        ("simulate", {"start": {9.0, 8.0}}, "start must be a list of 2 finite number(s), got {8"),
        ("simulate", {"lr": 10**5000}, "in (0, inf), got an integer of some 5000 digits."),
        ("sweep", {"executor": "x"}, "executor must be an Executor, got 'x'."),
        ("sweep", {"cancel": 1}, "cancel must be a function or None, got 1."),
        ("sweep", {"budget": float("nan")}, "budget must be an integer in [0, 922"),
        ("sweep over lr", {"lr": b"ab"}, "The axis lr must be a list of numbers, got b'ab'."),
        ("four_rates", {"limit": -1.0}, "limit must be a finite number in (0, inf), got -1.0."),
        ("first_failure", {"high": 1e-9}, "high must be a finite number in (0.001, inf), got 1e-"),
        ("limit", {"run": simulate(BOWL, OPTIMIZERS["adam"], steps=5)}, "got one of adam on bowl."),
        ("Relay", {"runs": [RUN, "x"]}, "runs[1] must be a Run, got 'x'."),
        ("tune", {"judged_on": SURFACES["parabola"]}, "judged_on must have 2 dimension(s), got p"),
    ],
)  # fmt: skip
def test_the_value_and_what_is_allowed_are_named(
    name: str, given: dict[str, Any], said: str
) -> None:
    function, usual = CALLS[name]
    with pytest.raises(ValueError, match=r"\.$") as refused:
        function(**(usual | given))
    assert said in str(refused.value)


def test_values_are_shown_in_short_and_on_one_line() -> None:
    assert in_short(0.1) == "0.1"
    assert in_short("a\nb") == r"'a\nb'"
    assert in_short(10**5000) == "an integer of some 5000 digits"
    for value in HOSTILE:
        assert len(in_short(value)) <= 60
        assert "\n" not in in_short(value)
