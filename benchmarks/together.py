"""One writer that publishes and 8 readers that look, for a minute: errors, torn answers, and how long each waits.

Usage: python benchmarks/together.py FOLDER [SECONDS] [RUNS]

The writer changes 20 runs of a synthetic catalog, commits and publishes, without a pause. Every reader opens the home
and asks in a loop; an answer is torn if two rows of one commit differ. Nobody may wait longer than 250 ms for a lock or
a commit. Ten processes share the cores, so waiting for a core is told apart (see waiting.py): `blocked` is what is left
of the wall time without it and without the time on a core: locks, the disk, and for a publish the process that copies.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import catalogs
from waiting import blocked_ms, clocks

from mlbench.catalog.writer import open_writer

N_READERS = 8
READER = """
import json, sys, time
sys.path.insert(0, sys.argv[3])
from waiting import blocked_ms, clocks
from mlbench.catalog.reader import open_reader
from mlbench.paths import find_home
home, until, opened, torn = find_home(sys.argv[1]), time.time() + float(sys.argv[2]), [], 0
while time.time() < until:
    before = clocks()
    with open_reader(home) as reader:
        opened.append(blocked_ms(before))
        torn += reader.rows("SELECT count(DISTINCT job_type) FROM runs WHERE run_no <= 20")[0][0] > 1
print(json.dumps([torn, opened]))
"""


def main() -> None:
    """Run them all."""
    folder, seconds, n_runs = sys.argv[1], float((sys.argv[2:3] or ["60"])[0]), int((sys.argv[3:4] or ["10000"])[0])
    home = catalogs.build(folder, n_runs)
    base = os.path.join(folder, f"catalog-{n_runs}")
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, base, str(seconds), os.path.dirname(os.path.abspath(__file__))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _reader in range(N_READERS)
    ]
    commits: list[tuple[float, float]] = []
    publishes: list[tuple[float, float]] = []
    until = time.monotonic() + seconds
    with open_writer(home) as writer:
        while time.monotonic() < until:
            before = clocks()
            writer.update("UPDATE run SET job_type = ?, run_no = NULL WHERE run_no <= 20", [str(len(commits))])
            commits.append(blocked_ms(before))
            before = clocks()
            writer.publish()
            publishes.append(blocked_ms(before))
    told = [reader.communicate() for reader in readers]
    errors = [text.decode() for _out, text in told if text]
    looks = [json.loads(out) for out, _errors in told if out]
    opened = [tuple(ms) for _torn, times in looks for ms in times]
    print(f"errors {len(errors)}, torn answers {sum(torn for torn, _times in looks)} of {len(opened)} by {N_READERS}")
    for what, times in (("opening", opened), ("commit", commits), ("publish", publishes)):
        wall, blocked = (sorted(side) for side in zip(*times, strict=True))
        print(
            f"{what}: {len(times)} times, wall median {statistics.median(wall):.0f}, longest {wall[-1]:.0f} ms; "
            f"blocked median {statistics.median(blocked):.1f}, 99 % {blocked[int(len(blocked) * 0.99)]:.1f}, "
            f"longest {blocked[-1]:.0f} ms"
        )
    print("\n".join(errors[:1]), end="")
    sys.exit(bool(errors) or any(torn for torn, _times in looks))


if __name__ == "__main__":
    main()
