"""`mlbench plot` of histograms and PR curves, `mlbench export blobs`: on logs as torch and TF2 write them."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tensorboard.compat.proto import summary_pb2

from mlbench.wire.tfrecord import write_record
from tests.golden.check import check_golden
from tests.unit.cli.conftest import Done
from tests.unit.wire.event_messages import WALL_S, event, strings, tensor, value

Mlbench = Callable[..., Done]
HOSTILE = "\x1b[31mevil\n=cmd()|<b>\u202e"


def histogram(*counts: float) -> Any:
    n = len(counts)
    return summary_pb2.HistogramProto(min=-1, max=n, bucket_limit=[*range(n), 1.8e308], bucket=[*counts, 0])


def pr_curve(step: int) -> Any:
    tp, fp = np.array([8.0, 8, 6, 4, 2, 0]), np.array([4.0, 2, 1, 1, 0, 0]) + step
    fp[5] = 0
    rows = [tp, fp, 8 - fp, 8 - tp, tp / np.maximum(tp + fp, 1), tp / 8]
    return tensor("FLOAT", (6, 6), tensor_content=np.array(rows, np.float32).tobytes())


def write_log(folder: Path, *events: bytes) -> Path:
    folder.mkdir(parents=True)
    path = folder / "events.out.tfevents.1700000000.node1.1.0"
    path.write_bytes(b"".join(map(write_record, events)))
    return path


@pytest.fixture
def logs(mlbench: Mlbench, tmp_path: Path) -> Path:
    for run, shift in (("one", 0), ("two", 1)):
        write_log(
            tmp_path / "logs" / run,
            event(value("w", histo=histogram(1, 4 + shift, 2)), value("only", simple_value=1), step=10),
            event(value("w", histo=histogram(2, 8, 4 + shift)), step=20),
            event(value("pr", plugin="pr_curves", tensor=pr_curve(shift)), step=5),
            event(value("note", plugin="text", tensor=strings(b"hello", shape=())), step=1),
        )
    assert mlbench("ingest", "logs").code == 0
    return tmp_path / "logs"


def test_logged_histograms_and_pr_curves_look_as_they_did(mlbench: Mlbench, logs: Path) -> None:
    size = ("--width", "60", "--height", "12")
    last = mlbench("plot", "--kind", "hist", "-m", "w", "--in", "logs", *size)
    first = mlbench("plot", "--kind", "hist", "-m", "w", "--step", "10", "name = two", *size)
    curves = mlbench("plot", "-m", "pr", "--in", "logs", *size)

    assert (last.err, first.err, curves.err) == ("", "", "")
    check_golden("plot_logged.txt", f"{last.out}\n{first.out}\n{curves.out}")


def test_histograms_as_data(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("plot", "--kind", "hist", "-m", "w", "name = one", "--format", "json")

    assert json.loads(done.out) == [
        {"run": "one", "metric": "w", "step": 20, "left": -1.0, "right": 0.0, "count": 2.0},
        {"run": "one", "metric": "w", "step": 20, "left": 0.0, "right": 1.0, "count": 8.0},
        {"run": "one", "metric": "w", "step": 20, "left": 1.0, "right": 3.0, "count": 4.0},
    ]


def test_pr_curves_as_data(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("plot", "-m", "pr", "name = one", "--format", "csv")

    lines = done.out.splitlines()
    assert lines[:2] == [
        "run,metric,step,threshold,tp,fp,tn,fn,precision,recall",
        "one,pr,5,0.0,8.0,4.0,4.0,0.0,0.6666666865348816,1.0",
    ]
    assert len(lines) == 7


def test_pr_curves_as_svg(mlbench: Mlbench, logs: Path, tmp_path: Path) -> None:
    done = mlbench("plot", "-m", "pr", "--in", "logs", "--svg", "pr.svg")

    assert (done.code, done.err) == (0, "mlbench: pr.svg: 2 curves\n")
    assert "precision over recall" in (tmp_path / "pr.svg").read_text()


def test_numbers_and_histograms_are_drawn_together(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("plot", "--kind", "hist", "-m", "w", "-m", "only", "--in", "logs", "--width", "60")

    assert done.code == 0
    assert "w   one   step 20   n = 14" in done.out
    assert "only (last)   n = 2" in done.out


def test_several_pr_curves_are_told_apart_by_metric_and_step(mlbench: Mlbench, tmp_path: Path) -> None:
    curves = (("pr/a", 1), ("pr/b", 2))
    write_log(
        tmp_path / "many" / "r",
        *(event(value(tag, plugin="pr_curves", tensor=pr_curve(0)), step=step) for tag, step in curves),
    )
    mlbench("ingest", "many")

    done = mlbench("plot", "-m", "pr/*", "--in", "many", "--width", "90")

    assert "pr/a, pr/b: precision over recall" in done.out
    assert "r pr/a step 1" in done.out
    assert "r pr/b step 2" in done.out


def test_a_step_that_was_not_logged_is_told(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("plot", "--kind", "hist", "-m", "w", "--step", "7", "name = one")

    assert done.code == 3
    assert done.err == "mlbench: one: 'w' was not logged at step 7. Its steps go from 10 to 20\n"


def test_a_log_that_changed_is_told_and_the_others_are_drawn(mlbench: Mlbench, logs: Path) -> None:
    (path,) = (logs / "one").iterdir()
    path.write_bytes(bytes(path.stat().st_size))

    both = mlbench("plot", "--kind", "hist", "-m", "w", "--in", "logs", "--width", "60")
    alone = mlbench("plot", "-m", "pr", "name = one")

    assert both.code == 0
    assert "w   two   step 20" in both.out
    assert "The file holds other bytes than when it was ingested. Try: mlbench ingest" in both.err
    assert (alone.code, alone.out) == (3, "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-m", "w"), "'w' was logged as histograms, not as numbers. Try: --kind hist"),
        (("-m", "pr", "--kind", "hist"), "'pr' was logged as PR curves, not as numbers. Try: --kind line"),
        (("-m", "note"), "'note' was logged as texts, not as numbers. Try: mlbench export blobs -o FILE"),
        (("-m", "only", "--step", "1"), "--step is for histograms and PR curves, and 'only' is neither"),
        (("-m", "w", "--kind", "hist", "--svg", "x.svg"), "--svg means nothing with --kind hist."),
        (("-m", "only", "--all-steps", "--kind", "hist"), "--all-steps is for histograms, and 'only' is none"),
        (("-m", "v", "--kind", "hist"), "no metric 'v' in 2 runs."),
    ],
)
def test_what_cannot_be_drawn_is_a_mistake_with_a_way_out(
    mlbench: Mlbench, logs: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = mlbench("plot", *arguments, "--in", "logs")

    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_limit_counts_the_runs_that_have_the_histogram(mlbench: Mlbench, logs: Path) -> None:
    done = mlbench("plot", "--kind", "hist", "-m", "w", "--limit", "1", "--width", "60")

    assert done.out.count("   step 20   ") == 1
    assert done.err == "mlbench: 1 of 2 runs are drawn. Try: --limit, or a narrower filter\n"


def test_export_blobs_lists_places_that_hold_the_bytes(mlbench: Mlbench, logs: Path, tmp_path: Path) -> None:
    done = mlbench("export", "blobs", "name = one", "-o", "blobs.csv")

    rows = list(csv.DictReader(io.StringIO((tmp_path / "blobs.csv").read_text())))
    assert done.err == "mlbench: blobs.csv: 4 rows of 1 run\n"
    assert [(row["kind"], row["metric"], row["step"], row["encoding"]) for row in rows] == [
        ("histogram", "w", "10", "proto"),
        ("histogram", "w", "20", "proto"),
        ("pr_curve", "pr", "5", "tensor"),
        ("text", "note", "1", "utf-8"),
    ]
    text = rows[3]
    start, length = int(text["offset"]), int(text["length"])
    assert Path(text["path"]).read_bytes()[start : start + length] == b"hello"
    assert (text["root"], text["run"], float(text["wall_time"])) == (str(logs), "one", WALL_S)


@pytest.mark.parametrize("ending", ["json", "parquet", "tsv", "jsonl"])
def test_export_blobs_in_every_format(mlbench: Mlbench, logs: Path, tmp_path: Path, ending: str) -> None:
    assert mlbench("export", "blobs", "--in", "logs", "-o", f"b.{ending}").code == 0

    if ending == "parquet":
        assert pq.read_table(tmp_path / "b.parquet").column_names == [
            "root", "run", "kind", "metric", "step", "wall_time", "path", "offset", "length", "encoding", "width",
            "height", "digest",
        ]  # fmt: skip
    assert (tmp_path / f"b.{ending}").stat().st_size > 100


def test_hostile_names_reach_neither_terminal_nor_spreadsheet(mlbench: Mlbench, tmp_path: Path) -> None:
    write_log(
        tmp_path / "bad" / "r",
        event(value(HOSTILE, histo=histogram(1, 2))),
        event(value("=" + HOSTILE, plugin="pr_curves", tensor=pr_curve(0))),
    )
    mlbench("ingest", "bad")

    done = [
        mlbench("plot", "--kind", "hist", "-m", "*evil*", "--in", "bad", "--width", "90"),
        mlbench("plot", "-m", "=*", "--in", "bad", "--width", "90"),
        mlbench("plot", "-m", "=*", "--in", "bad", "--step", "77"),
        mlbench("show", "bad/r"),
    ]
    mlbench("export", "blobs", "--in", "bad", "-o", "b.csv")

    assert [one.code for one in done] == [0, 0, 3, 0]
    for text in [one.out + one.err for one in done]:
        assert "evil" in text
        assert "\x1b" not in text
        assert "\u202e" not in text
    rows = list(csv.reader(io.StringIO((tmp_path / "b.csv").read_text())))
    assert all(not cell.startswith(("=", "\x1b")) for row in rows for cell in row)


def test_histograms_that_are_none_are_told(mlbench: Mlbench, tmp_path: Path) -> None:
    broken = summary_pb2.HistogramProto(min=float("nan"), max=1, bucket_limit=[1], bucket=[1])
    write_log(tmp_path / "bad" / "r", event(value("w", histo=broken)))
    mlbench("ingest", "bad")

    done = mlbench("plot", "--kind", "hist", "-m", "w", "--in", "bad")

    assert (done.code, done.out) == (3, "")
    assert "'w' could not be read as a histogram: an edge of the histogram is NaN" in done.err


def test_a_histogram_of_nothing_is_said(mlbench: Mlbench, tmp_path: Path) -> None:
    write_log(tmp_path / "empty" / "r", event(value("w", histo=histogram(0, 0))))
    mlbench("ingest", "empty")

    done = mlbench("plot", "--kind", "hist", "-m", "w", "--in", "empty")

    assert (done.code, done.out.strip()) == (0, "w   r   step 0   n = 0   nothing to draw")


@pytest.mark.parametrize(
    "option", [("--group-by", "run.name"), ("--smooth", "0.5"), ("--trim",), ("--band", "sd"), ("--x", "relative")]
)
def test_pr_curves_have_no_steps_to_group_or_smooth(mlbench: Mlbench, logs: Path, option: tuple[str, ...]) -> None:
    alone = mlbench("plot", "-m", "pr", *option)
    with_numbers = mlbench("plot", "-m", "pr", "-m", "only", "--group-by", "run.name", *option)

    assert (alone.code, alone.out) == (2, "")
    assert f"{option[0]} means nothing for the PR curve 'pr'. Try it without {option[0]}" in alone.err
    assert with_numbers.code == 0
    assert "the PR curves are drawn without --group-by" in with_numbers.err


def test_pr_curves_leave_out_the_groups_of_a_view_with_a_word(mlbench: Mlbench, logs: Path) -> None:
    mlbench("views", "save", "grouped", "--group-by", "run.name")

    done = mlbench("plot", "-m", "pr", "--selection", "grouped", "--width", "60", "--height", "12")

    assert done.code == 0
    assert "the PR curves are drawn without the view's groups" in done.err


def test_one_svg_is_not_written_over_by_the_next(mlbench: Mlbench, logs: Path, tmp_path: Path) -> None:
    done = mlbench("plot", "-m", "pr", "-m", "only", "--svg", "both.svg")

    assert done.code == 2
    assert "--svg is one chart, 'only' and the PR curve 'pr' are two" in done.err
    assert not (tmp_path / "both.svg").exists()
