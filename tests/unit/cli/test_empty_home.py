"""Where nothing has been ingested this is said once, and nothing else that only follows from it."""

from pathlib import Path

import pytest

from mlbench.main import run

EMPTY = "mlbench: nothing has been ingested yet. Try: mlbench ingest DIR\n"


@pytest.fixture
def nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MLBENCH_TRACEBACK", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "abc"), 2),
        (("show", "#3"), 2),
        (("diff", "a", "b"), 2),
        (("diff", "--where", "lr > 0", "--verdict"), 2),
        (("compare", "a", "b"), 2),
        (("tag", "abc", "+x"), 2),
        (("archive", "--where", "lr > 0"), 0),
        (("forget", "--where", "lr > 0", "--yes"), 0),
        (("plot", "-m", "loss"), 0),
        (("plot", "--kind", "matrix"), 0),
        (("plot", "--layout"), 0),
        (("metric",), 0),
    ],
)
def test_an_empty_home_is_all_that_is_said(
    nothing: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int
) -> None:
    assert run(arguments) == code
    said = capsys.readouterr()
    assert said.err == EMPTY
    assert arguments[0] != "plot" or not said.out


def test_what_was_typed_wrong_is_said_also_of_an_empty_home(nothing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(("query", "lr <")) == 2
    assert "column" in capsys.readouterr().err


def test_quiet_says_what_went_wrong(nothing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(("show", "abc", "--quiet")) == 2
    assert "there are no runs yet" in capsys.readouterr().err
