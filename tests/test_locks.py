"""What is installed is what was tested: the lock files fit the ranges and this environment."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def requirements(text: str) -> list[Requirement]:
    entries = text.replace("\\\n", " ").splitlines()
    return [Requirement(e.partition(" --hash")[0]) for e in entries if e[:1].isalnum()]


def pinned(name: str) -> dict[str, str]:
    """The version of each package that a lock has for this Python and this system."""
    locked = requirements((ROOT / f"{name}.lock").read_text())
    here = [r for r in locked if r.marker is None or r.marker.evaluate()]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in here}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_lock_fits_the_ranges(name: str) -> None:
    locked = pinned(name)
    for wanted in requirements((ROOT / f"{name}.txt").read_text()):
        if wanted.marker and not wanted.marker.evaluate():
            continue
        assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), "run make lock"


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_locked_package_has_its_hashes(name: str) -> None:
    for entry in re.split(r"\n(?=\w)", (ROOT / f"{name}.lock").read_text()):
        assert re.search(r"^    --hash=sha256:[0-9a-f]{64}", entry, re.MULTILINE), entry


def test_both_locks_have_the_same_versions() -> None:
    run, dev = pinned("requirements"), pinned("requirements-dev")
    assert {name: dev[name] for name in run} == run


def test_the_tests_run_with_what_is_locked() -> None:
    locked = pinned("requirements-dev")
    assert {name: version(name) for name in locked} == locked
