"""The whole app as a session's script, without a browser: what it is asked, and what it answers."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.spec import PENALTY, SHARED
from surfaces import SURFACES
from tests.test_wire import decode
from ui import assets
from ui.ask import asked, window_of
from ui.permalink import DEFAULT_RACERS, DEFAULT_SURFACE, parse
from ui.race import MARGIN

APP = str(Path(__file__).parents[1] / "app.py")
INF, NAN = math.inf, math.nan


def visit(address: dict[str, Any] | None = None) -> AppTest:
    """A new session at an address."""
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params.update(address or {})
    return checked(app.run())


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [e.message for e in app.exception]
    assert not app.error
    assert not app.warning
    return app


def part(app: AppTest, key: str) -> Any:
    """What a component was given; AppTest knows no second version of components by a class."""
    (found,) = (e for e in app.get("bidi_component") if e.key == key)
    return found.proto


def header(app: AppTest, key: str = "race") -> dict[str, Any]:
    return decode(part(app, key).bytes)[0]


def tell(app: AppTest, state: str) -> AppTest:
    """What a browser does: it sends the component's new state as JSON text."""
    states = WidgetStates()
    widget = states.widgets.add()
    widget.id = part(app, "race").id
    widget.json_value = state
    return app._run(states)


def test_the_first_page() -> None:
    app = visit()
    assert [part(app, key).component_name for key in ("surface", "race")] == [
        "descent_surface",
        "descent_race",
    ]
    said = header(app)
    assert (said["surface"], said["query"], said["clean"], said["notes"]) == (
        DEFAULT_SURFACE, "", "", [],
    )  # fmt: skip
    assert [run["key"] for run in said["runs"]] == list(DEFAULT_RACERS)
    assert header(app, "surface")["surface"] == DEFAULT_SURFACE


def test_components_load_their_code_from_the_cached_address() -> None:
    app = visit()
    for key in ("surface", "race"):
        code = part(app, key).js_content
        assert repr(assets.address("main.js")) in code
        assert f"m.{key}(c)" in code
        # It goes over the wire with every answer.
        assert len(code) < 240
    assert "data-lab" in part(app, "race").html_content


@pytest.mark.parametrize("key", SURFACES)
def test_every_surface_has_its_page(key: str) -> None:
    app = visit({"surface": key, "opt": "-".join(OPTIMIZERS)})
    said = header(app)
    assert (said["surface"], said["notes"]) == (key, [])
    assert [run["key"] for run in said["runs"]] == list(OPTIMIZERS)
    assert header(app, "surface")["surface"] == key


def test_no_racers_have_a_page() -> None:
    assert header(visit({"opt": ""}))["runs"] == []


def test_a_wrong_value_is_said_on_the_page() -> None:
    said = header(visit({"surface": "plane", "steps": "soon", "gd.lr": "0.5"}))
    assert said["surface"] == "plane"
    assert len(said["notes"]) == 1
    assert "steps" in said["notes"][0]
    assert parse_qs(said["clean"]) == {"surface": ["plane"], "gd.lr": ["0.5"]}


def test_a_repeated_name_reaches_the_page_as_such() -> None:
    said = header(visit({"steps": ["7", "8"]}))
    assert len(said["notes"]) == 1
    assert "more than once" in said["notes"][0]
    assert said["clean"] == "steps=8"


NAMES = [
    "surface", "opt", "x", "y", "condition", "rotation", "steps", "noise", "seed", "speed", "field",
    *(f"{key}.{h.name}" for key, o in OPTIMIZERS.items() for h in o.hypers),
    *(f"{key}.{h.name}" for key, s in SCHEDULES.items() for h in s.hypers),
    *(h.name for h in (*SHARED, *PENALTY)), "schedule",
]  # fmt: skip
GARBAGE = [
    "", "garbage", "1e308", "-1e308", "1e309", "NaN", "inf", "-0", "0", "1", "0.999", "1e-308",
    "☃" * 50, "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "**bold** :red[x] $x$",
    "%00", "\x00", "a\nb", "gd-adam", "gd-gd-moon", "-".join(OPTIMIZERS), "x" * 5000,
    "../../etc/passwd", "{{7*7}}", "__import__('os')", "1_000", "9" * 400, "5000", "plane",
    "parabola", "plateau", "rastrigin", "cosine", "performance", "12", "0.5",
]  # fmt: skip


def garbage_address(seed: int) -> dict[str, Any]:
    dice = random.Random(seed)
    address: dict[str, Any] = {}
    for _ in range(dice.randint(1, 12)):
        name = dice.choice([*NAMES, *(NAMES[:11] * 4), *GARBAGE[:16]])
        right = name == "surface" and dice.random() < 0.5
        value: Any = dice.choice([*SURFACES] if right else GARBAGE)
        if dice.random() < 0.1:
            value = [value] * dice.choice([2, 1000])
        address[name] = value
    return address


def test_no_address_breaks_the_page() -> None:
    for seed in range(20):
        address = garbage_address(seed)
        app = visit(address)
        said = header(app)
        assert said["surface"] in SURFACES
        assert header(app, "surface")["surface"] == said["surface"]
        # What is left of the address is right, and says the same.
        setup, clean, notes = parse(said["clean"])
        assert (setup.surface.key, clean, notes) == (said["surface"], said["clean"], []), address
        assert [r.optimizer.key for r in setup.racers] == [run["key"] for run in said["runs"]]


def test_the_garbage_is_garbage_and_not_all_of_it() -> None:
    """Else the test above would look at defaults a hundred times."""
    read = [parse(urlencode(garbage_address(seed), doseq=True)) for seed in range(100)]
    assert sum(bool(notes) for _, _, notes in read) > 50
    assert sum(bool(clean) for _, clean, _ in read) > 25
    assert len({setup.surface.key for setup, _, _ in read}) > 2


def test_what_a_person_changes_is_answered() -> None:
    app = visit({"surface": "plane"})
    query = "surface=saddle&steps=7"
    state = {"ask": {"query": query, "window": [[0.0, 1.0], [2.0, 4.0]]}}
    said = header(checked(tell(app, json.dumps(state))))
    assert (said["surface"], said["query"], said["clean"]) == ("saddle", query, query)
    # A margin on each side, for panning.
    expected = [[-MARGIN, 1.0 + MARGIN], [2.0 - 2.0 * MARGIN, 4.0 + 2.0 * MARGIN]]
    assert header(app, "surface")["window"] == expected


def test_a_change_outlives_the_address() -> None:
    """The player writes the address itself, later, and a rerun for another reason must not undo."""
    app = visit({"surface": "plane"})
    tell(app, json.dumps({"ask": {"query": "surface=saddle", "window": None}}))
    assert header(checked(app.run()))["surface"] == "saddle"


@pytest.mark.parametrize(
    "state",
    [
        '{"ask": null}',
        '{"ask": {"query": ["surface=saddle"]}}',
        '{"ask": {"window": [[0, 1], [0, 1]]}}',
        '{"other": {"query": "surface=saddle"}}',
    ],
)
def test_an_ask_without_a_query_leaves_the_address(state: str) -> None:
    app = checked(tell(visit({"surface": "plane"}), state))
    assert header(app)["surface"] == "plane"


WINDOWS = [
    "null", "5", "true", '"ab"', "{}", '{"a": 1}', "[]", "[[]]", "[1, 2]", "[[0, 1]]",
    "[[0, 1], [0, 1], [0, 1]]", "[[1, 0], [0, 1]]", "[[0, 0], [0, 1]]", "[[null, 1], [0, 1]]",
    '[["a", "b"], [0, 1]]', "[[0, 1, 2], [0, 1]]", "[[NaN, 1], [0, 1]]", "[[[0], [1]], [0, 1]]",
    "[[-Infinity, Infinity], [0, 1]]", "[[-1e308, 1e308], [0, 1]]", "[[0, 1e308], [0, 1]]",
    "[[1.7e308, 1.79e308], [0, 1]]", "[[0, 1.2e308], [0, 1]]", f"[[0, 1{'0' * 400}], [0, 1]]",
    "[[0, 1e-320], [0, 1]]",
]  # fmt: skip


@pytest.mark.parametrize("surface", ["plane", "parabola"])
def test_no_window_breaks_the_page(surface: str) -> None:
    query = json.dumps(f"surface={surface}")
    app = visit()
    for window in WINDOWS:
        text = window if surface == "plane" else window.replace(", [0, 1]]", "]")
        tell(app, f'{{"ask": {{"query": {query}, "window": {text}}}}}')
        assert header(checked(app), "surface")["surface"] == surface, text


@pytest.mark.parametrize(
    "query", ["\ud800", "\ud800=\udfff", "x=\ud800", "\x00", "&&&===", "☃" * 4096, "?" * 9],
    ids=lambda v: ascii(v)[:16],
)  # fmt: skip
def test_no_query_of_an_ask_breaks_the_page(query: str) -> None:
    app = tell(visit(), json.dumps({"ask": {"query": query, "window": None}}))
    said = header(checked(app))
    assert said["query"] == query
    assert said["surface"] == DEFAULT_SURFACE
    assert said["notes"]


@pytest.mark.parametrize("state", [None, {}, {"ask": None}, {"ask": 3}, {"ask": {"query": 3}}])
def test_at_first_the_address_is_asked_for(state: Any) -> None:
    assert asked(state, "steps=7") == ("steps=7", None)


def test_an_ask_goes_before_the_address() -> None:
    window = [[0, 1]]
    assert asked({"ask": {"query": "", "window": window}}, "steps=7") == ("", window)
    assert asked({"ask": {"query": "steps=8"}}, "steps=7") == ("steps=8", None)


@pytest.mark.parametrize(
    ("value", "dim", "expected"),
    [
        ([[0, 1], [2, 4]], 2, ((0.0, 1.0), (2.0, 4.0))),
        ([[0, 1]], 1, ((0.0, 1.0),)),
        ([[-1e-9, 1e-9], [5, 6]], 2, ((-1e-9, 1e-9), (5.0, 6.0))),
        ([[0, 1]], 2, None),
        ([[0, 1], [2, 4]], 1, None),
        ([], 1, None),
        ([], 2, None),
        (None, 2, None),
        (7, 1, None),
        ("ab", 1, None),
        (b"ab", 1, None),
        ({}, 1, None),
        ([[0, 1, 2]], 1, None),
        ([[0]], 1, None),
        ([[None, 1]], 1, None),
        ([["a", 1]], 1, None),
        ([[1, 0]], 1, None),
        ([[1, 1]], 1, None),
        ([[NAN, 1]], 1, None),
        ([[0, NAN]], 1, None),
        ([[-INF, INF]], 1, None),
        ([[0, INF]], 1, None),
        ([[-1e308, 1e308]], 1, None),
        ([[0, 1], [1, 0]], 2, None),
        ([[0, 10**400]], 1, None),
    ],
    ids=lambda v: repr(v)[:24],
)
def test_a_window_is_usable_or_none(value: Any, dim: int, expected: Any) -> None:
    found = window_of(value, dim)
    assert found == expected
    # It is a key of a cache, and 0 and 0.0 would be told apart in a message.
    assert found is None or all(type(end) is float for ends in found for end in ends)


def test_sessions_do_not_see_each_other() -> None:
    first, second = visit({"surface": "plane"}), visit()
    tell(first, json.dumps({"ask": {"query": urlencode({"surface": "saddle"}), "window": None}}))
    assert header(checked(second.run()))["surface"] == DEFAULT_SURFACE
    assert header(checked(first.run()))["surface"] == "saddle"
