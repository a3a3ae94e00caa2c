"""The Compare page in a real Chromium: controls, share link, bad links, phone, dark mode."""

from __future__ import annotations

import re

import numpy as np
import pytest

from optim_core import OPTIMIZERS, simulate
from surfaces import SURFACES
from tests.browser.conftest import Open
from tests.browser.hands import (
    answered,
    at_end,
    link,
    overflow,
    pixel,
    set_range,
    table,
    too_small,
    window,
)
from ui.state.common import suggested_lr

pytestmark = pytest.mark.browser


def as_shown(value: float) -> str:
    """A number to four digits, as the page prints it; exponents may be written in two ways."""
    return f"{value:.3e}"


def test_the_table_says_what_simulate_says(lab: Open) -> None:
    everyone = "-".join(OPTIMIZERS)
    page = lab(f"?opt={everyone}&steps=120&noise=0.5&seed=3&surface=himmelblau&x=-1&y=-0.25")
    shown = table(page)
    assert list(shown) == list(OPTIMIZERS)
    surface = SURFACES["himmelblau"]
    for key, optimizer in OPTIMIZERS.items():
        run = simulate(
            surface, optimizer, start=(-1, -0.25), steps=120, noise=0.5, seed=3,
            lr=suggested_lr(surface, optimizer),
        )  # fmt: skip
        cells = shown[key]
        assert run.outcome.reason in cells[1]
        assert as_shown(float(cells[2].replace("−", "-"))) == as_shown(run.losses[-1])
        above = np.flatnonzero(run.losses > 1e-3)
        settled = above[-1] + 1 if above.size else 0
        assert cells[3] == ("not reached" if settled == 121 else str(settled))
        legs = np.linalg.norm(np.diff(run.positions, axis=0), axis=1)
        assert float(cells[5]) == pytest.approx(legs.sum(), rel=1e-3)
        assert cells[6] == "120"


def test_a_default_rate_follows_the_surfaces_parameters(lab: Open) -> None:
    """Of the bowl's limit 1/κ; the link leaves it out, and the box shows what runs."""
    page = lab("?condition=1000&opt=gd-adam")
    boxes = [
        page.locator(f".lab-slider:has([data-name='{k}.lr']) .lab-number") for k in ("gd", "adam")
    ]
    assert [box.input_value() for box in boxes] == ["0.00085", "0.3"]
    assert "diverged" not in table(page)["gd"][1]
    exact = page.locator(".lab-slider:has([data-name='condition']) .lab-number")
    exact.fill("10")
    answered(page, lambda: exact.press("Enter"))
    assert [box.input_value() for box in boxes] == ["0.085", "0.3"]
    assert "gd.lr" not in link(page)


def test_every_slider_follows_the_hand(lab: Open) -> None:
    """Dragged with the mouse: the answers come before the button is released."""
    page = lab()
    at_end(page)
    slider = page.locator("input[data-name='gd.lr']")
    box = slider.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, y)
    page.mouse.down()
    seen = set()
    for i in range(20):
        page.mouse.move(box["x"] + box["width"] * (0.3 + 0.02 * i), y)
        page.wait_for_timeout(40)
        seen.add(page.eval_on_selector(".lab-root", "root => root.dataset.answer"))
    assert len(seen) >= 8
    page.mouse.up()
    page.wait_for_timeout(300)
    lr = float(link(page)["gd.lr"])
    run = simulate(SURFACES["bowl"], OPTIMIZERS["gd"], steps=300, lr=lr)
    assert run.outcome.reason in table(page)["gd"][1]


def test_optimizers_are_switched_and_folded_out(lab: Open) -> None:
    page = lab()
    answered(page, lambda: page.get_by_label("Race Nesterov").check())
    assert list(table(page)) == ["gd", "momentum", "nesterov", "adam"]
    answered(page, lambda: page.get_by_label("Race GD").uncheck())
    assert link(page)["opt"] == "momentum-nesterov-adam"
    beta = page.locator("input[type=range][data-name='adam.beta2']")
    assert not beta.is_visible()
    page.get_by_label("More of Adam", exact=True).click()
    assert beta.is_visible()
    answered(page, lambda: set_range(page, "adam.beta2", 200))
    answered(page, lambda: page.locator("[data-name='adam.bias_correction']").uncheck())
    query = link(page)
    assert query["adam.bias_correction"] == "0"
    run = simulate(
        SURFACES["bowl"], OPTIMIZERS["adam"], steps=300, lr=0.3,
        beta2=float(query["adam.beta2"]), bias_correction=False,
    )  # fmt: skip
    assert run.outcome.reason in table(page)["adam"][1]


def test_an_exact_number_is_typed_and_a_bad_one_is_told(lab: Open) -> None:
    """Of "1,000" nobody can tell whether it is one or a thousand, so it is not taken."""
    page = lab("?opt=gd")
    box = page.get_by_label("lr, exact").first
    read = {"0.02000001": "0.02000001", "0,0125": "0.0125", "1e−3": "0.001", "12,5": "12.5"}
    for text, value in read.items():
        box.fill(text)
        answered(page, lambda: box.press("Enter"))
        assert link(page)["gd.lr"] == value
    refused = ("1,000", "12,345", "-1,000,000", "1 000", "1\u202f000", "1_000", "1,0,0", "∞")
    for wrong in (*refused, "0x10", "１", "", "−3"):
        box.fill(wrong)
        box.press("Enter")
        message = box.evaluate("box => box.validationMessage")
        assert f"“{wrong}”" in message
        assert "(0, inf)" in message
    assert link(page)["gd.lr"] == "12.5", "what was on the screen stays"
    steps = page.get_by_label("steps, exact")
    for wrong in ("1,000", "12,5"):
        steps.fill(wrong)
        steps.press("Enter")
        assert f"“{wrong}”" in steps.evaluate("box => box.validationMessage")
    assert "steps" not in link(page)


def test_surface_and_its_parameters(lab: Open) -> None:
    page = lab("?gd.lr=0.002&x=1&y=1")
    answered(page, lambda: set_range(page, "condition", 200))
    assert 20 < float(link(page)["condition"]) < 50
    answered(page, lambda: page.locator("[data-surface=rosenbrock]").click())
    page.wait_for_timeout(300)
    assert link(page) == {"surface": "rosenbrock", "gd.lr": "0.002"}
    assert window(page) == [list(side) for side in SURFACES["rosenbrock"].domain]
    assert page.locator("[data-surface=rosenbrock]").get_attribute("aria-pressed") == "true"


def test_reset_and_random_start(lab: Open) -> None:
    page = lab("?surface=beale&steps=50&opt=adam")
    answered(page, lambda: page.get_by_role("button", name="Random start").click())
    query = link(page)
    for axis, (low, high) in zip("xy", SURFACES["beale"].domain, strict=True):
        assert low <= float(query[axis]) <= high
    answered(page, lambda: page.get_by_role("button", name="Reset all").click())
    assert link(page) == {}
    assert list(table(page)) == ["gd", "momentum", "adam"]


def test_the_address_bar_is_the_share_link(lab: Open) -> None:
    page = lab()
    answered(page, lambda: page.locator("[data-surface=ackley]").click())
    answered(page, lambda: page.get_by_label("Race RMSProp").check())
    answered(page, lambda: set_range(page, "rmsprop.lr", 220))
    answered(page, lambda: set_range(page, "noise", 60))
    answered(page, lambda: set_range(page, "seed", 100))
    answered(page, lambda: set_range(page, "steps", 150))
    answered(page, lambda: page.mouse.click(*pixel(page, 1.2, -2.1)))
    page.select_option(".lab-tools select", "100")
    page.get_by_role("button", name="Directions of steepest descent").click()
    page.wait_for_timeout(400)
    query = page.url.partition("?")[2]
    other = lab("?" + query)
    assert table(other) == table(page)
    assert link(other) == link(page)
    for name in ("noise", "seed", "steps", "rmsprop.lr"):
        field = f"input[type=range][data-name='{name}']"
        assert other.locator(field).input_value() == page.locator(field).input_value()
    assert other.locator(".lab-tools select").input_value() == "100"
    assert set(link(page)) >= {"surface", "opt", "rmsprop.lr", "noise", "seed", "steps", "x", "y"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?surface=%3Cimg%20src=x%20onerror=alert(1)%3E", "surface must be one of"),
        ("?" + "&".join(["opt=adam"] * 2000), "characters"),
    ],
)
def test_a_bad_link_opens_a_working_page(lab: Open, query: str, said: str) -> None:
    page = lab(query)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    notes = page.locator(".lab-notes")
    notes.wait_for()
    assert said in notes.inner_text()
    assert notes.evaluate("node => node.children.length") == 0, "text is text"
    answered(page, lambda: page.get_by_label("Race Nesterov").click())
    assert table(page)


def test_a_phone_sees_the_plot_while_it_moves_a_slider(lab: Open) -> None:
    page = lab(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert overflow(page) <= 0
    slider = page.locator("input[data-name='adam.lr']")
    slider.evaluate("node => node.scrollIntoView({ block: 'end' })")
    page.wait_for_timeout(200)
    main = page.locator(".lab-main").bounding_box()
    assert main is not None
    assert main["y"] >= -1
    box = slider.bounding_box()
    assert box is not None
    assert box["y"] > main["y"] + main["height"], "the plot does not lie on the slider"
    at = (box["x"] + box["width"] * 0.4, box["y"] + box["height"] / 2)
    answered(page, lambda: page.touchscreen.tap(*at))
    assert "adam.lr" in link(page)
    assert too_small(page) == 0, "everything is large enough for a thumb"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_followed(lab: Open, scheme: str) -> None:
    page = lab(color_scheme=scheme)
    back, text = page.eval_on_selector(
        ".lab-root",
        """root => { const probe = document.createElement("i"); root.append(probe);
          const read = (name) => {
            probe.style.color = `var(${name})`;
            return getComputedStyle(probe).color;
          };
          const found = [read("--st-background-color"), read("--st-text-color")];
          probe.remove(); return found; }""",
    )
    light = [sum(map(int, re.findall(r"\d+", c)[:3])) for c in (back, text)]
    assert (light[0] > light[1]) == (scheme == "light")
    is_dark = page.locator(".lab-root.lab-dark").count() == 1
    assert is_dark == (scheme == "dark")
    tick = page.locator(".lab-main .xtick text").first.evaluate("t => getComputedStyle(t).fill")
    assert tick == text


def test_the_brand_never_lies_on_the_pages_names(lab: Open) -> None:
    """At every width that has the names on top; 853 × 480 is a projector's 720p at 150 %."""
    page = lab("?embed=true")
    screens = [(width, 700) for width in range(768, 960, 12)] + [(800, 700), (853, 480)]
    for width, height in screens:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(
            """() => {
              const box = (node) => node.getBoundingClientRect();
              const brand = [...document.querySelectorAll(".lab-brand")].map(box);
              const names = [...document.querySelectorAll("[data-testid=stTopNavLink]")].map(box);
              const apart = (a, b) => a.right <= b.left || b.right <= a.left;
              return brand.length === 1 && names.length === 4 && brand[0].width > 0 &&
                brand[0].right <= innerWidth && names.every((name) => apart(name, brand[0]));
            }""",
            timeout=3000,
        )


def test_the_link_is_copied_on_plain_http(lab: Open) -> None:
    """A class opens the app at the lecturer's own address, where there is no clipboard API."""
    page = lab("?opt=gd", host="lab.test")
    assert page.evaluate("[isSecureContext, navigator.clipboard === undefined]") == [False, True]
    page.get_by_role("button", name="Copy link").click()
    said = page.locator(".lab-actions output")
    said.wait_for()
    assert "copied" in said.inner_text()
    box = page.get_by_label("lr, exact").first
    box.fill("")
    box.press("Control+v")
    assert box.input_value() == page.url
    # A browser may refuse that too: then a person is asked to.
    page.evaluate("document.execCommand = () => false")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function(
        "() => document.querySelector('.lab-actions output').innerText.includes('Ctrl')"
    )
    assert page.evaluate("getSelection().toString() || document.activeElement.value") == page.url
