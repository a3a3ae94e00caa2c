"""The race of the API: the same conditions for all, and settings of its own for each."""

from __future__ import annotations

import numpy as np
import pytest

from optim_core import OPTIMIZERS, SCHEDULES, Entrant, race
from surfaces import SURFACES

BOWL = SURFACES["bowl"]


def heavy_ball(beta: float, lr: float, start: tuple[float, float], noise: np.ndarray) -> np.ndarray:
    """Polyak's method on ½(100 x² + 2 y²), as it is written: no code of ours."""
    at, velocity, path = np.array(start), np.zeros(2), [np.array(start)]
    for draw in noise:
        velocity = beta * velocity + np.array([100.0, 2.0]) * at + draw
        at = at - lr * velocity
        path.append(at)
    return np.array(path)


def test_one_method_against_itself_with_the_same_noise_for_all() -> None:
    betas = (0.0, 0.9, 0.99)
    momentum = OPTIMIZERS["momentum"]
    entrants = {f"{b}": Entrant(momentum, {"lr": 0.004, "momentum": b}) for b in betas}
    entrants["away"] = Entrant(momentum, {"lr": 0.004}, start=(-3, -8))
    runs = race(BOWL, entrants, start=(1, 5), steps=50, noise=0.5, seed=3)
    noise = 0.5 * np.random.default_rng(3).standard_normal((50, 2))
    assert list(runs) == [*entrants]
    starts = dict.fromkeys(entrants, (1.0, 5.0)) | {"away": (-3.0, -8.0)}
    for name, run in runs.items():
        beta = 0.9 if name == "away" else float(name)
        expected = heavy_ball(beta, 0.004, starts[name], noise)
        np.testing.assert_allclose(run.positions, expected, rtol=1e-9, atol=1e-12)


def test_each_may_have_a_schedule() -> None:
    gd, halved = OPTIMIZERS["gd"], SCHEDULES["exponential"].with_params(span=100.0)
    runs = race(BOWL, {"a": Entrant(gd, {"lr": 0.01}), "b": Entrant(gd, {"lr": 0.01}, halved)})
    assert (runs["a"].rates == 0.01).all()
    assert runs["b"].rates[100] == pytest.approx(0.001)


def test_a_wrong_setting_names_its_entrant() -> None:
    with pytest.raises(
        ValueError, match=r"^fast: lr must be a finite number in \(0, inf\), got -1"
    ):
        race(BOWL, {"fast": Entrant(OPTIMIZERS["gd"], {"lr": -1.0})})
