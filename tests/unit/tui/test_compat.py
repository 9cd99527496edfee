import io
import sys

import pytest

from mlbench.tui import compat


class Stream(io.TextIOWrapper):
    """A standard stream with an encoding."""


def test_a_locale_that_is_not_utf8_is_known_and_no_character_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    stream = Stream(raw, encoding="ascii")
    monkeypatch.setattr(sys, "__stdout__", stream)
    monkeypatch.setattr(sys, "__stderr__", None)

    is_other = compat.use_any_encoding()
    stream.write("⣿")
    stream.flush()

    assert is_other
    assert raw.getvalue() == b"?"


@pytest.mark.parametrize("encoding", ["utf-8", "UTF-8", "utf8"])
def test_utf8_is_known_by_any_of_its_names(encoding: str) -> None:
    assert compat.is_utf8(Stream(io.BytesIO(), encoding=encoding))


def test_a_fixed_size_is_forgotten() -> None:
    environ = {"COLUMNS": "80", "LINES": "24", "TERM": "xterm"}

    compat.forget_fixed_size(environ)

    assert environ == {"TERM": "xterm"}


def test_clean_text_is_kept_as_it_is() -> None:
    assert compat.clean_text("val/loss ⣿ 実験") == "val/loss ⣿ 実験"
