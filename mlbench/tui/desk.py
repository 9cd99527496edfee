"""The desk: what is looked at, what was answered, and the flow between them. Widgets are told, never asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from mlbench.errors import MlbenchError
from mlbench.queries.answers import DiffAnswer, GroupRow, ProblemLine, RunHead, SeriesAnswer
from mlbench.render.cells import Line, line_of
from mlbench.settings import Settings
from mlbench.tui.actions import PROBLEMS, RUN, RUNS, STAGE
from mlbench.tui.asker import Asker
from mlbench.tui.bell import Bell
from mlbench.tui.gallery import Gallery
from mlbench.tui.gone import no_diff, no_series, tell_reading
from mlbench.tui.groups import ask_labels, ask_members
from mlbench.tui.history import History
from mlbench.tui.host import Host
from mlbench.tui.inspector import Inspector
from mlbench.tui.judging import Judge
from mlbench.tui.keeping import from_text, to_text, typed_of
from mlbench.tui.keyboard import Keyboard
from mlbench.tui.latest import Answers
from mlbench.tui.logged import HISTOGRAMS, MATRICES, LoggedLook, ask_looks, forget_looks
from mlbench.tui.prompts import Prompt, Prompter
from mlbench.tui.session import Followed, IndexDone, IndexProgress, RunsQuestion, Session, Vocabulary
from mlbench.tui.tabling import Tabling
from mlbench.tui.view import MOST_CHARTED, MOST_COMPARED, ChartLook, View
from mlbench.tui.waiting import Waiting

if TYPE_CHECKING:
    from mlbench.tui.panes import Panes

PREVIEW_DELAY_S = 0.06
"""The charts follow the cursor so much later: moving on costs nothing, and the eye sees no wait."""
TYPING_DELAY_S = 0.08
FOLLOW = "follow"
"""The name of the delay between two looks, and of the question."""
AFTER_ERROR_S = 5.0  # until the look after one that failed
KEEP, KEEP_DELAY_S = "keep", 1.0
"""The delay after which what is looked at is kept: a crash loses no more than a second."""
BASELINE_SLOT = 7


class Desk:
    """Holds the view; `change` asks what a new view needs and tells the panes what to draw again."""

    def __init__(self, session: Session, asker: Asker, host: Host, panes: Panes, settings: Settings) -> None:
        self.session = session
        self.asker = asker
        self.host = host
        self.panes = panes
        self.settings = settings
        self.keyboard = Keyboard(settings.keys)
        self.prompter, self.waiting = Prompter(), Waiting(self)
        self.view = View(chart=ChartLook(smoothing=settings.smoothing))
        if kept := session.load_state():
            self.view = from_text(kept, self.view)
            self.prompter.histories = typed_of(kept)
        self.answers = Answers()
        self.inspector = Inspector(self)
        self.gallery, self.judge = Gallery(self), Judge(self)
        self.logged = {look: LoggedLook(self, look) for look in (MATRICES, HISTOGRAMS)}
        self.history = History()
        self.bell = Bell(self)
        self.problem_filter = ""
        """Problems without this text are not listed."""
        self.message: Line = ()
        self.heads: dict[str, RunHead] = {}
        """Every run that was seen, by id: marked runs may be hidden by the query."""
        self.is_leaving = False
        self.is_following = True
        """Running trainings are looked at again and again."""
        self.goes_to_top = False
        """The cursor goes to the first run when the next answer comes: the order is another one."""
        self._n_words = 0
        self.failed_query: str | None = None
        """The query that `typed_error` is about."""
        self.typed_error = ""
        self.error_column: int | None = None
        self.good = RunsQuestion()
        """The last question that was understood."""
        self.tabling = Tabling(self)

    # ------------------------------------------------------------ view

    def change(self, view: View) -> None:
        """Take another view; what it needs is asked, what it shows is drawn again."""
        old, self.view = self.view, view
        prompt = self.prompter.prompt
        self.history.note(old, view, is_typed=prompt is not None and prompt.history == "query")
        self._show_changes(old, view)

    def go_in_history(self, view: View | None) -> None:
        """Show a place that was visited."""
        if view is None:
            self.say("there is no other place to go to", "muted")
            return
        old, self.view = self.view, view
        self._show_changes(old, view)

    def _show_changes(self, old: View, view: View) -> None:
        self._ask_table(old)
        asked = [(one.marks, one.cursor, one.group, one.has_all, one.at_metric) for one in (view, old)]
        if asked[0] != asked[1]:
            self.preview()
        elif view.chart.asks_more_than(old.chart):
            self.ask_series()
        if view.shown_run != old.shown_run and view.shown_run:
            self.inspector.ask_run()
        if (view.pane, view.is_zoomed, bool(view.shown_run)) != (old.pane, old.is_zoomed, bool(old.shown_run)):
            self.host.arrange()
        if view.marks != old.marks or view.range_start != old.range_start or view.pane != old.pane:
            self.panes.draw_table(self)
        if view.chart != old.chart or view.marks != old.marks:
            self.panes.draw_chart(self)
            ask_labels(self)
        if view.compared_as != old.compared_as:
            self.panes.draw_compare(self)
            ask_looks(self)
        if view.is_all_compare and not old.is_all_compare and self.group is not None:
            self.ask_compare()
        if view != old and self.answers.found is not None:
            self.host.later(KEEP, KEEP_DELAY_S, self.keep_state)
        self.panes.draw_bars(self)

    def _ask_table(self, old: View) -> None:
        """Ask for other runs where the question is another, or show other lines of those that are there."""
        view = self.view
        if (view.query, view.sort, view.columns, view.by) != (old.query, old.sort, old.columns, old.by):
            self.ask_runs()
        elif view.opened != old.opened:
            self.tabling.fold()

    def keep_state(self) -> None:
        """Keep what is looked at for the next start, as far as it was understood."""
        text = self.state_text
        self.asker.ask(KEEP, lambda: self.session.save_state(text), lambda _nothing: None)

    @property
    def state_text(self) -> str:
        """What is kept of the view."""
        good = self.good
        view = replace(self.view, query=good.query, sort=good.sort, columns=good.columns, by=good.by)
        return to_text(view, self.prompter.histories)

    def with_view(self, **changes: object) -> None:
        """Change a few fields of the view."""
        self.change(replace(self.view, **changes))  # type: ignore[arg-type]

    def key(self, action_id: str) -> str:
        """What to type for an action, as people read it; messages name it so."""
        return self.keyboard.name_of(action_id)

    def say(self, text: str, role: str = "") -> None:
        """Say something on the prompt line, until the next key."""
        self.message = line_of((f" {text}", role))
        self.panes.draw_bars(self)

    def complain(self, error: MlbenchError) -> None:
        """Say what could not be done; the first line is enough for the prompt line."""
        self.say(str(error).partition("\n")[0], "bad")

    def ask_user(self, prompt: Prompt) -> None:
        """Open the prompt."""
        self.message = ()
        self.typed_error, self.error_column = "", None
        self.prompter.open(prompt)
        self.panes.draw_bars(self)

    # ------------------------------------------------------------ the runs at hand

    @property
    def awaits_runs(self) -> bool:
        """Whether what is on the screen is the answer to another question: the cursor may soon stand on another run."""
        found, shown = self.answers.found, self.answers.shown
        if self.view.pane in (RUN, STAGE):
            return shown is None or shown.head.run_id != self.view.shown_run
        if found is None:
            return False
        has_other_columns = self.tabling.has_held_columns and self.prompter.prompt is None
        return has_other_columns or replace(found.question, near="") != self.view.question

    @property
    def current(self) -> RunHead | None:
        """The run under the cursor; in its own pane, the run that is shown."""
        if self.view.pane in (RUN, STAGE) and self.view.shown_run in self.heads:
            return self.heads[self.view.shown_run]
        return self.heads.get(self.view.cursor)

    @property
    def chosen(self) -> tuple[RunHead, ...]:
        """The marked runs, else the one at hand: what words are said of."""
        marked = tuple(self.heads[run_id] for run_id in self.view.marks.run_ids if run_id in self.heads)
        if marked and self.view.pane not in (RUN, STAGE):
            return marked
        return (self.current,) if self.current is not None else ()

    @property
    def baseline(self) -> RunHead | None:
        return self.answers.found.baseline if self.answers.found else None

    @property
    def group(self) -> GroupRow | None:
        """The group under the cursor that the panes are about: marked runs come before it."""
        table = self.panes.table
        return None if self.view.marks or self.view.group is None else table.group_of(table.cursor)

    def compared(self) -> tuple[str, ...]:
        """Run ids side by side: the baseline, the marked runs in order, and without marks what is under the cursor."""
        first = [self.baseline.run_id] if self.baseline is not None else []
        at_cursor = (self.view.cursor,) if self.view.cursor else ()
        marked = self.view.marks.run_ids or (self.group.run_ids if self.group is not None else at_cursor)
        return tuple(dict.fromkeys([*first, *marked]))

    def slots(self) -> dict[str, int]:
        """Colour slots of the runs that are shown: marked ones keep theirs, the cursor's takes the next free one."""
        slots = dict(self.view.marks.slots)
        if self.baseline is not None:
            slots.setdefault(self.baseline.run_id, BASELINE_SLOT)
        if not self.view.marks and self.view.cursor:
            slots.setdefault(self.view.cursor, 0)
        return slots

    # ------------------------------------------------------------ questions

    def ask_runs(self) -> None:
        """Ask for the runs of the view."""
        self.tabling.ask()

    def table_metrics(self) -> tuple[str, ...]:
        """The metrics of the table's columns, in their order."""
        from mlbench.queries.columns import metric_spec

        by_spec = {metric_spec(metric): metric for metric in self.answers.names.metrics}
        columns = self.answers.found.answer.columns if self.answers.found else ()
        return tuple(by_spec[column.spec] for column in columns if column.spec in by_spec)

    def preview(self) -> None:
        """Ask for the comparison and the curves, a little later: the cursor may move on."""
        self.host.later("preview", PREVIEW_DELAY_S, self._ask_preview)

    def _ask_preview(self) -> None:
        self.ask_compare()
        self.ask_series()
        if self.view.shown_run and self.view.pane == RUNS and self.view.cursor != self.view.shown_run:
            self.with_view(shown_run=self.view.cursor)

    def ask_compare(self) -> None:
        """Ask for the comparison of the runs at hand."""
        ids = self.compared()[:MOST_COMPARED]
        if not ids:
            for slot in ("compare", "members"):
                self.asker.forget(slot)
            self.answers.diff, self.answers.members, self.answers.no_diff = None, None, ""
            self.panes.draw_compare(self)
            return
        ask_members(self)
        everything, at = self.view.has_all or len(ids) == 1, self.view.at_metric

        def look() -> DiffAnswer:
            return self.session.compare(ids, everything=everything, at=at)

        if self.group is None or self.view.is_all_compare:
            self.asker.ask("compare", look, self._take_diff, lane="detail", subject=(ids, everything, at),
                           otherwise=partial(no_diff, self))  # fmt: skip
        else:
            self.asker.forget("compare")
            self.answers.diff, self.answers.no_diff = None, ""  # what its runs came to is shown in its place
        ask_looks(self)

    def _take_diff(self, diff: DiffAnswer) -> None:
        self.answers.diff, self.answers.no_diff = diff, ""
        self.panes.draw_compare(self)

    def ask_series(self) -> None:
        """Ask for the curves of the runs at hand."""
        look = self.view.chart
        ids, metrics, usual, over = self.compared()[:MOST_CHARTED], look.metrics, self.table_metrics(), look.over
        if not ids:
            self.asker.forget("series")
            self._take_series(0, ())
            return

        tell_reading(self, metrics or usual[:1], len(ids))

        def look_at() -> tuple[SeriesAnswer, ...]:
            return self.session.series(ids, metrics, usual, over=over, has_times=look.has_times)

        self.asker.ask("series", look_at, partial(self._take_series, len(ids)), lane="detail",
                       subject=(ids, metrics, usual, over), otherwise=partial(no_series, self))  # fmt: skip

    def _take_series(self, n_runs: int, series: tuple[SeriesAnswer, ...]) -> None:
        self.answers.n_charted, self.answers.series, self.answers.no_series = n_runs, series, ""
        self.panes.draw_chart(self)
        ask_labels(self)

    def ask_problems(self) -> None:
        """Ask for what could not be read."""
        self.asker.ask("problems", self.session.problems, self._take_problems, lane="detail", subject="all")

    def _take_problems(self, problems: tuple[ProblemLine, ...]) -> None:
        self.answers.problems = problems
        self.panes.draw_problems(self)
        self.panes.draw_bars(self)

    def ask_names(self) -> None:
        """Ask for the names that can be typed."""
        self.asker.ask("names", self.session.vocabulary, self._take_names, lane="detail", subject="all")

    def _take_names(self, names: Vocabulary) -> None:
        self.answers.names = names

    def reload(self) -> None:
        """Ask everything again: a word was said, or new runs were read."""
        self.ask_runs()
        self.ask_names()
        forget_looks(self)
        self.preview()
        if self.view.shown_run:
            self.inspector.ask_run()
        if self.view.pane == PROBLEMS or self.answers.done is not None:
            self.ask_problems()

    # ------------------------------------------------------------ indexing

    def start_index(self) -> None:
        """Read the logs in a thread; what is known already is shown at once."""
        self.answers.done = None
        self.asker.ask("index", self._index, self._take_done, otherwise=self._index_failed)

    def _index(self) -> IndexDone:
        return self.session.index(self.panes.tell_progress, lambda: self.is_leaving)

    def take_progress(self, progress: IndexProgress) -> None:
        """How far the reading is; new runs are asked for when there are some."""
        self.answers.progress = progress
        if progress.is_published:
            self.ask_runs()
            self.ask_names()
        self.panes.draw_bars(self)

    def _take_done(self, done: IndexDone) -> None:
        self.answers.done, self.answers.progress = done, None
        if done == IndexDone(0, 0, 0):
            self.ask_problems()  # there was nothing to read: what is shown is still true
        else:
            self.reload()
        for text in (*done.talk, *done.errors):
            self.say(text, "warning")
        self.panes.draw_table(self)
        self.follow_later(0.0)

    # ------------------------------------------------------------ following

    def follow_later(self, wait_s: float) -> None:
        """Look for news after a while, in a thread; nothing is drawn where there are none."""
        if self.is_following and not self.is_leaving:
            self.host.later(FOLLOW, max(wait_s, 0.001), self._follow)

    def _follow(self) -> None:
        def look() -> Followed | None:
            return self.session.follow(lambda: self.is_leaving)

        self.asker.ask(FOLLOW, look, self._take_followed, otherwise=lambda _error: self.follow_later(AFTER_ERROR_S))

    def _take_followed(self, followed: Followed | None) -> None:
        if followed is None:
            return
        if followed.has_changed:
            self.reload()
        self.bell.look(has_changed=followed.has_changed)
        self.follow_later(followed.wait_s)

    def _index_failed(self, error: MlbenchError) -> None:
        self.answers.done, self.answers.progress = IndexDone(0, 0, 0), None
        self.complain(error)
        self.panes.draw_table(self)
        self.follow_later(AFTER_ERROR_S)

    # ------------------------------------------------------------ words

    def say_word(self, word: Callable[[], str | None], *, nothing: str = "") -> None:
        """Say something to the journal, in a thread; when it is on the disk, show it.

        Args:
            word: says it and gives what to tell the user, None for `nothing`.
            nothing: told where there was nothing to say.
        """

        def said(text: str | None) -> None:
            self.say(text if text is not None else nothing, "" if text is not None else "muted")
            self.reload()

        # A slot of its own for each: no word is ever void, and they are said in their order.
        self._n_words += 1
        self.asker.ask(f"word {self._n_words}", word, said, lane="words")
