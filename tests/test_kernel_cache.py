"""Compiled code on disk: never stale after an edit, and found again by the next process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optim_core import OPTIMIZERS, kernels

REPOSITORY = Path(__file__).parents[1]

# A surface in a single file, beside the packages.
LONELY = """
from dataclasses import replace
from surfaces import SURFACES

def slope(p):
    return 2.0 * p

def gradient(p):
    return (slope(p),)

SURFACE = replace(SURFACES["parabola"], gradient=gradient)
"""
# One kernel of each kind, what it computes, and how often it was loaded and compiled.
EVERY_KIND = """
import json
from lonely import SURFACE
from optim_core import OPTIMIZERS, SCHEDULES, kernels, simulate, sweep
from surfaces import SURFACES

parabola, gd, adamw = SURFACES["parabola"], OPTIMIZERS["gd"], OPTIMIZERS["adamw"]
performance = SCHEDULES["performance"].with_params(patience=0, threshold=0.99, factor=0.5)
cut = simulate(parabola, gd, start=(10.0,), steps=3, lr=0.1, schedule=performance)
given = {"start": (10.0,), "steps": 1}
decay = {"weight_decay": 0.0}
results = {
    "a gradient": 10.0 - simulate(parabola, gd, lr=0.1, **given).positions[1, 0],
    "a file's gradient": 10.0 - simulate(SURFACE, gd, lr=0.1, **given).positions[1, 0],
    "a rule's helper": 10.0 - simulate(parabola, adamw, lr=0.1, **decay, **given).positions[1, 0],
    "a swept rule's helper": 10.0
    - sweep(parabola, adamw, axes={"lr": [0.1]}, **decay, **given).final_positions[0, 0],
    "a schedule": cut.rates[-1] / 0.1,
}
used = [
    kernels.recorder(gd), kernels.recorder(adamw), kernels.recorder(gd, True),
    kernels.advancer(adamw), kernels.sweeper(), kernels.reactor(performance),
    kernels.block(parabola, "value"), kernels.block(parabola, "gradient"),
    kernels.block(SURFACE, "gradient"),
]
counts = [(sum(u.stats.cache_hits.values()), sum(u.stats.cache_misses.values())) for u in used]
print(json.dumps([results, counts]))
"""
EDITS = {
    "surfaces/parabola.py": ("return (2.0 * p,)", "return (4.0 * p,)"),
    "lonely.py": ("return 2.0 * p", "return 4.0 * p"),
    "optim_core/optimizers/adam.py": ("return p - lr * m_hat", "return p - 2.0 * lr * m_hat"),
    "optim_core/schedules/performance.py": ("factor * cut", "2.0 * factor * cut"),
}


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
        "DESCENT_LAB_CACHE": str(copy / "cache"),
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


def test_kernels_are_loaded_by_the_next_process_and_never_after_an_edit(copy: Path) -> None:
    """Each edit doubles what it is about; none is to the file of the kernels themselves."""
    (copy / "lonely.py").write_text(LONELY)
    before, compiled = json.loads(output(copy, EVERY_KIND))
    assert compiled == [[0, 1]] * len(compiled)
    again, loaded = json.loads(output(copy, EVERY_KIND))
    assert (again, loaded) == (before, [[1, 0]] * len(compiled))
    kept = [file.name for file in (copy / "cache").iterdir()]
    assert max(map(len, kept)) < 60  # a path on Windows has 260 letters

    for file, (old, new) in EDITS.items():
        edit(copy / file, old, new)
    after, _ = json.loads(output(copy, EVERY_KIND))
    # AdamW's ε is seen in the ninth digit.
    assert after == pytest.approx({name: 2.0 * result for name, result in before.items()}, rel=1e-7)


A_LOSS = """
import numpy as np
from optim_core.kernels import evaluate
from surfaces import SURFACES
print(evaluate(SURFACES["saddle"], "value", np.array([[2.0, 1.0]]))[0])
"""


def test_no_kernel_is_loaded_after_an_edit_to_the_file_of_kernels(copy: Path) -> None:
    assert output(copy, A_LOSS) == "3.0"
    edit(copy / "optim_core" / "kernels.py", "out[0, i] = result", "out[0, i] = 2.0 * result")
    assert output(copy, A_LOSS) == "6.0"


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


def test_a_kernel_is_one_however_it_is_asked_for() -> None:
    """The start asks for it in fewer words than a run does, which would compile it again."""
    gd = OPTIMIZERS["gd"]
    assert (
        kernels.recorder(gd) is kernels.recorder(gd, False) is kernels.recorder(gd, watches=False)
    )
    assert kernels.advancer(gd) is kernels.advancer(gd, False, proximal=False)
    assert kernels.advancer(gd) is kernels.advancer(gd, scheduled=False, alike=True)
