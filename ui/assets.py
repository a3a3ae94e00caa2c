"""The player's files and Plotly.js, served by the app itself: compressed once, cached for good."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.catalog import catalog

FOLDER = Path(__file__).parent / "player"
PLOTLY = "plotly.js"
KINDS = {
    ".js": "modulepreload",
    ".css": "preload; as=style",
    ".json": "preload; as=fetch; crossorigin",
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


@cache
def _sources() -> dict[str, bytes]:
    plotly = files("plotly") / "package_data" / "plotly.min.js"
    return {
        PLOTLY: plotly.read_bytes(),
        "catalog.json": json.dumps(catalog(), allow_nan=False).encode(),
    } | {f.name: f.read_bytes() for f in sorted(FOLDER.iterdir()) if f.suffix in TYPES}


@cache
def digest() -> str:
    """Names this version of the assets in their address, so that a browser may keep them."""
    whole = hashlib.sha256()
    for content in _sources().values():
        whole.update(content)
    return whole.hexdigest()[:16]


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress(_sources()[name], 6)


def address(name: str) -> str:
    """The address of an asset, relative to the page."""
    return f"lab/{digest()}/{name}"


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _sources() or request.path_params["digest"] != digest():
        return PlainTextResponse("No such asset.", status_code=404)
    return Response(
        _compressed(name),
        media_type=TYPES[Path(name).suffix],
        headers={
            "Content-Encoding": "gzip",
            "Cache-Control": "public, max-age=31536000, immutable",
        },
    )


ROUTES = [Route("/lab/{digest}/{name}", _asset)]


@cache
def _links() -> str:
    kinds = {name: KINDS[Path(name).suffix] for name in _sources()}
    kinds[PLOTLY] = "preload; as=script"  # not a module
    return ", ".join(f"<{address(name)}>; rel={kind}" for name, kind in kinds.items())


class Preload:
    """Tells the browser with the page itself what it will need, so that it loads meanwhile."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_links(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("Link", _links())
            await send(message)

        await self.app(scope, receive, with_links)


def prepare() -> None:
    """Compress everything now and not while the first visitor waits."""
    for name in _sources():
        _compressed(name)
