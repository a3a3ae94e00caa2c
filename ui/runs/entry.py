"""Who runs: a recipe, which decides about the numbers, and the name and look that it runs under."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from optim_core.spec import Hyper, Ingredient, Look, Optimizer, Point, Schedule, Surface
from optim_core.words import show_apart

BESIDE = Look("#c026d3", (2, 2), "cross")  # of a second run that is shown beside one of a method
ANOTHER = "~"  # stands before the number of another run of a method, as in gd~2
MOST = 9  # runs of one method
GREEK = {"beta": "β", "epsilon": "ε", "eta": "η", "lambda": "λ", "rho": "ρ"}
# A second run of a method is paler or darker than the first, and dashed in another way.
SHADES = (0.45, -0.4, 0.65, -0.6, 0.25, -0.2, 0.75, -0.7)  # towards white, towards black
DASHES = ((6, 2), (2, 2), (8, 2, 2, 2), (1, 2), (10, 3), (4, 1), (3, 3), (7, 1, 1, 1), (12, 4))


@dataclass(frozen=True)
class Recipe:
    """All that a run depends on beside its conditions; it may go on after another run's step."""

    optimizer: Optimizer
    hypers: tuple[tuple[str, float], ...]  # (name, value), so that a recipe can be a key
    schedule: Schedule | None = None
    start: Point | None = None  # its own, if it has one
    surface: Surface | None = None  # on which it runs, if it is not the conditions'
    after: Recipe | None = None
    at: int = 0
    keep_count: bool = True  # the schedule's, see simulate

    @property
    def values(self) -> dict[str, Any]:
        """Its hyperparameters by name, as `simulate` takes them."""
        return dict(self.hypers)

    def with_values(self, **values: float) -> Recipe:
        """The same with other values of some hyperparameters."""
        return replace(self, hypers=tuple((n, values.get(n, v)) for n, v in self.hypers))

    def without_values(self, *names: str) -> Recipe:
        """The same with nothing said of some hyperparameters."""
        return replace(self, hypers=tuple(pair for pair in self.hypers if pair[0] not in names))


@dataclass(frozen=True)
class Entry:
    """A recipe as a comparison shows it."""

    key: str
    name: str
    look: Look
    recipe: Recipe


def method_of(key: str) -> str:
    """The optimizer's key in an entry's."""
    return key.partition(ANOTHER)[0]


def keys(optimizers: Iterable[str]) -> Iterator[str]:
    """All keys that an entry can have."""
    for key in optimizers:
        yield key
        for number in range(2, MOST + 1):
            yield f"{key}{ANOTHER}{number}"


def entry(key: str, recipe: Recipe) -> Entry:
    """A method's run under its own name and look, or a further one's."""
    number = key.partition(ANOTHER)[2]
    look = recipe.optimizer.look
    return Entry(key, recipe.optimizer.name, another(look, int(number)) if number else look, recipe)


def another(look: Look, number: int) -> Look:
    """The look of the second, third, … run of a method: of its hue, in a shade of its own."""
    shade = SHADES[(number - 2) % len(SHADES)]
    towards = 255 if shade > 0.0 else 0
    channels = [int(look.color[i : i + 2], 16) for i in (1, 3, 5)]
    mixed = [round(c + abs(shade) * (towards - c)) for c in channels]
    dashes = [dash for dash in DASHES if dash != look.dash]
    color = "#" + "".join(f"{c:02x}" for c in mixed)
    return replace(look, color=color, dash=dashes[(number - 2) % len(dashes)])


def named(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The same entries, where several are of one method with what tells them apart in the name."""
    counts = Counter(one.recipe.optimizer.key for one in entries)
    return tuple(
        replace(one, name=_told_apart(one, entries))
        if counts[one.recipe.optimizer.key] > 1
        else one
        for one in entries
    )


def _told_apart(one: Entry, entries: Sequence[Entry]) -> str:
    optimizer = one.recipe.optimizer
    others = [e for e in entries if e is not one and e.recipe.optimizer is optimizer]
    said = []
    for hyper in optimizer.hypers:
        own, values = one.recipe.values[hyper.name], [e.recipe.values[hyper.name] for e in others]
        if any(value != own for value in values):
            said.append(_setting(hyper, own, values))
    if any(e.recipe.schedule != one.recipe.schedule for e in others):
        schedule = one.recipe.schedule
        said.append(schedule.name.lower() if schedule else "constant")
    start = one.recipe.start
    if start and any(e.recipe.start != start for e in others):
        said.append(f"from {_apart(start, [e.recipe.start for e in others if e.recipe.start])}")
    same = [e for e in entries if e.recipe == one.recipe]
    number = [f"({same.index(one) + 1})"] if same[0] is not one else []
    return " ".join([one.name, *([", ".join(said)] if said else []), *number])


def _setting(hyper: Hyper, value: float, others: Sequence[float]) -> str:
    if hyper.scale == "switch":
        return f"{'with' if value else 'without'} {hyper.name.replace('_', ' ')}"
    return f"{letter(hyper)} = {_apart(value, others)}"


def _apart(value: float | Point, others: Sequence[float | Point]) -> str:
    """A value, or a point, in as few digits as tell it from the others."""
    told = max((show_apart(value, other)[0] for other in (value, *others)), key=len)
    return told.replace("-", "−")


def letter(hyper: Hyper) -> str:
    r"""The symbol of a hyperparameter in plain text: β₁ for \beta_1, else its name."""
    found = re.fullmatch(r"\\(\w+?)(?:_(\d))?", hyper.symbol)
    if found is None or found[1] not in GREEK:
        return hyper.name.replace("_", " ")
    return GREEK[found[1]] + (chr(ord("₀") + int(found[2])) if found[2] else "")


def without(one: Entry, removed: Iterable[Ingredient]) -> Entry:
    """The same run without some of its optimizer's ingredients, to be shown beside it."""
    removed = tuple(removed)
    changed = dict(pair for ingredient in removed for pair in ingredient.without)
    names = " and ".join(i.name[0].lower() + i.name[1:] for i in removed)
    return Entry(
        "without",
        f"{one.recipe.optimizer.name} without {names}",
        BESIDE,
        one.recipe.with_values(**changed),
    )
