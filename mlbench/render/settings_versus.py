"""Is it real: a table of all metrics for each setting against the baseline's, and plain sentences below it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from mlbench.queries.vocabulary import runs_text
from mlbench.render.cells import Cell, Line, line_of
from mlbench.render.inside import short_hashes
from mlbench.render.numbers import delta, number
from mlbench.render.records import Records
from mlbench.render.table import Heading, Table, heading, layout, n_left_out
from mlbench.render.versus import (
    ROLES,
    chance_sentence,
    interval_text,
    p_text,
    uneven_text,
    verdict_sentence,
    versus_records,
)
from mlbench.safe import safe

if TYPE_CHECKING:
    from mlbench.queries.estimates import Estimate
    from mlbench.queries.settings_versus import SettingsVersus
    from mlbench.queries.versus import Measured, VersusAnswer

_TITLES = ("metric", "verdict", "B - A", "95 % (t)", "B better", "p (Holm)", "A: mean", "B: mean", "effect")
N_FIXED = 2
"""Columns that stay where the others are moved: the metric and the verdict."""
LEAST_WRAP = 30
T = TypeVar("T")


def settings_versus_lines(answer: SettingsVersus, width: int, *, offset: int = 0) -> Iterator[Line]:
    """All settings below each other, in so many columns.

    Args:
        answer: the settings.
        width: columns of the terminal; columns of a table that have no room are named below it.
        offset: columns of the tables after the verdict that are moved out at the left.
    """
    repeat = f"repeat{'s' if answer.n_added == 1 else ''} {'it' if answer.n_runs == 1 else 'them'}"
    added = f", and {answer.n_added} more that {repeat}" if answer.n_added else ""
    yield from _wrapped(f"{runs_text(answer.n_runs)}{added}: each setting against that of the first", width, "muted")
    for remark in answer.remarks:
        yield from _wrapped(remark, width, "warning")
    if answer.said:
        yield ()
        for said in answer.said.splitlines():
            yield from _wrapped(said, width, "warning")
    for one in answer.answers:
        yield ()
        yield from _setting_lines(one, width, offset)


def least_offset(answer: SettingsVersus, width: int) -> int:
    """The least `offset` at which the last column of every table has room; 0 where all have room at once."""
    for offset in range(len(_TITLES) - N_FIXED):
        tables = [_table(one, offset) for one in answer.answers]
        if not any(n_left_out(table, width) for table in tables):
            return offset
    return len(_TITLES) - N_FIXED - 1


def _setting_lines(answer: VersusAnswer, width: int, offset: int) -> Iterator[Line]:
    name_a, name_b = (short_hashes(name) or "all others" for name in (answer.where_a, answer.where_b))
    yield from _wrapped(f"A  {name_a}  ({runs_text(len(answer.a))})", width, "baseline")
    how = f", compared in pairs of equal {', '.join(answer.pair_keys)}" if answer.is_paired else ""
    yield from _wrapped(f"B  {name_b}  ({runs_text(len(answer.b))}{how})", width, "run1")
    yield from layout(_table(answer, offset), width)
    for row in answer.metrics:
        if row.contrast is not None and (row is answer.metrics[0] or row.verdict in ROLES):
            text = f"{row.title}, {chance_sentence(row)}; {verdict_sentence(row)}"
            yield from _wrapped(text, width, ROLES.get(row.verdict, "muted"))
    if answer.uneven:
        yield from _wrapped(
            f"what else differs, perhaps the reason: {short_hashes(uneven_text(answer.uneven))}", width, "warning"
        )
    for remark in answer.remarks:
        yield from _wrapped(remark, width, "muted")


def _table(answer: VersusAnswer, offset: int) -> Table:
    def seen(row: tuple[T, ...]) -> tuple[T, ...]:
        return (*row[:N_FIXED], *row[N_FIXED + offset :])

    return Table(seen(tuple(map(_heading, _TITLES))), tuple(seen(_row(metric)) for metric in answer.metrics))


def _heading(title: str) -> Heading:
    return replace(heading(title), is_cut=title == "metric")


def _row(row: Measured) -> tuple[Cell, ...]:
    name = Cell(safe(row.title), "key")
    found = row.contrast
    role = ROLES.get(row.verdict, "muted")
    if found is None:
        return (name, Cell(safe("no value"), "warning"), *[Cell(safe("-"), "muted")] * (len(_TITLES) - 2))
    improvement = "" if row.improvement is None else f"{100 * row.improvement:.0f} %"
    effect = "" if found.effect is None else number(found.effect, digits=2)
    texts = (delta(found.difference, digits=3), interval_text(found.interval, has_sign=True), improvement,
             "" if row.p_holm is None else p_text(row.p_holm), _mean(found.a), _mean(found.b), effect)  # fmt: skip
    return (name, Cell(safe(row.verdict), role), *(Cell(safe(text or "-"), "" if text else "muted") for text in texts))


def _mean(found: Estimate) -> str:
    """`0.925 ± 0.014`: mean and half of the 95 % interval."""
    return number(found.mean) + (f" ± {number(found.student.half, digits=2)}" if found.student else "")


def _wrapped(text: str, width: int, role: str) -> Iterator[Line]:
    parts = textwrap.wrap(str(safe(text)), max(width - 2, LEAST_WRAP), subsequent_indent="   ", break_on_hyphens=False)
    for part in parts:
        yield line_of((part, role))


def settings_versus_records(answer: SettingsVersus) -> Records:
    """One row for each setting and metric: what A and B are, then as `versus_records`."""
    records = [versus_records(one) for one in answer.answers]
    rows = tuple(
        (one.where_a, one.where_b, *row)
        for one, found in zip(answer.answers, records, strict=True)
        for row in found.rows
    )
    return Records(("a", "b", *(records[0].keys if records else ())), rows)
