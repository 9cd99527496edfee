"""The runs cut down to what a question names say what the view `runs` says."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from mlbench.catalog import pivot
from mlbench.catalog.connection import create_tables, sql_text
from mlbench.catalog.reader import _WORD_TABLES
from mlbench.catalog.runs_view import RunsView


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    made = duckdb.connect(":memory:")
    create_tables(made)
    made.execute(_WORD_TABLES)
    made.execute("INSERT INTO clock VALUES (5000)")
    made.execute(sql_text("views.sql"))
    for run_id, started_s, status, is_missing in (
        ("a", 1000.0, None, False),
        ("b", 2000.0, "running", False),
        ("c", None, "failed", False),
        ("d", 3000.0, "finished", True),
    ):
        made.execute(
            "INSERT INTO run (run_id, run_key, name, started_s, active_s, status, is_missing) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [run_id, f"/runs/{run_id}", f"run {run_id}", started_s, 1100.0, status, is_missing],
        )
    made.execute("INSERT INTO word_run VALUES ('/runs/b', 'mine', 'a note', true, false)")
    made.execute(pivot.NUMBER_RUNS)
    pivot.refresh(made)
    yield made
    made.close()


def test_each_column_says_what_the_view_says(connection: duckdb.DuckDBPyConnection) -> None:
    names = [row[0] for row in connection.execute("DESCRIBE runs").fetchall() if row[0] != "hint"]
    listed = ", ".join(f'r."{name}"' for name in names)

    relation = RunsView(sql_text("views.sql")).naming(listed)

    assert connection.execute(f"SELECT {listed} FROM {relation} AS r ORDER BY r.id").fetchall() == (
        connection.execute(f"SELECT {listed} FROM runs AS r ORDER BY r.id").fetchall()
    )


def test_nothing_is_read_and_joined_that_is_not_named() -> None:
    view = RunsView(sql_text("views.sql"))

    assert view.naming('r.id = ? AND r."group" = r.s3') == (
        '(SELECT r.run_id AS "id", r.group_name AS "group", r.s3 AS "s3" FROM wide_run r )'
    )
    assert "word_run" in view.naming("r.name")
    assert "clock" not in view.naming("r.name")
    assert "clock" in view.naming("r.status")
    assert "word_run" not in view.naming("r.status")


def test_runs_can_be_counted_without_a_column(connection: duckdb.DuckDBPyConnection) -> None:
    relation = RunsView(sql_text("views.sql")).naming("count(*)")

    assert connection.execute(f"SELECT count(*) FROM {relation} AS r").fetchall() == [(4,)]
