"""Where the values of parameters and metrics lie: columns of the wide pivot, rows for the keys that have no column.

The expressions are over the runs `r` of the view `runs`, and over what the given `join` has joined to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mlbench.queries.fragment import Sql, bindable
from mlbench.queries.vocabulary import Place, Vocabulary

_ROWS = """SELECT run_id, min(type) AS t, min(CASE WHEN type IN ('int', 'float') THEN num
    WHEN type = 'str' THEN TRY_CAST(txt AS DOUBLE) END) AS n, min(CASE WHEN type = 'null' THEN raw ELSE txt END) AS s
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
    """Its number, 1 and 0 for truths; what a table shows."""
    text: str
    """Its text in one spelling; of a null as the source spells it."""

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
        num=f"CASE WHEN {kind} = 'bool' THEN CAST({text} = 'true' AS DOUBLE) ELSE {number} END",
        text=text,
        present=f"CASE WHEN {kind} <> 'null' THEN {text} END",
        number=f"CASE WHEN isnan({number}) THEN NULL ELSE {number} END",
    )


def metric_column(vocabulary: Vocabulary, metric: str, how: str, join: Join) -> str:
    """The expression of a metric's last, min or max value; '' where it has no column."""
    place = vocabulary.place("metric", metric) if how in _STATISTICS else None
    return "" if place is None else f"{_page(place, 'metric', join)}.{how}{place.slot}"


def _page(place: Place, kind: str, join: Join) -> str:
    return join(("page", kind, place.page), Sql(f"wide_{kind}_{place.page}"), on="run_no = r.run_no")
