"""Charts against plotext's and TensorBoard's: CPU seconds, both sides in one run.

Usage: python benchmarks/charts.py [--rounds N] [--data DIR] [--bench DIR] [--peer-python PYTHON] [--without-server]

Redraws go from the points to the last byte for a terminal of 160x45 with 24-bit colours, smoothing included; plotext
draws the same points at the same size. Figures of many runs go from the catalog to those bytes, in a process that has
drawn before, against what a TensorBoard that has loaded all needs to answer its page's request for the same metrics of
set L (1,000 runs x 500 points, all of which it keeps). Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import Figure, add_options, bench_of, fresh_folder, machine, print_figures, ratio

if TYPE_CHECKING:
    from mlbench.queries.answers import SeriesAnswer
    from mlbench.queries.reading import Reader

WIDTH, HEIGHT = 160, 45
HEADERS = {"X-XSRF-Protected": "1"}
MOST_MIB = 400


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
        found.append(SeriesAnswer(head, "loss", steps, np.asarray(steps * 0.1, np.float64), values, n_points))
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


def redraws(rounds: range) -> list[Figure]:
    small, large = curves_of(10_000), curves_of(1_000_000)
    redraw(small, smoothing=0.9), redraw(large, smoothing=0.9), with_plotext(small[:1])
    pairs = [
        # Another weight each time: what was smoothed before is kept.
        (cpu_seconds(lambda n=n: redraw(small, smoothing=0.9 + n / 1000)), cpu_seconds(lambda: with_plotext(small)))  # type: ignore[misc]
        for n in rounds
    ]
    zooms = [(cpu_seconds(lambda: redraw(small, smoothing=0, share=0.5)), theirs) for _ours, theirs in pairs]
    larger = [(cpu_seconds(lambda: redraw(large, smoothing=0, share=0.5)),
               cpu_seconds(lambda: redraw(small, smoothing=0, share=0.5))) for _ in rounds]  # fmt: skip
    return [
        ratio("10 x 10,000 points after a change of smoothing, against plotext", pairs, goal=1 / 50),
        ratio("10 x 10,000 points after a zoom, against plotext", zooms, goal=1 / 50),
        ratio("10 x 1,000,000 points after a zoom, against 10 x 10,000", larger, goal=5.0),
    ]


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
    for _ in range(600):
        try:
            rows = json.loads(ask(address, tags[-1:]))[0].get("runToSeries", {})
            if len(rows) == n_runs and all(len(points) >= n_points for points in rows.values()):
                return
        except OSError:
            pass
        time.sleep(1)
    sys.exit("TensorBoard did not load the set in ten minutes")


def ask(address: str, tags: Sequence[str]) -> bytes:
    """Metrics of all runs, as the Time Series page, with which TensorBoard opens, asks for its cards."""
    requests = json.dumps([{"plugin": "scalars", "tag": tag} for tag in tags])
    return post(f"{address}experiment/defaultExperimentId/data/plugin/timeseries/timeSeries", [("requests", requests)])


def ask_scalars(address: str, tags: Sequence[str]) -> None:
    """The same metrics, as the older Scalars page asks for them, which is half the work."""
    runs = json.loads(urllib.request.urlopen(address + "data/runs", timeout=300).read())  # noqa: S310 - our own server
    for tag in tags:
        form = [("tag", tag), *(("runs", run) for run in runs)]
        post(address + "data/plugin/scalars/scalars_multirun", form)


def post(url: str, form: Sequence[tuple[str, str]]) -> bytes:
    request = urllib.request.Request(url, data=urllib.parse.urlencode(form).encode(), headers=HEADERS)  # noqa: S310
    with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310 - our own server
        found: bytes = answer.read()
    return found


def tree(pid: int) -> list[int]:
    """A process and its children."""
    found, todo = [], [pid]
    while todo:
        each = todo.pop()
        found.append(each)
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            with suppress(OSError):  # A thread that has ended since it was listed.
                todo += map(int, children.read_text(encoding="utf-8").split())
    return found


def tree_seconds(pid: int) -> float:
    """CPU seconds of a process and its children."""
    total = 0.0
    for each in tree(pid):
        fields = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def from_catalog(reader: Reader, ids: Sequence[str], metrics: Sequence[str]) -> str:
    """Charts of metrics of runs, as the workbench makes them: from the catalog to bytes."""
    from mlbench.queries.series import fetch_series
    from mlbench.queries.step_metrics import with_step_metrics
    from mlbench.render.ansi import painted_lines
    from mlbench.render.chart import ChartOptions
    from mlbench.render.chart_text import CurveOptions, series_chart

    # All at once are kept, as the workbench keeps them for zooms and smoothing; times are read for their axes.
    series = with_step_metrics(reader, fetch_series(reader, ids, metrics, has_times=False))
    drawn = ""
    for metric in metrics:
        own = [one for one in series if one.metric == metric]
        drawn += painted_lines(series_chart(own, ChartOptions(WIDTH, HEIGHT), CurveOptions()).lines, "truecolor")
    return drawn


def serve_charts(home: str) -> None:
    """A process like the workbench: for each line of metrics it draws their charts and says the CPU seconds.

    As there the snapshot is open and the runs are known, whose table is on the screen; and it draws once before it is
    measured, as the server has loaded all before it is asked. At the end it says the most memory that it has taken.
    """
    from mlbench.catalog.reader import open_reader
    from mlbench.paths import find_home

    with open_reader(find_home(home)) as reader:
        ids = [run_id for (run_id,) in reader.rows("SELECT run_id FROM run ORDER BY run_no")]
        for line in sys.stdin:
            metrics = json.loads(line)
            print(cpu_seconds(lambda metrics=metrics: from_catalog(reader, ids, metrics)), flush=True)  # type: ignore[misc]
    print(peak_mib("self"), flush=True)


def peak_mib(pid: int | str) -> float:
    """The most memory that a process has taken."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextmanager
def workbench(home: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, __file__, "--serve", home]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def drawn_by(process: subprocess.Popen[str], metrics: Sequence[str]) -> float:
    """CPU seconds of the charts of metrics."""
    question, answer = process.stdin, process.stdout
    if question is None or answer is None:
        raise TypeError("both are pipes")
    question.write(json.dumps(metrics) + "\n")
    question.flush()
    return float(answer.readline())


def many_runs(folder: Path, python: str, rounds: int) -> list[Figure]:
    from mlbench.paths import find_home
    from mlbench.watch import Watcher

    asked: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with fresh_folder() as home, tensorboard(folder, python) as (address, pid):
        Watcher(find_home(home), [str(folder)]).look()
        metrics = metrics_of(home)[:12]
        wait_until_loaded(address, metrics, 1000, 500)
        with workbench(home) as process:
            drawn_by(process, metrics)
            for _round in range(rounds):
                for n in (1, 12):
                    ours = drawn_by(process, metrics[:n])
                    for page, request in (("Time Series", ask), ("Scalars", ask_scalars)):
                        before = tree_seconds(pid)
                        request(address, metrics[:n])
                        asked.setdefault((page, n), []).append((ours, tree_seconds(pid) - before))
            most_mib, _rest = process.communicate()
        theirs_mib = sum(peak_mib(each) for each in tree(pid))
    goals = {("Time Series", 1): 1 / 20, ("Time Series", 12): 1 / 30}
    figures = [
        ratio(f"{n} metrics of 1,000 runs, catalog to screen, TensorBoard's {page}", pairs, goal=goals.get((page, n)))
        for (page, n), pairs in asked.items()
    ]
    return [
        *figures,
        Figure("peak memory, 12 metrics of 1,000 runs", float(most_mib), "MiB", float(most_mib), theirs_mib, MOST_MIB),
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
    parser.add_argument("--without-redraws", action="store_true", help="only charts of many runs")
    add_options(parser)
    options = parser.parse_args()
    bench = bench_of(options)
    figures = [] if options.without_redraws else redraws(range(bench.rounds))
    if not options.without_server:
        figures += many_runs(bench.folder("L"), bench.peer_python, bench.rounds)
    n_missed = print_figures(f"charts of {WIDTH}x{HEIGHT}, CPU seconds, {bench.rounds} rounds", figures)
    print(f"\n{machine()}")
    sys.exit(n_missed > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_charts(sys.argv[2])
    else:
        main()
