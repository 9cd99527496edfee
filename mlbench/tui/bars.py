"""What header, prompt line and footer say of the desk. Pure; no widget."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from mlbench.render.cells import Cell, Line, fit, fit_middle, line_cells, line_of, width_cells
from mlbench.safe import safe
from mlbench.tui.actions import BY_ID, COMPARE, DRAWN, TABLED, key_text
from mlbench.tui.session import IndexProgress
from mlbench.tui.view import Marks

if TYPE_CHECKING:
    from mlbench.queries.answers import Listing
    from mlbench.tui.desk import Desk

Ends = tuple[Line, Line]
LEAST_BASE_CELLS, MOST_BASE_CELLS = 12, 28
"""Of the baseline's name in the header."""


def header(desk: Desk, width: int) -> Ends:
    """Where we are and what is shown; at the right how far the reading is, else how many problems there are.

    Of the baseline's name as much is shown as leaves room for the rest.
    """
    view, found = desk.view, desk.answers.found
    parts: list[tuple[str, str]] = [(" mlbench", "accent"), (" ▸ ", "muted"), (desk.session.scope, "title")]
    if found is not None:
        parts += [("   ", ""), (_count(desk), "")]
    if view.marks:
        n_hidden = _n_hidden(view.marks, found.listing) if found else 0
        parts += [("   ", ""), (f"{len(view.marks):,} marked" + (f" ({n_hidden:,} hidden)" if n_hidden else ""), "")]
    right = line_of(*_state(desk), (" ", ""))
    sort = [("   sort ", "muted"), (", ".join(map(_sort_text, view.sort)), "")] if view.sort else []
    if desk.baseline is not None:
        mark = "baseline" if desk.panes.looks.is_linear else "◆"
        parts += [(f"   {mark} ", "baseline")]
        left = width - line_cells((*line_of(*parts, *sort), *right)) - 1
        parts += [(fit_middle(safe(desk.baseline.name), min(max(left, LEAST_BASE_CELLS), MOST_BASE_CELLS)), "")]
    return line_of(*parts, *sort), right


@lru_cache(maxsize=1)
def _n_hidden(marks: Marks, listing: Listing) -> int:
    """Marked runs that the query does not show; looked up again only when one of the two is another."""
    return len(set(marks.run_ids).difference(listing.ids))


def _count(desk: Desk) -> str:
    answer = desk.answers.found.answer if desk.answers.found else None
    if answer is None:
        return ""
    noun = "run" if answer.n_runs == 1 else "runs"
    return f"{answer.n_matched:,} of {answer.n_runs:,} {noun}" if desk.view.query else f"{answer.n_runs:,} {noun}"


def _sort_text(sort: str) -> str:
    spec, _colon, order = sort.rpartition(":") if sort.endswith((":desc", ":asc")) else (sort, "", "")
    bare = spec.removeprefix("metrics.").removeprefix("params.")
    return f"{bare} {'▼' if order == 'desc' else '▲'}"


def _state(desk: Desk) -> list[tuple[str, str]]:
    progress, done = desk.answers.progress, desk.answers.done
    if progress is not None or done is None:
        return [(progress_text(progress), "warning")]
    n = len(desk.answers.problems)
    return [(f"{n} problem{'' if n == 1 else 's'}  :problems", "warning")] if n else []


def progress_text(progress: IndexProgress | None) -> str:
    """`1,078 of 2,000 indexed`; never more than is known."""
    if progress is None:
        return "looking for runs"
    if progress.stage == "scan":
        noun = "folder" if progress.n_done == 1 else "folders"
        return f"looking for runs: {progress.n_done:,} {noun}" if progress.n_done else "looking for runs"
    if progress.stage == "read" and progress.n_total:
        return f"{progress.n_done:,} of {progress.n_total:,} indexed"
    return ""


def prompt(desk: Desk, width: int) -> Ends:
    """The prompt that is open; else what is to be said, or the query that holds."""
    right = _right_of_prompt(desk)
    if desk.prompter.prompt is not None:
        line, place = desk.prompter.line(width - line_cells(right))
        return _with_caret(line, place), right
    if desk.message:
        return desk.message, right if line_cells(desk.message) + line_cells(right) < width else ()
    if desk.view.query:
        return line_of((" / ", "accent"), (desk.view.query, "")), right
    return (), right


def _right_of_prompt(desk: Desk) -> Line:
    found = desk.answers.found
    if found is None or (desk.prompter.prompt is not None and desk.prompter.prompt.history != "query"):
        return ()
    if desk.prompter.prompt is None and not desk.view.query:
        return ()
    return line_of((f"[{found.answer.n_matched:,}/{found.answer.n_runs:,}] ", "muted"))


def _with_caret(line: Line, place: int) -> Line:
    """The line with its cell at `place` as the cursor."""
    from mlbench.tui.paint import cropped

    total = line_cells(line)
    if place >= total:
        return (*line, Cell(safe(" " * (place - total))), Cell(safe(" "), "caret"))
    under = cropped(line, place, 1)
    text = under[0].text if under and width_cells(under[0].text) else safe(" ")
    return (*cropped(line, 0, place), Cell(text, "caret"), *cropped(line, place + 1, total))


def footer(desk: Desk, width: int) -> Ends:
    """The keys of the pane; while a prompt is open its hint, or the mistake with a caret under its column."""
    prompter = desk.prompter
    if prompter.prompt is not None:
        if desk.typed_error:
            return _mistake(desk, width), ()
        right = line_of((f"   {prompter.prompt.ends} ", "muted"))
        if width_cells(prompter.hint) + line_cells(right) + 3 > width:
            right = ()
        return line_of(("   ", ""), (fit(prompter.hint, width - line_cells(right) - 3), "muted")), right
    if desk.keyboard.is_waiting and (following := desk.keyboard.following(desk.view.pane)):
        return keys_line([(key_text(key), action.label) for key, action in following], width), ()
    help_key = desk.keyboard.first_key(BY_ID["app.help"])
    right = line_of((f" {key_text(help_key)}", "key"), (" help ", "muted")) if help_key else ()
    is_drawn = not desk.panes.looks.is_linear
    hides = desk.view.pane == COMPARE and desk.view.compare_look != ""
    pairs = [(key_text(key), action.label) for key, action in desk.keyboard.footer(desk.view.pane)
             if (is_drawn or action.id not in DRAWN) and not (hides and action.id in TABLED)]  # fmt: skip
    return keys_line(pairs, width - line_cells(right)), right


def _mistake(desk: Desk, width: int) -> Line:
    """The caret under the mistake in the prompt above, then what is wrong; before the caret where there is no room."""
    error = desk.typed_error
    label = desk.prompter.prompt.label if desk.prompter.prompt else ""
    place = len(label) + 2 + (desk.error_column or 1) - 1
    if desk.error_column is not None and place + 2 + len(error) <= width:
        return line_of((" " * place + "^ ", "bad"), (error, "bad"))
    if desk.error_column is not None and len(error) + 2 <= place:
        return line_of((" " * (place - len(error) - 1) + error + " ^", "bad"))
    at = f"column {desk.error_column}: " if desk.error_column is not None else ""
    return line_of((f" {at}{error}", "bad"))


def keys_line(pairs: Sequence[tuple[str, str]], width: int) -> Line:
    """Keys and what they do, as many as have room."""
    line: Line = (Cell(safe(" ")),)
    used = 1
    for key, label in pairs:
        part = line_of((key, "key"), (f" {label}  ", "muted"))
        if used + line_cells(part) > width:
            break
        line = (*line, *part)
        used += line_cells(part)
    return line


def sort_arrows(sort: Sequence[str]) -> dict[str, str]:
    """Column specification to the arrow of its order."""
    arrows = {}
    for text in sort:
        spec, _colon, order = text.rpartition(":") if text.endswith((":desc", ":asc")) else (text, "", "asc")
        arrows[spec] = "▼" if order == "desc" else "▲"
    return arrows


def empty_text(desk: Desk) -> tuple[Line, ...]:
    """What is said where there are no runs."""
    found, done, progress = desk.answers.found, desk.answers.done, desk.answers.progress
    if desk.view.query and found is not None and found.answer.n_runs:
        return (
            (),
            line_of(("   no run matches this query", "")),
            line_of((f"   {desk.key('app.query')} edits it", "muted")),
        )
    if done is None:
        return (), line_of((f"   {progress_text(progress) or 'looking for runs'} …", "muted"))
    lines = [
        line_of((f"   no runs in {desk.session.scope}", "")),
        (),
        line_of(
            (
                "   mlbench reads TensorBoard event files, Hydra and Lightning folders, parameter dumps and more:",
                "muted",
            )
        ),
        line_of(("   docs/reference/sources.md lists them. :problems says what could not be read.", "muted")),
    ]
    return (), *lines
