"""What every request meets first: the base path, the host, and the headers of each answer."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message
from streamlit.config import set_option

from pages import PAGES
from tests.test_assets import APP, ask
from ui.server import answers, assets, gate, settings
from ui.server.waiting import Waiting

FLAGGED = "command-line argument or environment variable"  # as `streamlit config show` says
CONFIG = Path(__file__).parents[1] / ".streamlit" / "config.toml"


@pytest.fixture
def option(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets one of Streamlit's options for one test."""
    before = {key: st.get_option(key) for _, (key, _) in settings.VARIABLES.items()}
    yield set_option
    for key, value in before.items():
        set_option(key, value)


def app() -> ASGIApp:
    """Beneath the base path a stand-in for Streamlit that echoes the path; ours as in the app."""

    async def echo(request: Request) -> Response:
        return HTMLResponse(request.url.path)

    base = st.get_option("server.baseUrlPath").strip("/")
    inner = [Mount("/" + base, routes=[Route("/{path:path}", echo)])] if base else APP.routes
    return Starlette(
        routes=[*answers.routes(PAGES), assets.ROUTE, *inner], middleware=[Middleware(gate.Gate)]
    )


@pytest.mark.parametrize("base", ["optim", "/optim/", "courses/optim"])
def test_everything_is_beneath_the_base_path_stripped_or_not(base: str, option: Any) -> None:
    option("server.baseUrlPath", base)
    base = "/" + base.strip("/")
    for prefix in (base, ""):
        answer = assets.address("answer/compare")
        for path in (assets.address(assets.MAIN), answer, "lab/step_by_step.csv"):
            assert ask(f"{prefix}/{path}", app=app())[0] == 200
            assert ask(f"{prefix}/x/{path}", app=app())[0] == 404
        assert ask(f"{prefix}/lab/0000000000000000/{assets.MAIN}", app=app())[0] == 404
        status, _, body = ask(f"{prefix}/learning_rate", app=app())
        assert (status, body.decode()) == (200, f"{base}/learning_rate")


@pytest.mark.parametrize(
    ("base", "address", "right"),
    [
        ("optim", "/optim", "/optim/"),
        ("a/b", "/a/b", "/a/b/"),
        ("optim", "/optim/learning_rate/", "/optim/learning_rate"),
        ("", "/learning_rate/", "/learning_rate"),
    ],
)
def test_an_address_nearly_right_leads_to_the_right_one(
    base: str, address: str, right: str, option: Any
) -> None:
    option("server.baseUrlPath", base)
    status, headers, _ = ask(address, query="opt=gd&x=1", app=app())
    assert status == 307
    # The browser may know the app by another host and path than the app does.
    assert not headers["location"].startswith(("/", "http"))
    for front in ("http://lab", "https://proxy.example/courses"):
        assert urljoin(front + address, headers["location"]) == f"{front}{right}?opt=gd&x=1"


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8501", 200), ("a.uni.example", 200), ("evil.example", 400), ("", 400),
     ("localhost.evil.example", 400), ("uni.example", 400)],
)  # fmt: skip
def test_a_foreign_host_is_refused(host: str, status: int, option: Any) -> None:
    assert ask("/", app=app(), host=host)[0] == 200
    option("server.allowedHosts", ["localhost", "*.uni.example"])
    for path in ("/", "/lab/step_by_step.csv", "/" + assets.address("answer/compare")):
        assert ask(path, app=app(), host=host)[0] == status


def test_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, option: Any) -> None:
    """`streamlit run` reads these two itself; uvicorn does not."""
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "optim")
    monkeypatch.setenv("STREAMLIT_SERVER_ALLOWED_HOSTS", "localhost *.uni.example")
    settings.read_environment()
    assert st.get_option("server.baseUrlPath") == "optim"
    assert st.get_option("server.allowedHosts") == ["localhost", "*.uni.example"]
    set_option("server.baseUrlPath", "flag", FLAGGED)
    settings.read_environment()
    assert st.get_option("server.baseUrlPath") == "flag"


@pytest.mark.parametrize(
    "path", ["/", "/data", "/nosuch", "/lab/x/y", "/lab/step_by_step.csv", "/lab/x/answer/compare"]
)
def test_every_answer_has_its_headers(path: str) -> None:
    _, headers, _ = ask(path)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    is_page = headers["content-type"].startswith("text/html")
    assert ("content-security-policy" in headers) == is_page


def test_a_server_that_starts_prepares_nothing_for_its_answer(monkeypatch: Any) -> None:
    """The catalog takes a while, and the first page of a visitor says only: wait."""
    monkeypatch.delattr(assets, "head")

    async def starting(scope: Any, receive: Any, send: Any) -> None:
        await HTMLResponse("wait", 503)(scope, receive, send)

    assert ask("/", app=gate.Gate(Waiting(starting)))[0] == 503


def test_the_policy_runs_no_text_and_allows_frames() -> None:
    parts = [part.split() for part in ask("/")[1]["content-security-policy"].split(";")]
    policy = {kind: sources for kind, *sources in parts}
    assert policy["default-src"] == ["'self'"]
    assert policy["object-src"] == ["'none'"]
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:"} & set(policy["script-src"])
    assert "frame-ancestors" not in policy


def test_other_kinds_of_traffic_pass_through(option: Any) -> None:
    """Streamlit talks over a websocket, whose messages have no headers."""
    option("server.baseUrlPath", "optim")
    seen: list[Any] = []

    async def inner(scope: Any, _receive: Any, send: Any) -> None:
        seen.append(scope["path"])
        await send({"type": "websocket.accept"})

    async def send(message: Message) -> None:
        seen.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    for path in ("/_stcore/stream", "/optim/_stcore/stream"):
        asyncio.run(gate.Gate(inner)({"type": "websocket", "path": path}, receive, send))
    assert seen == 2 * ["/optim/_stcore/stream", {"type": "websocket.accept"}]


def test_nothing_is_told_to_anybody() -> None:
    options = tomllib.loads(CONFIG.read_text())
    assert options["browser"]["gatherUsageStats"] is False
