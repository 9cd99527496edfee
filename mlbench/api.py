"""The Python API: `mlbench.open()` gives a home to ask, and every answer is Arrow, pandas, polars or plain dicts.

Nothing is ever written: logs are read by `mlbench ingest`, and words are said by the commands or the workbench. Each
question opens the newest snapshot and the journal as they are at that moment, and closes them again, so that a home may
be kept as long as one likes and asked from any thread.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlbench.errors import HomeError
from mlbench.paths import TEAM_FOLDER, Home, find_home

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.catalog.reader import Reader
    from mlbench.queries.answers import SeriesAnswer
    from mlbench.render.records import Records

_PARAMS = """SELECT r.name AS run, r.id AS run_id, p.key, p.value, p.num, p.type, p.layer, p.source
FROM params p JOIN runs r ON r.id = p.run_id WHERE r.id IN (SELECT unnest(CAST(? AS VARCHAR[])))
ORDER BY r.name, r.id, p.key"""


def open_home(path: str | os.PathLike[str] | None = None) -> OpenHome:
    """A home to ask; as `mlbench.open`.

    Args:
        path: a home, or a project with a `.mlbench/`; or a directory of logs, of whose runs alone is then told, from
            the home that is in force there. Without it the home that the commands use, and all its runs.

    Raises:
        HomeError: there is no such directory, or nothing was ever ingested from it.
    """
    if path is None:
        return OpenHome(find_home())
    folder = os.path.abspath(os.path.expanduser(os.fspath(path)))
    if not os.path.isdir(folder):
        raise HomeError(f"{os.fspath(path)}: no such directory. Try: mlbench ingest DIR, and then mlbench.open()")
    for home in (folder, os.path.join(folder, TEAM_FOLDER)):
        if any(os.path.isdir(os.path.join(home, part)) for part in ("journal", "cache")):
            return OpenHome(find_home(home))
    opened = OpenHome(find_home(start=folder), (os.path.realpath(folder),))
    if not opened.runs(columns=None, limit=1):
        raise HomeError(f"{os.fspath(path)}: nothing was ingested from here yet. Try: mlbench ingest {os.fspath(path)}")
    return opened


class OpenHome:
    """A home, open for reading."""

    def __init__(self, home: Home, within: tuple[str, ...] = ()) -> None:
        self._home = home
        self._within = within

    def __repr__(self) -> str:
        return f"mlbench.open({(self._within or (os.path.dirname(self._home.journal),))[0]!r})"

    def runs(
        self, filter: str = "", *, columns: Sequence[str] | None = (), sort: Sequence[str] | str = (),  # noqa: A002
        limit: int | None = None,
    ) -> Frame:  # fmt: skip
        """The runs that match, one row each: `run` (the name), `run_id`, then the columns.

        Args:
            filter: as `mlbench query` takes it; '' for all that are not archived.
            columns: column specifications: `params.lr`, `min(metrics.val/loss) as best`. Empty: those that differ, as
                `mlbench query` shows them. None: none.
            sort: sort specifications: `metrics.val/loss`, `started:desc`. Newest first without.
            limit: rows at most.

        Raises:
            UsageError: the filter or a column cannot be understood, or names what no run has; the message has a caret.
        """
        from mlbench.queries.runs import find_runs
        from mlbench.render.records import Records, unique_keys

        sorts = (sort,) if isinstance(sort, str) else tuple(sort)
        specs = None if columns is None else (columns,) if isinstance(columns, str) else tuple(columns)
        with self._reading() as reader:
            answer = find_runs(reader, where=filter, columns=specs, sort=sorts, limit=limit, within=self._within)
        keys = unique_keys(("run", "run_id", *(column.key for column in answer.columns)))
        rows = tuple((row.head.name, row.head.run_id, *row.values) for row in answer.rows)
        return Frame(records=Records(keys, rows))

    def params(self, filter: str = "") -> Frame:  # noqa: A002 - the glossary's word
        """Every parameter of the runs that match, one row each: run, run_id, key, value (its text), num (a number or
        None), type, layer and source (the file that says it). Raises as `runs`.
        """
        with self._reading() as reader:
            return Frame(table=reader.table(_PARAMS, [self._ids(reader, filter)]))

    def series(
        self,
        metrics: str | Sequence[str],
        filter: str = "",  # noqa: A002
        *,
        view: str = "effective",
        axis: bool = False,
    ) -> Frame:
        """The points of metrics of the runs that match, one row each: run, run_id, metric, step, wall_time (Unix
        seconds, UTC) and value, in the order of the log. A run without the metric has no rows.

        Args:
            metrics: a name, a glob, or several.
            filter: as for `runs`.
            view: which points: `effective` (what counts after restarts), `raw`, and others that `mlbench export` knows.
            axis: two more columns: axis, the metric that the program wants this one drawn over (W&B's `step_metric`;
                `step` where it wants none), and x, the value of that at the step.

        Raises:
            UsageError: none of the runs has one of the metrics, or as for `runs`.
        """
        from mlbench.queries.series import fetch_series

        asked = (metrics,) if isinstance(metrics, str) else tuple(metrics)
        with self._reading() as reader:
            found = fetch_series(reader, self._ids(reader, filter), asked, view=view)
            if not axis:
                return Frame(table=_series_table(found))
            from mlbench.queries.step_metrics import with_step_metrics

            found = with_step_metrics(reader, found)
            return Frame(table=_with_axis(_series_table(found), found))

    def sql(self, statement: str, parameters: Sequence[object] = ()) -> Frame:
        """The rows of one SELECT over the documented views, all runs of the home; `?` stand for the parameters.

        Raises:
            UsageError: it is not one SELECT, or not understood.
        """
        from mlbench.catalog.asking import select

        with self._reading() as reader:
            return Frame(table=select(reader, statement, parameters))

    def _reading(self) -> Reader:
        from mlbench.catalog.reader import open_reader

        return open_reader(self._home)

    def _ids(self, reader: Reader, filter_: str) -> list[str]:
        from mlbench.queries.runs import find_runs

        answer = find_runs(reader, where=filter_, columns=None, within=self._within)
        return [row.head.run_id for row in answer.rows]


def _series_table(answers: Sequence[SeriesAnswer]) -> pa.Table:
    import pyarrow as pa

    schema = pa.schema([
        ("run", pa.dictionary(pa.int32(), pa.string())), ("run_id", pa.dictionary(pa.int32(), pa.string())),
        ("metric", pa.dictionary(pa.int32(), pa.string())), ("step", pa.int64()), ("wall_time", pa.float64()),
        ("value", pa.float64()),
    ])  # fmt: skip
    parts = []
    for one in answers:
        n = len(one.values)
        texts = [
            pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), n), [text])
            for text in (one.head.name, one.head.run_id, one.metric)
        ]
        numbers = [pa.array(column) for column in (one.steps, one.wall_s, one.values)]
        parts.append(pa.table([*texts, *numbers], schema=schema))
    return pa.concat_tables(parts).unify_dictionaries() if parts else schema.empty_table()


def _with_axis(table: pa.Table, answers: Sequence[SeriesAnswer]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    names = [one.over or "step" for one in answers for _value in one.values]
    x = [one.steps if one.over_values is None else one.over_values for one in answers]
    axis = pa.array(names, pa.string()).dictionary_encode()
    return table.append_column("axis", axis).append_column("x", pa.array(np.concatenate([*x, np.zeros(0)])))


class Frame:
    """An answer: rows and columns, in the form that one works with."""

    def __init__(self, *, records: Records | None = None, table: pa.Table | None = None) -> None:
        self._records = records
        self._table = table

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self._records.keys if self._records is not None else tuple(self._arrow().column_names)

    def __len__(self) -> int:
        return len(self._records.rows) if self._records is not None else int(self._arrow().num_rows)

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {', '.join(self.columns)}>"

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The rows as plain dicts. Tags are lists, times are naive UTC datetimes, None is nothing, NaN is NaN."""
        if self._records is None:
            for batch in self._arrow().to_batches(max_chunksize=10_000):
                yield from batch.to_pylist()
            return
        for row in self._records.rows:
            plain = (list(value) if isinstance(value, tuple) else value for value in row)
            yield dict(zip(self._records.keys, plain, strict=True))

    def to_arrow(self) -> pa.Table:
        """As a pyarrow.Table. A column of mixed types (a parameter that is 3 here and `auto` there) becomes text."""
        return self._arrow()

    def to_pandas(self) -> Any:  # noqa: ANN401 - pandas need not be there
        """As a pandas.DataFrame.

        Raises:
            ModuleNotFoundError: pandas is not installed.
        """
        _needed("pandas")
        return self._arrow().to_pandas()

    def to_polars(self) -> Any:  # noqa: ANN401 - polars need not be there
        """As a polars.DataFrame.

        Raises:
            ModuleNotFoundError: polars is not installed.
        """
        return _needed("polars").from_arrow(self._arrow())

    def _arrow(self) -> pa.Table:
        if self._table is None:
            from mlbench.render.records import Records, to_arrow

            self._table = to_arrow(self._records or Records((), ()))
        return self._table


def _needed(name: str) -> Any:  # noqa: ANN401 - a module
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"to_{name} needs {name}, which is not installed. Try: pip install {name}, or to_arrow()", name=name
        ) from error
