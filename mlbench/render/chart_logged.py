"""Logged PR curves as curves of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import RUN_SLOTS
from mlbench.render.chart import Curve
from mlbench.render.labels import label_map
from mlbench.render.palette import PATTERNS

if TYPE_CHECKING:
    from mlbench.queries.blobs import BlobPlace
    from mlbench.wire.pr_curves import PrCurve


def pr_curves(items: Sequence[tuple[BlobPlace, PrCurve]], *, is_plain: bool = False) -> tuple[Curve, ...]:
    """Precision over recall, a curve for each: colour says the run, pattern the metric (or the run, without colours).

    As in TensorBoard, without the thresholds at the end that no prediction reaches.
    """
    labels = label_map(place.head for place, _ in items)
    slots = {run_id: slot for slot, run_id in enumerate(labels)}
    metrics = list(dict.fromkeys(place.metric for place, _ in items))
    steps = {place.step for place, _ in items}
    drawn = []
    for place, curve in items:
        slot, n = slots[place.head.run_id], curve.n_defined
        parts: list[str] = [labels[place.head.run_id]]
        parts += [place.metric] if len(metrics) > 1 else []
        parts += [f"step {place.step}"] if len(steps) > 1 else []
        plain_pattern = slot if is_plain else slot // RUN_SLOTS
        pattern = metrics.index(place.metric) if len(metrics) > 1 else plain_pattern
        label = " ".join(parts)
        drawn.append(Curve(curve.recall[:n], curve.precision[:n], label, slot, PATTERNS[pattern % len(PATTERNS)]))
    return tuple(drawn)


def pr_title(items: Sequence[tuple[BlobPlace, PrCurve]]) -> str:
    """`pr, step 9: precision over recall`; the step only where all have the same."""
    metrics, steps = ({getattr(place, name) for place, _ in items} for name in ("metric", "step"))
    about = ", ".join([*sorted(metrics), *(f"step {step}" for step in steps if len(steps) == 1)])
    return f"{about}: precision over recall"
