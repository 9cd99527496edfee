"""What the table holds of a listing: the rows that were fetched, their names, curves and widths, and its lines."""

from __future__ import annotations

import re
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from mlbench.dataclass import dataclass
from mlbench.queries.answers import Listing
from mlbench.render.cells import EMPTY, width_cells
from mlbench.render.labels import run_labels, short_labels
from mlbench.render.numbers import value_text
from mlbench.safe import Safe, safe
from mlbench.tui.session import PIECE_ROWS, RunsFound
from mlbench.tui.widgets.columns import Fits, TableColumn, table_columns

if TYPE_CHECKING:
    from mlbench.queries.answers import GroupRow, RunRow, Value

_HASH = re.compile(r"[0-9a-f]{32,64}")
MOST_PIECES = 6
"""Pieces that are held at most beside those in view: 768 rows, of which one takes about 5 kB."""


@dataclass(slots=True, eq=False)
class Rows:
    """The rows of one answer, filled piece by piece."""

    found: RunsFound | None = None
    listing: Listing = field(default_factory=Listing)
    rows: dict[int, RunRow] = field(default_factory=dict)
    """By place in the listing."""
    labels: dict[int, Safe] = field(default_factory=dict)
    pieces: dict[int, None] = field(default_factory=dict)
    """Pieces that are held or were asked for, the oldest first."""
    sketches: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """By run id."""
    curved: set[int] = field(default_factory=set)
    """Places whose curves were asked for."""
    near: frozenset[int] = frozenset()
    """Pieces in view and beside it, which stay."""
    fits: Fits = field(default_factory=Fits)
    name_cells: int = 0
    """Of the longest name that was seen."""

    def take(self, piece: Piece) -> None:
        """Hold the rows of a piece; the oldest pieces are let go."""
        for place, (row, label) in enumerate(zip(piece.rows, piece.labels, strict=True), piece.first):
            if row is not None:
                self.rows[place] = row
                self.labels[place] = label
        self.pieces |= dict.fromkeys(pieces_of(piece.first, piece.first + len(piece.rows)))
        self.fits = piece.fits
        self.name_cells = max(self.name_cells, piece.name_cells)
        for oldest in [one for one in self.pieces if one not in self.near][:-MOST_PIECES]:
            self._let_go(oldest)

    def _let_go(self, piece: int) -> None:
        del self.pieces[piece]
        for place in range(piece * PIECE_ROWS, (piece + 1) * PIECE_ROWS):
            row = self.rows.pop(place, None)
            self.labels.pop(place, None)
            self.curved.discard(place)
            if row is not None:
                self.sketches.pop(row.head.run_id, None)

    def missing(self, seen: Iterable[int], around: Iterable[int]) -> list[int]:
        """Pieces of places in view, then of those beside them, that are neither held nor asked for."""
        n = len(self.listing.ids)
        wanted = dict.fromkeys(place // PIECE_ROWS for place in (*seen, *around) if 0 <= place < n)
        self.near = frozenset(wanted)
        return [piece for piece in wanted if piece not in self.pieces]

    def columns(self) -> tuple[TableColumn, ...]:
        """The columns with the widths that are known by now."""
        found = self.found
        if found is None:
            return ()
        name, *others = table_columns(
            found.answer, self.fits, best=found.best, curve=found.curve, sketches=self.sketches
        )
        # 40 alone says nothing: what the runs are grouped by stands above the rows of the groups.
        by = ", ".join(spec.removeprefix("params.").removeprefix("metrics.") for spec in found.question.by)
        return (replace(name, title=safe(f"by {by}")) if by else name, *others)


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of a listing, made ready in a thread."""

    first: int
    rows: tuple[RunRow | None, ...]
    labels: tuple[Safe, ...]
    fits: Fits
    name_cells: int


def piece_of(found: RunsFound, first: int, rows: Sequence[RunRow | None], fits: Fits) -> Piece:
    """The rows from `first` on with names that tell them apart, and the widths that they and those before need."""
    there = [row for row in rows if row is not None]
    heads = [row.head for row in there]
    is_all = len(there) == len(found.listing.ids)
    names = short_labels(heads) if is_all else [_below(label, found.folders) for label in run_labels(heads)]
    labels = iter(names)
    shown = tuple(EMPTY if row is None else next(labels) for row in rows)
    groups = found.listing.groups[:PIECE_ROWS]
    widest = [group_label(group) for group in groups]
    return Piece(
        first, tuple(rows), shown, fits.grown(found.answer.columns, there, groups),
        max(map(width_cells, (*shown, *widest)), default=0),
    )  # fmt: skip


def first_piece(found: RunsFound) -> Piece:
    """The rows that came with an answer."""
    return piece_of(found, found.first, found.answer.rows, Fits())


def _below(label: Safe, folders: str) -> Safe:
    """The label without the folders that all have in front, unless no letter would be left."""
    rest = label.removeprefix(folders)
    return safe(rest) if any(map(str.isalpha, rest)) else label


def pieces_of(first: int, end: int) -> range:
    """The pieces that hold the places from `first` up to, not including, `end`."""
    return range(first // PIECE_ROWS, (max(end, first + 1) - 1) // PIECE_ROWS + 1)


# ---------------------------------------------------------------- lines


def lines_of(listing: Listing, opened: Collection[tuple[object, ...]]) -> Sequence[int]:
    """What the table shows line by line: the place of a run, or of a group the complement of its number (~number).

    The runs of a group that is not open are left out.
    """
    if not listing.groups:
        return range(len(listing.ids))
    lines, place = array("i"), 0
    for number, group in enumerate(listing.groups):
        lines.append(~number)
        if group.keys in opened:
            lines.extend(range(place, place + len(group.run_ids)))
        place += len(group.run_ids)
    return lines


def key_names(keys: Iterable[Value]) -> list[str]:
    """What the runs of a group have in common, as people read it; of a hash its beginning.

    What none of them has is left out where something else tells the group.
    """
    texts = [str(value_text(key)) for key in keys if key is not None] or ["(none)"]
    return [text[:7] if _HASH.fullmatch(text) else text for text in texts]


def group_label(group: GroupRow) -> Safe:
    """How many runs a group has, and what they have in common; of a hash its beginning."""
    n = len(group.run_ids)
    return safe(f"▸ {n:>3,} {'run ' if n == 1 else 'runs'}  {' · '.join(key_names(group.keys))}")
