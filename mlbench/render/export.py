"""Arrow tables and texts as files: exact values, and either the whole new file or the old one."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol

from mlbench.errors import SourceError, UsageError
from mlbench.safe import safe, text_of_path

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.queries.answers import Value

ENDINGS = {".parquet": "parquet", ".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".tsv": "tsv"}
"""Format by the ending of a file's name."""
ROWS_AT_ONCE = 65_536
"""Rows turned to text at a time: a series of millions of points never stands in memory as Python objects."""


def format_of(path: str) -> str:
    """The format that a file's ending asks for.

    Raises:
        UsageError: the ending is none of `ENDINGS`.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        shown = safe(text_of_path(path))
        raise UsageError(f"{shown}: cannot tell the format from the ending. Try one of: {', '.join(ENDINGS)}")
    return ENDINGS[ending]


def parquet_bytes(table: pa.Table) -> bytes:
    """The table as a Parquet file (zstd)."""
    out = io.BytesIO()
    write_table(table, out, "parquet")
    return out.getvalue()


def write_table(table: pa.Table, out: BinaryIO, form: str) -> None:
    """Write an Arrow table with exact values: NaN and infinity are kept, as text in csv, tsv and json.

    Raises:
        UsageError: `form` is none of the values of `ENDINGS`.
    """
    if form == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, out, compression="zstd")
    elif form in ENDINGS.values():
        for text in _texts(table, form):
            out.write(text.encode("utf-8", "backslashreplace"))
    else:
        raise UsageError(f"no format '{form}' for files. Try one of: {', '.join(sorted(set(ENDINGS.values())))}")


def _texts(table: pa.Table, form: str) -> Iterator[str]:
    """The table as text, some thousand rows at a time."""
    from mlbench.render import records

    keys = records.unique_keys(table.column_names)
    writer = {"csv": records.to_csv, "tsv": records.to_tsv, "jsonl": records.to_jsonl, "json": records.to_json}[form]
    if form == "json" and table.num_rows:
        yield from _json_texts(table, keys)
        return
    head = writer(records.Records(keys, ()))
    yield head
    for batch in table.to_batches(ROWS_AT_ONCE):
        body = writer(records.Records(keys, _rows(batch)))
        yield body if form == "jsonl" else body[len(head) :]


def _json_texts(table: pa.Table, keys: tuple[str, ...]) -> Iterator[str]:
    from mlbench.render import records

    between = "["
    for batch in table.to_batches(ROWS_AT_ONCE):
        yield between + records.to_json(records.Records(keys, _rows(batch))).removeprefix("[").removesuffix("\n]\n")
        between = ","
    yield "\n]\n"


def _rows(batch: pa.RecordBatch) -> tuple[tuple[Value, ...], ...]:
    columns = [[_plain(value) for value in column.to_pylist()] for column in batch.columns]
    return tuple(zip(*columns, strict=True))


def _plain(value: Value | list[str]) -> Value:
    return tuple(value) if isinstance(value, list) else value


class _Writes(Protocol):
    def __call__(self, out: BinaryIO, /) -> object: ...


def write_file(path: str, content: bytes | str, *, is_new: bool = False) -> None:
    """Write a whole file at once: a reader, or a crash, sees the old file or the new one.

    Args:
        path: where; its folder must exist.
        content: text is written as UTF-8.
        is_new: refuse to replace a file.

    Raises:
        SourceError: it exists (with `is_new`), or it cannot be written.
    """
    raw = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    replace_file(path, lambda out: out.write(raw), is_new=is_new)


def write_table_file(path: str, table: pa.Table, *, is_new: bool = False) -> None:
    """Write an Arrow table in the format of the path's ending, as `write_file` does.

    Raises:
        UsageError: the ending is none of `ENDINGS`.
        SourceError: it exists (with `is_new`), or it cannot be written.
    """
    form = format_of(path)
    replace_file(path, lambda out: write_table(table, out, form), is_new=is_new)


def replace_file(path: str, write: _Writes, *, is_new: bool = False) -> None:
    """Call `write` on a temporary file beside `path`, then move it there. Raises as `write_file` does."""
    shown = safe(text_of_path(path))
    temporary = os.path.join(os.path.dirname(path) or ".", f".mlbench-{secrets.token_hex(8)}.tmp")
    try:
        _write_and_move(temporary, path, write, is_new=is_new)
    except FileExistsError as error:
        raise SourceError(f"{shown}: is there already and is not replaced. Give another name") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(f"{shown}: cannot be written: {reason}. Check the folder and the room on the disk") from error


def _write_and_move(temporary: str, path: str, write: _Writes, *, is_new: bool) -> None:
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as out:
            write(out)
            out.flush()
            os.fsync(out.fileno())
        if is_new:
            os.link(temporary, path)  # fails where the name is taken, which a test before it could not promise
        else:
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
