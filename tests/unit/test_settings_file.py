"""Changing one setting in a file that its owner has written by hand."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlbench.errors import UsageError
from mlbench.settings import Settings, parse_settings, read_settings
from mlbench.settings_file import text_with, toml_text, write_setting

MINE = """# my settings

glyphs = "ascii"  # for the train
smoothing_levels = [
  0, # raw
  0.9,
]
theme = "dark" # "a#b"

[keys]   # mine
runs.compare = "D" # compare

[keys.app]
report = "ctrl+s"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(MINE)
    return path


def changed_lines(old: str, new: str) -> list[str]:
    """The lines of the new text that the old one has not."""
    return [line for line in new.splitlines() if line not in old.splitlines()]


@pytest.mark.parametrize(
    ("name", "typed", "line"),
    [
        ("glyphs", "blocks", 'glyphs = "blocks"  # for the train'),
        ("theme", '"light"', 'theme = "light" # "a#b"'),
        ("smoothing_levels", "0, 0.5", "smoothing_levels = [0.0, 0.5]"),
        ("mouse", "false", "mouse = false"),
        ("bell", "nan, stalls", 'bell = ["nan", "stalls"]'),
        ("keys.runs.compare", "K, y d", 'runs.compare = "K, y d" # compare'),
        ("keys.app.report", "'", """report = "'\""""),
        ("keys.runs.sort", '"', 'runs.sort = "\\""'),
    ],
)
def test_one_line_is_another_and_all_else_stays(file: Path, name: str, typed: str, line: str) -> None:
    write_setting(name, typed, str(file))

    new = file.read_text()
    assert changed_lines(MINE, new) == [line]
    gone = [old for old in MINE.splitlines() if old not in new.splitlines()]
    assert len(gone) <= 4
    read_settings(str(file))


def test_what_is_set_is_read(file: Path) -> None:
    write_setting("smoothing", "0.25", str(file))
    write_setting("keys.runs.tag", "T", str(file))

    settings = read_settings(str(file))

    assert settings.smoothing == 0.25
    assert settings.keys == {"runs.compare": "D", "app.report": "ctrl+s", "runs.tag": "T"}


def test_what_is_taken_out_has_its_default_again(file: Path) -> None:
    write_setting("glyphs", None, str(file))
    write_setting("keys.app.report", None, str(file))
    write_setting("mouse", None, str(file))

    assert "for the train" not in file.read_text()
    settings = read_settings(str(file))
    assert (settings.glyphs, settings.keys) == ("auto", {"runs.compare": "D"})


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.toml"

    write_setting("mouse", "false", str(path))
    write_setting("keys.runs.sort", "z", str(path))

    assert path.read_text() == 'mouse = false\n\n[keys]\nruns.sort = "z"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o077 == 0


def test_a_linked_file_stays_where_it_is_with_its_mode(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(file)

    write_setting("mouse", "false", str(link))

    assert link.is_symlink()
    assert "mouse = false" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.toml", "settings.toml"]


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("glyfs", "ascii", "there is no setting 'glyfs'. Did you mean 'glyphs'?"),
        ("glyphs", "asci", "it takes auto, braille, blocks, ascii. Did you mean 'ascii'?"),
        ("smoothing", "1", "a number from 0 up to, not including, 1"),
        ("mouse", "yes", "true or false"),
    ],
)
def test_what_will_not_do_is_told_and_nothing_is_written(file: Path, name: str, typed: str, told: str) -> None:
    with pytest.raises(UsageError) as error:
        write_setting(name, typed, str(file))

    assert told in str(error.value)
    assert file.read_text() == MINE


def test_what_cannot_be_changed_alone_is_left_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('keys = {runs.sort = "q", runs.mark = "1"}\n')

    with pytest.raises(UsageError, match="cannot be changed there without changing more"):
        write_setting("keys.runs.sort", "z", str(path))

    assert path.read_text() == 'keys = {runs.sort = "q", runs.mark = "1"}\n'


def test_a_broken_file_a_folder_and_a_device_are_told(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("glyphs = ")

    for place, told in (("broken.toml", "not valid TOML"), ("", "cannot be read"), ("/dev/null", "is no file")):
        with pytest.raises(UsageError, match=told):
            write_setting("glyphs", "ascii", str(tmp_path / place) if place != "/dev/null" else place)


def test_a_full_disk_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(UsageError, match="cannot be written: No space left on device"):
        write_setting("glyphs", "blocks", str(file))

    assert file.read_text() == MINE
    assert os.listdir(file.parent) == ["settings.toml"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), st.text("abc. #=[]\"'\n\\", max_size=30))
def test_every_text_is_quoted_and_comments_stay(keys: str, comment: str) -> None:
    head = "".join(f"# {line}\n" for line in comment.splitlines())

    text = text_with(head + "mouse = true # m\n", "keys.runs.sort", toml_text(keys))

    assert text.startswith(head)
    assert parse_settings(text.encode(), "x") == Settings(keys={"runs.sort": keys})
