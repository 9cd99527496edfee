"""YAML that strangers wrote, read into plain values: nothing is ever constructed or executed.

The text is read event by event (libyaml's parser, of PyYAML), never through a loader that builds objects: PyYAML's C
composer ends the process on 50,000 nested brackets, its constructor needs 13 s for one base-60 number, and a tenth of
real `hparams.yaml` have tags that `safe_load` refuses. The loop over the events is written for speed (benchmarks/
configs.py): a sweep has thousands of these files. Most are plain and do not need it (`yaml_plain`). Scalars follow the
core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), plus the merge key `<<` of YAML 1.1, which real
configs use.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from mlbench.dataclass import dataclass
from mlbench.wire.dump_tree import (
    MAX_DEPTH,
    MAX_WEIGHT,
    NODE_WEIGHT,
    Items,
    Loaded,
    Node,
    Pair,
    Pairs,
    Remark,
    Scalar,
    TreeError,
    clip,
    flow_text,
    load_tree,
    remark_1_1,
)
from mlbench.wire.dump_values import plain_value
from mlbench.wire.dump_yaml_tags import apply_tag
from mlbench.wire.yaml_plain import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    import yaml

MAX_ALIASES = 10_000
"""Aliases in one file; the largest genuine dump seen had 212."""


def load_yaml(text: str) -> Loaded:
    """Read the first document of a YAML text as plain values.

    Python and local tags keep their plain structure (`dump_yaml_tags`). An empty text gives None.

    Raises:
        TreeError: it is no YAML, or it passes a limit of depth, aliases or size.
    """
    return read_plain(text) or load_by_event(text)


def load_by_event(text: str) -> Loaded:
    """`load_yaml` for a text of any kind.

    Raises:
        TreeError: as `load_yaml` does.
    """
    building = _built(text)
    root = building.root or Scalar("", None, 1)
    return load_tree(root, remarks=tuple(building.remarks), yaml_1_1=tuple(building.yaml_1_1))


def yaml_tree(text: str) -> Node:
    """The first document of a YAML text as it stands there, with lines.

    Raises:
        TreeError: as `load_yaml` does.
    """
    return _built(text).root or Scalar("", None, 1)


def _built(text: str) -> _Building:
    import yaml

    building = _Building()
    try:
        _build(building, text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem = error.problem or "could not be understood"
        raise TreeError(f"is not YAML: {problem}", mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.encode(errors="replace")[: error.position].count(b"\n") + 1
        raise TreeError("is not YAML: it holds a control character", line) from None
    except UnicodeError:
        raise TreeError("is not YAML: it holds half of a surrogate pair") from None
    return building


def _build(building: _Building, text: str) -> None:
    """Hand every event of the first document to what it concerns."""
    import yaml

    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    takers: dict[type[yaml.Event], Callable[[Any], None]] = {
        yaml.ScalarEvent: building.scalar,
        yaml.AliasEvent: building.alias,
        yaml.SequenceStartEvent: building.start_list,
        yaml.MappingStartEvent: building.start_mapping,
        yaml.SequenceEndEvent: building.end,
        yaml.MappingEndEvent: building.end,
        yaml.DocumentStartEvent: building.document,
    }
    following, taker = parser.get_event, takers.get
    try:
        while not building.is_done and (event := following()) is not None:
            take = taker(type(event))
            if take is not None:
                take(event)
    finally:
        parser.dispose()


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end is still to come."""

    is_mapping: bool
    tag: str | None
    anchor: str | None
    line: int
    weight_before: int
    nodes: list[Node] = field(default_factory=list)
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    weight: int
    height: int


@dataclass(slots=True)
class _Building:
    """The tree so far. Weight and depth are checked at every event, so that no text can make it large."""

    root: Node | None = None
    is_done: bool = False
    weight: int = 0
    n_aliases: int = 0
    n_documents: int = 0
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    yaml_1_1: list[Remark] = field(default_factory=list)

    def document(self, event: yaml.DocumentStartEvent) -> None:
        self.n_documents += 1
        if self.n_documents > 1:
            what = "a second document begins here; only the first was read"
            self.remarks.append(Remark(what, _line(event)))
            self.is_done = True

    def scalar(self, event: yaml.ScalarEvent) -> None:
        text, style, tag = event.value, event.style, event.tag
        mark = event.start_mark
        line = mark.line + 1 if mark else 1
        weight = NODE_WEIGHT + len(text)
        self._weigh(weight, line)
        node: Node
        if style or tag is not None:
            quote = "" if not style else style if style in "'\"" else '"'
            node = apply_tag(tag, Scalar(text, text, line, quote))
        else:
            value, meaning = plain_value(text)
            node = Scalar(text, value, line)
            if meaning:
                self.yaml_1_1.append(remark_1_1(text, meaning, line))
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(node, weight, 1)
        self._place(node, 1)

    def alias(self, event: yaml.AliasEvent) -> None:
        name, line = event.anchor or "", _line(event)
        found = self.anchors.get(name)
        if found is None:
            raise TreeError(f"holds an alias, *{clip(name)}, before or inside what it repeats", line)
        self.n_aliases += 1
        if self.n_aliases > MAX_ALIASES:
            raise TreeError(f"has more than {MAX_ALIASES:,} aliases", line)
        if len(self.stack) + found.height > MAX_DEPTH:
            raise TreeError(f"nests deeper than {MAX_DEPTH} levels", line)
        self._weigh(found.weight, line)
        self._place(found.node, found.height)

    def start_list(self, event: yaml.SequenceStartEvent) -> None:
        self._start(event, is_mapping=False)

    def start_mapping(self, event: yaml.MappingStartEvent) -> None:
        self._start(event, is_mapping=True)

    def _start(self, event: yaml.CollectionStartEvent, *, is_mapping: bool) -> None:
        line = _line(event)
        self._weigh(NODE_WEIGHT, line)
        if len(self.stack) >= MAX_DEPTH:
            raise TreeError(f"nests deeper than {MAX_DEPTH} levels", line)
        self.stack.append(_Open(is_mapping, event.tag, event.anchor, line, self.weight - NODE_WEIGHT))

    def end(self, _event: yaml.CollectionEndEvent) -> None:
        done = self.stack.pop()
        plain: Node = _mapping(done) if done.is_mapping else Items(tuple(done.nodes), done.line)
        node = apply_tag(done.tag, plain)
        if done.anchor is not None:
            self.anchors[done.anchor] = _Anchored(node, self.weight - done.weight_before, done.height)
        self._place(node, done.height)

    def _weigh(self, more: int, line: int) -> None:
        self.weight += more
        if self.weight > MAX_WEIGHT:
            raise TreeError("holds too much, counting what its aliases repeat", line)

    def _place(self, node: Node, height: int) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.nodes.append(node)
        if top.height <= height:
            top.height = height + 1


def _mapping(done: _Open) -> Pairs:
    pairs: list[Pair] = []
    merged: list[Pairs] = []
    for key, value in zip(done.nodes[::2], done.nodes[1::2], strict=True):
        if type(key) is not Scalar:
            # A key that is itself a list or mapping is only a name here, and must not grow with its nesting.
            pairs.append(Pair(clip(flow_text(key), width=200), value, key.line))
        elif key.text == "<<" and (sources := _merge_sources(key, value)):
            merged += sources
        else:
            pairs.append(Pair(key.text, value, key.line))
    if not merged:
        return Pairs(tuple(pairs), done.line)
    inherited: dict[str, Pair] = {}
    own = {pair.key for pair in pairs}
    for pair in (pair for source in merged for pair in source.pairs):
        if pair.key not in own:
            inherited.setdefault(pair.key, pair)
    return Pairs((*inherited.values(), *pairs), done.line)


def _merge_sources(key: Scalar, value: Node) -> list[Pairs]:
    """The mappings that a merge key `<<` names, earlier ones stronger; [] if the key is an ordinary one."""
    if key.quote:
        return []
    nodes = value.nodes if isinstance(value, Items) else (value,)
    sources = [node for node in nodes if isinstance(node, Pairs)]
    return sources if len(sources) == len(nodes) else []
