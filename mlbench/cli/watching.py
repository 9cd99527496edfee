"""`ingest --watch`: look again and again, often while something changes and seldom while nothing does."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlbench.cli.common import explain, talk, warn
from mlbench.cli.indexing import INTERRUPTED

if TYPE_CHECKING:
    from mlbench.ingest.run import Summary
    from mlbench.paths import Home

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 15.0
"""After a while in which nothing changes: a tree on a slow share costs a walk each time."""
BACK_OFF = 1.5


def watch_paths(home: Home, paths: Sequence[str]) -> int:
    """Ingest until ctrl+c; says what is new, and goes on whatever cannot be read now.

    Returns:
        130, since there is no other end.
    """
    over = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_signal: over.set())
    wait_s = FIRST_WAIT_S
    try:
        while not over.wait(wait_s):
            began = time.monotonic()
            summary = _look(home, paths, over)
            if summary is not None and (summary.n_changed or summary.n_read):
                runs = f"{summary.n_changed:,} {'run' if summary.n_changed == 1 else 'runs'}"
                talk(f"{runs} changed, {summary.n_points:,} new {'point' if summary.n_points == 1 else 'points'}")
                wait_s = FIRST_WAIT_S
            else:
                wait_s = min(wait_s * BACK_OFF, LONGEST_WAIT_S)
            # Looking takes at most a tenth of the time, however large the tree is.
            wait_s = max(wait_s, 9 * (time.monotonic() - began))
    finally:
        signal.signal(signal.SIGINT, before)
    talk("no longer watching; what was read is kept")
    return INTERRUPTED


def _look(home: Home, paths: Sequence[str], over: threading.Event) -> Summary | None:
    """One ingest; None where it was not possible now."""
    from mlbench.catalog.writer import WriterBusyError
    from mlbench.errors import SourceError
    from mlbench.ingest.run import ingest_paths

    try:
        return ingest_paths(home, paths, is_cancelled=over.is_set)
    except WriterBusyError as error:
        explain(str(error))
    except SourceError as error:  # a mount that went away may come back
        warn(str(error))
    return None
