"""Frozen plain data: what optimizers, schedules and surfaces declare. No Numba here."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from numbers import Real
from typing import Any, Literal

import numpy as np

Point = tuple[float, ...]
SHORT = 60  # characters of a value in a message


def is_finite_number(value: Any) -> bool:
    """Whether `value` is a real number, no bool, that a float can hold."""
    if type(value) is float:  # nearly all are, and asking for a Real takes half a microsecond
        return math.isfinite(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:  # an integer beyond 1.8e308
        return False


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = SHORT

    def repr_int(self, x: int, level: int) -> str:
        if x.bit_length() > 4 * SHORT:  # Python refuses to write more than 4300 digits
            return f"an integer of some {round(x.bit_length() * math.log10(2.0))} digits"
        return super().repr_int(x, level)


def in_short(value: Any) -> str:
    """A value as an error message shows it: its repr on one line, its middle left out if long."""
    text = " ".join(_Short().repr(value).split())
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


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
    role: Literal["", "rate", "momentum"] = ""  # which factor of a schedule moves it, if one does
    whole: bool = False  # only integers, such as a number of steps

    def check(self, value: Any) -> float:
        """Return `value` as a float. ValueError, one sentence, if it is outside the domain."""
        if self.scale == "switch":
            if value is True or value is False or (is_finite_number(value) and value in (0, 1)):
                return float(value)
            raise ValueError(f"{self.name} must be True or False, got {in_short(value)}.")
        kind = "whole" if self.whole else "finite"
        fits = is_finite_number(value) and float(value) in self.domain
        if not fits or (self.whole and not float(value).is_integer()):
            raise ValueError(
                f"{self.name} must be a {kind} number in {self.domain}, got {in_short(value)}."
            )
        return float(value)


def resolve(owner: str, hypers: Iterable[Hyper], given: Mapping[str, Any]) -> Point:
    """The values of `hypers` in declared order: those given, checked, and else the defaults."""
    hypers = tuple(hypers)
    unknown = [name for name in given if name not in {h.name for h in hypers}]
    if unknown:
        known = ", ".join(h.name for h in hypers) or "none"
        raise ValueError(f"{owner} has no {in_short(unknown[0])} to set; it has: {known}.")
    return tuple(h.check(given.get(h.name, h.default)) for h in hypers)


@dataclass(frozen=True)
class Look:
    """How one optimizer, or schedule, is told from the others, everywhere in the app."""

    color: str  # "#rrggbb"
    dash: tuple[int, ...]  # canvas line dash in units of the line width; () is solid
    marker: Literal["circle", "square", "diamond", "up", "down", "cross", "star", "pentagon", "hex"]


def same_clock(h: Point, k: Point) -> Point:
    """The clock of a method whose steps are all alike."""
    return k


def at_position(p: float, s: Point, h: Point, k: Point) -> float:
    """The probe of a method that takes its gradient where it stands."""
    return p


def as_left(d: float, s: Point, h: Point, k: Point) -> Point:
    """The slots of a method that remembers gradients, after a proximal step."""
    return s


@dataclass(frozen=True)
class Ingredient:
    """A part of a method that is shown by leaving it out."""

    key: str
    name: str
    without: tuple[tuple[str, float], ...]  # the hyperparameters that leave it out
    about: str  # what to expect without it, in one sentence
    is_convention: bool = False  # without it the path is the same while the rate is constant


@dataclass(frozen=True)
class Optimizer:
    """An update rule and its facts. The functions are pure and act on one coordinate.

    rule(p, g, s, h, k) -> (p, s): new coordinate and slots, from the coordinate p, the gradient
        g there, the slots s, this step's hyperparameters h and clock k (tuples of floats).
    clock(h, k) -> k: what all coordinates share at a step, advanced before the rule is applied.
    probe(p, s, h, k) -> p: the coordinate at which the gradient is taken.

    preconditioner(s, h, k) -> P > 0: what one coordinate's step is divided by, from the slots and
        the clock after that step; None if by nothing.
    reach(s, h, k) -> how far a step moves one coordinate per unit of a gradient that has long been
        the same, its scale frozen, from the slots and the clock after that step. It is what a
        proximal step multiplies l1 by, so that it rests where the penalised loss has its minima.
    landed(d, s, h, k) -> the slots after a proximal step, which made the whole step d long. What
        remembers gradients stays as it is; what remembers steps remembers all of d.
    limit(curvature, h) -> the largest stable lr on a quadratic of this curvature > 0, to which
        every method without preconditioner is linear. With one, frozen as it is, the curvature is
        the largest eigenvalue of P⁻¹H; whatever else rescales lr for a while, as a bias
        correction, is part of P. The lr in h is ignored. None if nobody knows it.

    symbols: the LaTeX, index included, of locals and clock values that a reader of the formula
        knows by name, and of "probe" if there is one. Other locals are written out.
    moving: those symbols that are others where a schedule moves momentum, as Π β₁ᵢ is for β₁ᵗ.
    counts: how the source counts steps. One gives θ_t = θ_{t−1} − …, or θ_{t+1} = θ_t − …; the
        gradient is g_t in both.
    scales: the slots that only scale a step. With these held, the rule is linear in the position,
        the gradient and the other slots.

    The formula is read from the functions' source (`optim_core.formula`).
    A rule without slots or clock receives (0.0,) and hands it back.
    """

    key: str
    name: str
    year: int
    rule: Callable[[float, float, Point, Point, Point], tuple[float, Point]]
    hypers: tuple[Hyper, ...]
    source: str
    convention: str  # which variant this is, and where others differ
    look: Look
    pace: Literal["curvature", "length"]  # what limits its lr: steps scale with g, or do not
    reach: Callable[[Point, Point, Point], float]
    factor: float = 1.0  # its suggested lr, relative to the surface's for this pace
    slots: tuple[str, ...] = ()
    clock: Callable[[Point, Point], Point] = same_clock
    clock_start: Point = (0.0,)
    probe: Callable[[float, Point, Point, Point], float] = at_position
    landed: Callable[[float, Point, Point, Point], Point] = as_left
    limit: Callable[[float, Point], float] | None = None
    limit_formula: str = ""  # the same as text, with L for the curvature
    preconditioner: Callable[[Point, Point, Point], float] | None = None
    symbols: tuple[tuple[str, str], ...] = ()
    moving: tuple[tuple[str, str], ...] = ()
    counts: Literal["t", "t+1"] = "t"
    scales: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()

    def row(self, role: str) -> int:
        """The index of the hyperparameter with a role, or −1."""
        return next((i for i, h in enumerate(self.hypers) if h.role == role), -1)


WARMUP = Hyper(
    "warmup", r"w", 0.0, Interval(0.0), 0.0, 200.0, "linear",
    "Steps over which the rate climbs in a line before the schedule begins.",
    "Goyal et al. 2017, section 2.2", whole=True,
)  # fmt: skip
WARMUP_FROM = Hyper(
    "warmup_from", r"a", 0.1, Interval(0.0, 1.0, open_low=True, open_high=False), 0.01, 1.0, "log",
    "The warm-up begins at this share of the rate that it climbs to.",
)  # fmt: skip
TOTAL = Hyper(
    "total", r"T", 0.0, Interval(0.0), 0.0, 1000.0, "linear",
    "Planned length of a schedule that has one, warm-up included; 0 is the length of the run.",
    whole=True,
)  # fmt: skip
SHARED = (WARMUP, WARMUP_FROM, TOTAL)
LEAST = float(np.finfo(float).tiny)  # a factor that underflows stops here: a rate stays above 0

ROLES = ("rate", "momentum")  # in the order of a schedule's factors
Factors = tuple[np.ndarray, np.ndarray]


def level(t: np.ndarray, total: float, h: Point) -> Factors:
    """The factors of a schedule that is not planned ahead."""
    return np.ones(len(t)), np.ones(len(t))


def full(h: Point) -> float:
    """The base of a schedule that begins with the rate itself."""
    return 1.0


def heedless(loss: float, h: Point, m: Point) -> Point:
    """The reaction of a schedule that does not look at the loss."""
    return m


@lru_cache(maxsize=64)
def _scale(
    factors: Callable[[np.ndarray, float, Point], Factors],
    base: Callable[[Point], float],
    args: Point,
    count: int,
    steps: int,
) -> np.ndarray:
    *own, warmup, low, total = args
    t = np.arange(count, count + steps, dtype=float)
    planned = max(1.0, (total or count + steps) - warmup)
    with np.errstate(all="ignore"):
        rate, momentum = factors(np.maximum(t - warmup, 0.0), planned, tuple(own))
        # w(t) = a + (1 − a) t / W, times the rate that the schedule is built on
        climb = base(tuple(own)) * (low + (1.0 - low) * t / warmup)
        rate = np.where(t < warmup, climb, rate)
    scale = np.stack([np.maximum(rate, LEAST), momentum], axis=1)
    scale.flags.writeable = False
    return scale


@dataclass(frozen=True)
class Schedule:
    """How the rate, and momentum with it, changes from step to step.

    factors(t, total, h) -> (rate, momentum), both (n,): the open loop, known before the run. What
        the rate is multiplied by, and what the hyperparameter whose role is "momentum", at steps
        t (n,): floats from 0 on at the first step after the warm-up. total is how many steps are
        planned for, h the values of `hypers`. A factor of 0 becomes the least positive normal one.
    react(loss, h, m) -> m: the closed loop. The loss that a step starts from and the memory m make
        the memory of the next step, whose first number is one more factor on the rate. It must be
        scalar and is compiled; its first step is the first after the warm-up.
    memory: what m begins with; its first number is 1.
    base(h) -> the factor that a warm-up climbs to, which is PyTorch's `initial_lr` by η₀: 1, also
        where the factor at t = 0 is another one, unless the scheduler sets it anew.
    ends: what the rate does after the last planned step, in one sentence; "" if `factors` does not
        read total, for then there is no last planned step.

    Every schedule has `SHARED` too. In a warm-up of W steps the rate is its base times
    a + (1 − a) t / W, as PyTorch's SequentialLR of LinearLR (start_factor a, total_iters W) and
    the schedule, with milestone W. The step count of a run begins at 0. With total 0 a run plans
    for all steps that it ends with: one that goes on after another is planned anew.
    """

    key: str
    name: str
    hypers: tuple[Hyper, ...]
    formula: str  # LaTeX
    source: str
    about: str  # what it is for, in one sentence
    convention: str  # where others differ
    look: Look
    factors: Callable[[np.ndarray, float, Point], Factors] = level
    react: Callable[[float, Point, Point], Point] = heedless
    memory: Point = (1.0,)
    base: Callable[[Point], float] = full
    ends: str = ""
    given: Point | None = field(default=None)

    @property
    def settings(self) -> tuple[Hyper, ...]:
        """All that may be set: its own hyperparameters, and those that every schedule has."""
        return (*self.hypers, *SHARED)

    @property
    def args(self) -> Point:
        """The values in use of `settings`, in order."""
        return self.given if self.given is not None else tuple(h.default for h in self.settings)

    @property
    def knobs(self) -> Point:
        """The values in use of `hypers`, in order."""
        return self.args[: len(self.hypers)]

    def with_params(self, **values: Any) -> Schedule:
        """The same schedule with other values; those not named keep theirs."""
        now = {h.name: v for h, v in zip(self.settings, self.args, strict=True)}
        return replace(self, given=resolve(self.key, self.settings, now | values))

    def scale(self, count: int, steps: int) -> np.ndarray:
        """The open loop's factors on rate and momentum (steps, 2), read-only, from step `count`."""
        return _scale(self.factors, self.base, self.args, count, steps)

    def is_planned_anew(self, count: int) -> bool:
        """Whether a run that begins at step `count` has another plan than the one before it had."""
        return bool(self.ends) and count > 0 and not self.args[-1]

    def outlived(self, steps: int) -> str:
        """What the rate does in a run from step 0 on after its plan, or "" if it has none by then.

        One or two sentences, with the steps.
        """
        warmup, total = self.args[len(self.hypers)], self.args[-1]
        planned = int(max(total, warmup + 1.0))
        if not self.ends or not total or planned >= steps:
            return ""
        return f"{self.name} is planned for {planned} of the {steps} steps. {self.ends}"

    @property
    def is_level(self) -> bool:
        """Whether the rate never changes: a run is then the one without a schedule, to the bit."""
        return self.factors is level and not self.watches and self.args[len(self.hypers)] == 0.0

    @property
    def watches(self) -> bool:
        """Whether it looks at the loss."""
        return self.react is not heedless

    def watch(self, count: int, steps: int) -> int:
        """Of `steps` steps from step `count` on, the first whose loss is looked at, or `steps`."""
        if not self.watches:
            return steps
        return min(steps, max(0, int(self.args[len(self.hypers)]) - count))


@dataclass(frozen=True)
class Pace:
    """A suggested lr on a surface: for methods whose step scales with the gradient, and others.

    At the defaults of the surface's parameters; `theory.pace_of` takes it to others.
    """

    curvature: float
    length: float


L1 = Hyper(
    "l1", r"\lambda_1", 0.0, Interval(0.0), 0.0, 10.0, "linear",
    "L1 penalty: adds this times the sum of the coordinates' absolute values to the loss.",
    "Tibshirani 1996, doi:10.1111/j.2517-6161.1996.tb02080.x",
)  # fmt: skip
L2 = Hyper(
    "l2", r"\lambda_2", 0.0, Interval(0.0), 0.0, 10.0, "linear",
    "L2 penalty: adds half of this times the sum of the coordinates' squares to the loss.",
    "Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634",
)  # fmt: skip
PROXIMAL = Hyper(
    "proximal", r"\mathrm{prox}", 1.0, Interval(0.0, 1.0, open_high=False), 0.0, 1.0, "switch",
    "Shrink each coordinate towards 0 after the step, and stop it there, in place of following "
    "the L1 penalty's subgradient.",
    "Beck & Teboulle 2009, doi:10.1137/080716542, eq. 1.5",
)  # fmt: skip
PENALTY = (L1, L2, PROXIMAL)
UNPENALISED: Point = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Surface:
    """A loss f: R^dim -> R, and how it wants to be drawn.

    value(*p, *a) -> f, gradient(*p, *a) -> dim floats, hessian(*p, *a) -> (f_xx,) in 1-D and
    (f_xx, f_xy, f_yy) in 2-D, for coordinates p and parameter values a; all pure and scalar.

    penalty: l1, l2 and whether L1 is proximal, the values of PENALTY. Runs then minimise
        F(p) = f(p) + l2/2 ‖p‖² + l1 ‖p‖₁, of which `value`, `gradient` and `hessian` are still f's,
        and `minima`, `kinks`, `saddles` and `maxima` F's. PyTorch's weight_decay, in SGD and Adam,
        is l2; Keras's l2 is half of it. A proximal L1 is in no gradient: a step moves z to
        S(z, τ) = sign(z) max(|z| − τ, 0) with τ = l1 · reach, the proximal step in the method's own
        metric (Yun, Lozano & Yang 2020, arXiv:2007.07484). Of gradient descent that is ISTA (Beck &
        Teboulle 2009, eq. 1.4), of the heavy ball iPiano, and of Nesterov's method FISTA with a
        constant momentum. Else the gradient has l1 sign(p), with sign(0) = 0.
    bounded_from: the least penalty, l2 first and then l1, with which F is bounded below. (0, 0) of
        an f that is; (c, 0) where f falls as c/2 ‖p‖² along some ray, and (0, c) where it falls as
        c ‖p‖₁ and no faster.
    bare: the surface without penalty, of one that `penalty.penalised` made.
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
    bounded_from: tuple[float, float] = (0.0, 0.0)  # (l2, l1)
    levels: Literal["log", "linear"] = "linear"
    params: tuple[Hyper, ...] = ()
    given: Point | None = field(default=None)
    penalty: Point = UNPENALISED
    bare: Surface | None = field(default=None, compare=False, repr=False)

    @property
    def args(self) -> Point:
        """The parameter values in use, in declared order."""
        return self.given if self.given is not None else tuple(h.default for h in self.params)

    @property
    def weights(self) -> Point:
        """What kernels get: the parameter values, and those of the penalty."""
        return (*self.args, *self.penalty)

    @property
    def shrinks(self) -> bool:
        """Whether steps end with a proximal one."""
        l1, _, proximal = self.penalty
        return l1 > 0.0 and proximal > 0.0

    @property
    def bounded(self) -> bool:
        """Whether F is bounded below."""
        l1, l2, _ = self.penalty
        return (l2, l1) >= self.bounded_from

    @property
    def best(self) -> float | None:
        """The least known loss; None where F is not bounded below, or no minimum is known."""
        return min((self.loss(*p) for p in self.minima), default=None) if self.bounded else None

    def loss(self, *p: float) -> float:
        """The penalised loss F of one point, to the bit what kernels compute of it."""
        l1, l2, _ = self.penalty
        total = float(self.value(*p, *self.args))
        for c in p if l2 else ():
            total += 0.5 * l2 * c * c
        for c in p if l1 else ():
            total += l1 * abs(c)
        return total

    def with_params(self, **values: Any) -> Surface:
        """The same surface with other parameter values; those not named keep theirs.

        ValueError if it is penalised: its minima move with its parameters.
        """
        if self.bare is not None:
            raise ValueError(
                f"{self.key} must get its parameters before its penalty, got {in_short(values)}."
            )
        now = {h.name: v for h, v in zip(self.params, self.args, strict=True)}
        return replace(self, given=resolve(self.key, self.params, now | values))
