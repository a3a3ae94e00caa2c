"""An optimizer's step as definitions, read from the source of its functions.

The functions of its file are run once on symbols. What they assign to a slot, or to a local with a
declared symbol, is a definition; everything else is written out in place.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from optim_core.expressions import Expr, Name, Number, Op, is_product, names, renamed, terms
from optim_core.spec import L1, Optimizer, Point, at_position, resolve

BINARY: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
CALLS: dict[Any, str] = {
    np.sqrt: "sqrt", math.sqrt: "sqrt", abs: "abs", np.abs: "abs", max: "max", min: "min",
}  # fmt: skip
Definitions = tuple[tuple[str, Expr], ...]


@dataclass(frozen=True)
class Recursion:
    """All that the functions of an optimizer say of a step, for given switches.

    Names: "p", "g" and "m.before" of a slot m are what the step begins with; "m" and "p.after"
    what it ends with. Hyperparameters, clock values and locals have their own, and where the
    gradient is taken is "probe". With a proximal step at the end the rule gives "z" and "m", and
    that step "tau" and "p.after", and "m.landed" of a slot m that it changes.
    """

    prelude: Definitions  # before the gradient: of the clock, and the probe if it is elsewhere
    rule: Definitions  # the last is "p.after", or "z" if a proximal step follows
    proximal: Definitions  # the proximal step; () if there is none
    running: frozenset[str]  # powers and products by step, which their symbol explains
    update: Expr  # p − update = p.after, or z
    preconditioner: Expr | None
    clock: tuple[str, ...]  # of its values after the step; one that nothing reads is ""
    shared: frozenset[str]  # what is the same for all coordinates


def switches(optimizer: Optimizer, hypers: Mapping[str, Any]) -> Point:
    """The values of an optimizer's switches. ValueError for a hyperparameter out of its domain."""
    values = resolve(optimizer.key, optimizer.hypers, hypers)
    pairs = zip(optimizer.hypers, values, strict=True)
    return tuple(value for hyper, value in pairs if hyper.scale == "switch")


@lru_cache(maxsize=256)
def recursion(optimizer: Optimizer, switches: Point, shrinks: bool = False) -> Recursion:
    """Read an optimizer's functions; its switches decide their branches.

    shrinks: whether steps end with a proximal one, as on a surface that `shrinks`.
    ValueError for source that has more than assignments, branches on switches, + − × ÷, roots,
    abs, max, min and calls of such functions, for a slot or local that is assigned twice, for a
    rule that is not the position minus or plus something, and for names that a proximal step needs.
    """
    decided = iter(switches)
    h = tuple(
        Number(next(decided)) if hyper.scale == "switch" else Name(hyper.name)
        for hyper in optimizer.hypers
    )
    reader = _Reader(optimizer)
    clock = reader.clock(h)
    k = tuple(map(Name, clock))
    before = tuple(Name(f"{slot}.before") for slot in optimizer.slots)
    if optimizer.probe is not at_position:
        reader.define("probe", reader.call(optimizer.probe, (Name("p"), before, h, k)))
    prelude = tuple(reader.found)
    after, slots = reader.call(optimizer.rule, (Name("p"), Name("g"), before, h, k))
    for name, value in zip(optimizer.slots, slots, strict=True):
        if value != Name(name):
            reader.define(name, value)
    reader.define("z" if shrinks else "p.after", after)
    rule = tuple(reader.found[len(prelude) :])
    if shrinks:
        _shrink(reader, h, k)
    preconditioner = None
    if optimizer.preconditioner is not None:
        held = tuple(map(Name, optimizer.slots))
        plain = _Reader(optimizer, inline=True)
        preconditioner = plain.call(optimizer.preconditioner, (held, h, k))
    return Recursion(
        prelude=prelude,
        rule=rule,
        proximal=tuple(reader.found[len(prelude) + len(rule) :]),
        running=frozenset(reader.running),
        update=_update(optimizer, after),
        preconditioner=preconditioner,
        clock=clock,
        shared=frozenset(reader.shared),
    )


def _shrink(reader: _Reader, h: tuple[Expr, ...], k: tuple[Expr, ...]) -> None:
    """Define the proximal step that follows z; `Surface` and `Optimizer` say what it is."""
    optimizer, plain = reader.optimizer, _Reader(reader.optimizer, inline=True)
    for name in sorted({L1.name, "z", "tau"} & {*reader.shared, *optimizer.slots}):
        raise ValueError(f"{optimizer.key} must leave {name!r} to the proximal step, got its own.")
    held = tuple(map(Name, optimizer.slots))
    reach = plain.call(optimizer.reach, (held, h, k))
    known = {value: name for name, value in reader.found}
    reader.shared.add(L1.name)
    reader.define("tau", Op("*", (Name(L1.name), renamed(reach, known))))
    reader.define("p.after", Op("shrink", (Name("z"), Name("tau"))))
    moved = Op("-", (Name("p.after"), Name("p")))
    landed = plain.call(optimizer.landed, (moved, held, h, k))
    for name, value in zip(optimizer.slots, landed, strict=True):
        if value != Name(name):
            reader.define(f"{name}.landed", value)


def _update(optimizer: Optimizer, after: Expr) -> Expr:
    (added, first), *rest = terms(after)
    if not added or first != Name("p") or not rest:
        raise ValueError(f"The rule of {optimizer.key} must be the position minus or plus a step.")
    (added, update), *rest = rest
    update = Op("negative", (update,)) if added else update
    for added, term in rest:
        update = Op("-" if added else "+", (update, term))
    return update


@lru_cache(maxsize=256)
def _parsed(function: Callable[..., Any]) -> ast.FunctionDef:
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(node, ast.FunctionDef):
        raise ValueError(f"{function.__qualname__} must be a function with a def, got another.")
    return node


@dataclass
class _Scope:
    function: Callable[..., Any]
    local: dict[str, Any]  # name -> an Expr, or a tuple of them


@dataclass
class _Reader:
    """Runs functions on symbols, and keeps what they define in `found`."""

    optimizer: Optimizer
    inline: bool = False  # define nothing
    found: list[tuple[str, Expr]] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)  # a clock value before -> its name after

    def clock(self, h: tuple[Expr, ...]) -> tuple[str, ...]:
        """Read the clock: the names of its values after a step, which are those of its locals."""
        marks = [f"clock.{i}.before" for i in range(len(self.optimizer.clock_start))]
        self.labels = dict.fromkeys(marks, "")
        self.running = {*marks}
        self.shared = {hyper.name for hyper in self.optimizer.hypers} | {*marks}
        values = self.call(self.optimizer.clock, (h, tuple(map(Name, marks))))
        after = []
        for mark, value in zip(marks, values, strict=True):
            defined = isinstance(value, Name) and value.name != mark
            after.append(value.name if defined else self.labels[mark])
            if self.runs(value):
                self.running.add(after[-1])
        self.running -= {*marks}
        self.shared = self.shared - {*marks} | {*after} - {""}
        return tuple(after)

    def call(self, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        node = _parsed(function)
        local = dict(zip((a.arg for a in node.args.args), args, strict=True))
        return self.block(node.body, _Scope(function, local))

    def block(self, body: Sequence[ast.stmt], scope: _Scope) -> Any:
        """What the statements return, or None."""
        for statement in body:
            match statement:
                case ast.Expr(ast.Constant()):
                    continue
                case ast.Assign([target], value):
                    self.assign(target, self.value(value, scope), scope)
                case ast.Return(ast.expr() as value):
                    return self.value(value, scope)
                case ast.If(test, then, otherwise):
                    result = self.block(then if self.switch(test, scope) else otherwise, scope)
                    if result is not None:
                        return result
                case _:
                    raise _unreadable(statement, scope)
        return None

    def assign(self, target: ast.expr, value: Any, scope: _Scope) -> None:
        if isinstance(target, ast.Tuple):
            for part, own in zip(target.elts, value, strict=True):
                self.assign(part, own, scope)
        elif isinstance(target, ast.Name):
            scope.local[target.id] = self.named(target.id, value, scope.local.get(target.id))
        else:
            raise _unreadable(target, scope)

    def named(self, name: str, value: Any, old: Any) -> Any:
        """What a local stands for once it is assigned: itself, if that is a definition."""
        if isinstance(value, Name) and value.name in self.labels and name != "_":
            self.labels[value.name] = name
        if self.inline or not isinstance(value, Op):
            return value
        origin = old.name if isinstance(old, Name) else ""
        if origin in self.labels and self.runs(value):
            self.running.add(name)
            self.shared.add(name)
            return Name(name)
        if origin.removesuffix(".before") in self.optimizer.slots:
            return self.define(origin.removesuffix(".before"), value)
        if name not in dict(self.optimizer.symbols):
            return value
        if self.runs(value):
            self.running.add(name)
        return self.define(name, value)

    def define(self, name: str, value: Expr) -> Name:
        if name in dict(self.found):
            raise ValueError(f"The rule of {self.optimizer.key} must assign {name!r} only once.")
        self.found.append((name, value))
        if {*names(value)} <= self.shared:
            self.shared.add(name)
        return Name(name)

    def runs(self, value: Expr) -> bool:
        """Whether this multiplies a power or product by step on, as β₁ᵗ⁻¹ β₁."""
        first = value
        while isinstance(first, Op) and is_product(first):
            first = first.args[0]
        known = isinstance(first, Name) and first.name in self.running
        return is_product(value) and known and {*names(value)} <= self.shared

    def switch(self, test: ast.expr, scope: _Scope) -> bool:
        value = self.value(test, scope)
        if not isinstance(value, Number):
            raise _unreadable(test, scope)
        return bool(value.value)

    def value(self, node: ast.expr, scope: _Scope) -> Any:
        """An Expr, a tuple of them, or what a function or module is known by."""
        match node:
            case ast.Constant(int() | float() as number):
                return Number(float(number))
            case ast.Name(name):
                outer = scope.function.__globals__.get(name, getattr(builtins, name, None))
                return _known(scope.local.get(name, outer))
            case ast.Attribute(owner, name):
                return _known(getattr(self.value(owner, scope), name))
            case ast.Subscript(owner, ast.Constant(int() as row)):
                return self.value(owner, scope)[row]
            case ast.Tuple(parts):
                return tuple(self.value(part, scope) for part in parts)
            case ast.UnaryOp(ast.USub(), operand):
                return Op("negative", (self.value(operand, scope),))
            case ast.BinOp(a, operator, b) if type(operator) in BINARY:
                return Op(BINARY[type(operator)], (self.value(a, scope), self.value(b, scope)))
            case ast.IfExp(ast.Compare(a, [ast.Gt()], [b]), then, otherwise):
                pair = self.value(a, scope), self.value(b, scope)
                if pair == (self.value(then, scope), self.value(otherwise, scope)):
                    return Op("larger", pair)
            case ast.IfExp(test, then, otherwise):
                return self.value(then if self.switch(test, scope) else otherwise, scope)
            case ast.Call(called, parts, []):
                function = self.value(called, scope)
                args = tuple(self.value(part, scope) for part in parts)
                if function in CALLS:
                    return Op(CALLS[function], args)
                if function is float:
                    return args[0]
                if inspect.isfunction(function):
                    return self.call(function, args)
        raise _unreadable(node, scope)


def _known(value: Any) -> Any:
    return Number(float(value)) if isinstance(value, float | int) else value


def _unreadable(node: ast.AST, scope: _Scope) -> ValueError:
    place = f"{scope.function.__module__}.{scope.function.__qualname__}"
    return ValueError(f"{place} must be plain arithmetic, got {ast.unparse(node)!r}.")
