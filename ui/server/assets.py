"""The browser's files and Plotly.js, served by the app itself: compressed once, cached for good."""

from __future__ import annotations

import gzip
import hashlib
import json
import posixpath
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ui.catalog import catalog
from ui.page import Page
from ui.server.encoding import zipped

UI = Path(__file__).parent.parent
ROOT = UI.parent
FOLDERS = ("browser", "panels")
# Whatever an answer is computed by, so that two versions never share an address.
CODE = ("optim_core", "surfaces", "figures", "ui", "pages")
MAIN = "browser/kernel/main.js"
PLOTLY = "plotly.js"
CATALOG = "catalog.json"
KINDS = {
    ".js": 'rel="modulepreload"',
    ".css": 'rel="preload" as="style"',
    ".json": 'rel="preload" as="fetch" crossorigin',
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
STATIC = re.compile(r'^(?:import|export)\b[^"]*?\bfrom "(\.[\w./]+)"', re.MULTILINE)

_pages: dict[str, Page] = {}


def serve(pages: Mapping[str, Page]) -> None:
    """Say which pages there are, before anything is asked for."""
    _pages.update(pages)


@cache
def _sources() -> dict[str, bytes]:
    plotly = files("plotly") / "package_data" / "plotly.min.js"
    found = {
        PLOTLY: plotly.read_bytes(),
        CATALOG: json.dumps(catalog(_pages), allow_nan=False).encode(),
    }
    for folder in FOLDERS:
        for file in sorted((UI / folder).rglob("*.*")):
            if file.suffix in TYPES:
                found[file.relative_to(UI).as_posix()] = file.read_bytes()
    return found


@cache
def digest() -> str:
    """Names this version in the addresses of its files and answers, so that they may be kept."""
    whole = hashlib.sha256()
    for name, content in _sources().items():
        whole.update(f"{name} {len(content)} ".encode() + content)
    for package in CODE:
        for file in sorted((ROOT / package).rglob("*.py")):
            content = file.read_bytes()
            whole.update(f"{file.relative_to(ROOT).as_posix()} {len(content)} ".encode() + content)
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


ROUTE = Route("/lab/{digest}/{name:path}", _asset)  # after the routes of answers


def _imported(name: str, found: dict[str, None]) -> dict[str, None]:
    """A script and all that it imports at its start, in the order in which it is met."""
    if name not in found:
        found[name] = None
        for other in STATIC.findall(_sources()[name].decode()):
            _imported(posixpath.normpath(posixpath.join(posixpath.dirname(name), other)), found)
    return found


@cache
def page_at(path: str) -> Page | None:
    """The page at an address below the base path: the first page has the site's own."""
    first = next(iter(_pages.values()))
    return first if path == "" else next((p for p in _pages.values() if p.key == path), None)


@cache
def _page_files(key: str) -> dict[str, str]:
    """What a page needs, each with the attributes of its link."""
    scripts = _imported(MAIN, {})
    styles = [name for name in _sources() if name.startswith("browser/") and name.endswith(".css")]
    for panel in _pages[key]:
        folder = f"panels/{panel.key}"
        if panel.script:
            _imported(f"{folder}/panel.js", scripts)
        if panel.style:
            styles.append(f"{folder}/panel.css")
    kinds = {name: KINDS[Path(name).suffix] for name in (*scripts, *styles, CATALOG)}
    # Not a module; and after all else, for there is a picture before it is there.
    return kinds | {PLOTLY: 'rel="preload" as="script" fetchpriority="low"'}


@cache
def head(path: str) -> str:
    """What the head of the page at an address has of ours: main.js, and links to all it needs.

    No Link header: proxies limit those, nginx to 4 KB of all headers together.
    """
    page = page_at(path)
    needed = _page_files(page.key) if page else {}
    links = "".join(f'<link {kind} href="./{address(name)}">' for name, kind in needed.items())
    return f'{links}<script type="module" src="./{address(MAIN)}"></script>'


def prepare() -> None:
    """Compress everything now and not while the first visitor waits."""
    for name in _sources():
        _compressed(name)
