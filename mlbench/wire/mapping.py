"""The user's mapping: a small YAML file that says how to read files that no adapter knows.

    files:
      - match: "results/*.csv"
        step: update
        params: [lr, seed]

Each rule names files by a glob and says what their columns are. A rule with a mistake holds nothing and is told with
its line, what was expected and an example; the other rules hold. The file is only ever read.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, field
from functools import lru_cache
from typing import Any

from mlbench.dataclass import dataclass
from mlbench.model import Problem
from mlbench.wire.dump_tree import Items, Node, Pair, Pairs, Scalar, TreeError, clip, flow_text
from mlbench.wire.files import read_whole
from mlbench.wire.yamltext import yaml_tree

MAPPING_NAME = "mlbench-mapping.yaml"
"""Beside logs, a mapping holds in its folder and all below."""
MAX_MAPPING_BYTES = 1 << 20
FORMATS = ("csv", "jsonl", "json", "parquet")
UNITS: Mapping[str, float] = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
"""Of wall times, by how many make a second."""
_ENDINGS = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "dat": "csv", "log": "csv", "jsonl": "jsonl", "ndjson": "jsonl",
    "json": "json", "parquet": "parquet", "pq": "parquet",
}  # fmt: skip
"""What a file is whose rule names no format, by its ending."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How to read the files that one glob names."""

    match: str
    format: str = ""
    """One of FORMATS; '' for the file's ending."""
    step: str = ""
    """Column; '' for the first known name, else rows are counted."""
    wall: str = ""
    wall_unit: str = ""
    """One of UNITS or `iso`; '' tells seconds, milliseconds and ISO times apart by their size."""
    run: str = ""
    """Column of which each value is a run of its own."""
    metric: str = ""
    """Long format: the column that names the metric of a row,"""
    value: str = ""
    """and the one that holds its value."""
    metrics: tuple[str, ...] = ()
    """Globs; () for every column of numbers that is nothing else."""
    params: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    prefix: str = ""
    each: str = "file"
    """`file`: each file is a run; `folder`: those that lie together are one."""
    rows: tuple[str, ...] = ()
    """Fields that hold lists of rows, outermost first."""
    separator: str = ""
    columns: tuple[str, ...] = ()
    """Of a table without a header."""
    comment: str = ""
    is_left_alone: bool = False
    """The files are not read at all, by no adapter."""
    mapping: str = ""
    """Path of the mapping."""

    @property
    def text(self) -> str:
        """The rule as JSON: what a source is read by, and what its stamp tells of it."""
        return json.dumps(asdict(self), separators=(",", ":"))

    def format_of(self, path: str) -> str:
        """What a file is, '' where neither the rule nor its ending says it."""
        return self.format or _ENDINGS.get(path.rpartition(".")[2].lower(), "")


def rule_of(text: str) -> Rule:
    """The rule that `Rule.text` wrote."""
    said: dict[str, Any] = {
        name: tuple(part) if isinstance(part, list) else part for name, part in json.loads(text).items()
    }
    return Rule(**said)


@dataclass(frozen=True, slots=True)
class FileMapping:
    """The rules of one file, the first that matches holds."""

    path: str
    rules: tuple[tuple[int, Rule], ...]
    """With their lines."""
    problems: tuple[Problem, ...] = ()

    def rule_for(self, path: str) -> tuple[int, Rule] | None:
        """The line and the rule that holds for a file."""
        return next((one for one in self.rules if glob_of(one[1].match).search(path)), None)


def load_mapping(path: str) -> FileMapping:
    """Read a mapping; one that is gone has neither rules nor problems. Kept while its size and time are the same."""
    try:
        status = os.stat(path)
    except OSError:
        return FileMapping(path, ())
    return _load(path, (status.st_size, status.st_mtime_ns, status.st_ino))


@lru_cache(maxsize=64)
def _load(path: str, _mark: tuple[int, int, int]) -> FileMapping:
    try:
        text = read_whole(path, limit_bytes=MAX_MAPPING_BYTES).decode("utf-8-sig")
        root = yaml_tree(text)
    except OSError as error:
        return FileMapping(path, (), (Problem(path, f"the mapping could not be read: {error.strerror or error}"),))
    except TreeError as error:
        return FileMapping(path, (), (Problem(path, f"the mapping {error.what}", _place(error.line), hint=_START),))
    except ValueError as error:
        return FileMapping(path, (), (Problem(path, f"the mapping could not be read: {error}"),))
    reading = _Reading(path)
    rules = tuple(reading.rules(root))
    return FileMapping(path, rules, tuple(reading.problems))


@lru_cache(maxsize=512)
def glob_of(pattern: str) -> re.Pattern[str]:
    """The glob as an expression to be searched in a path: its parts are compared from the right.

    `*` and `?` stop at a slash, `**` is any number of folders.
    """
    parts = ["(?:[^/]+/)*" if part == "**" else f"{_part(part)}/" for part in pattern.strip("/").split("/")]
    return re.compile("(?:^|/)" + "".join(parts).removesuffix("/") + r"\Z", re.DOTALL)


def _part(part: str) -> str:
    pieces = re.split(r"(\*+|\?|\[[^\]/]+\])", part)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece.startswith("*"):
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 2 and piece[0] == "[" and piece[-1] == "]":
        inner = re.escape(piece[1:-1]).replace(r"\-", "-")
        return "[^" + inner.removeprefix("!") + "]" if piece[1] == "!" else f"[{inner}]"
    return re.escape(piece)


def ending_of(pattern: str) -> str:
    """What every file that the glob names ends with behind its last dot; '' where that may be anything."""
    ending = pattern.rpartition("/")[2].rpartition(".")[2]
    return "" if re.search(r"[*?\[\]]", ending) or "." not in pattern.rpartition("/")[2] else ending.lower()


def is_named(name: str, globs: Iterable[str]) -> bool:
    """Whether a column is one of those that the globs name; `*` goes over slashes here."""
    return any(name == glob or _columns(glob).fullmatch(name) for glob in globs)


@lru_cache(maxsize=512)
def _columns(glob: str) -> re.Pattern[str]:
    return re.compile(_part(glob).replace("[^/]", "."), re.DOTALL)


# ---------------------------------------------------------------- reading the file

_START = 'a mapping begins with: files:  and below it: - match: "results/*.csv"'
_EXAMPLES: Mapping[str, str] = {
    "match": 'match: "results/*.csv"', "format": "format: jsonl", "step": "step: iteration", "wall": "wall: time",
    "wall_unit": "wall_unit: ms", "run": "run: run_id", "metric": "metric: name", "value": "value: value",
    "metrics": 'metrics: [loss, "val_*"]', "params": "params: [lr, seed]", "rename": "rename: {loss: train/loss}",
    "ignore": "ignore: [hostname]", "prefix": "prefix: val/", "each": "each: folder", "rows": "rows: history",
    "separator": 'separator: ";"', "columns": "columns: [step, loss]", "comment": 'comment: "#"',
}  # fmt: skip
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "format": FORMATS, "wall_unit": (*UNITS, "iso"), "each": ("file", "folder"),
}  # fmt: skip
_LISTS = frozenset({"metrics", "params", "ignore", "rows", "columns"})


def _place(line: int | None) -> str:
    return f"line {line}" if line else ""


@dataclass(slots=True)
class _Reading:
    path: str
    problems: list[Problem] = field(default_factory=list)

    def rules(self, root: Node) -> Iterator[tuple[int, Rule]]:
        """The rules without a mistake, with their lines."""
        files = next((pair for pair in _pairs(root) if pair.key == "files"), None)
        for pair in _pairs(root):
            if pair.key != "files":
                self._tell(pair.line, f"'{clip(pair.key)}' is no part of a mapping, only 'files' is", _START)
        if files is None or not isinstance(files.node, Items):
            self._tell(files.line if files else root.line, "a list of rules was expected in 'files'", _START)
            return
        for node in files.node.nodes:
            before = len(self.problems)
            said = self._said(node)
            line = node.pairs[0].line if isinstance(node, Pairs) and node.pairs else node.line
            if len(self.problems) == before:
                self._check(said, line)
            if len(self.problems) == before:
                yield line, Rule(**said, mapping=self.path)

    def _tell(self, line: int, what: str, hint: str) -> None:
        self.problems.append(Problem(self.path, what, _place(line), hint))

    def _said(self, node: Node) -> dict[str, Any]:
        """What a rule says, by the names of its fields."""
        if not isinstance(node, Pairs):
            self._tell(node.line, f"a rule was expected, with 'match' first, not {clip(flow_text(node))!r}", _START)
            return {}
        said: dict[str, Any] = {}
        for pair in node.pairs:
            if pair.key not in _EXAMPLES:
                self._tell(pair.line, f"'{clip(pair.key)}' is no key of a rule", _nearest(pair.key))
            elif pair.key in said:
                self._tell(pair.line, f"'{pair.key}' is given twice in one rule", "keep one of them")
            else:
                self._take(pair, said)
        return said

    def _take(self, pair: Pair, said: dict[str, object]) -> None:
        key, node = pair.key, pair.node
        if key == "ignore" and isinstance(node, Scalar) and isinstance(node.value, bool):
            said["is_left_alone"] = node.value
        elif key == "rename":
            self._names(pair, said)
        elif key in _LISTS:
            nodes = node.nodes if isinstance(node, Items) else (node,)
            if nodes and all(isinstance(one, Scalar) and one.text for one in nodes):
                said[key] = tuple(one.text for one in nodes if isinstance(one, Scalar))
            else:
                self._expected(pair, "one name or a list of names")
        elif not isinstance(node, Scalar) or not node.text:
            self._expected(pair, "one word")
        elif key in _CHOICES and node.text not in _CHOICES[key]:
            self._expected(pair, f"one of {', '.join(_CHOICES[key])}")
        elif key == "separator" and len(node.text) > 1:
            self._expected(pair, "one character; a blank stands for any number of blanks and tabs")
        else:
            said[key] = node.text

    def _names(self, pair: Pair, said: dict[str, object]) -> None:
        pairs = _pairs(pair.node)
        if not pairs or not all(isinstance(one.node, Scalar) and one.node.text for one in pairs):
            self._expected(pair, "old names with new ones")
            return
        said["rename"] = {one.key: one.node.text for one in pairs if isinstance(one.node, Scalar)}

    def _expected(self, pair: Pair, what: str) -> None:
        found = clip(flow_text(pair.node))
        self._tell(pair.line, f"'{pair.key}' takes {what}, not {found!r}", f"for example: {_EXAMPLES[pair.key]}")

    def _check(self, said: Mapping[str, object], line: int) -> None:
        """What of a rule does not go together."""
        has = said.keys()
        told = said.get("format") or "csv"
        for is_wrong, what, key in (
            ("match" not in has, "a rule needs 'match', the files that it is for", "match"),
            ("metric" in has and "value" not in has, "'metric' names metrics, and 'value' their values: it is missing",
             "value"),
            ("value" in has and "metric" not in has, "'value' holds values, and 'metric' names them: it is missing",
             "metric"),
            ("wall_unit" in has and "wall" not in has, "'wall_unit' is the unit of 'wall', which is missing", "wall"),
            ("run" in has and "each" in has, "'run' already says what a run is, 'each' cannot stand beside it", "run"),
            ("rows" in has and "format" in has and told == "csv", "'rows' are lists in JSON or Parquet, not in CSV",
             "format"),
            (has & {"separator", "columns", "comment"} and told != "csv",
             "'separator', 'columns' and 'comment' are for CSV files", "format"),
        ):  # fmt: skip
            if is_wrong:
                self._tell(line, what, f"for example: {_EXAMPLES[key]}")


def _pairs(node: Node) -> tuple[Pair, ...]:
    return node.pairs if isinstance(node, Pairs) else ()


def _nearest(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, _EXAMPLES, n=1)
    return (
        f"did you mean '{near[0]}'? For example: {_EXAMPLES[near[0]]}" if near else f"it takes {', '.join(_EXAMPLES)}"
    )
