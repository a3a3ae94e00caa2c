"""Arithmetic as a tree: read from a function's source, evaluated on arrays, written as LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True)
class Name:
    """A quantity."""

    name: str


@dataclass(frozen=True)
class Op:
    """One of OPERATIONS on other expressions."""

    kind: str
    args: tuple[Expr, ...]


Expr = Number | Name | Op

# As Python and compiled code have them, NaN and the sign of 0 included.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "negative": np.negative,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "larger": lambda a, b: np.where(a > b, a, b),  # a if a > b else b
    "max": lambda a, b: np.where(b > a, b, a),
    "min": lambda a, b: np.where(b < a, b, a),
    "sign": np.sign,
    # sign(z) max(|z| − τ, 0), with +0 where z is shrunk to 0 from below
    "shrink": lambda z, tau: z - np.where(np.abs(z) <= tau, z, np.where(z > 0.0, tau, -tau)),
}


def evaluate(expr: Expr, values: Mapping[str, Any]) -> np.ndarray:
    """The value, from those of its names (arrays that broadcast), in the order it is written in."""
    match expr:
        case Number(value):
            return np.asarray(value)
        case Name(name):
            return np.asarray(values[name])
        case Op(kind, args):
            return np.asarray(OPERATIONS[kind](*(evaluate(arg, values) for arg in args)))


def names(expr: Expr) -> Iterator[str]:
    """The names in it, in the order they are written in."""
    match expr:
        case Name(name):
            yield name
        case Op(_, args):
            for arg in args:
                yield from names(arg)


def renamed(expr: Expr, known: Mapping[Expr, str]) -> Expr:
    """With names for the operations that have one in `known`, the innermost first."""
    if not isinstance(expr, Op):
        return expr
    own = Op(expr.kind, tuple(renamed(arg, known) for arg in expr.args))
    return Name(known[own]) if own in known else own


def fold(expr: Expr) -> Expr:
    """Without 1 · x, 0 · x, x + 0, x − 0 and x / 1, which a switch that is set leaves behind.

    "shrink" is written out.
    """
    if not isinstance(expr, Op):
        return expr
    args = tuple(map(fold, expr.args))
    match expr.kind, args:
        case ("*", (Number(0.0), _)) | ("*", (_, Number(0.0))):
            return Number(0.0)
        case ("*", (x, Number(1.0))) | ("*", (Number(1.0), x)):
            return x
        case ("+" | "-", (x, Number(0.0))) | ("+", (Number(0.0), x)) | ("/", (x, Number(1.0))):
            return x
        case ("shrink", (z, tau)):
            beyond = Op("max", (Op("-", (Op("abs", (z,)), tau)), Number(0.0)))
            return Op("*", (Op("sign", (z,)), beyond))
    return Op(expr.kind, args)


def latex(expr: Expr, leaf: Callable[[str, bool], str], times: str = " ") -> str:
    """The folded expression as LaTeX.

    leaf(name, guarded) -> how a name is written; guarded if a negative number would need
        parentheses there.
    times: what stands between factors. A number is never next to a digit without a dot.
    """
    return _Writer(leaf, times).write(fold(expr))


def is_product(expr: Expr) -> bool:
    """Whether its last operation is a multiplication."""
    return isinstance(expr, Op) and expr.kind == "*"


def terms(expr: Expr) -> list[tuple[bool, Expr]]:
    """The terms of a sum in reading order, and whether each is added (or else subtracted)."""
    match expr:
        case Op("+", (a, b)):
            return [*terms(a), *terms(b)]
        case Op("-", (a, b)):
            return [*terms(a), (False, b)]
        case Op("negative", (a,)):
            return [(False, a)]
    return [(True, expr)]


@dataclass
class _Factor:
    base: Expr
    power: int = 1
    divisor: Expr | None = None


def _factors(expr: Expr) -> list[_Factor]:
    """The factors of a product in reading order; a division belongs to the factor before it."""
    match expr:
        case Op("*", (a, b)):
            left, right = _factors(a), _factors(b)
            last, first = left[-1], right[0]
            if last.base == first.base and last.divisor is None and first.divisor is None:
                first.power += last.power
                left.pop()
            return left + right
        case Op("/", (a, b)):
            left = _factors(a)
            below = left[-1].divisor
            left[-1].divisor = b if below is None else Op("*", (below, b))
            return left
    return [_Factor(expr)]


@dataclass(frozen=True)
class _Writer:
    leaf: Callable[[str, bool], str]
    times: str

    def write(self, expr: Expr, guarded: bool = False) -> str:
        text = ""
        for added, term in terms(expr):
            sign = (" + " if added else " - ") if text else ("" if added else "-")
            text += sign + self.product(term, guarded or bool(sign))
        return text

    def product(self, expr: Expr, guarded: bool) -> str:
        """A term; a sum that is one, as in a − (b + c), is in parentheses."""
        text = ""
        for factor in _factors(expr):
            part = self.factor(factor, guarded or bool(text))
            between = " \\cdot " if part[0].isdigit() else self.times
            text += between + part if text else part
        return text

    def factor(self, factor: _Factor, guarded: bool) -> str:
        if factor.divisor is not None:
            above = self.power(factor, False) if factor.power > 1 else self.write(factor.base)
            return f"\\frac{{{above}}}{{{self.write(factor.divisor)}}}"
        return self.power(factor, guarded)

    def power(self, factor: _Factor, guarded: bool) -> str:
        if factor.power == 1:
            return self.atom(factor.base, guarded)
        base = self.atom(factor.base, True)
        raised = "^" in base and isinstance(factor.base, Name)
        return f"{_bracket(base) if raised else base}^{factor.power}"

    def atom(self, expr: Expr, guarded: bool) -> str:
        match expr:
            case Name(name):
                return self.leaf(name, guarded)
            case Number(value):
                digits = f"{Decimal(repr(value)).normalize():f}"
                return _bracket(digits) if guarded and value < 0.0 else digits
            case Op("sqrt", (a,)):
                return f"\\sqrt{{{self.write(a)}}}"
            case Op("abs", (a,)):
                return f"\\lvert {self.write(a)} \\rvert"
            case Op("sign", (a,)):
                return f"\\operatorname{{sign}}({self.write(a)})"
            case Op("max" | "larger", (a, b)):
                return f"\\max({self.write(a)},\\ {self.write(b)})"
            case Op("min", (a, b)):
                return f"\\min({self.write(a)},\\ {self.write(b)})"
        return _bracket(self.write(expr))


def _bracket(text: str) -> str:
    return f"\\left({text}\\right)" if "\\frac" in text else f"({text})"
