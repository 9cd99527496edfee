from __future__ import annotations

import sqlite3
from pathlib import Path

from mlbench.adapters.aim import ADAPTER
from mlbench.model import Fact, ImportedTag
from tests.unit.adapters.reading import claims_below, fields_of, problems_of, read


def repository(folder: Path, *statements: str) -> Path:
    (folder / ".aim" / "meta").mkdir(parents=True)
    ADAPTER.example(str(folder / ".aim"))
    connection = sqlite3.connect(folder / ".aim" / "run_metadata.sqlite")
    connection.executescript(";".join(statements))
    connection.close()
    return folder


def runs(folder: Path) -> dict[str, list[Fact]]:
    return {claim.part: read(ADAPTER, claim) for claim in claims_below(ADAPTER, folder) if claim.part}


def test_names_notes_tags_and_times_are_read(tmp_path: Path) -> None:
    found = runs(repository(tmp_path))

    assert fields_of(found["1f6e8c5b2a"]) == {
        "name": "lr0.1",
        "project": "vision",
        "note": "first try",
        "started": 1795418508.4,
        "ended": 1795418568.4,
    }
    assert ImportedTag("baseline") in found["1f6e8c5b2a"]
    assert fields_of(found["7d0a9c4e11"])["note"] == "converges slowly"
    assert ImportedTag("aim.archived") in found["7d0a9c4e11"]


def test_that_metrics_are_not_read_is_told_once_where_they_lie(tmp_path: Path) -> None:
    claims = claims_below(ADAPTER, repository(tmp_path))

    (problem,) = [claim.problem for claim in claims if claim.problem]
    assert problem.path == str(tmp_path / ".aim" / "meta")
    assert "not read" in problem.what


def test_a_mark_changes_with_the_tags_of_its_run_alone(tmp_path: Path) -> None:
    folder = repository(tmp_path)
    before = {claim.part: claim.mark for claim in claims_below(ADAPTER, folder)}

    connection = sqlite3.connect(folder / ".aim" / "run_metadata.sqlite")
    connection.executescript("INSERT INTO run_tag VALUES (2, 1)")
    connection.close()

    after = {claim.part: claim.mark for claim in claims_below(ADAPTER, folder)}
    assert after["1f6e8c5b2a"] == before["1f6e8c5b2a"]
    assert after["7d0a9c4e11"] != before["7d0a9c4e11"]


def test_an_older_schema_without_notes_and_times_is_read(tmp_path: Path) -> None:
    folder = repository(tmp_path, "DROP TABLE note", "ALTER TABLE run DROP COLUMN finalized_at",
                        "ALTER TABLE run DROP COLUMN description")  # fmt: skip

    found = runs(folder)

    assert fields_of(found["1f6e8c5b2a"]).keys() == {"name", "project", "started"}
    assert problems_of(found["1f6e8c5b2a"]) == []


def test_a_database_of_this_name_without_runs_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "run_metadata.sqlite")
    connection.executescript("CREATE TABLE x (y)")
    connection.close()

    assert claims_below(ADAPTER, tmp_path) == []
