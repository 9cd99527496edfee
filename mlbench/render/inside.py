"""What is different inside of long texts, and nested keys as a tree."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TypeAlias

from mlbench.dataclass import dataclass
from mlbench.render.cells import ELLIPSIS, EMPTY, Cell
from mlbench.safe import safe

LONG = 40
"""Texts that are all longer than this are cut to what differs inside of them."""
CONTEXT = 8
"""Characters that stay on each side of it."""
LEAST_SAVED = 12
SHORT_HASH = 12
_HASH = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32,}(?![0-9A-Za-z])")


def insides(texts: Sequence[str | None]) -> tuple[str | None, ...]:
    """Long texts without the beginning and the end that all of them share; short ones, and equal ones, as they are."""
    known = [text for text in texts if text is not None]
    if len(set(known)) < 2 or min(map(len, known)) <= LONG:
        return tuple(texts)
    n_before = _n_shared(known)
    n_after = _n_shared([text[n_before:][::-1] for text in known])
    start, end = max(n_before - CONTEXT, 0), max(n_after - CONTEXT, 0)
    if start + end < LEAST_SAVED:
        return tuple(texts)
    return tuple(None if text is None else _cut(text, start, end) for text in texts)


def short_hashes(text: str) -> str:
    """The text with the first twelve digits of each hash: `sha256:bd141e9f217b…`; records have them whole."""
    return _HASH.sub(lambda found: found[0][:SHORT_HASH] + ELLIPSIS, text)


def _n_shared(texts: Sequence[str]) -> int:
    """How many characters all of them begin with."""
    low, high = min(texts), max(texts)
    return next((place for place, char in enumerate(low) if char != high[place]), len(low))


def _cut(text: str, start: int, end: int) -> str:
    return f"{ELLIPSIS if start else ''}{text[start : len(text) - end]}{ELLIPSIS if end else ''}"


OPEN, CLOSED = "▾ ", "▸ "
MOST_LEVELS = 16
"""Parents above a key: with two blanks for each, deeper ones leave the names of 80 columns no room."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of a tree of keys: a leaf with its row, or what several of them have in common."""

    path: str
    """The whole key, as it was logged."""
    label: str
    """Without what stands above."""
    depth: int
    rows: tuple[tuple[Cell, ...], ...]
    """One of a leaf, two or more of a parent."""


def branches(keys: Sequence[str], rows: Sequence[tuple[Cell, ...]], closed: Collection[str] = ()) -> tuple[Branch, ...]:
    """Rows of dotted keys as a tree, each parent at the place of its first key.

    A key without sisters stays whole, and so do the parts of a parent that has only one child, and what is below
    `MOST_LEVELS` parents.

    Args:
        keys: of the leaves, as they were logged: two of them may look the same once they are made fit to be shown.
        rows: the leaves; their first cells are not looked at.
        closed: paths of parents whose children are left out.
    """
    leaves = [(key.split("."), row) for key, row in zip(keys, rows, strict=True)]
    return tuple(_below(leaves, 0, 0, frozenset(closed)))


_Leaf: TypeAlias = "tuple[list[str], tuple[Cell, ...]]"


def _below(leaves: Sequence[_Leaf], n_above: int, depth: int, closed: frozenset[str]) -> Iterator[Branch]:
    families: dict[tuple[str, bool], list[_Leaf]] = {}
    for leaf in leaves:
        has_more = len(leaf[0]) > n_above + 1
        families.setdefault((leaf[0][n_above], has_more), []).append(leaf)
    for (_part, has_more), family in families.items():
        if len(family) == 1 or not has_more or depth == MOST_LEVELS:
            yield from (Branch(".".join(parts), ".".join(parts[n_above:]), depth, (row,)) for parts, row in family)
            continue
        parts = family[0][0]
        n_shared = n_above + 1
        while all(len(one) > n_shared + 1 and one[n_shared] == parts[n_shared] for one, _row in family):
            n_shared += 1
        path = ".".join(parts[:n_shared])
        yield Branch(path, ".".join(parts[n_above:n_shared]), depth, tuple(row for _parts, row in family))
        if path not in closed:
            yield from _below(family, n_shared, depth + 1, closed)


def as_tree(keys: Sequence[str], rows: Sequence[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
    """The rows of a tree with all children, two blanks for each level: `optim`, then `  lr`."""
    return tuple(_drawn(branch, "") for branch in branches(keys, rows))


def as_folding_tree(tree: Sequence[Branch], closed: Collection[str]) -> tuple[tuple[Cell, ...], ...]:
    """The rows of a tree whose parents are marked open or closed.

    Where a parent is closed, its cells say how many of its keys are not as the baseline has them.
    """
    return tuple(_drawn(one, CLOSED if one.path in closed else OPEN, has_counts=one.path in closed) for one in tree)


def _drawn(branch: Branch, mark: str, *, has_counts: bool = False) -> tuple[Cell, ...]:
    first = branch.rows[0]
    indent = safe("  " * branch.depth)
    if len(branch.rows) == 1:
        return (Cell(indent + safe(branch.label), first[0].role), *first[1:])
    cells = [Cell(EMPTY)] * (len(first) - 1)
    if has_counts:
        cells = [_count(branch.rows, place) for place in range(1, len(first))]
    return (Cell(indent + safe(mark + branch.label), "key"), *cells)


def _count(rows: Sequence[tuple[Cell, ...]], place: int) -> Cell:
    """How many keys are not as the baseline, which stands first, has them."""
    if place == 1:
        return Cell(safe(f"{len(rows)} keys"), "muted")
    n = sum(row[place].text not in (row[1].text, "=") for row in rows)
    return Cell(safe(f"{n} {'differs' if n == 1 else 'differ'}"), "changed") if n else Cell(safe("="), "muted")
