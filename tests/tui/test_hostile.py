"""Text from logs is hostile: nothing of it acts, in no pane, and nothing of it reaches the terminal as it is."""

from __future__ import annotations

import io
import unicodedata

import pytest
from rich.console import Console
from rich.segment import Segment
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Label, Static

from mlbench.queries.answers import ProblemLine
from mlbench.tui import compat
from tests.tui.driving import NARROW, WIDE, keys, play, screen_text, workbench
from tests.tui.fake import HOSTILE_NAMES, FakeSession, make_runs

PANES = {
    "runs": ("*",),
    "one run": ("enter",),
    "run: code and patch": ("enter", "z", "4"),
    "run: image": ("enter", "6"),
    "run: image alone": ("enter", "6", "enter", "h", "plus"),
    "run: text": ("enter", "6", "j", "enter"),
    "run: environment": ("enter", "5", "j"),
    "run: tag and note": ("enter", "7", "j", "j", "j"),
    "run: problem": ("enter", "8", "G", "enter"),
    "run: write": ("enter", "6", "w"),
    "plots with crosshair": ("*", "p", "h", "h"),
    "compare": ("*", "d", "a"),
    "deltas": ("*", "d", "r", "l"),
    "problems": (":", "'problems'", "enter"),
    "tags": ("*", "t", "'x'"),
    "note": ("n", "'x'"),
    "report": ("x",),
    "metrics": ("p", "m", "'l'"),
    "palette": ("ctrl+p", "'re'"),
    "sorted by a hostile column": ("l", "l", "s", "="),
}


def hostile_session() -> FakeSession:
    problems = tuple(ProblemLine(f"/logs/{name}", name, name, name) for name in HOSTILE_NAMES)
    session = FakeSession(make_runs(HOSTILE_NAMES), scope=HOSTILE_NAMES[0], metric_name=HOSTILE_NAMES[5])
    session.problem_lines = problems
    session.baseline = session.runs[1].head.run_id
    for run in session.runs:
        session.tag([run.head], HOSTILE_NAMES[3:6], ())
        session.note([run.head], "\n".join(HOSTILE_NAMES))
    return session


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("pressed", PANES.values(), ids=PANES.keys())
def test_no_control_character_is_shown_and_no_markup_acts(pressed: tuple[str, ...], size: tuple[int, int]) -> None:
    app = workbench(hostile_session())
    seen = []

    async def script(pilot: Pilot[int]) -> None:
        await keys(pilot, *pressed)
        seen.append(screen_text(app))
        assert app.is_running

    play(app, script, size)

    text = seen[0].replace("\n", "")
    assert [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")] == []
    assert app.return_value is None


def test_a_name_is_shown_as_it_is_with_signs_for_what_acts() -> None:
    app = workbench(hostile_session())
    seen = []

    async def script(pilot: Pilot[int]) -> None:
        seen.append(screen_text(app))

    play(app, script)

    assert "␛[31;5mred␛[3J" in seen[0]
    assert "[@click=app.quit]leave[/]" in seen[0]
    assert "loss [/] x" in seen[0]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_the_choke_point_cleans_every_strip(name: str) -> None:
    compat.install()
    console = Console(file=io.StringIO(), color_system="truecolor", force_terminal=True)

    written = Strip([Segment(name)]).render(console)

    assert written.isprintable()


def test_control_segments_pass_the_choke_point() -> None:
    compat.install()
    console = Console(file=io.StringIO(), color_system=None)

    written = Strip([Segment("\x1b[2J", None, [(1,)]), Segment("a")]).render(console)  # type: ignore[list-item]

    assert written == "\x1b[2Ja"


def test_where_there_is_no_utf8_signs_become_ascii() -> None:
    compat.install(is_ascii=True)
    try:
        written = Strip([Segment("● ◆ loss │ 実験")]).render(Console(file=io.StringIO(), color_system=None))
    finally:
        compat.install()

    assert written == "* # loss | ??"


def test_widgets_of_textual_are_cleaned_too() -> None:
    compat.install()
    app = workbench(FakeSession())
    written: list[str] = []

    async def script(pilot: Pilot[int]) -> None:
        await app.mount(Static(HOSTILE_NAMES[0], markup=False), Label(HOSTILE_NAMES[2], markup=False))
        await pilot.pause()
        written.extend(strip.render(app.console) for strip in app.screen._compositor.render_strips())

    play(app, script)

    assert "\x1b]52" not in "".join(written)
    assert "\x9b" not in "".join(written)
