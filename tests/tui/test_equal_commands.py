"""`yc` copies the command that prints what the pane shows; the command line takes each."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

import click
import pytest
from textual.pilot import Pilot

from mlbench.cli import diff, plot, show
from mlbench.queries.filter import parse
from mlbench.tui.app import Workbench
from mlbench.tui.equal_commands import diff_words, plot_words, show_words
from mlbench.tui.view import ChartLook, View
from tests.tui.driving import keys, play, screen_text, workbench
from tests.tui.fake import FakeSession

COMMANDS = {"show": show.command, "diff": diff.command, "plot": plot.command}
A, B = "000000000000", "000000000001"


def read_words(words: Sequence[str]) -> dict[str, object]:
    """As the command line reads them; a word that it does not know is an error."""
    assert words[0] == "mlbench"
    command: click.Command = COMMANDS[words[1]]
    return dict(command.make_context(words[1], list(words[2:])).params)


def copied_by(monkeypatch: pytest.MonkeyPatch, *pressed: str) -> tuple[list[str], str]:
    copied: list[str] = []
    app: Workbench = workbench(FakeSession())
    said: list[str] = []

    async def script(pilot: Pilot[int]) -> None:
        monkeypatch.setattr(app, "copy", copied.append)
        await keys(pilot, *pressed)
        said.append(screen_text(app))

    play(app, script)
    return copied, said[0]


def test_every_pane_copies_its_own_command(monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = ("y", "c", "2", "space", "d", "a", "y", "c", "escape", "p", "Y", "y", "c", "escape", "enter", "y", "c")

    copied, _text = copied_by(monkeypatch, *pressed)

    table, compared, charts, run = copied
    assert table == "mlbench query ''"
    assert compared == f"mlbench diff {A} {B} --all"
    assert charts.startswith("mlbench plot -m val/acc --smooth 0.6 --log-y ")
    assert shlex.split(charts)[-1] == f"run.id in ('{A}', '{B}')"
    assert run == f"mlbench show {A}"


def test_the_lines_that_repeat_a_run_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    copied, text = copied_by(monkeypatch, "y", "r")

    assert copied == [f"git checkout abc\npython train.py --run {A}"]
    assert f"git checkout abc; python train.py --run {A}" in text


def test_the_command_line_takes_what_is_copied_of_charts() -> None:
    look = ChartLook(
        smoothing=20, smoothing_kind="mean", symlog_y=True, log_x=True, axis="relative", is_trimmed=True, has_names=True
    )
    ids = [f"{number:012}" for number in range(60)]

    read = read_words(plot_words(look, ids, ["val/loss", "odd name"]))

    assert read["metrics"] == ("val/loss", "odd name")
    assert (read["smoothing"], read["smoothing_kind"]) == (20, "mean")
    assert (read["y_scale"], read["x_scale"], read["axis"]) == ("symlog", "log", "relative")
    assert (read["trim"], read["has_names"], read["limit"]) == (True, True, 60)
    assert parse(str(read["filter_word"])) is not None


def test_a_plain_chart_says_nothing_that_is_usual() -> None:
    words = plot_words(replace(ChartLook(), smoothing=0.0), [A], ["loss"])

    assert words == ["mlbench", "plot", "-m", "loss", f"run.id = '{A}'"]


@pytest.mark.parametrize("look", ["", "code", "verdict"])
def test_the_command_line_takes_what_is_copied_of_a_comparison(look: str) -> None:
    read = read_words(diff_words(View(as_deltas=True, compare_look=look, at_metric="val/loss"), [A, B]))

    assert A in str(read)
    assert B in str(read)
    assert "val/loss" in read.values()


def test_one_run_is_shown_and_not_compared() -> None:
    assert diff_words(View(), [A]) == show_words(A) == ["mlbench", "show", A]
