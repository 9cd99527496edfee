"""The catalog at 10,000 and 100,000 runs: the eight figures of docs/performance-catalog.md, both sides in one run.

Usage: python benchmarks/scale.py FOLDER [--bench DIR] [--mlflow PYTHON] [--tensorboard PYTHON] [--small]

FOLDER holds the synthetic catalogs and is filled when it is empty (1.2 GB; with --small no 100,000 runs: 0.1 GB).
--bench is the folder of p_mlflow.py, p_tensorboard_http.py and gen_logs.py; without a PYTHON that has the peer its
figures are left out. CPU milliseconds, medians of five; wall milliseconds where a request or the disk is waited for.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import catalogs

from mlbench.catalog.reader import open_reader
from mlbench.catalog.writer import open_writer
from mlbench.journal import RunRef, open_journal
from mlbench.paths import Home, find_home
from mlbench.queries.compare import compare_runs
from mlbench.queries.runs import find_runs
from mlbench.queries.thinning import fetch_thinned

ROUNDS = 5
FILTER = "metrics.metric_3 > 0.2 and metrics.metric_4 < 0.9 and params.p3 != 'sgd'"
SORT = "metrics.metric_1"
COLUMNS = ("metrics.metric_0", "params.p3", "params.p0", "params.p12", "params.p15", "params.p18", "params.p21",
           "metrics.metric_1", "metrics.metric_2")  # fmt: skip
N_CURVES, N_POINTS, N_CHART_COLUMNS = 1_000, 500, 300
MOST_MB = 400


def report(what: str, measured: float, goal: float, detail: str) -> None:
    """One line of the table."""
    mark = "ok" if measured <= goal else "MISSED"
    print(f"{what:58} {measured:8.3f}   at most {goal:7.3f}   {mark:6}  {detail}", flush=True)


def milliseconds(ask: Callable[[], object], clock: Callable[[], float] = time.process_time) -> float:
    """Median of the rounds, after one that warms up."""
    ask()
    times = []
    for _round in range(ROUNDS):
        before = clock()
        ask()
        times.append(clock() - before)
    return statistics.median(times) * 1000


def questions(home: Home) -> dict[str, Callable[[], object]]:
    """The questions that are measured, on one open reader."""
    reader = open_reader(home)
    wide = [run_id for (run_id,) in reader.rows("SELECT run_id FROM run ORDER BY run_no LIMIT 8")]
    return {
        "query": lambda: find_runs(reader, where=FILTER, columns=COLUMNS, sort=[SORT], limit=100),
        "query, usual columns": lambda: find_runs(reader, where=FILTER, sort=[SORT], limit=100),
        "text anywhere": lambda: find_runs(reader, where="123", columns=COLUMNS, sort=[SORT], limit=100),
        "diff of 8 runs x 200 params": lambda: compare_runs(reader, wide),
        "open": lambda: open_reader(home).close(),
    }


# ---------------------------------------------------------------- processes


def child(command: list[str]) -> float:
    """CPU milliseconds of a process."""
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _pid, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{command} failed")
    return (usage.ru_utime + usage.ru_stime) * 1000


def process_figure(home: Home) -> None:
    """`mlbench query` against Python with DuckDB on the same file."""
    snapshot = os.path.realpath(os.path.join(home.cache, "CURRENT"))
    bare = f"import duckdb; duckdb.connect({snapshot!r}, read_only=True).execute('SELECT 1').fetchall()"
    ours = [sys.executable, "-m", "mlbench", "--home", os.path.dirname(os.path.dirname(home.cache)), "query", FILTER,
            "--sort", SORT, "--limit", "100"]  # fmt: skip
    pairs = [(child(ours), child([sys.executable, "-c", bare])) for _round in range(ROUNDS + 1)][1:]
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    report("mlbench query, whole process / python with duckdb", ratio, 1.7, f"{mine:.0f} / {theirs:.0f} CPU ms")


def memory_figure(home: Home) -> None:
    """Peak memory of each question in a process of its own."""
    for name in questions(home):
        told = subprocess.run([sys.executable, __file__, "--ask", name, home.cache], check=True, capture_output=True)
        report(f"peak MiB at 100,000 runs: {name}", float(told.stdout), MOST_MB, "")


def ask_once(name: str, cache: str) -> None:
    """One question, for the memory figure."""
    questions(find_home(os.path.dirname(os.path.dirname(cache))))[name]()
    with open("/proc/self/status", encoding="ascii") as file:  # the kernel's ru_maxrss counts the parent's, too
        print(next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM")))


# ---------------------------------------------------------------- peers and disk


def mlflow_ms(options: argparse.Namespace) -> float:
    """MLflow's search with conditions on three things, first 100, on as many runs of the same shape."""
    script, database = os.path.join(options.bench, "p_mlflow.py"), os.path.join(options.folder, "mlflow-10000.db")
    if not os.path.exists(database):
        subprocess.run([options.mlflow, script, "fill", database, "10000", "50"], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([options.mlflow, script, "query", database], check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout.splitlines()[-1])["filter on 3, order by param, first 100"]["cpu_ms"])


def curves_figure(options: argparse.Namespace) -> None:
    """One metric of 1,000 runs, thinned, against TensorBoard's request for it; both wall."""
    logs = os.path.join(options.folder, "curves")
    home = find_home(os.path.join(options.folder, "curves-home"))
    if not os.path.exists(logs):
        generate = [options.tensorboard, os.path.join(options.bench, "gen_logs.py"), "--runs", str(N_CURVES), "--tags",
                    "1", "--points", str(N_POINTS), "--no-configs", logs]  # fmt: skip
        subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
    ingest = [sys.executable, "-m", "mlbench", "--home", os.path.join(options.folder, "curves-home"), "ingest", logs]
    subprocess.run(ingest, check=True, stdout=subprocess.DEVNULL)  # nothing is read twice
    script = os.path.join(options.bench, "p_tensorboard_http.py")
    done = subprocess.run([options.tensorboard, script, logs], check=True, capture_output=True, text=True)
    theirs = float(json.loads(done.stdout.splitlines()[-1])["latency"]["timeSeries 1 tag, all runs"]["ms"])
    with open_reader(home) as reader:
        (metric,) = {
            name for (name,) in reader.rows("SELECT metric FROM series GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
        }
        ids = [run_id for (run_id,) in reader.rows("SELECT run_id FROM run")]
        mine = milliseconds(lambda: fetch_thinned(reader, ids, metric, columns=N_CHART_COLUMNS), time.perf_counter)
    report("1,000 curves, thinned / TensorBoard's request", mine / theirs, 1 / 20, f"{mine:.0f} / {theirs:.0f} ms")


def tag_figure(home: Home) -> None:
    """A durable tag on 1,000 runs against an fsync of the same bytes and a commit; both wall."""
    with open_reader(home) as reader:
        rows = reader.rows("SELECT run_key, fingerprint FROM run ORDER BY run_no LIMIT 1000")
    runs, tags = [RunRef(*row) for row in rows], iter(range(10_000))
    with open_journal(home) as journal, open_writer(home) as writer:
        mine = milliseconds(lambda: journal.tag(runs, add=(f"t{next(tags)}",)), time.perf_counter)
        size = max(entry.stat().st_size for entry in os.scandir(home.journal)) // (ROUNDS + 1)
        descriptor = os.open(os.path.join(home.cache, "append"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def append_and_commit() -> None:
            os.write(descriptor, b"x" * size)
            os.fsync(descriptor)
            writer.update("UPDATE meta SET value = value WHERE key = 'generation'", [])

        theirs = milliseconds(append_and_commit, time.perf_counter)
        os.close(descriptor)
    for entry in os.scandir(home.journal):
        os.unlink(entry.path)
    report("tag on 1,000 runs / fsync'd append + commit", mine / theirs, 3, f"{mine:.1f} / {theirs:.1f} ms")


def main() -> None:
    """Measure all figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--bench", default="../shared/bench")
    parser.add_argument("--mlflow", default="")
    parser.add_argument("--tensorboard", default="")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    ten = catalogs.build(options.folder, 10_000)
    asked = questions(ten)
    ms = {name: milliseconds(ask) for name, ask in asked.items()}
    print(", ".join(f"{name} {value:.1f}" for name, value in ms.items()), "CPU ms at 10,000 runs", flush=True)
    if options.mlflow:
        theirs = mlflow_ms(options)
        ours = milliseconds(asked["query"])
        report(
            "three conditions, sort, 100 rows / MLflow's search",
            ours / theirs,
            0.01,
            f"{ours:.1f} / {theirs:.0f} CPU ms",
        )
    report("text anywhere / query", ms["text anywhere"] / ms["query"], 4, f"{ms['text anywhere']:.1f} CPU ms")
    diff = ms["diff of 8 runs x 200 params"]
    report("diff of 8 runs x 200 parameters / query", diff / ms["query"], 2, f"{diff:.1f} CPU ms")
    process_figure(ten)
    if options.tensorboard:
        curves_figure(options)
    tag_figure(ten)
    if not options.small:
        hundred = catalogs.build(options.folder, 100_000)
        large = {name: milliseconds(ask) for name, ask in questions(hundred).items()}
        print(", ".join(f"{name} {value:.1f}" for name, value in large.items()), "CPU ms at 100,000 runs", flush=True)
        report("query, 100,000 runs / 10,000 runs", large["query"] / ms["query"], 8, f"{large['query']:.1f} CPU ms")
        memory_figure(hundred)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ask"]:
        ask_once(*sys.argv[2:])
    else:
        main()
