"""A cache that is bounded by what its values weigh, and not by their number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
V = TypeVar("V")


def kept(room: int, weigh: Callable[[V], int]) -> Callable[[Callable[P, V]], Callable[P, V]]:
    """Keep what a function returns, until what was not asked for longest must make room."""

    def decorated(make: Callable[P, V]) -> Callable[P, V]:
        values: OrderedDict[object, V] = OrderedDict()
        lock, weight = Lock(), 0

        @wraps(make)
        def found(*args: P.args, **kwargs: P.kwargs) -> V:
            nonlocal weight
            key = (args, tuple(kwargs.items()))
            with lock:
                if key in values:
                    values.move_to_end(key)
                    return values[key]
            value = make(*args, **kwargs)
            with lock:
                if key not in values:
                    values[key] = value
                    weight += weigh(value)
                while weight > room:
                    weight -= weigh(values.popitem(last=False)[1])
            return value

        return found

    return decorated
