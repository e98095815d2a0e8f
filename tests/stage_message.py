"""What the stage was sent, read as the browser reads it."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import numpy as np

from ui.stage.payload import LEVELS


def unpack(message: bytes) -> Any:
    """What payload.js does, in Python."""
    raw = zlib.decompress(message)
    length = int.from_bytes(raw[:4], "little")
    assert (4 + length) % 4 == 0
    header = json.loads(raw[4 : 4 + length])
    offset, arrays = 4 + length, []
    for about in header["arrays"]:
        count = math.prod(about["shape"])
        width = {"bytes": 1, "heights": 2, "whole": 4, "numbers": 4}[about["kind"]]
        planes = np.frombuffer(raw, np.uint8, width * count, offset).reshape(width, count).astype(np.uint32)
        folded = sum((plane << np.uint32(8 * b) for b, plane in enumerate(planes)), np.zeros(count, np.uint32))
        values = (folded >> 1).astype(np.int32) ^ -(folded & 1).astype(np.int32)
        if about["kind"] == "heights":
            levels = values.reshape(about["shape"]).cumsum(0).cumsum(1)
            arrays.append(np.where(levels == LEVELS + 1, np.nan, levels / LEVELS))
        elif about["kind"] == "bytes":
            arrays.append(planes[0].astype(np.uint8))
        else:
            whole = values.cumsum(dtype=np.int32)
            arrays.append(whole if about["kind"] == "whole" else whole.view(np.float32))
        offset += -(-width * count // 4) * 4
    assert offset == len(raw)

    def restore(node: Any) -> Any:
        if isinstance(node, list):
            return [restore(item) for item in node]
        if isinstance(node, dict):
            return arrays[node["$array"]] if "$array" in node else {key: restore(v) for key, v in node.items()}
        return node

    return restore(header["tree"])
