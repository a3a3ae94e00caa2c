"""The Learning rate page as a session's script: what it is asked, and what it answers."""

from __future__ import annotations

import json
import struct
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from surfaces import SURFACES
from tests.test_app import APP, checked, part
from tests.test_rate_link import garbage
from ui.ask import Wish, wish
from ui.rate_link import DEFAULT_RACERS, panels_of, parse

PAGE = "pages/learning_rate.py"
PATIENCE = 30.0  # s


def page_at(query: dict[str, Any] | None = None) -> AppTest:
    """A new session that opens the page."""
    app = AppTest.from_file(APP, default_timeout=60).switch_page(PAGE)
    app.query_params.update(query or {})
    return checked(app.run())


def ask(app: AppTest, **wanted: Any) -> AppTest:
    return tell(app, json.dumps({"ask": {"query": "", "window": None} | wanted}))


def tell(app: AppTest, state: str) -> AppTest:
    states = WidgetStates()
    widget = states.widgets.add()
    widget.id = part(app, "rates").id
    widget.json_value = state
    return checked(app._run(states))


def header(app: AppTest, key: str) -> dict[str, Any]:
    """The first part of a message; a map's rows would take long to read one by one."""
    message = part(app, key).bytes
    (length,) = struct.unpack_from("<I", message)
    found: dict[str, Any] = json.loads(message[4 : 4 + length])
    return found


def answer(app: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(part(app, "answer").json)
    return found


def test_the_first_page() -> None:
    app = page_at()
    names = ["again", "surface", "rates", "map", "answer"]
    found = [e.proto.component_name for e in app.get("bidi_component")]
    assert found == [f"descent_{name}" for name in names]
    said = header(app, "rates")
    assert (said["surface"], said["query"], said["clean"], said["notes"]) == ("bowl", "", "", [])
    assert [run["key"] for run in said["runs"]] == list(DEFAULT_RACERS)
    assert len(said["four"]) == 4
    shown = header(app, "map")
    assert (shown["surface"], shown["panel"], shown["cells"]) == ("bowl", "map", 400)
    assert [axis["name"] for axis in shown["axes"]] == said["view"]["axes"]
    assert answer(app) == {"serial": 0, "job": None}


@pytest.mark.parametrize(
    ("key", "panel"), [(key, panel) for key, s in SURFACES.items() for panel in panels_of(s)]
)
def test_every_panel_of_every_surface_has_its_page(key: str, panel: str) -> None:
    app = page_at({"surface": key, "panel": panel, "steps": "20"})
    said, shown = header(app, "rates"), header(app, "map")
    assert (said["surface"], said["notes"]) == (key, [])
    assert header(app, "surface")["surface"] == shown["surface"] == key
    assert shown["panel"] == said["view"]["panel"]
    assert [axis["name"] for axis in shown["axes"]] == said["view"]["axes"]


def test_what_a_person_changes_is_answered() -> None:
    app = page_at({"surface": "beale"})
    before = part(app, "map").bytes
    query = "surface=beale&lr=0.5&steps=20"
    ask(app, query=query, serial=7)
    said = header(app, "rates")
    assert (said["query"], said["clean"], said["view"]["lr"]) == (query, query, 0.5)
    assert answer(app)["serial"] == 7
    assert part(app, "map").bytes != before, "it has fewer steps"
    maps = []
    for lr in (0.1, 0.2):
        ask(app, query=f"surface=beale&lr={lr}&steps=20", serial=8)
        maps.append(part(app, "map").bytes)
    assert maps[0] == maps[1], "the rate is an axis of the map"


def test_a_moving_hand_gets_a_coarse_map_and_no_curves() -> None:
    app = page_at()
    assert header(ask(app, fine=False), "map")["cells"] == 200
    assert "four" not in header(app, "rates")
    assert header(ask(app, fine=True), "map")["cells"] == 400
    assert "four" in header(app, "rates")


def test_a_change_outlives_the_address() -> None:
    app = page_at({"surface": "beale"})
    ask(app, query="surface=saddle&steps=9")
    assert header(checked(app.run()), "rates")["surface"] == "saddle"


def test_a_deep_map_is_computed_and_shown() -> None:
    app = page_at({"steps": "30"})
    query = "steps=30"
    deep = {"order": 1, "cells": 40, "steps": 20}
    until, serial = time.monotonic() + PATIENCE, 0
    while not (answer(app)["job"] or {}).get("ready"):
        assert time.monotonic() < until
        serial += 1
        ask(app, query=query, serial=serial, deep=deep, poll=serial)
        job = answer(app)["job"]
        assert (job["order"], job["error"], answer(app)["serial"]) == (1, None, serial)
    ask(app, query=query, serial=serial + 1, deep=deep)
    shown = header(app, "map")
    assert (shown["cells"], shown["steps"]) == (40, 20)
    # Another rate does not change what it shows; another start does.
    ask(app, query=query + "&lr=0.5", serial=serial + 2, deep=deep)
    assert header(app, "map")["cells"] == 40
    ask(app, query=query + "&x=2", serial=serial + 3, deep=deep)
    assert "changed" in answer(app)["job"]["error"]
    assert header(app, "map")["cells"] == 400
    # When it is no longer wanted, it is gone.
    ask(app, query=query, serial=serial + 4, deep=None)
    assert answer(app)["job"] is None
    assert header(app, "map")["cells"] == 400


def test_a_lost_session_finds_its_deep_map() -> None:
    """The page asks again, and another session answers: at once, since the map is kept."""
    deep, serial = {"order": 1, "cells": 41, "steps": 20}, 0
    first, until = page_at({"steps": "30"}), time.monotonic() + PATIENCE
    while header(first, "map")["cells"] != 41:
        assert time.monotonic() < until
        serial += 1
        ask(first, query="steps=30", serial=serial, deep=deep)
    back = ask(page_at({"steps": "30"}), query="steps=30", serial=1, deep=deep)
    assert answer(back)["job"]["ready"]
    assert part(back, "map").bytes == part(first, "map").bytes


def test_a_finished_deep_map_is_left_by_ending_its_order() -> None:
    app, deep = page_at({"steps": "30"}), {"order": 5, "cells": 10, "steps": 20}
    until, serial = time.monotonic() + PATIENCE, 0
    while header(app, "map")["cells"] != 10:
        assert time.monotonic() < until
        serial += 1
        ask(app, query="steps=30", serial=serial, deep=deep)
    assert header(ask(app, query="steps=30", deep=None), "map")["cells"] == 400


def test_too_large_a_deep_map_is_refused_and_the_live_one_stays() -> None:
    app = page_at()
    before = part(app, "map").bytes
    ask(app, serial=1, deep={"order": 1, "cells": 4000, "steps": 100_000})
    job = answer(app)["job"]
    assert "16,000,000 cells × 100,000 steps" in job["error"]
    assert job["error"].endswith(".")
    assert part(app, "map").bytes == before


DEEP = [
    "null", "5", '"x"', "[]", "{}", '{"order": null}', '{"order": "1"}', '{"order": 1.5}',
    '{"order": 1}', '{"order": true, "cells": true, "steps": true}',
    '{"order": 1, "cells": null, "steps": null}', '{"order": 1, "cells": "40", "steps": "20"}',
    '{"order": 1, "cells": -40, "steps": 20}', '{"order": 1, "cells": 40, "steps": -20}',
    '{"order": 1, "cells": 0, "steps": 0}', '{"order": 1, "cells": 1, "steps": 20}',
    '{"order": 1, "cells": 4001, "steps": 1}', '{"order": 1, "cells": 40.5, "steps": 20}',
    '{"order": 1, "cells": NaN, "steps": Infinity}', '{"order": 1, "cells": 1e308, "steps": 1}',
    '{"order": 1, "cells": [40], "steps": {"a": 1}}', '{"order": -1, "cells": 2, "steps": 1}',
    f'{{"order": 1, "cells": 1{"0" * 400}, "steps": 1}}',
    f'{{"order": 1, "cells": 2, "steps": 1{"0" * 400}}}',
    '{"order": 1, "cells": "<script>", "steps": "\\ud800"}',
]  # fmt: skip


@pytest.mark.parametrize("deep", DEEP, ids=lambda v: str(v)[:32])
def test_no_order_breaks_the_page(deep: str) -> None:
    app = tell(page_at(), f'{{"ask": {{"query": "steps=9", "deep": {deep}}}}}')
    assert header(app, "rates")["query"] == "steps=9"
    assert header(app, "map")["cells"] == 400
    job = answer(app)["job"]
    assert job is None or job["error"] is None or job["error"].endswith(".")


@pytest.mark.parametrize("cells", ["null", '"40"', "-40", "1", "4001", "40.5", "true", "1e308"])
def test_a_deep_map_of_no_size_is_refused_with_a_sentence(cells: str) -> None:
    app = tell(
        page_at(),
        f'{{"ask": {{"query": "", "deep": {{"order": 3, "cells": {cells}, "steps": 20}}}}}}',
    )
    job = answer(app)["job"]
    assert job["order"] == 3
    assert job["error"].startswith("cells must be")
    assert job["error"].endswith(".")


@pytest.mark.parametrize(
    "rest",
    [
        '"serial": null', '"serial": "9"', '"serial": -1', '"serial": NaN', '"serial": [1]',
        f'"serial": 1{"0" * 400}', '"fine": null', '"fine": "false"', '"fine": 0', '"poll": {}',
        '"window": "abc"', '"window": [[1, 0], [0, 1]]', '"nosuch": 1',
    ],
    ids=lambda v: str(v)[:24],
)  # fmt: skip
def test_no_wish_breaks_the_page(rest: str) -> None:
    app = tell(page_at(), f'{{"ask": {{"query": "steps=9", {rest}}}}}')
    assert header(app, "rates")["query"] == "steps=9"
    assert header(app, "map")["cells"] == 400


@pytest.mark.parametrize(
    "state", ["{}", '{"ask": null}', '{"ask": 3}', '{"ask": {"query": 5, "deep": 3}}']
)
def test_an_ask_without_a_query_leaves_the_address(state: str) -> None:
    app = page_at({"surface": "beale"})
    assert header(tell(app, state), "rates")["surface"] == "beale"


@pytest.mark.parametrize("state", [None, {}, {"ask": None}, {"ask": 3}, {"ask": [1]}])
def test_at_first_a_fine_map_is_wished_for(state: Any) -> None:
    assert wish(state) == Wish(0, True, None)


def test_no_address_breaks_the_page() -> None:
    for seed in range(8):
        app = page_at(garbage(seed))
        said, shown = header(app, "rates"), header(app, "map")
        assert said["surface"] == shown["surface"] == header(app, "surface")["surface"]
        view, clean, notes = parse(said["clean"])
        assert (view.setup.surface.key, clean, notes) == (said["surface"], said["clean"], [])
        assert [r.optimizer.key for r in view.setup.racers] == [run["key"] for run in said["runs"]]


def test_a_window_of_an_address_cannot_break_the_page() -> None:
    for view in ("0,1,0,0.9", "-1e308,1e308,0,1", "1e-320,1e300,0,0.9"):
        app = page_at({"view": view})
        assert len(header(app, "rates")["notes"]) == 1
        assert parse(urlencode({"view": view}))[0].window is None


def test_sessions_have_desks_of_their_own() -> None:
    first, second = page_at({"steps": "30"}), page_at({"steps": "30"})
    for serial in range(1, 200):
        ask(first, query="steps=30", serial=serial, deep={"order": 1, "cells": 10, "steps": 5})
        if header(first, "map")["cells"] == 10:
            break
    assert header(first, "map")["cells"] == 10
    assert header(ask(second, query="steps=30", serial=1), "map")["cells"] == 400
    assert header(ask(first, query="steps=30", serial=900), "map")["cells"] == 400
