"""Runs that are gone from the catalog, or were not seen yet, while they are marked, compared or shown."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from textual.pilot import Pilot

from mlbench.errors import HomeError
from mlbench.queries.answers import DiffAnswer, SeriesAnswer, ShowAnswer
from mlbench.tui.session import Followed
from tests.tui.driving import NARROW, WIDE, keys, news_taken, play, screen_text, workbench
from tests.tui.fake import FakeSession
from tests.tui.test_runs_table import many_runs


def kept_marks(session: FakeSession, places: tuple[int, ...], *more: str) -> None:
    """What the last start has left: marks of runs at these places, and of others."""
    ids = [*(session.runs[place].head.run_id for place in places), *more]
    session.state = json.dumps({"marks": [[run_id, slot] for slot, run_id in enumerate(ids)]})


def test_what_is_said_of_marked_runs_is_said_of_those_that_were_not_seen_since_the_start() -> None:
    session = FakeSession(runs=many_runs(1000))
    kept_marks(session, (1, 700, 900))
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "t", "'good'", "enter")

    play(app, script)
    assert session.said == ["tag 3 +good -"]


def test_marks_of_runs_that_are_gone_at_the_start_are_taken_away() -> None:
    session = FakeSession()
    kept_marks(session, (0, 1), "gone")
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        assert app.desk.view.marks.run_ids == tuple(run.head.run_id for run in session.runs[:2])
        assert "1 marked run is in the catalog no more" in screen_text(app)
        await keys(pilot, "d")
        assert "2 runs against" in screen_text(app)

    play(app, script)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_the_others_are_compared_when_a_marked_run_goes(size: tuple[int, int]) -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "d")
        assert "3 runs against" in screen_text(app)

        del session.runs[1]
        session.news.append(Followed(has_changed=True, wait_s=60.0))
        app.desk.follow_later(0.0)
        await news_taken(session, pilot)

        assert "2 runs against" in screen_text(app)
        assert {one.head.run_id for one in app.desk.answers.series} == set(app.desk.view.marks.run_ids)

    play(app, script, size)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_keys_go_on_where_the_run_that_is_to_be_shown_is_gone(size: tuple[int, int]) -> None:
    session = FakeSession()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        del session.runs[1]
        await keys(pilot, "j", "enter")
        assert "no run has the id" in screen_text(app)
        assert (app.desk.view.pane, app.desk.view.shown_run) == ("runs", "")

        await keys(pilot, "?")
        assert "Keys in Runs" in screen_text(app)
        await keys(pilot, "escape", "g", "enter")
        assert app.desk.view.pane == "run"

    play(app, script, size)


class Unsteady(FakeSession):
    """Cannot always read its home."""

    is_away = False

    def show(self, run_id: str) -> ShowAnswer:
        self._look()
        return super().show(run_id)

    def compare(self, run_ids: Sequence[str], *, everything: bool, at: str = "") -> DiffAnswer:
        self._look()
        return super().compare(run_ids, everything=everything, at=at)

    def series(
        self, run_ids: Sequence[str], metrics: Sequence[str], usual: Sequence[str], *, over: str = "",
        has_times: bool = True,
    ) -> tuple[SeriesAnswer, ...]:  # fmt: skip
        self._look()
        return super().series(run_ids, metrics, usual, over=over, has_times=has_times)

    def _look(self) -> None:
        if self.is_away:
            raise HomeError("the home is busy")


def test_why_runs_are_not_drawn_and_compared_stands_in_their_place_and_what_is_known_stays() -> None:
    session = Unsteady()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        name = "sweep/adam-lr0.3-w64"
        assert f"── {name}" in screen_text(app)
        session.is_away = True
        app.desk.reload()
        await keys(pilot)
        assert f"── {name}" in screen_text(app)

        await keys(pilot, "j", "tab")
        assert screen_text(app).count("  the home is busy") == 2
        assert name not in screen_text(app).partition("\n")[2].replace(f"✓ {name}", "")

        session.is_away = False
        app.desk.reload()
        await keys(pilot)
        panes = [
            line for line in screen_text(app).splitlines() if "│" in line
        ]  # the message at the foot takes its time
        assert not any("the home is busy" in line for line in panes)
        assert "── sweep/adam-lr0.03-w64" in screen_text(app)

    play(app, script)


def test_a_run_that_is_shown_stays_while_it_cannot_be_read_and_leaves_when_it_is_gone() -> None:
    session = Unsteady()
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "j", "enter")
        session.is_away = True
        app.desk.reload()
        await keys(pilot)
        assert app.desk.view.pane == "run"
        assert "the home is busy" in screen_text(app)

        session.is_away = False
        del session.runs[1]
        app.desk.reload()
        await keys(pilot)
        assert app.desk.view.pane == "runs"

    play(app, script)


def test_a_run_that_no_other_repeats_is_drawn_where_repeated_ones_are_means() -> None:
    app = workbench(FakeSession())

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p", "o")
        assert len(app.desk.panes.chart.pictures()[0].curves) == 1
        await keys(pilot, "q", "escape", "3", "j", "p")
        assert app.desk.view.chart.is_grouped
        assert "no curves" not in screen_text(app)
        owners = {curve.owner for curve in app.desk.panes.chart.pictures()[0].curves}
        assert owners == {app.desk.view.cursor}

    play(app, script)


def test_a_run_with_fewer_metrics_shows_them_where_the_last_ones_were_looked_at() -> None:
    session = FakeSession()
    everything = session.series
    session.series = lambda run_ids, metrics, usual, *, over="", has_times=True: tuple(  # type: ignore[method-assign]
        one for one in everything(run_ids, metrics, usual, over=over, has_times=has_times)
        if one.metric == "val/acc" or one.head.run_id != session.runs[3].head.run_id
    )  # fmt: skip
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        app.desk.change(app.desk.view.charted(metrics=("val/acc", "val/loss", "train/loss")))
        await keys(pilot, "p", "j", "j", "q", "j", "j", "j", "p")
        assert [one.metric for one in app.desk.panes.chart.pictures()] == ["val/acc"]
        assert "+1 more" not in screen_text(app)

    play(app, script, NARROW)
