"""Confusion matrices or histograms of several runs, as a page of the comparison. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlbench.queries.answers import RunHead
from mlbench.render.cells import Line, fit_middle, line_of
from mlbench.render.labels import label_map, with_mark
from mlbench.render.problems import problem_text
from mlbench.safe import Safe, safe
from mlbench.tui.logged import HISTOGRAMS, LoggedFound, LoggedLook, with_step
from mlbench.tui.run_page import wrapped_text
from mlbench.tui.widgets.lines_view import Page

if TYPE_CHECKING:
    from mlbench.queries.matrix import MatrixAnswer
    from mlbench.render.histories_beside import RunHistory
    from mlbench.render.matrices import Aligned
    from mlbench.tui.stage import Paper

_WORDS = {"matrices": ("confusion matrices", "a confusion matrix as numbers"),
          "histograms": ("histograms", "a histogram")}  # fmt: skip


def logged_page(
    look: LoggedLook, heads: Sequence[RunHead], paper: Paper, *, title: str, slots: Mapping[str, int]
) -> Page:
    """What the runs logged under one name; runs that lack it are named below.

    Args:
        look: what was found, and what of it is looked at.
        heads: the compared runs, the baseline first.
        paper: the pane.
        title: of the pane.
        slots: colour slot by run id.
    """
    word, one = _WORDS[look.look]
    head = line_of((f" {title}: {word}", "title"), (f"   {paper.key_of(f'compare.{look.look}')} goes back", "muted"))
    found = look.found
    if found is None:
        text, role = (look.error, "warning") if look.error else ("reading …", "muted")
        return Page(title=head, lines=tuple(wrapped_text(text, paper.width, role)))
    if not found.names:
        return Page(title=head, lines=(line_of((f"  none of these runs logged {one}", "muted")),))
    roles = {head.run_id: f"run{slots.get(head.run_id, 0) % 8}" for head in heads}
    names = {head.run_id: with_mark(label_map(heads)[head.run_id], head) for head in heads}
    draw = _histograms if look.look == HISTOGRAMS else _matrices
    lines = [*draw(look, found, names, roles, paper), *_remarks(found, names, paper)]
    return Page(
        title=head, right=_moves(look, paper), head=(_named(look, found, paper),),
        lines=tuple((*line_of((" ", "")), *line) if line else line for line in lines),
    )  # fmt: skip


def _named(look: LoggedLook, found: LoggedFound, paper: Paper) -> Line:
    what = "" if look.look == HISTOGRAMS else "   rows: actual, columns: predicted"
    choose = f"   {paper.key_of('compare.image')} chooses of {len(found.names)}" if len(found.names) > 1 else ""
    name = fit_middle(safe(found.metric), max(paper.width - len(what) - len(choose) - 2, 8))
    return line_of((" ", ""), (name, "heading"), (what + choose, "muted"))


def _moves(look: LoggedLook, paper: Paper) -> Line:
    step, place = with_step(look)
    keys = f"{paper.key_of('lists.left')} {paper.key_of('lists.right')}"
    return line_of((f"step {step:,}   {place} of {len(look.steps)}   {keys} ", "muted")) if place else ()


def _matrices(
    _look: LoggedLook, found: LoggedFound, names: Mapping[str, Safe], roles: Mapping[str, str], paper: Paper
) -> Sequence[Line]:
    matrices: Sequence[MatrixAnswer] = [one for one in found.items if one.head.run_id in names]
    labels = [names[matrix.head.run_id] for matrix in matrices]
    run_roles = [roles[matrix.head.run_id] for matrix in matrices]
    aligned = found.aligned if len(matrices) == len(found.items) else None
    return matrix_lines(matrices, labels, paper, roles=run_roles, aligned=aligned)


def matrix_lines(
    matrices: Sequence[MatrixAnswer], labels: Sequence[Safe], paper: Paper, *, roles: Sequence[str] = (),
    aligned: Aligned | None = None,
) -> Sequence[Line]:  # fmt: skip
    """Matrices as `draw_matrices` has them, or in words for a screen reader."""
    if paper.is_linear:
        from mlbench.render.spoken_logged import spoken_matrices

        return spoken_matrices(matrices, labels, paper.width)
    from mlbench.render.matrices import MatrixOptions, draw_matrices

    options = MatrixOptions(paper.width - 2, paper.depth, paper.glyphs, paper.is_light)
    return draw_matrices(matrices, labels, options, roles=roles, aligned=aligned)


def _histograms(
    look: LoggedLook, found: LoggedFound, names: Mapping[str, Safe], roles: Mapping[str, str], paper: Paper
) -> Sequence[Line]:
    histories: Sequence[RunHistory] = [one for one in found.items if one.head.run_id in names]
    step, _place = with_step(look)
    if paper.is_linear:
        from mlbench.render.spoken_logged import spoken_histories

        return spoken_histories(histories, names, paper.width, at=step)
    from mlbench.render.histories_beside import HistoryLook, histories_beside

    drawn = HistoryLook(paper.width - 2, paper.height - 1, paper.depth, paper.glyphs, paper.is_light)
    return histories_beside(histories, names, roles, drawn, at=step)


def _remarks(found: LoggedFound, names: Mapping[str, Safe], paper: Paper) -> list[Line]:
    """Which runs have nothing under this name, and what could not be read."""
    told = {one.head.run_id for one in found.items}
    told |= {problem.run_id for problem in found.problems}
    n_cut = found.n_left_out
    without = [] if n_cut else [name for run_id, name in names.items() if run_id not in told]
    lines: list[Line] = [()]
    if n_cut:
        text = f"of so many classes those of the first {len(found.items)} runs are shown; {n_cut} more have one"
        lines += wrapped_text(text, paper.width - 2, "muted")
    if without:
        text = f"{found.metric} was not logged by {', '.join(without)}"
        lines += wrapped_text(text, paper.width - 2, "muted")
    for problem in found.problems:
        lines += wrapped_text(problem_text(problem), paper.width - 2, "warning")
    return lines if len(lines) > 1 else []
