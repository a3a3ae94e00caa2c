"""The only room that knows Numba: its options, the factories of compiled code, and its cache.

Two kinds of kernel, so that N optimizers and M surfaces cost N + M compilations and not N * M:
a *block* evaluates one surface over lanes of points, and a *driver* runs one rule, calling the
block through a function pointer.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numba import njit, types
from numba.extending import register_jitable
from numba.np.unsafe.ndarray import to_fixed_tuple

from optim_core.spec import Optimizer, Surface

# error_model="numpy": x/0 is inf or NaN, never an exception, and loops can be vectorised.
# No fastmath (it changes results) and no parallel=True (two sessions at once abort the process).
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}

Which = Literal["value", "gradient", "hessian"]
VECTOR = types.float64[::1]
MATRIX = types.float64[:, ::1]
CUBE = types.float64[:, :, ::1]
BLOCK = types.void(MATRIX, VECTOR, MATRIX)  # points (dim, lanes), parameters, out (k, lanes)


@lru_cache(maxsize=256)
def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def fingerprint(function: Callable[..., Any]) -> str:
    """A digest of every source file in the function's package, or of its module if it has none.

    Numba's cache looks only at the file of the driver; with this in the driver's closure, an
    edited rule, or an edited helper of a rule, is compiled anew.
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


def _compile(kernel: Any, signature: Any, source: str, *identity: object) -> Any:
    """Compile a kernel under a name that no other kernel has.

    Numba names machine code by qualified name and a counter of this process. Kernels of one name
    from two processes' caches would carry one symbol, and calls go to whichever loaded first.
    """
    parts = [kernel.__name__, *map(str, identity), source]
    kernel.__qualname__ = "_".join(parts).replace(".", "_")
    return njit(signature, **OPTIONS)(kernel)


@cache
def _block(function: Callable[..., Any], dim: int, n_args: int, is_scalar: bool) -> Any:
    _callable(function)
    source = fingerprint(function)

    def evaluate(points, args, out):  # type: ignore[no-untyped-def]
        tag = source  # noqa: F841  enters the cache key
        a = to_fixed_tuple(args, n_args)
        for i in range(points.shape[1]):
            result = function(*(to_fixed_tuple(points[:, i], dim) + a))
            if is_scalar:
                out[0, i] = result
            else:
                for j in range(len(result)):
                    out[j, i] = result[j]

    name = function.__qualname__
    return _compile(evaluate, BLOCK, source, function.__module__, name, dim, n_args)


def block(surface: Surface, which: Which) -> Any:
    """Compile one of a surface's functions for lanes of points: BLOCK(points, args, out)."""
    function = getattr(surface, which)
    return _block(function, surface.dim, len(surface.args), which == "value")


RECORD = types.void(
    types.FunctionType(BLOCK),  # gradient
    VECTOR,  # surface parameters
    VECTOR,  # hyperparameters
    VECTOR,  # clock at the start
    types.Array(types.float64, 2, "C", readonly=True),  # noise on the gradient (steps, dim)
    MATRIX,  # positions (steps + 1, dim); row 0 is the start
    MATRIX,  # gradients (steps, dim)
    MATRIX,  # probes (steps, dim)
    CUBE,  # slots (slots, steps + 1, dim); row 0 is zero
)


@cache
def recorder(optimizer: Optimizer) -> Any:
    """Compile the driver that runs one optimizer and records everything."""
    rule, clock, probe = optimizer.rule, optimizer.clock, optimizer.probe
    _callable(rule, clock, probe)
    functions = (rule, clock, probe)
    source = "_".join(sorted({fingerprint(f) for f in functions}))
    n_hypers = len(optimizer.hypers)
    n_clock = len(optimizer.clock_start)
    n_slots = max(1, len(optimizer.slots))

    def record(gradient, args, hypers, start, noise, positions, gradients, probes, slots):  # type: ignore[no-untyped-def]
        tag = source  # noqa: F841  enters the cache key
        steps, dim = gradients.shape
        point = np.empty((dim, 1))
        slope = np.empty((dim, 1))
        h = to_fixed_tuple(hypers, n_hypers)
        k = to_fixed_tuple(start, n_clock)
        for t in range(steps):
            k = clock(h, k)
            for j in range(dim):
                s = to_fixed_tuple(slots[:, t, j], n_slots)
                point[j, 0] = probe(positions[t, j], s, h, k)
            gradient(point, args, slope)
            for j in range(dim):
                g = slope[j, 0] + noise[t, j]
                s = to_fixed_tuple(slots[:, t, j], n_slots)
                p, s = rule(positions[t, j], g, s, h, k)
                positions[t + 1, j] = p
                gradients[t, j] = g
                probes[t, j] = point[j, 0]
                for i in range(n_slots):
                    slots[i, t + 1, j] = s[i]

    names = [f"{f.__module__}.{f.__qualname__}" for f in functions]
    return _compile(record, RECORD, source, *names, n_slots)


def evaluate(surface: Surface, which: Which, points: np.ndarray) -> np.ndarray:
    """A surface's "value", "gradient" or "hessian" at points (n, dim): (n,), (n, dim) or (n, k)."""
    lanes = np.array(points.T, order="C")  # a copy: points may be read-only
    rows = {"value": 1, "gradient": surface.dim, "hessian": 2 * surface.dim - 1}[which]
    out = np.empty((rows, lanes.shape[1]))
    block(surface, which)(lanes, np.array(surface.args), out)
    return out[0] if which == "value" else out.T
