"""Nested parameters as one list of dotted keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue
from mlbench.wire.dump_tree import MAX_DEPTH, MAX_LEAVES, MAX_WEIGHT, Raw, RawPath

TOO_DEEP = "(nested too deeply)"
_NO_TEXTS: Mapping[RawPath, Raw] = {}
_SINGLE = frozenset({str, int, float, bool, type(None)})
"""The types of most values: asked by name, since asking whether one is a mapping takes longer than all the rest."""


class Leaf(NamedTuple):
    """One parameter. `path` holds the keys as they stand in the source, which may themselves contain dots."""

    key: str
    path: RawPath
    value: JsonValue
    raw: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Flat:
    leaves: tuple[Leaf, ...]
    """In the order of the source."""
    is_cut: bool = False
    """There were more than `MAX_LEAVES`, or their keys were absurdly long; the rest was left out."""


def flatten(value: Mapping[str, JsonValue], *, raw: Mapping[RawPath, Raw] = _NO_TEXTS) -> Flat:
    """Flatten nested mappings with dots.

    Lists and empty mappings are values. A mapping that a tag names (`__tag__`) is passed through to what it holds, or
    is one value where that is no mapping. Keys that are not text become text.

    Args:
        value: the root mapping.
        raw: texts and lines by path (`Loaded.raw`); where one is missing, the text is written from the value.
    """
    leaves: list[Leaf] = []
    weight = 0
    for key, path, leaf in _walk(value):
        weight += len(key)
        if len(leaves) == MAX_LEAVES or weight > MAX_WEIGHT:
            return Flat(tuple(leaves), is_cut=True)
        text = raw.get(path)
        written = value_text(leaf) if text is None else text.text
        # What nests too deeply for JSON is told, not carried on.
        kept = written if written == TOO_DEEP else leaf
        leaves.append(Leaf(key, path, kept, written, text.line if text else None))
    return Flat(tuple(leaves))


def _walk(root: Mapping[str, JsonValue]) -> Iterator[tuple[str, RawPath, JsonValue]]:
    """Every value with its dotted key and its true path, depth first, without recursion."""
    stack: list[tuple[str | None, RawPath, JsonValue]] = [(None, (), root)]
    while stack:
        key, path, value = stack.pop()
        if type(value) in _SINGLE:
            yield key or "", path, value
            continue
        if isinstance(value, Mapping) and _is_tagged(value):
            inner = value["value"]
            if isinstance(inner, Mapping) and inner and len(path) < MAX_DEPTH:
                stack.append((key, (*path, "value"), inner))
                continue
        elif isinstance(value, Mapping) and (value or not path) and len(path) < MAX_DEPTH:
            before = "" if key is None else f"{key}."
            children = [(f"{before}{name}", (*path, str(name)), child) for name, child in value.items()]
            stack.extend(reversed(children))
            continue
        yield key or "", path, value


def _is_tagged(value: Mapping[str, JsonValue]) -> bool:
    return value.keys() == {"__tag__", "value"}


def value_text(value: JsonValue) -> str:
    """A value on one line: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=_jsonable)
    except (ValueError, RecursionError):
        return TOO_DEEP


def _jsonable(value: object) -> object:
    """Mappings and sequences that are not dict and list."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Sequence) else str(value)
