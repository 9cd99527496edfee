"""Whether the catalog can hold a fact: one that it cannot is left out and told, so that it never ends an ingest.

A fact's fields say their types; beside these, whole numbers have 64 bits (some 32), and text is valid Unicode: JSON can
write half a character (`"\\ud800"`), which no file can hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Final

from mlbench.ingest.keep import SmallFact
from mlbench.model import Blob, Cursor, Param, Points, PointTable, Problem, RunField
from mlbench.wire.point_grids import PointGrid

_MAX_64, _MAX_32 = 1 << 63, 1 << 31
_MAX_PARAM_BITS = 13_000
"""Python writes and reads no numbers of more than 4,300 digits."""
_MAX_DEPTH = 200
_NARROW: Final = frozenset({"width", "height", "line"})
"""Fields whose columns have 32 bits."""
_PATHS: Final = frozenset({"file", "repository"})
"""Names of files, which may be any bytes."""
_NUMBERS: Final = {"exit_code": float(_MAX_32), "started": 1e300, "ended": 1e300}
"""Fields of a run that are numbers, and what they are less than."""
_SINGLE: Final = frozenset({float, bool, type(None)})

Check = Callable[[object], bool]


def unstorable_field(fact: SmallFact | Blob | Cursor) -> str:
    """The name of the first field that cannot be held; '' where all can."""
    if type(fact) is Param and is_plain(fact):
        return ""
    if isinstance(fact, RunField) and fact.name in _NUMBERS:
        is_number = not isinstance(fact.value, str) and _is_real(fact.value)
        return "" if is_number and abs(float(fact.value)) < _NUMBERS[fact.name] else fact.name
    for name, check in _checks_of(fact):
        if not check(getattr(fact, name)):
            return name
    return ""


def are_storable(points: Points | PointTable) -> bool:
    """Whether the columns have one length, and the metrics names that can be held."""
    names = (points.metric,) if isinstance(points, Points) else points.metrics
    if isinstance(points, PointGrid):
        return all(map(_is_text, names))
    sizes = {len(column) for column in (points.steps, points.wall_s, points.values, points.seq)}
    if isinstance(points, PointTable):
        sizes.add(len(points.which))
    return all(map(_is_text, names)) and len(sizes) == 1


def told(problem: Problem) -> Problem:
    """The problem in text that can be held; its path is a path, of any bytes."""
    if problem.what.isascii() and problem.place.isascii() and problem.hint.isascii():
        return problem
    texts = (problem.what, problem.place, problem.hint)
    what, place, hint = (text.encode("utf-8", "replace").decode() for text in texts)
    return replace(problem, what=what, place=place, hint=hint)


def is_plain(fact: Param) -> bool:
    """What nearly every parameter is, and can be held: the checks below cost five times as much."""
    value = fact.value
    is_held = type(value) is float or (all(map(_is_single, value)) if type(value) is list else _is_single(value))
    return is_held and (fact.line or 0) < _MAX_32 and fact.key.isascii() and fact.raw.isascii()


def _is_single(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii()
    return type(value) in _SINGLE or (isinstance(value, int) and -_MAX_64 <= value < _MAX_64)


# ---------------------------------------------------------------- by the types of the fields


_known: dict[type[object], tuple[tuple[str, Check], ...]] = {}


def _checks_of(fact: SmallFact | Blob | Cursor) -> tuple[tuple[str, Check], ...]:
    kind = type(fact)
    if kind not in _known:
        _known[kind] = tuple(_checks(fact))
    return _known[kind]


def _checks(fact: SmallFact | Blob | Cursor) -> Iterator[tuple[str, Check]]:
    for part in fields(fact):
        check = _is_number_32 if part.name in _NARROW else _BY_TYPE.get(str(part.type), _is_anything)
        if part.name not in _PATHS:
            yield part.name, check


def _is_text(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _is_number_64(value: object) -> bool:
    return isinstance(value, int) and -_MAX_64 <= value < _MAX_64


def _is_number_32(value: object) -> bool:
    return value is None or (isinstance(value, int) and -_MAX_32 <= value < _MAX_32)


def _is_real(value: object) -> bool:
    return isinstance(value, float) or _is_number_64(value)


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _is_json(value: object, depth: int = 0) -> bool:
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, int):
        return value.bit_length() <= _MAX_PARAM_BITS
    if value is None or isinstance(value, float):
        return True
    if depth == _MAX_DEPTH:
        return False
    if isinstance(value, Mapping):
        return all(_is_text(key) and _is_json(one, depth + 1) for key, one in value.items())
    return isinstance(value, list | tuple) and all(_is_json(one, depth + 1) for one in value)


def _is_cursor(value: object) -> bool:
    """JSON writes half a character as ASCII, and reads it again."""
    try:
        return isinstance(value, Mapping) and (not value or bool(json.dumps(dict(value))))
    except (TypeError, ValueError, RecursionError):
        return False


def _is_anything(_value: object) -> bool:
    return True


_BY_TYPE: Final[Mapping[str, Check]] = {
    "str": _is_text, "int": _is_number_64, "int | None": _or_none(_is_number_64), "float": _is_real,
    "float | None": _or_none(_is_real), "str | float": lambda value: _is_text(value) or _is_real(value),
    "bool | None": _or_none(lambda value: isinstance(value, bool)), "bool": lambda value: isinstance(value, bool),
    "tuple[str, ...]": lambda value: isinstance(value, list | tuple) and all(map(_is_text, value)),
    "JsonValue": _is_json, "Mapping[str, JsonValue]": _is_cursor,
}  # fmt: skip
