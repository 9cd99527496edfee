"""How the trainings that are running stand: what a bell is rung for."""

from __future__ import annotations

from collections.abc import Sequence

from mlbench.dataclass import dataclass
from mlbench.queries.curves import main_series
from mlbench.queries.fragment import Sql, bindable, joined
from mlbench.queries.goals import goal_of
from mlbench.queries.reading import Reader


@dataclass(frozen=True, slots=True)
class Standing:
    """One run that is running, or was a moment ago."""

    run_id: str
    name: str
    status: str
    odd: tuple[str, ...] = ()
    """Metrics with a NaN or an infinity, by name."""
    best: float | None = None
    """Of the metric that runs are compared by."""


@dataclass(frozen=True, slots=True)
class Standings:
    """The running runs beside the baseline."""

    runs: tuple[Standing, ...]
    metric: str = ""
    goal: str = ""
    """min or max; '' where the metric has none, and nothing can be best."""
    baseline: str = ""
    """Its run id, '' where there is none."""
    baseline_best: float | None = None


def fetch_standings(reader: Reader, metric: str, watched: Sequence[str] = ()) -> Standings:
    """The runs that are running or stalled.

    Args:
        reader: the catalog.
        metric: by which a run beats the baseline; '' for none.
        watched: ids of runs that are told of too, whatever became of them.
    """
    goal = goal_of(reader, metric)[0] if metric else ""
    is_watched = Sql(f"r.id IN ({', '.join('?' * len(watched))})", tuple(watched)) if watched else Sql("false")
    where = joined("OR", (Sql("r.status IN ('running', 'stalled')"), Sql("r.baseline"), is_watched))
    rows = reader.rows(
        "SELECT r.id, r.name, r.status, r.baseline, (SELECT list(DISTINCT s.metric ORDER BY s.metric) FROM series s "
        f"WHERE s.run_id = r.id AND s.n_nan + s.n_inf > 0) FROM runs r WHERE NOT r.archived AND ({where.text}) "
        "ORDER BY r.name, r.id",
        where.parameters,
    )
    best = _best_values(reader, metric, goal, [str(row[0]) for row in rows])
    runs = tuple(Standing(run_id, name, status, tuple(odd or ()), best.get(run_id))
                 for run_id, name, status, _is_baseline, odd in rows)  # fmt: skip
    baseline = next((str(row[0]) for row in rows if row[3]), "")
    return Standings(runs, metric, goal, baseline, best.get(baseline))


def _best_values(reader: Reader, metric: str, goal: str, run_ids: Sequence[str]) -> dict[str, float]:
    """Least or greatest finite value by run id."""
    if not goal or not run_ids:
        return {}
    series = main_series(bindable(metric))
    column = "min_value" if goal == "min" else "max_value"
    rows = reader.rows(
        f"SELECT s.run_id, s.{column} FROM ({series.text}) AS s WHERE s.{column} IS NOT NULL "
        f"AND s.run_id IN ({', '.join('?' * len(run_ids))})",
        (*series.parameters, *run_ids),
    )
    return dict(rows)
