"""How high a loss is drawn: the scale that the contour's colours and the third dimension share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Height:
    """Loss → [0, 1]: linear, or logarithmic above ``base`` with a linear knee, so that the floor is not −∞.

    Linear: (loss − base) / span. Logarithmic: log1p((loss − base) / knee) / log1p(span / knee).
    """

    base: float
    span: float
    knee: float | None = None  # None: linear

    @classmethod
    def of(cls, values: np.ndarray, logarithmic: bool, lowest: float | None = None) -> Height:
        """The scale that fits these values (of any shape; what is not finite is left out), down to ``lowest``."""
        finite = values[np.isfinite(values)].astype(np.float64)
        if finite.size == 0:
            return cls(0.0, 1.0)
        base, top = float(finite.min()), float(finite.max())
        base = base if lowest is None else min(base, lowest)
        span = top - base or 1.0
        knee = max(float(np.quantile(finite, 0.05)) - base, 1e-5 * span) if logarithmic else None
        return cls(base, span, knee)

    def __call__(self, loss: np.ndarray) -> np.ndarray:
        """Heights of losses, as float64; below ``base`` they are negative (log: 0)."""
        above = np.asarray(loss, np.float64) - self.base
        if self.knee is None:
            return above / self.span
        return np.log1p(np.maximum(above, 0) / self.knee) / math.log1p(self.span / self.knee)

    def loss(self, height: float) -> float:
        """The inverse."""
        if self.knee is None:
            return self.base + height * self.span
        return self.base + self.knee * math.expm1(height * math.log1p(self.span / self.knee))

    def ticks(self, count: int = 6) -> tuple[list[float], list[str]]:
        """Heights and labels of round losses."""
        if self.knee is None:
            losses = _round_steps(self.base, self.base + self.span, count)
        else:
            above = [m * 10.0**e for e in range(-12, 13) for m in (1, 2, 5)]
            good = [a for a in above if self.knee * 0.5 <= a <= self.span]
            sparse = good if len(good) <= count else [a for a in good if f"{a:e}".startswith("1")]
            stride = -(-len(sparse) // count) if sparse else 1
            losses = [self.base, *(self.base + a for a in sparse[::-1][::stride][::-1])]
        return [float(self(np.array(v))) for v in losses], [_label(v) for v in losses]

    def to_json(self) -> dict[str, float | None]:
        """What the stage needs to place a path on the surface."""
        return {"base": self.base, "span": self.span, "knee": self.knee}


def _round_steps(low: float, high: float, count: int) -> list[float]:
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _label(value: float) -> str:
    return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-") if abs(value) > 1e-9 else "0"
