"""Formulas on their way to the page: as trees, in which text is text."""

from __future__ import annotations

import pytest

from optim_core import SCHEDULES
from ui.mathml import mathml


def texts(tree: list[object]) -> str:
    """All that a formula says."""
    _, _, *children = tree
    return "".join(c if isinstance(c, str) else texts(c) for c in children)  # type: ignore[arg-type]


def test_markup_in_a_formula_is_its_text() -> None:
    tree = mathml(r"\text{<img/src=x/onerror=alert(1)>}")
    assert tree == [
        "math",
        {"display": "inline"},
        ["mrow", {}, ["mtext", {}, "<img/src=x/onerror=alert(1)>"]],
    ]


@pytest.mark.parametrize(
    ("latex", "refused"),
    [
        (r"\href{javascript:alert(1)}{x}", "href"),
        (r"\style{background:url(x)}{y}", "style"),
        (r"\class{lab-root}{x}", "class"),
        (r"\fbox{x}", "menclose"),
    ],
)
def test_what_is_more_than_a_formula_is_refused(latex: str, refused: str) -> None:
    with pytest.raises(ValueError, match=f"a formula may have the .*, got {refused}"):
        mathml(latex)


def test_symbols_are_characters() -> None:
    assert texts(mathml(r"\eta_t < \sqrt{\hat{v}} \cdot \text{a\_b}")) == "ηt<v^·a_b"
    assert all(texts(mathml(s.formula)) for s in SCHEDULES.values())
