"""What the core costs: a recorded run, its outcome, compiling, and the start of the server."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.browser import ROOT, serve
from optim_core import OPTIMIZERS, Run, kernels, simulate
from optim_core.outcome import judge
from optim_core.simulate import gradient_noise
from surfaces import SURFACES
from ui.state.common import suggested_lr

STEPS = 500
SURFACE = SURFACES["rosenbrock"]
REPEATS = 3  # of what takes seconds
UNITS = (("s", 1.0), ("ms", 1e3), ("µs", 1e6))

# The surface is written anew and differentiated by PyTorch; nothing is recorded.
TORCH = """
import json, sys, time
import torch
start, steps, makers = json.loads(sys.argv[1])
torch.set_num_threads(1)
def run(maker):
    p = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, maker["name"])([p], **maker["hypers"])
    began = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        x, y = p
        loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
        loss.backward()
        optimizer.step()
    return time.perf_counter() - began, p.tolist()
for maker in makers:
    run(maker)
    times, ends = zip(*(run(maker) for _ in range(5)))
    print(json.dumps([torch.__version__, sorted(times)[2], ends[0]]))
"""

COMPILE = """
import time
from numba import float64, njit
from optim_core import OPTIMIZERS, kernels
from surfaces import SURFACES
def seconds(act):
    began = time.perf_counter()
    act()
    print(time.perf_counter() - began)
seconds(lambda: njit(float64(float64))(lambda x: x + 1.0))
seconds(lambda: kernels.recorder(OPTIMIZERS["adam"]))
seconds(lambda: kernels.block(SURFACES["rosenbrock"], "gradient"))
"""


def _seconds(act: Callable[[], object], budget: float = 0.5) -> float:
    """Median time of a call, after a warm-up, over at least 5 calls and half a second."""
    act()
    times: list[float] = []
    while len(times) < 5 or sum(times) < budget:
        began = time.perf_counter()
        act()
        times.append(time.perf_counter() - began)
    return median(times)


def _duration(seconds: float) -> str:
    """A duration to three digits, in the unit that suits it."""
    unit, factor = next((u for u in UNITS if seconds * u[1] >= 1.0), UNITS[-1])
    digits = max(0, 2 - math.floor(math.log10(seconds * factor)))
    return f"{seconds * factor:.{digits}f} {unit}"


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10.0 else f"{ratio:.1f}"


def _bare(run: Run) -> Callable[[], object]:
    """The compiled recorder alone, on arrays that are already there."""
    optimizer = run.optimizer
    record, gradient = kernels.recorder(optimizer), kernels.block(SURFACE, "gradient")
    positions, gradients, probes = run.positions.copy(), run.gradients.copy(), run.probes.copy()
    slots = np.zeros((max(1, len(optimizer.slots)), STEPS + 1, SURFACE.dim))
    args, hypers = np.array(SURFACE.weights), np.array(tuple(run.hypers.values()))[:, None]
    clock, noise = np.array(optimizer.clock_start), gradient_noise(0.0, 0, STEPS, SURFACE.dim)
    nothing = (0,) * len(kernels.CLOSED_LOOP)
    return lambda: record(
        gradient, args, hypers, clock.copy(), noise, positions, gradients, probes, slots, *nothing
    )


def _python(run: Run) -> np.ndarray:
    """The recorder's loop in plain Python, on NumPy's scalars; returns the positions."""
    optimizer = run.optimizer
    h, k = tuple(run.hypers.values()), optimizer.clock_start
    positions = np.empty_like(run.positions)
    positions[0] = run.positions[0]
    gradients, probes = np.empty_like(run.gradients), np.empty_like(run.probes)
    slots = np.zeros((max(1, len(optimizer.slots)), STEPS + 1, SURFACE.dim))
    for t in range(STEPS):
        k = optimizer.clock(h, k)
        for j in range(SURFACE.dim):
            probes[t, j] = optimizer.probe(positions[t, j], tuple(slots[:, t, j]), h, k)
        gradients[t] = SURFACE.gradient(*probes[t])
        for j in range(SURFACE.dim):
            s = tuple(slots[:, t, j])
            positions[t + 1, j], slots[:, t + 1, j] = optimizer.rule(
                positions[t, j], gradients[t, j], s, h, k
            )
    return positions


def _check_same(name: str, run: Run, end: object) -> None:
    """A loop that does something else is no floor."""
    if not np.allclose(run.positions[-1], np.asarray(end, dtype=float), rtol=1e-6, atol=0.0):
        raise RuntimeError(f"{name} ends at {end}, {run.optimizer.key} at {run.positions[-1]}.")


def _torch(runs: list[Run]) -> list[tuple[str, float] | None]:
    """PyTorch's version and seconds for each run; None where it is not installed."""
    makers = [
        {"name": "Adam", "hypers": {"lr": runs[0].hypers["lr"]}},
        {"name": "SGD", "hypers": {k: runs[1].hypers[k] for k in ("lr", "momentum")}},
    ]
    task = json.dumps([SURFACE.start, STEPS, makers])
    for python in (Path(sys.executable), ROOT / ".venv-parity" / "bin" / "python"):
        if not python.exists():
            continue
        command = [str(python), "-c", TORCH, task]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            lines = [json.loads(line) for line in done.stdout.splitlines()]
            for run, (version, _, end) in zip(runs, lines, strict=True):
                _check_same(f"PyTorch {version}", run, end)
            return [(str(version), float(seconds)) for version, seconds, _ in lines]
        if "No module named 'torch'" not in done.stderr:
            raise RuntimeError(done.stderr)
    return [None] * len(runs)


def _recorded(key: str) -> Run:
    optimizer = OPTIMIZERS[key]
    return simulate(SURFACE, optimizer, steps=STEPS, lr=suggested_lr(SURFACE, optimizer))


def _rows(run: Run, torch: tuple[str, float] | None) -> list[tuple[str, str, str]]:
    name = run.optimizer.name
    _check_same("the Python loop", run, _python(run)[-1])
    whole, bare = _seconds(lambda: _recorded(run.optimizer.key)), _seconds(_bare(run))
    python = _seconds(lambda: _python(run))
    judged = _seconds(lambda: judge(SURFACE, run.positions, run.losses, noisy=False))
    version, theirs = torch or ("", math.nan)

    def a_step(seconds: float) -> str:
        return f"{_duration(seconds)}, {seconds / STEPS * 1e9:.0f} ns a step"

    def beside(seconds: float) -> str:
        return f"{_duration(seconds)} ({_ratio(seconds / whole)} x simulate)"

    return [
        (f"{name} on {SURFACE.name}, {STEPS} steps, compiled recorder alone", a_step(bare), ""),
        (
            "  simulate(): checks, arrays and losses too",
            f"{a_step(whole)} ({_ratio(whole / bare)} x the recorder)",
            "",
        ),
        ("  the recorder's loop in Python, NumPy scalars", beside(python), ""),
        (
            f"  PyTorch {version}".rstrip() + " with autograd, recording nothing",
            beside(theirs) if torch else "not installed (make parity)",
            "",
        ),
        (f"  its outcome ({run.outcome.kind})", beside(judged), ""),
    ]


def _runs() -> list[tuple[str, str, str]]:
    runs = [_recorded("adam"), _recorded("momentum")]
    return [
        row for run, theirs in zip(runs, _torch(runs), strict=True) for row in _rows(run, theirs)
    ]


def _compiling() -> list[tuple[str, str, str]]:
    def once(folder: str) -> list[float]:
        env = os.environ | {"NUMBA_CACHE_DIR": folder}
        command = [sys.executable, "-c", COMPILE]
        done = subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [float(line) for line in done.stdout.split()]

    colds, warms = [], []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            colds.append(once(folder))
            warms.append(once(folder))
    least, *cold = np.median(colds, axis=0).tolist()
    warm = np.median(warms, axis=0).tolist()[1:]
    names = ("one optimizer (Adam)", "one surface's gradient (Rosenbrock)")
    return [
        ("Numba's first compilation in a process, x + 1", _duration(least), "the floor"),
        *(
            (
                f"compile {name}, load it from the cache",
                f"{_duration(first)}, {_duration(again)} ({_ratio(first / again)} x less)",
                "",
            )
            for name, first, again in zip(names, cold, warm, strict=True)
        ),
    ]


def _start(script: Path) -> float:
    """Seconds from `streamlit run` to a page that is served."""
    began = time.perf_counter()
    with serve(script) as address, urllib.request.urlopen(address, timeout=10) as page:
        page.read()
        return time.perf_counter() - began


def _starting() -> tuple[str, str, str]:
    app, bare = ROOT / "app.py", ROOT / "benchmarks" / "bare_app.py"
    _start(app)  # fills the cache
    ours, floor = (median(_start(script) for _ in range(REPEATS)) for script in (app, bare))
    return (
        "streamlit run to a served page, compiled before",
        f"{_duration(ours)} ({ours / floor:.2f} x the bare app's {_duration(floor)})",
        "",
    )


def measure() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, bound)."""
    return [*_runs(), *_compiling(), _starting()]


if __name__ == "__main__":
    for row in measure():
        print(" | ".join(row))
