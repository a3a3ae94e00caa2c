"""The teaching notes' tables, to the printed digit, and the facts written beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, Run, simulate
from surfaces import SURFACES

PARABOLA = SURFACES["parabola"]

GD_TABLE = """
| iter | p | gradient | update | new p |
|---|---|---|---|---|
| 0 | 10.00 | 20.0000 | 2.0000 | 8.00 |
| 1 | 8.00 | 16.0000 | 1.6000 | 6.40 |
| 2 | 6.40 | 12.8000 | 1.2800 | 5.12 |
| 3 | 5.12 | 10.2400 | 1.0240 | 4.10 |
| 4 | 4.10 | 8.1920 | 0.8192 | 3.28 |
| 5 | 3.28 | 6.5536 | 0.6554 | 2.62 |
| 6 | 2.62 | 5.2429 | 0.5243 | 2.10 |
| 7 | 2.10 | 4.1943 | 0.4194 | 1.68 |
| 8 | 1.68 | 3.3554 | 0.3355 | 1.34 |
| 9 | 1.34 | 2.6844 | 0.2684 | 1.07 |
"""

GD_DIVERGES = "10.00, -11.00, 12.10, -13.31, 14.64, -16.11, 17.72, -19.49, 21.44, -23.58, 25.94"

ADAM_TABLE = """
| iter | p | gradient | m | v | m̂ | v̂ | update | new p |
|---|---|---|---|---|---|---|---|---|
| 0 | 10.00 | 20.0000 | 2.00 | 0.40 | 20.00 | 400.00 | 1.0500 | 8.95 |
| 1 | 8.95 | 17.9000 | 3.59 | 0.72 | 18.89 | 360.19 | 1.0454 | 7.90 |
| 2 | 7.90 | 15.8093 | 4.81 | 0.97 | 17.76 | 323.40 | 1.0367 | 6.87 |
| 3 | 6.87 | 13.7358 | 5.70 | 1.16 | 16.59 | 289.67 | 1.0233 | 5.84 |
| 4 | 5.84 | 11.6891 | 6.30 | 1.29 | 15.39 | 259.00 | 1.0042 | 4.84 |
| 5 | 4.84 | 9.6808 | 6.64 | 1.38 | 14.17 | 231.38 | 0.9783 | 3.86 |
| 6 | 3.86 | 7.7242 | 6.75 | 1.44 | 12.94 | 206.78 | 0.9446 | 2.92 |
"""


def rows(table: str) -> list[str]:
    return table.strip().splitlines()[2:]


def test_gradient_descent_table() -> None:
    run = simulate(PARABOLA, OPTIMIZERS["gd"], start=(10.0,), steps=10, lr=0.1)
    p, g = run.positions[:, 0], run.gradients[:, 0]
    printed = [
        f"| {t} | {p[t]:.2f} | {g[t]:.4f} | {p[t] - p[t + 1]:.4f} | {p[t + 1]:.2f} |"
        for t in range(10)
    ]
    assert printed == rows(GD_TABLE)


def test_gradient_descent_above_its_limit() -> None:
    run = simulate(PARABOLA, OPTIMIZERS["gd"], start=(10.0,), steps=10, lr=1.05)
    assert ", ".join(f"{p:.2f}" for p in run.positions[:, 0]) == GD_DIVERGES


def test_adam_table() -> None:
    hypers: dict[str, Any] = {"lr": 1.05, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    run = simulate(PARABOLA, OPTIMIZERS["adam"], start=(10.0,), steps=7, **hypers)
    p, g = run.positions[:, 0], run.gradients[:, 0]
    m, v = run.slots["m"][1:, 0], run.slots["v"][1:, 0]
    t = np.arange(1, 8)
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    printed = [
        f"| {i} | {p[i]:.2f} | {g[i]:.4f} | {m[i]:.2f} | {v[i]:.2f} | {m_hat[i]:.2f} | "
        f"{v_hat[i]:.2f} | {p[i] - p[i + 1]:.4f} | {p[i + 1]:.2f} |"
        for i in range(7)
    ]
    assert printed == rows(ADAM_TABLE)


def test_adam_converges_where_gradient_descent_diverges() -> None:
    far = {
        key: np.abs(simulate(PARABOLA, OPTIMIZERS[key], start=(10.0,), lr=1.05).positions[-1, 0])
        for key in ("gd", "adam")
    }
    assert far["adam"] < 0.01
    assert far["gd"] > 1e6


def test_momentum_with_the_rate_outside_the_buffer() -> None:
    """The notes' velocity = β·velocity + gradient walks the same path as our m = −lr·velocity."""
    run = simulate(PARABOLA, OPTIMIZERS["momentum"], start=(10.0,), steps=50, lr=0.1, momentum=0.5)
    p, velocity = 10.0, 0.0
    for t in range(50):
        velocity = 0.5 * velocity + 2.0 * p
        p = p - 0.1 * velocity
        # 50 steps of rounding (2e-16 each) beside a start of 10
        assert run.positions[t + 1, 0] == pytest.approx(p, rel=0, abs=1e-13)
        assert run.slots["m"][t + 1, 0] == pytest.approx(-0.1 * velocity, rel=0, abs=1e-13)


def bowl_run(key: str, **hypers: Any) -> Run:
    bowl = SURFACES["bowl"].with_params(condition=50.0, rotation=0.0)
    return simulate(bowl, OPTIMIZERS[key], start=(1.5, 10.0), steps=50, **hypers)


def test_adagrad_on_the_notes_bowl() -> None:
    run = bowl_run("adagrad", lr=1.5, eps=1e-7)
    p, total = np.array([1.5, 10.0]), np.zeros(2)
    for t in range(50):
        g = np.array([100.0, 2.0]) * p
        total = total + g * g
        p = p - 1.5 / (np.sqrt(total) + 1e-7) * g
        # 50 steps of rounding (2e-16 each) beside a start of 10
        np.testing.assert_allclose(run.positions[t + 1], p, rtol=0, atol=1e-13)


def test_gradient_descent_on_the_notes_bowl() -> None:
    """lr·f'' is 1 across, up to the rounding of 0.01·100: there it arrives in one step."""
    run = bowl_run("gd", lr=0.01)
    t = np.arange(51)
    assert np.all(run.positions[1:, 0] == 0.0)
    # 50 multiplications by 1 − 0.01·2, each rounded to 2e-16
    np.testing.assert_allclose(run.positions[:, 1], 10.0 * 0.98**t, rtol=1e-13)


def test_without_bias_correction_adam_starts_three_times_too_fast() -> None:
    """(1 − β₁) / √(1 − β₂) = 3.1623 for (0.9, 0.999): m is small, but √v is smaller still."""
    step = {
        corrected: simulate(
            PARABOLA, OPTIMIZERS["adam"], start=(10.0,), steps=1, lr=0.01, beta1=0.9, beta2=0.999,
            eps=0.0, bias_correction=corrected,
        )
        for corrected in (True, False)
    }  # fmt: skip
    first = {corrected: 10.0 - run.positions[1, 0] for corrected, run in step.items()}
    # A step of 0.01 read as a difference of numbers near 10 keeps 13 digits.
    assert first[True] == pytest.approx(0.01, rel=1e-12)
    assert first[False] / first[True] == pytest.approx(0.1 / np.sqrt(0.001), rel=1e-12)
    assert round(first[False] / first[True], 2) == 3.16
