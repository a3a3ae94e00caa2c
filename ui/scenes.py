"""What the Schedules page shows: four comparisons, each with what there is to see in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from optim_core.spec import Ingredient, Schedule
from optim_core.theory import TINY, show
from ui.permalink import BESIDE, Racer, Setup, without
from ui.race import lane


@dataclass(frozen=True)
class Cast:
    """Who may take part: an optimizer under every schedule, and what another scene adds."""

    racer: Racer  # without a schedule
    chosen: tuple[Schedule, ...]  # of those that are raced
    schedule: Schedule  # of the scenes that have one
    other: Racer  # the one that takes over
    ingredient: Ingredient | None  # what is removed from the method, if there is anything
    at: int  # the step at which a run is resumed or handed over
    steps: int


@dataclass(frozen=True)
class Scene:
    key: str
    name: str
    about: str
    schedule: str  # the key of the one that shows it best
    controls: tuple[Literal["sched", "without", "at", "to"], ...]  # what may be chosen beside it
    racers: Callable[[Cast], tuple[Racer, ...]]
    says: Callable[[Cast, Setup], str]  # one or two sentences, with numbers of the runs


def _raced(cast: Cast) -> tuple[Racer, ...]:
    return tuple(
        replace(
            cast.racer, schedule=schedule, own_key=schedule.key, own_name=schedule.name,
            own_look=schedule.look,
        )
        for schedule in cast.chosen
    )  # fmt: skip


def _planned(cast: Cast) -> Schedule:
    """The schedule with the whole run in view: a part of a run would plan for itself alone."""
    given = {h.name: v for h, v in zip(cast.schedule.settings, cast.schedule.args, strict=True)}
    return cast.schedule.with_params(total=given["total"] or cast.steps)


def _parted(cast: Cast) -> tuple[Racer, ...]:
    whole = replace(cast.racer, schedule=cast.schedule)
    return (whole, without(whole, [cast.ingredient])) if cast.ingredient else (whole,)


def _resumed(cast: Cast) -> tuple[Racer, ...]:
    whole = replace(cast.racer, schedule=_planned(cast))
    again = replace(whole, after=whole, at=cast.at)
    return (
        replace(again, own_key="kept", own_name="step count kept"),
        replace(
            again, keep_count=False, own_key="reset", own_name="step count reset to 0",
            own_look=BESIDE,
        ),
    )  # fmt: skip


def _handed(cast: Cast) -> tuple[Racer, ...]:
    one, other = (replace(r, schedule=_planned(cast)) for r in (cast.racer, cast.other))
    both = replace(
        other, after=one, at=cast.at, own_key="relay", own_look=BESIDE,
        own_name=f"{one.optimizer.name}, then {other.optimizer.name}",
    )  # fmt: skip
    return one, other, both


def _winner(cast: Cast, setup: Setup) -> str:
    if not cast.chosen:
        return "Choose a schedule."
    runs = [(racer.own_name, lane(setup, racer).excess[-1]) for racer in _raced(cast)]
    name, excess = min(runs, key=lambda pair: pair[1] if np.isfinite(pair[1]) else np.inf)
    if not np.isfinite(excess):
        return "All of them overflowed."
    above = "" if setup.surface.best is None else " above the best known minimum"
    return f"Lowest loss after {setup.steps} steps: {name}, {show(excess)}{above}."


def _gap(cast: Cast, setup: Setup) -> str:
    if cast.ingredient is None:
        return f"{cast.racer.optimizer.name} has no part to leave out and no convention to change."
    one, other = (lane(setup, racer).whole for racer in _parted(cast))
    with np.errstate(all="ignore"):
        apart = np.hypot.reduce(one.positions - other.positions, axis=1)
    if not np.isfinite(apart).all():
        return "The two paths part, and one of them overflows."
    seen = apart > TINY * min(high - low for low, high in setup.surface.domain)
    if not seen.any():
        return "The two paths are the same up to rounding."
    first, at = int(seen.argmax()), int(apart.argmax())
    return (
        f"The two paths part at step {first}, and are farthest apart at step {at}: by "
        f"{show(apart[at])}."
    )


def _jump(cast: Cast, setup: Setup) -> str:
    kept, reset = (lane(setup, racer).whole.rates for racer in _resumed(cast))
    apart = np.flatnonzero(kept != reset)
    if apart.size == 0:
        return "At every step both rates are the same: a reset changes nothing here."
    at = int(apart[0])
    return (
        f"At step {at} the resumed run's rate should be {show(kept[at])}; with the count reset it "
        f"is {show(reset[at])}, {show(reset[at] / kept[at])} times as high. With the count kept "
        "the run is the undivided one, to the last bit."
    )


def _taken_over(cast: Cast, setup: Setup) -> str:
    one, other, both = (lane(setup, racer) for racer in _handed(cast))
    above = "" if setup.surface.best is None else " above the best known minimum"
    ends = [each.excess[-1] for each in (one, other, both)]
    shown = [show(end) if np.isfinite(end) else "overflow" for end in ends]
    first, second = cast.racer.optimizer.name, cast.other.optimizer.name
    return (
        f"{first} runs to step {cast.at}, and {second} goes on from there as if newly made. Final "
        f"loss{above}: {first} alone {shown[0]}, {second} alone {shown[1]}, in turn {shown[2]}."
    )


SCENES: dict[str, Scene] = {
    scene.key: scene
    for scene in (
        Scene(
            "race", "Race", "One optimizer from one start, under several schedules at once.",
            "constant", ("sched",), _raced, _winner,
        ),
        Scene(
            "ingredient", "Conventions",
            "The same method twice: as it is, and without one of its parts or with its other "
            "convention, which shows only once the rate changes.",
            "exponential", ("without",), _parted, _gap,
        ),
        Scene(
            "resume", "Resume",
            "A run is stopped and resumed: with its step count kept, or reset to 0, as by Keras's "
            "fit without initial_epoch.",
            "exponential", ("at",), _resumed, _jump,
        ),
        Scene(
            "handoff", "Hand-off",
            "One optimizer takes over from another in mid-run, at the place that it has reached.",
            "constant", ("at", "to"), _handed, _taken_over,
        ),
    )
}  # fmt: skip
