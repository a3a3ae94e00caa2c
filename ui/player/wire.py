"""Arrays as few bytes: what the browser draws after every change of a control.

A message is a little-endian uint32 (the header's length), a JSON header, and one deflate stream.
The stream holds rows of float64 rounded to 32 or 24 leading bits (about 6 or 3.5 decimal
digits over the full range of exponents), float32 where a position is to be zoomed into, or whole
float64 where digits are read, as a row of leading and a row of trailing halves; each row as
differences of its bit patterns, all rows byte plane by byte plane: neighbouring steps are alike, so
this halves what deflate makes of them. Maps are whole numbers of 8 to 32 bits, sent the same way.
Their inverse is wire.js.
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np

FLOAT32 = np.finfo(np.float32)
SIZES = {"f8": 4, "f4": 4, "lead4": 4, "lead3": 3, "u4": 4, "u2": 2, "u1": 1}  # bytes of a word
WHOLE = ("u1", "u2", "u4")


def _fits_float32(row: np.ndarray) -> bool:
    size = np.abs(row[np.isfinite(row) & (row != 0.0)])
    return size.size == 0 or bool(size.max() <= FLOAT32.max and size.min() >= FLOAT32.tiny)


def _leading(rows: np.ndarray, bits: int) -> np.ndarray:
    """The leading bits of float64s, rounded; infinities and NaN are kept as they are."""
    patterns = np.ascontiguousarray(rows).view(np.uint64)
    rounded = patterns + (np.uint64(1) << np.uint64(63 - bits))
    # The largest floats would be rounded to infinity, and a NaN to anything: these are cut off.
    keeps = np.isfinite(rows) & np.isfinite(rounded.view(np.float64))
    kept = np.where(keeps, rounded, patterns) >> np.uint64(64 - bits)
    return (kept << np.uint64(32 - bits)).astype(np.uint32)


def _planes(words: np.ndarray, size: int) -> bytes:
    steps = np.diff(words, axis=1, prepend=np.uint32(0)).astype(">u4")
    octets = steps.reshape(-1).view(np.uint8).reshape(-1, 4)
    # Big-endian, so the first planes are those that hardly change; 24-bit rows lack the last.
    return np.ascontiguousarray(octets[:, :size].T).tobytes()


def _words(kind: str, rows: np.ndarray, wide: list[int]) -> np.ndarray:
    """Rows as 32-bit words, what is sent of them first."""
    size = SIZES[kind]
    if kind == "f8":
        halves = np.ascontiguousarray(rows, dtype=float).view(np.uint64)
        return np.concatenate([halves >> np.uint64(32), halves]).astype(np.uint32)
    if kind in WHOLE:
        return rows.astype(np.uint32) << np.uint32(32 - 8 * size)
    words = _leading(rows, 8 * size)
    if kind == "f4":
        narrow = np.setdiff1d(np.arange(len(rows)), wide)
        words[narrow] = rows[narrow].astype(np.float32).view(np.uint32)
    return words


def pack(header: dict[str, Any], groups: dict[str, tuple[str, np.ndarray]]) -> bytes:
    """A message of named groups of rows; each is (kind, rows (n_rows, n)).

    kind: "f8" (float64, to the bit), "f4" (float32, but "lead4" for a row with numbers beyond
    float32's exponents), "lead4" and "lead3" (float64 rounded to 32 or 24 bits), "u1", "u2" and
    "u4" (whole numbers of as many bytes).
    """
    layout: list[dict[str, Any]] = []
    body = bytearray()
    for name, (kind, rows) in groups.items():
        wide = [i for i, row in enumerate(rows) if kind == "f4" and not _fits_float32(row)]
        body += _planes(_words(kind, rows, wide), SIZES[kind])
        n_rows, n = rows.shape
        entry = {"name": name, "kind": kind, "rows": n_rows, "n": n, "wide": wide}
        layout.append(entry)
    # allow_nan=False: a NaN in the header must be an error here, not broken JSON in the browser.
    text = json.dumps(header | {"layout": layout}, allow_nan=False).encode()
    return struct.pack("<I", len(text)) + text + zlib.compress(bytes(body), 1)
