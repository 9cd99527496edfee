"""A plain evaluation of filters in Python, to hold the SQL to: one run at a time, no joins, no catalog.

It knows what docs/reference/query.md says, and is written from that page, not from the SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from mlbench.queries.literals import number_of
from mlbench.queries.tree import (
    Aggregate,
    AllOf,
    AnyOf,
    Between,
    Compare,
    Curve,
    Everything,
    Has,
    IsNull,
    Literal,
    Matches,
    Node,
    Not,
    OneOf,
    Operand,
    Ref,
    Slope,
    StepOf,
    ValueAt,
    Word,
)

Plain = float | str | bool | None
"""A value: booleans only of parameters."""


@dataclass(frozen=True)
class PlainRun:
    """All that filters can ask of a run here."""

    name: str
    status: str = "finished"
    params: Mapping[str, Plain] = field(default_factory=dict)
    metrics: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """The steps are 0, 1, 2, ..."""
    tags: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


GOALS = {"loss": "min", "acc": "max"}


def matches(node: Node, run: PlainRun) -> bool:
    match node:
        case Everything():
            return True
        case Not(part):
            return not matches(part, run)
        case AllOf(parts):
            return all(matches(part, run) for part in parts)
        case AnyOf(parts):
            return any(matches(part, run) for part in parts)
        case Word(text):
            return any(text.lower() in place.lower() for place in _texts(run))
        case Curve(how, metric):
            return _curve_is(how, run.metrics.get(metric.name))
        case IsNull(left, is_negated):
            return (_value(left, run) is None) != is_negated
        case _:
            return _compared(node, run)


Comparing: TypeAlias = Compare | OneOf | Between | Matches | Has


def _compared(node: Comparing, run: PlainRun) -> bool:
    if isinstance(node.left, Ref) and node.left.name in {"tag", "note"}:
        return _one_of_a_set(node, run.tags if node.left.name == "tag" else run.notes)
    left = _value(node.left, run)
    is_there = _is_there(node.left, run)
    match node:
        case Compare(_, sign, Literal(text)):
            holds = _holds(left, "=" if sign == "!=" else sign, text)
            return is_there and not holds if sign == "!=" else holds
        case Compare(_, sign, right):
            assert not isinstance(right, Literal)
            both = is_there and _is_there(right, run)
            return _operands_hold(left, sign, _value(right, run), both)
        case OneOf(_, values, is_negated):
            holds = any(_holds(left, "=", value.text) for value in values)
            return is_there and not holds if is_negated else holds
        case Between(_, low, high, is_negated):
            holds = _holds(left, ">=", low.text) and _holds(left, "<=", high.text)
            return is_there and not holds if is_negated else holds
        case Matches(_, how, pattern, is_negated):
            holds = any(_fits(text, how, pattern.text) for text in _spellings(node.left, left, run))
            return is_there and not holds if is_negated else holds
        case Has(_, value):
            if isinstance(node.left, Ref) and node.left.name == "name":
                return value.text.lower() in run.name.lower()
            return _holds(left, "=", value.text)


def _spellings(operand: Operand, value: Plain, run: PlainRun) -> list[str]:
    """A value as it is shown; of a parameter also as its source has it, where null is a word."""
    shown = [] if value is None else [_text(value)]
    is_param = isinstance(operand, Ref) and operand.kind == "param" and operand.name in run.params
    return [*shown, str(value)] if is_param else shown


def _is_there(operand: Operand, run: PlainRun) -> bool:
    """Whether the run has a value, or a parameter that says in so many words that it has none."""
    has_key = isinstance(operand, Ref) and operand.kind == "param" and operand.name in run.params
    return has_key or _value(operand, run) is not None


def _one_of_a_set(node: Comparing, held: Sequence[str] | frozenset[str]) -> bool:
    """A condition on tags or notes holds if it holds for one of them; its opposite if it holds for none."""
    match node:
        case Compare(_, "!=", Literal(text)):
            return text not in held
        case Compare(_, "=", Literal(text)):
            return text in held
        case OneOf(_, values, is_negated):
            return any(value.text in held for value in values) != is_negated
        case Matches(_, how, pattern, is_negated):
            return any(_fits(one, how, pattern.text) for one in held) != is_negated
        case Has(Ref(_, "note"), value):
            return any(value.text.lower() in one.lower() for one in held)
        case Has(_, value):
            return value.text in held
        case _:
            raise AssertionError(node)


def _value(operand: Operand, run: PlainRun) -> Plain:
    match operand:
        case Ref("field", "tag"):
            return ", ".join(sorted(run.tags)) or None
        case Ref("field", "note"):
            return run.notes[0] if run.notes else None
        case Ref("field", name):
            return run.name if name == "name" else run.status
        case Ref("param", name):
            return run.params.get(name)
        case Ref(_, name):
            return _statistic("last", run.metrics.get(name))
        case Aggregate(how, metric):
            return _statistic(GOALS[metric.name] if how == "best" else how, run.metrics.get(metric.name))
        case StepOf(how, metric):
            step = _step(GOALS[metric.name] if how == "best" else how, run.metrics.get(metric.name))
            return None if step is None else float(step)
        case ValueAt(metric, how, by):
            step = _step(GOALS[by.name] if how == "best" else how, run.metrics.get(by.name))
            curve = run.metrics.get(metric.name)
            return curve[min(step, len(curve) - 1)] if step is not None and curve else None
        case Slope():
            raise AssertionError(operand)


def _finite(curve: Sequence[float]) -> list[float]:
    return [value for value in curve if math.isfinite(value)]


def _statistic(how: str, curve: Sequence[float] | None) -> float | None:
    if curve is None:
        return None
    finite = _finite(curve)
    if how in {"first", "last", "count"}:
        return {"first": curve[0], "last": curve[-1], "count": float(len(curve))}[how]
    if not finite:
        return None
    return {"min": min(finite), "max": max(finite), "mean": sum(finite) / len(finite)}[how]


def _step(how: str, curve: Sequence[float] | None) -> int | None:
    finite = _finite(curve or ())
    if curve is None or not finite:
        return None
    return list(curve).index(min(finite) if how == "min" else max(finite))


def _curve_is(how: str, curve: Sequence[float] | None) -> bool:
    if curve is None:
        return False
    return any(map(math.isnan if how == "nan" else math.isinf, curve))


def _holds(left: Plain, sign: str, text: str) -> bool:
    """One value against a text that was typed."""
    number, mine = number_of(text), _number(left)
    if left is None:
        return False
    if mine is not None:
        return number is not None and _in_order(mine, sign, number)
    if number is not None:
        return False
    if isinstance(left, bool):
        return text.lower() == _text(left) if sign == "=" else _in_order(_text(left), sign, text)
    return _in_order(_text(left), sign, text)


def _operands_hold(left: Plain, sign: str, right: Plain, are_there: bool) -> bool:
    equal = "=" if sign == "!=" else sign
    mine, other = _number(left), _number(right)
    if left is None or right is None:
        return sign == "!=" and are_there and (left is not None or right is not None)
    if mine is not None and other is not None:
        holds = _in_order(mine, equal, other)
    elif mine is None and other is None and not isinstance(left, float) and not isinstance(right, float):
        holds = _in_order(_text(left), equal, _text(right))
    else:
        holds = False
    return not holds if sign == "!=" else holds


def _in_order(left: float | str, sign: str, right: float | str) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return {"=": left == right, "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[
            sign
        ]
    mine, other = str(left).encode(), str(right).encode()
    return {"=": mine == other, "<": mine < other, "<=": mine <= other, ">": mine > other, ">=": mine >= other}[sign]


def _number(value: Plain) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    return number_of(value) if isinstance(value, str) else value


def _text(value: Plain) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def _fits(text: str, how: str, pattern: str) -> bool:
    if how == "regex":
        return re.search(pattern, text) is not None
    if how == "ilike":
        text, pattern = text.lower(), pattern.lower()
    wild = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(wild, text, re.DOTALL) is not None


def _texts(run: PlainRun) -> list[str]:
    values = [_text(value) for value in run.params.values() if value is not None]
    nulls = ["null" for value in run.params.values() if value is None]
    return [run.name, *values, *nulls, *run.tags, *run.notes]
