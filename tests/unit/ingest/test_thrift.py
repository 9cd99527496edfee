import os
import subprocess
import sys

import pytest

from mlbench.ingest import thrift


@pytest.mark.parametrize("known", [None, "3"])
def test_the_environment_is_as_it_was_when_numpy_has_been_imported(
    monkeypatch: pytest.MonkeyPatch, known: str | None
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if known is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", known)

    thrift.import_numpy()

    assert os.environ.get("OPENBLAS_NUM_THREADS") == known


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_numpy_starts_no_threads() -> None:
    code = (
        "import os; from mlbench.ingest.thrift import import_numpy as i; i(); print(len(os.listdir('/proc/self/task')))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    assert done.stdout.split() == ["1"]


def test_keeping_freed_memory_does_nothing_where_the_c_library_has_no_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _name: object())

    thrift.keep_freed_memory()
