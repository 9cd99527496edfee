"""Four processes on one home: one ingests in a loop, two ask, one tags. No error, and no lost tag.

MLBENCH_RELIABILITY_S says for how many seconds; a minute is what the promise is about, a few show that the test works.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from mlbench.catalog.reader import open_reader
from mlbench.journal import replay
from mlbench.main import run
from mlbench.paths import find_home
from tests.events import scalar_file

SECONDS = float(os.environ.get("MLBENCH_RELIABILITY_S", "4"))
N_RUNS = 12

LOOP = """
import io, json, sys, time
from pathlib import Path
from contextlib import redirect_stderr, redirect_stdout
from mlbench.main import run
from tests.events import scalar_file

kind, until, folder = sys.argv[1], float(sys.argv[2]), sys.argv[3]
n, failed, told = 0, [], []
while n < 3 or time.time() < until:
    n += 1
    if kind == "ingest":
        scalar_file(Path(f"{folder}/run{n % 3}/events.out.tfevents.17000001{n:03}.host"), {"loss": [(n, 1.0 / n)]})
        words = ["ingest", folder]
    elif kind == "query":
        words = ["query", "metrics.loss < 2 and not tag = nothing", "--format", "json"]
    elif kind == "show":
        words = ["diff", "run0", "run1", "--format", "json"]
    else:
        words = ["tag", f"run{n % 12}", f"+t{n}"]
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(words)
    if code:
        failed.append([words, code, err.getvalue()])
    elif kind == "tag":
        told.append(f"run{n % 12} t{n}")
    elif kind == "query" and len(json.loads(out.getvalue())) != 12:
        failed.append([words, "runs", out.getvalue()])
print(json.dumps([n, failed, told]))
"""


def test_four_processes_at_once_fail_nowhere_and_lose_no_tag(tmp_path: Path) -> None:
    home, logs = tmp_path / "home", tmp_path / "logs"
    for number in range(N_RUNS):
        scalar_file(logs / f"run{number}/events.out.tfevents.1700000000.host", {"loss": [(0, 1.0), (1, 0.5)]})
    assert run(["--home", str(home), "ingest", str(logs)]) == 0
    environment = {
        **os.environ, "MLBENCH_HOME": str(home), "MLBENCH_TRACEBACK": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }  # fmt: skip

    until = str(time.time() + SECONDS)
    processes = {
        kind: subprocess.Popen(
            [sys.executable, "-c", LOOP, kind, until, str(logs)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=environment,
        )
        for kind in ("ingest", "query", "show", "tag")
    }  # fmt: skip
    ends = {
        kind: (*process.communicate(timeout=SECONDS + 60), process.returncode) for kind, process in processes.items()
    }

    assert {kind: (code, err.decode()) for kind, (_out, err, code) in ends.items() if code or err} == {}
    outputs = {kind: out.decode() for kind, (out, _err, _code) in ends.items()}
    assert [kind for kind, out in outputs.items() if not out.startswith("[")] == [], outputs
    done = {kind: json.loads(out) for kind, out in outputs.items()}
    assert {kind: failed for kind, (_n, failed, _told) in done.items() if failed} == {}
    with open_reader(find_home(str(home))) as reader:
        n_points = sum(n for (n,) in reader.rows("SELECT n_raw FROM series"))
    assert n_points == 2 * N_RUNS + done["ingest"][0]
    held = {f"{Path(key).name} {tag}" for key, tags in replay(find_home(str(home))).tags.items() for tag in tags}
    assert held == set(done["tag"][2])


COMPACTOR = """
import sys, time
from mlbench.journal import compact
from mlbench.paths import find_home

home, until = find_home(sys.argv[1]), float(sys.argv[2])
n = 0
while time.time() < until:
    n += compact(home.journal).n_files
print(n)
"""
TAGGER = """
import sys, time
from mlbench.journal import RunRef, open_journal
from mlbench.paths import find_home

n = 0
with open_journal(find_home(sys.argv[1])) as journal:
    while time.time() < float(sys.argv[2]):
        n += 1
        journal.tag(RunRef('/r/' + sys.argv[3]), add=[f't{n}'])
print(n)
"""


def test_merging_while_others_write_loses_no_word_and_readers_never_see_less(tmp_path: Path) -> None:
    home = find_home(str(tmp_path / "home"))
    until = time.time() + min(SECONDS, 3)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    start = [(TAGGER, str(number)) for number in range(3)] + [(COMPACTOR, "")]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "home"), str(until), word], stdout=subprocess.PIPE,
            env=environment,
        )
        for script, word in start
    ]  # fmt: skip
    seen: list[int] = []
    while time.time() < until:
        seen.append(sum(map(len, replay(home).tags.values())))
    counts = [int(process.communicate(timeout=60)[0]) for process in processes]

    words = replay(home)
    assert seen == sorted(seen)
    assert words.problems == ()
    assert [len(words.tags[f"/r/{number}"]) for number in range(3)] == counts[:3]
    assert counts[3] >= 2
