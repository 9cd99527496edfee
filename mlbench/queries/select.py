"""SQL of the user's own over the views of the catalog: run in a locked process of its own, with limits that hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mlbench.dataclass import dataclass
from mlbench.errors import HomeError, UsageError
from mlbench.paths import Home
from mlbench.queries.answers import Value
from mlbench.queries.fragment import bindable

if TYPE_CHECKING:
    import pyarrow as pa

VIEWS = (
    "runs", "params", "series", "points", "tags", "notes", "code", "environment", "data_versions", "artifacts",
    "lineage", "validations", "model_versions", "sources", "problems", "blobs",
)  # fmt: skip
"""What can be asked of; docs/reference/sql.md tells of each column."""
_KEPT_VARIABLES = (
    "PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "TMPDIR",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What a statement may take."""

    n_rows: int = 10_000
    """Rows of the answer; more are left out, and the answer says so."""
    timeout_s: float = 30.0
    """From the start of the process: opening the catalog and checking the points are part of it."""
    memory_mb: int = 512


@dataclass(frozen=True, slots=True)
class SelectAnswer:
    keys: tuple[str, ...]
    """As SQL names them: two may be equal."""
    rows: tuple[tuple[Value, ...], ...]
    is_cut: bool
    """There are more rows than were asked for."""


def select_rows(home: Home, sql: str, limits: Limits | None = None) -> SelectAnswer:
    """The rows of one SELECT.

    Args:
        home: whose catalog.
        sql: as typed; no part of it is trusted.
        limits: the usual ones by default.

    Raises:
        UsageError: it is no SELECT over the catalog, or it took more than it may.
        HomeError: the catalog cannot be read.
    """
    chosen = limits or Limits()
    table = _arrow(_run(home, sql, chosen))
    rows = [tuple(plain_value(value) for value in row) for row in _rows_of(table)]
    return SelectAnswer(tuple(table.column_names), tuple(rows[: chosen.n_rows]), len(rows) > chosen.n_rows)


def _run(home: Home, sql: str, limits: Limits) -> bytes:
    """The answer as an Arrow stream."""
    request = {
        "journal": home.journal, "cache": home.cache, "sql": bindable(sql), "n_rows": limits.n_rows,
        "timeout_s": limits.timeout_s, "memory_mb": limits.memory_mb,
    }  # fmt: skip
    # -P: what lies in the current directory is not imported.
    command = [sys.executable, "-P", "-W", "ignore", "-m", "mlbench.catalog.locked"]
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    with subprocess.Popen(  # noqa: S603 - our own module; the statement goes through a pipe
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        try:
            output, told = process.communicate(json.dumps(request).encode(), timeout=limits.timeout_s)
        except subprocess.TimeoutExpired:
            raise UsageError(
                f"stopped after {limits.timeout_s:g} s. Try: a narrower question, or --timeout {limits.timeout_s * 4:g}"
            ) from None
        finally:
            process.kill()
    return _checked(process.returncode, output, told.decode("utf-8", "replace"), limits)


def _checked(code: int, output: bytes, told: str, limits: Limits) -> bytes:
    if code == 0:
        return output
    if code == UsageError.exit_code and told:
        raise UsageError(told)
    if code == HomeError.exit_code and told:
        raise HomeError(told)
    if code < 0 or "MemoryError" in told or "bad_alloc" in told:
        raise UsageError(
            f"the query took more than it may ({limits.memory_mb} MB of memory) and was stopped. "
            "Try: fewer rows, or a larger --memory"
        )
    raise RuntimeError(f"the SQL process ended with {code}: {told.strip().rpartition(chr(10))[2]}")


def _arrow(stream: bytes) -> pa.Table:
    import pyarrow as pa

    return pa.ipc.open_stream(stream).read_all()


def _rows_of(table: pa.Table) -> Sequence[tuple[Any, ...]]:
    if not table.num_columns:
        return []
    return list(zip(*(_exact(column) for column in table.columns), strict=True))


def _exact(column: pa.ChunkedArray) -> list[Any]:
    """Python values; what no Python value can hold (nanoseconds, months) as text."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):  # a date before the year 1
        return list(column.cast(pa.string()).to_pylist())


# ---------------------------------------------------------------- values


def plain_value(value: object) -> Value:
    """A value of SQL as answers hold it: decimals and large integers as numbers, times in UTC, the rest as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.replace(tzinfo=None) - (value.utcoffset() or timedelta())
    if isinstance(value, Decimal):
        return _number_of(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return _text_of(value)


def _number_of(value: Decimal) -> Value:
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)


def _text_of(value: object) -> str:
    writers: tuple[tuple[type, Callable[[Any], str]], ...] = (
        (bytes, bytes.hex),
        (datetime, datetime.isoformat),
        (date, date.isoformat),
        (time, time.isoformat),
        (timedelta, str),
    )
    for kind, write in writers:
        if isinstance(value, kind):
            return write(value)
    return json.dumps(value, ensure_ascii=False, default=_text_of)
