"""Streamlit's own files: a third of their size for who takes gzip, and the same content."""

from __future__ import annotations

import gzip
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.test_assets import ask
from ui.server.smaller import Smaller

STATIC = Path(str(files("streamlit"))) / "static" / "static"
SCRIPT = max((STATIC / "js").glob("protobuf.*.js"), key=lambda file: file.stat().st_size)


async def _streamlit(_: Request) -> Response:
    return PlainTextResponse("Streamlit's own answer")


APP = Starlette(routes=[Route("/{path:path}", _streamlit)], middleware=[Middleware(Smaller)])


def fetched(path: str, **headers: str) -> tuple[int, Any, bytes]:
    return ask(path, app=APP, **headers)


@pytest.mark.parametrize("base", ["", "/optim"])
def test_a_script_is_sent_compressed_below_any_path(base: str) -> None:
    status, headers, body = fetched(f"{base}/static/js/{SCRIPT.name}", accept_encoding="gzip, br")
    assert (status, headers["content-encoding"], headers["vary"]) == (
        200,
        "gzip",
        "Accept-Encoding",
    )
    assert headers["content-type"].startswith("text/javascript")
    assert "immutable" in headers["cache-control"]
    assert gzip.decompress(body) == SCRIPT.read_bytes()
    assert len(body) < 0.4 * SCRIPT.stat().st_size


@pytest.mark.parametrize(
    "path",
    ["/static/js/nothing.js", "/static/../app.py", "/static/js/../../index.html", "/js", "/"],
)
def test_all_else_is_streamlits(path: str) -> None:
    assert fetched(path, accept_encoding="gzip")[2] == b"Streamlit's own answer"


def test_who_takes_no_gzip_gets_the_file_itself() -> None:
    path = f"/static/js/{SCRIPT.name}"
    assert fetched(path, accept_encoding="identity")[2] == b"Streamlit's own answer"
    assert fetched(path, accept_encoding="gzip;q=0")[2] == b"Streamlit's own answer"
