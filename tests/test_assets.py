"""The app's own files: what is served, how, and what is not."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from importlib.resources import files
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message

from ui import assets, tables
from ui.catalog import catalog

SOURCES = sorted(f for f in assets.FOLDER.iterdir() if f.suffix in (".js", ".css"))
KINDS = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


async def page(_request: Request) -> Response:
    return HTMLResponse("<p>page</p>")


async def data(_request: Request) -> Response:
    return JSONResponse({"text": "text/html"})


APP = Starlette(
    routes=[*assets.ROUTES, *tables.ROUTES, Route("/", page), Route("/data", data)],
    middleware=[Middleware(assets.Preload)],
)


def ask(path: str, method: str = "GET", query: str = "") -> tuple[int, Headers, bytes]:
    """Call the app as a server would; the path is given as the server decodes it."""
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "headers": [(b"host", b"lab")], "client": ("lab", 1), "server": ("lab",
        80),
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(APP(scope, receive, send))
    start, *parts = sent
    body = b"".join(part.get("body", b"") for part in parts)
    return start["status"], Headers(raw=start["headers"]), body


@pytest.mark.parametrize("name", [*(f.name for f in SOURCES), "plotly.js", "catalog.json"])
def test_an_asset_arrives_whole(name: str) -> None:
    status, headers, body = ask("/" + assets.address(name))
    assert status == 200
    kind = next(kind for suffix, kind in KINDS.items() if name.endswith(suffix))
    assert headers["content-type"].split(";")[0] == kind
    assert headers["content-encoding"] == "gzip"
    assert int(headers["content-length"]) == len(body)
    cache = {part.strip() for part in headers["cache-control"].split(",")}
    assert cache == {"public", "max-age=31536000", "immutable"}
    plain = gzip.decompress(body)
    if name == "catalog.json":
        assert json.loads(plain) == json.loads(json.dumps(catalog()))
    elif name == "plotly.js":
        assert plain == (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    else:
        assert plain == (assets.FOLDER / name).read_bytes()


def test_what_is_compressed_is_small() -> None:
    for name in ("plotly.js", "catalog.json", "player.js"):
        _, _, body = ask("/" + assets.address(name))
        assert len(body) < 0.5 * len(gzip.decompress(body))


DIGEST = assets.digest()


@pytest.mark.parametrize(
    "path",
    [
        f"/lab/{DIGEST}/nosuch.js",
        f"/lab/{DIGEST}/",
        f"/lab/{DIGEST}",
        f"/lab/{DIGEST}/wire.py",
        f"/lab/{DIGEST}/__init__.py",
        f"/lab/{DIGEST}/MAIN.JS",
        f"/lab/{DIGEST}/main.js\x00",
        f"/lab/{DIGEST}/../assets.py",
        f"/lab/{DIGEST}/../../app.py",
        f"/lab/{DIGEST}/..%2f..%2fapp.py",
        f"/lab/{DIGEST}//etc/passwd",
        f"/lab/{DIGEST}/..\\assets.py",
        f"/lab/{DIGEST}/player/main.js",
        f"/lab/{DIGEST.upper()}x/main.js",
        "/lab/0000000000000000/main.js",
        "/lab//main.js",
        "/lab/../lab/main.js",
        "/lab/main.js",
        "/lab",
    ],
    ids=ascii,
)
def test_anything_else_is_not_found(path: str) -> None:
    status, headers, body = ask(path)
    assert status == 404
    # A mistake must not be kept for a year.
    assert "immutable" not in headers.get("cache-control", "")
    assert b"import" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_assets_are_only_read(method: str) -> None:
    assert ask("/" + assets.address("main.js"), method)[0] == 405


def test_the_page_says_what_it_will_need() -> None:
    status, headers, body = ask("/")
    assert (status, body) == (200, b"<p>page</p>")
    links = re.split(r",\s*(?=<)", ",".join(headers.getlist("link")))
    kinds: dict[str, str] = {}
    for link in links:
        found = re.fullmatch(r"<([^>]+)>; rel=(.+)", link)
        assert found, link
        address, kind = found.groups()
        # Relative, so that it holds behind a proxy that gives the app a path of its own.
        assert not address.startswith(("/", "http"))
        assert ask("/" + address)[0] == 200
        kinds[address.rpartition("/")[2]] = kind
    assert len(kinds) == len(links)
    # A script that is loaded as a module must be preloaded as one, or it is loaded twice.
    modules = {f.name for f in SOURCES if f.suffix == ".js"}
    assert {name for name, kind in kinds.items() if kind == "modulepreload"} == modules
    assert kinds["plotly.js"] == "preload; as=script"
    assert kinds["catalog.json"].startswith("preload; as=fetch")


@pytest.mark.parametrize("path", ["/data", "/nosuch", "/" + assets.address("main.js")])
def test_nothing_but_the_page_says_so(path: str) -> None:
    assert "link" not in ask(path)[1]


def test_other_kinds_of_traffic_pass_through() -> None:
    """Streamlit talks over a websocket, whose messages have no headers."""
    seen: list[Message] = []

    async def inner(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    async def send(message: Message) -> None:
        seen.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    asyncio.run(assets.Preload(inner)({"type": "websocket"}, receive, send))
    assert seen == [{"type": "websocket.accept"}]


def test_every_import_of_a_script_is_served() -> None:
    names = {f.name for f in SOURCES}
    for file in SOURCES:
        wanted = set(re.findall(r'(?:from|here\(|import\()\s*"(?:\./)?([\w.]+)"', file.read_text()))
        assert wanted <= names | {"plotly.js", "catalog.json"}, file.name


def test_the_address_changes_with_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a browser would keep a file for a year that is no more."""
    before = assets.digest()
    sources = assets._sources()
    try:
        for name in ("style.css", "catalog.json", "plotly.js"):
            changed = sources | {name: sources[name] + b" "}
            monkeypatch.setattr(assets, "_sources", lambda changed=changed: changed)
            assets.digest.cache_clear()
            assert assets.digest() != before
    finally:
        monkeypatch.undo()
        assets.digest.cache_clear()
    assert assets.digest() == before


def test_all_is_compressed_before_the_first_visitor() -> None:
    assets._compressed.cache_clear()
    assets.prepare()
    names = [f.name for f in SOURCES] + ["plotly.js", "catalog.json"]
    assert assets._compressed.cache_info().currsize == len(names)
    for name in names:
        assert ask("/" + assets.address(name))[0] == 200
    assert assets._compressed.cache_info().misses == len(names)
