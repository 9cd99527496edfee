"""All that is known of a run as a page: eight numbered parts, each fact a line that can be chosen."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell, Line, fit_middle, line_of, width_cells
from mlbench.render.labels import BASELINE_MARK
from mlbench.render.markdown_cells import markdown_lines
from mlbench.render.show import compact_metric_table, note_origin, show_sections
from mlbench.render.table import Section, Table, layout
from mlbench.safe import safe
from mlbench.tui.widgets.lines_view import Page

if TYPE_CHECKING:
    from mlbench.queries.answers import NoteText, ShowAnswer

PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("run", ("run",)),
    ("parameters", ("params",)),
    ("metrics", ("metrics",)),
    ("code", ("code",)),
    ("environment and data", ("environment", "data")),
    ("artifacts and what was logged", ("blobs",)),
    ("tags and notes", ("tags", "notes")),
    ("sources and problems", ("sources", "problems")),
)
"""What the keys 1 to 8 go to: a title, and the sections of the answer."""
OTHERS = 5
"""The part of sections that no part names: artifacts, lineage and what else a run made."""
SOURCE_CELLS = 100
"""A narrower page has no columns for the files: the values need the room."""
_UNTITLED = ("run", "code", "environment", "data", "tags")
"""Sections whose columns need no titles."""


def part_of(section: str) -> int:
    """The part, 0 to 7, that a section belongs to."""
    return next((part for part, (_title, keys) in enumerate(PARTS) if section in keys), OTHERS)


def run_page(answer: ShowAnswer, width: int, *, slot: int | None = None) -> Page:
    """The facts of a run.

    Args:
        answer: all that is known of it.
        width: columns.
        slot: its colour slot, None without one.

    Returns:
        Each fact has a key `section:place`, the place in the order of `show_sections`.
    """
    found = sorted(show_sections(answer), key=lambda section: part_of(section.key))
    lines: list[Line] = []
    keys: list[str] = []
    starts: list[int] = []
    for part, (title, _sections) in enumerate(PARTS):
        sections = [section for section in found if part_of(section.key) == part]
        if sections and lines:
            lines.append(())
        starts.append(len(lines))
        for place, section in enumerate(sections):
            head = [_part_line(part, title, sections)] if place == 0 else [_section_line(section)]
            body, names = _section_lines(section, answer, width)
            lines += [*head, *body]
            keys += [""] * (len(lines) - len(body) - len(keys)) + names
    starts = [min(start, max(len(lines) - 1, 0)) for start in starts]
    return Page(_title(answer, width, slot), lines=tuple(lines), keys=tuple(keys), sections=tuple(starts))


def _title(answer: ShowAnswer, width: int, slot: int | None) -> Line:
    role = f"run{slot % 8}" if slot is not None else "title"
    mark = f" {BASELINE_MARK} " if answer.head.is_baseline else " "
    tags = "  ".join(f"#{tag}" for tag in answer.head.tags)
    name = fit_middle(safe(answer.head.name), max(width - min(width_cells(tags), 24) - 12, 12))
    return Cell(safe(mark), "baseline"), Cell(name, role), Cell(safe(f"   {tags}"), "key")


def _part_line(part: int, title: str, sections: Sequence[Section]) -> Line:
    """` 2 parameters (17)`: the number is the key that goes there."""
    count = f" ({len(sections[0].table.rows)})" if len(sections) == 1 and part else ""
    named = f": {sections[0].key}" if len(sections) > 1 or sections[0].key not in PARTS[part][1] else ""
    return line_of((f" {part + 1} ", "axis"), (f"{title}{named}{count}", "heading"))


def _section_line(section: Section) -> Line:
    return line_of(("   ", ""), (section.title, "heading"))


def _section_lines(section: Section, answer: ShowAnswer, width: int) -> tuple[list[Line], list[str]]:
    """The lines of a section, and what each is about."""
    if section.key == "notes":
        return _notes(answer.notes, width)
    has_titles = section.key not in _UNTITLED
    table = section.table if width >= SOURCE_CELLS else _narrow_table(section, answer)
    lines = [(Cell(safe("  ")), *line) for line in layout(table, max(width - 3, 8), has_titles=has_titles)]
    names = [f"{section.key}:{place}" for place in range(len(section.table.rows))]
    before = [""] if has_titles and lines else []
    return lines, [*before, *names, *[""] * (len(lines) - len(before) - len(names))][: len(lines)]


def _narrow_table(section: Section, answer: ShowAnswer) -> Table:
    """Without the last column where it holds the files, and of metrics the best alone: what stands behind a fact says
    it in full.
    """
    table = compact_metric_table(answer.metrics) if section.key == "metrics" else section.table
    if table.headings[-1].title != "source":
        return table
    return Table(table.headings[:-1], tuple(row[:-1] for row in table.rows))


def _notes(notes: Sequence[NoteText], width: int) -> tuple[list[Line], list[str]]:
    """Notes in full, each behind a line that says who wrote it and when."""
    lines: list[Line] = []
    keys: list[str] = []
    for place, note in enumerate(notes):
        lines.append(line_of(("  ", ""), (note_origin(note), "muted")))
        keys.append(f"notes:{place}")
        body = [(Cell(safe("  ")), *line) for line in markdown_lines(note.body, max(width - 3, 8), keeps_lines=True)]
        lines += body
        keys += [""] * len(body)
    return lines, keys


def wrapped_text(text: str, width: int, role: str = "") -> list[Line]:
    """A text of one line in several, as it is."""
    return [
        line_of(("  ", ""), (part, role))
        for part in textwrap.wrap(safe(text), max(width - 3, 8), break_on_hyphens=False) or [""]
    ]
