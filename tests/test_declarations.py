"""What optimizers and surfaces declare about themselves, and that nothing else knows them."""

from __future__ import annotations

import ast
import itertools
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from optim_core import OPTIMIZERS, SCHEDULES, formula
from optim_core.spec import Hyper, Optimizer, Schedule, Surface
from pages import PAGES
from surfaces import SURFACES
from tests.test_state import RACE
from ui.catalog import catalog

REPOSITORY = Path(__file__).parents[1]
KEYS = {*OPTIMIZERS, *SURFACES, *SCHEDULES}
DOCUMENTED = {
    "lr", "momentum", "rho", "beta1", "beta2", "eps", "weight_decay", "bias_correction",
    "scaling",
}  # fmt: skip
HYPERS = {
    **{f"{key}.{h.name}": h for key, o in OPTIMIZERS.items() for h in o.hypers},
    **{f"{key}.{h.name}": h for key, s in SURFACES.items() for h in s.params},
    **{f"{key}.{h.name}": h for key, s in SCHEDULES.items() for h in s.settings},
    **{h.name: h for h in RACE},
}
EVERY_HYPER = pytest.mark.parametrize("hyper", HYPERS.values(), ids=HYPERS)
EVERY_OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
EVERY_SURFACE = pytest.mark.parametrize("surface", SURFACES.values(), ids=list(SURFACES))


def stems(folder: str) -> set[str]:
    return {f.stem for f in (REPOSITORY / folder).glob("*.py") if not f.name.startswith("_")}


def is_balanced(latex: str) -> bool:
    r"""Whether braces close in order, \left and \right pair, and environments end."""
    depth = 0
    for brace in re.findall(r"(?<!\\)(?:\\\\)*([{}])", latex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    commands = re.findall(r"\\[a-z]+", latex)
    pairs = (("\\left", "\\right"), ("\\begin", "\\end"))
    return depth == 0 and all(commands.count(a) == commands.count(b) for a, b in pairs)


def is_one_sentence(text: str) -> bool:
    ends = re.findall(r"[.!?](?=\s|$)", re.sub(r"\b(e\.g|i\.e|vs|cf)\.", r"\1", text))
    return len(ends) == 1 and text.endswith(".") and text[0].isupper() and text == text.strip()


def test_keys_are_the_files_names() -> None:
    assert stems("optim_core/optimizers") == set(OPTIMIZERS)
    assert stems("optim_core/schedules") == set(SCHEDULES)
    assert stems("surfaces") == set(SURFACES)
    assert [o.key for o in OPTIMIZERS.values()] == list(OPTIMIZERS)
    assert [s.key for s in SURFACES.values()] == list(SURFACES)


def test_no_name_or_key_stands_for_two() -> None:
    everything: list[Optimizer | Surface | Schedule] = [
        *OPTIMIZERS.values(), *SURFACES.values(), *SCHEDULES.values()
    ]  # fmt: skip
    assert len({d.key for d in everything}) == len(everything)
    assert len({d.name for d in everything}) == len(everything)
    # "-" separates racers in a link and "." a racer from its hyperparameter.
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", d.key) for d in everything)


def test_names_in_a_link_are_unique() -> None:
    taken = [h.name for h in RACE] + ["surface", "opt", "x", "y"]
    assert len(set(taken)) == len(taken)
    for surface in SURFACES.values():
        names = [h.name for h in surface.params]
        assert len(set(names)) == len(names)
        assert not set(names) & set(taken)


def test_optimizers_are_told_apart_by_colour_and_without_it() -> None:
    looks = [o.look for o in OPTIMIZERS.values()]
    assert len({look.color.lower() for look in looks}) == len(looks)
    assert all(re.fullmatch("#[0-9a-f]{6}", look.color) for look in looks)
    assert len({(look.dash, look.marker) for look in looks}) == len(looks)
    # A line dash of odd length is repeated, which turns lines into gaps.
    assert all(len(look.dash) % 2 == 0 and all(d > 0 for d in look.dash) for look in looks)


def luminance(color: str) -> float:
    """WCAG's relative luminance."""
    shares = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return sum(weight * s for weight, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_no_colour_is_lost_on_white_or_black() -> None:
    for optimizer in OPTIMIZERS.values():
        bright = luminance(optimizer.look.color)
        # Lines have a marker and a dash too, so these are floors and no WCAG limits.
        assert 1.05 / (bright + 0.05) > 1.3, optimizer.key
        assert (bright + 0.05) / 0.05 > 2.0, optimizer.key


def test_two_colours_are_never_near() -> None:
    colors = [o.look.color for o in OPTIMIZERS.values()]
    parts = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colors]
    assert min(math.dist(a, b) for a, b in itertools.combinations(parts, 2)) > 40.0


@EVERY_HYPER
def test_a_slider_lies_in_its_domain(hyper: Hyper) -> None:
    domain = hyper.domain
    assert domain.low < domain.high
    assert hyper.default in domain
    assert hyper.check(hyper.default) == hyper.default
    assert -math.inf < hyper.low < hyper.high < math.inf
    assert hyper.low in domain
    assert hyper.high in domain
    assert hyper.low <= hyper.default <= hyper.high
    if hyper.scale == "log":
        assert hyper.low > 0.0
    if hyper.scale == "one_minus":
        assert (domain.low, domain.high, domain.open_high) == (0.0, 1.0, True)
    if hyper.scale == "switch":
        assert (hyper.low, hyper.high) == (0.0, 1.0)


@EVERY_HYPER
def test_a_control_is_explained_in_one_sentence(hyper: Hyper) -> None:
    assert is_one_sentence(hyper.about), hyper.about
    assert is_balanced(hyper.symbol)


def test_hyperparameters_have_documented_names() -> None:
    found = {h.name for o in OPTIMIZERS.values() for h in o.hypers}
    assert found >= DOCUMENTED
    for optimizer in OPTIMIZERS.values():
        names = [h.name for h in optimizer.hypers]
        assert names[0] == "lr"
        assert len(set(names)) == len(names)


@EVERY_OPTIMIZER
def test_an_optimizers_formula(optimizer: Optimizer) -> None:
    written = formula.lines(optimizer)
    for line in written:
        assert line.latex == line.latex.strip() == f"{line.symbol} = {line.latex.split(' = ')[1]}"
        assert is_balanced(line.latex), line.latex
        assert is_balanced(line.numbers), line.numbers
    # The last line moves the parameters.
    assert written[-1].symbol == (r"\theta_t" if optimizer.counts == "t" else r"\theta_{t+1}")
    whole = "\n".join(line.latex for line in written)
    for hyper in optimizer.hypers:
        assert hyper.symbol
        if hyper.scale == "switch":
            continue
        assert hyper.symbol in whole, hyper.name
    for name, symbol in optimizer.symbols:
        assert symbol in whole, name
    assert set(optimizer.scales) <= set(optimizer.slots)


@EVERY_OPTIMIZER
def test_an_ingredient_is_left_out_by_hyperparameters(optimizer: Optimizer) -> None:
    hypers = {hyper.name: hyper for hyper in optimizer.hypers}
    assert len({part.key for part in optimizer.ingredients}) == len(optimizer.ingredients)
    assert len({part.name for part in optimizer.ingredients}) == len(optimizer.ingredients)
    for part in optimizer.ingredients:
        assert part.without
        assert is_one_sentence(part.about), part.about
        assert part.about.startswith("Without it ")
        for name, value in part.without:
            assert hypers[name].check(value) != hypers[name].default


@EVERY_OPTIMIZER
def test_an_optimizer_says_where_it_is_from(optimizer: Optimizer) -> None:
    assert re.search(r"\b(18|19|20)\d\d\b", optimizer.source)
    assert optimizer.convention.endswith(".")
    assert 1800 < optimizer.year < 2100
    assert optimizer.factor > 0.0
    assert optimizer.name.strip() == optimizer.name != ""


@EVERY_OPTIMIZER
def test_a_limits_text_is_its_formula(optimizer: Optimizer) -> None:
    # a step that does not scale with the gradient is divided by something
    assert (optimizer.preconditioner is not None) == (optimizer.pace == "length")
    assert optimizer.limit is not None
    text = optimizer.limit_formula.replace("β₁", "b").replace("β", "b").replace("−", "-")
    product = re.sub(r"(?<=[\dbLw)])(?=[bLw(])", "*", text)
    beta, curvature, decay = 0.7, 30.0, 0.3
    chosen = {h.name: h.default for h in optimizer.hypers}
    for name, value in {"momentum": beta, "beta1": beta, "weight_decay": decay}.items():
        if name in chosen:
            chosen[name] = value
    expected = eval(product, {"b": beta, "L": curvature, "w": decay})
    assert optimizer.limit(curvature, tuple(chosen.values())) == pytest.approx(expected)


@EVERY_SURFACE
def test_a_surface_says_what_it_is(surface: Surface) -> None:
    assert is_balanced(surface.formula)
    assert "\n" not in surface.formula
    arguments = "p" if surface.dim == 1 or surface.formula.startswith("f(p)") else "x, y"
    assert surface.formula.startswith(f"f({arguments}) = ")
    assert surface.source.strip() != ""
    assert is_one_sentence(surface.about), surface.about
    assert surface.pace.curvature > 0.0
    assert surface.pace.length > 0.0
    assert len(surface.domain) == len(surface.start) == surface.dim
    inside = [low < c < high for c, (low, high) in zip(surface.start, surface.domain, strict=True)]
    assert all(inside)
    for hyper in surface.params:
        assert hyper.symbol in surface.formula
    assert surface.given is None


@pytest.mark.parametrize(
    ("latex", "expected"),
    [("{a}", True), ("{a", False), ("}{", False), (r"\{", True), (r"\\{", False), (r"\left(",
     False)],
)  # fmt: skip
def test_balance_is_judged_rightly(latex: str, expected: bool) -> None:
    assert is_balanced(latex) is expected


def test_the_catalog_is_json() -> None:
    text = json.dumps(catalog(PAGES), allow_nan=False)
    listed = json.loads(text)
    assert [s["key"] for s in listed["surfaces"]] == list(SURFACES)
    assert [o["key"] for o in listed["optimizers"]] == list(OPTIMIZERS)
    assert list(listed["pages"]) == list(PAGES)
    for page in listed["pages"].values():
        assert page["fields"]["surface"]["default"] in SURFACES
        for field in page["fields"].values():
            keys = {value for value, _ in field.get("options", ())}
            usual = field["default"] if field["kind"] == "several" else [field.get("default")]
            # None where it depends on other fields; without a list they do as well.
            assert not keys or set(usual) <= keys | {None}


# A new file must be enough for a new optimizer or surface, so no code may ask which one it has.
GUARDED = ("optim_core", "surfaces", "figures", "ui", "pages")
# The kinds of an outcome; "saddle" is one of them and a surface too.
OUTCOMES = {f"optim_core/{name}.py": {"saddle"} for name in ("framed", "outcome")}


def literals(node: ast.expr | ast.pattern) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def compared(source: str) -> set[str]:
    """Every text that Python code compares with, looks for, or matches."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            for side in (node.left, *node.comparators):
                found.update(literals(side))
        elif isinstance(node, ast.match_case):
            found.update(literals(node.pattern))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in ("startswith", "endswith", "__eq__"):
                found.update(text for a in node.args for text in literals(a))
        elif isinstance(node, ast.Dict):
            # A table of cases is a comparison as well.
            found.update(text for key in node.keys if key for text in literals(key))
    return found


QUOTED = r"""["'`]([\w-]+)["'`]"""
COMPARED_IN_SCRIPT = re.compile(
    rf"""[=!]==?\s*{QUOTED}|{QUOTED}\s*[=!]==?|\bcase\s+{QUOTED}|(?:includes|startsWith|has)\({QUOTED}"""
)


def compared_in_script(source: str) -> set[str]:
    return {text for found in COMPARED_IN_SCRIPT.findall(source) for text in found if text}


def test_no_code_asks_which_optimizer_or_surface_it_has() -> None:
    for folder in GUARDED:
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            name = str(file.relative_to(REPOSITORY))
            found = compared(file.read_text()) & KEYS - OUTCOMES.get(name, set())
            assert not found, f"{name}: {found}"
    for file in sorted((REPOSITORY / "ui").rglob("*.js")):
        found = compared_in_script(file.read_text()) & KEYS
        assert not found, f"{file.name}: {found}"


@pytest.mark.parametrize(
    "code",
    ['if key == "adam": pass', 'x = "bowl" in (a, b)', 'a in ("gd", "adam")', 'd = {"adam": 1}',
     'match key:\n    case "gd" | "adam": pass', 'key.startswith("adam")', 'x = "gd" != o.key'],
)  # fmt: skip
def test_the_search_sees_python(code: str) -> None:
    assert compared(code) & KEYS


@pytest.mark.parametrize(
    "code",
    ['if (key === "adam") {}', "key != 'gd'", '"bowl" === key', 'case "saddle":',
     'a.includes("gd")'],
)  # fmt: skip
def test_the_search_sees_javascript(code: str) -> None:
    assert compared_in_script(code) & KEYS


OPENS = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "urlopen", "fromfile", "tofile",
    "loadtxt", "genfromtxt", "savetxt", "load", "save", "savez", "memmap", "system", "popen",
    "Popen", "unlink", "mkdir", "exec", "eval", "compile", "__import__", "getenv",
}  # fmt: skip
OUTSIDE = {
    "os", "io", "pathlib", "shutil", "tempfile", "subprocess", "socket", "urllib", "http",
    "requests", "pickle", "json", "csv", "sqlite3", "threading", "random", "time", "datetime",
}  # fmt: skip


def touches(tree: ast.AST) -> set[str]:
    """Modules imported, and functions called, that reach outside the process."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names} & OUTSIDE
        elif isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").partition(".")[0]} & OUTSIDE
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            found |= {name} & OPENS
    return found


def test_the_core_opens_no_files() -> None:
    for folder in ("optim_core", "surfaces"):
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            if file.name == "kernel_files.py":
                continue  # compiled kernels are kept there, as in Numba's own cache
            tree = ast.parse(file.read_text())
            found = touches(tree)
            if file.name == "kernels.py":
                # It digests the sources, and makes kernels into the bytes that are kept.
                found -= {"read_bytes", "pathlib", "pickle", "compile"}
            assert not found, f"{file}: {found}"


@pytest.mark.parametrize(
    "code", ["open('a')", "import os.path", "from pathlib import Path", "np.load(f)",
            "p.read_text()"]
)  # fmt: skip
def test_the_search_sees_files(code: str) -> None:
    assert touches(ast.parse(code))
