"""Guild AI: `$GUILD_HOME/runs/<id>/.guild/`, Guild 0.6 to 0.9.

Every attribute is a small YAML file in `.guild/attrs/`: flags are parameters (those that the user gave in the override
layer), label, operation, tags, comments, times in microseconds, exit status, host, `vcs_commit`, `pip_freeze` and
`platform`. `attrs/env` holds the whole environment of the process and is never opened. Scalars are the event files in
`.guild/`, which fold into the run.

Deleted runs (`trash/runs/`) and the parents of batches (whose `.guild/proto/` holds the prototype of their trials, and
whose event file repeats the trials' scalars) are no runs.
Link: https://my.guild.ai/t/run-files/144
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Environment,
    Fact,
    GitState,
    ImportedTag,
    JsonValue,
    Layer,
    Listing,
    Problem,
    ReadStatus,
    Role,
    RunField,
    Source,
)
from mlbench.wire.content import load_content, paths_in
from mlbench.wire.dump_facts import params_of, problem_of, read_dump_text
from mlbench.wire.dump_tree import Loaded, TreeError
from mlbench.wire.jsonlog import as_list, as_mapping, as_text
from mlbench.wire.yamltext import load_yaml

_FOLDER = ".guild"
_ATTRIBUTES = ("flags", "user_flags", "label", "tags", "comments", "started", "stopped", "exit_status", "host", "user",
               "cmd", "vcs_commit", "pip_freeze", "platform", "random_seed")  # fmt: skip
"""What is read. The environment is not among it."""
_KILLED = frozenset({2, 9, 15, 130, 137, 143})
"""Exit codes of SIGINT, SIGKILL and SIGTERM; Guild writes the signals negative."""


def claims(listing: Listing) -> Iterator[Claim]:
    if "trash" in listing.folders and "runs" in listing.folders:
        trash = os.path.join(listing.path, "trash")
        if _holds_runs(os.path.join(trash, "runs")):
            yield Claim(trash, Role.ASIDE, listing.path, is_closed=True)
    if _FOLDER not in listing.folders:
        return
    folder = os.path.join(listing.path, _FOLDER)
    if os.path.isdir(os.path.join(folder, "proto")):
        yield Claim(folder, Role.ASIDE, listing.path, is_closed=True)
    elif os.path.isdir(os.path.join(folder, "attrs")):
        names = ("opref", *(os.path.join("attrs", name) for name in _ATTRIBUTES))
        yield Claim(folder, Role.TRACKER, listing.path, follows=paths_in(folder, names))


def _holds_runs(folder: str) -> bool:
    try:
        names = sorted(os.listdir(folder))[:8]
    except OSError:
        return False
    return any(os.path.isdir(os.path.join(folder, name, _FOLDER)) for name in names)


@dataclass(slots=True)
class _Run:
    """A run's folder while it is read."""

    path: str
    attributes: dict[str, Loaded] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def value(self, name: str) -> JsonValue:
        loaded = self.attributes.get(name)
        return loaded.value if loaded else None

    def path_of(self, name: str) -> str:
        return os.path.join(self.path, "attrs", name)


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    run = _Run(source.path)
    for name in _ATTRIBUTES:
        _load(run, name)
    if not os.path.isdir(os.path.join(source.path, "attrs")):
        run.problems.append(Problem(source.path, "this is no run of Guild: it has no 'attrs'"))
    for name, layer in (("flags", Layer.CONFIG), ("user_flags", Layer.OVERRIDE)):
        if name in run.attributes:
            yield from params_of(run.path_of(name), run.attributes[name], layer=layer)
    yield from _fields(run)
    yield from _status(run)
    yield from _operation(run)
    yield from (ImportedTag(tag) for tag in map(as_text, as_list(run.value("tags"))) if tag)
    yield from _code(as_text(run.value("vcs_commit")))
    yield from _environment(run)
    yield from run.problems
    n_read = len(run.attributes)
    status = ReadStatus.EOF if not run.problems else ReadStatus.DAMAGED if n_read else ReadStatus.UNREADABLE
    yield Cursor({}, status, n_read, len(run.problems))


def _load(run: _Run, name: str) -> None:
    """Read one attribute; many runs lack some, and an empty one is being written."""
    path = run.path_of(name)
    if not os.path.lexists(path):
        return
    found = read_dump_text(path)
    run.problems.extend(found.problems)
    if found.text is None:
        return
    try:
        run.attributes[name] = load_yaml(found.text)
    except TreeError as error:
        run.problems.append(problem_of(path, error))


def _fields(run: _Run) -> Iterator[RunField]:
    for name, attribute in (("name", "label"), ("host", "host"), ("user", "user")):
        value = run.value(attribute)
        if value not in (None, "") and not isinstance(value, list | dict):
            yield RunField(name, str(value))
    for name, attribute in (("started", "started"), ("ended", "stopped")):
        moment_us = run.value(attribute)
        if isinstance(moment_us, int) and 0 < moment_us < 1 << 62:
            yield RunField(name, moment_us / 1e6)
    if words := [str(word) for word in as_list(run.value("cmd"))]:
        yield RunField("command", shlex.join(words))
    comments = [as_text(as_mapping(part).get("body")) for part in as_list(run.value("comments"))]
    if note := "\n\n".join(comment for comment in comments if comment):
        yield RunField("note", note)


def _status(run: _Run) -> Iterator[RunField]:
    code = run.value("exit_status")
    if isinstance(code, int) and abs(code) < 1 << 31:
        yield RunField("exit_code", float(code))
        yield RunField("status", "finished" if code == 0 else "killed" if abs(code) in _KILLED else "failed")
    elif os.path.lexists(os.path.join(run.path, "LOCK")):
        yield RunField("status", "running")


def _operation(run: _Run) -> Iterator[Fact]:
    """Project and operation, as `opref` names them: `guildfile:<path of guild.yml> <hash> <model> <operation>`."""
    content = load_content(os.path.join(run.path, "opref"))
    if content.status is not ReadStatus.EOF:
        if content.problem and os.path.lexists(os.path.join(run.path, "opref")):
            yield content.problem
        return
    try:
        words = shlex.split(content.data[:4096].decode("utf-8", "replace"))
    except ValueError:
        return
    if len(words) < 4:
        return
    yield RunField("job_type", f"{words[2]}:{words[3]}" if words[2] else words[3])
    if project := os.path.basename(os.path.dirname(words[0].partition(":")[2])):
        yield RunField("project", project)


def _code(text: str) -> Iterator[GitState]:
    """`git:<commit>`, with a star behind it where files were changed."""
    system, _, commit = text.partition(":")
    if system == "git" and commit:
        yield GitState(commit.rstrip("*"), "recorded", is_dirty=commit.endswith("*"))


def _environment(run: _Run) -> Iterator[Environment]:
    platform = as_mapping(run.value("platform"))
    python = as_text(platform.get("python_version")).split(" ")[0]
    uname = as_text(platform.get("uname")).split(" ")
    for key, text in (("python", python), ("os", " ".join(uname[::2][:2])), ("cpus", str(platform.get("cpus") or ""))):
        if text:
            yield Environment(key, text)
    for line in as_list(run.value("pip_freeze")):
        package, is_pinned, version = as_text(line).partition("==")
        if is_pinned and package and version:
            yield Environment(f"package:{package}", version)


def example(folder: str) -> None:
    """One finished run of an operation with two flags, one of which was given."""
    attributes = {
        "flags": "layers: 2\nlearning_rate: 0.2\n", "user_flags": "learning_rate: 0.2\n", "label": "first\n",
        "tags": "- base\n", "started": "1795418771245294\n", "stopped": "1795418771624997\n", "exit_status": "0\n",
        "host": "node1\n", "cmd": "- python\n- -um\n- guild.op_main\n- train\n", "env": "PATH: /usr/bin\n",
        "comments": "- body: a comment\n  host: node1\n  time: 1795418772958931\n  user: ''\n",
        "vcs_commit": "git:39f24795dbbb4a9e2d7c65c01bba1d6b8f2d9f10*\n",
    }  # fmt: skip
    os.makedirs(os.path.join(folder, _FOLDER, "attrs"))
    for name, text in attributes.items():
        with open(os.path.join(folder, _FOLDER, "attrs", name), "w", encoding="utf-8") as file:
            file.write(text)
    with open(os.path.join(folder, _FOLDER, "opref"), "w", encoding="utf-8") as file:
        file.write("guildfile:/data/lab/proj/guild.yml 30d75147ad528e65dd48adb214088daa '' train")


ADAPTER = Adapter(
    name="guild",
    claims=claims,
    read=read,
    example=example,
    formats="Guild AI runs: flags, label, tags, comments, times, exit status",
    files=(".guild/attrs/*", ".guild/opref"),
)
