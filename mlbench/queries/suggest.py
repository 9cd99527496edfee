"""The nearest name to one that was mistyped."""

from __future__ import annotations

from collections.abc import Iterable

MAX_NAMES = 5000
"""Names that are compared; more would be felt while typing."""


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name that was most likely meant, None where none is near.

    In this order: the same but for case; one whose last part is the word (`lr` for `optim.lr`); one that differs in
    a few letters; one that begins with the word.
    """
    import difflib

    known = sorted(set(names), key=lambda name: (len(name), name))[:MAX_NAMES]
    lower = word.lower()
    for name in known:
        if name.lower() == lower:
            return name
    for name in known:
        if name.lower().endswith((f"/{lower}", f".{lower}")):
            return name
    by_lower = {name.lower(): name for name in reversed(known)}
    cutoff = 0.6 if len(lower) <= 4 else 0.7  # one letter of three wrong is two thirds right
    if near := difflib.get_close_matches(lower, list(by_lower), n=1, cutoff=cutoff):
        return by_lower[near[0]]
    return next((name for name in known if len(lower) > 1 and name.lower().startswith(lower)), None)


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """` Did you mean 'val/loss'?` with a space before it, '' where no name is near."""
    near = nearest(word, names)
    return f" Did you mean '{near}'?" if near else ""
