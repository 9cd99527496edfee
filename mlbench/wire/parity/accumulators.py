"""The rules of the two Python readers: EventAccumulator, and the plugin accumulator behind the Python interface.

Both remember the metadata that a tag had first, over all files of the run. Where they differ is what a restart takes:

- EventAccumulator: every `SessionLog.START` of a log of version 2 takes from all tags the points of its step or later,
  but never a tensor, so the scalars of TensorFlow 2 survive. In an older log, a summary of a step below the newest
  takes such points from its own tags, and the newest step stays as it was.
- The plugin accumulator: everything is a tensor to it, so everything can be taken; the first START of a run takes
  nothing; and the newest step is always that of the last summary.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mlbench.wire.parity.curves import Curve
from mlbench.wire.parity.numbers import python_number

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata

SCALARS = "scalars"
CLASS_SCALAR = 1
RUN_GRAPH = "__run_graph__"
"""The tag under which the graph of a run becomes a series."""
_START = 1
_MODERN = 2
_SHARES = (0, 668, 1587, 3085, 5000, 6915, 8413, 9332, 10_000)
"""At which EventAccumulator looks into a histogram, in hundredths of a percent: the normal distribution's."""
_WHOLE = 10_000
_TOO_FEW_EDGES = "a histogram in it has fewer edges than buckets"


class Lost(Exception):  # noqa: N818 - not ours: what the reader does
    """The reader raises here, and whoever uses it is left with no point of the folder."""


def version_of(text: str) -> float:
    """The number behind `brain.Event:`, -1 where there is none. What Python's `float` takes counts, also `nan`."""
    try:
        return float(text.rsplit("brain.Event:", maxsplit=1)[-1])
    except ValueError:
        return -1.0


def says_scalar(metadata: SummaryMetadata) -> bool:
    """The data class says so, or, where there is none, the plugin."""
    if metadata.data_class:
        return bool(metadata.data_class == CLASS_SCALAR)
    return bool(metadata.plugin_data.plugin_name == SCALARS)


class EventAccumulator:
    """The rules of `event_accumulator.EventAccumulator` with nothing sampled."""

    def __init__(self) -> None:
        self._simple: dict[str, Curve] = {}
        self._tensors: dict[str, Curve] = {}
        self._is_scalar: dict[str, bool] = {}
        self._version: float | None = None
        self._newest_step = -1
        self._has_graph = False

    def add(self, event: Event, seq: int) -> None:
        """Take one event in; its values have the numbers from `seq` on.

        Raises:
            Lost: it is one that the reader fails on.
        """
        if event.HasField("file_version"):
            self._version = version_of(event.file_version)
        self._drop(event)
        self._has_graph = _read_graph(event, self._has_graph)
        for place, value in enumerate(event.summary.value):
            self._add_value(event, value, seq + place)

    def _drop(self, event: Event) -> None:
        if self._version is not None and self._version >= _MODERN:
            if event.session_log.status == _START:
                _drop_from(self._simple.values(), event.step)
        elif event.step < self._newest_step and event.HasField("summary"):
            tags = {value.tag for value in event.summary.value}
            _drop_from((self._simple[tag] for tag in tags if tag in self._simple), event.step)
        else:
            self._newest_step = event.step

    def _add_value(self, event: Event, value: Summary.Value, seq: int) -> None:
        if value.HasField("metadata"):
            self._is_scalar.setdefault(value.tag, says_scalar(value.metadata))
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            curve = self._simple.setdefault(value.tag, Curve())
            curve.add(event.step, event.wall_time, value.simple_value, seq)
        elif kind == "histo":
            _compress(value.histo)
        elif kind == "tensor" and (number := python_number(value.tensor)) is not None:
            curve = self._tensors.setdefault(value.tag or value.node_name, Curve())
            curve.add(event.step, event.wall_time, number, seq)

    def curves(self) -> Iterable[tuple[str, Curve]]:
        """Tags with their points; one that has simple values and scalar tensors comes twice."""
        yield from self._simple.items()
        yield from ((tag, curve) for tag, curve in self._tensors.items() if self._is_scalar.get(tag))


class PluginAccumulator:
    """The rules of `plugin_event_accumulator.EventAccumulator` with nothing sampled."""

    def __init__(self) -> None:
        self._curves: dict[str, Curve] = {}
        self._is_scalar: dict[str, bool] = {}
        self._version: float | None = None
        self._newest_step = -1
        self._has_started = False
        self._has_graph = False

    def add(self, event: Event, seq: int) -> None:
        """Take one event in; its values have the numbers from `seq` on.

        Raises:
            Lost: it is one that the reader fails on.
        """
        if event.HasField("file_version"):
            self._version = version_of(event.file_version)
        self._has_graph = _read_graph(event, self._has_graph)
        what = event.WhichOneof("what")
        if what in {"graph_def", "tagged_run_metadata"}:
            self._add_graph(event, RUN_GRAPH if what == "graph_def" else event.tagged_run_metadata.tag)
        elif what == "summary":
            self._drop_behind(event.step, (value.tag for value in event.summary.value))
            for place, value in enumerate(event.summary.value):
                self._add_value(event, value, seq + place)
        elif what == "session_log":
            self._start(event)

    def _add_graph(self, event: Event, tag: str) -> None:
        """A graph becomes a summary of its own, which counts as one where steps go back."""
        self._drop_behind(event.step, (tag,))
        self._is_scalar.setdefault(tag, False)

    def _start(self, event: Event) -> None:
        if not self._is_modern or event.session_log.status != _START:
            return
        if self._has_started:
            _drop_from(self._curves.values(), event.step)
        self._has_started = True

    def _drop_behind(self, step: int, tags: Iterable[str]) -> None:
        if not self._is_modern and step < self._newest_step:
            _drop_from((self._curves[tag] for tag in set(tags) if tag in self._curves), step)
        self._newest_step = step

    @property
    def _is_modern(self) -> bool:
        return self._version is not None and self._version >= _MODERN

    def _add_value(self, event: Event, value: Summary.Value, seq: int) -> None:
        kind = value.WhichOneof("value")
        if kind in {"simple_value", "histo", "image", "audio"}:
            if kind == "histo":
                _migrate(value.histo)
            self._is_scalar.setdefault(value.tag, kind == "simple_value")
        elif value.HasField("metadata"):
            self._is_scalar.setdefault(value.tag, says_scalar(value.metadata))
        number = value.simple_value if kind == "simple_value" else None
        if kind == "tensor":
            number = python_number(value.tensor)
        if number is not None:
            curve = self._curves.setdefault(value.tag or value.node_name, Curve())
            curve.add(event.step, event.wall_time, number, seq)

    def curves(self) -> Iterable[tuple[str, Curve]]:
        """Tags with their points."""
        return ((tag, curve) for tag, curve in self._curves.items() if self._is_scalar.get(tag))


def _read_graph(event: Event, has_graph: bool) -> bool:
    """Whether the run has a graph of its own by now; until then each meta graph is looked into for one.

    Raises:
        Lost: the meta graph is no message.
    """
    if event.HasField("graph_def"):
        return True
    if event.HasField("meta_graph_def") and not has_graph:
        from google.protobuf.message import DecodeError
        from tensorboard.compat.proto.meta_graph_pb2 import MetaGraphDef

        try:
            MetaGraphDef.FromString(event.meta_graph_def)
        except DecodeError as error:
            raise Lost("a graph in it is no message") from error
    return has_graph


def _migrate(histogram: Any) -> None:  # noqa: ANN401 - an untyped message
    """The plugin accumulator makes a table of a histogram, which has a row for each bucket between two filled ones.

    Raises:
        Lost: there are fewer edges than rows.
    """
    filled = [place for place, count in enumerate(histogram.bucket) if count > 0]
    if filled and len(histogram.bucket_limit) < filled[-1]:
        raise Lost(_TOO_FEW_EDGES)


def _compress(histogram: Any) -> None:  # noqa: ANN401
    """EventAccumulator asks for the edges of the buckets in which nine shares of the whole are reached.

    Raises:
        Lost: one of them has no edge.
    """
    n_edges = len(histogram.bucket_limit)
    if n_edges >= len(histogram.bucket) or not histogram.num:
        return
    import numpy as np

    counts = np.array(histogram.bucket)
    weights = (counts * _WHOLE / (counts.sum() or 1.0)).cumsum()
    before = np.concatenate([[0.0], weights[:-1]])
    reached = (int(np.searchsorted(weights, share, side="right")) for share in _SHARES)
    asked = (first + np.flatnonzero(weights[first:] != before[first:])[:1] for first in reached)
    if any((place >= n_edges).any() for place in asked):
        raise Lost(_TOO_FEW_EDGES)


def _drop_from(curves: Iterable[Curve], step: int) -> None:
    for curve in curves:
        curve.drop_from(step)
