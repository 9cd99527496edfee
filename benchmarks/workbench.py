"""What a person feels in the workbench, through a pseudo-terminal of 160x45, against a floor in the same run.

The floor is a Textual app with one Static that repaints one character on a key. Catalogs are those of `catalogs.py`.

Usage: python benchmarks/workbench.py FOLDER [--bench DIR]
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from measuring import YARDSTICK, Figure, machine, print_figures

COLUMNS, ROWS = 160, 45
KEYS = 40
FLOOR = """
from textual.app import App
from textual.widgets import Static
class Floor(App):
    def compose(self):
        self.n = 0
        self.line = Static("0" + "x" * 59)
        yield self.line
    def on_key(self, event):
        self.n += 1
        self.line.update(str(self.n % 10) + "x" * 59)
Floor().run()
"""
TABLE = """
from textual.app import App
from textual.widgets import DataTable
class Peer(App):
    def compose(self):
        yield DataTable()
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns(*(f"c{i}" for i in range(50)))
        table.add_rows([f"{row * 50 + i}" for i in range(50)] for row in range(10000))
        table.focus()
        self.call_after_refresh(lambda: setattr(self, "title", "there"))
Peer().run()
"""
OURS = """
import sys
from mlbench.paths import find_home
from mlbench.main import _open_workbench
sys.exit(_open_workbench(find_home(sys.argv[1]), sys.argv[2:]))
"""
TYPED = "params.p1 < 0.5"
SORT = "metrics.metric_3:desc"
BARE_FILTER = """SELECT run_no, run_id FROM wide_run WHERE n{slot} < 0.5
ORDER BY started_s DESC, name, run_id"""
BARE_SORT = """SELECT run_no, run_id FROM wide_run ORDER BY last{slot} DESC NULLS LAST, name, run_id"""
"""The first page of the pivot, which holds the keys that most runs have, stands beside the fields of the run."""


class Screens:
    """Starts programs in a terminal of the yardstick."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.spec_from_file_location("yardstick_tui", folder / "tui.py")
        if spec is None or spec.loader is None or not (folder / "tui.py").is_file():
            sys.exit(f"{folder}: the yardstick is not there. Try: --bench DIR")
        self._module: ModuleType = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._module)

    def start(self, script: str, *arguments: str, until: str, timeout_s: float = 90) -> tuple[Any, float]:
        """The terminal and the seconds until its screen matched."""
        home = tempfile.mkdtemp(prefix="mlbench-bench-")
        for state in Path(arguments[0] if arguments else home).glob("cache/*/state"):
            shutil.rmtree(state)  # else the cursor begins where the last session left it
        environ = {"MLBENCH_CONFIG": os.path.join(home, "settings.toml"), "PYTHONPATH": os.environ["PYTHONPATH"]}
        Path(environ["MLBENCH_CONFIG"]).touch()
        terminal = self._module.Tui(
            [sys.executable, "-c", script, *arguments], rows=ROWS, cols=COLUMNS, env=environ, cwd=home
        )
        began = terminal.started
        if terminal.wait_text(until, timeout_s) is None:
            sys.exit(f"never got to {until!r}:\n{terminal.text()}")
        return terminal, terminal.reads[-1][0] - began


def first_rows(screens: Screens, home: str, rounds: int) -> tuple[float, float]:
    """Median seconds of the floor's first paint and of our first rows, started in turn."""
    floor, ours = [], []
    for _ in range(rounds):
        terminal, seconds = screens.start(FLOOR, until="0xxx")
        floor.append(seconds)
        terminal.close()
        terminal, seconds = screens.start(OURS, home, until=r"run_\d{5}")
        ours.append(seconds)
        terminal.settle(1.0, 10)
        terminal.close()
    return statistics.median(floor), statistics.median(ours)


def press(terminal: Any, key: bytes, n: int, *, quiet_s: float = 0.08) -> tuple[list[float], list[int]]:  # noqa: ANN401 - the yardstick's
    """Milliseconds to the last byte, and bytes, of each of n key presses; every screen has settled before."""
    latencies, sizes = [], []
    for _ in range(n):
        _first, last, size = terminal.key(key, quiet_s)
        terminal.draw()
        latencies.append((last or 0.0) * 1e3)
        sizes.append(size)
    return latencies, sizes


def p95(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


def measure_keys(screens: Screens, home: str) -> list[Figure]:
    """Cursor, page, idle, mouse and memory at 100,000 runs with the side panes hidden."""
    floor, _seconds = screens.start(FLOOR, until="0xxx")
    floor.settle(0.5, 5)
    ours, _seconds = screens.start(OURS, home, until=r"run_\d{5}")
    ours.settle(1.0, 15)
    ours.key(b"z", 1.0)
    floor_keys, _sizes = press(floor, b"j", KEYS)
    cursor, cursor_bytes = press(ours, b"j", KEYS)
    page, page_bytes = press(ours, b"\x1b[6~", KEYS // 2)
    _first, _last, idle = ours.settle(2.0, 3.0)
    os.write(ours.fd, b"".join(b"\x1b[<35;%d;%dM" % (30 + n, 5 + n % 30) for n in range(60)))
    _first, _last, motion = ours.settle(0.5, 3.0)
    floor_rss, rss = floor.tree()[1], ours.tree()[1]
    floor.close()
    ours.close()
    peer, _seconds = screens.start(TABLE, until="c5 ", timeout_s=120)
    peer.settle(3.0, 60)
    peer_page, _sizes = press(peer, b"\x1b[6~", 8, quiet_s=0.4)
    peer.close()
    allowed = 1.5 * floor_rss + 100
    return [
        Figure("cursor key, p95, ms", p95(cursor) / p95(floor_keys), "x", p95(cursor), p95(floor_keys), 3.0),
        Figure("cursor key, bytes (median)", statistics.median(cursor_bytes), "B", goal=700),
        Figure("page, of a DataTable's of 10,000 x 50, ms", statistics.median(page) / statistics.median(peer_page), "x",
               statistics.median(page), statistics.median(peer_page), 0.1),
        Figure("page, bytes (median)", statistics.median(page_bytes), "B", goal=12_000),
        Figure("idle for 2 s, bytes", idle, "B", goal=0),
        Figure("60 mouse motions, bytes", motion, "B", goal=0),
        Figure("memory at 100,000 runs, MiB (peak)", rss, "MiB", rss, floor_rss, allowed),
    ]  # fmt: skip


def measure_questions(home: str) -> list[Figure]:
    """A filter keystroke and a sort, as the session answers them, against the bare query in the same process."""
    from mlbench.catalog.reader import open_reader
    from mlbench.paths import find_home
    from mlbench.tui.catalog_session import CatalogSession
    from mlbench.tui.session import RunsQuestion

    session, reader = CatalogSession(find_home(home), ()), open_reader(find_home(home))
    shown = session.find(RunsQuestion()).columns
    figures = []
    for name, question, kind, key, sql in (
        ("filter keystroke", RunsQuestion(TYPED, columns=shown), "param", "p1", BARE_FILTER),
        ("sort", RunsQuestion(sort=(SORT,), columns=shown), "metric", "metric_3", BARE_SORT),
    ):
        where = "SELECT slot FROM wide_key WHERE kind = ? AND name = ? AND page = 0"
        ((slot,),) = reader.rows(where, [kind, key])
        bare = sql.format(slot=slot)
        pairs = [(_cpu_s(lambda: session.find(question)), _cpu_s(lambda: reader.rows(bare))) for _ in range(7)]  # noqa: B023
        ours, theirs = (statistics.median(side) * 1e3 for side in zip(*pairs, strict=True))
        figures.append(Figure(f"{name} at 100,000 runs, CPU ms", ours / theirs, "x", ours, theirs, 3.0))
    session.close()
    reader.close()
    return figures


def _cpu_s(call: Callable[[], object]) -> float:
    before = time.process_time()
    call()
    return time.process_time() - before


def measure_live(screens: Screens, n_points: int = 6) -> list[Figure]:
    """A run that is written while it is followed: seconds until its new value is seen, and bytes."""
    folder = Path(tempfile.mkdtemp(prefix="mlbench-live-"))
    for number in range(12):
        (folder / f"run{number}").mkdir()
        (folder / f"run{number}" / "metrics.csv").write_text("step,val/loss\n0,3.5\n1,2.5\n2,1.75\n", "utf-8")
    terminal, _seconds = screens.start(OURS, str(folder / "home"), str(folder), until="12 runs")
    terminal.settle(2.0, 20)
    terminal.key(b"z", 1.0)
    waits, sizes = [], []
    for number in range(n_points):
        value = f"0.{1234 + 111 * number}"
        before = terminal.bytes
        began = time.perf_counter()
        with (folder / "run5" / "metrics.csv").open("a", encoding="utf-8") as file:
            file.write(f"{3 + number},{value}\n")
        if terminal.wait_text(value.rstrip("0"), 10) is None:
            sys.exit(f"{value} never came:\n{terminal.text()}")
        waits.append(time.perf_counter() - began)
        terminal.settle(0.5, 3)
        sizes.append(terminal.bytes - before)
    terminal.close()
    return [
        Figure("a new point on screen, s (median)", statistics.median(waits), "s", goal=1.0),
        Figure("a new point, bytes (median)", statistics.median(sizes), "B", goal=1000),
    ]


def main() -> int:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="where catalogs of 10,000 and 100,000 runs are, or shall be built")
    parser.add_argument("--bench", type=Path, default=YARDSTICK)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="first,keys,questions,live")
    options = parser.parse_args()
    screens = Screens(options.bench)
    homes = {n: os.path.join(options.folder, f"catalog-{n}") for n in (10_000, 100_000)}
    for n in homes:
        if options.only != "live":
            from catalogs import build

            build(options.folder, n)
    figures: list[Figure] = []
    if "first" in options.only:
        for n, goal in ((10_000, 1.6), (100_000, 1.8)):
            floor, ours = first_rows(screens, homes[n], options.rounds)
            figures.append(Figure(f"first rows of {n:,} runs, s", ours / floor, "x", ours, floor, goal))
    if "keys" in options.only:
        figures += measure_keys(screens, homes[100_000])
    if "questions" in options.only:
        figures += measure_questions(homes[100_000])
    if "live" in options.only:
        figures += measure_live(screens)
    missed = print_figures("workbench at 160x45", figures)
    print(machine())
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
