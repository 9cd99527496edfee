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


@pytest.mark.parametrize(("known", "used"), [(None, "system"), ("", "system"), ("mimalloc", "mimalloc")])
def test_arrow_takes_its_memory_where_all_else_does_unless_the_user_has_said_otherwise(
    known: str | None, used: str
) -> None:
    code = """
import os
from mlbench.ingest.thrift import import_arrow as i
i()
import pyarrow as pa
print(pa.default_memory_pool().backend_name, repr(os.environ.get("ARROW_DEFAULT_MEMORY_POOL")))
"""
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    if known is not None:
        environment["ARROW_DEFAULT_MEMORY_POOL"] = known

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    assert done.stdout.split() == [used, repr(known)]


def test_keeping_freed_memory_does_nothing_where_the_c_library_has_no_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _name: object())

    thrift.keep_freed_memory()


_TAKE_IN_THREADS = """
import ctypes, sys, threading
from mlbench.ingest.thrift import share_one_arena
if "share" in sys.argv:
    share_one_arena()
c = ctypes.CDLL(None)
c.fopen.restype = ctypes.c_void_p
c.malloc_info.argtypes, c.fclose.argtypes = (ctypes.c_int, ctypes.c_void_p), (ctypes.c_void_p,)
for _ in range(3):
    thread = threading.Thread(target=bytearray, args=(4096,))
    thread.start()
    thread.join()
file = c.fopen(b"/dev/stdout", b"w")
c.malloc_info(0, file)
c.fclose(file)
"""


@pytest.mark.skipif("CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", ()), reason="only glibc has arenas")
@pytest.mark.parametrize(("word", "n_arenas"), [("share", 1), ("apart", 2)])
def test_threads_share_one_arena(word: str, n_arenas: int) -> None:
    done = subprocess.run([sys.executable, "-c", _TAKE_IN_THREADS, word], capture_output=True, text=True, check=True)

    assert done.stdout.count("<heap nr=") == n_arenas
