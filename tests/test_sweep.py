"""Maps of many runs: each cell is `simulate`'s run, told by a slow reference and closed forms."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import distributed
import numpy as np
import pytest

from optim_core import OPTIMIZERS, Cancelled, Field, Run, simulate, sweep, sweep_tiles
from optim_core.kernels import WIDTH, _extent
from optim_core.outcome import NEAR
from optim_core.spec import Optimizer, Surface
from optim_core.sweep import WINDOW
from surfaces import SURFACES

GD, MOMENTUM, NESTEROV, ADAM = (OPTIMIZERS[key] for key in ("gd", "momentum", "nesterov", "adam"))
PARABOLA, BOWL, WELL = SURFACES["parabola"], SURFACES["bowl"], SURFACES["double_well"]
EVERY_OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
EVERY_SURFACE = pytest.mark.parametrize("surface", SURFACES.values(), ids=list(SURFACES))
OUTCOMES = ("escape_step", "undefined_step", "settle_step", "leave_step", "minimum", "period")
NAN, INF = float("nan"), float("inf")


def reference(run: Run, tol: float = NEAR) -> dict[str, Any]:
    """What a Field says of one run, from everything that was recorded, as plainly as it can be."""
    low, high = np.array(run.surface.domain).T
    steps = len(run.losses) - 1

    def since(holds: np.ndarray) -> int:
        broken = np.flatnonzero(~holds)
        start = int(broken[-1]) + 1 if broken.size else 0
        return start if start <= steps else -1

    minimum = settle = -1
    with np.errstate(all="ignore"):
        u = (run.positions - (low + high) / 2.0) / (high - low)
        for index, point in enumerate(run.surface.minima):
            at = (np.array(point) - (low + high) / 2.0) / (high - low)
            near = np.abs(u - at).max(axis=1) <= tol
            if near[-1]:
                minimum, settle = index, since(near)
    found = run.outcome
    late = steps if found.step is None else found.step
    return {
        "final_loss": run.losses[-1],
        "final_positions": run.positions[-1],
        "escape_step": late if found.kind == "diverged" else -1,
        "undefined_step": found.step if found.kind == "undefined" else -1,
        "settle_step": settle,
        "leave_step": since(~((low <= run.positions) & (run.positions <= high)).all(axis=1)),
        "minimum": minimum,
        "period": found.period or 0,
    }


def differences(field: Field, cell: tuple[int, ...], run: Run, tol: float = NEAR) -> list[str]:
    """The names of what a cell and a run do not have in common."""
    expected = reference(run, tol)
    if field.tail is not None:
        expected["tail"] = run.positions[-field.tail.shape[-2] :]
    return [
        name
        for name, value in expected.items()
        if not np.array_equal(getattr(field, name)[cell], value, equal_nan=name[0] in "ft")
    ]


@EVERY_OPTIMIZER
@EVERY_SURFACE
def test_a_cell_is_a_recorded_run_to_the_bit(surface: Surface, optimizer: Optimizer) -> None:
    """Rates from far too small to far too large, starts inside the frame and beyond it."""
    rng = np.random.default_rng([ord(c) for c in surface.key + optimizer.key])
    lr = getattr(surface.pace, optimizer.pace) * optimizer.factor * np.exp(rng.uniform(-4, 5, 9))
    low, high = surface.domain[0]
    x = rng.uniform(low, high, 3) * rng.choice([1.0, 1.0, 1.0, 5.0])
    steps = int(rng.choice([1, 2, 3, 4, 7, 16, 17, 100, 191, 192, 193, 194, 250, 300]))
    given: dict[str, Any] = {"steps": steps, "noise": float(rng.choice([0.0, 0.0, 0.3])), "seed": 7}
    field = sweep(surface, optimizer, axes={"lr": lr, "x": x}, tail=min(steps, 4), **given)
    for i, j in np.ndindex(3, 9):
        start = (x[i], *surface.start[1:])
        run = simulate(surface, optimizer, start=start, lr=lr[j], **given)
        assert differences(field, (i, j), run) == [], (lr[j], x[i], given)


@EVERY_OPTIMIZER
def test_a_cell_that_divides_zero_by_zero_is_the_judge_s(optimizer: Optimizer) -> None:
    """From the saddle's ridge with ε = 0: undefined where a method divides, and nowhere else."""
    divides = "eps" in {h.name for h in optimizer.hypers}
    given: dict[str, Any] = {"eps": 0.0} if divides else {}
    axes = {"lr": [1e-3, 0.1, 1e3], "y": [0.0, 0.01]}
    field = sweep(SURFACES["saddle"], optimizer, axes=axes, steps=40, **given)
    for i, j in np.ndindex(2, 3):
        start = (SURFACES["saddle"].start[0], axes["y"][i])
        run = simulate(
            SURFACES["saddle"], optimizer, start=start, lr=axes["lr"][j], steps=40, **given
        )
        assert differences(field, (i, j), run) == []
    assert field.undefined_step.tolist() == [[1 if divides else -1] * 3, [-1] * 3]
    noisy = sweep(SURFACES["saddle"], optimizer, axes=axes, steps=40, noise=0.1, **given)
    assert (noisy.undefined_step == -1).all()


@pytest.mark.parametrize(
    ("optimizer", "axes"),
    [
        (MOMENTUM, {"lr": [1e-3, 0.01, 0.3], "momentum": [0.0, 0.9]}),
        (MOMENTUM, {"condition": [1.0, 10.0, 80.0], "lr": [1e-3, 0.02]}),
        (MOMENTUM, {"lr": [1e-3, 0.02], "rotation": [-30.0, 0.0, 45.0]}),
        (GD, {"condition": [2.0, 50.0], "rotation": [-30.0, 0.0, 45.0]}),
        (ADAM, {"x": [-5.0, 0.0, 3.0], "y": [1.0, 2.0]}),
        (ADAM, {"bias_correction": [True, False], "beta2": np.array([0.9, 0.999])}),
        (GD, {"y": (3.0, 1.0, 3.0)}),
        (GD, {"condition": [3.0, 7.0]}),
        (GD, {"lr": [0.01]}),
        (NESTEROV, {"lr": np.geomspace(1e-4, 0.1, 2 * WIDTH + 5)}),
        # wide enough for lanes to share a clock, and once not allowed to
        (ADAM, {"lr": np.geomspace(1e-3, 10.0, WIDTH + 9), "beta1": [0.5, 0.99]}),
        (ADAM, {"condition": [3.0, 50.0], "beta1": np.linspace(0.1, 0.99, WIDTH // 2 + 3)}),
    ],
)
def test_axes_of_every_kind(optimizer: Optimizer, axes: Mapping[str, Any]) -> None:
    """The first axis is the columns, the second the rows; what is no axis is as given."""
    steps, start, fixed = 60, (1.5, 10.0), {"condition": 20.0, "rotation": 10.0}
    field = sweep(
        BOWL.with_params(**fixed), optimizer, axes=axes, start=start, steps=steps, tail=61
    )
    assert list(field.axes) == list(axes)
    shape = tuple(len(values) for values in reversed(list(axes.values())))
    assert field.final_loss.shape == shape
    assert field.final_positions.shape == (*shape, 2)
    for cell in np.ndindex(shape):
        at = {name: axes[name][i] for name, i in zip(axes, reversed(cell), strict=True)}
        surface = BOWL.with_params(**fixed | {n: at[n] for n in fixed if n in at})
        point = (at.get("x", start[0]), at.get("y", start[1]))
        hypers = {h.name: at[h.name] for h in optimizer.hypers if h.name in at}
        run = simulate(surface, optimizer, start=point, steps=steps, **hypers)
        assert differences(field, cell, run) == [], at


def test_what_a_field_is_made_of() -> None:
    field = sweep(WELL, GD, axes={"lr": [0.1, 0.2]}, start=(0.5,), steps=9, tail=3)
    dtypes = {name: getattr(field, name).dtype.name for name in OUTCOMES}
    steps, marks = dict.fromkeys(OUTCOMES[:4], "int32"), dict.fromkeys(OUTCOMES[4:], "int16")
    assert dtypes == steps | marks
    assert field.tail is not None
    assert field.tail.shape == (2, 3, 1)
    for name in (*OUTCOMES, "final_loss", "final_positions", "tail"):
        array = getattr(field, name)
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    assert sweep(WELL, GD, axes={"lr": [0.1]}, steps=9).tail is None


def test_an_own_tolerance_is_kept() -> None:
    """|p| = 10 · 0.8ᵗ; the frame is 24 wide. The surface's outcome knows NEAR alone."""
    for tol in (0.3, 1e-2, 1e-5):
        field = sweep(PARABOLA, GD, axes={"lr": [0.1]}, start=(10.0,), steps=200, tol=tol)
        assert field.settle_step[0] == int(np.ceil(np.log(tol * 2.4) / np.log(0.8)))


def test_gradient_descent_on_the_parabola_as_the_textbooks_say() -> None:
    # p → (1 − 2 lr) p
    field = sweep(PARABOLA, GD, axes={"lr": [0.3, 0.999, 1.0, 1.001, 1.2]}, steps=10_000)
    assert field.period.tolist() == [0, 0, 2, 0, 0]
    assert field.minimum.tolist() == [0, 0, -1, -1, -1]
    assert (field.escape_step >= 0).tolist() == [False, False, False, True, True]
    assert field.final_positions[2, 0] == 10.0


def test_periods_of_the_double_well() -> None:
    # Their limits are in test_outcome.py.
    lr = [0.24, 0.28, 0.315, 0.375]
    field = sweep(WELL, GD, axes={"lr": lr}, start=(0.9,), steps=5000)
    assert field.period.tolist() == [0, 2, 4, 0]


@pytest.mark.parametrize("steps", [40, 193, 700])
def test_cycles_of_every_length_are_the_judge_s(steps: int) -> None:
    """Period doubling, up to 64, and windows in the chaos beyond it: thousands of runs."""
    lr = np.linspace(0.3, 0.375, 900)
    field = sweep(WELL, GD, axes={"lr": lr}, start=(0.9,), steps=steps)
    runs = [simulate(WELL, GD, lr=rate, start=(0.9,), steps=steps) for rate in lr]
    assert [run.outcome.period or 0 for run in runs] == field.period.tolist()
    assert steps < 700 or {0, 2, 3, 4, 6, 8, 16} <= set(field.period.tolist())


@pytest.mark.parametrize("condition", [3.0, 30.0, 300.0])
@pytest.mark.parametrize(
    ("optimizer", "limit"),
    [
        (GD, lambda steep, beta: 2.0 / steep),
        (MOMENTUM, lambda steep, beta: 2.0 * (1.0 + beta) / steep),
        (NESTEROV, lambda steep, beta: 2.0 * (1.0 + beta) / ((1.0 + 2.0 * beta) * steep)),
    ],
    ids=["gd", "heavy ball", "nesterov"],
)
def test_the_boundary_of_a_map_is_the_closed_form_s(
    optimizer: Optimizer, limit: Any, condition: float
) -> None:
    """On a quadratic of steepness L = 2κ (Polyak 1964; Lessard et al. 2016), within one cell."""
    beta = np.linspace(0.0, 0.95, 20)
    exact = np.broadcast_to(limit(2.0 * condition, beta), 20)
    lr = np.geomspace(0.5 * exact.min(), 2.0 * exact.max(), 200)
    axes = {"lr": lr} if optimizer is GD else {"lr": lr, "momentum": beta}
    field = sweep(BOWL.with_params(condition=condition), optimizer, axes=axes, steps=6000)
    for escaped, border in zip(np.atleast_2d(field.escape_step >= 0), exact, strict=False):
        first = int(escaped.argmax())
        assert escaped[first:].all()
        assert lr[first - 1] <= border * lr[1] / lr[0]
        assert lr[first] >= border * lr[0] / lr[1]


@pytest.mark.parametrize("optimizer", [GD, MOMENTUM, ADAM], ids=["gd", "momentum", "adam"])
def test_basins_are_as_symmetric_as_the_surface(optimizer: Optimizer) -> None:
    well = sweep(WELL, optimizer, axes={"x": np.linspace(-1.9, 1.9, 400)}, lr=0.02, steps=2000)
    count = np.bincount(well.minimum + 1, minlength=3)
    assert count[1] == count[2] == 200
    side = np.linspace(-4.9, 4.9, 60)
    for key in ("styblinski_tang", "rastrigin"):
        surface = SURFACES[key]
        lr = getattr(surface.pace, optimizer.pace) * 0.3
        field = sweep(surface, optimizer, axes={"x": side, "y": side}, lr=lr, steps=600)
        ends = np.array([*surface.minima, (NAN, NAN)])[field.minimum]
        # exchanging x and y exchanges them in the end
        np.testing.assert_array_equal(ends[..., 0], ends[..., 1].T)
        assert (field.minimum >= 0).mean() > 0.5
        if key == "rastrigin":  # and is even
            np.testing.assert_array_equal(np.abs(ends), np.abs(ends[::-1]))


SOME: dict[str, Any] = {"lr": [0.1]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"axes": {}},
            "axes must be one or two of lr, momentum, rate_inside, condition, rotation, x, y, got ",
        ),
        ({"axes": {"rate": [1.0]}}, "got 'rate'."),
        ({"axes": {"lr": [1.0], "x": [1.0], "y": [1.0]}}, "got 'lr', 'x', 'y'."),
        ({"axes": [1.0]}, "got [1.0]."),
        ({"axes": {"lr": []}}, "axis lr must have at least one value"),
        ({"axes": {"lr": 0.1}}, "axis lr must be a list of numbers, got 0.1."),
        ({"axes": {"lr": "0.1"}}, "axis lr must be a list of numbers, got '0.1'."),
        ({"axes": {"lr": [[0.1]]}}, "axis lr must be a list of numbers, got [[0.1]]."),
        ({"axes": {"lr": [[0.1], [0.1, 0.2]]}}, "axis lr must be a list of numbers, got [["),
        ({"axes": {"lr": [0.1, 0.0]}}, "lr must be a finite number in (0, inf), got 0.0."),
        ({"axes": {"momentum": [1.0]}}, "momentum must be a finite number in [0, 1), got 1.0."),
        ({"axes": {"condition": [-1.0]}}, "condition must be a finite number in [1, inf), got -1"),
        ({"axes": {"x": [0.0, NAN]}}, "x must be a finite number in (-inf, inf), got nan."),
        ({"axes": {"y": [INF]}}, "y must be a finite number in (-inf, inf), got inf."),
        ({"lr": 0.1}, "lr is an axis and cannot have the value 0.1 too."),
        ({"momentum": 2.0}, "momentum must be a finite number in [0, 1), got 2.0."),
        ({"beta1": 0.5}, "momentum has no 'beta1' to set; it has: lr, momentum, rate_inside."),
        ({"start": (1.0,)}, "start must be a list of 2 finite number(s), got (1.0,)."),
        ({"steps": 0}, "steps must be an integer in [1, 100000], got 0."),
        ({"noise": -1.0}, "noise must be a finite number in [0, inf), got -1.0."),
        ({"seed": -1}, "seed must be an integer in [0, "),
        ({"steps": 9, "tail": 11}, "tail must be an integer in [0, 10], got 11."),
        ({"tol": 0.0}, "tol must be a finite number in (0, 1), got 0.0."),
        ({"tol": "1"}, "tol must be a finite number in (0, 1), got '1'."),
        ({"budget": 199}, "1 cells × 200 steps = 200 is more than the 199 that are allowed here."),
    ],
)
def test_bad_input_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as refused:
        sweep(BOWL, MOMENTUM, **({"axes": SOME} | given))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_tolerance_in_which_two_minima_overlap_is_refused() -> None:
    # 2 apart in a frame of 4: half of that is 1/4 of the frame
    with pytest.raises(ValueError, match=r"tol must be a finite number in \(0, 0.25\), got 0.25."):
        sweep(WELL, GD, axes=SOME, tol=0.25)
    assert sweep(WELL, GD, axes=SOME, tol=0.249, steps=9).minimum[0] == 1


def test_a_budget_is_enforced_before_any_work() -> None:
    axes = {"lr": np.geomspace(1e-3, 1.0, 3000), "momentum": np.linspace(0.0, 0.9, 3000)}
    asked = []
    began = time.perf_counter()
    with pytest.raises(ValueError, match="9,000,000 cells × 100,000 steps = 900,000,000,000 is"):
        sweep(
            BOWL, MOMENTUM, axes=axes, steps=100_000, budget=10**9, cancel=lambda: True,
            progress=lambda *_: asked.append(1),
        )  # fmt: skip
    assert time.perf_counter() - began < 1.0
    assert asked == []
    assert sweep(BOWL, MOMENTUM, axes=SOME, steps=100, budget=100).final_loss.shape == (1,)


def test_progress_only_grows_and_is_told_to_the_end_in_the_calling_thread() -> None:
    told: list[tuple[int, int, int]] = []
    sweep(
        BOWL, GD, axes={"lr": np.geomspace(1e-4, 0.01, 200), "x": np.linspace(-4.0, 4.0, 300)},
        steps=500, progress=lambda done, of: told.append((done, of, threading.get_ident())),
    )  # fmt: skip
    done = [each[0] for each in told]
    assert len(done) > 3
    assert done == sorted(set(done))
    assert done[-1] == 60_000
    assert {each[1:] for each in told} == {(60_000, threading.get_ident())}


def test_a_sweep_ends_soon_after_it_is_cancelled_and_leaves_nothing_running() -> None:
    """It takes hours whole, a tile seconds. A pause of the machine may cost some of the 0.5 s."""
    asked: list[float] = []
    axes = {"x": np.linspace(-4.0, 4.0, 1000), "y": np.linspace(-4.0, 4.0, 1000)}
    sweep(SURFACES["ackley"], ADAM, axes={"x": [0.0]}, steps=1)  # compiles

    def cancel() -> bool:
        asked.append(time.perf_counter())
        return asked[-1] - asked[0] > 0.3

    with pytest.raises(Cancelled):
        sweep(SURFACES["ackley"], ADAM, axes=axes, steps=100_000, cancel=cancel)
    assert time.perf_counter() - asked[-1] < 0.5
    assert np.diff(asked).max() < 0.25
    began = time.perf_counter()  # the same threads are free again
    sweep(SURFACES["ackley"], ADAM, axes={"x": np.linspace(0.0, 1.0, 9)}, steps=9)
    assert time.perf_counter() - began < 0.5


def test_memory_is_the_result_and_a_few_tiles() -> None:
    axes = {"x": np.linspace(-2.0, 2.0, 2000), "y": np.linspace(-1.0, 3.0, 2000)}
    sweep(SURFACES["rosenbrock"], ADAM, axes={"x": [0.0]}, steps=3)
    tracemalloc.start()
    try:
        field = sweep(SURFACES["rosenbrock"], ADAM, axes=axes, steps=3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    names = (*OUTCOMES, "final_loss", "final_positions")
    result = sum(getattr(field, name).nbytes for name in names)
    assert result == 4_000_000 * (24 + 4 * 4 + 2 * 2)
    assert peak < result + 40e6


def test_a_map_in_parts_is_the_map() -> None:
    """Also where the second axis is the one that lanes share."""
    for second in ({"x": np.linspace(-4.0, 4.0, 300)}, {"condition": np.linspace(1.0, 9.0, 300)}):
        axes = {"lr": np.geomspace(1e-3, 1.0, 400), **second}
        whole = sweep(BOWL, MOMENTUM, axes=axes, steps=40, tail=2)
        seen = np.zeros((300, 400), int)
        for (rows, columns), tile in sweep_tiles(BOWL, MOMENTUM, axes=axes, steps=40, tail=2):
            seen[rows, columns] += 1
            np.testing.assert_array_equal(tile.axes["lr"], axes["lr"][columns])
            for name in (*OUTCOMES, "final_loss", "final_positions", "tail"):
                np.testing.assert_array_equal(
                    getattr(tile, name), getattr(whole, name)[rows, columns]
                )
        assert (seen == 1).all()


class Counting(Executor):
    """An executor that notes how many tasks were waiting or running at once."""

    def __init__(self) -> None:
        self.most, self.threads, self.futures = 0, ThreadPoolExecutor(1), set[Future[Any]]()

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        future = self.threads.submit(*args, **kwargs)
        self.futures = {each for each in self.futures if not each.done()} | {future}
        self.most = max(self.most, len(self.futures))
        return future


def test_only_a_window_of_tiles_is_under_way() -> None:
    counting = Counting()
    axes = {"x": np.linspace(-2.0, 2.0, 1000), "y": np.linspace(-1.0, 3.0, 1000)}
    sweep(SURFACES["rosenbrock"], ADAM, axes=axes, steps=9, executor=counting)
    counting.threads.shutdown()
    assert 1 < counting.most <= WINDOW


@pytest.mark.parametrize("count", range(1, 9))
def test_the_extent_of_rows_leaves_none_out(count: int) -> None:
    rows = np.random.default_rng(count).normal(size=(count, 2, 50))
    low, high = np.empty((2, 50)), np.empty((2, 50))
    _extent(rows, low, high)
    np.testing.assert_array_equal(low, rows.min(axis=0))
    np.testing.assert_array_equal(high, rows.max(axis=0))


def test_tiles_go_to_processes_elsewhere() -> None:
    """dask.distributed's executor: tasks are pickled, and their results are the same bits."""
    axes = {"lr": np.geomspace(1e-3, 1.0, 70), "condition": np.geomspace(1.0, 100.0, 50)}
    given: dict[str, Any] = {"axes": axes, "steps": 300, "noise": 0.1, "tail": 2}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        cluster.get_client() as client,
    ):
        there = sweep(BOWL, ADAM, executor=client.get_executor(), **given)
    here = sweep(BOWL, ADAM, **given)
    for name in (*OUTCOMES, "final_loss", "final_positions", "tail"):
        np.testing.assert_array_equal(getattr(there, name), getattr(here, name))


@EVERY_OPTIMIZER
@pytest.mark.parametrize("lost", [NAN, INF, -INF])
def test_no_rule_leads_back_to_the_floats(optimizer: Optimizer, lost: float) -> None:
    """What the sweep takes for granted when it stops looking at a run."""
    rng = np.random.default_rng(0)
    h = tuple(hyper.default for hyper in optimizer.hypers)
    with np.errstate(all="ignore"):
        for g in (0.0, 1.0, NAN, INF, -INF):
            s = tuple(np.float64(rng.uniform(0.1, 1.0)) for _ in optimizer.slots or (0,))
            k = optimizer.clock(h, optimizer.clock_start)
            p = optimizer.rule(np.float64(lost), np.float64(g), s, h, k)[0]
            assert not np.isfinite(p)
            assert np.isnan(p) or not np.isnan(lost)


@EVERY_SURFACE
def test_inside_its_frame_a_surface_is_finite(surface: Surface) -> None:
    """What the sweep takes for granted when it does not look at the loss there."""
    grid = np.stack(np.meshgrid(*(np.linspace(*side, 41) for side in surface.domain)))
    values = [surface.value(*p, *surface.args) for p in grid.reshape(surface.dim, -1).T]
    assert np.isfinite(values).all()
