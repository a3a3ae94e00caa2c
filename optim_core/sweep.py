"""Many runs at once, with only what became of each: a map over one or two axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import islice
from multiprocessing import cpu_count
from typing import Any

import numpy as np

from optim_core import kernels
from optim_core.checks import (
    check_count,
    check_function,
    check_instance,
    check_number,
    check_optimizer,
    check_schedule,
    check_start,
    check_surface,
    listed,
)
from optim_core.framed import DUST, NEAR
from optim_core.outcome import (
    AWAY,
    CLOSE,
    FAINT,
    FLIGHT,
    FLUNG,
    LONGEST,
    SAME,
    SHRINKS,
    climb,
)
from optim_core.simulate import MAX_STEPS, NOISE, gradient_noise
from optim_core.spec import (
    Hyper,
    Interval,
    Optimizer,
    Schedule,
    Surface,
    in_short,
    resolve,
    same_clock,
)

COORDINATES = ("x", "y")
COORDINATE = Hyper("x", "x", 0.0, Interval(-np.inf), 0.0, 1.0, "linear", "Where a run starts.")
TILE = 4_000_000  # run steps in a tile, some 10 ms
MOST_LANES = 16_384  # in a tile, however few its steps
WINDOW = 32  # tiles under way on an executor that does not say how many workers it has
NO_FACTORS = np.empty((0, 2))
POLL = 0.02  # seconds between two questions to `cancel`


class Cancelled(Exception):  # noqa: N818  nothing went wrong
    """The sweep was given up because `cancel` returned True."""


@dataclass(frozen=True)
class Field:
    """What became of each run of a map; its shape is (rows, columns), or (columns,) of one axis.

    All arrays are read-only. Steps are −1 where it never happened.
    """

    surface: Surface
    optimizer: Optimizer
    axes: dict[str, np.ndarray]  # columns, then rows
    steps: int
    final_loss: np.ndarray  # of the surface, without noise
    final_positions: np.ndarray  # (…, d)
    escape_step: np.ndarray  # int32; it diverged: its first row that is not finite, else `steps`
    undefined_step: np.ndarray  # int32; its first row that is not finite, if that came of 0/0
    settle_step: np.ndarray  # int32; from here on it is within `tol` of the minimum it ends at
    leave_step: np.ndarray  # int32; from here on it is outside the frame
    minimum: np.ndarray  # int16; index of the declared minimum it ends at, or −1
    period: np.ndarray  # int16; of the cycle it ends in, 2 to 64 steps, or 0
    tail: np.ndarray | None  # (…, tail, d); the last rows, the end being the last
    schedule: Schedule | None = None


@dataclass(frozen=True)
class _Job:
    """What all tiles of a sweep share; small and picklable, for executors elsewhere."""

    surface: Surface
    optimizer: Optimizer
    names: tuple[str, ...]  # of the outer and the inner axis
    values: dict[str, float]  # of every hyperparameter, surface parameter and start coordinate
    steps: int
    noise: float
    seed: int
    tol: float
    tail: int
    schedule: Schedule | None


def sweep(
    surface: Surface,
    optimizer: Optimizer,
    *,
    axes: Mapping[str, Sequence[float] | np.ndarray],
    start: Sequence[float] | None = None,
    steps: int = 200,
    noise: float = 0.0,
    seed: int = 0,
    tail: int = 0,
    tol: float = NEAR,
    schedule: Schedule | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
    budget: int | None = None,
    **hypers: Any,
) -> Field:
    """Run `optimizer` on `surface` once for each value of an axis, or each pair from two axes.

    axes: name -> values, of one or two of: a hyperparameter, a parameter of the surface, a start
        coordinate "x" or "y". The first is the columns, the second the rows.
    start, steps, noise, seed, schedule, hypers: of every run, as in `simulate`.
    tail: how many last positions to keep. tol: how near is at a minimum, in frame units.
    executor: where tiles are computed; by default threads that all sweeps share.
    progress: called with (cells done, cells in all) after each tile, in the calling thread.
    cancel: asked every 20 ms; when it returns True, Cancelled is raised.
    budget: the most cells × steps that are allowed.

    Each run is `simulate`'s to the bit. Raises ValueError, one sentence, before any work.
    """
    check_function("progress", progress)
    job, grid = _checked(
        surface, optimizer, axes, start, steps, noise, seed, tail, tol, schedule, executor, cancel,
        budget, hypers,
    )  # fmt: skip
    shape = _shape(grid)
    result = _empty(job, *shape)
    done = 0
    for place, part in _rectangles(job, grid, executor, cancel):
        for whole, piece in zip(result, part, strict=True):
            whole[place] = piece
        done += part[0].size
        if progress is not None:
            progress(done, shape[0] * shape[1])
    return _field(job, grid, result)


def sweep_tiles(
    surface: Surface,
    optimizer: Optimizer,
    *,
    axes: Mapping[str, Sequence[float] | np.ndarray],
    start: Sequence[float] | None = None,
    steps: int = 200,
    noise: float = 0.0,
    seed: int = 0,
    tail: int = 0,
    tol: float = NEAR,
    schedule: Schedule | None = None,
    executor: Executor | None = None,
    cancel: Callable[[], bool] | None = None,
    budget: int | None = None,
    **hypers: Any,
) -> Iterator[tuple[tuple[slice, slice], Field]]:
    """The same map in parts: (rows, columns) and the Field of that rectangle, as they are done.

    Only a few tiles exist at a time, so that who keeps a byte of each cell needs no more memory.
    The arguments are those of `sweep`. Raises ValueError, one sentence, before any work.
    """
    job, grid = _checked(
        surface, optimizer, axes, start, steps, noise, seed, tail, tol, schedule, executor, cancel,
        budget, hypers,
    )  # fmt: skip

    def parts() -> Iterator[tuple[tuple[slice, slice], Field]]:
        for (rows, columns), part in _rectangles(job, grid, executor, cancel):
            sides = zip(grid.items(), (columns, rows), strict=False)
            yield (rows, columns), _field(job, {name: v[at] for (name, v), at in sides}, part)

    return parts()


def _checked(
    surface: Surface,
    optimizer: Optimizer,
    axes: Mapping[str, Sequence[float] | np.ndarray],
    start: Sequence[float] | None,
    steps: int,
    noise: float,
    seed: int,
    tail: int,
    tol: float,
    schedule: Schedule | None,
    executor: Executor | None,
    cancel: Callable[[], bool] | None,
    budget: int | None,
    hypers: Mapping[str, Any],
) -> tuple[_Job, dict[str, np.ndarray]]:
    """What all tiles share, and the axes; ValueError, one sentence."""
    check_surface(surface)
    check_optimizer(optimizer)
    check_schedule(schedule)
    if executor is not None:
        check_instance("executor", executor, Executor)
    check_function("cancel", cancel)
    steps = check_count("steps", steps, 1, MAX_STEPS)
    budget = None if budget is None else check_count("budget", budget, 0, 2**63 - 1)
    grid, values = _inputs(surface, optimizer, axes, start, hypers)
    job = _Job(
        surface=surface,
        optimizer=optimizer,
        names=tuple(_order(surface, optimizer, grid)),
        values=values,
        steps=steps,
        noise=NOISE.check(noise),
        seed=check_count("seed", seed, 0, 2**63 - 1),
        tol=_check_tol(surface, tol),
        tail=check_count("tail", tail, 0, steps + 1),
        schedule=schedule,
    )
    rows, columns = _shape(grid)
    if budget is not None and rows * columns * steps > budget:
        raise ValueError(
            f"{rows * columns:,} cells × {steps:,} steps = {rows * columns * steps:,} is more "
            f"than the {budget:,} that are allowed here."
        )
    return job, grid


def _shape(grid: Mapping[str, np.ndarray]) -> tuple[int, int]:
    """Rows and columns; of one axis, one row."""
    columns, rows = (len(v) for v in (*grid.values(), np.zeros(1))[:2])
    return rows, columns


def _rectangles(
    job: _Job,
    grid: Mapping[str, np.ndarray],
    executor: Executor | None,
    cancel: Callable[[], bool] | None,
) -> Iterator[tuple[tuple[slice, slice], list[np.ndarray]]]:
    """Each tile's (rows, columns) and its arrays (rows, columns, …)."""
    swapped = job.names[0] == next(iter(grid))  # the columns are the outer axis
    outer, inner = (grid.get(name, np.zeros(1)) for name in job.names)
    for (o, i), part in _run(job, outer, inner, executor, cancel):
        yield ((i, o), [a.swapaxes(0, 1) for a in part]) if swapped else ((o, i), part)


def _field(job: _Job, grid: dict[str, np.ndarray], arrays: list[np.ndarray]) -> Field:
    """Arrays (rows, columns, …) as a Field that nobody can write into."""
    if len(grid) == 1:
        arrays = [array[0] for array in arrays]
    for array in (*arrays, *grid.values()):
        array.flags.writeable = False
    loss, positions, escape, undefined, settle, leave, minimum, period, *last = arrays
    return Field(
        surface=job.surface,
        optimizer=job.optimizer,
        axes=grid,
        steps=job.steps,
        final_loss=loss,
        final_positions=positions,
        escape_step=escape,
        undefined_step=undefined,
        settle_step=settle,
        leave_step=leave,
        minimum=minimum,
        period=period,
        tail=last[0] if last else None,
        schedule=job.schedule,
    )


def _inputs(
    surface: Surface,
    optimizer: Optimizer,
    axes: Mapping[str, Sequence[float] | np.ndarray],
    start: Sequence[float] | None,
    hypers: Mapping[str, Any],
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """The axes as checked arrays, and a value for every name that can be an axis."""
    known = {h.name: h for h in (*optimizer.hypers, *surface.params)}
    known |= {c: replace(COORDINATE, name=c) for c in COORDINATES[: surface.dim]}
    if not isinstance(axes, Mapping) or not 1 <= len(axes) <= 2 or not set(axes) <= set(known):
        names = in_short(axes)
        if isinstance(axes, Mapping):
            names = in_short(list(axes)).strip("[]") or "none"
        raise ValueError(f"axes must be one or two of {', '.join(known)}, got {names}.")
    for name in hypers:
        if name in axes:
            raise ValueError(
                f"{name} is an axis and cannot have the value {in_short(hypers[name])} too."
            )
    grid = {name: _axis(known[name], given) for name, given in axes.items()}
    values = dict(
        zip(
            known,
            (
                *resolve(optimizer.key, optimizer.hypers, hypers),
                *surface.args,
                *check_start(surface, surface.start if start is None else start),
            ),
            strict=True,
        )
    )
    return grid, values


def _axis(hyper: Hyper, given: Sequence[float] | np.ndarray) -> np.ndarray:
    """The values of an axis, each checked; ValueError if there is none."""
    values = listed(given)
    if values is None or any(isinstance(value, (list, tuple, np.ndarray)) for value in values):
        shown = in_short(given.tolist() if isinstance(given, np.ndarray) else given)
        raise ValueError(f"The axis {hyper.name} must be a list of numbers, got {shown}.")
    if not values:
        raise ValueError(f"The axis {hyper.name} must have at least one value, got none.")
    return np.array([hyper.check(value) for value in values])


def _check_tol(surface: Surface, tol: float) -> float:
    """A length up to which no point is near two minima; ValueError otherwise."""
    minima = _framed(surface)[1]
    gaps = np.abs(minima[:, None] - minima[None]).max(axis=2)[np.triu_indices(len(minima), 1)]
    limit = min(1.0, 0.5 * float(gaps.min(initial=2.0)))
    return check_number("tol", tol, Interval(0.0, limit, open_low=True))


def _order(surface: Surface, optimizer: Optimizer, grid: Mapping[str, np.ndarray]) -> list[str]:
    """Outer and inner axis.

    A parameter of the surface is outer: lanes share the surface's. So is what the clock reads:
    lanes share that, too. Else lr, mostly the first axis, is outer, so that lanes fare alike.
    """
    params = {h.name for h in surface.params}
    if len(grid) == 1:
        (only,) = grid
        return [only, ""] if only in params else ["", only]
    first, second = grid
    outer_second = second in params or not _shares_clock(optimizer, second)
    return [second, first] if outer_second and first not in params else [first, second]


class _Untouched:
    """Stands for a number that a clock may not compute with."""


def _shares_clock(optimizer: Optimizer, inner: str) -> bool:
    """Whether runs that differ in lr, and in one axis more, have the same clock at every step."""
    own = {"lr", inner}
    h: tuple[Any, ...] = tuple(_Untouched() if x.name in own else 0.5 for x in optimizer.hypers)
    try:
        after = optimizer.clock(h, (0.5,) * len(optimizer.clock_start))
    except TypeError:
        return False
    return not any(isinstance(number, _Untouched) for number in after)


def _empty(job: _Job, *shape: int) -> list[np.ndarray]:
    """The arrays of a Field, in order."""
    dim = job.surface.dim
    arrays = [np.empty(shape), np.empty((*shape, dim))]
    arrays += [np.empty(shape, np.int32) for _ in range(4)]
    arrays += [np.empty(shape, np.int16) for _ in range(2)]
    return [*arrays, np.empty((*shape, job.tail, dim))] if job.tail else arrays


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cpu_count(), thread_name_prefix="sweep")


def _tiles(outer: int, inner: int, steps: int) -> Iterator[tuple[slice, slice]]:
    """Rectangles of the grid: whole rows of the inner axis, or a part of one."""
    lanes = max(kernels.WIDTH, min(MOST_LANES, TILE // steps))
    rows, width = max(1, lanes // inner), min(inner, lanes)
    for o in range(0, outer, rows):
        for i in range(0, inner, width):
            yield slice(o, min(o + rows, outer)), slice(i, min(i + width, inner))


def _run(
    job: _Job,
    outer: np.ndarray,
    inner: np.ndarray,
    executor: Executor | None,
    cancel: Callable[[], bool] | None,
) -> Iterator[tuple[tuple[slice, slice], list[np.ndarray]]]:
    """Each tile and its results, as they come. No more than a window of them is under way."""
    pool = _threads() if executor is None else executor
    window = 2 * getattr(pool, "_max_workers", WINDOW // 2)
    kernels.sweeper()  # compiled here once, and not by every worker
    kernels.advancer(job.optimizer, job.schedule is not None, proximal=job.surface.shrinks)
    kernels.reactor(check_schedule(job.schedule))
    stop = np.zeros(1, np.uint8)  # threads see it change, workers elsewhere finish their tile
    tiles = _tiles(len(outer), len(inner), job.steps)
    running: dict[Future[list[np.ndarray]], tuple[slice, slice]] = {}
    try:
        while True:
            if cancel is not None and cancel():
                raise Cancelled("The sweep was cancelled.")
            for o, i in islice(tiles, window - len(running)):
                running[pool.submit(_tile, job, outer[o], inner[i], stop)] = (o, i)
            if not running:
                return
            timeout = None if cancel is None else POLL
            for future in wait(running, timeout, FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        stop[0] = 1
        for future in running:
            future.cancel()


def _tile(job: _Job, outer: np.ndarray, inner: np.ndarray, stop: np.ndarray) -> list[np.ndarray]:
    """One rectangle of the grid, with shapes (outer, inner, …). Runs in a worker."""
    params = [h.name for h in job.surface.params]
    result = _empty(job, len(outer), len(inner))
    across = 1 if job.names[1] in params else len(inner)
    along = 1 if job.names[0] in params else len(outer)
    for o in range(0, len(outer), along):
        for i in range(0, len(inner), across):
            slow = np.repeat(outer[o : o + along], across)
            fast = np.tile(inner[i : i + across], along)
            here = job.values | dict(zip(job.names, (slow, fast), strict=True))
            args = [float(np.ravel(here[name])[0]) for name in params]
            weights = np.array([*args, *job.surface.penalty])
            part = _lanes(job, here, weights, (along, across), stop)
            for whole, piece in zip(result, part, strict=True):
                block = whole[o : o + along, i : i + across]
                block[...] = piece.reshape(block.shape)
    return result


def _lanes(
    job: _Job,
    values: Mapping[str, Any],
    weights: np.ndarray,
    shape: tuple[int, int],
    stop: np.ndarray,
) -> list[np.ndarray]:
    """Rows of runs that share the surface's parameters, with shapes (lanes, …)."""
    surface, optimizer, steps, dim = job.surface, job.optimizer, job.steps, job.surface.dim
    lanes = shape[0] * shape[1]
    timeless = optimizer.clock is same_clock
    shares = shape[1] >= kernels.WIDTH // 2 and _shares_clock(optimizer, job.names[1])

    def gathered(names: Iterable[str]) -> np.ndarray:
        return np.stack([np.broadcast_to(values[name], lanes) for name in names])

    plan = check_schedule(job.schedule)
    ends, losses = np.empty((dim, lanes)), np.empty(lanes)
    steps_at, marks = np.empty((4, lanes), np.int32), np.empty((2, lanes), np.int16)
    tail = np.empty((job.tail, dim, lanes))
    kernels.sweeper()(
        kernels.advancer(optimizer, job.schedule is not None, timeless or shares, surface.shrinks),
        kernels.block(surface, "gradient"),
        kernels.block(surface, "value"),
        kernels.reactor(plan),
        np.array(plan.knobs),
        NO_FACTORS if job.schedule is None else plan.scale(0, steps),
        plan.watch(0, steps),
        np.array(plan.memory),
        weights,
        gathered(h.name for h in optimizer.hypers),
        np.array(optimizer.clock_start),
        max(1, len(optimizer.slots)),
        shape[1] if shares and not timeless else max(1, lanes),
        gradient_noise(job.noise, job.seed, steps, dim),
        gathered(COORDINATES[:dim]),
        _framed(surface)[0],
        _boxes(surface, job.tol),
        np.array([SAME, FAINT, DUST, CLOSE, SHRINKS, LONGEST]),
        np.array([AWAY, climb(steps), FLIGHT, FLUNG]),
        job.noise > 0.0,
        stop,
        ends,
        losses,
        steps_at,
        marks,
        tail,
    )
    result = [losses, ends.T, *steps_at, *marks]
    return [*result, tail.transpose(2, 0, 1)] if job.tail else result


def _framed(surface: Surface) -> tuple[np.ndarray, np.ndarray]:
    """The frame's low, high, centre and span (4, d), and the minima in frame units (k, d)."""
    low, high = np.array(surface.domain).T
    centre, span = (low + high) / 2.0, high - low
    minima = np.array(surface.minima).reshape(-1, surface.dim)
    return np.stack([low, high, centre, span]), (minima - centre) / span


@lru_cache(maxsize=256)
def _boxes(surface: Surface, tol: float) -> np.ndarray:
    """The lowest and highest coordinates within `tol` of each minimum, (2, k, d), to the bit.

    outcome.judge rounds when it goes to frame units; bisecting the floats finds where it says yes.
    """
    (_, _, centre, span), at = _framed(surface)
    minima = np.array(surface.minima).reshape(-1, surface.dim)
    ends = []
    for side in (-1.0, 1.0):
        good, bad = _rank(minima), _rank(minima + side * (4.0 * tol + 1e-6) * span)
        for _ in range(64):
            middle = (good >> 1) + (bad >> 1) + (good & bad & 1)
            near = np.abs((_unrank(middle) - centre) / span - at) <= tol
            good, bad = np.where(near, middle, good), np.where(near, bad, middle)
        ends.append(_unrank(good))
    return np.stack(ends)


def _rank(floats: np.ndarray) -> np.ndarray:
    """Integers in the order of the floats, neighbours being 1 apart."""
    bits = np.ascontiguousarray(floats).view(np.int64)
    return np.where(bits < 0, -(bits & np.int64(2**63 - 1)), bits)


def _unrank(ranks: np.ndarray) -> np.ndarray:
    bits = np.where(ranks < 0, -ranks | np.int64(-(2**63)), ranks)
    return bits.view(np.float64)
