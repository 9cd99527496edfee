"""Runs in groups: one row for each value of what they are grouped by, with mean, interval and count of the rest."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from mlbench.dataclass import dataclass
from mlbench.queries.answers import Column, GroupCell, GroupRow, RunRow, RunsAnswer, Value
from mlbench.queries.chosen import default_columns
from mlbench.queries.columns import ColumnSpec, SortSpec, read_columns, read_sort
from mlbench.queries.estimates import student_half
from mlbench.queries.folding import Folds, fold_runs
from mlbench.queries.mistakes import FilterError
from mlbench.queries.reading import Reader
from mlbench.queries.runs import find_runs
from mlbench.queries.tree import quote_name
from mlbench.queries.vocabulary import counted

SETTING = "setting"
"""The word that groups runs by all but seeds, names, times and places."""
DIED = frozenset({"failed", "killed", "stalled", "missing"})

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
    ignore: Sequence[str] = (),
) -> GroupsAnswer:
    """The runs that match, in groups of equal values.

    Without `sort` the groups stand in the order of what they are grouped by: numbers first, then texts, runs without
    a value last. With it they are sorted by the means.

    Args:
        reader: the catalog.
        by: column specifications; one argument may hold several with commas between them. The word `setting` stands
            for all that makes runs no repetitions of each other (see `folding`): its columns are found, not named.
        where: a filter.
        columns: column specifications; those of `default_columns` that are metrics where none are given.
        sort: sort specifications, the most important first.
        limit: groups at most.
        within: paths; only runs at or below one of them are looked at.
        ignore: parameters, or globs, that make no other setting.

    Raises:
        FilterError: as `find_runs`.
    """
    sorts = [read_sort(text) for text in sort]
    chosen = list(columns) or _usual(reader, where, within)
    keys, has_setting = _keys(by)
    if not keys and not has_setting:
        raise FilterError("a column is missing to group by. Try: --group-by params.lr", ", ".join(by), 0)
    titles = {spec.alias: place for place, spec in enumerate([*keys, *_specs(chosen)]) if spec.alias}
    own = [spec.column.text for spec in sorts if spec.column.text not in titles]
    asked = [*(_argument(spec) for spec in keys), *chosen, *own]
    found = find_runs(reader, where=where, columns=asked or None, within=within)
    folds = fold_runs(reader, [row.head.run_id for row in found.rows], ignore=ignore) if has_setting else None
    rows = _grouped(found, len(keys), folds)
    n_by, n_shown = len(keys) + len(folds.columns if folds else ()), _count(chosen)
    places = iter(range(n_by + n_shown, n_by + n_shown + len(own)))
    order = [(_place(titles, spec, len(keys), n_by), spec) for spec in sorts]
    ordered = _sorted(rows, [(next(places) if place is None else place, spec) for place, spec in order], n_by)
    shown = [GroupRow(row.keys, row.run_ids, row.cells[:n_shown], row.n_ended_well) for row in ordered[:limit]]
    return GroupsAnswer(
        (*(folds.columns if folds else ()), *found.columns[: len(keys)]),
        found.columns[len(keys) : len(keys) + n_shown],
        tuple(shown),
        len(rows),
        found.n_matched,
        found.n_runs,
        (*found.remarks, *(fold_remarks(folds) if folds else ())),
    )


def besides_setting(by: Sequence[str]) -> tuple[list[str], bool]:
    """What runs are grouped by but for the word `setting`, and whether that is there.

    Raises:
        FilterError: one of them is no column specification.
    """
    keys, has_setting = _keys(by)
    return [_argument(spec) for spec in keys], has_setting


def _keys(by: Sequence[str]) -> tuple[list[ColumnSpec], bool]:
    specs = _specs(by)
    keys = [spec for spec in specs if spec.text.lower() != SETTING]
    return keys, len(keys) < len(specs)


def _argument(spec: ColumnSpec) -> str:
    return f"{spec.text} as {quote_name('bare', spec.alias)}" if spec.alias else spec.text


def _place(titles: Mapping[str, int], spec: SortSpec, n_keys: int, n_by: int) -> int | None:
    """Where the column of a sort key that is named by an alias stands: settings come before the other keys."""
    place = titles.get(spec.column.text)
    return None if place is None else place + n_by - n_keys


def _grouped(found: RunsAnswer, n_keys: int, folds: Folds | None) -> list[GroupRow]:
    """The groups: by setting where there are folds, and by the first columns of the answer."""
    settings = {run_id: fold for fold in folds.folds for run_id in fold.run_ids} if folds else {}
    groups: dict[tuple[object, ...], list[RunRow]] = {}
    for row in found.rows:
        setting = settings.get(row.head.run_id)
        key = (id(setting), *map(group_key, row.values[:n_keys]))
        groups.setdefault(key, []).append(row)
    return [
        _group_row(found, rows, n_keys, settings[rows[0].head.run_id].values if folds else ())
        for rows in groups.values()
    ]


def fold_remarks(folds: Folds) -> Iterator[str]:
    """What was taken for repetitions, what changes along, and how to have repetitions where there are none."""
    if folds.set_aside:
        yield f"runs that differ only in {_listed(folds.set_aside)} (or in time and place) are of one setting"
    if folds.along:
        yield f"also different, together with these: {_listed(folds.along)}"
    if len(folds.folds) > 1 and not folds.is_repeated:
        names = [column.title for column in folds.columns]
        yield f"no run repeats another: they differ in {_listed(names)}{_way_to_repeat(folds)}"


def _way_to_repeat(folds: Folds) -> str:
    """`. Try: --ignore schedule, for 6 groups of 3 runs`; '' where no parameter keeps the runs apart."""
    if folds.way is None:
        return ""
    options = " ".join(f"--ignore {shlex.quote(key)}" for key in folds.way.ignored)
    sizes = sorted({*folds.way.sizes})
    runs = str(sizes[-1]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return f". Try: {options}, for {counted(len(folds.way.sizes), 'group')} of {runs} runs"


def _listed(names: Sequence[str], *, most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


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


def _group_row(found: RunsAnswer, rows: Sequence[RunRow], n_keys: int, setting: tuple[Value, ...]) -> GroupRow:
    columns = range(n_keys, len(found.columns))
    cells = tuple(_group_cell(found.columns[index].kind, [row.values[index] for row in rows]) for index in columns)
    n_ended_well = sum(row.head.status not in DIED for row in rows)
    run_ids = tuple(row.head.run_id for row in rows)
    return GroupRow((*setting, *rows[0].values[:n_keys]), run_ids, cells, n_ended_well)


def _group_cell(kind: str, values: Sequence[Value]) -> GroupCell:
    """Settings have no mean: of a parameter only what all runs share is told."""
    held = [value for value in values if value is not None]
    numbers = [float(value) for value in held if isinstance(value, int | float) and not isinstance(value, bool)]
    n_values = len({str(value) for value in held})
    if kind != "param" and held and len(numbers) == len(held):
        finite = [value for value in numbers if math.isfinite(value)]
        mean = sum(finite) / len(finite) if finite else numbers[0]
        return GroupCell(mean, student_half(finite), len(finite), n_values, is_number=True)
    shared = held[0] if n_values == 1 and len(held) == len(values) else None
    return GroupCell(shared, None, len(held), n_values)


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
