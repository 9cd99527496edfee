"""How long a thread was blocked: neither on a core nor waiting for one. Linux counts both for each thread."""

import time


def clocks() -> tuple[float, float]:
    """Milliseconds now: of the wall, and of this thread on a core or in the queue for one."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as file:
        running, queued, _slices = file.read().split()
    return time.perf_counter() * 1e3, (int(running) + int(queued)) / 1e6


def blocked_ms(before: tuple[float, float]) -> tuple[float, float]:
    """Milliseconds since `clocks()` gave these: of the wall, and of them blocked (by locks, the disk, a process)."""
    wall, scheduled = (now - then for now, then in zip(clocks(), before, strict=True))
    return wall, max(wall - scheduled, 0.0)
