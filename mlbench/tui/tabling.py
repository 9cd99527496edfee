"""The flow of the table: the question, its answer, and the rows and curves that come when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError
from mlbench.tui.gone import ask_marked
from mlbench.tui.session import PIECE_ROWS, RunsFound, RunsQuestion, Sketches
from mlbench.tui.widgets.rows import Piece, Rows, first_piece, lines_of, piece_of

if TYPE_CHECKING:
    from mlbench.queries.answers import RunHead
    from mlbench.tui.desk import Desk

MOST_MARKED = 10_000
"""Runs that can be marked at a time: what is said of them is written for each."""
EMPTY_AFTER_S = 0.05
"""Lines that are not known after this time are painted empty."""
CURVES_AFTER_S = 0.03
"""Curves are fetched when the table has stood still so long: they lie far apart in the catalog."""


class Tabling:
    """Asks for what the table shows, and hands it over."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.rows = Rows()
        self.lines: Sequence[int] = ()
        self.has_held_columns = False
        """The columns are still those of the query before, since this one is being typed."""
        desk.panes.table.on_moved = self.fetch

    # ------------------------------------------------------------ the question

    def ask(self) -> None:
        """Ask for the runs of the view; while the query is typed the columns stay as they are."""
        desk = self._desk
        question = replace(desk.view.question, near="" if desk.goes_to_top else desk.view.cursor)
        prompt, found = desk.prompter.prompt, desk.answers.found
        is_typed = prompt is not None and prompt.history == "query" and found is not None
        asked = replace(question, columns=question.columns or (found.columns if is_typed and found else ()))

        def find() -> tuple[RunsFound, Piece]:
            answer = desk.session.find(asked)
            return replace(answer, question=question), first_piece(answer)

        def take(answer: tuple[RunsFound, Piece]) -> None:
            self.has_held_columns = asked.columns != question.columns
            self._take(answer)
            if self.has_held_columns and desk.prompter.prompt is None:
                self.ask()  # it was accepted before this answer came

        known = desk.session.known(asked)
        if known is not None:
            take((replace(known, question=question), first_piece(known)))
            return
        desk.asker.ask("runs", find, take, lane="table", subject=(asked, question),
                       otherwise=partial(self._failed, question))  # fmt: skip

    def _failed(self, question: RunsQuestion, error: MlbenchError) -> None:
        """A mistake in the query is shown where it is typed; the table keeps what it had."""
        self._desk.host.later("go on", 0.001, self._desk.waiting.go_on)
        self.has_held_columns = False
        desk, prompt = self._desk, self._desk.prompter.prompt
        if prompt is None or prompt.history != "query":
            good = desk.good
            desk.view = replace(desk.view, query=good.query, sort=good.sort, columns=good.columns, by=good.by)
            desk.complain(error)
            if desk.answers.found is None and question != desk.view.question:
                self.ask()  # what was kept from the last time means nothing any more
            return
        desk.failed_query = question.query
        desk.error_column = getattr(error, "column", None)
        text = getattr(error, "message", str(error)).partition("\n")[0]
        desk.typed_error = text.removeprefix(f"column {desk.error_column}: ")
        desk.panes.draw_bars(desk)

    # ------------------------------------------------------------ the answer

    def _take(self, answer: tuple[RunsFound, Piece]) -> None:
        desk, (found, piece) = self._desk, answer
        before = desk.answers.found
        desk.answers.found = found
        desk.typed_error, desk.error_column = "", None
        desk.good = found.question
        rows = Rows(found, found.listing)
        if before is not None and before.curve == found.curve:
            rows.sketches.update(self.rows.sketches)
        rows.take(piece)
        self.rows = rows
        desk.heads |= {row.head.run_id: row.head for row in found.answer.rows}
        if found.baseline is not None:
            desk.heads[found.baseline.run_id] = found.baseline
        self.lines = lines_of(found.listing, desk.view.opened)
        cursor = desk.panes.take_runs(desk)
        desk.with_view(cursor=cursor, group=desk.panes.table.current_group)
        ask_marked(desk)
        desk.host.later("go on", 0.001, desk.waiting.go_on)
        if before is None or before.baseline != found.baseline:
            desk.preview()

    def fold(self) -> None:
        """Show other lines of the same answer: a group was folded."""
        if self.rows.found is not None:
            table = self._desk.panes.table
            group = table.group_of(table.cursor)
            self.lines = lines_of(self.rows.listing, self._desk.view.opened)
            line = next((at for at, shown in enumerate(self.lines) if shown < 0 and
                         self.rows.listing.groups[~shown] is group), table.cursor)  # fmt: skip
            self._desk.panes.draw_table(self._desk, cursor=line)
            self._desk.with_view(cursor=table.current_id, group=table.current_group)

    # ------------------------------------------------------------ rows and curves

    def fetch(self) -> None:
        """Ask for the rows in view that are not known, then for those beside them, and for the curves."""
        table, rows = self._desk.panes.table, self.rows
        seen = [place for line in table.lines_in_view if (place := table.place_of_line(line)) is not None]
        if not seen or rows.found is None:
            return
        page = table.page_rows
        around = [*range(seen[-1], seen[-1] + 2 * page), *range(seen[0] - page, seen[0])]
        for piece in (*rows.missing(seen), *rows.missing(around)):
            self._ask_piece(rows.found, piece)
        if table.unknown_in_view():
            self._desk.host.later("empty", EMPTY_AFTER_S, self._paint_empty)
        if rows.found.curve:
            self._desk.host.later("curves", CURVES_AFTER_S, self._ask_curves)

    def _paint_empty(self) -> None:
        if self._desk.panes.table.unknown_in_view():
            self._desk.panes.table.refresh()

    def _ask_piece(self, found: RunsFound, piece: int) -> None:
        desk, rows = self._desk, self.rows
        rows.pieces[piece] = None
        first = piece * PIECE_ROWS

        def fetch() -> Piece:
            return piece_of(found, first, desk.session.rows(found, first, PIECE_ROWS), rows.fits)

        desk.asker.ask(f"rows {piece}", fetch, partial(self._take_piece, rows), lane="table")

    def _take_piece(self, rows: Rows, piece: Piece) -> None:
        if rows is not self.rows:
            return
        desk = self._desk
        desk.heads |= {row.head.run_id: row.head for row in piece.rows if row is not None}
        had_columns = rows.fits, rows.name_cells
        was_unknown = bool(desk.panes.table.unknown_in_view())
        rows.take(piece)
        if (rows.fits, rows.name_cells) != had_columns:
            desk.panes.draw_table(desk, has_other_columns=True)
        elif was_unknown and not desk.panes.table.unknown_in_view():
            desk.panes.table.refresh()

    def _ask_curves(self) -> None:
        """Of the rows in view and of the pages beside them: those are then painted once, with their curves."""
        desk, rows, table = self._desk, self.rows, self._desk.panes.table
        found, seen, page = rows.found, table.lines_in_view, table.page_rows
        around = range(max(seen.start - page, 0), min(seen.stop + page, len(self.lines)))
        places = [place for line in around if (place := table.place_of_line(line)) is not None]
        wanted = [place for place in places if place not in rows.curved]
        if found is None or not wanted:
            return
        first, end = min(wanted), max(wanted) + 1
        if end - first > 2 * PIECE_ROWS:  # folded groups lie between
            end = first + 2 * PIECE_ROWS
        rows.curved.update(range(first, end))
        desk.asker.ask(
            "curves", lambda: desk.session.sketches(found, first, end - first), partial(self._take_curves, rows),
            lane="table",
        )  # fmt: skip

    def _take_curves(self, rows: Rows, sketches: Sketches) -> None:
        if rows is not self.rows:
            return
        changed = {run_id for run_id, sketch in sketches.items() if rows.sketches.get(run_id) != sketch}
        rows.sketches.update(sketches)
        places = {place for place, row in rows.rows.items() if row.head.run_id in changed}
        self._desk.panes.table.refresh_curves(places)

    # ------------------------------------------------------------ marks

    def mark(self, run_ids: Sequence[str]) -> None:
        """Mark runs, once all is known of them that may be said of them."""
        desk = self._desk
        chosen = list(run_ids)[: MOST_MARKED - len(desk.view.marks)]
        unknown = [run_id for run_id in chosen if run_id not in desk.heads]

        def marked(heads: Sequence[RunHead]) -> None:
            desk.heads |= {head.run_id: head for head in heads}
            desk.with_view(marks=desk.view.marks.with_all(run_id for run_id in chosen if run_id in desk.heads))
            if len(chosen) < len(run_ids):
                desk.say(f"marked the first {len(chosen):,} of {len(run_ids):,}: no more at a time", "warning")

        if unknown:
            desk.asker.ask("heads", lambda: desk.session.heads(unknown), marked, lane="table")
        else:
            marked(())
