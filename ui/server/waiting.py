"""Our script in the head of Streamlit's own page, and links to all that the page needs."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.server import assets

END = b"</head>"


class Waiting:
    """Puts our part into the head of every page: all is under way while Streamlit connects."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        path = scope["path"].rpartition("/")[2]  # of a page, below the base path
        if assets.page_at(path) is not None:
            # Streamlit would compress it, and nothing could be put into it then.
            plain = [(k, v) for k, v in scope["headers"] if k != b"accept-encoding"]
            scope = {**scope, "headers": plain}
        held: list[Message] = []  # the start of a page, until its body is whole

        async def with_head(message: Message) -> None:
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
                    for changed in _with_head(held, path):
                        await send(changed)

        await self.app(scope, receive, with_head)


def _is_page(start: Message) -> bool:
    kind = MutableHeaders(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and kind.startswith("text/html")


def _with_head(held: list[Message], path: str) -> tuple[Message, Message]:
    start, *parts = held
    ours = assets.head(path).encode()
    body = b"".join(part.get("body", b"") for part in parts).replace(END, ours + END, 1)
    headers = MutableHeaders(raw=start["headers"])
    headers["content-length"] = str(len(body))
    # They are those of Streamlit's file, and our addresses are of this version.
    for name in ("etag", "last-modified"):
        del headers[name]
    return start, {"type": "http.response.body", "body": body}
