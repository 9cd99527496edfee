"""Runs in groups: one row for each value of what they are grouped by, with mean, interval and count of the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mlbench.queries.answers import Column, GroupCell, GroupRow, RunRow, RunsAnswer, Value
from mlbench.queries.chosen import default_columns
from mlbench.queries.columns import ColumnSpec, SortSpec, read_columns, read_sort
from mlbench.queries.mistakes import FilterError
from mlbench.queries.reading import Reader
from mlbench.queries.runs import find_runs

Ranked: TypeAlias = "tuple[GroupRow, Sequence[Value]]"
"""A group and the values that it is sorted by."""


@dataclass(frozen=True, slots=True)
class GroupsAnswer:
    by: tuple[Column, ...]
    columns: tuple[Column, ...]
    rows: tuple[GroupRow, ...]
    n_groups: int
    """Before `limit`."""
    n_matched: int
    n_runs: int
    remarks: tuple[str, ...] = ()


def group_runs(
    reader: Reader,
    by: Sequence[str],
    *,
    where: str = "",
    columns: Sequence[str] = (),
    sort: Sequence[str] = (),
    limit: int | None = None,
    within: Sequence[str] = (),
) -> GroupsAnswer:
    """The runs that match, in groups of equal values.

    Without `sort` the groups stand in the order of what they are grouped by: numbers first, then texts, runs without
    a value last. With it they are sorted by the means.

    Args:
        reader: the catalog.
        by: column specifications; one argument may hold several with commas between them.
        where: a filter.
        columns: column specifications; those of `default_columns` that are metrics where none are given.
        sort: sort specifications, the most important first.
        limit: groups at most.
        within: paths; only runs at or below one of them are looked at.

    Raises:
        FilterError: as `find_runs`.
    """
    sorts = [read_sort(text) for text in sort]
    chosen = list(columns) or _usual(reader, where, within)
    n_by, n_shown = _count(by), _count(chosen)
    if not n_by:
        raise FilterError("a column is missing to group by. Try: --group-by params.lr", ", ".join(by), 0)
    titles = {spec.alias: place for place, spec in enumerate(_specs([*by, *chosen])) if spec.alias}
    own = [spec.column.text for spec in sorts if spec.column.text not in titles]
    found = find_runs(reader, where=where, columns=[*by, *chosen, *own], within=within)
    groups: dict[tuple[object, ...], list[RunRow]] = {}
    for row in found.rows:
        groups.setdefault(tuple(map(group_key, row.values[:n_by])), []).append(row)
    rows = [_group_row(found, rows, n_by) for rows in groups.values()]
    places = iter(range(n_by + n_shown, n_by + n_shown + len(own)))
    order = [(titles[spec.column.text] if spec.column.text in titles else next(places), spec) for spec in sorts]
    ordered = _sorted(rows, order, n_by)
    shown = [GroupRow(row.keys, row.run_ids, row.cells[:n_shown]) for row in ordered[:limit]]
    by_columns, other = found.columns[:n_by], found.columns[n_by : n_by + n_shown]
    return GroupsAnswer(
        by_columns, other, tuple(shown), len(rows), found.n_matched, found.n_runs, found.remarks
    )  # fmt: skip


def _specs(texts: Sequence[str]) -> list[ColumnSpec]:
    return [spec for text in texts for spec in read_columns(text)]


def _count(texts: Sequence[str]) -> int:
    return len(_specs(texts))


def _usual(reader: Reader, where: str, within: Sequence[str]) -> list[str]:
    rows = find_runs(reader, where=where, columns=None, within=within).rows
    return list(default_columns(reader, [row.head.run_id for row in rows], n_params=0))


def group_key(value: Value) -> Value | tuple[str, str]:
    """Values that are equal as a group: 1 and 1.0 are, all NaN are, and true is not 1."""
    if isinstance(value, bool) or (isinstance(value, float) and math.isnan(value)):
        return "is", str(value)
    return value


def _group_row(found: RunsAnswer, rows: Sequence[RunRow], n_by: int) -> GroupRow:
    columns = range(n_by, len(found.columns))
    cells = tuple(_group_cell(found.columns[index].kind, [row.values[index] for row in rows]) for index in columns)
    return GroupRow(rows[0].values[:n_by], tuple(row.head.run_id for row in rows), cells)


def _group_cell(kind: str, values: Sequence[Value]) -> GroupCell:
    """Settings have no mean: of a parameter only what all runs share is told."""
    held = [value for value in values if value is not None]
    numbers = [float(value) for value in held if isinstance(value, int | float) and not isinstance(value, bool)]
    n_values = len({str(value) for value in held})
    if kind != "param" and held and len(numbers) == len(held):
        finite = [value for value in numbers if math.isfinite(value)]
        mean = sum(finite) / len(finite) if finite else numbers[0]
        return GroupCell(mean, half_width(finite), len(finite), n_values, is_number=True)
    shared = held[0] if n_values == 1 and len(held) == len(values) else None
    return GroupCell(shared, None, len(held), n_values)


def half_width(values: Sequence[float]) -> float | None:
    """Half of the 95 % interval of the mean (Student's t); None for fewer than two values."""
    n = len(values)
    if n < 2:
        return None
    mean = sum(values) / n
    return half_of(math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1)), n)


def half_of(deviation: float, n: int) -> float:
    """Half of the 95 % interval of a mean of `n` values, two at least, with that standard deviation."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.975)) * deviation / math.sqrt(n)


def sort_groups(groups: Sequence[Ranked], is_descending: Sequence[bool]) -> tuple[GroupRow, ...]:
    """Groups by what comes with them, the first most important; ties and groups without a value by their keys."""
    ordered = sorted(groups, key=lambda pair: [_rank(key) for key in pair[0].keys])
    for place in reversed(range(len(is_descending))):
        held = [pair for pair in ordered if not _is_nothing(pair[1][place])]
        nothing = [pair for pair in ordered if _is_nothing(pair[1][place])]
        held.sort(key=lambda pair, place=place: _rank(pair[1][place]), reverse=is_descending[place])  # type: ignore[misc]
        ordered = [*held, *nothing]
    return tuple(row for row, _values in ordered)


def _sorted(rows: Sequence[GroupRow], order: Sequence[tuple[int, SortSpec]], n_by: int) -> list[GroupRow]:
    """By the columns at these places, of which the first `n_by` are keys; ties by the keys."""
    ordered = sorted(rows, key=lambda row: [_rank(key) for key in row.keys])
    for place, spec in reversed(order):

        def value_of(row: GroupRow, place: int = place) -> Value:
            return row.keys[place] if place < n_by else row.cells[place - n_by].value

        held = [row for row in ordered if not _is_nothing(value_of(row))]
        nothing = [row for row in ordered if _is_nothing(value_of(row))]
        held.sort(key=lambda row: _rank(value_of(row)), reverse=spec.is_descending)
        ordered = [*held, *nothing]
    return ordered


def _is_nothing(value: Value) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _rank(value: Value) -> tuple[int, float, str]:
    """Numbers in order, then texts, then nothing."""
    if _is_nothing(value):
        return 2, 0.0, ""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value)
