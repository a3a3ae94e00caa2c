"""Our runs beside PyTorch's, recorded in data/golden by tests/parity/make_golden.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, simulate
from surfaces import SURFACES

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
MANIFEST = json.loads((GOLDEN / "manifest.json").read_text())
with np.load(GOLDEN / "trajectories.npz") as stored:
    TRAJECTORIES = dict(stored)

# key of an optimizer -> why PyTorch has nothing to compare it with
NOT_IN_TORCH: dict[str, str] = {}


@pytest.mark.parametrize("case", MANIFEST["cases"], ids=lambda case: str(case["name"]))
def test_same_path_as_pytorch(case: dict[str, Any]) -> None:
    run = simulate(
        SURFACES[case["surface"]].with_params(**case["params"]),
        OPTIMIZERS[case["optimizer"]],
        start=case["start"],
        steps=MANIFEST["steps"],
        **case["hypers"],
    )
    golden = TRAJECTORIES[case["name"]]
    # torch.optim.SGD(nesterov=True) stores θ + βm, which has a row less with us.
    ours = run.probes if case["optimizer"] == "nesterov" else run.positions
    gap = np.max(np.abs(ours - golden[: len(ours)]))
    # Two orders of the same operations: 200 steps × 2e-16, grown tenfold at most by the surface.
    assert gap <= 1e-12 * np.max(np.abs(golden))


def test_every_optimizer_is_compared_with_pytorch() -> None:
    compared = {case["optimizer"] for case in MANIFEST["cases"]}
    assert compared.isdisjoint(NOT_IN_TORCH)
    assert compared | set(NOT_IN_TORCH) == set(OPTIMIZERS)


@pytest.mark.parametrize("key", sorted({case["optimizer"] for case in MANIFEST["cases"]}))
def test_every_hyperparameter_takes_several_values(key: str) -> None:
    """Else a golden cannot tell whether it is used at all. PyTorch has no bias_correction, and
    what rate_inside does shows under a rate that changes, in test_schedules.py.
    """
    sets = [case["hypers"] for case in MANIFEST["cases"] if case["optimizer"] == key]
    for hyper in OPTIMIZERS[key].hypers:
        if hyper.scale != "switch":
            assert len({given[hyper.name] for given in sets}) > 1, hyper.name


def test_the_goldens_are_small_enough_for_git() -> None:
    assert sum(file.stat().st_size for file in GOLDEN.iterdir()) < 1_000_000
