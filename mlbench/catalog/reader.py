"""The reading side of the catalog: one immutable snapshot, the journal's words over it, and the points.

No reader ever blocks a writer, and no writer a reader.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlbench import journal
from mlbench.catalog import words_cache
from mlbench.catalog.connection import (
    CURRENT,
    check_not_newer,
    check_not_older,
    connect,
    create_tables,
    read_version,
    shrink,
    sql_text,
    telling_damage,
    with_room,
)
from mlbench.catalog.few import read_few
from mlbench.catalog.importing import import_duckdb
from mlbench.catalog.layout import COLUMNS
from mlbench.catalog.runs_view import RunsView
from mlbench.catalog.segments import SegmentStore
from mlbench.errors import HomeError
from mlbench.paths import Home

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, Statement
    from pyarrow.dataset import Dataset

    from mlbench.catalog.told import ToldPoints

_SEGMENTS = (
    "SELECT DISTINCT g.file, g.hash FROM segment g JOIN segment_run m ON m.file = g.file "
    "JOIN series s ON s.run_id = m.run_id WHERE s.series_id IN (SELECT unnest(?)) ORDER BY g.file"
)
_WORD_TABLES = """
CREATE TEMP TABLE clock (now_s DOUBLE);
CREATE TEMP TABLE word_run (run_key VARCHAR, name VARCHAR, note VARCHAR, is_archived BOOLEAN, is_baseline BOOLEAN);
CREATE TEMP TABLE word_tag (run_key VARCHAR, tag VARCHAR);
CREATE TEMP TABLE word_note (run_key VARCHAR, body VARCHAR, author VARCHAR, at_s DOUBLE);
CREATE TEMP TABLE word_goal (metric VARCHAR, goal VARCHAR);
CREATE TEMP TABLE word_view (name VARCHAR, body VARCHAR);
"""
VIEWS = (
    "runs", "params", "param_layers", "tags", "notes", "sources", "problems", "data_versions", "artifacts", "lineage",
    "validations", "model_versions", "run_numbers", "blobs",
)  # fmt: skip
"""Those of views.sql."""
_NAMES_WORDS = re.compile(r"\b(?:word_\w+|clock)\b")
_NAMES_VIEW = re.compile(rf"\b(?:{'|'.join(VIEWS)})\b")
SMALL_BYTES = 300_000_000
"""A snapshot (of about 30,000 runs) below which one thread answers in 7 CPU ms what two answer in 8.3."""
_SEPARATOR = "\x1e"
N_PARSED = 128
"""Statements whose parsing is kept, those that were asked last."""
STREAM_ROWS = 4096
"""Rows that are made into Python's at once: about a millisecond in which no other thread runs."""
_HEIRS = """SELECT fingerprint, run_key FROM run
WHERE NOT is_missing AND fingerprint IN (SELECT unnest(CAST(? AS VARCHAR[])))"""

_JOINED = """SELECT said.key, min(r.run_key) FROM (SELECT {keys} AS key) AS said
JOIN source s ON parse_dirpath(s.path) = said.key AND s.role IN ('events', 'metrics', 'tracker') AND len(s.run_ids) = 1
JOIN run r ON r.run_id = s.run_ids[1] AND NOT r.is_missing GROUP BY said.key HAVING count(DISTINCT r.run_key) = 1"""


def current_snapshot(home: Home) -> str | None:
    """Path of the newest snapshot, None before the first ingest."""
    link = os.path.join(home.cache, CURRENT)
    try:
        return os.path.join(home.cache, os.readlink(link))
    except OSError:
        return None


def open_reader(home: Home, *, now_s: float | None = None) -> Reader:
    """Open the newest snapshot with the journal as it is now. An empty home gives a reader without runs.

    Args:
        home: where to look.
        now_s: the clock that status and ages are told by; the real one by default.

    Raises:
        HomeError: the snapshot is missing or cannot be opened.
    """
    return Reader(_connect_current(home), home, time.time() if now_s is None else now_s)


def moved_keys(home: Home) -> Mapping[str, str]:
    """For each key in the journal whose run has moved, the key that the run has now; raises as `open_reader` does."""
    with open_reader(home) as reader:
        return reader.moved


def _connect_current(home: Home) -> DuckDBPyConnection:
    link = os.path.join(home.cache, CURRENT)
    snapshot = link
    for _attempt in range(3):  # the snapshot may be replaced and deleted between readlink and open
        try:
            snapshot = os.path.join(home.cache, os.readlink(link))
        except FileNotFoundError:
            return _empty()
        except OSError as error:
            raise HomeError(f"{link}: the catalog cannot be opened ({error.strerror}). Try: mlbench rebuild") from error
        if os.path.exists(snapshot):
            return _connect_snapshot(snapshot)
    raise HomeError(f"{snapshot}: the catalog's snapshot is missing. Try: mlbench ingest DIR, or mlbench rebuild")


def _empty() -> DuckDBPyConnection:
    connection = connect(":memory:", read_only=False)
    create_tables(connection)
    return connection


def _connect_snapshot(path: str) -> DuckDBPyConnection:
    import_duckdb()
    import duckdb

    try:
        connection = connect(path, read_only=True, n_threads=1 if os.path.getsize(path) < SMALL_BYTES else 2)
    except (duckdb.Error, OSError) as error:
        raise HomeError(f"{path}: the catalog cannot be opened ({_first_line(error)}). Try: mlbench rebuild") from error
    version = read_version(connection)
    check_not_newer(version, path)
    if version == 0:
        raise HomeError(f"{path}: this is not a catalog of mlbench. Try: mlbench rebuild")
    check_not_older(version, path)
    return connection


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


class Reader:
    """One snapshot, open for reading; use it in one thread, close it when done."""

    def __init__(self, connection: DuckDBPyConnection, home: Home, now_s: float) -> None:
        self._connection = connection
        self._points = SegmentStore(home.points)
        self._known: dict[str, list[tuple[Any, ...]]] = {}
        self._parsed: dict[str, Statement] = {}
        self._has_words, self._has_views = False, False
        self.home = home
        self.now_s = now_s
        self.words = words_cache.replay(home)
        """What holds now, by the keys that the runs have now."""
        self.moved = _moved(connection, self.words)
        """For each key in the journal whose run has moved, the key that the run has now."""
        if self.moved:
            self.words = words_cache.replay(home, self.moved)
        self._words = _word_rows(self.words)
        self._views = _views(self.now_s, has_run_words=bool(self._words["word_run"]))
        self._runs = RunsView(self._views)
        rows = self.rows("SELECT value FROM meta WHERE key = 'generation'")  # to its end: `table` needs that
        self.generation = int(rows[0][0]) if rows else 0
        """Rises with every published snapshot."""

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the snapshot."""
        self._connection.close()

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement; values are bound, never spliced."""
        with telling_damage(self.home.cache):
            found: list[tuple[Any, ...]] = []
            with_room(self._connection, lambda: found.extend(self._execute(sql, parameters).fetchall()))
            return found

    def stream(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, a few thousand at a time: others are let in between. To be read to the end."""
        with telling_damage(self.home.cache):
            started: list[DuckDBPyConnection] = []
            with_room(self._connection, lambda: started.append(self._execute(sql, parameters)))
            (answer,) = started
            while piece := answer.fetchmany(STREAM_ROWS):
                yield from piece

    def give_back(self, most: str, limit: str) -> None:
        """Have DuckDB let go of blocks of the catalog, of which it keeps up to its limit, and of memory that is free.

        All readers of a snapshot in a process share them, and the limit: none may be in a question.

        Args:
            most: that it keeps, like `12MB`; where more is in use all of it stays.
            limit: that it has from now on.
        """
        shrink(self._connection, most, limit)

    def runs(self, sql: str) -> str:
        """A relation for FROM: the columns of the runs `r` that a piece of SQL names, and nothing that it does not."""
        return self._runs.naming(sql)

    def once(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement on the snapshot, which never changes: read once in the life of the reader."""
        if sql not in self._known:
            self._known[sql] = self.rows(sql)
        return self._known[sql]

    def table(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        """The answer of a statement as an Arrow table."""
        with telling_damage(self.home.cache):
            self._make_views()
            return self._connection.sql(sql, params=list(parameters)).to_arrow_table()

    def points(self, series_ids: Sequence[int], columns: Sequence[str] = COLUMNS) -> pa.Table:
        """All raw points of the series: series_id, source_id, seq, step, wall_s, value, sorted by series_id, seq.

        Args:
            series_ids: which series.
            columns: those of the columns that are needed, series_id first.

        Raises:
            HomeError: a segment is missing or damaged.
        """
        return self._points.read(self._segments_of(series_ids), series_ids, columns=columns)

    def few_points(self, series_ids: Sequence[int], columns: Sequence[str]) -> dict[str, Any]:
        """As `points`, as numpy arrays by column, with DuckDB's own decoder: a few thousand take the same time, and
        pyarrow is not loaded (200 ms, 27 MB).

        Raises:
            HomeError: a segment is missing or damaged.
        """
        paths = self._points.paths(self._segments_of(series_ids))
        arrays: dict[str, Any] = {}
        with_room(self._connection, lambda: arrays.update(read_few(self._connection, paths, series_ids, columns)))
        return arrays

    def _segments_of(self, series_ids: Sequence[int]) -> list[tuple[str, str]]:
        """File and hash of every segment that may hold points of the series."""
        return [(file, digest) for file, digest in self.rows(_SEGMENTS, [list(series_ids)])]

    @property
    def connection(self) -> DuckDBPyConnection:
        """For the rest of this package."""
        self._make_views()
        return self._connection

    def all_points(self) -> tuple[Dataset, ToldPoints]:
        """Every point that is stored, of every series, in two relations, to be read file by file, in no order.

        Raises:
            HomeError: a segment is missing or damaged.
        """
        return self._points.relations(self.rows("SELECT file, hash FROM segment ORDER BY file"))

    def _execute(self, sql: str, parameters: Sequence[object]) -> DuckDBPyConnection:
        """Execute a statement. Pages, refreshes and counts ask the same text again: its parsing, a sixth, is kept."""
        parsed = self._parsed.pop(sql, None)
        if parsed is None:
            self._prepare(sql)
            (parsed,) = self._connection.extract_statements(sql)
            if len(self._parsed) >= N_PARSED:
                del self._parsed[next(iter(self._parsed))]
        self._parsed[sql] = parsed
        return self._connection.execute(parsed, list(parameters))

    def _prepare(self, sql: str) -> None:
        """Make what the statement names and few do: views take as long as opening the file, the words 2 ms."""
        if not self._has_views and _NAMES_VIEW.search(sql):
            self._make_views()
        elif not self._has_words and _NAMES_WORDS.search(sql):
            self._lay_words()

    def _lay_words(self) -> None:
        if not self._has_words:
            self._connection.execute(_again(_WORD_TABLES))
            self._connection.execute("INSERT INTO clock VALUES (?)", [self.now_s])
            for table, rows in self._words.items():
                _insert(self._connection, table, rows)
            self._has_words = True

    def _make_views(self) -> None:
        if not self._has_views:
            self._lay_words()
            self._connection.execute(_again(self._views))
            self._has_views = True


def _again(sql: str) -> str:
    """Where the memory was not enough on the way it is done once more, over what was made before."""
    return sql.replace("CREATE TEMP ", "CREATE OR REPLACE TEMP ")


def _views(now_s: float, *, has_run_words: bool) -> str:
    """The text of the views, without the joins that this reader does not need: a third of the time of a question."""
    text = sql_text("views.sql").replace("CROSS JOIN clock", "").replace("clock.now_s", repr(float(now_s)))
    if not has_run_words:
        text = text.replace("LEFT JOIN word_run w ON w.run_key = r.run_key", "")
        text = re.sub(r"\bw\.is_\w+", "CAST(NULL AS BOOLEAN)", text)
        text = re.sub(r"\bw\.(name|note)\b", "CAST(NULL AS VARCHAR)", text)
    return text


def _insert(connection: DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    """One statement for all rows: 10,000 tags take 10 ms, row by row they take 900."""
    if rows:
        columns = [_column(list(column)) for column in zip(*rows, strict=True)]
        places = ", ".join(place for place, _value in columns)
        connection.execute(f"INSERT INTO {table} SELECT {places}", [value for _place, value in columns])


def _column(values: list[Any]) -> tuple[str, object]:
    """A column of an INSERT and what is bound for it: texts travel as one text, in a third of the time of a list."""
    if all(isinstance(value, str) and _SEPARATOR not in value for value in values):
        return f"unnest(string_split(?, chr({ord(_SEPARATOR)})))", _SEPARATOR.join(values)
    return "unnest(?)", values


def _moved(connection: DuckDBPyConnection, words: journal.Words) -> dict[str, str]:
    """For each key in the journal whose run has moved or was joined to another, the key of the run that it means now.

    One that moved is known by its fingerprint. A run that is missing keeps its words: the ingest forgets it only when
    it has moved.
    """
    said = [(print_, key) for print_, keys in words.fingerprints.items() for key in keys]
    if not said:
        return {}
    unknown = _not_of_a_run(connection, [key for _print, key in said])
    wanted = {print_ for print_, key in said if key in unknown}
    if not wanted:
        return {}
    heirs: dict[str, list[str]] = {}
    for print_, key in connection.execute(_HEIRS, [sorted(wanted)]).fetchall():
        heirs.setdefault(print_, []).append(key)
    moved = {key: heirs[print_][0] for print_, key in said if key in unknown and len(heirs.get(print_, [])) == 1}
    return moved | _joined(connection, sorted(unknown - moved.keys()))


def _joined(connection: DuckDBPyConnection, keys: list[str]) -> dict[str, str]:
    """For keys that are no runs any more, the one run that the records in that folder belong to now (0034)."""
    if not keys:
        return {}
    place, value = _column(keys)
    return dict(connection.execute(_JOINED.format(keys=place), [value]).fetchall())


def _not_of_a_run(connection: DuckDBPyConnection, keys: list[str]) -> set[str]:
    place, value = _column(keys)
    sql = f"SELECT key FROM (SELECT {place} AS key) AS said WHERE key NOT IN (SELECT run_key FROM run)"
    return {key for (key,) in connection.execute(sql, [value]).fetchall()}


def _word_rows(words: journal.Words) -> dict[str, list[tuple[Any, ...]]]:
    names, notes, baselines = words.names, words.notes, set(words.baselines.values())
    keys = baselines | words.archived | names.keys() | notes.keys()
    return {
        "word_run": [
            (
                key,
                names.get(key),
                notes[key][-1].body if key in notes else None,
                key in words.archived,
                key in baselines,
            )
            for key in sorted(keys)
        ],
        "word_tag": [(key, tag) for key, tags in sorted(words.tags.items()) for tag in tags],
        "word_note": [
            (key, note.body, note.author, note.at_s) for key, texts in sorted(notes.items()) for note in texts
        ],
        "word_goal": sorted(words.goals.items()),
        "word_view": sorted(words.views.items()),
    }
