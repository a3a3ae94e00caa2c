"""A Chromium and a server of the app, for the benchmark, the tests and the README's picture."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 180.0  # s; a busy machine compiles for long
# lab.test is this machine under a name that a browser does not take for a secure origin.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--host-resolver-rules=MAP lab.test 127.0.0.1",
]  # fmt: skip
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
WRAPPER = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def serve(script: Path, port: int | None = None) -> Iterator[str]:
    """`streamlit run script` on a port of this machine, or a free one; yields its address."""
    port = port or free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
    with running(command, f"http://127.0.0.1:{port}") as address:
        yield address


@contextlib.contextmanager
def workers(count: int, **variables: str) -> Iterator[str]:
    """`make serve` with so many processes, all at one address, which is yielded."""
    port = free_port()
    command = ["make", "serve", f"WORKERS={count}", "HOST=127.0.0.1", f"PORT={port}"]
    # What is installed is what runs this.
    command += [f"BIN={Path(sys.executable).parent}", "-o", ".venv/run.done"]
    base = variables.get("STREAMLIT_SERVER_BASE_URL_PATH", "")
    with running(command, f"http://127.0.0.1:{port}/{base}".rstrip("/"), count, **variables) as url:
        yield url


@contextlib.contextmanager
def behind_nginx(count: int) -> Iterator[str]:
    """The same behind nginx with docs/nginx.conf, beneath /optim."""
    with workers(count) as upstream, nginx(upstream.removeprefix("http://")) as address:
        yield address


@contextlib.contextmanager
def nginx(upstream: str, change: tuple[str, str] = ("", "")) -> Iterator[str]:
    """nginx with docs/nginx.conf before a server; one text of it may be changed for another."""
    port = free_port()
    site = (ROOT / "docs" / "nginx.conf").read_text().replace(*change)
    site = site.replace("listen 80;", f"listen 127.0.0.1:{port};")
    site = site.replace("127.0.0.1:8501", upstream)
    # Who is root has to say so, or nginx could not write below root's folders.
    user = "user root;" if os.geteuid() == 0 else ""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "site.conf").write_text(site)
        config = Path(folder) / "nginx.conf"
        config.write_text(WRAPPER.format(folder=folder, user=user))
        with running([str(NGINX), "-c", str(config)], f"http://127.0.0.1:{port}/optim") as address:
            yield address


@contextlib.contextmanager
def running(command: list[str], address: str, workers: int = 0, **variables: str) -> Iterator[str]:
    """A server and all processes that it starts, once it is healthy; yields its address.

    With `workers`, once so many have said that they are ready.
    """
    # A file and no pipe: nobody reads while it runs, and a full pipe would stop the server.
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | variables,
            stdout=said,
            stderr=said,
            start_new_session=True,
        ) as server,
    ):
        try:
            _wait(address, server, said, workers)
            yield address
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def _wait(address: str, server: subprocess.Popen[bytes], said: IO[bytes], workers: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            said.seek(0)
            text = said.read().decode()
            raise RuntimeError(f"the server ended with code {server.returncode}:\n{text}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                # Read at an offset: the server writes where the file's own position is.
                lines = os.pread(said.fileno(), 1_000_000, 0)
                if lines.count(b"Descent Lab: ready") >= workers:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.05)
    raise TimeoutError(f"no answer from {address} in {PATIENCE:.0f} s")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium if there is one, else the one that Playwright has installed."""
    with sync_playwright() as playwright:
        system = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=system, args=FLAGS)
        yield browser
        browser.close()
