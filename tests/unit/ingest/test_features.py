"""Promises of feature views: a run's views have the version of Feast's registry, pinned if they are older than the run."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mlbench.wire.feast import FeastError, find_store, read_store
from tests.unit.ingest.test_data import mlbench

REGISTRY = bytes.fromhex(
    "1a013122036162632a0608bfd28fd80632640a420a0c6472697665725f7374617473120572696465731a06647269766572220d0a09636f6e765f"
    "72617465100522090a05747269707310042a090a047465616d120178121e0a0608c0c28ed80612060890cf8fd8061a0c0a020801120608d0908f"
    "d8063a420a400a0f6472697665725f6163746976697479120572696465731a1b0a0c6472697665725f7374617473120b0a09636f6e765f726174"
    "651a090a026f6412030a017a421c0a100a026f64120572696465731a030a017a120812060891cf8fd806"
)
"""Written by the messages of feast 0.67.0: driver_stats (conv_rate, trips), the on-demand view od, one service."""
VIEW = REGISTRY[REGISTRY.index(b"\x32\x64") + 2 :][:0x64]
VERSION = "2026-11-23T07:13:20Z"
CHANGED_S = 1795418000.0


def as_file(path: Path) -> None:
    path.write_bytes(REGISTRY)


def as_database(path: Path) -> None:
    """The tables of feast's SQL registry."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE feature_views (feature_view_name VARCHAR(255), project_id VARCHAR(255), "
            "last_updated_timestamp BIGINT, feature_view_proto BLOB)"
        )
        connection.execute("INSERT INTO feature_views VALUES ('driver_stats', 'rides', 0, ?)", [VIEW])
        connection.commit()


def store_in(folder: Path, write: Callable[[Path], None] = as_file, registry: str = "data/registry.db") -> Path:
    (folder / "data").mkdir(parents=True, exist_ok=True)
    write(folder / "data" / "registry.db")
    path = folder / "feature_store.yaml"
    path.write_text(f"project: rides\nregistry: {registry}\nprovider: local\n")
    return path


@pytest.mark.parametrize(
    ("write", "registry"),
    [(as_file, "data/registry.db"), (as_file, "{path: data/registry.db, cache_ttl_seconds: 60}"),
     (as_database, "{registry_type: sql, path: 'sqlite:///data/registry.db'}")],
)  # fmt: skip
def test_a_registry_is_read_as_message_and_as_database(
    tmp_path: Path, write: Callable[[Path], None], registry: str
) -> None:
    store = read_store(str(store_in(tmp_path, write, registry)))

    view = store.views["driver_stats"]
    assert (view.version, view.updated_s) == (VERSION, CHANGED_S)
    assert view.features == (("conv_rate", "double"), ("trips", "int64"))


def test_a_registry_elsewhere_has_no_views_and_no_credentials(tmp_path: Path) -> None:
    path = store_in(tmp_path, registry="{path: 'postgresql://ada:hunter2@host/feast', registry_type: sql}")

    assert read_store(str(path)).views == {}


@pytest.mark.parametrize("cut", [1, 7, 60, 117, 130, 200, len(REGISTRY) - 1])
def test_a_registry_that_is_cut_in_a_message_is_damaged(tmp_path: Path, cut: int) -> None:
    path = store_in(tmp_path)
    (tmp_path / "data" / "registry.db").write_bytes(REGISTRY[:cut])

    with pytest.raises(FeastError, match="damaged"):
        read_store(str(path))


def test_a_registry_that_ends_behind_a_message_has_fewer(tmp_path: Path) -> None:
    path = store_in(tmp_path)
    (tmp_path / "data" / "registry.db").write_bytes(REGISTRY[: REGISTRY.index(b"\x3a\x42")])

    assert set(read_store(str(path)).views) == {"driver_stats"}


def test_a_store_is_found_above_and_in_its_usual_folder(tmp_path: Path) -> None:
    path = store_in(tmp_path / "feature_repo")
    (tmp_path / "runs" / "a").mkdir(parents=True)

    assert find_store(str(tmp_path / "runs" / "a")) == str(path)
    assert find_store(str(tmp_path / "runs" / "a"), levels=1) == ""


SQL = "SELECT d.name, d.version, d.schema, d.is_pinned FROM data_versions d WHERE d.system = 'feast' ORDER BY ALL"


def versions(folder: Path, config: dict[str, object], started_s: float) -> list[tuple[object, ...]]:
    run = folder / "runs" / "a"
    run.mkdir(parents=True, exist_ok=True)
    (run / "config.json").write_text(json.dumps(config))
    (run / "log.json").write_text(json.dumps({"step": 1, "loss": 0.5, "timestamp": started_s}) + "\n")
    record = {"format": "mlbench-run/1", "argv": ["train"], "started": started_s, "exit_code": 0}
    (run / "mlbench-run.json").write_text(json.dumps(record))
    mlbench(folder, "ingest", str(folder / "runs"))
    return [tuple(row.values()) for row in mlbench(folder, "sql", SQL)]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"feature_view": "driver_stats"}, [("driver_stats", VERSION, "conv_rate double, trips int64", True)]),
        ({"feast": {"features": ["driver_stats:trips"]}}, [("driver_stats", VERSION, "trips int64", True)]),
        ({"feature_service": "driver_activity"},
         [("driver_stats", VERSION, "conv_rate double", True), ("od", "2026-11-23T07:13:21Z", "z invalid", True)]),
        ({"feature_views": "driver_stats, gone"},
         [("driver_stats", VERSION, "conv_rate double, trips int64", True), ("gone", "", "", False)]),
        ({"lr": 0.1}, []),
    ],
)  # fmt: skip
def test_what_a_run_names_has_the_version_of_the_registry(
    tmp_path: Path, config: dict[str, object], expected: list[tuple[object, ...]]
) -> None:
    store_in(tmp_path)

    assert versions(tmp_path, config, CHANGED_S + 10) == expected


def test_a_view_that_was_changed_since_is_not_pinned(tmp_path: Path) -> None:
    store_in(tmp_path)

    ((_name, _version, _schema, is_pinned),) = versions(tmp_path, {"feature_view": "driver_stats"}, CHANGED_S - 10)

    assert is_pinned is False


def test_a_store_in_the_run_folder_names_all_its_views_and_a_damaged_one_is_a_problem(tmp_path: Path) -> None:
    store_in(tmp_path / "runs" / "a")

    assert [row[0] for row in versions(tmp_path, {"lr": 0.1}, CHANGED_S + 10)] == ["driver_stats", "od"]

    (tmp_path / "runs" / "a" / "data" / "registry.db").write_bytes(b"\xff" * 100)
    assert versions(tmp_path, {"lr": 0.2, "feature_view": "driver_stats"}, CHANGED_S + 10) == [
        ("driver_stats", "", "", False)
    ]
    (problem,) = mlbench(tmp_path, "sql", "SELECT what FROM problems WHERE path LIKE '%feature_store.yaml'")
    assert "registry is damaged" in problem["what"]
