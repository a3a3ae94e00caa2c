"""The app's own files: what is served, how, and what is not."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shutil
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message

from pages import PAGES
from ui.catalog import catalog
from ui.server import answers, assets, gate
from ui.server.waiting import Waiting

assets.serve(PAGES)
SOURCES = sorted(
    file.relative_to(assets.UI).as_posix()
    for folder in ("browser", "panels")
    for file in (assets.UI / folder).rglob("*.*")
    if file.suffix in (".js", ".css")
)
KINDS = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}


async def page(_request: Request) -> Response:
    text = "<html><head><title>page</title></head>☃</html>"
    return HTMLResponse(text, headers={"ETag": "1"})


async def data(_request: Request) -> Response:
    return JSONResponse({"text": "</head>"}, headers={"ETag": "1"})


APP = Starlette(
    routes=[
        *answers.routes(PAGES),
        assets.ROUTE,
        Route("/data", data),
        # Streamlit serves its page at every other address.
        Route("/{path:path}", page),
    ],
    middleware=[Middleware(gate.Gate)],
)
PAGE = Waiting(APP)


Answer = tuple[int, Headers, bytes]


def ask(
    path: str, method: str = "GET", query: str = "", app: ASGIApp = APP, **headers: str
) -> Answer:
    """Call the app as a server would; the path is given as the server decodes it."""
    return asyncio.run(asked(path, method, query, app, None, **headers))


async def asked(
    path: str,
    method: str = "GET",
    query: str = "",
    app: ASGIApp = APP,
    left: asyncio.Event | None = None,
    **headers: str,
) -> Answer:
    """The same beside others; `left` is set when whoever asks closes the connection."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent_along = Headers({"host": "lab", "accept-encoding": "gzip"} | named).raw
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "root_path": "", "headers": sent_along, "client": ("lab", 1), "server": ("lab",
        80),
    }  # fmt: skip
    sent: list[Message] = []
    first = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        for message in first:
            return message
        await (left or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *parts = sent
    body = b"".join(part.get("body", b"") for part in parts)
    return start["status"], Headers(raw=start["headers"]), body


@pytest.mark.parametrize("name", [*SOURCES, "plotly.js", "catalog.json"])
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
        assert json.loads(plain) == json.loads(json.dumps(catalog(PAGES)))
    elif name == "plotly.js":
        assert plain == (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    else:
        assert plain == (assets.UI / name).read_bytes()


def test_what_is_compressed_is_small() -> None:
    for name in ("plotly.js", "catalog.json", assets.MAIN):
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
        f"/lab/{DIGEST}/panels/__init__.py",
        f"/lab/{DIGEST}/panels/map/panel.py",
        f"/lab/{DIGEST}/browser/kernel/MAIN.JS",
        f"/lab/{DIGEST}/{assets.MAIN}\x00",
        f"/lab/{DIGEST}/browser/../wire.py",
        f"/lab/{DIGEST}/browser/../../app.py",
        f"/lab/{DIGEST}/..%2f..%2fapp.py",
        f"/lab/{DIGEST}//etc/passwd",
        f"/lab/{DIGEST}/..\\wire.py",
        f"/lab/{DIGEST}/main.js",
        f"/lab/{DIGEST.upper()}x/{assets.MAIN}",
        f"/lab/0000000000000000/{assets.MAIN}",
        f"/lab//{assets.MAIN}",
        f"/lab/../lab/{assets.MAIN}",
        f"/lab/{assets.MAIN}",
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
    assert ask("/" + assets.address(assets.MAIN), method)[0] == 405


def imports(name: str) -> set[str]:
    """What a script asks for before it runs, by the lines that start with import or export."""
    file = assets.UI / name
    statements = re.findall(r"^(?:import|export) [^;]*;", file.read_text(), flags=re.MULTILINE)
    found = {other for s in statements for other in re.findall(r'from "(\.[\w./]+)"', s)}
    return {(file.parent / o).resolve().relative_to(assets.UI).as_posix() for o in found}


def closure(names: set[str]) -> set[str]:
    while more := {other for name in names for other in imports(name)} - names:
        names = names | more
    return names


class Head(HTMLParser):
    """The links and scripts of a page as a browser reads them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.links: dict[str, dict[str, str | None]] = {}
        self.scripts: list[dict[str, str | None]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "script":
            self.scripts.append(found)
        elif tag == "link":
            # Relative, so that it holds behind a proxy that gives the app a path of its own.
            name = (found.pop("href") or "").removeprefix(f"./lab/{DIGEST}/")
            assert self.links.setdefault(name, found) is found


@pytest.mark.parametrize("key", PAGES)
def test_a_page_says_what_it_will_need_and_no_more(key: str) -> None:
    name = "" if key == next(iter(PAGES)) else key
    status, headers, body = ask(f"/{name}", app=PAGE)
    assert (status, body.decode()[-15:]) == (200, "</head>☃</html>")
    assert int(headers["content-length"]) == len(body)
    assert "etag" not in headers, "it would be that of another version's scripts"
    # By default nginx answers 502 where all headers together have more than 4 KB.
    assert sum(len(name) + len(value) + 4 for name, value in headers.items()) < 1000
    head = Head(body)
    (script,) = head.scripts
    assert script == {"type": "module", "src": "./" + assets.address(assets.MAIN)}
    assert all(ask("/" + assets.address(link))[0] == 200 for link in head.links)
    # A script that is loaded as a module must be preloaded as one, or it is loaded twice.
    modules = {link for link, kind in head.links.items() if kind == {"rel": "modulepreload"}}
    panels = [f"panels/{panel}/panel" for panel in PAGES[key].panels]
    assert modules == closure({assets.MAIN, *(f"{p}.js" for p in panels if f"{p}.js" in SOURCES)})
    styles = {n for n, kind in head.links.items() if kind == {"rel": "preload", "as": "style"}}
    common = {name for name in SOURCES if name.startswith("browser/") and name.endswith(".css")}
    assert styles == common | {f"{p}.css" for p in panels if f"{p}.css" in SOURCES}
    late = {"rel": "preload", "as": "script", "fetchpriority": "low"}
    assert head.links["plotly.js"] == late
    assert head.links["catalog.json"] == {"rel": "preload", "as": "fetch", "crossorigin": None}
    assert len(head.links) == len(modules) + len(styles) + 2


@pytest.mark.parametrize(
    "path", ["/data", "/nosuch", "/robots.txt", "/optim/lab/x/main.js", "/lab/x/main.js"]
)
def test_nothing_but_a_page_says_so(path: str) -> None:
    status, _, body = ask(path, app=PAGE)
    assert b"<link" not in body
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
    status, headers, body = ask("/" + assets.address(assets.MAIN), accept_encoding=accepted)
    assert status == 200
    assert headers["vary"] == "Accept-Encoding"
    assert headers.get("content-encoding") == ("gzip" if zipped else None)
    plain = gzip.decompress(body) if zipped else body
    assert plain == (assets.UI / assets.MAIN).read_bytes()


@pytest.mark.parametrize("name", [name for name in SOURCES if name.endswith(".js")])
def test_every_import_of_a_script_is_served(name: str) -> None:
    assert imports(name) <= set(SOURCES)


def test_the_address_changes_with_any_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else a browser would keep for a year what is no more: a file, or an answer."""
    before = assets.digest()
    sources = assets._sources()

    def digest() -> str:
        assets.digest.cache_clear()
        return assets.digest()

    try:
        for name in ("browser/style/base.css", "catalog.json", "plotly.js"):
            changed = sources | {name: sources[name] + b" "}
            with monkeypatch.context() as patch:
                patch.setattr(assets, "_sources", lambda changed=changed: changed)
                assert digest() != before, name
        for package in ("optim_core", "surfaces", "figures", "ui", "pages"):
            shutil.copytree(assets.ROOT / package, tmp_path / package)
        monkeypatch.setattr(assets, "ROOT", tmp_path)
        assert digest() == before
        for file in ("optim_core/simulate.py", "surfaces/__init__.py", "ui/state/reader.py"):
            with (tmp_path / file).open("a") as code:
                code.write("#")
            assert digest() != before, file
            before = digest()
    finally:
        monkeypatch.undo()
        assets.digest.cache_clear()


def test_all_is_compressed_before_the_first_visitor() -> None:
    assets._compressed.cache_clear()
    assets.prepare()
    names = [*SOURCES, "plotly.js", "catalog.json"]
    assert assets._compressed.cache_info().currsize == len(names)
    for name in names:
        assert ask("/" + assets.address(name))[0] == 200
    assert assets._compressed.cache_info().misses == len(names)
