"""Reading MLflow's stores against MLflow's own client: everything of a run, the whole history of each metric included.

Usage: python benchmarks/trackers.py [sqlite] [files] [--runs N] [--sample N] [--peer-python PYTHON] [--data DIR]

Stores are made in DIR when they are missing: MLflow makes the schema of the database, the rows are put in by SQL; the
folders of the file store are written as MLflow writes them. A run has 20 metrics of 5 points, 24 parameters, 3 tags.
Ours is a cold `mlbench ingest` of the store into a new home, catalog and all, as a whole process tree. The client runs
in one process, whose start is not counted: search_runs of all runs, then get_metric_history of each metric of
`--sample` of them, whose time is taken times runs divided by sample.
Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from measuring import Bench, Figure, add_options, bench_of, fresh_folder, machine, print_figures, ratio, run_measured

GOAL = 1 / 20
METRICS, POINTS, PARAMS = 20, 5, 24
START_MS = 1_700_000_000_000

_SCHEMA = """
import sys
from mlflow.tracking import MlflowClient
MlflowClient(tracking_uri=sys.argv[1]).create_experiment("e", artifact_location="nowhere")
"""
_CLIENT = """
import json, sys, time
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient
uri, n_sample = sys.argv[1], int(sys.argv[2])
client = MlflowClient(tracking_uri=uri)
ids = [e.experiment_id for e in client.search_experiments(view_type=ViewType.ALL)]
client.search_runs(ids, max_results=1)
before = time.process_time()
runs, token = [], None
while token is not None or not runs:
    page = client.search_runs(ids, run_view_type=ViewType.ALL, max_results=1000, page_token=token)
    runs += page
    token = page.token or None
    if token is None:
        break
search_s = time.process_time() - before
before = time.process_time()
sample = runs[:n_sample]
n_points = sum(len(client.get_metric_history(run.info.run_id, key)) for run in sample for key in run.data.metrics)
history_s = time.process_time() - before
print(json.dumps({"search_s": search_s, "history_s": history_s, "runs": len(runs), "points": n_points}))
"""


def peer(bench: Bench, script: str, *arguments: str) -> str:
    """Run a script with MLflow; what it prints."""
    environment = {**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true",
                   "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}  # fmt: skip
    environment.pop("PYTHONPATH", None)
    command = [bench.peer_python, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=bench.sets)
    if done.returncode:
        sys.exit(f"{bench.peer_python}: {done.stderr.strip()[-800:]}\nTry: --peer-python PYTHON, one that has mlflow")
    return done.stdout


def runs_of(n_runs: int) -> Iterator[tuple[str, int, random.Random]]:
    """Id, number and source of chance of each run."""
    chance = random.Random(7)
    for number in range(n_runs):
        yield uuid.UUID(int=chance.getrandbits(128)).hex, number, chance


def metric_rows(number: int, chance: random.Random) -> Iterator[tuple[str, float, int, int]]:
    """Name, value, milliseconds and step."""
    for step in range(POINTS):
        for metric in range(METRICS):
            yield f"metric_{metric}", chance.random(), START_MS + number * 3_600_000 + step * 1000, step


def sqlite_store(bench: Bench, n_runs: int) -> tuple[Path, str]:
    """Folder and address of a database with so many runs."""
    folder = bench.sets / f"mlflow-sqlite-{n_runs}"
    path = folder / "mlflow.db"
    uri = f"sqlite:///{path}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        peer(bench, _SCHEMA, uri)
        with closing(sqlite3.connect(path)) as connection, connection:
            for run_id, number, chance in runs_of(n_runs):
                fill(connection, run_id, number, chance)
        (folder / "complete").touch()
    return folder, uri


def fill(connection: sqlite3.Connection, run_id: str, number: int, chance: random.Random) -> None:
    started = START_MS + number * 3_600_000
    connection.execute(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, user_id, status, start_time, end_time, "
        "lifecycle_stage, artifact_uri, experiment_id) VALUES (?, ?, 'LOCAL', 'train.py', 'me', 'FINISHED', ?, ?, "
        "'active', 'nowhere', 1)",
        (run_id, f"run_{number:05d}", started, started + 60_000),
    )
    params = [(f"p{i}", str(round(chance.random(), 6)), run_id) for i in range(PARAMS)]
    connection.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", params)
    tags = [("mlflow.runName", f"run_{number:05d}", run_id), ("mlflow.user", "me", run_id), ("team", "a", run_id)]
    connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", tags)
    points = [(name, value, ms, step, run_id) for name, value, ms, step in metric_rows(number, chance)]
    for table, rows in (("metrics", points), ("latest_metrics", points[-METRICS:])):
        sql = f"INSERT INTO {table} (key, value, timestamp, step, run_uuid, is_nan) VALUES (?, ?, ?, ?, ?, 0)"
        connection.executemany(sql, rows)


def file_store(bench: Bench, n_runs: int) -> tuple[Path, str]:
    """Folder and address of a file store with so many runs."""
    folder = bench.sets / f"mlflow-files-{n_runs}"
    store = folder / "mlruns"
    if not (folder / "complete").exists():
        experiment = store / "1"
        write(
            experiment / "meta.yaml",
            "artifact_location: nowhere\nexperiment_id: '1'\nlifecycle_stage: active\nname: e\n",
        )
        for run_id, number, chance in runs_of(n_runs):
            write_run(experiment / run_id, run_id, number, chance)
        (folder / "complete").touch()
    return folder, f"file://{store}"


def write_run(folder: Path, run_id: str, number: int, chance: random.Random) -> None:
    started = START_MS + number * 3_600_000
    (folder / "artifacts").mkdir(parents=True, exist_ok=True)  # the client takes no run without it
    write(folder / "meta.yaml", f"artifact_uri: nowhere\nend_time: {started + 60_000}\nentry_point_name: ''\n"
          f"experiment_id: '1'\nlifecycle_stage: active\nrun_id: {run_id}\nrun_name: run_{number:05d}\n"
          f"source_name: ''\nsource_type: 4\nsource_version: ''\nstart_time: {started}\nstatus: 3\ntags: []\n"
          "user_id: me\n")  # fmt: skip
    for i in range(PARAMS):
        write(folder / "params" / f"p{i}", str(round(chance.random(), 6)))
    for key, tag in (("mlflow.runName", f"run_{number:05d}"), ("mlflow.user", "me"), ("team", "a")):
        write(folder / "tags" / key, tag)
    lines: dict[str, str] = {}
    for name, value, ms, step in metric_rows(number, chance):
        lines[name] = lines.get(name, "") + f"{ms} {value!r} {step}\n"
    for name, text in lines.items():
        write(folder / "metrics" / name, text)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def ours(folder: Path, n_runs: int) -> float:
    """CPU seconds of a cold ingest."""
    with fresh_folder() as home:
        command = [sys.executable, "-m", "mlbench", "--home", home, "ingest", str(folder), "--format", "json"]
        measured = run_measured(command)
        (told,) = json.loads(measured.printed)
    if (told["runs"], told["points_read"]) != (n_runs, n_runs * METRICS * POINTS):
        sys.exit(f"{folder}: {told['runs']} runs and {told['points_read']} points were read")
    return measured.cpu_s


def theirs(bench: Bench, uri: str, n_runs: int, n_sample: int) -> float:
    """CPU seconds of the client for all runs."""
    told = json.loads(peer(bench, _CLIENT, uri, str(n_sample)))
    if (told["runs"], told["points"]) != (n_runs, n_sample * METRICS * POINTS):
        sys.exit(f"{uri}: the client found {told['runs']} runs and read {told['points']} points")
    return float(told["search_s"]) + float(told["history_s"]) * n_runs / n_sample


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", nargs="*", default=["sqlite"], help="sqlite, files")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=200, help="runs that the client reads")
    add_options(parser, rounds=3)
    options = parser.parse_args()
    bench = bench_of(options)
    bench.sets.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    for name in options.stores:
        folder, uri = (sqlite_store if name == "sqlite" else file_store)(bench, options.runs)
        n_sample = min(options.sample, options.runs)
        pairs = [
            (ours(folder, options.runs), theirs(bench, uri, options.runs, n_sample)) for _round in range(bench.rounds)
        ]
        figures.append(ratio(f"CPU, {name}: {options.runs:,} runs", pairs, goal=GOAL))
    n_missed = print_figures(f"MLflow, {METRICS} metrics of {POINTS} points, {bench.rounds} rounds", figures)
    print(f"\n{machine()}")
    sys.exit(n_missed > 0)


if __name__ == "__main__":
    main()
