"""The points of metrics: for charts, and as one table for export."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from mlbench.errors import UsageError
from mlbench.queries.answers import SeriesAnswer
from mlbench.queries.branches import Branches, older_branches
from mlbench.queries.curves import series_slices
from mlbench.queries.goals import goal_of
from mlbench.queries.heads import fetch_heads
from mlbench.queries.mistakes import shown
from mlbench.queries.names import find_metrics
from mlbench.queries.reading import Reader
from mlbench.queries.step_rules import last_at, rules_of, step_metric_of
from mlbench.queries.suggest import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from mlbench.model import Float64Array, Int64Array

    _Points: TypeAlias = tuple[Int64Array, Float64Array, Float64Array, int, Branches | None]

VIEWS = ("effective", "raw")
"""effective: what counts after restarts. raw: every point, in the order of the log."""
POINTS_AT_ONCE = 2_000_000
"""Points that are read before those of the first metrics are put away: 64 MB on their way."""
FEW_POINTS = 20_000
"""So many DuckDB decodes as fast as pyarrow, which takes 200 ms and 27 MB to be there."""
_CHOSEN = """SELECT s.run_id, s.metric, s.series_id, s.n_raw, r.started_s FROM (
SELECT *, row_number() OVER (PARTITION BY run_id, metric ORDER BY n DESC, n_raw DESC, series_id) AS place FROM series
WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) AND metric IN (SELECT unnest(CAST(? AS VARCHAR[])))) AS s
JOIN run r ON r.run_id = s.run_id WHERE s.place = 1"""
_ALL = """SELECT s.series_id, r.root, r.run_key, s.metric, s.source_run, s.source_metric, s.run_id FROM series s
JOIN run r ON r.run_id = s.run_id WHERE s.run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY s.series_id"""


def fetch_series(
    reader: Reader, run_ids: Sequence[str], metrics: Sequence[str], *, view: str = "effective", has_times: bool = True
) -> tuple[SeriesAnswer, ...]:
    """The points of metrics, metric by metric, in each the runs in their order; a run without the metric is left out.

    Where several sources of a run log one metric, the series with most points is taken.

    Args:
        reader: the catalog.
        run_ids: the runs.
        metrics: names or globs, as `names.find_metrics` takes them.
        view: one of VIEWS.
        has_times: False leaves the wall times unread, which saves a quarter of the time and a third of the memory.

    Raises:
        UsageError: none of the runs has one of the metrics, or there is no such view.
    """
    _check_view(view)
    ids = list(dict.fromkeys(run_ids))
    heads = {head.run_id: head for head in fetch_heads(reader, ids)}
    names = find_metrics(reader, metrics, ids)
    chosen = {(metric, run_id): rest for run_id, metric, *rest in reader.rows(_CHOSEN, [ids, list(names)])}
    points: dict[int, _Points] = {}
    shared: dict[tuple[int, int, int], Int64Array] = {}
    columns = ("series_id", "step", *(("wall_s",) if has_times else ()), "value")
    for series_ids, n_points in _portions(chosen):
        for part in _read(reader, series_ids, n_points, columns):
            points.update(_by_series(part, view, shared))
    goals = {metric: goal_of(reader, metric)[0] for metric in names}
    return tuple(
        SeriesAnswer(
            heads[run_id],
            metric,
            *points[series_id][:4],
            started_s=started_s,
            goal=goals[metric],
            older=points[series_id][4],
            has_times=has_times,
        )
        for metric in names
        for run_id in ids
        for series_id, _n, started_s in [chosen.get((metric, run_id), (None, 0, None))]
        if series_id in points
    )


def _read(
    reader: Reader, series_ids: Sequence[int], n_points: int, columns: Sequence[str]
) -> Iterator[Mapping[str, Any]]:
    """The points in parts of whole series, as arrays by column; for few of them pyarrow is not loaded."""
    if n_points <= FEW_POINTS and "pyarrow" not in sys.modules:
        yield reader.few_points(series_ids, columns)
        return
    for part in reader.points(series_ids, columns).to_batches():
        yield {name: part.column(name).to_numpy() for name in columns}


def _portions(chosen: Mapping[tuple[str, str], Sequence[Any]]) -> Iterator[tuple[list[int], int]]:
    """The series, metric by metric, and how many points they have: by name, as segments have them."""
    portion: list[int] = []
    n_points, last = 0, ""
    for (metric, _run), (series_id, n_raw, _started) in sorted(chosen.items()):
        if portion and n_points >= POINTS_AT_ONCE and metric != last:
            yield portion, n_points
            portion, n_points = [], 0
        portion.append(series_id)
        n_points += n_raw
        last = metric
    if portion:
        yield portion, n_points


def _by_series(
    points: Mapping[str, Any], view: str, known: dict[tuple[int, int, int], Int64Array]
) -> Iterator[tuple[int, _Points]]:
    """Each series with steps, wall times and values of the view, how many points its log has, and what was replaced.

    Times that were not read are NaN, and take no memory. Series of equal steps have one array of them: so it is with
    the runs of a sweep, and a third of the memory. Those that were met are `known` by length and ends.
    """
    import numpy as np

    ids, steps, values = (points[name] for name in ("series_id", "step", "value"))
    has_times = "wall_s" in points
    wall_s = points["wall_s"] if has_times else np.broadcast_to(np.nan, ids.shape)
    starts = np.flatnonzero(np.concatenate((np.ones(min(ids.size, 1), np.bool_), ids[1:] != ids[:-1])))
    ends = np.append(starts, ids.size)[1:]
    back = np.flatnonzero((steps[1:] < steps[:-1]) & (ids[1:] == ids[:-1])) + 1
    restarted = set(np.searchsorted(starts, back, side="right").tolist()) if view == "effective" else set()
    for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True), start=1):
        here = steps[start:end], wall_s[start:end], values[start:end]
        older = None
        if place in restarted:
            keep = _mask(here[0], view)
            older = older_branches(*here, keep)
            kept_times = here[1][keep] if has_times else np.broadcast_to(np.nan, (int(np.count_nonzero(keep)),))
            here = here[0][keep], kept_times, here[2][keep]
        own, times, logged = here
        shape = (own.size, int(own[0]), int(own[-1]))
        if shape not in known or not np.array_equal(known[shape], own):
            known[shape] = own.copy()  # not a view, which would keep all steps in memory
        yield int(ids[start]), (known[shape], times, logged, end - start, older)


def _mask(steps: Int64Array, view: str) -> Any:  # noqa: ANN401 - an index: a slice or an array of bool
    if view == "raw":
        return slice(None)
    from mlbench.wire.views import effective

    return effective(steps)


# ---------------------------------------------------------------- export

_TEXTS = ("root", "run", "metric", "source_run", "source_metric")
_NUMBERS = {"step": "step", "wall_time": "wall_s", "value": "value", "seq": "seq"}


def export_series(reader: Reader, run_ids: Sequence[str], *, view: str) -> pa.Table:
    """Every point of every metric of the runs as one Arrow table, run by run, each series in the order of the log.

    Columns: root, run (path below the root, `.` for the root itself), metric, source_run, source_metric (texts,
    dictionary-encoded), step (int64), wall_time (double, Unix seconds UTC), value (double), seq (int64). Where a
    program defined what one of these metrics is drawn over (W&B's `step_metric`) two more: axis (that metric, `step`
    where there is none) and x (double, its value at the step).

    Args:
        reader: the catalog.
        run_ids: the runs.
        view: one of VIEWS.

    Raises:
        UsageError: there is no such view.
    """
    import numpy as np
    import pyarrow as pa

    _check_view(view)
    rows = reader.rows(_ALL, [list(run_ids)])
    table = reader.points([row[0] for row in rows])
    if view == "effective" and table.num_rows:
        masks = [_mask(points.column("step").to_numpy(), view) for _series_id, points in series_slices(table)]
        table = table.filter(pa.array(np.concatenate(masks)))
    first = {row[6]: place for place, row in reversed(list(enumerate(rows)))}
    together = sorted(rows, key=lambda row: (first[row[6]], row[0]))
    table, places = _arranged(table, [row[0] for row in together])
    spelled = [(root, below_root(key, root), metric, run, name) for _id, root, key, metric, run, name, _run in together]
    found = points_table(spelled, places, {title: table.column(name) for title, name in _NUMBERS.items()})
    return with_axes(found, places, _axes(reader, run_ids, [(row[6], row[3]) for row in together]))


def _arranged(points: pa.Table, series_ids: Sequence[int]) -> tuple[pa.Table, Int64Array]:
    """The points in this order of their series, and of each point the place of its series in it.

    A segment holds some metrics of its runs after others, so that parts, as they were read, are mostly all that has to
    be put in order.
    """
    import numpy as np
    import pyarrow as pa

    by_id = np.argsort(np.array(series_ids, dtype=np.int64))
    known = np.array(series_ids, dtype=np.int64)[by_id]
    parts, places = [], [np.zeros(0, dtype=np.int64)]
    for part in points.to_batches():
        place = by_id[np.searchsorted(known, part.column("series_id").to_numpy())]
        order = None if (place[1:] >= place[:-1]).all() else np.argsort(place, kind="stable")
        parts.append(part if order is None else part.take(pa.array(order)))
        places.append(place if order is None else place[order])
    table, whole = pa.Table.from_batches(parts, schema=points.schema), np.concatenate(places)
    if (whole[1:] >= whole[:-1]).all():
        return table, whole
    order = np.argsort(whole, kind="stable")
    return table.take(pa.array(order)), whole[order]


def _axes(reader: Reader, run_ids: Sequence[str], series: Sequence[tuple[str, str]]) -> dict[int, tuple[str, int]]:
    """By place of a series, the metric that its run wants it drawn over and the place of that; '' for none."""
    rules = rules_of(reader, run_ids)
    first: dict[tuple[str, str], int] = {}
    for place, one in enumerate(series):
        first.setdefault(one, place)
    found = {}
    for place, (run_id, metric) in enumerate(series if rules else ()):
        over = step_metric_of(metric, rules.get(run_id, ()))
        if (run_id, over) in first:
            found[place] = over, first[run_id, over]
    return found


def with_axes(table: pa.Table, places: Int64Array, axes: Mapping[int, tuple[str, int]]) -> pa.Table:
    """The table with the columns axis and x where a series has an axis of its own, else as it is.

    Args:
        table: of `points_table`, sorted by series.
        places: of each point the place of its series, rising.
        axes: by place of a series, the name and the place of what it is drawn over.
    """
    import numpy as np
    import pyarrow as pa

    if not axes:
        return table
    names = ["step", *dict.fromkeys(name for name, _place in axes.values())]
    steps, values = table.column("step").to_numpy(), table.column("value").to_numpy()
    x, which = steps.astype(np.float64), np.zeros(len(steps), np.int32)
    for place, (name, other) in axes.items():
        own, over = (slice(*np.searchsorted(places, [at, at + 1])) for at in (place, other))
        x[own] = last_at(steps[own], steps[over], values[over])
        which[own] = names.index(name)
    axis = pa.DictionaryArray.from_arrays(pa.array(which), pa.array(names))
    return table.append_column("axis", axis).append_column("x", pa.array(x))


def points_table(
    spelled: Sequence[tuple[str | None, str, str, str, str]], places: Int64Array, numbers: Mapping[str, Any]
) -> pa.Table:
    """Points with the names of their series before them; each distinct name is held once.

    Args:
        spelled: for each series root, run, metric, source_run and source_metric.
        places: for each point the place of its series in `spelled`.
        numbers: the columns step, wall_time, value and seq.
    """
    import pyarrow as pa

    columns = {
        title: _repeated(pa.array([texts[i] for texts in spelled], pa.string()).dictionary_encode(), pa.array(places))
        for i, title in enumerate(_TEXTS)
    }
    return pa.table({**columns, **numbers})


def count_set_aside(reader: Reader, run_ids: Sequence[str]) -> tuple[int, int, int]:
    """How many points the runs have, how many of these a restart replaced, and how many others repeat a step."""
    sums = "coalesce(sum(n_raw), 0), coalesce(sum(n_raw - n), 0), coalesce(sum(n_repeat), 0)"
    (row,) = reader.rows(
        f"SELECT {sums} FROM series WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[])))", [list(run_ids)]
    )
    return int(row[0]), int(row[1]), int(row[2])


def _repeated(encoded: pa.DictionaryArray, places: pa.Array) -> pa.DictionaryArray:
    """The texts at these places; each distinct text is held once, however many points there are."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(encoded.indices.take(places), encoded.dictionary)


def below_root(key: str, root: str | None) -> str:
    """The run's path below its root, with the native id where one source holds several runs."""
    if root is None or key == root:
        return "."
    return key.removeprefix(root.rstrip("/") + "/").removeprefix(root if key.startswith(f"{root}#") else "")


def _check_view(view: str) -> None:
    if view not in VIEWS:
        raise UsageError(f"there is no view {shown(view)}.{did_you_mean(view, VIEWS)} Try one of: {', '.join(VIEWS)}")
