"""What the benchmarks share: the sets and the yardstick, whole process trees measured, figures beside their goals."""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
YARDSTICK = ROOT.parent / "shared" / "bench"
SCRATCH = Path(tempfile.gettempdir()) / "mlbench-benchmarks"
CORES = 2
"""Every side of every ratio has so many."""
SAMPLE_S = 0.05
MIB = 1 << 20
_PR_SET_CHILD_SUBREAPER = 36

# The package of this tree is measured, here and in child processes, also where another one is installed.
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = str(ROOT)
# Its modules are compiled once, as those of an installed package are, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["PYTHONPYCACHEPREFIX"] = str(SCRATCH / "bytecode")


# ---------------------------------------------------------------- sets and yardstick


@dataclass(frozen=True, slots=True)
class Bench:
    """Where sets and peers are."""

    yardstick: Path
    sets: Path
    peer_python: str
    rounds: int

    def folder(self, name: str) -> Path:
        """The folder of a set, made by the generator when it is missing."""
        folder = self.sets / name
        if not (folder / "_manifest.json").is_file():
            self.sets.mkdir(parents=True, exist_ok=True)
            run_peer([self.peer_python, self.script("gen_logs.py"), str(folder), "--preset", name])
        return folder

    def n_points(self, name: str) -> int:
        manifest = json.loads((self.folder(name) / "_manifest.json").read_text(encoding="utf-8"))
        return int(manifest["points"])

    def script(self, name: str) -> str:
        path = self.yardstick / name
        if not path.is_file():
            sys.exit(f"{path}: the yardstick is not there. Try: --bench DIR")
        return str(path)

    def server(self, name: str, *, is_checked: bool) -> dict[str, float]:
        """What TensorBoard's data server needs to load a set with all samples: `server_cpu_s`, `load_s`, ..."""
        options = ["--samples", "all", *(["--checksum"] if is_checked else [])]
        return run_peer([self.peer_python, self.script("rustboard.py"), str(self.folder(name)), *options])


def add_options(parser: argparse.ArgumentParser, *, rounds: int = 5) -> None:
    """The options that all benchmarks take."""
    parser.add_argument("--bench", type=Path, default=YARDSTICK, help="folder of the yardstick scripts")
    parser.add_argument("--data", type=Path, default=SCRATCH, help="folder of the sets; what is missing is made")
    parser.add_argument("--peer-python", default=sys.executable, help="an interpreter that has the peers installed")
    parser.add_argument("--rounds", type=int, default=rounds, help=f"rounds A B A B (default {rounds})")


def bench_of(options: argparse.Namespace) -> Bench:
    """The bench that the options name; this process and its children are bound to the first cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    return Bench(options.bench.resolve(), options.data.resolve(), options.peer_python, options.rounds)


def run_peer(command: Sequence[str]) -> dict[str, float]:
    """Run a script of the yardstick and return the JSON object that it prints last, {} where it prints none."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.strip()[-800:]}\nTry: --peer-python PYTHON")
    last = done.stdout.strip().rpartition("\n")[2]
    return json.loads(last) if last.startswith("{") else {}


def warm_modules(bench: Bench) -> None:
    """Compile what both sides import, as an installation does: else the first round would, a second of M's three."""
    with fresh_folder() as home:
        for command in (
            [sys.executable, "-m", "compileall", "-q", str(ROOT / "mlbench")],
            [sys.executable, "-m", "mlbench", "ingest", str(ROOT / "sample_runs"), "--home", home],
            [bench.peer_python, "-c", "import tensorboard.backend.event_processing.event_accumulator"],
        ):
            subprocess.run(command, capture_output=True, check=False)


def warm(folder: Path) -> None:
    """Read a set once, so that both sides find it in the page cache."""
    for path in files_below(folder):
        with open(path, "rb", buffering=0) as file:
            while file.read(8 * MIB):
                pass


def files_below(folder: str | Path) -> Iterator[str]:
    for above, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(above, name) for name in sorted(names))


def size_bytes(folder: str | Path) -> int:
    return sum(os.path.getsize(path) for path in files_below(folder))


# ---------------------------------------------------------------- whole process trees


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command and everything that it started has used."""

    cpu_s: float
    """User and system time of all processes, those included that outlived their parent."""
    wall_s: float
    peak_pss_bytes: int
    """The largest sum of proportional set sizes that was seen; 0 where memory was not sampled."""
    printed: str


def run_measured(command: Sequence[str], *, is_sampled: bool = False) -> Measured:
    """Run a command to its end.

    Args:
        command: must end with 0.
        is_sampled: watch the memory every 50 ms. This slows the command, so its times are not to be compared.
    """
    _adopt_orphans()
    cpu_before = _children_cpu_s()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err)
        with _peak_pss(is_sampled=is_sampled) as peak:
            process.wait()
            wall_s = time.perf_counter() - started
        _wait_for_orphans()
        out.seek(0)
        err.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(command)}: ended with {process.returncode}: {err.read().strip()[-800:]}")
        return Measured(_children_cpu_s() - cpu_before, wall_s, peak[0], out.read())


def _adopt_orphans() -> None:
    """Become the parent of workers whose own parent ends first, so that their time is counted too (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for_orphans() -> None:
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def _peak_pss(*, is_sampled: bool) -> Iterator[list[int]]:
    peak, is_over = [0], threading.Event()

    def watch() -> None:
        while not is_over.wait(SAMPLE_S):
            peak[0] = max(peak[0], sum(map(_pss_bytes, _descendants(os.getpid()))))

    thread = threading.Thread(target=watch)
    if is_sampled:
        thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        if is_sampled:
            thread.join()


def _descendants(pid: int) -> list[int]:
    found = []
    for task in _listed(f"/proc/{pid}/task"):
        for child in _text(f"/proc/{pid}/task/{task}/children").split():
            found += [int(child), *_descendants(int(child))]
    return found


def _pss_bytes(pid: int) -> int:
    for line in _text(f"/proc/{pid}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:  # The process has ended.
        return []


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:  # The process has ended.
        return ""


@contextmanager
def fresh_folder() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="mlbench-bench-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


# ---------------------------------------------------------------- figures


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a table: what was measured, both sides where there are two, and the goal."""

    name: str
    value: float
    unit: str = ""
    ours: float | None = None
    theirs: float | None = None
    goal: float | None = None
    is_floor: bool = False
    """The goal is the least, not the most, that the value may be."""

    @property
    def is_missed(self) -> bool:
        if self.goal is None:
            return False
        return self.value < self.goal if self.is_floor else self.value > self.goal


def ratio(name: str, pairs: Iterable[tuple[float, float]], *, goal: float | None = None, unit: str = "s") -> Figure:
    """Ours divided by theirs: the median of the rounds' own ratios, so that a slow minute falls on both sides."""
    ours, theirs = zip(*pairs, strict=True)
    value = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return Figure(f"{name}, {unit}", value, "x", statistics.median(ours), statistics.median(theirs), goal)


def print_figures(title: str, figures: Sequence[Figure]) -> int:
    """Print a table; returns how many goals were missed."""
    print(f"\n{title}\n{'figure':<46} {'ours':>12} {'theirs':>12} {'value':>12}       goal")
    for figure in figures:
        value = f"{_number(figure.value)} {figure.unit}".rstrip()
        line = f"{figure.name:<46} {_number(figure.ours):>12} {_number(figure.theirs):>12} {value:>14}  {_goal(figure)}"
        print(line, flush=True)
    return sum(figure.is_missed for figure in figures)


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    said = f"{'at least' if figure.is_floor else 'at most'} {figure.goal:g}"
    return f"{said:<15} {'MISSED' if figure.is_missed else 'reached'}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def machine() -> str:
    """What a figure must be read with: commit, machine, Python, load."""
    described = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--match", "no tag"]
    commit = subprocess.run(described, capture_output=True, text=True, check=False).stdout.strip()
    models = [line.partition(":")[2].strip() for line in _text("/proc/cpuinfo").splitlines() if "model name" in line]
    python = ".".join(map(str, sys.version_info[:3]))
    parts = (f"commit {commit or '?'}", f"{(models or ['?'])[0]}, {CORES} cores", f"Python {python}")
    return " · ".join((*parts, f"load {os.getloadavg()[0]:.1f} at the end"))
