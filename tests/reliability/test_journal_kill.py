"""The journal against kill -9 and a disk that is really full, in processes of their own."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlbench.journal import read_entries, replay
from mlbench.paths import find_home

APPENDER = """
import sys
from mlbench.journal import RunRef, open_journal
from mlbench.paths import find_home

with open_journal(find_home(sys.argv[1])) as journal:
    while True:
        entry = journal.tag([RunRef('/r/1', 'f1')], add=['x' * (len(sys.argv) * 40)])
        sys.stdout.write(entry.id + '\\n')
        sys.stdout.flush()
"""

FILLER = """
import resource, signal, sys
from mlbench.errors import HomeError
from mlbench.journal import RunRef, open_journal
from mlbench.paths import find_home

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
with open_journal(find_home(sys.argv[1])) as journal:
    for i in range(200):
        try:
            print(journal.tag(RunRef(f'/r/{i}'), add=['x' * (i % 90)]).id)
        except HomeError as error:
            print(error, file=sys.stderr)
            break
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(journal.tag(RunRef('/r/after'), add=['after']).id)
"""


def start(script: str, home: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-c", script, home], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )


@pytest.mark.slow
def test_no_acknowledged_word_is_lost_by_40_kills(tmp_path: Path) -> None:
    home = find_home(str(tmp_path / "home"))
    dice = random.Random(20240131)
    acknowledged: set[str] = set()

    for _ in range(40):
        child = start(APPENDER, str(tmp_path / "home"))
        assert child.stdout is not None
        acknowledged.add(child.stdout.readline().decode().strip())
        time.sleep(dice.uniform(0, 0.05))
        child.kill()
        rest, _ = child.communicate()
        acknowledged |= {line.decode() for line in rest.splitlines(keepends=False) if line}
        assert child.returncode == -signal.SIGKILL

    entries, problems = read_entries(home.journal)
    ids = {entry.id for entry in entries}
    whole = {word for word in acknowledged if word.partition("-")[2]}
    assert len(os.listdir(home.journal)) == 40
    assert len(whole) > 200
    assert {word for word in whole if word not in ids} == set()
    assert all("cut off" in problem.what for problem in problems)


def test_a_full_disk_loses_no_acknowledged_word_and_leaves_no_torn_line(tmp_path: Path) -> None:
    home = find_home(str(tmp_path / "home"))

    child = start(FILLER, str(tmp_path / "home"))
    output, errors = child.communicate(timeout=60)

    words = replay(home)
    ids = output.decode().split()
    assert child.returncode == 0, errors.decode()
    assert "the tag was not saved:" in errors.decode()
    assert "Make room or choose another home" in errors.decode()
    assert 20 < len(ids) < 200
    assert [entry.id for entry in read_entries(home.journal)[0]] == ids
    assert words.tags["/r/after"] == ("after",)
    assert words.problems == ()
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
