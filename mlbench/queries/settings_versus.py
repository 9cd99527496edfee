"""Is it real: the settings of some runs against the baseline's, each with all the runs that repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mlbench.queries.answers import Column, RunHead, Value
from mlbench.queries.folding import Fold, fold_runs
from mlbench.queries.goals import goal_of, is_of_machine, is_of_training, ranked_metrics
from mlbench.queries.reading import Reader
from mlbench.queries.runs import find_runs
from mlbench.queries.slices import slice_groups
from mlbench.queries.tree import quote_text
from mlbench.queries.versus import Asked, VersusAnswer, asked_metrics, contrast_runs, corrected

MOST_RUNS = 5_000
"""Of more runs the repetitions are not looked for: only the runs that were named count."""
MOST_METRICS = 12
"""That are tested at once: each more makes the others' correction harder."""
MOST_SETTINGS = 8
ONE_SETTING = "the runs are of one setting: what sets them apart is noise"


@dataclass(frozen=True, slots=True)
class SettingsVersus:
    """Each setting against the first."""

    answers: tuple[VersusAnswer, ...] = ()
    """p values are corrected over all metrics of all of them."""
    n_runs: int = 0
    """Runs that were named."""
    n_added: int = 0
    """Runs that repeat them and count, too."""
    said: str = ""
    """Why nothing can be said."""
    remarks: tuple[str, ...] = ()
    """What was left out."""


def compare_settings(
    reader: Reader, run_ids: Sequence[str], *, metrics: Sequence[str] = (), within: Sequence[str] = (),
    is_closed: bool = False,
) -> SettingsVersus:  # fmt: skip
    """The settings of these runs against that of the first.

    Args:
        reader: the catalog.
        run_ids: the first is of the setting that the others are compared with.
        metrics: names, globs or columns; by default those whose goal is known, without slices, training's own (where
            there are others) and what is of the machine, at most MOST_METRICS.
        within: paths below which repetitions are looked for.
        is_closed: no other runs count, and there are no bootstraps.

    Raises:
        UsageError: no run has one of the metrics.
    """
    ids = list(dict.fromkeys(run_ids))
    heads, has_all = _candidates(reader, ids, within, is_closed=is_closed)
    folds = _settings_of(reader, ids, list(heads))
    n_all = sum(len(fold.run_ids) for fold in folds)
    if len(folds) < 2:
        return SettingsVersus((), len(ids), n_all - len(ids), ONE_SETTING)
    compared = folds[: 1 + MOST_SETTINGS]
    everyone = [run_id for fold in compared for run_id in fold.run_ids]
    names = _names(reader, everyone)
    asked, n_metrics = _asked(reader, metrics, everyone)
    if not asked:
        return SettingsVersus((), len(ids), n_all - len(ids), "no metric of these runs says which of them is better")
    base, *others = compared
    remarks = () if has_all else (f"of more than {MOST_RUNS:,} runs only those that are named count",)
    answers = [
        contrast_runs(
            reader, (names[base.run_ids[0]], names[other.run_ids[0]]),
            ([heads[run_id] for run_id in base.run_ids], [heads[run_id] for run_id in other.run_ids]), asked,
            values_of=(_those(base.run_ids), _those(other.run_ids)), remarks=remarks,
            has_bootstrap=not is_closed,
        )
        for other in others
    ]  # fmt: skip
    n_added = len(set(everyone) - set(ids))
    return SettingsVersus(_together(answers), len(ids), n_added, remarks=_left_out(len(folds), len(asked), n_metrics))


def _left_out(n_settings: int, n_asked: int, n_metrics: int) -> tuple[str, ...]:
    settings = f"of {n_settings} settings the first {1 + MOST_SETTINGS} are compared. Try: fewer runs"
    metrics = f"of {n_metrics} metrics {n_asked} are judged. Try for another: mlbench compare -m METRIC"
    return (*([settings] if n_settings > 1 + MOST_SETTINGS else ()), *([metrics] if n_metrics > n_asked else ()))


def _candidates(
    reader: Reader, ids: Sequence[str], within: Sequence[str], *, is_closed: bool
) -> tuple[dict[str, RunHead], bool]:
    """The runs that may repeat these, and these; whether all were looked at."""
    found = find_runs(reader, where=_those(ids), columns=None)
    heads = {row.head.run_id: row.head for row in found.rows}
    if is_closed:
        return heads, True
    others = find_runs(reader, columns=None, within=within, limit=MOST_RUNS)
    if others.n_matched > MOST_RUNS:
        return heads, False
    return heads | {row.head.run_id: row.head for row in others.rows}, True


def _settings_of(reader: Reader, ids: Sequence[str], candidates: Sequence[str]) -> list[Fold]:
    """The settings of the runs, that of the first one first."""
    folds = fold_runs(reader, candidates).folds
    by_run = {run_id: fold for fold in folds for run_id in fold.run_ids}
    return list({id(by_run[run_id]): by_run[run_id] for run_id in ids if run_id in by_run}.values())


def _names(reader: Reader, ids: Sequence[str]) -> Mapping[str, str]:
    """What the setting of each run is called: what tells it from the others, as a filter has it."""
    folds = fold_runs(reader, ids)
    return {
        run_id: " and ".join(
            _condition(column, value) for column, value in zip(folds.columns, fold.values, strict=True)
        )
        for fold in folds.folds
        for run_id in fold.run_ids
    }


def _condition(column: Column, value: Value) -> str:
    if value is None:
        return f"{column.title} is null"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{column.title} = {quote_text(text)}"


def _asked(reader: Reader, metrics: Sequence[str], ids: Sequence[str]) -> tuple[list[Asked], int]:
    """The metrics that are judged, and how many could be."""
    if metrics:
        named = asked_metrics(reader, metrics, ids, "best")
        return named, len(named)
    known = ranked_metrics(reader, ids)
    slices = {metric for group in slice_groups(known).values() for metric in group.values()}
    usual = [metric for metric in known
             if goal_of(reader, metric)[0] and metric not in slices and not is_of_machine(metric)]  # fmt: skip
    usual = [metric for metric in usual if not is_of_training(metric)] or usual
    return asked_metrics(reader, usual[:MOST_METRICS], ids, "best") if usual else [], len(usual)


def _those(ids: Sequence[str]) -> str:
    return f"run.archived in (true, false) and run.id in ({', '.join(map(quote_text, ids))})"


def _together(answers: Sequence[VersusAnswer]) -> tuple[VersusAnswer, ...]:
    """Corrected over all of them."""
    rows = iter(corrected([row for answer in answers for row in answer.metrics]))
    return tuple(replace(answer, metrics=tuple(next(rows) for _row in answer.metrics)) for answer in answers)
