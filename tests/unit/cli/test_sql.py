"""`mlbench sql` as it is typed."""

import io
import json
import sys
from collections.abc import Callable

import pytest

from tests.unit.cli.conftest import Done

Mlbench = Callable[..., Done]


def test_rows_are_printed_in_every_format(mlbench: Mlbench) -> None:
    sql = "SELECT name, n_metrics FROM runs ORDER BY name LIMIT 2"

    assert mlbench("sql", sql).out == "name\tn_metrics\nlogs/first-try/seed0\t16\nlogs/first-try/seed1\t16\n"
    assert mlbench("sql", sql, "--format", "csv").out.startswith("name,n_metrics\n")
    assert json.loads(mlbench("sql", sql, "--format", "json").out)[1] == {
        "name": "logs/first-try/seed1",
        "n_metrics": 16,
    }
    assert "logs/first-try/seed0         16" in mlbench("sql", sql, "--format", "table").out


def test_two_columns_of_one_name_are_told_apart(mlbench: Mlbench) -> None:
    assert mlbench("sql", "SELECT 1 AS a, 2 AS a").out == "a\ta#2\n1\t2\n"


def test_a_file_is_refused_with_a_clear_line(mlbench: Mlbench) -> None:
    done = mlbench("sql", "select * from read_csv('/etc/passwd')")

    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "mlbench: 'read_csv' cannot be read from: no file, no network and no setting is within reach, only the views of "
        "the catalog. Table functions are generate_series, json_each, json_tree, range, unnest. "
        "Try: SELECT * FROM runs\n"
    )


def test_more_rows_than_the_limit_are_told(mlbench: Mlbench) -> None:
    done = mlbench("sql", "FROM range(5)", "--limit", "2")

    assert done.out == "range\n0\n1\n"
    assert done.err == "mlbench: the first 2 rows; there are more. Try: --limit 20, or a narrower question\n"


def test_a_dash_reads_the_statement_from_standard_input(mlbench: Mlbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 1\nAS one"))

    assert mlbench("sql", "-").out == "one\n1\n"


def test_the_users_words_are_in_the_views(mlbench: Mlbench) -> None:
    mlbench("tag", "first-try/seed0", "+mine")

    assert (
        mlbench("sql", "SELECT r.name FROM tags t JOIN runs r ON r.id = t.run_id").out == "name\nlogs/first-try/seed0\n"
    )


def test_text_of_logs_is_cleaned_before_the_terminal(mlbench: Mlbench) -> None:
    done = mlbench("sql", "SELECT chr(27) || '[2J' AS x")

    assert "\x1b" not in done.out
