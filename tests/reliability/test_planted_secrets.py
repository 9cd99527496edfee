"""Secrets that a tracker's files hold are found nowhere in the home afterwards: neither in its files nor by any query."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from mlbench.adapters import mlflow_sqlite
from mlbench.catalog.reader import open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from tests.unit.adapters.reading import write
from tests.unit.wire.wandb_builder import history, item, log, text

PLANTED = {
    "config": "sk-AbCdEf0123456789AbCdEf0123456789AbCdEf01",
    "nested": "hf_QwErTyUiOpAsDfGhJkLzXcVbNm0123456789",
    "remote": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "argument": "AKIAIOSFODNN7EXAMPLF",
    "note": "glpat-AbCdEf0123456789AbCd",
    "e-mail": "ada.planted@example.org",
    "console": "console-planted-secret-77aa",
    "environment": "environment-planted-secret-88bb",
    "url": "planted-password-99cc",
}
INNER = "wandb/run-20261123_072029-zkzh591j"


def wandb_run(folder: Path) -> None:
    config = item("api_key", json.dumps(PLANTED["config"]))
    config += item("hub", json.dumps({"token": PLANTED["nested"], "repo": "ada/model"}))
    git = text(1, f"https://ada:{PLANTED['remote']}@git.example.org/ada/lab.git") + text(2, "a" * 40)
    run = (
        text(1, "zkzh591j") + text(3, "demo") + text(9, f"try with {PLANTED['note']}") + text(4, config) + text(21, git)
    )
    settings = text(11, item("api_key", json.dumps(PLANTED["config"])))
    machine = text(6, "train.py") + text(5, "--api-key") + text(5, PLANTED["argument"]) + text(14, PLANTED["e-mail"])
    metadata = {
        "args": [f"--token={PLANTED['argument']}"],
        "email": PLANTED["e-mail"],
        "host": "node1",
        "environ": {"WANDB_API_KEY": PLANTED["environment"]},
        "git": {"remote": f"https://ada:{PLANTED['remote']}@git.example.org/ada/lab.git", "commit": "a" * 40},
    }
    write(folder, {
        f"{INNER}/run-zkzh591j.wandb": log(
            text(17, run + settings), text(26, machine), history(_step="0", loss="0.5"),
            text(13, text(3, PLANTED["console"])),
        ),
        f"{INNER}/files/wandb-metadata.json": json.dumps(metadata),
        f"{INNER}/files/output.log": PLANTED["console"],
        f"{INNER}/logs/debug.log": PLANTED["environment"],
    })  # fmt: skip


def mlflow_store(folder: Path) -> None:
    folder.mkdir()
    mlflow_sqlite.example(str(folder))
    connection = sqlite3.connect(folder / "mlflow.db")
    for statement, value in (
        ("INSERT INTO params VALUES ('openai_api_key', ?, 'c6cac46e')", PLANTED["config"]),
        ("INSERT INTO tags VALUES ('hub.token', ?, 'c6cac46e')", PLANTED["nested"]),
        ("INSERT INTO tags VALUES ('mlflow.note.content', ?, 'c6cac46e')", f"used {PLANTED['note']}"),
        (
            "INSERT INTO tags VALUES ('mlflow.source.git.repoURL', ?, 'c6cac46e')",
            f"https://ada:{PLANTED['remote']}@git.example.org/lab.git",
        ),
        ("INSERT INTO tags VALUES ('mlflow.source.git.commit', ?, 'c6cac46e')", "b" * 40),
        (
            "INSERT INTO params VALUES ('tracking_uri', ?, 'c6cac46e')",
            f"postgresql://ada:{PLANTED['url']}@db.example.org/mlflow",
        ),
    ):
        connection.execute(statement, (value,))
    connection.commit()
    connection.close()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    wandb_run(tmp_path / "logs/a")
    mlflow_store(tmp_path / "logs/store")
    home = Home(str(tmp_path / "home/journal"), str(tmp_path / "home/cache"), "test")
    summary = ingest_paths(home, [str(tmp_path / "logs")])
    assert (summary.n_runs, summary.n_problems) == (3, 0)
    return home


def test_no_file_of_the_home_holds_a_planted_secret(home: Home, tmp_path: Path) -> None:
    content = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())

    assert len(content) > 100_000
    assert [name for name, secret in PLANTED.items() if secret.encode() in content] == []


def test_no_table_of_the_catalog_holds_a_planted_secret(home: Home) -> None:
    with open_reader(home) as reader:
        tables = [name for (name,) in reader.rows("SELECT table_name FROM duckdb_tables() WHERE NOT temporary")]
        content = "\n".join(repr(reader.rows(f'SELECT * FROM "{table}"')) for table in tables)

    assert "ada/model" in content
    assert "<redacted:" in content
    assert [name for name, secret in PLANTED.items() if secret in content] == []


def test_the_planted_secrets_are_there_to_be_found(home: Home, tmp_path: Path) -> None:
    del home
    content = b"".join(path.read_bytes() for path in (tmp_path / "logs").rglob("*") if os.path.isfile(path))

    assert [name for name, secret in PLANTED.items() if secret.encode() not in content] == []
