"""Record PyTorch's schedules in data/golden: `python -m tests.parity.make_schedules`.

Rates and momenta of the schedulers alone, and whole runs under them. Needs numpy and torch, and
nothing of the project but the list of surfaces.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.optim import lr_scheduler

from tests.parity.cases import FORMULAS
from tests.parity.make_golden import GOLDEN

MANIFEST, RUNS = GOLDEN / "schedules.json", GOLDEN / "schedules.npz"
STEPS = 240
SHIFT, MAX_GROWTH = 1e-10, 10.0  # as in make_golden
H = dict[str, float]


def lr_of(o: Any) -> float:
    """The rate before a warm-up has lowered it."""
    (group,) = o.param_groups
    return float(group.get("initial_lr", group["lr"]))


def one_cycle(o: Any, h: H) -> Any:
    (group,) = o.param_groups
    top = group["betas"][0] if "betas" in group else group["momentum"]
    return lr_scheduler.OneCycleLR(
        o, lr_of(o), total_steps=int(h["total"] - h.get("warmup", 0)), pct_start=h["rise"],
        anneal_strategy="linear" if h["linear"] else "cos", base_momentum=h["dip"] * top,
        max_momentum=top, div_factor=h["divide"], final_div_factor=h["drop"], three_phase=True,
    )  # fmt: skip


def plateau(o: Any, h: H) -> Any:
    return lr_scheduler.ReduceLROnPlateau(
        o, factor=h["factor"], patience=int(h["patience"]), threshold=h["threshold"],
        cooldown=int(h["cooldown"]), min_lr=h["floor"] * lr_of(o), eps=0.0,
    )  # fmt: skip


TORCH: dict[str, Callable[[Any, H], Any]] = {
    "constant": lambda o, h: lr_scheduler.ConstantLR(o, factor=1.0, total_iters=1),
    "power": lambda o, h: lr_scheduler.LambdaLR(
        o, lambda t: 1.0 / math.pow(1.0 + t / h["span"], h["power"])
    ),
    "exponential": lambda o, h: lr_scheduler.ExponentialLR(o, h["ratio"] ** (1.0 / h["span"])),
    "piecewise": lambda o, h: lr_scheduler.MultiStepLR(
        o, [int(h["first"]), int(h["second"])], gamma=h["middle"]
    ),
    "performance": plateau,
    "one_cycle": one_cycle,
    "cosine": lambda o, h: lr_scheduler.CosineAnnealingWarmRestarts(
        o, int(h["period"]), int(h["growth"]), eta_min=h["floor"] * lr_of(o)
    ),
}

# Each schedule with sets of hyperparameters, of which one has a warm-up where torch can; and two
# whose first rate is not the one that their warm-up climbs to.
CHOICES: dict[str, tuple[H, ...]] = {
    "constant": ({}, {"warmup": 12.0, "warmup_from": 0.25}),
    "power": ({"span": 20.0, "power": 1.0}, {"span": 7.0, "power": 0.6, "warmup": 10.0}),
    "exponential": ({"span": 60.0, "ratio": 0.1}, {"span": 25.0, "ratio": 0.5, "warmup": 10.0}),
    "piecewise": (
        {"first": 50.0, "second": 120.0, "middle": 0.1, "last": 0.1 * 0.1},
        {"first": 30.0, "second": 31.0, "middle": 0.5, "last": 0.25, "warmup": 20.0},
        {"first": 0.0, "second": 40.0, "middle": 0.5, "last": 0.25, "warmup": 15.0},
    ),
    "performance": (
        {"factor": 0.5, "patience": 4.0, "threshold": 1e-3, "cooldown": 0.0, "floor": 1e-4},
        {"factor": 0.3, "patience": 0.0, "threshold": 0.05, "cooldown": 6.0, "floor": 0.02},
    ),
    "one_cycle": (
        {"rise": 0.3, "divide": 25.0, "drop": 1e4, "dip": 0.85 / 0.95, "linear": 0.0,
         "total": 240.0},
        {"rise": 0.45, "divide": 10.0, "drop": 100.0, "dip": 0.7, "linear": 1.0, "total": 300.0},
        {"rise": 0.002, "divide": 4.0, "drop": 10.0, "dip": 0.9, "linear": 0.0, "total": 260.0,
         "warmup": 10.0},
    ),
    "cosine": (
        {"period": 50.0, "growth": 1.0, "floor": 0.0},
        {"period": 11.0, "growth": 2.0, "floor": 0.05, "warmup": 8.0},
    ),
}  # fmt: skip

METHODS: dict[str, Callable[[Any, float], Any]] = {
    "momentum": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9),
    "adam": lambda p, lr: torch.optim.Adam(p, lr=lr),
    "nadam": lambda p, lr: torch.optim.NAdam(p, lr=lr),
}


def runs_of(key: str, h: H) -> Iterator[tuple[str, H]]:
    """The methods that run under a schedule, and the hyperparameters it then has.

    torch's Adam divides by 1 − β₁ᵗ with the β₁ of the moment, ours by 1 − Π β₁, as its NAdam
    does: with a β₁ that moves it is NAdam that we are compared with.
    """
    yield "momentum", h
    if "dip" in h:
        yield "nadam", h
    yield "adam", {**h, "dip": 1.0} if "dip" in h else h


# name -> surface, its parameters, start, and lr of momentum and of the others
PLACES: dict[str, tuple[str, H, tuple[float, ...], float, float]] = {
    "parabola": ("parabola", {}, (10.0,), 0.02, 0.2),
    "bowl-20": ("bowl", {"condition": 20.0, "rotation": 25.0}, (1.5, 10.0), 0.004, 0.2),
}


def schedulers(key: str, optimizer: Any, h: H) -> Any:
    """The scheduler, with LinearLR in front of it where there is a warm-up."""
    warmup = int(h.get("warmup", 0))
    if not warmup:
        return TORCH[key](optimizer, h)
    line = lr_scheduler.LinearLR(optimizer, h.get("warmup_from", 0.1), 1.0, total_iters=warmup)
    return lr_scheduler.SequentialLR(optimizer, [line, TORCH[key](optimizer, h)], [warmup])


def run(key: str, h: H, place: str, method: str, start: tuple[float, ...]) -> dict[str, Any]:
    """Rates (STEPS,), momenta (STEPS,) and the path (STEPS + 1, dim) of one run."""
    torch.set_default_dtype(torch.float64)
    surface, params, _, sgd_lr, adam_lr = PLACES[place]
    point = torch.tensor(start, requires_grad=True)
    optimizer = METHODS[method]([point], sgd_lr if method == "momentum" else adam_lr)
    scheduler = schedulers(key, optimizer, h)
    path = np.empty((STEPS + 1, len(start)))
    path[0] = start
    rates, momenta = np.empty(STEPS), np.empty(STEPS)
    for t in range(STEPS):
        (group,) = optimizer.param_groups
        rates[t] = group["lr"]
        momenta[t] = group["betas"][0] if "betas" in group else group["momentum"]
        optimizer.zero_grad()
        loss = FORMULAS[surface](*(point[i] for i in range(len(start))), **params)
        loss.backward()
        optimizer.step()
        path[t + 1] = point.detach().numpy()
        if key == "performance":
            scheduler.step(loss.item())
        elif t + 1 < STEPS:
            scheduler.step()
    return {"rates": rates, "momenta": momenta, "path": path}


def cases() -> Iterator[dict[str, Any]]:
    for key, choices in CHOICES.items():
        for i, h in enumerate(choices):
            for place, (surface, params, start, sgd_lr, adam_lr) in PLACES.items():
                for method, given in runs_of(key, h):
                    yield {
                        "name": f"{key}-{i}-{place}-{method}", "schedule": key, "given": given,
                        "place": place, "surface": surface, "params": params,
                        "start": list(start), "optimizer": method,
                        "lr": sgd_lr if method == "momentum" else adam_lr,
                    }  # fmt: skip


def main() -> None:
    arrays: dict[str, Any] = {}
    for case in cases():
        given = case["schedule"], case["given"], case["place"], case["optimizer"]
        start = tuple(case["start"])
        found = run(*given, start)
        shifted = run(*given, tuple(c * (1.0 + SHIFT) for c in start))
        # a plateau that rounding decides would be a golden of chance
        if not np.array_equal(found["rates"], shifted["rates"]):
            raise SystemExit(f"{case['name']} has rates that rounding decides: choose another.")
        grown = np.max(np.abs(shifted["path"] - found["path"])) / (SHIFT * max(map(abs, start)))
        if not grown < MAX_GROWTH:
            raise SystemExit(f"{case['name']} amplifies rounding {grown:.3g} times.")
        arrays |= {f"{case['name']}.{what}": array for what, array in found.items()}
    np.savez_compressed(RUNS, **arrays)
    facts = {"torch": torch.__version__, "steps": STEPS, "cases": list(cases())}
    MANIFEST.write_text(json.dumps(facts, indent=1) + "\n")
    print(f"{len(arrays)} arrays, {RUNS.stat().st_size / 1e3:.0f} KB, in {GOLDEN}")


if __name__ == "__main__":
    main()
