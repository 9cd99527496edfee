"""A few thousand points of some series with DuckDB's own decoder, as numpy arrays: pyarrow is not loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlbench.catalog.layout import is_single, stored_columns
from mlbench.catalog.segments import gone
from mlbench.catalog.times import MOST_BACK, series_starts
from mlbench.catalog.told import chosen_points

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FEW = "read_parquet(?) WHERE series_id BETWEEN {low} AND {high} AND series_id IN ({ids})"
_TYPES = {"series_id": "BIGINT", "source_id": "INTEGER", "seq": "BIGINT", "step": "BIGINT"}
_WIDE = {"step": "BIGINT", "value": "DOUBLE"}


def read_few(
    connection: DuckDBPyConnection, paths: Sequence[str], series_ids: Sequence[int], columns: Sequence[str]
) -> dict[str, Any]:
    """Points sorted by series_id and seq.

    Args:
        connection: any.
        paths: of segments, their bytes proved.
        series_ids: which series.
        columns: names out of `layout.COLUMNS`, series_id first.

    Raises:
        HomeError: a segment was deleted since.
    """
    import duckdb

    wanted = sorted(set(map(int, series_ids)))
    told = [path for path in paths if stored_columns(path, columns) != list(columns)]
    try:
        if not told:
            return _read(connection, paths, wanted, columns)
        names = columns if "seq" in columns else [*columns, "seq"]
        plain = [path for path in paths if path not in told]
        parts = [_read(connection, plain, wanted, names)] if plain else []
        return _merged([*parts, *_read_told(connection, told, wanted, names)], columns)
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        raise gone(os.path.dirname(paths[0])) from error


def _read(
    connection: DuckDBPyConnection, paths: Sequence[str], wanted: Sequence[int], columns: Sequence[str],
    *, order: str = "series_id, seq",
) -> dict[str, Any]:  # fmt: skip
    if not paths:
        nothing = ", ".join(f"NULL::{_TYPES.get(name, 'DOUBLE')} AS {name}" for name in columns)
        return connection.execute(f"SELECT {nothing} WHERE false").fetchnumpy()
    source = _FEW.format(low=wanted[0], high=wanted[-1], ids=", ".join(map(str, wanted)))
    # DuckDB gives a column the type that it has in the first file: those of 64 bits come first, and all are widened.
    names = [f"{name}::{_WIDE[name]} AS {name}" if name in _WIDE else name for name in columns]
    ordered = sorted(paths, key=is_single)
    return connection.execute(f"SELECT {', '.join(names)} FROM {source} ORDER BY {order}", [ordered]).fetchnumpy()


def _read_told(
    connection: DuckDBPyConnection, paths: Sequence[str], wanted: Sequence[int], columns: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Of segments whose times are told by steps, each by itself, in one statement.

    The series by which one is told is among the few before it.
    """
    import numpy as np

    names = [*stored_columns(paths[0], columns), "file_index"]
    ids = sorted({one - back for one in wanted for back in range(MOST_BACK + 1)})
    stored = _read(connection, paths, ids, names, order="file_index, series_id, seq")
    files = stored.pop("file_index")
    bounds = np.append(series_starts(files), files.size).tolist()
    for start, end in pairwise(bounds):
        of_file = {name: column[start:end] for name, column in stored.items()}
        yield chosen_points(of_file, np.array(wanted, dtype=np.int64), columns)


def _merged(parts: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, Any]:
    import numpy as np

    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((whole["seq"], whole["series_id"]))
    return {name: whole[name][order] for name in columns}
