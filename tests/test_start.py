"""A server that is starting: it answers, it can be told to stop, and it may open many files."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.browser import ROOT, free_port
from optim_core import kernels
from pages import PAGES
from ui.server import warmup


@contextmanager
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, Path]]:
    """`streamlit run` with nothing compiled, its address, and the file of what it says."""
    port, said = free_port(), tmp_path / "said"
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1"]
    env = os.environ | {"DESCENT_LAB_CACHE": str(tmp_path / "cache")}
    with (
        said.open("w") as log,
        subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, text=True) as server,
    ):
        try:
            yield server, f"http://127.0.0.1:{port}", said
        finally:
            server.kill()


def answer(address: str) -> urllib.error.HTTPError:
    """The first answer, which is a refusal."""
    until = time.monotonic() + 60.0
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=5)
        except urllib.error.HTTPError as refusal:
            return refusal
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(address)


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGTERM, nor a limit of open files")
@pytest.mark.parametrize(
    ("ending", "code"),
    [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 1)],
    ids=["SIGTERM", "Ctrl+C"],
)
def test_a_start_that_compiles_answers_and_ends_within_a_second(
    tmp_path: Path, ending: signal.Signals, code: int
) -> None:
    """With the codes that it ends with once it is ready."""
    with started(tmp_path) as (server, address, said):
        with answer(f"{address}/_stcore/health") as refusal:
            assert (refusal.code, refusal.headers["Retry-After"]) == (503, "1")
            assert "Descent Lab is starting" in refusal.read().decode()
        # Once a kernel is on disk, the next is under way, in LLVM for most of the time.
        until = time.monotonic() + 60.0
        while not list((tmp_path / "cache").glob("*.kernel")) and time.monotonic() < until:
            time.sleep(0.05)
        asked = time.monotonic()
        server.send_signal(ending)
        assert server.wait(timeout=30.0) == code
        # It takes half a second; a busy machine may take longer, and waiting for LLVM takes 4 s.
        assert time.monotonic() - asked < 3.0
        assert "Traceback" not in said.read_text()


def test_the_first_page_needs_no_more_than_what_is_compiled_first() -> None:
    """A race that nobody has seen yet asks for no other kernel; all pages need far more."""
    makers = (kernels._recorder, kernels._advancer, kernels._block)
    for maker in makers:
        maker.cache_clear()
    work = warmup.needed_first(PAGES["compare"])
    for compile_one in work:
        compile_one()
    made = [maker.cache_info().misses for maker in makers]
    PAGES["compare"].message("steps=291")
    PAGES["compare"].large("surface", "")
    assert [maker.cache_info().misses for maker in makers] == made
    assert len(work) < len(warmup.needed_soon()) / 3


async def passed(scope: dict[str, Any]) -> list[str]:
    """What is sent where the app itself would send "the app"."""
    sent: list[str] = []

    async def app(*_: Any) -> None:
        sent.append("the app")

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def receive() -> Any:
        raise AssertionError

    await warmup.Starting(app)(scope, receive, send)
    return sent


@pytest.mark.parametrize("kind", ["http", "websocket", "lifespan"])
def test_only_a_ready_server_lets_requests_through(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    scope = {"type": kind, "method": "GET", "path": "/", "headers": []}
    refusals = {
        "http": ["http.response.start", "http.response.body"],
        "websocket": ["websocket.close"],
        "lifespan": ["the app"],
    }
    monkeypatch.setattr(warmup, "_start", warmup._Start(under_way=True))
    assert asyncio.run(passed(scope)) == refusals[kind]
    monkeypatch.setattr(warmup, "_start", warmup._Start())
    assert asyncio.run(passed(scope)) == ["the app"]


def test_a_server_that_cannot_start_ends(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = threading.Event()
    monkeypatch.setattr(warmup, "_start", warmup._Start())
    monkeypatch.setattr(warmup, "_prepare", lambda: 1 / 0)
    before = signal.signal(signal.SIGTERM, lambda *_: told.set())

    async def start() -> None:
        async with warmup.lifespan(None):
            until = time.monotonic() + 10.0
            # Asleep for short times, for a handler runs only when Python does.
            while not told.is_set() and time.monotonic() < until:
                await asyncio.sleep(0.02)

    try:
        asyncio.run(start())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told.is_set()
    assert "Descent Lab cannot start." in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit of open files")
def test_it_may_open_as_many_files_as_a_thousand_sessions_hold() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    try:
        for start, expected in ((256, allowed), (allowed, allowed)):
            resource.setrlimit(resource.RLIMIT_NOFILE, (start, hard))
            warmup.allow_open_files()
            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (expected, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
