"""A map beside JAX and Optax, jit(vmap(scan)) in float64: `make bench-peers`.

Runs in .venv-parity, in one process; exits with 1 if a map is less than 3 times as fast.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax

from benchmarks.sweep import medians
from optim_core import OPTIMIZERS, sweep
from surfaces import SURFACES

jax.config.update("jax_enable_x64", True)

SIDE, STEPS = 400, 500
BOUND = 3.0
SURFACE = SURFACES["rosenbrock"]
SECOND = {"adam": ("beta1", np.linspace(0.0, 0.99, SIDE))}
SECOND["momentum"] = ("momentum", np.linspace(0.0, 0.99, SIDE))
METHODS: dict[str, Callable[[Any, Any], Any]] = {
    "adam": lambda lr, beta1: optax.adam(lr, b1=beta1),
    "momentum": lambda lr, momentum: optax.sgd(lr, momentum=momentum),
}


def loss(p: Any) -> Any:
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def theirs(key: str, lr: np.ndarray, second: np.ndarray) -> Callable[[], Any]:
    """Last position, last loss and first step that is not finite of each run, and no more."""

    def run(lr: Any, other: Any) -> Any:
        optimizer = METHODS[key](lr, other)
        start = jax.numpy.array(SURFACE.start)

        def step(carry: Any, t: Any) -> Any:
            point, state, escape = carry
            updates, state = optimizer.update(jax.grad(loss)(point), state, point)
            point = optax.apply_updates(point, updates)
            lost = (escape < 0) & ~jax.numpy.isfinite(loss(point))
            return (point, state, jax.numpy.where(lost, t + 1, escape)), None

        carry = (start, optimizer.init(start), -1)
        (point, _, escape), _ = jax.lax.scan(step, carry, jax.numpy.arange(STEPS))
        return point, loss(point), escape

    rows = jax.vmap(jax.vmap(run, (0, None)), (None, 0))
    compiled = jax.jit(rows)
    return lambda: jax.block_until_ready(compiled(lr, second))


def compare(key: str) -> float:
    """How many times as fast our map is, after a check that both maps are the same."""
    optimizer = OPTIMIZERS[key]
    scale = getattr(SURFACE.pace, optimizer.pace) * optimizer.factor
    name, second = SECOND[key]
    axes = {"lr": scale * np.geomspace(0.01, 10.0, SIDE), name: second}
    peer = theirs(key, axes["lr"], second)
    field = sweep(SURFACE, optimizer, axes=axes, steps=STEPS)
    point, _, escape = (np.asarray(array) for array in peer())
    # Chaotic runs part in the last digit; where a run has calmed down both must be at one place.
    calm = field.minimum >= 0
    same = np.isclose(field.final_positions, point, rtol=1e-6, atol=1e-6).all(axis=-1)
    left = (field.escape_step >= 0) & (field.escape_step < STEPS)
    agree = (left == (escape >= 0)).mean()
    if same[calm].mean() < 0.99 or agree < 0.99:
        raise RuntimeError(f"{key}: {same[calm].mean():.2%} of the ends, {agree:.2%} of escapes.")
    ours, other = medians([lambda: sweep(SURFACE, optimizer, axes=axes, steps=STEPS), peer])
    print(
        f"{optimizer.name} on {SURFACE.name}, {SIDE} x {SIDE} runs of {STEPS} steps: "
        f"sweep {ours * 1e3:.0f} ms, JAX {jax.__version__} with Optax {optax.__version__} "
        f"{other * 1e3:.0f} ms ({other / ours:.1f} x; at least {BOUND:g} x); "
        f"{same.mean():.1%} of all ends and {same[calm].mean():.1%} of those at the minimum are "
        f"the same, {agree:.1%} of the escapes."
    )
    return other / ours


if __name__ == "__main__":
    sys.exit(min(compare(key) for key in METHODS) < BOUND)
