"""Record PyTorch's own trajectories in data/golden: `python -m tests.parity.make_golden`.

Needs numpy and torch, and nothing of the project but the list of cases.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.parity.cases import STEPS, Case, Hypers, cases

GOLDEN = Path(__file__).parents[2] / "data" / "golden"
MANIFEST, TRAJECTORIES = GOLDEN / "manifest.json", GOLDEN / "trajectories.npz"

SHIFT = 1e-10  # relative; large beside rounding, small beside what bends the path
MAX_GROWTH = 10.0  # times 200 steps of 2e-16 is still under the 1e-12 that is asked


def betas(h: Hypers) -> dict[str, Any]:
    return {"lr": h["lr"], "betas": (h["beta1"], h["beta2"]), "eps": h["eps"]}


TORCH: dict[str, Callable[[list[Any], Hypers], Any]] = {
    "gd": lambda p, h: torch.optim.SGD(p, lr=h["lr"]),
    "momentum": lambda p, h: torch.optim.SGD(p, lr=h["lr"], momentum=h["momentum"]),
    "nesterov": lambda p, h: torch.optim.SGD(p, lr=h["lr"], momentum=h["momentum"], nesterov=True),
    "adagrad": lambda p, h: torch.optim.Adagrad(p, lr=h["lr"], eps=h["eps"]),
    "rmsprop": lambda p, h: torch.optim.RMSprop(p, lr=h["lr"], alpha=h["rho"], eps=h["eps"]),
    "adam": lambda p, h: torch.optim.Adam(p, **betas(h)),
    "adamax": lambda p, h: torch.optim.Adamax(p, **betas(h)),
    "nadam": lambda p, h: torch.optim.NAdam(p, **betas(h)),
    "adamw": lambda p, h: torch.optim.AdamW(p, weight_decay=h["weight_decay"], **betas(h)),
}


def torch_path(case: Case, start: Sequence[float]) -> np.ndarray:
    """What PyTorch stores as the parameter: (STEPS + 1, dim). Nesterov's is θ + βm."""
    # NAdam keeps its product of momenta in the default type: 2e-10 away if that is float32.
    torch.set_default_dtype(torch.float64)
    point = torch.tensor(start, requires_grad=True)
    optimizer = TORCH[case.optimizer]([point], case.hypers)
    path = np.empty((STEPS + 1, len(start)))
    path[0] = start
    for t in range(STEPS):
        optimizer.zero_grad()
        case.loss(point).backward()
        optimizer.step()
        path[t + 1] = point.detach().numpy()
    return path


def growth(case: Case, path: np.ndarray) -> float:
    """By how much a small shift of the start grows along the path: what rounding will do too."""
    shifted = torch_path(case, [c * (1.0 + SHIFT) for c in case.start])
    return float(np.max(np.abs(shifted - path)) / (SHIFT * np.max(np.abs(path[0]))))


def manifest() -> dict[str, Any]:
    return {
        "torch": torch.__version__,
        "steps": STEPS,
        "cases": [{**asdict(case), "start": list(case.start)} for case in cases()],
    }


def main() -> None:
    paths: dict[str, Any] = {}
    for case in cases():
        path = torch_path(case, case.start)
        grown = growth(case, path)
        if not grown < MAX_GROWTH:
            raise SystemExit(f"{case.name} amplifies rounding {grown:.3g} times: choose another.")
        paths[case.name] = path
    GOLDEN.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(TRAJECTORIES, **paths)
    MANIFEST.write_text(json.dumps(manifest(), indent=1) + "\n")
    print(f"{len(paths)} runs, {TRAJECTORIES.stat().st_size / 1e3:.0f} KB, in {GOLDEN}")


if __name__ == "__main__":
    main()
