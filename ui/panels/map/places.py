"""The axes of a map, and where its cells are on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optim_core.penalty import with_params
from optim_core.spec import Hyper, Interval, Optimizer, Surface
from ui.state.rate import rate_hyper

ORBITS = (0.1, 2.4)  # the bifurcation diagram's rates, in default rates
Window = tuple[tuple[float, float], tuple[float, float]]


def places(hyper: Hyper, low: float, high: float, count: int) -> np.ndarray:
    """The middles of `count` cells between two values, on the hyperparameter's scale."""
    u = (np.arange(count) + 0.5) / count
    # expm1 and log1p, so that a window of 1e-12 of the axis still has its cells apart
    if hyper.scale == "log":
        return np.asarray(low + low * np.expm1(u * np.log1p((high - low) / low)))
    if hyper.scale == "one_minus":
        return np.asarray(low - (1.0 - low) * np.expm1(u * np.log1p((low - high) / (1.0 - low))))
    return low + u * (high - low)


def across_of(surface: Surface, optimizer: Optimizer) -> tuple[Hyper, ...]:
    """What may be the map's second axis: other hyperparameters, surface parameters, the start."""
    own = tuple(h for h in optimizer.hypers if h.name != "lr" and h.scale != "switch")
    sides = zip("xy", surface.domain, surface.start, strict=False)
    starts = tuple(
        Hyper(
            name, f"{name}_0", start, Interval(-np.inf), low, high, "linear",
            f"Where the run starts, along {name}.",
        )
        for name, (low, high), start in sides
    )  # fmt: skip
    return own + surface.params + starts


def panels_of(surface: Surface) -> tuple[str, ...]:
    """Basins need two coordinates, orbits need one."""
    return ("map", "orbits") if surface.dim == 1 else ("map", "basins")


def axes_of(
    panel: str, surface: Surface, optimizer: Optimizer, across: Hyper
) -> tuple[Hyper, Hyper]:
    """The axes of a kind of map, across and up."""
    starts = across_of(surface, optimizer)[-surface.dim :]
    if panel == "basins":
        return starts[0], starts[1]
    if panel == "orbits":
        rate = rate_hyper(surface)
        low, high = (float(f"{share * rate.default:.2g}") for share in ORBITS)
        return replace(rate, low=low, high=high, scale="linear"), starts[0]
    if across in surface.params:  # which the rates of all rows cannot follow
        surface = with_params(surface, **{across.name: across.default})
    return rate_hyper(surface), across
