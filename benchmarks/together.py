"""One writer that publishes and 8 readers that look, for a minute: errors, torn answers, and how long each waits.

Usage: python benchmarks/together.py FOLDER [SECONDS] [RUNS]

The writer changes 20 runs of a synthetic catalog, commits and publishes, without a pause. Every reader opens the home
and asks in a loop; an answer is torn if two rows of one commit differ. Nobody may wait longer than 250 ms for a lock:
readers take none, so what is told is how long they take to open, at most and in the middle.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import catalogs

from mlbench.catalog.writer import open_writer

N_READERS = 8
READER = """
import json, sys, time
from mlbench.catalog.reader import open_reader
from mlbench.paths import find_home
home, until, opened, torn = find_home(sys.argv[1]), time.time() + float(sys.argv[2]), [], 0
while time.time() < until:
    before = time.perf_counter()
    with open_reader(home) as reader:
        opened.append((time.perf_counter() - before) * 1000)
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
            [sys.executable, "-c", READER, base, str(seconds)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _reader in range(N_READERS)
    ]
    commits, publishes, until = [], [], time.monotonic() + seconds
    with open_writer(home) as writer:
        while time.monotonic() < until:
            before = time.perf_counter()
            writer.update("UPDATE run SET job_type = ?, run_no = NULL WHERE run_no <= 20", [str(len(commits))])
            commits.append((time.perf_counter() - before) * 1000)
            before = time.perf_counter()
            writer.publish()
            publishes.append((time.perf_counter() - before) * 1000)
    told = [reader.communicate() for reader in readers]
    errors = [text.decode() for _out, text in told if text]
    looks = [json.loads(out) for out, _errors in told if out]
    opened = sorted(ms for _torn, times in looks for ms in times)
    print(f"errors {len(errors)}, torn answers {sum(torn for torn, _times in looks)} of {len(opened)} by {N_READERS}")
    print(f"opening: median {statistics.median(opened):.0f}, 99 % {opened[int(len(opened) * 0.99)]:.0f} ms")
    print(f"commit: median {statistics.median(commits):.0f}, longest {max(commits):.0f} ms")
    print(
        f"publish: median {statistics.median(publishes):.0f}, longest {max(publishes):.0f} ms, {len(publishes)} times"
    )
    print("\n".join(errors[:1]), end="")
    sys.exit(bool(errors) or any(torn for torn, _times in looks))


if __name__ == "__main__":
    main()
