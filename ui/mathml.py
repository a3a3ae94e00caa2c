"""Formulas for the browser, which draws MathML by itself."""

from __future__ import annotations

from functools import lru_cache

from latex2mathml.converter import convert


@lru_cache(maxsize=1024)
def mathml(latex: str) -> str:
    """A LaTeX formula as MathML. The formulas are the declarations' own, never a person's text."""
    return str(convert(latex)).replace(r"\_", "_")  # of which it keeps the backslash in texts
