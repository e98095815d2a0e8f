"""What the stage is sent: a tree of plain values and arrays as few bytes. `payload.js` is the other side."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import orjson


def pack(tree: Any, effort: int = 1) -> bytes:
    """Deflated (with the ``effort`` of `zlib`) header length, header, arrays. Arrays may stand anywhere in ``tree``.

    Arrays of whole numbers travel as such and arrive flat: bytes (uint8) as they are, others (up to 32 bits) as
    differences of neighbours. Of the rest, arrays of two dimensions must be heights in [0, 1] (NaN is a hole): they
    travel as differences of 14-bit levels, well under a byte each. All others travel as exact float32, bit by bit, and
    arrive flat. Bytes of equal significance stand together, which deflates better.
    """
    arrays: list[dict[str, Any]] = []
    blocks: list[bytes] = []

    def replace(node: Any) -> Any:
        if isinstance(node, np.ndarray):
            kind, block = _block(node)
            arrays.append({"kind": kind, "shape": list(node.shape)})
            blocks.append(block + bytes(-len(block) % 4))  # arrays begin at multiples of four
            return {"$array": len(arrays) - 1}
        if isinstance(node, dict):
            return {key: replace(value) for key, value in node.items()}
        if isinstance(node, (list, tuple)):
            return [replace(item) for item in node]
        return node

    header = orjson.dumps({"tree": replace(tree), "arrays": arrays})
    header += b" " * (-(4 + len(header)) % 4)
    return zlib.compress(b"".join([len(header).to_bytes(4, "little"), header, *blocks]), effort)


def _block(array: np.ndarray) -> tuple[str, bytes]:
    """An array's kind and its bytes."""
    if array.dtype == np.uint8:
        return "bytes", array.tobytes()
    if array.dtype.kind in "iu":
        return "whole", _steps(array)
    return ("heights", _differences(array)) if array.ndim == 2 else ("numbers", _changes(array))


HOLE = 16383
LEVELS = 16382  # fourteen bits: 700 levels between two contour lines


def _differences(heights: np.ndarray) -> bytes:
    levels = np.where(np.isfinite(heights), np.clip(heights, 0, 1) * LEVELS + 0.5, HOLE).astype(np.int16)
    levels[1:] -= levels[:-1].copy()
    levels[:, 1:] -= levels[:, :-1].copy()
    return _planes(levels)


def _changes(numbers: np.ndarray) -> bytes:
    # The bits of neighbouring floats, taken as integers, are close where a run is smooth.
    bits = np.ascontiguousarray(numbers, np.float32).reshape(-1).view(np.int32).copy()
    bits[1:] -= bits[:-1].copy()
    return _planes(bits)


def _steps(whole: np.ndarray) -> bytes:
    wide = whole.astype(np.int32).reshape(-1)
    wide[1:] -= wide[:-1].copy()
    return _planes(wide)


def _planes(integers: np.ndarray) -> bytes:
    width = integers.dtype.itemsize
    folded = (integers << 1) ^ (integers >> (8 * width - 1))  # small ones of either sign become small ones
    return folded.astype(f"<i{width}").view(np.uint8).reshape(-1, width).T.tobytes()
