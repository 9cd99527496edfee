"""What schema.sql and views.sql say of tables, views and columns in their comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_TABLE = re.compile(r"CREATE TABLE (\w+) \((.*?)\);[ \t]*(?:--[ \t]*([^\n]*))?$", re.DOTALL | re.MULTILINE)
_VIEW = re.compile(r"CREATE TEMP VIEW (\w+) AS\s(.*?);[ \t]*(?:\n|$)", re.DOTALL)
_ALIAS = re.compile(r'(?:\w+\.)?(\w+)\)?\s+AS\s+"?(\w+)"?')

SAME_EVERYWHERE = {
    "run_id": "the run, as `runs.id`",
    "run_key": "the run, as `runs.key`",
    "project": "recorded, else the git repository's name, else the root's",
    "group_name": "recorded, else the parent folder",
    "host": "as recorded",
    "user_name": "as recorded",
    "command": "as recorded",
    "entry_point": "as recorded",
    "job_type": "as recorded",
    "exit_code": "as recorded",
    "status_how": "`recorded`, or told from the `last point`",
    "archived": "the user's mark",
    "baseline": "the user's mark",
    "validation.baseline": "the run that it was compared with",
    "n_metrics": "number of series",
    "n_points": "number of points, all that were logged",
    "key": "its name",
    "param.key": "dotted: `optim.lr`",
    "meta.key": "`schema_version`, `mlbench_version` or `generation`, which rises with every snapshot",
    "ended": "recorded, else the last sign of life; UTC",
    "read_at": "when it was last read, UTC",
    "since": "when it was first seen, UTC",
    "line": "1-based line in that file, where known",
    "tag": "its name",
    "value": "as text",
    "origin": "`mlbench` or `imported`",
    "body": "the text",
    "author": "who wrote it",
    "at_s": "when",
    "adapter": "name of the adapter",
    "adapter_version": "its version when it read",
    "role": "`events`, `metrics`, `tracker`, `dump` or `context`",
    "artifact.role": "`input` or `output`",
    "size_bytes": "bytes",
    "mtime_ns": "time of the last change, nanoseconds",
    "inode": "number of the file on its disk",
    "n_records": "records read so far",
    "n_bad": "records that were left out",
    "read_s": "when it was last read",
    "source_id": "number of the source",
    "series_id": "number of the series",
    "source_path": "the file",
    "place": "where in it: `line 12`, `offset 4096`",
    "what": "what is wrong with it",
    "hint": "what to do, or what it may be",
    "since_s": "when it was first seen",
    "system": "what the version is one of: dvc, git-lfs, delta, hash, ...",
    "name": "its name",
    "version": "the version",
    "n_rows": "rows",
    "schema_text": "columns and types, as recorded",
    "is_pinned": "false: a branch or another name that moves, or a version that is only guessed",
    "commit_id": "hexadecimal id, or as much of it as was recorded",
    "branch": "as recorded",
    "is_dirty": "whether files were changed; NULL where that was not recorded",
    "remote": "without credentials",
    "subject": "first line of the commit's message",
    "committed_s": "when it was committed",
    "repository": "path of the work tree on this machine",
    "kind": "image, histogram, text, audio, tensor, graph, pr_curve, hparams, layout, table or confusion",
    "artifact.kind": "model, dataset, file, ...",
    "lineage_edge.step": "kind of the artifact, or what a data set was used for",
    "data_version.role": "what the run used it for, as recorded: training, validation, ...",
    "created_s": "when it was made",
    "metric": "name of the metric",
    "step": "the step",
    "wall_s": "wall time",
    "seq": "place among all values of the source",
    "byte_offset": "where in the file it begins",
    "byte_length": "how long it is there",
    "encoding": "png, jpeg, utf-8, proto, ...",
    "width": "pixels",
    "height": "pixels",
    "file": "name of the file in `points/`",
    "hash": "of its content",
    "uri": "where it lies",
    "digest": "hash of its content, as recorded",
    "direction": "`input` or `output`",
    "detail": "what is known beside",
    "aliases": "names that point to this version: `champion`, `production`",
    "status": "as recorded",
    "note": "as recorded",
    "source": "the file that says so",
    "tags": "`key=value`",
    "artifact": "name of the artifact",
    "check_name": "name of the check",
    "verdict": "`passed`, `failed` or `unknown`",
    "at": "when, UTC",
    "evidence": "what that rests on",
    "first_step": "of the effective view",
    "last_step": "of the effective view",
    "first_wall_s": "of the effective view",
    "last_wall_s": "of the effective view",
    "first_value": "of the effective view",
    "last_value": "of the effective view",
    "max_value": "over finite values; ties: the first",
    "max_step": "over finite values; ties: the first",
    "max_wall_s": "over finite values; ties: the first",
    "n_nan": "points that are NaN",
    "n_inf": "points that are infinite",
    "path": "real path of the file",
    "path_bytes": "the path's bytes where it is no UTF-8, else NULL",
    "root": "the directory that was named when it was found",
}
"""What a column of this name (or table.name, which is stronger) means where the SQL itself says nothing."""


def meaning(tables: Sequence[str], names: Sequence[str]) -> str:
    """What a column means: the first of its names that is known, in the first of the tables; '' if none is."""
    keys = [f"{table}.{name}" for table in tables for name in names]
    return next((SAME_EVERYWHERE[key] for key in (*keys, *names) if key in SAME_EVERYWHERE), "")


@dataclass(frozen=True, slots=True)
class TableText:
    """One table as schema.sql declares it."""

    name: str
    remark: str
    """The comment behind its last parenthesis, '' for none."""
    columns: Mapping[str, tuple[str, str]]
    """Name to (type, comment)."""


@dataclass(frozen=True, slots=True)
class ViewText:
    """One view as views.sql declares it."""

    name: str
    remark: str
    comments: Mapping[str, str] = field(default_factory=dict)
    """Column to the comment at the end of its line."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Column to the name that it has in the table below, where they differ."""
    tables: tuple[str, ...] = ()
    """What it is made from."""


def read_tables(sql: str) -> tuple[TableText, ...]:
    """The tables in the order of the file."""
    return tuple(
        TableText(match[1], (match[3] or "").strip(), dict(_columns(match[2]))) for match in _TABLE.finditer(sql)
    )


def _columns(body: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """The comment of a line belongs to every column on it. How a column is packed is nobody's concern."""
    for line in body.splitlines():
        declared, _dashes, comment = line.partition("--")
        for column in declared.split(","):
            name, _space, kind = column.strip().partition(" ")
            if name:
                yield name, (kind.partition(" using ")[0].strip(), comment.strip())


def read_views(sql: str) -> tuple[ViewText, ...]:
    """The views in the order of the file."""
    remarks = dict(re.findall(r"^-- (\w+): (.*)$", sql, re.MULTILINE))
    return tuple(_view(match[1], match[2], remarks.get(match[1], "")) for match in _VIEW.finditer(sql))


def _view(name: str, body: str, remark: str) -> ViewText:
    comments: dict[str, str] = {}
    for line in body.splitlines():
        expression, dashes, comment = line.partition("--")
        aliases = re.findall(r'(?:AS\s+|\.)"?(\w+)"?\s*,?\s*$', expression.rstrip())
        if dashes and aliases:
            comments[aliases[-1]] = comment.strip()
    origins = {alias: column for column, alias in _ALIAS.findall(body) if alias != column}
    tables = tuple(dict.fromkeys(re.findall(r"(?:FROM|JOIN)\s+(\w+)", body)))
    return ViewText(name, remark, comments, origins, tables)
