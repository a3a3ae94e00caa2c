"""A script of ours in Streamlit's own page, which runs before there is a connection."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import assets

END = b"</head>"


class Waiting:
    """Puts waiting.js into every page, so that a page without a connection can say so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        held: list[Message] = []  # the start of a page, until its body is whole

        async def with_script(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                held.append(message)
            elif not held:
                await send(message)
            elif message["type"] != "http.response.body":  # a server that sends the file itself
                for unchanged in (*held, message):
                    await send(unchanged)
                held.clear()
            else:
                held.append(message)
                if not message.get("more_body", False):
                    for changed in _with_script(held):
                        await send(changed)

        await self.app(scope, receive, with_script)


def _is_page(start: Message) -> bool:
    kind = MutableHeaders(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and kind.startswith("text/html")


def _with_script(held: list[Message]) -> tuple[Message, Message]:
    start, *parts = held
    script = f'<script type="module" src="./{assets.address("waiting.js")}"></script>'.encode()
    body = b"".join(part.get("body", b"") for part in parts).replace(END, script + END, 1)
    headers = MutableHeaders(raw=start["headers"])
    headers["content-length"] = str(len(body))
    # They are those of Streamlit's file, and the script's address is of this version.
    for name in ("etag", "last-modified"):
        del headers[name]
    return start, {"type": "http.response.body", "body": body}
