"""Where a copied text goes, and what is said of it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from mlbench.tui.clipboard import MOST_BYTES, NAME, copy_text, run_program, shell_line


def test_a_terminal_that_nothing_speaks_against_gets_it_alone(tmp_path: Path) -> None:
    sent: list[str] = []

    assert copy_text("abc", sent.append, str(tmp_path), environ={"TERM": "xterm-256color"}) == ""

    assert sent == ["abc"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"TERM": "linux"}, "console"),
        ({"TERM": "screen", "STY": "1.x"}, "screen"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7006"}, "this terminal"),
    ],
)
def test_a_doubtful_terminal_gets_it_and_a_file_that_only_the_user_reads(
    tmp_path: Path, environ: dict[str, str], why: str
) -> None:
    sent: list[str] = []

    said = copy_text("abc", sent.append, str(tmp_path / "cache"), environ=environ)

    path = tmp_path / "cache" / NAME
    assert path.read_text() == "abc"
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert said.startswith(f" to {path}, as ")
    assert why in said
    assert sent == ["abc"]


def test_a_long_text_is_written_too(tmp_path: Path) -> None:
    said = copy_text("x" * (MOST_BYTES + 1), lambda _text: None, str(tmp_path), environ={"TERM": "xterm"})

    assert "long" in said
    assert (tmp_path / NAME).stat().st_size == MOST_BYTES + 1


def test_in_tmux_it_goes_to_its_buffer_also_where_tmux_is_old(tmp_path: Path) -> None:
    ran: list[tuple[list[str], bytes]] = []

    def old_tmux(words: list[str], text: bytes) -> bool:
        ran.append((words, text))
        return "-w" not in words

    said = copy_text("ä", lambda _text: None, str(tmp_path), environ={"TMUX": "/tmp/x,1,0"}, run=old_tmux)

    assert said == " to tmux's buffer"
    assert ran[-1] == (["tmux", "load-buffer", "-"], "ä".encode())
    assert run_program(["/nonexistent/tmux"], b"") is False


def test_the_setting_is_obeyed_and_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    sent: list[str] = []

    assert copy_text("abc", sent.append, "", setting="osc52", environ={"TERM": "linux"}) == ""
    assert copy_text("abc", sent.append, str(tmp_path), setting="file", environ={}) == f" to {tmp_path / NAME}"
    assert copy_text("abc", sent.append, "", setting="file", environ={}) == " nowhere: no file can be written"
    assert sent == ["abc"]


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("status in ('running')", "\"status in ('running')\""),
        ("name = 'a' and b = '$HOME'", None),
        ("it's `id`", None),
        ("a'b!", None),
        ("lr = 0.1", "'lr = 0.1'"),
    ],
)
def test_a_command_is_quoted_so_that_it_can_be_read_and_means_the_same(word: str, quoted: str | None) -> None:
    line = shell_line(["mlbench", "query", word])

    assert shlex.split(line) == ["mlbench", "query", word]
    assert line == f"mlbench query {quoted or shlex.quote(word)}"
    assert subprocess.run(["sh", "-c", f"printf %s {line.split(' ', 2)[2]}"], capture_output=True, text=True,
                          check=True).stdout == word  # fmt: skip
