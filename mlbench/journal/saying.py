"""Who said a tag of a run, and when: the entries behind the words that hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mlbench.journal.entries import read_entries
from mlbench.journal.folding import history_of, undone_of
from mlbench.paths import Home


class Said(NamedTuple):
    """By whom and when."""

    author: str
    at_s: float
    """Unix seconds, UTC."""


def tags_said(home: Home, key: str, place: Mapping[str, str] = {}) -> Mapping[str, Said]:
    """Of each tag that a run has, who added it last.

    Args:
        home: whose journal is read.
        key: of the run.
        place: for the key of a run that moved, its key now.
    """
    history = history_of(read_entries(home.journal)[0])
    undone = undone_of(history)
    said: dict[str, Said] = {}
    for entry in history:
        if entry.op != "tag" or entry.id in undone or key not in (place.get(run.key, run.key) for run in entry.runs):
            continue
        for tag in entry.remove:
            said.pop(tag, None)
        said |= dict.fromkeys(entry.add, Said(entry.author, entry.us / 1e6))
    return said
