"""Conditions on a run's data sets in MLflow's words: `dataset.name`, `dataset.digest`.

As in MLflow such a condition holds if it holds for one of the run's data sets, also where it is negated:
`dataset.name != 'mnist'` finds the runs that read something else than mnist, perhaps beside it.
"""

from __future__ import annotations

from mlbench.queries.bind import DATA_SET_COLUMNS
from mlbench.queries.comparing import pattern_sql
from mlbench.queries.fragment import Sql, bindable
from mlbench.queries.mistakes import FilterError
from mlbench.queries.tree import Between, Compare, Has, IsNull, Literal, Matches, OneOf

_SIGNS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def data_set_sql(leaf: Compare | OneOf | Between | Matches | IsNull | Has, name: str, text: str) -> Sql:
    """The condition over the runs `r`.

    Args:
        leaf: its left side is a data set.
        name: the word after `dataset.`.
        text: what was typed, for the caret.

    Raises:
        FilterError: it is compared with another name.
    """
    if isinstance(leaf, IsNull):
        return Sql(f"r.id {'IN' if leaf.is_negated else 'NOT IN'} (SELECT run_id FROM data_version)")
    inner = _of_one(leaf, DATA_SET_COLUMNS[name], text)
    return Sql(f"r.id IN (SELECT run_id FROM data_version WHERE {inner.text})", inner.parameters)


def _of_one(leaf: Compare | OneOf | Between | Matches | Has, column: str, text: str) -> Sql:
    match leaf:
        case Compare(_, sign, Literal(value)):
            return Sql(f"{column} {_SIGNS[sign]} ?", (bindable(value),))
        case Compare():
            raise FilterError("a data set compares with a text only. Try: dataset.name = 'mnist'", text, leaf.at)
        case OneOf(_, values, is_negated):
            places = ", ".join("?" * len(values))
            return Sql(f"{column} {_no(is_negated)}IN ({places})", tuple(bindable(value.text) for value in values))
        case Between(_, low, high, is_negated):
            return Sql(f"{column} {_no(is_negated)}BETWEEN ? AND ?", (bindable(low.text), bindable(high.text)))
        case Matches(_, how, pattern, is_negated):
            return Sql(f"{_no(is_negated)}({pattern_sql(column, how)})", (bindable(pattern.text),))
        case _:
            return Sql(f"{column} = ?", (bindable(leaf.value.text),))


def _no(is_negated: bool) -> str:
    return "NOT " if is_negated else ""
