"""Our runs beside PyTorch, Keras and Optax as installed: `python -m tests.parity.compare`.

Prints one line per method and authority, and exits with 1 if a difference is above its tolerance.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

os.environ["KERAS_BACKEND"] = "torch"  # Keras looks at it once, when it is imported

import jax
import keras
import numpy as np
import optax
import torch

from optim_core import OPTIMIZERS, simulate
from surfaces import SURFACES
from tests.parity.cases import STEPS, Case, Hypers, cases
from tests.parity.make_golden import MANIFEST, TRAJECTORIES, manifest, torch_path

keras.config.set_floatx("float64")
jax.config.update("jax_enable_x64", True)

STORED_TOLERANCE = 1e-13  # another machine's torch may fuse a multiply and an add
TOLERANCE = 1e-12  # 200 steps of rounding, grown at most tenfold (make_golden checks that)
OUTSIDE = "only runs with ε = 0"


@dataclass(frozen=True)
class Authority:
    """build: method -> its optimizer from our hyperparameters, where it has one like ours.

    note: method -> why it is left out, or which runs are.
    """

    name: str
    path: Callable[[Case, Any], np.ndarray]
    build: Mapping[str, Callable[[Hypers], Any]]
    note: Mapping[str, str]


def keras_path(case: Case, optimizer: Any) -> np.ndarray:
    variable = keras.Variable(np.array(case.start), dtype="float64")
    path = np.empty((STEPS + 1, len(case.start)))
    path[0] = case.start
    for t in range(STEPS):
        point = torch.tensor(path[t], requires_grad=True)
        case.loss(point).backward()
        optimizer.apply([point.grad], [variable])
        path[t + 1] = keras.ops.convert_to_numpy(variable)
    return path


def keras_adam(h: Hypers) -> dict[str, float]:
    return {
        "learning_rate": h["lr"],
        "beta_1": h["beta1"],
        "beta_2": h["beta2"],
        "epsilon": h["eps"],
    }


KERAS = Authority(
    "Keras",
    keras_path,
    build={
        "gd": lambda h: keras.optimizers.SGD(h["lr"]),
        "momentum": lambda h: keras.optimizers.SGD(h["lr"], momentum=h["momentum"]),
        "nesterov": lambda h: keras.optimizers.SGD(h["lr"], momentum=h["momentum"], nesterov=True),
        "adagrad": lambda h: keras.optimizers.Adagrad(
            h["lr"], initial_accumulator_value=0.0, epsilon=h["eps"]
        ),
        "rmsprop": lambda h: keras.optimizers.RMSprop(h["lr"], rho=h["rho"], epsilon=h["eps"]),
        "adam": lambda h: keras.optimizers.Adam(**keras_adam(h)),
        "adamax": lambda h: keras.optimizers.Adamax(**keras_adam(h)),
        "adamw": lambda h: keras.optimizers.AdamW(weight_decay=h["weight_decay"], **keras_adam(h)),
    },
    note={
        "adagrad": f"{OUTSIDE}: its ε is inside the root; its accumulator is set to start at 0",
        "rmsprop": f"{OUTSIDE}: its ε is inside the root",
        "adam": f"{OUTSIDE}: its ε is added before the bias correction",
        "adamw": f"{OUTSIDE}: its ε is added before the bias correction",
        "adamax": f"{OUTSIDE}: its ε is added after the maximum",
        "nadam": "left out: its momentum warms up as 0.96^t, ours as 0.96^(0.004 t)",
    },
)


def optax_path(case: Case, optimizer: Any) -> np.ndarray:
    start = jax.numpy.array(case.start)

    def step(carry: Any, _: Any) -> Any:
        point, state = carry
        updates, state = optimizer.update(jax.grad(case.loss)(point), state, point)
        point = optax.apply_updates(point, updates)
        return (point, state), point

    def steps() -> Any:
        return jax.lax.scan(step, (start, optimizer.init(start)), length=STEPS)[1]

    return np.vstack([case.start, jax.jit(steps)()])


def optax_adam(h: Hypers) -> dict[str, float]:
    return {"learning_rate": h["lr"], "b1": h["beta1"], "b2": h["beta2"], "eps": h["eps"]}


OPTAX = Authority(
    "Optax",
    optax_path,
    build={
        "gd": lambda h: optax.sgd(h["lr"]),
        "momentum": lambda h: optax.sgd(h["lr"], momentum=h["momentum"]),
        "nesterov": lambda h: optax.sgd(h["lr"], momentum=h["momentum"], nesterov=True),
        "adagrad": lambda h: optax.adagrad(h["lr"], initial_accumulator_value=0.0, eps=h["eps"]),
        "rmsprop": lambda h: optax.rmsprop(h["lr"], h["rho"], h["eps"], eps_in_sqrt=False),
        "adam": lambda h: optax.adam(**optax_adam(h)),
        "adamax": lambda h: optax.adamax(**optax_adam(h)),
        "adamw": lambda h: optax.adamw(weight_decay=h["weight_decay"], **optax_adam(h)),
    },
    note={
        "adagrad": f"{OUTSIDE}: its ε is inside the root; its accumulator is set to start at 0",
        "nadam": "left out: its momentum is constant, ours warms up",
    },
)


def our_path(case: Case) -> np.ndarray:
    """Of Nesterov the probes, one row fewer: those libraries store θ + βm."""
    surface = SURFACES[case.surface].with_params(**case.params)
    given: dict[str, Any] = {"start": case.start, "steps": STEPS, **case.hypers}
    run = simulate(surface, OPTIMIZERS[case.optimizer], **given)
    return run.probes if case.optimizer == "nesterov" else run.positions


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The largest, relative to the path's largest coordinate; inf if something is not a number."""
    gap = float(np.max(np.abs(ours - theirs[: len(ours)])) / np.max(np.abs(theirs)))
    return gap if np.isfinite(gap) else np.inf


def report(method: str, authority: str, gaps: list[float], tolerance: float, note: str) -> bool:
    worst = f"{max(gaps):.1e}" if gaps else "-"
    wrong = any(gap > tolerance for gap in gaps) or not (gaps or note.startswith("left out"))
    limit = f"{tolerance:.0e}" if gaps else "-"
    verdict = " TOO LARGE" if wrong else ""
    print(f"{method:<9} {authority:<13} {len(gaps):>4} {worst:>8} {limit:>6}{verdict}  {note}")
    return not wrong


def main() -> int:
    print(f"torch {torch.__version__}, keras {keras.__version__}, optax {optax.__version__}")
    print(f"{'method':<9} {'authority':<13} {'runs':>4} {'differs':>8} {'limit':>6}")
    fine: bool = json.loads(MANIFEST.read_text())["cases"] == manifest()["cases"]
    if not fine:
        print("data/golden holds other cases: run python -m tests.parity.make_golden")
    with np.load(TRAJECTORIES) as stored:
        for method in dict.fromkeys(case.optimizer for case in cases()):
            mine = [case for case in cases() if case.optimizer == method]
            ours = {case.name: our_path(case) for case in mine}
            torches = {case.name: torch_path(case, case.start) for case in mine}
            kept = [difference(stored[name], path) for name, path in torches.items()]
            fine &= report(method, "stored torch", kept, STORED_TOLERANCE, "")
            gaps = [difference(ours[name], path) for name, path in torches.items()]
            fine &= report(method, "PyTorch", gaps, TOLERANCE, "")
            for authority in (KERAS, OPTAX):
                note = authority.note.get(method, "")
                gaps = []
                for case in mine if method in authority.build else ():
                    if not (note.startswith(OUTSIDE) and case.hypers["eps"] > 0.0):
                        theirs = authority.path(case, authority.build[method](case.hypers))
                        gaps.append(difference(ours[case.name], theirs))
                fine &= report(method, authority.name, gaps, TOLERANCE, note)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
