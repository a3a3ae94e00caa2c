"""The Schedules page's state as a query string."""

from __future__ import annotations

from dataclasses import dataclass, replace

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.simulate import NOISE
from optim_core.spec import Hyper, Interval, Optimizer
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
    read_schedules,
    suggested,
)
from ui.scenes import SCENES, Cast, Scene

DEFAULT_SCENE = "race"
DEFAULT_OPTIMIZER = "momentum"
DEFAULT_OTHER = "gd"
DEFAULT_SCHEDULES: tuple[str, ...] = ("constant", "exponential", "one_cycle", "cosine")
RESTLESS = replace(NOISE, default=3.0)  # what a constant rate never averages out
CHANGE = Hyper(
    "at", "k", 200, Interval(1, STEPS.domain.high - 1, open_high=False), 1, 1000, "log",
    "The step at which the run is resumed or handed over.", whole=True,
)  # fmt: skip
# A run that is resumed has a step before and one after it.
PARTED = replace(STEPS, domain=replace(STEPS.domain, low=2.0))
CONTROLS = tuple(
    {NOISE.name: RESTLESS, STEPS.name: PARTED}.get(h.name, h) for h in RACE if h is not TUNED
)


@dataclass(frozen=True)
class View:
    """What the page shows."""

    setup: Setup
    scene: Scene
    cast: Cast


def first_ingredient(optimizer: Optimizer) -> str:
    """The convention if it has one, else its first ingredient."""
    conventions = [i.key for i in optimizer.ingredients if i.is_convention]
    return (conventions or [i.key for i in optimizer.ingredients])[0]


def parse(query: str) -> tuple[View, str, list[str]]:
    """A query string to a view, the query without what was wrong in it, and what was wrong.

    Never raises on any text. Each note is one sentence that names the value and what is allowed.
    """
    reader = Reader(query)
    surface, start = read_place(reader)
    scene = SCENES[reader.take("scene", choice("scene", SCENES), DEFAULT_SCENE)]
    settings = read_hypers(reader, suggested(surface))
    racers = {key: Racer(o, settings[key]) for key, o in OPTIMIZERS.items()}
    of = reader.take("of", choice("of", OPTIMIZERS), DEFAULT_OPTIMIZER)
    first = next(key for key in (DEFAULT_OTHER, DEFAULT_OPTIMIZER) if key != of)
    to = reader.take("to", choice("to", OPTIMIZERS), first)
    if to == of:
        reader.reject("to", f"to must be another method than of, got {to} for both.")
        to = first
    schedules = read_schedules(reader)
    chosen = reader.take("sched", keys_of("sched", SCHEDULES), DEFAULT_SCHEDULES)
    one = reader.take("schedule", choice("schedule", SCHEDULES), scene.schedule)
    steps = int(reader.number("steps", PARTED))
    late = max(1, min(int(CHANGE.default), 2 * steps // 3))
    at = int(reader.number("at", CHANGE, late))
    if at >= steps:
        reader.reject("at", f"at must be less than the {steps} steps of the run, got {at}.")
        at = late
    found = {i.key: i for i in OPTIMIZERS[of].ingredients}
    removed = None
    if found:
        removed = reader.take("without", choice("without", found), first_ingredient(OPTIMIZERS[of]))
    cast = Cast(
        racer=racers[of],
        chosen=tuple(s for key, s in schedules.items() if key in chosen),
        schedule=schedules[one],
        other=racers[to],
        ingredient=found[removed] if removed else None,
        at=at,
        steps=steps,
    )
    setup = Setup(
        surface,
        start,
        (),
        steps=steps,
        noise=reader.number("noise", RESTLESS),
        seed=int(reader.number("seed", SEED)),
    )
    reader.number("speed", SPEED)
    reader.number("field", FIELD)
    return View(replace(setup, racers=scene.racers(cast)), scene, cast), *reader.finish()
