"""Frozen plain data: what an optimizer and a surface declare about themselves. No Numba here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Literal

Point = tuple[float, ...]


def is_finite_number(value: Any) -> bool:
    """Whether `value` is a real number, no bool, that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:  # an integer beyond 1.8e308
        return False


@dataclass(frozen=True)
class Interval:
    """A mathematical domain. Its text is what an error message shows."""

    low: float
    high: float = math.inf
    open_low: bool = False
    open_high: bool = True

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        return math.isfinite(value) and above and below

    def __str__(self) -> str:
        left = "(" if self.open_low or self.low == -math.inf else "["
        right = ")" if self.open_high or self.high == math.inf else "]"
        return f"{left}{self.low:g}, {self.high:g}{right}"


@dataclass(frozen=True)
class Hyper:
    """A number that a person may choose: a hyperparameter, or a parameter of a surface.

    `domain` is what is mathematically allowed; `low` and `high` are only the slider's ends.
    """

    name: str
    symbol: str  # LaTeX
    default: float
    domain: Interval
    low: float
    high: float
    scale: Literal["log", "linear", "one_minus", "switch"]
    about: str
    source: str = ""

    def check(self, value: Any) -> float:
        """Return `value` as a float. ValueError, one sentence, if it is outside the domain."""
        if self.scale == "switch":
            if value is True or value is False or (is_finite_number(value) and value in (0, 1)):
                return float(value)
            raise ValueError(f"{self.name} must be True or False, got {value!r}.")
        if not is_finite_number(value) or float(value) not in self.domain:
            raise ValueError(
                f"{self.name} must be a finite number in {self.domain}, got {value!r}."
            )
        return float(value)


def resolve(owner: str, hypers: Iterable[Hyper], given: Mapping[str, Any]) -> Point:
    """The values of `hypers` in declared order: those given, checked, and else the defaults."""
    hypers = tuple(hypers)
    unknown = [name for name in given if name not in {h.name for h in hypers}]
    if unknown:
        known = ", ".join(h.name for h in hypers) or "none"
        raise ValueError(f"{owner} has no {unknown[0]!r} to set; it has: {known}.")
    return tuple(h.check(given.get(h.name, h.default)) for h in hypers)


@dataclass(frozen=True)
class Look:
    """How one optimizer is told from the others, everywhere in the app."""

    color: str  # "#rrggbb"
    dash: tuple[int, ...]  # canvas line dash in units of the line width; () is solid
    marker: Literal["circle", "square", "diamond", "up", "down", "cross", "star", "pentagon", "hex"]


def same_clock(h: Point, k: Point) -> Point:
    """The clock of a method whose steps are all alike."""
    return k


def at_position(p: float, s: Point, h: Point, k: Point) -> float:
    """The probe of a method that takes its gradient where it stands."""
    return p


@dataclass(frozen=True)
class Optimizer:
    """An update rule and its facts. The functions are pure and act on one coordinate.

    rule(p, g, s, h, k) -> (p, s): new coordinate and slots, from the coordinate p, the gradient
        g there, the slots s, this step's hyperparameters h and clock k (tuples of floats).
    clock(h, k) -> k: what all coordinates share at a step, advanced before the rule is applied.
    probe(p, s, h, k) -> p: the coordinate at which the gradient is taken.

    preconditioner(s, h, k) -> P > 0: what one coordinate's step is divided by, from the slots and
        the clock after that step; None if by nothing.
    limit(curvature, h) -> the largest stable lr on a quadratic of this curvature > 0, to which
        every method without preconditioner is linear. With one, frozen as it is, the curvature is
        the largest eigenvalue of P⁻¹H; whatever else rescales lr for a while, as a bias
        correction, is part of P. The lr in h is ignored. None if nobody knows it.

    A rule without slots or clock receives (0.0,) and hands it back.
    """

    key: str
    name: str
    year: int
    rule: Callable[[float, float, Point, Point, Point], tuple[float, Point]]
    hypers: tuple[Hyper, ...]
    formula: str  # LaTeX, one line of the recursion per line
    source: str
    convention: str  # which variant this is, and where others differ
    look: Look
    pace: Literal["curvature", "length"]  # what limits its lr: steps scale with g, or do not
    factor: float = 1.0  # its telling lr, relative to the surface's for this pace
    slots: tuple[str, ...] = ()
    clock: Callable[[Point, Point], Point] = same_clock
    clock_start: Point = (0.0,)
    probe: Callable[[float, Point, Point, Point], float] = at_position
    limit: Callable[[float, Point], float] | None = None
    limit_formula: str = ""  # the same as text, with L for the curvature
    preconditioner: Callable[[Point, Point, Point], float] | None = None


@dataclass(frozen=True)
class Pace:
    """A telling lr on a surface: for methods whose step scales with the gradient, and others."""

    curvature: float
    length: float


@dataclass(frozen=True)
class Surface:
    """A loss f: R^dim -> R, and how it wants to be drawn.

    value(*p, *a) -> f, gradient(*p, *a) -> dim floats, hessian(*p, *a) -> (f_xx,) in 1-D and
    (f_xx, f_xy, f_yy) in 2-D, for coordinates p and parameter values a; all pure and scalar.
    """

    key: str
    name: str
    dim: Literal[1, 2]
    value: Callable[..., float]
    gradient: Callable[..., Point]
    hessian: Callable[..., Point]
    domain: tuple[tuple[float, float], ...]  # the frame, one (low, high) per coordinate
    start: Point
    pace: Pace
    formula: str
    about: str  # what there is to see, in one sentence
    source: str
    minima: tuple[Point, ...] = ()
    saddles: tuple[Point, ...] = ()
    maxima: tuple[Point, ...] = ()
    kinks: tuple[Point, ...] = ()  # those of the minima where the gradient jumps
    levels: Literal["log", "linear"] = "linear"
    params: tuple[Hyper, ...] = ()
    given: Point | None = field(default=None)

    @property
    def args(self) -> Point:
        """The parameter values in use, in declared order."""
        return self.given if self.given is not None else tuple(h.default for h in self.params)

    @property
    def best(self) -> float | None:
        """The least known value, or None where the surface has no bottom."""
        return min((float(self.value(*p, *self.args)) for p in self.minima), default=None)

    def with_params(self, **values: Any) -> Surface:
        """The same surface with other parameter values; those not named keep theirs."""
        now = {h.name: v for h, v in zip(self.params, self.args, strict=True)}
        return replace(self, given=resolve(self.key, self.params, now | values))
