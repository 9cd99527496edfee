"""Two states of a notebook cell by cell: without outputs, execution counts, ids and metadata.

Cells are aligned like lines of a text; among those that have no equal, pairs of the same kind that are alike enough
are one cell that changed, and an equal one at another place is one that moved. A jupytext script in the percent format
is a notebook, too.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from mlbench.dataclass import dataclass
from mlbench.wire import notebook as nb
from mlbench.wire.jsonlog import JsonError, load_json

CellText: TypeAlias = tuple[str, str]
"""Kind and source."""
Pair: TypeAlias = "tuple[int | None, int | None]"
"""Places of a cell before and after."""
ALIKE = 0.5
"""Two cells that share less of their text are two cells."""
MOST_CHARS = 500
"""Longer cells are measured by their lines."""
MOST_PAIRED = 30
"""Cells in a row without equals that are tried with each other; of more the first with the first."""
MOST_LINES = 10_000
"""Of a cell whose lines are compared."""
MOST_MEETINGS = 500_000
"""Of two cells that are aligned: where the same lines recur more often, in any order is near enough."""
NOTEBOOK, SCRIPT = ".ipynb", ".py"
# A script has magics as comments.
_MAGIC = re.compile(r"^# (?=[%!])", re.MULTILINE)
_HUNK = re.compile(r"@@ -\S+ \+(\d{1,9})")


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell that the two notebooks do not have alike."""

    kind: str
    """added, removed, changed or moved."""
    cell: str
    """code, markdown or raw."""
    old_number: int | None
    """Place among the cells, from 1."""
    new_number: int | None
    old: str = ""
    new: str = ""
    is_moved: bool = False
    """Other cells stand between where it was and where it is."""

    @property
    def number(self) -> int:
        """Where it is now, or was."""
        return self.new_number or self.old_number or 0

    def lines(self) -> list[str]:
        """Its lines with `+`, `-` or a blank before them; where equal parts are left out, `@@ line 40 @@`.

        None of a cell that only moved.
        """
        if self.kind == "moved":
            return []
        old, new = self.old.splitlines(), self.new.splitlines()
        if max(len(old), len(new)) > MOST_LINES:
            return [f"@@ {max(len(old), len(new)):,} lines are too many to be compared @@"]
        lines = list(difflib.unified_diff(old, new, lineterm="", n=3))[2:]
        is_long = sum(line.startswith("@@") for line in lines) > 1
        return [_place(line) for line in lines if is_long or not line.startswith("@@")]


def _place(line: str) -> str:
    """`@@ line 40 @@` of a hunk's `@@ -38,5 +40,6 @@`."""
    found = _HUNK.match(line)
    return f"@@ line {found[1]} @@" if found else line


def cells_of(name: str, content: bytes) -> list[CellText] | None:
    """The cells of a notebook or of a percent script; None where it is neither, or damaged."""
    if name.endswith(NOTEBOOK):
        try:
            book = nb.read_notebook(load_json(content))
        except JsonError:
            return None
        return None if book is None else [(kind, source.strip("\n")) for kind, source in nb.sources(book)]
    cells = nb.percent_sources(content.decode("utf-8", "replace"))
    return (
        None
        if cells is None
        else [(kind, _MAGIC.sub("", source) if kind == "code" else source) for kind, source in cells]
    )


def cell_changes(old: Sequence[CellText], new: Sequence[CellText]) -> tuple[CellChange, ...]:
    """What differs, in the order of the new notebook."""
    pairs: list[Pair] = []
    matcher = difflib.SequenceMatcher(None, list(old), list(new), autojunk=False)
    for tag, a_start, a_end, b_start, b_end in matcher.get_opcodes():
        if tag != "equal":
            pairs += _paired(old, new, range(a_start, a_end), range(b_start, b_end))
    return tuple(_with_moved(old, new, pairs))


def _paired(old: Sequence[CellText], new: Sequence[CellText], a: range, b: range) -> list[Pair]:
    """Which of these cells became which; the pairing in order that keeps most of the text."""
    if len(a) > MOST_PAIRED or len(b) > MOST_PAIRED:
        both = [(i, j) for i, j in zip(a, b, strict=False) if _likeness(old[i], new[j]) >= ALIKE]
    else:
        both = _best_pairs([[_likeness(old[i], new[j]) for j in b] for i in a])
        both = [(a[i], b[j]) for i, j in both]
    return list(_in_order(a, b, both))


def _in_order(a: Iterable[int], b: Iterable[int], both: Sequence[tuple[int, int]]) -> Iterator[Pair]:
    """The pairs, before each those cells that have none."""
    lefts, rights = iter(a), iter(b)
    for i, j in both:
        yield from ((one, None) for one in iter(lambda: next(lefts), i))
        yield from ((None, one) for one in iter(lambda: next(rights), j))
        yield i, j
    yield from ((one, None) for one in lefts)
    yield from ((None, one) for one in rights)


def _best_pairs(likeness: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Rising pairs of row and column with the greatest sum; only what is alike enough (others are 0)."""
    n, m = len(likeness), len(likeness[0]) if likeness else 0
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            with_pair = best[i + 1][j + 1] + likeness[i][j] if likeness[i][j] else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], with_pair)
    pairs, i, j = [], 0, 0
    while i < n and j < m:
        if likeness[i][j] and best[i][j] == best[i + 1][j + 1] + likeness[i][j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _likeness(one: CellText, other: CellText) -> float:
    """How much of two cells is the same, 0 where that is less than ALIKE or their kinds differ."""
    if one[0] != other[0] or not one[1] or not other[1]:
        return 0.0
    is_long = len(one[1]) > MOST_CHARS or len(other[1]) > MOST_CHARS
    a, b = (text.splitlines() if is_long else list(text) for _kind, text in (one, other))
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if matcher.real_quick_ratio() < ALIKE or matcher.quick_ratio() < ALIKE:
        return 0.0
    ratio = matcher.ratio() if _n_meetings(a, b) <= MOST_MEETINGS else matcher.quick_ratio()
    return ratio if ratio >= ALIKE else 0.0


def _n_meetings(a: Sequence[str], b: Sequence[str]) -> int:
    """How often a line of one meets its equal in the other: to align them costs as much, at the least."""
    counts = Counter(b)
    return sum(n * counts[line] for line, n in Counter(a).items())


def _moved(old: Sequence[CellText], new: Sequence[CellText], pairs: Sequence[Pair]) -> dict[int, int]:
    """For places of the new notebook where the old one had the same cell, or one that is alike, elsewhere."""
    gone = [i for i, j in pairs if i is not None and j is None and old[i][1]]
    come = [j for i, j in pairs if i is None and j is not None]
    homes: dict[int, int] = {}
    for is_equal in (True, False):
        if not is_equal and len(gone) * len(come) > MOST_PAIRED**2:
            break
        for j in (j for j in come if j not in homes):
            scores = [float(old[i] == new[j]) if is_equal else _likeness(old[i], new[j]) for i in gone]
            best = max(scores, default=0.0)
            if best > 0:
                homes[j] = gone.pop(scores.index(best))
    return homes


def _with_moved(old: Sequence[CellText], new: Sequence[CellText], pairs: Sequence[Pair]) -> Iterator[CellChange]:
    homes = _moved(old, new, pairs)
    taken = set(homes.values())
    for i, j in pairs:
        if j is not None and j in homes:
            yield _change(old, new, homes[j], j, is_moved=True)
        elif j is not None or i not in taken:
            yield _change(old, new, i, j)


def _change(
    old: Sequence[CellText], new: Sequence[CellText], i: int | None, j: int | None, *, is_moved: bool = False
) -> CellChange:
    before, after = None if i is None else old[i], None if j is None else new[j]
    kind = "added" if before is None else "removed" if after is None else "moved" if before == after else "changed"
    cell = (after or before or ("code", ""))[0]
    return CellChange(kind, cell, None if i is None else i + 1, None if j is None else j + 1,
                      before[1] if before else "", after[1] if after else "", is_moved)  # fmt: skip


def change_lines(changes: Sequence[CellChange]) -> Iterator[str]:
    """All changes as the hunks of a unified diff: `@@ code cell 3 changed @@`, then lines."""
    for change in changes:
        yield heading_of(change)
        yield from change.lines()


def heading_of(change: CellChange) -> str:
    """`@@ code cell 3 changed @@`."""
    return f"@@ {change.cell} cell {change.number} {fate(change)} @@"


def fate(change: CellChange) -> str:
    """`changed`, `moved from 5`, `changed and moved from 5`."""
    moved = f"moved from {change.old_number}" if change.is_moved else ""
    return moved if change.kind == "moved" else f"{change.kind}{' and ' if moved else ''}{moved}"
