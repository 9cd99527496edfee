"""Media in files of their own: their places stay when another source of the run is read again."""

from __future__ import annotations

import json
from pathlib import Path

from mlbench.catalog.reader import Reader, open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import Home
from mlbench.queries.blobs import fetch_places, read_place
from mlbench.queries.matrix import fetch_matrices
from tests.events import scalar_file
from tests.unit.adapters.reading import write
from tests.unit.wire.wandb_builder import history, log

TABLE = {"columns": ["Actual", "Predicted", "nPredictions"], "data": [["a", "a", 1], ["a", "b", 2], ["b", "b", 3]]}
INNER = "wandb/offline-run-20261123_072029-zkzh591j"


def make_run(folder: Path) -> None:
    path = "media/table/cm_table_1.table.json"
    row = history(_step="1", loss="0.5", cm_table=json.dumps({"_type": "table-file", "path": path}))
    write(folder, {f"{INNER}/run-zkzh591j.wandb": log(row), f"{INNER}/files/{path}": json.dumps(TABLE)})


def run_ids(reader: Reader) -> list[str]:
    return [str(run_id) for (run_id,) in reader.rows("SELECT id FROM runs")]


def test_a_confusion_matrix_of_wandb_is_drawn_from_its_file(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "home/journal"), str(tmp_path / "home/cache"), "test")
    run = tmp_path / "logs/a"
    make_run(run)
    scalar_file(run / "events.out.tfevents.1700000000.host", {"loss": [(1, 0.9)]})
    ingest_paths(home, [str(tmp_path / "logs")])

    scalar_file(run / "events.out.tfevents.1700000000.host", {"loss": [(1, 0.9), (2, 0.8)]})
    summary = ingest_paths(home, [str(tmp_path / "logs")])

    with open_reader(home, now_s=1_800_000_000.0) as reader:
        (place,) = fetch_places(reader, run_ids(reader), kinds=["confusion"])
        (matrix,) = fetch_matrices(reader, run_ids(reader)).items
    assert summary.n_read == 1
    assert place.path == str(run / INNER / "files/media/table/cm_table_1.table.json")
    assert read_place(place) == json.dumps(TABLE).encode()
    assert (matrix.labels, matrix.rows) == (("a", "b"), ((1.0, 2.0), (0.0, 3.0)))
