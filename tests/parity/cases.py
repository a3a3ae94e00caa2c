"""The runs on which outside authorities are compared. Imports nothing of the project.

The surfaces are written anew, so that a wrong gradient of ours cannot hide: here there is only a
formula, and PyTorch or JAX differentiates it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

STEPS = 200
Hypers = Mapping[str, float]


def parabola(p: Any) -> Any:
    return p**2


def bowl(x: Any, y: Any, condition: float, rotation: float) -> Any:
    angle = math.radians(rotation)
    across = math.cos(angle) * x + math.sin(angle) * y
    along = math.cos(angle) * y - math.sin(angle) * x
    return condition * across**2 + along**2


def rosenbrock(x: Any, y: Any) -> Any:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def himmelblau(x: Any, y: Any) -> Any:
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def beale(x: Any, y: Any) -> Any:
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


FORMULAS: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (parabola, bowl, rosenbrock, himmelblau, beale)
}


@dataclass(frozen=True)
class Place:
    """A surface with a start, and what is well inside stability there."""

    name: str
    surface: str
    params: Hypers
    start: tuple[float, ...]
    curvature: float  # lr for methods whose step scales with the gradient
    length: float  # lr for methods whose step does not


PLACES = (
    Place("parabola", "parabola", {}, (10.0,), 0.2, 0.1),
    Place("bowl-50", "bowl", {"condition": 50.0, "rotation": 0.0}, (1.5, 10.0), 0.008, 0.03),
    Place("bowl-20-rotated", "bowl", {"condition": 20.0, "rotation": 30.0}, (3.0, 7.0), 0.02, 0.03),
    Place("rosenbrock", "rosenbrock", {}, (-1.5, 2.0), 0.0005, 0.005),
    Place("himmelblau", "himmelblau", {}, (-1.0, 1.0), 0.004, 0.02),
    Place("beale", "beale", {}, (1.0, 1.5), 0.004, 0.01),
)

# The ε = 0.1 of the second set shows where ε stands; with ε = 0 more authorities agree.
ADAM_SETS = (
    (1.0, {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}),
    (0.5, {"beta1": 0.8, "beta2": 0.99, "eps": 0.1}),
    (0.5, {"beta1": 0.95, "beta2": 0.98, "eps": 0.0}),
)
MOMENTUM_SETS = ((0.25, {"momentum": 0.9}), (0.5, {"momentum": 0.5}))

# method -> sets of (lr relative to the place's, the other hyperparameters)
CURVATURE: dict[str, tuple[tuple[float, Hypers], ...]] = {
    "gd": ((1.0, {}), (0.25, {})),
    "momentum": MOMENTUM_SETS,
    "nesterov": MOMENTUM_SETS,
}
LENGTH: dict[str, tuple[tuple[float, Hypers], ...]] = {
    "adagrad": ((5.0, {"eps": 1e-10}), (2.0, {"eps": 0.1}), (3.0, {"eps": 0.0})),
    "rmsprop": (
        (0.2, {"rho": 0.99, "eps": 1e-8}),
        (0.1, {"rho": 0.9, "eps": 0.1}),
        (0.1, {"rho": 0.95, "eps": 0.0}),
    ),
    "adam": ADAM_SETS,
    "adamax": ADAM_SETS,
    "nadam": ADAM_SETS,
    "adamw": tuple(
        (scale, {**others, "weight_decay": decay})
        for (scale, others), decay in zip(ADAM_SETS, (0.01, 0.5, 0.1), strict=True)
    ),
}


@dataclass(frozen=True)
class Case:
    name: str
    surface: str
    params: Hypers
    start: tuple[float, ...]
    optimizer: str
    hypers: Hypers

    def loss(self, point: Any) -> Any:
        """The surface at a vector of PyTorch or JAX."""
        return FORMULAS[self.surface](*(point[i] for i in range(len(self.start))), **self.params)


def cases() -> Iterator[Case]:
    for place in PLACES:
        for sets, pace in ((CURVATURE, place.curvature), (LENGTH, place.length)):
            for optimizer, choices in sets.items():
                for i, (scale, others) in enumerate(choices):
                    yield Case(
                        name=f"{optimizer}-{place.name}-{i}",
                        surface=place.surface,
                        params=place.params,
                        start=place.start,
                        optimizer=optimizer,
                        hypers={"lr": scale * pace, **others},
                    )
