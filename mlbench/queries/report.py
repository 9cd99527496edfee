"""Everything that a report is made of: the runs, what differs, the curves, problems, and how to reproduce each run."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from mlbench.queries.answers import DiffAnswer, ProblemLine, RunRow, RunsAnswer
from mlbench.queries.best_first import best_column, best_order
from mlbench.queries.chosen import default_columns
from mlbench.queries.columns import metric_spec
from mlbench.queries.compare import compare_runs
from mlbench.queries.fields import CODE_CERTAINTY
from mlbench.queries.folding import alike_in
from mlbench.queries.goals import primary_metric
from mlbench.queries.names import find_metrics, metric_names, resolve_runs
from mlbench.queries.reading import Reader
from mlbench.queries.report_answer import ReportAnswer
from mlbench.queries.runs import find_runs
from mlbench.queries.series import fetch_series
from mlbench.queries.step_metrics import with_step_metrics

if TYPE_CHECKING:
    from mlbench.queries.settings_versus import SettingsVersus

_Said: TypeAlias = "tuple[str, str, str]"
"""Key, raw text and layer."""
MOST_AT_BEST, MOST_POINTS_AT_BEST = 8, 5_000_000
"""Runs that stand side by side in a report, and points that are read for it: half a CPU second."""
MOST_SETTINGS = 8
"""That are tested against the baseline's."""
MAX_REBUILT = 30
"""Parameters in a command that is rebuilt; more were never typed but stood in a file."""
_THOSE = "run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
_MADE_DATA = f"SELECT 1 FROM artifact WHERE starts_with(digest, 'wandb:') AND {_THOSE} LIMIT 1"
"""Data sets that the runs made have no version that the comparison would show, and files that it would."""
_STARTED = "SELECT id, command, entry_point FROM runs WHERE id IN (SELECT unnest(CAST(? AS VARCHAR[])))"
_CODE = f"""SELECT run_id, commit_id, coalesce(remote, ''), coalesce(is_dirty, false) FROM code
WHERE {_THOSE} AND commit_id IS NOT NULL AND commit_id <> '' ORDER BY {CODE_CERTAINTY}"""
_SAID = f"""SELECT run_id, key, raw, layer, layer IN ('cli', 'override') FROM param
WHERE is_effective AND {_THOSE} AND layer IN ('cli', 'override', 'config', 'hparams') ORDER BY key"""


def gather_report(
    reader: Reader, *, where: str = "", runs: Sequence[str] = (), columns: Sequence[str] = (), sort: Sequence[str] = (),
    limit: int | None = None, metrics: Sequence[str] = (), baseline: str | None = None, within: Sequence[str] = (),
    title: str = "",
) -> ReportAnswer:  # fmt: skip
    """Gather a report over the runs that match.

    Args:
        reader: the catalog.
        where: a filter.
        runs: names as `resolve_runs` takes them; only these of the matching runs, in this order unless sorted.
        columns: column specifications; by default the parameters that differ and the metrics that matter.
        sort: sort specifications; by default the primary metric, best first.
        limit: runs at most.
        metrics: of the charts, names or globs; by default the metrics among the columns.
        baseline: the run that all are compared with; by default the one that is marked, else the first.
        within: paths; only runs at or below one of them.
        title: by default made from the runs.

    Raises:
        FilterError: the filter or a specification cannot be understood.
        UsageError: a name means no run, or no run has a metric.
    """
    chosen = [head.run_id for head in resolve_runs(reader, runs, within=within)] if runs else []
    matching = [] if chosen else _matching(reader, where, within)
    primary = primary_metric(reader, matching) if matching and not sort else None
    order = tuple(sort) or best_order(primary)

    def find(specs: Sequence[str] | None) -> RunsAnswer:
        answer = find_runs(reader, where=where, columns=specs, sort=order, within=within)
        return _only(answer, chosen, limit, is_sorted=bool(sort))

    specs = tuple(columns) or (*best_column(primary), *_columns_of(reader, matching, limit, find))
    answer = find(specs or None)
    shown = _ids(answer)
    compared = _compared(_baseline_of(reader, answer, baseline, within), shown)
    names = find_metrics(reader, metrics, shown) if metrics else _charted(reader, shown, specs)
    series = with_step_metrics(reader, fetch_series(reader, compared, names, has_times=False)) if names else ()
    diff, code_changes = _differences(reader, compared)
    real, n_untested = _real(reader, diff)
    return ReportAnswer(
        title=title or _title(answer),
        query=where,
        runs=answer,
        diff=diff,
        series=series,
        problems=_problems_of(reader, compared),
        code_changes=code_changes,
        real=real,
        n_untested=n_untested,
        commands=tuple(zip([head.name for head in diff.runs], reproductions(reader, compared), strict=True)),
        made_at=_now(reader),
        catalog_digest=_digest(answer, diff),
        sorted_by=", ".join(order),
        options=(("sort", tuple(sort)), ("limit", limit or 0), ("metrics", tuple(metrics)), ("within", tuple(within)),
                 ("asked", tuple(chosen))),
    )  # fmt: skip


def _compared(baseline: str | None, shown: Sequence[str]) -> list[str]:
    """The runs of the comparison, the baseline first, also where it is none of those shown."""
    return list(dict.fromkeys([*([baseline] if baseline else []), *shown]))


def _columns_of(
    reader: Reader, matching: Sequence[str], limit: int | None, find: Callable[[Sequence[str] | None], RunsAnswer]
) -> tuple[str, ...]:
    """The columns of the table when none were named: those of the runs that are shown."""
    is_whole = bool(matching) and len(matching) <= (limit or len(matching))
    return tuple(default_columns(reader, matching if is_whole else _ids(find(None))))


def _differences(reader: Reader, run_ids: Sequence[str]) -> tuple[DiffAnswer, tuple[str, ...]]:
    """What differs, with the data and the notebooks behind it, and what is told of the code.

    What reads repositories, notebooks and stores of data is loaded where there is something to read.
    """
    diff = compare_runs(reader, run_ids) if run_ids else DiffAnswer((), (), ())
    lines: tuple[str, ...] = ()
    if 1 < len(run_ids) <= MOST_AT_BEST:
        diff = _with_values_at_best(reader, diff)
    if any(row.differs for row in diff.code):
        from mlbench.queries.code import compare_code, told, with_changed_books

        changes = compare_code(reader, run_ids)
        diff, lines = with_changed_books(diff, changes), told(changes)
    if any(head.path.endswith(".ipynb") for head in diff.runs):
        from mlbench.queries.notebooks import with_notebooks

        diff = with_notebooks(reader, diff)
    if diff.data or reader.rows(_MADE_DATA, [list(run_ids)]):
        from mlbench.queries.data_changes import with_data_changes

        diff = with_data_changes(reader, diff)
    return diff, lines


def _with_values_at_best(reader: Reader, diff: DiffAnswer) -> DiffAnswer:
    """Each metric, too, where the primary one is best; not where that means reading very many points."""
    n_points = sum(cell.n for row in diff.metrics for cell in row.cells)
    primary = primary_metric(reader, [head.run_id for head in diff.runs])
    row = next((row for row in diff.metrics if primary and (row.metric, row.goal) == primary), None)
    if row is None or not row.goal or n_points > MOST_POINTS_AT_BEST:
        return diff
    from mlbench.queries.at_best import values_where_best

    return values_where_best(reader, diff, row.metric, row.goal)


def _real(reader: Reader, diff: DiffAnswer) -> tuple[SettingsVersus | None, int]:
    """The settings of two runs and more against the baseline's, and how many settings are left out."""
    places = list(alike_in(diff)[1].values())
    tested = [group for group in places[1:] if len(group) > 1][:MOST_SETTINGS]
    if not tested or len(places[0]) < 2:
        return None, 0
    from mlbench.queries.settings_versus import compare_settings

    ids = [diff.runs[place].run_id for group in (places[0], *tested) for place in group]
    return compare_settings(reader, ids, is_closed=True), len(places) - 1 - len(tested)


def _ids(answer: RunsAnswer) -> list[str]:
    return [row.head.run_id for row in answer.rows]


def _matching(reader: Reader, where: str, within: Sequence[str]) -> list[str]:
    return _ids(find_runs(reader, where=where, columns=None, within=within))


def _only(answer: RunsAnswer, chosen: Sequence[str], limit: int | None, *, is_sorted: bool) -> RunsAnswer:
    rows: Sequence[RunRow] = answer.rows
    if chosen:
        places = {run_id: place for place, run_id in enumerate(chosen)}
        rows = [row for row in rows if row.head.run_id in places]
        rows = rows if is_sorted else sorted(rows, key=lambda row: places[row.head.run_id])
    return RunsAnswer(answer.columns, tuple(rows[:limit]), len(rows), answer.n_runs, answer.remarks)


def _baseline_of(reader: Reader, answer: RunsAnswer, baseline: str | None, within: Sequence[str]) -> str | None:
    if baseline is not None:
        return resolve_runs(reader, [baseline], within=within)[0].run_id
    marked = [row.head.run_id for row in answer.rows if row.head.is_baseline]
    shown = [row.head.run_id for row in answer.rows]
    return next(iter([*marked, *shown]), None)


def _charted(reader: Reader, ids: Sequence[str], specs: Sequence[str]) -> tuple[str, ...]:
    """The metrics whose last value is a column, else the first that matters."""
    known = metric_names(reader, ids) if ids else ()
    named = {spec.strip() for text in specs for spec in text.split(",")}
    return tuple(name for name in known if metric_spec(name) in named or name in named) or known[:1]


def _title(answer: RunsAnswer) -> str:
    names = [row.head.name for row in answer.rows]
    if 0 < len(names) <= 3:
        return f"Comparison of {', '.join(names)}"
    return f"Comparison of {len(names):,} of {answer.n_runs:,} runs"


def _problems_of(reader: Reader, ids: Sequence[str]) -> tuple[ProblemLine, ...]:
    rows = reader.rows(
        "SELECT coalesce(source_path, ''), coalesce(place, ''), what, coalesce(hint, ''), run_id FROM problem "
        "WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY 1, 2, 3",
        [list(ids)],
    )
    return tuple(ProblemLine(*row) for row in rows)


def _now(reader: Reader) -> datetime:
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - answers hold naive UTC
    return epoch + timedelta(seconds=float(reader.rows("SELECT now_s FROM clock")[0][0]))


def _digest(answer: RunsAnswer, diff: DiffAnswer) -> str:
    """Changes when a run, a shown value or a difference does; neither ids of series nor the clock count."""
    rows = [[row.head.key, row.head.fingerprint, *map(repr, row.values)] for row in answer.rows]
    differences = [repr((param.key, [cell.raw for cell in param.cells])) for param in diff.params]
    scores = [repr((metric.metric, [(c.last, c.best, c.n) for c in metric.cells])) for metric in diff.metrics]
    text = json.dumps([rows, differences, scores], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


# ---------------------------------------------------------------- how to reproduce


def reproductions(reader: Reader, run_ids: Sequence[str]) -> list[str]:
    """For each run shell lines that repeat it as far as it was recorded: the checkout, then the command.

    Without a recorded command it is the entry point with the parameters that were said for this run (command line
    and overrides), else with those of its configuration; a comment says so.
    """
    ids = list(run_ids)
    started = {run_id: rest for run_id, *rest in reader.rows(_STARTED, [ids])}
    code: dict[str, str] = {}
    for run_id, *state in reader.rows(_CODE, [ids]):
        code.setdefault(run_id, _checkout_lines(*state))  # of several states the one that is known best comes first
    silent = [run_id for run_id in ids if not started[run_id][0]]
    said: dict[str, tuple[list[_Said], list[_Said]]] = {run_id: ([], []) for run_id in silent}
    for run_id, key, raw, layer, is_said in reader.rows(_SAID, [silent]) if silent else ():
        said[run_id][0 if is_said else 1].append((key, raw or "", layer))
    return [
        "\n".join([
            *([code[run_id]] if run_id in code else []),
            _one_line(command) if command else _rebuilt(run_id, entry_point, said[run_id][0] or said[run_id][1]),
        ])
        for run_id, (command, entry_point) in ((run_id, started[run_id]) for run_id in ids)
    ]  # fmt: skip


def reproduction(reader: Reader, run_id: str) -> str:
    """`reproductions` of one run."""
    return reproductions(reader, [run_id])[0]


def _checkout_lines(commit: str, remote: str, is_dirty: bool) -> str:
    source = f"# code: {_one_line(remote)}\n" if remote else ""
    dirty = "\n# there were changes that had not been committed" if is_dirty else ""
    return f"{source}git checkout {shlex.quote(_one_line(commit))}{dirty}"


def _rebuilt(run_id: str, entry_point: str | None, said: Sequence[_Said]) -> str:
    if len(said) > MAX_REBUILT or not (entry_point or said):
        return f"# the command was not recorded; all parameters: mlbench show {run_id}"
    words = [_argument(_one_line(key), _one_line(raw), layer) for key, raw, layer in said]
    script = f"python {shlex.quote(_one_line(entry_point))}" if entry_point else "python ENTRY_POINT"
    return "\n".join(["# the command was not recorded; rebuilt from the parameters", " ".join([script, *words])])


def _argument(key: str, raw: str, layer: str) -> str:
    """Hydra's overrides are `key=value`, options of a command line `--key=value`."""
    return shlex.quote(f"{key}={raw}" if layer == "override" else f"--{key}={raw}")


def _one_line(text: str) -> str:
    """A newline in a value must not begin a line of its own in a block of shell lines."""
    return " ".join(text.splitlines())
