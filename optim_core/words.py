"""Numbers as text, for sentences."""

from __future__ import annotations

from collections.abc import Sequence


def show(*numbers: float) -> str:
    """A number, or a point, to three digits; adding 0.0 makes −0 a 0."""
    shown = ", ".join(
        f"{x:.0f}" if 999.5 <= abs(x) < 1e6 else f"{x + 0.0:.3g}" for x in map(float, numbers)
    )
    return shown if len(numbers) == 1 else f"({shown})"


def show_apart(a: float | Sequence[float], b: float | Sequence[float]) -> tuple[str, str]:
    """Two numbers, or two points, with as many digits, from three on, as tell them apart."""
    one, other = ([x] if isinstance(x, (int, float)) else list(map(float, x)) for x in (a, b))
    first, second = show(*one), show(*other)
    for digits in range(4, 18):
        if first != second or one == other:
            break
        first, second = (_digits(point, digits) for point in (one, other))
    return first, second


def _digits(point: Sequence[float], digits: int) -> str:
    shown = ", ".join(f"{x + 0.0:.{digits}g}" for x in point)
    return shown if len(point) == 1 else f"({shown})"
