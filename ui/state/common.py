"""The fields that most pages have: the surface, who runs on it, how long, with what noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.hypers import WEIGHT_DECAY
from optim_core.penalty import penalised
from optim_core.simulate import NOISE
from optim_core.spec import PENALTY, SHARED, Hyper, Interval, Optimizer, Point, Schedule, Surface
from optim_core.theory import pace_of
from surfaces import SURFACES
from ui.runs.entry import MOST, Entry, Recipe, entry, keys, method_of, named
from ui.state import schema
from ui.state.reader import NUMBER, Reader, choice, shown
from ui.state.schema import Field, Group, State, number, one_of

KEYS = dict.fromkeys(keys(OPTIMIZERS))  # all keys of entries, in order
DEFAULT_SURFACE = "bowl"
DEFAULT_SCHEDULE = "constant"
WHOLE = 2**53 - 1  # the largest integer that a browser's numbers hold exactly

STEPS = Hyper(
    "steps", "T", 300, Interval(1, 5000, open_high=False), 10, 5000, "log",
    "Number of steps, the same for all: one gradient evaluation each.", whole=True,
)  # fmt: skip
SEED = Hyper(
    "seed", "", 0, Interval(0, WHOLE, open_high=False), 0, 99, "linear",
    "Seed of the gradient noise.", whole=True,
)  # fmt: skip
SPEED = Hyper(
    "speed", "", 40, Interval(1, 1000, open_high=False), 1, 1000, "log",
    "Playback speed, in steps a second.", whole=True,
)  # fmt: skip


def switch(name: str, about: str) -> Hyper:
    """A control that is off by default."""
    return Hyper(name, "", 0, Interval(0, 1, open_high=False), 0, 1, "switch", about)


FIELD = switch("field", "Arrows of steepest descent over the surface.")
GHOST = switch("ghost", "The runs as they were before the last change, drawn pale.")
TUNED = switch(
    "tuned", "Each optimizer's best learning rate, and how wide its range of working rates is."
)
DECOUPLED = switch(
    "decoupled",
    "A method with a weight decay of its own, as AdamW, takes λ₂ for it and runs without the L2 "
    "penalty: not the same, and it ends elsewhere.",
)
MOMENT = Hyper(
    "t", "t", 0, Interval(0, 5000, open_high=False), 0, 5000, "linear",
    "The step that a link to this moment shows.", whole=True,
)  # fmt: skip
PAUSED = switch("paused", "Whether a link to this moment opens paused.")


def place() -> Group:
    """The surface with its parameters and the penalty, and the start."""
    surfaces = {key: surface.name for key, surface in SURFACES.items()}
    entry = one_of("surface", surfaces, DEFAULT_SURFACE).shown
    return Group((Field("surface", _read_surface, entry), Field("start", _read_start)), "surface")


def _read_surface(reader: Reader, _: State) -> Surface:
    surface = SURFACES[reader.take("surface", choice("surface", SURFACES), DEFAULT_SURFACE)]
    params = {p.name: reader.number(p.name, p) for p in surface.params if p.name in reader.raw}
    is_moved = any(params.get(p.name, p.default) != p.default for p in surface.params)
    weights: dict[str, Any] = {
        h.name: reader.number(h.name, h) for h in PENALTY if h.name in reader.raw
    }
    surface = surface.with_params(**params) if is_moved else surface
    return penalised(surface, **weights) if weights else surface


@cache
def coordinate(axis: str) -> Hyper:
    """A coordinate of a start, which may be any number."""
    return Hyper(axis, "", 0.0, Interval(-math.inf), 0, 0, "linear", f"Where a run starts, {axis}.")


def _read_start(reader: Reader, state: State) -> Point:
    default = state.surface.start
    reader.told.update(zip("xy", default, strict=False))
    return tuple(
        reader.number(axis, coordinate(axis), value)
        for axis, value in zip("xy", default, strict=False)
    )


def penalty(*, decoupled: bool = True) -> Group:
    """The controls of the penalty, which belongs to the surface."""
    fields = (number(DECOUPLED),) if decoupled else ()
    return Group(fields, "penalty", {"decoupled": decoupled})


def race(steps: Hyper = STEPS, noise: Hyper = NOISE, speed: Hyper = SPEED) -> Group:
    """How long, with what noise, and what the player itself has of a link."""
    own = (steps, noise, SEED, speed, FIELD, GHOST, MOMENT, PAUSED)
    return Group((*map(number, own), Field("zoom", _read_zoom, {"zoom": {"kind": "text"}})), "race")


def _read_zoom(reader: Reader, state: State) -> tuple[float, ...] | None:
    """The part of the plane that a link to this moment shows: low, high of each axis."""

    def read(text: str) -> tuple[float, ...]:
        numbers = text.split(",")
        if len(numbers) != 4 or not all(NUMBER.fullmatch(n) for n in numbers):
            raise ValueError(f"zoom must be four numbers low,high,low,high, got {shown(text)}.")
        a, b, c, d = map(float, numbers)
        if not (a < b and c < d and all(map(math.isfinite, (a, b, c, d)))):
            raise ValueError(f"zoom must be low,high,low,high with low < high, got {shown(text)}.")
        return a, b, c, d

    return reader.take("zoom", read, None)


# A message asks for it some fifty times.
@lru_cache(maxsize=1024)
def suggested_lr(surface: Surface, optimizer: Optimizer) -> float:
    """The default learning rate, to two digits: the surface's for such methods, times a factor."""
    rate = optimizer.factor * getattr(pace_of(surface), optimizer.pace)
    return float(f"{rate:.2g}")


@dataclass(frozen=True)
class Settings:
    """Every setting of methods and schedules that a link has, by its name in the link."""

    numbers: Mapping[str, float]
    schedules: Mapping[str, str]  # an entry's own, by its key

    def get(self, name: str, default: float) -> float:
        return self.numbers.get(name, default)


@cache
def declared_settings() -> dict[str, Hyper]:
    """The declaration of every setting by its name in a link: adam.lr, gd~2.lr, cosine.end."""
    found: dict[str, Hyper] = {}
    for key in KEYS:
        found |= {f"{key}.{h.name}": h for h in OPTIMIZERS[method_of(key)].hypers}
        found |= {f"{key}.{axis}": coordinate(axis) for axis in "xy"}
    for key, schedule in SCHEDULES.items():
        found |= {f"{key}.{h.name}": h for h in schedule.hypers}
    return found | {h.name: h for h in SHARED}


_OWN_SCHEDULES = {f"{key}.schedule": key for key in KEYS}


def read_settings(reader: Reader, _: State) -> Settings:
    """All settings of a link, also of methods and schedules that do not run."""
    declared = declared_settings()
    numbers = {n: reader.number(n, declared[n]) for n in list(reader.raw) if n in declared}
    # The default of one that could not be read is not the declaration's: it follows the state.
    numbers = {n: v for n, v in numbers.items() if n in reader.kept}
    chosen = {
        _OWN_SCHEDULES[name]: reader.take(name, choice(name, SCHEDULES), "")
        for name in list(reader.raw)
        if name in _OWN_SCHEDULES
    }
    return Settings(numbers, {key: schedule for key, schedule in chosen.items() if schedule})


SETTINGS = Field("settings", read_settings)


def schedule_of(state: State, key: str) -> Schedule:
    """A schedule with the link's settings; warm-up and planned steps are the same for all."""
    schedule = SCHEDULES[key]
    settings: Settings = state["settings"]
    own = {h.name: settings.get(f"{key}.{h.name}", h.default) for h in schedule.hypers}
    shared = {h.name: settings.get(h.name, h.default) for h in SHARED}
    if all(shared[h.name] == h.default for h in SHARED) and all(
        own[h.name] == h.default for h in schedule.hypers
    ):
        return schedule
    return schedule.with_params(**own, **shared)


def effective(schedule: Schedule) -> Schedule | None:
    """None where it changes nothing, for runs are faster then."""
    return None if schedule.is_level else schedule


SCHEDULE_NAMES = {key: schedule.name for key, schedule in SCHEDULES.items()}


def schedule() -> Group:
    """The one schedule of all runs that have none of their own."""
    return Group((one_of("schedule", SCHEDULE_NAMES, DEFAULT_SCHEDULE),), "schedule")


def recipe(state: State, key: str, lr: float | None = None) -> Recipe:
    """What an entry's run is made of; `lr`, if all have the same, goes before its own."""
    optimizer = OPTIMIZERS[method_of(key)]
    settings: Settings = state["settings"]
    own = {"lr": suggested_lr(state.surface, optimizer)}
    values = {h.name: settings.get(f"{key}.{h.name}", own.get(h.name, h.default))
              for h in optimizer.hypers}  # fmt: skip
    if lr is not None:
        values["lr"] = lr
    shared: Point = state["start"]
    sides = zip("xy", shared, strict=False)
    start = tuple(settings.get(f"{key}.{axis}", value) for axis, value in sides)
    made = Recipe(
        optimizer,
        tuple(values.items()),
        _schedule_of_entry(state, key),
        None if start == shared else start,
    )
    return _decoupled(state.surface, made) if state.get("decoupled") else made


def link_of(state: State, shown: Entry) -> dict[str, Any] | None:
    """The values that open another page on exactly this run, or None if it goes on after another.

    All else that it depends on goes along.
    """
    made = shown.recipe
    if made.after:
        return None
    key = shown.key if shown.key in KEYS else state["of"]
    usual = recipe(state, key)
    link = {f"{key}.{n}": v for n, v in made.values.items() if v != usual.values[n]}
    if made.schedule != usual.schedule:
        link[f"{key}.schedule"] = made.schedule.key if made.schedule else DEFAULT_SCHEDULE
    if made.surface:  # its own decay stands for the penalty, which not every page has a switch for
        link |= {f"{key}.{WEIGHT_DECAY.name}": made.values[WEIGHT_DECAY.name], "l2": None}
    return {"of": key, **link}


def _schedule_of_entry(state: State, key: str) -> Schedule | None:
    """Its own, or that of all; on a page where schedules are compared it has none."""
    settings: Settings = state["settings"]
    own = settings.schedules.get(key, "")
    shared = str(state["schedule"]) if "schedule" in state and "sched" not in state else ""
    chosen = own or shared
    return effective(schedule_of(state, chosen)) if chosen else None


def _decoupled(surface: Surface, made: Recipe) -> Recipe:
    """Adam with L2 and AdamW under one λ (Loshchilov & Hutter 2019, section 2)."""
    l1, l2, proximal = surface.penalty
    if not l2 or WEIGHT_DECAY.name not in made.values:
        return made
    return replace(
        made.with_values(**{WEIGHT_DECAY.name: l2}),
        surface=penalised(surface, l1=l1, proximal=bool(proximal)),
    )


def tell_rates(reader: Reader, state: State, keys: Iterable[str] = tuple(OPTIMIZERS)) -> None:
    """The rates that methods have where a link has none; they follow the surface."""
    reader.told |= {f"{k}.lr": suggested_lr(state.surface, OPTIMIZERS[k]) for k in keys}


def chosen_keys(reader: Reader, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """The entries that a link chooses, in the order of their methods."""
    chosen = reader.take(name, _entry_keys(name), default)
    return tuple(key for key in KEYS if key in chosen)


def _entry_keys(name: str) -> Callable[[str], tuple[str, ...]]:
    read_one = _entry_key(name)

    def read(text: str) -> tuple[str, ...]:
        return tuple(read_one(key) for key in dict.fromkeys(text.split("-"))) if text else ()

    return read


def _entry_key(name: str) -> Callable[[str], str]:
    """A reader of a method's key, or of one of its further runs, as gd~2."""
    read_method = choice(name, OPTIMIZERS)

    def read(text: str) -> str:
        if text not in KEYS:
            method = read_method(method_of(text))
            raise ValueError(
                f"{name} may have {method}~2 to {method}~{MOST} beside {method}, got {shown(text)}."
            )
        return text

    return read


def methods(default: tuple[str, ...], rate: Callable[[State], float] | None = None) -> Group:
    """The methods that run, each with its settings; `rate` gives the one that all share."""

    def read(reader: Reader, state: State) -> tuple[Entry, ...]:
        if rate is None:
            tell_rates(reader, state)
        lr = None if rate is None else rate(state)
        chosen = chosen_keys(reader, "opt", default)
        return named([entry(key, recipe(state, key, lr)) for key in chosen])

    names = {key: optimizer.name for key, optimizer in OPTIMIZERS.items()}
    shown = {"opt": {"kind": "several", "options": list(names.items()), "default": default}}
    fields = (SETTINGS, Field("entries", read, shown))
    return Group(fields, "entries", {"shared": rate is not None})


def one_method(default: str) -> Group:
    """The one method that is shown, or one of several runs of it; its entry is `method`."""

    def read_of(reader: Reader, state: State) -> str:
        tell_rates(reader, state)
        return chosen_one(reader, "of", default)

    def read(_: Reader, state: State) -> Entry:
        return entry(state["of"], recipe(state, state["of"]))

    options = [(key, optimizer.name) for key, optimizer in OPTIMIZERS.items()]
    shown = {"of": {"kind": "choice", "options": options, "default": default}}
    fields = (SETTINGS, Field("of", read_of, shown), Field("method", read))
    return Group(fields, "optimizer")


def chosen_one(reader: Reader, name: str, default: str) -> str:
    """One entry that a link chooses."""
    return reader.take(name, _entry_key(name), default)


# What goes along from page to page.
ALONG = (
    "opt", "schedule", "decoupled",
    *(h.name for h in (*SHARED, *PENALTY, STEPS, NOISE, SEED, SPEED, FIELD, GHOST)),
)  # fmt: skip
OTHERS = frozenset({p.name for s in SURFACES.values() for p in s.params} | {"x", "y"})


def _read_along(reader: Reader, _: State) -> None:
    """What goes along and only other pages use: it is checked here as there, and stays."""
    chosen_keys(reader, "opt", ())
    reader.number("decoupled", DECOUPLED)


def is_of_another_surface(name: str) -> bool:
    """Whether a name is a parameter, or a coordinate, that some surface has."""
    return name in OTHERS


def state_schema(*groups: Group) -> schema.Schema:
    """A page's state, with what goes along to other pages."""
    along = Group((Field("along", _read_along),))
    return schema.Schema(*groups, along, ignored=is_of_another_surface)
