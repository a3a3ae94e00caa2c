"""The Step by step page's state as a query string."""

from __future__ import annotations

from dataclasses import dataclass, replace

from optim_core import OPTIMIZERS
from optim_core.simulate import NOISE
from optim_core.spec import Ingredient
from ui.permalink import (
    FIELD,
    RACE,
    SEED,
    SPEED,
    STEPS,
    TUNED,
    Racer,
    Reader,
    Setup,
    choice,
    keys_of,
    read_hypers,
    read_place,
    read_racers,
    read_schedule,
    suggested,
    without,
)

DEFAULT_OPTIMIZER = "adam"
FEW = replace(STEPS, default=100)
SLOW = replace(SPEED, default=5)
CONTROLS = tuple({STEPS.name: FEW, SPEED.name: SLOW}.get(h.name, h) for h in RACE if h is not TUNED)


@dataclass(frozen=True)
class View:
    """What the page shows: a run, and where an ingredient is removed, a second one without it."""

    setup: Setup
    removed: tuple[Ingredient, ...]
    shown: Racer  # the one whose steps are taken apart


def parse(query: str) -> tuple[View, str, list[str]]:
    """A query string to a view, the query without what was wrong in it, and what was wrong.

    Never raises on any text. Each note is one sentence that names the value and what is allowed.
    """
    reader = Reader(query)
    surface, start = read_place(reader)
    settings = read_hypers(reader, suggested(surface))
    of = reader.take("of", choice("of", OPTIMIZERS), DEFAULT_OPTIMIZER)
    found = {i.key: i for i in OPTIMIZERS[of].ingredients}
    none: tuple[str, ...] = ()
    keys = reader.take("without", keys_of("without", found), none)
    removed = tuple(ingredient for key, ingredient in found.items() if key in keys)
    racer = read_racers(reader, surface, settings, read_schedule(reader))[of]
    racers = (racer, without(racer, removed)) if removed else (racer,)
    shown = reader.take("shown", choice("shown", ("whole", "without")), "whole")
    setup = Setup(
        surface,
        start,
        racers,
        steps=int(reader.number("steps", FEW)),
        noise=reader.number("noise", NOISE),
        seed=int(reader.number("seed", SEED)),
    )
    reader.number("speed", SLOW)
    reader.number("field", FIELD)
    return View(setup, removed, racers[-1] if shown == "without" else racer), *reader.finish()
