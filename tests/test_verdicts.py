"""Every number in every verdict against the arrays of the run, over random runs of all kinds.

What a sentence claims is tested from its words alone, by other means than outcome.py's own.
VERDICTS=20000 python -m pytest tests/test_verdicts.py draws that many runs.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optim_core import OPTIMIZERS, SCHEDULES, Run, simulate, theory
from optim_core.divergence import report
from optim_core.penalty import penalised
from optim_core.spec import Hyper
from surfaces import SURFACES
from tests.test_divergence import check as check_report
from tests.test_scheduled_divergence import told as check_rates

COUNT = int(os.environ.get("VERDICTS", "600"))
CHUNKS = 8
NEAR = 1e-3
Numbers = dict[str, Any]


# --- Random runs ----------------------------------------------------------------------------


def drawn(rng: np.random.Generator, hyper: Hyper) -> float:
    if hyper.scale == "switch":
        return float(rng.integers(2))
    if rng.random() < 0.4:
        return hyper.default
    if hyper.domain.low in hyper.domain and rng.random() < 0.1:
        return hyper.domain.low
    low, high = (math.log(x) if hyper.scale == "log" else x for x in (hyper.low, hyper.high))
    value = float(rng.uniform(low, high))
    value = math.exp(value) if hyper.scale == "log" else value
    return float(round(value)) if hyper.whole else value


def random_run(seed: int) -> tuple[Run, dict[str, Any]]:
    """A run of every surface, method, start, value, schedule, penalty and noise, and its input."""
    rng = np.random.default_rng(seed)
    surface = SURFACES[rng.choice(list(SURFACES))]
    if surface.params:
        surface = surface.with_params(**{h.name: drawn(rng, h) for h in surface.params})
    if rng.random() < 0.25:
        l1, l2 = (float(rng.choice([0.0, rng.uniform(0.0, 5.0)])) for _ in range(2))
        surface = penalised(surface, l1=l1, l2=l2, proximal=bool(rng.integers(2)))
    method = OPTIMIZERS[rng.choice(list(OPTIMIZERS))]
    given: dict[str, Any] = {h.name: drawn(rng, h) for h in method.hypers}
    telling = method.factor * float(getattr(surface.pace, method.pace))
    far = rng.random() < 0.1
    given["lr"] = float(10.0 ** rng.uniform(-12, 12) if far else telling * 10 ** rng.uniform(-3, 2))
    low, high = np.array(surface.domain).T
    start = rng.uniform(low, high) * 10.0 ** (rng.uniform(0.0, 4.0) if rng.random() < 0.1 else 0.0)
    start *= rng.choice([0.0, 1.0, 1.0, 1.0, 1.0, 1.0], surface.dim)
    known = (surface.start, *surface.minima, *surface.saddles, *surface.maxima)
    given["start"] = known[rng.integers(len(known))] if rng.random() < 0.1 else start.tolist()
    if rng.random() < 0.3:
        given["start"] = surface.start
    given["steps"] = int(rng.choice([1, 2, 3, 5, 10, 20, 50, 100, 200, 300, 500, 1000]))
    given["noise"] = float(rng.choice([0.0, 0.0, 0.0, rng.exponential()]))
    if rng.random() < 0.3:
        schedule = SCHEDULES[rng.choice(list(SCHEDULES))]
        if rng.random() < 0.6:
            schedule = schedule.with_params(**{h.name: drawn(rng, h) for h in schedule.settings})
        given["schedule"] = schedule
    return simulate(surface, method, seed=seed, **given), given


# --- What a run looks like, as plainly as it can be computed ---------------------------------


class Seen:
    """A run and what the claims below ask of it. Lengths in frame sides, u is 0…1 in the frame."""

    def __init__(self, run: Run, given: dict[str, Any]) -> None:
        self.run, self.given, self.surface = run, given, run.surface
        self.p, self.losses = run.positions, run.losses
        self.low, self.high = np.array(run.surface.domain).T
        self.steps = len(run.losses) - 1
        with np.errstate(all="ignore"):
            self.u = (self.p - self.low) / (self.high - self.low)
            self.moves = np.diff(self.u, axis=0)

    def away(self, point: np.ndarray) -> np.ndarray:
        """How far each row is from a point, (T + 1,)."""
        with np.errstate(all="ignore"):
            away: np.ndarray = np.abs((self.p - point) / (self.high - self.low)).max(axis=1)
        return away

    def is_out(self, row: int) -> bool:
        return not ((self.low <= self.p[row]) & (self.p[row] <= self.high)).all()

    def slope(self, point: np.ndarray) -> np.ndarray:
        """The penalised gradient (d,), of a kink the one nearest to 0."""
        l1, l2, _ = self.surface.penalty
        plain = np.array(self.surface.gradient(*point, *self.surface.args)) + l2 * point
        at_kink = np.sign(plain) * np.maximum(np.abs(plain) - l1, 0.0)
        return np.where((point == 0.0) & (l1 > 0.0), at_kink, plain + l1 * np.sign(point))

    def longer(self, times: int) -> np.ndarray:
        """The positions of the same run with so many times as many steps."""
        more = self.given | {"steps": times * self.steps}
        return simulate(self.surface, self.run.optimizer, seed=0, **more).positions


def near(text: str, value: float) -> bool:
    """Whether a number as it is shown is a value, rounded to the digits shown, three at least."""
    if value == 0.0 or not math.isfinite(value):
        return float(text) == value
    digits = len(re.sub(r"e.*|[-+.]", "", text).lstrip("0"))
    unit = 10.0 ** (math.floor(math.log10(abs(value))) + 1 - max(3, digits))
    return abs(float(text) - value) <= 0.5001 * unit


def at(text: str, point: np.ndarray) -> bool:
    shown = text.strip("()").split(", ")
    return len(shown) == len(point) and all(map(near, shown, np.asarray(point).tolist()))


def named(seen: Seen, what: str, text: str) -> np.ndarray | None:
    """The declared point that a sentence names, if it is a declared one."""
    declared = {"minimum": "minima", "saddle": "saddles", "maximum": "maxima"}[what]
    points = [np.array(p) for p in getattr(seen.surface, declared) if at(text, np.array(p))]
    return min(points, key=lambda p: seen.away(p)[-1], default=None)


def turns(u: np.ndarray) -> int:
    """How often the path of a coordinate has a local extremum, of those that move most."""
    travelled = np.abs(np.diff(u, axis=0)).sum(axis=0)
    found = 0
    for column in u.T[travelled >= 0.1 * travelled.max()]:
        extrema, heading, last = 0, 0.0, column[0]
        for x in column[1:]:
            if abs(x - last) > 1e-12:
                extrema += heading * (x - last) < 0.0
                heading, last = x - last, x
        found = max(found, extrema)
    return found


# --- What each sentence claims --------------------------------------------------------------


def is_at(seen: Seen, m: Numbers) -> None:
    point = named(seen, m["what"], m["place"])
    if point is None:  # found by Newton's method: level there
        point = np.array([float(x) for x in m["place"].strip("()").split(", ")])
        rounded = 0.006 * np.abs(point) / (seen.high - seen.low)
        assert seen.away(point)[-1] <= NEAR + rounded.max()
    else:
        away = seen.away(point)
        assert (away[m["n"] :] <= NEAR * (1.0 + 1e-9)).all()
        assert m["n"] == 0 or away[m["n"] - 1] > NEAR * (1.0 - 1e-9)
    long = max(min(10, (seen.steps + 1) // 2), seen.steps // (10 if seen.run.noisy else 50))
    assert (seen.steps - m["n"] < long) == (m["end"] is None)


def minimum(seen: Seen, m: Numbers) -> None:
    is_at(seen, m)
    assert at(m["end"], seen.p[-1])
    assert near(m["loss"], seen.losses[-1])
    point = named(seen, "minimum", m["place"])
    if point is None or tuple(point) in seen.surface.kinks:
        assert m["rate"] is None
        return
    rate = float(seen.run.rates[-1])
    hessian = theory.matrices(seen.surface, point[None])[0]
    root = np.sqrt(theory.preconditioner(seen.run, seen.steps))
    values, axes = np.linalg.eigh(hessian / np.outer(root, root))
    top, axis = values[-1], axes[:, -1]
    assert seen.run.optimizer.limit is not None
    limit = seen.run.optimizer.limit(float(top), seen.run.hypers_at(seen.steps - 1))
    grows = axis @ (root * (seen.p[-1] - point)) * axis / root
    distance = np.abs(grows / (seen.high - seen.low)).max()
    if rate < 1.05 * limit or distance < 5e-13:
        assert m["rate"] is None
    elif rate > 1.15 * limit and distance > 2e-12 and rate > 0.011 * (seen.high - seen.low).max():
        assert near(m["rate"], rate)
        assert near(m["limit"], limit)
    if m["rate"] and not seen.run.noisy and "schedule" not in seen.given:
        assert (seen_away(seen, point, 20)[seen.steps :] > NEAR).any(), "it stays"


def seen_away(seen: Seen, point: np.ndarray, times: int) -> np.ndarray:
    return np.asarray(np.abs((seen.longer(times) - point) / (seen.high - seen.low)).max(axis=1))


def saddle(seen: Seen, m: Numbers) -> None:
    is_at(seen, m)
    point = named(seen, m["what"], m["place"])
    if point is None:
        return
    ways = [np.array([float(x) for x in m["way"].strip("()").split(", ")])] if m["way"] else []
    here = seen.surface.loss(*point)
    for way in ways or np.eye(len(point)):
        for side in (-1e-3, 1e-3):
            assert seen.surface.loss(*(point + side * (seen.high - seen.low).min() * way)) < here


def stands(seen: Seen, m: Numbers) -> None:
    assert np.abs(seen.moves[m["n"] :]).max(axis=1, initial=0.0).sum() <= NEAR * (1.0 + 1e-9)
    assert 2 * m["n"] <= seen.steps + 1 or np.abs(seen.moves[m["n"] :]).sum() <= 2e-6
    assert at(m["place"], seen.p[-1])
    assert near(m["slope"], float(np.linalg.norm(seen.slope(seen.p[-1]))))


def plateau(seen: Seen, m: Numbers) -> None:
    stands(seen, m)
    rng = np.random.default_rng(0)
    slopes = [seen.slope(rng.uniform(seen.low, seen.high)) for _ in range(100)]
    side = seen.high - seen.low
    steepest = max(np.abs(s * side).max() for s in slopes)
    assert np.abs(seen.slope(seen.p[-1]) * side).max() < 0.1 * steepest
    assert all(seen.away(np.array(p))[-1] > NEAR for p in seen.surface.minima)


def still(seen: Seen, m: Numbers) -> None:
    stands(seen, m)
    run, cause = seen.run, m["cause"]
    rate, highest = float(run.rates[-1]), float(run.rates.max())
    if found := re.fullmatch(r"its rate, (\S+), is too small to get anywhere", cause):
        assert near(found[1], rate)
        lost = np.abs(seen.moves).max(axis=1)[m["n"] :].sum()
        assert lost <= NEAR * (1.0 + 1e-9)
    elif found := re.fullmatch(r"its rate has come down from (\S+) to (\S+)", cause):
        assert near(found[1], highest)
        assert near(found[2], rate)
        assert rate < 0.01 * highest
    elif found := re.fullmatch(r"its effective rate, η/P, is only (\S+)", cause):
        assert near(found[1], float(rate / theory.preconditioner(run, seen.steps).min()))
    elif cause == "weight decay balances the gradient there":
        own = rate * run.hypers["weight_decay"] * np.abs(seen.p[-2])
        assert np.abs(np.diff(seen.p[-2:], axis=0)).max() <= 0.11 * own.max()
    else:
        found = re.fullmatch(r"its last step was (\S+) long", cause)
        assert found, cause
        assert near(found[1], float(np.linalg.norm(seen.p[-1] - seen.p[-2])))


def cycle(seen: Seen, m: Numbers) -> None:
    q, n, u = m["q"], m["n"], seen.u
    assert q == seen.run.outcome.period
    lap = u[-q:]
    width = np.ptp(lap, axis=0).max()
    apart = np.abs(u[n + q :] - u[n:-q]).max(axis=1)
    assert len(apart) >= 2 * q
    assert apart.max() <= 2e-3 * width
    assert apart[-q:].max() <= 1.1e-4 * width
    around = named(seen, "minimum", m["around"]) if m["around"] else None
    if m["around"]:
        assert around is not None
        assert (seen.p[-q:].min(axis=0) <= around).all()
        assert (around <= seen.p[-q:].max(axis=0)).all()
    assert m["one"] != m["other"]
    ends = [[i for i in range(q) if at(m[name], seen.p[-q + i])] for name in ("one", "other")]
    widest = max(np.abs(a - b).max() for a in lap for b in lap)
    assert max(np.abs(lap[i] - lap[j]).max() for i in ends[0] for j in ends[1]) == widest
    assert near(m["least"], seen.losses[-q:].min())
    if "schedule" in seen.given:
        return
    later = seen.longer(4)[-400:]
    size = 1e-9 * np.abs(later).max()
    periods = range(1, len(later) // 2)
    again = [d for d in periods if np.abs(later[d:] - later[:-d]).max() <= size]
    assert not again or again[0] in (1, q), f"the period is {again[0]}"


def overflow(seen: Seen, m: Numbers) -> None:
    finite = np.isfinite(seen.losses) & np.isfinite(seen.p).all(axis=1)
    assert m["n"] == np.flatnonzero(~finite)[0]
    if m["low"] is not None:
        before = seen.losses[: m["n"]]
        assert near(m["least"], float(before[m["low"]]))
        assert (before[m["low"] + 1 :] > before[m["low"]]).all()
        assert len(before) > m["low"] + 1
    if m["last"] is not None:
        assert near(m["last"], seen.losses[m["n"] - 1])


def endless(seen: Seen, m: Numbers) -> None:
    overflow(seen, m | {"low": None, "last": None})
    assert seen.losses[m["n"]] == -np.inf


def start(seen: Seen, m: Numbers) -> None:
    assert not np.isfinite(seen.losses[0])


def undefined(seen: Seen, m: Numbers) -> None:
    overflow(seen, m | {"low": None, "last": None})
    before, after = seen.p[m["n"] - 1], seen.p[m["n"]]
    assert at(m["place"], before)
    l1, l2, proximal = seen.surface.penalty
    slope = np.array(seen.surface.gradient(*before, *seen.surface.args)) + l2 * before
    slope = slope + (0.0 if proximal else l1) * np.sign(before)
    lost = np.isnan(after) & (slope == 0.0)
    assert [name for name, is_lost in zip("xy", lost, strict=False) if is_lost] == (
        re.findall("[xy]", m["along"]) if len(before) == 2 else ["x"]
    )
    assert seen.run.hypers["eps"] == 0.0
    assert not seen.run.noisy


def out(seen: Seen, place: str | None) -> None:
    assert (place is not None) == seen.is_out(-1)
    if place is not None:
        assert at(place, seen.p[-1])


def faster(seen: Seen, m: Numbers) -> None:
    out(seen, m["out"])
    far = np.abs(seen.u - 0.5).max(axis=1)[-6:]
    assert (np.diff(far) > 0.0)[-4:].all()
    assert (np.diff(np.abs(seen.moves).max(axis=1))[-4:] > 0.0).all()
    assert (np.diff(seen.losses)[-4:] > 0.0).all()
    assert near(m["now"], seen.losses[-1])
    assert near(m["least"], float(seen.losses[m["low"]]))
    assert (seen.losses[m["low"] + 1 :] > seen.losses[m["low"]]).all()
    assert float(m["least"]) < float(m["now"])


def leaving(seen: Seen, m: Numbers) -> None:
    assert at(m["end"], seen.p[-1])
    assert m["end"] != m["place"]
    point = named(seen, m["what"], m["place"])
    if point is not None:
        away = seen.away(point)
        assert away[-1] <= NEAR
        since = int(np.flatnonzero(away > NEAR)[-1]) + 1 if (away > NEAR).any() else 0
        part = (seen.steps + 1 - since) // 4
        span = seen.high - seen.low
        if m["what"] != "saddle":
            assert away[-part - 1 :].max() > away[since : since + part].max()
        else:
            assert np.ptp((seen.p[since:] - point) / span, axis=0).max() > 0.0


def lately(seen: Seen, m: Numbers) -> np.ndarray:
    count = 1 if m["count"] is None else int(m["count"])
    assert count == min(seen.steps, max(10, seen.steps // 10))
    out(seen, m["out"])
    return seen.losses[-count - 1 :]


def downhill(seen: Seen, m: Numbers) -> None:
    tail = lately(seen, m)
    assert near(m["then"], tail[0])
    assert near(m["now"], tail[-1])
    assert float(m["then"]) > float(m["now"])
    assert (np.diff(tail) <= 0.0).all()
    assert bool(m["endless"]) == (seen.is_out(-1) and not seen.surface.minima)


def uphill(seen: Seen, m: Numbers) -> None:
    tail = lately(seen, m)
    assert near(m["then"], tail[0])
    assert near(m["now"], tail[-1])
    assert float(m["then"]) < float(m["now"])
    assert (np.diff(tail) >= 0.0).all()


def gait(seen: Seen, m: Numbers) -> None:
    tail = lately(seen, m)
    recent = seen.u[-len(tail) :]
    assert np.abs(np.diff(recent, axis=0)).sum() > 0.0
    if m["same"] is not None:
        assert near(m["same"], tail[0])
        assert np.ptp(tail) == 0.0
    else:
        assert near(m["least"], tail.min())
        assert near(m["most"], tail.max())
        assert float(m["least"]) < float(m["most"])
    assert (turns(recent) >= 2) == (m["gait"] != "is still on its way")
    if m["around"]:
        around = named(seen, "minimum", m["around"])
        assert around is not None
        rows = seen.p[-len(tail) :]
        assert (rows.min(axis=0) <= around).all()
        assert (around <= rows.max(axis=0)).all()
    if m["gait"] == "jumps about":
        moves = np.diff(recent, axis=0)
        assert ((moves[1:] * moves[:-1]).sum(axis=1) < 0.0).any()
    half = len(tail) // 2
    if m["trend"] is not None:
        assert not seen.run.noisy
        assert turns(recent[: half + 1]) >= 2
        assert turns(recent[half:]) >= 2
    widths = [np.ptp(part, axis=0).max() for part in (recent[: half + 1], recent[half:])]
    if m["trend"] == "calming down":
        assert widths[1] < 0.991 * widths[0]
        assert tail[half:].max() < tail[: half + 1].max()
    if m["trend"] == "ever wider":
        assert widths[1] > 1.009 * widths[0]
        assert tail[half:].max() > tail[: half + 1].max()


X, P = r"-?[\d.]+(?:e[+-]\d+)?(?<!\.)", r"\([^()]*\)|-?[\d.]+(?:e[+-]\d+)?(?<!\.)"
WHAT = rf"(?P<what>minimum|saddle|maximum) at (?P<place>{P})"
AT = rf"It has been within 0\.1 % of the frame's side of the {WHAT} since step (?P<n>\d+)"
STANDS = rf"It has hardly moved since step (?P<n>\d+) and is at (?P<place>{P})"
SLOPE = rf"where the gradient's norm is (?P<slope>{X})"
IT = rf"It(?: is outside the frame, at (?P<out>{P}), and)?"
OVER = r"(?:in the last (?P<count>\d+) steps its loss|in its only step the loss)"
SENTENCES: dict[str, tuple[str, Callable[[Seen, Numbers], None]]] = {
    rf"{AT}, and ends at (?P<end>{P}) with loss (?P<loss>{X})"
    rf"(?:; its rate, (?P<rate>{X}), is beyond the limit there now, (?P<limit>{X}), and at such a "
    r"rate it will not stay)?\.": ("minimum", minimum),
    rf"{AT}: the gradient is zero there, though the surface falls away "
    rf"(?P<end>along (?P<way>{P})|on every side)\.": ("saddle", saddle),
    rf"{STANDS}: a flat place, {SLOPE}, but no minimum\.": ("plateau", plateau),
    rf"{STANDS}, {SLOPE}: (?P<cause>.*)\.": ("moving", still),
    r"From step (?P<n>\d+) on it repeats itself every (?P<q>\d+) steps"
    rf"(?: around the minimum at (?P<around>{P}))?, between (?P<one>{P}) and (?P<other>{P}), and "
    rf"the lowest loss there is (?P<least>{X})\.": ("cycle", cycle),
    r"The loss already overflows at the start\.": ("diverged", start),
    r"The loss fell without end and overflowed at step (?P<n>\d+)\.": ("diverged", endless),
    r"It overflowed at step (?P<n>\d+); (?:its loss was never again as low as at step "
    rf"(?P<low>\d+), (?P<least>{X})|one step before its loss was (?P<last>{X}))\.": (
        "diverged", overflow,
    ),
    rf"Step (?P<n>\d+) divided 0 by 0: at (?P<place>{P}) the gradient(?P<along> along [xy and]+)? "
    r"is exactly 0, and so is what the method divides it by\.": ("undefined", undefined),
    rf"{IT} gets away ever faster: its loss is (?P<now>{X}) and was never again as low as at step "
    rf"(?P<low>\d+), (?P<least>{X})\.": ("diverged", faster),
    rf"It came to the {WHAT} only at step (?P<n>\d+), too late to tell whether it stays"
    r"(?P<end>)??\.": ("moving", is_at),
    rf"It is moving away from the {WHAT} and is now at (?P<end>{P})\.": ("moving", leaving),
    rf"{IT} is still going downhill: {OVER} fell from (?P<then>{X}) to (?P<now>{X})"
    r"(?P<endless>; this surface has no known minimum)?\.": ("moving", downhill),
    rf"{IT} is going uphill: {OVER} rose from (?P<then>{X}) to (?P<now>{X})\.": ("moving", uphill),
    rf"{IT} (?P<gait>is still on its way|jumps about|swings to and fro|swings around the minimum "
    rf"at (?P<around>{P}))(?:, (?P<trend>calming down|ever wider|without settling))?: {OVER} "
    rf"(?:was between (?P<least>{X}) and (?P<most>{X})|stayed at (?P<same>{X}))\.": (
        "moving", gait,
    ),
}  # fmt: skip


def check(run: Run, given: dict[str, Any]) -> None:
    """Whatever is said of a run is true of it."""
    found = run.outcome
    fits = [
        (kind, test, match)
        for pattern, (kind, test) in SENTENCES.items()
        if (match := re.fullmatch(pattern, found.reason))
    ]
    assert len(fits) == 1, [found.reason, len(fits)]
    kind, test, match = fits[0]
    assert found.kind == kind
    whole = {"n", "q", "low"}
    numbers = {k: int(v) if k in whole and v else v for k, v in match.groupdict().items()}
    assert "n" not in numbers or found.step in (None, numbers["n"])
    finite = np.isfinite(run.losses).all() and np.isfinite(run.positions).all()
    assert finite or kind in ("diverged", "undefined")
    test(Seen(run, given), numbers)


def failures(seeds: range) -> list[str]:
    wrong = []
    for seed in seeds:
        run, given = random_run(seed)
        try:
            check(run, given)
            if (told := report(run)) is not None:
                check_report(run, told)
                check_rates(run, told)
        except AssertionError as error:
            case = f"{seed}: {run.surface.key} {run.optimizer.key}: {run.outcome.reason}"
            wrong.append(f"{case} ({str(error).splitlines()[0] if str(error) else error!r})")
    return wrong


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_number_in_every_verdict_is_true(chunk: int) -> None:
    share = COUNT // CHUNKS
    assert failures(range(chunk * share, (chunk + 1) * share)) == []
