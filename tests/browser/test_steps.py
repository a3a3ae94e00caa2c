"""The Step by step page in a real Chromium: formula, table, file, parts, ingredients, phone."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Error, Page

from optim_core import OPTIMIZERS, Run, simulate
from optim_core.formula import quantities
from surfaces import SURFACES
from tests.browser.conftest import MOVING, Open
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
from tests.test_step_tables import ADAM_TABLE, GD_TABLE, rows
from ui.mathml import ATTRIBUTES, ELEMENTS, mathml
from ui.server import assets
from ui.state.common import suggested_lr

pytestmark = pytest.mark.browser

NOTES = "surface=parabola&x=10"  # where the tables of the teaching notes start


def visit(lab: Open, query: str = "", **options: Any) -> Page:
    page = lab("step_by_step" + query, **options)
    page.wait_for_selector(".lab-line math")
    return page


def go_to(page: Page, wanted: int) -> None:
    page.keyboard.press("Home")
    for _ in range(wanted // 10):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(wanted % 10):
        page.keyboard.press("ArrowRight")
    assert step(page) == wanted


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def line(page: Page, name: str, axis: str) -> tuple[list[float], float]:
    """The numbers that stand in a line of the formula, and what it comes to."""
    row = page.locator(f".lab-numbers[data-line='{name}'][data-axis='{axis}']")
    shown = [number(t.strip("()")) for t in row.locator("math mn").all_text_contents()]
    return shown, number(row.locator("b").inner_text())


def run_of(surface: str, of: str, steps: int = 100, **hypers: Any) -> Run:
    lr = suggested_lr(SURFACES[surface], OPTIMIZERS[of])
    return simulate(SURFACES[surface], OPTIMIZERS[of], steps=steps, **{"lr": lr} | hypers)


def cells(page: Page) -> list[list[str]]:
    found: list[list[str]] = page.eval_on_selector_all(
        ".lab-rows tbody tr", "rows => rows.map(r => [...r.cells].map(c => c.innerText))"
    )
    return found


def test_the_numbers_in_the_formula_are_this_steps(lab: Open) -> None:
    page = visit(lab)
    found = quantities(run_of("bowl", "adam"))
    for wanted in (0, 7, 23):
        go_to(page, wanted)
        for j, axis in enumerate("xy"):
            for name in ("g", "m", "v", "m_hat", "v_hat", "p.after"):
                assert line(page, name, axis)[1] == pytest.approx(found[name][wanted, j], rel=1e-4)
            shown, value = line(page, "m", axis)
            beta, before, _, _, gradient = shown
            assert before == pytest.approx(found["m.before"][wanted, j], rel=1e-4)
            assert gradient == pytest.approx(found["g"][wanted, j], rel=1e-4)
            assert beta * before + (1 - beta) * gradient == pytest.approx(value, rel=2e-4)
        assert f"From step {wanted} to step {wanted + 1}" in page.inner_text(".lab-formulas h3")


def test_scrubbing_moves_the_numbers_without_the_server(lab: Open) -> None:
    page = visit(lab, "?of=momentum")
    go_to(page, 3)
    asked = data(page, "answer")
    box = page.locator(".lab-scrub").bounding_box()
    assert box is not None
    seen = set()
    page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    page.mouse.down()
    for i in range(12):
        page.mouse.move(box["x"] + 10 + 14 * i, box["y"] + box["height"] / 2)
        page.wait_for_timeout(20)
        seen.add(line(page, "m", "x")[1])
    page.mouse.up()
    assert len(seen) >= 8
    assert data(page, "answer") == asked
    found = quantities(run_of("bowl", "momentum"))
    assert line(page, "m", "y")[1] == pytest.approx(found["m"][step(page), 1], rel=1e-4)


@pytest.mark.parametrize(
    ("query", "printed"),
    [("of=gd&gd.lr=0.1&steps=10", GD_TABLE), ("of=adam&adam.lr=1.05&steps=7", ADAM_TABLE)],
    ids=["gd", "adam"],
)
def test_the_table_is_that_of_the_teaching_notes(lab: Open, query: str, printed: str) -> None:
    page = visit(lab, f"?{NOTES}&{query}")
    expected = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows(printed)]
    page.wait_for_timeout(200)
    assert cells(page) == expected


def test_a_long_table_shows_every_step(lab: Open) -> None:
    page = visit(lab, "?of=gd&steps=5000&noise=0.1&surface=parabola&gd.lr=0.01", **MOVING)
    run = run_of("parabola", "gd", 5000, lr=0.01, noise=0.1)
    page.keyboard.press("End")
    page.wait_for_timeout(200)
    shown = cells(page)
    assert len(shown) < 60
    assert shown[-1][0] == "4999"
    assert number(shown[-1][1]) == pytest.approx(run.positions[4999, 0], abs=6e-3)
    page.eval_on_selector(
        ".lab-rows",
        "box => { box.scrollTop = 2500 * box.querySelector('tbody tr').offsetHeight; }",
    )
    page.wait_for_selector(".lab-rows tr[data-row='2503']")
    middle = {row[0]: row for row in cells(page)}["2503"]
    assert number(middle[2]) == pytest.approx(run.gradients[2503, 0], abs=6e-5)
    page.locator(".lab-rows tr[data-row='2503']").click()
    assert step(page) == 2503
    assert page.locator("tr[aria-current=step]").get_attribute("data-row") == "2503"


def row_in_sight(page: Page) -> str:
    """The step of the marked row, which must lie between the table's head and its lower edge."""
    found: dict[str, Any] = page.evaluate(
        """async () => {
          // What scrolling sets off is over after two frames.
          for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
          const box = document.querySelector(".lab-rows").getBoundingClientRect();
          const head = document.querySelector(".lab-rows thead th").getBoundingClientRect();
          const row = document.querySelector(".lab-rows [aria-current]");
          const { top, bottom } = row?.getBoundingClientRect() ?? {};
          return { row: row?.dataset.row, above: top - head.bottom, below: box.bottom - bottom };
        }"""
    )
    assert found["row"] is not None, "no row is marked"
    assert found["above"] >= -1, found
    assert found["below"] >= -1, found
    return str(found["row"])


def test_the_marked_row_stays_in_sight(lab: Open) -> None:
    page = visit(lab)
    page.keyboard.press("Home")
    keys = ["ArrowRight"] * 26 + ["Shift+ArrowRight"] * 7 + ["ArrowRight", "Shift+ArrowLeft"]
    for key in [*keys, *["ArrowLeft"] * 12, "End", "Home"]:
        page.keyboard.press(key)
        assert row_in_sight(page) == str(min(step(page), 99)), key


def test_the_file_has_all_digits(lab: Open, tmp_path: Path) -> None:
    page = visit(lab, "?of=nesterov&surface=beale&noise=0.2&seed=4")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    file = tmp_path / "table.csv"
    download.value.save_as(file)
    head, *body = csv.reader(io.StringIO(file.read_text()))
    read = dict(zip(head, np.array(body, dtype=float).T, strict=True))
    run = run_of("beale", "nesterov", noise=0.2, seed=4)
    for j, axis in enumerate("xy"):
        np.testing.assert_array_equal(read[f"p.after.{axis}"], run.positions[1:, j])
        np.testing.assert_array_equal(read[f"probe.{axis}"], run.probes[:, j])
        np.testing.assert_array_equal(read[f"m.{axis}"], run.slots["m"][1:, j])


def test_an_ingredient_is_taken_out_and_both_are_drawn(lab: Open) -> None:
    page = visit(lab)
    answered(page, lambda: page.locator("[data-ingredient=bias_correction]").click())
    assert link(page)["without"] == "bias_correction"
    assert list(table(page)) == ["adam", "without"]
    assert "3.16 times" in page.inner_text(".lab-stepside .lab-says")
    go_to(page, 0)
    run, without = run_of("bowl", "adam"), run_of("bowl", "adam", bias_correction=False)
    assert line(page, "p.after", "x")[1] == pytest.approx(run.positions[1, 0], rel=1e-4)
    answered(page, lambda: page.locator(".lab-which").click())
    assert line(page, "p.after", "x")[1] == pytest.approx(without.positions[1, 0], rel=1e-4)
    answered(page, lambda: page.locator("[data-ingredient=momentum]").click())
    assert link(page)["without"] == "bias_correction-momentum"
    for name in ("bias_correction", "momentum"):
        chip = page.locator(f"[data-ingredient={name}]")
        answered(page, chip.click)
    assert link(page) == {}
    assert list(table(page)) == ["adam"]


COLORS = {"memory": (0, 114, 178), "gradient": (213, 94, 0)}


def painted(page: Page, at: tuple[float, float]) -> set[tuple[int, ...]]:
    """The colors of the player's upper canvas around a place on the screen."""
    found: list[list[int]] = page.eval_on_selector(
        ".lab-main .lab-canvas:last-of-type",
        """(canvas, [x, y]) => {
          const box = canvas.getBoundingClientRect(), ratio = canvas.width / box.width;
          const { data } = canvas.getContext("2d").getImageData(
            (x - box.left) * ratio - 2, (y - box.top) * ratio - 2, 5, 5);
          return Array.from({ length: 25 }, (_, i) => [...data.slice(4 * i, 4 * i + 3)]);
        }""",
        list(at),
    )
    return {tuple(color) for color in found}


def test_a_step_is_taken_apart(lab: Open) -> None:
    """Momentum's arrow leads on by the last step's share, the gradient's from there."""
    page = visit(lab, "?of=momentum&momentum.lr=0.02")
    run = run_of("bowl", "momentum", lr=0.02)
    go_to(page, 3)
    drawn(page)
    here, middle, after = run.positions[3], None, run.positions[4]
    middle = here + 0.9 * run.slots["m"][3]
    for name, share in (("memory", (here + middle) / 2), ("gradient", (middle + after) / 2)):
        assert COLORS[name] in painted(page, pixel(page, *share)), name
    facts = page.inner_text(".lab-parts")
    told = re.findall(r"\((−?[\d.e−]+), (−?[\d.e−]+)\)", facts)
    expected = [0.9 * run.slots["m"][3], -0.02 * run.gradients[3], after - here]
    for pair, vector in zip(told, expected, strict=True):
        np.testing.assert_allclose([number(v) for v in pair], vector, rtol=6e-3)


def test_a_short_step_is_enlarged(lab: Open) -> None:
    page = visit(lab, "?of=gd&gd.lr=0.0001")
    go_to(page, 2)
    drawn(page)
    inside = page.eval_on_selector(
        ".lab-main .lab-canvas:last-of-type",
        """canvas => { const { data } = canvas.getContext("2d")
          .getImageData(0, 0, canvas.width, canvas.height);
          let n = 0; for (let i = 0; i < data.length; i += 4)
            n += data[i] === 213 && data[i + 1] === 94 && data[i + 2] === 0;
          return n; }""",
    )
    assert inside > 200, "an arrow of half a pixel is seen in the lens"


def test_every_optimizer_has_its_formula_and_its_parts(lab: Open) -> None:
    page = visit(lab, "?surface=rosenbrock&of=gd")
    for of in OPTIMIZERS:
        if of != "gd":
            answered(page, page.locator(f"[data-of={of}]").click)
        go_to(page, 4)
        run = run_of("rosenbrock", of)
        for j, axis in enumerate("xy"):
            assert line(page, "p.after", axis)[1] == pytest.approx(run.positions[5, j], rel=1e-4)
        assert all(page.locator(".lab-numbers mn").all_text_contents())
        assert page.locator(".lab-numbers mtext", has_text="@").count() == 0
        assert page.locator(".lab-parts dd").count() >= 3


def test_controls_change_the_step_and_the_link(lab: Open) -> None:
    page = visit(lab)
    answered(page, lambda: page.locator("[data-of=rmsprop]").click())
    answered(page, lambda: set_range(page, "rmsprop.rho", 100))
    answered(page, lambda: page.locator("[data-surface=himmelblau]").click())
    page.locator("[data-fold=schedule] summary").click()
    answered(page, lambda: page.locator("select[data-name=schedule]").select_option("cosine"))
    page.locator("[data-fold=penalty] summary").click()
    answered(page, lambda: set_range(page, "l2", 200))
    query = link(page)
    assert set(query) == {"of", "rmsprop.rho", "surface", "schedule", "l2"}
    assert page.locator(".lab-hasrate").count() == 1
    shown = page.inner_text(".lab-formulas")
    other = visit(lab, "?" + page.url.partition("?")[2])
    go_to(page, 9)
    go_to(other, 9)
    assert page.inner_text(".lab-formulas") == other.inner_text(".lab-formulas") != shown


def test_a_phone_has_room(lab: Open) -> None:
    page = visit(lab, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert overflow(page) <= 0
    assert too_small(page) == 0, "everything is large enough for a thumb"
    page.locator("[data-ingredient=momentum]").tap()
    page.wait_for_function("() => document.querySelectorAll('.lab-results tbody tr').length === 2")


def test_a_bad_link_opens_a_working_page(lab: Open) -> None:
    page = visit(lab, "?of=sgd&l1=-1&without=moon&steps=1e9")
    notes = page.locator(".lab-notes")
    notes.wait_for()
    assert "of must be one of" in notes.inner_text()
    answered(page, lambda: page.locator("[data-of=gd]").click())
    assert list(table(page)) == ["gd"]


HOSTILE = [
    ["math", {}, ["img", {"src": "x", "onerror": "window.ran = 1"}]],
    ["math", {}, ["script", {}, "window.ran = 1"]],
    ["math", {}, ["annotation-xml", {"encoding": "text/html"}, "<b>x</b>"]],
    ["math", {}, ["mtext", {"href": "javascript:window.ran = 1"}, "x"]],
    ["math", {}, ["mi", {"onclick": "window.ran = 1"}, "x"]],
    ["math", {"style": "position: fixed"}, "x"],
]


def test_a_formula_makes_nothing_but_mathml(lab: Open) -> None:
    """What the server makes of markup is text; and what it never sends, the browser refuses."""
    page = visit(lab)
    make = """async ([address, formula]) => {
      const { mathml } = await import(new URL(address, document.baseURI).href);
      const box = mathml(formula);
      document.body.append(box);
      box.querySelectorAll("*").forEach((node) => node.dispatchEvent(new Event("click")));
      const made = [...box.querySelectorAll("*")];
      return [made.map((n) => `${n.namespaceURI} ${n.localName}`), box.textContent];
    }"""
    address = assets.address("browser/words/mathml.js")
    markup = r"\text{<img/src=x/onerror=window.ran=1>}"
    made, said = page.evaluate(make, [address, mathml(markup)])
    ours = "http://www.w3.org/1998/Math/MathML"
    assert made == [f"{ours} math", f"{ours} mrow", f"{ours} mtext"]
    assert said == "<img/src=x/onerror=window.ran=1>"
    everything = ["math", {}, *([name, dict.fromkeys(ATTRIBUTES, "1")] for name in ELEMENTS)]
    assert len(page.evaluate(make, [address, everything])[0]) == 1 + len(ELEMENTS)
    for formula in HOSTILE:
        with pytest.raises(Error, match="formula"):
            page.evaluate(make, [address, formula])
    assert page.evaluate("window.ran") is None
