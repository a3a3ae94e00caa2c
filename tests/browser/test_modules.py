"""The browser's pure modules, alone: against Python, and against scripts of what a server does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from optim_core.spec import Hyper, Interval
from ui import wire
from ui.panels.map.places import places
from ui.server import assets

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser: Browser, address: str) -> Iterator[Page]:
    """Any page of the app: the modules are loaded into it."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/_stcore/health")
    yield page
    context.close()


def ran(page: Page, module: str, body: str, given: Any = None) -> Any:
    """What a function of a module and some values gives."""
    script = f"""async ([address, given]) => {{
      const module = await import(new URL(address, location.origin).href);
      {body}
    }}"""
    return page.evaluate(script, ["/" + assets.address(f"browser/{module}.js"), given])


def test_scales_are_those_of_the_maps(page: Page) -> None:
    """The middles of cells, as Python's map has them; and back to their places."""
    axes = {
        "linear": (-3.0, 5.0),
        "log": (1e-4, 30.0),
        "one_minus": (0.0, 0.9999),
    }
    for scale, (low, high) in axes.items():
        hyper = Hyper("a", "a", low, Interval(-math.inf), low, high, scale, "")  # type: ignore[arg-type]
        expected = places(hyper, low, high, 50)
        body = """const [scale, span] = given;
          const { value, place } = module.SCALES[scale];
          const values = Array.from({ length: 50 }, (_, i) => value((i + 0.5) / 50, span));
          return [values, values.map((v) => place(v, span))];"""
        values, back = ran(page, "controls/scales", body, [scale, {"low": low, "high": high}])
        np.testing.assert_allclose(values, expected, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(back, (np.arange(50) + 0.5) / 50, atol=1e-12)


def test_numbers_are_read_back(page: Page) -> None:
    """As people read them; to four digits they are the number."""
    random = np.random.default_rng(5)
    numbers = (random.standard_normal(500) * 10.0 ** random.integers(-12, 12, 500)).tolist()
    texts = ran(page, "words/format", "return given.map((v) => module.number(v));", numbers)
    read = [float(text.replace("−", "-")) for text in texts]
    np.testing.assert_allclose(read, numbers, rtol=6e-4)
    assert all(len(text) <= 10 for text in texts)
    special = {"inf": "∞", "-inf": "−∞", "nan": "not a number"}
    said = ran(page, "words/format", "return given.map((v) => module.number(v));", [*special, 0])
    assert said == [*special.values(), "0"]


def test_a_gesture_is_undone_as_one_change(page: Page) -> None:
    body = """const journal = new module.Journal();
      const begun = [
        journal.note("a", "lr", 0), journal.note("b", "lr", 500), journal.note("c", "lr", 1000),
        journal.note("d", "steps", 1100), journal.note("e", "steps", 2000),
        journal.note("f", null, 2001), journal.note("g", null, 2002),
      ];
      const back = [];
      for (let now = "h"; now !== null; ) { back.push(now); now = journal.undo(now); }
      const on = [];
      for (let now = back.at(-1); now !== null; ) { on.push(now); now = journal.redo(now); }
      journal.undo("h");
      journal.note("z", "lr", 5000);
      return [begun, back.join(""), on.join(""), journal.redo("y")];"""
    begun, back, on, after = ran(page, "kernel/journal", body)
    assert begun == [True, False, False, True, True, True, True]
    assert (back, on) == ("hgfeda", "adefgh")
    assert after is None, "a change ends what could be done again"


ASK = """
  const real = globalThis.fetch;
  const [packed, script] = given;
  const bytes = Uint8Array.from(packed);
  const seen = { asked: [], aborted: [], shown: [], refused: [], late: 0 };
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const shown = async (count) => { while (seen.shown.length < count) await wait(5); };
  const refused = async (count) => { while (seen.refused.length < count) await wait(5); };
  globalThis.fetch = async (address, { signal } = {}) => {
    seen.asked.push(address);
    signal?.addEventListener("abort", () => seen.aborted.push(address));
    const [pause, status, headers = {}] = script[address]?.shift() ?? [10, 200];
    await wait(pause);
    if (signal?.aborted) throw new DOMException("Left.", "AbortError");
    if (status === 0) throw new TypeError("No connection.");
    return new Response(status === 200 ? bytes : "A sentence.", { status, headers });
  };
  const asker = new module.Asker({
    show: (_, address) => seen.shown.push(address),
    isShown: () => seen.shown.push("again"),
    refused: (status, sentence) => seen.refused.push([status, sentence]),
    failed: (error) => seen.refused.push(String(error)),
    pending: () => { if (asker.isLate) seen.late++; },
  });
  try { await act(asker, shown, refused); } finally { globalThis.fetch = real; asker.close(); }
  return seen;"""


def asked(page: Page, act: str, script: dict[str, Any]) -> dict[str, Any]:
    message = list(wire.pack({}, {}))
    body = f"const act = async (asker, shown, refused) => {{ {act} }};{ASK}"
    found: dict[str, Any] = ran(page, "kernel/asker", body, [message, script])
    return found


def test_one_answer_is_under_way_and_the_newest_state_waits(page: Page) -> None:
    act = """for (const name of "abcde") asker.want(name);
      await shown(2); asker.want("e"); asker.want("a"); await shown(4);"""
    seen = asked(page, act, {"a": [[50, 200]]})
    assert seen["asked"] == ["a", "e", "a"]
    assert seen["shown"] == ["a", "e", "again", "a"]
    assert seen["aborted"] == []


def test_a_choice_and_a_long_wait_abort_what_is_older(page: Page) -> None:
    act = """asker.want("a"); asker.want("b", true); await shown(1);
      asker.want("slow"); asker.want("c"); await shown(2);"""
    seen = asked(page, act, {"a": [[300, 200]], "slow": [[5000, 200]]})
    assert seen["aborted"] == ["a", "slow"]
    assert seen["shown"] == ["b", "c"], "what was overtaken never shows"


def test_a_state_that_is_left_before_it_is_asked_for_is_not_shown(page: Page) -> None:
    """b waits behind a, and then a is wanted again."""
    seen = asked(page, 'asker.want("a"); asker.want("b"); asker.want("a"); await shown(2);', {})
    assert seen["shown"] == ["a", "a"]


def test_a_busy_server_and_a_lost_connection_are_asked_again(page: Page) -> None:
    act = 'asker.want("a"); await shown(1); asker.want("b"); await shown(2);'
    script = {"a": [[5, 503, {"Retry-After": "0.1"}], [5, 200]], "b": [[5, 0], [5, 200]]}
    seen = asked(page, act, script)
    assert seen["asked"] == ["a", "a", "b", "b"]
    assert seen["shown"] == ["a", "b"]
    assert seen["refused"] == []


def test_a_refusal_is_told_and_the_next_state_is_asked_for(page: Page) -> None:
    act = 'asker.want("a"); await refused(1); asker.want("b"); await shown(1);'
    seen = asked(page, act, {"a": [[5, 500]]})
    assert seen["refused"] == [[500, "A sentence."]]
    assert seen["shown"] == ["b"]
