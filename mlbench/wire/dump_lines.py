"""Dumps of one parameter a line: `key=value`, `key: value`, INI, CycleGAN's `opt.txt`, pipe tables, CSV of one row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from itertools import pairwise

from mlbench.dataclass import dataclass
from mlbench.wire.dump_literal import literal_value, read_literal
from mlbench.wire.dump_tree import MAX_LEAVES, Pair, Pairs, Remark, TreeError, clip

_KEY_VALUE = re.compile(r"[ \t]*(?:[-*] )?([A-Za-z_][\w./@-]*)[ \t]*(?:=|:(?=[ \t]|$))[ \t]*(.*)$")
_OPTIONS_TITLE = re.compile(r"^[ \t]*-{3,}[ \t]*Options[ \t]*-{3,}[ \t]*$", re.MULTILINE)
_OPTIONS_END = re.compile(r"^[ \t]*-{3,}[ \t]*End[ \t]*-{3,}[ \t]*$", re.MULTILINE)
_DEFAULT = re.compile(r"[ \t]*\[default: (.*)\][ \t]*$")
_TABLE_RULE = re.compile(r"[ \t]*[|+][-=:+| \t]+[|+][ \t]*$")
_RULE = re.compile(r"[ \t]*[-=_*#~]{3,}[ \t]*$")
_OPEN_END = re.compile(r"[\[({,][ \t]*$")
_SECTION = re.compile(r"\[([^\]]+)\]\Z")
_INI_PAIR = re.compile(r"([^=:\[]++)[=:][ \t]*+(.*)\Z")
MAX_CONTINUED_LINES = 10_000


@dataclass(frozen=True, slots=True)
class Lines:
    """What a file of lines holds."""

    values: Pairs
    defaults: Pairs | None = None
    remarks: tuple[Remark, ...] = ()


def _pair(key: str, text: str, line: int) -> Pair:
    return Pair(key, literal_value(text)._replace(line=line), line)


# ---------------------------------------------------------------- key=value, key: value


def looks_like_key_values(text: str) -> bool:
    """Whether most lines that say anything are `key=value` or `key: value`, and nothing nests as in YAML."""
    lines = [line for line in text.splitlines() if line.strip() and not _is_noise(line)]
    fitting = [line for line in lines if _KEY_VALUE.match(line)]
    return bool(fitting) and len(fitting) * 2 > len(lines) and not _nests(lines)


def _is_noise(line: str) -> bool:
    return line.lstrip().startswith(("#", "//", ";")) or bool(_RULE.match(line))


def _nests(lines: list[str]) -> bool:
    """A key without a value whose next line is further in, or a list item: YAML."""
    for line, following in pairwise(lines):
        is_inside = _indent(following) > _indent(line) or following.lstrip().startswith("- ")
        if line.rstrip().endswith(":") and is_inside:
            return True
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def read_key_values(text: str) -> Lines:
    """Read lines `key=value` or `key: value`; a value whose bracket is open goes on in the next lines.

    Raises:
        TreeError: no line is one.
    """
    lines = text.split("\n")
    pairs: list[Pair] = []
    remarks: list[Remark] = []
    number = 0
    # One more than is kept, so that the cut is told.
    while number < len(lines) and len(pairs) <= MAX_LEAVES and len(remarks) <= MAX_LEAVES:
        line = lines[number]
        number += 1
        if not line.strip() or _is_noise(line):
            continue
        found = _KEY_VALUE.match(line)
        if not found:
            remarks.append(Remark(f"this line is no key and value, and was left out: {clip(line.strip())}", number))
            continue
        value, n_more = _continued(found[2], lines, number)
        pairs.append(_pair(found[1], value, number))
        number += n_more
    if not pairs:
        raise TreeError("holds no parameters")
    return Lines(Pairs(tuple(pairs), 1), remarks=tuple(remarks))


def _continued(value: str, lines: list[str], number: int) -> tuple[str, int]:
    """A value with the lines that close its brackets, and how many they are; lines that begin a new key end it."""
    if not _OPEN_END.search(value):
        return value, 0
    end = number
    while end < min(len(lines), number + MAX_CONTINUED_LINES) and not _KEY_VALUE.match(lines[end]):
        end += 1
    joined = "\n".join((value, *lines[number:end]))
    try:
        _, at = read_literal(joined)
    except TreeError:
        return value, 0
    n_more = joined.count("\n", 0, at)
    return "\n".join(joined.split("\n")[: n_more + 1]), n_more


# ---------------------------------------------------------------- INI


def read_ini(text: str) -> Lines:
    """Read `[section]` and `key = value` lines as two levels; keys before the first section stand at the top.

    A line that stands further in than the key before it goes on with its value, as in Python's configparser.

    Raises:
        TreeError: a line is neither, or there is none.
    """
    sections: dict[str, list[Pair]] = {"": []}
    at: dict[str, int] = {}
    name, indent, key, value, begun = "", -1, "", "", 0
    for number, line in enumerate(text.split("\n")[: MAX_LEAVES + 2], 1):
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", ";")):
            continue
        if title := _SECTION.match(stripped):
            name = title[1].strip()
            at.setdefault(name, number)
            sections.setdefault(name, [])
            indent = -1
        elif 0 <= indent < len(line) - len(line.lstrip()):
            value = f"{value}\n{stripped}" if value else stripped
            sections[name][-1] = _pair(key, value, begun)
        elif found := _INI_PAIR.match(stripped):
            indent, key, value, begun = len(line) - len(line.lstrip()), found[1].strip(), found[2], number
            sections[name].append(_pair(key, value, begun))
        else:
            raise TreeError(f"is not INI: {clip(stripped)}", number)
    top = sections.pop("")
    pairs = [*top, *(Pair(key, Pairs(tuple(inner), at[key]), at[key]) for key, inner in sections.items())]
    if not pairs:
        raise TreeError("holds no parameters")
    return Lines(Pairs(tuple(pairs), 1))


# ---------------------------------------------------------------- opt.txt


def has_options_title(text: str) -> bool:
    return bool(_OPTIONS_TITLE.search(text))


def read_options(text: str) -> Lines:
    """Read CycleGAN's `opt.txt`: `key: value [default: x]` between two titles; of several such parts, the last.

    The default is told only where the value differs from it; `defaults` holds those.
    """
    title = list(_OPTIONS_TITLE.finditer(text))[-1]
    end = _OPTIONS_END.search(text, title.end())
    body = text[title.end() : end.start() if end else len(text)]
    first_line = text.count("\n", 0, title.end()) + 1
    values: list[Pair] = []
    defaults: list[Pair] = []
    remarks: list[Remark] = []
    for number, line in enumerate(body.split("\n")[: MAX_LEAVES + 2], first_line):
        found = _KEY_VALUE.match(line)
        if found:
            value, default = _without_default(found[2])
            values.append(_pair(found[1], value, number))
            defaults += [_pair(found[1], default, number)] if default is not None else []
        elif line.strip():
            remarks.append(Remark(f"this line is no option, and was left out: {clip(line.strip())}", number))
    return Lines(Pairs(tuple(values), first_line), Pairs(tuple(defaults), first_line), tuple(remarks))


def _without_default(text: str) -> tuple[str, str | None]:
    at = text.rfind("[default: ")
    found = _DEFAULT.match(text, at) if at >= 0 else None
    return (text[:at], found[1]) if found else (text, None)


# ---------------------------------------------------------------- tables


def looks_like_table(text: str) -> bool:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    rows = [line for line in lines if line.startswith("|") and line.endswith("|")]
    return bool(rows) and len(rows) * 2 > len(lines)


def read_table(text: str) -> Lines:
    """Read rows `| key | value |`; a row above a rule is the header. `|` inside a value stays in it."""
    pairs: list[Pair] = []
    remarks: list[Remark] = []
    header: Pair | None = None
    for number, line in enumerate(text.split("\n")[: MAX_LEAVES + 5], 1):
        stripped = line.strip()
        if _TABLE_RULE.match(line):
            # Only the first rule after a single row stands under a header.
            if len(pairs) == 1 and header is None:
                header = pairs.pop()
            continue
        if not (stripped.startswith("|") and stripped.endswith("|") and stripped.count("|") >= 3):
            remarks += (
                [Remark(f"this line is no row of the table, and was left out: {clip(stripped)}", number)]
                if stripped
                else []
            )
            continue
        key, _, value = stripped[1:-1].partition("|")
        pairs.append(_pair(key.strip(), value.strip(), number))
    if not pairs:
        raise TreeError("holds no parameters")
    return Lines(Pairs(tuple(pairs), 1), remarks=tuple(remarks))


def csv_row(text: str) -> Lines | None:
    """A CSV of names and one row of values; None if the text is none."""
    try:
        rows = [row for row in _csv_rows(text) if row]
    except csv.Error:
        return None
    if len(rows) != 2 or len(rows[0]) < 2 or len(rows[0]) != len(rows[1]):
        return None
    names, values = rows
    if not all(re.fullmatch(r"[A-Za-z_][\w./-]*", name.strip()) for name in names):
        return None
    pairs = (_pair(name.strip(), value, 2) for name, value in zip(names, values, strict=True))
    return Lines(Pairs(tuple(pairs), 1))


def _csv_rows(text: str) -> Iterator[list[str]]:
    for number, row in enumerate(csv.reader(io.StringIO(text))):
        # The third row decides that this is a table of many rows.
        if number > 8:
            return
        yield row
