"""Lines of two files of text, whatever their order: how many came and how many went."""

from __future__ import annotations

from collections import Counter

from mlbench.wire.files import read_whole

MAX_TEXT_BYTES = 32 << 20
"""Of a file whose lines are counted."""
_HEAD_BYTES = 8000


def lines_between(old: str | None, new: str | None) -> tuple[int, int, int, int] | None:
    """Lines before and after, added and removed.

    Args:
        old: path of a file; None where it is not on this machine.
        new: of the other.

    Returns:
        None where one is not there, is no text or is too large.
    """
    before, after = _lines(old), _lines(new)
    if before is None or after is None:
        return None
    return before.total(), after.total(), (after - before).total(), (before - after).total()


def _lines(path: str | None) -> Counter[bytes] | None:
    try:
        content = read_whole(path, limit_bytes=MAX_TEXT_BYTES) if path is not None else b"\0"
    except (OSError, ValueError):
        return None
    return None if b"\0" in content[:_HEAD_BYTES] else Counter(content.splitlines())
