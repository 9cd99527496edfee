"""Charts against plotext's and TensorBoard's: CPU seconds, both sides in one run.

Usage: python benchmarks/charts.py [--rounds N] [--data DIR] [--bench DIR] [--peer-python PYTHON] [--without-server]

Redraws go from the points to the last byte for a terminal of 160x45 with 24-bit colours, smoothing included; plotext
draws the same points at the same size. Figures of many runs go from the catalog to those bytes, against TensorBoard's
answers for the same metrics of set L (1,000 runs x 500 points), of which it keeps all. Exits with 1 when a goal is
missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import add_options, bench_of, fresh_folder, machine, print_figures, ratio

if TYPE_CHECKING:
    from mlbench.queries.answers import SeriesAnswer

WIDTH, HEIGHT = 160, 45
HEADERS = {"X-XSRF-Protected": "1"}


def cpu_seconds(call: Callable[[], object]) -> float:
    before = time.process_time()
    call()
    return time.process_time() - before


def curves_of(n_points: int, *, n: int = 10) -> list[SeriesAnswer]:
    """Noisy losses, as trainings log them."""
    import numpy as np

    from mlbench.queries.answers import RunHead, SeriesAnswer

    rng = np.random.default_rng(0)
    steps = np.arange(n_points, dtype=np.int64)
    found = []
    for index in range(n):
        values = np.exp(-steps / n_points * (2 + index / 3)) + rng.normal(0, 0.03, n_points)
        head = RunHead(f"r{index}", f"r{index}", "", f"run-{index}", f"/r{index}", "finished")
        found.append(SeriesAnswer(head, "loss", steps, steps * 0.1, values, n_points))
    return found


def redraw(series: Sequence[SeriesAnswer], *, smoothing: float, share: float = 1.0, log_y: bool = False) -> str:
    """What a key that zooms or smooths costs: curves, axes, dots, colours, bytes."""
    from mlbench.render.ansi import painted_lines
    from mlbench.render.chart import ChartOptions
    from mlbench.render.chart_text import CurveOptions, series_chart

    last = float(series[0].steps[-1])
    options = ChartOptions(WIDTH, HEIGHT, log_y=log_y, x_limits=(last * (1 - share), last))
    return painted_lines(series_chart(series, options, CurveOptions(smoothing=smoothing)).lines, "truecolor")


def with_plotext(series: Sequence[SeriesAnswer]) -> str:
    import plotext

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(WIDTH, HEIGHT)
    for one in series:
        signal = figure.signal(one.steps.astype(float).tolist(), one.values.tolist())
        signal.lines()
        figure.draw(signal)
    text: str = figure.build().string()
    figure.clear()
    return text


# ---------------------------------------------------------------- many runs


@contextmanager
def tensorboard(folder: Path, python: str) -> Iterator[tuple[str, int]]:
    """A TensorBoard that has loaded all runs: its address and process id."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    program = str(Path(python).parent / "tensorboard")
    command = [program, "--logdir", str(folder), "--host", "127.0.0.1", "--port", str(port),
               "--samples_per_plugin", "scalars=100000"]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield f"http://127.0.0.1:{port}/", server.pid
    finally:
        server.terminate()
        server.wait(30)


def wait_until_loaded(address: str, tags: Sequence[str], n_runs: int, n_points: int) -> None:
    """Until the last run has its last point of the last metric."""
    import json

    for _ in range(600):
        try:
            rows = json.loads(ask(address, tags[-1]))
            if len(rows) == n_runs and all(len(points) >= n_points for points in rows.values()):
                return
        except OSError:
            pass
        time.sleep(1)
    sys.exit("TensorBoard did not load the set in ten minutes")


def ask(address: str, tag: str) -> bytes:
    """One metric of all runs, as the scalars page asks for it."""
    import json

    runs = json.loads(urllib.request.urlopen(address + "data/runs", timeout=300).read())  # noqa: S310 - our own server
    form = urllib.parse.urlencode([("tag", tag), *(("runs", run) for run in runs)]).encode()
    url = urllib.request.Request(address + "data/plugin/scalars/scalars_multirun", data=form, headers=HEADERS)  # noqa: S310
    with urllib.request.urlopen(url, timeout=600) as answer:  # noqa: S310
        found: bytes = answer.read()
    return found


def tree_seconds(pid: int) -> float:
    """CPU seconds of a process and its children."""
    total, todo = 0.0, [pid]
    while todo:
        each = todo.pop()
        try:
            fields = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            for task in os.listdir(f"/proc/{each}/task"):
                todo += map(int, Path(f"/proc/{each}/task/{task}/children").read_text(encoding="utf-8").split())
        except OSError:
            continue
    return total


def from_catalog(home: str, metrics: Sequence[str]) -> str:
    """Charts of metrics of all runs, from the catalog's file to bytes."""
    from mlbench.catalog.reader import open_reader
    from mlbench.paths import find_home
    from mlbench.queries.runs import find_runs
    from mlbench.queries.series import fetch_series
    from mlbench.render.ansi import painted_lines
    from mlbench.render.chart import ChartOptions
    from mlbench.render.chart_text import CurveOptions, series_chart

    drawn = ""
    with open_reader(find_home(home)) as reader:
        ids = [row.head.run_id for row in find_runs(reader, where="", columns=None, within=()).rows]
        for metric in metrics:
            series = fetch_series(reader, ids, [metric])
            chart = series_chart(series, ChartOptions(WIDTH, HEIGHT), CurveOptions())
            drawn += painted_lines(chart.lines, "truecolor")
    return drawn


def many_runs(folder: Path, python: str, rounds: int) -> list[object]:
    from mlbench.paths import find_home
    from mlbench.watch import Watcher

    with fresh_folder() as home, tensorboard(folder, python) as (address, pid):
        Watcher(find_home(home), [str(folder)]).look()
        metrics = metrics_of(home)
        wait_until_loaded(address, metrics, 1000, 500)
        from_catalog(home, metrics[:1])
        one, twelve = [], []
        for _round in range(rounds):
            for asked, pairs in ((metrics[:1], one), (metrics[:12], twelve)):
                before = tree_seconds(pid)
                for metric in asked:
                    ask(address, metric)
                theirs = tree_seconds(pid) - before
                pairs.append((cpu_seconds(lambda asked=asked: from_catalog(home, asked)), theirs))  # type: ignore[misc]
    return [
        ratio("1 metric of 1,000 runs, catalog to screen, against TensorBoard's answer", one, goal=1 / 20),
        ratio("12 metrics of 1,000 runs, against TensorBoard's answers", twelve, goal=1 / 30),
    ]


def metrics_of(home: str) -> list[str]:
    from mlbench.catalog.reader import open_reader
    from mlbench.paths import find_home
    from mlbench.queries.names import metric_names

    with open_reader(find_home(home)) as reader:
        return list(metric_names(reader))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-server", action="store_true", help="only redraws: no TensorBoard is started")
    add_options(parser)
    options = parser.parse_args()
    bench = bench_of(options)
    small, large = curves_of(10_000), curves_of(1_000_000)
    redraw(small, smoothing=0.9), redraw(large, smoothing=0.9), with_plotext(small[:1])
    rounds = range(bench.rounds)
    pairs = [
        # Another weight each time: what was smoothed before is kept.
        (cpu_seconds(lambda n=n: redraw(small, smoothing=0.9 + n / 1000)), cpu_seconds(lambda: with_plotext(small)))  # type: ignore[misc]
        for n in rounds
    ]
    zooms = [(cpu_seconds(lambda: redraw(small, smoothing=0, share=0.5)), theirs) for _ours, theirs in pairs]
    larger = [(cpu_seconds(lambda: redraw(large, smoothing=0, share=0.5)),
               cpu_seconds(lambda: redraw(small, smoothing=0, share=0.5))) for _ in rounds]  # fmt: skip
    figures = [
        ratio("10 x 10,000 points after a change of smoothing, against plotext", pairs, goal=1 / 50),
        ratio("10 x 10,000 points after a zoom, against plotext", zooms, goal=1 / 50),
        ratio("10 x 1,000,000 points after a zoom, against 10 x 10,000", larger, goal=5.0),
    ]
    if not options.without_server:
        figures += many_runs(bench.folder("L"), bench.peer_python, bench.rounds)  # type: ignore[arg-type]
    n_missed = print_figures(f"charts of {WIDTH}x{HEIGHT}, CPU seconds, {bench.rounds} rounds", figures)
    print(f"\npeak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB; {machine()}")
    sys.exit(n_missed > 0)


if __name__ == "__main__":
    main()
