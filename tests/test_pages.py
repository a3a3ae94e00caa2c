"""The Step by step and Schedules pages as a session's script: what they are asked and answer."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from optim_core import OPTIMIZERS
from surfaces import SURFACES
from tests.test_app import APP, checked, garbage_address, header, part
from ui import schedule_link, step_link
from ui.scenes import SCENES

PAGES = {"steps": "pages/step_by_step.py", "schedules": "pages/schedules.py"}
PARSERS: dict[str, Any] = {"steps": step_link.parse, "schedules": schedule_link.parse}
EACH = pytest.mark.parametrize("key", PAGES)


def visit(key: str, address: dict[str, Any] | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60).switch_page(PAGES[key])
    app.query_params.update(address or {})
    return checked(app.run())


def tell(app: AppTest, key: str, query: str) -> AppTest:
    states = WidgetStates()
    widget = states.widgets.add()
    widget.id = part(app, key).id
    widget.json_value = json.dumps({"ask": {"query": query, "window": None}})
    return checked(app._run(states))


@EACH
def test_the_first_page(key: str) -> None:
    app = visit(key)
    assert [part(app, name).component_name for name in ("surface", key)] == [
        "descent_surface", f"descent_{key}",
    ]  # fmt: skip
    said = header(app, key)
    assert (said["surface"], said["query"], said["clean"], said["notes"]) == ("bowl", "", "", [])


@EACH
def test_every_surface_and_every_optimizer_has_its_page(key: str) -> None:
    for surface, of in zip(SURFACES, cycle(OPTIMIZERS), strict=False):
        said = header(visit(key, {"surface": surface, "of": of, "l1": "0.5"}), key)
        assert (said["surface"], said["notes"]) == (surface, [])


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_has_its_page(scene: str) -> None:
    assert header(visit("schedules", {"scene": scene}), "schedules")["scene"]["key"] == scene


@EACH
def test_no_address_breaks_the_page(key: str) -> None:
    for seed in range(8):
        said = header(visit(key, garbage_address(seed)), key)
        _, clean, notes = PARSERS[key](said["clean"])
        # A step that is too late for a run is so only beside the run's other settings.
        assert (clean, notes) == (said["clean"], [])


@EACH
def test_what_a_person_changes_is_answered(key: str) -> None:
    app = visit(key, {"surface": "plane"})
    query = "surface=saddle&of=adam&schedule=cosine&steps=12"
    said = header(tell(app, key, query), key)
    assert (said["surface"], said["query"], said["clean"]) == ("saddle", query, query)
    assert header(checked(app.run()), key)["surface"] == "saddle"
