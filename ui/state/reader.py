"""Values out of a query string, one by one; what is wrong is noted and left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from optim_core.spec import Hyper

T = TypeVar("T")

# What Python and JavaScript both read: float() alone also takes 1_0 and other scripts' digits.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
LONGEST = 16_384  # characters; a link of every control, of nine runs of each method, has fewer
PRIVATE = "_"  # begins the names that the browser asks with, and that are no part of a link

# What others put into an address: campaigns, the click identifiers of advertisers and mailers, and
# Streamlit's own. They are not read, not noted, and stay in the address.
FOREIGN_STARTS = ("utm_", "embed", "mc_", "_hs")
FOREIGN = (
    "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "ttclid",
    "twclid", "igshid", "li_fat_id", "_ga", "_gl", "ref",
)  # fmt: skip


def is_foreign(name: str) -> bool:
    return name in FOREIGN or name.startswith(FOREIGN_STARTS)


def shown(text: str) -> str:
    """A text as a note quotes it."""
    quoted = repr(text)
    return quoted if len(quoted) <= 30 else quoted[:28] + "…'"


class Reader:
    """Takes values out of a query; what is wrong is noted and left out.

    kept: the query without what was wrong in it. told: the defaults that depend on other values,
    which the browser cannot know.
    """

    def __init__(self, query: str) -> None:
        self.notes: list[str] = []
        self.kept: dict[str, str] = {}
        self.told: dict[str, Any] = {}
        self.raw: dict[str, str] = {}
        if len(query) > LONGEST:
            self.notes.append(f"The link has {len(query)} characters, {LONGEST} are allowed.")
            return
        pairs = [
            pair
            for pair in parse_qsl(query.removeprefix("?"), keep_blank_values=True)
            if not is_foreign(pair[0]) and not pair[0].startswith(PRIVATE)
        ]
        self.raw = dict(pairs)
        counts = Counter(name for name, _ in pairs)
        self._note_names([name for name in counts if counts[name] > 1], "is given more than once")

    def _note_names(self, names: list[str], said: str) -> None:
        if names:
            more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
            self.notes.append(f"{shown(names[0])}{more} {said}.")

    def finish(self, ignored: Callable[[str], bool]) -> tuple[str, list[str]]:
        """The query without what was wrong in it, and what was wrong, each once.

        What no field has taken is wrong, but for names that are ignored.
        """
        self._note_names([name for name in self.raw if not ignored(name)], "is no control")
        return urlencode(self.kept), list(dict.fromkeys(self.notes))

    def take(self, name: str, read: Callable[[str], T], default: T) -> T:
        """A value, or its default where there is none, or none that can be read."""
        if name not in self.raw:
            return default
        text = self.raw.pop(name)
        try:
            value = read(text)
        except ValueError as error:
            self.notes.append(f"{error} The default is taken.")
            return default
        self.kept[name] = text
        return value

    def reject(self, name: str, why: str) -> None:
        """Note that a value does not go together with others, and leave it out of the link."""
        self.kept.pop(name, None)
        self.notes.append(f"{why} Another one is taken.")

    def number(self, name: str, hyper: Hyper, default: float | None = None) -> float:
        """A number in the domain of a declared one."""

        def read(text: str) -> float:
            if not NUMBER.fullmatch(text):
                kind = "whole number" if hyper.whole else "number"
                raise ValueError(f"{name} must be a {kind} in {hyper.domain}, got {shown(text)}.")
            try:
                return hyper.check(float(text))
            except ValueError as error:
                where = "" if name == hyper.name else f"In {name}: "
                raise ValueError(f"{where}{error}") from None

        return self.take(name, read, float(hyper.default) if default is None else default)


def choice(name: str, known: Iterable[str]) -> Callable[[str], str]:
    """A reader of one of some words."""

    def read(text: str) -> str:
        if text in known:
            return text
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {shown(text)}.")

    return read


def keys_of(name: str, known: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """A reader of several words, as in gd-momentum-adam."""
    one = choice(name, known)

    def read(text: str) -> tuple[str, ...]:
        return tuple(one(key) for key in dict.fromkeys(text.split("-"))) if text else ()

    return read
