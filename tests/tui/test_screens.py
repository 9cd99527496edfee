"""Whole screens: a picture of each, and what a reader must find on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlbench.queries.answers import ProblemLine
from mlbench.settings import Settings
from mlbench.tui.app import Workbench
from tests.tui.driving import NARROW, WIDE, after, workbench
from tests.tui.fake import HOSTILE_NAMES, FakeSession, make_runs

Snap = Callable[..., bool]
FOUR_MARKED = ("4", "space", "j", "b")


def test_runs_wide(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=WIDE, run_before=after(*FOUR_MARKED))


def test_runs_narrow(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=NARROW, run_before=after("3", "space", "/", "'sgd'"))


def test_compare(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=WIDE, run_before=after(*FOUR_MARKED, "d", "r"))


def test_plots(snap_compare: Snap) -> None:
    pressed = (*FOUR_MARKED, "p", "Y", "m", "'val/loss, val/acc'", "enter", "h", "5", "h")
    assert snap_compare(workbench(FakeSession()), terminal_size=NARROW, run_before=after(*pressed))


def test_run_wide(snap_compare: Snap) -> None:
    assert snap_compare(workbench(noted()), terminal_size=WIDE, run_before=after("enter", "z", "6"))


def test_run_narrow(snap_compare: Snap) -> None:
    assert snap_compare(workbench(noted()), terminal_size=NARROW, run_before=after("enter", "3"))


def test_run_beside_the_table_on_a_light_ground(snap_compare: Snap) -> None:
    app = workbench(noted(), is_light_ground=True)
    assert snap_compare(app, terminal_size=WIDE, run_before=after("enter", "4"))


def test_problems_in_sixteen_colours(snap_compare: Snap) -> None:
    app = workbench(noted(), depth="16")
    assert snap_compare(app, terminal_size=NARROW, run_before=after(":", "'problems'", "enter", "j"))


def test_a_note_without_colours(snap_compare: Snap) -> None:
    app = workbench(noted(), depth="none", glyphs="ascii")
    assert snap_compare(app, terminal_size=NARROW, run_before=after("enter", "7", "j", "j", "enter"))


def noted() -> FakeSession:
    """A run with a tag and a note, and problems."""
    session = FakeSession()
    head = session.runs[0].head
    session.tag([head], ["best"], [])
    session.note([head], "# Why\n\n- `lr` of **0.3** is too high\n- the seed is 1")
    session.problem_lines = (
        ProblemLine("/logs/sweep/config.yaml", "line 12", "'lr' is given twice, 0.1 and 0.01", "The last one is used"),
        ProblemLine(
            "/logs/sweep/events.out", "offset 4096", "3 records had a bad checksum and were left out", "", head.run_id
        ),
    )
    return session


def test_help(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=(120, 40), run_before=after("?"))


def test_hostile_names(snap_compare: Snap) -> None:
    session = FakeSession(make_runs(HOSTILE_NAMES), scope=HOSTILE_NAMES[0], metric_name=HOSTILE_NAMES[5])
    assert snap_compare(workbench(session), terminal_size=WIDE, run_before=after("*"))


def test_groups_on_a_light_ground(snap_compare: Snap) -> None:
    app = workbench(FakeSession(), is_light_ground=True)
    pressed = ("o", "'params.optimizer'", "enter", "enter")
    assert snap_compare(app, terminal_size=WIDE, run_before=after(*pressed))


def test_compare_narrow_in_sixteen_colours(snap_compare: Snap) -> None:
    app = workbench(FakeSession(), depth="16")
    assert snap_compare(app, terminal_size=NARROW, run_before=after(*FOUR_MARKED, "d"))


def test_plots_wide_without_colours(snap_compare: Snap) -> None:
    app = workbench(FakeSession(), depth="none")
    assert snap_compare(app, terminal_size=WIDE, run_before=after(*FOUR_MARKED, "p", "v", "v"))


def test_the_values_of_a_column(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=NARROW, run_before=after("l", "l", "l", "f"))


def test_the_palette(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=WIDE, run_before=after("ctrl+p", "'zoom'", "down"))


def test_the_palette_narrow_in_sixteen_colours(snap_compare: Snap) -> None:
    app = workbench(FakeSession(), depth="16")
    assert snap_compare(app, terminal_size=NARROW, run_before=after("p", "ctrl+p"))


def test_the_settings(snap_compare: Snap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The path of the file is on the screen: it must be the same everywhere.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "settings.toml").write_text('theme = "dark"\n')
    monkeypatch.setattr("mlbench.tui.doing.setting.settings_path", lambda: "~/.config/mlbench/settings.toml")
    monkeypatch.setenv("MLBENCH_CONFIG", str(tmp_path / "settings.toml"))
    assert snap_compare(workbench(FakeSession()), terminal_size=NARROW, run_before=after(",", "down"))


def test_the_bell(snap_compare: Snap) -> None:
    app = workbench(FakeSession(), is_light_ground=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=after("B", "space", "down", "down", "space"))


def test_help_narrow_on_a_light_ground(snap_compare: Snap) -> None:
    app = workbench(FakeSession(), is_light_ground=True)
    assert snap_compare(app, terminal_size=NARROW, run_before=after("p", "?", "j"))


def test_run_wide_in_sixteen_colours(snap_compare: Snap) -> None:
    app = workbench(noted(), depth="16")
    assert snap_compare(app, terminal_size=WIDE, run_before=after("enter", "z", "4"))


def test_plots_for_a_screen_reader(snap_compare: Snap) -> None:
    app = Workbench(FakeSession(), settings=Settings(plain=True))
    assert snap_compare(app, terminal_size=NARROW, run_before=after("4", "space", "p"))


def test_confusion_matrices_side_by_side(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=WIDE, run_before=after("2", "space", "d", "C"))


def test_histograms_side_by_side_narrow(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=NARROW, run_before=after("2", "space", "d", "H", "h"))
