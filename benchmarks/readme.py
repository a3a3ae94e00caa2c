"""What the README shows of the app: its tables and its pictures."""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterable

from PIL import Image
from playwright.sync_api import Page, ViewportSize

from benchmarks.browser import ROOT, chromium, serve
from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.spec import Hyper, Optimizer, Schedule, Surface
from surfaces import SURFACES

README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "race.gif"
LIMITS = ROOT / "docs" / "limits.png"
STEP = ROOT / "docs" / "step.png"
STILL_SIZE = ViewportSize(width=1440, height=870)
LIMITS_PAGE = "learning_rate?surface=rosenbrock&of=gd"
STEP_PAGE = "step_by_step?of=nesterov&surface=rosenbrock&nesterov.lr=0.0008"
STEP_SHOWN = 13
SIZE = ViewportSize(width=1200, height=760)
RACE = (
    "?surface=rosenbrock&opt=gd-momentum-rmsprop-adam&steps=240&speed=40"
    "&gd.lr=0.003&momentum.lr=0.0012&rmsprop.lr=0.15&adam.lr=0.5"
)
FRAMES = 60
FRAME = 100  # ms
HOLD = 2000  # ms that the last frame stays
BIGGEST = 1_500_000  # bytes


def _cell(text: str) -> str:
    """Text that cannot end a cell of a Markdown table."""
    return text.replace("|", r"\|")


def _math(formula: str) -> str:
    """LaTeX in a table; inside backquotes Markdown leaves its backslashes and underscores alone."""
    return f"$`{formula.replace('|', chr(92) + 'vert ')}`$"


def _default(hyper: Hyper) -> str:
    value = str(bool(hyper.default)) if hyper.scale == "switch" else f"{hyper.default:g}"
    return f"`{hyper.name}={value}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _optimizer(o: Optimizer) -> list[str]:
    hypers = ", ".join(map(_default, o.hypers))
    beyond = _cell(o.limit_formula) or "measured"
    facts = [f"`{o.key}`", _cell(o.name), str(o.year), hypers, beyond]
    return [*facts, _cell(o.convention), _cell(o.source)]


def _surface(s: Surface) -> list[str]:
    return [
        f"`{s.key}`",
        _cell(s.name),
        str(s.dim),
        _math(s.formula),
        ", ".join(map(_default, s.params)) or "none",
        str(len(s.minima)),
        str(len(s.saddles)),
        _cell(s.source),
    ]


def _schedule(s: Schedule) -> list[str]:
    settings = ", ".join(map(_default, s.hypers)) or "none"
    return [
        f"`{s.key}`",
        _cell(s.name),
        _math(s.formula),
        settings,
        _cell(s.convention),
        _cell(s.source),
    ]


def _between(text: str, name: str, table: str) -> str:
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if text.count(start) != 1 or text.count(end) != 1:
        raise ValueError(f"The README must have {start} and {end} once each.")
    before, _, rest = text.partition(start)
    return f"{before}{start}\n{table}\n{end}{rest.partition(end)[2]}"


def tables(text: str) -> str:
    """The README with its tables made anew from the declarations."""
    optimizers = _table(
        ("Key", "Name", "Year", "Hyperparameters", "Limit on the rate", "Convention", "Source"),
        map(_optimizer, OPTIMIZERS.values()),
    )
    surfaces = _table(
        ("Key", "Name", "Dim.", "Formula", "Parameters", "Minima", "Saddles", "Source"),
        map(_surface, SURFACES.values()),
    )
    schedules = _table(
        ("Key", "Name", "Formula", "Settings", "Convention", "Source"),
        map(_schedule, SCHEDULES.values()),
    )
    made = {"optimizers": optimizers, "surfaces": surfaces, "schedules": schedules}
    for name, table in made.items():
        text = _between(text, name, table)
    return text


def _photograph(page: Page) -> list[Image.Image]:
    """The race as it plays, on a clock that stands still while a frame is taken."""
    page.wait_for_selector(".lab-results tbody tr")
    page.keyboard.press("Home")
    page.wait_for_timeout(500)
    page.clock.pause_at(page.evaluate("Date.now()") + 100)
    page.locator(".lab-play").click()
    page.mouse.move(0, 0)
    shots = []
    for _ in range(FRAMES):
        page.clock.run_for(FRAME)
        shots.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    return shots


def _gif(shots: list[Image.Image]) -> bytes:
    """A looping GIF. Undithered, a pixel that stands still keeps its color and costs nothing."""
    palette = shots[-1].quantize()
    frames = [shot.quantize(palette=palette, dither=Image.Dither.NONE) for shot in shots]
    durations = [FRAME] * (len(frames) - 1) + [HOLD]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], loop=0, duration=durations)
    return file.getvalue()


def picture() -> bytes:
    """A race in the app as a looping GIF."""
    with serve(ROOT / "app.py") as address, chromium() as browser:
        page = browser.new_page(viewport=SIZE)
        page.clock.install()
        page.goto(address + RACE)
        return _gif(_photograph(page))


def limits() -> bytes:
    """The Learning rate page when its runs have been played."""
    return _still(LIMITS_PAGE, ".lab-heat[data-painted]", ["End"])


def one_step() -> bytes:
    """The Step by step page at one of its steps."""
    return _still(STEP_PAGE, ".lab-line math", ["Home", *["ArrowRight"] * STEP_SHOWN])


def _still(path: str, ready: str, keys: list[str]) -> bytes:
    with serve(ROOT / "app.py") as address, chromium() as browser:
        page = browser.new_page(viewport=STILL_SIZE)
        page.goto(f"{address}/{path}")
        page.wait_for_selector(ready)
        page.wait_for_selector(".lab-results tbody tr")
        for key in keys:
            page.keyboard.press(key)
        page.mouse.move(0, 0)
        page.wait_for_timeout(1500)
        return page.screenshot()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme", description=__doc__)
    parser.add_argument("--picture", action="store_true", help="make the pictures anew, too")
    if parser.parse_args().picture:
        PICTURE.parent.mkdir(exist_ok=True)
        for file, made in ((PICTURE, picture()), (LIMITS, limits()), (STEP, one_step())):
            if len(made) > BIGGEST:
                raise ValueError(f"{file.name} has {len(made)} bytes, {BIGGEST} are allowed.")
            file.write_bytes(made)
    README.write_text(tables(README.read_text()))


if __name__ == "__main__":
    main()
