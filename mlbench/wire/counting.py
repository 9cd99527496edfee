"""How many of a thing there are, for the texts of problems: one of them is told as one."""

from __future__ import annotations


def so_many(n: int, one: str, many: str) -> str:
    """`1 row has no step`, `1,240 rows have no step`: the number before what is said of one, or of many."""
    return f"{n:,} {one if n == 1 else many}"
