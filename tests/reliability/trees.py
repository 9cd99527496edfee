"""A small tree of logs in two states, and a catalog told in a form that two ingests of the same tree share."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from mlbench.catalog.reader import Reader, open_reader
from mlbench.paths import Home
from mlbench.queries.runs import find_runs
from tests.events import scalar_file

LOG = "events.out.tfevents.1700000000.host"
_MTIME_S = 1_700_000_900
_ABOUT_THIS_CATALOG = frozenset({
    "series_id", "source_id", "run_no", "inode", "mtime_ns", "stamp", "read_s", "since_s", "cursor", "facts", "file",
    "hash", "size_bytes",
})  # fmt: skip
"""Columns that tell of one ingest rather than of the logs: ids, times of reading, names by content."""
_OWN_TABLES = frozenset({"meta", "run_row", "run_number", "segment", "segment_run", "wide_key", "wide_run", "run_text"})
"""Tables of the same kind; the wide ones are asked through a query."""
_EXPRESSIONS = {"mean_value": "printf('%.12g', mean_value)"}
"""The mean of a curve that was read in two pieces may differ in its last bit."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Three runs; when it has grown one of them has more points, another other parameters, and there is a fourth."""

    folder: Path

    def make(self) -> None:
        for number in range(4):
            points = [(step, 1 / (step + number + 1)) for step in range(8)]
            scalar_file(self._run(number) / LOG, {"loss": points, "acc": points[:5]})
        self.reset()

    def reset(self) -> None:
        """As it was before it grew; files keep their inodes."""
        if self._run(3).exists():
            shutil.move(self._run(3), self._away)
        os.truncate(self._run(0) / LOG, self._size())
        self._configure(0.1, _MTIME_S)

    def grow(self) -> None:
        shutil.move(self._away, self._run(3))
        scalar_file(self._run(0) / LOG, {"loss": [(step, 2.0) for step in range(8, 12)]}, append=True)
        self._configure(0.2, _MTIME_S + 1)

    def _configure(self, lr: float, mtime_s: int) -> None:
        (self._run(1) / "args.yaml").write_text(f"lr: {lr}\nmodel:\n  depth: 3\n")
        for path in self.folder.rglob("*"):
            os.utime(path, (mtime_s, mtime_s))

    def _size(self) -> int:
        """The log of run 0 before it grew is as long as that of run 1, which has as many points of the same names."""
        return (self._run(1) / LOG).stat().st_size

    def _run(self, number: int) -> Path:
        return self.folder / f"run{number}"

    @property
    def _away(self) -> Path:
        return self.folder.parent / f"{self.folder.name}-away"


def dump(home: Home) -> str:
    """A hash of all that the catalog tells of the logs: every row of every table, every point, one wide question."""
    with open_reader(home, now_s=1.8e9) as reader:
        lines = sorted([*_rows(reader), *_points(reader), *_asked(reader)])
    return hashlib.blake2b("\n".join(lines).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def _rows(reader: Reader) -> list[str]:
    lines = []
    for table, columns in _tables(reader):
        named = ", ".join(_EXPRESSIONS.get(column, f'"{column}"') for column in columns)
        lines += [f"{table} {row!r}" for row in reader.rows(f"SELECT {named} FROM {table}")]
    return lines


def _tables(reader: Reader) -> list[tuple[str, list[str]]]:
    rows = reader.rows(
        "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
        "WHERE NOT internal AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE NOT temporary) GROUP BY 1"
    )
    return [
        (table, [column for column in columns if column not in _ABOUT_THIS_CATALOG])
        for table, columns in rows
        if table not in _OWN_TABLES and not table.startswith("wide_")
    ]


def _points(reader: Reader) -> list[str]:
    lines = []
    series = reader.rows("SELECT series_id, run_id, source_run, source_metric FROM series")
    for series_id, *name in series:
        table = reader.points([series_id])
        columns = [table.column(column).to_pylist() for column in ("seq", "step", "wall_s", "value")]
        lines += [f"point {name!r} {point!r}" for point in zip(*columns, strict=True)]
    return lines


def _asked(reader: Reader) -> list[str]:
    params = [f"params.{key}" for (key,) in reader.rows("SELECT DISTINCT key FROM param ORDER BY key")]
    metrics = [f"metrics.{name}" for (name,) in reader.rows("SELECT DISTINCT metric FROM series ORDER BY metric")]
    answer = find_runs(reader, columns=["status", *params, *metrics], sort=["name"])
    return [f"asked {row.head.run_id} {row.values!r}" for row in answer.rows]
