"""Arrays as few bytes: what the browser draws after every change of a control.

A message is a little-endian uint32 (the header's length), a JSON header, and one deflate stream.
The stream holds rows of float64 rounded to 32 or 24 leading bits (about 6 or 3.5 decimal
digits over the full range of exponents), float32 where a position is to be zoomed into, or whole
float64 where digits are read, as a row of leading and a row of trailing halves; each row as
differences of its bit patterns, all rows byte plane by byte plane: neighbouring steps are alike, so
this halves what deflate makes of them. Maps are whole numbers of 8 to 32 bits, sent the same way.
Their inverse is wire.js. Some rows of a large map are packed at a time, so that packing it takes
little memory.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

FLOAT32 = np.finfo(np.float32)
SIZES = {"f8": 4, "f4": 4, "lead4": 4, "lead3": 3, "u4": 4, "u2": 2, "u1": 1}  # bytes of a word
WHOLE = ("u1", "u2", "u4")
PART = 1_000_000  # numbers that are packed at once


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


def _planes(words: np.ndarray) -> np.ndarray:
    """Differences along each row, byte plane by byte plane (bytes of a word, rows × n)."""
    steps = np.diff(words, axis=1, prepend=words.dtype.type(0))
    octets = steps.astype(words.dtype.newbyteorder(">")).reshape(-1).view(np.uint8)
    # Big-endian, so the first planes are those that hardly change.
    return np.ascontiguousarray(octets.reshape(-1, words.itemsize).T)


def _words(kind: str, rows: np.ndarray, wide: list[int]) -> np.ndarray:
    """Rows as 32-bit words, what is sent of them first."""
    if kind == "f8":
        halves = np.ascontiguousarray(rows, dtype=float).view(np.uint64)
        return np.concatenate([halves >> np.uint64(32), halves]).astype(np.uint32)
    words = _leading(rows, 8 * SIZES[kind])
    if kind == "f4":
        narrow = np.setdiff1d(np.arange(len(rows)), wide)
        words[narrow] = rows[narrow].astype(np.float32).view(np.uint32)
    return words


def narrow(name: str, kind: str, numbers: np.ndarray) -> np.ndarray:
    """Integers as `kind`; ValueError if one does not fit, or if they are floats.

    A plain cast would make another number of it, and yet another one on another processor.
    """
    most = 2 ** (8 * SIZES[kind]) - 1
    if numbers.dtype.kind not in "bui":
        raise ValueError(f"{name} must be integers in [0, {most}], got numbers of {numbers.dtype}.")
    if numbers.size:
        for value in (numbers.min(), numbers.max()):
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be integers in [0, {most}], got {value}.")
    return numbers.astype(kind)


def _whole_parts(name: str, kind: str, rows: np.ndarray) -> Iterator[bytes]:
    height = max(1, PART // max(1, rows.shape[1]))
    for plane in range(SIZES[kind]):
        for at in range(0, len(rows), height):
            yield _planes(narrow(name, kind, rows[at : at + height]))[plane].tobytes()


def pack(header: dict[str, Any], groups: dict[str, tuple[str, np.ndarray]]) -> bytes:
    """A message of named groups of rows; each is (kind, rows (n_rows, n)).

    kind: "f8" (float64, to the bit), "f4" (float32, but "lead4" for a row with numbers beyond
    float32's exponents), "lead4" and "lead3" (float64 rounded to 32 or 24 bits), "u1", "u2" and
    "u4" (integers of as many bytes). Raises ValueError if an integer does not fit, or is a float.
    """
    layout: list[dict[str, Any]] = []
    deflate = zlib.compressobj(1)
    body: list[bytes] = []
    for name, (kind, rows) in groups.items():
        wide = [i for i, row in enumerate(rows) if kind == "f4" and not _fits_float32(row)]
        if kind in WHOLE:
            body.extend(deflate.compress(part) for part in _whole_parts(name, kind, rows))
        else:
            planes = _planes(_words(kind, rows, wide))
            body.append(deflate.compress(planes[: SIZES[kind]].tobytes()))  # 24-bit rows lack one
        n_rows, n = rows.shape
        entry = {"name": name, "kind": kind, "rows": n_rows, "n": n, "wide": wide}
        layout.append(entry)
    body.append(deflate.flush())
    # allow_nan=False: a NaN in the header must be an error here, not broken JSON in the browser.
    text = json.dumps(header | {"layout": layout}, allow_nan=False).encode()
    return b"".join([struct.pack("<I", len(text)), text, *body])
