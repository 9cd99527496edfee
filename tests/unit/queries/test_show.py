"""Promises of the description of one run, and of the list of problems."""

from datetime import datetime

import pytest

from mlbench.errors import UsageError
from mlbench.queries.answers import BlobHead, LayeredParam, NoteText, ProblemLine, SeriesHead, SourceLine
from mlbench.queries.show import describe_run, list_problems
from tests.unit.queries.conftest import NOW_S, FakeReader, run_id_of


def test_fields_that_are_known_stand_in_their_order(reader: FakeReader) -> None:
    answer = describe_run(reader, run_id_of("sweep/0"))

    assert answer.head.name == "sweep/0"
    assert answer.fields == (
        ("id", run_id_of("sweep/0")), ("name", "sweep/0"), ("project", "digits"), ("group", "sweep"),
        ("status", "finished"), ("started", datetime.fromisoformat("2026-11-23T12:00")), ("ended", datetime.fromisoformat("2026-11-23T12:10")),
        ("duration", 600.0), ("user", "ada"), ("host", "node0"), ("command", "python train.py --lr 0.001"),
        ("path", "/runs/sweep/0"), ("root", "/runs"), ("adapters", "tensorboard"), ("n_metrics", 3), ("n_points", 9),
        ("status_how", "recorded"),
    )  # fmt: skip


def test_every_layer_of_a_parameter_is_told_the_strongest_first(empty: FakeReader) -> None:
    run = empty.add_run("a")
    empty.add_param(run, "lr", 1, layer="default", is_effective=False)
    empty.add_param(run, "lr", "0.1", layer="config", is_effective=False)
    empty.add_param(run, "lr", 0.2, layer="cli")
    empty.add_param(run, "amp", True)

    assert [(p.key, p.value, p.layer, p.is_effective) for p in describe_run(empty, run).params] == [
        ("amp", True, "config", True), ("lr", 0.2, "cli", True), ("lr", "0.1", "config", False), ("lr", 1, "default", False),
    ]  # fmt: skip
    assert describe_run(empty, run).params[0] == LayeredParam(
        "amp", "True", True, "config", "config.yaml", 1, is_effective=True
    )


def test_metrics_are_summarised_those_that_matter_first(reader: FakeReader) -> None:
    metrics = describe_run(reader, run_id_of("sweep/0")).metrics

    assert [metric.metric for metric in metrics] == ["val/loss", "acc", "train/loss"]
    assert metrics[0] == SeriesHead(
        "val/loss", n=3, n_raw=3, first_step=0, last_step=2, last=0.25, min=0.2, min_step=1, max=0.9, max_step=0, n_nan=0,
        n_inf=0, n_repeat=0, n_back=0, source_run=".", source_metric="val/loss", goal="min",
    )  # fmt: skip


def test_everything_else_that_is_known_is_told(empty: FakeReader) -> None:
    run = empty.add_run("a")
    for step in (5, 1):
        empty.add("blob", run_id=run, kind="image", metric="matrix", step=step, encoding="png", byte_length=10 * step)
    empty.add("code", run_id=run, commit_id="weak", how="guess")
    empty.add("code", run_id=run, commit_id="sure", how="recorded", is_dirty=True, committed_s=0.5, remote="")
    empty.add("environment", run_id=run, key="python", value="3.11")
    empty.add("data_version", run_id=run, system="dvc", name="d", version="v1", n_rows=1797, is_pinned=True)
    empty.add("data_version", run_id=run, system="lakefs", name="e", version="main", is_pinned=False)
    empty.add("imported_tag", run_id=run, key="k", value=None)
    empty.add("imported_note", run_id=run, body="theirs")
    empty.add("word_note", run_key="/runs/a", body="mine", author="ada", at_s=NOW_S)
    empty.add("source", source_id=1, run_ids=[run, "other"], adapter="tensorboard", path="/runs/a/f", status="eof",
              n_records=7, size_bytes=99)  # fmt: skip
    empty.add("source", source_id=2, run_ids=["other"], adapter="tensorboard", path="/runs/b/f", status="eof")
    empty.add("problem", run_id=run, source_path="/runs/a/f", what="2 records had a bad checksum")

    answer = describe_run(empty, run)

    assert answer.blobs == (BlobHead("image", "matrix", 2, 1, 5, "png", 60),)
    assert answer.code == (
        ("commit", "sure"), ("dirty", True), ("how", "recorded"), ("committed", datetime.fromisoformat("1970-01-01T00:00:00.5")),
    )  # fmt: skip
    assert answer.environment == (("python", "3.11"),)
    assert answer.data == (("d", "dvc v1, 1,797 rows"), ("e", "lakefs main (not pinned)"))
    assert answer.imported_tags == (("k", ""),)
    assert answer.notes == (NoteText("theirs", "", None, "imported"), NoteText("mine", "ada", NOW_S, "mlbench"))
    assert answer.sources == (SourceLine("/runs/a/f", "tensorboard", "eof", 7, 99),)
    assert answer.problems == (ProblemLine("/runs/a/f", "", "2 records had a bad checksum", "", run),)


def test_a_bare_run_has_empty_sections(empty: FakeReader) -> None:
    answer = describe_run(empty, empty.add_run("a"))

    assert (answer.params, answer.metrics, answer.code, answer.data, answer.notes, answer.sources) == ((),) * 6


def test_a_run_that_is_not_there_is_told(empty: FakeReader) -> None:
    with pytest.raises(UsageError, match="no run has the id 'x'"):
        describe_run(empty, "x")


def test_problems_are_listed_by_path_and_by_scope(empty: FakeReader) -> None:
    run = empty.add_run("a", path="/runs/a")
    empty.add("problem", run_id=run, source_path="/elsewhere/f", place="line 2", what="bad", hint="look")
    empty.add("problem", source_path="/runs/c/f", what="unreadable")
    for _twice in range(2):
        empty.add("problem", source_path="/other/f", what="unreadable")

    assert [problem.path for problem in list_problems(empty)] == ["/elsewhere/f", "/other/f", "/runs/c/f"]
    assert list_problems(empty, ["/runs"]) == (
        ProblemLine("/elsewhere/f", "line 2", "bad", "look", run),
        ProblemLine("/runs/c/f", "", "unreadable", ""),
    )
