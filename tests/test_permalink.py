"""The share link: what is right in it survives, what is wrong is said and left out."""

from __future__ import annotations

import math
import random
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.penalty import penalised
from optim_core.simulate import NOISE
from optim_core.spec import PENALTY, SHARED, Hyper, Optimizer, Surface
from surfaces import SURFACES
from ui import permalink, schedule_link, step_link
from ui.permalink import (
    DEFAULT_RACERS,
    DEFAULT_SURFACE,
    FIELD,
    LONGEST,
    RACE,
    SEED,
    SPEED,
    STEPS,
    WHOLE,
    Setup,
    catalog_entry,
    parse,
    suggested_lr,
)

SEARCH = settings(derandomize=True, deadline=None, database=None)
DEFAULT = parse("")[0]
CONTROLS: dict[str, Hyper] = (
    {h.name: h for h in (*RACE, *SURFACES[DEFAULT_SURFACE].params)}
    | {h.name: h for h in (*SHARED, *PENALTY)}
    | {f"{key}.{h.name}": h for key, o in OPTIMIZERS.items() for h in o.hypers}
    | {f"{key}.{h.name}": h for key, s in SCHEDULES.items() for h in s.hypers}
)  # fmt: skip
LONGEST_NOTE = 200


def values(hyper: Hyper) -> st.SearchStrategy[float]:
    """Anywhere in a domain, its ends included where they belong to it."""
    if hyper.scale == "switch":
        return st.sampled_from([0.0, 1.0])
    low, high = max(hyper.domain.low, -1e308), min(hyper.domain.high, 1e308)
    if hyper.whole:
        return st.integers(int(low), min(int(high), 2**53)).map(float)
    ends = [v for v in (low, high, hyper.low, hyper.high) if v in hyper.domain]
    inside = st.floats(low, high, exclude_min=hyper.domain.open_low)
    return st.sampled_from(ends) | inside.filter(lambda v: v in hyper.domain)


def spelled(hyper: Hyper, value: float) -> str:
    return str(int(value)) if hyper.whole or hyper.scale == "switch" else repr(value)


def text_of(setup: Setup) -> dict[str, str]:
    """A setup as a link's names and texts, written without the code under test."""
    pairs = {"surface": setup.surface.key, "opt": "-".join(r.optimizer.key for r in setup.racers)}
    pairs |= {
        h.name: repr(v) for h, v in zip(setup.surface.params, setup.surface.args, strict=True)
    }
    pairs |= {axis: repr(c) for axis, c in zip("xy", setup.start, strict=False)}
    pairs |= {f"{r.optimizer.key}.{name}": repr(v) for r in setup.racers for name, v in r.hypers}
    numbers = {"steps": setup.steps, "noise": setup.noise, "seed": setup.seed}
    return pairs | {name: repr(v) for name, v in numbers.items()}


def check_notes(notes: list[str]) -> None:
    assert all(len(note) <= LONGEST_NOTE and note.isprintable() for note in notes), notes
    assert len(notes) == len(set(notes))


def test_nothing_is_the_defaults() -> None:
    for query in ("", "?"):
        setup, clean, notes = parse(query)
        assert (clean, notes) == ("", [])
        surface = SURFACES[DEFAULT_SURFACE]
        assert setup.surface.key == surface.key
        assert setup.surface.args == surface.args
        assert setup.start == surface.start
        assert (setup.steps, setup.noise, setup.seed) == (
            STEPS.default,
            NOISE.default,
            SEED.default,
        )
        assert [r.optimizer.key for r in setup.racers] == list(DEFAULT_RACERS)
        for racer in setup.racers:
            expected = {h.name: h.default for h in racer.optimizer.hypers}
            expected["lr"] = suggested_lr(surface, racer.optimizer)
            assert dict(racer.hypers) == expected


@SEARCH
@given(data=st.data())
def test_every_control_makes_the_round_trip(data: st.DataObject) -> None:
    draw = data.draw
    surface = SURFACES[draw(st.sampled_from(sorted(SURFACES)))]
    chosen = draw(st.lists(st.sampled_from(sorted(OPTIMIZERS)), unique=True))
    finite = st.floats(allow_nan=False, allow_infinity=False)
    params = {h.name: draw(values(h)) for h in surface.params}
    start = tuple(draw(finite) for _ in range(surface.dim))
    hypers = {
        key: {h.name: draw(values(h)) for h in optimizer.hypers}
        for key, optimizer in OPTIMIZERS.items()
    }
    race = {h.name: draw(values(h)) for h in RACE}
    pairs = {"surface": surface.key, "opt": "-".join(chosen)}
    pairs |= {name: repr(v) for name, v in params.items()}
    pairs |= {axis: repr(c) for axis, c in zip("xy", start, strict=False)}
    pairs |= {
        f"{key}.{h.name}": spelled(h, hypers[key][h.name])
        for key, o in OPTIMIZERS.items()
        for h in o.hypers
    }
    pairs |= {h.name: spelled(h, race[h.name]) for h in RACE}
    shuffled = list(pairs.items())
    random.Random(draw(st.integers(0, 99))).shuffle(shuffled)

    setup, clean, notes = parse(urlencode(shuffled))
    assert notes == []
    assert dict(parse_qsl(clean, keep_blank_values=True)) == pairs
    assert setup.surface.key == surface.key
    assert dict(zip((h.name for h in surface.params), setup.surface.args, strict=True)) == params
    assert setup.start == start
    assert (setup.steps, setup.noise, setup.seed) == (race["steps"], race["noise"], race["seed"])
    assert isinstance(setup.steps, int)
    assert isinstance(setup.seed, int)
    assert {r.optimizer.key: dict(r.hypers) for r in setup.racers} == {
        key: hypers[key] for key in OPTIMIZERS if key in chosen
    }
    assert parse(clean) == (setup, clean, [])


@pytest.mark.parametrize("name", ["utm_source", "utm_id", "fbclid", "gclid", "embed_options"])
def test_what_others_put_into_an_address_says_nothing(name: str) -> None:
    _, clean, notes = parse(f"{name}=a&{name}=b&steps=7")
    assert (clean, notes) == ("steps=7", [])


@pytest.mark.parametrize("name", ["stesp", "utm", "clid", "Steps", "gdlr"])
def test_a_mistyped_control_is_told(name: str) -> None:
    assert parse(f"{name}=7")[1:] == ("", [f"{name!r} is no control."])


def test_a_link_of_every_control_is_not_too_long() -> None:
    pairs = {"surface": DEFAULT_SURFACE, "opt": "-".join(OPTIMIZERS), "x": "1", "y": "1"}
    longest = {"x": repr(-math.pi * 1e-300), "y": repr(-math.pi * 1e-300), "seed": str(WHOLE)}
    pairs |= {name: spelled(h, h.default) for name, h in CONTROLS.items()} | longest
    pairs |= {name: repr(math.pi * 1e-3) for name, h in CONTROLS.items() if h.scale == "one_minus"}
    query = urlencode(pairs)
    assert len(query) < LONGEST / 2
    assert parse(query)[2] == []


# name → text, what the note must show of it, and of what is allowed.
BAD = [
    ("surface", "moon", ["surface", "'moon'", *SURFACES]),
    ("surface", "", ["surface", "''", *SURFACES]),
    ("surface", "Bowl", ["surface", "'Bowl'"]),
    ("surface", "<script>alert(1)</script>", ["surface", "<script>"]),
    ("surface", "x" * 3000, ["surface", "'xxxx", "…"]),
    ("surface", "\U000e0001" * 60, ["surface"]),
    ("surface", "__class__", ["surface", "'__class__'"]),
    ("opt", "gd-sgd", ["opt", "'sgd'", *OPTIMIZERS]),
    ("opt", "gd-", ["opt", "''", *OPTIMIZERS]),
    ("opt", "gd,adam", ["opt", "'gd,adam'"]),
    ("opt", "-".join(["moon"] * 700), ["opt", "'moon'"]),
    ("opt", "☃" * 100, ["opt", "☃"]),
    ("opt", "\U000e0001" * 60, ["opt"]),
    ("steps", "0", ["steps", "[1, 5000]", "0.0"]),
    ("steps", "5001", ["steps", "[1, 5000]", "5001"]),
    ("steps", "1.5", ["steps", "whole", "1.5"]),
    ("steps", "1e308", ["steps", "[1, 5000]", "1e+308"]),
    ("seed", "-1", ["seed", "[0, ", "-1.0"]),
    ("seed", "0.5", ["seed", "whole", "0.5"]),
    ("seed", str(2**53), ["seed", "[0, ", "9007199254740992"]),
    ("speed", "0", ["speed", "[1, 1000]", "0.0"]),
    ("speed", "2.5", ["speed", "whole", "2.5"]),
    ("field", "2", ["field", "True or False", "2.0"]),
    ("field", "0.5", ["field", "True or False", "0.5"]),
    ("noise", "-0.1", ["noise", "[0, inf)", "-0.1"]),
    ("x", "1e309", ["x", "(-inf, inf)", "inf"]),
    ("y", "nan", ["y", "(-inf, inf)", "nan"]),
    ("condition", "0.999", ["condition", "[1, inf)", "0.999"]),
    ("condition", "-0", ["condition", "[1, inf)", "-0.0"]),
    ("rotation", "-inf", ["rotation", "(-inf, inf)", "-inf"]),
    ("gd.lr", "0", ["gd.lr", "(0, inf)", "0.0"]),
    ("gd.lr", "-0", ["gd.lr", "(0, inf)", "-0.0"]),
    ("momentum.momentum", "1", ["momentum.momentum", "[0, 1)", "1.0"]),
    ("momentum.momentum", "1e308", ["momentum.momentum", "[0, 1)", "1e+308"]),
    ("adam.beta1", "-1e-300", ["adam.beta1", "[0, 1)", "-1e-300"]),
    ("adam.bias_correction", "0.5", ["adam.bias_correction", "True or False", "0.5"]),
    ("adamw.weight_decay", "-1", ["adamw.weight_decay", "[0, inf)", "-1.0"]),
    ("nosuch", "1", ["'nosuch'"]),
    ("lr", "0.1", ["'lr'"]),
    ("gd.momentum", "0.1", ["'gd.momentum'"]),
    ("sgd.lr", "0.1", ["'sgd.lr'"]),
    ("<img src=x onerror=alert(1)>", "1", ["'<img src=x"]),
    ("a\nb", "1", [r"'a\nb'"]),
    ("", "1", ["''"]),
    ("n" * 3000, "1", ["'nnn", "…"]),
    ("\U000e0001" * 60, "1", []),
]


@pytest.mark.parametrize(("name", "text", "said"), BAD, ids=lambda v: ascii(v)[:24])
def test_what_is_wrong_is_said_and_left_out(name: str, text: str, said: list[str]) -> None:
    setup, clean, notes = parse(urlencode({name: text}))
    assert setup == DEFAULT
    assert clean == ""
    (note,) = notes
    assert [part for part in said if part not in note] == []
    assert note.endswith(".")
    check_notes(notes)


GARBAGE = [
    "", " ", "moon", "nan", "NaN", "inf", "-inf", "Infinity", "1e400", "0x10", "1,5", "1.2.3",
    "--1", "1e", "e1", "True", "null", "<script>alert(1)</script>", "\x00", "1\x00", "\ud800",
    "\udcff", "☃", "∞", "½", "\u202e1", "line\nbreak", "line\u2028break", "'; drop", "%zz", "%",
    "9" * 400, "\U000e0001" * 60, "[1]", "{}", "1;2", "1 2", "١x",
]  # fmt: skip


def shown_of(text: str) -> str:
    """How a note shows a text, at least its beginning: as a number where it is one."""
    try:
        return repr(float(text))
    except ValueError:
        return repr(text)[:10]


@pytest.mark.parametrize("text", GARBAGE, ids=lambda v: ascii(v)[:24])
def test_garbage_in_any_number_is_said_and_left_out(text: str) -> None:
    for name, hyper in (CONTROLS | {"x": RACE[0], "y": RACE[0]}).items():
        # By hand: urlencode cannot write a surrogate, and a browser's message can hold one.
        escaped = "".join(f"%{ord(c):02x}" if c in "%&+;\n\x00" else c for c in text)
        setup, clean, notes = parse(f"{name}={escaped}")
        assert setup == DEFAULT
        assert clean == ""
        (note,) = notes
        assert name in note
        assert shown_of(text).lower() in note.lower()
        allowed = "(-inf, inf)" if name in "xy" else str(hyper.domain)
        assert allowed in note or (hyper.scale == "switch" and "True or False" in note)
        check_notes(notes)


@pytest.mark.parametrize("text", ["1_0", "１", "٣", "1e1_0", "\x851", "\x1f1"], ids=ascii)
def test_the_browser_reads_a_clean_number_as_python_does(text: str) -> None:
    """float() takes underscores and any script's digits; to JavaScript's Number they are NaN."""
    for name in ("x", "gd.lr", "steps", "condition"):
        _, clean, _ = parse(urlencode({name: text}))
        for kept in parse_qs(clean).values():
            assert re.fullmatch(r"[ \t\n]*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", kept[0], re.A | re.I)


@pytest.mark.parametrize("text", ["-0", "0", "+0.0", "0e5"])
def test_zero_is_zero_where_it_is_allowed(text: str) -> None:
    setup, clean, notes = parse(urlencode({"noise": text, "seed": text, "x": text}))
    assert (setup.noise, setup.seed, setup.start[0], notes) == (0.0, 0, 0.0, [])
    assert parse(clean)[0] == setup


def test_the_good_beside_the_bad_is_kept() -> None:
    query = "surface=rosenbrock&steps=soon&gd.lr=0.25&opt=gd-moon&y=3&adam.beta1=7&x=nan"
    setup, clean, notes = parse(query)
    assert setup.surface.key == "rosenbrock"
    assert setup.steps == STEPS.default
    assert setup.start == (SURFACES["rosenbrock"].start[0], 3.0)
    assert [r.optimizer.key for r in setup.racers] == list(DEFAULT_RACERS)
    assert dict(setup.racers[0].hypers) == {"lr": 0.25}
    assert parse_qs(clean) == {"surface": ["rosenbrock"], "gd.lr": ["0.25"], "y": ["3"]}
    for name in ("steps", "opt", "adam.beta1", "x must"):
        assert sum(name in note for note in notes) == 1
    assert len(notes) == 4


def test_a_bad_number_of_a_method_that_does_not_race_is_said_too() -> None:
    setup, clean, (note,) = parse("opt=gd&adam.beta1=7")
    assert [r.optimizer.key for r in setup.racers] == ["gd"]
    assert clean == "opt=gd"
    assert "adam.beta1" in note


def test_of_a_repeated_name_the_last_counts_and_it_is_said() -> None:
    setup, clean, (note,) = parse("steps=7&steps=8&steps=9")
    assert setup.steps == 9
    assert clean == "steps=9"
    assert "'steps'" in note
    assert "more than once" in note


def test_thousandfold_lists() -> None:
    for name in ("opt", "steps", "x", "a"):
        for count in (300, 1000, 100_000):
            setup, clean, notes = parse("&".join(f"{name}=1" for _ in range(count)))
            check_notes(notes)
            assert 1 <= len(notes) <= 2
            kept = parse(clean)
            assert kept == (setup, clean, [])
            assert len(clean) < 10
    many, _, notes = parse("opt=" + "-".join(["gd"] * 1000))
    assert [r.optimizer.key for r in many.racers] == ["gd"]
    assert notes == []


def test_many_different_wrong_names_do_not_flood_the_page() -> None:
    _, _, notes = parse("&".join(f"a{i}=1" for i in range(500)))
    assert 1 <= len(notes) <= 20


@pytest.mark.parametrize("unit", ["x", "&", "=", "x=1&", "%", "%00", "☃", "steps=5&", "\n"])
def test_too_long_a_link_is_refused_whole(unit: str) -> None:
    query = unit * (1_000_000 // len(unit))
    setup, clean, (note,) = parse(query)
    assert (setup, clean) == (DEFAULT, "")
    assert str(len(query)) in note
    assert str(LONGEST) in note
    check_notes([note])


def test_the_longest_link_is_read() -> None:
    query = "steps=7&" + "x" * (LONGEST - 8)
    assert parse(query)[0].steps == 7
    assert parse(query + "x")[0].steps == STEPS.default


@pytest.mark.parametrize(
    "query",
    ["&&&===", "===", "=", "?=?", "%", "%%%", "%ff%fe=%80", "%00=%00", "\x00", "&=&", "??steps=3",
     "#", "\ud800=\udfff", "a=\ud800", ";;;", "+=+", "%u2603", "opt=%2D%2D", "x&y&steps"],
    ids=ascii,
)  # fmt: skip
def test_a_broken_query_string_is_said(query: str) -> None:
    setup, clean, notes = parse(query)
    assert setup == DEFAULT
    assert clean == ""
    assert notes
    check_notes(notes)


@pytest.mark.parametrize("query", ["&", "&&&", "?", "?&"])
def test_a_query_without_any_name_says_nothing(query: str) -> None:
    assert parse(query) == (DEFAULT, "", [])


@pytest.mark.parametrize("text", ["5", "nan", "garbage"])
def test_parameters_of_another_surface_are_ignored(text: str) -> None:
    """So that a person who tries another surface and comes back loses nothing to notes."""
    setup, clean, notes = parse(f"surface=saddle&condition={text}&rotation={text}")
    assert (setup.surface, clean, notes) == (SURFACES["saddle"], "surface=saddle", [])
    setup, clean, notes = parse(f"surface=parabola&y={text}")
    assert (setup.start, clean, notes) == (SURFACES["parabola"].start, "surface=parabola", [])


# Half of it is text of any kind, half is made of a link's own words, which gets further.
WORDS = st.sampled_from(
    [*CONTROLS, *SURFACES, *OPTIMIZERS, "surface", "opt", "x", "y", "=", "&", "-", "1", "0.5", "-1",
     "nan", "inf", "1e308", "1e309", "%", "%00", "+", "?", "#", ";", "\ud800", "\x00", "_", "☃"]
)  # fmt: skip
QUERIES = st.text() | st.lists(WORDS, max_size=40).map("".join)


@settings(SEARCH, max_examples=600)
@given(QUERIES)
def test_no_text_raises(query: str) -> None:
    setup, clean, notes = parse(query)
    check_notes(notes)
    # What was kept says the same, and nothing in it is wrong.
    assert parse(clean) == (setup, clean, [])


@settings(SEARCH, max_examples=300)
@given(st.sampled_from(sorted(CONTROLS)), st.text())
def test_no_value_raises(name: str, text: str) -> None:
    query = f"{name}={text}".replace("&", "")
    setup, clean, notes = parse(query)
    check_notes(notes)
    assert notes == [] or clean == ""
    assert clean != "" or setup == DEFAULT


def test_the_order_of_racers_is_the_same_for_every_link() -> None:
    keys = list(OPTIMIZERS)
    for seed in range(5):
        shuffled = random.Random(seed).sample(keys, len(keys))
        setup, clean, _ = parse("opt=" + "-".join(shuffled))
        assert [r.optimizer.key for r in setup.racers] == keys
        assert parse(clean)[0] == setup
    assert parse("opt=adam-gd")[0] == parse("opt=gd-adam")[0]


def test_a_racer_named_twice_races_once() -> None:
    assert [r.optimizer.key for r in parse("opt=adam-gd-adam")[0].racers] == ["gd", "adam"]


def test_no_racers_can_be_asked_for() -> None:
    setup, clean, notes = parse("opt=")
    assert (setup.racers, clean, notes) == ((), "opt=", [])
    assert parse(clean)[0] == setup


@pytest.mark.parametrize("surface", SURFACES.values(), ids=lambda s: str(s.key))
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=lambda o: str(o.key))
def test_a_suggested_lr_has_two_digits(surface: Surface, optimizer: Optimizer) -> None:
    rate = suggested_lr(surface, optimizer)
    pace = {"curvature": surface.pace.curvature, "length": surface.pace.length}[optimizer.pace]
    exact = pace * optimizer.factor
    # Half a unit of the second digit, which is at worst 5 % of a number that starts with 1.0.
    unit = 10.0 ** (math.floor(math.log10(exact)) - 1)
    assert abs(rate - exact) <= 0.5001 * unit
    assert len(Decimal(repr(rate)).normalize().as_tuple().digits) <= 2
    (lr,) = (h for h in optimizer.hypers if h.name == "lr")
    assert rate in lr.domain
    assert lr.low <= rate <= lr.high


def test_a_suggested_lr_is_rounded() -> None:
    """As declared today none has more than two digits, so that rounding would not show."""
    surface = SURFACES["parabola"]
    assert surface.pace.curvature == 0.1
    for factor, expected in ((1 / 3, 0.033), (2 / 3, 0.067), (1.249, 0.12), (9.96, 1.0)):
        assert suggested_lr(surface, replace(OPTIMIZERS["gd"], factor=factor)) == expected


@pytest.mark.parametrize("condition", [1.0, 7.0, 1000.0, 1e6])
@pytest.mark.parametrize("link", [permalink, step_link, schedule_link], ids=lambda m: m.__name__)
def test_a_suggested_lr_follows_the_surfaces_parameters(link: Any, condition: float) -> None:
    """On the bowl the limits are 2/L and its like, L = 2κ: the share of them stays as it is."""
    for key, optimizer in OPTIMIZERS.items():
        query = f"condition={condition}&rotation=20&of={key}&opt={key}"
        found = link.parse(query)[0]
        (lr,) = {dict(racer.hypers)["lr"] for racer in getattr(found, "setup", found).racers}
        usual = suggested_lr(SURFACES["bowl"], optimizer)
        share = 1.0 if optimizer.preconditioner else 50.0 / condition
        assert lr == pytest.approx(usual * share, rel=0.05)


def test_a_suggested_lr_leaves_its_surface_as_it_is_for_comparison_under_a_penalty() -> None:
    plateau = SURFACES["plateau"]
    assert suggested_lr(penalised(plateau, l2=9.0), OPTIMIZERS["gd"]) == plateau.pace.curvature


def test_the_surface_sets_the_suggested_lr_and_the_link_overrides_it() -> None:
    for key, surface in SURFACES.items():
        setup, _, _ = parse(f"surface={key}&opt=gd-adam&adam.lr=0.125")
        gd, adam = (dict(r.hypers)["lr"] for r in setup.racers)
        assert gd == suggested_lr(surface, OPTIMIZERS["gd"])
        assert adam == 0.125


def test_a_parameter_moves_its_surface() -> None:
    setup = parse("condition=7&rotation=-30")[0]
    assert dict(zip(("condition", "rotation"), setup.surface.args, strict=True)) == {
        "condition": 7.0,
        "rotation": -30.0,
    }


def test_a_setup_in_words_is_the_same_setup() -> None:
    setup = parse("opt=nadam-adam&noise=0.5&steps=12&seed=9")[0]
    assert parse(urlencode(text_of(setup)))[0] == setup


@pytest.mark.parametrize("hyper", [*CONTROLS.values()], ids=[*CONTROLS])
def test_a_catalog_entry_says_what_the_domain_is(hyper: Hyper) -> None:
    entry: dict[str, Any] = catalog_entry(hyper)
    assert entry["domain"] == str(hyper.domain)
    for bound, own in (("min", hyper.domain.low), ("max", hyper.domain.high)):
        assert entry[bound] == (own if math.isfinite(own) else None)
    assert (entry["openMin"], entry["openMax"]) == (hyper.domain.open_low, hyper.domain.open_high)
    copied = ("name", "low", "high", "scale", "default", "about")
    assert [entry[name] for name in copied] == [getattr(hyper, name) for name in copied]


def test_speed_and_field_are_checked_though_only_the_browser_uses_them() -> None:
    query = f"speed={SPEED.high:g}&field={FIELD.high:g}"
    assert parse(query) == (DEFAULT, query, [])
