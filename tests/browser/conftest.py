"""One server of the app and one Chromium for all browser tests, ended with the last of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from benchmarks.browser import ROOT, chromium, serve
from pages import PAGES
from tests.browser.hands import READY
from ui.server import assets

assets.serve(PAGES)  # whose files have the addresses that the server gives them

Open = Callable[..., Page]
DESK = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"}
MOVING = {"reduced_motion": "no-preference"}


@pytest.fixture(scope="package")
def address() -> Iterator[str]:
    with serve(ROOT / "app.py") as url:
        yield url


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def told(message: ConsoleMessage, address: str) -> bool:
    """Whether it is an error of ours.

    Of a page's own address Streamlit asks two more at first; and a job may be refused (400).
    """
    asked = ("health", "host-config")
    strays = {f"{address}/{page}/_stcore/{name}" for page in PAGES for name in asked}
    url = message.location["url"]
    return message.type == "error" and url not in strays and "/job/" not in url


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """One context for each kind of screen: the app's own files are loaded once, as by a visitor.

    Nothing plays by itself unless a test asks for it: 60 pictures a second keep a core busy.
    """
    made: dict[str, BrowserContext] = {}

    def context(**options: Any) -> BrowserContext:
        key = repr(sorted(options.items()))
        if key not in made:
            made[key] = browser.new_context(**DESK | options)
            made[key].set_default_timeout(10_000)
        return made[key]

    yield context
    for one in made.values():
        one.close()


class Visitors:
    """Open pages of the app, kept for the next test: a document takes two seconds, a page half one.

    A page that a test has changed, and not by its controls, is closed.
    """

    def __init__(self, contexts: Callable[..., BrowserContext], address: str) -> None:
        self._contexts, self._address = contexts, address
        self._idle: dict[str, list[Page]] = {}
        self._taken: list[tuple[str, Page]] = []
        self._errors: list[str] = []

    def open(self, query: str, host: str, *, ready: bool, fresh: bool, **options: Any) -> Page:
        kind = repr((host, sorted(options.items())))
        idle = self._idle.setdefault(kind, [])
        if idle and ready and not fresh:
            page = idle.pop()
            self._taken.append((kind, page))
            page.bring_to_front()
            self._turn(page, query)
            return page
        page = self._contexts(**options).new_page()
        self._taken.append((kind, page))
        page.on("pageerror", lambda error: self._errors.append(str(error)))
        page.on("console", self._hear)
        page.goto(self._address.replace("127.0.0.1", host) + "/" + query)
        if ready:
            page.wait_for_selector(READY)
            page.evaluate("window.known = Object.keys(window).length + 1")
            page.evaluate("window.sized = `${innerWidth} ${innerHeight}`")
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if told(message, self._address):
            self._errors.append(message.text)

    def _turn(self, page: Page, query: str) -> None:
        """To another page by its address, as Back does; to the same one by way of another."""
        wanted = query.partition("?")[0]
        shown = urlsplit(page.url).path.strip("/")
        if wanted == shown:
            self._go(page, "schedules" if wanted != "schedules" else "")
        self._go(page, query)

    def _go(self, page: Page, address: str) -> None:
        key = address.partition("?")[0] or next(iter(PAGES))
        page.evaluate(TURN, "/" + address)
        page.wait_for_selector(f".lab-page-{key}")
        page.wait_for_selector(READY)

    def leave(self) -> list[str]:
        """Give all pages back; what was wrong in them."""
        for kind, page in self._taken:
            if not page.is_closed() and page.evaluate(UNTOUCHED) and not self._errors:
                self._idle[kind].append(page)
            else:
                page.close()
        self._taken = []
        found, self._errors = self._errors, []
        return found


TURN = """address => {
  // As an entry of the history that the page has written: the address and nothing else.
  history.pushState({ lab: true }, "", address);
  dispatchEvent(new PopStateEvent("popstate"));
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}"""
UNTOUCHED = """() => {
  const root = document.querySelector(".lab-root");
  if (root?.dataset.playing === "true") document.querySelector(".lab-play").click();
  const size = `${innerWidth} ${innerHeight}`;
  return window.known + 1 === Object.keys(window).length && window.sized === size &&
    Boolean(root) && !document.querySelector("[data-lab-said]");
}"""


@pytest.fixture(scope="package")
def visitors(contexts: Callable[..., BrowserContext], address: str) -> Visitors:
    return Visitors(contexts, address)


@pytest.fixture
def lab(visitors: Visitors) -> Iterator[Open]:
    """Open the app at a query; afterwards no page may have written an error to its console.

    fresh: in a document that remembers no other page.
    """

    def opened(
        query: str = "",
        *,
        ready: bool = True,
        fresh: bool = False,
        host: str = "127.0.0.1",
        **options: Any,
    ) -> Page:
        page = visitors.open(query, host, ready=ready, fresh=fresh, **options)
        # The table is filled some frames after the first picture.
        page.wait_for_timeout(150)
        return page

    yield opened
    assert visitors.leave() == []
