"""What a person does with the player, and what the player says of itself."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Page

ROOT = ".lab-root"
# With a picture in which Plotly has replaced what stands there until it has arrived.
READY = f"{ROOT}:not(:has(.lab-stage:not([hidden]) > .lab-early)) .lab-main canvas[data-painted]"


def data(page: Page, name: str) -> str:
    return str(page.eval_on_selector(ROOT, "(root, name) => root.dataset[name]", name))


def step(page: Page) -> int:
    return int(data(page, "step"))


def answers(page: Page) -> int:
    return int(data(page, "answer"))


def is_playing(page: Page) -> bool:
    return data(page, "playing") == "true"


def drawn(page: Page) -> None:
    """Until what was asked for by now is on the screen, however busy the machine is."""
    page.evaluate(
        """() => new Promise(done => setTimeout(
          () => requestAnimationFrame(() => requestAnimationFrame(done)), 40))"""
    )


def answered(page: Page, act: Callable[[], object]) -> None:
    """Do something and wait until its answer is in the picture and in the table."""
    before = answers(page)
    act()
    page.wait_for_function(
        "n => Number(document.querySelector('.lab-root').dataset.answer) > n", arg=before
    )
    drawn(page)


def at_end(page: Page) -> None:
    page.keyboard.press("End")
    drawn(page)


def link(page: Page) -> dict[str, str]:
    """The query in the address bar, once the page has had time to write it."""
    # The page's own clock: its timer for the address was set before this one, however busy it is.
    page.evaluate("() => new Promise(done => setTimeout(done, 420))")
    return dict(parse_qsl(urlsplit(page.url).query))


def window(page: Page) -> list[list[float]]:
    """The ranges of the main view's axes."""
    found: list[list[float]] = page.eval_on_selector(
        ".lab-main .js-plotly-plot",
        "plot => [plot._fullLayout.xaxis.range, plot._fullLayout.yaxis.range]",
    )
    return found


def pixel(page: Page, x: float, y: float, view: str = ".lab-main") -> tuple[float, float]:
    """Where a point of the plane is on the screen."""
    found: list[float] = page.eval_on_selector(
        f"{view} .js-plotly-plot",
        """(plot, [x, y]) => {
          const { xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
        }""",
        [x, y],
    )
    return found[0], found[1]


def table(page: Page) -> dict[str, list[str]]:
    """The results: key to the texts of its cells."""
    rows: list[tuple[str, list[str]]] = page.eval_on_selector_all(
        ".lab-results tbody tr",
        "rows => rows.map(r => [r.dataset.run, [...r.cells].map(c => c.innerText)])",
    )
    return dict(rows)


def set_range(page: Page, name: str, notch: int) -> None:
    """Move a slider to one of its notches, as a drag does."""
    page.eval_on_selector(
        f"input[type=range][data-name='{name}']",
        "(range, notch) => { range.value = notch; range.dispatchEvent(new Event('input')); }",
        notch,
    )


def overflow(page: Page) -> float:
    """By how many pixels the page is wider than the screen."""
    return float(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def too_small(page: Page) -> int:
    """How many controls in sight are too low for a thumb."""
    count: int = page.eval_on_selector_all(
        ".lab-root button, .lab-root select, .lab-root summary",
        """nodes => nodes.filter(n =>
          n.offsetParent && n.getBoundingClientRect().height < 36).length""",
    )
    return count
