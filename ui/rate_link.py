"""The Learning rate page's state as a query string."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from optim_core import OPTIMIZERS, theory
from optim_core.hypers import LR
from optim_core.penalty import with_params
from optim_core.simulate import NOISE
from optim_core.spec import Hyper, Interval, Optimizer, Surface
from ui.permalink import (
    FIELD,
    NUMBER,
    SEED,
    SPEED,
    STEPS,
    Racer,
    Reader,
    Setup,
    choice,
    keys_of,
    read_hypers,
    read_place,
    read_schedule,
    suggested_lr,
)

DEFAULT_RACERS: tuple[str, ...] = ("gd", "momentum", "nesterov")
DEFAULT_FOCUS = "momentum"
BELOW = 0.01  # of the default rate, where the slider and the map's first axis begin
OVER = 1.05  # the default rate is this much beyond gradient descent's limit: it blows up, slowly
ORBITS = (0.1, 2.4)  # the bifurcation diagram's rates, in default rates
Window = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class View:
    """What the page shows: runs of one learning rate, and a map around it."""

    setup: Setup
    lr: float
    focus: Racer  # the optimizer of the map, the report and the four curves
    versus: Racer  # the other one of the basins
    panel: str
    across: Hyper  # the map's second axis
    window: Window | None  # of the panel; None is all of it


def default_rate(surface: Surface) -> float:
    """A rate at which gradient descent just blows up at f's lowest minimum, 3 digits."""
    bare = surface.bare or surface
    sharpest = theory.sharpness(bare)
    rate = 1.2 * bare.pace.curvature if sharpest is None else OVER * 2.0 / sharpest
    return float(f"{rate:.3g}")


def rate_hyper(surface: Surface) -> Hyper:
    """The shared learning rate, with the slider's ends for this surface."""
    rate = default_rate(surface)
    highest = max(suggested_lr(surface, optimizer) for optimizer in OPTIMIZERS.values())
    low = float(f"{BELOW * rate:.1g}")
    high = float(f"{max(rate / BELOW, 10.0 * highest):.1g}")
    return replace(LR, default=rate, low=low, high=high)


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


def panel_axes(view: View) -> tuple[Hyper, Hyper]:
    """The panel's axes, across and up."""
    surface = view.setup.surface
    starts = across_of(surface, view.focus.optimizer)[-surface.dim :]
    if view.panel == "basins":
        return starts[0], starts[1]
    if view.panel == "orbits":
        rate = rate_hyper(surface)
        low, high = (float(f"{share * rate.default:.2g}") for share in ORBITS)
        return replace(rate, low=low, high=high, scale="linear"), starts[0]
    if view.across in surface.params:  # which the rates of all rows cannot follow
        surface = with_params(surface, **{view.across.name: view.across.default})
    return rate_hyper(surface), view.across


def _read_window(text: str, axes: tuple[Hyper, Hyper]) -> Window:
    numbers = text.split(",")
    if len(numbers) != 4 or not all(NUMBER.fullmatch(n) for n in numbers):
        raise ValueError(f"view must be four numbers low,high,low,high, got {text[:40]!r}.")
    a, b, c, d = map(float, numbers)
    for axis, low, high in ((axes[0], a, b), (axes[1], c, d)):
        # A log scale has no zero, and what is wider than the floats has no middle.
        inside = low in axis.domain and high in axis.domain and (axis.scale != "log" or low > 0.0)
        if not (inside and low < high and math.isfinite((high - low) / min(1.0, abs(low) or 1.0))):
            raise ValueError(
                f"view must be low,high,low,high with low < high in {axis.domain} for "
                f"{axis.name}, got {text[:60]!r}."
            )
    return (a, b), (c, d)


def parse(query: str) -> tuple[View, str, list[str]]:
    """A query string to a view, the query without what was wrong in it, and what was wrong.

    Never raises on any text. Each note is one sentence that names the value and what is allowed.
    """
    reader = Reader(query)
    surface, start = read_place(reader)
    lr = reader.number("lr", rate_hyper(surface))
    settings = read_hypers(reader, {key: {"lr": lr} for key in OPTIMIZERS}, leave=("lr",))
    chosen = reader.take("opt", keys_of("opt", OPTIMIZERS), DEFAULT_RACERS)
    schedule = read_schedule(reader)
    racers = {k: Racer(o, settings[k], schedule) for k, o in OPTIMIZERS.items()}
    shown = tuple(racer for key, racer in racers.items() if key in chosen)
    first = DEFAULT_FOCUS if DEFAULT_FOCUS in chosen or not shown else shown[0].optimizer.key
    focus = racers[reader.take("of", choice("of", OPTIMIZERS), first)]
    other = next(k for k in (*chosen, *DEFAULT_RACERS) if k != focus.optimizer.key)
    versus = racers[reader.take("versus", choice("versus", OPTIMIZERS), other)]
    panels = panels_of(surface)
    panel = reader.take("panel", choice("panel", panels), panels[0])
    options = {h.name: h for h in across_of(surface, focus.optimizer)}
    across = options[reader.take("across", choice("across", options), next(iter(options)))]
    setup = Setup(
        surface,
        start,
        shown,
        steps=int(reader.number("steps", STEPS)),
        noise=reader.number("noise", NOISE),
        seed=int(reader.number("seed", SEED)),
    )
    view = View(setup, lr, focus, versus, panel, across, None)
    axes = panel_axes(view)
    window = reader.take("view", lambda text: _read_window(text, axes), None)
    reader.number("speed", SPEED)
    reader.number("field", FIELD)
    return replace(view, window=window), *reader.finish()
