"""ClearML's offline sessions, as folder and as zip file."""

import json
import shutil
import zipfile
from pathlib import Path

from mlbench.adapters.clearml import ADAPTER
from mlbench.model import Blob, Environment, Fact, GitState, ImportedTag, Role
from tests.paths import FORMATS, needs_formats
from tests.unit.adapters.reading import (
    claims_below,
    fields_of,
    params_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)

SESSION = "offline-0e4593d96672436db6f224e0b759e188"
OFFLINE = FORMATS / "clearml" / "cache" / "offline"
SERIES = {"loss/train": (5, 0, 4, 0.2), "best": (1, 0, 0, 0.7)}


def facts_of(folder: Path) -> list[Fact]:
    return [fact for claim in claims_below(ADAPTER, folder) for fact in read(ADAPTER, claim)]


@needs_formats
def test_a_genuine_session_is_read_whole() -> None:
    facts = facts_of(OFFLINE / SESSION)

    assert params_of(facts) == {"learning_rate": 0.1, "net.width": 64}
    assert series_of(facts) == SERIES
    assert fields_of(facts) | {"started": 0, "ended": 0} == {
        "name": "lr0.1", "project": "demo", "note": "note", "job_type": "training", "entry_point": "make.py",
        "started": 0, "ended": 0,
    }  # fmt: skip
    assert [fact.key for fact in facts if isinstance(fact, ImportedTag)] == ["baseline"]
    assert ("package:clearml", "2.1.12") in [(fact.key, fact.value) for fact in facts if isinstance(fact, Environment)]
    assert problems_of(facts) == []


@needs_formats
def test_the_place_of_a_matrix_holds_its_rows() -> None:
    (blob,) = [fact for fact in facts_of(OFFLINE / SESSION) if isinstance(fact, Blob)]

    content = (OFFLINE / SESSION / "metrics.jsonl").read_bytes()[blob.offset : blob.offset + blob.length]
    assert (blob.kind, blob.metric) == ("confusion", "cm/v")
    assert json.loads(content) == [[1.0, 2.0], [3.0, 4.0]]


@needs_formats
def test_the_zip_file_says_the_same_and_is_read_only_where_it_stands_alone(tmp_path: Path) -> None:
    beside = [claim for claim in claims_below(ADAPTER, OFFLINE) if claim.path.endswith(".zip")]
    shutil.copy(OFFLINE / f"{SESSION}.zip", tmp_path)
    alone = read_only_claim(ADAPTER, tmp_path)

    assert [claim.role for claim in beside] == [Role.ASIDE]
    assert series_of(alone) == SERIES
    assert params_of(alone) == {"learning_rate": 0.1, "net.width": 64}


def test_a_zip_file_that_is_none_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"offline-1.zip": b"PK\x03\x04 and no more"})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert problems_of(facts) == ["offline-1.zip: the zip file is damaged or was not written to its end"]


def test_a_member_that_grows_beyond_all_bounds_is_not_read(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "offline-1.zip", "w", zipfile.ZIP_DEFLATED) as made,
        made.open("task.json", "w") as file,
    ):
        for _ in range(65):
            file.write(b" " * (1 << 20))

    facts = read_only_claim(ADAPTER, tmp_path)

    assert problems_of(facts) == ["offline-1.zip: 'task.json' in it is larger than 64 MiB and was not read"]


def test_sections_lists_and_the_commit(tmp_path: Path) -> None:
    params = {"Args": {"lr": {"value": "0.1", "type": "float"}}, "Hydra": {"x/y": {"value": "[1, 2]", "type": "list"}},
              "General": {"s": {"value": "007", "type": "str"}, "n": {"value": None}}}  # fmt: skip
    script = {"version_num": "abc", "repository": "https://ana:pw@host/x.git", "branch": "main", "diff": "--- a"}
    write(tmp_path / "offline-1", {"task.json": json.dumps({"hyperparams": params, "script": script})})

    facts = facts_of(tmp_path)

    assert params_of(facts) == {"lr": 0.1, "Hydra.x.y": [1, 2], "s": "007", "n": None}
    assert [fact for fact in facts if isinstance(fact, GitState)] == [
        GitState("abc", "recorded", "main", is_dirty=True, remote="https://host/x.git")
    ]


def test_lines_that_are_no_arrays_are_counted_and_the_last_may_be_cut(tmp_path: Path) -> None:
    event = '[{"type": "training_stats_scalar", "metric": "a", "variant": "b", "iter": 3, "value": 1.5}]'
    write(tmp_path / "offline-1", {"task.json": "{}", "metrics.jsonl": f"{event}\n3\n{{\n{event[:20]}"})

    facts = facts_of(tmp_path)

    assert series_of(facts) == {"a/b": (1, 3, 3, 1.5)}
    assert "metrics.jsonl: 2 lines are no array of events and were left out" in problems_of(facts)
