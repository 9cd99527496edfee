"""The panes of the one screen: which are seen, and what each draws of the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.containers import Container
from textual.widget import Widget

from mlbench.dataclass import dataclass
from mlbench.render.cells import line_of
from mlbench.tui import bars
from mlbench.tui.actions import CHART, COMPARE, PANES, PROBLEMS, RUN, RUNS, STAGE
from mlbench.tui.compare_page import compare_page
from mlbench.tui.gallery import LOOK
from mlbench.tui.group_page import group_page
from mlbench.tui.groups import charted_group
from mlbench.tui.pages import problems_page
from mlbench.tui.placed import BY_CELLS, Drawing
from mlbench.tui.run_page import run_page, wrapped_text
from mlbench.tui.session import IndexProgress
from mlbench.tui.stage import Paper, stage_page
from mlbench.tui.theme import Looks
from mlbench.tui.transposed import transposed_page
from mlbench.tui.view import View, left_out_text, reading_text
from mlbench.tui.widgets.bar import Bar, Divider, Popup
from mlbench.tui.widgets.chart_view import ChartState, ChartView
from mlbench.tui.widgets.lines_view import LinesView, Page
from mlbench.tui.widgets.runs_table import RunsTable
from mlbench.tui.widgets.table_state import TableState

if TYPE_CHECKING:
    from mlbench.tui.desk import Desk
    from mlbench.tui.widgets.columns import TableColumn

WIDE_COLUMNS = 120
"""From here on the live panes stand beside the table."""
TALL_ROWS = 32
"""From here on a comparison has its charts below it."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Panes on the screen: one at the left, others below each other at its right."""

    left: str
    """'' where the right ones have the whole screen."""
    right: tuple[str, ...] = ()


def arrangement(width: int, height: int, view: View) -> Arrangement:
    """Which panes are seen on so many columns and rows."""
    if view.pane == COMPARE and view.is_zoomed and width >= WIDE_COLUMNS and height >= TALL_ROWS:
        return Arrangement("", (COMPARE, CHART))
    is_run = view.pane in (RUN, STAGE)
    if view.is_zoomed and width >= WIDE_COLUMNS and is_run:
        return Arrangement("", (RUN, STAGE))
    if width < WIDE_COLUMNS or view.is_zoomed:
        return Arrangement(view.pane)
    if view.pane == PROBLEMS:
        return Arrangement(RUNS, (PROBLEMS,))
    if view.shown_run:
        return Arrangement(RUNS, (RUN, STAGE) if height >= TALL_ROWS else (STAGE,) if view.pane == STAGE else (RUN,))
    return Arrangement(RUNS, (CHART, COMPARE))


def pane_order(view: View) -> tuple[str, ...]:
    """The panes that `tab` goes through."""
    if view.pane == PROBLEMS:
        return RUNS, PROBLEMS
    return (RUNS, RUN, STAGE) if view.shown_run else (RUNS, CHART, COMPARE)


class Panes:
    """The widgets; drawn from the desk, and nothing else."""

    def __init__(self, looks: Looks, glyphs: str, tell: Callable[[IndexProgress], None]) -> None:
        self.looks = looks
        self.glyphs = glyphs
        self.drawing: Drawing = BY_CELLS
        self.tell_progress = tell
        self.table = RunsTable(looks, id=RUNS)
        self.chart = ChartView(looks, id=CHART)
        self.compare = LinesView(looks, id=COMPARE)
        self.run = LinesView(looks, id=RUN)
        self.stage = LinesView(looks, id=STAGE)
        self.problems = LinesView(looks, id=PROBLEMS)
        self.right = Container(self.chart, self.compare, self.run, self.stage, self.problems, id="right")
        self.divider = Divider(looks, id="divider")
        self.header = Bar(looks, id="header")
        self.prompt = Bar(looks, ground="prompt", id="prompt")
        self.footer = Bar(looks, id="footer")
        self.popup = Popup(looks, id="popup")
        self.small = Bar(looks, ground="", id="small")
        self._columns: tuple[TableColumn, ...] = ()
        self.place_of_cursor = (0, 0)
        """Where the terminal's cursor belongs, for whoever reads the screen by it."""

    @property
    def by_name(self) -> dict[str, Widget]:
        return {
            RUNS: self.table, CHART: self.chart, COMPARE: self.compare, RUN: self.run, STAGE: self.stage,
            PROBLEMS: self.problems,
        }  # fmt: skip

    # ------------------------------------------------------------ which are seen

    def arrange(self, width: int, height: int, view: View) -> None:
        """Show the panes that the view asks for, and say to each whether keys go to it."""
        # One pane after the other: side by side a screen reader reads the lines of both as one.
        shown = arrangement(min(width, WIDE_COLUMNS - 1) if self.looks.is_linear else width, height, view)
        is_split = bool(shown.left and shown.right)
        for name in PANES:
            self.by_name[name].display = name in (shown.left, *shown.right)
        self.divider.display = is_split
        right = self.right
        right.display = is_split or shown.left != RUNS
        right.set_class(not is_split, "alone")
        self.table.set_class(is_split, "split")
        is_below = shown.right == (COMPARE, CHART)
        right.set_class(is_below, "full")
        right.set_class(shown.right == (RUN, STAGE), "run")
        right.set_class(not shown.left, "wide")
        if right.is_attached:
            self._order_right(is_below=is_below)
        for pane in (self.chart, self.compare, self.run, self.stage, self.problems):
            pane.set_at_work(pane.id == view.pane)

    def _order_right(self, *, is_below: bool) -> None:
        """Beside the table the chart stands on top; on the whole screen the comparison does."""
        places = self.right.children
        if is_below == (places.index(self.chart) > places.index(self.compare)):
            return
        if is_below:
            self.right.move_child(self.chart, after=self.compare)
        else:
            self.right.move_child(self.chart, before=self.compare)

    # ------------------------------------------------------------ the table

    def take_runs(self, desk: Desk) -> str:
        """Show other runs; the cursor stays on its run, else on its row. Gives the run under the cursor."""
        self._columns = self._columns_of(desk)
        state = self._table_state(desk)
        cursor = None if desk.goes_to_top else self._line_of(state, desk.view.cursor)
        if cursor is None:
            cursor = 0 if desk.goes_to_top else min(self.table.cursor, max(len(state.lines) - 1, 0))
        desk.goes_to_top = False
        self.table.show(state, cursor=cursor)
        return self.table.current_id

    def _columns_of(self, desk: Desk) -> tuple[TableColumn, ...]:
        """The columns; a screen reader gets no curves of blocks."""
        columns = desk.tabling.rows.columns()
        return tuple(one for one in columns if one.kind != "sketch") if self.looks.is_linear else columns

    def _line_of(self, state: TableState, run_id: str) -> int | None:
        """Where a run stands among the lines; None where it is not shown."""
        listing = state.rows.listing
        place = listing.place_of(run_id) if run_id else None
        if place is None or not listing.groups:
            return place
        return next((line for line, shown in enumerate(state.lines) if shown == place), None)

    def draw_table(self, desk: Desk, *, cursor: int | None = None, has_other_columns: bool = False) -> None:
        """Draw marks, baseline and sort again; the rows are the same."""
        if has_other_columns:
            self._columns = self._columns_of(desk)
        self.table.show(self._table_state(desk), cursor=cursor)

    def _table_state(self, desk: Desk) -> TableState:
        view = desk.view
        return TableState(
            rows=desk.tabling.rows,
            lines=desk.tabling.lines,
            columns=self._columns,
            marks=view.marks,
            baseline=desk.baseline.run_id if desk.baseline else "",
            sorted_by=bars.sort_arrows(view.sort),
            is_at_work=view.pane == RUNS,
            range_start=view.range_start,
            opened=view.opened,
            empty=bars.empty_text(desk),
        )

    # ------------------------------------------------------------ the other panes

    def draw_chart(self, desk: Desk) -> None:
        """Draw the curves in the look of the view."""
        message = (
            "no run is chosen" if not desk.compared() else "no curve of these metrics" if desk.answers.series else ""
        )
        if desk.answers.found is None and desk.view.marks:  # they are kept from the last time, and not asked for yet
            message = reading_text(desk.view.chart.metrics, len(desk.view.marks))
        look, labels = charted_group(desk)
        if look.has_times and not all(one.has_times for one in desk.answers.series):
            return  # what is on the screen stays until the times are there
        no_metric = f"these runs have no {' and no '.join(look.metrics) or 'metric'}"
        no_metric += f": {desk.key('chart.metrics')} chooses others" if look.metrics else ""
        self.chart.show(
            ChartState(
                series=desk.answers.series,
                look=look,
                slots=desk.slots(),
                labels=labels,
                baseline=desk.baseline.run_id if desk.baseline else "",
                glyphs=self.glyphs,
                is_plain=self.looks.is_plain,
                left_out=left_out_text(len(desk.compared())),
                n_runs=desk.answers.n_charted,
                message=desk.answers.no_series or message or ("" if desk.answers.found is None else no_metric),
            )
        )

    def draw_compare(self, desk: Desk) -> None:
        """Draw the comparison."""
        diff, view, slots, keys = desk.answers.diff, desk.view, desk.slots(), desk.key
        verdict, has_baseline = desk.judge.verdict, desk.baseline is not None
        n_left_out = len(desk.compared()) - len(diff.runs) if diff else 0
        title = "compare" if n_left_out <= 0 else f"compare (first {len(diff.runs) if diff else 0})"

        def build(width: int, offset: int) -> Page:
            members = None if desk.view.is_all_compare else desk.answers.members
            if members is not None and desk.group is not None:
                return group_page(members, width, compare_key=keys("runs.compare"))
            if diff is None:
                said, role = (desk.answers.no_diff, "warning") if desk.answers.no_diff else ("reading …", "muted")
                why = wrapped_text(said, width, role) if desk.compared() else ()
                return Page(title=line_of((" compare", "title")), lines=tuple(why))
            if view.compare_look == "code":
                from mlbench.tui.code_page import code_page

                return code_page(diff, width, title=title, back_key=keys("compare.code"))
            if view.compare_look == "verdict":
                from mlbench.tui.verdict_page import verdict_page

                return verdict_page(verdict, width, offset, title=title, key_of=keys)
            if view.compare_look == LOOK:
                from mlbench.tui.gallery_page import gallery_page

                paper = self._paper(desk, width, self.compare.page_rows)
                return gallery_page(desk.gallery.hung, diff.runs, paper, title=title, slots=slots)
            if view.compare_look in desk.logged:
                from mlbench.tui.logged_page import logged_page

                paper = self._paper(desk, width, self.compare.page_rows)
                return logged_page(desk.logged[view.compare_look], diff.runs, paper, title=title, slots=slots)
            if view.is_transposed and len(diff.runs) > 1:
                return transposed_page(
                    diff, width, offset, as_deltas=view.as_deltas, slots=slots, title=title, key_of=keys
                )
            return compare_page(
                diff, width, offset, as_deltas=view.as_deltas, slots=slots, has_baseline=has_baseline, title=title,
                folds=view.folds, key_of=keys,
            )  # fmt: skip

        self.compare.show(build)

    def draw_run(self, desk: Desk, *, is_new: bool) -> None:
        """Draw all that is known of a run."""
        shown = desk.answers.shown
        if shown is not None:
            slot = desk.slots().get(shown.head.run_id)
            self.run.show(lambda width, _offset: run_page(shown, width, slot=slot), is_new=is_new)

    def draw_stage(self, desk: Desk, *, is_new: bool = False) -> None:
        """Draw what stands behind the fact that is looked at."""
        shown, looked = desk.answers.shown, desk.inspector.looked
        if shown is None:
            return
        slot = desk.slots().get(shown.head.run_id, 0)

        def build(width: int, _offset: int) -> Page:
            return stage_page(shown, looked, replace(self._paper(desk, width, self.stage.page_rows), slot=slot))

        self.stage.show(build, is_new=is_new)

    def _paper(self, desk: Desk, width: int, height: int) -> Paper:
        """What pictures and curves are drawn on."""
        look = desk.view.chart
        return Paper(
            width, height, self.glyphs, self.looks.depth, self.looks.is_light, look.smoothing, look.smoothing_kind,
            key_of=desk.key, is_linear=self.looks.is_linear, drawing=self.drawing,
        )  # fmt: skip

    def draw_problems(self, desk: Desk) -> None:
        """Draw what could not be read."""
        problems, text = desk.answers.problems, desk.problem_filter
        self.problems.show(lambda width, _offset: problems_page(problems, width, text=text))

    def draw_all(self, desk: Desk) -> None:
        """Draw everything again: glyphs or colours are others."""
        self.draw_table(desk)
        self.draw_chart(desk)
        self.draw_compare(desk)
        self.draw_run(desk, is_new=False)
        self.draw_stage(desk)
        self.draw_problems(desk)
        self.draw_bars(desk)
        for widget in (*self.by_name.values(), self.header, self.divider, self.prompt, self.footer, self.popup):
            widget.refresh()

    # ------------------------------------------------------------ bars

    def draw_bars(self, desk: Desk) -> None:
        """Draw header, prompt and footer; each is repainted only if it says something else."""
        self.header.show(*bars.header(desk, self.header.size.width))
        self.prompt.show(*bars.prompt(desk, self.prompt.size.width))
        self.footer.show(*bars.footer(desk, self.footer.size.width))
        width = min(desk.prompter.popup_cells, max(self.prompt.size.width * 9 // 10, 20))
        self.popup.show(desk.prompter.popup(width), desk.prompter.chosen, width)
        self.place_of_cursor = self._place_of_cursor(desk)

    def _place_of_cursor(self, desk: Desk) -> tuple[int, int]:
        """Column and row of the screen where the terminal's cursor belongs: in the prompt, else on the line at work."""
        if desk.prompter.prompt is not None:
            return desk.prompter.line(self.prompt.size.width)[1], self.prompt.region.y
        pane = self.by_name[desk.view.pane]
        return pane.region.x, pane.region.y + getattr(pane, "cursor_row", 0)
