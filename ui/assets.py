"""The player's files and Plotly.js, served by the app itself: compressed once, cached for good."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ui.catalog import catalog
from ui.encoding import zipped

FOLDER = Path(__file__).parent / "player"
PLOTLY = "plotly.js"
KINDS = {
    ".js": "modulepreload",
    ".css": "preload; as=style",
    ".json": "preload; as=fetch; crossorigin",
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
# Each page's address below the base path, and the script that main.js imports for it.
PAGES = {
    "": "main.js",
    "learning_rate": "rates.js",
    "step_by_step": "steps.js",
    "schedules": "schedules.js",
}
STATIC = re.compile(r'^(?:import|export)\b[^"]*?\bfrom "\./([\w.]+)"', re.MULTILINE)


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
    for name, content in _sources().items():
        whole.update(f"{name} {len(content)} ".encode() + content)
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
        # Another version's server may have it: nobody on the way may keep this answer.
        headers = {"Cache-Control": "no-store"}
        return PlainTextResponse("No such asset.", status_code=404, headers=headers)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return zipped(request, _compressed(name), TYPES[Path(name).suffix], headers)


ROUTES = [Route("/lab/{digest}/{name}", _asset)]


def _imported(name: str, found: dict[str, None]) -> dict[str, None]:
    """A script and all that it imports at its start, in the order in which it is met."""
    if name not in found:
        found[name] = None
        for other in STATIC.findall(_sources()[name].decode()):
            _imported(other, found)
    return found


@cache
def links(page: str) -> str:
    """The Link header of a page: what it needs, so that the browser loads it meanwhile."""
    data = [name for name in _sources() if Path(name).suffix in (".css", ".json")]
    scripts = _imported(PAGES[page], _imported("main.js", {}))
    kinds = {name: KINDS[Path(name).suffix] for name in (*scripts, *data)}
    kinds[PLOTLY] = "preload; as=script"  # not a module
    return ", ".join(f"<{address(name)}>; rel={kind}" for name, kind in kinds.items())


def prepare() -> None:
    """Compress everything now and not while the first visitor waits."""
    for name in _sources():
        _compressed(name)
