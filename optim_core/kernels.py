"""The only room that knows Numba: its options, the factories of compiled code, and its cache.

Two kinds of kernel, so that N optimizers and M surfaces cost N + M compilations and not N * M:
a *block* evaluates one surface over lanes of points, and a *driver* runs one rule, calling the
block through a function pointer.
"""

from __future__ import annotations

import hashlib
import inspect
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numba
import numpy as np
from numba import njit, types
from numba.core import cgutils, config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.errors import RequireLiteralValue
from numba.core.serialize import dumps
from numba.extending import intrinsic, register_jitable
from numba.np.arrayobj import make_array
from numba.np.unsafe.ndarray import to_fixed_tuple

from optim_core import kernel_files
from optim_core.spec import Optimizer, Schedule, Surface, at_position

# error_model="numpy": x/0 is inf or NaN, never an exception, and loops can be vectorised.
# No fastmath (it changes results) and no parallel=True (two sessions at once abort the process).
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}

Which = Literal["value", "gradient", "hessian"]
VECTOR = types.float64[::1]
MATRIX = types.float64[:, ::1]
CUBE = types.float64[:, :, ::1]
BLOCK = types.void(MATRIX, VECTOR, MATRIX)  # points (dim, lanes), weights, out (k, lanes)


@lru_cache(maxsize=256)
def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def fingerprint(function: Callable[..., Any]) -> str:
    """A digest of every source file in the function's package, or of its module if it has none.

    A kernel on disk is found by what its closure holds; with this in it, an edited rule, or an
    edited helper of a rule, is compiled anew.
    """
    top = sys.modules[function.__module__.partition(".")[0]]
    root = getattr(top, "__path__", None)
    if root is not None:
        return _folder_digest(Path(root[0]))
    return hashlib.sha256(inspect.getsource(top).encode()).hexdigest()


@cache
def _make_callable(module: ModuleType) -> None:
    """Let compiled code call the module's functions, which stay ordinary Python functions."""
    package = module.__name__.partition(".")[0]
    for member in list(vars(module).values()):
        if inspect.isfunction(member) and member.__module__.partition(".")[0] == package:
            register_jitable(member)
        elif isinstance(member, ModuleType) and member.__name__.partition(".")[0] == package:
            _make_callable(member)


def _callable(*functions: Callable[..., Any]) -> None:
    for function in functions:
        _make_callable(sys.modules[function.__module__])


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


THIS_FILE = _digest(Path(__file__).read_bytes())


class _Cache(NullCache):  # type: ignore[misc]
    """One kernel on disk, asked by Numba in place of its own cache.

    That one looks for edits in this file alone, and raises where a file is damaged, the folder
    read-only or the disk full.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def _file(self, codegen: Any) -> str:
        machine = codegen.magic_tuple(), config.USING_SVML
        digest = _digest(self._name, numba.__version__, sys.implementation.cache_tag, *machine)
        return f"{self._name.partition('-')[0]}-{digest}{kernel_files.SUFFIX}"

    def load_overload(self, _signature: Any, target: Any) -> Any:
        target.refresh()
        content = kernel_files.read(self._file(target.codegen()))
        if content is None:
            return None
        try:
            return CompileResult._rebuild(target, *pickle.loads(content))
        except Exception as error:  # noqa: BLE001  whatever another Numba's file raises
            kernel_files.say(f"Compiled code is of another Numba ({error}); it is compiled anew.")
            return None

    def save_overload(self, _signature: Any, compiled: Any) -> None:
        if not compiled.library.has_dynamic_globals:  # these are addresses in this process
            kernel_files.write(self._file(compiled.codegen), dumps(compiled._reduce()))


def _compile(kernel: Any, signature: Any) -> Any:
    """Compile a kernel, or load it, under a name that no other kernel has.

    Numba names machine code by qualified name and a counter of this process. Kernels of one name
    from two processes' caches would carry one symbol, and calls go to whichever loaded first.
    A kernel is what this file and its closure make it; the closure holds its sources' digests.
    """
    captured = dumps([cell.cell_contents for cell in kernel.__closure__ or ()])
    kernel.__qualname__ = f"{kernel.__name__}-{_digest(captured, signature, THIS_FILE)}"
    dispatcher = njit(**OPTIONS)(kernel)
    dispatcher._cache = _Cache(kernel.__qualname__)
    dispatcher.compile(signature)
    dispatcher.disable_compile()
    return dispatcher


@intrinsic
def column(_: Any, matrix: Any, i: Any, n: Any) -> Any:
    """The first n rows of a matrix at column i, as a tuple. LLVM makes vectors of a loop of these.

    to_fixed_tuple goes through a slice on the stack, of which it does not.
    """
    if not isinstance(n, types.IntegerLiteral):
        raise RequireLiteralValue("n must be a constant")
    kind = types.UniTuple(matrix.dtype, n.literal_value)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        cells = _cells(context, builder, signature.args[0], args[0], args[1], n.literal_value)
        values = [context.unpack_value(builder, matrix.dtype, cell) for cell in cells]
        return context.make_tuple(builder, kind, values)

    return kind(matrix, i, n), generate


@intrinsic
def put(_: Any, matrix: Any, i: Any, values: Any) -> Any:
    """Store a tuple into the first rows of a matrix at column i."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        cells = _cells(context, builder, signature.args[0], args[0], args[1], len(values))
        for cell, value in zip(cells, cgutils.unpack_tuple(builder, args[2]), strict=True):
            context.pack_value(builder, matrix.dtype, value, cell)
        return context.get_dummy_value()

    return types.void(matrix, i, values), generate


def _cells(context: Any, builder: Any, kind: Any, matrix: Any, i: Any, n: int) -> list[Any]:
    """Pointers to the first n rows of a C-contiguous matrix at column i."""
    array = make_array(kind)(context, builder, matrix)
    width = cgutils.unpack_tuple(builder, array.shape, 2)[1]
    rows = [context.get_constant(types.intp, row) for row in range(n)]
    return [builder.gep(array.data, [builder.add(builder.mul(width, row), i)]) for row in rows]


@cache
def _block(function: Callable[..., Any], dim: int, n_args: int, which: Which) -> Any:
    _callable(function)
    source = fingerprint(function)
    is_scalar, is_gradient = which == "value", which == "gradient"

    def evaluate(points, args, out):  # type: ignore[no-untyped-def]
        tag = source  # noqa: F841  enters the cache key
        a = to_fixed_tuple(args, n_args)
        for i in range(points.shape[1]):
            result = function(*(column(points, i, dim) + a))
            if is_scalar:
                out[0, i] = result
            else:
                put(out, i, result)
        # The penalty's loops are its own, as 0 · inf is not 0.
        l1, l2, proximal = args[n_args], args[n_args + 1], args[n_args + 2]
        if l2 != 0.0:
            for j in range(dim):
                for i in range(points.shape[1]):
                    if is_scalar:
                        out[0, i] += 0.5 * l2 * points[j, i] * points[j, i]
                    elif is_gradient:
                        out[j, i] += l2 * points[j, i]
                    else:  # f_xx, or f_xx and f_yy with f_xy between them
                        out[2 * j, i] += l2
        if l1 != 0.0 and (is_scalar or (is_gradient and proximal == 0.0)):
            for j in range(dim):
                for i in range(points.shape[1]):
                    if is_scalar:
                        out[0, i] += l1 * abs(points[j, i])
                    else:
                        out[j, i] += l1 * np.sign(points[j, i])

    return _compile(evaluate, BLOCK)


def block(surface: Surface, which: Which) -> Any:
    """Compile one of a surface's functions for lanes of points: BLOCK(points, weights, out)."""
    function = getattr(surface, which)
    return _block(function, surface.dim, len(surface.args), which)


REACT = types.void(MATRIX, VECTOR, MATRIX)  # losses (1, lanes), knobs, in and out: memory


@cache
def _reactor(function: Callable[..., Any], n_knobs: int, n_memory: int) -> Any:
    _callable(function)
    source = fingerprint(function)

    def react(losses, knobs, memory):  # type: ignore[no-untyped-def]
        tag = source  # noqa: F841  enters the cache key
        h = to_fixed_tuple(knobs, n_knobs)
        for i in range(losses.shape[1]):
            put(memory, i, function(losses[0, i], h, column(memory, i, n_memory)))

    return _compile(react, REACT)


def reactor(schedule: Schedule) -> Any:
    """Compile a schedule's closed loop for lanes of runs: REACT(losses, knobs, memory)."""
    knobs = len(schedule.knobs) if schedule.watches else 0  # one kernel for all that do not look
    return _reactor(schedule.react, knobs, len(schedule.memory))


NOISE = types.Array(types.float64, 2, "C", readonly=True)
RECORD = (
    types.FunctionType(BLOCK),  # gradient
    VECTOR,  # the surface's weights
    MATRIX,  # in and out: hyperparameters (hypers, steps), or (hypers, 1) if they are constant
    VECTOR,  # in and out: clock
    NOISE,  # on the gradient (steps, dim)
    MATRIX,  # positions (steps + 1, dim); row 0 is the start
    MATRIX,  # gradients (steps, dim)
    MATRIX,  # probes (steps, dim)
    CUBE,  # slots (slots, steps + 1, dim); row 0 is in, the others are out
)
CLOSED_LOOP = (
    types.FunctionType(BLOCK),  # value
    types.FunctionType(REACT),  # what the schedule makes of it
    VECTOR,  # its knobs
    types.intp,  # the first step whose loss it looks at
    MATRIX,  # in and out: its memory (memory, 1)
)


def _functions(optimizer: Optimizer) -> tuple[Callable[..., Any], ...]:
    return (
        optimizer.rule, optimizer.clock, optimizer.probe, optimizer.reach, optimizer.landed
    )  # fmt: skip


@register_jitable
def _shrink(args):  # type: ignore[no-untyped-def]
    """l1 of a proximal penalty, else 0, from a surface's weights."""
    return args[len(args) - 3] if args[len(args) - 1] != 0.0 else 0.0


@register_jitable
def _shrunk(z, tau):  # type: ignore[no-untyped-def]
    """S(z, τ) = sign(z) max(|z| − τ, 0), which is not finite where z is not."""
    inward = z if abs(z) <= tau else (tau if z > 0.0 else -tau)
    return z - inward


def recorder(optimizer: Optimizer, watches: bool = False) -> Any:
    """Compile the driver that runs one optimizer and records everything.

    watches: under a schedule that looks at the loss, with a CLOSED_LOOP. To hand over two more
    functions takes longer than 200 steps, so other runs hand over as many zeros.
    """
    return _recorder(optimizer, watches)  # `cache` keeps a call with watches=False apart


@cache
def _recorder(optimizer: Optimizer, watches: bool) -> Any:
    functions = rule, clock, probe, reach, landed = _functions(optimizer)
    _callable(*functions)
    source = "_".join(sorted({fingerprint(f) for f in functions}))
    n_hypers = len(optimizer.hypers)
    n_clock = len(optimizer.clock_start)
    n_slots = max(1, len(optimizer.slots))
    rate = optimizer.row("rate")

    def record(  # type: ignore[no-untyped-def]
        gradient, args, hypers, start, noise, positions, gradients, probes, slots,
        value, react, knobs, watch, memory,
    ):  # fmt: skip
        tag = source  # noqa: F841  enters the cache key
        steps, dim = gradients.shape
        point = np.empty((dim, 1))
        slope = np.empty((dim, 1))
        height = np.empty((1, 1))
        last = hypers.shape[1] - 1
        shrink = _shrink(args)
        k = to_fixed_tuple(start, n_clock)
        for t in range(steps):
            if watches:
                hypers[rate, t] *= memory[0, 0]
            h = column(hypers, min(t, last), n_hypers)
            k = clock(h, k)
            for j in range(dim):
                s = to_fixed_tuple(slots[:, t, j], n_slots)
                point[j, 0] = probe(positions[t, j], s, h, k)
            gradient(point, args, slope)
            for j in range(dim):
                g = slope[j, 0] + noise[t, j]
                s = to_fixed_tuple(slots[:, t, j], n_slots)
                p, s = rule(positions[t, j], g, s, h, k)
                if shrink > 0.0:
                    p = _shrunk(p, shrink * reach(s, h, k))
                    s = landed(p - positions[t, j], s, h, k)
                positions[t + 1, j] = p
                gradients[t, j] = g
                probes[t, j] = point[j, 0]
                for i in range(n_slots):
                    slots[i, t + 1, j] = s[i]
            if watches:  # noqa: SIM102  decided when it is compiled
                if t >= watch:
                    for j in range(dim):
                        point[j, 0] = positions[t, j]
                    value(point, args, height)
                    react(height, knobs, memory)
        for i in range(n_clock):
            start[i] = k[i]

    loop = CLOSED_LOOP if watches else (types.intp,) * len(CLOSED_LOOP)
    return _compile(record, types.void(*RECORD, *loop))


LINE = 8  # lanes in a cache line, which is a vector too
WIDTH = 256  # lanes that go through the steps together; fewer pay more for the calls of a step
STRIDE = 32  # steps between two looks at where the lanes are
LOOK_BACK = 192  # rows before the last: a cycle of 64 steps must be there three times
ADVANCE = types.void(
    types.FunctionType(BLOCK),  # gradient
    types.FunctionType(BLOCK),  # value
    types.FunctionType(REACT),  # the schedule's closed loop
    VECTOR,  # the surface's weights
    NOISE,  # on the gradient (steps, dim)
    VECTOR,  # the schedule's knobs
    NOISE,  # its factors on rate and momentum (steps, 2)
    types.intp,  # the first step whose loss it looks at
    MATRIX,  # in and out: its memory (memory, lanes)
    MATRIX,  # hyperparameters as given (hypers, lanes)
    MATRIX,  # in and out: those of the step (hypers, lanes)
    MATRIX,  # in and out: clock (clock, lanes)
    MATRIX,  # in and out: slots (slots, dim * lanes)
    CUBE,  # positions (steps + 1, dim, lanes); row 0 is in, the others are out
)


@register_jitable
def _lines(rows, width):  # type: ignore[no-untyped-def]
    """An empty matrix that begins with a cache line: a vector across two of them costs twice."""
    raw = np.empty(rows * width + LINE)
    skip = (-raw.ctypes.data // raw.itemsize) % LINE
    return raw[skip : skip + rows * width].reshape(rows, width)


def advancer(
    optimizer: Optimizer, scheduled: bool = False, alike: bool = True, proximal: bool = False
) -> Any:
    """Compile the steps of one optimizer over lanes of runs.

    scheduled: rate and momentum change from step to step. Sweeps without a schedule have a kernel
    without these lines, which is as fast as if there were none.
    alike: the clock is the same in all lanes, and is advanced once for all of them.
    proximal: steps end with a proximal one; again, sweeps without have a kernel without.
    """
    return _advancer(optimizer, scheduled, alike, proximal)


@cache
def _advancer(optimizer: Optimizer, scheduled: bool, alike: bool, proximal: bool) -> Any:
    functions = rule, clock, probe, reach, landed = _functions(optimizer)
    _callable(*functions)
    source = "_".join(sorted({fingerprint(f) for f in functions}))
    n_hypers = len(optimizer.hypers)
    n_clock = len(optimizer.clock_start)
    n_slots = max(1, len(optimizer.slots))
    looks_ahead = probe is not at_position
    rate, momentum = optimizer.row("rate"), optimizer.row("momentum")

    def advance(  # type: ignore[no-untyped-def]
        gradient, value, react, args, noise, knobs, scale, watch, memory, given, h, k, s, path
    ):
        tag = source  # noqa: F841  enters the cache key
        steps, dim = noise.shape
        width = path.shape[2]
        point, slope = _lines(dim, width), _lines(dim, width)
        shrink = _shrink(args)
        for t in range(steps):
            here, there = path[t], path[t + 1]
            if scheduled:
                for i in range(width):
                    h[rate, i] = given[rate, i] * scale[t, 0] * memory[0, i]
                if momentum >= 0:
                    for i in range(width):
                        h[momentum, i] = given[momentum, i] * scale[t, 1]
                if t >= watch:
                    value(here, args, point[:1])
                    react(point[:1], knobs, memory)
            now = clock(column(h, 0, n_hypers), column(k, 0, n_clock))
            put(k, 0, now)
            if not alike:
                for i in range(1, width):
                    put(k, i, clock(column(h, i, n_hypers), column(k, i, n_clock)))
            if looks_ahead:
                for j in range(dim):
                    for i in range(width):
                        point[j, i] = probe(
                            here[j, i],
                            column(s, j * width + i, n_slots),
                            column(h, i, n_hypers),
                            now if alike else column(k, i, n_clock),
                        )
                gradient(point, args, slope)
            else:
                gradient(here, args, slope)
            for j in range(dim):
                chance = noise[t, j]
                for i in range(width):
                    p, state = rule(
                        here[j, i],
                        slope[j, i] + chance,
                        column(s, j * width + i, n_slots),
                        column(h, i, n_hypers),
                        now if alike else column(k, i, n_clock),
                    )
                    if proximal:
                        given_here = column(h, i, n_hypers)
                        clock_here = now if alike else column(k, i, n_clock)
                        p = _shrunk(p, shrink * reach(state, given_here, clock_here))
                        state = landed(p - here[j, i], state, given_here, clock_here)
                    there[j, i] = p
                    put(s, j * width + i, state)

    return _compile(advance, ADVANCE)


@register_jitable
def _fill(lanes, number):  # type: ignore[no-untyped-def]
    for i in range(len(lanes)):
        lanes[i] = number


@register_jitable
def _fill_rows(matrix, number):  # type: ignore[no-untyped-def]
    for j in range(matrix.shape[0]):
        for i in range(matrix.shape[1]):
            matrix[j, i] = number


@register_jitable
def _copy(matrix, to, offset, n):  # type: ignore[no-untyped-def]
    """The first n lanes of a matrix into those of another from `offset` on."""
    for j in range(matrix.shape[0]):
        for i in range(n):
            to[j, offset + i] = matrix[j, i]


@register_jitable
def _extent(rows, low, high):  # type: ignore[no-untyped-def]
    """The lowest and highest coordinates in rows (n, dim, lanes), where they are numbers."""
    count, dim, width = rows.shape
    for j in range(dim):
        for i in range(width):
            low[j, i] = high[j, i] = rows[0, j, i]
    for r in range(1, count, 3):  # by threes, to go through low and high less often
        one, two, three = rows[r], rows[min(r + 1, count - 1)], rows[min(r + 2, count - 1)]
        for j in range(dim):
            for i in range(width):
                a, b, c = one[j, i], two[j, i], three[j, i]
                least, most = low[j, i], high[j, i]
                least = a if a < least else least
                least = b if b < least else least
                most = a if a > most else most
                most = b if b > most else most
                low[j, i] = c if c < least else least
                high[j, i] = c if c > most else most


@register_jitable
def _within(low, high, floor, ceiling, ok):  # type: ignore[no-untyped-def]
    """Which lanes have all coordinates in one box. Bitwise &, since a branch cannot be a vector."""
    _fill(ok, 1)
    for j in range(low.shape[0]):
        for i in range(low.shape[1]):
            fits = (floor[j] <= low[j, i]) & (high[j, i] <= ceiling[j])
            ok[i] = ok[i] if fits else 0


@register_jitable
def _within_own(low, high, floor, ceiling, ok):  # type: ignore[no-untyped-def]
    """Which lanes have all coordinates in each lane's own box."""
    _fill(ok, 1)
    for j in range(low.shape[0]):
        for i in range(low.shape[1]):
            fits = (floor[j, i] <= low[j, i]) & (high[j, i] <= ceiling[j, i])
            ok[i] = ok[i] if fits else 0


@register_jitable
def _may_cycle(path, slot, longest, frame, cycle, low, high, size, width, gap, ok):  # type: ignore[no-untyped-def]
    """Which lanes may repeat themselves: all of those that do, and few others."""
    same, faint, dust = cycle[0], cycle[1], cycle[2]
    dim, lanes = low.shape
    _fill(ok, 0)
    _fill(size, 0.0)
    _copy(path[slot], low, 0, lanes)
    _copy(path[slot], high, 0, lanes)
    for j in range(dim):
        centre, scale = frame[2, j], 1.0 / frame[3, j]
        for i in range(lanes):
            size[i] = max(size[i], abs(path[slot, j, i] - centre) * scale)
    for q in range(2, longest + 1):
        _fill(width, 0.0)
        _fill(gap, 0.0)
        newest, newer, older = path[slot], path[slot - q + 1], path[slot - q]
        for j in range(dim):
            scale = 1.0 / frame[3, j]
            for i in range(lanes):
                p = newer[j, i]
                low[j, i] = p if p < low[j, i] else low[j, i]
                high[j, i] = p if p > high[j, i] else high[j, i]
                wide, far = high[j, i] - low[j, i], abs(older[j, i] - newest[j, i])
                width[i] = max(width[i], wide * scale)
                gap[i] = max(gap[i], far * scale)
        for i in range(lanes):  # a little slack for what going to frame units rounds off
            clear = width[i] > 0.99 * max(faint, dust * size[i])
            back = gap[i] <= 1.01 * same * width[i] + 1e-15 * size[i]
            ok[i] = 1 if clear & back else ok[i]


@register_jitable
def _moved(path, one, other, i, frame):  # type: ignore[no-untyped-def]
    """How far lane i is from itself between two slots, in frame units."""
    far = 0.0
    for j in range(path.shape[1]):
        centre, span = frame[2, j], frame[3, j]
        here, there = (path[one, j, i] - centre) / span, (path[other, j, i] - centre) / span
        far = max(far, abs(here - there))
    return far


@register_jitable
def _ranged(path, slot, q, i, frame):  # type: ignore[no-untyped-def]
    """How wide lane i's last q rows are, in frame units."""
    width = 0.0
    for j in range(path.shape[1]):
        low = high = path[slot, j, i]
        for r in range(1, q):
            low, high = min(low, path[slot - r, j, i]), max(high, path[slot - r, j, i])
        centre, span = frame[2, j], frame[3, j]
        width = max(width, (high - centre) / span - (low - centre) / span)
    return width


@register_jitable
def _period(path, slot, longest, i, frame, cycle):  # type: ignore[no-untyped-def]
    """The period of the cycle that lane i ends in, told as outcome.judge does; 0 if it does not."""
    same, faint, dust = cycle[0], cycle[1], cycle[2]
    size = 0.0
    for j in range(path.shape[1]):
        size = max(size, abs((path[slot, j, i] - frame[2, j]) / frame[3, j]))
    widest = _ranged(path, slot, longest, i, frame)
    for q in range(2, longest + 1):
        gap = _moved(path, slot, slot - q, i, frame)
        if gap > same * widest:
            continue
        width = _ranged(path, slot, q, i, frame)
        if gap > same * width or width <= max(faint, dust * size):
            continue
        repeats = 0
        while repeats < 2 * q:
            if _moved(path, slot - repeats, slot - repeats - q, i, frame) > same * width:
                break
            repeats += 1
        if repeats == 2 * q:
            return _shortest(path, slot, q, width, i, frame, cycle[3], cycle[4])
    return 0


@register_jitable
def _shortest(path, slot, q, width, i, frame, close, shrinks):  # type: ignore[no-untyped-def]
    """The period that lane i is coming to whose rows q apart are the same; see outcome.py."""
    for d in range(2, q):
        if q % d == 0:
            now = before = 0.0
            for r in range(q):
                now = max(now, _moved(path, slot - r, slot - r - d, i, frame))
                before = max(before, _moved(path, slot - q - r, slot - q - r - d, i, frame))
            if now <= close * width and now <= shrinks * before:
                return d
    return q


@register_jitable
def _lost(row, escape, step):  # type: ignore[no-untyped-def]
    """Whether a lane that escapes at a row has a coordinate there that is not a number."""
    for j in range(row.shape[0]):
        for i in range(row.shape[1]):
            if escape[i] == step and row[j, i] != row[j, i]:
                return True
    return False


@register_jitable
def _mark_by_zero(row, slope, escape, step, by_zero):  # type: ignore[no-untyped-def]
    """Mark the lanes that divided 0 by 0 in the step to a row, told as outcome.judge does."""
    for j in range(row.shape[0]):
        for i in range(row.shape[1]):
            if escape[i] == step and row[j, i] != row[j, i] and slope[j, i] == 0.0:
                by_zero[i] = 1


@register_jitable
def _far(path, slot, i, frame):  # type: ignore[no-untyped-def]
    """How far lane i is from the frame's centre, in frame units."""
    far = 0.0
    for j in range(path.shape[1]):
        far = max(far, abs((path[slot, j, i] - frame[2, j]) / frame[3, j]))
    return far


@register_jitable
def _gets_away(path, slot, heights, back, i, frame, flight):  # type: ignore[no-untyped-def]
    """Whether lane i, outside the frame, gets away ever faster, told as outcome.judge does."""
    count = 0
    while count < back - 1:
        now, before = slot - count, slot - count - 1
        rise = heights[count, i] - heights[count + 1, i]
        slower = rise <= heights[count + 1, i] - heights[count + 2, i]
        slower |= _far(path, now, i, frame) <= _far(path, before, i, frame)
        slower |= _moved(path, now, before, i, frame) <= _moved(path, before, before - 1, i, frame)
        if slower or rise <= 0.0:
            break
        count += 1
    flung = count >= flight[2] and _far(path, slot, i, frame) >= flight[3]
    return count >= flight[1] or flung


SWEEP = types.void(
    types.FunctionType(ADVANCE),  # the optimizer's steps
    types.FunctionType(BLOCK),  # gradient
    types.FunctionType(BLOCK),  # value
    types.FunctionType(REACT),  # the schedule's closed loop
    VECTOR,  # the schedule's knobs
    NOISE,  # its factors on rate and momentum (steps, 2); (0, 2) without a schedule
    types.intp,  # the first step whose loss it looks at
    VECTOR,  # its memory at the start
    VECTOR,  # the surface's weights
    MATRIX,  # hyperparameters (hypers, lanes)
    VECTOR,  # clock at the start
    types.intp,  # slots
    types.intp,  # lanes in a row; no chunk holds lanes of two
    NOISE,  # on the gradient (steps, dim)
    MATRIX,  # starts (dim, lanes)
    MATRIX,  # frame: low, high, centre, span (4, dim)
    CUBE,  # boxes around the minima: low, high (2, minima, dim)
    VECTOR,  # SAME, FAINT, DUST, CLOSE, SHRINKS and LONGEST of a cycle; see outcome.py
    VECTOR,  # of a divergence AWAY, climb(steps), FLIGHT and FLUNG; see outcome.py
    types.boolean,  # whether there is noise: then there is no cycle, and no 0/0
    types.Array(types.uint8, 1, "C", readonly=True),  # becomes 1 when the sweep is cancelled
    MATRIX,  # out: last positions (dim, lanes)
    VECTOR,  # out: last losses (lanes,)
    types.int32[:, ::1],  # out: escape, undefined, settle and leave step (4, lanes)
    types.int16[:, ::1],  # out: minimum and period (2, lanes)
    CUBE,  # out: the last rows (rows, dim, lanes)
)


def _sweep(  # type: ignore[no-untyped-def]
    advance, gradient, value, react, knobs, scale, watch, recall, args, hypers, begin, slots,
    abreast, noise, starts, frame, boxes, cycle, flight, noisy, stop, ends, losses, steps_at,
    marks, tail,
):  # fmt: skip
    steps, dim = noise.shape
    lanes, minima, kept = starts.shape[1], boxes.shape[1], tail.shape[0]
    chunks = (abreast + WIDTH - 1) // WIDTH
    width = (abreast + chunks - 1) // chunks
    width = (width + LINE - 1) // LINE * LINE
    late = max(0, steps - LOOK_BACK)
    back = min(steps, int(flight[0]) + 1)  # steps
    path = _lines((LOOK_BACK + 1) * dim, width).reshape(LOOK_BACK + 1, dim, width)
    given, h = _lines(len(hypers), width), _lines(len(hypers), width)
    k, memory = _lines(len(begin), width), _lines(len(recall), width)
    s = _lines(slots, dim * width)
    low, high = np.empty((dim, width)), np.empty((dim, width))  # since the last look
    floor, ceiling = np.empty((dim, width)), np.empty((dim, width))  # of the minimum it is at
    height, size, slope = np.empty((1, width)), np.empty(width), np.empty((dim, width))
    wide, gap = np.empty(width), np.empty(width)
    heights = np.empty((back + 1, width))  # from the last row backwards
    escape, inside = np.empty(width, np.int64), np.empty(width, np.int64)
    since, at = np.empty(width, np.int64), np.empty(width, np.int64)
    found, by_zero = np.empty(width, np.int64), np.empty(width, np.int64)
    ok, stays = np.empty(width, np.int64), np.empty(width, np.int64)  # 0 or 1

    for chunk in range((lanes + abreast - 1) // abreast * chunks):
        offset = chunk // chunks * abreast + chunk % chunks * width
        n = min(width, min(lanes, (chunk // chunks + 1) * abreast) - offset)
        if n <= 0:
            continue
        for i in range(width):  # the last chunk is filled up with its last lane
            lane = offset + min(i, n - 1)
            for a in range(len(hypers)):
                given[a, i] = h[a, i] = hypers[a, lane]
            for a in range(len(recall)):
                memory[a, i] = recall[a]
            for a in range(len(begin)):
                k[a, i] = begin[a]
            for j in range(dim):
                path[0, j, i] = starts[j, lane]
        _fill_rows(s, 0.0)
        _fill_rows(floor, np.inf)
        _fill_rows(ceiling, -np.inf)
        for i in range(width):
            escape[i], inside[i], since[i], at[i], by_zero[i] = -1, -1, -1, -1, 0
        # row r is path[base + 1 + r - first]; the last LOOK_BACK are kept, others overwritten
        first, base, gone = 0, -1, False

        while first <= steps and not gone:
            if stop[0]:
                return
            end = min(first + STRIDE - 1, steps)
            end = min(end, late) if first <= late else end
            end = 0 if first == 0 else end
            count = end - first + 1
            if first > 0:
                rows = path[base : base + count + 1]
                advance(
                    gradient, value, react, args, noise[first - 1 : end], knobs,
                    scale[first - 1 : end], watch - first + 1, memory, given, h, k, s, rows,
                )  # fmt: skip
            rows = path[base + 1 : base + 1 + count]
            for row in range(max(first, steps + 1 - kept), end + 1):
                _copy(rows[row - first], tail[kept - 1 - (steps - row)], offset, n)

            # Where have the lanes been since the last look?
            _extent(rows, low, high)
            now = rows[count - 1]
            _within(low, high, frame[0], frame[1], stays)
            _within(now, now, frame[0], frame[1], ok)  # also false for what is not a number
            strayed, outside = 0, 0
            for i in range(width):
                strayed += 1 if (escape[i] < 0) & (stays[i] + ok[i] < 2) else 0
                outside += 1 - ok[i]
            if strayed:
                for r in range(count):
                    value(rows[r], args, height)
                    for i in range(width):
                        size[i] = height[0, i] - height[0, i]
                    for j in range(dim):
                        for i in range(width):
                            size[i] += rows[r, j, i] - rows[r, j, i]
                    for i in range(width):  # NaN where something is not finite, else 0
                        escape[i] = first + r if (escape[i] < 0) & (size[i] != 0.0) else escape[i]
                    if not noisy and first + r > 0 and _lost(rows[r], escape, first + r):
                        gradient(path[base + r], args, slope)
                        _mark_by_zero(rows[r], slope, escape, first + r, by_zero)
            if outside:
                gone = True
                for j in range(dim):
                    for i in range(width):
                        gone &= now[j, i] != now[j, i]
                for r in range(count):
                    _within(rows[r], rows[r], frame[0], frame[1], ok)
                    for i in range(width):
                        inside[i] = first + r if ok[i] else inside[i]
            else:
                _fill(inside, end)

            _within_own(low, high, floor, ceiling, stays)
            settled = 0
            for i in range(width):
                settled += stays[i]
            if minima > 0 and settled < width:
                _fill(found, -1)
                for m in range(minima):
                    _within(now, now, boxes[0, m], boxes[1, m], ok)
                    for i in range(width):
                        found[i] = m if ok[i] else found[i]
                arrived = False
                for i in range(width):
                    m = found[i]
                    if m != at[i]:  # the row before was not there, for boxes do not overlap
                        at[i] = m
                        since[i] = first if m >= 0 else -1
                        for j in range(dim):
                            floor[j, i] = boxes[0, m, j] if m >= 0 else np.inf
                            ceiling[j, i] = boxes[1, m, j] if m >= 0 else -np.inf
                    arrived |= m >= 0 and not stays[i]
                if arrived:
                    for r in range(count):
                        _within_own(rows[r], rows[r], floor, ceiling, ok)
                        for i in range(width):
                            away = (at[i] >= 0) & (ok[i] == 0)
                            since[i] = first + r + 1 if away else since[i]

            if end <= late:
                _copy(now, path[0], 0, width)
                base = 0
            else:
                base += count
            first = end + 1

        value(path[base], args, height)
        _copy(path[base], ends, offset, n)
        for row in range(max(first, steps + 1 - kept), steps + 1):  # all NaN, and stays so
            _copy(path[base], tail[kept - 1 - (steps - row)], offset, n)
        _fill(ok, 0)
        longest = 0 if noisy else min(int(cycle[5]), (min(steps, LOOK_BACK) + 1) // 3)
        if not gone and longest > 1:
            _may_cycle(path, base, longest, frame, cycle, low, high, size, wide, gap, ok)
        outside = 0
        for i in range(n):
            outside += 1 if (escape[i] < 0) & (inside[i] != steps) else 0
        if outside:
            for r in range(back + 1):
                value(path[base - r], args, heights[r : r + 1])
        for i in range(n):
            lane = offset + i
            losses[lane] = height[0, i]
            marks[0, lane] = at[i]
            marks[1, lane] = 0
            if ok[i] and escape[i] < 0:
                marks[1, lane] = _period(path, base, longest, i, frame, cycle)
            strayed = escape[i] < 0 and inside[i] != steps and marks[1, lane] == 0
            if strayed and _gets_away(path, base, heights, back, i, frame, flight):
                escape[i] = steps
            steps_at[0, lane] = -1 if by_zero[i] else escape[i]
            steps_at[1, lane] = escape[i] if by_zero[i] else -1
            steps_at[2, lane] = since[i]
            steps_at[3, lane] = -1 if inside[i] == steps else inside[i] + 1


@cache
def sweeper() -> Any:
    """Compile what runs lanes of one optimizer on one surface and records their outcomes.

    Positions must stay not finite once they are; inside its frame a loss must be finite.
    """
    return _compile(_sweep, SWEEP)


def evaluate(surface: Surface, which: Which, points: np.ndarray) -> np.ndarray:
    """A surface's "value", "gradient" or "hessian" at points (n, dim): (n,), (n, dim) or (n, k)."""
    lanes = np.array(points.T, order="C")  # a copy: points may be read-only
    rows = {"value": 1, "gradient": surface.dim, "hessian": 2 * surface.dim - 1}[which]
    out = np.empty((rows, lanes.shape[1]))
    block(surface, which)(lanes, np.array(surface.weights), out)
    return out[0] if which == "value" else out.T


def subgradient(surface: Surface, points: np.ndarray) -> np.ndarray:
    """The shortest subgradient (n, dim) of the penalised loss F at points (n, dim).

    −subgradient is the direction of steepest descent, and 0 is a stationary point. Where no
    coordinate is 0 it is F's gradient. A coordinate that L1 has made 0 may take any slope in
    [g − l1, g + l1], of which sign(g) max(|g| − l1, 0) is the nearest to 0 (Andrew & Gao 2007,
    doi:10.1145/1273496.1273501, section 3.1).
    """
    l1, l2, _ = surface.penalty
    slopes = evaluate(replace(surface, penalty=(l1, l2, 0.0)), "gradient", points)
    if l1 == 0.0:
        return slopes
    held = np.sign(slopes) * np.maximum(np.abs(slopes) - l1, 0.0)
    return np.where(points == 0.0, held, slopes)
