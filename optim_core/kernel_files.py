"""Compiled kernels on disk: which folder they are in, and files that are read whole or not at all.

Nothing that is wrong with the folder or a file stops a program: it compiles, and says so once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path

VARIABLE = "DESCENT_LAB_CACHE"
SUFFIX = ".kernel"
KEPT = 30 * 86_400.0  # s; older files are of versions that are gone, or are soon compiled again
DIGEST = hashlib.sha256().digest_size

log = logging.getLogger(__name__)


@cache
def say(sentence: str) -> None:
    """A warning, once in a process: what is wrong for one kernel is mostly wrong for all."""
    log.warning(sentence)


def _user_folder() -> Path:
    """A user's caches by the custom of the system; raises RuntimeError without a home."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "descent-lab"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "descent-lab"
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".cache") / "descent-lab"


def _temporary_folder() -> Path:
    """The same for each process of a user, so that a restarted server finds its kernels again."""
    user = "" if sys.platform == "win32" else f"-{os.geteuid()}"
    return Path(tempfile.gettempdir()) / f"descent-lab{user}"


def _make_private(folder: Path) -> None:
    """Make a folder to which nobody else may write; raises OSError where there is none.

    Whoever may write a kernel there runs code in this process.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return  # both places are the user's own there
    found = folder.lstat()
    if found.st_uid not in (os.geteuid(), 0) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"others may write to {folder}")


@cache
def folder() -> Path | None:
    """The folder of compiled kernels, made where it is missing; None where there can be none.

    It is $DESCENT_LAB_CACHE, else descent-lab in $NUMBA_CACHE_DIR, in the user's cache folder, or
    in the folder for temporary files. The first two are trusted as they are.
    """
    faults = []
    chosen, numba = os.environ.get(VARIABLE), os.environ.get("NUMBA_CACHE_DIR")
    if chosen or numba:
        given = Path(chosen) if chosen else Path(numba or "") / "descent-lab"
        try:
            given.mkdir(mode=0o755, parents=True, exist_ok=True)
            return given
        except OSError as error:
            faults.append(str(error))
    for place in (_user_folder, _temporary_folder):
        try:
            found = place()
            _make_private(found)
        except (OSError, RuntimeError) as error:
            faults.append(str(error))
            continue
        if faults:
            say(f"Compiled code is kept in {found} ({'; '.join(faults)}). "
                 f"The environment variable {VARIABLE} can name another folder.")  # fmt: skip
        return found
    say(f"Compiled code is not kept, so each start compiles it again ({'; '.join(faults)}). "
         f"The environment variable {VARIABLE} can name a folder for it.")  # fmt: skip
    return None


def read(name: str) -> bytes | None:
    """What was written under a name; None if nothing was, or if it is not whole."""
    where = folder()
    if where is None:
        return None
    try:
        content = (where / name).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        say(f"Compiled code in {where} cannot be read ({error.strerror}); it is compiled anew.")
        return None
    if hashlib.sha256(content[DIGEST:]).digest() != content[:DIGEST]:
        say(f"Compiled code in {where} is damaged; it is compiled anew.")
        return None
    return content[DIGEST:]


def write(name: str, content: bytes) -> None:
    """Keep content under a name, for processes that read at any moment, and if this one dies."""
    where = folder()
    if where is None:
        return
    unfinished = where / f"{name}.{uuid.uuid4().hex[:8]}"
    try:
        with unfinished.open("xb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        unfinished.replace(where / name)
        _clear_out(where)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        say(f"Compiled code cannot be kept in {where} ({error.strerror}); "
             "the next start compiles it again.")  # fmt: skip


@cache
def _clear_out(where: Path) -> None:
    """Delete old files, once in a process that writes new ones: an edit leaves its old kernels."""
    for file in where.glob(f"*{SUFFIX}*"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > KEPT:
                file.unlink()
