"""One writer and several readers at once: no error, no half commit, and nobody waits for another."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mlbench.catalog.batch import Batch
from mlbench.catalog.writer import open_writer
from mlbench.paths import Home

N_READERS = 4
N_COMMITS = 6
RUNS = ("a", "b", "c")
_READER = """
import json, sys
from mlbench.catalog.reader import open_reader
from mlbench.paths import Home
from mlbench.queries.runs import find_runs
home = Home(sys.argv[1], sys.argv[2], "test")
torn, last, n = 0, -1, 0
while last < int(sys.argv[3]):
    with open_reader(home) as reader:
        answer = find_runs(reader, where="params.round >= 0", columns=["params.round", "metrics.loss"])
        rows = [row.values for row in answer.rows]
        torn += len(rows) != 3 or len({value for row in rows for value in row}) != 1 or rows[0][0] < last
        last, n = rows[0][0], n + 1
print(json.dumps([n, torn]))
"""


def every_run(number: int) -> Batch:
    """All runs with one number in every place: a reader that sees two numbers saw half a commit."""
    batch = Batch(run_ids=set(RUNS))
    for place, run_id in enumerate(RUNS):
        batch.add("run", run_id=run_id, run_key=f"/{run_id}", name=run_id, path=f"/{run_id}", is_missing=False)
        batch.add(
            "param", run_id=run_id, key="round", raw=str(number), type="int", num=float(number), txt=str(number),
            layer="config", is_effective=True,
        )  # fmt: skip
        batch.add("series", series_id=place + 1, run_id=run_id, metric="loss", n=1, n_raw=1, last_value=float(number))
    return batch


def test_readers_under_a_publishing_writer_see_whole_commits_and_no_error(tmp_path: Path) -> None:
    home = Home(str(tmp_path / "journal"), str(tmp_path / "cache"), "test")
    with open_writer(home) as writer:
        writer.commit(every_run(0))
        writer.publish()
        command = [sys.executable, "-c", _READER, home.journal, home.cache, str(N_COMMITS)]
        readers = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _reader in range(N_READERS)
        ]
        for number in range(1, N_COMMITS + 1):
            writer.commit(every_run(number))
            writer.publish()
    told = [reader.communicate(timeout=60) for reader in readers]

    assert [errors for _out, errors in told] == [b""] * N_READERS
    looks = [json.loads(out) for out, _errors in told]
    assert [torn for _n, torn in looks] == [0] * N_READERS
    assert min(n for n, _torn in looks) > 0
