"""What the pages answer: to every surface, scene and kind of map, and to whatever a link holds."""

from __future__ import annotations

import math
import random
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.spec import PENALTY, SHARED
from pages import PAGES
from surfaces import SURFACES
from tests.reading import header_of
from ui.panel import window_of
from ui.panels.map.places import panels_of
from ui.panels.scene.scenes import SCENES
from ui.panels.surface.panel import MARGIN

INF = math.inf
EACH = pytest.mark.parametrize("page", PAGES)


def said(page: str, query: str = "") -> dict[str, Any]:
    """The header of a page's message."""
    return header_of(PAGES[page].message(query))


def large(page: str, panel: str, query: str = "") -> dict[str, Any]:
    return header_of(PAGES[page].large(panel, query))


@pytest.mark.parametrize(
    ("page", "panels", "entries"),
    [
        ("compare", {"paths"}, ["gd", "momentum", "adam"]),
        (
            "learning_rate",
            {"paths", "bands", "report", "four", "map"},
            ["gd", "momentum", "nesterov"],
        ),
        ("step_by_step", {"paths", "formula", "parts"}, ["adam"]),
        ("schedules", {"paths", "scene"}, ["constant", "exponential", "one_cycle", "cosine"]),
    ],
)
def test_the_first_answer(page: str, panels: set[str], entries: list[str]) -> None:
    first = said(page)
    assert (first["surface"]["key"], first["clean"], first["notes"]) == ("bowl", "", [])
    assert set(first["panels"]) == panels
    shown = [entry["key"] for entry in first["entries"]]
    assert sorted(shown) == sorted(entries)
    assert [run["key"] for run in first["panels"]["paths"]["runs"]] == shown
    assert large(page, "surface")["surface"] == "bowl"


@EACH
def test_every_surface_and_every_optimizer_has_its_answer(page: str) -> None:
    for surface, of in zip(SURFACES, cycle(OPTIMIZERS), strict=False):
        every = "-".join(OPTIMIZERS) if page == "compare" else of
        query = f"surface={surface}&steps=40&l1=0.5"
        query += f"&opt={every}" if page in ("compare", "learning_rate") else f"&of={of}"
        first = said(page, query)
        assert (first["surface"]["key"], first["notes"]) == (surface, [])
        assert parse_qs(first["clean"]) == parse_qs(query)
        assert large(page, "surface", f"surface={surface}&l1=0.5")["surface"] == surface


@pytest.mark.parametrize(
    ("surface", "panel"), [(key, panel) for key, s in SURFACES.items() for panel in panels_of(s)]
)
def test_every_kind_of_map_of_every_surface_has_its_answer(surface: str, panel: str) -> None:
    query = f"surface={surface}&panel={panel}&steps=20"
    view = said("learning_rate", query)["panels"]["map"]["view"]
    shown = large("learning_rate", "map", query + "&_coarse=1")
    assert (shown["surface"], shown["panel"]) == (surface, panel) == (surface, view["panel"])
    assert [axis["name"] for axis in shown["axes"]] == view["axes"]


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_has_its_answer(scene: str) -> None:
    first = said("schedules", f"scene={scene}")
    assert (first["panels"]["scene"]["key"], first["notes"]) == (scene, [])


@EACH
def test_no_runs_have_an_answer(page: str) -> None:
    query = "sched=" if page == "schedules" else "opt="
    runs = said(page, query)["panels"]["paths"]["runs"]
    assert (runs == []) == (page != "step_by_step")


def test_while_a_hand_moves_the_map_is_coarse_and_the_curves_stay() -> None:
    assert large("learning_rate", "map", "_coarse=1")["cells"] == 200
    assert "four" not in said("learning_rate", "_coarse=1")["panels"]
    assert large("learning_rate", "map")["cells"] == 400
    assert "four" in said("learning_rate")["panels"]
    assert [key for key, page in PAGES.items() if page.has_coarse] == ["learning_rate"]


def test_a_map_does_not_depend_on_the_rate_which_is_its_axis() -> None:
    page, query = PAGES["learning_rate"], "surface=beale&steps=20&_coarse=1"
    maps = [page.large("map", f"{query}{rest}") for rest in ("&lr=0.1", "&lr=0.2", "&x=2")]
    assert maps[0] == maps[1] != maps[2]


def test_a_zoomed_window_has_a_margin_for_panning() -> None:
    window = large("compare", "surface", "surface=saddle&_window=0,1,2,4")["window"]
    assert window == [[-MARGIN, 1.0 + MARGIN], [2.0 - 2.0 * MARGIN, 4.0 + 2.0 * MARGIN]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0,1,2,4", ((0.0, 1.0), (2.0, 4.0))),
        ("0,1", ((0.0, 1.0),)),
        ("-1e-9,1e-9,5,6", ((-1e-9, 1e-9), (5.0, 6.0))),
        ("0,1e-320,0,1", ((0.0, 1e-320), (0.0, 1.0))),
        *(
            (text, None)
            for text in (
                "", "7", "ab", "0,1,2", "0,1,2,3,4,5", "a,1", ",1", "0,1,,", "1,0", "1,1",
                "nan,1", "0,nan", "-inf,inf", "0,inf", "0,1e309", "-1e308,1e308", "0,1.2e308",
                "0,1,1,0", f"0,1{'0' * 400}", "1_0,20", "٣,4", "[[0, 1]]", "☃" * 999,
            )
        ),
    ],
    ids=lambda v: ascii(v)[:24],
)  # fmt: skip
@pytest.mark.parametrize("surface", ["plane", "parabola"])
def test_a_window_is_usable_or_none(text: str, expected: Any, surface: str) -> None:
    found = window_of(text)
    assert found == expected
    # It is a key of a cache, and 0 and 0.0 would be told apart in a message.
    assert found is None or all(type(end) is float for ends in found for end in ends)
    # One of as many axes as the surface has is shown, and no text breaks the answer.
    asked = urlencode({"surface": surface, "_window": text, "_exact": "1"})
    shown = large("compare", "surface", asked)["window"]
    whole = large("compare", "surface", f"surface={surface}")["window"]
    fits = found is not None and len(found) == SURFACES[surface].dim
    assert (shown == whole) == (not fits)


@pytest.mark.parametrize(
    "query", ["\ud800", "\ud800=\udfff", "x=\ud800", "\x00", "&&&===", "☃" * 4096, "?" * 9],
    ids=lambda v: ascii(v)[:16],
)  # fmt: skip
@EACH
def test_no_query_breaks_an_answer(page: str, query: str) -> None:
    first = said(page, query)
    assert first["surface"]["key"] == "bowl"
    assert first["notes"]


NAMES = [
    "surface", "opt", "x", "y", "condition", "rotation", "steps", "noise", "seed", "speed", "field",
    "of", "versus", "without", "shown", "scene", "sched", "at", "to", "panel", "across", "view",
    "lr", "tuned", "zoom", "t", "paused", "ghost", "gd~2.lr", "gd~2.x", "adam.schedule",
    *(f"{key}.{h.name}" for key, o in OPTIMIZERS.items() for h in o.hypers),
    *(f"{key}.{h.name}" for key, s in SCHEDULES.items() for h in s.hypers),
    *(h.name for h in (*SHARED, *PENALTY)), "schedule", "_window", "_coarse", "_exact",
]  # fmt: skip
GARBAGE = [
    "", "garbage", "1e308", "-1e308", "1e309", "NaN", "inf", "-0", "0", "1", "0.999", "1e-308",
    "☃" * 50, "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "**bold** :red[x] $x$",
    "%00", "\x00", "a\nb", "gd-adam", "gd-gd-moon", "-".join(OPTIMIZERS), "x" * 5000,
    "../../etc/passwd", "{{7*7}}", "__import__('os')", "1_000", "9" * 400, "5000", "plane",
    "parabola", "plateau", "rastrigin", "cosine", "performance", "12", "0.5", "gd-gd~2-adam",
    "0,1,0,0.9", "-1e308,1e308,0,1", "1e-320,1e300,0,0.9", "resume", "handoff", "basins", "orbits",
]  # fmt: skip


def garbage(seed: int) -> str:
    dice = random.Random(seed)
    address: dict[str, Any] = {}
    for _ in range(dice.randint(1, 12)):
        name = dice.choice([*NAMES, *(NAMES[:28] * 3), *GARBAGE[:16]])
        right = name == "surface" and dice.random() < 0.5
        value: Any = dice.choice([*SURFACES] if right else GARBAGE)
        if dice.random() < 0.1:
            value = [value] * dice.choice([2, 1000])
        address[name] = value
    return urlencode(address, doseq=True)


@EACH
def test_no_address_breaks_a_page(page: str) -> None:
    for seed in range(20):
        query = garbage(seed)
        first = said(page, query)
        assert first["surface"]["key"] in SURFACES
        for panel in (panel.key for panel in PAGES[page] if panel.large):
            assert large(page, panel, query + "&_coarse=1")["surface"] == first["surface"]["key"]
        # What is left of the address is right, and says the same.
        again = said(page, first["clean"])
        assert (again["clean"], again["notes"]) == (first["clean"], []), query
        assert again["entries"] == first["entries"]


@EACH
def test_the_garbage_is_garbage_and_not_all_of_it(page: str) -> None:
    """Else the test above would look at defaults all the time."""
    read = [PAGES[page].state.read(garbage(seed)) for seed in range(100)]
    assert sum(bool(state.notes) for state in read) > 50
    assert sum(bool(state.clean) for state in read) > 25
    assert len({state.surface.key for state in read}) > 2


def test_a_repeated_name_is_said() -> None:
    first = said("compare", "steps=7&steps=8")
    (note,) = first["notes"]
    assert "more than once" in note
    assert parse_qs(first["clean"]) == {"steps": ["8"]}
