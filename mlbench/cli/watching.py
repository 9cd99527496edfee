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
    from mlbench.ingest.progress import Summary
    from mlbench.paths import Home
    from mlbench.watch import Watcher


def watch_paths(home: Home, paths: Sequence[str]) -> int:
    """Ingest until ctrl+c; says what is new, and goes on whatever cannot be read now.

    Returns:
        130, since there is no other end.
    """
    from mlbench.watch import Pace, Watcher

    over = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_signal: over.set())
    watcher, pace = Watcher(home, paths, is_cancelled=over.is_set), Pace()
    wait_s = 0.0
    try:
        while not over.wait(wait_s):
            began = time.monotonic()
            summary = _look(watcher)
            looking_s = time.monotonic() - began  # not what a terminal that was stopped by ctrl+s takes to be told
            has_changed = summary is not None and bool(summary.n_changed or summary.n_read)
            if summary is not None and has_changed:
                runs = f"{summary.n_changed:,} {'run' if summary.n_changed == 1 else 'runs'}"
                talk(f"{runs} changed, {summary.n_points:,} new {'point' if summary.n_points == 1 else 'points'}")
            wait_s = pace.wait_s(has_changed=has_changed, looking_s=looking_s)
    finally:
        signal.signal(signal.SIGINT, before)
    talk("no longer watching; what was read is kept")
    return INTERRUPTED


def _look(watcher: Watcher) -> Summary | None:
    """One look; None where nothing is new, or nothing could be read now."""
    from mlbench.catalog.lock import WriterBusyError
    from mlbench.errors import SourceError

    try:
        return watcher.look()
    except WriterBusyError as error:
        explain(str(error))
    except SourceError as error:  # a mount that went away may come back
        warn(str(error))
    return None
