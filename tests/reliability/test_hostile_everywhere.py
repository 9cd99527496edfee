"""What strangers named acts nowhere: every command and format, files, and the workbench in a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.hostile import PAYLOADS, SINKS, acting, in_own_process, in_terminal


def test_no_payload_acts_in_any_command_format_or_pane(tmp_path: Path) -> None:
    shown = in_own_process(tmp_path, every=12)

    assert shown.acting == []
    assert shown.n_sinks == len(SINKS) >= 40

    seen = in_terminal(tmp_path)
    assert seen.acting == []
    assert seen.n_sinks >= 40


def test_there_are_enough_payloads() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 30


@pytest.mark.parametrize(
    ("text", "sink"),
    [("a\x1b[2J", ("query",)), ("a\u202eb", ("query",)), ("x\n=1+1,2\n", ("query", "--format", "csv")),
     ("<script>", ("report", "-o", "out.html")), ("[x](http://evil)", ("report", "-o", "-")), ("\\input{x}", ("query", "--format", "latex")),
     ("<img src=x onerror=y>", ("query", "--format", "markdown"))],
)  # fmt: skip
def test_what_acts_is_found(text: str, sink: tuple[str, ...]) -> None:
    assert acting(text, sink)
