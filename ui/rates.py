"""The Learning rate page as a message: the runs, and why they end as they do."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from optim_core import divergence, sweep, theory
from optim_core.divergence import Report
from optim_core.spec import Surface
from ui import maps
from ui.permalink import Racer, Setup, catalog_entry
from ui.race import lane, race_message, solo
from ui.rate_link import View, panel_axes, rate_hyper

NOTCHES = 500  # of the bands under the slider
CURVE = 400  # points of the cobweb's update map


def _with_rate(racer: Racer, lr: float) -> Racer:
    return replace(racer, hypers=(("lr", lr), *_without_rate(racer).hypers))


def _without_rate(racer: Racer) -> Racer:
    return replace(racer, hypers=tuple(pair for pair in racer.hypers if pair[0] != "lr"))


@lru_cache(maxsize=128)
def _strip(setup: Setup, racer: Racer) -> np.ndarray:
    """What becomes of one optimizer over the slider's range of rates, (NOTCHES,)."""
    return maps.strip(setup, racer, rate_hyper(setup.surface), NOTCHES)


@lru_cache(maxsize=128)
def _four(setup: Setup, racer: Racer) -> tuple[theory.Rate, ...]:
    """Four example rates; `racer` without its own."""
    hypers = dict(racer.hypers)
    limit = theory.limit(setup.surface, racer.optimizer, hypers)
    return theory.four_rates(
        setup.surface, racer.optimizer, hypers, start=setup.start, steps=setup.steps,
        limit=limit.lr, schedule=racer.schedule,
    )  # fmt: skip


def _limit(setup: Setup, racer: Racer) -> dict[str, Any]:
    run = solo(setup, racer)
    found = theory.limit(setup.surface, racer.optimizer, dict(racer.hypers), run)
    return {"key": racer.optimizer.key, "lr": found.lr, "kind": found.kind, "text": found.text}


def _report(setup: Setup, racer: Racer) -> dict[str, Any] | None:
    """How a run blew up, or None if it did not; JSON has no infinity, so that is its name."""
    told: Report | None = divergence.report(solo(setup, racer))
    if told is None:
        return None
    return {
        "sentence": told.sentence,
        "rise": told.rise_step,
        "overflow": told.overflow_step,
        "growth": _finite(told.growth if told.pattern == "steady" else told.first_growth),
        "expected": _finite(told.expected),
        "pattern": told.pattern,
        "direction": told.direction,
        "curvature": _finite(told.curvature),
        "at": told.at if told.at and np.isfinite(told.at).all() else None,
        "limit": _finite(told.limit),
    }


def _finite(value: float | None) -> float | str | None:
    return value if value is None or np.isfinite(value) else str(value)


def _update_map(surface: Surface, racer: Racer) -> np.ndarray:
    """p and the next p, (2, CURVE), for a method without a memory in one dimension."""
    (low, high) = surface.domain[0]
    width = high - low
    p = np.linspace(low - width, high + width, CURVE)
    hypers: dict[str, Any] = dict(racer.hypers)
    field = sweep(surface, racer.optimizer, axes={"x": p}, steps=1, **hypers)
    return np.array([p, field.final_positions[:, 0]])


def rates_message(
    view: View,
    query: str,
    clean: str,
    notes: list[str],
    *,
    fine: bool = True,
    serial: int = 0,
    exact: bool = False,
) -> bytes:
    """The runs at one learning rate, with limits, report and four curves of the focus.

    The curves take many trial runs: while a hand moves (not fine) they stay as they are.
    """
    focus = view.focus
    setup = view.setup.alone
    x, y = panel_axes(view)
    header: dict[str, Any] = {
        "serial": serial,
        "view": {
            "lr": view.lr,
            "focus": focus.optimizer.key,
            "versus": view.versus.optimizer.key,
            "panel": view.panel,
            "across": view.across.name,
            "axes": [x.name, y.name],
        },
        "rate": catalog_entry(rate_hyper(setup.surface)),
        "limits": [_limit(setup, racer) for racer in view.setup.racers],
        "reports": [_report(setup, racer) for racer in view.setup.racers],
    }
    strips = [_strip(setup, _without_rate(r)) for r in view.setup.racers]
    groups = {"strips": ("u1", np.array(strips, dtype=np.uint8).reshape(-1, NOTCHES))}
    if fine:
        four = _four(setup, _without_rate(focus))
        header["four"] = [{"label": label, "lr": lr} for label, lr in four]
        curves = [lane(setup, _with_rate(focus, lr)).excess for _, lr in four]
        groups["four"] = ("lead3", np.array(curves).reshape(-1, setup.steps + 1))
    if view.panel == "orbits":
        path = solo(setup, focus).positions.T
        groups["focus"] = ("f4", path)
        if not focus.optimizer.slots:
            groups["update"] = ("f4", _update_map(setup.surface, focus))
    return race_message(view.setup, query, clean, notes, header, groups, exact=exact)
