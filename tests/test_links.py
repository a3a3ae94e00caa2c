"""Whatever a link asks for, its page has an answer: no exception and no warning on the way."""

from __future__ import annotations

import random
from urllib.parse import urlencode

import pytest

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.spec import PENALTY, SHARED, Hyper
from pages import PAGES
from surfaces import SURFACES
from ui.page import Page
from ui.panels.map.message import message as map_message
from ui.panels.map.sheet import sheet
from ui.panels.scene.scenes import SCENES

LINKS = 40  # of each page
EXTREMES = [0.0, 1.0, 1e-300, 5e-324, 1e300, 1.7e308, -1e150]


def number(rng: random.Random, hyper: Hyper) -> str:
    """On the slider, or at an end of what is allowed."""
    value = rng.choice([rng.uniform(hyper.low, hyper.high), rng.choice(EXTREMES)])
    if hyper.whole or hyper.scale == "switch":
        value = float(round(rng.uniform(hyper.low, hyper.high)))
    return repr(value if value in hyper.domain else hyper.default)


def link(rng: random.Random) -> dict[str, str]:
    """Some of all controls; each page takes those that it has."""
    surface = rng.choice(list(SURFACES.values()))
    hypers = {h.name: h for h in (*surface.params, *PENALTY, *SHARED)}
    for key, one in (OPTIMIZERS | SCHEDULES).items():
        hypers |= {f"{key}.{h.name}": h for h in one.hypers}
    query = {name: number(rng, h) for name, h in hypers.items() if rng.random() < 0.25}
    for axis, (low, high) in zip("xy", surface.domain, strict=False):
        query[axis] = repr(rng.choice([0.0, rng.uniform(low, high), rng.choice(EXTREMES)]))
    of, to, *others = rng.sample(list(OPTIMIZERS), 4)
    steps = rng.choice([2, 3, 20, 60])
    ingredients = [i.key for i in OPTIMIZERS[of].ingredients]
    return query | {
        "surface": surface.key,
        "opt": "-".join(sorted([of, f"{of}~2", *others])),
        f"{of}~2.lr": repr(10.0 ** rng.uniform(-6.0, 3.0)),
        f"{of}~2.x": repr(rng.choice(EXTREMES)),
        f"{of}~2.schedule": rng.choice(list(SCHEDULES)),
        "of": of,
        "to": to,
        "versus": to,
        "without": rng.choice([*ingredients, ""]),
        "scene": rng.choice(list(SCENES)),
        "schedule": rng.choice(list(SCHEDULES)),
        "panel": rng.choice(["map", "basins", "orbits"]),
        "lr": repr(10.0 ** rng.uniform(-6.0, 3.0)),
        "steps": str(steps),
        "at": str(rng.randrange(1, steps)),
        "noise": rng.choice(["0", "0", "1", "1e200"]),
        "decoupled": rng.choice("01"),
        "tuned": rng.choice("01"),
    }


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_link_is_answered(page: Page) -> None:
    rng = random.Random(page.key)
    for _ in range(LINKS):
        query = urlencode(link(rng))
        page.message(query)
        for panel in page:
            if panel.is_slow:  # a small one of it
                map_message(sheet(page.state.read(query), 8))
            elif panel.large:
                page.large(panel.key, query)


def test_a_page_has_no_large_answer_of_what_is_not_its_panel() -> None:
    with pytest.raises(KeyError, match="nosuch"):
        PAGES["compare"].large("nosuch", "")
    with pytest.raises(KeyError, match="map"):
        PAGES["compare"].large("map", "")
