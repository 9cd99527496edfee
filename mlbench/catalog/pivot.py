"""The wide pivot: parameters and summaries of metrics side by side, one row a run, for filters, sorts and tables.

`param` and `series` hold one row for each key of a run. To ask for twelve keys of every run would mean twelve joins
over millions of rows; here they are columns. A column has a number, never a name: `wide_key` says which key of which
kind has which slot of which page, so that no text of a log becomes part of SQL. A page is SLOTS keys. The first page of
both kinds lies in one table with what `run` says, a row for each run, so that most questions join nothing; every other
page is a table of its own, and a run has a row only in those of which it has a key: catalogs of many projects stay as
small as their rows.

All of it is made from the other tables when a snapshot is published, for the runs that are new since the last time:
those are the ones of which `run` has no number yet. Which number a run has is settled when it is committed, so that
its parameters and series are written once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from mlbench.catalog.arrays import cells_by_place
from mlbench.catalog.connection import insert, roll_back
from mlbench.dataclass import dataclass

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

FRONT = "wide_run"
"""The table of every run with its fields and the first page of each kind."""
SLOTS = 64
"""Keys of one page."""
STEP = 8
"""A table has columns for so many keys more, when it needs them: to make and write one that is empty takes 0.25 ms."""
MAX_PAGES = 64
"""Pages of one kind. Keys beyond them, those that the fewest runs have, are read from the rows: a sweep that names a
parameter after each run must not make a table of a million columns."""
CHUNK_RUNS = 1_000
"""Runs that are laid out at once; bounds the memory (1,000 runs x 70 keys: about 12 MB)."""
ROOMY_RUNS, ROOMY_CELLS = 4_096, 400_000
"""The same where there is room for more: a whole group of rows, which DuckDB need not put together with others; of runs
with many keys not more than have so many cells, or CHUNK_RUNS."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is laid out for one kind of key."""

    columns: tuple[tuple[str, str], ...]
    """Name before the slot's number, and SQL type; the first is not NULL where the run has the key."""
    source: str
    """Rows of the new runs: run_no, name, and the columns. A later row of the same run and name wins."""


_NUMBER_OF = (
    "CASE WHEN {p}.type IN ('int', 'float') THEN {p}.num WHEN {p}.type = 'str' THEN TRY_CAST({p}.txt AS DOUBLE) END"
)
"""The number of a parameter, also where a source has it as text."""
_AS_IT_IS = "DOUBLE USING COMPRESSION uncompressed"
"""Values that were measured: to look for what they have in common takes time and saves nothing."""
KINDS = {
    "param": Kind(
        (("t", "VARCHAR"), ("n", "DOUBLE"), ("s", "VARCHAR"), ("r", "VARCHAR")),
        f"""SELECT fresh.run_no, p.key AS name, coalesce(p.type, 'str') AS t, {_NUMBER_OF.format(p="p")} AS n,
            CASE WHEN p.type = 'null' THEN p.raw ELSE p.txt END AS s,
            CASE WHEN p.type <> 'null' AND p.raw <> p.txt THEN p.raw END AS r
        FROM param p JOIN fresh ON fresh.run_no = p.run_no WHERE p.is_effective""",
    ),
    "metric": Kind(
        (("i", "BIGINT"), ("last", _AS_IT_IS), ("min", _AS_IT_IS), ("max", _AS_IT_IS)),
        # Where several sources of a run log one metric, the series with most points stands for it.
        """SELECT fresh.run_no, s.metric AS name, s.series_id AS i, s.last_value AS "last", s.min_value AS "min",
            s.max_value AS "max"
        FROM series s JOIN fresh ON fresh.run_no = s.run_no
        QUALIFY row_number() OVER (PARTITION BY s.run_no, s.metric ORDER BY s.n DESC, s.n_raw DESC, s.series_id) = 1""",
    ),
}
_GONE = f"SELECT run_no FROM {FRONT} WHERE run_no NOT IN (SELECT run_no FROM run WHERE run_no IS NOT NULL)"
_CHOSEN = "run_no IN (SELECT unnest(CAST(? AS INTEGER[])))"
_MARKED = f"""FROM run WHERE run.run_no = {FRONT}.run_no AND run.is_missing IS DISTINCT FROM {FRONT}.is_missing"""
_OWN = "SELECT * EXCLUDE (hint) FROM run"
"""A hint changes with other runs than its own, and nothing is filtered by it."""
NUMBER_RUNS = """
INSERT INTO run_row
SELECT run_id, (SELECT coalesce(max(run_no), 0) FROM run_row)
    + CAST(row_number() OVER (ORDER BY started_s NULLS LAST, run_key, run_id) AS INTEGER)
FROM run WHERE run_no IS NULL AND run_id NOT IN (SELECT run_id FROM run_row)"""
_SAID = {
    # md5_number_lower gives the same, by way of text: five times the time.
    "param": f"""CAST(md5_number(coalesce(
        CAST({_NUMBER_OF.format(p="incoming")} AS VARCHAR), txt)) >> 64 AS UBIGINT) AS same,
        CAST(least(length(txt), 65535) AS USMALLINT) AS n_chars, contains(raw, '${{') AS is_reference, """,
    "series": "",
}
"""What is worked out of each row of these tables when it is inserted, beside the number of its run."""
_TOTALS = """
UPDATE run SET run_no = t.run_no, n_series = t.n_series, n_points = t.n_points, last_wall_s = t.last_wall_s,
    n_notes = t.n_notes
FROM (
    SELECT n.run_id, n.run_no, coalesce(s.n_series, 0) AS n_series, coalesce(s.n_points, 0) AS n_points,
        s.last_wall_s, coalesce(m.n_notes, 0) AS n_notes
    FROM fresh n
    LEFT JOIN (SELECT run_id, count(*) AS n_series, CAST(sum(n_raw) AS BIGINT) AS n_points,
        max(last_wall_s) AS last_wall_s FROM series WHERE run_id IN (SELECT run_id FROM fresh) GROUP BY run_id) AS s
        ON s.run_id = n.run_id
    LEFT JOIN (SELECT run_id, count(*) AS n_notes FROM imported_note GROUP BY run_id) AS m ON m.run_id = n.run_id
) AS t WHERE run.run_id = t.run_id"""
_TEXT = """
INSERT INTO run_text
SELECT fresh.run_no, coalesce(lower(string_agg(said.txt, chr(31))), '') FROM fresh LEFT JOIN (
    SELECT run_id, txt FROM param WHERE is_effective
    UNION ALL SELECT run_id, key FROM imported_tag
    UNION ALL SELECT run_id, value FROM imported_tag
    UNION ALL SELECT run_id, body FROM imported_note
) AS said ON said.run_id = fresh.run_id GROUP BY fresh.run_no"""


def incoming(table: str, columns: Sequence[str]) -> str:
    """The rows of `incoming` on their way into a table; where they belong to runs, these have their numbers.

    Args:
        table: of the catalog.
        columns: that `incoming` has.
    """
    if table not in _SAID:
        return "SELECT * FROM incoming"
    own = "incoming.* EXCLUDE (run_no)" if "run_no" in columns else "incoming.*"
    return f"""SELECT {own}, {_SAID[table]}run_row.run_no
        FROM incoming LEFT JOIN run_row ON run_row.run_id = incoming.run_id"""


def page_name(kind: str, page: int) -> str:
    """The table of a page."""
    return f"wide_{kind}_{page}" if page else FRONT


def create_front(connection: DuckDBPyConnection, columns: Sequence[str] = ()) -> None:
    """Create the table of all runs, anew where it is there, with columns beside those of the table `run`."""
    own = connection.execute(f"DESCRIBE {_OWN}").fetchall()
    # Written out: to bind half a thousand casts takes three times as long.
    listed = [*(f"{name} {sql}" for name, sql, *_rest in own), *columns]
    connection.execute(f"CREATE OR REPLACE TABLE {FRONT} ({', '.join(listed)})")


def _slots(kind: str, first: int, stop: int) -> list[str]:
    """Name and SQL type of the columns of these slots."""
    return [f"{name}{slot} {sql}" for slot in range(first, stop) for name, sql in KINDS[kind].columns]


def refresh(connection: DuckDBPyConnection, *, is_roomy: bool = False) -> bool:
    """Lay out the runs that are new; take out those that are gone.

    A transaction for every CHUNK_RUNS of them, more where there is room, which bounds the memory; where one fails a
    later call does the rest.

    Args:
        connection: the writer's file; no transaction is open.
        is_roomy: there is memory for up to ROOMY_RUNS at once.

    Returns:
        Whether anything had changed.

    Raises:
        duckdb.Error: the file cannot be written.
    """
    is_changed, is_more = _refresh_some(connection, is_roomy)
    while is_more:
        _changed, is_more = _refresh_some(connection, is_roomy)
    return is_changed


def _refresh_some(connection: DuckDBPyConnection, is_roomy: bool) -> tuple[bool, bool]:
    """One transaction: whether anything had changed, and whether there is more to do."""
    gone = [row[0] for row in connection.execute(_GONE).fetchall()]
    is_new = connection.execute("SELECT 1 FROM run WHERE run_no IS NULL LIMIT 1").fetchone() is not None
    is_marked = connection.execute(f"SELECT 1 {_MARKED.replace('FROM run', f'FROM run, {FRONT}')} LIMIT 1").fetchone()
    if not gone and not is_new and not is_marked:
        return False, False
    is_more = False
    connection.execute("BEGIN")
    try:
        if is_marked:
            connection.execute(f"UPDATE {FRONT} SET is_missing = run.is_missing {_MARKED}")
        if gone or is_new:
            is_more = _Layout(connection).change(gone, is_roomy)
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
    finally:
        connection.execute("DROP TABLE IF EXISTS temp.fresh; DROP TABLE IF EXISTS temp.found")
    return True, is_more


@dataclass(slots=True)
class _Place:
    """Where a key stands: page and slot, None for one that has no column."""

    page: int | None
    slot: int | None
    n_runs: int = 0


class _Layout:
    """One change of the pivot, inside a transaction."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self._connection = connection
        self._keys: dict[str, dict[str, _Place]] = {kind: {} for kind in KINDS}
        for kind, name, page, slot, n_runs in self._rows("SELECT kind, name, page, slot, n_runs FROM wide_key"):
            self._keys[kind][name] = _Place(page, slot, n_runs)
        self._is_blank = not self._rows(f"SELECT 1 FROM {FRONT} LIMIT 1")
        self._known = {} if self._is_blank else self._needed()
        """How many slots each kind and page has at least."""

    def _needed(self) -> dict[tuple[str, int], int]:
        """How many slots each kind and page needs."""
        n_slots: dict[tuple[str, int], int] = {}
        for kind, keys in self._keys.items():
            for place in keys.values():
                if place.page is not None and place.slot is not None:
                    needed = min((place.slot // STEP + 1) * STEP, SLOTS)
                    n_slots[kind, place.page] = max(n_slots.get((kind, place.page), 0), needed)
        return n_slots

    def _rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(parameters)).fetchall()

    def change(self, gone: Sequence[int], is_roomy: bool) -> bool:
        """Take out the runs that are gone, lay out the first of those that are new; whether there are more."""
        if gone:
            self._take_out(gone)
        waiting = [row[0] for row in self._rows(
            "SELECT n.run_no FROM run r JOIN run_row n ON n.run_id = r.run_id WHERE r.run_no IS NULL ORDER BY 1"
        )]  # fmt: skip
        n_runs = self._n_at_once(waiting) if is_roomy and len(waiting) > CHUNK_RUNS else CHUNK_RUNS
        if waiting:
            self._lay_out(waiting[:n_runs])
        self._store_keys()
        return len(waiting) > n_runs

    def _n_at_once(self, waiting: Sequence[int]) -> int:
        """How many of these runs may be laid out at once, where there is room: as many as fill a group of rows."""
        ((n_there,),) = self._rows(f"SELECT count(*) FROM {FRONT}")
        counts = self._rows(
            "SELECT first.run_no, count(said.run_no) FROM (SELECT unnest(?) AS run_no) AS first LEFT JOIN "
            "(SELECT run_no FROM param UNION ALL SELECT run_no FROM series) AS said ON said.run_no = first.run_no "
            "GROUP BY 1 ORDER BY 1", [waiting[: ROOMY_RUNS - n_there % ROOMY_RUNS]]
        )  # fmt: skip
        n_runs = bisect_right(list(accumulate(n for _run_no, n in counts)), ROOMY_CELLS)
        return min(max(n_runs, CHUNK_RUNS), len(counts))

    def _take_out(self, gone: Sequence[int]) -> None:
        """Delete the rows of runs, and count their keys down."""
        counted: dict[str, dict[str, _Place]] = {FRONT: {}, "run_text": {}}
        for kind, keys in self._keys.items():
            first = KINDS[kind].columns[0][0]
            for place in keys.values():
                if place.page is not None:
                    counted.setdefault(page_name(kind, place.page), {})[f"{first}{place.slot}"] = place
        for table, places in counted.items():
            counts = ", ".join(f"count({column})" for column in places) or "count(*)"
            (row,) = self._rows(f"SELECT {counts} FROM {table} WHERE {_CHOSEN}", [gone])
            for place, n_runs in zip(places.values(), row, strict=False):
                place.n_runs -= n_runs
            self._rows(f"DELETE FROM {table} WHERE {_CHOSEN}", [gone])

    def _lay_out(self, run_nos: list[int]) -> None:
        self._rows("CREATE OR REPLACE TEMP TABLE fresh (run_id VARCHAR, run_no INTEGER)")
        self._rows("INSERT INTO fresh SELECT run_id, run_no FROM run_row WHERE run_no IN (SELECT unnest(?))", [run_nos])
        self._rows(_TOTALS)
        self._rows(_TEXT)
        own = self._connection.sql(f"{_OWN} WHERE {_CHOSEN} ORDER BY run_no", params=[run_nos]).to_arrow_table()
        front = dict(zip(own.column_names, own.columns, strict=True))
        laid_out = {kind: self._lay_out_kind(kind, run_nos) for kind in KINDS}
        new = {place: _slots(place[0], self._known.get(place, 0), n) for place, n in self._needed().items()}
        for kind, pages in laid_out.items():
            front |= pages.pop(0, {})
            for page, cells in pages.items():
                self._insert_page(kind, page, cells, run_nos, new[kind, page])
        columns = [column for kind in KINDS for column in new.get((kind, 0), ())]
        if self._is_blank:
            create_front(self._connection, columns)
        else:
            self._widen(FRONT, columns)
        self._insert(FRONT, front)

    def _widen(self, table: str, columns: Sequence[str]) -> None:
        for column in columns:
            self._rows(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}")

    def _lay_out_kind(self, kind: str, run_nos: list[int]) -> dict[int, dict[str, pa.Array]]:
        """The columns of each page, a cell for each run."""
        keys = self._keys[kind]
        self._rows(f"CREATE OR REPLACE TEMP TABLE found AS {KINDS[kind].source}")
        found = self._rows("SELECT name, count(DISTINCT run_no) AS n FROM found GROUP BY name ORDER BY n DESC, name")
        free = self._free(kind)
        for name, n_runs in found:
            if name not in keys:
                keys[name] = _Place(*next(free, (None, None)))
            keys[name].n_runs += n_runs
        named = {name: keys[name] for name, _n in found if keys[name].page is not None}
        return self._columns(kind, named, run_nos) if named else {}

    def _free(self, kind: str) -> Iterator[tuple[int, int]]:
        """The places that no key has, the first ones first; a place of a key that no run has any more is free."""
        keys = self._keys[kind]
        for name in [name for name, place in keys.items() if place.page is not None and place.n_runs <= 0]:
            del keys[name]
        taken = {(place.page, place.slot) for place in keys.values()}
        for page in range(MAX_PAGES):
            for slot in range(SLOTS):
                if (page, slot) not in taken:
                    yield page, slot

    def _columns(self, kind: str, named: dict[str, _Place], run_nos: list[int]) -> dict[int, dict[str, pa.Array]]:
        """Read the rows of the new runs in the order of the columns, and cut them into columns."""
        ordered = sorted(named, key=lambda name: (named[name].page, named[name].slot))
        columns = [column for column, _type in KINDS[kind].columns]
        listed = ", ".join(f'f."{column}"' for column in columns)
        rows = self._connection.sql(
            f"SELECT k.place, f.run_no, {listed} FROM found f "
            "JOIN (SELECT unnest(CAST(? AS VARCHAR[])) AS name, unnest(CAST(? AS INTEGER[])) AS place) AS k "
            "ON k.name = f.name ORDER BY k.place, f.run_no",
            params=[ordered, list(range(len(ordered)))],
        ).to_arrow_table()
        pages: dict[int, dict[str, pa.Array]] = {}
        for place, cells in cells_by_place(rows.combine_chunks(), run_nos):
            where = named[ordered[place]]
            page = pages.setdefault(where.page or 0, {})
            page.update({f"{column}{where.slot}": cells[column] for column in columns})
        return pages

    def _insert_page(
        self, kind: str, page: int, cells: dict[str, pa.Array], run_nos: list[int], columns: Sequence[str]
    ) -> None:  # fmt: skip
        """Insert the rows of those runs that have one of the page's keys, which may need more columns."""
        import pyarrow as pa
        import pyarrow.compute as pc

        table = page_name(kind, page)
        if self._rows("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]):
            self._widen(table, columns)
        else:
            self._rows(f"CREATE TABLE {table} (run_no INTEGER, {', '.join(columns)})")
        first = KINDS[kind].columns[0][0]
        filled = [array.is_valid() for name, array in cells.items() if name.removeprefix(first).isdigit()]
        is_there = filled[0]
        for mask in filled[1:]:
            is_there = pc.or_(is_there, mask)
        numbers = pa.array(run_nos, pa.int32()).filter(is_there)
        self._insert(table, {"run_no": numbers} | {name: array.filter(is_there) for name, array in cells.items()})

    def _insert(self, table: str, columns: dict[str, pa.Array]) -> None:
        import pyarrow as pa

        insert(self._connection, table, pa.table(columns))

    def _store_keys(self) -> None:
        """Write the dictionary anew; of keys without a column the runs are counted anew, too."""
        homeless = [name for name, place in self._keys["param"].items() if place.page is None]
        if homeless or any(place.page is None for place in self._keys["metric"].values()):
            self._count_homeless()
        rows = [
            (kind, name, place.page, place.slot, place.n_runs)
            for kind, keys in self._keys.items()
            for name, place in sorted(keys.items())
            if place.n_runs > 0
        ]
        self._rows("DELETE FROM wide_key")
        if rows:
            self._rows(
                "INSERT INTO wide_key SELECT unnest(CAST(? AS VARCHAR[])), unnest(CAST(? AS VARCHAR[])), "
                "unnest(CAST(? AS INTEGER[])), unnest(CAST(? AS INTEGER[])), unnest(CAST(? AS INTEGER[]))",
                [list(column) for column in zip(*rows, strict=True)],
            )

    def _count_homeless(self) -> None:
        for kind, sql in _COUNTS.items():
            counts: dict[str, int] = dict(self._rows(sql))
            for name, place in self._keys[kind].items():
                if place.page is None:
                    place.n_runs = counts.get(name, 0)


_COUNTS = {
    "param": "SELECT key, count(DISTINCT run_id) FROM param WHERE is_effective GROUP BY key",
    "metric": "SELECT metric, count(DISTINCT run_id) FROM series GROUP BY metric",
}
