"""Every private name of Streamlit, Numba and Plotly that is used: what for, and what if it goes.

requirements.txt allows the versions that were tested. To allow another: change it, run the suite,
and do what a failure here says.
"""

from __future__ import annotations

import ast
import importlib
import re
from importlib.metadata import version
from importlib.resources import files
from operator import attrgetter
from pathlib import Path

import pytest
import streamlit as st
from numba import njit
from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).parents[1]

# "module:attribute": what it is for; what to do when it goes
STREAMLIT = {
    "streamlit.config:get_where_defined":
        "An option's flag goes before its variable. Let the variable go first",
    "streamlit.config:set_option":
        "STREAMLIT_… variables under uvicorn. See whether Streamlit reads them there itself",
    "streamlit.runtime.pages_manager:PagesManager.uses_pages_directory":
        "No page is run without app.py. Rename pages/ to a folder that Streamlit does not look for",
    "streamlit.runtime.scriptrunner_utils.script_run_context:get_script_run_ctx":
        "app.py tells a session from the server. Ask streamlit.runtime.exists()",
}  # fmt: skip
NUMBA = {
    "numba.core.cgutils:unpack_tuple":
        "column() and put() build LLVM's code. Try to_fixed_tuple, and run the benchmark",
    "numba.core.caching:NullCache":
        "kernels._Cache stands in for Numba's cache. See what Dispatcher.compile() asks of _cache",
    "numba.core.compiler:CompileResult._rebuild":
        "A kernel from disk. See what CompileResultCacheImpl.rebuild() calls",
    "numba.core.compiler:CompileResult._reduce":
        "A kernel for the disk. See what CompileResultCacheImpl.reduce() calls",
    "numba.core.config:USING_SVML":
        "Code with calls to SVML is not loaded where there is none. Find what tells that",
    "numba.core.errors:RequireLiteralValue":
        "column() asks for a constant. Find what numba.np.unsafe.ndarray raises",
    "numba.core.serialize:dumps":
        "Pickles a kernel and its closure. Find what numba.core.caching pickles with",
    "numba.np.arrayobj:make_array":
        "column() and put() build LLVM's code. Try to_fixed_tuple, and run the benchmark",
    "numba.np.unsafe.ndarray:to_fixed_tuple":
        "Kernels turn arrays into tuples of a known length. Write an intrinsic like column()",
}  # fmt: skip
PLOTLY = {
    "_fullLayout": "Axes as drawn. Find what Plotly's own hover code reads them from",
    "_size": "A plot has been laid out. Wait for its first plotly_afterplot instead",
    "_offset": "Where an axis begins on the page. Measure the rectangle .nsewdrag",
    "_length": "How long an axis is on the page. Measure the rectangle .nsewdrag",
    "l2p": "Coordinate to pixel. Compute it of the axis' range and length, log10 on a log axis",
    "p2l": "Pixel to coordinate. Compute it of the axis' range and length, log10 on a log axis",
    "nsewdrag": "The area of a plot that takes the pointer. Look for its class in the inspector",
}
PAGE = {
    "stMainBlockContainer": "base.css sets the page's margins by it. Look in the inspector",
    "data-test-connection-state":
        "connection.js asks anew by it after a lost connection. Look in the inspector",
    "data-stale":
        "base.css keeps a page clear while Streamlit runs by it. Look in the inspector",
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMLIT | NUMBA)
def test_a_private_name_is_there(name: str) -> None:
    module, attribute = name.split(":")
    try:
        attrgetter(attribute)(importlib.import_module(module))
    except (ImportError, AttributeError):
        pytest.fail(f"{name} is gone. It is for this: {(STREAMLIT | NUMBA)[name]}.")


def test_numba_asks_the_cache_of_a_dispatcher() -> None:
    """An attribute of an instance, so it cannot be looked up by its class."""
    dispatcher = njit(lambda x: x)
    dispatcher._cache.load_overload(None, None)
    dispatcher.compile("f8(f8)")
    (compiled,) = dispatcher.overloads.values()
    assert compiled.library.has_dynamic_globals is False
    assert len(compiled.target_context.codegen().magic_tuple()) == 3


def test_streamlit_still_has_its_hidden_option() -> None:
    """It saves each answer 75 ms; without it, measure an answer, and take it out of config.toml."""
    assert st.get_option("runner.postScriptGC") is not None


@pytest.mark.parametrize("name", PLOTLY | PAGE)
def test_a_private_name_of_the_browser_is_there(name: str) -> None:
    package, place = ("plotly", "package_data") if name in PLOTLY else ("streamlit", "static")
    bundle = Path(str(files(package))).joinpath(place).rglob("*.js")
    if not any(name in file.read_text(encoding="utf-8") for file in bundle):
        pytest.fail(f"{name} is gone. It is for this: {(PLOTLY | PAGE)[name]}.")


@pytest.mark.parametrize("package", ["streamlit", "numba", "plotly", "latex2mathml"])
def test_no_version_is_allowed_that_was_not_tested(package: str) -> None:
    """A private name may go with any minor version."""
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    (allowed,) = (r for r in map(Requirement, lines) if r.name == package)
    tested = Version(version(package))
    assert allowed.specifier.contains(tested)
    assert not allowed.specifier.contains(f"{tested.major}.{tested.minor + 1}")


PUBLIC = {"streamlit", "streamlit.starlette", "streamlit.testing.v1", "numba", "numba.extending"}
ROOMS = {"streamlit": "ui/server/private.py", "numba": "optim_core/kernels.py"}


def private_imports(file: Path) -> set[str]:
    """What a file imports from modules of Streamlit and Numba that are not public."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found |= {(str(node.module), f".{alias.name}") for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
    return {
        module + name
        for module, name in found
        if module.partition(".")[0] in ROOMS and module not in PUBLIC
    }


def test_no_other_private_name_is_imported() -> None:
    listed = " ".join(name.replace(":", ".") for name in STREAMLIT | NUMBA)
    for folder in ("optim_core", "surfaces", "figures", "ui", "pages", "benchmarks", "tests", ""):
        for file in (REPOSITORY / folder).glob("**/*.py" if folder else "*.py"):
            for name in private_imports(file):
                assert re.search(rf"(^| ){re.escape(name)}(\.| |$)", listed), (file, name)
                room = REPOSITORY / ROOMS[name.partition(".")[0]]
                assert file == room or folder in ("benchmarks", "tests"), (file, name)


def test_no_other_private_name_of_plotly_is_used() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in (REPOSITORY / "ui").rglob("*.js"))
    used = {f"_{name}" for name in re.findall(r"(?<=[\w\])?])\._(\w+)", code)}
    assert used == {name for name in PLOTLY if name.startswith("_")}
