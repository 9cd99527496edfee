"""What each key does, on a session that remembers what it was asked and told."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mlbench.errors import HomeError
from mlbench.queries.answers import ProblemLine
from mlbench.settings import Settings
from mlbench.tui.actions import BY_ID
from mlbench.tui.app import Workbench
from mlbench.tui.menu import Menu
from mlbench.tui.session import IndexDone, IndexProgress
from tests.tui.driving import NARROW, WIDE, keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession

Script = Callable[[Workbench, Pilot[int]], Awaitable[None]]


def played(script: Script, *, session: FakeSession | None = None, size: tuple[int, int] = WIDE) -> FakeSession:
    """The session after a script was run on the app."""
    session = session or FakeSession()
    app = workbench(session)
    play(app, lambda pilot: script(app, pilot), size)
    return session


def sort_of(app: Workbench) -> tuple[str, ...]:
    return app.desk.view.sort


def n_marked(app: Workbench) -> int:
    return len(app.desk.view.marks)


def menu_of(app: Workbench) -> Menu:
    prompt = app.desk.prompter.prompt
    assert prompt is not None
    assert prompt.menu is not None
    return prompt.menu


def columns_of(app: Workbench) -> list[str]:
    return list(app.desk.view.columns)


def asked(app: Workbench) -> str:
    """The newest query."""
    assert isinstance(app.desk.session, FakeSession)
    return app.desk.session.questions[-1].query


def line_with(app: Workbench, text: str) -> str:
    return next((line for line in screen_text(app).splitlines() if text in line), "")


# ---------------------------------------------------------------- marks, order and query


def test_marks_are_toggled_counted_ranged_and_taken_away() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "space", "j", "space", "k", "space")
        assert [slot for _run, slot in app.desk.view.marks.slots] == [1]

        await keys(pilot, "escape", "G", "v", "k", "k", "v")
        assert n_marked(app) == 3

        await keys(pilot, "v", "escape")
        assert n_marked(app) == 3

        await keys(pilot, "*")
        assert n_marked(app) == 12

        await keys(pilot, "escape")
        assert n_marked(app) == 0

    played(script)


def test_sorting_goes_best_first_then_round_then_off_and_the_header_says_so() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "l", "s")
        assert sort_of(app) == ("metrics.val/acc:desc",)
        assert "sort val/acc ▼" in screen_text(app)
        assert app.panes.table.cursor == 0

        await keys(pilot, "s")
        assert sort_of(app) == ("metrics.val/acc",)

        await keys(pilot, "s")
        assert sort_of(app) == ()

        await keys(pilot, "S", "'params.width:desc'", "enter")
        assert sort_of(app) == ("params.width:desc",)

    played(script)


def test_the_query_is_live_shows_its_mistake_and_comes_back_on_escape() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'w256'")
        assert "[6/12]" in screen_text(app)

        await keys(pilot, "'<'")
        lines = screen_text(app).splitlines()
        assert lines[-2].index("<") == lines[-1].index("^") - 1
        assert "a value is missing after '<'" in lines[-1]

        await keys(pilot, "enter")
        assert app.desk.prompter.prompt is not None

        await keys(pilot, "escape")
        assert (app.desk.view.query, app.desk.typed_error) == ("", "")
        assert "12 runs" in screen_text(app)

        await keys(pilot, "/", "'sgd'", "enter")
        assert " / sgd" in line_with(app, "[6/12]")

    played(script)


def test_a_query_that_is_accepted_too_soon_and_wrong_is_told_and_not_kept() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, ":", "'filter lr <'", "enter")
        assert "a value is missing" in screen_text(app)
        assert app.desk.view.query == ""

    played(script)


def test_the_value_under_the_cursor_narrows_the_query() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "l", "l", "l", "=")
        assert asked(app) == "params.optimizer = adam"

        app.desk.with_view(query="a or b")
        await settle(pilot)
        await keys(pilot, "!")
        assert asked(app) == "(a or b) and not params.optimizer = adam"

    played(script)


@pytest.mark.parametrize("query", ["a OR b", "lr = 1 or(lr = 2)", "(lr = 1)or(lr = 2)"])
def test_a_condition_is_added_to_all_of_a_query_however_its_or_is_written(query: str) -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        app.desk.with_view(query=query)
        await settle(pilot)
        await keys(pilot, "l", "l", "l", "=")
        assert asked(app).startswith(f"({query}) and ")

    played(script)


def test_columns_are_chosen_and_the_usual_ones_come_back() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "c", "ctrl+u", "'params.lr'", "escape", "c", "ctrl+u", "'params.lr'", "enter")
        assert columns_of(app) == ["params.lr"]
        await keys(pilot, "c", "ctrl+u", "enter")
        assert columns_of(app) == []

    played(script)


# ---------------------------------------------------------------- words


def test_words_are_said_of_the_marked_runs_else_of_the_one_at_hand() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "t", "'best, +good -bad'", "enter")
        await keys(pilot, "3", "space", "t", "'x'", "enter", "n", "'one\\ntwo'", "enter")
        await keys(pilot, "b", "a", "l", "m")
        assert "primary metric" in screen_text(app)

    session = played(script)

    assert session.said == [
        "tag 1 +best,good -bad", "tag 3 +x -", "note 3 'one\\ntwo'", "baseline sweep/adam-lr0.3-w64", "archive 3 True",
        "primary val/acc",
    ]  # fmt: skip


def test_a_note_is_edited_where_there_is_one_and_an_empty_one_takes_it_away() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "n", "enter", "n", "'first'", "enter", "n")
        assert "first" in line_with(app, "note on")
        await keys(pilot, "ctrl+u", "enter")

    assert played(script).said == ["note 1 'first'", "note 1 ''"]


def test_undo_says_what_it_took_back_and_when_there_is_nothing() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "b", "u")
        assert "taken back: baseline sweep/adam-lr0.3-w64" in screen_text(app)
        await keys(pilot, "u")
        assert "there is nothing to take back" in screen_text(app)
        await keys(pilot, "ctrl+r")
        assert "there is nothing to say again" in screen_text(app)

    played(script)


def test_a_word_that_cannot_be_saved_is_told() -> None:
    class FullDisk(FakeSession):
        def tag(self, runs: object, add: object, remove: object) -> None:
            raise HomeError("/home/journal: the tag was not saved: No space left on device")

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "t", "'best'", "enter")
        assert "the tag was not saved: No space left on device" in screen_text(app)

    played(script, session=FullDisk())


def test_the_baseline_goes_first_and_is_taken_away_by_the_same_key() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "j", "j", "b", "g", "space")
        assert app.desk.compared()[0].endswith("2")
        assert "◆ sweep/adam-lr0.003-w64" in screen_text(app)
        await keys(pilot, "j", "j", "b")
        assert app.desk.baseline is None

    played(script)


# ---------------------------------------------------------------- panes


def test_compare_takes_the_screen_and_its_rows_sort_and_filter_the_runs() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "d")
        assert "3 runs against" in screen_text(app)
        assert "seed" not in screen_text(app)

        await keys(pilot, "a")
        assert "seed" in screen_text(app)

        await keys(pilot, "r")
        assert "0.03 ÷10" in screen_text(app)

        await keys(pilot, "g", "k", "enter")
        assert "▸ optim" in screen_text(app)
        await keys(pilot, "enter", "j", "enter")
        assert sort_of(app) == ("params.optim.lr",)

        await keys(pilot, "2", "enter")
        assert sort_of(app) == ("metrics.val/loss",)

        await keys(pilot, "1", "j", "=")
        assert app.desk.view.query == "params.optim.lr = 0.3"

        await keys(pilot, "G", "enter", "=", "tab", "d", "d")
        assert app.desk.view.pane == "runs"

    played(script)


def test_the_front_of_two_aims_is_marked() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "j", "j", "j", "space", "P")
        assert "front of val/" in screen_text(app)
        await keys(pilot, "enter")
        assert len(app.desk.view.marks) == 2
        assert "2 runs are best in val/" in screen_text(app)
        assert "and duration: marked" in screen_text(app)

    played(script)


def test_the_comparison_says_whether_it_is_real_and_tells_values_where_a_metric_is_best() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "d", "v")
        assert "is it real?" in screen_text(app)
        assert "the runs are of one setting" in screen_text(app)

        await keys(pilot, "v", "2", "@")
        assert app.desk.view.at_metric == "val/loss"
        assert "where val/loss is best" in screen_text(app)

        await keys(pilot, "@", "1", "@")
        assert app.desk.view.at_metric == ""
        assert "go to the row of a metric" in screen_text(app)

        await keys(pilot, "a")
        assert "▾ optim" in screen_text(app)
        await keys(pilot, "O")
        assert app.desk.view.folds == {"params:optim"}
        await keys(pilot, "O")
        assert not app.desk.view.folds

    played(script)


def test_more_runs_than_have_room_move_and_the_baseline_stays() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "*", "d")
        assert "runs 1, 2-4 of 12" in screen_text(app)
        first = screen_text(app)

        await keys(pilot, "l", "l")
        assert "runs 1, 4-6 of 12" in screen_text(app)

        await keys(pilot, "h", "h", "h")
        assert screen_text(app) == first

    played(script, size=NARROW)


def test_any_metric_is_an_x_axis_and_the_picker_names_counters_first() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p", "A")
        assert "the time of the clock" in screen_text(app)
        assert "as defined" in screen_text(app)

        await keys(pilot, "'ac'", "enter")
        assert app.desk.view.chart.axis == "val/acc"
        assert "x val/acc" in screen_text(app)
        assert app.desk.panes.chart.x_axis is not None
        assert app.desk.panes.chart.x_axis.high == 40

        await keys(pilot, "a")
        assert app.desk.view.chart.axis == "step"

        await keys(pilot, "colon", "'set x val/loss'", "enter")
        assert "x val/loss" in screen_text(app)

        await keys(pilot, "A", "'zzz'", "enter")
        assert app.desk.view.chart.axis == "val/loss"
        await keys(pilot, "escape")

    played(script, size=NARROW)


def test_a_metric_that_only_other_runs_have_is_a_late_x_axis() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        names = app.desk.answers.names
        app.desk.answers.names = replace(names, metrics=(*names.metrics, "val/epoch"))
        await keys(pilot, "2", "space", "p", "A")
        assert "val/epoch" not in screen_text(app)

        await keys(pilot, "'epo'")
        assert "metric of other runs" in screen_text(app)

    played(script, size=NARROW)


def test_all_kinds_of_smoothing_are_chosen_typed_and_gone_through() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p", "W")
        assert "TensorBoard's" in screen_text(app)
        await keys(pilot, "'gau'", "enter")
        assert "gaussian, 5 points" in screen_text(app)

        await keys(pilot, "s")
        assert "gaussian, 20 points" in screen_text(app)

        await keys(pilot, "S", "ctrl+u", "'mean 7'", "enter")
        assert "mean of 7 points" in screen_text(app)

        await keys(pilot, "S", "ctrl+u", "'tw'", "tab", "' 0.5'", "enter")
        assert "time-weighted smoothing 0.5" in screen_text(app)

        await keys(pilot, "S", "ctrl+u", "'mean -1'", "enter")
        assert "is no number of points" in screen_text(app)
        await keys(pilot, "S", "ctrl+u", "'median 3'", "enter")
        assert "no smoothing 'median 3'" in screen_text(app)

        await keys(pilot, "W", "'ema'", "enter")
        look = app.desk.view.chart
        assert (look.smoothing_kind, look.smoothing) == ("ema", 0.5)

    played(script)


def test_the_legend_says_what_tells_runs_apart_or_their_names() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p")
        told = set(app.desk.answers.labels.runs.values())
        assert told == {"lr=0 seed=0", "lr=0 seed=1"}
        assert "lr=0 seed=1" in screen_text(app)

        await keys(pilot, "K")
        assert "seed=1" not in screen_text(app)

        await keys(pilot, "K", "h")
        assert "2. lr=0 seed=" in screen_text(app)

        await keys(pilot, "q", "space", "p", "K")
        assert "no few parameters tell these runs apart" in screen_text(app)

    played(script)


def test_the_chart_is_smoothed_bent_crossed_zoomed_and_isolated() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "p", "s")
        assert "smoothing 0.9" in screen_text(app)

        await keys(pilot, "S", "ctrl+u", "'0.5'", "enter", "Y", "X", "r")
        assert "log y" in screen_text(app)
        assert "log x" in screen_text(app)
        assert app.desk.view.chart.smoothing == 0.5

        await keys(pilot, "plus")
        axis = app.desk.panes.chart.x_axis
        assert axis is not None
        assert axis.is_log
        assert app.desk.view.chart.limits == pytest.approx((axis.low, axis.high))

        await keys(pilot, "minus", "Y", "X")
        assert "symlog y" in screen_text(app)
        assert "symlog x" in screen_text(app)
        assert "zoomed" not in screen_text(app)

        await keys(pilot, "X", "l", "2", "0", "h")
        assert app.desk.view.chart.crosshair is not None
        assert "step " in screen_text(app)

        await keys(pilot, "plus", "plus", "H", "L", "minus")
        assert "zoomed" in screen_text(app)

        await keys(pilot, "0", "H")
        assert "the whole x axis is shown" in screen_text(app)

        await keys(pilot, "U")
        assert app.desk.view.chart.limits is not None
        await keys(pilot, "e")
        assert app.desk.view.chart.limits is not None
        low, high = app.desk.view.chart.limits
        whole = app.desk.panes.chart.x_extent()
        assert whole is not None
        assert (low, high) == pytest.approx((whole[1] - 0.1 * (whole[1] - whole[0]), whole[1]))
        await keys(pilot, "0")
        assert "zoomed" not in screen_text(app)

        await keys(pilot, "n", "i")
        assert app.desk.view.chart.is_isolated
        await keys(pilot, "i", "N", "a", "h")
        assert app.desk.view.chart.axis == "relative"

        await keys(pilot, "a", "h")
        assert "wall 2023-11-14" in screen_text(app)

        await keys(pilot, "S", "ctrl+u", "'much'", "enter")
        assert "smoothing 'much' is not" in screen_text(app)

    played(script)


def test_runs_that_repeat_each_other_are_drawn_as_their_mean() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "4", "space", "p", "o")
        assert "lr=0 (n=2)" in screen_text(app)
        assert "lr=1 (n=2)" in screen_text(app)
        assert app.desk.panes.chart.pictures()[0].bands

        await keys(pilot, "r")
        assert not app.desk.panes.chart.pictures()[0].bands

        await keys(pilot, "o", "C", "O")
        assert {curve.slot for curve in app.desk.panes.chart.pictures()[0].curves} == {0, 1}
        assert app.desk.view.chart.is_trimmed

    played(script)


def test_the_crosshair_ranks_the_runs() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "b", "3", "space", "p", "l")
        assert "1." in screen_text(app)
        assert "3." in screen_text(app)

    played(script)


def test_what_a_chart_shows_is_written_as_svg_and_csv(tmp_path: Path) -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p", "w", "ctrl+u", f"'{tmp_path}/c.svg'", "enter")
        assert "c.svg and" in screen_text(app) or "written" in screen_text(app)
        assert (tmp_path / "c.svg").read_text().startswith("<svg")
        rows = (tmp_path / "c.csv").read_text().splitlines()
        assert rows[0] == "curve,metric,x,y"
        assert len(rows) > 10

        await keys(pilot, "w", "ctrl+u", f"'{tmp_path}/c.svg'", "enter")
        assert "exists" in screen_text(app) or "already" in screen_text(app)

        await keys(pilot, "w", "ctrl+u", "'c.png'", "enter")
        assert "ends in .svg" in screen_text(app)

    played(script)


def test_metrics_are_chosen_by_a_few_letters_and_drawn_below_each_other() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "p", "m", "'v/l, val/acc, train'", "enter")
        assert app.desk.view.chart.metrics == ("val/loss", "val/acc", "train/loss")
        assert "val/loss   exact" in screen_text(app)

        await keys(pilot, "j", "pagedown", "k", "q")

    played(script, size=NARROW)


def test_a_run_is_shown_and_follows_the_cursor_from_the_table() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "j", "enter")
        assert "python train.py --lr 0.03" in screen_text(app)

        await keys(pilot, "j", "pagedown", "1", "tab", "tab", "j")
        assert "python train.py --lr 0.003" in screen_text(app)

        await keys(pilot, "tab", "n", "'seen'", "enter")
        await keys(pilot, "7")
        assert "seen" in screen_text(app)

        await keys(pilot, "escape")
        assert "compare" in screen_text(app)

    played(script)


def test_panes_are_gone_through_zoomed_and_left() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "tab")
        assert app.desk.view.pane == "chart"
        await keys(pilot, "z")
        assert "val/acc" in screen_text(app).splitlines()[1]
        assert "optimizer" not in screen_text(app)
        await keys(pilot, "q", "shift+tab")
        assert app.desk.view.pane == "compare"
        await keys(pilot, "q", "z")
        assert "compare" not in screen_text(app).splitlines()[22]
        await keys(pilot, "q", "q")

    session = FakeSession()
    app = workbench(session)
    play(app, lambda pilot: script(app, pilot))

    assert app.return_value == 0


def test_problems_are_listed() -> None:
    session = FakeSession(problem_lines=(ProblemLine("/logs/a/config.yaml", "line 3", "is not YAML", "Mend the line"),))

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        assert "1 problem" in screen_text(app).splitlines()[0]
        await keys(pilot, ":", "'problems'", "enter")
        assert "is not YAML" in screen_text(app)
        assert "Mend the line" in screen_text(app)
        await keys(pilot, "q")
        assert app.desk.view.pane == "runs"

    played(script, session=session)


def test_help_shows_the_keys_of_the_pane_and_goes_away() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "p", "?")
        assert "Keys in Plots" in screen_text(app)
        assert "the next weight of smoothing" in screen_text(app)
        await keys(pilot, "j", "k", "space", "pageup", "x", "escape")
        assert "Keys in Plots" not in screen_text(app)

    played(script)


def test_the_palette_finds_an_action_and_does_it() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "ctrl+p", "'mark all'", "enter")
        assert n_marked(app) == 12

    played(script)


def test_the_palette_has_every_action_with_its_key_and_pane() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "ctrl+p")
        menu = menu_of(app)
        listed = [choice.value for choice in menu.shown]
        assert sorted([*listed, "app.palette"]) == sorted(BY_ID)
        assert listed[0] == "runs.mark"
        details = {choice.value: choice.detail for choice in menu.shown}
        assert details["runs.mark"] == "space"
        assert details["chart.smoothing"] == "Plots  s"
        assert details["move.page_down"] == "ctrl+d"
        assert "mark this run, or take its mark away" in line_with(app, " mark  ")

    played(script)


@pytest.mark.parametrize(
    ("action", "pane"),
    [("chart.smoothing", "chart"), ("compare.deltas", "compare"), ("run.zoom_in", "run"), ("runs.mark", "runs"),
     ("problems.filter", "problems"), ("move.bottom", "problems")],
)  # fmt: skip
def test_an_action_of_another_pane_is_done_there(action: str, pane: str) -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        if pane == "runs":
            await keys(pilot, "d")
        elif action == "move.bottom":
            await keys(pilot, ":", "'problems'", "enter")
        await keys(pilot, ":", f"'{action}'", "enter")
        assert app.desk.view.pane == pane
        held = {
            "chart.smoothing": app.desk.view.chart.smoothing == 0.9,
            "compare.deltas": app.desk.view.as_deltas,
            "runs.mark": n_marked(app) == 1,
            "run.zoom_in": "only images are zoomed" in screen_text(app),
            "problems.filter": app.desk.prompter.prompt is not None,
        }
        assert held.get(action, True)

    for size in (WIDE, NARROW):
        played(script, size=size)


def test_the_command_line_takes_the_count_of_an_action() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, ":", "'move.down 3'", "enter")
        assert app.panes.table.cursor == 3

    played(script)


def test_the_palette_finds_runs_commands_and_several_words() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "ctrl+p", "'sgd-lr0.03-w64'", "enter")
        assert app.desk.view.shown_run.endswith("4")
        await keys(pilot, "q", "ctrl+p", "':filt'", "enter", "'sgd'", "enter")
        assert app.desk.view.query == "sgd"
        await keys(pilot, "ctrl+p", "'plots zoom last'")
        assert [choice.value for choice in menu_of(app).shown] == ["chart.zoom_end"]
        await keys(pilot, "escape", "ctrl+p", "'zoom'")
        assert menu_of(app).shown[0].value == "app.zoom"
        await keys(pilot, "ctrl+u", "'no such thing'", "enter")
        assert "nothing is named 'no such thing'" in screen_text(app)

    played(script)


def test_remapped_keys_are_told_in_palette_help_footer_and_messages() -> None:
    app = Workbench(FakeSession(), settings=Settings(keys={"app.undo": "U", "runs.mark": "X", "app.help": "H"}))

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "b")
        assert "(U takes it back)" in screen_text(app)
        await keys(pilot, "ctrl+p", "'undo'")
        assert line_with(app, "take back the last").rstrip().endswith("U") or "U " in line_with(app, "take back the")
        await keys(pilot, "escape", "H")
        assert "X" in line_with(app, "mark this run")
        await keys(pilot, "H")
        assert len(app.screen_stack) == 1
        assert "one run: mark more with X" in screen_text(app)

    play(app, script)


# ---------------------------------------------------------------- the command line, copies and reports


@pytest.mark.parametrize(
    ("command", "holds"),
    [
        ("sort params.lr:desc", lambda app: sort_of(app) == ("params.lr:desc",)),
        ("filter sgd", lambda app: app.desk.view.query == "sgd"),
        ("columns params.lr", lambda app: app.desk.view.columns == ("params.lr",)),
        ("set smooth 0.9", lambda app: app.desk.view.chart.smoothing == 0.9),
        ("set x wall", lambda app: app.desk.view.chart.axis == "wall"),
        ("set log-y on", lambda app: app.desk.view.chart.log_y),
        ("set symlog-y on", lambda app: app.desk.view.chart.y_scale == "symlog"),
        ("set symlog-x off", lambda app: app.desk.view.chart.x_scale == "linear"),
        ("set nothing", lambda app: "means nothing" in screen_text(app)),
        ("d", lambda app: app.desk.view.pane == "compare"),
        ("plots", lambda app: app.desk.view.pane == "chart"),
        ("tag +best", lambda app: app.desk.session.said == ["tag 1 +best -"]),
        ("note hello", lambda app: app.desk.session.said == ["note 1 'hello'"]),
        ("layout nothing", lambda app: "no chart of a layout is named 'nothing'" in screen_text(app)),
        ("help", lambda app: "Keys in Runs" in screen_text(app)),
        ("srot lr", lambda app: "there is no command 'srot'. Did you mean 'sort'?" in screen_text(app)),
        ("xyzzy", lambda app: "Try: quit" in screen_text(app)),
        ("", lambda app: app.desk.view.pane == "runs"),
    ],
)
def test_the_command_line(command: str, holds: Callable[[Workbench], bool]) -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, ":", f"'{command}'", "enter")
        assert holds(app)

    played(script)


def test_a_layout_draws_its_metrics_together_until_others_are_chosen() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, ":", "'layout both'", "enter")
        await settle(pilot)
        assert app.desk.view.pane == "chart"
        assert [one.metric for one in app.desk.panes.chart.pictures()] == ["losses/both"]
        labels = [curve.label for curve in app.desk.panes.chart.pictures()[0].curves if curve.label]
        assert any("train/loss" in label for label in labels)
        assert any("val/loss" in label for label in labels)
        await keys(pilot, ":", "'layout'", "enter")
        await settle(pilot)
        assert [one.metric for one in app.desk.panes.chart.pictures()] == ["losses/both", "val", "band"]
        app.desk.change(app.desk.view.charted(metrics=("val/loss",), laid=()))
        await settle(pilot)
        assert [one.metric for one in app.desk.panes.chart.pictures()] == ["val/loss"]

    played(script)


def test_at_the_crosshair_of_a_laid_chart_each_metric_has_its_own_ranks_and_differences() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        app.desk.change(app.desk.view.charted(smoothing=0.0))
        await keys(pilot, "space", "j", "space", "g", "b", ":", "'layout both'", "enter", "h")

        assert [" ".join(line.split()) for line in screen_text(app).splitlines()[-5:-2]] == [
            "step 2,000 val/loss train/loss",
            "lr=0 seed=1 1. 0.4836 (-0.4086) 2. 0.8065 (+0.1634)",
            "◆ lr=0 seed=0 2. 0.8922 1. 0.6431",
        ]

    played(script)


def test_a_layout_is_picked_by_a_key_and_its_margins_are_bands() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "p", "c")
        await settle(pilot)
        assert "all 3 charts" in screen_text(app)
        assert "val/acc from train/loss to val/loss" in screen_text(app)
        await keys(pilot, "'band'", "enter")
        await settle(pilot)
        (picture,) = app.desk.panes.chart.pictures()
        assert (picture.metric, len(picture.bands)) == ("band", len(app.desk.compared()))
        assert {curve.label for curve in picture.curves if curve.label and "loss" in curve.label} == set()
        await keys(pilot, "c")
        await settle(pilot)
        await keys(pilot, "enter")
        await settle(pilot)
        assert len(app.desk.panes.chart.pictures()) == 3

    played(script)


def test_commands_and_what_stands_behind_them_are_completed() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, ":", "'so'", "tab", "'params.w'", "tab", "enter")
        assert sort_of(app) == ("params.width",)

    played(script)


def test_copies_go_to_the_clipboard_of_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        monkeypatch.setattr(app, "copy", copied.append)
        await keys(pilot, "y")
        assert "copy command" in screen_text(app)
        await keys(pilot, "c", "y", "i", "y", "p", "2", "space", "y", "m")

    played(script)

    assert copied == ["mlbench query ''", "000000000000", "/logs/sweep/adam-lr0.3-w64", "000000000000\n000000000001"]


def test_a_report_asks_before_it_replaces_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.md").touch()
    os.mkdir(tmp_path / "folder")

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "x", "enter")
        assert "report.md written" in screen_text(app)
        await keys(pilot, "2", "space", "j", "b", "x", "ctrl+u", "'there.md'", "enter", "y")
        await keys(pilot, ":", "'report folder'", "enter", "x", "ctrl+u", "enter")

    reports = played(script).reports

    assert [(report.path, len(report.run_ids), report.may_replace) for report in reports] == [
        ("report.md", 12, False), ("there.md", 2, True), ("folder/report.md", 2, False),
    ]  # fmt: skip
    assert reports[1].run_ids[0].endswith("1")


# ---------------------------------------------------------------- indexing and odd sizes


def test_progress_is_honest_and_runs_appear_while_reading() -> None:
    class Slow(FakeSession):
        def index(self, tell: Callable[[IndexProgress], None], is_cancelled: Callable[[], bool]) -> IndexDone:
            raise HomeError("/home/cache: the home cannot be written: Read-only file system")

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        assert "the home cannot be written" in screen_text(app)
        assert "12 runs" in screen_text(app)

        app.desk.answers.done = None
        app.desk.take_progress(IndexProgress("read", 1078, 2000))
        await pilot.pause()
        assert "1,078 of 2,000 indexed" in screen_text(app)

        app.desk.take_progress(IndexProgress("scan", 1200))
        await pilot.pause()
        assert "looking for runs: 1,200 folders" in screen_text(app)
        await keys(pilot, "R")
        assert "being read already" in screen_text(app)

    session = Slow()
    app = workbench(session)
    play(app, lambda pilot: script(app, pilot))


def test_reload_reads_the_logs_again() -> None:
    indexed: list[int] = []

    class Counting(FakeSession):
        def index(self, tell: Callable[[IndexProgress], None], is_cancelled: Callable[[], bool]) -> IndexDone:
            indexed.append(1)
            return IndexDone(12, 0, 0, errors=("logs/x: cannot be read",))

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        assert "logs/x: cannot be read" in screen_text(app)
        await keys(pilot, "R")

    played(script, session=Counting())

    assert len(indexed) == 2


def test_every_size_from_the_least_to_a_wall_is_drawn() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "4", "space")
        for size in ((60, 15), (119, 31), (120, 15), (300, 90), (59, 20), (10, 3), (1, 1), (80, 24)):
            await pilot.resize_terminal(*size)
            for key in ("d", "p", "enter", "tab", "q", "z", "z", "escape", "4", "space"):
                await keys(pilot, key)
        assert "12 runs" in screen_text(app)

    played(script)


def test_the_footer_of_another_width_shows_whole_keys() -> None:
    lines: dict[int, str] = {}

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        for width in (160, 80, 61, 160):
            await pilot.resize_terminal(width, 24)
            await settle(pilot)
            lines[width] = screen_text(app).splitlines()[23]

    played(script)

    labels = [pair.split(" ", 1) for pair in lines[160].split("  ") if " " in pair.strip()]
    for width in (80, 61):
        shown = [pair.strip() for pair in lines[width].split("  ") if pair.strip()]
        assert set(shown) <= {" ".join(label).strip() for label in labels}, lines[width]
        assert len(shown) > 3


def test_the_mouse_picks_rows_sorts_by_titles_scrolls_and_changes_panes() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await pilot.click("#runs", offset=(20, 3))
        await settle(pilot)
        assert app.panes.table.cursor == 2
        await pilot.click("#runs", offset=(10, 0))
        await settle(pilot)
        assert sort_of(app) == ("name",)
        await pilot.click("#compare", offset=(5, 3))
        await settle(pilot)
        assert app.desk.view.pane == "compare"
        app.panes.table.post_message(app.panes.table.Scrolled(3))
        await settle(pilot)
        assert app.panes.table.cursor == 3

    played(script)


def test_keys_of_the_settings_hold_and_mistakes_in_them_are_told() -> None:
    session = FakeSession()
    app = Workbench(session, settings=Settings(keys={"runs.mark": "X", "runs.nothing": "Q", "runs.plots": "t"}))

    async def script(pilot: Pilot[int]) -> None:
        assert "there is no action 'runs.nothing'" in screen_text(app)
        assert "t is now runs.plots, and no longer runs.tag" in screen_text(app)
        await keys(pilot, "X")
        assert n_marked(app) == 1
        assert "X mark" in screen_text(app)

    play(app, script)


def test_a_pasted_text_goes_into_the_prompt_only() -> None:
    from textual.events import Paste

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        app.post_message(Paste("q*"))
        await settle(pilot)
        assert n_marked(app) == 0
        await keys(pilot, "/")
        app.post_message(Paste("sgd\n"))
        await settle(pilot)
        assert app.desk.prompter.edit.text == "sgd"

    played(script)


# ---------------------------------------------------------------- settings


def settings_file(path: Path, monkeypatch: pytest.MonkeyPatch, text: str = "") -> Path:
    file = path / "settings.toml"
    file.write_text(text)
    monkeypatch.setenv("MLBENCH_CONFIG", str(file))
    return file


def test_a_setting_is_changed_in_the_file_and_on_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = settings_file(tmp_path, monkeypatch, "# mine\nmouse = false # no mouse\n")

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", ",", "'glyphs'", "enter", "'asc'", "enter")
        assert "glyphs = ascii" in screen_text(app)
        assert app.desk.settings.glyphs == app.panes.glyphs == "ascii"
        assert not any("\u2800" <= letter <= "\u28ff" for letter in screen_text(app))

        await keys(pilot, ",", "'theme'", "enter", "'light'", "enter")
        assert app.looks.is_light
        assert app.theme == "mlbench-light"

        await keys(pilot, ",", "'theme'", "enter", "'ansi-d'", "enter", ",", "'theme'", "enter", "'dark'", "enter")
        assert (app.looks.is_light, app.looks.is_native) == (False, False)

        await keys(pilot, ",", "'smoothing '", "enter", "ctrl+u", "'1.5'", "enter")
        assert "smoothing = 1.5 will not do" in screen_text(app)
        await keys(pilot, "ctrl+u", "'0.25'", "enter")
        assert app.desk.view.chart.smoothing == 0.25

        await keys(pilot, ",", "'bell'", "enter", "space", "down", "space", "enter")
        assert app.desk.bell.rules == ("beats", "nan")

        await keys(pilot, ",", "'glyphs'", "enter", "'auto'", "enter")
        assert app.panes.glyphs == "braille"

    played(script)
    assert file.read_text() == (
        '# mine\nmouse = false # no mouse\ntheme = "dark"\nsmoothing = 0.25\nbell = ["beats", "nan"]\n'
    )


def test_keys_are_remapped_at_once_and_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = settings_file(tmp_path, monkeypatch)

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, ",", "'keys'", "enter", "'runs.mark_all'", "enter", "ctrl+u", "'A, b'", "enter")
        assert "b is now runs.mark_all, and no longer runs.baseline" in screen_text(app)
        await keys(pilot, "A")
        assert n_marked(app) == 12
        await keys(pilot, ",", "'keys'", "enter", "'runs.mark_all'", "enter", "ctrl+u", "enter", "escape", "*")
        assert n_marked(app) == 12

    played(script)
    assert file.read_text() == "[keys]\n"


def test_what_is_stronger_than_the_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_file(tmp_path, monkeypatch)
    monkeypatch.setenv("MLBENCH_GLYPHS", "blocks")

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, ",", "'glyphs'", "enter", "'ascii'", "enter")
        assert "MLBENCH_GLYPHS in the environment is stronger" in screen_text(app)
        assert app.panes.glyphs == "blocks"
        monkeypatch.setenv("MLBENCH_CONFIG", str(tmp_path))
        await keys(pilot, ",")
        assert "the settings cannot be read" in screen_text(app)

    played(script)


def test_enter_that_was_typed_before_the_program_had_the_terminal_is_enter() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'sgd'", "ctrl+j")
        assert app.desk.prompter.prompt is None
        assert app.desk.view.query == "sgd"

    played(script)
