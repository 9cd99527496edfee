"""SQL of the user's own on a locked connection, in a process of its own: this module is that process.

Three walls, each enough by itself for what it is for. The statement is parsed by DuckDB and must be one query of
nothing but SELECTs and harmless table functions (a CTE can hold COPY and INSERT, and still counts as SELECT). The
connection has no file system, network, extension or setting left: points come as a pyarrow dataset, since allowing
DuckDB a folder (`allowed_directories`) allows it to write there too. The process can write no file, and has bounded
memory and time, since DuckDB's own limits do not hold within one function (`repeat('x', 2000000000)`).

A request comes as JSON on standard input. The answer goes to standard output as an Arrow stream with exit code 0; with
2 or 3 standard error says what is wrong. Anything else is a process that died of its limits.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlbench.errors import MlbenchError, UsageError
from mlbench.paths import Home

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

    from mlbench.catalog.reader import Reader

MAX_SQL = 100_000
"""Characters of a statement."""
MAX_ANSWER_BYTES = 128 << 20
"""Of an answer in Arrow's form: it is held in memory once here and once where it is printed."""
_BATCH_ROWS = 4096
_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree"})
_SECRETIVE = frozenset({"current_setting", "getenv", "getvariable", "nextval", "currval", "write_log"})
"""Functions that tell of the process, or change something, and answer no question about runs."""
_ONLY_SELECT = "one SELECT is all that can be run here"


def main() -> int:
    """Answer the request on standard input; returns the exit code."""
    import pyarrow as pa

    request = json.load(sys.stdin)
    home = Home(request["journal"], request["cache"], "--home")
    try:
        with _open_locked(home, request) as reader:
            _limit_process(request)
            schema, batches = _answered(reader.connection, request)
    except MlbenchError as error:
        sys.stderr.write(str(error))
        return error.exit_code
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return 0


def _open_locked(home: Home, request: Mapping[str, Any]) -> Reader:
    from mlbench.catalog.reader import open_reader

    reader = open_reader(home)
    # No other statement can name the view; whoever asks which views there are shall see it all the same.
    add_points(reader, is_asked="point" in request["sql"].lower())
    lock(reader.connection, memory_mb=request["memory_mb"])
    return reader


def add_points(reader: Reader, *, is_asked: bool) -> None:
    """Make the view `points`; where nobody asks it is empty, and no segment is checked for it.

    Raises:
        HomeError: a segment is missing or damaged.
    """
    from mlbench.catalog.connection import sql_text
    from mlbench.catalog.layout import point_schema

    reader.rows("SELECT 1")  # DuckDB registers nothing while an older result is not fetched to its end
    plain, told = reader.all_points() if is_asked else (point_schema().empty_table(), None)
    reader.connection.register("point", plain)
    reader.connection.register("told_point", told if told and told.paths else point_schema().empty_table())
    reader.connection.execute(sql_text("points.sql"))


def lock(connection: DuckDBPyConnection, *, memory_mb: int) -> None:
    """Take everything from a connection but the reading of what is in it. There is no way back."""
    for setting in (
        "threads = 2", f"memory_limit = '{int(memory_mb)}MB'", "max_temp_directory_size = '0B'",
        "allow_community_extensions = false", "autoinstall_known_extensions = false",
        "autoload_known_extensions = false", "enable_external_access = false", "lock_configuration = true",
    ):  # fmt: skip
        connection.execute(f"SET {setting}")


def _limit_process(request: Mapping[str, Any]) -> None:
    """No file can be written, and memory and time are bounded from here on."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds = int(request["timeout_s"]) + 1
    used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    # Two threads work: this only ends what has lost the parent that would have stopped it.
    resource.setrlimit(resource.RLIMIT_CPU, (used + 2 * seconds, used + 2 * seconds + 1))
    if taken := _address_space():
        limit = taken + (int(request["memory_mb"]) << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _address_space() -> int:
    """Bytes of address space that the process has now; 0 where the system does not tell (only Linux does)."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


# ---------------------------------------------------------------- the statement


def _answered(connection: DuckDBPyConnection, request: Mapping[str, Any]) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    """The first rows, one more than asked for where there are more.

    Raises:
        UsageError: the statement is no query, fails, or takes more than it may.
    """
    import duckdb
    import pyarrow as pa

    check_statement(connection, request["sql"])
    try:
        reader: pa.RecordBatchReader = connection.sql(request["sql"]).to_arrow_reader(_BATCH_ROWS)
        return reader.schema, list(_first(reader, int(request["n_rows"]) + 1))
    except (duckdb.Error, pa.ArrowException, OSError, MemoryError) as error:
        if isinstance(error, MemoryError) or "Out of Memory" in str(error):
            message = "the query needs more memory than it may have. Try: fewer rows, or a larger --memory"
            raise UsageError(message) from error
        raise UsageError(_told(error)) from error


def _first(batches: pa.RecordBatchReader, n_rows: int) -> Iterator[pa.RecordBatch]:
    n_bytes = 0
    for batch in batches:
        n_bytes += batch.nbytes
        if n_bytes > MAX_ANSWER_BYTES:
            raise UsageError(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MB. Try: fewer columns, or a LIMIT")
        yield batch.slice(0, n_rows)
        n_rows -= batch.num_rows
        if n_rows <= 0:
            return


def check_statement(connection: DuckDBPyConnection, sql: str) -> None:
    """See that a text is one query that only reads.

    Raises:
        UsageError: it is not; the message says which part is none.
    """
    import duckdb

    if len(sql) > MAX_SQL:
        raise UsageError(f"a statement may have {MAX_SQL:,} characters, this one has {len(sql):,}")
    if "\0" in sql:
        raise UsageError("a statement may hold no NUL character: what stands behind it would not be looked at")
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise UsageError(_told(error)) from error
    kinds = ", ".join(map(_kind_of, statements[:5])) or "nothing"
    if len(statements) != 1 or kinds != "SELECT":
        raise UsageError(f"{_ONLY_SELECT}, and this is {kinds}. Try: SELECT name, status FROM runs")
    tree = _tree_of(connection, sql)
    if tree["error"]:
        raise UsageError(
            f"{_ONLY_SELECT} ({tree.get('error_message', 'it cannot be read')}). Try: SELECT name FROM runs"
        )
    _check_parts(tree["statements"])


def _tree_of(connection: DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """The statement as DuckDB's parser sees it."""
    import duckdb

    try:
        tree: dict[str, Any] = json.loads(connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0])
    except (duckdb.Error, RecursionError) as error:
        raise UsageError("the SQL is nested too deeply to be looked at. Try: fewer levels") from error
    return tree


def _kind_of(statement: duckdb.Statement) -> str:
    try:
        kind = str(statement.type).rpartition(".")[2]
        return "PIVOT, which is several" if kind == "MULTI" else kind
    except ValueError:  # DuckDB has more kinds of statements than names for them
        return "something else"


def _check_parts(tree: object) -> None:
    todo = [tree]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            _check_part(part)
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)


def _check_part(part: Mapping[str, Any]) -> None:
    kind = part.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _QUERIES:
        word = kind.removesuffix("_NODE").removesuffix("_QUERY")
        raise UsageError(f"{_ONLY_SELECT}, and it may hold no {word}")
    if kind == "TABLE_FUNCTION":
        name = part["function"]["function_name"].lower()
        if name not in _TABLE_FUNCTIONS:
            known = ", ".join(sorted(_TABLE_FUNCTIONS))
            raise UsageError(
                f"'{name}' cannot be read from: no file, no network and no setting is within reach, only the views of "
                f"the catalog. Table functions are {known}. Try: SELECT * FROM runs"
            )
    if kind == "FUNCTION" and str(part.get("function_name")).lower() in _SECRETIVE:
        raise UsageError(f"there is no function '{part['function_name']}' here. Try: SELECT name FROM runs")


def _told(error: Exception) -> str:
    """DuckDB's words without the name of its exception; the line with the caret stays."""
    message, _newline, place = str(error).partition("\n")
    kind, _colon, rest = message.partition(" Error: ")
    told = rest if rest and " " not in kind.strip() else message
    if kind == "Permission":
        told = f"no file, no network and no setting is within reach, only the views of the catalog ({told})"
    lines = [line for line in place.splitlines() if line.strip()]
    return "\n".join(["the SQL cannot be run: " + told, *(f"  {line}" for line in lines[:8])])


if __name__ == "__main__":
    sys.exit(main())
