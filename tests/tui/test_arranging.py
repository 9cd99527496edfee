"""Groups, the values of a column, columns, views, and what comes back at the next start: by their keystrokes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from textual.pilot import Pilot

from mlbench.queries.answers import DiffAnswer
from mlbench.tui.session import PIECE_ROWS
from mlbench.tui.widgets.rows import piece_of
from tests.tui.driving import NARROW, WIDE, keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession
from tests.tui.test_runs_table import many_runs


def n_keys(pressed: Sequence[str]) -> int:
    """Keystrokes, free text left out."""
    return sum(not (len(key) > 1 and key[0] == key[-1] == "'") for key in pressed)


def test_groups_fold_and_open_and_are_marked_as_a_whole() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "o", "'optimizer'", "enter")
        screen = screen_text(app)
        assert "▸   6 runs  adam" in screen
        assert "▸   6 runs  sgd" in screen
        assert "±0.01" in screen
        assert "sweep/adam" not in screen.split("│")[0]

        await keys(pilot, "enter", "space")
        assert "▾   6 runs  adam" in screen_text(app)
        assert len(app.desk.view.marks) == 6

        await keys(pilot, "O")
        assert app.desk.view.opened == frozenset()
        await keys(pilot, "o", "enter")
        assert app.desk.view.by == ()
        assert "▸" not in screen_text(app).splitlines()[3]

    play(app, script)


@dataclass
class Compared(FakeSession):
    """Remembers which runs were compared side by side."""

    compared: list[tuple[str, ...]] = field(default_factory=list)

    def compare(self, run_ids: Sequence[str], *, everything: bool, at: str = "") -> DiffAnswer:
        if not everything:
            self.compared.append(tuple(run_ids))
        return super().compare(run_ids, everything=everything, at=at)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_runs_of_a_group_are_compared_only_where_they_stand_side_by_side(size: tuple[int, int]) -> None:
    session = Compared()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "o", "'optimizer'", "enter", "j")
        assert not session.compared

        await keys(pilot, "d")
        assert session.compared == [app.desk.compared()]
        assert len(app.desk.compared()) == 6
        assert "6 runs against" in screen_text(app)

        await keys(pilot, "q", "k")
        assert len(session.compared) == 1
        await keys(pilot, "d")
        assert session.compared[1:] == [app.desk.compared()]

    play(app, script, size)


@pytest.mark.parametrize("pressed", [("l", "l", "l", "f", "down", "enter")])
def test_task_10_does_the_optimizer_matter(pressed: tuple[str, ...]) -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, *pressed[:-2])
        screen = screen_text(app)
        assert "val/acc 0.3326 ±0.01" in screen
        assert "6 runs" in screen

        await keys(pilot, *pressed[-2:])
        assert app.desk.view.query == "params.optimizer = sgd"

    play(app, script)
    assert n_keys(pressed) - n_keys([key for key in pressed if key in ("l", "enter", "down")]) <= 3


def test_columns_are_picked_from_a_list() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "c", "down", "space", "enter")
        assert app.desk.view.columns[0].split(", ")[:2] == ["metrics.val/acc", "params.optimizer"]
        await keys(pilot, "c", "ctrl+u", "'min(metrics.val/loss) as best'", "enter")
        assert app.desk.view.columns == ("min(metrics.val/loss) as best",)

    play(app, script)


def test_a_view_is_saved_and_opened_in_two_keys() -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'sgd'", "enter", "M", "'mine'", "enter")
        assert session.saved["mine"].filter == "sgd"
        await keys(pilot, "/", "ctrl+u", "enter", "'", "up", "'mine'", "enter")
        assert app.desk.view.query == "sgd"
        await keys(pilot, "'", "enter")
        assert "running" in app.desk.view.query

    play(app, script)


def test_a_view_keeps_groups_and_marked_runs() -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "j", "2", "space", "o", "'width'", "enter", "M")
        assert "groups and the 2 marked runs" in screen_text(app)
        await keys(pilot, "'mine'", "enter", "escape", "o", "enter")
        assert (app.desk.view.by, len(app.desk.view.marks)) == ((), 0)

        await keys(pilot, "'")
        assert "by width   2 marked" in screen_text(app)
        await keys(pilot, "'mine'", "enter")
        assert app.desk.view.by == ("params.width",)
        assert app.desk.view.marks.run_ids == session.saved["mine"].runs == ("000000000001", "000000000002")

    play(app, script)


def test_the_group_under_the_cursor_is_summed_up_beside_the_table() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "o", "'width'", "enter")
        screen = screen_text(app)
        assert "group 64   6 runs: d compares them" in screen
        row = next(line for line in screen.splitlines() if "val/loss" in line and "↓ best" in line)
        assert row.split("best")[1].split()[:5] == ["0.726", "0.21", "0.2", "0.4654", "0.8654"]
        assert "64 (n=6)" in screen
        assert app.panes.chart.pictures()[0].bands
        assert "sgd-lr0.3-w64" in screen

        await keys(pilot, "j")
        assert "group 256   6 runs" in screen_text(app)
        assert "256 (n=6)" in screen_text(app)

        await keys(pilot, "d")
        assert "6 runs against" in screen_text(app)
        await keys(pilot, "d", "enter", "j")
        assert "one run: mark more" in screen_text(app)
        assert not app.panes.chart.pictures()[0].bands

        await keys(pilot, "k", "space")
        assert "group 256" not in screen_text(app)

    play(app, script)


def test_what_was_looked_at_comes_back() -> None:
    session = FakeSession()
    first = workbench(session)

    async def leave(pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'sgd'", "enter", "l", "s", "3", "space", "z", "q", "q")

    play(first, leave)
    second = workbench(session)
    seen = []

    async def look(pilot: Pilot[int]) -> None:
        seen.append(screen_text(second))

    play(second, look)

    assert second.desk.view.query == "sgd"
    assert second.desk.view.sort == first.desk.view.sort != ()
    assert second.desk.view.marks == first.desk.view.marks
    assert "6 of 12 runs" in seen[0]
    assert "3 marked" in seen[0]


@pytest.mark.parametrize("state", ["", "{", "[]", '{"query": 3, "marks": [["a"], 7], "chart": []}', '{"query": "<"}'])
def test_a_state_that_means_nothing_does_no_harm(state: str) -> None:
    app = workbench(FakeSession(state=state))
    seen = []

    async def script(pilot: Pilot[int]) -> None:
        seen.append(screen_text(app))

    play(app, script)

    assert "12 runs" in seen[0]
    assert "sweep/adam" in seen[0]


# ---------------------------------------------------------------- rows in pieces


def test_rows_are_fetched_in_pieces_where_one_looks() -> None:
    session = FakeSession(many_runs(2000))
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        assert session.pieces == []
        await keys(pilot, "G")
        assert "run-01999" in screen_text(app)
        assert session.pieces == [1999 // PIECE_ROWS * PIECE_ROWS]
        await keys(pilot, "g", "5", "0", "0", "j")
        assert "run-00500" in screen_text(app)
        assert app.desk.current is not None
        assert app.desk.current.name == "sweep/run-00500"

    play(app, script, NARROW)


def test_rows_of_an_older_answer_are_dropped() -> None:
    session = FakeSession(many_runs(2000))
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        old = app.desk.tabling.rows
        await keys(pilot, "l", "s", "s")
        new = app.desk.tabling.rows
        assert new is not old
        before = dict(new.rows), dict(old.rows), dict(app.desk.heads)
        assert old.found is not None
        stray = piece_of(old.found, 1000, session.rows(old.found, 1000, 128), old.fits)
        app.desk.tabling._take_piece(old, stray)

        assert (new.rows, old.rows, app.desk.heads) == before

    play(app, script, NARROW)


def test_the_columns_stay_while_the_query_is_typed() -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "/", "'sgd'")
        assert session.questions[-1].columns != ()
        await keys(pilot, "enter")
        await settle(pilot)
        assert app.desk.view.columns == ()

    play(app, script)
