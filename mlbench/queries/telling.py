"""What tells each run of a chart from the others: for a legend of parameters in the place of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlbench.queries.answers import Column, Value
from mlbench.queries.columns import param_spec
from mlbench.queries.folding import Fold, Folds, is_seed, param_meanings
from mlbench.queries.reading import Reader

MOST_PARAMS = 4
"""More parameters are read no faster than a name."""


def tell_runs(reader: Reader, folds: Folds) -> Folds | None:
    """The settings of some runs, taken apart by their seeds: a fold for each run.

    None where parameters alone do not tell each run from each other one: where it also takes the code, the data or
    the name, or more than a few of them, or where some runs are equal by all of them.
    """
    if any(column.kind != "param" for column in folds.columns):
        return None
    ids = [run_id for fold in folds.folds for run_id in fold.run_ids]
    seeds = [key for key in folds.set_aside if is_seed(key)] if folds.is_repeated else []
    values, _meanings = param_meanings(reader, ids, seeds)
    columns, told = folds.columns, folds.folds
    for key in seeds:
        parted = _parted(told, {run_id: mine.get(key) for run_id, mine in values.items()})
        if len(parted) > len(told):
            columns, told = (*columns, Column(param_spec(key), key, "param")), parted
    is_told = len(told) == len(ids) > 1 and len(columns) <= MOST_PARAMS
    return Folds(columns, told) if is_told else None


def _parted(folds: Sequence[Fold], by_run: Mapping[str, Value]) -> tuple[Fold, ...]:
    """Each fold in parts that have one value, which goes to the end of its values."""
    parts: list[Fold] = []
    for fold in folds:
        found: dict[tuple[bool, str], list[str]] = {}
        for run_id in fold.run_ids:
            value = by_run.get(run_id)
            found.setdefault((value is None, str(value)), []).append(run_id)
        parts += [Fold(tuple(ids), (*fold.values, by_run.get(ids[0]))) for ids in found.values()]
    return tuple(parts)
