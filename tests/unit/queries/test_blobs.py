"""Places of what was logged besides numbers, and histograms and PR curves read from them."""

import hashlib
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.custom_scalar import layout_pb2

from mlbench.queries.answers import ProblemLine
from mlbench.queries.blobs import (
    MAX_READ_BYTES,
    BlobPlace,
    decode_place,
    export_places,
    fetch_histograms,
    fetch_places,
    fetch_pr_curves,
    read_place,
)
from mlbench.queries.heads import fetch_heads
from mlbench.safe import text_of_path
from mlbench.wire.histograms import Histogram
from mlbench.wire.layouts import LayoutChart
from tests.unit.queries.conftest import FakeReader
from tests.unit.wire.event_messages import tensor


def histogram(count: float) -> bytes:
    return bytes(summary_pb2.HistogramProto(min=0, max=1, bucket_limit=[1], bucket=[count]).SerializeToString())


class Log:
    """One run with one log, whose blobs lie one behind the other."""

    def __init__(self, folder: Path, name: str = "a") -> None:
        self.reader = FakeReader()
        self.path = folder / "events.bin"
        self.path.write_bytes(b"")
        self.run_id = self.reader.add_run(name, root="/", run_key=name, path=f"/{name}")

    def add(self, content: bytes, *, kind: str = "histogram", metric: str = "w", step: int = 0, **fields: Any) -> None:
        offset = self.path.stat().st_size
        with self.path.open("ab") as file:
            file.write(content)
        usual = {"run_id": self.run_id, "kind": kind, "metric": metric, "step": step, "wall_s": 1000.0 + step,
                 "seq": offset, "path": text_of_path(str(self.path)), "byte_offset": offset,
                 "byte_length": len(content), "encoding": "proto", "width": 0, "height": 0,
                 "digest": hashlib.blake2b(content, digest_size=8).hexdigest()}  # fmt: skip
        self.reader.add("blob", **{**usual, **fields})

    def counts(self, step: int | None = None) -> list[tuple[int, float]]:
        answer = fetch_histograms(self.reader, [self.run_id], ["w"], step=step)
        assert answer.problems == ()
        return [(place.step, float(found.counts.sum())) for place, found in answer.items]

    def problems(self, **asked: Any) -> list[str]:
        answer = fetch_histograms(self.reader, [self.run_id], ["w"], **asked)
        assert answer.items == ()
        return [problem.what for problem in answer.problems]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    folder = tmp_path / "root" / "a"
    folder.mkdir(parents=True)
    return Log(folder)


def test_places_come_by_metric_kind_and_order_of_the_log(log: Log) -> None:
    log.add(b"x", kind="image", metric="z", step=3, encoding="png", width=4, height=5)
    log.add(histogram(1), step=2)
    log.add(histogram(2), step=1)

    places = fetch_places(log.reader, [log.run_id, log.run_id])

    assert [(p.kind, p.metric, p.step, p.offset) for p in places] == [
        ("histogram", "w", 2, 1),
        ("histogram", "w", 1, 1 + len(histogram(1))),
        ("image", "z", 3, 0),
    ]
    assert places[2] == BlobPlace(
        fetch_heads(log.reader, [log.run_id])[0], "image", "z", 3, 1003.0, 0, str(log.path), 0, 1, "png", 4, 5,
        hashlib.blake2b(b"x", digest_size=8).hexdigest(),
    )  # fmt: skip


def test_places_are_chosen_by_kind_and_metric(log: Log) -> None:
    log.add(b"x", kind="image", metric="z")
    log.add(b"y", kind="text", metric="z")
    log.add(histogram(1))

    assert [p.kind for p in fetch_places(log.reader, [log.run_id], metrics=["z"])] == ["image", "text"]
    assert [p.metric for p in fetch_places(log.reader, [log.run_id], kinds=["histogram"])] == ["w"]
    assert fetch_places(log.reader, [log.run_id], kinds=["text"], metrics=["w"]) == ()


def test_the_export_has_a_row_for_each_place_and_no_time_where_there_is_none(log: Log) -> None:
    log.add(b"xyz", kind="image", metric="z", step=3, wall_s=math.nan, encoding="png", width=4, height=5)

    statement = export_places(log.reader, [log.run_id])

    assert log.reader.rows(statement.text, statement.parameters) == [
        ("/", "a", "image", "z", 3, None, str(log.path), 0, 3, "png", 4, 5,
         hashlib.blake2b(b"xyz", digest_size=8).hexdigest())
    ]  # fmt: skip


def test_the_last_step_is_read_by_default_or_the_one_asked_for(log: Log) -> None:
    for step in (0, 5, 9):
        log.add(histogram(step + 1), step=step)

    assert log.counts() == [(9, 10.0)]
    assert log.counts(5) == [(5, 6.0)]


def test_of_a_step_that_was_logged_twice_the_later_one_counts(log: Log) -> None:
    log.add(histogram(1), step=5)
    log.add(histogram(2), step=5)

    assert log.counts() == [(5, 2.0)]
    assert log.counts(5) == [(5, 2.0)]


def test_what_a_restart_replaced_is_not_the_last_but_can_be_asked_for(log: Log) -> None:
    for step in (0, 5, 9, 3):
        log.add(histogram(step + 1), step=step)

    assert log.counts() == [(3, 4.0)]
    assert log.counts(9) == [(9, 10.0)]


def test_a_step_that_was_not_logged_is_said_with_those_that_were(log: Log) -> None:
    log.add(histogram(1), step=2)
    log.add(histogram(1), step=7)

    answer = fetch_histograms(log.reader, [log.run_id], ["w"], step=3)

    what = "'w' was not logged at step 3. Its steps go from 2 to 7"
    assert answer.problems == (ProblemLine("a", "", what, "", log.run_id),)


def test_pr_curves_are_read(log: Log) -> None:
    rows = np.array([[2, 0], [1, 0], [0, 1], [0, 2], [2 / 3, 0], [1, 0]], np.float32)
    message = tensor("FLOAT", (6, 2), tensor_content=rows.tobytes()).SerializeToString()
    log.add(message, kind="pr_curve", metric="pr", encoding="tensor")

    ((place, curve),) = fetch_pr_curves(log.reader, [log.run_id], ["pr"]).items

    assert (place.metric, curve.recall.tolist(), curve.n_defined) == ("pr", [1.0, 0.0], 1)


def test_any_place_is_decoded_by_its_kind_or_told(log: Log) -> None:
    layout = layout_pb2.Layout(category=[layout_pb2.Category(title="c", chart=[layout_pb2.Chart(title="t")])])
    log.add(histogram(3), metric="a")
    log.add(layout.SerializeToString(), kind="layout", metric="b")
    log.add("größer".encode(), kind="text", metric="c", encoding="utf-8")
    log.add(b"PNG", kind="image", metric="d", encoding="png")

    found, charts, rows, image = (decode_place(place) for place in fetch_places(log.reader, [log.run_id]))

    assert isinstance(found, Histogram)
    assert found.counts.tolist() == [3.0]
    assert charts == (LayoutChart("c", "t"),)
    assert rows == (("größer",),)
    assert isinstance(image, ProblemLine)
    assert image.what == "What was logged as 'image' is not decoded"


def test_a_file_that_is_gone_is_a_problem(log: Log) -> None:
    log.add(histogram(1))
    log.path.unlink()

    (problem,) = fetch_histograms(log.reader, [log.run_id], ["w"]).problems

    assert problem == ProblemLine(
        str(log.path), "offset 0", "The file could not be read: No such file or directory",
        "It was there when it was ingested", log.run_id,
    )  # fmt: skip


def test_a_file_that_became_shorter_is_a_problem(log: Log) -> None:
    log.add(histogram(1))
    log.path.write_bytes(histogram(1)[:-1])

    assert log.problems() == ["The file is shorter than when it was ingested"]


def test_a_file_with_other_bytes_is_a_problem(log: Log) -> None:
    log.add(histogram(1))
    log.path.write_bytes(histogram(2))

    assert log.problems() == ["The file holds other bytes than when it was ingested"]


def test_bytes_whose_digest_nobody_saw_are_read(log: Log) -> None:
    log.add(histogram(3), digest="")

    assert log.counts() == [(0, 3.0)]


def test_bytes_that_are_no_histogram_are_a_problem(log: Log) -> None:
    log.add(histogram(-1))

    assert log.problems() == [
        "'w' could not be read as a histogram: a count of the histogram is negative or not finite"
    ]


def test_a_pipe_in_place_of_the_file_is_a_problem_and_does_not_block(log: Log) -> None:
    log.add(histogram(1))
    log.path.unlink()
    os.mkfifo(log.path)

    assert log.problems() == ["The file could not be read: it is not a regular file"]


@pytest.mark.parametrize(
    "fields", [{"path": "/a\\x00b"}, {"byte_offset": -1}, {"byte_offset": 2**63 - 1}, {"path": ""}]
)
def test_places_that_no_file_has_are_problems(log: Log, fields: dict[str, Any]) -> None:
    log.add(histogram(1), **fields)

    assert len(log.problems()) == 1


def test_a_place_of_more_than_64_mib_is_not_read(log: Log) -> None:
    log.add(b"", byte_length=MAX_READ_BYTES + 1)

    assert log.problems() == ["67,108,865 bytes are not read, only up to 64 MiB"]


def test_a_path_that_is_no_utf8_is_read(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    log = Log(folder, name="caf")
    log.add(histogram(4))

    assert log.counts() == [(0, 4.0)]


def test_a_negative_length_reads_nothing_but_is_never_trusted(log: Log) -> None:
    log.add(histogram(1), byte_length=-1)

    (place,) = fetch_places(log.reader, [log.run_id])

    assert isinstance(read_place(place), ProblemLine)
