"""Where the values of parameters and metrics lie: columns of the wide pivot, rows for the keys that have no column.

The expressions are over the runs `r` as `Reader.runs` gives them, and over what the given `join` has joined to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlbench.dataclass import dataclass
from mlbench.queries.fragment import TRUE, Sql, bindable
from mlbench.queries.reading import Reader
from mlbench.queries.vocabulary import Place, Vocabulary

_ROWS = """SELECT run_id, min(type) AS t, min(CASE WHEN type IN ('int', 'float') THEN num
    WHEN type = 'str' THEN TRY_CAST(txt AS DOUBLE) END) AS n, min(CASE WHEN type = 'null' THEN raw ELSE txt END) AS s,
    min(raw) AS r
FROM param WHERE is_effective AND key = ? GROUP BY run_id"""
_STATISTICS = frozenset({"last", "min", "max"})


class Join(Protocol):
    """Joins a relation to the runs, once for each key, and gives its alias.

    `on` is the condition behind the alias.
    """

    def __call__(self, key: tuple[object, ...], relation: Sql, on: str = ...) -> str: ...


@dataclass(frozen=True, slots=True)
class ParamColumns:
    """Expressions of one parameter; all are NULL where the run has no such key."""

    type: str
    num: str
    """Its number; NULL for a truth, which its text tells."""
    text: str
    """Its text in one spelling; of a null as the source spells it."""

    raw: str
    """Its text as the source has it."""
    present: str
    """Its text, NULL for a null too."""
    number: str
    """What compares as a number: numbers, and texts that are numbers; NaN is none."""


def param_columns(vocabulary: Vocabulary, key: str, join: Join) -> ParamColumns:
    """The expressions of a parameter."""
    place = vocabulary.place("param", key)
    if place is None:
        alias, slot = join(("param", key), Sql(_ROWS, (bindable(key),))), ""
    else:
        alias, slot = _page(place, "param", join), str(place.slot)
    kind, number, text = (f"{alias}.{column}{slot}" for column in "tns")
    return ParamColumns(
        type=kind,
        num=number,
        text=text,
        raw=f"coalesce({alias}.r{slot}, {text})",
        present=f"CASE WHEN {kind} <> 'null' THEN {text} END",
        number=f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END",
    )


def metric_column(vocabulary: Vocabulary, metric: str, how: str, join: Join) -> str:
    """The expression of a metric's last, min or max value; '' where it has no column."""
    place = vocabulary.place("metric", metric) if how in _STATISTICS else None
    return "" if place is None else f"{_page(place, 'metric', join)}.{how}{place.slot}"


def chosen_runs(reader: Reader, run_ids: Sequence[str]) -> Sql:
    """The condition on a table with run_no that a row is of one of these runs."""
    if len(run_ids) == reader.once("SELECT count(*) FROM run")[0][0]:
        return TRUE
    return Sql(
        "run_no IN (SELECT run_no FROM run WHERE run_id IN (SELECT unnest(CAST(? AS VARCHAR[]))))", (list(run_ids),)
    )


def metric_counts(reader: Reader, run_ids: Sequence[str] | None) -> dict[str, int]:
    """For each metric how many of the runs (all by default) have it; metrics of none are left out."""
    places = reader.once("SELECT name, page, slot, n_runs FROM wide_key WHERE kind = 'metric' ORDER BY name")
    chosen = TRUE if run_ids is None else chosen_runs(reader, run_ids)
    if chosen is TRUE:
        return {name: n_runs for name, _page, _slot, n_runs in places}
    if any(page is None for _name, page, _slot, _n in places):
        sql = "SELECT metric, count(DISTINCT run_id) FROM series WHERE run_id IN (SELECT unnest(?)) GROUP BY metric"
        return dict(reader.rows(sql, [list(run_ids or ())]))
    counts: dict[str, int] = {}
    for page in sorted({page for _name, page, _slot, _n in places}):
        slots = {slot: name for name, its_page, slot, _n in places if its_page == page}
        columns = ", ".join(f"count(i{slot})" for slot in slots)
        table = f"wide_metric_{page}" if page else "wide_run"
        (row,) = reader.rows(f"SELECT {columns} FROM {table} WHERE {chosen.text}", chosen.parameters)
        counts |= {name: n for name, n in zip(slots.values(), row, strict=True) if n}
    return counts


def _page(place: Place, kind: str, join: Join) -> str:
    """The alias that the columns of a page have; those of page 0 are columns of the runs."""
    if place.page == 0:
        return "r"
    return join(("page", kind, place.page), Sql(f"wide_{kind}_{place.page}"), on="run_no = r.run_no")
