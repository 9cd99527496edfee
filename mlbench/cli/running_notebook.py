"""`mlbench run NOTEBOOK.ipynb -p NAME=VALUE`: a notebook as a smoke test, executed by nbclient (extra `notebooks`)."""

from __future__ import annotations

import json
import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import click

from mlbench.cli.common import talk, warn
from mlbench.errors import SourceError

if TYPE_CHECKING:
    from mlbench.model import JsonValue
    from mlbench.paths import Home

_SUFFIX = ".ipynb"
FIRST_WITH_IDS = 5
"""The `nbformat_minor` since which cells have ids; before, they may have none."""


def run_notebook(
    home: Home,
    words: Sequence[str],
    params: Sequence[str],
    *,
    output: str | None,
    script: str | None,
    is_ingested: bool,
) -> int:
    """Execute a notebook with parameters, write it with its outputs, and catalog it.

    Returns:
        0 where every cell ran, 1 where one failed.

    Raises:
        SourceError: it cannot be read or written, or nbclient is not installed.
    """
    if len(words) > 1:
        raise click.UsageError(f"one notebook at a time; {words[1]!r} is one word too many. Try: -p NAME=VALUE")
    path = words[0]
    given = dict(_param(text) for text in params)
    text = _read(path)
    _check_names(path, text, given)
    if script is not None:
        _write(script, as_script(text))
        talk(f"{script}: written")
    book = _with_parameters(text, given)
    target, error = _execute(book, path, output, given)
    talk(f"{target}: {error or 'every cell ran'}")
    if is_ingested:
        from mlbench.ingest.run import ingest_paths

        ingest_paths(home, [os.path.dirname(os.path.abspath(target))])
    return 1 if error else 0


def _new_file(path: str, began: float) -> str:
    """An empty `train-20261128-061500.ipynb` beside the notebook; with a number where two began in one second.

    Raises:
        SourceError: it cannot be written.
    """
    stem = f"{path.removesuffix(_SUFFIX)}-{time.strftime('%Y%m%d-%H%M%S', time.localtime(began))}"
    for more in ("", *(f"-{number}" for number in range(2, 100))):
        try:
            with open(f"{stem}{more}{_SUFFIX}", "x", encoding="utf-8") as file:
                return file.name
        except FileExistsError:
            continue
        except OSError as error:
            raise SourceError(f"{stem}{_SUFFIX}: {error.strerror or error}. Try: -o FILE") from error
    return f"{stem}{_SUFFIX}"


def _param(text: str) -> tuple[str, JsonValue]:
    from mlbench.wire.dump_values import python_value

    name, sign, value = text.partition("=")
    if not sign or not name.isidentifier():
        raise click.UsageError(f"{text!r} is no NAME=VALUE. Try: -p learning_rate=0.1")
    return name, python_value(value)


def _check_names(path: str, book: Mapping[str, Any], given: Mapping[str, JsonValue]) -> None:
    """Say which names the cell of parameters does not have: a mistyped one would change nothing."""
    from mlbench.wire.notebook import assigned_names, joined

    tagged = [cell for cell in book.get("cells", []) if "parameters" in _tags(cell)]
    known = [name for cell in tagged for name in assigned_names(joined(cell.get("source")))]
    for name in given:
        if known and name not in known:
            warn(f"{path}: {name!r} is none of its parameters ({', '.join(known)}); it is set all the same")


def _read(path: str) -> dict[str, Any]:
    """The notebook's JSON, of format 4."""
    from mlbench.wire.jsonlog import load_json_file
    from mlbench.wire.notebook import MAX_NOTEBOOK_BYTES

    file = load_json_file(path, limit_bytes=MAX_NOTEBOOK_BYTES)
    value = file.value
    if not isinstance(value, dict) or value.get("nbformat") != 4:
        if file.problem is not None:
            raise SourceError(f"{path}: {file.problem.what}")
        raise SourceError(f"{path}: it is no notebook of format 4. Try: jupyter nbconvert --to notebook")
    book = {"metadata": {}, "nbformat_minor": 0, "cells": [], **value}
    if damage := _damage(book):
        raise SourceError(f"{path}: the notebook is damaged: {damage}. Try: open it in Jupyter and save it")
    return book


def _damage(book: Mapping[str, Any]) -> str:
    """What is not as the format has it, of all that is needed to run a notebook; '' where nothing is."""
    if not isinstance(book["nbformat_minor"], int):
        return "its nbformat_minor is no number"
    kernel = book["metadata"].get("kernelspec", {}) if isinstance(book["metadata"], dict) else None
    if not isinstance(kernel, dict) or not isinstance(kernel.get("name", ""), str):
        return "its metadata name no kernel"
    if not isinstance(book["cells"], list):
        return "it has no list of cells"
    damaged = (number for number, cell in enumerate(book["cells"], 1) if not _is_cell(cell))
    return f"cell {number} is none" if (number := next(damaged, None)) is not None else ""


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return False
    source, outputs = cell.get("source"), cell.get("outputs", [])
    is_text = isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))
    has_outputs = isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs)
    return is_text and has_outputs and isinstance(cell.get("metadata"), dict)


def _with_parameters(book: Mapping[str, Any], given: Mapping[str, JsonValue]) -> dict[str, Any]:
    """The notebook with a cell of assignments behind the one tagged `parameters`, else before all others."""
    cells = [cell for cell in book.get("cells", []) if "injected-parameters" not in _tags(cell)]
    if given:
        lines = "\n".join(f"{name} = {_python(value)}" for name, value in given.items())
        injected: dict[str, Any] = {
            "cell_type": "code", "execution_count": None, "outputs": [],
            "metadata": {"tags": ["injected-parameters"]}, "source": f"# Parameters\n{lines}\n",
        }  # fmt: skip
        at = next((place + 1 for place, cell in enumerate(cells) if "parameters" in _tags(cell)), 0)
        cells.insert(at, injected)
    has_ids = (book.get("nbformat_minor") or 0) >= FIRST_WITH_IDS
    return {**book, "cells": list(_with_ids(cells)) if has_ids else cells}


def _with_ids(cells: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Each cell with an id: the format wants one, and not every program writes them."""
    taken = {cell.get("id") for cell in cells}
    free = (f"mlbench-{number}" for number in count(1) if f"mlbench-{number}" not in taken)
    for cell in cells:
        yield cell if cell.get("id") else {**cell, "id": next(free)}


def _python(value: JsonValue) -> str:
    """A value as Python writes it; what is not finite has no literal."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_python(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_python, value)) + "]"
    return repr(value)


def _tags(cell: Mapping[str, Any]) -> list[Any]:
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return tags if isinstance(tags, list) else []


def _execute(book: dict[str, Any], path: str, output: str | None, given: Mapping[str, JsonValue]) -> tuple[str, str]:
    """Run all cells in the notebook's folder and write the result; where it is, and what failed ('' if nothing did)."""
    try:
        import nbformat
        from jupyter_client.kernelspec import NoSuchKernel
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, DeadKernelError
        from traitlets.config import Config
    except ImportError as error:
        raise SourceError("notebooks are run by nbclient. Try: pip install 'mlbench[notebooks]'") from error
    # `reads` and not `from_dict`: on the disk a source is a list of lines, which the client does not take.
    try:
        node = nbformat.reads(json.dumps(book), as_version=4)  # type: ignore[no-untyped-call]
    except nbformat.ValidationError as error:
        raise SourceError(f"{path}: the notebook is damaged: {error}. Try: open it in Jupyter and save it") from error
    kernel = book.get("metadata", {}).get("kernelspec", {}).get("name") or "python3"
    began = datetime.now(UTC)
    failed = ""
    with tempfile.TemporaryDirectory(prefix="mlbench-") as sockets:
        # Each kernel has sockets of its own that other users cannot listen at; those of TCP are for everybody.
        config = {"transport": "ipc", "ip": os.path.join(sockets, "k")} if os.name == "posix" else {}
        client = NotebookClient(
            node, timeout=None, kernel_name=kernel, config=Config({"KernelManager": config}),
            resources={"metadata": {"path": os.path.dirname(os.path.abspath(path))}},
        )  # fmt: skip
        try:
            client.execute()
        except CellExecutionError as error:
            failed = f"a cell failed: {error.ename}: {error.evalue}"
        except DeadKernelError:
            failed = "the kernel died"
        except NoSuchKernel as error:
            raise SourceError(f"{path}: there is no kernel {kernel!r}. Try: pip install ipykernel") from error
    ended = datetime.now(UTC)
    result = json.loads(json.dumps(node))
    target = output or _new_file(path, began.timestamp())
    result.setdefault("metadata", {})["papermill"] = {
        "parameters": dict(given), "input_path": path, "output_path": target, "start_time": began.isoformat(),
        "end_time": ended.isoformat(), "duration": (ended - began).total_seconds(), "exception": bool(failed) or None,
        "version": "mlbench",
    }  # fmt: skip
    _write(target, json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    return target, failed


def as_script(book: Mapping[str, Any]) -> str:
    """The notebook as a Python script in the percent format that jupytext and editors know.

    Lines that only IPython understands (`%magic`, `!command`) become comments.
    """
    from mlbench.wire.notebook import read_notebook

    notebook = read_notebook(book)
    parts = []
    for cell in notebook.cells if notebook else ():
        if cell.kind == "code":
            tags = f" tags={json.dumps(list(cell.tags))}" if cell.tags else ""
            parts.append(f"# %%{tags}\n{_plain_python(cell.source)}")
        else:
            mark = "[markdown]" if cell.kind == "markdown" else "[raw]"
            text = "\n".join(f"# {line}".rstrip() for line in cell.source.splitlines())
            parts.append(f"# %% {mark}\n{text}")
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _plain_python(source: str) -> str:
    lines = source.splitlines()
    return "\n".join(f"# {line}" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise SourceError(f"{path}: it cannot be written: {error.strerror or error}. Try: -o FILE") from error
