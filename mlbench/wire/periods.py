"""Training loops are periodic: the same metrics in the same order, so that whole periods form the rows of a matrix.

A period is recognised from records that were walked one by one; the following ones are then compared row by row,
all bytes but wall times, steps, values and checksums, until one differs (a step that grew by a byte, another order).
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.wire.crc32c import closing_word
from mlbench.wire.shapes import VALUE_BYTES, Shapes
from mlbench.wire.tfrecord import FOOTER_BYTES, HEADER_BYTES
from mlbench.wire.window import FRAME_BYTES, Window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Int64Array

    Int32Array = NDArray[np.int32]
    UInt8Array = NDArray[np.uint8]
    UInt32Array = NDArray[np.uint32]

MIN_SEEN = 128
"""Records that must agree with a period before it is believed: a metric logged ten times in a row is no period."""
FIRST_REACH = 256
"""Records that are walked before a period is looked for the first time."""
_CANDIDATES = 8
_MOST_FOLLOWING = 64
_ROW_BYTES = 2048
"""Shorter periods are taken several at a time: a row is what is looked for."""
_TILE_BYTES = 1 << 13
"""Several rows are compared as one: numpy takes twice the time on rows of a kibibyte."""
_BLOCK_BYTES = 1 << 17
_GROWTH = 4
"""How much more is compared at once each time that all was alike."""
MAX_BYTES = 32 << 20
"""Of all periods that are remembered; where they would take more all are forgotten, and those in use learned again."""
Kind: TypeAlias = tuple[int, int]
"""Shape and length of a record: one shape has several lengths, as its step grows."""
_WALL_BYTES = 8
_CONTINUES = 0x80
_WALL_AT = HEADER_BYTES + 1
_STEP_AT = HEADER_BYTES + 10
"""In a record, behind the keys of wall time and step."""


class Reads(NamedTuple):
    """Where the numbers of a turn are taken from, metric by metric, by their names: worked out once for all files."""

    tags: Int32Array
    """Shape (v,), as all but the last two."""
    records: Int64Array
    walls: Int64Array
    values: Int64Array
    line_seq: Int64Array
    """Shape (v, 1): by how much each value comes later than that of the first line."""
    first: int
    """The place of the first line's value in the turn."""
    ends: Int64Array
    """Shape (k,): of each record where its checksum lies."""
    closing: UInt32Array
    """Shape (k, 1): the closing words (`closing_word`)."""
    steps: tuple[tuple[int, Int64Array, Int64Array], ...]
    """For each width that steps have: the bytes of a step, which records have such, where it lies."""


def find_period(shapes: Int32Array, lengths: Int64Array) -> int:
    """How many records the period has that these records end with; 0: none.

    Args:
        shapes: shape (n,), numbers of known shapes, or -1.
        lengths: shape (n,), of the payloads.
    """
    n = shapes.size
    if n < 2 or shapes[-1] < 0:
        return 0
    alike = np.flatnonzero((shapes[:-1] == shapes[-1]) & (lengths[:-1] == lengths[-1]))
    for place in alike[: -_CANDIDATES - 1 : -1].tolist():
        k = n - 1 - int(place)
        seen = min(n, max(2 * k, MIN_SEEN))
        if 2 * k > n:
            return 0
        is_same = (shapes[n - seen + k :] == shapes[n - seen : n - k]) & (
            lengths[n - seen + k :] == lengths[n - seen : n - k]
        )
        if is_same.all() and (shapes[n - k :] >= 0).all():
            return k
    return 0


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """One turn of a period: its bytes but for the numbers, and where its numbers lie."""

    template: UInt8Array
    """Shape (n_bytes,), as `mask`."""
    mask: UInt8Array
    """What of each byte never differs."""
    places: Int64Array
    """Shape (k,), as all that follow: where each record begins."""
    lengths: Int64Array
    """Of the payloads."""
    numbers: Int32Array
    """Shapes."""
    widths: Int64Array
    """Of wall time and step (`Fronts.widths`)."""
    closing: UInt32Array
    """The closing words (`closing_word`)."""
    tags: Int32Array
    """Shape (v,), as all that follow: of each value the tag's number in `Shapes.tags`."""
    values: Int64Array
    """Where the value lies."""
    records: Int64Array
    """In which of the turn's records."""
    by_name: Int64Array
    """The places of the values, by their tags."""
    reads: Reads = field(init=False, compare=False)

    def __post_init__(self) -> None:
        order = self.by_name
        records = self.records[order]
        steps = []
        for width in sorted(set(self.widths.tolist())):  # np.unique would load numpy.ma
            rows = np.flatnonzero(self.widths == width)
            steps.append((width - (_STEP_AT - HEADER_BYTES), rows, self.places[rows] + _STEP_AT))
        reads = Reads(
            self.tags[order], records, self.places[records] + _WALL_AT, self.values[order],
            (order - order[0])[:, None], int(order[0]), self.places + self.lengths + HEADER_BYTES,
            self.closing[:, None], tuple(steps),
        )  # fmt: skip
        object.__setattr__(self, "reads", reads)

    @classmethod
    def of(
        cls, window: Window, shapes: Shapes, places: Int64Array, lengths: Int64Array, numbers: Int32Array,
        widths: Int64Array,
    ) -> Turn:  # fmt: skip
        """The turn that some records in the window are, as `Shapes.classify` tells of them."""
        start = int(places[0])
        n_bytes = int(places[-1] + lengths[-1]) + FRAME_BYTES - start
        mask = np.full(n_bytes, 0xFF, dtype=np.uint8)
        flat = shapes.flat
        values: list[int] = []
        for place, length, number, width in zip(
            (places - start).tolist(), lengths.tolist(), numbers.tolist(), widths.tolist(), strict=True
        ):
            payload, end = place + HEADER_BYTES, place + HEADER_BYTES + length
            mask[payload + 1 : payload + 1 + _WALL_BYTES] = 0
            mask[payload + 10 : payload + width] = _CONTINUES
            mask[end : end + FOOTER_BYTES] = 0
            first = flat.first[number]
            values += [end - before for before in flat.ends[first : first + flat.n_values[number]].tolist()]
        for place in values:
            mask[place : place + VALUE_BYTES] = 0
        n_values = flat.n_values[numbers]
        tags = np.concatenate(
            [flat.tags[first : first + n] for first, n in zip(flat.first[numbers], n_values, strict=True)]
        )
        names = [shapes.tags[tag] for tag in tags.tolist()]
        by_name = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
        return cls(
            window.octets[start : start + n_bytes] & mask, mask, places - start, lengths, numbers, widths,
            np.array([closing_word(length) for length in lengths.tolist()], dtype=np.uint32),
            tags, np.array(values, dtype=np.int64), np.repeat(np.arange(places.size), n_values), by_name,
        )  # fmt: skip

    @property
    def n_bytes(self) -> int:
        return self.template.size

    @property
    def is_single(self) -> bool:
        """Each record has one value."""
        return self.tags.size == self.places.size

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, about."""
        return 2 * self.n_bytes + 7 * self.places.nbytes + 8 * self.values.nbytes

    def beginning_with(self, first: int) -> Turn:
        """The same cycle from this one of its records on."""
        start, before = int(self.places[first]), int(np.searchsorted(self.records, first))
        return Turn(
            np.roll(self.template, -start), np.roll(self.mask, -start),
            np.roll((self.places - start) % self.n_bytes, -first), np.roll(self.lengths, -first),
            np.roll(self.numbers, -first), np.roll(self.widths, -first), np.roll(self.closing, -first),
            np.roll(self.tags, -before), np.roll((self.values - start) % self.n_bytes, -before),
            np.roll((self.records - first) % self.places.size, -before), (self.by_name - before) % self.tags.size,
        )  # fmt: skip

    def repeated(self, start: int, n_turns: int) -> tuple[Int64Array, Int64Array, Int32Array]:
        """Places, lengths and shape numbers of the records of so many turns."""
        places = (start + np.arange(n_turns, dtype=np.int64) * self.n_bytes)[:, None] + self.places
        # As np.tile does, which takes five times as long for a few turns.
        lengths, numbers = np.broadcast_to(self.lengths, places.shape), np.broadcast_to(self.numbers, places.shape)
        return places.ravel(), lengths.flatten(), numbers.flatten()


class Period:
    """One turn, or several in a row, as a template of bytes."""

    def __init__(self, turn: Turn, *, is_prelude: bool = False) -> None:
        self.turn = turn
        self.is_prelude = is_prelude
        """It is the one turn before a loop."""
        self.has_distinct_tags = len(set(turn.tags.tolist())) == turn.tags.size  # np.unique would load numpy.ma
        """No tag comes twice in a turn."""
        self.turns_in_row = 1 if is_prelude else max(1, _ROW_BYTES // turn.n_bytes)
        self.n_bytes = self.turns_in_row * turn.n_bytes
        """Of a row."""
        n_turns = self.turns_in_row * max(1, _TILE_BYTES // self.n_bytes)
        self._tile, self._tile_mask = np.tile(turn.template, n_turns), np.tile(turn.mask, n_turns)
        self._template, self._mask = self._tile[: self.n_bytes], self._tile_mask[: self.n_bytes]

    def beginning_with(self, record: Kind) -> Period:
        """The same cycle from its first record of this kind on."""
        turn = self.turn
        first = int(np.flatnonzero((turn.numbers == record[0]) & (turn.lengths == record[1]))[0])
        return Period(turn.beginning_with(first), is_prelude=self.is_prelude)

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, about."""
        return 2 * self._tile.size + self.turn.size_bytes

    @property
    def kinds(self) -> set[Kind]:
        """The kinds of its records."""
        return set(zip(self.turn.numbers.tolist(), self.turn.lengths.tolist(), strict=True))

    def begins_at(self, window: Window, start: int) -> bool:
        """Whether one row at least begins here."""
        if start + self.n_bytes > window.n_bytes:
            return False
        row = window.octets[start : start + self.n_bytes]
        np.bitwise_and(row, self._mask, out=window.scratched[: self.n_bytes])
        return window.scratch.startswith(self._template.data)

    def count(self, window: Window, start: int) -> int:
        """How many rows begin at `start`, in what is in the window; of a prelude at most one."""
        if self.is_prelude:
            return int(self.begins_at(window, start))
        n_bytes = (window.n_bytes - start) // self.n_bytes * self.n_bytes
        n_tiled = n_bytes // self._tile.size * self._tile.size
        stretch = window.octets[start : start + n_bytes]
        n_same = _n_same(stretch[:n_tiled], self._tile, self._tile_mask, window)
        if n_same == n_tiled:
            n_same += _n_same(stretch[n_tiled:], self._template, self._mask, window)
        return n_same // self.n_bytes

    def records(self, start: int, n_rows: int) -> tuple[Int64Array, Int64Array, Int32Array]:
        """Places, lengths and shape numbers of the records of so many rows."""
        return self.turn.repeated(start, n_rows * self.turns_in_row)


def _n_same(stretch: UInt8Array, template: UInt8Array, mask: UInt8Array, window: Window) -> int:
    """How many bytes there are up to the first one that differs from the template, which is repeated.

    Bytes are masked by numpy and compared by `memcmp`, which takes a third of the time and no memory: they begin with
    the template, and whatever follows repeats what stands a template before it.

    Args:
        stretch: a multiple of the template's bytes, or none.
        template: shape (n_bytes,), as `mask`.
        mask: what of each byte is compared.
        window: whose scratch is used.
    """
    size, scratch = template.size, window.scratch
    first, step, most = 0, size, max(1, _BLOCK_BYTES // size) * size
    while first < stretch.size:
        part = stretch[first : first + step].reshape(-1, size)
        masked = window.scratched[: part.size].reshape(part.shape)
        np.bitwise_and(part, mask, out=masked)
        repeating = window.scratched[: part.size - size]
        if not (scratch.startswith(template.data) and scratch.startswith(repeating.data, size, part.size)):
            return first + int((masked == template).argmin())
        first, step = first + step, min(_GROWTH * step, most)
    return stretch.size


class Periods:
    """The periods met so far, by the records in them: the next file of a sweep mostly goes on as the last one did."""

    def __init__(self) -> None:
        self._newest: dict[Kind, Period] = {}
        self._turned: dict[Kind, Period] = {}
        self._following: dict[Period, Period] = {}
        self._n_bytes = 0
        self.longest = 0
        """Kinds of records in the longest period."""
        self.reach = FIRST_REACH
        """Records to be walked in the next file before a period is looked for: many if the last one had none."""

    def add(self, period: Period) -> None:
        """Remember a period under each kind of its records; a newer one takes the place of an older one."""
        kinds = period.kinds
        self._count(period)
        self.longest = max(self.longest, len(kinds))
        for kind in kinds:
            self._newest[kind] = period
            self._turned.pop(kind, None)

    def beginning_with(self, kind: Kind) -> Period | None:
        """The newest period that has such a record, turned so that it begins with it."""
        if kind not in self._turned and kind in self._newest:
            turned = self._newest[kind].beginning_with(kind)
            self._count(turned)
            self._turned[kind] = turned
        return self._turned.get(kind)

    def note_following(self, period: Period, following: Period) -> None:
        """Remember that the turns of a period were followed by those of another, as where steps grow by a byte."""
        if len(self._following) >= _MOST_FOLLOWING:
            self._following.clear()
        if following is not period:
            self._following[period] = following

    def following(self, period: Period) -> Period | None:
        """The period that the next turns are most likely of, once those of this one have ended."""
        return self._following.get(period)

    def _count(self, period: Period) -> None:
        """Make room for one more."""
        if self._n_bytes + period.size_bytes > MAX_BYTES:
            self._newest.clear()
            self._turned.clear()
            self._following.clear()
            self._n_bytes = 0
        self._n_bytes += period.size_bytes

    def __bool__(self) -> bool:
        return bool(self._newest)
