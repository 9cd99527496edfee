"""A filter as a condition over the runs `r`, with the values bound. Points are read only for questions about curves."""

from __future__ import annotations

from mlbench.queries.bind import Binding, Bound
from mlbench.queries.comparing import SETS, Comparing, in_set
from mlbench.queries.datasets import data_set_sql
from mlbench.queries.fragment import TRUE, Sql, bindable, joined
from mlbench.queries.mistakes import FilterError
from mlbench.queries.tree import (
    AllOf,
    AnyOf,
    Between,
    Compare,
    Curve,
    Everything,
    Filter,
    IsNull,
    Leaf,
    Literal,
    Matches,
    Node,
    Not,
    OneOf,
    Ref,
    Word,
)

_LONG_FIELDS = frozenset({"name", "note", "command", "path"})
"""Fields in which `field:word` finds a part."""
_ANYWHERE = (
    "contains(lower(r.name), lower(?))",
    "r.run_no IN (SELECT run_no FROM run_text WHERE contains(txt, lower(?)))",
    "r.key IN (SELECT run_key FROM word_tag WHERE contains(lower(tag), lower(?)))",
    "r.key IN (SELECT run_key FROM word_note WHERE contains(lower(body), lower(?)))",
)
"""The text of a run's parameters and of what its sources hold lies in run_text, with U+001F between the pieces."""


def where_sql(filter_: Filter, binding: Binding) -> Sql:
    """The condition that a run `r` of the view `runs` fulfils; the joins that it needs are added to the binding.

    Raises:
        FilterError: a name is not known, or a value does not fit what it is compared with.
    """
    return _Writer(binding, filter_.text).node(filter_.tree)


class _Writer:
    def __init__(self, binding: Binding, text: str) -> None:
        self._binding = binding
        self._text = text
        self._comparing = Comparing(binding.reader, text, binding.remarks)

    def node(self, node: Node, *, is_below_not: bool = False) -> Sql:
        match node:
            case Everything():
                return TRUE
            case Not(part):
                inner = self.node(part, is_below_not=True)
                return Sql(f"NOT ({inner.text})", inner.parameters)
            case AllOf(parts) | AnyOf(parts):
                word = "AND" if isinstance(node, AllOf) else "OR"
                return joined(word, [self.node(part, is_below_not=is_below_not) for part in parts])
            case _:
                # Elsewhere NULL already counts as false: WHERE, AND and OR see to it, and DuckDB plans with less.
                return _two_valued(self._leaf(node)) if is_below_not else self._leaf(node)

    def _leaf(self, leaf: Leaf) -> Sql:
        if not isinstance(leaf, Curve | Word) and isinstance(leaf.left, Ref) and self._binding.is_data_set(leaf.left):
            return data_set_sql(leaf, leaf.left.name, self._text)
        match leaf:
            case Compare():
                return self._compare(leaf)
            case OneOf():
                return self._one_of(leaf)
            case Between():
                return self._between(leaf)
            case Matches(left, how, pattern, is_negated):
                bound = self._binding.bind(left, self._text)
                return _negated_if(is_negated, bound, self._comparing.matching(bound, how, pattern))
            case IsNull(left, is_negated):
                return _is_null(self._binding.bind(left, self._text), is_negated=is_negated)
            case Curve():
                return Sql(self._binding.curve(leaf, self._text))
            case Word(text):
                return self._anywhere(text)
            case _:
                return self._has(leaf.left, leaf.value)

    def _compare(self, leaf: Compare) -> Sql:
        left = self._binding.bind(leaf.left, self._text)
        is_negated, sign = leaf.sign == "!=", "=" if leaf.sign == "!=" else leaf.sign
        if isinstance(leaf.right, Literal):
            return _negated_if(is_negated, left, self._comparing.with_literal(left, sign, leaf.right))
        right = self._binding.bind(leaf.right, self._text)
        condition = self._comparing.with_operand(left, sign, right, leaf.at)
        if not is_negated:
            return condition
        # Two parameters that both say null do not differ.
        either = Sql(f"({left.text or left.number}) IS NOT NULL OR ({right.text or right.number}) IS NOT NULL")
        return joined("AND", [Sql(right.present), either, _negated_if(True, left, condition)])

    def _one_of(self, leaf: OneOf) -> Sql:
        left = self._binding.bind(leaf.left, self._text)
        equal = joined("OR", [self._comparing.with_literal(left, "=", value) for value in leaf.values])
        return _negated_if(leaf.is_negated, left, equal)

    def _between(self, leaf: Between) -> Sql:
        left = self._binding.bind(leaf.left, self._text)
        if left.kind in SETS:
            raise FilterError(f"'between' needs one value, and a run has many {left.label}s", self._text, leaf.at)
        low = self._comparing.with_literal(left, ">=", leaf.low)
        high = self._comparing.with_literal(left, "<=", leaf.high)
        return _negated_if(leaf.is_negated, left, joined("AND", [low, high]))

    def _has(self, left: Ref, value: Literal) -> Sql:
        if left.kind == "field" and left.name in _LONG_FIELDS:
            return self._contains(left.name, value.text)
        bound = self._binding.bind(left, self._text)
        return self._comparing.with_literal(bound, "=", value)

    def _contains(self, field: str, text: str) -> Sql:
        if field == "note":
            return in_set("note", "contains(lower(body), lower(?))", text)
        return Sql(f"contains(lower(r.{field}), lower(?))", (bindable(text),))

    def _anywhere(self, text: str) -> Sql:
        known = self._binding.vocabulary.names("param") | self._binding.vocabulary.names("metric")
        if text in known:
            self._binding.remarks[f"'{text}' finds text; to ask for its value: {text} = ..."] = None
        places = [Sql(place, (bindable(text),) * place.count("?")) for place in _ANYWHERE]
        return joined("OR", places)


def _two_valued(condition: Sql) -> Sql:
    """Missing is false, so that `not` turns it into true."""
    return Sql(f"coalesce(({condition.text}), false)", condition.parameters)


def _negated_if(is_negated: bool, left: Bound, condition: Sql) -> Sql:
    """The opposite where a value is there; a set of tags or notes is always there, if empty."""
    if not is_negated:
        return condition
    opposite = f"NOT coalesce(({condition.text}), false)"
    return Sql(opposite if left.kind in SETS else f"{left.present} AND {opposite}", condition.parameters)


def _is_null(left: Bound, *, is_negated: bool) -> Sql:
    no = "NOT " if is_negated else ""
    return Sql(f"({left.text or left.number}) IS {no}NULL")
