"""What is different inside of long texts, and nested keys as a tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mlbench.render.cells import ELLIPSIS, EMPTY, Cell
from mlbench.safe import safe

LONG = 40
"""Texts that are all longer than this are cut to what differs inside of them."""
CONTEXT = 8
"""Characters that stay on each side of it."""
LEAST_SAVED = 12


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


def _n_shared(texts: Sequence[str]) -> int:
    """How many characters all of them begin with."""
    low, high = min(texts), max(texts)
    return next((place for place, char in enumerate(low) if char != high[place]), len(low))


def _cut(text: str, start: int, end: int) -> str:
    return f"{ELLIPSIS if start else ''}{text[start : len(text) - end]}{ELLIPSIS if end else ''}"


def as_tree(rows: Sequence[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
    """Rows whose first cells are dotted keys, with the keys that share a parent below it: `optim`, then `  lr`.

    A key without sisters stays whole; rows of one parent are drawn together, at the place of the first.
    """
    counts = Counter(parent for row in rows for parent in _parents(row[0].text))
    homes = [next((parent for parent in _parents(row[0].text) if counts[parent] > 1), "") for row in rows]
    drawn: list[tuple[Cell, ...]] = []
    done: set[str] = set()
    for row, home in zip(rows, homes, strict=True):
        if not home:
            drawn.append(row)
        elif home not in done:
            done.add(home)
            drawn.append((Cell(safe(home), "key"), *[Cell(EMPTY)] * (len(row) - 1)))
            drawn += [
                (Cell(safe("  ") + safe(one[0].text[len(home) + 1 :]), one[0].role), *one[1:])
                for one, its_home in zip(rows, homes, strict=True)
                if its_home == home
            ]
    return tuple(drawn)


def _parents(key: str) -> list[str]:
    """The parents of a dotted key, the nearest first."""
    parts = key.split(".")
    return [".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]
