"""What is kept compressed, sent to each client in a form that it takes."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header allows gzip (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for item in accepted.split(","):
        coding, _, weight = item.partition(";")
        _, _, value = weight.partition("=")
        try:
            weights[coding.strip().lower()] = float(value) if weight else 1.0
        except ValueError:
            continue
    return weights.get("gzip", weights.get("*", 0.0)) > 0.0


def zipped(
    request: Request, content: bytes, media_type: str, headers: Mapping[str, str]
) -> Response:
    """An answer whose content is kept as gzip; who does not take gzip gets it unpacked."""
    sent = {"Vary": "Accept-Encoding", **headers}
    if takes_gzip(request.headers.get("accept-encoding", "")):
        sent["Content-Encoding"] = "gzip"
    else:
        content = gzip.decompress(content)
    return Response(content, media_type=media_type, headers=sent)
