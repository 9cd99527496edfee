"""The kinds of smoothing as the user chooses them; numpy is not needed for that."""

from __future__ import annotations

from collections.abc import Mapping

from mlbench.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Smoothing:
    """One of `smoothing.KINDS`."""

    does: str
    usual: float
    """The amount of which it is chosen first."""
    levels: tuple[float, ...] = ()
    """The numbers of points that a key goes through; () for weights, of which the settings have some."""

    @property
    def is_weight(self) -> bool:
        """Its amount is a weight from 0 up to, not including, 1, and no number of points."""
        return not self.levels


SMOOTHINGS: Mapping[str, Smoothing] = {
    "ema": Smoothing("TensorBoard's: the past fades point by point", 0.6),
    "twema": Smoothing("W&B's: the past fades with distance on the x axis", 0.6),
    "mean": Smoothing("the mean of so many points around each one", 20.0, (0.0, 5.0, 20.0, 100.0)),
    "gaussian": Smoothing("points around each one, weighted by a normal curve", 5.0, (0.0, 2.0, 5.0, 20.0)),
}
MOST_POINTS = 1e6


def is_smoothing(kind: str, amount: float) -> bool:
    """Whether there is such a smoothing: `smoothing.check_amount` raises nothing."""
    if kind not in SMOOTHINGS:
        return False
    return 0 <= amount < 1 if SMOOTHINGS[kind].is_weight else 0 <= amount <= MOST_POINTS
