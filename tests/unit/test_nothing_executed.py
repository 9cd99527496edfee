"""mlbench executes nothing that it reads: what its code names, and what the audit hook sees it do."""

from __future__ import annotations

import ast
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlbench.errors import UsageError
from tests import guard
from tests.paths import ROOT

PACKAGE = ROOT / "mlbench"
MODULES = sorted(PACKAGE.rglob("*.py"))

BUILT_IN = {"eval", "exec", "compile", "__import__", "breakpoint"}
IMPORTED = {
    "pickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "runpy", "code", "ctypes", "cffi", "pty",
    "subprocess", "multiprocessing", "concurrent", "socket", "socketserver", "ssl", "http", "urllib", "ftplib",
    "smtplib", "xmlrpc", "requests", "httpx", "aiohttp", "urllib3", "websockets", "torch", "tensorflow", "jinja2",
}  # fmt: skip
CALLED = {
    "os.system", "os.popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.posix_spawnp", "os.startfile",
    "yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "importlib.import_module",
    "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "asyncio.start_server", "asyncio.open_connection",
    "numpy.load", "np.load", "pandas.read_pickle",
}  # fmt: skip
BEGINNINGS = ("os.exec", "os.spawn")

ALLOWED = {
    ("adapters/__init__.py", "importlib.import_module"): "the adapters of this package, found by listing it",
    ("api.py", "importlib.import_module"): "pandas or polars, asked for by name",
    ("capture/__init__.py", "socket"): "the name of the host",
    ("capture/running.py", "pty"): "a terminal for the user's own command",
    ("capture/running.py", "subprocess"): "mlbench run: the user's own command",
    ("catalog/lock.py", "socket"): "the name of the host",
    ("catalog/snapshots.py", "subprocess"): "cp",
    ("dataclass.py", "exec"): "methods written from the names of fields, which are our own code",
    (
        "ingest/slicing.py",
        "pickle",
    ): "runs from one process of an ingest to another, over its own pipe, of our classes alone",
    ("ingest/survey.py", "multiprocessing"): "a pipe of its own to the process that walks",
    ("ingest/survey.py", "os.fork"): "the process that walks",
    ("ingest/thrift.py", "ctypes"): "malloc_trim and mallopt of the C library",
    ("ingest/workers.py", "concurrent"): "the processes that read, over pipes of their own",
    ("ingest/workers.py", "importlib.import_module"): "modules of this package, before the processes fork",
    ("ingest/workers.py", "multiprocessing"): "the processes that read, over pipes of their own",
    ("journal/appending.py", "socket"): "the name of the host",
    ("main.py", "importlib.import_module"): "the module of a command, from a table of our own",
    ("paths.py", "socket"): "the name of the host",
    ("queries/select.py", "subprocess"): "mlbench sql: the locked process",
    ("tui/ahead.py", "os.fork"): "the child that reads the first answer",
    ("tui/ahead.py", "pickle"): "the answer of this process's own child, through its own pipe, of known classes alone",
    ("tui/app.py", "subprocess"): "$EDITOR",
    ("cli/left_behind.py", "socket"): "the name of the host",
    ("tui/clipboard.py", "subprocess"): "tmux load-buffer, with what the user copied",
    ("tui/doing/inspecting.py", "socket"): "the name of the host",
    ("tui/threads.py", "concurrent"): "the threads of questions, in this process",
    ("wire/delta.py", "urllib"): "urllib.parse: text to text",
    ("wire/mlflow_model.py", "urllib"): "urllib.parse: text to text",
    ("wire/sqlitefile.py", "urllib"): "urllib.parse: text to text",
}
"""Where one of these names stands in the package, and what for."""


def named(tree: ast.AST) -> Iterator[str]:
    """The forbidden names that a module imports or calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            yield ast.unparse(node.func)
            yield from (f"{word.arg}=" for word in node.keywords if _is_true(word.value))


def _is_true(value: ast.expr) -> bool:
    return not (isinstance(value, ast.Constant) and not value.value)


def forbidden(source: str) -> set[str]:
    """What of a module's text stands on the lists."""
    banned = BUILT_IN | IMPORTED | CALLED | {"shell=", "allow_pickle="}
    return {name for name in named(ast.parse(source)) if name in banned or name.startswith(BEGINNINGS)}


def test_no_module_executes_unpickles_or_calls_out_but_those_with_a_reason() -> None:
    found = {(str(path.relative_to(PACKAGE)), name) for path in MODULES for name in forbidden(path.read_text("utf-8"))}

    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "no longer needed"


@pytest.mark.parametrize(
    ("source", "name"),
    [("import pickle", "pickle"), ("from pickle import loads", "pickle"), ("import urllib.request", "urllib"),
     ("x = eval(text)", "eval"), ("os.execvp('sh', [])", "os.execvp"), ("from os import system", "os.system"),
     ("f(shell=True)", "shell="), ("np.load(path, allow_pickle=mode)", "allow_pickle="), ("yaml.load(text)", "yaml.load")],
)  # fmt: skip
def test_the_lists_find_what_they_name(source: str, name: str) -> None:
    assert name in forbidden(source)


def test_urllib_is_only_taken_for_its_parsing() -> None:
    lines = [
        line.strip() for path in MODULES for line in path.read_text("utf-8").splitlines() if "import" in line and "urllib" in line
    ]  # fmt: skip

    assert all(line.startswith("from urllib.parse import") for line in lines)


def test_sockets_are_only_asked_for_the_name_of_the_host() -> None:
    calls = {
        ast.unparse(node)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "socket"
    }

    assert calls == {"socket.gethostname"}


def test_the_audit_hook_names_modules_that_exist() -> None:
    for module in (*guard.STARTS_PROGRAMS, *guard.OPENS_SOCKETS, *guard.RUNS_TEXT, *guard.UNPICKLES):
        assert (PACKAGE / module).is_file(), module


# ---------------------------------------------------------------- the hook sees what our code does


def as_ours(source: str) -> None:
    """Run text as if it stood in a module of the package."""
    exec(compile(source, str(PACKAGE / "wire" / "planted.py"), "exec"), {"pickled": pickle.dumps(UsageError)})  # noqa: S102


@pytest.mark.parametrize(
    ("source", "event"),
    [("import pickle; pickle.loads(pickled)", "pickle.find_class"),
     ("eval('1 + 1')", "compile"),
     ("exec('x = 1')", "exec"),
     ("import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.close()", "socket.bind"),
     ("import socket; s = socket.socket(); s.settimeout(1)\ntry: s.connect(('127.0.0.1', 9))\nexcept OSError: s.close()", "socket.connect"),
     ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
     ("import os; os.system('true')", "os.system")],
)  # fmt: skip
def test_the_audit_hook_sees_what_a_module_of_ours_does(source: str, event: str) -> None:
    as_ours(source)

    seen = list(guard.violations)
    guard.violations.clear()
    assert any(text.startswith(f"wire/planted.py: {event}") for text in seen), seen


def test_the_audit_hook_leaves_tests_alone() -> None:
    pickle.loads(pickle.dumps(UsageError))
    subprocess.run([sys.executable, "-c", ""], check=True)
    eval("1 + 1")  # noqa: S307
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))

    assert guard.violations == []


def test_planted_code_in_every_kind_of_file_is_not_run(tmp_path: Path) -> None:
    """Pickles, YAML tags and notebooks that would leave a file behind, ingested and shown."""
    import json

    from mlbench.ingest.run import ingest_paths
    from mlbench.paths import Home

    mark = tmp_path / "mark"
    code = f"open({str(mark)!r}, 'w').close()"

    class Planted:
        def __reduce__(self) -> tuple[object, ...]:
            return (exec, (code,))

    logs = tmp_path / "logs" / "run"
    logs.mkdir(parents=True)
    planted = pickle.dumps(Planted())
    for name in ("model.pkl", "model.pt", "checkpoint.pth", "hparams.pkl", "args.pkl", "policy.npz", "evaluations.npz"):
        (logs / name).write_bytes(planted)
    (logs / "hparams.yaml").write_text(f"lr: 0.1\nx: !!python/object/apply:builtins.exec [{json.dumps(code)}]\n")
    (logs / "config.py").write_text(f"{code}\nlr = 0.1\n")
    (logs / "conftest.py").write_text(code)
    (logs / "args.txt").write_text(f"Namespace(lr=0.1, x=exec({code!r}))")
    cell: dict[str, object] = {
        "cell_type": "code",
        "source": code,
        "outputs": [],
        "metadata": {},
        "execution_count": None,
    }
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (logs / "run.ipynb").write_text(json.dumps(book))
    home = Home(str(tmp_path / "home/journal"), str(tmp_path / "home/cache"), "test")

    summary = ingest_paths(home, [str(tmp_path / "logs")])

    assert summary.n_runs >= 1
    assert not mark.exists()
