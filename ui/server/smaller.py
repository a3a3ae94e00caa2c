"""Streamlit's own scripts and styles, compressed once: it sends them as they are, 2 MB at first."""

from __future__ import annotations

import asyncio
import gzip
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.server.encoding import takes_gzip, zipped

FOLDER = Path(str(files("streamlit"))) / "static"
TYPES = {".js": "text/javascript", ".css": "text/css"}
# Their names change with their content.
HEADERS = {"Cache-Control": "public, immutable, max-age=31536000"}


@cache
def _known() -> dict[str, Path]:
    """The files by their addresses below the base path."""
    return {
        f"static/{file.relative_to(FOLDER / 'static').as_posix()}": file
        for file in (FOLDER / "static").rglob("*.*")
        if file.suffix in TYPES
    }


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(_known()[name].read_bytes(), 6)


class Smaller:
    """Answers what Streamlit's page loads first, to who takes gzip; all else goes on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = self.app
        if scope["type"] == "http" and scope["method"] == "GET":
            name = "static/" + scope["path"].rpartition("/static/")[2]
            request = Request(scope)
            if name in _known() and takes_gzip(request.headers.get("accept-encoding", "")):
                content = await asyncio.to_thread(_compressed, name)
                answer = zipped(request, content, TYPES[Path(name).suffix], HEADERS)
        await answer(scope, receive, send)
