"""Where compiled kernels are kept, and what happens when that place is damaged, full or missing."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from optim_core import kernel_files, kernels
from surfaces import SURFACES

REPOSITORY = Path(__file__).parents[1]
ONE_KERNEL = """
from optim_core.kernels import evaluate
from surfaces import SURFACES
import numpy as np
print(evaluate(SURFACES["parabola"], "value", np.array([[3.0]]))[0])
"""


@pytest.fixture(autouse=True)
def nothing_said_yet() -> None:
    kernel_files.say.cache_clear()
    kernel_files._clear_out.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(kernel_files, "folder", lambda: tmp_path)
    return tmp_path


def compiled() -> tuple[int, int]:
    """Get the parabola's value as a new process would; how often it was loaded, and compiled."""
    surface = SURFACES["parabola"]
    kernel = kernels._block.__wrapped__(surface.value, surface.dim, len(surface.args), "value")
    points, out = np.array([[3.0]]), np.empty((1, 1))
    kernel(points, np.array(surface.weights), out)
    assert out[0, 0] == 9.0
    return sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values())


def flipped(content: bytes) -> bytes:
    """One bit of the machine code, which unpickles as before."""
    at = content.index(b".text")
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def of_another_numba(_: bytes) -> bytes:
    """Whole, but what it holds is unknown here."""
    content = b"cno_such_module\nno_such_name\n."
    return hashlib.sha256(content).digest() + content


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda _: b"",
        lambda _: bytes(range(256)),
        flipped,
        of_another_numba,
    ],
    ids=["half", "empty", "garbage", "one bit", "another Numba"],
)
def test_a_file_that_is_not_right_is_compiled_anew(
    folder: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    assert compiled() == (0, 1)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert compiled() == (0, 1)
    assert len(caplog.messages) == 1
    assert "compiled anew" in caplog.text
    assert compiled() == (1, 0)
    assert list(folder.iterdir()) == [file]


def test_what_is_wrong_with_many_files_is_said_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        (folder / name).write_bytes(b"garbage")
        assert kernel_files.read(name) is None
    (folder / "c").mkdir()
    assert kernel_files.read("c") is None
    assert len(caplog.messages) == 2


def run(limit: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A new process that compiles one kernel, in an environment with no other folders."""
    places = ("DESCENT_LAB_CACHE", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "TMPDIR")
    rest = {name: text for name, text in os.environ.items() if name not in places}
    return subprocess.run(
        [sys.executable, "-B", "-c", limit + ONE_KERNEL],
        cwd=REPOSITORY, env=rest | env, capture_output=True, text=True, check=False,
    )  # fmt: skip


# No file may be longer than 0 bytes: a full disk, for root too.
FULL = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"


@pytest.mark.skipif(sys.platform == "win32", reason="limits and /dev/null are not there")
@pytest.mark.parametrize(
    ("limit", "cache", "said"),
    [
        (FULL, "cache", "cannot be kept in {cache} (File too large)"),
        ("", "/dev/null/cache", "is kept in {temporary} ("),
    ],
    ids=["full disk", "no folder"],
)
def test_a_program_starts_where_nothing_can_be_written(
    tmp_path: Path, limit: str, cache: str, said: str
) -> None:
    env = {"DESCENT_LAB_CACHE": str(tmp_path / cache), "HOME": "/dev/null", "TMPDIR": str(tmp_path)}
    temporary = tmp_path / f"descent-lab-{os.geteuid()}"
    done = run(limit, env)
    assert (done.returncode, done.stdout) == (0, "9.0\n"), done.stderr
    (warning,) = done.stderr.splitlines()
    assert said.format(cache=tmp_path / cache, temporary=temporary) in warning
    left = [file for place in (tmp_path / "cache", temporary) for file in place.glob("*")]
    assert len(left) == (0 if limit else 1)


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, a folder for temporary files, and a file in which nobody can make a folder."""
    for name in ("DESCENT_LAB_CACHE", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


TEMPORARY = f"tmp/descent-lab-{os.geteuid() if hasattr(os, 'geteuid') else ''}"


@pytest.mark.parametrize(
    ("env", "chosen", "warns"),
    [
        ({}, "home/.cache/descent-lab", False),
        ({"XDG_CACHE_HOME": "xdg"}, "xdg/descent-lab", False),
        ({"NUMBA_CACHE_DIR": "numba", "XDG_CACHE_HOME": "xdg"}, "numba/descent-lab", False),
        ({"DESCENT_LAB_CACHE": "mine/here", "NUMBA_CACHE_DIR": "numba"}, "mine/here", False),
        ({"DESCENT_LAB_CACHE": "file/here"}, "home/.cache/descent-lab", True),
        ({"XDG_CACHE_HOME": "file"}, TEMPORARY, True),
    ],
)
def test_which_folder_it_is(
    places: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    env: dict[str, str],
    chosen: str,
    warns: bool,
) -> None:
    for name, folder in env.items():
        monkeypatch.setenv(name, str(places / folder))
    assert kernel_files.folder.__wrapped__() == places / chosen
    assert (places / chosen).is_dir()
    assert len(caplog.messages) == warns
    assert all("DESCENT_LAB_CACHE" in said for said in caplog.messages)


def test_a_user_without_a_home_and_without_a_temporary_folder_has_none(
    places: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    monkeypatch.setattr(tempfile, "tempdir", str(places / "file"))
    assert kernel_files.folder.__wrapped__() is None
    assert "each start compiles it again" in caplog.text


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders have no modes")
@pytest.mark.parametrize("trap", ["others may write", "a link", "another's"])
def test_code_is_never_loaded_from_where_another_user_may_write(
    places: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    """Whoever prepares /tmp/descent-lab-1000 would run code as user 1000."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(places / "file"))
    prepared = places / TEMPORARY
    if trap == "a link":
        (places / "theirs").mkdir()
        prepared.symlink_to(places / "theirs")
    else:
        prepared.mkdir()
        if trap == "others may write":
            prepared.chmod(0o777)
        else:
            monkeypatch.setattr(Path, "lstat", owned_by(os.geteuid() + 1))
    assert kernel_files.folder.__wrapped__() is None


def owned_by(user: int) -> Callable[[Path], os.stat_result]:
    def lstat(self: Path) -> os.stat_result:
        found = list(os.stat(self, follow_symlinks=False))
        found[4] = user
        return os.stat_result(found)

    return lstat


def test_who_reads_while_others_write_gets_the_whole_of_one(folder: Path) -> None:
    contents = [bytes([i]) * 200_000 for i in range(2)]
    kernel_files.write("a", contents[0])

    def write(content: bytes) -> None:
        for _ in range(50):
            kernel_files.write("a", content)

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert kernel_files.read("a") in contents
    assert [file.name for file in folder.iterdir()] == ["a"]


def test_old_kernels_are_deleted_when_new_ones_come(folder: Path) -> None:
    age = time.time() - 31 * 86_400
    for name in ("old.kernel", "left.kernel.1234", "young.kernel", "another.txt"):
        (folder / name).touch()
        if name != "young.kernel":
            os.utime(folder / name, (age, age))
    kernel_files.write("new.kernel", b"")
    left = {"young.kernel", "another.txt", "new.kernel"}
    assert {file.name for file in folder.iterdir()} == left
