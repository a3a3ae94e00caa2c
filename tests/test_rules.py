"""The compiled run beside a slow, obvious one that calls the same rules as plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, Run, simulate
from optim_core.spec import Hyper, Optimizer, Pace, Point, Surface
from surfaces import SURFACES

STEPS, SEED = 60, 7

# Only + − × ÷ and √, which IEEE 754 rounds in one way; cos 0 and sin 0 are exact.
EXACT = [
    SURFACES["parabola"],
    SURFACES["rosenbrock"],
    SURFACES["bowl"].with_params(condition=20.0, rotation=0.0),
]


def unlike_default(hyper: Hyper) -> float:
    if hyper.scale == "switch":
        return 1.0 - hyper.default
    return next(v for v in (0.37, 0.73, 1.37) if v in hyper.domain and v != hyper.default)


def lowest(hyper: Hyper) -> float:
    """The closed end of the domain, as β = 0 or ε = 0, if there is one."""
    return hyper.domain.low if hyper.domain.low in hyper.domain else hyper.default


CHOICES: dict[str, Callable[[Hyper], float]] = {
    "defaults": lambda hyper: hyper.default,
    "unlike defaults": unlike_default,
    "lowest": lowest,
}


def values(optimizer: Optimizer, surface: Surface, choice: str) -> dict[str, Any]:
    """The chosen hyperparameters, with a rate at which the run stays among the finite numbers.

    A method that is scaled by default may have a switch for that.
    """
    pace = optimizer.pace if choice == "defaults" else "curvature"
    lr = 0.3 * float(getattr(surface.pace, pace))
    return {h.name: lr if h.name == "lr" else CHOICES[choice](h) for h in optimizer.hypers}


def plainly(surface: Surface, optimizer: Optimizer, h: Point, noise: np.ndarray) -> Run:
    """The loop that the specification of `Optimizer` describes, on Python's own floats."""
    steps, dim = noise.shape
    p, k = list(surface.start), optimizer.clock_start
    s: list[Point] = [(0.0,) * max(1, len(optimizer.slots))] * dim
    positions, slots = [list(p)], [list(s)]
    gradients, probes = [], []
    for t in range(steps):
        k = optimizer.clock(h, k)
        probes.append([float(optimizer.probe(p[j], s[j], h, k)) for j in range(dim)])
        slope = surface.gradient(*probes[t], *surface.args)
        gradients.append([float(slope[j]) + float(noise[t, j]) for j in range(dim)])
        for j in range(dim):
            new_p, new_s = optimizer.rule(p[j], gradients[t][j], s[j], h, k)
            p[j], s[j] = float(new_p), tuple(float(c) for c in new_s)
        positions.append(list(p))
        slots.append(list(s))
    return Run(
        surface=surface,
        optimizer=optimizer,
        hypers=dict(zip((hyper.name for hyper in optimizer.hypers), h, strict=True)),
        positions=np.array(positions),
        losses=np.array([float(surface.value(*row, *surface.args)) for row in positions]),
        gradients=np.array(gradients),
        probes=np.array(probes),
        slots={name: np.array(slots)[:, :, i] for i, name in enumerate(optimizer.slots)},
    )


@pytest.mark.parametrize("noise", [0.0, 0.5])
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("surface", EXACT, ids=lambda surface: str(surface.key))
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=lambda optimizer: str(optimizer.key))
def test_compiled_equals_plain_python_to_the_bit(
    optimizer: Optimizer, surface: Surface, choice: str, noise: float
) -> None:
    given = values(optimizer, surface, choice)
    fast = simulate(surface, optimizer, steps=STEPS, noise=noise, seed=SEED, **given)
    draws = noise * np.random.default_rng(SEED).standard_normal((STEPS, surface.dim))
    slow = plainly(surface, optimizer, tuple(fast.hypers.values()), draws)
    assert fast.hypers == given
    assert np.all(np.isfinite(fast.positions))
    assert not np.array_equal(fast.positions[0], fast.positions[-1])
    for name in ("positions", "losses", "gradients", "probes"):
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)
    assert list(fast.slots) == list(optimizer.slots)
    for name in optimizer.slots:
        np.testing.assert_array_equal(fast.slots[name], slow.slots[name], err_msg=name)


def value(x: float, y: float) -> float:
    return x * x


def gradient(x: float, y: float) -> Point:
    return 2.0 * x, 0.0


def hessian(x: float, y: float) -> Point:
    return 2.0, 0.0, 0.0


GUTTER = Surface(
    key="gutter",
    name="Gutter",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-12.0, 12.0), (-12.0, 12.0)),
    start=(10.0, 7.0),
    pace=Pace(curvature=0.1, length=0.5),
    formula="f(x, y) = x^2",
    about="The parabola in two dimensions.",
    source="",
)


@pytest.mark.parametrize("choice", ["defaults", "unlike defaults"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=lambda optimizer: str(optimizer.key))
def test_one_dimension_inside_two_is_the_same(optimizer: Optimizer, choice: str) -> None:
    """A method acts on each coordinate alone: a second one changes nothing, to the bit."""
    given = values(optimizer, GUTTER, choice)
    alone = simulate(SURFACES["parabola"], optimizer, start=(10.0,), **given)
    inside = simulate(GUTTER, optimizer, **given)
    np.testing.assert_array_equal(inside.losses, alone.losses)
    for name in ("positions", "gradients", "probes"):
        np.testing.assert_array_equal(getattr(inside, name)[:, 0], getattr(alone, name)[:, 0], name)
    for name in optimizer.slots:
        np.testing.assert_array_equal(inside.slots[name][:, 0], alone.slots[name][:, 0], name)
