"""Two listings of the same thing (files of a data set, columns of a table) against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlbench.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a file or a column."""

    identity: str
    """Digest of its content, or its type: entries are equal if this is."""
    size_bytes: int | None = None
    n_rows: int | None = None


@dataclass(frozen=True, slots=True)
class EntryChange:
    """A file or column that the two listings do not have alike."""

    kind: str
    """added, removed or changed."""
    name: str
    old: Entry | None
    new: Entry | None


def entry_changes(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> Iterator[EntryChange]:
    """What differs, by name."""
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            yield EntryChange("added" if before is None else "removed", name, before, after)
        elif before.identity != after.identity:
            yield EntryChange("changed", name, before, after)
