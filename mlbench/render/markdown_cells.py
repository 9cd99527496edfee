"""Markdown as lines of cells: notes, and the texts that runs logged. Nothing in it acts: links are shown, not linked,
and HTML stands as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlbench.render.cells import Cell, Line, fit, line_of, take_cells, width_cells
from mlbench.safe import Safe, safe, safe_lines

MOST_LINES = 4000
"""Longer texts are cut, and say so."""
LEAST_CELLS = 8
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s++(.*)$")
_ITEM = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$")
_QUOTE = re.compile(r"\s{0,3}>\s?(.*)$")
_RULE = re.compile(r"\s{0,3}([-*_])(?:\s*+\1){2,}+\s*$")
_TABLE = re.compile(r"\s*\|.*\|\s*$")
_TABLE_RULE = re.compile(r"[\s|:-]+$")
# No part can begin inside of another one of its kind, so that a line of brackets is walked once and not once for each.
_INLINE = re.compile(
    r"(?P<code>`[^`]+`)|(?P<strong>\*\*[^*]+\*\*|__[^_]+__)|(?P<em>(?<!\w)[*_][^*_\s][^*_]*[*_](?!\w))"
    r"|!?\[(?P<label>[^\[\]]*)\]\((?P<url>[^()\s]*)\)"
)
_ROLES = {"code": "key", "strong": "title", "em": "changed"}


def markdown_lines(text: object, width: int, *, keeps_lines: bool = False) -> tuple[Line, ...]:
    """Markdown in lines of at most `width` columns; what is no Markdown reads as it was written.

    Args:
        text: any text; it is made safe here.
        width: columns; of less than eight, eight.
        keeps_lines: lines of a paragraph stay lines, as people write notes; else they are filled.
    """
    width = max(width, LEAST_CELLS)
    lines: list[Line] = []
    source = safe_lines(text).split("\n")
    for line in _blocks(source, width, keeps_lines=keeps_lines):
        if len(lines) >= MOST_LINES:
            lines.append(line_of(("… the rest is not shown", "muted")))
            break
        lines.append(line)
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines)


def _blocks(source: Sequence[str], width: int, *, keeps_lines: bool) -> Iterator[Line]:
    place = 0
    while place < len(source):
        line = source[place]
        fence = _FENCE.match(line)
        if fence:
            end = _fence_end(source, place + 1, fence[1])
            yield from (line for code in source[place + 1 : end] for line in _code_lines(code, width))
            place = end + 1
        elif _TABLE.match(line):
            end = next((i for i in range(place, len(source)) if not _TABLE.match(source[i])), len(source))
            yield from _table_lines(source[place:end], width)
            place = end
        elif _is_plain(line):
            end = place + 1
            while end < len(source) and not keeps_lines and _is_plain(source[end]):
                end += 1
            yield from _wrapped(" ".join(part.strip() for part in source[place:end]), width)
            place = end
        else:
            yield from _block_line(line, width)
            place += 1


def _is_plain(line: str) -> bool:
    """Whether a line is part of a paragraph."""
    return bool(line.strip()) and not any(kind.match(line) for kind in (_FENCE, _HEADING, _ITEM, _QUOTE, _RULE, _TABLE))


def _block_line(line: str, width: int) -> Iterator[Line]:
    if not line.strip():
        yield ()
    elif _RULE.match(line):
        yield line_of(("─" * min(width, 40), "axis"))
    elif found := _HEADING.match(line):
        yield from _wrapped(found[2].rstrip().rstrip("#").rstrip(), width, role="heading")
    elif found := _QUOTE.match(line):
        yield from _wrapped(found[1], width, before="│ ", role="muted")
    elif found := _ITEM.match(line):
        indent = " " * min(len(found[1].expandtabs(2)), width // 2)
        sign = "•" if found[2] in "-*+" else found[2]
        yield from _wrapped(found[3], width, before=f"{indent}{sign} ")


def _fence_end(source: Sequence[str], start: int, fence: str) -> int:
    ends = (i for i in range(start, len(source)) if source[i].strip().startswith(fence))
    return next(ends, len(source))


def _code_lines(text: str, width: int) -> Iterator[Line]:
    """Code is never wrapped at words; what is too long goes on below."""
    rest = safe(text.expandtabs(4))
    while True:
        part = take_cells(rest, width - 2)
        yield (Cell(safe("  ")), Cell(part, "key"))
        rest = rest[len(part) :]
        if not rest or not part:
            return


def _table_lines(rows: Sequence[str], width: int) -> Iterator[Line]:
    """The columns of a table under each other, its first row as titles."""
    table = [[safe(_bare(cell.strip())) for cell in row.strip().strip("|").split("|")] for row in rows
             if not _TABLE_RULE.match(row)]  # fmt: skip
    if not table:
        return
    n_columns = max(map(len, table))
    most = max(width // n_columns - 2, 3)
    widths = [min(max((width_cells(row[i]) for row in table if i < len(row)), default=0), max(most, 24))
              for i in range(n_columns)]  # fmt: skip
    for index, row in enumerate(table):
        cells = [fit(text, column) for text, column in zip(row, widths, strict=False)]
        line = "  ".join(text + " " * (column - width_cells(text)) for text, column in zip(cells, widths, strict=False))
        yield line_of((fit(safe(line.rstrip()), width), "title" if index == 0 else ""))


def _bare(text: str) -> str:
    """Inline marks taken away: in a cell of a table they would only shift it."""
    return _INLINE.sub(lambda found: found["label"] or found[0].strip("`*_"), text)


# ---------------------------------------------------------------- words


def _wrapped(text: str, width: int, *, before: str = "", role: str = "") -> Iterator[Line]:
    """Words in lines; the first begins with `before`, the others are indented as far."""
    lead, room = safe(before), max(width - width_cells(before), LEAST_CELLS)
    line: list[Cell] = []
    used = 0
    for word, own in _words(text):
        for part in _parts(word, room):
            n_cells = width_cells(part)
            if line and used + 1 + n_cells > room:
                yield (Cell(lead, "muted"), *line)
                lead, line, used = safe(" " * width_cells(before)), [], 0
            if line:
                line.append(Cell(safe(" "), own or role))
                used += 1
            line.append(Cell(part, own or role))
            used += n_cells
    yield (Cell(lead, "muted"), *line) if lead else tuple(line)


def _words(text: str) -> Iterator[tuple[Safe, str]]:
    """Words with their roles; a mark inside of a word stays as it is."""
    place = 0
    for found in _INLINE.finditer(text):
        yield from _split(text[place : found.start()], "")
        kind = found.lastgroup or ""
        if kind in _ROLES:
            yield from _split(found[0].strip("`*_"), _ROLES[kind])
        else:
            yield from _split(found["label"] or "", "")
            yield from _split(f"({found['url']})", "muted")
        place = found.end()
    yield from _split(text[place:], "")


def _split(text: str, role: str) -> Iterator[tuple[Safe, str]]:
    for word in text.split():
        yield safe(word), role


def _parts(word: Safe, room: int) -> Iterator[Safe]:
    """A word that is longer than a line, in pieces."""
    while width_cells(word) > room:
        part = take_cells(word, room)
        yield part
        word = word[len(part) :]
    yield word
