"""What is left to Streamlit, without a browser: pages, navigation, and the one component."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages import PAGES
from ui.server import assets

APP = Path(__file__).parents[1] / "app.py"


@pytest.fixture
def visit(tmp_path: Path) -> Any:
    """Opens pages as the server does, which offers no file of pages/ on its own."""
    script = shutil.copy(APP, tmp_path)

    def visit(key: str, address: dict[str, Any] | None = None) -> AppTest:
        app = AppTest.from_file(script, default_timeout=60)
        (tmp_path / f"{key}.py").touch()  # AppTest finds a page's address by a file's name
        app.switch_page(f"{key}.py").query_params.update(address or {})
        return checked(app.run())

    return visit


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [e.message for e in app.exception]
    assert not app.error
    assert not app.warning
    return app


def component(app: AppTest) -> Any:
    """The one thing that a page shows; AppTest knows no second version of components by a class."""
    (found,) = app.get("bidi_component")
    assert len(app.main) == 1
    return found.proto


@pytest.mark.parametrize("key", PAGES)
def test_a_page_is_the_one_component_that_is_told_its_name(key: str, visit: Any) -> None:
    app = visit(key, {"surface": "plane", "steps": ["soon", "7"], "nosuch": "<script>"})
    shown = component(app)
    assert (shown.component_name, json.loads(shown.json)) == ("descent_lab", {"page": key})
    assert "data-lab" in shown.html_content
    # What it shows, and whatever is wrong in the address, it asks for by itself.
    app.query_params["surface"] = "saddle"
    again = component(checked(app.run()))
    assert (again.id, again.json) == (shown.id, shown.json), "a rerun must change nothing"


def test_the_component_loads_its_code_from_the_cached_address(visit: Any) -> None:
    code = component(visit("compare")).js_content
    assert repr(assets.address(assets.MAIN)) in code
    # It goes over the wire with every run.
    assert len(code) < 240


def test_the_navigation_has_all_pages(visit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, str, str]] = []
    navigation = st.navigation

    def spied(pages: list[Any], **options: Any) -> Any:
        shown.extend((page.url_path, page.title, page.icon) for page in pages)
        return navigation(pages, **options)

    monkeypatch.setattr(st, "navigation", spied)
    visit("compare")
    assert shown == [
        ("", "Compare", ":material/flag:"),
        ("learning_rate", "Learning rate", ":material/speed:"),
        ("step_by_step", "Step by step", ":material/function:"),
        ("schedules", "Schedules", ":material/timeline:"),
    ]


def test_what_no_page_catches_shows_no_paths() -> None:
    assert st.get_option("client.showErrorDetails") == "none"
