"""What a window was found to hold: whole records, and turns of a training loop, all of whose checksums hold.

Both give out the points of their scalars, as arrays. The records of a block lie anywhere, and their numbers are
gathered; turns form a matrix, of which each number is a column: a third of the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlbench.wire.crc32c import are_closed, unmasked
from mlbench.wire.shapes import VALUE_BYTES, Shapes
from mlbench.wire.tfrecord import HEADER_BYTES, Record
from mlbench.wire.window import FRAME_BYTES, Window, fold_varints

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Float64Array, Int64Array
    from mlbench.wire.periods import Turn

    Int32Array = NDArray[np.int32]


class Scalars(NamedTuple):
    """Points of many metrics; all arrays have shape (n,). The points of each metric are in the order of the file."""

    tags: Int32Array
    """Of each point the tag's number in `Shapes.tags`."""
    steps: Int64Array
    wall_s: Float64Array
    values: NDArray[Any]
    """The file's own 32 bits."""
    seq: Int64Array

    @property
    def n_points(self) -> int:
        return int(self.tags.size)


class Lines(NamedTuple):
    """Points of metrics of which each has as many as any other: matrices with a line for each, in the file's order."""

    tags: Int32Array
    """Shape (n_lines,), the tags' numbers in `Shapes.tags`; they all differ."""
    steps: Int64Array
    """Shape (n_lines, n), or (1, n) where all lines have the same."""
    wall_s: Float64Array
    """Shape (n_lines, n)."""
    values: NDArray[Any]
    """Shape (n_lines, n): the file's own 32 bits."""
    line_seq: Int64Array
    """Shape (n_lines, 1) or (n_lines, n): with `later_seq` the place of each point."""
    later_seq: Int64Array
    """Shape (n,)."""

    @property
    def n_points(self) -> int:
        return int(self.wall_s.size)

    def scalars(self) -> Scalars:
        """The same points, line by line."""
        shape = self.wall_s.shape
        return Scalars(
            np.repeat(self.tags, shape[1]), np.broadcast_to(self.steps, shape).ravel(), self.wall_s.ravel(),
            self.values.ravel(), (self.line_seq + self.later_seq).ravel(),
        )  # fmt: skip


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
        self._start, self._turn, self.n_turns = start, turn, n_turns
        self.n_values = n_turns * turn.tags.size

    def __len__(self) -> int:
        """Records."""
        return self.n_turns * self._turn.places.size

    def end(self, _n_records: int = 0) -> int:
        """The offset in the file behind the last turn."""
        return self._base + self._start + self.n_turns * self._turn.n_bytes

    def seal(self) -> bool:
        """Say whether all checksums hold, as `Window.seal` does: once only."""
        reads = self._turn.reads
        checksums = self._view("<u4")
        words = unmasked(checksums[reads.ends])
        words ^= reads.closing
        checksums[reads.ends] = words
        return are_closed(self._window.octets[self._start : self._start + self.n_turns * self._turn.n_bytes])

    def lines(self, seq: int) -> Lines:
        """All points, metric by metric, by the metrics' names.

        Args:
            seq: the sequence number of the first value.
        """
        reads, n_lines = self._turn.reads, self._turn.tags.size
        steps, first = self._steps(), seq + reads.first
        return Lines(
            reads.tags,
            steps if len(steps) == 1 else steps[reads.records],
            self._view("<f8")[reads.walls],
            self._view("<f4")[reads.values],
            reads.line_seq,
            np.arange(first, first + self.n_turns * n_lines, n_lines),
        )

    def block(self) -> Block:
        """The same as records."""
        places, lengths, numbers = self._turn.repeated(self._start, self.n_turns)
        return Block(self._window, self._base, self._shapes, places, lengths, numbers)

    def _steps(self) -> Int64Array:
        """Shape (records of a turn, turns), or (1, turns) where all records of each turn have one step."""
        kinds = self._turn.reads.steps
        if len(kinds) == 1:
            return self._steps_at(kinds[0][2], kinds[0][0])
        steps = np.zeros((self._turn.places.size, self.n_turns), dtype=np.int64)
        for n_step, rows, at in kinds:
            steps[rows] = self._steps_at(at, n_step)
        return steps

    def _steps_at(self, at: Int64Array, n_step: int) -> Int64Array:
        """The same of some of a turn's records, whose steps of so many bytes lie here."""
        if n_step <= 0:  # they have none
            return np.zeros((1, self.n_turns), dtype=np.int64)
        size = 1 << (n_step - 1).bit_length()
        raw = self._view(f"<u{size}")[at]
        if size > n_step:
            raw &= raw.dtype.type((1 << 8 * n_step) - 1)
        if (raw[1:] == raw[0]).all():
            raw = raw[:1]
        return fold_varints(raw, n_step).astype(np.int64)

    def _view(self, kind: str) -> NDArray[Any]:
        """The number that begins at each byte of each turn; shape (n_bytes, turns)."""
        return self._window.columns(self._start, kind, self._turn.n_bytes, self.n_turns)
