"""Packed arrays, read back by a decoder that shares nothing with the encoder but the format."""

from __future__ import annotations

import json
import math
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ui import wire

SEARCH = settings(derandomize=True, deadline=None, database=None)
INF, NAN = math.inf, math.nan
MAX, TINY, LEAST = (float(v) for v in (np.finfo(float).max, np.finfo(float).tiny, 5e-324))
MAX32, TINY32 = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
EXTREMES = [
    0.0, -0.0, 1.0, -1.0, 0.1, 1 / 3, INF, -INF, NAN, MAX, -MAX, TINY, -TINY, LEAST, -LEAST,
    math.nextafter(1.0, 0.0), math.nextafter(1.0, 2.0), MAX32, -MAX32, TINY32, TINY32 / 2,
]  # fmt: skip


def decode(message: bytes) -> tuple[dict[str, Any], dict[str, list[list[float]]]]:
    """The header and the named rows, one number at a time, as the format is described."""
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length].decode())
    body = zlib.decompress(message[4 + length :])
    groups: dict[str, list[list[float]]] = {}
    at = 0
    for entry in header["layout"]:
        whole = entry["kind"] == "f8"  # its leading halves, and then its trailing ones
        n, count = entry["n"], entry["rows"] * (2 if whole else 1)
        size = {"u1": 1, "u2": 2, "lead3": 3}.get(entry["kind"], 4)
        planes = [body[at + b * count * n : at + (b + 1) * count * n] for b in range(size)]
        at += size * count * n
        rows = []
        for row in range(count):
            is_float32 = entry["kind"] == "f4" and row not in entry["wide"]
            word = 0
            numbers: list[float] = []
            for i in range(row * n, (row + 1) * n):
                word = (word + sum(p[i] << (24 - 8 * b) for b, p in enumerate(planes))) % 2**32
                if whole or entry["kind"] in ("u1", "u2", "u4"):
                    numbers.append(word >> (32 - 8 * size))
                    continue
                packed = struct.pack("<I", word) if is_float32 else struct.pack("<Q", word << 32)
                numbers.append(struct.unpack("<f" if is_float32 else "<d", packed)[0])
            rows.append(numbers)
        if whole:
            halves = rows[: count // 2], rows[count // 2 :]
            rows = [
                [
                    struct.unpack("<d", struct.pack("<II", b, a))[0]
                    for a, b in zip(*pair, strict=True)
                ]
                for pair in zip(*halves, strict=True)
            ]
        groups[entry["name"]] = rows
    assert at == len(body)
    return header, groups


def sent(kind: str, rows: np.ndarray) -> np.ndarray:
    """The rows as the browser gets them."""
    _, groups = decode(wire.pack({}, {"rows": (kind, rows)}))
    return np.array(groups["rows"]).reshape(rows.shape)


# Of a float64's 52 bits of fraction, 32 leading bits keep 20 and 24 keep 12; rounding to nearest
# halves the error, so these are twice what is met. float32 keeps 23.
BOUNDS = {"f8": 0.0, "lead4": 2.0**-20, "lead3": 2.0**-12, "f4": float(np.finfo(np.float32).eps)}
# Below the smallest normal number the spacing is fixed: at most half of TINY times the bound.
# A row beyond float32's exponents is sent as lead4.
WIDE_BOUND = BOUNDS["lead4"]


def check_rows(kind: str, rows: np.ndarray) -> None:
    got = sent(kind, rows)
    for given_row, got_row in zip(rows, got, strict=True):
        finite = np.isfinite(given_row)
        np.testing.assert_array_equal(got_row[~finite], given_row[~finite])
        sizes = np.abs(given_row[finite & (given_row != 0.0)])
        wide = kind == "f4" and sizes.size and (sizes.max() > MAX32 or sizes.min() < TINY32)
        bound = WIDE_BOUND if wide else BOUNDS[kind]
        numbers, received = given_row[finite], got_row[finite]
        with np.errstate(over="ignore"):  # where MAX comes back as infinity, that is the failure
            error = np.abs(received / 2 - numbers / 2) * 2
        assert np.all(error <= bound * np.maximum(np.abs(numbers), TINY)), (numbers, received)
        # The sign survives, of zeros too.
        np.testing.assert_array_equal(np.signbit(received), np.signbit(numbers))


def rows_of(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[np.ndarray]:
    shapes = st.tuples(st.integers(0, 4), st.integers(1, 8))
    # One NaN, the usual one: which NaN it is, the message need not keep.
    usual = numbers.map(lambda v: NAN if math.isnan(v) else v)
    return hnp.arrays(np.float64, shapes, elements=usual)


@pytest.mark.parametrize("kind", BOUNDS)
@SEARCH
@given(data=st.data())
def test_rows_come_back_within_the_bound(kind: str, data: st.DataObject) -> None:
    """Up to half of the largest float; what is beyond has a test of its own."""
    floats = st.floats(-MAX / 2, MAX / 2) | st.sampled_from([INF, -INF, NAN])
    moderate = st.floats(-1e6, 1e6, width=32) | st.floats(1e-30, 1e30)
    check_rows(kind, data.draw(rows_of(floats) | rows_of(moderate)))


@pytest.mark.parametrize("kind", BOUNDS)
@pytest.mark.parametrize("value", EXTREMES, ids=repr)
def test_extremes_come_back(kind: str, value: float) -> None:
    check_rows(kind, np.array([[value, value, 1.0], [1.0, value, -value]]))


@pytest.mark.parametrize("kind", BOUNDS)
def test_nan_stays_nan_whatever_its_bits(kind: str) -> None:
    """Of those that arithmetic makes; the all-ones one would carry over into a zero."""
    patterns = [0x7FF8 << 48, 0xFFF8 << 48, 2**63 - 1, 2**64 - 1, (0x7FF8 << 48) + 1]
    rows = np.array([patterns], dtype=np.uint64).view(np.float64)
    assert np.isnan(sent(kind, rows)).all()


@pytest.mark.parametrize("kind", BOUNDS)
@pytest.mark.parametrize("value", [0.5, 1.0, -2.0, 1024.0, 0.0, 3.75])
def test_short_numbers_come_back_exactly(kind: str, value: float) -> None:
    np.testing.assert_array_equal(sent(kind, np.array([[value]])), [[value]])


@pytest.mark.parametrize(("kind", "most"), [("u1", 255), ("u2", 65_535), ("u4", 2**31 - 1)])
def test_whole_numbers_come_back_exactly(kind: str, most: int) -> None:
    chance = np.random.default_rng(5)
    rows = chance.integers(0, most, (7, 60), endpoint=True)
    rows[0, :4] = [0, most, 0, most]
    for numbers in (rows, rows.astype(np.int32).T, rows[:0]):
        np.testing.assert_array_equal(sent(kind, numbers), numbers)


@pytest.mark.parametrize(
    ("rows", "got"),
    [
        ([[1.0, 2.0]], "numbers of float64"), ([[NAN]], "numbers of float64"),
        ([[0, 256, 3]], "256"), ([[7], [-1]], "-1"),
    ],
)  # fmt: skip
def test_what_is_no_number_of_so_many_bytes_is_refused(rows: Any, got: str) -> None:
    """A cast would send another number, and on another processor yet another one."""
    with pytest.raises(ValueError, match=rf"shade must be integers in \[0, 255\], got {got}\.$"):
        wire.pack({}, {"shade": ("u1", np.array(rows))})


@pytest.mark.parametrize("shape", [(700, 3_000), (3, 1_100_000)])
def test_a_large_map_is_packed_as_a_small_one_is(shape: tuple[int, int]) -> None:
    """Some rows at a time: against zlib and plain differences of all rows at once."""
    rows = np.random.default_rng(1).integers(0, 65_535, shape).astype(np.uint16)
    rows[:, 1:] = rows[:, :1]
    message = wire.pack({}, {"rows": ("u2", rows)})
    (length,) = struct.unpack_from("<I", message)
    steps = np.diff(rows, axis=1, prepend=np.uint16(0))
    planes = (steps >> 8).astype(np.uint8), (steps & 255).astype(np.uint8)
    assert zlib.decompress(message[4 + length :]) == b"".join(p.tobytes() for p in planes)


def test_whole_numbers_take_as_many_bytes_as_they_are_wide() -> None:
    rows = np.zeros((3, 5), dtype=int)
    for kind, size in (("u1", 1), ("u2", 2), ("u4", 4)):
        message = wire.pack({}, {"rows": (kind, rows)})
        (length,) = struct.unpack_from("<I", message)
        assert len(zlib.decompress(message[4 + length :])) == size * rows.size


def test_rounding_is_to_nearest() -> None:
    """Cutting bits off would be wrong by up to twice as much, and always towards zero."""
    numbers = np.random.default_rng(7).uniform(1.0, 2.0, (1, 4000))
    for kind, unit in (("lead4", 2.0**-20), ("lead3", 2.0**-12)):
        error = (sent(kind, numbers) - numbers) / unit
        assert np.abs(error).max() <= 0.5
        assert abs(error.mean()) < 0.02


def test_only_the_rows_that_need_it_are_wide() -> None:
    rows = np.array([[1.0, 2.0], [1.0, 1e300], [INF, NAN], [1e-310, 1.0], [0.0, -0.0]])
    header, groups = decode(wire.pack({}, {"rows": ("f4", rows)}))
    assert header["layout"][0]["wide"] == [1, 3]
    assert groups["rows"][1][1] == pytest.approx(1e300, rel=WIDE_BOUND)


def test_groups_keep_names_order_and_shapes() -> None:
    rows = {"b": np.arange(6.0).reshape(2, 3), "a": np.empty((0, 3)), "c": np.ones((3, 1))}
    header, groups = decode(
        wire.pack({"said": "η"}, {name: ("lead4", array) for name, array in rows.items()})
    )
    assert header["said"] == "η"
    assert list(groups) == ["b", "a", "c"]
    assert groups == {name: array.tolist() for name, array in rows.items()}


def test_rows_of_any_memory_layout() -> None:
    rows = np.random.default_rng(3).normal(size=(5, 4))
    for view in (rows.T, rows[::-1], rows[:, ::2], np.asfortranarray(rows)):
        for kind in BOUNDS:
            np.testing.assert_array_equal(sent(kind, view), sent(kind, view.copy(order="C")))


def test_the_input_is_left_alone() -> None:
    rows = np.array(EXTREMES)[None, :]
    rows.flags.writeable = False
    before = rows.tobytes()
    for kind in BOUNDS:
        wire.pack({}, {"rows": (kind, rows)})
    assert rows.tobytes() == before


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_header_that_is_no_json_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        wire.pack({"loss": value}, {})
