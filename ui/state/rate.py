"""The one learning rate that all methods share, and where its slider begins and ends."""

from __future__ import annotations

from dataclasses import replace

from optim_core import OPTIMIZERS, theory
from optim_core.hypers import LR
from optim_core.spec import Hyper, Surface
from ui.state.common import suggested_lr
from ui.state.reader import Reader
from ui.state.schema import Field, Group, State

BELOW = 0.01  # of the default rate, where the slider and the map's first axis begin
OVER = 1.05  # the default rate is this much beyond gradient descent's limit: it blows up, slowly


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


def shared_rate() -> Group:
    """The learning rate of all methods."""

    def read(reader: Reader, state: State) -> float:
        hyper = state.hypers["lr"] = rate_hyper(state.surface)
        reader.told["lr"] = hyper.default
        return reader.number("lr", hyper)

    return Group((Field("lr", read, {"lr": {"kind": "number", "default": None}}),))
