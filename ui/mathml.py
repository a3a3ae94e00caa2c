"""Formulas for the browser, which draws MathML by itself."""

from __future__ import annotations

import html
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

# An element as JSON: its tag, its attributes, and its children, of which a text is a string.
Tree = list[Any]

# What formulas need, and the browser makes (ui/browser/words/mathml.js). LaTeX can ask for more: a
# link, a style, a class.
ELEMENTS = frozenset((
    "math", "mfrac", "mi", "mn", "mo", "mover", "mrow", "mspace", "msqrt", "mstyle", "msub",
    "msubsup", "msup", "mtext", "munder", "munderover",
))  # fmt: skip
ATTRIBUTES = frozenset((
    "accent", "display", "displaystyle", "fence", "form", "mathvariant", "scriptlevel", "stretchy",
    "width",
))  # fmt: skip


@lru_cache(maxsize=1024)
def mathml(latex: str) -> Tree:
    """A LaTeX formula as a tree of MathML elements, in which every text is nothing but text.

    Raises ValueError if it asks for another element or attribute than those above.
    """
    return _tree(convert_to_element(latex))


def _tree(element: Element) -> Tree:
    attributes = {k: v for k, v in element.attrib.items() if k != "xmlns"}
    if element.tag not in ELEMENTS:
        raise ValueError(f"a formula may have the elements {_list(ELEMENTS)}, got {element.tag}.")
    for name in attributes:
        if name not in ATTRIBUTES:
            raise ValueError(f"a formula may have the attributes {_list(ATTRIBUTES)}, got {name}.")
    # latex2mathml writes symbols as character references, and keeps the backslash of \_ in texts.
    text = [html.unescape(element.text).replace(r"\_", "_")] if element.text else []
    return [element.tag, attributes, *text, *map(_tree, element)]


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
