"""`mlbench plot --layout`: layouts as the tensorboard package writes them, and hostile ones."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorboard.plugins.custom_scalar import layout_pb2

from mlbench.wire.tfrecord import write_record
from tests.unit.cli.conftest import Done
from tests.unit.wire.event_messages import event, strings, value

Mlbench = Callable[..., Done]
SIZE = ("--width", "60", "--height", "9", "--in", "logs")
HOSTILE = "\x1b[31mevil\n<b>"


def multiline(title: str, *expressions: str) -> Any:
    return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=expressions))


def margin(title: str, *names: str) -> Any:
    series = layout_pb2.MarginChartContent.Series(value=names[0], lower=names[1], upper=names[2])
    return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))


def write_log(folder: Path, *charts: Any) -> None:
    layout = layout_pb2.Layout(category=[layout_pb2.Category(title="losses", chart=charts)])
    content = strings(layout.SerializeToString(), shape=())
    laid = value("custom_scalars__config__", plugin="custom_scalars", tensor=content)
    folder.mkdir(parents=True)
    names = {"loss/train": 1.0, "loss/val": 2.0, "acc": 9.0, "acc/low": 8.0, "acc/high": 10.0, "a" * 60: 0.0}
    rows = (event(*(value(name, simple_value=at + n) for name, at in names.items()), step=n) for n in range(3))
    records = b"".join(map(write_record, (event(laid, step=0), *rows)))
    (folder / "events.out.tfevents.1700000000.node1.1.0").write_bytes(records)


@pytest.fixture
def logs(mlbench: Mlbench, tmp_path: Path) -> Path:
    write_log(tmp_path / "logs" / "one", multiline("both", "loss/.*"), margin("accuracy", "acc", "acc/low", "acc/high"))
    assert mlbench("ingest", "logs").code == 0
    return tmp_path


def test_each_chart_draws_what_its_expressions_match(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("plot", "--layout", *SIZE)

    assert done.code == 0
    for text in ("losses/both", "losses/accuracy", "one loss/train", "one loss/val"):
        assert text in done.out
    assert "acc/low" not in done.out
    assert "░" in done.out.split("losses/accuracy")[1]
    assert "░" not in done.out.split("losses/accuracy")[0]


@pytest.mark.parametrize("name", ["both", "BOTH", "losses/b*"])
def test_a_chart_is_drawn_by_its_name(mlbench: Mlbench, logs: Path, name: str) -> None:
    done = mlbench("plot", "--layout", name, *SIZE)

    assert "losses/both" in done.out
    assert "accuracy" not in done.out


def test_a_name_that_no_chart_has_is_told_with_those_there_are(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("plot", "--layout", "bot", *SIZE)

    assert done.code == 2
    assert "'losses/both', 'losses/accuracy'" in done.err


def test_one_chart_can_be_an_svg_file_and_two_cannot(mlbench: Mlbench, logs: Path) -> None:
    one = mlbench("plot", "--layout", "accuracy", "--svg", "chart.svg", *SIZE)
    two = mlbench("plot", "--layout", "--svg", "two.svg", *SIZE)

    assert (one.code, two.code) == (0, 2)
    assert "losses/accuracy" in (logs / "chart.svg").read_text("utf-8")
    assert not (logs / "two.svg").exists()


def test_hostile_expressions_and_titles_do_no_harm(mlbench: Mlbench, tmp_path: Path) -> None:
    bad = ("(a+)+$!", "(?=look)", "x)|(acc", "(", "[", "", "y" * 2000)
    write_log(tmp_path / "logs" / "one", multiline(HOSTILE, *bad, "acc$"), margin("gone", "no", "acc", HOSTILE))
    mlbench("ingest", "logs")

    begun = time.process_time()
    done = mlbench("plot", "--layout", *SIZE)

    # re needs 2**60 steps for the first expression on the name of sixty letters.
    assert time.process_time() - begun < 30
    assert done.code == 0
    assert "\x1b[31m" not in done.out + done.err
    assert "no metric matches '(a+)+$!'" in done.err
    for expression in ("(?=look)", "x)|(acc", "(", "["):
        assert f"'{expression}' is no expression that RE2 knows" in done.err
    assert "an empty expression" in done.err
    assert "an expression of 2,000 characters" in done.err
    assert "no metric 'no'" in done.err
    assert "one" in done.out


def test_runs_without_a_layout_and_options_that_do_not_fit_are_told(mlbench: Mlbench, logs: Path) -> None:
    none = mlbench("plot", "--layout", "both", "--in", "logs", "name = other")
    both = mlbench("plot", "--layout", "both", "-m", "acc", *SIZE)

    step = mlbench("plot", "--layout", "--step", "1", *SIZE)
    kind = mlbench("plot", "--layout", "--kind", "matrix", *SIZE)

    assert (none.code, both.code, step.code, kind.code) == (0, 2, 2, 2)
    assert "--layout draws all steps" in step.err
    assert "--layout draws charts of its own" in kind.err
    assert "no run that matches has a layout" in none.err
    assert "--layout draws charts of its own" in both.err


def test_show_lists_the_charts_and_what_they_draw(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("show", "one", "--in", "logs", "--format", "table")

    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "losses both loss/train, loss/val" in lines
    assert "losses accuracy acc from acc/low to acc/high" in lines


def test_show_has_the_charts_as_rows(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("show", "one", "--in", "logs", "--format", "jsonl")

    rows = [row for row in map(json.loads, done.out.splitlines()) if row["section"] == "layouts"]
    assert [(row["key"], row["value"], row["detail"]) for row in rows[:2]] == [
        ("both", "loss/train, loss/val", "losses"), ("accuracy", "acc from acc/low to acc/high", "losses"),
    ]  # fmt: skip


def test_a_log_that_is_gone_is_told_by_show_and_plot(mlbench: Mlbench, logs: Path) -> None:
    (log,) = (logs / "logs" / "one").iterdir()
    log.write_bytes(b"")

    shown = mlbench("show", "one", "--in", "logs", "--format", "table")
    drawn = mlbench("plot", "--layout", *SIZE)

    assert (shown.code, drawn.code) == (0, 3)
    assert "offset 64: The file is shorter" in shown.err
    assert "drawn by mlbench plot" not in shown.out
    assert "offset 64: The file is shorter" in drawn.err
