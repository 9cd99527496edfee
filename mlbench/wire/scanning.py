"""An event file from an offset to its end: scalars by the thousand, everything else record by record.

The file is read in windows. In each, the records are found, told apart by their shapes and sealed, both checksums of
all of them at once. Where a seal does not hold, the window is read again by the plain reader of `tfrecord`, which says
what is wrong and where, and goes on after the damage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from mlbench.dataclass import dataclass
from mlbench.wire.blocks import Block, Turns
from mlbench.wire.periods import FIRST_REACH, Period, Periods, Turn, find_period
from mlbench.wire.shapes import Shapes
from mlbench.wire.tfrecord import HEADER_BYTES, Allowance, BadLength, Item, read_records
from mlbench.wire.window import FRAME_BYTES, give_back, take_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mlbench.model import Int64Array

    Int32Array = NDArray[np.int32]
    Records = tuple[Int64Array, Int64Array, Int32Array]
    """Places in the window, lengths of the payloads, numbers of the shapes."""

_PEEK = 16
"""Records beyond one period that are looked at to see whether a known period begins there."""
_TRUSTED_ROWS = 4
"""A known period that holds for fewer may be a part of the true one, which is then looked for."""
_MOST_PEEKED = 256
_LONG_PRELUDE = 8
"""Records before a period that are remembered, so that they need not be recognised one by one in the next file."""
_GROWTH = 4
"""How much further is walked each time that no period was found."""
_LAST_REACH = 1 << 16
_MANY_UNKNOWN = 64
MANY_TURNS = 16
"""From so many on it pays to take their numbers column by column."""
MOST_SHORT = 4
"""Times in a file that fewer are taken so: a loop begins with one turn of step 0 and a few with steps of one byte, and
where all of a file is taken so its points are one matrix."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What one file taught that holds for the next."""

    shapes: Shapes = field(default_factory=Shapes)
    periods: Periods = field(default_factory=Periods)


_newest = [Learned()]


def learned() -> Learned:
    """What this process has learned so far; nothing where that has become too much."""
    if _newest[0].shapes.is_full:
        _newest[0] = Learned()
    return _newest[0]


class Scanner:
    """Reads one file; ask `find` again and again, and after each block say with `advance` how much of it was taken."""

    def __init__(
        self, file: BinaryIO, offset: int, learned: Learned, plugins: Mapping[str, str], *, searched: int = 0
    ) -> None:
        self._file, self._plugins = file, plugins
        self._shapes, self._periods = learned.shapes, learned.periods
        self._offset, self._searched = offset, searched
        self._window = take_window()
        self._base = -1
        """Offset of the window; -1: nothing is loaded."""
        self._sealed = 0
        """The place in the window up to which records have been sealed."""
        self._period: Period | None = None
        self._turned: tuple[Period, int] | None = None
        """The period whose turns were given last, and the offset behind them."""
        self._counted: tuple[int, Period | None, int] = (-1, None, 0)
        """Where rows were counted last, of which period, and how many there are."""
        self._n_short = 0
        """Times that a few turns were taken."""
        self._reach = learned.periods.reach
        self._is_spent = False
        """The rest of the window is left to the next one."""
        self._plain: Iterator[Item] | None = None
        self._plain_until = 0
        self._allowance = Allowance()
        self._blocked: tuple[tuple[int, int], NDArray[np.bool_]] = ((0, 0), np.zeros(0, dtype=np.bool_))

    def find(self) -> Block | Turns | Item | None:
        """The next records or what is wrong with them; None at the end of the file."""
        while True:
            if self._plain is not None:
                item = next(self._plain, None)
                if item is None:
                    return None
                self._offset = _end_of(item)
                if self._offset >= self._plain_until:
                    self._plain, self._base = None, -1
                return item
            if self._base < 0 or not self._start <= self._window.n_bytes - FRAME_BYTES:
                self._load()
                if not self._window.n_bytes:
                    return None
            block = self._find_block()
            if block is not None:
                return block

    @property
    def _start(self) -> int:
        return self._offset - self._base

    def _load(self) -> None:
        self._window.load(self._file, self._offset)
        self._base, self._sealed = self._offset, 0
        self._counted = (-1, None, 0)

    def advance(self, block: Block | Turns, n_records: int) -> None:
        """Go on behind the first `n_records` records of the block."""
        self._offset, self._searched = block.end(n_records), 0
        if self._is_spent and n_records == len(block):
            self._base = -1

    def _find_block(self) -> Block | Turns | None:
        """The records that lie whole in the window; None where there are none or where something is wrong."""
        start = self._start
        self._follow()
        turns = self._turns_at(start)
        if turns is None:
            places, lengths, numbers = self._records(start)
            turns = self._turns_at(start) if not places.size else None
        if turns is not None:
            if turns.seal():
                return self._given(turns)
            self._go_on_plainly()
            return None
        if not places.size and start:
            self._load()  # the rest of the window is a part of a record
            return None
        new = np.searchsorted(places, self._sealed)
        if places.size and self._window.seal(places[new:], lengths[new:]):
            self._sealed = int(places[-1] + lengths[-1]) + FRAME_BYTES
            numbers[self.is_blocked(numbers)] = -1
            return Block(self._window, self._base, self._shapes, places, lengths, numbers)
        self._go_on_plainly()
        return None

    def _given(self, turns: Turns) -> Turns:
        """Note what is given, and which period came behind which."""
        offset = self._offset
        if self._turned is not None and self._period is not None and self._turned[1] == offset:
            self._periods.note_following(self._turned[0], self._period)
        self._turned = (self._period, turns.end()) if self._period is not None else None
        self._sealed = turns.end() - self._base
        self._n_short += turns.n_turns < MANY_TURNS
        return turns

    def _follow(self) -> None:
        """Take up the period that followed the one whose turns have just ended, if its turns begin here."""
        if self._turned is None or self._turned[1] != self._offset:
            return
        following = self._periods.following(self._turned[0])
        if following is None or following is self._period:
            return
        n_rows = following.count(self._window, self._start)
        if n_rows:
            self._period, self._counted = following, (self._offset, following, n_rows)

    def _go_on_plainly(self) -> None:
        """Read from here to where the window ends record by record: damage, a huge record, or the end of the file."""
        self._plain = read_records(self._file, self._offset, searched=self._searched, allowance=self._allowance)
        self._plain_until = self._base + max(self._window.n_bytes, 1)
        self._searched = 0

    def is_blocked(self, numbers: Int32Array) -> NDArray[np.bool_]:
        """Which of these shapes are of tensors that a plugin has claimed in this file (`Shapes.blocked`)."""
        known = (len(self._plugins), self._shapes.n_shapes)
        if not all(known):
            return np.zeros(numbers.size, dtype=np.bool_)
        if self._blocked[0] != known:
            self._blocked = (known, self._shapes.blocked(self._plugins))
        return self._blocked[1][numbers] & (numbers >= 0)

    def _records(self, start: int) -> Records:
        parts: list[Records] = []
        position, is_peek, self._is_spent = start, True, False
        while True:
            n_rows = self._rows_at(position)
            if self._period and n_rows:
                if self._turns_at(position) is not None:
                    self._is_spent = self._is_spent and not parts
                    break  # what comes before them is taken first
                parts.append(self._period.records(position, n_rows))
                position += n_rows * self._period.n_bytes
                if self._is_spent:
                    break
                is_peek = n_rows >= _TRUSTED_ROWS or self._period.is_prelude
            if is_peek and self._periods:
                part = self._peek(position)
            else:
                part = self._walk(position)
                if not part[0].size:
                    break
            is_peek = False
            if part[0].size:
                parts.append(part)
                position = int(part[0][-1] + part[1][-1]) + FRAME_BYTES
            if np.count_nonzero(part[2] < 0) > _MANY_UNKNOWN:
                break  # what they teach makes the following ones cheap
        if not parts:
            empty = np.zeros(0, dtype=np.int64)
            return empty, empty, np.zeros(0, dtype=np.int32)
        places, lengths, numbers = zip(*parts, strict=True)
        return np.concatenate(places), np.concatenate(lengths), np.concatenate(numbers)

    def _rows_at(self, position: int) -> int:
        """How many rows of the period begin here; where they are the last, the next window shall begin behind them."""
        if self._period is None:
            return 0
        at = self._base + position
        if self._counted[:2] != (at, self._period):
            self._counted = (at, self._period, self._period.count(self._window, position))
        n_rows = self._counted[2]
        self._is_spent = n_rows > 0 and position + (n_rows + 1) * self._period.n_bytes > self._window.n_bytes
        return n_rows

    def _turns_at(self, position: int) -> Turns | None:
        """The turns of the period that begin here; None where they are few, or cannot be taken metric by metric."""
        n_turns = self._rows_at(position) * self._period.turns_in_row if self._period else 0
        least = MANY_TURNS if self._n_short >= MOST_SHORT else 1
        if self._period is None or n_turns < least or position < self._sealed:
            return None
        if not self._period.has_distinct_tags:
            return None
        if self._plugins and self.is_blocked(self._period.turn.numbers).any():
            return None
        return Turns(self._window, self._base, self._shapes, position, self._period.turn, n_turns)

    def _peek(self, position: int) -> Records:
        """The records up to the one where a known period begins, or a few."""
        places: list[int] = []
        lengths: list[int] = []
        numbers: list[int] = []
        most = min(self._periods.longest + _PEEK, _MOST_PEEKED)
        for place, length in self._window.steps(position, most):
            number = self._shapes.recognise(self._window.bytes_at(place + HEADER_BYTES, place + HEADER_BYTES + length))
            period = self._periods.beginning_with((number, length))
            if period is not None and period.begins_at(self._window, place):
                self._period = period
                self._learn_prelude(places, lengths, numbers)
                break
            places.append(place)
            lengths.append(length)
            numbers.append(number)
        return np.array(places, np.int64), np.array(lengths, np.int64), np.array(numbers, np.int32)

    def _learn_prelude(self, places: list[int], lengths: list[int], numbers: list[int]) -> None:
        """Remember the known records before a period: a loop's first turn has no steps, since a 0 is not written."""
        n_known = next((n for n, number in enumerate(reversed(numbers)) if number < 0), len(numbers))
        if n_known < _LONG_PRELUDE:
            return
        at = np.array(places[-n_known:], dtype=np.int64)
        sizes, shapes = np.array(lengths[-n_known:], dtype=np.int64), np.array(numbers[-n_known:], dtype=np.int32)
        turn = Turn.of(self._window, self._shapes, at, sizes, shapes, self._window.fronts(at).widths())
        self._periods.add(Period(turn, is_prelude=True))

    def _walk(self, position: int) -> Records:
        """Some records, and the period that they end with, for the following ones."""
        places = self._window.walk(position, self._reach)
        if not places.size:
            return places, places, np.zeros(0, dtype=np.int32)
        lengths = self._window.lengths(places)
        numbers, widths = self._shapes.classify(self._window, places, lengths)
        # A period that ends in the middle (a step is about to grow by a byte) is of use in the next file.
        self._learn_period((places, lengths, numbers), widths, places.size // 2)
        end = self._learn_period((places, lengths, numbers), widths, places.size)
        if end:
            self._reach = max(FIRST_REACH, 3 * self._periods.longest)
            return places[:end], lengths[:end], numbers[:end]
        if places.size >= self._reach:
            self._reach = min(self._reach * _GROWTH, _LAST_REACH)
        return places, lengths, numbers

    def _learn_period(self, records: Records, widths: Int64Array, n_records: int) -> int:
        """Learn the period that the first so many records end with.

        Returns:
            How many records there are up to the end of its last whole turn; 0: there is no period.
        """
        places, lengths, numbers = records[0][:n_records], records[1][:n_records], records[2][:n_records]
        k = find_period(numbers, lengths)
        if not k:
            return 0
        end = n_records - _since_new_step(self._window.fronts(places[-k:]).steps())
        turn = slice(end - k, end)
        self._period = Period(
            Turn.of(self._window, self._shapes, places[turn], lengths[turn], numbers[turn], widths[turn])
        )
        self._periods.add(self._period)
        return end

    def close(self) -> None:
        """Give the window back for the next file, which is likely to be like this one."""
        give_back(self._window)
        if self._period is not None:
            self._periods.reach = FIRST_REACH
        elif self._reach > FIRST_REACH:
            self._periods.reach = _LAST_REACH


def _since_new_step(steps: Int64Array) -> int:
    """How many of these records of one period come after the last change of the step; 0 where there is none.

    A row had better not hold a change, since a step that grows by a byte ends the row.

    Args:
        steps: shape (k,), of the last turn of the period.
    """
    changes = np.flatnonzero(steps[1:] != steps[:-1])
    return int(steps.size - 1 - changes[-1]) if changes.size else 0


def _end_of(item: Item) -> int:
    """Where reading goes on after an item; for one that is the last, where it would."""
    if isinstance(item, BadLength):
        return item.offset if item.resumed_at is None else item.resumed_at
    return getattr(item, "end", item.offset)
