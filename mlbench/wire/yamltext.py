"""YAML that strangers wrote, read into plain values: nothing is ever constructed or executed.

The text is read event by event (libyaml's parser, of PyYAML), never through a loader that builds objects: PyYAML's C
composer ends the process on 50,000 nested brackets, its constructor needs 13 s for one base-60 number, and a tenth of
real `hparams.yaml` have tags that `safe_load` refuses. Scalars follow the core schema of YAML 1.2
(https://yaml.org/spec/1.2.2/#103-core-schema), plus the merge key `<<` of YAML 1.1, which real configs use.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

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
)
from mlbench.wire.dump_values import core_value, yaml_1_1_meaning
from mlbench.wire.dump_yaml_tags import apply_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    import yaml

MAX_ALIASES = 10_000
"""Aliases in one file; the largest genuine dump seen had 212."""


def load_yaml(text: str) -> Loaded:
    """Read the first document of a YAML text as plain values.

    Python and local tags keep their plain structure (`dump_yaml_tags`). An empty text gives None.

    Raises:
        TreeError: it is no YAML, or it passes a limit of depth, aliases or size.
    """
    building = _Building()
    for event in _events(text):
        building.take(event)
        if building.is_done:
            break
    root = building.root or Scalar("", None, 1)
    return load_tree(root, remarks=tuple(building.remarks), yaml_1_1=tuple(building.yaml_1_1))


def _events(text: str) -> Iterator[yaml.Event]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem = error.problem or "could not be understood"
        raise TreeError(f"is not YAML: {problem}", mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.encode(errors="replace")[: error.position].count(b"\n") + 1
        raise TreeError("is not YAML: it holds a control character", line) from None
    except UnicodeError:
        raise TreeError("is not YAML: it holds half of a surrogate pair") from None


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

    def take(self, event: yaml.Event) -> None:
        import yaml

        match event:
            case yaml.ScalarEvent():
                self._scalar(event, _line(event))
            case yaml.AliasEvent():
                self._alias(event.anchor or "", _line(event))
            case yaml.CollectionStartEvent():
                self._start(event, _line(event), is_mapping=isinstance(event, yaml.MappingStartEvent))
            case yaml.CollectionEndEvent():
                self._end()
            case yaml.DocumentStartEvent():
                self._document(_line(event))

    def _document(self, line: int) -> None:
        self.n_documents += 1
        if self.n_documents > 1:
            self.remarks.append(Remark("a second document begins here; only the first was read", line))
            self.is_done = True

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        text = event.value
        weight = NODE_WEIGHT + len(text)
        self._weigh(weight, line)
        quote = "" if not event.style else event.style if event.style in "'\"" else '"'
        is_resolved = not quote and event.tag is None
        if is_resolved and (meaning := yaml_1_1_meaning(text)):
            self.yaml_1_1.append(Remark(f"{clip(text)} is {meaning} to a YAML 1.1 reader such as PyYAML", line))
        node = apply_tag(event.tag, Scalar(text, core_value(text) if is_resolved else text, line, quote))
        self._keep(event.anchor, _Anchored(node, weight, 1))
        self._place(node, 1)

    def _alias(self, name: str, line: int) -> None:
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

    def _start(self, event: yaml.CollectionStartEvent, line: int, *, is_mapping: bool) -> None:
        self._weigh(NODE_WEIGHT, line)
        if len(self.stack) >= MAX_DEPTH:
            raise TreeError(f"nests deeper than {MAX_DEPTH} levels", line)
        self.stack.append(_Open(is_mapping, event.tag, event.anchor, line, self.weight - NODE_WEIGHT))

    def _end(self) -> None:
        done = self.stack.pop()
        plain: Node = _mapping(done) if done.is_mapping else Items(tuple(done.nodes), done.line)
        node = apply_tag(done.tag, plain)
        self._keep(done.anchor, _Anchored(node, self.weight - done.weight_before, done.height))
        self._place(node, done.height)

    def _weigh(self, more: int, line: int) -> None:
        self.weight += more
        if self.weight > MAX_WEIGHT:
            raise TreeError("holds too much, counting what its aliases repeat", line)

    def _keep(self, anchor: str | None, anchored: _Anchored) -> None:
        if anchor is not None:
            self.anchors[anchor] = anchored

    def _place(self, node: Node, height: int) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.nodes.append(node)
        top.height = max(top.height, height + 1)


def _mapping(done: _Open) -> Pairs:
    pairs: list[Pair] = []
    merged: list[Pairs] = []
    for key, value in zip(done.nodes[::2], done.nodes[1::2], strict=True):
        if sources := _merge_sources(key, value):
            merged += sources
        else:
            # A key that is itself a list or mapping is only a name here, and must not grow with its nesting.
            name = key.text if isinstance(key, Scalar) else clip(flow_text(key), width=200)
            pairs.append(Pair(name, value, key.line))
    if not merged:
        return Pairs(tuple(pairs), done.line)
    inherited: dict[str, Pair] = {}
    own = {pair.key for pair in pairs}
    for pair in (pair for source in merged for pair in source.pairs):
        if pair.key not in own:
            inherited.setdefault(pair.key, pair)
    return Pairs((*inherited.values(), *pairs), done.line)


def _merge_sources(key: Node, value: Node) -> list[Pairs]:
    """The mappings that a merge key `<<` names, earlier ones stronger; [] if the key is an ordinary one."""
    if not isinstance(key, Scalar) or key.text != "<<" or key.quote:
        return []
    nodes = value.nodes if isinstance(value, Items) else (value,)
    sources = [node for node in nodes if isinstance(node, Pairs)]
    return sources if len(sources) == len(nodes) else []
