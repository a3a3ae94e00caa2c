"""What a page answers when something breaks, and when a session begins with an ask."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from tests.test_app import APP, header, part
from tests.test_assets import ask
from ui import assets
from ui.page import FAILED
from ui.waiting import Waiting

PAGES = {
    "race": "pages/compare.py",
    "rates": "pages/learning_rate.py",
    "steps": "pages/step_by_step.py",
    "schedules": "pages/schedules.py",
}
# The function that makes each page's main message.
MAKERS = {
    "race": "ui.race.race_message",
    "rates": "ui.rates.rates_message",
    "steps": "ui.steps.steps_message",
    "schedules": "ui.schedules.schedules_message",
}


def open_page(key: str) -> AppTest:
    return AppTest.from_file(APP, default_timeout=60).switch_page(PAGES[key])


def broken(*_: Any, **__: Any) -> bytes:
    raise ZeroDivisionError("at /srv/secret/path.py")


@pytest.mark.parametrize("key", PAGES)
def test_an_exception_does_not_replace_a_page(
    key: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(MAKERS[key], broken)
    with caplog.at_level(logging.ERROR):
        app = open_page(key).run()
    assert not app.exception
    # The component stays where it is, with the sentence; its page is told nothing of the cause.
    said = header(app, key)
    assert (said["failed"], said["serial"]) == (FAILED, 0)
    assert "secret" not in json.dumps(said)
    assert "at /srv/secret/path.py" in caplog.text
    assert "Traceback" in caplog.text
    monkeypatch.undo()
    assert "failed" not in header(app.run(), key)


def test_an_exception_after_the_runs_leaves_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.maps.live_message", broken)
    app = open_page("rates").run()
    assert not app.exception
    assert header(app, "rates")["runs"]
    assert json.loads(part(app, "answer").json) == {"failed": FAILED, "serial": 0}


def test_what_no_page_catches_shows_no_paths() -> None:
    assert st.get_option("client.showErrorDetails") == "none"


@pytest.mark.parametrize("key", PAGES)
def test_a_new_session_answers_what_the_page_asks_for(key: str) -> None:
    """A browser that comes back after a restart sends its state with the first run; the address is
    the one that the page was opened at."""
    known = open_page(key).run()
    ask = {"query": "surface=saddle&steps=7", "serial": 12, "window": None}
    states = WidgetStates()
    for name, serial in ((key, 11), (f"{key}-again", 12)):
        widget = states.widgets.add()
        widget.id = part(known, name).id
        widget.json_value = json.dumps({"ask": ask | {"serial": serial}})
    app = open_page(key)
    app.query_params["surface"] = "plane"
    said = header(app._run(states), key)
    assert (said["surface"], said["query"], said["serial"]) == ("saddle", ask["query"], 12)


async def page(_request: Request) -> Response:
    return HTMLResponse("<html><head><title>☃</title></head></html>", headers={"ETag": "1"})


async def data(_request: Request) -> Response:
    return JSONResponse({"text": "</head>"}, headers={"ETag": "1"})


def test_a_page_loads_the_script_that_watches_its_connection() -> None:
    app = Starlette(
        routes=[Route("/", page), Route("/data", data)], middleware=[Middleware(Waiting)]
    )
    script = f'<script type="module" src="./{assets.address("waiting.js")}"></script></head>'
    status, headers, body = ask("/", app=app)
    assert (status, body.decode().count(script), body.decode()[-14:]) == (200, 1, "</head></html>")
    assert int(headers["content-length"]) == len(body)
    assert "etag" not in headers, "it would be that of another version's script"
    assert ask("/data", app=app)[2] == b'{"text":"</head>"}'
    assert "etag" in ask("/data", app=app)[1]
