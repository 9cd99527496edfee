"""What a window was found to hold: whole records, and turns of a training loop, all of whose checksums hold.

Both give out the points of their scalars, as arrays. The records of a block lie anywhere, and their numbers are
gathered; turns form a matrix, of which each number is a column: a third of the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlbench.wire.crc32c import are_closed, unmasked
from mlbench.wire.shapes import VALUE_BYTES, Shapes
from mlbench.wire.tfrecord import HEADER_BYTES, Record
from mlbench.wire.window import FRAME_BYTES, Window, fold_varints

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array
    from mlbench.wire.periods import Turn

    Int32Array = NDArray[np.int32]
    Float32Array = NDArray[np.float32]

_WALL_AT = HEADER_BYTES + 1
_STEP_AT = HEADER_BYTES + 10
"""In a record, behind the keys of wall time and step."""


class Scalars:
    """Points of many metrics; all arrays have shape (n,). The points of each metric are in the order of the file."""

    __slots__ = ("_tags", "lines", "seq", "steps", "values", "wall_s")

    def __init__(
        self, tags: Int32Array, steps: Int64Array, wall_s: Float64Array, values: Float32Array, seq: Int64Array,
        *, are_lines: bool = False,
    ) -> None:  # fmt: skip
        self._tags = tags
        self.lines = tags if are_lines else None
        """The tags of what comes metric by metric, each as often as any other; they all differ. None: it does not."""
        self.steps = steps
        self.wall_s = wall_s
        self.values = values
        """The file's own 32 bits."""
        self.seq = seq

    def __len__(self) -> int:
        return self.steps.size

    @property
    def tags(self) -> Int32Array:
        """Of each point the tag's number in `Shapes.tags`."""
        if self.lines is None:
            return self._tags
        return np.repeat(self._tags, self.steps.size // self._tags.size)


class Block:
    """Whole records of one window whose checksums hold, in the order of the file; all arrays have shape (n,)."""

    def __init__(
        self, window: Window, base: int, shapes: Shapes,
        places: Int64Array, lengths: Int64Array, numbers: Int32Array,
    ) -> None:  # fmt: skip
        self._window, self._base, self._shapes = window, base, shapes
        self.places = places
        self.lengths = lengths
        self.numbers = numbers
        """Shapes, -1 for records that have to be decoded one by one."""

    def __len__(self) -> int:
        return self.places.size

    def end(self, n_records: int) -> int:
        """The offset in the file behind the first so many records."""
        last = n_records - 1
        return self._base + int(self.places[last] + self.lengths[last]) + FRAME_BYTES

    def record(self, index: int) -> Record:
        """One record with its payload."""
        place = int(self.places[index])
        start = place + HEADER_BYTES
        return Record(self._base + place, self._window.bytes_at(start, start + int(self.lengths[index])))

    def counts(self) -> Int64Array:
        """How many values each record has; 0 for those to be decoded."""
        if not self._shapes.n_shapes:
            return np.zeros(len(self), dtype=np.int64)
        flat = self._shapes.flat
        if flat.is_single:
            return (self.numbers >= 0).astype(np.int64)
        counts = flat.n_values[self.numbers]
        counts[self.numbers < 0] = 0
        return counts

    def scalars(self, n_records: int, seq: Int64Array) -> Scalars | None:
        """The scalars of the first so many records; None if there are none.

        Args:
            n_records: how many.
            seq: shape (n,), the sequence number of each record's first value.
        """
        known = np.flatnonzero(self.numbers[:n_records] >= 0)
        if not known.size:
            return None
        if known.size == n_records:
            places, lengths, numbers = self.places[:n_records], self.lengths[:n_records], self.numbers[:n_records]
            seq = seq[:n_records]
        else:
            places, lengths, numbers = self.places[known], self.lengths[known], self.numbers[known]
            seq = seq[known]
        fronts = self._window.fronts(places)
        flat = self._shapes.flat
        steps, wall_s, first = fronts.steps(), fronts.wall_s, numbers
        ends = places + lengths + HEADER_BYTES
        if not flat.is_single:
            # Each record's columns stand once for each of its values.
            first, n_values = flat.first[numbers], flat.n_values[numbers]
            n_total = int(n_values.sum())
            within = np.arange(n_total) - np.repeat(np.cumsum(n_values) - n_values, n_values)
            steps, wall_s, ends, first, seq = (np.repeat(a, n_values) for a in (steps, wall_s, ends, first, seq))
            first, seq = first + within, seq + within
        values = self._window.take(ends - flat.ends[first], VALUE_BYTES).view(np.float32)
        return Scalars(flat.tags[first], steps, wall_s, values, seq)


class Turns:
    """Many turns of one period, one behind the other."""

    def __init__(self, window: Window, base: int, shapes: Shapes, start: int, turn: Turn, n_turns: int) -> None:
        self._window, self._base, self._shapes = window, base, shapes
        self._start, self._turn, self._n_turns = start, turn, n_turns
        self.n_values = n_turns * turn.tags.size

    def __len__(self) -> int:
        """Records."""
        return self._n_turns * self._turn.places.size

    def end(self, _n_records: int = 0) -> int:
        """The offset in the file behind the last turn."""
        return self._base + self._start + self._n_turns * self._turn.n_bytes

    def seal(self) -> bool:
        """Say whether all checksums hold, as `Window.seal` does: once only."""
        turn = self._turn
        ends = turn.places + turn.lengths + HEADER_BYTES
        checksums = self._view("<u4")
        checksums[ends] = unmasked(checksums[ends]) ^ turn.closing[:, None]
        return are_closed(self._window.octets[self._start : self._start + self._n_turns * turn.n_bytes])

    def scalars(self, seq: int) -> Scalars:
        """All points, metric by metric.

        Args:
            seq: the sequence number of the first value.
        """
        turn, n_turns = self._turn, self._n_turns
        wall_s = self._view("<f8")[turn.places + _WALL_AT]
        steps = self._steps()
        if not turn.is_single:
            wall_s, steps = wall_s[turn.records], steps[turn.records]
        n_values = turn.tags.size
        places = (seq + np.arange(n_values))[:, None] + np.arange(n_turns) * n_values
        values = self._view("<f4")[turn.values]
        columns = (steps.ravel(), wall_s.ravel(), values.ravel(), places.ravel())
        return Scalars(turn.tags, *columns, are_lines=True)

    def block(self) -> Block:
        """The same as records."""
        places, lengths, numbers = self._turn.repeated(self._start, self._n_turns)
        return Block(self._window, self._base, self._shapes, places, lengths, numbers)

    def _steps(self) -> Int64Array:
        """Shape (records of a turn, turns)."""
        turn = self._turn
        steps = np.zeros((turn.places.size, self._n_turns), dtype=np.int64)
        for n_bytes in set(turn.widths.tolist()):  # np.unique would load numpy.ma
            n_step = n_bytes - (_STEP_AT - HEADER_BYTES)
            if n_step > 0:  # else the records have none
                rows = np.flatnonzero(turn.widths == n_bytes)
                size = 1 << (n_step - 1).bit_length()
                raw = self._view(f"<u{size}")[turn.places[rows] + _STEP_AT]
                steps[rows] = fold_varints(raw, n_step)
        return steps

    def _view(self, kind: str) -> NDArray[Any]:
        """The number that begins at each byte of each turn; shape (n_bytes, turns)."""
        return self._window.columns(self._start, kind, self._turn.n_bytes, self._n_turns)
