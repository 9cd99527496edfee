"""Markdown for the generated pages: prose and code that mean what they say, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_CODE_SPAN = re.compile(r"(`+[^`]+`+)")
_SPECIAL = re.compile(r"[\\<*\[\]|]|(?<!\w)_|_(?!\w)")


def prose(text: str) -> str:
    """A text in which only what stands between backticks is markup."""
    parts = _CODE_SPAN.split(text)
    return "".join(part if index % 2 else _SPECIAL.sub(r"\\\g<0>", part) for index, part in enumerate(parts))


def code(text: str) -> str:
    """A code span; the fence is longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; a bar in a cell is escaped, also in a code span."""
    lines = [list(heads), ["---"] * len(heads), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def anchor(heading: str) -> str:
    """The fragment by which forges link to a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")
