"""The player in a real Chromium: time, start, hover, zoom, and that a change tears nothing down."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import Page, Route

from optim_core import OPTIMIZERS, simulate
from surfaces import SURFACES
from tests.browser.conftest import MOVING, Open
from tests.browser.hands import (
    READY,
    answered,
    answers,
    at_end,
    is_playing,
    link,
    pixel,
    set_range,
    step,
    table,
    window,
)
from ui.server import assets
from ui.state.common import suggested_lr

pytestmark = pytest.mark.browser


def test_opens_moving_with_three_racers(lab: Open) -> None:
    page = lab(**MOVING)
    assert is_playing(page)
    first = step(page)
    page.wait_for_timeout(700)
    assert step(page) > first
    assert list(table(page)) == ["gd", "momentum", "adam"]
    assert page.locator(".lab-main .contour").count() > 0


def test_nothing_plays_by_itself_where_less_motion_is_asked_for(lab: Open) -> None:
    """Neither at first, nor with another surface, a cell of the map or one of the four curves."""
    page = lab()
    assert (is_playing(page), step(page)) == (False, 300)
    answered(page, lambda: page.locator("[data-surface=beale]").click())
    assert (is_playing(page), step(page)) == (False, 300)
    page.get_by_role("button", name="Play", exact=True).click()
    assert is_playing(page), "it plays where a person asks for it"
    page = lab("learning_rate")
    page.wait_for_selector(".lab-heat[data-painted]")
    answered(page, lambda: page.locator(".lab-heat").click(position={"x": 150, "y": 100}))
    assert (is_playing(page), step(page)) == (False, 300)
    answered(page, lambda: page.locator(".lab-card:visible").last.click())
    assert (is_playing(page), step(page)) == (False, 300)


def test_keys_are_the_players_after_a_slider_was_touched(lab: Open) -> None:
    """Of a slider's own keys only those that move it by a notch or ten are left to it."""
    page = lab("?steps=1000", **MOVING)
    slider = page.locator("input[data-name='adam.lr']")
    answered(page, slider.click)
    before = slider.input_value()
    page.keyboard.press("Space")
    assert not is_playing(page)
    page.keyboard.press("Home")
    assert step(page) == 0
    page.keyboard.press("End")
    assert step(page) == 1000
    assert slider.input_value() == before
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    assert int(slider.input_value()) == int(before) + 11
    assert step(page) == 1000
    toggle = page.get_by_label("Race Nesterov")
    toggle.focus()
    page.keyboard.press("Home")
    assert step(page) == 0
    answered(page, lambda: page.keyboard.press("Space"))
    assert toggle.is_checked(), "a switch is switched by Space"
    assert not is_playing(page)


FRAMED = """() => {
  const drawn = (node) => [null, "::before", "::after"].some((part) => {
    const { content, outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node, part);
    if (part && content === "none") return false;
    return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
  });
  const lab = document.querySelector(".lab-root");
  const around = [...document.querySelectorAll("*")].filter((node) => node.contains(lab));
  return [around.some(drawn), drawn(document.activeElement)];
}"""


def test_a_key_frames_a_control_and_never_the_page(lab: Open) -> None:
    page = lab()
    page.locator(".lab-title").click()
    page.keyboard.press("Space")
    assert page.evaluate(FRAMED)[0] is False
    page.locator(".lab-play").focus()
    page.keyboard.press("Tab")
    assert page.evaluate(FRAMED) == [False, True]


def test_a_dark_page_makes_no_canvas_while_it_plays(lab: Open) -> None:
    """iOS counts every canvas that a page has made until it is collected."""
    page = lab("?steps=1000", color_scheme="dark", **MOVING)
    page.evaluate("""() => {
      window.made = 0;
      const create = document.createElement;
      document.createElement = function (name, ...rest) {
        if (name.toLowerCase() === "canvas") window.made++;
        return create.call(this, name, ...rest);
      };
      const Offscreen = OffscreenCanvas;
      window.OffscreenCanvas = function (...size) { window.made++; return new Offscreen(...size); };
    }""")
    assert is_playing(page)
    now = step(page)
    page.wait_for_function("n => document.querySelector('.lab-root').dataset.step > n", arg=now + 9)
    answered(page, lambda: set_range(page, "gd.lr", 150))
    assert page.evaluate("window.made") == 0


def test_the_first_picture_does_not_wait_for_plotly(lab: Open) -> None:
    """A step is told where it is drawn then, and is in the same place when Plotly has come."""
    page = lab("?opt=gd&gd.lr=0.01")
    run = simulate(SURFACES["bowl"], OPTIMIZERS["gd"], steps=300, lr=0.01)
    place = pixel(page, *run.positions[7])
    held: list[Route] = []
    page.route("**/plotly.js", lambda route: held.append(route))
    page.reload(wait_until="commit")
    page.wait_for_selector(".lab-main canvas[data-painted]")
    page.wait_for_selector(".lab-results tbody tr")
    page.mouse.move(*place)
    assert "step 7" in page.locator(".lab-tip").inner_text()
    assert held
    for route in held:
        route.continue_()
    page.wait_for_selector(READY)
    assert pixel(page, *run.positions[7]) == pytest.approx(place, abs=1.0)


PILES = """async ([address, seed]) => {
  const { drawLabels } = await import(new URL(address, document.baseURI).href);
  let state = seed;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const colors = { font: "sans-serif", back: "#fff", ink: (color) => color };
  const found = { piles: 0, overlapping: 0, outside: 0 };
  for (let k = 0; k < 4000; k++) {
    const frame = {
      left: 200 * random(), top: 200 * random(), width: 200 + 800 * random(),
      height: 180 + 500 * random(),
    };
    const count = 2 + Math.floor(8 * random());
    const spread = 10 ** (4 * random() - 2);
    const [x, y] = [random() * frame.width + frame.left, random() * frame.height + frame.top];
    const cut = (v, low, size) => Math.min(low + size, Math.max(low, v));
    const heads = Array.from({ length: count }, (_, i) => ({
      x: cut(x + spread * (random() - 0.5), frame.left, frame.width),
      y: cut(y + spread * (random() - 0.5), frame.top, frame.height),
      look: { color: "#000" }, text: "n".repeat(2 + Math.floor(14 * random())) + i,
    }));
    const boxes = [];
    drawLabels({
      measureText: ({ length }) => ({ width: 8 * length }), strokeText() {},
      fillText: ({ length }, x, y) => boxes.push([x, y - 9.5, x + 8 * length, y + 9.5]),
    }, frame, heads, colors);
    const near = 1e-6;
    const clash = ([a, b, c, d], [e, f, g, h]) =>
      a < g - near && e < c - near && b < h - near && f < d - near;
    found.piles++;
    found.overlapping += boxes.some((one, i) => boxes.some((two, j) => i < j && clash(one, two)));
    found.outside += boxes.some(([a, b, c, d]) =>
      a < frame.left - near || c > frame.left + frame.width + near ||
      b < frame.top - near || d > frame.top + frame.height + near);
  }
  return found;
}"""


def test_labels_never_overlap(lab: Open) -> None:
    """Random piles of two to nine, in frames that have room for them."""
    found = lab().evaluate(PILES, [assets.address("browser/draw/scenery.js"), 20240])
    assert found == {"piles": 4000, "overlapping": 0, "outside": 0}


CLOSE = 1e-6  # width of a window in which float32 has some seventeen places


@pytest.mark.parametrize(
    ("key", "of", "lr"), [("himmelblau", "momentum", 0.0015), ("plateau", "gd", 1e-5)]
)
def test_paths_are_as_exact_as_the_zoom(lab: Open, key: str, of: str, lr: float) -> None:
    page = lab(f"?surface={key}&opt={of}&{of}.lr={lr}")
    at_end(page)
    surface = SURFACES[key]
    run = simulate(surface, OPTIMIZERS[of], steps=300, lr=lr)
    places = run.positions if surface.dim == 2 else np.stack([run.positions[:, 0], run.losses], 1)
    ranges = [[v - CLOSE / 2, v + CLOSE / 2] for v in places[-1]]
    zoom_to = """async ([x, y]) => {
      const plot = document.querySelector(".lab-main .js-plotly-plot");
      await Plotly.relayout(plot, { "xaxis.range": x, "yaxis.range": y });
      for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
    }"""
    answered(page, lambda: page.evaluate(zoom_to, ranges))
    inside = np.flatnonzero((np.abs(places - places[-1]) < 0.4 * CLOSE).all(axis=1))
    apart = [int(i) for i in inside[:-1] if np.abs(places[i] - places[i + 1]).max() > 0.05 * CLOSE][
        -5:
    ]
    assert len(apart) >= 4, "the run has steps to tell apart in this window"
    for i in apart:
        x, y = (float(v) for v in places[i])
        page.mouse.move(*pixel(page, x, y))
        told = dict(line.split(" ", 1) for line in page.locator(".lab-tip div").all_text_contents())
        numbers = re.findall(r"[−\d.e]+", told["position"])
        read = [float(n.replace("−", "-")) for n in numbers]
        assert told["step"] == str(i)
        assert read == pytest.approx(run.positions[i], abs=1e-3 * CLOSE)
        assert ring_is_drawn(page, x, y, radius=8)
    # So far that the start is 1e15 pixels away, the end is still drawn in its place.
    page.mouse.move(5, 5)
    x, y = (float(v) for v in places[-1])
    page.evaluate(zoom_to, [[v - 1e-12, v + 1e-12] for v in (x, y)])
    assert ring_is_drawn(page, x, y, radius=0)


def test_play_pause_step_and_keys(lab: Open) -> None:
    page = lab(**MOVING)
    page.keyboard.press("Space")
    assert not is_playing(page)
    page.keyboard.press("Home")
    assert step(page) == 0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert step(page) == 1
    page.keyboard.press("Shift+ArrowRight")
    assert step(page) == 11
    page.get_by_role("button", name="One step on").click()
    assert step(page) == 12
    page.keyboard.press("End")
    assert step(page) == 300
    page.locator(".lab-play").click()
    assert is_playing(page)
    page.wait_for_timeout(400)
    assert 0 < step(page) < 200


def test_playback_speed(lab: Open) -> None:
    """At 100 steps a second; the tolerance is what a busy machine may lose."""
    page = lab("?speed=100&steps=1000", **MOVING)
    page.wait_for_timeout(500)
    before, then = step(page), page.evaluate("performance.now()")
    page.wait_for_timeout(2000)
    after, now = step(page), page.evaluate("performance.now()")
    assert (after - before) / (now - then) * 1000 == pytest.approx(100, rel=0.4)


def test_scrubbing_in_the_loss_plot_moves_both_views(lab: Open) -> None:
    page = lab()
    x, y = pixel(page, 120, 1.0, ".lab-loss")
    page.mouse.click(x, y)
    assert step(page) == 120
    assert not is_playing(page)
    page.mouse.down()
    page.mouse.move(pixel(page, 60, 1.0, ".lab-loss")[0], y, steps=5)
    page.mouse.up()
    assert step(page) == 60
    assert page.locator(".lab-scrub").input_value() == "60"


def test_the_scrubber_moves_both_views(lab: Open) -> None:
    page = lab()
    box = page.locator(".lab-scrub").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    assert step(page) == pytest.approx(240, abs=8)
    assert not is_playing(page)
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + box["height"] / 2)
    assert step(page) == pytest.approx(150, abs=4)


def test_the_start_is_dragged_and_answers_under_way(lab: Open) -> None:
    page = lab()
    at_end(page)
    before, view = answers(page), window(page)
    page.mouse.move(*pixel(page, 1.5, 10))
    page.mouse.down()
    for i in range(1, 25):
        page.mouse.move(*pixel(page, 1.5 - 0.15 * i, 10 - 0.5 * i))
        page.wait_for_timeout(30)
    assert answers(page) - before >= 5, "the paths follow while the hand still holds the start"
    page.mouse.up()
    page.wait_for_timeout(400)
    assert window(page) == view, "the plot was not panned along"
    query = link(page)
    got = float(query["x"]), float(query["y"])
    assert got == pytest.approx((-2.1, -2.0), abs=0.06)
    gd = simulate(SURFACES["bowl"], OPTIMIZERS["gd"], start=got, steps=300, lr=0.017)
    assert table(page)["gd"][5] == f"{float(np.abs(path_length(gd.positions))):.4g}"


def path_length(positions: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(positions, axis=0), axis=1).sum())


def test_a_click_sets_the_start_and_a_pan_does_not(lab: Open) -> None:
    page = lab()
    answered(page, lambda: page.mouse.click(*pixel(page, -2, -6)))
    query = link(page)
    assert float(query["x"]) == pytest.approx(-2, abs=0.05)
    assert float(query["y"]) == pytest.approx(-6, abs=0.1)
    view = window(page)
    page.mouse.move(*pixel(page, 2, 0))
    page.mouse.down()
    page.mouse.move(*pixel(page, 3, 4), steps=6)
    page.mouse.up()
    assert window(page) != view
    assert link(page) == query


def test_a_finger_drags_the_start(lab: Open) -> None:
    page = lab(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    (ax, ay), (bx, by) = pixel(page, 1.5, 10), pixel(page, -2, -6)
    touch("touchStart", (ax, ay))
    for i in range(1, 11):
        touch("touchMove", (ax + (bx - ax) * i / 10, ay + (by - ay) * i / 10))
        page.wait_for_timeout(30)
    touch("touchEnd")
    query = link(page)
    assert float(query["x"]) == pytest.approx(-2, abs=0.1)
    assert float(query["y"]) == pytest.approx(-6, abs=0.3)
    assert page.locator("[data-testid=stMain]").evaluate("main => main.scrollTop") == 0, (
        "the page did not scroll along"
    )


def test_hover_tells_the_step_in_numbers(lab: Open) -> None:
    page = lab()
    at_end(page)
    run = simulate(SURFACES["bowl"], OPTIMIZERS["momentum"], steps=300, lr=0.0051)
    x, y = run.positions[7]
    page.mouse.move(*pixel(page, x, y))
    tip = page.locator(".lab-tip")
    lines = tip.inner_text().splitlines()
    assert lines[0] == "Momentum"
    found = dict(line.rsplit(" ", 1) for line in lines[1:] if not line.startswith("position"))
    assert found["step"] == "7"
    assert float(found["loss"]) == pytest.approx(run.losses[7], rel=1e-4)
    slope = np.linalg.norm(SURFACES["bowl"].gradient(x, y, *SURFACES["bowl"].args))
    assert float(found["gradient norm"]) == pytest.approx(slope, rel=5e-3)
    numbers = re.findall(r"[−\d.]+", lines[2])
    assert [float(n.replace("−", "-")) for n in numbers] == pytest.approx([x, y], rel=1e-4)


def test_a_tap_on_a_step_tells_it(lab: Open) -> None:
    page = lab(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    at_end(page)
    run = simulate(SURFACES["bowl"], OPTIMIZERS["adam"], steps=300, lr=0.3)
    page.touchscreen.tap(*pixel(page, *run.positions[9]))
    page.wait_for_timeout(200)
    assert page.locator(".lab-tip").is_visible()
    assert link(page) == {}, "the start stays where it is"


def test_a_window_made_narrow_is_drawn_as_on_a_phone(lab: Open) -> None:
    page = lab()
    title = page.locator(".lab-loss .ytitle")
    assert "best known minimum" in (title.text_content() or "")
    page.set_viewport_size({"width": 390, "height": 844})
    title.wait_for(state="detached")


def test_zoom_keeps_the_paths_and_a_change_keeps_the_zoom(lab: Open) -> None:
    page = lab()
    at_end(page)
    page.mouse.move(*pixel(page, 0.5, 8))
    for _ in range(4):
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(60)
    page.wait_for_timeout(500)
    zoomed = window(page)
    assert zoomed[0][1] - zoomed[0][0] < 7
    # The start's ring is where the start now is: dark pixels on its circle.
    assert ring_is_drawn(page, 1.5, 10)
    answered(page, lambda: set_range(page, "adam.lr", 250))
    assert window(page) == zoomed
    page.get_by_role("button", name="Whole frame").click()
    page.wait_for_timeout(400)
    assert window(page) == [[-4, 4], [-12, 12]]
    assert ring_is_drawn(page, 1.5, 10)


def ring_is_drawn(page: Page, x: float, y: float, radius: int = 10) -> bool:
    px, py = pixel(page, x, y)
    alpha = page.eval_on_selector(
        ".lab-main canvas[data-painted]",
        """(canvas, [x, y]) => {
          const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
          return canvas.getContext("2d").getImageData(
            (x - box.left) * ratio, (y - box.top) * ratio, 1, 1).data[3];
        }""",
        [px, py - radius],
    )
    return float(alpha) > 150


def test_a_change_tears_nothing_down(lab: Open) -> None:
    page = lab("?speed=15", **MOVING)
    page.evaluate("""() => {
      window.torn = 0;
      const watched = [".lab-root", ".lab-main .js-plotly-plot", ".lab-main canvas",
        ".lab-main .contourlayer", ".lab-loss .js-plotly-plot"];
      const nodes = watched.map(selector => document.querySelector(selector));
      new MutationObserver(() => {
        for (const node of nodes) if (!node.isConnected) window.torn++;
      }).observe(document.body, { subtree: true, childList: true });
    }""")
    before = step(page)
    for notch in range(100, 300, 20):
        answered(page, lambda n=notch: set_range(page, "gd.lr", n))  # type: ignore[misc]
    assert page.evaluate("window.torn") == 0
    assert is_playing(page)
    assert step(page) > before, "the animation goes on through a change"
    opacity = (
        "node => { let o = 1; for (; node; node = node.parentElement) "
        "o *= Number(getComputedStyle(node).opacity); return o; }"
    )
    assert page.eval_on_selector(".lab-main", opacity) == 1


def test_a_diverged_run_leaves_with_an_arrow_and_is_told(lab: Open) -> None:
    page = lab("?gd.lr=0.03&opt=gd")
    at_end(page)
    run = simulate(SURFACES["bowl"], OPTIMIZERS["gd"], steps=300, lr=0.03)
    assert run.outcome.kind == "diverged"
    cells = table(page)["gd"]
    assert "diverg" in cells[1]
    assert run.outcome.reason in cells[1]
    assert orange_near_the_edges(page) > 30


def orange_near_the_edges(page: Page) -> int:
    count: int = page.eval_on_selector(
        ".lab-main canvas[data-painted]",
        """canvas => {
          const plot = canvas.parentElement.querySelector(".js-plotly-plot")._fullLayout;
          const { xaxis, yaxis } = plot, ratio = canvas.width / plot.width;
          const context = canvas.getContext("2d");
          let count = 0;
          for (const x of [xaxis._offset, xaxis._offset + xaxis._length - 14]) {
            const { data } = context.getImageData(
              x * ratio, yaxis._offset * ratio, 14 * ratio, yaxis._length * ratio);
            for (let i = 0; i < data.length; i += 4) {
              const [r, g, b, a] = data.slice(i, i + 4);
              if (r > 180 && g < 140 && b < 60 && a > 200) count++;
            }
          }
          return count;
        }""",
    )
    return count


def test_a_curve_has_the_same_controls(lab: Open) -> None:
    page = lab("?surface=double_well")
    at_end(page)
    surface = SURFACES["double_well"]
    assert page.locator(".lab-main .scatterlayer path.js-line").count() == 1
    target = 0.5 * surface.domain[0][0]
    height = float(surface.value(target))
    answered(page, lambda: page.mouse.click(*pixel(page, target, height)))
    assert float(link(page)["x"]) == pytest.approx(target, abs=0.05)
    lr = suggested_lr(surface, OPTIMIZERS["gd"])
    run = simulate(surface, OPTIMIZERS["gd"], start=(float(link(page)["x"]),), steps=300, lr=lr)
    assert run.outcome.reason in table(page)["gd"][1]


def test_the_field_of_arrows_is_shown_and_hidden(lab: Open) -> None:
    page = lab("?opt=")
    ink = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
      .data.filter((v, i) => i % 4 === 3 && v > 60).length"""
    canvas = ".lab-main canvas[data-painted]"
    bare = page.eval_on_selector(canvas, ink)
    page.get_by_role("button", name="Directions of steepest descent").click()
    page.wait_for_timeout(300)
    assert page.eval_on_selector(canvas, ink) > bare + 2000
    assert link(page)["field"] == "1"
    page.get_by_role("button", name="Directions of steepest descent").click()
    page.wait_for_timeout(300)
    assert page.eval_on_selector(canvas, ink) == bare
