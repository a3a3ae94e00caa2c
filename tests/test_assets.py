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
from starlette.types import ASGIApp, Message

from ui import assets, gate, tables
from ui.catalog import catalog

SOURCES = sorted(f for f in assets.FOLDER.iterdir() if f.suffix in (".js", ".css"))
KINDS = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


async def page(_request: Request) -> Response:
    return HTMLResponse("<p>page</p>")


async def data(_request: Request) -> Response:
    return JSONResponse({"text": "text/html"})


APP = Starlette(
    routes=[
        *assets.ROUTES,
        *tables.ROUTES,
        Route("/data", data),
        # Streamlit serves its page at every other address.
        Route("/{path:path}", page),
    ],
    middleware=[Middleware(gate.Gate)],
)


def ask(
    path: str, method: str = "GET", query: str = "", app: ASGIApp = APP, **headers: str
) -> tuple[int, Headers, bytes]:
    """Call the app as a server would; the path is given as the server decodes it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent_along = Headers({"host": "lab", "accept-encoding": "gzip"} | named).raw
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "headers": sent_along, "client": ("lab", 1), "server": ("lab",
        80),
    }  # fmt: skip
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
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
    # Another server may have this version: neither a browser nor a proxy may keep the answer.
    assert headers.get("cache-control", "no-store") == "no-store"
    assert b"import" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_assets_are_only_read(method: str) -> None:
    assert ask("/" + assets.address("main.js"), method)[0] == 405


def imports(name: str) -> set[str]:
    """What a script asks for before it runs, by the lines that start with import or export."""
    text = (assets.FOLDER / name).read_text()
    statements = re.findall(r"^(?:import|export) [^;]*;", text, flags=re.MULTILINE)
    return {other for s in statements for other in re.findall(r'from "\./([\w.]+)"', s)}


def closure(names: set[str]) -> set[str]:
    while more := {other for name in names for other in imports(name)} - names:
        names = names | more
    return names


@pytest.mark.parametrize(("name", "script"), assets.PAGES.items())
def test_a_page_says_what_it_will_need_and_no_more(name: str, script: str) -> None:
    status, headers, body = ask(f"/{name}")
    assert (status, body) == (200, b"<p>page</p>")
    # By default nginx answers 502 where all headers together have more than 4 KB.
    assert len(headers["link"]) < 2000
    kinds: dict[str, str] = {}
    for link in re.split(r",\s*(?=<)", headers["link"]):
        found = re.fullmatch(r"<([^>]+)>; rel=(.+)", link)
        assert found, link
        address, kind = found.groups()
        # Relative, so that it holds behind a proxy that gives the app a path of its own.
        assert not address.startswith(("/", "http"))
        assert ask("/" + address)[0] == 200
        assert kinds.setdefault(address.rpartition("/")[2], kind) is kind
    # A script that is loaded as a module must be preloaded as one, or it is loaded twice.
    modules = {key for key, kind in kinds.items() if kind == "modulepreload"}
    assert modules == closure({"main.js", script})
    assert kinds["plotly.js"] == "preload; as=script"
    assert kinds["catalog.json"].startswith("preload; as=fetch")


def test_the_pages_are_those_of_the_app() -> None:
    text = (assets.FOLDER.parents[1] / "app.py").read_text()
    scripts = re.findall(r'st\.Page\("pages/(\w+)\.py"(.*)', text)
    assert {"" if "default=True" in rest else name for name, rest in scripts} == set(assets.PAGES)


@pytest.mark.parametrize(
    "path", ["/data", "/nosuch", "/robots.txt", "/optim/lab/x/main.js", "/lab/x/main.js"]
)
def test_nothing_but_a_page_says_so(path: str) -> None:
    status, headers, _ = ask(path)
    assert "link" not in headers
    # A page in place of what was asked for is not an answer.
    assert status == (200 if path == "/data" else 404)


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [
        ("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("gzip;q=1.0, *;q=0", True),
        ("", False), ("identity", False), ("gzip;q=0", False), ("gzip; q=0.0, br", False),
        ("br", False), ("*;q=0", False), ("gzip;q=x", False),
    ],
)  # fmt: skip
def test_who_takes_no_gzip_gets_none(accepted: str, zipped: bool) -> None:
    """The weights are those of RFC 9110, section 12.4.2."""
    status, headers, body = ask("/" + assets.address("main.js"), accept_encoding=accepted)
    assert status == 200
    assert headers["vary"] == "Accept-Encoding"
    assert headers.get("content-encoding") == ("gzip" if zipped else None)
    plain = gzip.decompress(body) if zipped else body
    assert plain == (assets.FOLDER / "main.js").read_bytes()


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
