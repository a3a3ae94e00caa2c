"""What public functions take: one check for each kind of argument.

Each returns what it has checked. ValueError otherwise: one sentence on one line, with the
argument's name, what is allowed, and in short what was given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, TypeVar

import numpy as np

from optim_core.spec import (
    Interval,
    Look,
    Optimizer,
    Point,
    Schedule,
    Surface,
    in_short,
    is_finite_number,
)

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
UNSCHEDULED = Schedule("", "", (), "", "", "", "", Look("", (), "circle"))


def check_instance(name: str, value: Any, kind: type[T]) -> T:
    if isinstance(value, kind):
        return value
    article = "an" if kind.__name__[0] in "AEIO" else "a"
    raise ValueError(f"{name} must be {article} {kind.__name__}, got {in_short(value)}.")


def check_surface(value: Any, name: str = "surface") -> Surface:
    return check_instance(name, value, Surface)


def check_optimizer(value: Any) -> Optimizer:
    return check_instance("optimizer", value, Optimizer)


def check_schedule(value: Any) -> Schedule:
    """The schedule; for None one that changes nothing."""
    if value is None or isinstance(value, Schedule):
        return UNSCHEDULED if value is None else value
    raise ValueError(f"schedule must be a Schedule or None, got {in_short(value)}.")


def check_function(name: str, value: F | None) -> F | None:
    if value is None or callable(value):
        return value
    raise ValueError(f"{name} must be a function or None, got {in_short(value)}.")


def check_flag(name: str, value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ValueError(f"{name} must be True or False, got {in_short(value)}.")


def check_number(name: str, value: Any, domain: Interval) -> float:
    if is_finite_number(value) and float(value) in domain:
        return float(value)
    raise ValueError(f"{name} must be a finite number in {domain}, got {in_short(value)}.")


def check_count(name: str, value: Any, low: int, high: int) -> int:
    """An integer in low…high, or a float that is one."""
    whole = isinstance(value, Integral) or (is_finite_number(value) and float(value).is_integer())
    if isinstance(value, bool) or not whole or not low <= value <= high:
        raise ValueError(f"{name} must be an integer in [{low}, {high}], got {in_short(value)}.")
    return int(value)


def listed(value: Any) -> list[Any] | None:
    """The items of a list, tuple or array in their order; None of what has none, or is a text."""
    if isinstance(value, np.ndarray):
        return list(value.tolist()) if value.ndim else None
    texts = (str, bytes, bytearray, memoryview)
    return list(value) if isinstance(value, Sequence) and not isinstance(value, texts) else None


def check_point(name: str, value: Any, dim: int, *, finite: bool = True) -> Point:
    """`dim` numbers as floats; unless `finite`, inf and NaN are allowed too."""
    items = listed(value)
    if (
        items is not None
        and len(items) == dim
        and all(is_finite_number(c) or (isinstance(c, float) and not finite) for c in items)
    ):
        return tuple(map(float, items))
    kind = "finite number(s)" if finite else "number(s)"
    raise ValueError(f"{name} must be a list of {dim} {kind}, got {in_short(value)}.")


def check_start(surface: Surface, start: Any) -> Point:
    return check_point("start", start, surface.dim)
