"""`mlbench plot` refuses what it would leave out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.events import scalar_file
from tests.unit.cli.conftest import Done

Mlbench = Callable[..., Done]


SHAPE = (
    ("--smooth", "0.5"),
    ("--log-y",),
    ("--symlog-y",),
    ("--log-x",),
    ("--symlog-x",),
    ("--trim",),
    ("--band", "sd"),
)


@pytest.mark.parametrize("kind", ["hist", "bar", "box", "matrix"])
def test_what_is_for_curves_means_nothing_with_another_kind(mlbench: Mlbench, tmp_path: Path, kind: str) -> None:
    for option in (*SHAPE, ("--svg", "FILE"), ("--x", "relative")):
        done = mlbench("plot", "-m", "val/acc", "--kind", kind, *option)

        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"mlbench: {option[0]} means nothing with --kind {kind}. Try it without either")
    assert not (tmp_path / "FILE").exists()


def test_what_is_for_drawing_means_nothing_with_points(mlbench: Mlbench, tmp_path: Path) -> None:
    for option in (*SHAPE, ("--svg", "FILE"), ("--group-by", "optimizer")):
        done = mlbench("plot", "-m", "val/acc", "--format", "csv", *option)

        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"mlbench: {option[0]} means nothing with --format csv. Try it without either")
    assert not (tmp_path / "FILE").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--kind", "hist", "--group-by", "optimizer"), "--group-by means nothing with --kind hist"),
        (("--kind", "bar", "--group-by", "optimizer"), "--group-by means nothing with --kind bar"),
        (("--kind", "matrix", "--group-by", "optimizer"), "--group-by means nothing with --kind matrix"),
        (("--kind", "matrix", "--format", "json"), "--format means nothing with --kind matrix"),
        (("--kind", "matrix", "--step", "3"), "--step means nothing with --kind matrix"),
        (("--kind", "line", "--all-steps"), "--all-steps is for logged histograms. Try: --kind hist"),
        (("--kind", "hist", "--all-steps", "--step", "3"), "give either --step or --all-steps, not both"),
        (("--kind", "hist", "--all-steps", "--format", "csv"), "--all-steps means nothing with --format csv"),
    ],
)
def test_options_that_do_not_fit_are_refused(mlbench: Mlbench, arguments: tuple[str, ...], said: str) -> None:
    done = mlbench("plot", "-m", "val/acc", *arguments)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"mlbench: {said}")


def test_a_table_is_drawn_and_the_x_axis_of_points_may_be_another_metric(mlbench: Mlbench, tmp_path: Path) -> None:
    drawn = mlbench("plot", "-m", "val/acc", "long", "--format", "table", "--smooth", "0.5", "--svg", "FILE.svg")
    points = mlbench("plot", "-m", "val/acc", "long", "--format", "csv", "--x", "val/loss")

    assert drawn.code == 0
    assert (tmp_path / "FILE.svg").exists()
    assert {line.split(",")[1] for line in points.out.splitlines()[1:]} == {"val/acc", "val/loss"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plot", "-m", "val/acc", "--band", "sd"), "--band sd is for groups of runs. Try: --group-by SPEC"),
        (("plot", "-m", "val/acc", "--smooth-with", "mean"), "--smooth-with mean needs an amount. Try: --smooth 0.6"),
        (("plot", "-m", "val/acc", "--smooth-with", "ema"), "--smooth-with ema needs an amount"),
        (("report", "--smooth-with", "gaussian", "-o", "-"), "--smooth-with gaussian needs an amount"),
    ],
)
def test_what_needs_another_option_says_which(mlbench: Mlbench, arguments: tuple[str, ...], said: str) -> None:
    done = mlbench(*arguments)

    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_an_amount_of_none_may_have_a_way(mlbench: Mlbench) -> None:
    raw = mlbench("plot", "-m", "val/acc", "long/w128-seed1")

    assert mlbench("plot", "-m", "val/acc", "long/w128-seed1", "--smooth", "0", "--smooth-with", "mean") == raw
    assert raw.code == 0


def test_where_no_curve_matches_no_axes_are_drawn(mlbench: Mlbench, tmp_path: Path) -> None:
    for kind in ("line", "hist", "bar", "box"):
        done = mlbench("plot", "-m", "val/acc", "no-such-run", "--kind", kind)

        assert (done.code, done.out) == (0, "")
        assert "no run with these metrics matches" in done.err
    assert "0 curves" in mlbench("plot", "-m", "val/acc", "no-such-run", "--svg", "FILE.svg").err
    assert "no curves" in (tmp_path / "FILE.svg").read_text()


def test_curves_and_boxes_may_be_grouped_by_setting(mlbench: Mlbench) -> None:
    grouped = mlbench("plot", "-m", "val/acc", "long", "--group-by", "setting", "--width", "100")
    beside = mlbench("plot", "-m", "val/acc", "sweep/adam", "--group-by", "setting, lr", "--width", "160")
    ignored = mlbench("plot", "-m", "val/acc", "sweep and lr < 1", "--group-by", "setting", "--ignore", "width", "--ignore",
                      "lr", "--kind", "box")  # fmt: skip
    nothing = mlbench("plot", "-m", "val/acc", "sweep", "--group-by", "optimizer", "--ignore", "width")

    assert "all runs (n=2)" in grouped.out
    assert "runs that differ only in" in grouped.err
    assert "lr=0.01 width=16 lr=0.01 (n=3)" in beside.out
    assert ignored.out.count("██") > 0
    assert "sgd" in ignored.out
    assert (nothing.code, nothing.out) == (2, "")
    assert "--ignore says what makes no other setting. Try: --group-by setting --ignore" in nothing.err


def test_m_chooses_among_confusion_matrices(mlbench: Mlbench) -> None:
    size = ("long/w128-seed1", "--width", "100")
    every = mlbench("plot", "--kind", "matrix", *size)
    chosen = mlbench("plot", "--kind", "matrix", "-m", "confusion*", *size)
    numbers = mlbench("plot", "--kind", "matrix", "-m", "val/acc", *size)
    unknown = mlbench("plot", "--kind", "matrix", "-m", "confusion_matrx", *size)

    assert "confusion_matrix" in every.out
    assert chosen.out == every.out
    assert (numbers.code, unknown.code) == (2, 2)
    assert "'val/acc' was logged as numbers, not as confusion matrices. Try: --kind line" in numbers.err
    assert "Did you mean 'confusion_matrix'?" in unknown.err


def test_one_of_a_thing_is_said_in_the_singular(mlbench: Mlbench) -> None:
    one = "long/w128-seed1"

    assert mlbench("plot", "-m", "val/acc", one, "--svg", "a.svg").err.endswith("a.svg: 1 curve\n")
    assert mlbench("export", "runs", one, "-o", "a.csv").err.endswith("a.csv: 1 row of 1 run\n")
    assert "a.md: 1 run" in mlbench("report", one, "-o", "a.md").err
    assert "1 runs" not in mlbench("report", one, "-o", "b.md").err


def test_an_html_report_says_that_its_markdown_is_to_be_checked(mlbench: Mlbench) -> None:
    mlbench("report", "long", "-o", "a.html")
    mlbench("report", "long", "--inline-text", "-o", "a.md")

    page = mlbench("report", "--check", "-o", "a.html")
    text = mlbench("report", "--check", "-o", "a.md")

    assert page.code == 2
    assert "an HTML report does not hold what it was made from. Try: mlbench report --check -o FILE.md" in page.err
    assert text.code == 0
    assert "nothing has changed since" in text.err


def test_runs_without_the_metric_are_told(mlbench: Mlbench, tmp_path: Path) -> None:
    for name, metrics in (("a", "ab"), ("b", "b"), ("c", "c")):
        scalars = {metric: [(0, 1.0), (1, 0.5)] for metric in metrics}
        scalar_file(tmp_path / "logs" / f"bare-{name}" / "events.out.tfevents.1700000000.host", scalars)
    assert mlbench("ingest", "logs").code == 0

    some = mlbench("plot", "-m", "a", "-m", "b", "bare-")
    every = mlbench("plot", "-m", "b", "bare-b")

    assert some.err.splitlines()[:2] == ["mlbench: 2 of 3 runs have no a", "mlbench: 1 of 3 runs has no b"]
    assert every.err == ""
