"""Plain YAML line by line, four times as fast as event by event: nearly all configurations are written like this.

Plain are mappings of bare keys in blocks, each with one value on its line (bare words, or quotes without escapes), a
list of bare words in brackets or with dashes, or a mapping below it. Only what both readers take alike is read here;
for everything else (anchors, tags, keys given twice, texts over several lines, ...) the answer is None, and `yamltext`
is asked. The rules are those of https://yaml.org/spec/1.2.2/#733-plain-style, narrowed.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from mlbench.model import JsonValue
from mlbench.wire.dump_tree import Items, Loaded, Raw, RawPath, Remark, Scalar, capped, flow_text, remark_1_1
from mlbench.wire.dump_values import YAML_1_1_WORDS, plain_value

MAX_CHARACTERS = 64 << 10
"""Longer texts are left to the reader that counts what they weigh: here no limit of a dump can be passed."""
MAX_DEPTH = 32

_START = r"(?:[A-Za-z0-9_./~$]|-(?=[A-Za-z0-9.]))"
BARE = rf"{_START}(?:[A-Za-z0-9_./+\-*=@~%^$(){{}},\\]|:(?=[^ ])| (?=[A-Za-z0-9_./+\-($]))*"
ITEM = rf"{_START}[A-Za-z0-9_./+\-=]*"
KEY = r"[A-Za-z_][A-Za-z0-9_./\-]{0,127}"
_LINE = re.compile(
    r"(?P<indent> *+)(?:"
    rf"(?P<key>{KEY}):(?: +(?:(?P<bare>{BARE})|(?P<list>\[(?:{ITEM}(?:, {ITEM})*)?\])"
    r"|(?P<single>'[^'\\]*')|(?P<double>\"[^\"\\]*\")|(?P<empty>\{\})))?"
    rf"|- (?P<item>{ITEM})"
    r"|(?P<comment>#.*)?) *"
)
_STRANGE = re.compile(r"[^\n -~]")
"""What may be a control character, a tab, or a space that is none to the eye."""

_Values: TypeAlias = dict[str, JsonValue]


class _NotPlain(Exception):  # noqa: N818 - a signal, never seen outside
    """It may be YAML, but not a plain one."""


def read_plain(text: str) -> Loaded | None:
    """The values and texts of a plain mapping; None where the other reader may see it otherwise."""
    if len(text) > MAX_CHARACTERS or _STRANGE.search(text):
        return None
    reader = _Reader()
    try:
        for number, line in enumerate(text.split("\n"), 1):
            reader.line(line, number)
        reader.close_value(-1)
    except _NotPlain:
        return None
    return Loaded(reader.root, reader.raw, (), capped(reader.yaml_1_1)) if reader.root else None


class _Reader:
    """The mapping so far, with the key whose value is still to come."""

    def __init__(self) -> None:
        self.root: _Values = {}
        self.raw: dict[RawPath, Raw] = {}
        self._open: list[tuple[int, _Values, RawPath]] = [(0, self.root, ())]
        """Indent, values and path of each mapping that the line may belong to."""
        self._key = ""
        """A key that stood alone on its line; '' when there is none."""
        self._key_line = 0
        self._items: list[Scalar] = []
        self._item_indent = -1
        self.yaml_1_1: list[Remark] = []

    def line(self, line: str, number: int) -> None:
        """Take one line of the text."""
        found = _LINE.fullmatch(line)
        if found is None:
            raise _NotPlain
        key, item = found["key"], found["item"]
        indent = len(found["indent"])
        if key is not None:
            if self._key:
                self.close_value(indent)
            self._take_key(found, key, indent, number)
        elif item is not None:
            self._take_item(item, indent, number)

    def _take_item(self, text: str, indent: int, number: int) -> None:
        """A dash below a key that stood alone; it may stand as far left as the key."""
        if not self._key or indent < self._open[-1][0] or self._item_indent not in {-1, indent}:
            raise _NotPlain
        self._item_indent = indent
        self._items.append(Scalar(text, self._meant(text, number), number))

    def close_value(self, indent: int) -> None:
        """Give the key that stood alone its value: its items, the mapping that begins now, or nothing."""
        if not self._key:
            return
        above, values, path = self._open[-1]
        key, self._key = self._key, ""
        if self._items:
            if indent > above:
                raise _NotPlain
            node = Items(tuple(self._items), self._key_line)
            values[key] = [item.value for item in self._items]
            self.raw[*path, key] = Raw(flow_text(node), self._key_line)
            self._items, self._item_indent = [], -1
        elif indent > above:
            below: _Values = {}
            values[key] = below
            self._open.append((indent, below, (*path, key)))
        else:
            self.raw[*path, key] = Raw("", self._key_line)

    def _take_key(self, found: re.Match[str], key: str, indent: int, number: int) -> None:
        while indent < self._open[-1][0]:
            self._open.pop()
        at, values, path = self._open[-1]
        if indent != at or key in values or key in YAML_1_1_WORDS or len(self._open) > MAX_DEPTH:
            raise _NotPlain
        kind = found.lastgroup
        if kind == "key":
            values[key] = None  # stays so where nothing stands below it
            self._key, self._key_line = key, number
            return
        values[key], text = self._value(kind or "", found[kind or ""], number)
        self.raw[*path, key] = Raw(text, number)

    def _value(self, kind: str, text: str, number: int) -> tuple[JsonValue, str]:
        """A value and its text, by the name of the group that it was found in."""
        if kind == "bare":
            return self._meant(text, number), text
        if kind == "list":
            return [self._meant(item, number) for item in text[1:-1].split(", ")] if text != "[]" else [], text
        return ({}, text) if kind == "empty" else (text[1:-1], text[1:-1])

    def _meant(self, text: str, number: int) -> JsonValue:
        value, meaning = plain_value(text)
        if meaning:
            self.yaml_1_1.append(remark_1_1(text, meaning, number))
        return value
