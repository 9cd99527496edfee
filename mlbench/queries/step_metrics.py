"""Which metric others are drawn over, where the program itself said so (`step_metric` of W&B's `define_metric`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlbench.queries.reading import Reader

TAG = "wandb.step_metric"
"""The imported tag of a rule, `val/*=epoch`."""
_RULES = """SELECT run_id, value FROM imported_tag
WHERE key = ? AND run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY run_id, value"""
_LOGGED = """SELECT DISTINCT run_id, metric FROM series WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))
AND metric IN (SELECT unnest(CAST(? AS VARCHAR[])))"""


def step_metric_of(metric: str, rules: Iterable[tuple[str, str]]) -> str:
    """The metric that `metric` is drawn over by pairs of a name and that; '' where none says so.

    The name itself goes before patterns, which end in `*` (W&B knows no others), a longer pattern before a shorter.
    """
    fitting = [
        (name == metric, len(name), over)
        for name, over in rules
        if name == metric or (name.endswith("*") and metric.startswith(name[:-1]) and metric != over)
    ]
    return max(fitting)[2] if fitting else ""


def default_axis(reader: Reader, run_ids: Sequence[str], metrics: Sequence[str]) -> str:
    """The metric that all runs want all of `metrics` drawn over; '' where they want none, or differ.

    What a run has not logged counts neither for nor against.
    """
    ids = list(dict.fromkeys(run_ids))
    rules: dict[str, list[tuple[str, str]]] = {}
    for run_id, text in reader.rows(_RULES, [TAG, ids]):
        name, _, over = text.rpartition("=")
        rules.setdefault(run_id, []).append((name, over))
    if not rules:
        return ""
    overs = {over for pairs in rules.values() for _name, over in pairs}
    logged = set(reader.rows(_LOGGED, [ids, [*metrics, *overs]]))
    wanted = set()
    for run_id, metric in logged:
        if metric in metrics:
            over = step_metric_of(metric, rules.get(run_id, ()))
            wanted.add(over if (run_id, over) in logged else "")
    return wanted.pop() if len(wanted) == 1 else ""
