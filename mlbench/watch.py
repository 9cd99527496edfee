"""What changed since last time: asked by those who show a catalog that others may write."""

from __future__ import annotations

from mlbench import journal
from mlbench.catalog.reader import current_snapshot
from mlbench.paths import Home


def catalog_stamp(home: Home) -> str:
    """Changes whenever a reader would see something new: another snapshot, or another word in the journal."""
    return f"{current_snapshot(home)}|{journal.stamp(home)}"
