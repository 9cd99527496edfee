"""Whole screens: a picture of each, and what a reader must find on it."""

from __future__ import annotations

from collections.abc import Callable

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


def test_help(snap_compare: Snap) -> None:
    assert snap_compare(workbench(FakeSession()), terminal_size=(120, 40), run_before=after("?"))


def test_hostile_names(snap_compare: Snap) -> None:
    session = FakeSession(make_runs(HOSTILE_NAMES), scope=HOSTILE_NAMES[0], metric_name=HOSTILE_NAMES[5])
    assert snap_compare(workbench(session), terminal_size=WIDE, run_before=after("*"))
