"""Confusion matrices and histograms of several runs in the comparison: found, stepped, chosen, left."""

import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest
from textual.pilot import Pilot

from mlbench.errors import MlbenchError
from mlbench.queries.answers import ProblemLine
from mlbench.settings import Settings
from mlbench.tui.app import Workbench
from mlbench.tui.logged import HISTOGRAMS, MATRICES, LoggedFound
from mlbench.tui.session import Followed
from tests.tui.driving import NARROW, WIDE, keys, play, screen_text, settle, workbench
from tests.tui.fake import FakeSession
from tests.tui.test_plain import drawn_signs

Script = Callable[[Workbench, Pilot[int]], Awaitable[None]]


def played(session: FakeSession, script: Script, size: tuple[int, int] = WIDE, *, is_plain: bool = False) -> None:
    app = Workbench(session, settings=Settings(plain=True)) if is_plain else workbench(session)
    play(app, lambda pilot: script(app, pilot), size)


def test_matrices_stand_beside_each_other_with_what_changed() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "C")
        lines = [line for line in screen_text(app).splitlines() if "dog" in line and "recall" not in line]
        assert "eval/cm   rows: actual, columns: predicted   m chooses of 2" in screen_text(app)
        assert "accuracy 0.948" in screen_text(app)
        assert [line.split() for line in lines][1:3] == [
            ["dog", "2", "50", "1", "dog", "2", "50", "1", "0"],
            ["cat", "dog", "horse", "mule"],
        ]
        assert any(line.split() == ["cat", "40", "1", "0.875", "-0.125"] for line in screen_text(app).splitlines())

        await keys(pilot, "h", "l", "C")
        assert "params" in screen_text(app)

    played(FakeSession(), script)


def test_at_eighty_columns_the_rest_is_reached_by_scrolling() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "C")
        assert "recall of" not in screen_text(app)
        await keys(pilot, "G")
        assert "recall of" in screen_text(app)
        assert "mean of the 3 in all" in screen_text(app)

    played(FakeSession(), script, NARROW)


@pytest.mark.parametrize(("size", "n_beside"), [(WIDE, 3), (NARROW, 2)])
def test_histograms_stand_beside_each_other_and_go_through_their_steps(size: tuple[int, int], n_beside: int) -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "d", "H")
        assert "step 40   5 of 5   h l" in screen_text(app)
        assert max(line.count("5 steps") for line in screen_text(app).splitlines()) == n_beside
        assert "moved 1 since step 0" in screen_text(app)
        assert "1 from adam-lr0.3-w64 at step 40" in screen_text(app)

        await keys(pilot, "h", "h")
        assert "step 20   3 of 5" in screen_text(app)
        assert "0.5 from adam-lr0.3-w64 at step 20" in screen_text(app)

        await keys(pilot, "9", "h", "9", "l")
        assert "step 40   5 of 5" in screen_text(app)

    played(FakeSession(), script, size)


def test_another_name_is_chosen_and_who_lacks_it_is_said() -> None:
    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "d", "H", "h", "m", "'bia'", "enter")
        assert "bias   m chooses of 2" in screen_text(app)
        assert "step 40   5 of 5" in screen_text(app)
        last = app.desk.heads[app.desk.compared()[-1]].name.rpartition("/")[2]
        assert f"bias was not logged by {last}" in screen_text(app)

        await keys(pilot, "C", "m", "'test'", "enter")
        assert f"test/cm was not logged by {last}" in screen_text(app)
        await keys(pilot, "H")
        assert "bias" in screen_text(app)

        await keys(pilot, "H", "m")
        assert "I shows images, C confusion matrices, H histograms of these runs" in screen_text(app)

    played(FakeSession(), script)


def test_other_marks_and_what_comes_are_asked_for_and_only_where_they_are_seen() -> None:
    session = FakeSession()
    asked: list[tuple[int, str, str]] = []
    logged = session.details.logged

    def count(run_ids: Sequence[str], kind: str, metric: str) -> LoggedFound:
        asked.append((len(run_ids), kind, metric))
        return logged(run_ids, kind, metric)

    session.details.logged = count  # type: ignore[method-assign]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d")
        assert asked == []
        await keys(pilot, "H")
        assert asked == [(2, "histogram", "")]
        await keys(pilot, "j", "k", "h")
        assert len(asked) == 1

        app.desk._take_followed(Followed(has_changed=True, wait_s=60.0))
        await settle(pilot)
        assert asked[1:] == [(2, "histogram", "")]
        assert "step 30   4 of 5" in screen_text(app)

        await keys(pilot, "H")
        app.desk._take_followed(Followed(has_changed=True, wait_s=60.0))
        await settle(pilot)
        assert len(asked) == 2
        await keys(pilot, "H")
        assert len(asked) == 3

        await keys(pilot, "q", "j", "j", "space", "d")
        assert asked[-1] == (3, "histogram", "")
        assert app.desk.logged[HISTOGRAMS].run_ids == app.desk.compared()
        assert app.desk.logged[MATRICES].found is None

    played(session, script)


def test_without_any_of_it_or_where_it_cannot_be_read_that_is_said() -> None:
    session = FakeSession()
    problem = ProblemLine("/logs/cm.json", "offset 0", "The file holds other bytes than when it was ingested", "", "")
    answers = [LoggedFound({}), LoggedFound({"cm": 1}, "cm", (), (problem,))]

    def answer(run_ids: Sequence[str], kind: str, metric: str) -> LoggedFound:
        del run_ids, kind, metric
        if not answers:
            raise MlbenchError("the catalog was moved aside")
        return answers.pop(0)

    session.details.logged = answer  # type: ignore[method-assign]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "H")
        assert "none of these runs logged a histogram" in screen_text(app)
        await keys(pilot, "h", "m", "escape", "C")
        assert "The file holds other bytes" in screen_text(app)
        await keys(pilot, "q", "j", "j", "space", "d")
        assert "the catalog was moved aside" in screen_text(app)

    played(session, script)


def test_plain_says_them_in_words() -> None:
    seen: list[str] = []

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "d", "C")
        seen.append(screen_text(app))
        assert "taken for another: cat for dog 5" in seen[0]
        assert "recall against adam-lr0.3-w64: cat -0.125" in seen[0]
        await keys(pilot, "H")
        seen.append(screen_text(app))
        assert "moved 1 since step 0" in seen[1]
        assert "median" in seen[1]

    played(FakeSession(), script, is_plain=True)
    assert {sign for text in seen for sign in drawn_signs(text)} <= {"\u25cf", "\u25c6"}


def test_histograms_come_although_newer_points_came_while_they_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    session, gate = FakeSession(), threading.Semaphore(0)
    read = session.details.logged

    def slowly(run_ids: Sequence[str], kind: str, metric: str) -> LoggedFound:
        gate.acquire(timeout=10)
        return read(run_ids, kind, metric)

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "3", "space", "d")
        monkeypatch.setattr(session.details, "logged", slowly)
        app.act("compare.histograms")
        await pilot.pause(0.3)
        app.desk.reload()
        await pilot.pause(0.3)
        gate.release()
        for _look in range(200):
            if "step 40   5 of 5" in screen_text(app):
                break
            await pilot.pause(0.02)
        is_seen_before_the_next = gate.acquire(blocking=False) is False and "step 40   5 of 5" in screen_text(app)
        gate.release(5)

        assert is_seen_before_the_next

    played(session, script)
