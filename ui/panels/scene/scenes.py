"""What the Schedules page shows: four comparisons, each with what there is to see in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from optim_core.spec import Ingredient, Schedule
from optim_core.theory import TINY, show
from ui.runs.conditions import Conditions
from ui.runs.entry import BESIDE, Entry, without
from ui.runs.lane import lane


@dataclass(frozen=True)
class Cast:
    """Who may take part: a method under every schedule, and what another scene adds."""

    method: Entry  # without a schedule
    chosen: tuple[Schedule, ...]  # of those that are raced
    schedule: Schedule  # of the scenes that have one
    other: Entry  # the one that takes over
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
    entries: Callable[[Cast], tuple[Entry, ...]]
    says: Callable[[Cast, Conditions], str]  # one or two sentences, with numbers of the runs


def _under(one: Entry, schedule: Schedule) -> Entry:
    return replace(one, recipe=replace(one.recipe, schedule=schedule))


def _raced(cast: Cast) -> tuple[Entry, ...]:
    return tuple(
        replace(_under(cast.method, plan), key=plan.key, name=plan.name, look=plan.look)
        for plan in cast.chosen
    )


def _planned(cast: Cast) -> Schedule:
    """The schedule with the whole run in view: a part of a run would plan for itself alone."""
    given = {h.name: v for h, v in zip(cast.schedule.settings, cast.schedule.args, strict=True)}
    return cast.schedule.with_params(total=given["total"] or cast.steps)


def _parted(cast: Cast) -> tuple[Entry, ...]:
    whole = _under(cast.method, cast.schedule)
    return (whole, without(whole, [cast.ingredient])) if cast.ingredient else (whole,)


def _resumed(cast: Cast) -> tuple[Entry, ...]:
    whole = _under(cast.method, _planned(cast))
    again = replace(whole.recipe, after=whole.recipe, at=cast.at)
    return (
        Entry("kept", "step count kept", whole.look, again),
        Entry("reset", "step count reset to 0", BESIDE, replace(again, keep_count=False)),
    )


def _handed(cast: Cast) -> tuple[Entry, ...]:
    one, other = (_under(entry, _planned(cast)) for entry in (cast.method, cast.other))
    relay = replace(other.recipe, after=one.recipe, at=cast.at)
    return one, other, Entry("relay", f"{one.name}, then {other.name}", BESIDE, relay)


def _winner(cast: Cast, conditions: Conditions) -> str:
    if not cast.chosen:
        return "Choose a schedule."
    runs = [(entry.name, lane(conditions, entry.recipe).excess[-1]) for entry in _raced(cast)]
    name, excess = min(runs, key=lambda pair: pair[1] if np.isfinite(pair[1]) else np.inf)
    if not np.isfinite(excess):
        return "All of them overflowed."
    above = "" if conditions.surface.best is None else " above the best known minimum"
    return f"Lowest loss after {conditions.steps} steps: {name}, {show(excess)}{above}."


def _gap(cast: Cast, conditions: Conditions) -> str:
    if cast.ingredient is None:
        return f"{cast.method.name} has no part to leave out and no convention to change."
    one, other = (lane(conditions, entry.recipe).whole for entry in _parted(cast))
    with np.errstate(all="ignore"):
        apart = np.hypot.reduce(one.positions - other.positions, axis=1)
    if not np.isfinite(apart).all():
        return "The two paths part, and one of them overflows."
    seen = apart > TINY * min(high - low for low, high in conditions.surface.domain)
    if not seen.any():
        return "The two paths are the same up to rounding."
    first, at = int(seen.argmax()), int(apart.argmax())
    return (
        f"The two paths part at step {first}, and are farthest apart at step {at}: by "
        f"{show(apart[at])}."
    )


def _jump(cast: Cast, conditions: Conditions) -> str:
    kept, reset = (lane(conditions, entry.recipe).whole.rates for entry in _resumed(cast))
    apart = np.flatnonzero(kept != reset)
    if apart.size == 0:
        return "At every step both rates are the same: a reset changes nothing here."
    at = int(apart[0])
    return (
        f"At step {at} the resumed run's rate should be {show(kept[at])}; with the count reset it "
        f"is {show(reset[at])}, {show(reset[at] / kept[at])} times as high. With the count kept "
        "the run is the undivided one, to the last bit."
    )


def _taken_over(cast: Cast, conditions: Conditions) -> str:
    one, other, both = (lane(conditions, entry.recipe) for entry in _handed(cast))
    above = "" if conditions.surface.best is None else " above the best known minimum"
    ends = [each.excess[-1] for each in (one, other, both)]
    shown = [show(end) if np.isfinite(end) else "overflow" for end in ends]
    first, second = cast.method.name, cast.other.name
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
