from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlbench.adapters import neptune_export, neptune_offline
from mlbench.model import Artifact, DataVersion, Environment, Fact, ImportedTag, Param, ReadStatus, Source
from mlbench.wire.jsonlog import utc_seconds
from tests.paths import FORMATS, needs_formats
from tests.unit.adapters.reading import (
    assert_params,
    claims_below,
    cursor_of,
    expected,
    fields_of,
    params_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)

FOLDER = "run__f9330c39__1__abc"
ABOUT = '{"mode": "offline", "containerType": "run"}'


def tags_of(facts: list[Fact]) -> list[str]:
    return [fact.key for fact in facts if isinstance(fact, ImportedTag)]


def operation(kind: str, path: str, **content: object) -> str:
    return json.dumps({"obj": {"type": kind, "path": path.split("/"), **content}, "version": 1, "at": 1.0})


def offline(folder: Path, *operations: str) -> Path:
    return write(folder, {f"{FOLDER}/metadata.json": ABOUT, f"{FOLDER}/data-1.log": "\n".join(operations)})


@needs_formats
def test_every_key_of_the_expected_exports_is_equal() -> None:
    wanted: Any = expected("neptune")["exports"]
    runs = {}
    for claim in claims_below(neptune_export.ADAPTER, FORMATS / "neptune"):
        facts = read(neptune_export.ADAPTER, claim)
        (identity,) = [fact.value for fact in facts if isinstance(fact, Environment) and fact.key == "neptune_id"]
        runs[identity] = facts

    assert len(runs) == wanted["runs"]
    assert runs.keys() == wanted["runs_detail"].keys()
    for name, want in wanted["runs_detail"].items():
        facts = runs[name]
        fields, (scale,) = fields_of(facts), [fact.value for fact in facts if isinstance(fact, Param)
                                              and fact.key == "neptune.steps_per_unit"]  # fmt: skip
        assert problems_of(facts) == []
        assert fields["project"] == wanted["project"]
        assert fields["started"] == utc_seconds(want["created"])
        assert tags_of(facts) == want["tags"]
        assert params_of(facts).keys() - {"neptune.steps_per_unit"} == want["params"].keys()
        assert_params(facts, want["params"])
        assert {fact.name: fact.uri for fact in facts if isinstance(fact, Artifact)} == want["files"]
        assert scale == 10
        assert series_of(facts) == {
            metric: (one["n"], one["first_step"] * scale, one["last_step"] * scale, one["last_value"])
            for metric, one in want["series"].items()
        }


@needs_formats
def test_every_key_of_the_expected_offline_run_is_equal() -> None:
    want: Any = expected("neptune")["offline"]

    facts = read_only_claim(neptune_offline.ADAPTER, FORMATS / "neptune")

    fields = fields_of(facts)
    assert cursor_of(facts).n_records == want["operations"]
    assert cursor_of(facts).status is ReadStatus.EOF
    assert Environment("neptune_id", want["id"]) in facts
    assert params_of(facts).keys() == want["params"].keys()
    assert_params(facts, want["params"])
    assert tags_of(facts) == want["tags"]
    assert ("status" in fields) == want["failed"]
    assert (fields["host"], fields["entry_point"]) == (want["hostname"], want["entry_point"])
    assert series_of(facts) == {
        name: (one["n"], one["first_step"], one["last_step"], one["last_value"]) for name, one in want["series"].items()
    }


@needs_formats
def test_the_rows_of_the_export_are_those_that_were_counted() -> None:
    wanted: Any = expected("neptune")["exports"]

    counts = [
        pq.read_metadata(claim.path).num_rows for claim in claims_below(neptune_export.ADAPTER, FORMATS / "neptune")
    ]

    assert counts == [wanted["rows_per_file"]] * wanted["runs"]


def parts(folder: Path) -> list[Path]:
    """The example's run in three parts."""
    neptune_export.example(str(folder))
    (first,) = folder.glob("*.parquet")
    table = pq.read_table(first)
    places = [Path(str(first).replace("_part_0", f"_part_{number}")) for number in range(3)]
    for number, place in enumerate(places):
        pq.write_table(table.slice(number * 3, 3), place)
    return places


def test_the_parts_of_a_run_are_read_in_their_order(tmp_path: Path) -> None:
    parts(tmp_path)

    facts = read_only_claim(neptune_export.ADAPTER, tmp_path)

    assert points_of(facts, "metrics/loss") == [(5, 1.0), (10, 0.5), (15, 1 / 3), (20, 0.25)]
    assert params_of(facts)["amp"] is True


def test_a_run_without_its_first_part_is_still_being_written(tmp_path: Path) -> None:
    parts(tmp_path)[0].unlink()

    assert claims_below(neptune_export.ADAPTER, tmp_path) == []


def test_parquet_of_something_else_is_left_alone(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "data_part_0.parquet")

    assert claims_below(neptune_export.ADAPTER, tmp_path) == []


def test_a_part_that_was_cut_is_told(tmp_path: Path) -> None:
    second = parts(tmp_path)[1]
    second.write_bytes(second.read_bytes()[:-20])

    facts = read_only_claim(neptune_export.ADAPTER, tmp_path)

    assert len(problems_of(facts)) == 1
    assert cursor_of(facts).status is ReadStatus.DAMAGED


def test_later_operations_change_what_earlier_ones_said(tmp_path: Path) -> None:
    folder = offline(
        tmp_path,
        operation("AssignFloat", "params/lr", value=0.1),
        operation("AssignFloat", "params/lr", value=0.2),
        operation("AddStrings", "sys/tags", values=["a", "b", "a"]),
        operation("RemoveStrings", "sys/tags", values=["a"]),
        operation("AssignString", "gone", value="x"),
        operation("DeleteAttribute", "gone"),
        operation("AssignBool", "sys/failed", value=True),
        operation("UploadFile", "model/best", file_path="/data/best.pt"),
    )

    facts = read_only_claim(neptune_offline.ADAPTER, folder)

    assert params_of(facts) == {"lr": 0.2}
    assert tags_of(facts) == ["b"]
    assert fields_of(facts)["status"] == "failed"
    assert Artifact("file", "model/best", "/data/best.pt", role="output") in facts


def test_numbers_without_a_step_are_counted_and_fractions_are_told_in_parts(tmp_path: Path) -> None:
    entries = [{"value": 1.0, "step": 0.25}, {"value": 2.0, "step": None}, {"value": "NaN", "step": 2}]
    folder = offline(tmp_path, operation("LogFloats", "loss", values=entries))

    facts = read_only_claim(neptune_offline.ADAPTER, folder)

    assert [step for step, _value in points_of(facts, "loss")] == [25, 125, 200]
    assert params_of(facts) == {"neptune.steps_per_unit": 100}


def test_the_tenth_log_comes_behind_the_ninth(tmp_path: Path) -> None:
    logs = {f"{FOLDER}/data-{number}.log": operation("AssignInt", "params/n", value=number) for number in (9, 10)}
    folder = write(tmp_path, {f"{FOLDER}/metadata.json": ABOUT, **logs})

    assert params_of(read_only_claim(neptune_offline.ADAPTER, folder)) == {"n": 10}


@pytest.mark.parametrize(
    ("tail", "status", "n_problems"),
    [
        ('\n{"obj": {"type": "Assi', ReadStatus.TRUNCATED, 0),
        ('\n{broken}\n{"obj": {"type": "AssignInt", "path": ["a"], "value": 1}}', ReadStatus.DAMAGED, 1),
        ("\0\0\0\n", ReadStatus.EOF, 0),
    ],
)
def test_how_the_log_ends_is_told(tmp_path: Path, tail: str, status: ReadStatus, n_problems: int) -> None:
    folder = offline(tmp_path, operation("AssignFloat", "params/lr", value=0.1) + tail)

    facts = read_only_claim(neptune_offline.ADAPTER, folder)

    assert params_of(facts)["lr"] == 0.1
    assert cursor_of(facts).status is status
    assert len(problems_of(facts)) == n_problems


def test_a_folder_with_a_log_of_another_program_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"data-1.log": "hello", "metadata.json": "{}"})

    assert claims_below(neptune_offline.ADAPTER, tmp_path) == []
    assert os.listdir(tmp_path)


def test_tracked_files_of_an_offline_run_are_data(tmp_path: Path) -> None:
    folder = offline(
        tmp_path,
        operation("TrackFilesToArtifact", "data/train", project_id="p", entries=[["s3://bucket/train.csv", None]]),
        operation("AssignArtifact", "data/valid", hash="9f86d081884c"),
        operation("TrackFilesToArtifact", "data/gone", project_id="p", entries=[["x.csv", None]]),
        operation("ClearArtifact", "data/gone"),
    )

    facts = read_only_claim(neptune_offline.ADAPTER, folder)

    assert [fact for fact in facts if isinstance(fact, DataVersion)] == [
        DataVersion("neptune", "data/train", "", is_pinned=False),
        DataVersion("neptune", "data/valid", "9f86d081884c"),
    ]
    assert [fact for fact in facts if isinstance(fact, Artifact)] == [
        Artifact("data", "data/train", "s3://bucket/train.csv", role="input")
    ]


@pytest.mark.parametrize("place", ["RUN-1/data/train/files_list.json", "../../secret.json", "gone.json", ""])
def test_tracked_files_of_an_export_have_the_hash_of_their_list(tmp_path: Path, place: str) -> None:
    (tmp_path / "data" / "p").mkdir(parents=True)
    listing = tmp_path / "files" / "RUN-1" / "data" / "train" / "files_list.json"
    listing.parent.mkdir(parents=True)
    listing.write_text(
        json.dumps(
            [{"filePath": "b.csv", "fileHash": "22", "size": 5}, {"filePath": "a.csv", "fileHash": "11", "size": 7}]
        )
    )
    row = {"project_id": "p", "run_id": "RUN-1", "attribute_path": "data/train", "attribute_type": "artifact",
           "step": None, "timestamp": None, "file_value": {"path": place}}  # fmt: skip
    schema = pa.schema([("project_id", pa.string()), ("run_id", pa.string()), ("attribute_path", pa.string()),
                        ("attribute_type", pa.string()), ("step", pa.float64()), ("timestamp", pa.timestamp("ms")),
                        ("float_value", pa.float64()), ("file_value", pa.struct([("path", pa.string())]))])  # fmt: skip
    path = tmp_path / "data" / "p" / "RUN-1-00_part_0.parquet"
    pq.write_table(pa.Table.from_pylist([row], schema), path)

    facts = list(neptune_export.ADAPTER.read(Source(str(path), str(path.parent)), None))

    found = [(fact.version, fact.size_bytes) for fact in facts if isinstance(fact, DataVersion)]
    digest = hashlib.sha256(b"11 a.csv\n22 b.csv\n").hexdigest()
    known = {"RUN-1/data/train/files_list.json": [(f"sha256:{digest}", 12)], "gone.json": [("", None)]}
    assert found == known.get(place, [])
