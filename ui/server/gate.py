"""What every request meets before Streamlit: its host, the base path, the headers of its answer."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.server import assets

COMMON = {
    "X-Content-Type-Options": "nosniff",
    # The address holds all that a person has set, which is nobody else's business.
    "Referrer-Policy": "same-origin",
}


@cache
def policy() -> str:
    """What a page may load and run: its own server's files, and no text as a script.

    Streamlit runs a component's code from a blob, sets styles from scripts, has an inline script,
    and reads 64-bit numbers with WebAssembly. frame-ancestors is left out on purpose: lecturers
    show the pages in frames.
    """
    index = (files("streamlit") / "static" / "index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in inline]
    hashes = [f"'sha256-{digest.decode()}'" for digest in digests]
    allowed = {
        "default-src": ["'self'"],
        "script-src": ["'self'", "blob:", "'wasm-unsafe-eval'", *hashes],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
    }
    return "; ".join(f"{kind} {' '.join(sources)}" for kind, sources in allowed.items())


class Gate:
    """Answers are the same beneath server.baseUrlPath, whether a proxy takes that off or not."""

    def __init__(self, app: ASGIApp) -> None:
        path = str(st.get_option("server.baseUrlPath")).strip("/")
        self._base = f"/{path}" if path else ""
        self._app = app
        # Streamlit compares the host of websockets only, and a page of another name would load.
        hosts = [str(host) for host in st.get_option("server.allowedHosts")]
        if hosts:
            self._app = TrustedHostMiddleware(app, hosts, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path != self._base and not path.startswith(f"{self._base}/"):
            path = self._base + path
        scope = {**scope, "path": path}
        if path.startswith(f"{self._base}/lab/"):
            # Streamlit puts its own routes beneath the base path, and not those of an app.
            scope["root_path"] = self._base
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        page = path.removeprefix(self._base).removeprefix("/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(message, page)
            await send(message)

        answer = _moved(scope, page) or self._app
        await answer(scope, receive, with_headers)


def _complete(message: Message, page: str) -> None:
    """Add to the start of an answer what it lacks."""
    headers = MutableHeaders(scope=message)
    headers.update(COMMON)
    if not headers.get("content-type", "").startswith("text/html"):
        return
    headers["Content-Security-Policy"] = policy()
    if message["status"] != 200:
        return
    if assets.page_at(page) is None:
        # Streamlit sends its page for any address; a script or a search engine must not take it.
        message["status"] = 404


def _moved(scope: Scope, page: str) -> RedirectResponse | None:
    """To a page's right address from one with a slash too many or, of the first, too few.

    Relative, since a proxy may have taken off the first part of the path.
    """
    path: str = scope["path"]
    last = path.rstrip("/").rpartition("/")[2]
    if not page and not path.endswith("/"):
        target = f"{last}/"
    elif page == f"{last}/" and assets.page_at(last) is not None:
        target = f"../{last}"
    else:
        return None
    query = scope["query_string"].decode("latin-1")
    return RedirectResponse(f"{target}?{query}" if query else target)
