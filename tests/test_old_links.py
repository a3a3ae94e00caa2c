"""Links that were shared before several runs of one method, by what they have always meant."""

from __future__ import annotations

from typing import Any

import pytest

from optim_core.spec import Hyper, Ingredient
from tests.reading import state_of, told
from ui.panels.scene.scenes import Scene
from ui.runs.entry import Entry

# Page and query; surface, parameters, (l1, l2, proximal), start, steps, noise, seed; the runs by
# key with their hyperparameters as declared; the schedule of all, and what the page has of its own.
LINKS: list[tuple[str, str, tuple[Any, ...], dict[str, tuple[float, ...]], dict[str, Any]]] = [
    ("compare", "surface=rosenbrock&opt=gd-momentum-adam&gd.lr=0.0019&x=-1.5&y=2&steps=800",
     ("rosenbrock", (), (0, 0, 1), (-1.5, 2), 800, 0, 0),
     {"gd": (0.0019,),
      "momentum": (0.00045, 0.9, 1),
      "adam": (0.05, 0.9, 0.999, 1e-08, 1, 1)},
     {}),
    ("compare", "condition=7&rotation=-30&opt=momentum-nesterov&momentum.momentum=0.99&"
     "noise=0.5&seed=3",
     ("bowl", (7, -30), (0, 0, 1), (1.5, 10), 300, 0.5, 3),
     {"momentum": (0.036, 0.99, 1),
      "nesterov": (0.036, 0.9)},
     {}),
    ("compare", "surface=himmelblau&l2=12&decoupled=1&opt=adam-adamw&steps=3000&"
     "schedule=cosine&cosine.period=3000",
     ("himmelblau", (), (0, 12, 1), (-1, -0.5), 3000, 0, 0),
     {"adam": (0.15, 0.9, 0.999, 1e-08, 1, 1),
      "adamw": (0.15, 0.9, 0.999, 1e-08, 12)},
     {"plan": ("cosine", (3000, 1, 0, 0, 0.1, 0))}),
    ("compare", "surface=saddle&l1=0.5&proximal=0&opt=gd&field=1&speed=200",
     ("saddle", (), (0.5, 0, 0), (3.5, 0.01), 300, 0, 0),
     {"gd": (0.05,)},
     {}),
    ("compare", "surface=parabola&opt=gd-adam&adam.lr=1.05&adam.bias_correction=0&x=10&"
     "tuned=1&y=4",
     ("parabola", (), (0, 0, 1), (10,), 300, 0, 0),
     {"gd": (0.1,),
      "adam": (1.05, 0.9, 0.999, 1e-08, 0, 1)},
     {}),
    ("compare", "utm_source=newsletter&fbclid=IwAR0&surface=beale&opt=&steps=50&embed=true",
     ("beale", (), (0, 0, 1), (0.3, 1.1), 50, 0, 0),
     {},
     {}),
    ("compare", "opt=rmsprop-adagrad&rmsprop.rho=0.5&schedule=one_cycle&warmup=20&"
     "total=250&momentum.lr=0.004",
     ("bowl", (50, 0), (0, 0, 1), (1.5, 10), 300, 0, 0),
     {"adagrad": (1.5, 1e-10),
      "rmsprop": (0.3, 0.5, 1e-08)},
     {"plan": ("one_cycle", (0.45, 25, 10000, 0.9, 0, 20, 0.1, 250))}),
    ("learning_rate", "lr=0.05&opt=gd-adam&of=adam&versus=gd&across=beta1",
     ("bowl", (50, 0), (0, 0, 1), (1.5, 10), 300, 0, 0),
     {"gd": (0.05,),
      "adam": (0.05, 0.9, 0.999, 1e-08, 1, 1)},
     {"lr": 0.05, "focus": "adam", "versus": "gd", "panel": "map", "across": "beta1",
      "view": None}),
    ("learning_rate", "surface=double_well&panel=orbits&of=gd&lr=0.27&x=1.3&steps=60",
     ("double_well", (), (0, 0, 1), (1.3,), 60, 0, 0),
     {"gd": (0.27,),
      "momentum": (0.27, 0.9, 1),
      "nesterov": (0.27, 0.9)},
     {"lr": 0.27, "focus": "gd", "versus": "momentum", "panel": "orbits", "across": "x",
      "view": None}),
    ("learning_rate", "surface=himmelblau&panel=basins&of=momentum&versus=adam&"
     "view=-3,-2,-5,5&adam.beta1=0.5",
     ("himmelblau", (), (0, 0, 1), (-1, -0.5), 300, 0, 0),
     {"gd": (0.0255,),
      "momentum": (0.0255, 0.9, 1),
      "nesterov": (0.0255, 0.9)},
     {"lr": 0.0255, "focus": "momentum", "versus": "adam", "panel": "basins",
      "across": "momentum", "view": ((-3, -2), (-5, 5))}),
    ("learning_rate", "condition=200&across=condition&view=0.001%2C10%2C2%2C90&"
     "momentum.momentum=0.5&gclid=x",
     ("bowl", (200, 0), (0, 0, 1), (1.5, 10), 300, 0, 0),
     {"gd": (0.00525,),
      "momentum": (0.00525, 0.5, 1),
      "nesterov": (0.00525, 0.9)},
     {"lr": 0.00525, "focus": "momentum", "versus": "gd", "panel": "map",
      "across": "condition", "view": ((0.001, 10), (2, 90))}),
    ("learning_rate", "surface=plane&l1=1&l2=0.25&noise=0.1&seed=8&schedule=exponential&"
     "exponential.span=50",
     ("plane", (), (1, 0.25, 1), (8, 8), 300, 0.1, 8),
     {"gd": (0.024,),
      "momentum": (0.024, 0.9, 1),
      "nesterov": (0.024, 0.9)},
     {"plan": ("exponential", (50, 0.1, 0, 0.1, 0)), "lr": 0.024, "focus": "momentum",
      "versus": "gd", "panel": "map", "across": "momentum", "view": None}),
    ("step_by_step", "of=adam&adam.lr=1.05&surface=parabola&x=10&steps=20",
     ("parabola", (), (0, 0, 1), (10,), 20, 0, 0),
     {"adam": (1.05, 0.9, 0.999, 1e-08, 1, 1)},
     {"shown": "whole", "removed": ()}),
    ("step_by_step", "of=adam&without=momentum-scaling&shown=without&adam.lr=0.01",
     ("bowl", (50, 0), (0, 0, 1), (1.5, 10), 100, 0, 0),
     {"adam": (0.01, 0.9, 0.999, 1e-08, 1, 1),
      "without": (0.01, 0, 0.999, 1e-08, 1, 0)},
     {"shown": "without", "removed": ("momentum", "scaling")}),
    ("step_by_step", "of=nadam&schedule=cosine&cosine.period=7&warmup=5&steps=60",
     ("bowl", (50, 0), (0, 0, 1), (1.5, 10), 60, 0, 0),
     {"nadam": (0.3, 0.9, 0.999, 1e-08)},
     {"plan": ("cosine", (7, 1, 0, 5, 0.1, 0)), "shown": "whole", "removed": ()}),
    ("step_by_step", "surface=himmelblau&l1=40&of=gd&gd.lr=0.005&steps=400&condition=3",
     ("himmelblau", (), (40, 0, 1), (-1, -0.5), 400, 0, 0),
     {"gd": (0.005,)},
     {"shown": "whole", "removed": ()}),
    ("schedules", "sched=constant-cosine&of=adam&adam.lr=0.02&noise=0.5&seed=4&warmup=6",
     ("bowl", (50, 0), (0, 0, 1), (1.5, 10), 300, 0.5, 4),
     {"constant": (0.02, 0.9, 0.999, 1e-08, 1, 1),
      "cosine": (0.02, 0.9, 0.999, 1e-08, 1, 1)},
     {"scene": "race", "at": 200}),
    ("schedules", "scene=resume&schedule=piecewise&piecewise.first=30&at=50&noise=0&steps=120",
     ("bowl", (50, 0), (0, 0, 1), (1.5, 10), 120, 0, 0),
     {"kept": (0.0051, 0.9, 1),
      "reset": (0.0051, 0.9, 1)},
     {"plan": ("piecewise", (30, 150, 0.1, 0.01, 0, 0.1, 120)), "scene": "resume", "at": 50}),
    ("schedules", "scene=handoff&of=adam&to=gd&at=40&steps=90&gd.lr=0.004&surface=rosenbrock",
     ("rosenbrock", (), (0, 0, 1), (-1.5, 2), 90, 3, 0),
     {"adam": (0.05, 0.9, 0.999, 1e-08, 1, 1),
      "gd": (0.004,),
      "relay": (0.004,)},
     {"plan": ("constant", (0, 0.1, 90)), "scene": "handoff", "at": 40}),
    ("schedules", "scene=ingredient&without=rate_inside&schedule=exponential&noise=0&"
     "of=momentum&utm_medium=x",
     ("bowl", (50, 0), (0, 0, 1), (1.5, 10), 300, 0, 0),
     {"momentum": (0.0051, 0.9, 1),
      "without": (0.0051, 0.9, 0)},
     {"plan": ("exponential", (100, 0.1, 0, 0.1, 0)), "scene": "ingredient", "at": 200}),
]  # fmt: skip


def plain(value: Any) -> Any:
    """A value as a link spells it."""
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    if isinstance(value, (Entry, Ingredient, Scene)):
        return value.key
    return value.name if isinstance(value, Hyper) else value


@pytest.mark.parametrize(
    ("page", "query", "conditions", "runs", "rest"), LINKS, ids=[link[1] for link in LINKS]
)
def test_an_old_link_means_what_it_meant(
    page: str,
    query: str,
    conditions: tuple[Any, ...],
    runs: dict[str, tuple[float, ...]],
    rest: dict[str, Any],
) -> None:
    state = state_of(query, page)
    surface, has = state.surface, state.conditions
    assert conditions == (
        surface.key, surface.args, surface.penalty, has.start, has.steps, has.noise, has.seed
    )  # fmt: skip
    recipes = {entry.key: entry.recipe for entry in state.entries}
    assert {key: tuple(recipe.values.values()) for key, recipe in recipes.items()} == runs
    plans = [recipe.schedule for recipe in recipes.values()]
    if "plan" in rest:
        assert {(plan.key, plan.args) if plan else None for plan in plans} == {rest["plan"]}
    elif page == "schedules":
        assert [plan.key for plan in plans if plan] == list(runs)
    else:
        assert set(plans) <= {None}
    own = [name for name in rest if name != "plan"]
    assert {name: plain(state[name]) for name in own} == {name: rest[name] for name in own}
    # Its page shows it, and the link that the page makes of it is no other.
    header = told(query, page)
    assert [entry["key"] for entry in header["entries"]] == list(runs)
    assert told(header["clean"], page) == header
