"""Promises of `mlbench sql`: what can be asked, that nothing else is within reach, and that no query runs away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlbench.catalog.locked import add_points, check_statement, lock
from mlbench.catalog.reader import Reader, open_reader
from mlbench.errors import HomeError, UsageError
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home, find_home
from mlbench.queries.select import VIEWS, Limits, plain_value, select_rows
from tests.paths import ROOT
from tests.unit.queries.escapes import ESCAPES

CANARY = "the content of a file that no query may see"
LOGS = ROOT / "sample_runs" / "logs" / "first-try"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with three runs."""
    made = find_home(str(tmp_path_factory.mktemp("home")))
    ingest_paths(made, [str(LOGS)])
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one secret."""
    (tmp_path / "secret.csv").write_text(f"word\n{CANARY}\n", encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def locked(home: Home) -> Iterator[Reader]:
    """A locked reader; one for all tests, since the lock is on every connection of the process to the same file."""
    with open_reader(home) as reader:
        add_points(reader, is_asked=True)
        lock(reader.connection, memory_mb=256)
        yield reader


def aimed(sql: str, folder: Path) -> str:
    return sql.replace("SECRET", str(folder / "secret.csv")).replace("OUT", str(folder / "out"))


def contents(folder: Path) -> dict[str, str]:
    return {str(path): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


# ---------------------------------------------------------------- what can be asked


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_can_be_asked(locked: Reader, view: str) -> None:
    sql = f"SELECT * FROM {view} LIMIT 2"

    check_statement(locked.connection, sql)

    assert len(locked.rows(sql)) <= 2


def test_an_answer_has_the_names_and_values_of_sql(home: Home) -> None:
    answer = select_rows(home, "SELECT name, status, n_points > 0 AS has, 1.5 AS x FROM runs ORDER BY name LIMIT 2")

    assert answer.keys == ("name", "status", "has", "x")
    assert answer.rows == (("seed0", "finished", True, 1.5), ("seed1", "finished", True, 1.5))
    assert not answer.is_cut


def test_points_are_read_from_their_segments(home: Home) -> None:
    points = "SELECT run_id, metric, count(*) AS n_found, min(value) AS low FROM points GROUP BY ALL"
    sql = f"SELECT count(*), sum(n_found), count(*) FILTER (low = s.min_value) FROM ({points}) p JOIN series s USING (run_id, metric)"

    ((n_series, n_points, n_alike),) = select_rows(home, sql).rows

    assert n_series == n_alike == 48
    assert n_points == select_rows(home, "SELECT sum(n_raw) FROM series").rows[0][0]


def test_rows_beyond_the_limit_are_left_out_and_told(home: Home) -> None:
    answer = select_rows(home, "SELECT i FROM range(100000) t(i) ORDER BY i", Limits(n_rows=3))

    assert answer.rows == ((0,), (1,), (2,))
    assert answer.is_cut
    assert not select_rows(home, "SELECT 1", Limits(n_rows=1)).is_cut


def test_an_answer_without_rows_has_its_names(home: Home) -> None:
    answer = select_rows(home, "SELECT name FROM runs WHERE false")

    assert (answer.keys, answer.rows) == (("name",), ())


def test_values_are_what_answers_hold(home: Home) -> None:
    sql = (
        "SELECT sum(2), 0.1::DECIMAL(5, 3), 12345678901234567890123, DATE '2026-01-12', TIMESTAMP '2026-01-12 09:30:00', "
        "TIMESTAMPTZ '2026-01-12 09:30:00+02', ['a', 'b'], [1, 2], {'a': 1}, 'x'::BLOB, TIME '09:30:00', NULL, "
        "'nan'::DOUBLE IS NOT NULL"
    )

    assert select_rows(home, sql).rows[0] == (
        2, 0.1, 12345678901234567890123, "2026-01-12", datetime(2026, 1, 12, 9, 30), datetime(2026, 1, 12, 7, 30),  # noqa: DTZ001 - answers are naive UTC
        ("a", "b"), "[1, 2]", '{"a": 1}', "78", "09:30:00", None, True,
    )  # fmt: skip


def test_a_value_that_nothing_else_fits_is_json() -> None:
    moment = datetime(2026, 1, 12, tzinfo=UTC)

    assert plain_value({"a": [b"\x01", moment]}) == '{"a": ["01", "2026-01-12T00:00:00+00:00"]}'


def test_an_empty_home_has_empty_views(tmp_path: Path) -> None:
    assert select_rows(find_home(str(tmp_path)), "SELECT count(*) FROM points, runs").rows == ((0,),)


def test_a_damaged_segment_is_told(tmp_path: Path) -> None:
    home = find_home(str(tmp_path / "home"))
    ingest_paths(home, [str(LOGS / "seed0")])
    (segment,) = Path(home.points).glob("*.parquet")
    segment.write_bytes(segment.read_bytes()[:-1] + b"x")

    with pytest.raises(HomeError, match=r"was damaged on disk. Try: mlbench rebuild"):
        select_rows(home, "SELECT count(*) FROM points")
    assert select_rows(home, "SELECT count(*) FROM runs").rows == ((1,),)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nme FROM runs", 'the SQL cannot be run: Referenced column "nme" not found in FROM clause!'),
        ("SELECT * FROM rnus", 'the SQL cannot be run: Table with name rnus does not exist!\n  Did you mean "runs"?'),
        ("SELEC 1", "the SQL cannot be run: syntax error at or near"),
        ("DROP TABLE run", "one SELECT is all that can be run here, and this is DROP. Try: SELECT name, status FROM runs"),
        ("PIVOT runs ON status", "one SELECT is all that can be run here, and this is PIVOT, which is several. Try: "),
        ("", "one SELECT is all that can be run here, and this is nothing. Try: SELECT name, status FROM runs"),
        ("WITH x AS (COPY runs TO 'x') SELECT 1", "one SELECT is all that can be run here, and it may hold no COPY"),
        ("SELECT * FROM read_csv('/etc/passwd')", "'read_csv' cannot be read from: no file, no network and no setting is within reach"),
        ("SELECT getenv('HOME')", "there is no function 'getenv' here. Try: SELECT name FROM runs"),
        ("SELECT 1\0", "a statement may hold no NUL character"),
        ("SELECT '\ud800' AS x, y", "the SQL cannot be run: "),
        ("SELECT " + "[" * 20_000 + "]" * 20_000, "the "),
        ("SELECT " + "x" * 100_000, "a statement may have 100,000 characters"),
        ("SELECT error('x')", "the SQL cannot be run: "),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_a_line(home: Home, sql: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        select_rows(home, sql)

    assert str(raised.value).startswith(message)


# ---------------------------------------------------------------- that nothing else is within reach


def test_there_are_enough_escapes() -> None:
    assert len(set(ESCAPES)) == len(ESCAPES) >= 130


@pytest.mark.parametrize("escape", ESCAPES)
def test_an_escape_is_refused(locked: Reader, folder: Path, escape: str) -> None:
    before = contents(folder)

    with pytest.raises(Exception) as raised:  # noqa: PT011, PT012 - ours, or DuckDB's, which the process makes ours
        check_statement(locked.connection, aimed(escape, folder))
        locked.rows(aimed(escape, folder))

    assert type(raised.value) is UsageError or type(raised.value).__module__ == "_duckdb"
    assert CANARY not in str(raised.value)
    assert contents(folder) == before


@pytest.mark.parametrize("escape", ESCAPES)
def test_the_locked_connection_holds_by_itself(locked: Reader, folder: Path, escape: str) -> None:
    """Without the look at the statement: no secret is seen, no file is made or changed, no setting is opened."""
    before = contents(folder)

    try:
        answer = str(locked.rows(aimed(escape, folder)))
    except Exception as error:  # noqa: BLE001 - most are refused
        answer = str(error)

    assert CANARY not in answer
    assert contents(folder) == before
    if escape.startswith("BEGIN"):
        locked.rows("ROLLBACK")
    with pytest.raises(Exception, match=r"disabled|does not exist|Permission|closed|transaction"):
        locked.rows(f"SELECT * FROM read_text('{folder / 'secret.csv'}')")


@pytest.mark.parametrize(
    "escape",
    [
        "SELECT * FROM read_csv('SECRET')",
        "FROM 'SECRET'",
        "WITH x AS (COPY runs TO 'OUT') SELECT 1",
        "COPY (SELECT 'x') TO 'SECRET' (FORMAT csv, USE_TMP_FILE false)",
        "SET enable_external_access = true",
        "SELECT * FROM query('SELECT * FROM read_text(''SECRET'')')",
    ],
)
def test_the_whole_way_refuses_too(home: Home, folder: Path, escape: str) -> None:
    before = contents(folder)

    with pytest.raises(UsageError):
        select_rows(home, aimed(escape, folder))

    assert contents(folder) == before


def test_the_process_can_write_no_file(tmp_path: Path) -> None:
    """The third wall: whatever the SQL came to, the process it runs in has no right to a byte of a file."""
    script = (
        "from mlbench.catalog.locked import _limit_process\n"
        "_limit_process({'timeout_s': 5, 'memory_mb': 256})\n"
        f"with open({str(tmp_path / 'x')!r}, 'w') as file:\n    file.write('a')\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)

    assert done.returncode != 0
    assert not (tmp_path / "x").exists() or (tmp_path / "x").read_bytes() == b""


def test_what_lies_in_the_current_directory_is_not_run(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("duckdb.py", "json.py", "mlbench.py"):
        (tmp_path / name).write_text("raise SystemExit('run')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert select_rows(home, "SELECT 1").rows == ((1,),)


# ---------------------------------------------------------------- that no query runs away

RUNAWAYS = (
    "SELECT count(*) FROM range(1000000000) a, range(100000) b",
    "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r",
    "SELECT length(repeat('x', 2000000000))",
    "SELECT list_sum(range(2000000000))",
    "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
    "SELECT i, repeat('x', 100000) FROM range(100000) t(i)",
    "SELECT * FROM range(100000000000) ORDER BY hash(range) LIMIT 5",
)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the memory of a process is bounded on Linux only")
@pytest.mark.parametrize("sql", RUNAWAYS)
def test_a_runaway_is_stopped_in_three_seconds_and_one_gigabyte(home: Home, sql: str) -> None:
    watched = f"""
import resource, sys, time
from mlbench.errors import UsageError
from mlbench.paths import Home
from mlbench.queries.select import Limits, select_rows
start = time.monotonic()
try:
    select_rows(Home({home.journal!r}, {home.cache!r}, ''), {sql!r}, Limits(timeout_s=2))
except UsageError as error:
    print(time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10, error, sep='|')
"""
    # A process of its own, since the peak of children is never told for one of several; the fastest of three, since the
    # machine may be busy with something else.
    told = []
    for _attempt in range(3):
        done = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True, check=True, cwd=ROOT)
        told.append(done.stdout.split("|"))
        if float(told[-1][0]) < 3:
            break

    seconds, megabytes, message = told[-1]
    assert float(seconds) < 3
    assert int(megabytes) < 1000
    assert message.startswith(
        ("stopped after 2 s", "the query needs more memory", "the query took more", "the answer is")
    )


def test_the_time_limit_is_told_with_what_to_type(home: Home) -> None:
    start = time.monotonic()

    with pytest.raises(UsageError, match=r"^stopped after 0.5 s. Try: a narrower question, or --timeout 2$"):
        select_rows(home, RUNAWAYS[0], Limits(timeout_s=0.5))

    assert time.monotonic() - start < 3
