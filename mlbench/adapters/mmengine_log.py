"""OpenMMLab: `*.log.json` of MMCV 1 (MMDetection 2, MMSegmentation 0, ...) and `vis_data/scalars.json` of MMEngine.

JSON lines. Rows of training become `train/...`, rows of validation `val/...`.
- MMCV 1: all starts in one work folder are one run, read in the order of their names (which are times). `iter` begins
  again in every epoch; the step is counted through: (epoch - 1) x the largest `iter` seen + `iter`. Where `iter` goes
  on over the epochs it is the step. Validation rows have the epoch as step, unless several share one epoch. The first
  line of a file holds the environment and the configuration.
- MMEngine: the folder above `vis_data` is the run; training rows have `step`, validation rows have the epoch (or, in
  training by iterations, the iteration) in `step`. The configuration is `vis_data/config.py`.
- Folders with only the text log of either (`20210812_172835.log`) make a run without metrics; the configuration is
  taken from the log.

Configurations are Python; their `name = value` statements are read as literals, nothing is executed.
Link: https://mmengine.readthedocs.io/en/latest/advanced_tutorials/logging.html
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Iterator, Mapping
from itertools import pairwise

from mlbench.dataclass import dataclass
from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Environment,
    Fact,
    JsonValue,
    Layer,
    Listing,
    Param,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import lfs_problem, load_content, sniff, unreadable
from mlbench.wire.dump_literal import literal_value
from mlbench.wire.dump_tree import TreeError, load_tree, pairs_of
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.flatten import flatten
from mlbench.wire.jsonlog import as_mapping, as_text, json_lines, numbers_in
from mlbench.wire.points import PointCollector, as_step

_JSON_LOG = ".log.json"
_LAST = "last_checkpoint"
_TEXT_LOG = re.compile(r"\d{8}_\d{6}\.log")
_TEXT_LINE = re.compile(rb"^\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d(?:,\d+)? - \w+ - [A-Z]+ - ", re.MULTILINE)
_GPU = re.compile(r"GPU [\d,]+")
_NO_METRICS = frozenset({"mode", "iter", "step"})
_STATEMENT = re.compile(r"^([A-Za-z_]\w*) *= *", re.MULTILINE)
_CONFIG_BEGIN = re.compile(r" - [A-Z]+ - Config:\s*\n")
_CONFIG_END = re.compile(r"^\d{4}[-/]\d\d[-/]\d\d \d\d:\d\d:\d\d", re.MULTILINE)
_ENVIRONMENT = {
    "Python": "python", "PyTorch": "package:torch", "TorchVision": "package:torchvision", "OpenCV": "package:opencv",
    "MMCV": "package:mmcv", "MMEngine": "package:mmengine", "MMDetection": "package:mmdet",
    "MMSegmentation": "package:mmseg", "CUDA Runtime": "cuda", "CuDNN": "cudnn", "sys.platform": "os",
}  # fmt: skip
"""What may be taken of the environment, and as what."""
_TEXT_BYTES = 4 << 20
"""The configuration stands near the beginning of a text log; the rest may have gigabytes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of numbers."""

    mode: str
    """`train`, `val`, or what else MMCV calls it."""
    epoch: int
    iteration: int
    step: int | None
    """As the file counts it; None in MMCV 1."""
    values: tuple[tuple[str, float], ...]


def claims(listing: Listing) -> Iterator[Claim]:
    logs = [name for name in listing.ending("json") if name.endswith(_JSON_LOG)]
    starts = [name for name in logs if _is_json_log(os.path.join(listing.path, name))]
    if starts:
        paths = [os.path.join(listing.path, name) for name in starts]
        yield Claim(paths[0], Role.METRICS, listing.path, follows=tuple(paths[1:]))
    elif listing.has("scalars.json") and os.path.basename(listing.path) == "vis_data":
        folder = listing.path
        path, config = (os.path.join(folder, name) for name in ("scalars.json", "config.py"))
        last = os.path.join(os.path.dirname(os.path.dirname(folder)), _LAST)
        yield Claim(path, Role.METRICS, os.path.dirname(folder), follows=(config, last))
    else:
        yield from _text_logs(listing)


def _is_json_log(path: str) -> bool:
    head = sniff(path, 64)
    return head is None or is_lfs_pointer(head) or head.startswith((b'{"env_info"', b'{"mode"', b'{"exp_name"'))


def _text_logs(listing: Listing) -> Iterator[Claim]:
    logs = [os.path.join(listing.path, name) for name in listing.ending("log") if _TEXT_LOG.fullmatch(name)]
    if logs and _TEXT_LINE.search(sniff(logs[-1], 512) or b""):
        yield Claim(logs[-1], Role.DUMP, listing.path)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    if source.path.endswith(".log"):
        yield from _read_text_log(source.path)
        return
    rows: list[Row] = []
    statuses: list[ReadStatus] = []
    n_bad = 0
    for path in (source.path, *source.follows):
        if path.endswith(".json"):
            status, n_bad_lines = yield from _read_json_log(path, rows)
            statuses.append(status)
            n_bad += n_bad_lines
        elif os.path.basename(path) == _LAST:
            yield from _last_checkpoint(path)
        elif os.path.lexists(path):
            yield from _read_config_file(path)
    yield from _points(rows)
    yield Cursor({}, _worst(statuses), len(rows), n_bad)


def _last_checkpoint(path: str) -> Iterator[Param]:
    """The name of the newest checkpoint; the folder is that of the machine it was trained on."""
    found = load_content(path, limit_bytes=4096)
    if name := re.split(r"[/\\]", found.data.decode("utf-8", "replace").strip())[-1]:
        yield Param(_LAST, name, name, Layer.DERIVED)


def _worst(statuses: list[ReadStatus]) -> ReadStatus:
    """The status of several files: the one that the user should see first."""
    order = (ReadStatus.UNREADABLE, ReadStatus.LFS_POINTER, ReadStatus.DAMAGED, ReadStatus.TRUNCATED)
    if all(status is ReadStatus.EMPTY for status in statuses):
        return ReadStatus.EMPTY
    return next((status for status in order if status in statuses), ReadStatus.EOF)


def _read_json_log(path: str, rows: list[Row]) -> Generator[Fact, None, tuple[ReadStatus, int]]:
    """Facts of one file; its rows are appended to `rows`. Returns how it ended and how many lines were bad."""
    status, bad_lines = ReadStatus.EMPTY, []
    try:
        with open_regular(path) as file:
            if is_lfs_pointer(file.read(64)):
                yield lfs_problem(path)
                return ReadStatus.LFS_POINTER, 0
            file.seek(0)
            for line in json_lines(file):
                status = ReadStatus.TRUNCATED if line.is_cut else ReadStatus.EOF
                if line.error or not isinstance(line.value, Mapping | None):
                    bad_lines.append((line.number, line.error or "it holds no JSON object"))
                elif "env_info" in as_mapping(line.value) or "exp_name" in as_mapping(line.value):
                    yield from _head(path, as_mapping(line.value))
                elif row := row_of(as_mapping(line.value)):
                    rows.append(row)
    except OSError as error:
        yield unreadable(path, error)
        return ReadStatus.UNREADABLE, 0
    if bad_lines:
        number, reason = bad_lines[0]
        lines = "1 line" if len(bad_lines) == 1 else f"{len(bad_lines)} lines"
        yield Problem(path, f"{lines} could not be read, the first because {reason}", f"line {number}")
        status = ReadStatus.DAMAGED
    return status, len(bad_lines)


def row_of(fields: Mapping[str, JsonValue]) -> Row | None:
    """A line as a row, None if it holds no number."""
    mode = as_text(fields.get("mode")) or ("train" if "iter" in fields else "val")
    values = tuple(numbers_in({name: value for name, value in fields.items() if name not in _NO_METRICS}))
    if not values:
        return None
    epoch, iteration = as_step(fields.get("epoch")), as_step(fields.get("iter"))
    return Row(mode, 1 if epoch is None else epoch, iteration or 0, as_step(fields.get("step")), values)


def _points(rows: list[Row]) -> Iterator[Fact]:
    collector = PointCollector()
    for row, step in zip(rows, steps_of(rows), strict=True):
        if -(1 << 63) <= step < 1 << 63:
            for name, value in row.values:
                collector.add(f"{row.mode}/{name}", step, value)
        if collector.is_full:
            yield from collector.flush()
    yield from collector.flush()


def steps_of(rows: list[Row]) -> list[int]:
    """The step of every row; see the module's docstring."""
    train = [row for row in rows if row.mode == "train" and row.step is None]
    other = [row for row in rows if row.mode != "train" and row.step is None]
    turns = [(before, after) for before, after in pairwise(train) if after.epoch > before.epoch]
    begins_again = any(after.iteration <= before.iteration for before, after in turns)
    per_epoch = max((row.iteration for row in train), default=0) if begins_again else 0
    by_iteration = any(
        before.epoch == after.epoch and before.iteration != after.iteration for before, after in pairwise(other)
    )
    return [_step(row, per_epoch, by_iteration=by_iteration) for row in rows]


def _step(row: Row, per_epoch: int, *, by_iteration: bool) -> int:
    if row.step is not None:
        return row.step
    if row.mode == "train":
        return (row.epoch - 1) * per_epoch + row.iteration
    return row.iteration if by_iteration else row.epoch


# ---------------------------------------------------------------- what stands around the numbers


def _head(path: str, fields: Mapping[str, JsonValue]) -> Iterator[Fact]:
    """The first line of MMCV's log."""
    yield from _environment(as_text(fields.get("env_info")))
    yield from _config(path, as_text(fields.get("config")))
    seed = fields.get("seed")
    if isinstance(seed, int):
        yield Param("seed", str(seed), seed, Layer.CONFIG)
    if name := as_text(fields.get("exp_name")):
        yield RunField("entry_point", name)


def _environment(text: str) -> Iterator[Environment]:
    for line in text.splitlines():
        key, _, value = line.strip(" -").partition(": ")
        if _GPU.fullmatch(key) and value:
            yield Environment("gpu", value.strip())
        elif value and key in _ENVIRONMENT:
            yield Environment(_ENVIRONMENT[key], value.strip())


def _config(path: str, text: str) -> Iterator[Fact]:
    """The `name = value` statements at the left margin of a Python configuration; nothing is executed."""
    marks = list(_STATEMENT.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)][: len(marks)]
    entries = [(mark[1], literal_value(text[mark.end() : end]), 1) for mark, end in zip(marks, ends, strict=True)]
    try:
        loaded = load_tree(pairs_of(entries))
    except TreeError as error:
        yield Problem(path, f"the configuration {error.what}")
        return
    for leaf in flatten(as_mapping(loaded.value), raw=loaded.raw).leaves:
        yield Param(leaf.key, leaf.raw, leaf.value, Layer.CONFIG)


def _read_config_file(path: str) -> Iterator[Fact]:
    content = load_content(path)
    if content.problem:
        yield content.problem
    yield from _config(path, content.data.decode("utf-8", "replace"))


def _read_text_log(path: str) -> Iterator[Fact]:
    """Environment and configuration from the beginning of a text log."""
    try:
        with open_regular(path) as file:
            text = file.read(_TEXT_BYTES).decode("utf-8", "replace")
    except OSError as error:
        yield unreadable(path, error)
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    begin = _CONFIG_BEGIN.search(text)
    if begin is None:
        yield from _environment(text)
        yield Cursor({}, ReadStatus.EOF if text else ReadStatus.EMPTY)
        return
    end = _CONFIG_END.search(text, begin.end())
    yield from _environment(text[: begin.start()])
    yield from _config(path, text[begin.end() : end.start() if end else len(text)])
    yield Cursor({}, ReadStatus.EOF, 1)


def example(folder: str) -> None:
    """Two epochs of MMDetection 2, each validated."""
    head: dict[str, object] = {
        "env_info": "sys.platform: linux\nPython: 3.8.11\nPyTorch: 1.8.0",
        "config": "optimizer = dict(type='SGD', lr=0.02)\ngpu_ids = [2]\n",
        "seed": None,
        "exp_name": "faster_rcnn.py",
    }
    rows: list[dict[str, object]] = [head]
    for epoch in (1, 2):
        rows.extend({"mode": "train", "epoch": epoch, "iter": place, "loss": 3.0 / place} for place in (50, 100))
        rows.append({"mode": "val", "epoch": epoch, "iter": 100, "bbox_mAP": 0.1 * epoch})
    with open(os.path.join(folder, "20210812_190636.log.json"), "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


ADAPTER = Adapter(
    name="mmengine",
    claims=claims,
    read=read,
    example=example,
    formats="MMCV 1 *.log.json and MMEngine vis_data/scalars.json (MMDetection, MMSegmentation, ...)",
    files=("*.log.json", "vis_data/scalars.json", "[0-9]*_[0-9]*.log"),
)
