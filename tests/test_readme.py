"""The README says what is there: its tables, its commands, its picture and its examples."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from benchmarks.readme import BIGGEST, LIMITS, PICTURE, STEP, tables
from optim_core import OPTIMIZERS, simulate
from optim_core.spec import Optimizer
from surfaces import SURFACES

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


def table(name: str) -> str:
    return TEXT.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]


def test_the_tables_are_those_of_the_declarations() -> None:
    assert tables(TEXT) == TEXT, "run make readme"


def test_stale_tables_are_noticed_and_made_anew() -> None:
    fresh = tables(TEXT)
    stale = fresh.replace("| `adam` |", "| `adma` |")
    assert stale != fresh
    assert tables(stale) == fresh


@pytest.mark.parametrize("name", ["optimizers", "surfaces"])
def test_a_missing_marker_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=f"<!-- /{name} -->"):
        tables(TEXT.replace(f"<!-- /{name} -->", ""))


@pytest.mark.parametrize("name", ["optimizers", "surfaces"])
def test_every_row_has_as_many_cells_as_the_head(name: str) -> None:
    rows = table(name).strip().splitlines()
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1


@pytest.mark.parametrize("key", OPTIMIZERS)
def test_every_optimizer_is_there(key: str) -> None:
    assert f"| `{key}` | {OPTIMIZERS[key].name} |" in table("optimizers")


@pytest.mark.parametrize("key", SURFACES)
def test_every_surface_is_there(key: str) -> None:
    assert f"| `{key}` | {SURFACES[key].name} |" in table("surfaces")


@pytest.mark.parametrize("target", ["run", "test", "bench", "parity", "readme"])
def test_every_command_is_there_and_works(target: str) -> None:
    assert f"make {target}" in TEXT
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_the_way_without_make_is_there() -> None:
    assert "pip install -r requirements.txt && streamlit run app.py" in TEXT


def test_every_file_that_is_named_exists() -> None:
    named = set(
        re.findall(r"`((?:optim_core|surfaces|figures|ui|pages|benchmarks|tests)/[\w/.]*)`", TEXT)
    )
    assert named
    missing = {name for name in named if not (ROOT / name).exists()}
    assert missing <= {"optim_core/optimizers/clipped.py", "pages/duel.py"}  # the examples


def test_the_picture_comes_first_moves_and_is_small() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", TEXT)
    assert shown == [file.relative_to(ROOT).as_posix() for file in (PICTURE, LIMITS, STEP)]
    assert TEXT.index(shown[0]) < TEXT.index("\n## ")
    assert max(file.stat().st_size for file in (PICTURE, LIMITS, STEP)) <= BIGGEST
    with Image.open(PICTURE) as picture:
        assert picture.info["loop"] == 0  # for ever
        assert getattr(picture, "n_frames", 1) > 20


@pytest.mark.parametrize(("call", "lines"), [("run = simulate(", 4), ("sweep(", 3), ("Relay(", 4)])
def test_the_python_examples_print_what_they_say(
    call: str, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = [block for block in BLOCKS if call in block]
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out.splitlines()
    promised = re.findall(r"print\(.*\)  # (.*)$", code, flags=re.MULTILINE)
    assert len(promised) == lines
    for line, promise in zip(said, promised, strict=True):
        assert line == promise or line.startswith(promise.removesuffix("…"))


@pytest.fixture
def clipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The README's example file, imported."""
    (code,) = [block for block in BLOCKS if "OPTIMIZER =" in block]
    file = tmp_path / "clipped.py"
    file.write_text(code)
    spec = importlib.util.spec_from_file_location("clipped", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "clipped", module)
    spec.loader.exec_module(module)
    return module


def test_the_example_file_is_an_optimizer(clipped: ModuleType) -> None:
    optimizer = clipped.OPTIMIZER
    assert isinstance(optimizer, Optimizer)
    assert optimizer.key == "clipped"
    run = simulate(SURFACES["parabola"], optimizer, start=(10.0,), steps=3, lr=0.5, limit=4.0)
    # The gradient 2p is cut to 4, so each step is 2, until p = 2 has the gradient 4 itself.
    np.testing.assert_array_equal(run.positions[:, 0], [10.0, 8.0, 6.0, 4.0])
