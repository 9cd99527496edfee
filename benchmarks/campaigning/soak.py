"""Following growing runs while others query and tag: memory, file descriptors, and whether every point arrives."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from campaigning import Figure, Plan
from mlbench.catalog.reader import open_reader
from mlbench.journal import replay
from mlbench.paths import find_home
from tests.events import scalar_file

COUNT = 200
"""Runs that grow."""
PER_TURN = 20
"""Runs that get a point in one turn."""
TURN_S = 1.0
LOG = "events.out.tfevents.1700000000.host"
MIB = 1 << 20


@dataclass(slots=True)
class Seen:
    """What the process that follows took, once a turn."""

    rss_mib: list[float] = field(default_factory=list)
    n_fds: list[int] = field(default_factory=list)


def campaign(plan: Plan) -> Iterator[Figure]:
    """Follow for `--minutes`; the first fifth is warming up and not counted."""
    logs, home = plan.folder / "logs", plan.folder / "home"
    counts = [0] * plan.count
    for number in range(plan.count):
        _grow(logs, number, counts)
    # A file takes all that it says; a pipe that nobody empties is full after half an hour, and the process waits.
    told = plan.folder / "told.txt"
    with told.open("wb") as file:
        watch = subprocess.Popen(_command(home, "ingest", "--watch", str(logs)), stdout=subprocess.DEVNULL, stderr=file)
    seen, n_tags, failed = Seen(), 0, []
    started_s = time.monotonic()
    turn = 0
    while time.monotonic() - started_s < 60 * plan.minutes:
        for number in range(turn * PER_TURN, (turn + 1) * PER_TURN):
            _grow(logs, number % plan.count, counts)
        if turn and turn % 10 == 0:
            n_tags += 1
            for words in (["tag", f"run{turn % plan.count}", f"+t{n_tags}"], ["query", "metrics.loss < 2", "-n", "5"]):
                done = subprocess.run(_command(home, *words), capture_output=True, text=True, check=False)
                failed += [done.stderr] if done.returncode else []
        _look(watch.pid, seen)
        turn += 1
        time.sleep(max(0.0, started_s + turn * TURN_S - time.monotonic()))
    minutes = (time.monotonic() - started_s) / 60
    n_missed = _missed(home, counts)
    is_alive = watch.poll() is None
    watch.terminate()
    watch.wait()
    said = told.read_text("utf-8", "replace")
    n_lost = n_tags - len({tag for tags in replay(find_home(str(home))).tags.values() for tag in tags})
    what = f"minutes of following {plan.count} runs that grow, {turn * PER_TURN:,} points"
    yield Figure(what, f"{minutes:.1f}", "60", is_alive)
    yield Figure.none_of("points that did not arrive", n_missed, sum(counts))
    yield Figure.none_of("tags said meanwhile that were lost", n_lost, n_tags)
    yield Figure.none_of("commands that failed meanwhile", len(failed), 2 * n_tags)
    rss, fds = seen.rss_mib[len(seen.rss_mib) // 5 :], seen.n_fds[len(seen.n_fds) // 5 :]
    early, late = statistics.median(rss[: len(rss) // 4]), statistics.median(rss[-len(rss) // 4 :])
    yield Figure(
        "memory of the process that follows, first and last quarter",
        f"{early:.0f} and {late:.0f} MiB, at most {max(rss):.0f}", "flat (within a tenth)", late < early * 1.1,
    )  # fmt: skip
    yield Figure(
        "its file descriptors, least and most",
        f"{min(fds)} and {max(fds)}",
        "flat (within 8)",
        max(fds) - min(fds) <= 8,
    )
    yield Figure("faults told", "none" if "fault of mlbench" not in said else said[-200:], "none", "fault" not in said)
    for text in failed[:3]:
        print(text)


def _grow(logs: Path, number: int, counts: list[int]) -> None:
    step = counts[number]
    log = logs / f"run{number}" / LOG
    scalar_file(log, {"loss": [(step, 1 / (step + 1))]}, append=step > 0, start_s=time.time() - step)
    counts[number] += 1


def _command(home: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "mlbench", "--home", str(home), *words]


def _look(pid: int, seen: Seen) -> None:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    seen.rss_mib.append(pages * os.sysconf("SC_PAGE_SIZE") / MIB)
    seen.n_fds.append(len(os.listdir(f"/proc/{pid}/fd")))


def _missed(home: Path, counts: list[int]) -> int:
    """Points that are not in the catalog half a minute after the last was written."""
    wanted = {f"run{number}": count for number, count in enumerate(counts)}
    for _second in range(30):
        time.sleep(1)
        with open_reader(find_home(str(home))) as reader:
            found = dict(reader.rows("SELECT r.name, s.n_raw FROM series s JOIN run r ON r.run_id = s.run_id"))
        missed = sum(abs(count - int(found.get(name, 0))) for name, count in wanted.items())
        if not missed:
            return 0
    return missed
