"""What must be the same on every machine for screens to be the same."""

import os

import pytest

TERMINAL = ("NO_COLOR", "COLORFGBG", "TMUX", "STY", "VTE_VERSION", "TERM_PROGRAM")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR, Textual's own variables and the light-ground hint change what is drawn; tmux takes what is copied."""
    for name in [*os.environ]:
        if (name.startswith("TEXTUAL_") and "SNAPSHOT" not in name) or name in TERMINAL:
            monkeypatch.delenv(name)
