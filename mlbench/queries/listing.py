"""The runs of a long table: the ids of all in order, and the values of those rows alone that are looked at."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from mlbench.queries.answers import Column, GroupCell, GroupRow, Listing, RunRow, Value
from mlbench.queries.bind import Bound
from mlbench.queries.columns import read_columns, read_sort, value_of
from mlbench.queries.estimates import half_of
from mlbench.queries.folding import Folds, fold_runs
from mlbench.queries.grouping import DIED, SETTING, group_key, sort_groups
from mlbench.queries.ids import packed_ids
from mlbench.queries.reading import Reader
from mlbench.queries.runs import Understood, understand

_Total: TypeAlias = "tuple[Sequence[Any], tuple[GroupCell, ...], tuple[Value, ...], int]"
"""What a group is grouped by, a cell for each column, the means that it is sorted by, and how many of its runs did not
die."""
_TOTALS = ("avg({0})", "stddev_samp({0})", "count({0})")


class Lister:
    """One question, understood once, over one reader."""

    def __init__(
        self, reader: Reader, *, where: str = "", columns: Sequence[str] = (), sort: Sequence[str] = (),
        by: Sequence[str] = (), within: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Understand a question; the arguments are those of `find_runs`, and `by` are the columns to group by, or the
        word `setting` for all but seeds, names and places.

        Raises:
            FilterError: the filter or a specification cannot be understood, or names what no run has.
        """
        keys = [text for text in by if text.lower() != SETTING]
        self._has_setting = len(keys) < len(by)
        self._folds: Folds | None = None
        self._asked: Understood = understand(reader, where=where, columns=[*columns, *keys], sort=sort, within=within)
        n_columns = len(self._asked.columns) - sum(len(read_columns(text)) for text in keys)
        self._columns = self._asked.columns[:n_columns]
        self._by = self._asked.columns[n_columns:]
        self._is_descending = tuple(read_sort(text).is_descending for text in sort)

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column.column for column in self._columns)

    # ------------------------------------------------------------ all runs

    def listing(self) -> Listing:
        """All runs that match, in order."""
        if self._by or self._has_setting:
            return self._grouped()
        question = self._asked.question
        sql = question.statement("r.run_no, r.id", order=question.order)
        numbers = array("i")

        def ids() -> Iterator[str]:
            for run_no, run_id in question.binding.reader.stream(sql.text, sql.parameters):
                numbers.append(run_no)
                yield run_id

        return self._listing(packed_ids(ids()), numbers)

    def n_matched(self) -> int:
        """How many runs match."""
        return self._asked.question.count(self._asked.question.where)

    def _listing(
        self, ids: Sequence[str], numbers: Sequence[int], groups: Sequence[GroupRow] = ()
    ) -> Listing:  # fmt: skip
        return Listing(
            ids=ids,
            numbers=numbers,
            n_runs=self._asked.n_runs(),
            remarks=self._asked.remarks(),
            groups=tuple(groups),
            group_columns=(*(self._folds.columns if self._folds else ()), *(column.column for column in self._by)),
        )

    # ------------------------------------------------------------ rows

    def rows(self, numbers: Sequence[int]) -> dict[str, RunRow]:
        """The rows of these runs by id; one that has gone meanwhile is left out."""
        if not numbers:
            return {}
        return {row.head.run_id: row for row in self._asked.question.rows_of(numbers, self._columns)}

    def best(self) -> tuple[float | None, ...]:
        """For each column the best number of all runs that match; None without a goal, or with nothing to be better
        than.
        """
        wanted = [place for place, one in enumerate(self._columns) if one.column.goal and one.bound.number]
        best: list[float | None] = [None] * len(self._columns)
        if wanted:
            finite = [_finite(self._columns[place].bound.number) for place in wanted]
            pairs = ", ".join(f"min({number}), max({number})" for number in finite)
            cells = iter(self._asked.question.select(pairs)[0])
            for place in wanted:
                low, high = next(cells), next(cells)
                if low is not None and low != high:
                    best[place] = low if self._columns[place].column.goal == "min" else high
        return tuple(best)

    def common_folders(self) -> str:
        """The folders, with a slash at their end, that the names of all runs begin with; of one run ''."""
        low, high, n_runs = self._asked.question.select("min(r.name), max(r.name), count(*)")[0]
        if n_runs < 2 or not low or not high:
            return ""
        shared = 0
        while shared < min(len(low), len(high)) and low[shared] == high[shared]:
            shared += 1
        return str(low[: low.rfind("/", 0, shared) + 1])

    # ------------------------------------------------------------ groups

    def _grouped(self) -> Listing:
        """The runs group by group, and what the groups come to."""
        question = self._asked.question
        keys = [*self._setting(), *(expression for column in self._by for expression in column.bound.value)]
        sql = question.statement(", ".join(["r.run_no", "r.id", *keys]), order=question.order)
        members: dict[tuple[object, ...], tuple[list[str], list[int]]] = {}
        for run_no, run_id, *cells in question.binding.reader.stream(sql.text, sql.parameters):
            ids, numbers = members.setdefault(self._key(cells), ([], []))
            ids.append(run_id)
            numbers.append(run_no)
        groups: list[tuple[GroupRow, Sequence[Value]]] = []
        numbers_of: dict[tuple[str, ...], list[int]] = {}
        for shown, values, means, n_ended_well in self._totals(keys):
            ids, run_nos = members[self._key(shown)]
            row = GroupRow(self._values(shown), tuple(ids), values, n_ended_well)
            numbers_of[row.run_ids] = run_nos
            groups.append((row, means))
        ordered = sort_groups(groups, self._is_descending)
        all_numbers = array("i", [number for row in ordered for number in numbers_of[row.run_ids]])
        return self._listing(tuple(run_id for row in ordered for run_id in row.run_ids), all_numbers, ordered)

    def _setting(self) -> list[str]:
        """The expression of the setting that a run is of, where it was asked for."""
        if not self._has_setting:
            return []
        question = self._asked.question
        ids = [run_id for (run_id,) in question.select("r.id", order=question.order)]
        self._folds = fold_runs(question.binding.reader, ids)
        places = {run_id: float(at) for at, fold in enumerate(self._folds.folds) for run_id in fold.run_ids}
        return [question.binding.numbered(SETTING, places)]

    def _totals(self, keys: Sequence[str]) -> list[_Total]:
        """What each group comes to."""
        columns = [_total(column.bound) for column in self._columns]
        sorts = [_order(bound) for bound in self._asked.sorts]
        died = ", ".join(f"'{status}'" for status in sorted(DIED))
        counts = ["count(*)", f"count(CASE WHEN r.status NOT IN ({died}) THEN 1 END)"]
        asked = [*keys, *counts, *(part for parts in columns for part in parts), *sorts]
        group = ", ".join(str(place + 1) for place in range(len(keys)))
        found: list[_Total] = []
        for row in self._asked.question.select(", ".join(asked), group=group):
            cells = iter(row[len(keys) :])
            n_runs, n_ended_well = next(cells), next(cells)
            values = tuple(
                _cell(column.bound, n_runs, [next(cells) for _ in parts])
                for column, parts in zip(self._columns, columns, strict=True)
            )
            found.append((row[: len(keys)], values, tuple(cells), n_ended_well))
        return found

    def _values(self, cells: Sequence[Any]) -> tuple[Value, ...]:
        left = iter(cells)
        setting = self._folds.folds[int(next(left))].values if self._folds else ()
        return (*setting, *(value_of(column.bound, [next(left) for _ in column.bound.value]) for column in self._by))

    def _key(self, cells: Sequence[Any]) -> tuple[object, ...]:
        return tuple(map(group_key, cells))


def _finite(number: str) -> str:
    return f"CASE WHEN isfinite(CAST(({number}) AS DOUBLE)) THEN {number} END"


def _has_mean(bound: Bound) -> bool:
    """Settings have no mean: of a parameter only what all runs share is told."""
    return bound.kind in ("number", "duration")


def _total(bound: Bound) -> list[str]:
    if _has_mean(bound):
        return [form.format(_finite(bound.number)) for form in _TOTALS]
    shown = bound.raw or bound.text or bound.number or bound.value[0]
    text = f"CAST(({shown}) AS VARCHAR)"
    return [f"count({text})", f"count(DISTINCT {text})", *(f"any_value({value})" for value in bound.value)]


def _cell(bound: Bound, n_runs: int, cells: Sequence[Any]) -> GroupCell:
    if _has_mean(bound):
        mean, deviation, n = cells
        half = half_of(float(deviation), n) if n > 1 and deviation is not None else None
        return GroupCell(mean, half, n, n, is_number=True)
    n, n_values, *shown = cells
    is_shared = n_values == 1 and n == n_runs
    return GroupCell(value_of(bound, shown) if is_shared else None, None, n, n_values)


def _order(bound: Bound) -> str:
    """What a group is sorted by: the mean of its numbers, else the first of its texts."""
    if bound.number and bound.kind != "param":
        return f"avg({_finite(bound.number)})"
    return f"min({bound.text or bound.number})"
