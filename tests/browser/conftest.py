"""One server of the app and one Chromium for all browser tests, ended with the last of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from benchmarks.browser import ROOT, chromium, serve

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
    """Whether it is an error of ours: of a page's own address Streamlit asks two more at first."""
    pages = ("learning_rate", "step_by_step", "schedules")
    asked = ("health", "host-config")
    strays = {f"{address}/{page}/_stcore/{name}" for page in pages for name in asked}
    return message.type == "error" and message.location["url"] not in strays


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


@pytest.fixture
def lab(contexts: Callable[..., BrowserContext], address: str) -> Iterator[Open]:
    """Open the app at a query; afterwards no page may have written an error to its console."""
    pages: list[Page] = []
    errors: list[str] = []

    def opened(
        query: str = "", *, ready: bool = True, host: str = "127.0.0.1", **options: Any
    ) -> Page:
        page = contexts(**options).new_page()
        pages.append(page)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if told(m, address) else None)
        page.goto(address.replace("127.0.0.1", host) + "/" + query)
        if ready:
            page.wait_for_selector(".lab-main canvas[data-painted]")
            # The table is filled some frames after the first picture.
            page.wait_for_timeout(150)
        return page

    yield opened
    for page in pages:
        page.close()
    assert errors == []
