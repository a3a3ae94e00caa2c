"""Whatever is put into a run, it ends without a crash or a warning, and is judged."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, simulate
from optim_core.kernels import evaluate
from optim_core.outcome import NEAR, judge
from optim_core.simulate import Run
from optim_core.spec import Hyper, Optimizer, Point, Surface
from surfaces import SURFACES

SEARCH = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
KINDS = {"minimum", "saddle", "plateau", "cycle", "diverged", "undefined", "moving"}
FINITE = st.floats(allow_nan=False, allow_infinity=False)


def values(hyper: Hyper) -> st.SearchStrategy[float]:
    """Anywhere in a mathematical domain: its ends, its slider, and the floats in between."""
    if hyper.scale == "switch":
        return st.sampled_from([0.0, 1.0])
    low, high = max(hyper.domain.low, -1e300), min(hyper.domain.high, 1e300)
    ends = [low, high, np.nextafter(low, high), np.nextafter(high, low), hyper.default]
    allowed = [float(end) for end in ends if float(end) in hyper.domain]
    return st.one_of(
        st.sampled_from(allowed),
        st.floats(hyper.low, hyper.high).filter(lambda v: v in hyper.domain),
        st.floats(low, high).filter(lambda v: v in hyper.domain),
    )


def starts(surface: Surface) -> st.SearchStrategy[Point]:
    inside = st.tuples(*(st.floats(low, high) for low, high in surface.domain))
    known = (surface.start, *surface.minima, *surface.saddles, *surface.maxima)
    return st.one_of(st.sampled_from(known), inside, st.tuples(*(FINITE for _ in surface.domain)))


@st.composite
def runs(draw: st.DrawFn, keys: Sequence[str] = tuple(SURFACES)) -> Run:
    surface = SURFACES[draw(st.sampled_from(keys))]
    if surface.params:
        surface = surface.with_params(**{h.name: draw(values(h)) for h in surface.params})
    optimizer: Optimizer = draw(st.sampled_from(list(OPTIMIZERS.values())))
    chosen: dict[str, Any] = {h.name: draw(values(h)) for h in optimizer.hypers}
    return simulate(
        surface,
        optimizer,
        start=draw(starts(surface)),
        steps=draw(st.integers(1, 300)),
        noise=draw(st.one_of(st.just(0.0), st.floats(0.0, 1e300))),
        seed=draw(st.integers(0, 2**63 - 1)),
        **chosen,
    )


@settings(SEARCH, max_examples=200)
@given(runs())
def test_every_run_is_recorded_whole_and_judged_in_one_sentence(run: Run) -> None:
    rows, dim = run.positions.shape
    assert dim == run.surface.dim
    assert run.losses.shape == (rows,)
    assert run.gradients.shape == run.probes.shape == (rows - 1, dim)
    assert set(run.slots) == set(run.optimizer.slots)
    assert all(slot.shape == (rows, dim) for slot in run.slots.values())
    np.testing.assert_array_equal(run.losses, evaluate(run.surface, "value", run.positions.copy()))

    found = run.outcome
    assert found.kind in KINDS
    assert found.reason.endswith(".")
    assert ". " not in found.reason
    assert "\n" not in found.reason
    assert not re.search(r"\b(nan|inf|None|array|float64)\b", found.reason)

    finite = np.isfinite(run.losses) & np.isfinite(run.positions).all(axis=1)
    if not finite.all():
        assert found.kind in ("diverged", "undefined")
        assert found.step == int(finite.argmin())
    elif found.kind == "diverged":
        low, high = np.array(run.surface.domain).T
        assert ((run.positions < low) | (run.positions > high)).any()
        assert run.losses[1:].max() > run.losses[0]
        assert found.step is None


@settings(SEARCH, max_examples=80)
@given(runs())
def test_the_parts_of_an_outcome_fit_together(run: Run) -> None:
    found, steps = run.outcome, len(run.losses) - 1
    assert (found.step is None) or 0 <= found.step <= steps
    assert (found.kind == "moving") <= (found.step is None)
    assert (found.kind in {"minimum", "saddle", "plateau", "cycle"}) <= (found.step is not None)
    assert (found.period is not None) == (found.kind == "cycle")
    assert not (found.kind == "cycle" and run.noisy)
    assert (found.rise_step is None) or found.kind == "diverged"
    assert (found.target is None) or found.kind in {"minimum", "saddle"}
    if found.rise_step is not None:
        finite = run.losses[np.isfinite(run.losses)]
        assert run.losses[found.rise_step] == finite[: found.step].min()
    if found.target is not None:
        points = run.surface.minima if found.kind == "minimum" else run.surface.saddles
        low, high = np.array(run.surface.domain).T
        away = np.abs(run.positions[found.step :] - points[found.target]) / (high - low)
        assert away.max() <= NEAR * (1.0 + 1e-9)
    if found.kind == "cycle":
        assert found.period is not None
        lap = run.positions[found.step :: found.period]
        assert len(lap) >= 3
        assert np.ptp(lap, axis=0) == pytest.approx(0.0, abs=1e-3 * np.ptp(run.positions))


@settings(SEARCH, max_examples=40)
@given(runs(["parabola", "bowl"]), st.sampled_from([-1.0, 2.0, -64.0]))
def test_the_verdict_depends_neither_on_the_unit_nor_on_the_side(run: Run, scale: float) -> None:
    # quadratic: f(s p) = s² f(p), with no rounding for a power of two
    assume(np.abs(run.positions).max() < 1e150 and np.abs(run.losses).max() < 1e300)
    low, high = np.sort(scale * np.array(run.surface.domain).T, axis=0)
    scaled = replace(run.surface, domain=tuple(zip(low.tolist(), high.tolist(), strict=True)))
    found = judge(scaled, scale * run.positions, scale * scale * run.losses, noisy=run.noisy)
    assert replace(found, reason="") == replace(run.outcome, reason="")
