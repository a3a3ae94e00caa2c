"""Stationary points of surfaces that repeat: of sums of one function, and of mirror images."""

from collections.abc import Callable, Iterable
from itertools import product

from optim_core.spec import Point


def roots(
    slope: Callable[[float], float], bend: Callable[[float], float], guesses: Iterable[float]
) -> Point:
    """A zero of `slope` near each guess, by Newton's method; `bend` is the derivative of `slope`.

    The guesses must be close: nothing is checked.
    """
    found = []
    for guess in guesses:
        t = float(guess)
        for _ in range(20):  # from a close guess 6 are enough, the rest move the last bit or none
            t = t - float(slope(t)) / float(bend(t))
        found.append(t)
    return tuple(found)


def pairs(first: Iterable[float], second: Iterable[float]) -> tuple[Point, ...]:
    """Every (x, y) with x from `first` and y from `second`."""
    return tuple(product(first, second))


def mirrored(points: Iterable[Point]) -> tuple[Point, ...]:
    """The points and their images under (x, y) → (±x, ±y) and (±y, ±x), each once."""
    images: dict[Point, None] = {}
    for x, y in points:
        for u, v in ((x, y), (y, x)):
            for image in ((u, v), (-u, v), (u, -v), (-u, -v)):
                images[image] = None
    return tuple(images)
