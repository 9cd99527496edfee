"""What a parameter dump holds, before it becomes plain values: a small tree that remembers texts and lines.

YAML, JSON, Python literals and key-value lines are all read into this tree, so that duplicates, raw texts, lines and
limits are handled once. The limits make a hostile file an error instead of a hang: nesting stops at `MAX_DEPTH`, and
`MAX_WEIGHT` bounds everything that aliases repeat. Nodes are tuples: they are made in half the time of dataclasses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue

MAX_DEPTH = 64
"""The deepest of 8,472 public configuration files nests 14 levels."""
MAX_WEIGHT = 8 << 20
"""Characters of all texts and keys, plus `NODE_WEIGHT` a node; what an alias repeats counts each time."""
NODE_WEIGHT = 32
"""So that a quarter of a million values, a second of work, is the most that is read."""
MAX_LEAVES = 20_000
"""Parameters of one source; more is a data file and no dump."""
MAX_REMARKS = 20
CLIP_CELLS = 40

RawPath: TypeAlias = tuple[str, ...]


class TreeError(ValueError):
    """The text is not what its shape promises, or passes a limit. `line` is 1-based, None where unknown."""

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


class Scalar(NamedTuple):
    """A single value: the text as written (without quotes) and what it means."""

    text: str
    value: JsonValue
    line: int
    quote: str = ""
    """The quote that stood around the text, '' if none."""


class Items(NamedTuple):
    """A list, tuple or set."""

    nodes: tuple[Node, ...]
    line: int
    brackets: str = "[]"


class Pair(NamedTuple):
    key: str
    node: Node
    line: int


class Pairs(NamedTuple):
    """A mapping as written: a key may occur twice."""

    pairs: tuple[Pair, ...]
    line: int


class Tagged(NamedTuple):
    """A value of a type that is not built: its tag and its plain parts."""

    tag: str
    node: Node
    line: int


Node: TypeAlias = Scalar | Items | Pairs | Tagged


class Raw(NamedTuple):
    """How a value stands in the file."""

    text: str
    line: int | None


class Remark(NamedTuple):
    """Something a reader of the dump should know, though every value was read."""

    what: str
    line: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A dump as plain values with their texts."""

    value: JsonValue
    raw: Mapping[RawPath, Raw]
    """By the keys from the root, for every value that is not itself a mapping with keys (lists as flow text).

    Holds the first `MAX_LEAVES` of them.
    """
    remarks: tuple[Remark, ...] = ()
    """Keys given twice and other findings, at most `MAX_REMARKS`."""
    yaml_1_1: tuple[Remark, ...] = ()
    """Plain YAML scalars that a YAML 1.1 reader such as PyYAML takes for something else."""


def load_tree(node: Node, *, remarks: tuple[Remark, ...] = (), yaml_1_1: tuple[Remark, ...] = ()) -> Loaded:
    """Turn a tree into plain values; of a key given twice the last one holds, and a remark says so."""
    raw: dict[RawPath, Raw] = {}
    found = list(remarks)
    value = _plain(node, (), node.line, raw, found)
    return Loaded(value, raw, capped(found), capped(list(yaml_1_1)))


def remark_1_1(text: str, meaning: str, line: int) -> Remark:
    """That a reader of YAML 1.1 takes a scalar for something else."""
    return Remark(f"{clip(text)} is {meaning} to a YAML 1.1 reader such as PyYAML", line)


def capped(remarks: list[Remark]) -> tuple[Remark, ...]:
    """The first `MAX_REMARKS`, and how many more there were."""
    if len(remarks) <= MAX_REMARKS:
        return tuple(remarks)
    rest = Remark(f"{len(remarks) - MAX_REMARKS} more remarks like these were left out", remarks[MAX_REMARKS].line)
    return (*remarks[:MAX_REMARKS], rest)


def _plain(node: Node, path: RawPath, line: int, raw: dict[RawPath, Raw], remarks: list[Remark]) -> JsonValue:
    """The value of a node, its texts noted in `raw`; `line` is that of its key."""
    if isinstance(node, Pairs) and node.pairs:
        return _plain_mapping(node, path, raw, remarks)
    if isinstance(node, Tagged) and isinstance(node.node, Pairs) and node.node.pairs:
        return {"__tag__": node.tag, "value": _plain(node.node, (*path, "value"), line, raw, remarks)}
    if len(raw) < MAX_LEAVES:
        raw[path] = Raw(flow_text(node), line)
    return _inner(node, path, remarks)


def _plain_mapping(node: Pairs, path: RawPath, raw: dict[RawPath, Raw], remarks: list[Remark]) -> dict[str, JsonValue]:
    values: dict[str, JsonValue] = {}
    for key, (_key, child, line) in _last_of_each(node, path, remarks).items():
        if type(child) is not Scalar:
            values[key] = _plain(child, (*path, key), line, raw, remarks)
            continue
        # Most nodes are scalars: they are spared a call.
        values[key] = child.value
        if len(raw) < MAX_LEAVES:
            raw[*path, key] = Raw(child.text, line)
    return values


def _inner(node: Node, path: RawPath, remarks: list[Remark]) -> JsonValue:
    """The plain value of a node whose parts need no texts of their own."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [_inner(child, path, remarks) for child in node.nodes]
        case Pairs():
            last = _last_of_each(node, path, remarks)
            return {key: _inner(pair.node, (*path, key), remarks) for key, pair in last.items()}
        case _:
            return {"__tag__": node.tag, "value": _inner(node.node, path, remarks)}


def _last_of_each(node: Pairs, path: RawPath, remarks: list[Remark]) -> dict[str, Pair]:
    last = {pair.key: pair for pair in node.pairs}
    if len(last) < len(node.pairs):
        remarks.extend(_repetitions(node, path))
    return last


def _repetitions(node: Pairs, path: RawPath) -> Iterator[Remark]:
    given: dict[str, list[Pair]] = {}
    for pair in node.pairs:
        given.setdefault(pair.key, []).append(pair)
    for key, pairs in given.items():
        if len(pairs) == 1:
            continue
        texts = [clip(flow_text(pair.node)) for pair in pairs[-4:]]
        times = "twice" if len(pairs) == 2 else f"{len(pairs)} times"
        name = clip(".".join((*path, key)))
        listed = f"{', '.join(texts[:-1])} and {texts[-1]}"
        yield Remark(f"'{name}' is given {times}, {listed}. The last one, {texts[-1]}, is used", pairs[-1].line)


def clip(text: str, *, width: int = CLIP_CELLS) -> str:
    """A text short enough for a message."""
    return text if len(text) <= width else text[: width - 1] + "…"


def flow_text(node: Node) -> str:
    """A value on one line, as its source would write it."""
    match node:
        case Scalar():
            return node.text
        case Tagged():
            return f"{_short_tag(node.tag)} {_part(node.node)}".rstrip()
        case _:
            return _part(node)


def _part(node: Node) -> str:
    match node:
        case Scalar():
            return _quoted(node)
        case Items():
            inner = ", ".join(_part(child) for child in node.nodes)
            comma = "," if node.brackets == "()" and len(node.nodes) == 1 else ""
            return f"{node.brackets[0]}{inner}{comma}{node.brackets[1]}"
        case Pairs():
            return "{" + ", ".join(f"{pair.key}: {_part(pair.node)}" for pair in node.pairs) + "}"
        case _:
            return f"{_short_tag(node.tag)} {_part(node.node)}".rstrip()


def _quoted(node: Scalar) -> str:
    if not node.quote:
        return node.text
    if node.quote == "'" and "'" not in node.text and "\\" not in node.text and node.text.isprintable():
        return f"'{node.text}'"
    return json.dumps(node.text, ensure_ascii=False)


def _short_tag(tag: str) -> str:
    return "!!" + tag.removeprefix("tag:yaml.org,2002:") if tag.startswith("tag:yaml.org,2002:") else tag


def pairs_of(entries: list[tuple[str, Node, int]], line: int = 1) -> Pairs:
    """A mapping from (key, value, line) in the order of the file."""
    return Pairs(tuple(Pair(key, node, at) for key, node, at in entries), line)
