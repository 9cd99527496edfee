"""Ingest with honest progress on stderr, and what it came to."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mlbench.cli.common import explain, reading, talk, warn
from mlbench.cli.progress import ERASE, ProgressLine, is_verbose, pace
from mlbench.cli.words import print_rows
from mlbench.queries.vocabulary import counted

if TYPE_CHECKING:
    from mlbench.ingest.progress import Progress, Summary
    from mlbench.paths import Home

INTERRUPTED = 130


def ingest_with_progress(home: Home, paths: Sequence[str], *, is_rebuild: bool = False) -> Summary:
    """Ingest, with a progress line on a terminal.

    Ctrl+C ends it after the run at hand, and what was read is kept. Where that takes too long (another process has the
    catalog, a slow disk is walked) a second Ctrl+C ends it at once.

    Raises:
        KeyboardInterrupt: at the second Ctrl+C.
    """
    from mlbench.ingest.run import ingest_paths

    cancelled = threading.Event()

    def stop(*_signal: object) -> None:
        if cancelled.is_set():
            raise KeyboardInterrupt
        cancelled.set()

    before = signal.signal(signal.SIGINT, stop)
    # A million facts and rows hold no cycles: looking for them took a quarter of this process's time.
    gc.disable()
    try:
        return ingest_paths(home, paths, progress=_drawer(), is_cancelled=cancelled.is_set, rebuild=is_rebuild)
    finally:
        gc.freeze()  # else all that it left is looked through at once
        gc.enable()
        signal.signal(signal.SIGINT, before)
        if sys.stderr.isatty():
            sys.stderr.write(ERASE)


def _drawer() -> Callable[[Progress], None]:
    line = ProgressLine()
    reading_since = 0.0

    def draw(progress: Progress) -> None:
        nonlocal reading_since
        reading_since = reading_since or (line.elapsed_s if progress.stage == "read" else 0.0)
        if progress.stage == "done":
            line.erase()
        else:
            line.draw(lambda: progress_text(progress, line.elapsed_s - reading_since))

    return draw


def progress_text(progress: Progress, elapsed_s: float = 0.0) -> str:
    """`1,078 of 2,000 runs indexed, 412/s, 2 s left, 3,200,000 points`."""
    if progress.stage == "scan":
        return f"{counted(progress.n_done, 'folder')} seen"
    runs = f"{progress.n_done:,} of {counted(progress.n_total, 'run')} indexed"
    return f"{runs}{pace(progress.n_done, progress.n_total, elapsed_s)}, {counted(progress.n_points, 'point')}"


def tell_summary(home: Home, summary: Summary, form: str | None) -> None:
    """What was done: one record on stdout, errors and problems on stderr."""
    from mlbench.render.records import Records

    keys = ("runs", "changed", "files_read", "files_unchanged", "points_read", "problems", "missing")
    values = (
        summary.n_runs, summary.n_changed, summary.n_read, summary.n_unchanged, summary.n_points, summary.n_problems,
        summary.n_missing,
    )  # fmt: skip
    print_rows(Records(keys, (values,)), form)
    for line in (*summary.talk, *summary.errors):
        warn(line)
    for root in summary.roots if not summary.n_runs else ():
        talk(f"{root}: no runs found. mlbench reads event files, parameter dumps and trackers' records")
    if summary.n_problems:
        _tell_problems(home, summary)


def _tell_problems(home: Home, summary: Summary) -> None:
    """How many there are; with `--verbose` each of them."""
    if is_verbose():
        from mlbench.queries.show import list_problems
        from mlbench.render.problems import problem_text

        with reading(home) as reader:
            for problem in list_problems(reader, within=summary.roots):
                explain(problem_text(problem))
    talk(f"{counted(summary.n_problems, 'problem')}. Try: mlbench doctor, to list them")


def end_of(summary: Summary, *, is_strict: bool) -> int:
    """The exit code: 130 when it was interrupted, which is told, else whether all was read.

    Returns:
        3 when a named path could not be read (or, strictly, when any file had a problem), else 0.
    """
    if summary.was_cancelled:
        warn("interrupted: what was read so far is kept")
        return INTERRUPTED
    return 3 if summary.errors or (is_strict and summary.n_problems) else 0
