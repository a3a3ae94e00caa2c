"""The README's page, put into a copy of the tree: one file is all that a new page needs."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from benchmarks.browser import ROOT, free_port, running
from optim_core import OPTIMIZERS, simulate
from surfaces import SURFACES
from tests.browser.hands import READY, answered, link, set_range, table

pytestmark = pytest.mark.browser

TREE = ("optim_core", "surfaces", "figures", "ui", "pages", ".streamlit", "app.py")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[str]:
    for name in TREE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
        else:
            shutil.copy(ROOT / name, tmp_path)
    text = (ROOT / "README.md").read_text().partition("`pages/duel.py`")[2]
    block = re.search(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    (tmp_path / "pages" / "duel.py").write_text(block[1])
    port = free_port()
    command = [str(Path(sys.executable).parent / "uvicorn"), "app:app", "--port", str(port)]
    command += ["--app-dir", str(tmp_path), "--ws", "websockets-sansio"]
    with running(command, f"http://127.0.0.1:{port}") as address:
        yield address


def test_the_readmes_page_works(copy: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(copy)
    page.get_by_role("link", name="Duel").click()
    page.wait_for_selector(".lab-page-duel")
    page.wait_for_selector(READY)
    assert page.url == f"{copy}/duel"
    answered(page, lambda: set_range(page, "momentum~2.lr", 150))
    lr = float(link(page)["momentum~2.lr"])
    run = simulate(SURFACES["bowl"], OPTIMIZERS["momentum"], steps=300, lr=lr)
    assert list(table(page)) == ["momentum", "momentum~2"]
    assert run.outcome.reason in table(page)["momentum~2"][1]
    page.get_by_role("link", name="Compare").click()
    expect(page.locator(".lab-page-compare .lab-results")).to_contain_text("Momentum")
    assert link(page)["momentum~2.lr"] == str(lr)
    context.close()
    assert errors == []
