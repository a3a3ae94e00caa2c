"""Answers that overlap, files that do not come, a server that goes away, and what breaks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, WebSocketRoute, expect

from benchmarks.browser import ROOT, free_port, serve
from optim_core import OPTIMIZERS, simulate
from surfaces import SURFACES
from tests.browser.hands import READY, answered, link, set_range, table
from ui.server import assets
from ui.server.answers import FAILED

pytestmark = pytest.mark.browser

HOST = "[data-testid=stBidiComponentRegular]:has([data-lab])"
STREAM = re.compile("/_stcore/stream")
NINE = f"learning_rate?opt={'-'.join(OPTIMIZERS)}&steps=5000&of=gd"

# Every second answer takes long to unpack, so that the next one overtakes it.
SLOW_UNPACKING = """
const Real = DecompressionStream;
let count = 0;
globalThis.DecompressionStream = class {
  constructor(kind) {
    const { writable, readable } = new Real(kind);
    const wait = count++ % 2 ? 20 : 400;
    const start = () => new Promise(done => setTimeout(done, wait));
    this.writable = writable;
    this.readable = readable.pipeThrough(new TransformStream({ start }));
  }
};
"""


@pytest.fixture
def fresh(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """A page of a browser that has kept no files, not opened yet; it may write errors."""
    contexts = []

    def made(query: str | None = None) -> Page:
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 900}))
        contexts[-1].set_default_timeout(15_000)
        page = contexts[-1].new_page()
        if query is not None:
            page.goto(f"{address}/{query}")
            page.wait_for_selector(READY)
        return page

    yield made
    for context in contexts:
        context.close()


def watch(page: Page) -> None:
    """Count how often a plot is closed, and mark the one that is there."""
    page.evaluate("""() => {
      window.purged = 0;
      const purge = Plotly.purge;
      Plotly.purge = (...all) => { window.purged++; return purge(...all); };
      document.querySelector(".lab-main .js-plotly-plot").isFirst = true;
    }""")


def assert_untouched(page: Page) -> None:
    assert page.evaluate("window.purged") == 0
    assert page.evaluate("document.querySelector('.lab-main .js-plotly-plot').isFirst")


def drag_rate(page: Page, seconds: float) -> None:
    box = page.locator(".lab-ratebar").bounding_box()
    assert box is not None
    y, until, i = box["y"] + box["height"] / 2, time.monotonic() + seconds, 0
    page.mouse.move(box["x"] + 0.2 * box["width"], y)
    page.mouse.down()
    while time.monotonic() < until:
        i += 1
        page.mouse.move(box["x"] + (0.2 + 0.1 * (i % 5) / 5) * box["width"], y)
        page.wait_for_timeout(40)
    page.mouse.up()


def test_answers_that_overlap_leave_the_page_alone(
    fresh: Callable[..., Page], address: str
) -> None:
    """On a processor as slow as a phone's."""
    page = fresh()
    page.add_init_script(SLOW_UNPACKING)
    page.goto(f"{address}/{NINE}")
    page.wait_for_selector(READY)
    watch(page)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 8})
    drag_rate(page, 2.5)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    assert_untouched(page)
    # The sliders are alive, and the picture is the last one that was asked for.
    answered(page, lambda: set_range(page, "seed", 200))  # without noise it changes nothing
    settled(page)
    lr = float(link(page)["lr"])
    run = simulate(SURFACES["bowl"], OPTIMIZERS["gd"], steps=5000, lr=lr)
    assert run.outcome.reason in table(page)["gd"][1]


def settled(page: Page) -> None:
    page.wait_for_function("""() => new Promise(done => {
      const root = document.querySelector(".lab-root");
      const before = root.dataset.answer;
      const isLate = () => root.classList.contains("lab-late");
      setTimeout(() => done(!isLate() && root.dataset.answer === before), 600);
    })""")


def test_a_reconnection_during_the_first_load_closes_nothing(
    fresh: Callable[..., Page], address: str
) -> None:
    """Streamlit calls a second time while the first call waits for the catalog."""
    page = fresh()
    held: list[Any] = []
    page.route("**/catalog.json", lambda route: held.append(route))
    clients: list[WebSocketRoute] = []

    def through(client: WebSocketRoute) -> None:
        clients.append(client)
        server = client.connect_to_server()
        server.on_message(client.send)

    page.route_web_socket(STREAM, through)
    page.goto(address)
    expect(page.get_by_text("Warming up")).to_be_visible(timeout=20_000)
    known = len(clients)
    clients[-1].close(code=1001)
    until = time.monotonic() + 60
    while len(clients) == known and time.monotonic() < until:
        page.wait_for_timeout(50)
    page.wait_for_timeout(1000)  # the second call is there, and waits too
    assert len(clients) > known
    for route in held:
        route.continue_()
    page.wait_for_selector(READY)
    watch(page)
    answered(page, lambda: set_range(page, "gd.lr", 150))
    assert_untouched(page)


def test_files_that_did_not_come_are_asked_for_again(
    fresh: Callable[..., Page], address: str
) -> None:
    page = fresh()
    files = re.compile(r"/(catalog\.json|plotly\.js|base\.css|map/panel\.js)")
    page.route(files, lambda route: route.abort())
    page.goto(f"{address}/learning_rate")
    retry = page.get_by_role("button", name="Load the files again")
    retry.click()  # still not there
    expect(retry).to_be_visible()
    # One by one, for each fails in its own way; without Plotly the page itself is there.
    for name in ("catalog.json", "base.css", "map/panel.js"):
        others = re.compile(files.pattern.replace(re.escape(name), "nothing"))
        page.unroute(files)
        page.route(others, lambda route: route.abort())
        files = others
        retry.click()
        expect(retry).to_be_visible()
    page.wait_for_selector(".lab-main canvas[data-painted]")
    page.unroute(files)
    retry.click()
    page.wait_for_selector(READY)
    expect(retry).to_have_count(0)


def test_code_that_did_not_come_is_said_with_a_way_to_reload(
    fresh: Callable[..., Page], address: str
) -> None:
    """As where a server of another version is asked for it, and answers 404."""
    page = fresh()
    page.route("**/main.js", lambda route: route.fulfill(status=404))
    page.goto(f"{address}/?steps=7")
    expect(page.get_by_text("files did not load")).to_be_visible()
    expect(page.get_by_text("BidiComponent")).to_have_count(0)
    page.unroute("**/main.js")
    page.get_by_role("link", name="Reload").click()
    page.wait_for_selector(READY)
    assert page.locator(".lab-clock").inner_text().endswith("/ 7")


def test_another_version_leaves_the_open_page_whole(fresh: Callable[..., Page]) -> None:
    """Its code comes under another address; nothing of it is mixed into the page."""
    page = fresh("?steps=77")
    watch(page)
    sheets = page.locator("link[rel=stylesheet]").count()
    call(page, version="?another")
    said = page.get_by_role("alert").filter(has_text="new version")
    expect(said).to_be_visible()
    assert page.locator("link[rel=stylesheet]").count() == sheets
    assert_untouched(page)
    # A server of the first version answers again, as in a rolling update.
    answered(page, lambda: set_range(page, "gd.lr", 150))
    expect(said).to_have_count(0)
    # And one of another does not have its answers.
    page.route("**/answer/**", lambda route: route.fulfill(status=404, body="Another version"))
    set_range(page, "noise", 100)
    expect(said).to_be_visible()
    assert_untouched(page)
    query = link(page)
    page.unroute_all()
    page.get_by_role("button", name="Load the page anew").click()
    page.wait_for_selector(READY)
    assert link(page) == query
    assert set(query) == {"gd.lr", "noise", "steps"}


def call(page: Page, version: str = "") -> str:
    """Call the component as Streamlit does; how its promise ended."""
    ended: str = page.evaluate(
        """async ([address, host]) => {
          const main = await import(new URL(address, document.baseURI));
          const parentElement = document.querySelector(host);
          return main.lab({ data: { page: "compare" }, parentElement }).then(() => "done", String);
        }""",
        [assets.address(assets.MAIN) + version, HOST],
    )
    return ended


def test_what_fails_leaves_the_page_on_the_screen(fresh: Callable[..., Page]) -> None:
    page = fresh("?steps=77")
    watch(page)
    answers = "**/answer/**"
    faults = ((500, FAILED, FAILED), (200, "no message", "went wrong"))
    for notch, (status, body, sentence) in enumerate(faults, 150):
        page.route(answers, partial(Route.fulfill, status=status, body=body))
        set_range(page, "gd.lr", notch)
        said = page.get_by_role("alert").filter(has_text=sentence)
        expect(said).to_be_visible()
        assert said.get_by_role("link").get_attribute("href") == "/"
        assert_untouched(page)
        page.unroute(answers)
        answered(page, partial(set_range, page, "gd.lr", notch + 50))
        expect(said).to_have_count(0)


def test_a_busy_server_is_asked_again_when_it_says(fresh: Callable[..., Page]) -> None:
    page = fresh("?steps=77")
    times: list[float] = []

    def busy(route: Route) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"})
        else:
            route.continue_()

    page.route("**/answer/compare?**", busy)
    answered(page, lambda: set_range(page, "gd.lr", 150))
    assert times[1] - times[0] == pytest.approx(1.0, abs=0.5)


def test_the_address_keeps_what_is_strange_and_is_written_seldom(
    fresh: Callable[..., Page],
) -> None:
    """Safari refuses more than 100 changes in 30 s."""
    page = fresh("?utm_source=mail&fbclid=x1&embed=true&steps=77")
    assert page.locator(".lab-root .lab-notes:visible").count() == 0
    page.evaluate("""() => {
      window.written = 0;
      const replace = history.replaceState;
      history.replaceState = function (...all) { window.written++; replace.apply(this, all); };
    }""")
    began = time.monotonic()
    for notch in range(60):
        set_range(page, "noise", 100 + notch)
        page.wait_for_timeout(45)
    seconds = time.monotonic() - began
    query = link(page)
    noise = page.locator("input[data-name=noise] ~ .lab-number").input_value()
    kept = {"utm_source": "mail", "fbclid": "x1", "embed": "true"}
    assert query == kept | {"steps": "77", "noise": noise}
    assert 2 < page.evaluate("window.written") <= 100 / 30 * (seconds + 0.5)


def test_a_connection_that_never_comes_is_said(fresh: Callable[..., Page], address: str) -> None:
    page = fresh()
    page.route_web_socket(STREAM, lambda socket: socket.close(code=1000))
    page.goto(address)
    expect(page.get_by_text("WebSockets")).to_be_visible(timeout=15_000)


def test_after_a_restart_the_picture_is_what_the_controls_say(fresh: Callable[..., Page]) -> None:
    """One page was changed before and while the server was away and had a deep map under way; the
    other was only opened. Both were opened by a link."""
    port = free_port()
    changed, opened = fresh(), fresh()
    with serve(ROOT / "app.py", port) as url:
        changed.goto(f"{url}/learning_rate?surface=rosenbrock&of=gd&opt=gd")
        changed.wait_for_selector(READY)
        opened.goto(f"{url}/?surface=rosenbrock&opt=gd&steps=50")
        opened.wait_for_selector(READY)
        answered(changed, lambda: set_range(changed, "lr", 120))
        changed.get_by_role("button", name="Compute the deep map").click()
        changed.wait_for_selector("[data-state=running]")
    set_range(changed, "steps", 60)
    expect(changed.locator(".lab-late")).to_have_count(1)
    with serve(ROOT / "app.py", port):
        query = link(changed)
        right(changed, float(query["lr"]), int(query["steps"]))
        expect(changed.locator(".lab-late")).to_have_count(0)
        expect(changed.locator(".lab-deep")).not_to_contain_text("waiting")
        answered(opened, lambda: set_range(opened, "gd.lr", 150))
        right(opened, float(link(opened)["gd.lr"]), 50)


def right(page: Page, lr: float, steps: int) -> None:
    """The table tells the run that the core makes of what the controls say."""
    run = simulate(SURFACES["rosenbrock"], OPTIMIZERS["gd"], steps=steps, lr=lr)
    row = page.locator(".lab-results tr[data-run=gd]")
    expect(row).to_contain_text(run.outcome.reason, timeout=20_000)
