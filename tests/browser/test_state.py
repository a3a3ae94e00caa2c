"""State in a real Chromium: what goes along, Back, undo, links to a moment, several runs of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from optim_core import OPTIMIZERS, simulate
from surfaces import SURFACES
from tests.browser.conftest import MOVING, Open
from tests.browser.hands import (
    READY,
    answered,
    drawn,
    is_playing,
    link,
    set_range,
    step,
    table,
    window,
)

pytestmark = pytest.mark.browser

BOWL = SURFACES["bowl"]
PAGES = {"compare": "Compare", "learning_rate": "Learning rate", "step_by_step": "Step by step"}


def to(page: Page, key: str) -> None:
    """Another page, from the navigation."""
    page.get_by_test_id("stTopNavLink").filter(has_text=PAGES[key]).click()
    shown(page, key)


def shown(page: Page, key: str) -> None:
    page.wait_for_selector(f".lab-page-{key}")
    page.wait_for_selector(READY)
    page.wait_for_selector(f".lab-page-{key} .lab-controls")


def test_the_setup_goes_along_and_each_page_finds_its_own(lab: Open) -> None:
    page = lab("?condition=20&steps=77&noise=0.5&x=1&adam.lr=0.2&l2=0.1&tuned=1", fresh=True)
    along = {"condition": "20", "steps": "77", "noise": "0.5", "x": "1", "adam.lr": "0.2"}
    along["l2"] = "0.1"
    to(page, "learning_rate")
    assert link(page) == along
    answered(page, lambda: set_range(page, "lr", 300))
    own = {"lr": link(page)["lr"]}
    to(page, "step_by_step")
    assert link(page) == along
    assert page.locator(".lab-slider:has([data-name='adam.lr']) .lab-number").input_value() == "0.2"
    answered(page, lambda: set_range(page, "adam.lr", 100))
    along["adam.lr"] = link(page)["adam.lr"]
    to(page, "learning_rate")
    assert link(page) == along | own
    to(page, "compare")
    assert link(page) == along | {"tuned": "1"}


def test_a_run_is_explained_and_stepped_through(lab: Open) -> None:
    """On exactly this run: its rate, its length, and the start that it has of its own."""
    page = lab("?opt=gd-gd~2-momentum&gd.lr=0.021&gd~2.lr=0.0125&gd~2.x=-2&steps=120", fresh=True)
    before = link(page)
    row = page.locator("tr[data-run=gd]")
    row.get_by_role("button", name="Explain").click()
    shown(page, "learning_rate")
    expect(page.locator(".lab-verdict")).to_contain_text("blows up")
    run = simulate(BOWL, OPTIMIZERS["gd"], steps=120, lr=0.021)
    assert run.outcome.reason in table(page)["gd"][1]
    query = link(page)
    assert (query["of"], query["lr"], query["steps"]) == ("gd", "0.021", "120")
    page.go_back()
    shown(page, "compare")
    assert link(page) == before
    again = page.locator("tr[data-run='gd~2']")
    again.get_by_role("button", name="Step by step").click()
    shown(page, "step_by_step")
    run = simulate(BOWL, OPTIMIZERS["gd"], start=(-2.0, 10.0), steps=120, lr=0.0125)
    (row_shown,) = table(page).values()
    assert run.outcome.reason in row_shown[1]
    page.keyboard.press("End")
    assert page.locator(".lab-formulas h3").inner_text() == "From step 119 to step 120"


def test_back_and_forward_know_choices_and_no_drags(lab: Open) -> None:
    page = lab("?gd.lr=0.01")
    entries = page.evaluate("history.length")
    for notch in (100, 150, 200):
        answered(page, lambda n=notch: set_range(page, "gd.lr", n))  # type: ignore[misc]
    first = link(page)
    assert page.evaluate("history.length") == entries
    answered(page, lambda: page.locator("[data-surface=beale]").click())
    assert page.evaluate("history.length") == entries + 1
    answered(page, lambda: set_range(page, "adam.lr", 200))
    second = link(page)
    answered(page, page.go_back)
    assert link(page) == first
    assert window(page) == [list(side) for side in BOWL.domain]
    answered(page, page.go_forward)
    assert link(page) == second
    expect(page.locator("[data-surface=beale]")).to_have_attribute("aria-pressed", "true")


def test_every_change_is_undone_and_done_again(lab: Open) -> None:
    """A drag is one change; what was reset comes back."""
    page = lab("?adam.lr=0.2")
    first = link(page)
    for notch in (100, 150, 200):
        set_range(page, "gd.lr", notch)
    answered(page, lambda: page.locator("[data-surface=beale]").click())
    third = link(page)
    answered(page, lambda: page.keyboard.press("Control+z"))
    second = link(page)
    assert set(second) == {"adam.lr", "gd.lr"}
    answered(page, lambda: page.keyboard.press("Control+z"))
    assert link(page) == first
    page.keyboard.press("Control+z")  # there is nothing before
    answered(page, lambda: page.keyboard.press("Control+Shift+z"))
    assert link(page) == second
    answered(page, lambda: page.keyboard.press("Control+y"))
    assert link(page) == third
    answered(page, lambda: page.get_by_role("button", name="Reset methods").click())
    assert link(page) == {"surface": "beale"}
    answered(page, lambda: page.get_by_role("button", name="Undo").click())
    assert link(page) == third
    box = page.get_by_label("steps, exact")
    box.fill("77")
    box.press("Control+z")  # the field's own
    assert link(page) == third


def test_a_link_to_a_moment(lab: Open) -> None:
    page = lab("?steps=200&utm_source=mail", **MOVING)
    page.keyboard.press("Space")
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowRight")
    page.get_by_role("button", name="Zoom in").first.click()
    page.wait_for_timeout(300)
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text; }")
    page.get_by_role("button", name="Link to this moment").click()
    expect(page.get_by_text("The link is copied.")).to_be_visible()
    query = urlsplit(page.evaluate("window.copied")).query
    other = lab(f"?{query}", **MOVING)
    assert (step(other), is_playing(other)) == (40, False)
    assert np.allclose(window(other), window(page))
    assert table(other) == table(page)
    answered(other, lambda: set_range(other, "gd.lr", 150))
    assert set(link(other)) == {"steps", "gd.lr"}, "another state is another moment"


def test_a_method_races_itself(lab: Open) -> None:
    page = lab("?opt=momentum&steps=150")
    page.get_by_label("More of Momentum", exact=True).click()
    answered(page, lambda: page.get_by_role("button", name="Another run of Momentum").click())
    assert list(table(page)) == ["momentum", "momentum~2"]
    answered(page, lambda: set_range(page, "momentum~2.lr", 150))
    page.get_by_label("More of Momentum 2").click()
    answered(page, lambda: set_range(page, "momentum~2.momentum", 350))
    answered(page, lambda: page.locator("[data-own='momentum~2']").check())
    box = page.locator(".lab-slider:has([data-name='momentum~2.x']) .lab-number")
    box.fill("-2")
    answered(page, lambda: box.press("Enter"))
    query = link(page)
    values: dict[str, Any] = {n: float(query[f"momentum~2.{n}"]) for n in ("lr", "momentum")}
    run = simulate(BOWL, OPTIMIZERS["momentum"], start=(-2.0, 10.0), steps=150, **values)
    cells = table(page)["momentum~2"]
    assert run.outcome.reason in cells[1]
    assert cells[0].endswith("from (−2, 10)")
    other = lab("?" + page.url.partition("?")[2])
    assert table(other) == table(page)
    schedule = page.locator("select[data-name='momentum~2.schedule']")
    answered(page, lambda: schedule.select_option("cosine"))
    assert link(page) == query | {"momentum~2.schedule": "cosine"}
    answered(page, lambda: schedule.select_option(""))
    assert link(page) == query
    assert table(page) == table(other)
    page.get_by_role("button", name="Remove this run of Momentum").click()
    expect(page.locator("tr[data-run='momentum~2']")).to_have_count(0)
    assert link(page) == {"opt": "momentum", "steps": "150"}


def test_the_runs_before_the_last_change_stay_as_ghosts(lab: Open) -> None:
    """Pale pixels where only the old path was."""
    page = lab("?opt=gd&gd.lr=0.019&ghost=1")
    old = simulate(BOWL, OPTIMIZERS["gd"], steps=300, lr=0.019).positions
    count = """(canvas, [xs, ys]) => {
      const plot = document.querySelector(".lab-main .js-plotly-plot")._fullLayout;
      const ratio = canvas.width / canvas.getBoundingClientRect().width;
      return xs.filter((x, i) => {
        const px = (plot.xaxis._offset + plot.xaxis.d2p(x)) * ratio;
        const py = (plot.yaxis._offset + plot.yaxis.d2p(ys[i])) * ratio;
        const [r, , b, a] = canvas.getContext("2d").getImageData(px, py, 1, 1).data;
        return a > 40 && r > b;
      }).length;
    }"""
    middles = (old[:12] + old[1:13]) / 2.0
    seen = [middles[:, 0].tolist(), middles[:, 1].tolist()]
    view = ".lab-main .lab-canvas:last-of-type"
    answered(page, lambda: set_range(page, "gd.lr", 100))
    with_ghost = page.eval_on_selector(view, count, seen)
    page.get_by_role("button", name="Draw the runs pale").click()
    drawn(page)
    assert with_ghost >= page.eval_on_selector(view, count, seen) + 6
