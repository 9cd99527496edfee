"""Gin configurations: `scope/function.parameter = value`, of gin-config 0.1 to 0.5, read without executing anything.

Values are Python literals, `@references` and `%macros`. A macro is replaced by what it names where the file says so;
the text stays what was written. `include` and `import` lines are passed over: the operative configuration that gin
writes has none.
Link: https://github.com/google/gin-config/blob/master/docs/index.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mlbench.wire.dump_literal import literal_value
from mlbench.wire.dump_tree import Items, Loaded, Node, Pair, Pairs, Remark, Scalar, TreeError, load_tree

_BINDING = re.compile(r"([A-Za-z_][\w.]*(?:/[A-Za-z_][\w.]*)*)[ \t]*=(?!=)[ \t]*(.*)")
_BLOCK = re.compile(r"([A-Za-z_][\w.]*(?:/[A-Za-z_][\w.]*)*):[ \t]*")
_PASSED_OVER = re.compile(r"(?:include|import|from)\b")
_TOKEN = re.compile(r"""'(?:[^'\\\n]|\\.)*+(?:'|$)|"(?:[^"\\\n]|\\.)*+(?:"|$)|#.*|[()\[\]{}]""")
_MACRO = re.compile(r"%([\w./]+)")
_MAX_HOPS = 20
_MAX_PARTS = 64
"""Of a list or mapping that stands in for a macro."""


class _Line(NamedTuple):
    """A statement that may have stood on many lines."""

    text: str
    number: int
    is_indented: bool


def looks_like_gin(text: str) -> bool:
    """Whether the first statement of a text is a binding or a block."""
    first = next(_statements(text), None)
    if first is None:
        return False
    return bool(_BINDING.match(first.text) or _BLOCK.fullmatch(first.text) or _PASSED_OVER.match(first.text))


def read_gin(text: str) -> Loaded:
    """Every binding, in order, with macros replaced.

    Raises:
        TreeError: no line of it is a binding.
    """
    pairs: list[Pair] = []
    remarks: list[Remark] = []
    block = ""
    for line in _statements(text):
        if not line.is_indented:
            block = ""
        if found := _BINDING.match(line.text):
            pairs.append(Pair(block + found[1], literal_value(found[2] or "''"), line.number))
        elif opened := _BLOCK.fullmatch(line.text):
            block = f"{opened[1]}."
        elif not _PASSED_OVER.match(line.text):
            remarks.append(Remark("a line is no binding of gin and was left out", line.number))
    if not pairs and remarks:
        raise TreeError("holds no bindings of gin", remarks[0].line)
    named = {pair.key: pair.node for pair in pairs}
    resolved = tuple(Pair(pair.key, _resolved(pair.node, named), pair.line) for pair in pairs)
    return load_tree(Pairs(resolved, 1), remarks=tuple(remarks))


def _statements(text: str) -> Iterator[_Line]:
    """Statements without comments; one goes on while a bracket is open or a line ends with a backslash."""
    held: list[str] = []
    start, depth, is_indented = 1, 0, False
    for number, line in enumerate(text.splitlines(), start=1):
        plain, change = _without_comment(line)
        goes_on = plain.endswith("\\")
        plain = plain.removesuffix("\\").strip()
        if not held:
            start, is_indented = number, line[:1] in (" ", "\t")
        if plain:
            held.append(plain)
        depth = max(depth + change, 0)
        if held and depth == 0 and not goes_on:
            yield _Line(" ".join(held), start, is_indented)
            held = []
    if held:
        yield _Line(" ".join(held), start, is_indented)


def _without_comment(line: str) -> tuple[str, int]:
    """The line up to a `#` that is in no string, and how many more brackets it opens than it closes."""
    change = 0
    for token in _TOKEN.finditer(line):
        mark = token[0][0]
        if mark == "#":
            return line[: token.start()].rstrip(), change
        change += (mark in "([{") - (mark in ")]}")
    return line.rstrip(), change


def _resolved(node: Node, named: Mapping[str, Node], hops: int = _MAX_HOPS) -> Node:
    """A value in which macros that the file defines are what they name; their text stays.

    Within a list a macro is replaced only by a single value, so that no file grows by naming itself again and again.
    """
    if isinstance(node, Items):
        return Items(tuple(_single(part, named, hops) for part in node.nodes), node.line, node.brackets)
    if isinstance(node, Pairs):
        pairs = (Pair(pair.key, _single(pair.node, named, hops), pair.line) for pair in node.pairs)
        return Pairs(tuple(pairs), node.line)
    if not isinstance(node, Scalar) or node.quote or hops == 0:
        return node
    found = _MACRO.fullmatch(node.text)
    target = named.get(found[1], named.get(f"{found[1]}/macro.value")) if found else None
    if target is None or _n_parts(target) > _MAX_PARTS:
        return node
    meant = _resolved(target, named, hops - 1)
    return Scalar(node.text, meant.value, node.line) if isinstance(meant, Scalar) else meant


def _single(node: Node, named: Mapping[str, Node], hops: int) -> Node:
    meant = _resolved(node, named, hops - 1) if isinstance(node, Scalar) and hops > 0 else node
    return meant if isinstance(meant, Scalar) else node


def _n_parts(node: Node) -> int:
    return len(node.nodes) if isinstance(node, Items) else len(node.pairs) if isinstance(node, Pairs) else 1
