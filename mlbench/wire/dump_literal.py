"""JSON, and what Python's `repr()` and `pprint` print, read as plain values without evaluating anything.

One tolerant grammar for both: JSON with comments, trailing commas, `NaN` and `Infinity`; Python literals; calls such
as `Namespace(lr=0.1)`, `PosixPath('/x')`, `np.float64(0.1)`; `<Mode.A: 'a'>`. A value that fits none of these is kept
as text up to the comma or bracket that ends it, with quotes and brackets balanced.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.wire.dump_calls import Call, meaning_of_call
from mlbench.wire.dump_tree import (
    MAX_DEPTH,
    MAX_WEIGHT,
    NODE_WEIGHT,
    Items,
    Node,
    Pair,
    Pairs,
    Scalar,
    TreeError,
    clip,
    flow_text,
)
from mlbench.wire.dump_values import python_value

MAX_REPR = 4096
"""Characters of a `<...>` repr; a longer one is taken for an unclosed bracket."""

MAX_FREE_TEXT = 64 << 10
"""Characters of a value that fits no rule."""
FREE_TEXT_WEIGHT = 4
"""Of each of its characters: what was tried and failed may be scanned again at every level around it."""

_BLANK = re.compile(r"\s*")
_BLANK_OR_COMMENT = re.compile(r"(?:\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "\\": "\\", "'": "'", '"': '"'}
_STRING = re.compile(r"""([bBuUrR]{0,2})("[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*')""", re.DOTALL)
_NUMBER = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F]+|(?:[0-9][0-9_]*+(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?|inf\b|Infinity\b|nan\b|NaN\b)"
)
_BEGINS_LITERAL = re.compile(r"""[\[({<]|[bBuUrR]{0,2}['"]""")
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_ENUM = re.compile(r"""<([A-Za-z_][\w.]*\.[A-Za-z_]\w*): (?:'[^'\n]*'|"[^"\n]*"|[^<>'"\n]*)>""")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_STRUCTURE = re.compile(r"""["'\[\](){},]""")
_CLOSERS = {"(": ")", "[": "]", "{": "}"}


class _NotThis(Exception):  # noqa: N818 - a signal between two ways of reading a value, never seen outside
    """The text here fits no rule of the grammar; it can still be kept as text."""


@dataclass(slots=True)
class Reader:
    """A place in a text. Depth and weight are limited, so that no text makes it slow or deep."""

    text: str
    pos: int = 0
    depth: int = 0
    weight: int = 0
    blank: re.Pattern[str] = _BLANK
    is_dump: bool = False
    """The outermost call holds the parameters, whatever its name."""
    _line_starts: list[int] = field(default_factory=list)

    def line(self, pos: int | None = None) -> int:
        """The 1-based line of a position."""
        if not self._line_starts:
            self._line_starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        return bisect_right(self._line_starts, self.pos if pos is None else pos)

    def skip_blank(self) -> None:
        match = self.blank.match(self.text, self.pos)
        self.pos = match.end() if match else self.pos

    def peek(self) -> str:
        """The next character after blanks and comments, '' at the end."""
        self.skip_blank()
        return self.text[self.pos : self.pos + 1]

    def take(self, expected: str) -> bool:
        if self.peek() != expected:
            return False
        self.pos += 1
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.skip_blank()
        found = pattern.match(self.text, self.pos)
        if found:
            self.pos = found.end()
        return found

    def error(self, what: str, pos: int | None = None) -> TreeError:
        return TreeError(what, self.line(pos))

    def weigh(self, more: int) -> None:
        self.weight += NODE_WEIGHT + more
        if self.weight > MAX_WEIGHT:
            raise self.error("holds too much")


def read_literal(text: str, *, start: int = 0, is_dump: bool = False) -> tuple[Node, int]:
    """Read one value.

    Args:
        text: what holds the value.
        start: where it begins.
        is_dump: the keyword arguments of an outermost call are parameters, whatever its name.

    Returns:
        The value, and the position after it.

    Raises:
        TreeError: no value begins here, or it has no end, or it passes a limit.
    """
    reader = reader_of(text, start=start, is_dump=is_dump)
    return read_at(reader, start), reader.pos


def reader_of(text: str, *, start: int = 0, is_dump: bool = False) -> Reader:
    """A reader for several values of one text, which share one limit of work."""
    # Only JSON files have comments; in a printed value `//` is part of it.
    is_json = text[start : start + 64].lstrip()[:1] == "{"
    return Reader(text, start, blank=_BLANK_OR_COMMENT if is_json else _BLANK, is_dump=is_dump)


def read_at(reader: Reader, start: int) -> Node:
    """Read the value that begins at `start`, as `read_literal` does; the reader then stands behind it."""
    reader.pos = start
    reader.depth = 0
    try:
        return _value(reader, "")
    except _NotThis:
        raise reader.error(f"could not be understood here: {reader.text[reader.pos : reader.pos + 20]!r}") from None


def literal_value(text: str) -> Node:
    """A whole text as one value: what `repr()` or `str()` of a plain value printed, else the text itself."""
    stripped = text.strip()
    if _BEGINS_LITERAL.match(stripped) or _looks_like_call(stripped):
        try:
            node, end = read_literal(stripped)
        except TreeError:
            node, end = None, 0
        if node is not None and end == len(stripped):
            return node
    return Scalar(stripped, python_value(stripped), 1)


def _looks_like_call(text: str) -> bool:
    return text.endswith(")") and bool(re.match(r"[A-Za-z_][\w.]*\(", text))


def _value(reader: Reader, stops: str) -> Node:
    """One value; a free text up to the comma or bracket that ends it where no rule fits.

    Args:
        reader: where to read.
        stops: the characters that may stand after the value; '' for the outermost, which anything may follow.
    """
    reader.skip_blank()
    start = reader.pos
    depth = reader.depth
    try:
        node = _structured(reader)
        # At the end of the text the bracket that is still open is what is told.
        if not stops or reader.peek() in stops or not reader.peek():
            return node
    except _NotThis:
        if not stops:
            raise
    reader.pos = start
    reader.depth = depth
    return _free_text(reader)


def _structured(reader: Reader) -> Node:
    first = reader.peek()
    start = reader.pos
    if first in _CLOSERS:
        return _bracket(reader, first)
    if first == "<":
        return _angle(reader)
    if string := reader.match(_STRING):
        return _string(reader, string)
    if number := reader.match(_NUMBER):
        reader.weigh(len(number[0]))
        return Scalar(number[0], python_value(number[0]), reader.line(start))
    if word := reader.match(_WORD):
        reader.weigh(len(word[0]))
        if reader.text[reader.pos : reader.pos + 1] == "(":
            return _call(reader, word[0], start)
        return Scalar(word[0], python_value(word[0]), reader.line(start))
    if not first:
        raise reader.error("ends before its last bracket is closed")
    raise _NotThis


def _string(reader: Reader, first: re.Match[str]) -> Scalar:
    """A string, and those that follow it directly (`pprint` breaks long ones)."""
    line = reader.line(first.start())
    found: re.Match[str] | None = first
    parts: list[str] = []
    while found:
        reader.weigh(len(found[0]))
        parts.append(_unquoted(found[1], found[2]))
        found = reader.match(_STRING)
    text = "".join(parts)
    return Scalar(text, text, line, first[2][0])


def _unquoted(prefix: str, quoted: str) -> str:
    """The text of a string token of JSON or Python; escapes that neither has stay as they are."""
    inner = quoted[1:-1]
    if "\\" not in inner or "r" in prefix.lower():
        return inner
    text = _ESCAPE.sub(_unescaped, inner)
    if text.isascii():
        return text
    # JSON writes characters beyond U+FFFF as two halves, each escaped by itself.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if code in _ESCAPED:
        return _ESCAPED[code]
    if code in {"\n", "/"}:
        return "" if code == "\n" else "/"
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
    elif code.isdigit() and code.isascii():
        number = int(code, 8) if code[0] in "01234567" else 0x110000
    else:
        return found[0]
    return chr(number) if number < 0x110000 else found[0]


def _angle(reader: Reader) -> Scalar:
    """`<Mode.A: 'a'>` is `Mode.A`; of other reprs the address is dropped, so that two runs agree."""
    start = reader.pos
    if enum := reader.match(_ENUM):
        reader.weigh(len(enum[0]))
        return Scalar(enum[0], enum[1], reader.line(start))
    depth = 0
    for pos in range(start, min(len(reader.text), start + MAX_REPR)):
        depth += {"<": 1, ">": -1}.get(reader.text[pos], 0)
        if depth == 0:
            reader.pos = pos + 1
            text = reader.text[start : reader.pos]
            reader.weigh(len(text))
            return Scalar(text, _ADDRESS.sub("", text), reader.line(start))
    reader.weigh(MAX_REPR)
    raise _NotThis


def _bracket(reader: Reader, opener: str) -> Node:
    start = reader.pos
    _descend(reader)
    reader.pos += 1
    nodes: list[Node] = []
    pairs: list[Pair] = []
    ends_with_comma = False
    closer = _CLOSERS[opener]
    while not reader.take(closer):
        _check_end(reader, start)
        node = _value(reader, "," + closer + (":" if opener == "{" else ""))
        if opener == "{" and reader.take(":"):
            pairs.append(Pair(_key(node), _value(reader, ",}"), node.line))
        else:
            nodes.append(node)
        ends_with_comma = _separator(reader, closer)
    reader.depth -= 1
    line = reader.line(start)
    if opener == "{" and not nodes:
        return Pairs(tuple(pairs), line)
    if pairs:
        raise _NotThis
    if opener == "(" and len(nodes) == 1 and not ends_with_comma:
        return nodes[0]
    return Items(tuple(nodes), line, opener + closer)


def _key(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else clip(flow_text(node), width=200)


def _descend(reader: Reader) -> None:
    reader.depth += 1
    reader.weigh(0)
    if reader.depth > MAX_DEPTH:
        raise reader.error(f"nests deeper than {MAX_DEPTH} levels")


def _check_end(reader: Reader, start: int) -> None:
    if not reader.peek():
        raise reader.error("ends before this bracket is closed", start)


def _separator(reader: Reader, closer: str) -> bool:
    """Whether a comma follows; anything but a comma or the closing bracket is not this grammar."""
    if reader.take(","):
        return True
    if reader.peek() not in {closer, ""}:
        raise _NotThis
    return False


def _call(reader: Reader, name: str, start: int) -> Node:
    line = reader.line(start)
    _descend(reader)
    reader.pos += 1
    args: list[Node] = []
    pairs: list[Pair] = []
    while not reader.take(")"):
        _check_end(reader, start)
        node = _value(reader, ",)=")
        if isinstance(node, Scalar) and reader.take("="):
            pairs.append(Pair(node.text, _value(reader, ",)"), node.line))
        else:
            args.append(node)
        _separator(reader, ")")
    reader.depth -= 1
    text = " ".join(reader.text[start : reader.pos].split())
    reader.weigh(len(text))
    call = Call(name, tuple(args), tuple(pairs), text, line)
    return meaning_of_call(call, is_outermost=reader.is_dump and reader.depth == 0)


def _free_text(reader: Reader) -> Scalar:
    """Text up to the comma or closing bracket that ends it, brackets and quotes balanced."""
    start = reader.pos
    end = _end_of_free_text(reader.text, start)
    reader.weigh(FREE_TEXT_WEIGHT * ((end or min(len(reader.text), start + MAX_FREE_TEXT)) - start))
    if end is None:
        raise reader.error("ends before this value does", start)
    text = " ".join(reader.text[start:end].split())
    if not text:
        raise _NotThis
    reader.pos = end
    return Scalar(text, _ADDRESS.sub("", text), reader.line(start))


def _end_of_free_text(text: str, start: int) -> int | None:
    depth = 0
    pos = start
    limit = start + MAX_FREE_TEXT
    unclosed = ""
    while found := _STRUCTURE.search(text, pos, limit):
        mark = found[0]
        if depth == 0 and mark in ",)]}":
            return found.start()
        pos = found.end()
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark in "'\"" and mark not in unclosed:
            # An apostrophe after a letter opens nothing.
            is_apostrophe = found.start() > start and text[found.start() - 1].isalnum()
            string = None if is_apostrophe else _STRING.match(text, found.start(), limit)
            # Where one quote has no partner, no later one is looked for: that would take quadratic time.
            unclosed += "" if string or is_apostrophe else mark
            pos = string.end() if string else pos
    return None
