"""What a person waits for, in real Chromium: a key press, a first picture, a frame."""

from __future__ import annotations

from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from benchmarks.browser import ROOT, chromium, serve

STEPS = 500
RACERS = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamax", "nadam")
QUERY = f"?opt={'-'.join(RACERS)}&steps={STEPS}"
PRESSES = 20
ROUNDS = 3
RATES = "/learning_rate"
PAINTED = ".lab-main canvas[data-painted]"
WHOLE = ".lab-main:not(:has(.lab-early)) canvas[data-painted]"  # with Plotly's axes
FIRST = """new MutationObserver(() => {
  if (!window.first && document.querySelector("%s")) window.first = performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true });"""
# Name, address and slider of the other pages; a penalty's minima are found anew at each change.
OTHERS = (
    ("Step by step page", "/step_by_step", "adam.lr"),
    ("Schedules page", "/schedules", "momentum.lr"),
    ("L1 and L2 on Rastrigin", "/?surface=rastrigin&l1=1", "l2"),
)
MAP_PAINTED = ".lab-heat[data-painted]"
REST = 900  # ms after which the fine map of a change is there
RAW_PATHS = len(RACERS) * (STEPS + 1) * 2 * 4  # bytes of the positions as float32

# Time from the key's event to the frame after the picture changed; `changed` says when it has.
WATCH = """(changed) => {
  window.waits = [];
  let pressed = 0;
  addEventListener("keydown", () => { pressed = performance.now(); }, true);
  const ready = eval(changed);
  const look = () => {
    if (pressed && ready()) {
      const from = pressed;
      pressed = 0;
      requestAnimationFrame(() => setTimeout(() => window.waits.push(performance.now() - from)));
    }
  };
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, characterData: true, attributes: true });
}"""
# The player counts an answer once its picture is on the canvas.
LAB_CHANGED = """(() => {
  const { dataset } = document.querySelector(".lab-root");
  let last = dataset.answer;
  return () => { const is = dataset.answer !== last; last = dataset.answer; return is; };
})()"""
# While a hand moves a coarse map comes, and a fine one when it rests: the first one counts.
MAP_CHANGED = """(() => {
  const { dataset } = document.querySelector(".lab-root");
  let last = dataset.map;
  addEventListener("keydown", () => { last = dataset.map; }, true);
  return () => dataset.map !== last;
})()"""
BARE_CHANGED = """(() => {
  const text = () => document.querySelector("[data-testid=stText]").textContent;
  let last = text();
  return () => { const now = text(); const is = now !== last; last = now; return is; };
})()"""


def _presses(page: Page, target: str, changed: str, rest: int = 150) -> list[float]:
    page.evaluate(WATCH, changed)
    page.locator(target).focus()
    for i in range(PRESSES + 2):
        page.keyboard.press("ArrowRight")  # never back: a state seen before is in the cache
        page.wait_for_function("n => window.waits.length > n", arg=i, polling=50)
        page.wait_for_timeout(rest)
    return [float(t) for t in page.evaluate("window.waits")][2:]


def _count_bytes(page: Page) -> dict[str, int]:
    """Counts what the answers to changes take on the wire, with their headers."""
    received = {"bytes": 0}
    answers: set[str] = set()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def asked(event: Any) -> None:
        if "/answer/" in event["request"]["url"]:
            answers.add(event["requestId"])

    def arrived(event: Any) -> None:
        if event["requestId"] in answers:
            received["bytes"] += int(event["encodedDataLength"])

    session.on("Network.requestWillBeSent", asked)
    session.on("Network.loadingFinished", arrived)
    return received


def _open(browser: Browser, address: str) -> tuple[Page, float]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    return page, _first_paint(page, address, PAINTED)


def _first_paint(page: Page, address: str, selector: str) -> float:
    """When something is in the page first, in ms, by the page's own clock; then all of it is."""
    page.add_init_script(FIRST % selector)
    page.goto(address)
    page.wait_for_selector(WHOLE if selector == PAINTED else selector)
    return float(page.evaluate("window.first"))


def _bare(browser: Browser, address: str) -> list[float]:
    page = browser.new_page()
    page.goto(address)
    page.wait_for_selector("[data-testid=stText]")
    waits = _presses(page, "[data-testid=stSlider] input", BARE_CHANGED)
    page.close()
    return waits


def _lab(browser: Browser, address: str) -> tuple[list[float], float, float]:
    """Key press to painted, bytes down a change, and frames a second of the playback."""
    page, _ = _open(browser, address + QUERY)
    page.wait_for_timeout(1000)
    counted = _count_bytes(page)
    page.keyboard.press("End")
    page.wait_for_timeout(300)
    before = counted["bytes"]
    waits = _presses(page, "[data-name='adam.lr']", LAB_CHANGED)
    page.wait_for_timeout(500)
    down = (counted["bytes"] - before) / (PRESSES + 2)
    page.locator(".lab-play").click()
    frames = page.evaluate(
        """() => new Promise((done) => {
          const canvas = document.querySelector(".lab-main canvas[data-painted]");
          const from = Number(canvas.dataset.painted), began = performance.now();
          setTimeout(() => done((Number(canvas.dataset.painted) - from) * 1000
            / (performance.now() - began)), 4000);
        })"""
    )
    page.close()
    return waits, down, float(frames)


def _rates(browser: Browser, address: str) -> tuple[list[float], list[float]]:
    """Of the Learning rate page: key press on the slider to painted runs, another map to painted.

    The map is of the rate and the momentum, so that the surface's condition makes it another one.
    """
    page, _ = _open(browser, address + RATES)
    page.wait_for_selector(MAP_PAINTED)
    page.wait_for_timeout(1000)
    runs = _presses(page, ".lab-ratebar", LAB_CHANGED)
    page.wait_for_timeout(REST)
    maps = _presses(page, "[type=range][data-name='condition']", MAP_CHANGED, REST)
    page.close()
    return runs, maps


def _slider(browser: Browser, address: str, name: str) -> list[float]:
    page, _ = _open(browser, address)
    page.wait_for_timeout(1000)
    page.keyboard.press("End")
    waits = _presses(page, f"[type=range][data-name='{name}']", LAB_CHANGED)
    page.close()
    return waits


def _paints(browser: Browser, address: str, painted: str) -> tuple[float, float]:
    colds: list[float] = []
    warms: list[float] = []
    for _ in range(3):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        for times in (colds, warms):
            page = context.new_page()
            times.append(_first_paint(page, address, painted))
            page.close()
        context.close()
    return median(colds), median(warms)


def measure() -> list[tuple[str, str, str]]:
    """Rows of (what, measured, bound)."""
    bare_app = serve(ROOT / "benchmarks" / "bare_app.py")
    with chromium() as browser, bare_app as bare_address, serve(ROOT / "app.py") as address:
        # In turns, because a machine's speed drifts within a minute.
        floors, changes, drags, maps = [], [], [], []
        others: dict[str, list[float]] = {name: [] for name, _, _ in OTHERS}
        for _ in range(ROUNDS):
            floors += _bare(browser, bare_address)
            waits, down, fps = _lab(browser, address)
            changes += waits
            runs, redrawn = _rates(browser, address)
            drags += runs
            maps += redrawn
            for name, path, slider in OTHERS:
                others[name] += _slider(browser, address + path, slider)
        bare, wait = median(floors), median(changes)
        bare_cold, bare_warm = _paints(browser, bare_address, "[data-testid=stText]")
        cold, warm = _paints(browser, address, PAINTED)
        rates_cold, rates_warm = _paints(browser, address + RATES, PAINTED)
        map_cold, map_warm = _paints(browser, address + RATES, MAP_PAINTED)
    limit = 1.3 * RAW_PATHS + 10_240
    return [
        ("bare Streamlit app, key press to painted", f"{bare:.0f} ms", "the floor"),
        (
            f"{len(RACERS)} optimizers x {STEPS} steps, key press to painted",
            f"{wait:.0f} ms ({wait / bare:.2f} x the floor)",
            "1.5 x",
        ),
        (f"  slowest of {len(changes)}", f"{max(changes):.0f} ms", ""),
        ("bytes down a change", f"{down / 1024:.1f} KiB", f"{limit / 1024:.1f} KiB"),
        ("playback", f"{fps:.1f} frames/s", "55 frames/s"),
        (
            "first picture, cold browser",
            f"{cold:.0f} ms ({cold / bare_cold:.2f} x the bare app's {bare_cold:.0f})",
            "1.5 x",
        ),
        (
            "first picture, warm browser",
            f"{warm:.0f} ms ({warm / bare_warm:.2f} x the bare app's {bare_warm:.0f})",
            "1.5 x",
        ),
        (
            "Learning rate page: first picture, cold browser",
            f"{rates_cold:.0f} ms ({rates_cold / cold:.2f} x Compare's, its map {map_cold:.0f})",
            "1.5 x",
        ),
        (
            "  warm browser",
            f"{rates_warm:.0f} ms ({rates_warm / warm:.2f} x Compare's, its map {map_warm:.0f})",
            "1.5 x",
        ),
        (
            "  key press on its slider to painted",
            f"{median(drags):.0f} ms ({median(drags) / bare:.2f} x the floor)",
            "2 x",
        ),
        ("    slowest", f"{max(drags):.0f} ms", ""),
        ("  another map, key press to painted", f"{median(maps):.0f} ms", ""),
        ("    slowest", f"{max(maps):.0f} ms", ""),
        *(
            (
                f"{name}: key press on a slider to painted",
                f"{median(waits):.0f} ms ({median(waits) / bare:.2f} x the floor, "
                f"slowest {max(waits):.0f} ms)",
                "",
            )
            for name, waits in others.items()
        ),
    ]


if __name__ == "__main__":
    for row in measure():
        print(" | ".join(row))
