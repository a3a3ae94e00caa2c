"""The page's whole state is one query string: the address bar is the share link."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.hypers import WEIGHT_DECAY
from optim_core.penalty import penalised
from optim_core.simulate import NOISE
from optim_core.spec import (
    PENALTY,
    SHARED,
    Hyper,
    Ingredient,
    Interval,
    Look,
    Optimizer,
    Schedule,
    Surface,
)
from optim_core.theory import pace_of
from surfaces import SURFACES

T = TypeVar("T")

DEFAULT_SURFACE = "bowl"
DEFAULT_RACERS: tuple[str, ...] = ("gd", "momentum", "adam")
DEFAULT_SCHEDULE = "constant"
BESIDE = Look("#c026d3", (2, 2), "cross")  # of a second run of the same optimizer
# What Python and JavaScript both read: float() alone also takes 1_0 and other scripts' digits.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LONGEST = 4096  # characters; a full link of every control has about 1,900
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
FIELD = Hyper(
    "field", "", 0, Interval(0, 1, open_high=False), 0, 1, "switch",
    "Arrows of steepest descent over the surface.",
)  # fmt: skip
TUNED = Hyper(
    "tuned", "", 0, Interval(0, 1, open_high=False), 0, 1, "switch",
    "Each optimizer's best learning rate, and how wide its range of working rates is.",
)  # fmt: skip
DECOUPLED = Hyper(
    "decoupled", "", 0, Interval(0, 1, open_high=False), 0, 1, "switch",
    "A method with a weight decay of its own, as AdamW, takes λ₂ for it and runs without the L2 "
    "penalty: not the same, and it ends elsewhere.",
)  # fmt: skip
RACE = (STEPS, NOISE, SEED, SPEED, FIELD, TUNED)

# What others put into an address: campaigns, the click identifiers of advertisers and mailers, and
# Streamlit's own. They are not read, not noted, and stay in the address.
FOREIGN_STARTS = ("utm_", "embed", "mc_", "_hs")
FOREIGN = (
    "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "ttclid",
    "twclid", "igshid", "li_fat_id", "_ga", "_gl", "ref",
)  # fmt: skip


@dataclass(frozen=True)
class Racer:
    """One run of a comparison; it may go on after another one, from that one's step `at`."""

    optimizer: Optimizer
    hypers: tuple[tuple[str, float], ...]  # (name, value), so that a racer can be a key
    schedule: Schedule | None = None
    after: Racer | None = None
    at: int = 0
    keep_count: bool = True  # the schedule's, see simulate
    surface: Surface | None = None  # on which it runs, if it is not the setup's
    own_key: str = ""  # where several racers have one optimizer
    own_name: str = ""
    own_look: Look | None = None

    @property
    def key(self) -> str:
        """What tells it from the others."""
        return self.own_key or self.optimizer.key


@dataclass(frozen=True)
class Setup:
    """What a comparison is made of."""

    surface: Surface
    start: tuple[float, ...]
    racers: tuple[Racer, ...]
    steps: int
    noise: float
    seed: int
    tuned: bool = False  # whether the optimizers' best rates are looked for

    @property
    def alone(self) -> Setup:
        """What one racer's run depends on, beside the racer."""
        return replace(self, racers=(), tuned=False)


# A message asks for it some fifty times.
@lru_cache(maxsize=1024)
def suggested_lr(surface: Surface, optimizer: Optimizer) -> float:
    """The default learning rate, to two digits: the surface's for such methods, times a factor."""
    rate = optimizer.factor * getattr(pace_of(surface), optimizer.pace)
    return float(f"{rate:.2g}")


def suggested(surface: Surface) -> dict[str, dict[str, float]]:
    """Every optimizer's own defaults on a surface, as `read_hypers` takes them."""
    return {key: {"lr": suggested_lr(surface, o)} for key, o in OPTIMIZERS.items()}


def _is_foreign(name: str) -> bool:
    return name in FOREIGN or name.startswith(FOREIGN_STARTS)


def _shown(text: str) -> str:
    shown = repr(text)
    return shown if len(shown) <= 30 else shown[:28] + "…'"


class Reader:
    """Takes values out of a query one by one; what is wrong is noted and left out."""

    def __init__(self, query: str) -> None:
        self.notes: list[str] = []
        self.kept: dict[str, str] = {}
        self.raw: dict[str, str] = {}
        if len(query) > LONGEST:
            self.notes.append(f"The link has {len(query)} characters, {LONGEST} are allowed.")
            return
        pairs = [
            pair
            for pair in parse_qsl(query.removeprefix("?"), keep_blank_values=True)
            if not _is_foreign(pair[0])
        ]
        self.raw = dict(pairs)
        counts = Counter(name for name, _ in pairs)
        self._note_names([name for name in counts if counts[name] > 1], "is given more than once")

    def _note_names(self, names: list[str], said: str) -> None:
        if names:
            more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
            self.notes.append(f"{_shown(names[0])}{more} {said}.")

    def finish(self) -> tuple[str, list[str]]:
        """The query without what was wrong in it, and what was wrong, each once.

        What no control has taken is wrong, but for names that another surface would take.
        """
        others = {p.name for s in SURFACES.values() for p in s.params} | {"x", "y"}
        self._note_names([name for name in self.raw if name not in others], "is no control")
        return urlencode(self.kept), list(dict.fromkeys(self.notes))

    def take(self, name: str, read: Callable[[str], T], default: T) -> T:
        if name not in self.raw:
            return default
        text = self.raw.pop(name)
        try:
            value = read(text)
        except ValueError as error:
            self.notes.append(f"{error} The default is taken.")
            return default
        self.kept[name] = text
        return value

    def reject(self, name: str, why: str) -> None:
        """Note that a value does not go together with others, and leave it out of the link."""
        self.kept.pop(name, None)
        self.notes.append(f"{why} Another one is taken.")

    def number(self, name: str, hyper: Hyper, default: float | None = None) -> float:
        def read(text: str) -> float:
            if not NUMBER.fullmatch(text):
                kind = "whole number" if hyper.whole else "number"
                raise ValueError(f"{name} must be a {kind} in {hyper.domain}, got {_shown(text)}.")
            try:
                return hyper.check(float(text))
            except ValueError as error:
                where = "" if name == hyper.name else f"In {name}: "
                raise ValueError(f"{where}{error}") from None

        return self.take(name, read, float(hyper.default) if default is None else default)


def choice(name: str, known: Iterable[str]) -> Callable[[str], str]:
    """A reader of one of some words."""

    def read(text: str) -> str:
        if text in known:
            return text
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {_shown(text)}.")

    return read


def keys_of(name: str, known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """A reader of several words, as in gd-momentum-adam."""
    one = choice(name, known)

    def read(text: str) -> tuple[str, ...]:
        return tuple(one(key) for key in dict.fromkeys(text.split("-"))) if text else ()

    return read


def read_place(reader: Reader) -> tuple[Surface, tuple[float, ...]]:
    """The surface with its parameters, and the start."""
    surface = SURFACES[reader.take("surface", choice("surface", SURFACES), DEFAULT_SURFACE)]
    params = {p.name: reader.number(p.name, p) for p in surface.params}
    start = tuple(
        reader.number(axis, Hyper(axis, "", 0.0, Interval(-math.inf), 0, 0, "linear", ""), default)
        for axis, default in zip("xy", surface.start, strict=False)
    )
    weights: dict[str, Any] = {h.name: reader.number(h.name, h) for h in PENALTY}
    return penalised(surface.with_params(**params) if params else surface, **weights), start


def read_schedules(reader: Reader) -> dict[str, Schedule]:
    """Every schedule with its settings; the warm-up and the planned steps are the same for all."""
    shared = {h.name: reader.number(h.name, h) for h in SHARED}
    return {
        key: schedule.with_params(
            **{h.name: reader.number(f"{key}.{h.name}", h) for h in schedule.hypers}, **shared
        )
        for key, schedule in SCHEDULES.items()
    }


def read_schedule(reader: Reader) -> Schedule | None:
    """The one schedule of all runs; None where it changes nothing, for runs are faster then."""
    key = reader.take("schedule", choice("schedule", SCHEDULES), DEFAULT_SCHEDULE)
    schedule = read_schedules(reader)[key]
    return None if schedule.is_level else schedule


def read_hypers(
    reader: Reader, own: Mapping[str, Mapping[str, float]], leave: tuple[str, ...] = ()
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Every optimizer's hyperparameters; `own` defaults before declared ones, `leave` not read."""
    return {
        key: tuple(
            (h.name, own[key][h.name])
            if h.name in leave
            else (h.name, reader.number(f"{key}.{h.name}", h, own[key].get(h.name)))
            for h in optimizer.hypers
        )
        for key, optimizer in OPTIMIZERS.items()
    }


def read_racers(
    reader: Reader,
    surface: Surface,
    settings: Mapping[str, tuple[tuple[str, float], ...]],
    schedule: Schedule | None = None,
) -> dict[str, Racer]:
    """Every optimizer as a racer; with `decoupled`, L2 becomes the own decay of those with one."""
    apart = reader.number("decoupled", DECOUPLED) == 1.0
    racers = {key: Racer(o, settings[key], schedule) for key, o in OPTIMIZERS.items()}
    return {key: _decoupled(surface, r) if apart else r for key, r in racers.items()}


def _decoupled(surface: Surface, racer: Racer) -> Racer:
    """Adam with L2 and AdamW under one λ (Loshchilov & Hutter 2019, section 2)."""
    l1, l2, proximal = surface.penalty
    if not l2 or WEIGHT_DECAY.name not in dict(racer.hypers):
        return racer
    return replace(
        racer,
        hypers=tuple((n, l2 if n == WEIGHT_DECAY.name else v) for n, v in racer.hypers),
        surface=penalised(surface, l1=l1, proximal=bool(proximal)),
    )


def without(racer: Racer, removed: Iterable[Ingredient]) -> Racer:
    """The same racer without some of its optimizer's ingredients."""
    removed = tuple(removed)
    changed = dict(pair for ingredient in removed for pair in ingredient.without)
    names = " and ".join(i.name[0].lower() + i.name[1:] for i in removed)
    return replace(
        racer,
        hypers=tuple((name, changed.get(name, value)) for name, value in racer.hypers),
        own_key="without",
        own_name=f"{racer.optimizer.name} without {names}",
        own_look=BESIDE,
    )


def parse(query: str) -> tuple[Setup, str, list[str]]:
    """A query string to a setup, the query without what was wrong in it, and what was wrong.

    Never raises on any text. Each note is one sentence that names the value and what is allowed.
    """
    reader = Reader(query)
    surface, start = read_place(reader)
    chosen = reader.take("opt", keys_of("opt", OPTIMIZERS), DEFAULT_RACERS)
    settings = read_hypers(reader, suggested(surface))
    schedule = read_schedule(reader)
    racers = read_racers(reader, surface, settings, schedule)
    setup = Setup(
        surface,
        start,
        tuple(racer for key, racer in racers.items() if key in chosen),
        steps=int(reader.number("steps", STEPS)),
        noise=reader.number("noise", NOISE),
        seed=int(reader.number("seed", SEED)),
        tuned=reader.number("tuned", TUNED) == 1.0,
    )
    reader.number("speed", SPEED)
    reader.number("field", FIELD)
    return setup, *reader.finish()


def catalog_entry(hyper: Hyper) -> dict[str, Any]:
    """What the browser needs to make a control of it."""
    return {
        "name": hyper.name,
        "low": hyper.low,
        "high": hyper.high,
        "scale": hyper.scale,
        "default": hyper.default,
        "about": hyper.about,
        "domain": str(hyper.domain),
        "min": hyper.domain.low if math.isfinite(hyper.domain.low) else None,
        "max": hyper.domain.high if math.isfinite(hyper.domain.high) else None,
        "openMin": hyper.domain.open_low,
        "openMax": hyper.domain.open_high,
        "whole": hyper.whole,
    }
