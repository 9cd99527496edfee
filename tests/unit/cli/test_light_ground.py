import os
from pathlib import Path

import pytest

from mlbench.cli import common
from mlbench.render.cells import line_of


@pytest.mark.parametrize(
    ("theme", "ground", "is_light"),
    [("auto", "0;15", True), ("auto", "15;0", False), ("auto", "", False), ("light", "15;0", True),
     ("dark", "0;15", False), ("ansi-light", "", True)],
)  # fmt: skip
def test_colours_are_for_the_ground_that_the_setting_or_the_terminal_names(
    theme: str, ground: str, is_light: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLBENCH_THEME", theme)
    monkeypatch.setitem(os.environ, "COLORFGBG", ground)

    assert common.is_light() == is_light


def test_lines_are_painted_for_a_light_ground(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(common, "colour_depth", lambda: "truecolor")
    said = []

    for theme in ("dark", "light"):
        monkeypatch.setenv("MLBENCH_THEME", theme)
        common.print_lines([line_of(("a", "run0"))])
        said.append(capsys.readouterr().out)

    assert said == ["\x1b[38;2;95;175;255ma\x1b[0m\n", "\x1b[38;2;0;0;215ma\x1b[0m\n"]
