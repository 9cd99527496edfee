"""Points and parameters from the rows of a mapped file, for one run or for each of many."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from mlbench.dataclass import dataclass
from mlbench.model import Fact, JsonValue, Layer, Param, Points, Problem
from mlbench.wire.csvlog import MISSING, STEP_COLUMNS, number_of, step_of
from mlbench.wire.dump_values import plain_value
from mlbench.wire.flatten import value_text
from mlbench.wire.jsonlog import as_number, utc_seconds
from mlbench.wire.jsonrows import STEP_KEYS, wall_of
from mlbench.wire.mapped_rows import Row, RowSource
from mlbench.wire.mapping import UNITS, Rule, is_named
from mlbench.wire.points import PointCollector, as_step

_KNOWN_STEPS = tuple(dict.fromkeys((*STEP_COLUMNS, *STEP_KEYS)))
MAX_TOLD = 10
"""Columns of which a problem is told."""


@dataclass(slots=True)
class Taker:
    """Takes the rows of one run."""

    rule: Rule
    step: str
    """The column that gives the step, '' where rows are counted."""
    points: PointCollector = field(default_factory=PointCollector)
    params: dict[str, JsonValue] = field(default_factory=dict)
    n_rows: int = 0
    n_stepless: int = 0
    _counts: dict[str, int] = field(default_factory=dict)
    """Long format without a step: the values of each metric so far."""
    _numbers: dict[str, int] = field(default_factory=dict)
    _texts: dict[str, int] = field(default_factory=dict)
    """By column, the cells that are none."""
    _varied: set[str] = field(default_factory=set)
    """Parameters that are not the same in all rows."""
    _roles: dict[str, str] = field(default_factory=dict)
    """By column the metric that it is, '' for none."""

    def take(self, row: Row) -> None:
        """One row, in the order of the file."""
        for name in self.rule.params:
            self._param(name, row.get(name))
        wall_s = _wall(row.get(self.rule.wall), self.rule.wall_unit) if self.rule.wall else math.nan
        step = _step(row.get(self.step)) if self.step else self.n_rows
        self.n_rows += 1
        if step is None:
            self.n_stepless += 1
        elif self.rule.metric:
            self._long(row, step, wall_s)
        else:
            for name, cell in row.items():
                metric = self._roles[name] if name in self._roles else self._role(name)
                if metric:
                    self._point(name, metric, step, cell, wall_s)

    def _long(self, row: Row, step: int, wall_s: float) -> None:
        name = row.get(self.rule.metric)
        text = name if isinstance(name, str) else "" if name is None else value_text(name)
        metric = self._roles[text] if text in self._roles else self._role_of_metric(text)
        if not metric:
            return
        if not self.step:
            step = self._counts.get(metric, 0)
            self._counts[metric] = step + 1
        self._point(text, metric, step, row.get(self.rule.value), wall_s)

    def _point(self, name: str, metric: str, step: int, cell: Any, wall_s: float) -> None:  # noqa: ANN401
        number = _number(cell)
        if number is not None:
            self._numbers[name] = self._numbers.get(name, 0) + 1
            self.points.add(metric, step, number, wall_s)
        elif cell is not None and cell not in MISSING:
            self._texts[name] = self._texts.get(name, 0) + 1

    def _role(self, column: str) -> str:
        rule = self.rule
        is_other = column in (self.step, rule.wall, rule.run) or column in rule.params
        is_one = not is_other and (is_named(column, rule.metrics) if rule.metrics else True)
        self._roles[column] = self._named(column) if is_one and not is_named(column, rule.ignore) else ""
        return self._roles[column]

    def _role_of_metric(self, metric: str) -> str:
        rule = self.rule
        is_one = bool(metric) and (is_named(metric, rule.metrics) if rule.metrics else True)
        self._roles[metric] = self._named(metric) if is_one and not is_named(metric, rule.ignore) else ""
        return self._roles[metric]

    def _named(self, name: str) -> str:
        return self.rule.prefix + self.rule.rename.get(name, name)

    def _param(self, name: str, cell: Any) -> None:  # noqa: ANN401
        if cell is None or cell == "" or (isinstance(cell, float) and math.isnan(cell)):
            return
        value = _param_value(cell)
        if name not in self.params:
            self.params[name] = value
        elif self.params[name] != value:
            self._varied.add(name)

    def facts(self, path: str) -> Iterator[Fact]:
        """Parameters, and what is wrong with the columns; to be asked at the end."""
        for name, value in self.params.items():
            dotted = name if self.rule.format_of(path) == "csv" else name.replace("/", ".")
            yield Param(self.rule.rename.get(name, dotted), value_text(value), value, Layer.CONFIG)
        for name in sorted(self._varied):
            what = f"column {name!r} is no parameter: it is not the same in all rows; the first value was taken"
            yield Problem(
                path, what, hint="if each value is a run of its own, name the column that tells runs apart: run: ..."
            )
        yield from self._odd_cells(path)
        if self.n_stepless:
            rows = "1 row has" if self.n_stepless == 1 else f"{self.n_stepless} rows have"
            yield Problem(
                path, f"{rows} no step in column {self.step!r} and {'was' if self.n_stepless == 1 else 'were'} left out"
            )

    def _odd_cells(self, path: str) -> Iterator[Problem]:
        """Cells without a number in metrics; a column of texts only is told where the user named it."""
        odd = [name for name in self._texts if self._numbers.get(name) or is_named(name, self.rule.metrics)]
        for name in odd[:MAX_TOLD]:
            n_texts = self._texts[name]
            cells = "1 cell is no number and was" if n_texts == 1 else f"{n_texts} cells are no numbers and were"
            yield Problem(path, f"{cells} left out of {name!r}")
        if len(odd) > MAX_TOLD:
            yield Problem(path, f"{len(odd) - MAX_TOLD} more metrics have cells that are no numbers")


def step_column(rule: Rule, first: Row) -> str:
    """The column that gives the steps: the rule's, else the first known name that is nothing else; '' for none."""
    if rule.step:
        return rule.step
    others = {rule.wall, rule.run, rule.metric, rule.value, *rule.params, *rule.ignore, *rule.metrics}
    return next((name for name in _KNOWN_STEPS if name in first and name not in others), "")


def missing_columns(source: RowSource) -> Iterator[Problem]:
    """What the rule names and the file does not have."""
    from difflib import get_close_matches

    rule, known = source.rule, source.columns
    named = {
        "step": (rule.step,), "wall": (rule.wall,), "run": (rule.run,), "metric": (rule.metric,),
        "value": (rule.value,), "params": rule.params, "metrics": () if rule.metric else _plain_names(rule.metrics),
    }  # fmt: skip
    for key, names in named.items():
        for name in names:
            if name and name not in known:
                near = get_close_matches(name, known, n=1)
                listed = ", ".join(list(known)[:12]) + (", ..." if len(known) > 12 else "")
                hint = f"did you mean {near[0]!r}? " if near else ""
                what = f"the mapping names a column {name!r} in {key!r} that is not there"
                yield Problem(source.path, what, hint=f"{hint}The columns are: {listed or 'none'}")


def _plain_names(globs: Iterable[str]) -> tuple[str, ...]:
    return tuple(glob for glob in globs if not set(glob) & set("*?["))


def key_of(cell: Any) -> str:  # noqa: ANN401
    """A cell that names a run, as text: 3 and 3.0 are one."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell if isinstance(cell, str) else "" if cell is None else value_text(_jsonable(cell))


def held(points: PointCollector) -> list[Points]:
    """All points that were collected, a batch a metric."""
    return list(points.flush())


def _number(cell: Any) -> float | None:  # noqa: ANN401
    if isinstance(cell, str):
        return None if cell in MISSING else number_of(cell)
    return as_number(cell) if isinstance(cell, int | float) else None


def _step(cell: Any) -> int | None:  # noqa: ANN401
    return step_of(cell) if isinstance(cell, str) else as_step(cell)


def _wall(cell: Any, unit: str) -> float:  # noqa: ANN401
    """Unix seconds, NaN for none."""
    if isinstance(cell, datetime.datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=datetime.UTC)).timestamp()
    found: float | None
    if unit == "iso":
        found = utc_seconds(cell)
    else:
        number = _number(cell)
        found = (
            (number / UNITS[unit] if number is not None else None)
            if unit
            else wall_of(cell if number is None else number)
        )
    return found if found is not None and math.isfinite(found) else math.nan


def _param_value(cell: Any) -> JsonValue:  # noqa: ANN401
    return plain_value(cell)[0] if isinstance(cell, str) else _jsonable(cell)


def _jsonable(cell: Any) -> JsonValue:  # noqa: ANN401
    if isinstance(cell, datetime.datetime | datetime.time | datetime.timedelta):
        return str(cell)
    if isinstance(cell, Mapping):
        return {str(key): _jsonable(part) for key, part in cell.items()}
    if isinstance(cell, list | tuple):
        return [_jsonable(part) for part in cell]
    return cell if isinstance(cell, bool | int | float | str) or cell is None else str(cell)
