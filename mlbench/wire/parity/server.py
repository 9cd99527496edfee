"""The rules of the data server in Rust, with every sample kept: what TensorBoard's user interface shows today.

The first value of a tag decides what its series is, for good. Marks of restarts mean nothing to it; in its place each
new point takes the last points of its own tag that are of the same step or a later one. So steps always rise, and of
equal ones the last is shown. A value of a scalar series that is no float32 takes points too, and is not shown itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlbench.wire.parity.accumulators import CLASS_SCALAR, RUN_GRAPH, SCALARS
from mlbench.wire.parity.curves import Curve
from mlbench.wire.parity.numbers import server_number

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary


class DataServer:
    """What `ReadScalars` answers for the plugin `scalars`."""

    def __init__(self) -> None:
        self._curves: dict[str, Curve | None] = {}
        """None: the tag belongs to a series of another kind."""

    def add(self, event: Event, seq: int) -> None:
        """Take one event in, of finite wall time; its values have the numbers from `seq` on, a graph the one before."""
        if event.HasField("graph_def"):
            self._offer(RUN_GRAPH, event, None, seq - 1)
        elif event.HasField("tagged_run_metadata"):
            self._offer(event.tagged_run_metadata.tag, event, None, seq - 1)
        for place, value in enumerate(event.summary.value):
            if value.tag not in self._curves:
                self._curves[value.tag] = Curve() if _begins_scalars(value) else None
            self._offer(value.tag, event, _number(value), seq + place)

    def _offer(self, tag: str, event: Event, number: float | None, seq: int) -> None:
        """A graph begins no scalars, but where it comes under their tag it takes points from them."""
        curve = self._curves.setdefault(tag, None)
        if curve is not None:
            curve.drop_tail(event.step)
            curve.add(event.step, event.wall_time, number, seq)

    def curves(self) -> Iterable[tuple[str, Curve]]:
        """Tags with their points."""
        return ((tag, curve) for tag, curve in self._curves.items() if curve is not None)


def _begins_scalars(value: Summary.Value) -> bool:
    """Whether a series that begins with this value is one of the scalars plugin.

    A data class is believed, and then the plugin must be `scalars` too; else a simple value is a scalar whatever its
    metadata name; else the plugin decides, and without metadata nothing is shown.
    """
    kind = value.WhichOneof("value")
    plugin = value.metadata.plugin_data.plugin_name
    if value.metadata.data_class:
        return bool(value.metadata.data_class == CLASS_SCALAR and plugin == SCALARS)
    if kind in {"image", "audio", "histo"}:
        return False
    return bool(kind == "simple_value" or plugin == SCALARS)


def _number(value: Summary.Value) -> float | None:
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return float(value.simple_value)
    return server_number(value.tensor) if kind == "tensor" else None
