"""Four processes on one home for a minute: `ingest --watch`, two that query in a loop, one that tags. Nothing is lost.

Usage: python benchmarks/campaign.py FOLDER [SECONDS]

A training grows meanwhile: every second a new run is written below FOLDER/logs. At the end every tag that was said with
exit code 0 must be there, and no process may have failed or told of a fault.
"""

import json
import os
import shutil
import subprocess
import sys
import time

SAMPLES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "sample_runs", "logs")


def command(home: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "mlbench", "--home", home, *words]


LOOP = """
import json, subprocess, sys, time
command, until, done, failed = json.loads(sys.argv[1]), time.time() + float(sys.argv[2]), 0, []
while time.time() < until:
    words = [word.replace("{done}", str(done)) for word in command]
    ended = subprocess.run(words, capture_output=True, text=True)
    if ended.returncode:
        failed.append(ended.stderr[-500:])
    done += 1
print(json.dumps([done, failed]))
"""


def main() -> None:
    """Run them all."""
    folder, seconds = sys.argv[1], float((sys.argv[2:3] or ["60"])[0])
    home, logs = os.path.join(folder, "home"), os.path.join(folder, "logs")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(SAMPLES, "sweep"), os.path.join(logs, "sweep"))
    subprocess.run(command(home, "ingest", logs), check=True, capture_output=True)
    (run,) = json.loads(
        subprocess.run(
            command(home, "query", "--limit", "1", "--format", "json"), check=True, capture_output=True
        ).stdout
    )
    loops = {
        "query": command(home, "query", "params.lr > 0", "--sort", "params.lr", "--limit", "20"),
        "query of tags": command(home, "query", "tag = t0", "-c", "tag", "--format", "json"),
        "tag": command(home, "tag", str(run["run"]), "+t{done}"),
    }
    watch = subprocess.Popen(
        command(home, "ingest", "--watch", logs), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-c", LOOP, json.dumps(words), str(seconds)], stdout=subprocess.PIPE, text=True
        )
        for name, words in loops.items()
    }
    until, n_written = time.time() + seconds, 0
    while time.time() < until:
        shutil.copytree(os.path.join(SAMPLES, "long"), os.path.join(logs, f"new-{n_written}"))
        n_written += 1
        time.sleep(1)
    told = {name: json.loads(process.communicate()[0]) for name, process in processes.items()}
    watch.terminate()
    _out, said = watch.communicate()
    shown = json.loads(
        subprocess.run(
            command(home, "query", "tag = t0", "-c", "tag", "--format", "json"), check=True, capture_output=True
        ).stdout
    )
    tags = set(shown[0]["tag"]) if shown else set()
    lost = [n for n in range(told["tag"][0]) if f"t{n}" not in tags]
    for name, (done, failed) in told.items():
        print(f"{name}: {done} times, {len(failed)} failed {failed[:1]}")
    print(f"watch: {n_written} folders written, fault told: {'fault of mlbench' in said}; tags lost: {len(lost)}")
    sys.exit(bool(lost) or any(failed for _done, failed in told.values()) or "fault of mlbench" in said)


if __name__ == "__main__":
    main()
