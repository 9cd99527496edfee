"""More marked runs than a chart or a comparison shows."""

from dataclasses import replace

from textual.pilot import Pilot

from mlbench.tui.view import left_out_text
from tests.tui.driving import NARROW, keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession


def test_of_ten_thousand_marked_runs_a_chart_draws_a_thousand_and_all_are_counted() -> None:
    session = FakeSession()
    row = session.runs[0]
    more = [replace(row, head=replace(row.head, run_id=f"more-{number}")) for number in range(9_988)]
    session.runs = [*session.runs, *more]
    app = workbench(session)

    async def script(pilot: Pilot[int]) -> None:
        await settle(pilot)
        await keys(pilot, "*", "p")
        assert "first 1,000 of 10,000 runs" in screen_text(app)
        await keys(pilot, "escape", "x")
        assert "Markdown of the 10,000 marked runs" in screen_text(app)
        await keys(pilot, "escape", "t")
        assert "tag 10,000 runs:" in screen_text(app)

    play(app, script, NARROW)


def test_nothing_is_said_of_a_thousand() -> None:
    assert left_out_text(1_000) == ""
    assert left_out_text(1_001) == "first 1,000 of 1,001 runs"
