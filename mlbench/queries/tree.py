"""A filter as a tree: what the parser makes and what becomes SQL. Frozen; places do not take part in equality."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TypeAlias

from mlbench.dataclass import dataclass

AGGREGATES = ("first", "last", "min", "max", "mean", "best", "count")
EXTREMES = ("min", "max", "best")
CURVES = ("nan", "inf", "diverged", "plateau")


@dataclass(frozen=True, slots=True)
class Ref:
    """Something of a run by its name."""

    kind: str
    """field, param, metric, tag, git, data, dataset, env, or bare: to be found out when the runs are known."""
    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`min(metrics.val/loss)`."""

    how: str
    metric: Ref
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ValueAt:
    """`metrics.acc at min(metrics.val/loss)`: the value of one metric at the step where another is least."""

    metric: Ref
    how: str
    by: Ref
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class StepOf:
    """`step of min(metrics.val/loss)`."""

    how: str
    metric: Ref
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Slope:
    """`slope(metrics.loss, last 10%)`: the fitted change of the value in one step."""

    metric: Ref
    percent: float
    """How much of the curve's steps, counted from its end; above 0 up to 100."""
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it was typed; what it means depends on what it is compared with."""

    text: str
    at: int = field(default=0, compare=False)


Operand: TypeAlias = Ref | Aggregate | ValueAt | StepOf | Slope


@dataclass(frozen=True, slots=True)
class Compare:
    """`left sign right`; the sign is one of = != < <= > >=."""

    left: Operand
    sign: str
    right: Operand | Literal
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class OneOf:
    left: Operand
    values: tuple[Literal, ...]
    is_negated: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Between:
    left: Operand
    low: Literal
    high: Literal
    is_negated: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Matches:
    """`left like pattern`; `how` is like, ilike or regex."""

    left: Operand
    how: str
    pattern: Literal
    is_negated: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class IsNull:
    left: Operand
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A question about a whole curve: `nan(metrics.loss)`."""

    how: str
    metric: Ref
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Word:
    """A plain word: in the name, a parameter's value, a tag or a note."""

    text: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Has:
    """`tag:baseline`: equal, or for long texts (name, note, command, path) contains."""

    left: Ref
    value: Literal
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty filter."""


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Node, ...]
    """Two or more."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Node, ...]
    """Two or more."""


Leaf: TypeAlias = Compare | OneOf | Between | Matches | IsNull | Curve | Word | Has
Node: TypeAlias = "Leaf | Everything | Not | AllOf | AnyOf"


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter."""

    tree: Node
    text: str = field(default="", compare=False)
    """As it was typed; mistakes that show only when the runs are known point into it."""


# ---------------------------------------------------------------- back to text

_PLAIN_NAME = re.compile(r"[^\s()<>=~,'\"`!:]+")
_PLAIN_BARE = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)
_PLAIN_VALUE = re.compile(r"[\w.+/-]+", re.ASCII)
_RESERVED = frozenset({"and", "or", "not", "in", "between", "like", "ilike", "is", "null", "step", "at", "as"})
PREFIXES = {
    "metrics": "metric", "metric": "metric", "params": "param", "param": "param", "parameters": "param",
    "parameter": "param", "tags": "tag", "tag": "tag", "run": "field", "attributes": "field", "attribute": "field",
    "attr": "field", "git": "git", "data": "data", "env": "env", "dataset": "dataset",
    "datasets": "dataset",
}  # fmt: skip
"""Word before the first dot, with MLflow's spellings, and the kind that it says."""
DATA_SET = ("name", "digest", "context")
"""What can stand after `dataset.`, MLflow's words for a data set; `dataset.anything_else` is a bare name."""
_PREFIX_OF = {"metric": "metrics.", "param": "params.", "tag": "tags.", "field": "run.", "git": "git.", "data": "data.",
              "env": "env.", "dataset": "dataset."}  # fmt: skip
PLAIN_FIELDS = {
    "name": "name", "id": "id", "project": "project", "status": "status", "started": "started", "ended": "ended",
    "duration": "duration", "user": "user", "host": "host", "tag": "tag", "note": "note", "archived": "archived",
    "group": "group", "command": "command", "path": "path", "tags": "tag", "notes": "note", "run_id": "id",
    "run_name": "name", "start_time": "started", "end_time": "ended", "created": "started", "user_id": "user",
}  # fmt: skip
"""Fields that need no `run.` before them, with MLflow's spellings."""


_TAKEN = _RESERVED.union(PLAIN_FIELDS, AGGREGATES, CURVES, ("slope", "infinity"))


def quote_text(text: str) -> str:
    """A value as a filter takes it: bare where that is plain, else between single quotes."""
    if (
        _PLAIN_VALUE.fullmatch(text)
        and text.lower() not in _RESERVED
        and text.partition(".")[0].lower() not in PREFIXES
    ):
        return text
    return _quoted(text, "'")


def quote_name(kind: str, name: str) -> str:
    """A reference as a filter or column specification takes it: `metrics.val/loss`, ``params.`a b` ``."""
    if kind == "field" and name in PLAIN_FIELDS:
        return name
    if kind == "bare":
        is_taken = name.lower() in _TAKEN or name.partition(".")[0].lower() in PREFIXES
        return name if _PLAIN_BARE.fullmatch(name) and not is_taken else _quoted(name, "`")
    return _PREFIX_OF[kind] + (name if _PLAIN_NAME.fullmatch(name) else _quoted(name, "`"))


def _quoted(text: str, quote: str) -> str:
    return quote + text.replace(quote, quote * 2) + quote


def operand_text(operand: Operand) -> str:
    """The operand in its usual spelling."""
    match operand:
        case Ref(kind, name):
            return quote_name(kind, name)
        case Aggregate(how, metric):
            return f"{how}({operand_text(metric)})"
        case ValueAt(metric, how, by):
            return f"{operand_text(metric)} at {how}({operand_text(by)})"
        case StepOf(how, metric):
            return f"step of {how}({operand_text(metric)})"
        case _:
            share = "" if operand.percent == 100 else f", last {operand.percent!r}%"
            return f"slope({operand_text(operand.metric)}{share})"


def render(filter_: Filter) -> str:
    """The filter in its usual spelling; parsing that gives an equal filter."""
    return _render(filter_.tree, outer="")


def _render(node: Node, *, outer: str) -> str:
    match node:
        case Everything():
            return ""
        case Not(part):
            return f"not {_render(part, outer='not')}"
        case AllOf(parts):
            return _joined(" and ", parts, outer=outer)
        case AnyOf(parts):
            return _joined(" or ", parts, outer=outer)
        case _:
            return _leaf_text(node)


def _joined(word: str, parts: tuple[Node, ...], *, outer: str) -> str:
    text = word.join(_render(part, outer=word) for part in parts)
    needs = outer in {"not", word} or (outer == " and " and word == " or ")
    return f"({text})" if needs else text


def _leaf_text(leaf: Leaf) -> str:
    match leaf:
        case Compare(left, sign, right):
            return f"{operand_text(left)} {sign} {_right_text(right)}"
        case OneOf(left, values, is_negated):
            return f"{operand_text(left)}{_no(is_negated)} in ({', '.join(quote_text(v.text) for v in values)})"
        case Between(left, low, high, is_negated):
            return f"{operand_text(left)}{_no(is_negated)} between {quote_text(low.text)} and {quote_text(high.text)}"
        case Matches(left, how, pattern, is_negated):
            sign = {("regex", False): " ~", ("regex", True): " !~"}.get((how, is_negated), f"{_no(is_negated)} {how}")
            return f"{operand_text(left)}{sign} {_quoted(pattern.text, chr(39))}"
        case IsNull(left, is_negated):
            return f"{operand_text(left)} is {'not ' if is_negated else ''}null"
        case Curve(how, metric):
            return f"{how}({operand_text(metric)})"
        case Word(text):
            return _quoted(text, "'")
        case _:
            left, value = leaf.left, leaf.value
            # Only names that need no quotes can stand before a colon: no backticks here.
            is_plain = left.kind == "bare" or (left.kind == "field" and left.name in PLAIN_FIELDS)
            prefix = "" if is_plain else _PREFIX_OF[left.kind]
            return f"{prefix}{left.name}:{_quoted(value.text, chr(39))}"


def _right_text(right: Operand | Literal) -> str:
    if isinstance(right, Literal):
        return quote_text(right.text)
    if isinstance(right, Ref) and right.kind == "bare":
        return _quoted(right.name, "`")
    return operand_text(right)


def _no(is_negated: bool) -> str:
    return " not" if is_negated else ""
