"""Executed notebooks as runs: what papermill ran, and notebooks with a cell of parameters that were run through.

- Parameters: the cell tagged `parameters` (default), papermill's own record of what was given (override). Only
  literals are read, nothing is executed.
- Start, end, status and the error of the cell that failed; the notebook that it was made from, as an input with the
  identity git would give its content.
- What scrapbook and papermill recorded as metrics of one point; pictures by their place in the file.
- A notebook without any of this (a report, an exploration) is no run.

Link: https://papermill.readthedocs.io, https://nbformat.readthedocs.io
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from mlbench.model import (
    Adapter,
    Artifact,
    Blob,
    Claim,
    Cursor,
    Environment,
    Fact,
    ImportedTag,
    JsonValue,
    Layer,
    LineageEdge,
    Listing,
    Param,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire import notebook as nb
from mlbench.wire.content import load_content
from mlbench.wire.counting import so_many
from mlbench.wire.files import open_regular
from mlbench.wire.flatten import value_text
from mlbench.wire.jsonlog import as_mapping, as_text, json_of, numbers_in
from mlbench.wire.points import PointCollector

_SUFFIX = ".ipynb"
_MARKS = (b'"papermill"', b'"injected-parameters"', b'"parameters"')
_COUNT = b'"execution_count"'
_RUN = b'"execution_count": null'
_HEAD_BYTES, _TAIL_BYTES = 256 << 10, 64 << 10
_TWINS = (".py", ".md", ".Rmd")


def claims(listing: Listing) -> Iterator[Claim]:
    for name in listing.ending("ipynb"):
        if name.endswith(_SUFFIX) and ".ipynb_checkpoints" not in listing.path:
            path = os.path.join(listing.path, name)
            if _is_run(path):
                follows = tuple(os.path.join(listing.path, twin) for twin in _twins(name) if listing.has(twin))
                yield Claim(path, Role.TRACKER, listing.path, is_one_training=True, follows=follows)


def _ends_of(path: str) -> bytes:
    """The beginning of a notebook, where the cell of parameters stands, and its end, where papermill's record does.

    A scan asks for every notebook: one with pictures holds megabytes between the two.
    """
    try:
        with open_regular(path) as file:
            head = file.read(_HEAD_BYTES)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(len(head), size - _TAIL_BYTES))
            return head + file.read(_TAIL_BYTES)
    except OSError:
        return b""


def _twins(name: str) -> list[str]:
    return [name.removesuffix(_SUFFIX) + ending for ending in _TWINS]


def _is_run(path: str) -> bool:
    """Whether papermill ran it, or it has a cell of parameters and was run."""
    text = _ends_of(path)
    if not any(mark in text for mark in _MARKS):
        return False
    if b'"input_path"' in text and b'"output_path"' in text:
        return True
    return text.count(_COUNT) > text.count(_RUN) + text.count(b'"execution_count":null')


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    content = load_content(source.path, limit_bytes=nb.MAX_NOTEBOOK_BYTES)
    file = json_of(source.path, content)
    book = nb.read_notebook(file.value) if file.problem is None else None
    problem = file.problem
    if book is None and problem is None and file.status is ReadStatus.EOF:
        problem = Problem(source.path, "this is JSON, but no notebook")
    if book is None:
        if problem is not None:
            yield problem
        yield Cursor({}, status=file.status if file.status is not ReadStatus.EOF else ReadStatus.DAMAGED)
        return
    yield from _fields(source.path, book)
    yield from _params(book)
    yield from _environment(book)
    yield from _recorded(book)
    yield from _pictures(content.data, book)
    yield from _code(source.path, content.data, book)
    warnings = nb.order_warnings(book)
    hint = "restart the kernel and run all cells, and the outputs are what the cells give"
    yield from (Problem(source.path, warning, hint=hint) for warning in warnings)
    yield Cursor({}, n_records=len(book.cells))


def _fields(path: str, book: nb.Notebook) -> Iterator[Fact]:
    mill = book.papermill
    yield RunField("name", _readable(os.path.basename(path).removesuffix(_SUFFIX)))
    for field, key in (("started", "start_time"), ("ended", "end_time")):
        moment = _seconds(as_text(mill.get(key)))
        if moment is not None:
            yield RunField(field, moment)
    failed = nb.failure(book)
    yield RunField("status", _status(book, is_failed=failed is not None))
    if origin := as_text(mill.get("input_path")):
        yield RunField("entry_point", origin)
    if failed is not None:
        yield ImportedTag("error", failed[1])
        yield ImportedTag("failed cell", str(failed[0]))


def _status(book: nb.Notebook, *, is_failed: bool) -> str:
    if is_failed or book.papermill.get("exception") is True:
        return "failed"
    if book.papermill and book.papermill.get("end_time") is None:
        return "running"
    return "finished"


def _seconds(text: str) -> float | None:
    """Unix seconds of an ISO time; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _params(book: nb.Notebook) -> Iterator[Param]:
    for cell in book.tagged(nb.PARAMETERS):
        for one in nb.assignments(cell.source):
            yield Param(one.name, one.raw, one.value, Layer.DEFAULT)
    given = as_mapping(book.papermill.get("parameters"))
    raws = {one.name: one for cell in book.tagged(nb.INJECTED) for one in nb.assignments(cell.source)}
    for name, value in given.items():
        raw = raws[name].raw if name in raws else value_text(value)
        yield Param(str(name), raw, value, Layer.OVERRIDE)
    for name, one in raws.items():
        if name not in given:
            yield Param(name, one.raw, one.value, Layer.OVERRIDE)


def _environment(book: nb.Notebook) -> Iterator[Environment]:
    language = as_mapping(book.metadata.get("language_info"))
    if language.get("name") == "python" and (version := as_text(language.get("version"))):
        yield Environment("python", version)
    if kernel := as_text(as_mapping(book.metadata.get("kernelspec")).get("name")):
        yield Environment("kernel", kernel)
    version = as_text(book.papermill.get("version"))
    if version and version != "mlbench":  # `mlbench run` writes the record of papermill, and is none
        yield Environment("package:papermill", version)


def _recorded(book: nb.Notebook) -> Iterator[Fact]:
    points = PointCollector()
    for name, number in numbers_in(nb.recorded(book)):
        points.add(name, 0, number)
    yield from points.flush()


def _pictures(data: bytes, book: nb.Notebook) -> Iterator[Blob]:
    """Pictures by the place of their base64 text; one that the file breaks into several strings has no one place."""
    after = 0
    for seq, (number, kind, text) in enumerate(nb.images(book)):
        written = json.dumps(text)[1:-1].encode()
        at = data.find(written, after)
        if at >= 0:
            after = at + len(written)
            digest = hashlib.blake2b(written, digest_size=8).hexdigest()
            name, encoding = f"cell {number}", f"{kind};base64"
            yield Blob("image", name, 0, math.nan, seq, at, len(written), encoding, digest=digest)


def _code(path: str, data: bytes, book: nb.Notebook) -> Iterator[Fact]:
    """The notebook itself, the one it was made from, and its twin, with the identity git gives their content."""
    name = _readable(os.path.basename(path))
    n_code = sum(cell.kind == "code" for cell in book.cells)
    detail = f"{so_many(len(book.cells), 'cell', 'cells')}, {n_code} of code"
    yield Artifact("code", name, _readable(path), git_blob(data), len(data), "", detail)
    folder = os.path.dirname(path)
    origin = as_text(book.papermill.get("input_path"))
    if origin:
        yield LineageEdge("input", "", origin)
        yield LineageEdge("output", "", name)
        yield from _beside(os.path.join(folder, os.path.basename(origin)), "input")
    stem = (origin or name).removesuffix(_SUFFIX)
    yield from _beside(os.path.join(folder, os.path.basename(stem) + _TWINS[0]), "", is_twin=True)


def _beside(path: str, role: str, *, is_twin: bool = False) -> Iterator[Artifact]:
    content = load_content(path, limit_bytes=nb.MAX_NOTEBOOK_BYTES)
    if content.status is not ReadStatus.EOF:
        return
    if is_twin and nb.percent_sources(content.data.decode("utf-8", "replace")) is None:
        return
    detail = "its jupytext twin" if is_twin else ""
    name = _readable(os.path.basename(path))
    yield Artifact("code", name, _readable(path), git_blob(content.data), len(content.data), role, detail)


def git_blob(data: bytes) -> str:
    """The name git gives a file's content: `git:` and the SHA-1 of its blob."""
    return "git:" + hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _readable(path: str) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def example(folder: str) -> None:
    """What papermill leaves: a cell of parameters, the injected ones, a cell with a scrap, one with a picture."""
    scrap = {"application/scrapbook.scrap.json+json": {"name": "auc", "data": 0.7, "encoder": "json", "version": 1}}
    pixel = {"image/png": _PIXEL}
    cells = [
        _example_cell("learning_rate = 0.1\nepochs = 3", 1, tag=nb.PARAMETERS),
        _example_cell("learning_rate = 0.01", 2, tag=nb.INJECTED),
        _example_cell("sb.glue('auc', auc)", 3, shows=scrap),
        _example_cell("plot()", 4, shows=pixel),
    ]
    mill = {
        "default_parameters": {}, "parameters": {"learning_rate": 0.01}, "input_path": "train.ipynb",
        "output_path": "out.ipynb", "start_time": "2026-11-23T07:21:59.561939+00:00",
        "end_time": "2026-11-23T07:22:00.370195+00:00", "duration": 0.8, "exception": None, "version": "2.7.0",
    }  # fmt: skip
    metadata = {"papermill": mill, "language_info": {"name": "python", "version": "3.11.7"}}
    book = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    with open(os.path.join(folder, "out.ipynb"), "w", encoding="utf-8") as file:
        json.dump(book, file, indent=1)


_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="


def _example_cell(source: str, count: int, *, tag: str = "", shows: object = None) -> dict[str, object]:
    return {
        "cell_type": "code", "execution_count": count,
        "metadata": {"papermill": {"status": "completed"}, "tags": [tag] if tag else []},
        "outputs": [{"output_type": "display_data", "data": shows, "metadata": {}}] if shows else [],
        "source": source.splitlines(keepends=True),
    }  # fmt: skip


ADAPTER = Adapter(
    name="notebook",
    claims=claims,
    read=read,
    example=example,
    version=2,
    formats="Executed notebooks (nbformat 3 and 4): what papermill ran, and those with a cell tagged `parameters`",
    files=("*.ipynb",),
)
