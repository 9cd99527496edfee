"""What mlbench never does: an audit hook of Python that notes it whenever a test makes mlbench's own code do it.

The innermost frame of the project decides: what a test does by itself (unpickling its own answer, starting a child) is
its own affair. Children started as programs are not seen; `test_nothing_executed` reads their code instead.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

from tests.paths import ROOT

_OURS = f"{ROOT}/mlbench/"
_PROJECT = f"{ROOT}/"
_VENV = f"{ROOT}/.venv/"

STARTS_PROGRAMS = {
    "adapters/dvc_experiments.py": "`example` commits to a repository of its own by dulwich, which looks for its hooks",
    "capture/running.py": "mlbench run: the user's own command",
    "catalog/snapshots.py": "cp, which does not lose the lock of the catalog as reading the file here would",
    "cli/running_notebook.py": "mlbench run NOTEBOOK: the kernel of the user's own notebook",
    "queries/select.py": "mlbench sql: the locked process",
    "tui/app.py": "$EDITOR, with a file of the workbench's own",
    "tui/clipboard.py": "tmux load-buffer, with what the user copied",
}
"""Modules that may start a program, and why."""
OPENS_SOCKETS = {"cli/running_notebook.py": "zmq between nbclient and the kernel, on loopback"}
"""Modules that may bind or connect a socket, and why."""
RUNS_TEXT = {"dataclass.py": "methods written from the names of fields, which are our own code"}
"""Modules that may compile or execute text, and why."""
UNPICKLES = {
    "ingest/slicing.py": "runs that this process's own child has found, through its own pipe, of our classes alone",
    "tui/ahead.py": "the answer of this process's own child, through its own pipe, of known classes alone",
}
"""Modules that may load a pickle, and why."""

_LIBRARIES_THAT_RUN_TEXT = (
    "<frozen importlib", "<frozen runpy", "/dataclasses.py", "/collections/__init__.py", "/importlib/", "/typing.py",
    "/ast.py", "/enum.py", "/inspect.py", "/functools.py",
)  # fmt: skip
"""Importing a module, making a class, and `ast`, whose literals are parsed and never run."""

violations: list[str] = []


def install() -> None:
    """Watch this process from here on; a hook cannot be taken away."""
    sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    judge = _JUDGES.get(event)
    if judge is None or sys.is_finalizing():
        return
    between, module = _ours(sys._getframe(1))
    if module and not judge(between, module):
        violations.append(f"{module}: {event}{arguments!r:.300}")


def _ours(frame: FrameType | None) -> tuple[list[str], str]:
    """The files between what happens and the innermost of mlbench's own modules; no module where a test is nearer."""
    between: list[str] = []
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_OURS):
            return between, path[len(_OURS) :]
        if path.startswith(_PROJECT) and not path.startswith(_VENV):
            return between, ""
        between.append(path)
        frame = frame.f_back
    return between, ""


def _by_library(*places: str) -> Callable[[list[str], str], bool]:
    return lambda between, _module: any(place in path for path in between for place in places)


def _only_in(modules: dict[str, str]) -> Callable[[list[str], str], bool]:
    return lambda _between, module: module in modules


def _runs_text(between: list[str], module: str) -> bool:
    return module in RUNS_TEXT or _by_library(*_LIBRARIES_THAT_RUN_TEXT)(between, module)


def _unpickles(between: list[str], module: str) -> bool:
    return module in UNPICKLES or _by_library("/multiprocessing/")(between, module)


def _starts(between: list[str], module: str) -> bool:
    return module in STARTS_PROGRAMS or _by_library("/multiprocessing/")(between, module)


def _never(_between: list[str], _module: str) -> bool:
    return False


_JUDGES: dict[str, Callable[[list[str], str], bool]] = {
    "compile": _runs_text,
    "exec": _runs_text,
    "pickle.find_class": _unpickles,
    "socket.bind": _only_in(OPENS_SOCKETS),
    "socket.connect": _only_in(OPENS_SOCKETS),
    "socket.getaddrinfo": _only_in(OPENS_SOCKETS),
    "socket.gethostbyname": _only_in(OPENS_SOCKETS),
    "urllib.Request": _never,
    "subprocess.Popen": _starts,
    "os.system": _never,
    "os.exec": _never,
    "os.posix_spawn": _starts,
    "os.spawn": _never,
    "pty.spawn": _never,
    "sqlite3.enable_load_extension": _never,
    "sqlite3.load_extension": _never,
}
