"""What `mlbench run` and `mlbench.log_args` recorded: arguments, configurations, code, environment, data, outcome.

Files: `mlbench-run.json`, with `mlbench-run.patch` (what differed from HEAD) and `mlbench-run.log` (what was printed).
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping

from mlbench.model import (
    Adapter,
    Artifact,
    Claim,
    Cursor,
    DataVersion,
    Environment,
    Fact,
    GitState,
    ImportedTag,
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
from mlbench.wire.counting import so_many
from mlbench.wire.dump_facts import params_of
from mlbench.wire.dump_tree import Loaded, TreeError
from mlbench.wire.dumps import parse_dump
from mlbench.wire.flatten import value_text
from mlbench.wire.jsonlog import as_list, as_mapping, as_number, as_text, load_json_file, params_in
from mlbench.wire.yamltext import load_yaml

STEM, ENDING = "mlbench-run", ".json"
_FORMAT = "mlbench-run/"
_FIELDS = ("host", "user", "name")
_TIMES = ("started", "ended")


def claims(listing: Listing) -> Iterator[Claim]:
    for name in listing.ending("json"):
        if name.startswith(STEM):
            yield Claim(os.path.join(listing.path, name), Role.TRACKER, listing.path)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    file = load_json_file(source.path)
    record = as_mapping(file.value)
    problem = file.problem
    if problem is None and record and not as_text(record.get("format")).startswith(_FORMAT):
        problem, record = Problem(source.path, "this is JSON, but no record of a run"), {}
    yield from _about(record)
    yield from _params(source.path, record)
    yield from _code(record)
    yield from _surroundings(record)
    yield from _files(source.path, record)
    for what in as_list(record.get("problems")):
        yield Problem(source.path, f"when the run was recorded: {as_text(what)}")
    if problem is not None:
        yield problem
    status = file.status if file.status is not ReadStatus.EOF else ReadStatus.DAMAGED if problem else ReadStatus.EOF
    yield Cursor({}, status, n_records=len(record), n_bad=int(problem is not None))


def _about(record: Mapping[str, JsonValue]) -> Iterator[Fact]:
    for name in _FIELDS:
        if text := as_text(record.get(name)):
            yield RunField(name, text)
    for name in _TIMES:
        if (moment := as_number(record.get(name))) is not None:
            yield RunField(name, moment)
    if argv := [as_text(word) for word in as_list(record.get("argv"))]:
        yield RunField("command", shlex.join(argv))
    if record:
        yield from _outcome(record)
    if cwd := as_text(record.get("cwd")):
        yield Environment("cwd", cwd)


def _outcome(record: Mapping[str, JsonValue]) -> Iterator[Fact]:
    """How it ended; `log_args` records no end, and the last point tells."""
    code = as_number(record.get("exit_code"))
    if code is None:
        if record.get("is_watched") is True:
            yield RunField("status", "running")
        return
    yield RunField("exit_code", code)
    yield RunField("status", "finished" if code == 0 else "killed" if code >= 128 else "failed")


def _params(path: str, record: Mapping[str, JsonValue]) -> Iterator[Fact]:
    for config in as_list(record.get("configs")):
        yield from _config(path, as_mapping(config))
    yield from params_in(as_mapping(record.get("args")), Layer.CONFIG)
    argv = [as_text(word) for word in as_list(record.get("argv"))]
    if len(argv) > 1:
        try:
            dump = parse_dump(repr(argv), suffix=".txt")
        except TreeError:
            return
        if dump.entry_point:
            yield RunField("entry_point", dump.entry_point)
        for fact in params_of(path, dump.values, layer=Layer.CLI):
            if isinstance(fact, Param):
                yield Param(fact.key, fact.raw, fact.value, fact.layer)


def _config(path: str, config: Mapping[str, JsonValue]) -> Iterator[Fact]:
    """The parameters of a configuration file as it was when the run began."""
    name, text = as_text(config.get("path")), as_text(config.get("text"))
    try:
        loaded = load_yaml(text) if not name.endswith((".json", ".toml")) else Loaded(_parsed(name, text), {})
    except (TreeError, ValueError) as error:
        yield Problem(path, f"its configuration {name} cannot be read: {error}")
        return
    for fact in params_of(path, loaded):
        yield Param(fact.key, fact.raw, fact.value, fact.layer) if isinstance(fact, Param) else fact


def _parsed(name: str, text: str) -> JsonValue:
    """JSON or TOML.

    Raises:
        ValueError: it is neither.
    """
    import tomllib

    from mlbench.wire.jsonlog import load_json

    if name.endswith(".json"):
        return load_json(text)
    try:
        return json.loads(json.dumps(tomllib.loads(text), default=str))  # type: ignore[no-any-return]
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error


def _code(record: Mapping[str, JsonValue]) -> Iterator[GitState]:
    git = as_mapping(record.get("git"))
    if commit := as_text(git.get("commit")):
        dirty = git.get("dirty")
        yield GitState(
            commit, "recorded", as_text(git.get("branch")), dirty if isinstance(dirty, bool) else None,
            as_text(git.get("remote")), as_text(git.get("subject")), as_number(git.get("committed")),
            as_text(git.get("repository")),
        )  # fmt: skip


def _surroundings(record: Mapping[str, JsonValue]) -> Iterator[Fact]:
    for section in ("environment", "hardware"):
        for key, value in as_mapping(record.get(section)).items():
            yield Environment(str(key), value_text(value))
    for part in as_list(record.get("data")):
        data = as_mapping(part)
        if (name := as_text(data.get("name"))) and (version := as_text(data.get("version"))):
            yield DataVersion(
                as_text(data.get("system")) or "hash", name, version, schema=as_text(data.get("schema")),
                n_rows=_count(data.get("rows")),
                is_pinned=data.get("pinned") is not False, size_bytes=_count(data.get("bytes")),
            )  # fmt: skip
    for tag in as_list(record.get("tags")):
        yield ImportedTag(as_text(tag))


def _count(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63 else None


def _files(path: str, record: Mapping[str, JsonValue]) -> Iterator[Artifact]:
    """The patch and the output that lie beside the record."""
    folder = os.path.dirname(path)
    patch = as_mapping(record.get("git"))
    changed = so_many(len(as_list(patch.get("changed"))), "tracked file", "tracked files")
    for kind, told, detail in (
        ("code", patch, f"{changed} differed from HEAD"),
        ("log", as_mapping(record.get("output")), "what it printed"),
    ):
        name = as_text(told.get("patch" if kind == "code" else "file"))
        if name and os.sep not in name and os.path.isfile(os.path.join(folder, name)):
            place = os.fsencode(os.path.join(folder, name)).decode("utf-8", "replace")
            size = os.path.getsize(os.path.join(folder, name))
            yield Artifact("code" if kind == "code" else "file", name, place, size_bytes=size, detail=detail)


def example(folder: str) -> None:
    """What `mlbench run -- python train.py --lr 0.1 --config c.yaml` leaves."""
    record = {
        "format": "mlbench-run/1", "argv": ["python", "train.py", "--lr", "0.1", "--config", "c.yaml"],
        "cwd": "/home/ada/digits", "started": 1795418431.5, "ended": 1795418499.0, "exit_code": 0, "host": "node1",
        "user": "ada", "is_watched": True, "configs": [{"path": "c.yaml", "text": "epochs: 3\nlr: 0.2\n"}],
        "git": {"commit": "a475dc7ca33ae9407f008d1dd3e2fbc5fe5eb867", "branch": "main", "dirty": True,
                "patch": "mlbench-run.patch", "changed": ["train.py"]},
        "environment": {"python": "3.11.7", "package:numpy": "2.4.6"}, "hardware": {"cpus": 8, "cpu": "a fast one"},
        "data": [{"system": "hash", "name": "train.csv", "version": "sha256:00ff"}],
        "output": {"file": "mlbench-run.log", "bytes": 9}, "problems": [],
    }  # fmt: skip
    with open(os.path.join(folder, f"{STEM}{ENDING}"), "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
    for name, text in (("mlbench-run.patch", "diff --git a/train.py b/train.py\n"), ("mlbench-run.log", "loss 0.5\n")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


ADAPTER = Adapter(
    name="captured",
    claims=claims,
    read=read,
    example=example,
    formats="Records of `mlbench run` and `mlbench.log_args`: arguments, configurations, code, environment, data, end",
    files=("mlbench-run*.json",),
)
