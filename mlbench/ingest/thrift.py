"""What the process itself costs beside the work: memory that is given back and taken again, threads that only wait."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""Numbers of mallopt's options, from malloc.h."""
_KEPT_BYTES = 64 << 20
_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_ARROW_POOL = "ARROW_DEFAULT_MEMORY_POOL"


def keep_freed_memory() -> None:
    """Let the C library keep what is freed, for processes that read.

    A window's numbers are taken and given back a thousand times a second, and each page that comes back from the system
    is cleared first: a fifth of the reading.
    """
    _set_options({_TRIM_THRESHOLD: _KEPT_BYTES, _MMAP_THRESHOLD: _KEPT_BYTES // 2})


def share_one_arena() -> None:
    """Let all threads to come take memory from one place: what one has freed is there for the next.

    Reads are done by threads that are waited for, one after another, and each would keep its own. Processes that are
    forked later do as this one does; once there are two arenas they keep both, whatever is said then.
    """
    _set_options({_ARENA_MAX: 1})


def _set_options(options: Mapping[int, int]) -> None:
    """Only glibc has the switches; elsewhere nothing happens."""
    try:
        import ctypes

        set_option = ctypes.CDLL(None).mallopt
    except (ImportError, OSError, AttributeError):
        return
    for option, value in options.items():
        set_option(option, value)


def give_back_memory() -> None:
    """Let the system have what was freed, for a process that works on batches: Arrow's pool, and the C library's."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    try:
        import ctypes

        ctypes.CDLL(None).malloc_trim(0)
    except (ImportError, OSError, AttributeError):
        return


def import_numpy() -> None:
    """Import numpy without the threads of its linear algebra, which nothing here asks for.

    They spin while they wait for work: 70 ms of CPU at each start.
    """
    with _environment(_BLAS_THREADS, "1"):
        import numpy as np  # noqa: F401


def import_arrow() -> None:
    """Import Arrow so that it takes its memory where numpy and DuckDB take theirs, unless it is there already.

    Its own allocator keeps 10 MB of each process that reads, in pages of 2 MB, and needs no less time.
    """
    with _environment(_ARROW_POOL, "system"):
        import pyarrow as pa

        pa.default_memory_pool()  # chosen now, for good


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Have a variable where the user has not set it; then it is as it was, for the programs that are started later."""
    known = os.environ.get(name)
    os.environ[name] = known or value
    try:
        yield
    finally:
        if known is None:
            del os.environ[name]
        else:
            os.environ[name] = known
