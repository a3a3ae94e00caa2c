"""Find what the files of a package declare: one file, one module-level constant, no register."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def declared(package: ModuleType, constant: str, kind: type[T]) -> Iterator[T]:
    """Yield `constant` from every module of `package` whose name has no leading underscore.

    TypeError, naming the file, if it is missing, of another type, or its key is not the file's
    name. An import error inside a file is raised as it is.
    """
    for info in pkgutil.iter_modules(package.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        found = getattr(module, constant, None)
        if not isinstance(found, kind):
            raise TypeError(f"{module.__file__} must declare {constant}: {kind.__name__}.")
        if getattr(found, "key", None) != info.name:
            raise TypeError(f"{module.__file__}: {constant}.key must be {info.name!r}.")
        yield found
