"""The selection side by side: what differs in parameters, metrics, code, environment and data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlbench.queries.answers import DiffAnswer, FactRow, ParamCell, ParamRow
from mlbench.queries.chosen import is_label
from mlbench.queries.columns import param_value
from mlbench.queries.compare_metrics import by_metric, metric_rows, paces, read_summaries
from mlbench.queries.costs import cost_rows
from mlbench.queries.fields import CODE_RANK
from mlbench.queries.goals import primary_metric
from mlbench.queries.heads import fetch_numbered_heads
from mlbench.queries.meaning import Typed, meanings_differ
from mlbench.queries.reading import Reader
from mlbench.queries.slices import slice_rows
from mlbench.queries.typed import typed_rows

_PARAMS = """SELECT run_id, key, raw, type, num, txt, layer, source FROM param
WHERE is_effective AND run_no IN ({numbers})"""
_FACTS = {
    "environment": "'environment', run_id, key, value, NULL, NULL, NULL FROM environment",
    "data_version": """'data', run_id, name, version, n_rows, schema_text, [CAST(size_bytes AS VARCHAR)]
FROM data_version""",
    "code": f"""'code', run_id, commit_id, branch, {CODE_RANK}, NULL,
    [commit_id, branch, CASE WHEN is_dirty THEN 'yes' WHEN NOT is_dirty THEN 'no' END, how, remote, subject]
FROM code""",
}
_SPANS = """'run', run_id, command, NULL, NULL, NULL,
    [CAST(started_s AS VARCHAR), CAST(coalesce(ended_s, active_s) AS VARCHAR)] FROM run"""
"""One statement of those tables that are not empty, since most of the time of a small one is its planning."""
_CODE_KEYS = ("commit", "branch", "dirty", "how", "remote", "subject")
"""As filters name them: `git.commit`."""
LEAST_PACKAGES = 5
"""So many make a list of the installed packages, and no chance finding."""
_PACKAGE = "package:"
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def compare_runs(reader: Reader, run_ids: Sequence[str], *, everything: bool = False) -> DiffAnswer:
    """Compare runs; the first one is the baseline. With what was typed to start them, and with what they cost.

    Parameters are equal if they mean the same (`1e-3` is 0.001, as text too); a missing one equals only missing ones;
    what merely follows from another difference (a reference to a parameter that differs) counts as equal.
    A metric differs if its last or best value does; NaN equals NaN.

    Args:
        reader: the catalog.
        run_ids: one or more; a run that is named twice counts once.
        everything: keep what is equal in all runs.

    Raises:
        UsageError: no run has one of the ids.
    """
    ids = list(dict.fromkeys(run_ids))
    heads, run_nos = fetch_numbered_heads(reader, ids)
    # Numbers that stand in the statement let DuckDB pass over the blocks that hold none of the runs.
    numbers = ", ".join(f"{run_no:d}" for run_no in run_nos)
    rows = sorted(_facts(reader, ids, numbers), key=_fact_order)
    params, n_equal_params = _param_rows(reader, ids, numbers, everything=everything)
    series = read_summaries(reader, numbers)
    found = by_metric(series)
    primary = primary_metric(reader, counts={metric: len(by_run) for metric, by_run in found.items()})
    spans = {row[1]: (_number(row[6][0]), _number(row[6][1])) for row in rows if row[0] == "run"}
    metrics = metric_rows(reader, ids, found, primary, {run_id: start for run_id, (start, _end) in spans.items()})
    kept_metrics = tuple(row for row in metrics if everything or row.differs)
    kept = {row.metric for row in kept_metrics}
    facts = [_code_rows(rows, ids), _environment_rows(rows, ids), _data_rows(rows, ids)]
    code, environment, data = (tuple(row for row in rows if everything or row.differs) for rows in facts)
    return DiffAnswer(
        runs=heads,
        params=tuple(params),
        metrics=kept_metrics,
        code=code,
        environment=environment,
        data=data,
        n_equal_params=n_equal_params,
        n_equal_metrics=len(metrics) - len(kept_metrics),
        slices=tuple(row for row in slice_rows(metrics) if not kept.isdisjoint(row.metrics)),
        typed=typed_rows({row[1]: row[2] for row in rows if row[0] == "run" and row[2]}, ids, everything=everything),
        costs=tuple(row for row in cost_rows(ids, spans, paces(series), primary) if everything or not row.is_even),
    )


def _facts(reader: Reader, ids: Sequence[str], numbers: str) -> list[tuple[Any, ...]]:
    are_there = reader.once(f"SELECT {', '.join(f'EXISTS(FROM {table})' for table in _FACTS)}")[0]
    pairs = zip(_FACTS.values(), are_there, strict=True)
    parts = [f"SELECT {sql} WHERE run_id IN (FROM those)" for sql, is_there in pairs if is_there]
    those = "WITH those AS (SELECT unnest(CAST(? AS VARCHAR[])) AS run_id) " if parts else ""
    sql = those + " UNION ALL ".join([*parts, f"SELECT {_SPANS} WHERE run_no IN ({numbers})"])
    return reader.rows(sql, [list(ids)] if parts else ())


def _fact_order(row: Sequence[Any]) -> tuple[object, ...]:
    """By kind, by what it is of and what is said of it; what is not said comes last."""
    kind, run_id, key, value, *_rest = row
    return (kind, key is None, key or "", value is None, value or "", run_id)


# ---------------------------------------------------------------- parameters


def _param_rows(
    reader: Reader, ids: Sequence[str], numbers: str, *, everything: bool
) -> tuple[list[ParamRow], int]:  # fmt: skip
    """The rows that differ, or all, and how many are equal; what is equal is made into rows only where it is kept."""
    found: dict[str, dict[str, Sequence[Any]]] = {}
    for row in reader.rows(_PARAMS.format(numbers=numbers)):
        found.setdefault(row[1], {})[row[0]] = row
    typed = {key: [_typed(by_run.get(run_id)) for run_id in ids] for key, by_run in found.items()}
    differing = {key for key, values in typed.items() if meanings_differ(values)}
    kept = sorted(found if everything else differing)
    rows = [
        ParamRow(key, tuple([_param_cell(found[key].get(run_id)) for run_id in ids]), key in differing) for key in kept
    ]
    told = [replace(row, differs=False) if row.differs and _follows(row, differing) else row for row in rows]
    n_equal = len(found) - sum(row.differs for row in told)
    return (told, 0) if everything else ([row for row in told if row.differs], n_equal)


def _typed(row: Sequence[Any] | None) -> Typed | None:
    return None if row is None else (row[3], row[4], row[5])


def _param_cell(row: Sequence[Any] | None) -> ParamCell:
    if row is None:
        return ParamCell(None)
    _run_id, _key, raw, kind, number, text, layer, source = row
    return ParamCell(raw or "", param_value(kind, number, text), layer or "", source or "")


def _follows(row: ParamRow, differing: set[str]) -> bool:
    """Whether a difference only follows from another, or from there being several runs.

    So it is with a reference (`${data.n}`) to a parameter that differs itself, and with what a source works out to
    tell its runs apart (Hydra's job number).
    """
    raws = [cell.raw for cell in row.cells]
    if len(set(raws)) == 1 and raws[0]:
        return not differing.isdisjoint(_REFERENCE.findall(raws[0]))
    is_derived = all(cell.layer == "derived" for cell in row.cells)
    return (
        is_derived and len(set(raws)) == len(raws) and is_label(row.key, [raw or "" for raw in raws], is_derived=True)
    )


def _differ(meanings: Iterable[object]) -> bool:
    return len(set(meanings)) > 1


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


# ---------------------------------------------------------------- code, environment, data


def _code_rows(rows: Sequence[Sequence[Any]], ids: Sequence[str]) -> list[FactRow]:
    """Of several states of a run's code the one that is known best."""
    found: dict[str, dict[str, str]] = {key: {} for key in _CODE_KEYS}
    known: dict[str, int] = {}
    for kind, run_id, _commit, _branch, rank, _schema, values in rows:
        if kind != "code" or known.get(run_id, rank + 1) <= rank:
            continue
        known[run_id] = rank
        for key, value in zip(_CODE_KEYS, values, strict=True):
            found[key].pop(run_id, None)
            if value:
                found[key][run_id] = value
    return _fact_rows({key: texts for key, texts in found.items() if texts}, ids)


def _environment_rows(rows: Sequence[Sequence[Any]], ids: Sequence[str]) -> list[FactRow]:
    found: dict[str, dict[str, str]] = {}
    for kind, run_id, key, value, *_rest in rows:
        if kind == "environment":
            _append(found, key, run_id, value)
    return _told_packages(_fact_rows(found, ids), ids)


def _told_packages(rows: Sequence[FactRow], ids: Sequence[str]) -> list[FactRow]:
    """The rows; a package that a run does not list differs only if the run lists its packages at all.

    One row says so, in place of a hundred: `packages`, 104 listed and none.
    """
    listed = [sum(row.cells[place] is not None for row in rows if row.key.startswith(_PACKAGE))
              for place in range(len(ids))]  # fmt: skip
    most = max(listed, default=0)
    whole = [n * 2 >= most for n in listed]
    if all(whole) or most < LEAST_PACKAGES:
        return list(rows)
    told = [replace(row, differs=_differ(cell for cell, is_whole in zip(row.cells, whole, strict=True)
                                         if is_whole or cell is not None))
            if row.key.startswith(_PACKAGE) else row for row in rows]  # fmt: skip
    counts = FactRow("packages", tuple(f"{n} listed" if n else None for n in listed), differs=True)
    return sorted([*told, counts], key=lambda row: row.key)


def _data_rows(rows: Sequence[Sequence[Any]], ids: Sequence[str]) -> list[FactRow]:
    """For each data set its version, its rows, its bytes and its schema."""
    found: dict[str, dict[str, str]] = {}
    for kind, run_id, name, version, n_rows, schema, sizes in rows:
        if kind != "data":
            continue
        _append(found, name, run_id, version)
        if n_rows is not None:
            _append(found, f"{name} rows", run_id, str(n_rows))
        _append(found, f"{name} bytes", run_id, sizes[0])
        if schema:
            _append(found, f"{name} schema", run_id, schema)
    return [_unless_unknown(row) if row.key.endswith(" bytes") else row for row in _fact_rows(found, ids)]


def _unless_unknown(row: FactRow) -> FactRow:
    """Not every record of a version says how large it is: that is no difference."""
    return replace(row, differs=_differ(cell for cell in row.cells if cell is not None))


def _append(found: dict[str, dict[str, str]], key: str, run_id: str, value: str | None) -> None:
    if value is None:
        return
    known = found.setdefault(key, {})
    known[run_id] = f"{known[run_id]}, {value}" if run_id in known else value


def _fact_rows(found: Mapping[str, Mapping[str, str]], ids: Sequence[str]) -> list[FactRow]:
    rows = []
    for key, texts in found.items():
        cells = tuple(texts.get(run_id) for run_id in ids)
        rows.append(FactRow(key, cells, _differ(cells)))
    return rows
