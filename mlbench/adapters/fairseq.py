"""fairseq: the log that `fairseq-train` and `fairseq-hydra-train` print, kept in a text file; 0.6 to 0.12.

Lines `<time> | INFO | train_inner | {...}` (`--log-format json`) or `... | train_inner | epoch 001: 100 / 1000
loss=16.4, ..., num_updates=100` (`simple`), and the summaries `| train | ...` and `| valid | ...` of each epoch. The
step is `num_updates`. `train_inner` gives the metrics without a prefix, the summaries `train/...` and `valid/...` (the
name of the subset). Before 0.10 the same stood there as `| epoch 005 | loss 0.158 | ... | num_updates 27301`,
without a time. Numbers that are written as texts are numbers. The options are read from the `Namespace(...)` or
the dictionary of the line `fairseq_cli.train`; nothing is evaluated. Times have no zone and are taken as UTC.
Link: https://fairseq.readthedocs.io/en/latest/command_line_tools.html
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping

from mlbench.model import Adapter, Claim, Cursor, Fact, JsonValue, Listing, Problem, ReadStatus, Role, Source
from mlbench.wire.content import sniff
from mlbench.wire.counting import so_many
from mlbench.wire.dump_facts import params_of
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.dumps import parse_dump
from mlbench.wire.jsonlog import JsonError, as_mapping, as_number, load_json, utc_seconds
from mlbench.wire.points import PointCollector, as_step
from mlbench.wire.textlog import TextLog

_KIND = r"train_inner|train|valid\d*|test\d*"
_LINE = re.compile(rf"(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d)\S* \| INFO \| ({_KIND}) \| (.*)")
_HYDRA_LINE = re.compile(rf"\[(\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d)[,\d]*\]\[({_KIND})\]\[INFO\] - (.*)")
_OLD_LINE = re.compile(r"(?:\| )?epoch \d+(:| \|)(.*\bnum_updates[= ]\d.*)")
_PAIR = re.compile(
    r"(?<![\w/.@-])([A-Za-z_][\w/.@-]*)[= ]([-+]?(?:\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|nan|inf))(?=$|[,| ])"
)
_SUBSET = re.compile(r"valid on '([^']+)' subset")
_OPTIONS = re.compile(r"fairseq_cli\.(?:train|hydra_train)(?: \| |\]\[INFO\] - )((?:Namespace\(|\{').*)")
_OLD_OPTIONS = re.compile(r"(?:\| )?(Namespace\(.*\))")
_SKIPPED = frozenset({"num_updates", "update", "epoch"})
_HEAD_BYTES = 262_144
"""The options stand before the first numbers and may have 30 kB."""


def claims(listing: Listing) -> Iterator[Claim]:
    for name in (*listing.ending("log", "out"), *listing.naming(("log", "train"), "txt")):
        path = os.path.join(listing.path, name)
        head = sniff(path, _HEAD_BYTES) or b""
        if b"num_updates" in head and any(map(_match, head.decode("utf-8", "replace").split("\n"))):
            yield Claim(path, Role.METRICS, listing.path, is_one_training=True)


def _match(line: str) -> tuple[str, str, str] | None:
    """The time, the kind and the rest of a line of numbers; None for any other."""
    found = _LINE.match(line) or _HYDRA_LINE.match(line)
    if found:
        return found[1], found[2], found[3]
    old = _OLD_LINE.match(line)
    return ("", "train_inner" if old[1] == ":" else "train", old[2]) if old else None


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    log = TextLog(source.path)
    points = PointCollector()
    has_options = False
    n_rows = n_bad = 0
    for line in log.lines():
        if not has_options and (options := _OPTIONS.search(line) or _OLD_OPTIONS.fullmatch(line)):
            has_options = True
            yield from _params(source.path, options[1])
        elif found := _match(line):
            is_read = _add(points, found)
            n_rows += is_read
            n_bad += not is_read
            if points.is_full:
                yield from points.flush()
    yield from points.flush()
    yield from log.problems
    if n_bad:
        lines = so_many(
            n_bad, "line of numbers could not be read and was", "lines of numbers could not be read and were"
        )
        yield Problem(source.path, f"{lines} left out")
    if log.status is ReadStatus.EOF and not n_rows:
        yield Problem(source.path, "no line of it tells an update of fairseq")
    yield Cursor({}, ReadStatus.DAMAGED if n_bad and log.status is ReadStatus.EOF else log.status, n_rows, n_bad)


def _params(path: str, text: str) -> Iterator[Fact]:
    try:
        yield from params_of(path, parse_dump(text).values)
    except TreeError as error:
        yield Problem(path, f"the options in it could not be read: it {error.what}")


def _add(points: PointCollector, found: tuple[str, str, str]) -> bool:
    """Take the numbers of one line; False if it tells no update."""
    moment, kind, text = found
    subset = _SUBSET.search(text)
    prefix = "" if kind == "train_inner" else f"{subset[1] if subset else kind}/"
    row = _row(text, kind)
    step = as_step(row.get("num_updates"))
    if step is None:
        return False
    wall_s = utc_seconds(moment.replace(" ", "T")) if moment else None
    for name, number in row.items():
        if name not in _SKIPPED:
            points.add(prefix + name, step, number, math.nan if wall_s is None else wall_s)
    return True


def _row(text: str, kind: str) -> dict[str, float]:
    """Names and numbers of a line; the prefix that the JSON form gives to those of a summary is taken off."""
    if not text.startswith("{"):
        return {found[1]: float(found[2]) for found in _PAIR.finditer(text)}
    try:
        row = as_mapping(load_json(text))
    except JsonError:
        return {}
    numbers = {name.removeprefix(f"{kind}_"): _number(value) for name, value in row.items()}
    return {name: number for name, number in numbers.items() if number is not None}


def _number(value: JsonValue) -> float | None:
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return as_number(value)


def example(folder: str) -> None:
    """An epoch with `--log-format json`."""
    with open(os.path.join(folder, "train.log"), "w", encoding="utf-8") as file:
        file.write(
            "2021-05-01 12:00:00 | INFO | fairseq_cli.train | Namespace(arch='transformer', lr=[0.0005], seed=1)\n"
            '2021-05-01 12:00:09 | INFO | train_inner | {"epoch": 1, "update": 0.5, "loss": "16.475", '
            '"ppl": "91069.6", "num_updates": "1", "lr": "1.25e-07", "wall": "9"}\n'
            '2021-05-01 12:00:15 | INFO | valid | {"epoch": 1, "valid_loss": "15.2", "valid_num_updates": "2"}\n'
            '2021-05-01 12:00:15 | INFO | train | {"epoch": 1, "train_loss": "16.1", "train_num_updates": "2"}\n'
        )


ADAPTER = Adapter(
    name="fairseq",
    claims=claims,
    read=read,
    example=example,
    version=2,
    formats="fairseq's training log, JSON or simple",
    files=("*.log", "*.out", "*log*.txt", "*train*.txt"),
)
