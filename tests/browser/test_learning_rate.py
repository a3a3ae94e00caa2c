"""The Learning rate page in a real Chromium: slider, bands, maps, deep maps, link, phone."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from optim_core import OPTIMIZERS, simulate
from optim_core.tuning import tune
from surfaces import SURFACES
from tests.browser.conftest import MOVING, Open
from tests.browser.hands import READY, answered, data, is_playing, link, set_range, step, table
from ui.panels.map.places import ORBITS
from ui.state.rate import default_rate, rate_hyper

pytestmark = pytest.mark.browser

BOWL = SURFACES["bowl"]
MARGINS = {True: (46, 6, 6, 34), False: (58, 10, 8, 40)}  # of a map: left, right, top, bottom
SLOW = 30_000  # ms


def visit(lab: Open, query: str = "", **options: Any) -> Page:
    page = lab("learning_rate" + query, **options)
    page.wait_for_selector(".lab-heat[data-painted]")
    at_rest(page)
    return page


def at_rest(page: Page) -> None:
    """Until no map has come for longer than a resting hand waits for its fine one."""
    page.evaluate("""() => new Promise(done => {
      const root = document.querySelector(".lab-root");
      let timer = setTimeout(done, 500);
      new MutationObserver(() => { clearTimeout(timer); timer = setTimeout(done, 500); })
        .observe(root, { attributes: true, attributeFilter: ["data-map"] });
    })""")


def maps(page: Page) -> int:
    return int(data(page, "map"))


def another_map(page: Page, count: int) -> None:
    """Until a map has come after so many."""
    page.wait_for_function(
        "n => Number(document.querySelector('.lab-root').dataset.map) > n", arg=count
    )


def verdict(page: Page) -> str:
    return page.locator(".lab-verdict").inner_text()


def place(page: Page, u: float, v: float, which: int = 0) -> tuple[float, float]:
    """Where a share of a map's frame is on the screen, from its left and its bottom."""
    heat = page.locator(".lab-heat").nth(which)
    heat.scroll_into_view_if_needed()
    box = heat.bounding_box()
    assert box is not None
    left, right, top, bottom = MARGINS[box["width"] < 420]
    width, height = box["width"] - left - right, box["height"] - top - bottom
    return box["x"] + left + u * width, box["y"] + top + (1.0 - v) * height


def along(u: float) -> float:
    """The rate at a share of the bowl's slider."""
    hyper = rate_hyper(BOWL)
    return float(hyper.low * (hyper.high / hyper.low) ** u)


def view(page: Page) -> list[float]:
    return [float(n) for n in link(page)["view"].split(",")]


def pixels(page: Page, selector: str) -> int:
    """How many colors a canvas has."""
    count: int = page.eval_on_selector(
        selector,
        """canvas => new Set(new Uint32Array(canvas.getContext("2d")
          .getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size""",
    )
    return count


def test_the_slider_moves_the_runs_and_not_the_map(lab: Open) -> None:
    page = visit(lab)
    assert "blows up" in verdict(page)
    page.keyboard.press("End")
    before, shown = maps(page), verdict(page)
    box = page.locator(".lab-ratebar").bounding_box()
    assert box is not None
    y, seen, words = box["y"] + box["height"] / 2, set(), set()
    page.mouse.move(box["x"] + 0.5 * box["width"], y)
    page.mouse.down()
    for i in range(20):
        page.mouse.move(box["x"] + (0.5 - 0.02 * i) * box["width"], y)
        page.wait_for_timeout(40)
        seen.add(data(page, "answer"))
        words.add(verdict(page))
    assert len(seen) >= 6, "answers come while the hand still holds it"
    assert len(words) >= 4
    page.mouse.up()
    page.wait_for_timeout(500)
    lr = float(link(page)["lr"])
    assert lr == pytest.approx(along(0.12), rel=0.15)
    for key in ("gd", "momentum", "nesterov"):
        run = simulate(BOWL, OPTIMIZERS[key], steps=300, lr=lr)
        assert run.outcome.reason in table(page)[key][1]
    assert verdict(page) != shown
    assert run.outcome.kind == "minimum" or "blows up" not in verdict(page)
    assert maps(page) == before, "the rate is an axis of the map"


def test_keys_and_exact_numbers_move_the_slider(lab: Open) -> None:
    page = visit(lab)
    page.keyboard.press("Home")
    page.locator(".lab-ratebar").focus()
    answered(page, lambda: page.keyboard.press("ArrowRight"))
    first = float(link(page)["lr"])
    answered(page, lambda: page.keyboard.press("ArrowRight"))
    second = float(link(page)["lr"])
    rate = default_rate(SURFACES["bowl"])
    assert rate < first < second < 1.05 * rate
    answered(page, lambda: page.keyboard.press("ArrowLeft"))
    assert float(link(page)["lr"]) == first
    assert step(page) == 0
    box = page.get_by_label("Learning rate, exact")
    box.fill("0.0123456789")
    answered(page, lambda: box.press("Enter"))
    assert link(page)["lr"] == "0.0123456789"
    before = verdict(page), data(page, "answer")
    for wrong in ("abc", "-1", "0", "1e999"):
        box.fill(wrong)
        box.press("Enter")
        message = box.evaluate("box => box.validationMessage")
        assert wrong in message
        assert "(0, inf)" in message
    page.wait_for_timeout(400)
    assert (verdict(page), data(page, "answer")) == before
    assert link(page)["lr"] == "0.0123456789"


def test_bands_and_curves_set_the_rate(lab: Open) -> None:
    page = visit(lab)
    track = page.locator("[data-band=momentum] .lab-track")
    box = track.bounding_box()
    assert box is not None
    x, y = box["x"] + 9 + 0.25 * (box["width"] - 18), box["y"] + box["height"] / 2
    answered(page, lambda: page.mouse.click(x, y))
    assert float(link(page)["lr"]) == pytest.approx(along(0.25), rel=0.02)
    assert pixels(page, "[data-band=momentum] canvas") > 3
    page.get_by_title("Explain and map GD", exact=True).click()
    at_rest(page)
    assert link(page)["of"] == "gd"
    assert page.get_by_label("Optimizer of the map").input_value() == "gd"
    cards = page.locator(".lab-card")
    assert [cards.nth(i).locator("b").inner_text() for i in range(4)] == [
        "too low", "good", "slightly too high", "too high",
    ]  # fmt: skip
    found = []
    for i in range(4):
        answered(page, cards.nth(i).click)
        found.append(float(link(page)["lr"]))
        title = cards.nth(i).get_attribute("title") or ""
        assert found[-1] == pytest.approx(float(title.split()[-1].replace("−", "-")), rel=1e-3)
    assert found == sorted(found)
    assert "blows up" in verdict(page)
    answered(page, cards.nth(1).click)
    assert "blows up" not in verdict(page)


def test_a_cell_of_the_map_is_told_and_played(lab: Open) -> None:
    page = visit(lab, **MOVING)
    at = place(page, 0.3, 0.6)
    page.mouse.move(*at)
    tip = page.locator(".lab-tip:visible")
    lines = tip.inner_text().splitlines()
    numbers = [float(re.findall(r"[-\d.e]+$", line.replace("−", "-"))[0]) for line in lines[:2]]
    assert numbers[0] == pytest.approx(along(0.3), rel=0.05)
    assert 0.0 < numbers[1] < 1.0
    assert lines[2].startswith("Momentum")
    page.keyboard.press("Home")
    before = maps(page)
    answered(page, lambda: page.mouse.click(*at))
    query = link(page)
    lr, beta = float(query["lr"]), float(query["momentum.momentum"])
    assert [lr, beta] == pytest.approx(numbers, rel=1e-4)
    assert is_playing(page)
    first = step(page)
    page.wait_for_timeout(400)
    assert step(page) > first
    run = simulate(BOWL, OPTIMIZERS["momentum"], steps=300, lr=lr, momentum=beta)
    assert run.outcome.reason in table(page)["momentum"][1]
    fate = {"minimum": "at a minimum from step", "diverged": "diverges", "cycle": "in a cycle"}
    assert fate.get(run.outcome.kind, "neither") in lines[2]
    at_rest(page)
    assert maps(page) == before, "both are axes of the map"


def test_the_map_is_zoomed_as_deep_as_floats_go(lab: Open) -> None:
    page = visit(lab)
    before, count = view_width(page), maps(page)
    page.mouse.move(*place(page, 0.62, 0.4))
    page.mouse.wheel(0, -300)
    another_map(page, count)
    at_rest(page)
    once = view(page)
    assert once[1] - once[0] < before
    for _ in range(4):
        count = maps(page)
        for _ in range(4):
            page.mouse.wheel(0, -300)
        for _ in range(9):
            page.get_by_role("button", name="Zoom into the map").click()
        another_map(page, count)
    at_rest(page)
    low, high, bottom, top = view(page)
    assert 0.0 < high - low < 1e-11 * before
    assert 0.0 < top - bottom < 1e-10
    assert once[0] < low < high < once[1]
    assert pixels(page, ".lab-heat") > 1
    page.get_by_role("button", name="All of the map").click()
    at_rest(page)
    assert "view" not in link(page)


def view_width(page: Page) -> float:
    hyper = rate_hyper(BOWL)
    return view(page)[1] - view(page)[0] if "view" in link(page) else hyper.high - hyper.low


def test_a_map_is_panned(lab: Open) -> None:
    page = visit(lab, "?view=0.001,0.01,0.5,0.9")
    page.mouse.move(*place(page, 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*place(page, 0.25, 0.5), steps=6)
    page.mouse.up()
    at_rest(page)
    low, high, bottom, top = view(page)
    assert low == pytest.approx(0.001 * 10**0.25, rel=0.05)
    assert high / low == pytest.approx(10.0, rel=0.01)
    assert (bottom, top) == pytest.approx((0.5, 0.9), rel=0.02)
    assert "lr" not in link(page), "a pan is no click"


def deep(page: Page, cells: int, steps: int) -> Locator:
    page.get_by_label("Deep map: cells a side").fill(str(cells))
    page.get_by_label("Deep map: steps").fill(str(steps))
    page.get_by_role("button", name="Compute the deep map").click()
    return page.locator(".lab-deepword")


def test_a_deep_map_is_followed_and_cancelled_while_the_page_is_used(lab: Open) -> None:
    page = visit(lab)
    word = deep(page, 1600, 5000)
    page.wait_for_function(
        "() => /[1-9]\\d* %/.test(document.querySelector('.lab-deepword').innerText)", timeout=SLOW
    )
    bar = page.locator(".lab-deep progress")
    first = float(bar.evaluate("bar => bar.value"))
    assert 0.0 < first < 1.0
    for notch in (300, 350):
        shown = verdict(page)
        set_range(page, "lr", notch)
        page.wait_for_function(
            "was => document.querySelector('.lab-verdict').innerText !== was", arg=shown
        )
    page.wait_for_function(
        "was => document.querySelector('.lab-deep progress').value > was", arg=first, timeout=SLOW
    )
    page.get_by_role("button", name="Cancel the deep map").click()
    assert word.inner_text() == "It was cancelled."
    assert not bar.is_visible()
    assert page.get_by_role("button", name="Compute the deep map").is_visible()


def test_a_deep_map_is_asked_about_until_it_is_done_or_gone(lab: Open) -> None:
    """A lost answer does not end the questions, and it says where in the queue it is."""
    page = visit(lab)
    told = {"done": 0, "total": 4, "pause": 0.05}
    script: list[dict[str, Any] | None] = [
        None,  # the answer is lost
        {"status": 202, "json": told | {"before": 2}},
        {"status": 202, "json": told | {"before": 0, "done": 3}},
        {"status": 400, "body": "It is gone."},
    ]
    asked: list[str] = []
    seen: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        seen.append(page.evaluate("document.querySelector('.lab-deepword').textContent"))
        step = script[min(len(asked), len(script)) - 1]
        route.abort() if step is None else route.fulfill(**step)

    page.route("**/job/**", answer)
    word = deep(page, 1600, 5000)
    expect(word).to_have_text("It is gone.")
    assert seen[:4] == ["waiting …", "waiting …", "2 before yours", "75 %"]
    assert len(set(asked[:4])) == 1, "it is the same map that is asked about"
    assert parse_qs(urlsplit(asked[-1]).query)["_leave"] == ["1"], "the server hears of it"
    count = len(asked)
    page.wait_for_timeout(250)
    assert len(asked) == count
    expect(page.get_by_role("button", name="Compute the deep map")).to_be_visible()
    page.unroute_all()


def test_a_deep_map_is_shown_or_refused(lab: Open) -> None:
    page = visit(lab)
    count = maps(page)
    deep(page, 30, 40)
    page.wait_for_selector(".lab-deep[data-state=done]")
    at_rest(page)
    assert maps(page) > count
    assert "40 steps" in page.locator(".lab-says").inner_text()
    page.get_by_role("button", name="Cancel the deep map").click()
    at_rest(page)
    assert "300 steps" in page.locator(".lab-says").inner_text()
    word = deep(page, 4000, 100_000)
    page.wait_for_function("() => document.querySelector('.lab-deepword').innerText.includes('×')")
    assert "16,000,000 cells × 100,000 steps" in word.inner_text()
    deep(page, 1, 20)
    box = page.get_by_label("Deep map: cells a side")
    assert "[2, 4000]" in box.evaluate("box => box.validationMessage")


def test_a_start_is_taken_from_the_basins(lab: Open) -> None:
    page = visit(lab, "?surface=himmelblau&lr=0.01")
    page.get_by_role("tab", name="Basins").click()
    at_rest(page)
    assert page.locator(".lab-heat").count() == 3
    answered(page, lambda: page.mouse.click(*place(page, 0.75, 0.25, 1)))
    query = link(page)
    assert (query["panel"], query["lr"]) == ("basins", "0.01")
    at = float(query["x"]), float(query["y"])
    assert at == pytest.approx((3.0, -3.0), abs=0.1)
    run = simulate(SURFACES["himmelblau"], OPTIMIZERS["momentum"], start=at, steps=300, lr=0.01)
    assert run.outcome.reason in table(page)["momentum"][1]
    assert page.locator(".lab-shares tr").count() >= 4
    other = visit(lab, "?" + page.url.partition("?")[2], fresh=True)
    picture = "canvas => canvas.toDataURL()"
    assert other.eval_on_selector(".lab-heat", picture) == page.eval_on_selector(
        ".lab-heat", picture
    )


def test_orbits_are_of_one_dimension_and_basins_of_two(lab: Open) -> None:
    page = visit(lab, **MOVING)
    tabs = page.get_by_role("tab")
    assert tabs.all_inner_texts() == ["Map", "Basins"]
    page.locator("[data-surface=double_well]").click()
    at_rest(page)
    assert tabs.all_inner_texts() == ["Map", "Orbits"]
    page.get_by_role("tab", name="Orbits").click()
    at_rest(page)
    page.get_by_label("Optimizer of the map").select_option("gd")
    at_rest(page)
    assert not page.locator(".lab-deep").is_visible()
    low, high = (share * default_rate(SURFACES["double_well"]) for share in ORBITS)
    answered(page, lambda: page.mouse.click(*place(page, 0.3, 0.5)))
    query = link(page)
    assert query["panel"] == "orbits"
    assert float(query["lr"]) == pytest.approx(low + 0.3 * (high - low), rel=0.05)
    assert float(query["x"]) == 0.8
    assert is_playing(page)
    assert pixels(page, ".lab-heats figure:nth-child(2) canvas") > 3, "the cobweb"


def test_the_address_bar_is_the_share_link(lab: Open) -> None:
    page = visit(lab, "?surface=himmelblau")
    answered(page, lambda: page.get_by_label("Race Adam", exact=True).check())
    answered(page, lambda: set_range(page, "lr", 420))
    page.get_by_label("Optimizer of the map").select_option("adam")
    at_rest(page)
    page.get_by_label("Second axis").select_option("x")
    at_rest(page)
    page.mouse.move(*place(page, 0.4, 0.4))
    page.mouse.wheel(0, -600)
    at_rest(page)
    answered(page, lambda: page.mouse.click(*place(page, 0.5, 0.5)))
    at_rest(page)
    query = page.url.partition("?")[2]
    other = visit(lab, "?" + query)
    assert set(link(page)) >= {"surface", "opt", "of", "across", "lr", "view", "x"}
    assert (link(other), table(other), verdict(other)) == (link(page), table(page), verdict(page))
    for label in ("Optimizer of the map", "Second axis", "Learning rate, exact"):
        assert other.get_by_label(label).input_value() == page.get_by_label(label).input_value()
    image = "canvas => { for (const c of [canvas]) return c.toDataURL(); }"
    assert other.eval_on_selector(".lab-heat", image) == page.eval_on_selector(".lab-heat", image)


def test_a_bad_link_opens_a_working_page(lab: Open) -> None:
    page = visit(lab, "?lr=-1&view=0.3,0.2,0.1,0.5&of=%3Cimg%20src=x%20onerror=alert(1)%3E")
    notes = page.locator(".lab-notes").inner_text()
    assert all(name in notes for name in ("lr must be", "view must be", "of must be"))
    answered(page, lambda: set_range(page, "lr", 300))
    assert table(page)


def test_a_phone_does_not_scroll_sideways(lab: Open) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = visit(lab, "?surface=himmelblau", color_scheme="dark", **phone)
    for panel in ("Map", "Basins"):
        page.get_by_role("tab", name=panel).click()
        at_rest(page)
        over = page.evaluate(
            """() => [document.scrollingElement, document.querySelector("[data-testid=stMain]")]
              .map(node => node.scrollWidth - node.clientWidth)"""
        )
        assert max(over) <= 0
    assert page.locator(".lab-root.lab-dark").count() == 1
    slider = page.locator(".lab-ratebar")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    assert box["height"] >= 36
    at = (box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    answered(page, lambda: page.touchscreen.tap(*at))
    assert "lr" in link(page)


def test_each_is_tuned_on_the_compare_page(lab: Open) -> None:
    page = lab("?steps=100")
    page.get_by_role("button", name="Tune each").click()
    page.wait_for_selector("[data-tuned=adam] canvas")
    page.wait_for_timeout(600)
    query = link(page)
    for key in ("gd", "momentum", "adam"):
        found = tune(BOWL, OPTIMIZERS[key], start=BOWL.start, steps=100)
        assert found.lr is not None
        assert float(query[f"{key}.lr"]) == found.lr
        row = page.locator(f"[data-tuned={key}]")
        assert "decades work" in row.inner_text()
        assert pixels(page, f"[data-tuned={key}] canvas") >= 2
        run = simulate(BOWL, OPTIMIZERS[key], steps=100, lr=found.lr)
        assert run.outcome.reason in table(page)[key][1]


def test_both_pages_are_reached_from_each_other(lab: Open) -> None:
    page = visit(lab)
    page.get_by_role("link", name="Compare").click()
    page.wait_for_selector(".lab-page-compare")
    page.wait_for_selector(READY)
    page.get_by_role("link", name="Learning rate").click()
    page.wait_for_selector(".lab-page-learning_rate .lab-heat[data-painted]")
    answered(page, lambda: set_range(page, "lr", 300))
    assert "lr" in link(page)
