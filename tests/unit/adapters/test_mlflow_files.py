import math
import os
from pathlib import Path

import pytest

from mlbench.adapters.mlflow_files import ADAPTER, parse_point
from mlbench.model import (
    DataVersion,
    GitState,
    ImportedTag,
    LineageEdge,
    ModelVersion,
    Points,
    ReadStatus,
    Validation,
)
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.adapters.reading import (
    assert_series,
    claims_below,
    cursor_of,
    expected,
    fields_of,
    params_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    write,
)

META = "run_id: abc\nstatus: 3\nlifecycle_stage: active\n"


@needs_corpora
def test_the_corpus_holds_19_runs() -> None:
    claims = claims_below(ADAPTER, CORPORA / "mlflow-optuna-tweets")

    assert len(claims) == 19
    assert all(claim.is_closed and claim.path == claim.run_folder for claim in claims)


@needs_corpora
def test_a_trial_of_optuna_is_read_whole() -> None:
    folder = CORPORA / "mlflow-optuna-tweets" / "mlruns" / "8" / "0def932bbaaf4f36ae221ac37f538c2d"

    facts = read_only_claim(ADAPTER, folder)

    assert params_of(facts) == {
        "gamma": 0.035602995927965696,
        "input_layer": 22,
        "lr": 29.86027171258099,
        "optimizer": "Adadelta",
    }
    assert points_of(facts, "accuracy") == [(0, 0.5638888888888889)]
    assert fields_of(facts) == {
        "name": "2",
        "user": "andy",
        "entry_point": "./run_nn.py",
        "status": "finished",
        "started": 1650121014.19,
        "ended": 1650121014.213,
        "project": "NN Optimization: 2000 Samples, 7 Classes, cpu",
    }
    assert GitState("1e924568dc505b0a9f8c24fcbe94a0eb99b9bfb4", "recorded") in facts
    assert ImportedTag("state", "COMPLETE") in facts
    assert not [fact for fact in facts if isinstance(fact, ImportedTag) and fact.key.startswith("mlflow.")]


@needs_formats
def test_it_agrees_with_what_is_known_of_the_sample() -> None:
    known = expected("mlflow")["file_store"]["runs_detail"]  # type: ignore[index]
    claims = claims_below(ADAPTER, FORMATS / "mlflow")

    assert {os.path.basename(claim.path) for claim in claims} == set(known)
    for claim in claims:
        facts, want = read(ADAPTER, claim), known[os.path.basename(claim.path)]
        assert_series(facts, want["series"])
        assert fields_of(facts)["name"] == want["name"]
        assert fields_of(facts)["status"] == want["status"].lower()
        assert fields_of(facts).get("parent", "") == want["tags"].get("mlflow.parentRunId", "")
        assert fields_of(facts).get("note", "") == want["tags"].get("mlflow.note.content", "")
        assert set(params_of(facts)) == set(want["params"])
        found = [fact.version for fact in facts if isinstance(fact, DataVersion)]
        assert found == [data_set["digest"] for data_set in want["datasets"]]


@needs_formats
def test_nan_stays_nan_and_a_repeated_line_counts_once() -> None:
    claims = claims_below(ADAPTER, FORMATS / "mlflow")
    facts = next(read(ADAPTER, claim) for claim in claims if claim.path.endswith("4d3ac76f62e04a3083a15f8c3ce3cbb1"))

    points = points_of(facts, "loss")

    assert [step for step, _ in points] == [0, 1, 2, 3, 4]
    assert math.isnan(points[2][1])
    batch = next(fact for fact in facts if isinstance(fact, Points))
    assert batch.wall_s[0] == 1795418512.242
    assert params_of(facts)["layers"] == [1, 2]


@pytest.mark.parametrize(
    ("line", "point"),
    [
        (b"1795418512242 0.5 7\n", (1795418512.242, 0.5, 7)),
        (b"1795418512242 0.5\n", (1795418512.242, 0.5, 0)),
        (b"1795418512242 0.5 7 5b7c1473 extra\n", (1795418512.242, 0.5, 7)),
        (b"0.5\n", None),
        (b"soon 0.5 1\n", None),
        (b"1 0.5 99999999999999999999\n", None),
    ],
)
def test_a_line_is_milliseconds_value_step(line: bytes, point: tuple[float, float, int] | None) -> None:
    assert parse_point(line) == point


def test_bad_lines_are_counted_and_an_unfinished_one_is_not_shown(tmp_path: Path) -> None:
    write(tmp_path, {"meta.yaml": META, "metrics/loss": "1000 0.5 0\n\noops\n2000 0.25 1\n?\n3000 0.1"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "loss") == [(0, 0.5), (1, 0.25)]
    assert problems_of(facts) == ["loss: 2 lines are not 'milliseconds value step' and left out (line 3)"]
    assert (cursor_of(facts).status, cursor_of(facts).n_records, cursor_of(facts).n_bad) == (ReadStatus.DAMAGED, 2, 2)


def test_older_stores_keep_commit_name_and_source_in_the_meta_file(tmp_path: Path) -> None:
    meta = "run_uuid: abc\nname: first\nsource_name: train.py\nsource_version: 1E924568\nstatus: FAILED\nstart_time: 5000\n"
    write(tmp_path, {"meta.yaml": meta})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert fields_of(facts) == {"name": "first", "entry_point": "train.py", "status": "failed", "started": 5.0}
    assert GitState("1e924568", "recorded") in facts


def test_a_deleted_run_is_marked_and_a_remote_has_no_password(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "meta.yaml": META.replace("active", "deleted"),
            "tags/mlflow.source.git.commit": "1e924568",
            "tags/mlflow.source.git.repoURL": "https://ana:secret@host/x.git",
            "tags/mlflow.source.git.branch": "main",
        },
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert ImportedTag("mlflow.deleted") in facts
    assert GitState("1e924568", "recorded", branch="main", remote="https://host/x.git") in facts


def test_data_sets_are_told_with_rows_and_without_their_file(tmp_path: Path) -> None:
    link = "source_id: {}\nsource_type: DATASET\n"
    write(
        tmp_path,
        {
            "run/meta.yaml": META,
            "run/inputs/a/meta.yaml": link.format("d1"),
            "run/inputs/b/meta.yaml": link.format("d2"),
            "run/inputs/c/meta.yaml": link.format("../../etc"),
            "run/inputs/d/meta.yaml": "source_id: m1\nsource_type: MODEL\n",
            "run/inputs/e/other": "x",
            "datasets/d1/meta.yaml": "name: train\ndigest: c0ffee\nprofile: '{\"num_rows\": 12}'\nschema: s\n",
        },
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert [fact for fact in facts if isinstance(fact, DataVersion)] == [
        DataVersion("mlflow", "train", "c0ffee", 12, "s"),
        DataVersion("mlflow", "d2", "d2"),
    ]


def test_only_runs_are_claimed_among_the_meta_files_of_a_store(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "meta.yaml": "experiment_id: '1'\nname: demo\n",
            "models/m-1/meta.yaml": "model_id: m-1\nsource_run_id: abc\n",
            "models/m-1/params/lr": "1",
            "models/m-1/tags/a": "1",
            "abc/meta.yaml": META,
            "broken/meta.yaml": "",
            "broken/params/lr": "1",
            "broken/tags/a": "1",
        },
    )

    claims = claims_below(ADAPTER, tmp_path)

    assert [os.path.basename(claim.path) for claim in claims] == ["abc", "broken"]
    assert fields_of(read(ADAPTER, claims[0]))["project"] == "demo"
    assert problems_of(read(ADAPTER, claims[1])) == ["meta.yaml: it holds no 'key: value' lines"]


def test_files_that_cannot_be_read_are_told_and_the_others_read(tmp_path: Path) -> None:
    write(tmp_path, {"meta.yaml": "run_id: [", "params/lr": "0.1", "tags/a": "b", "metrics/m": "1000 1 0\n"})
    for inside in ("params/x", "metrics/x"):
        os.mkfifo(tmp_path / inside)

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"lr": 0.1}
    assert points_of(facts, "m") == [(0, 1.0)]
    assert [problem.split(":")[0] for problem in problems_of(facts)] == ["meta.yaml", "x", "x"]
    assert cursor_of(facts).status is ReadStatus.UNREADABLE


@pytest.mark.parametrize("name", ["a b", "lr=0.1", "学习率", "x/y", "emoji \U0001f600", os.fsdecode(b"bad \xff byte")])
def test_names_of_all_kinds_come_through(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path / "run", {"meta.yaml": META})
    for part, text in (("params", "1"), ("metrics", "1000 0.5 0\n"), ("tags", "1")):
        path = folder / part / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    facts = read_only_claim(ADAPTER, folder)

    readable = os.fsencode(name).decode("utf-8", "replace")
    assert params_of(facts) == {readable: 1}
    assert points_of(facts, readable) == [(0, 0.5)]
    assert ImportedTag(readable, "1") in facts


def test_a_link_in_a_circle_ends(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", {"meta.yaml": META, "params/lr": "0.1"})
    (folder / "params" / "again").symlink_to(folder)
    (folder / "metrics").symlink_to(folder)

    facts = read_only_claim(ADAPTER, folder)

    assert params_of(facts)["lr"] == 0.1


def store_with_registry(folder: Path) -> Path:
    version = "mlruns/models/taxi/version-2"
    return write(folder, {
        "mlruns/1/12345/meta.yaml": META.replace("abc", "'12345'"),
        "mlruns/1/12345/params/lr": "0.1",
        f"{version}/meta.yaml": (
            "name: taxi\nversion: '2'\nrun_id: '12345'\nsource: runs:/12345/model\nstatus: READY\n"
            "current_stage: None\ndescription: notes\n"
        ),
        f"{version}/tags/validation": "passed",
        "mlruns/models/taxi/aliases/champion": "2",
        "mlruns/models/taxi/aliases/old": "1",
    })  # fmt: skip


def test_the_registry_of_a_file_store_is_read(tmp_path: Path) -> None:
    facts = read_only_claim(ADAPTER, store_with_registry(tmp_path) / "mlruns" / "1")

    assert [fact for fact in facts if isinstance(fact, ModelVersion)] == [
        ModelVersion("taxi", "2", ("champion",), "READY", "notes", "runs:/12345/model", ("validation=passed",))
    ]
    assert LineageEdge("output", "register", "taxi@2") in facts
    assert Validation("taxi@2", "passed", evidence="tag validation=passed") in facts


def test_a_change_in_the_registry_is_a_change_of_the_run(tmp_path: Path) -> None:
    folder = store_with_registry(tmp_path)

    (claim,) = claims_below(ADAPTER, folder / "mlruns" / "1")

    assert str(folder / "mlruns/models/taxi/aliases/champion") in claim.follows
    assert str(folder / "mlruns/models/taxi/version-2/meta.yaml") in claim.follows


def test_the_registry_itself_makes_no_run(tmp_path: Path) -> None:
    claims = claims_below(ADAPTER, store_with_registry(tmp_path))

    assert [os.path.basename(claim.path) for claim in claims] == ["12345"]
