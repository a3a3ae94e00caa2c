"""The Schedules page in a real Chromium, and schedules and penalties on the other pages."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from optim_core import OPTIMIZERS, SCHEDULES, simulate
from optim_core.penalty import penalised
from pages import PAGES
from surfaces import SURFACES
from tests.browser.conftest import Open
from tests.browser.hands import (
    answered,
    data,
    drawn,
    link,
    overflow,
    pixel,
    set_range,
    step,
    table,
    too_small,
)
from ui.panels.scene.scenes import SCENES
from ui.panels.scene.state import DEFAULT_SCHEDULES
from ui.state.common import suggested_lr

pytestmark = pytest.mark.browser


def visit(lab: Open, query: str = "", **options: Any) -> Page:
    return lab("schedules" + query, **options)


def says(page: Page) -> str:
    return page.locator(".lab-scene .lab-verdict").inner_text()


def rate_shown(page: Page) -> bool:
    return page.locator("[aria-label='Learning rate against step']").is_visible()


def axis(page: Page, view: str) -> list[float]:
    found: list[float] = page.eval_on_selector(
        f"[aria-label='{view}'] .js-plotly-plot", "plot => plot._fullLayout.xaxis.range"
    )
    return found


def test_a_race_of_schedules_with_the_rate_under_the_loss(lab: Open) -> None:
    page = visit(lab)
    assert list(table(page)) == [k for k in SCHEDULES if k in DEFAULT_SCHEDULES]
    assert "Lowest loss after 300 steps" in says(page)
    page.wait_for_timeout(300)
    loss, rate = (f"{what} against step" for what in ("Loss", "Learning rate"))
    assert axis(page, loss) == axis(page, rate)
    boxes = [page.locator(f"[aria-label='{name}']").bounding_box() for name in (loss, rate)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"] - 1
    assert boxes[1]["x"] == pytest.approx(boxes[0]["x"], abs=1)


def test_the_mark_on_the_rate_moves(lab: Open) -> None:
    page = visit(lab, "?sched=exponential&exponential.span=100&noise=0")
    lr = suggested_lr(SURFACES["bowl"], OPTIMIZERS["momentum"])
    view = "[aria-label='Learning rate against step']"
    color = tuple(int(SCHEDULES["exponential"].look.color[i : i + 2], 16) for i in (1, 3, 5))
    for wanted in (20, 150):
        page.keyboard.press("Home")
        for _ in range(wanted // 10):
            page.keyboard.press("Shift+ArrowRight")
        assert step(page) == wanted
        x, y = pixel(page, wanted, lr * 0.1 ** (wanted / 100), view)
        page.wait_for_function(
            """([selector, x, y, color]) => {
              const canvas = document.querySelector(selector);
              const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
              const { data } = canvas.getContext("2d")
                .getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1);
              return color.every((channel, i) => channel === data[i]);
            }""",
            arg=[f"{view} .lab-canvas:last-of-type", x, y, color],
        )


def test_schedules_are_switched_and_set(lab: Open) -> None:
    page = visit(lab)
    answered(page, lambda: page.get_by_label("Race Power").check())
    answered(page, lambda: page.get_by_label("Race Constant").uncheck())
    assert "constant" not in table(page)
    page.get_by_label("More of Cosine with restarts", exact=True).click()
    answered(page, lambda: set_range(page, "cosine.period", 200))
    answered(page, lambda: set_range(page, "warmup", 60))
    query = link(page)
    assert set(query) == {"sched", "cosine.period", "warmup"}
    assert float(query["cosine.period"]).is_integer()
    run = simulate(
        SURFACES["bowl"], OPTIMIZERS["momentum"], steps=300, noise=3.0,
        lr=suggested_lr(SURFACES["bowl"], OPTIMIZERS["momentum"]),
        schedule=SCHEDULES["cosine"].with_params(
            period=float(query["cosine.period"]), warmup=float(query["warmup"])
        ),
    )  # fmt: skip
    assert run.outcome.reason in table(page)["cosine"][1]
    other = visit(lab, "?" + page.url.partition("?")[2])
    assert table(other) == table(page)


def test_every_scene_is_shown_and_shared(lab: Open) -> None:
    page = visit(lab)
    first, *others = SCENES
    for scene in (*others, first):  # the first is shown already
        answered(page, page.locator(f"[data-scene={scene}]").click)
        assert page.locator(f"[data-scene={scene}]").get_attribute("aria-selected") == "true"
        link(page)
        state = PAGES["schedules"].state.read(page.url.partition("?")[2])
        assert (state["scene"].key, state.notes) == (scene, [])
        assert list(table(page)) == [entry.key for entry in state.entries]
        assert state["scene"].says(state["cast"], state.conditions) in says(page)
        if scene == others[-1]:
            other = visit(lab, "?" + page.url.partition("?")[2])
            assert table(other) == table(page)


def test_a_resumed_run_jumps_where_it_is_resumed(lab: Open) -> None:
    page = visit(lab, "?scene=resume&noise=0")
    before = says(page)
    assert "At step 200" in before
    answered(page, lambda: set_range(page, "at", 200))
    at = link(page)["at"]
    assert f"At step {at}" in says(page)
    assert says(page) != before
    assert set(table(page)) == {"kept", "reset"}


def test_a_hand_over_to_another_optimizer(lab: Open) -> None:
    page = visit(lab, "?scene=handoff&of=adam&noise=0")
    assert list(table(page)) == ["adam", "gd", "relay"]
    answered(page, lambda: page.locator("select[data-name=to]").select_option("momentum"))
    assert list(table(page)) == ["adam", "momentum", "relay"]
    assert "then Momentum" in table(page)["relay"][0]


def test_the_two_conventions(lab: Open) -> None:
    page = visit(lab, "?scene=ingredient&noise=0")
    assert "two paths part" in says(page)
    answered(page, lambda: page.locator("select[data-name=schedule]").select_option("constant"))
    assert "are the same" in says(page)
    assert not rate_shown(page)
    answered(page, lambda: page.locator("[data-of=adam]").click())
    assert page.get_by_label("What is done otherwise").locator("option").count() >= 3


@pytest.mark.parametrize("path", ["", "learning_rate", "step_by_step"])
def test_a_schedule_and_a_penalty_on_every_page(lab: Open, path: str) -> None:
    page = lab(path + "?surface=himmelblau")
    assert not rate_shown(page)
    page.locator("[data-fold=schedule] summary").click()
    answered(page, lambda: page.locator("select[data-name=schedule]").select_option("one_cycle"))
    assert rate_shown(page)
    assert page.locator("[data-fold=schedule] .lab-formula math:visible").count() == 1
    answered(page, lambda: set_range(page, "one_cycle.rise", 100))
    page.locator("[data-fold=penalty] summary").click()
    answered(page, lambda: set_range(page, "l1", 400))
    query = link(page)
    assert set(query) == {"surface", "schedule", "one_cycle.rise", "l1"}
    reasons = " ".join(row[1] for row in table(page).values())
    assert "exactly 0" in reasons or "ends at" in reasons
    answered(page, lambda: page.locator("[data-name=proximal]").uncheck())
    assert link(page)["proximal"] == "0"


def test_a_penalised_minimum_is_marked_and_reached(lab: Open) -> None:
    page = lab("?surface=himmelblau&l1=20&opt=gd&x=3&y=1.5&gd.lr=0.004")
    surface = penalised(SURFACES["himmelblau"], l1=20.0)
    run = simulate(surface, OPTIMIZERS["gd"], start=(3.0, 1.5), steps=300, lr=0.004)
    assert run.outcome.kind == "minimum"
    assert run.outcome.reason in table(page)["gd"][1]
    ends = np.array(surface.minima)
    near = ends[np.abs(ends - run.positions[-1]).max(axis=1).argmin()]
    np.testing.assert_allclose(run.positions[-1], near, atol=1e-6)
    page.keyboard.press("Home")
    drawn(page)
    for along, up in surface.minima:
        x, y = pixel(page, along, up)
        alpha = page.eval_on_selector(
            ".lab-main .lab-canvas:last-of-type",
            """(canvas, [x, y]) => {
              const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
              return canvas.getContext("2d")
                .getImageData((x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data[3];
            }""",
            [x, y],
        )
        assert alpha > 0, (along, up)


def test_when_a_coordinate_is_zero_is_said(lab: Open) -> None:
    query = "?surface=bowl&opt=gd&l1=8&x=1&y=6&gd.lr=0.009"
    exactly = table(lab(query))["gd"][1]
    found = re.search(r"x is exactly 0 from step (\d+) on", exactly)
    assert found
    surface = penalised(SURFACES["bowl"], l1=8.0)
    run = simulate(surface, OPTIMIZERS["gd"], start=(1.0, 6.0), steps=300, lr=0.009)
    since = int(found[1])
    assert (run.positions[since:, 0] == 0.0).all()
    assert run.positions[since - 1, 0] != 0.0
    nearly = table(lab(query + "&proximal=0"))["gd"][1]
    assert "x is never exactly 0" in nearly


def test_a_phone_has_room(lab: Open) -> None:
    page = visit(lab, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert overflow(page) <= 0
    assert rate_shown(page)
    for scene in SCENES:
        page.locator(f"[data-scene={scene}]").tap()
        page.wait_for_timeout(300)
        assert overflow(page) <= 0
    assert too_small(page) == 0


def test_a_bad_link_opens_a_working_page(lab: Open) -> None:
    page = visit(lab, "?scene=moon&sched=a-b&steps=1&at=x&cosine.period=0")
    notes = page.locator(".lab-notes")
    notes.wait_for()
    assert "scene must be one of" in notes.inner_text()
    before = data(page, "answer")
    answered(page, lambda: page.get_by_label("Race Power").check())
    assert data(page, "answer") != before


def test_a_plan_that_ends_before_the_run_is_told(lab: Open) -> None:
    page = visit(lab, "?total=100")
    note = page.locator(".lab-outlived")
    expect(note).to_contain_text("1cycle is planned for 100 of the 300 steps.")
    answered(page, lambda: page.locator("[data-name=one_cycle]").uncheck())
    expect(note).to_be_hidden()
