"""All that is known of one run, and the problems of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mlbench.model import PRECEDENCE
from mlbench.queries.answers import (
    BlobHead,
    LayeredParam,
    NoteText,
    ProblemLine,
    SeriesHead,
    ShowAnswer,
    SourceLine,
    Value,
)
from mlbench.queries.columns import param_value
from mlbench.queries.echoes import Curve, find_echoes
from mlbench.queries.fields import CODE_CERTAINTY, FIELDS
from mlbench.queries.fragment import TRUE
from mlbench.queries.goals import goal_of, ranked_metrics
from mlbench.queries.heads import fetch_heads
from mlbench.queries.lineage import fetch_lineage
from mlbench.queries.origins import origins_of, series_sources
from mlbench.queries.reading import Reader
from mlbench.queries.within import scope_of

_SHOWN_FIELDS = (
    "id", "name", "project", "group", "status", "started", "ended", "duration", "user", "host", "command",
    "entry_point", "job_type", "exit_code", "parent_id", "path", "root", "adapters", "n_metrics", "n_points",
    "number",
)  # fmt: skip
_STRENGTH = f"""CASE layer {" ".join(f"WHEN '{layer}' THEN {place}" for place, layer in enumerate(PRECEDENCE))} END"""
_PARAMS = f"""SELECT key, coalesce(raw, ''), type, num, txt, layer, coalesce(source, ''), line, is_effective FROM param
WHERE run_id = ? ORDER BY key, is_effective DESC, {_STRENGTH} DESC"""
_SERIES = """SELECT metric, n, n_raw, first_step, last_step, last_value, min_value, min_step, max_value, max_step,
    n_nan, n_inf, n_repeat, n_back, source_run, source_metric, coalesce(adapter, '') FROM series
WHERE run_id = ? ORDER BY metric, n DESC, series_id"""
_BLOBS = """SELECT kind, metric, count(*), min(step), max(step),
coalesce(string_agg(DISTINCT nullif(encoding, ''), ', ' ORDER BY nullif(encoding, '')), ''),
coalesce(CAST(sum(byte_length) AS BIGINT), 0) FROM blob WHERE run_id = ?
GROUP BY kind, metric ORDER BY kind, metric"""
_CODE = f"""SELECT commit_id, branch, is_dirty, how, remote, subject, committed_s, repository FROM code
WHERE run_id = ? ORDER BY {CODE_CERTAINTY}"""
_CODE_KEYS = ("commit", "branch", "dirty", "how", "remote", "subject", "committed", "repository")
_DATA = """SELECT name, system, version, n_rows, size_bytes, is_pinned, coalesce(role, '') FROM data_version
WHERE run_id = ? ORDER BY coalesce(role, '') = 'in its commit', name, version"""
_SOURCES = """SELECT path, adapter, status, coalesce(n_records, 0), coalesce(size_bytes, 0) FROM source
WHERE list_contains(run_ids, ?) ORDER BY path"""
_PROBLEM = "coalesce(p.source_path, ''), coalesce(p.place, ''), p.what, coalesce(p.hint, ''), p.run_id"


def describe_run(reader: Reader, run_id: str) -> ShowAnswer:
    """All that is known of one run, each fact with its source.

    Raises:
        UsageError: no run has this id.
    """
    (head,) = fetch_heads(reader, [run_id])
    rows = {name: reader.rows(sql, [run_id]) for name, sql in _QUESTIONS.items()}
    return ShowAnswer(
        head=head,
        fields=_fields(reader, run_id),
        params=tuple(_param(row) for row in rows["params"]),
        metrics=_metrics(reader, run_id, rows["series"]),
        blobs=tuple(BlobHead(*row) for row in rows["blobs"]),
        code=_code(reader, rows["code"]),
        environment=tuple((key, value) for key, value in rows["environment"]),
        data=tuple((name, _data_text(*rest)) for name, *rest in rows["data"]),
        imported_tags=tuple((key, value or "") for key, value in rows["tags"]),
        notes=tuple(NoteText(body, author or "", at_s, origin) for body, author, at_s, origin in rows["notes"]),
        sources=tuple(SourceLine(*row) for row in rows["sources"]),
        problems=tuple(ProblemLine(*row) for row in rows["problems"]),
        origins=tuple(origins_of(reader, run_id).items()),
        lineage=fetch_lineage(reader, run_id),
    )


_QUESTIONS = {
    "params": _PARAMS,
    "series": _SERIES,
    "blobs": _BLOBS,
    "code": _CODE,
    "environment": "SELECT key, value FROM environment WHERE run_id = ? ORDER BY key, value",
    "data": _DATA,
    "tags": "SELECT key, value FROM imported_tag WHERE run_id = ? ORDER BY key, value",
    "notes": "SELECT body, author, at_s, origin FROM notes WHERE run_id = ? ORDER BY at_s NULLS FIRST, body",
    "sources": _SOURCES,
    "problems": f"SELECT {_PROBLEM} FROM problem p WHERE p.run_id = ? ORDER BY p.source_path, p.place, p.what",
}


def _fields(reader: Reader, run_id: str) -> tuple[tuple[str, Value], ...]:
    columns = ", ".join(FIELDS[name].sql for name in _SHOWN_FIELDS)
    (row,) = reader.rows(f"SELECT {columns}, r.status_how, r.hint FROM runs r WHERE r.id = ?", [run_id])
    named = zip((*_SHOWN_FIELDS, "status_how", "hint"), row, strict=True)
    return tuple((name, value) for name, value in named if value is not None and value != "")


def _param(row: Sequence[Any]) -> LayeredParam:
    key, raw, kind, number, text, layer, source, line, is_effective = row
    return LayeredParam(key, raw, param_value(kind, number, text), layer, source, line, is_effective)


def _metrics(reader: Reader, run_id: str, rows: Sequence[Sequence[Any]]) -> tuple[SeriesHead, ...]:
    places = {metric: place for place, metric in enumerate(ranked_metrics(reader, [run_id]))}
    ordered = sorted(rows, key=lambda row: places[row[0]])
    heads = [replace(SeriesHead(*row[:-1]), adapter=row[-1]) for row in ordered]
    echoes = find_echoes([_curve(head) for head in heads])
    sources = series_sources(reader, run_id, [(head.adapter, head.source_run) for head in heads])
    return tuple(
        replace(head, goal=goal_of(reader, head.metric)[0], echo=echoes.get(place, ""), source=sources[place])
        for place, head in enumerate(heads)
    )


def _curve(head: SeriesHead) -> Curve:
    return Curve(
        head.metric, head.adapter, head.n, head.first_step, head.last_step, head.last, head.min, head.min_step,
        head.max, head.max_step,
    )  # fmt: skip


def _code(reader: Reader, rows: Sequence[Sequence[Any]]) -> tuple[tuple[str, Value], ...]:
    """The best known state of the code; weaker guesses are left out."""
    if not rows:
        return ()
    *texts, committed_s, repository = rows[0]
    committed: Value = None
    if committed_s is not None:
        committed = reader.rows("SELECT make_timestamp(CAST(? * 1e6 AS BIGINT))", [committed_s])[0][0]
    named = zip(_CODE_KEYS, (*texts, committed, repository), strict=True)
    return tuple((key, value) for key, value in named if value is not None and value != "")


def _data_text(
    system: str, version: str, n_rows: int | None, size_bytes: int | None, is_pinned: bool | None, role: str
) -> str:
    """`git-lfs fdb77a..., 5,005 bytes, in its commit`; what is not known is left out."""
    parts = [f"{system} {version}".strip()]
    parts += [f"{n_rows:,} rows"] if n_rows is not None else []
    parts += [f"{size_bytes:,} bytes"] if size_bytes is not None else []
    parts += [role] if role else []
    return f"{', '.join(parts)}{'' if is_pinned is not False else ' (not pinned)'}"


def list_problems(reader: Reader, within: Sequence[str] = ()) -> tuple[ProblemLine, ...]:
    """What could not be read, by path; with a scope what lies at or below its paths, or belongs to its runs.

    Args:
        reader: the catalog.
        within: paths.
    """
    scope = scope_of(within)
    if scope is TRUE:
        rows = reader.rows(f"SELECT DISTINCT {_PROBLEM} FROM problem p ORDER BY 1, 2, 3, 5")
    else:
        # The condition speaks of r.path: first the path of the problem itself, then that of its run.
        rows = reader.rows(
            f"SELECT DISTINCT {_PROBLEM} FROM problem p "
            f"WHERE EXISTS (SELECT 1 FROM (SELECT p.source_path AS path) AS r WHERE {scope.text}) "
            f"OR p.run_id IN (SELECT r.run_id FROM run r WHERE {scope.text}) ORDER BY 1, 2, 3, 5",
            (*scope.parameters, *scope.parameters),
        )
    return tuple(ProblemLine(*row) for row in rows)
