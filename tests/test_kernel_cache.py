"""Compiled code on disk: never stale after an edit, and found again by the next process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[1]

SECOND_POSITION = """
from optim_core import OPTIMIZERS, simulate
from surfaces import SURFACES
run = simulate(SURFACES["parabola"], OPTIMIZERS[{key!r}], start=(10.0,), steps=1, lr=0.1{more})
print(run.positions[1, 0])
"""

SWEPT_POSITION = """
from optim_core import OPTIMIZERS, sweep
from surfaces import SURFACES
axes = {{"lr": [0.1]}}
run = sweep(SURFACES["parabola"], OPTIMIZERS[{key!r}], axes=axes, start=(10.0,), steps=1{more})
print(run.final_positions[0, 0])
"""

CACHE_STATS = """
import json
from optim_core import OPTIMIZERS, SCHEDULES, kernels
from surfaces import SURFACES
parabola = SURFACES["parabola"]
compiled = {key: kernels.recorder(OPTIMIZERS[key]) for key in ("gd", "nesterov", "adamw", "nadam")}
compiled |= {f"{key} in a sweep": kernels.advancer(OPTIMIZERS[key]) for key in ("gd", "adamw")}
compiled |= {"sweep": kernels.sweeper()}
gd, performance = OPTIMIZERS["gd"], SCHEDULES["performance"]
compiled |= {"watching": kernels.recorder(gd, True), "loop": kernels.reactor(performance)}
compiled |= {"scheduled in a sweep": kernels.advancer(gd, True)}
compiled |= {f: kernels.block(parabola, f) for f in ("value", "gradient")}
stats = {name: kernel.stats for name, kernel in compiled.items()}
print(json.dumps({
    name: [sum(s.cache_hits.values()), sum(s.cache_misses.values())] for name, s in stats.items()
}))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The two packages alone, with nothing compiled yet."""
    for package in ("optim_core", "surfaces"):
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / package, tmp_path / package, ignore=skip)
    return tmp_path


def output(copy: Path, code: str) -> str:
    """What a new process prints that imports the copy."""
    env = os.environ | {
        "PYTHONPATH": str(copy),
        "NUMBA_CACHE_DIR": str(copy / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def step(copy: Path, key: str, more: str, code: str) -> float:
    """The length of the first step on p² from 10 with lr 0.1, in a new process."""
    return 10.0 - float(output(copy, code.format(key=key, more=more)))


HELPER = (
    "adamw", ", weight_decay=0.0", "optim_core/optimizers/adam.py",
    "return p - lr * m_hat", "return p - 2.0 * lr * m_hat",
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "key", "more", "file", "old", "new"),
    [
        pytest.param(
            SECOND_POSITION, "gd", "", "optim_core/optimizers/gd.py",
            "p - lr * g", "p - 2.0 * lr * g", id="rule",
        ),
        pytest.param(
            SECOND_POSITION, "gd", "", "surfaces/parabola.py",
            "return (2.0 * p,)", "return (4.0 * p,)", id="gradient",
        ),
        pytest.param(SECOND_POSITION, *HELPER, id="helper in another file"),
        pytest.param(SWEPT_POSITION, *HELPER, id="helper in another file, swept"),
    ],
)  # fmt: skip
def test_an_edit_is_never_served_stale(
    copy: Path, code: str, key: str, more: str, file: str, old: str, new: str
) -> None:
    """Each of these edits doubles the first step; Numba itself looks at kernels.py alone."""
    kernels = copy / "optim_core" / "kernels.py"
    before, stamp = step(copy, key, more, code), kernels.stat().st_mtime_ns
    edit(copy / file, old, new)
    # A difference of numbers near 10 keeps 15 digits.
    assert step(copy, key, more, code) == pytest.approx(2.0 * before, rel=1e-13)
    assert kernels.stat().st_mtime_ns == stamp


ONE_FILE = """
from dataclasses import replace
from surfaces import SURFACES

def slope(p):
    return 2.0 * p

def gradient(p):
    return (slope(p),)

SURFACES["parabola"] = replace(SURFACES["parabola"], gradient=gradient)
"""


def test_an_edited_helper_of_a_surface_in_a_single_file_is_never_served_stale(copy: Path) -> None:
    file = copy / "lonely.py"
    file.write_text(ONE_FILE)
    code = "import lonely\n" + SECOND_POSITION.format(key="gd", more="")
    assert output(copy, code) == "8.0"
    edit(file, "2.0 * p", "4.0 * p")
    assert output(copy, code) == "6.0"


SCHEDULED = """
from optim_core import OPTIMIZERS, SCHEDULES, simulate
from surfaces import SURFACES
run = simulate(
    SURFACES["parabola"], OPTIMIZERS["gd"], steps=4, lr=0.1,
    schedule=SCHEDULES[{key!r}].with_params({settings}),
)
print(round(float(run.rates[-1] / 0.1), 9))
"""


@pytest.mark.parametrize(
    ("key", "settings", "before", "old", "new", "after"),
    [
        ("performance", "patience=0, threshold=0.99, factor=0.5", 0.25, "factor * cut",
         "factor * cut * cut", 0.0625),
        ("exponential", "span=1.0, ratio=0.5", 0.125, "t / span", "2.0 * t / span", 0.015625),
    ],
)  # fmt: skip
def test_an_edited_schedule_is_never_served_stale(
    copy: Path, key: str, settings: str, before: float, old: str, new: str, after: float
) -> None:
    code = SCHEDULED.format(key=key, settings=settings)
    assert float(output(copy, code)) == before
    edit(copy / "optim_core" / "schedules" / f"{key}.py", old, new)
    assert float(output(copy, code)) == after


def test_the_next_process_compiles_nothing(copy: Path) -> None:
    first: dict[str, Any] = json.loads(output(copy, CACHE_STATS))
    second: dict[str, Any] = json.loads(output(copy, CACHE_STATS))
    assert first == {name: [0, 1] for name in first}
    assert second == {name: [1, 0] for name in first}


COMPILE_ONE = """
from optim_core import kernels
from surfaces import SURFACES
kernels.block(SURFACES["saddle"], {which!r})
"""
USE_BOTH = """
from optim_core import OPTIMIZERS, kernels, simulate
from surfaces import SURFACES
for which in ("gradient", "value"):
    kernels.block(SURFACES["saddle"], which)
print(simulate(SURFACES["saddle"], OPTIMIZERS["gd"], start=(1.0, 1.0), steps=1, lr=0.25).losses)
"""


def test_kernels_of_two_processes_do_not_take_each_others_calls(copy: Path) -> None:
    """Numba issue 10486: one symbol for the first kernel of each process, were names not unique."""
    for which in ("gradient", "value"):
        output(copy, COMPILE_ONE.format(which=which))
    # x² − y² at (1, 1), and at (1/2, 3/2)
    assert output(copy, USE_BOTH) == "[ 0. -2.]"
