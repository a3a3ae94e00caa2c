"""The link of every page: what is right in it survives, what is wrong is said and left out."""

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
from pages import PAGES
from surfaces import SURFACES
from tests.reading import parse, state_of, told
from ui.catalog import catalog
from ui.panel import Ask
from ui.runs.entry import keys
from ui.state.common import (
    DECOUPLED,
    FIELD,
    GHOST,
    MOMENT,
    PAUSED,
    SEED,
    SPEED,
    STEPS,
    TUNED,
    WHOLE,
    suggested_lr,
)
from ui.state.reader import LONGEST
from ui.state.schema import control

SEARCH = settings(derandomize=True, deadline=None, database=None)
EVERY_PAGE = pytest.mark.parametrize("page", PAGES)
BOWL = SURFACES["bowl"]
DEFAULT = parse("")[0]
RACE = (STEPS, NOISE, SEED, SPEED, FIELD, GHOST, MOMENT, PAUSED, TUNED, DECOUPLED)
CONTROLS: dict[str, Hyper] = (
    {h.name: h for h in (*RACE, *BOWL.params, *SHARED, *PENALTY)}
    | {f"{key}.{h.name}": h for key, o in OPTIMIZERS.items() for h in o.hypers}
    | {f"{key}.{h.name}": h for key, s in SCHEDULES.items() for h in s.hypers}
)  # fmt: skip
LONGEST_NOTE = 200


def methods_of(read: dict[str, Any]) -> list[str]:
    return [entry.recipe.optimizer.key for entry in read["entries"]]


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


def check_notes(notes: list[str]) -> None:
    assert all(len(note) <= LONGEST_NOTE and note.isprintable() for note in notes), notes
    assert len(notes) == len(set(notes))


@pytest.mark.parametrize("query", ["", "?", "&", "&&&", "?&"])
@EVERY_PAGE
def test_nothing_is_the_defaults(page: str, query: str) -> None:
    state = PAGES[page].state.read(query)
    assert (state.clean, state.notes) == ("", [])
    assert (state.surface.key, state.surface.args) == (BOWL.key, BOWL.args)
    usual = {"start": BOWL.start, "steps": STEPS.default, "noise": NOISE.default, "seed": 0}
    own: dict[str, dict[str, float]] = {"step_by_step": {"steps": 100}, "schedules": {"noise": 3.0}}
    conditions = vars(state.conditions)
    assert conditions == {"surface": state.surface} | usual | own.get(page, {})
    assert all(isinstance(conditions[name], int) for name in ("steps", "seed"))


@pytest.mark.parametrize(
    ("page", "chosen"),
    [("compare", ["gd", "momentum", "adam"]), ("learning_rate", ["gd", "momentum", "nesterov"]),
     ("step_by_step", ["adam"]), ("schedules", ["momentum"] * 4)],
)  # fmt: skip
def test_a_page_has_its_own_methods_at_first(page: str, chosen: list[str]) -> None:
    entries = state_of("", page).entries
    assert [entry.recipe.optimizer.key for entry in entries] == chosen
    for entry in entries:
        expected = {h.name: h.default for h in entry.recipe.optimizer.hypers}
        suggested = suggested_lr(BOWL, entry.recipe.optimizer)
        # 5 % beyond gradient descent's limit 2/L, L = 100
        expected["lr"] = 0.021 if page == "learning_rate" else suggested
        assert entry.recipe.values == expected


@settings(SEARCH, max_examples=60)
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
    race = {h.name: draw(values(h)) for h in RACE if h is not DECOUPLED}
    pairs = {"surface": surface.key, "opt": "-".join(chosen)}
    pairs |= {name: repr(v) for name, v in params.items()}
    pairs |= {axis: repr(c) for axis, c in zip("xy", start, strict=False)}
    pairs |= {
        f"{key}.{h.name}": spelled(h, hypers[key][h.name])
        for key, o in OPTIMIZERS.items()
        for h in o.hypers
    }
    pairs |= {h.name: spelled(h, race[h.name]) for h in RACE if h is not DECOUPLED}
    shuffled = list(pairs.items())
    random.Random(draw(st.integers(0, 99))).shuffle(shuffled)

    found, clean, notes = parse(urlencode(shuffled))
    assert notes == []
    assert dict(parse_qsl(clean, keep_blank_values=True)) == pairs
    assert found["surface"].key == surface.key
    assert dict(zip(params, found["surface"].args, strict=True)) == params
    assert found["start"] == start
    assert {name: found[name] for name in race} == race
    assert {entry.key: entry.recipe.values for entry in found["entries"]} == {
        key: hypers[key] for key in OPTIMIZERS if key in chosen
    }
    assert parse(clean) == (found, clean, [])


@pytest.mark.parametrize("name", ["utm_source", "utm_id", "fbclid", "gclid", "embed_options"])
@EVERY_PAGE
def test_what_others_put_into_an_address_says_nothing(page: str, name: str) -> None:
    """The browser keeps it in the address; it is no part of the state."""
    found, clean, notes = parse(f"{name}=a&{name}=b&steps=7", page)
    assert (found["steps"], clean, notes) == (7.0, "steps=7", [])


@pytest.mark.parametrize("name", ["stesp", "utm", "clid", "Steps", "gdlr", "gd~1.lr", "gd~10.lr"])
@EVERY_PAGE
def test_a_mistyped_control_is_told(page: str, name: str) -> None:
    assert parse(f"{name}=7", page)[1:] == ("", [f"{name!r} is no control."])


def test_a_link_of_every_control_is_not_too_long() -> None:
    runs = list(keys(OPTIMIZERS))
    pairs = {"surface": BOWL.key, "opt": "-".join(runs), "x": "1", "y": "1"}
    own = {f"{run}.{h.name}": h for run in runs for h in OPTIMIZERS[run.split("~")[0]].hypers}
    longest = {"x": repr(-math.pi * 1e-300), "y": repr(-math.pi * 1e-300), "seed": str(WHOLE)}
    pairs |= {name: spelled(h, h.default) for name, h in (CONTROLS | own).items()} | longest
    pairs |= {name: repr(math.pi * 1e-3) for name, h in own.items() if h.scale == "one_minus"}
    query = urlencode(pairs)
    assert len(query) < LONGEST
    found, _, notes = parse(query)
    assert notes == []
    assert len(found["entries"]) == 9 * len(OPTIMIZERS)


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
    ("opt", "gd~1", ["opt", "gd~2 to gd~9", "'gd~1'"]),
    ("opt", "gd~10", ["opt", "gd~2 to gd~9", "'gd~10'"]),
    ("opt", "gd~", ["opt", "gd~2 to gd~9", "'gd~'"]),
    ("opt", "nope~2", ["opt", "'nope", *OPTIMIZERS]),
    ("gd~2.lr", "0", ["gd~2.lr", "(0, inf)", "0.0"]),
    ("gd~2.x", "nan", ["gd~2.x", "(-inf, inf)", "nan"]),
    ("gd~2.schedule", "moon", ["gd~2.schedule", "'moon'", *SCHEDULES]),
    ("zoom", "1,2,3", ["zoom", "'1,2,3'"]),
    ("zoom", "1,0,1,2", ["zoom", "'1,0,1,2'"]),
    ("zoom", "0,1,0,1e309", ["zoom", "1e309"]),
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
    found, clean, notes = parse(urlencode({name: text}))
    assert found == DEFAULT
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
        found, clean, notes = parse(f"{name}={escaped}")
        assert found == DEFAULT
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
        clean = parse(urlencode({name: text}))[1]
        for kept in parse_qs(clean).values():
            assert re.fullmatch(r"[ \t\n]*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", kept[0], re.A | re.I)


@pytest.mark.parametrize("text", ["-0", "0", "+0.0", "0e5"])
def test_zero_is_zero_where_it_is_allowed(text: str) -> None:
    found, clean, notes = parse(urlencode({"noise": text, "seed": text, "x": text}))
    assert (found["noise"], found["seed"], found["start"][0], notes) == (0.0, 0, 0.0, [])
    assert parse(clean)[0] == found


def test_the_good_beside_the_bad_is_kept() -> None:
    query = "surface=rosenbrock&steps=soon&gd.lr=0.25&opt=gd-moon&y=3&adam.beta1=7&x=nan"
    found, clean, notes = parse(query)
    assert found["surface"].key == "rosenbrock"
    assert found["steps"] == STEPS.default
    assert found["start"] == (SURFACES["rosenbrock"].start[0], 3.0)
    assert methods_of(found) == methods_of(DEFAULT)
    assert found["entries"][0].recipe.values == {"lr": 0.25}
    assert parse_qs(clean) == {"surface": ["rosenbrock"], "gd.lr": ["0.25"], "y": ["3"]}
    for name in ("steps", "opt", "adam.beta1", "x must"):
        assert sum(name in note for note in notes) == 1
    assert len(notes) == 4


def test_a_bad_number_of_a_method_that_does_not_race_is_said_too() -> None:
    found, clean, (note,) = parse("opt=gd&adam.beta1=7")
    assert methods_of(found) == ["gd"]
    assert clean == "opt=gd"
    assert "adam.beta1" in note


def test_of_a_repeated_name_the_last_counts_and_it_is_said() -> None:
    found, clean, (note,) = parse("steps=7&steps=8&steps=9")
    assert found["steps"] == 9
    assert clean == "steps=9"
    assert "'steps'" in note
    assert "more than once" in note


def test_thousandfold_lists() -> None:
    for name in ("opt", "steps", "x", "a"):
        for count in (300, 1000, 100_000):
            found, clean, notes = parse("&".join(f"{name}=1" for _ in range(count)))
            check_notes(notes)
            assert 1 <= len(notes) <= 2
            assert parse(clean) == (found, clean, [])
            assert len(clean) < 10
    many, _, notes = parse("opt=" + "-".join(["gd"] * 1000))
    assert methods_of(many) == ["gd"]
    assert notes == []


def test_many_different_wrong_names_do_not_flood_the_page() -> None:
    _, _, notes = parse("&".join(f"a{i}=1" for i in range(500)))
    assert 1 <= len(notes) <= 20


@pytest.mark.parametrize("unit", ["x", "&", "=", "x=1&", "%", "%00", "☃", "steps=5&", "\n"])
def test_too_long_a_link_is_refused_whole(unit: str) -> None:
    query = unit * (1_000_000 // len(unit))
    found, clean, (note,) = parse(query)
    assert (found, clean) == (DEFAULT, "")
    assert str(len(query)) in note
    assert str(LONGEST) in note
    check_notes([note])


def test_the_longest_link_is_read() -> None:
    query = "steps=7&" + "x" * (LONGEST - 8)
    assert parse(query)[0]["steps"] == 7
    assert parse(query + "x")[0]["steps"] == STEPS.default


@pytest.mark.parametrize(
    "query",
    ["&&&===", "===", "=", "?=?", "%", "%%%", "%ff%fe=%80", "%00=%00", "\x00", "&=&", "??steps=3",
     "#", "\ud800=\udfff", "a=\ud800", ";;;", "+=+", "%u2603", "opt=%2D%2D", "x&y&steps"],
    ids=ascii,
)  # fmt: skip
def test_a_broken_query_string_is_said(query: str) -> None:
    found, clean, notes = parse(query)
    assert (found, clean) == (DEFAULT, "")
    assert notes
    check_notes(notes)


@pytest.mark.parametrize("text", ["5", "nan", "garbage"])
@EVERY_PAGE
def test_parameters_of_another_surface_are_ignored(page: str, text: str) -> None:
    """So that a person who tries another surface and comes back loses nothing to notes."""
    found, clean, notes = parse(f"surface=saddle&condition={text}&rotation={text}", page)
    assert (found["surface"], clean, notes) == (SURFACES["saddle"], "surface=saddle", [])
    found, clean, notes = parse(f"surface=parabola&y={text}", page)
    assert (found["start"], clean, notes) == (SURFACES["parabola"].start, "surface=parabola", [])


ALONG = {
    "opt": "gd~2-adam", "adam.lr": "0.5", "gd~2.lr": "0.125", "gd~2.x": "3",
    "gd~2.schedule": "cosine", "cosine.period": "7", "warmup": "4", "warmup_from": "0.2",
    "total": "90", "l1": "0.5", "l2": "2", "proximal": "1", "decoupled": "1", "schedule": "power",
    "noise": "0.25", "seed": "5", "steps": "33", "speed": "9", "field": "1", "ghost": "1",
    "condition": "9",
}  # fmt: skip


def test_all_that_the_browser_takes_along_is_tried_here() -> None:
    assert set(catalog(PAGES)["along"]["names"]) <= set(ALONG)


@EVERY_PAGE
def test_what_goes_along_to_other_pages_stays_in_every_link(page: str) -> None:
    found, clean, notes = parse(urlencode(ALONG), page)
    assert notes == []
    assert dict(parse_qsl(clean)) == ALONG
    assert parse(clean, page) == (found, clean, [])


@pytest.mark.parametrize(
    ("query", "said"),
    [("opt=moon", "opt must be one of"), ("opt=gd~1", "opt may have gd~2"), ("decoupled=2", "True"),
     ("adam.lr=0", "adam.lr"), ("gd~2.schedule=moon", "gd~2.schedule must be one of"),
     ("cosine.end=-9", "cosine.end"), ("schedule=moon", "schedule must be one of"),
     ("opt=\ud800", "opt must be one of")],
)  # fmt: skip
@EVERY_PAGE
def test_what_goes_along_is_checked_on_every_page(page: str, query: str, said: str) -> None:
    found, clean, (note,) = parse(query, page)
    assert (found, clean) == (parse("", page)[0], "")
    assert said in note


@pytest.mark.parametrize("query", ["lr=0.1", "of=gd", "view=1,2,3,4", "scene=race", "at=9"])
def test_what_a_page_has_of_its_own_is_no_control_of_another(query: str) -> None:
    name = query.partition("=")[0]
    assert parse(query)[1:] == ("", [f"{name!r} is no control."])


BAD_ASKS = [
    "_window=", "_window=1,0,1,0", "_window=nan,1,2,3", "_window=1e309,2e309,0,1", "_window=x",
    "_window=0,1,0", "_exact=yes", "_exact=", "_coarse=2", "_nosuch=1", "_=", "_window",
]  # fmt: skip
ASKS = [
    ("_window=0,1,0,1", Ask(((0.0, 1.0), (0.0, 1.0)))), ("_exact=1", Ask(exact=True)),
    ("_coarse=1", Ask(coarse=True)), *((ask, Ask()) for ask in BAD_ASKS),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "expected"), ASKS)
@EVERY_PAGE
def test_what_the_browser_asks_with_is_no_part_of_a_link(
    page: str, ask: str, expected: Ask
) -> None:
    """And what cannot be used of it is as if it were not there."""
    assert Ask.of(f"steps=7&{ask}") == expected
    assert parse(f"{ask}&steps=7", page) == (parse("steps=7", page)[0], "steps=7", [])


def fitting() -> list[tuple[str, str]]:
    """Names that links have, each with texts that it may have on some page."""
    found = {(name, repr(v)) for name, h in CONTROLS.items() for v in (h.low, h.default, h.high)}
    found |= {("opt", f"gd-{key}") for key in keys(OPTIMIZERS)} | {(axis, "1.5") for axis in "xy"}
    found |= {(name, key) for name in ("of", "to", "versus") for key in ("gd", "adam", "gd~2")}
    found |= {("gd~2.lr", "0.2"), ("gd~2.x", "1"), ("gd~2.schedule", "cosine"), ("lr", "0.3")}
    found |= {("view", "0.1,0.2,0.3,0.4"), ("view", "-2,2,-2,2"), ("zoom", "-2,2,-2,2")}
    found |= {("without", "momentum"), ("across", "condition"), ("at", "9"), ("sched", "cosine")}
    for page in PAGES.values():
        for name, entry in page.state.shown().items():
            found |= {(name, str(value)) for value, _ in entry.get("options", ())}
    return sorted(found)


# Some of it is text of any kind, and some is made of links' own words, which gets further.
PAIRS = fitting()
TEXTS = st.sampled_from(
    ["", "-", "1", "0.5", "-1", "0", "nan", "inf", "1e308", "1e309", "5e-324", "%", "%00", "+", "?",
     "#", ";", "\ud800", "\x00", "_", "☃", "gd-adam", "9,1,9,1", "moon", "x" * 50]
)  # fmt: skip
NAMES, VALUES = (st.sampled_from(sorted(set(side))) for side in zip(*PAIRS, strict=True))
GOOD = st.sampled_from(PAIRS).map("=".join)
QUERIES = (
    st.text()
    | st.lists(NAMES | VALUES | TEXTS | st.sampled_from("=&"), max_size=30).map("".join)
    | st.lists(GOOD | st.tuples(NAMES, VALUES | TEXTS).map("=".join), max_size=12).map("&".join)
)


@EVERY_PAGE
@settings(SEARCH, max_examples=250)
@given(QUERIES)
def test_no_text_raises(page: str, query: str) -> None:
    found, clean, notes = parse(query, page)
    check_notes(notes)
    assert all(note.endswith(".") for note in notes)
    # What was kept says the same, and nothing in it is wrong.
    assert parse(clean, page) == (found, clean, [])


@EVERY_PAGE
@settings(SEARCH, max_examples=25)
@given(st.lists(GOOD, max_size=12).map("&".join))
def test_what_a_page_calls_clean_it_answers_without_a_note(page: str, query: str) -> None:
    state = PAGES[page].state.read(query)
    header = told(state.clean, page)
    assert header["clean"] == state.clean
    assert header["surface"]["key"] == state.surface.key
    assert [entry["key"] for entry in header["entries"]] == [entry.key for entry in state.entries]


@settings(SEARCH, max_examples=300)
@given(st.sampled_from(sorted(CONTROLS)), st.text())
def test_no_value_raises(name: str, text: str) -> None:
    query = f"{name}={text}".replace("&", "")
    found, clean, notes = parse(query)
    check_notes(notes)
    assert notes == [] or clean == ""
    assert clean != "" or found == DEFAULT


def test_the_order_of_entries_is_the_same_for_every_link() -> None:
    chosen = [*OPTIMIZERS, "gd~2", "adam~9"]
    for seed in range(5):
        shuffled = random.Random(seed).sample(chosen, len(chosen))
        found, clean, _ = parse("opt=" + "-".join(shuffled))
        order = [entry.key for entry in found["entries"]]
        assert list(dict.fromkeys(key.split("~")[0] for key in order)) == list(OPTIMIZERS)
        assert order.index("gd~2") == order.index("gd") + 1
        assert parse(clean)[0] == found
    assert parse("opt=adam-gd")[0] == parse("opt=gd-adam")[0]


def test_a_method_named_twice_runs_once() -> None:
    assert methods_of(parse("opt=adam-gd-adam")[0]) == ["gd", "adam"]


def test_no_method_can_be_asked_for() -> None:
    found, clean, notes = parse("opt=")
    assert (found["entries"], clean, notes) == ((), "opt=", [])
    assert parse(clean)[0] == found


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
@pytest.mark.parametrize("page", ["compare", "step_by_step", "schedules"])
def test_a_suggested_lr_follows_the_surfaces_parameters(page: str, condition: float) -> None:
    """On the bowl the limits are 2/L and its like, L = 2κ: the share of them stays as it is."""
    state = PAGES[page].state.read(f"condition={condition}&rotation=20")
    for key, optimizer in OPTIMIZERS.items():
        one = PAGES[page].state.read(f"{state.clean}&of={key}&opt={key}")
        (lr,) = {entry.recipe.values["lr"] for entry in one.entries}
        usual = suggested_lr(BOWL, optimizer)
        share = 1.0 if optimizer.preconditioner else 50.0 / condition
        assert lr == state.reader.told[f"{key}.lr"] == pytest.approx(usual * share, rel=0.05)


def test_a_suggested_lr_leaves_its_surface_as_it_is_for_comparison_under_a_penalty() -> None:
    plateau = SURFACES["plateau"]
    assert suggested_lr(penalised(plateau, l2=9.0), OPTIMIZERS["gd"]) == plateau.pace.curvature


def test_the_surface_sets_the_suggested_lr_and_the_link_overrides_it() -> None:
    for key, surface in SURFACES.items():
        gd, adam = state_of(f"surface={key}&opt=gd-adam&adam.lr=0.125").entries
        assert gd.recipe.values["lr"] == suggested_lr(surface, OPTIMIZERS["gd"])
        assert adam.recipe.values["lr"] == 0.125


def test_a_parameter_moves_its_surface() -> None:
    surface = state_of("condition=7&rotation=-30").surface
    assert dict(zip(("condition", "rotation"), surface.args, strict=True)) == {
        "condition": 7.0,
        "rotation": -30.0,
    }


@pytest.mark.parametrize("hyper", [*CONTROLS.values()], ids=[*CONTROLS])
def test_a_catalog_entry_says_what_the_domain_is(hyper: Hyper) -> None:
    entry = control(hyper)
    assert entry["domain"] == str(hyper.domain)
    for bound, own in (("min", hyper.domain.low), ("max", hyper.domain.high)):
        assert entry[bound] == (own if math.isfinite(own) else None)
    assert (entry["openMin"], entry["openMax"]) == (hyper.domain.open_low, hyper.domain.open_high)
    copied = ("name", "low", "high", "scale", "default", "about")
    assert [entry[name] for name in copied] == [getattr(hyper, name) for name in copied]


def test_what_only_the_browser_uses_is_checked_and_kept() -> None:
    query = "speed=1000&field=1&ghost=1&t=12&paused=1&zoom=-1%2C1%2C0%2C2"
    found, clean, notes = parse(query)
    assert notes == []
    assert dict(parse_qsl(clean)) == dict(parse_qsl(query))
    assert found["zoom"] == (-1.0, 1.0, 0.0, 2.0)
    assert (found["t"], found["entries"]) == (12.0, DEFAULT["entries"])
