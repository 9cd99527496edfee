"""What a check of event files found: where, how much, what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell
from mlbench.render.numbers import size
from mlbench.render.records import Records
from mlbench.render.table import Table, heading
from mlbench.safe import safe, text_of_path

if TYPE_CHECKING:
    from mlbench.ingest.checking import Checked, Damage


def damage_table(places: Sequence[Damage]) -> Table:
    """One row for each place; an end that is only truncated is no warning."""
    rows = tuple(
        (
            Cell(safe(text_of_path(place.path)), "key"),
            Cell(safe("" if place.offset is None else str(place.offset)), align="right"),
            Cell(safe("" if place.size_bytes is None else size(place.size_bytes)), align="right"),
            Cell(safe(place.kind), "muted" if place.is_normal else "warning"),
            Cell(safe(place.what)),
        )
        for place in places
    )
    titles = (heading("where"), heading("offset", align="right"), heading("size", align="right"))
    return Table((*titles, heading("kind"), heading("what")), rows)


def damage_records(places: Sequence[Damage]) -> Records:
    rows = tuple((p.path, p.kind, p.offset, p.size_bytes, p.what) for p in places)
    return Records(("path", "kind", "offset", "bytes", "what"), rows)


def checked_text(checked: Checked) -> str:
    """`3 files, 1,203 records, 64.2 kB checked: 2 places are damaged, 1 file ends within a record`."""
    found = f"{_count(checked.n_files, 'file')}, {_count(checked.n_records, 'record')}, {size(checked.n_bytes)} checked"
    is_are = "is" if checked.n_damaged == 1 else "are"
    damaged = f"{_count(checked.n_damaged, 'place')} {is_are} damaged" if checked.n_damaged else "no damage"
    ends = "ends" if checked.n_truncated == 1 else "end"
    truncated = f", {_count(checked.n_truncated, 'file')} {ends} within a record" if checked.n_truncated else ""
    return f"{found}: {damaged}{truncated}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
