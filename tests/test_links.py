"""Whatever a link asks for, its page has an answer: no exception and no warning on the way."""

from __future__ import annotations

import random
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.spec import PENALTY, SHARED, Hyper
from surfaces import SURFACES
from ui import maps, permalink, rate_link, schedule_link, step_link
from ui.race import race_message, surface_message
from ui.rates import rates_message
from ui.scenes import SCENES
from ui.schedules import schedules_message
from ui.steps import steps_message

LINKS = 40  # of each page
EXTREMES = [0.0, 1.0, 1e-300, 5e-324, 1e300, 1.7e308, -1e150]


def number(rng: random.Random, hyper: Hyper) -> str:
    """On the slider, or at an end of what is allowed."""
    value = rng.choice([rng.uniform(hyper.low, hyper.high), rng.choice(EXTREMES)])
    if hyper.whole or hyper.scale == "switch":
        value = float(round(rng.uniform(hyper.low, hyper.high)))
    return repr(value if value in hyper.domain else hyper.default)


def link(rng: random.Random) -> dict[str, str]:
    """Some of all controls; each page takes those that it has."""
    surface = rng.choice(list(SURFACES.values()))
    hypers = {h.name: h for h in (*surface.params, *PENALTY, *SHARED)}
    for key, one in (OPTIMIZERS | SCHEDULES).items():
        hypers |= {f"{key}.{h.name}": h for h in one.hypers}
    query = {name: number(rng, h) for name, h in hypers.items() if rng.random() < 0.25}
    for axis, (low, high) in zip("xy", surface.domain, strict=False):
        query[axis] = repr(rng.choice([0.0, rng.uniform(low, high), rng.choice(EXTREMES)]))
    of, to, *others = rng.sample(list(OPTIMIZERS), 4)
    steps = rng.choice([2, 3, 20, 60])
    ingredients = [i.key for i in OPTIMIZERS[of].ingredients]
    return query | {
        "surface": surface.key,
        "opt": "-".join(sorted([of, *others])),
        "of": of,
        "to": to,
        "versus": to,
        "without": rng.choice([*ingredients, ""]),
        "scene": rng.choice(list(SCENES)),
        "schedule": rng.choice(list(SCHEDULES)),
        "panel": rng.choice(["map", "basins", "orbits"]),
        "lr": repr(10.0 ** rng.uniform(-6.0, 3.0)),
        "steps": str(steps),
        "at": str(rng.randrange(1, steps)),
        "noise": rng.choice(["0", "0", "1", "1e200"]),
        "decoupled": rng.choice("01"),
        "tuned": rng.choice("01"),
    }


def compare(query: str) -> None:
    setup, clean, notes = permalink.parse(query)
    surface_message(setup.surface, None)
    race_message(setup, query, clean, notes)


def rates(query: str) -> None:
    view = rate_link.parse(query)[0]
    rates_message(view, query, query, [])
    maps.message(maps.sheet(view, 8))


def steps(query: str) -> None:
    steps_message(step_link.parse(query)[0], query, query, [])


def schedules(query: str) -> None:
    schedules_message(schedule_link.parse(query)[0], query, query, [])


@pytest.mark.parametrize("page", [compare, rates, steps, schedules])
def test_every_link_is_answered(page: Callable[[str], None]) -> None:
    rng = random.Random(page.__name__)
    for _ in range(LINKS):
        page(urlencode(link(rng)))
