"""Whole errands on a real home, as a user would do them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from textual.pilot import Pilot

from mlbench import journal
from mlbench.paths import Home, find_home
from mlbench.queries.answers import SeriesAnswer
from mlbench.queries.columns import param_spec
from mlbench.tui.app import Workbench
from mlbench.tui.catalog_session import CatalogSession
from tests.odd_keys import KEYS, odd_runs
from tests.paths import ROOT
from tests.tui.driving import NARROW, WIDE, keys, play, screen_text, workbench
from tests.tui.fake import FakeSession

SAMPLES = ROOT / "sample_runs" / "logs"
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason="sample_runs/logs is not there")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    return find_home(str(tmp_path / "home"))


def opened(home: Home, folder: Path = SAMPLES) -> Workbench:
    return workbench(CatalogSession(home, [str(folder)]))


@needs_samples
def test_find_compare_tag_and_report(home: Home, tmp_path: Path) -> None:
    app = opened(home)

    async def errand(pilot: Pilot[int]) -> None:
        assert "33 runs" in screen_text(app)

        await keys(pilot, "/", "'optimizer = adam and width = 64 and lr = 0.1'", "enter")
        assert "3 of 33 runs" in screen_text(app)

        await keys(pilot, "3", "space", "d")
        compared = screen_text(app)
        assert "3 runs against" in compared
        assert "params: 1 differs" in compared
        assert "metrics:" in compared

        await keys(pilot, "t", "'candidate +adam'", "enter", "q")
        assert screen_text(app).count("#adam #candidate") == 3

        await keys(pilot, "x", "enter")
        assert "report.md" in screen_text(app)

    play(app, errand)

    tags = journal.replay(home).tags
    assert sorted(tags.values()) == [("adam", "candidate")] * 3
    report = (tmp_path / "report.md").read_text()
    assert "adam-lr0.1-w64-seed1" in report.replace("&#45;", "-").replace("&#46;", ".")
    assert sorted(path.suffix for path in tmp_path.glob("report*")) != [".md"]


@needs_samples
def test_note_baseline_undo_and_a_report_that_is_not_replaced(home: Home, tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("mine")
    app = opened(home)

    async def errand(pilot: Pilot[int]) -> None:
        await keys(pilot, "b", "n", "'first line\\nsecond'", "enter")
        assert "◆" in screen_text(app).splitlines()[0]

        await keys(pilot, "n")
        assert "first line\\nsecond" in screen_text(app)

        await keys(pilot, "escape", "u", "u")
        assert "◆" not in screen_text(app).splitlines()[0]

        await keys(pilot, "x", "ctrl+u", "'mine.md'", "enter")
        assert "mine.md is there already" in screen_text(app)

        await keys(pilot, "n")
        assert "nothing was written" in screen_text(app)

        await keys(pilot, "ctrl+r", "ctrl+r", "/", "'archived ='")
        assert "a value is missing" in screen_text(app)

        await keys(pilot, "escape", "q")

    play(app, errand, NARROW)

    words = journal.replay(home)
    assert [note.body for notes in words.notes.values() for note in notes] == ["first line\nsecond"]
    assert len(words.baselines) == 1
    assert (tmp_path / "mine.md").read_text() == "mine"
    assert app.return_value == 0


def test_a_directory_without_runs_says_so_and_keys_do_no_harm(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    app = opened(home, tmp_path / "empty")
    seen = []

    async def errand(pilot: Pilot[int]) -> None:
        seen.append(screen_text(app))
        for key in ("space", "v", "v", "*", "s", "=", "!", "b", "t", "n", "a", "m", "d", "enter", "r", "a", "q", "p", "h",
                    "plus", "i", "n", "s", "q", "enter", "y", "i", "y", "p", "u", "G", "g", "tab", "j", "k"):  # fmt: skip
            await keys(pilot, key)
        seen.append(screen_text(app))

    play(app, errand)

    assert "no runs in empty" in seen[0]


def test_a_directory_that_has_gone_is_told(home: Home, tmp_path: Path) -> None:
    app = opened(home, tmp_path / "gone")
    seen = []

    async def errand(pilot: Pilot[int]) -> None:
        seen.append(screen_text(app))

    play(app, errand)

    assert "gone" in seen[0]
    assert app.return_value is None


# ---------------------------------------------------------------- the twelve everyday tasks, and what they may cost


class Hands:
    """Presses keys and counts them: what is typed as text is counted by itself."""

    def __init__(self, pilot: Pilot[int]) -> None:
        self._pilot = pilot
        self.n_keys = 0
        self.n_text = 0

    async def press(self, *pressed: str) -> None:
        """Keys as `driving.keys` takes them."""
        for key in pressed:
            if key[:1] == "'" and len(key) > 1:
                self.n_text += len(key) - 2
            else:
                self.n_keys += 1
        await keys(self._pilot, *pressed)


Task = Callable[[Workbench, Hands], Awaitable[None]]


def cost(home: Home, task: Task, size: tuple[int, int] = WIDE) -> tuple[int, int]:
    """Keys and letters of text that a task took, from the first screen."""
    app = opened(home)
    counted: list[tuple[int, int]] = []

    async def script(pilot: Pilot[int]) -> None:
        hands = Hands(pilot)
        await task(app, hands)
        counted.append((hands.n_keys, hands.n_text))
        app.desk.session.save_state(app.desk.state_text)

    play(app, script, size)
    return counted[0]


@needs_samples
def test_1_it_opens_where_it_was_left_for_no_key(home: Home) -> None:
    async def leave(app: Workbench, hands: Hands) -> None:
        await hands.press("/", "'sgd'", "enter", "S", "'val/l'", "enter", "3", "space", "q")

    async def come_back(app: Workbench, hands: Hands) -> None:
        shown = screen_text(app)
        assert "3 marked" in shown
        assert " / sgd" in shown
        assert "sort val/loss ▲" in shown

    cost(home, leave)

    assert cost(home, come_back) == (0, 0)


@needs_samples
def test_2_a_run_is_found_by_words_of_its_name_and_notes_for_two_keys(home: Home) -> None:
    async def annotate(app: Workbench, hands: Hands) -> None:
        await hands.press("G", "n", "'looks odd'", "enter")

    async def find(app: Workbench, hands: Hands) -> None:
        await hands.press("/", "'odd'", "enter")
        assert "1 of 33 runs" in screen_text(app)

    cost(home, annotate)

    assert cost(home, find) == (2, 3)


@needs_samples
def test_3_the_best_five_by_a_metric_for_four_keys_and_for_two_once_it_is_sorted(home: Home) -> None:
    async def first(app: Workbench, hands: Hands) -> None:
        await hands.press("S", "'val/l'", "enter", "5", "space")
        assert app.desk.view.sort == ("metrics.val/loss",)
        assert app.desk.heads[app.desk.view.marks.run_ids[0]].name == best_of(app)
        assert len(app.desk.view.marks) == 5

    async def again(app: Workbench, hands: Hands) -> None:
        await hands.press("5", "space")
        assert len(app.desk.view.marks) == 5

    async def unmark(app: Workbench, hands: Hands) -> None:
        await hands.press("escape", "g")

    assert cost(home, first) == (4, 5)
    cost(home, unmark)
    assert cost(home, again) == (2, 0)


def best_of(app: Workbench) -> str:
    """The name in the table's first row."""
    return app.desk.heads[app.desk.tabling.rows.listing.ids[0]].name


@needs_samples
def test_4_and_5_a_baseline_for_one_key_and_what_differs_from_it_for_none_or_one(home: Home) -> None:
    async def look(app: Workbench, hands: Hands) -> None:
        await hands.press("b")
        assert "◆" in screen_text(app).splitlines()[0]

    async def compare(app: Workbench, hands: Hands) -> None:
        await hands.press("j")
        assert "compare   2 runs" in screen_text(app)

    async def full(app: Workbench, hands: Hands) -> None:
        await hands.press("d")
        assert app.desk.view.is_zoomed

    assert cost(home, look) == (1, 0)
    assert cost(home, compare) == (1, 0)
    assert cost(home, full) == (1, 0)


@needs_samples
def test_6_a_metric_with_strong_smoothing_on_a_log_axis_for_seven_keys_and_then_for_one(home: Home) -> None:
    async def first(app: Workbench, hands: Hands) -> None:
        await hands.press("p", "m", "'v/l'", "enter", "s", "s", "Y")
        look = app.desk.view.chart
        assert (look.metrics, look.smoothing, look.log_y) == (("val/loss",), 0.99, True)
        await hands.press("q")

    async def again(app: Workbench, hands: Hands) -> None:
        await hands.press("p")
        assert "val/loss" in screen_text(app)
        assert "smoothing 0.99" in screen_text(app)
        assert "log y" in screen_text(app)

    assert cost(home, first) == (7, 3)
    assert cost(home, again) == (1, 0)


@needs_samples
def test_7_8_and_9_tag_note_and_report_for_two_keys_each(home: Home, tmp_path: Path) -> None:
    async def tag(app: Workbench, hands: Hands) -> None:
        await hands.press("t", "'best'", "enter")
        assert "#best" in screen_text(app)

    async def note(app: Workbench, hands: Hands) -> None:
        await hands.press("n", "'lr wins'", "enter")
        assert "note" in screen_text(app)

    async def report(app: Workbench, hands: Hands) -> None:
        await hands.press("x", "enter")
        assert (tmp_path / "report.md").is_file(), screen_text(app)

    assert cost(home, tag) == (2, 4)
    assert cost(home, note) == (2, 7)
    assert cost(home, report) == (2, 0)


@needs_samples
def test_10_whether_the_optimizer_matters_for_three_keys(home: Home) -> None:
    async def look(app: Workbench, hands: Hands) -> None:
        await hands.press("l", "l", "f")
        shown = screen_text(app)
        assert "adam" in shown
        assert "±" in shown

    assert cost(home, look) == (3, 0)


@needs_samples
def test_11_the_mean_over_seeds_with_its_band_for_three_keys(home: Home) -> None:
    async def mark(app: Workbench, hands: Hands) -> None:
        await hands.press("*")

    async def look(app: Workbench, hands: Hands) -> None:
        await hands.press("p", "o")
        assert any(picture.bands for picture in app.desk.panes.chart.pictures())
        assert "(n=" in screen_text(app)

    cost(home, mark)

    assert cost(home, look) == (2, 0)


@needs_samples
def test_12_running_jobs_an_image_and_the_command_for_two_keys_each(home: Home) -> None:
    async def running(app: Workbench, hands: Hands) -> None:
        await hands.press("'", "enter")
        assert "running" in app.desk.view.query

    async def image(app: Workbench, hands: Hands) -> None:
        await hands.press("/", "ctrl+u", "'resume = false and steps = 300'", "enter")
        n_before = hands.n_keys
        await hands.press("enter", "tab")
        assert "confusion" in screen_text(app)
        assert hands.n_keys - n_before == 2

    async def command(app: Workbench, hands: Hands) -> None:
        await hands.press("y", "c")
        assert "copied" in screen_text(app)
        assert "mlbench query" in screen_text(app)

    assert cost(home, running) == (2, 0)
    cost(home, image)
    assert cost(home, command) == (2, 0)


@needs_samples
def test_the_headline_errand_costs_fourteen_keys_and_nine_the_next_time(home: Home, tmp_path: Path) -> None:
    words = ("t", "'best'", "enter", "n", "'lr 0.1 wins'", "enter", "x", "enter")

    async def first(app: Workbench, hands: Hands) -> None:
        await hands.press("5", "space", "p", "m", "'v/l'", "enter", "s", "s", "Y", *words)
        assert (tmp_path / "report.md").is_file(), screen_text(app)
        await hands.press("q", "escape")
        hands.n_keys -= 2

    async def again(app: Workbench, hands: Hands) -> None:
        (tmp_path / "report.md").unlink()
        await hands.press("5", "space", "p", *words)
        assert (tmp_path / "report.md").is_file(), screen_text(app)

    n_first, n_text = cost(home, first)
    n_again, _n = cost(home, again)

    assert (n_first, n_text) == (14, 18)
    assert n_again == 9


@pytest.mark.parametrize("keys_of_params", KEYS.values(), ids=KEYS.keys())
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_odd_keys_are_compared_folded_and_sorted_by(
    keys_of_params: list[str], size: tuple[int, int], home: Home, tmp_path: Path
) -> None:
    odd_runs(tmp_path / "odd", keys_of_params)
    app = opened(home, tmp_path / "odd")

    async def errand(pilot: Pilot[int]) -> None:
        await keys(pilot, "*", "d")
        assert f"params: {len(keys_of_params)} differ" in screen_text(app)

        await keys(pilot, "O")
        assert f"{len(keys_of_params)} keys" in screen_text(app)

        await keys(pilot, "O")
        pane = app.desk.panes.compare
        pane.cursor = pane.page.keys.index(f"params:{keys_of_params[1]}")
        await keys(pilot, "enter")
        assert app.desk.view.sort == (param_spec(keys_of_params[1]),)

    play(app, errand, size)


def test_times_are_read_when_an_axis_of_times_is_chosen_and_the_old_picture_stays_until_then() -> None:
    session = FakeSession()
    asked: list[bool] = []
    series = session.series

    def count(
        run_ids: Sequence[str], metrics: Sequence[str], usual: Sequence[str], *, over: str = "", has_times: bool = True
    ) -> tuple[SeriesAnswer, ...]:
        asked.append(has_times)
        return series(run_ids, metrics, usual, over=over, has_times=has_times)

    session.series = count  # type: ignore[method-assign]

    async def script(app: Workbench, pilot: Pilot[int]) -> None:
        await keys(pilot, "2", "space", "p")
        assert set(asked) == {False}
        n_asked = len(asked)

        await keys(pilot, "a")
        assert asked[n_asked:] == [True]
        assert "x time since start" in screen_text(app)
        assert "┤" in screen_text(app)

        await keys(pilot, "a")
        assert "wall time" in screen_text(app)
        assert len(asked) == n_asked + 1

    app = workbench(session)
    play(app, lambda pilot: script(app, pilot))
