"""The app as others serve it: several workers, beneath a path, behind nginx."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial

import pytest
from playwright.sync_api import Browser, Page
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from benchmarks.browser import NGINX, nginx, workers
from pages import PAGES
from tests.browser.conftest import told
from tests.browser.hands import READY, answered, set_range
from ui.panels.table.panel import pieces

pytestmark = pytest.mark.browser
EMPTY = [0, 97, 115, 109, 1, 0, 0, 0]  # the least WebAssembly module


@pytest.fixture(scope="module")
def two() -> Iterator[str]:
    """`make serve WORKERS=2`, with all its addresses beneath /optim."""
    variables = {
        "STREAMLIT_SERVER_BASE_URL_PATH": "optim",
        "STREAMLIT_SERVER_ALLOWED_HOSTS": "127.0.0.1 *.example.org",
    }
    with workers(2, **variables) as url:
        yield url


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: nginx-light)")
@pytest.mark.parametrize("stripped", [True, False])
def test_all_pages_behind_nginx(stripped: bool, browser: Browser, address: str, two: str) -> None:
    """With docs/nginx.conf as it is, and with its other way."""
    upstream = (address if stripped else two.removesuffix("/optim")).removeprefix("http://")
    change = ("", "") if stripped else ("http://descent_lab/;", "http://descent_lab;")
    with nginx(upstream, change) as root:
        # Without the path taken off, every address is another one; with it, two pages tell.
        opens_and_works(browser, root, ["", "step_by_step"] if stripped else ["", *list(PAGES)[1:]])


def opens_and_works(browser: Browser, root: str, names: list[str]) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    errors: list[str] = []
    for name in names:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if told(m, root) else None)
        opens(page, root, name)
        answered(page, partial(set_range, page, "steps", 20))
        if name == "step_by_step":
            href = page.locator("a.lab-csv").get_attribute("href")
            assert href is not None
            file = context.request.get(href)
            assert file.ok
            state = PAGES[name].state.read(href.partition("?")[2])
            assert file.text() == "".join(pieces(state))
        page.close()
    context.close()
    assert errors == []


def opens(page: Page, root: str, name: str) -> None:
    """It announces all that it loads of ours, and nothing comes from outside of the path."""
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    answer = page.goto(f"{root}/{name}".rstrip("/"))
    page.wait_for_selector(READY)
    assert page.url.startswith(f"{root}/{name}")
    assert answer is not None
    sent = re.findall(r'(?:src|href)="\./(lab/[^"]+)"', answer.text())
    named = {f"{root}/{path}" for path in sent}
    files = {url for url in asked if "/lab/" in url and "/answer/" not in url}
    assert files == named
    blobs = "blob:" + root.removesuffix("/optim")
    assert all(url.startswith((root, blobs, "data:")) for url in asked)
    # Streamlit reads its messages with a small one.
    made = "bytes => Boolean(new WebAssembly.Module(new Uint8Array(bytes)))"
    assert page.evaluate(made, EMPTY)


def test_a_message_of_more_than_a_megabyte_is_refused(address: str, two: str) -> None:
    """With code 1009, too big (RFC 6455); streamlit run and uvicorn are told so in two ways."""

    def answered_with(url: str, size: int) -> int | None:
        stream = url.replace("http", "ws", 1) + "/_stcore/stream"
        with connect(stream, subprotocols=[Subprotocol("streamlit")]) as socket:
            socket.send(b"\x00" * size)
            with pytest.raises(ConnectionClosedError):
                list(socket)
            return socket.close_code

    for url in (address, two):
        assert answered_with(url, 1_000_001) == 1009
        # Smaller nonsense is read, and is a protocol error.
        assert answered_with(url, 900_000) == 1002


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("lab.example.org:80", 200), ("evil.example", 400), ("example.org", 400)],
)
def test_only_allowed_hosts_are_answered(two: str, host: str, status: int) -> None:
    for path in ("/", "/_stcore/health", "/lab/step_by_step.csv"):
        request = urllib.request.Request(two + path, headers={"Host": host})
        try:
            found = urllib.request.urlopen(request, timeout=20).status
        except urllib.error.HTTPError as error:
            found = error.code
        assert found == status
