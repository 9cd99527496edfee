"""Jobs of Hydra: what was configured, what was overridden, and how the job was made.

Files: `.hydra/{config,overrides,hydra}.yaml` in the folder of each job, Hydra 1.0 to 1.3
(https://hydra.cc/docs/tutorials/basic/running_your_app/working_directory/).
Interpolations stay as they were written in `raw`; `value` follows `${path}` to the value that it names, and keeps the
text where only the running program knew (`${now:...}`, `${oc.env:...}`). `???` is a missing value.
A sweep's `multirun.yaml` is no job.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from mlbench.model import Adapter, Claim, Fact, JsonValue, Layer, Listing, Param, Problem, ReadStatus, Role, Source
from mlbench.wire.dump_facts import cursor_of, params_of, problem_of, read_dump_text
from mlbench.wire.dump_tree import Loaded, TreeError
from mlbench.wire.dump_values import core_value
from mlbench.wire.flatten import value_text
from mlbench.wire.yamltext import load_yaml

_FOLDER = ".hydra"
_FILES = ("config.yaml", "overrides.yaml", "hydra.yaml")
_MISSING = "???"
_INTERPOLATION = re.compile(r"\$\{([A-Za-z_][\w.-]*)\}")
MAX_HOPS = 10
"""Interpolations that lead to interpolations."""
MAX_TEXT = 2_000
"""Characters of an interpolated text: hops that double it each time must not fill the memory."""
_OVERRIDE = re.compile(r"(\+\+|\+|~)?([^=]+)(?:=(.*))?\Z", re.DOTALL)


def claims(listing: Listing) -> Iterator[Claim]:
    """Claim the `.hydra` folder of a job."""
    if _FOLDER not in listing.folders:
        return
    folder = os.path.join(listing.path, _FOLDER)
    files = tuple(path for path in (os.path.join(folder, name) for name in _FILES) if os.path.isfile(path))
    if files:
        yield Claim(folder, Role.DUMP, listing.path, is_closed=True, follows=files)


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """Yield configuration, overrides and the job's own facts."""
    del cursor  # The files of a job are read whole.
    facts: list[Fact] = []
    statuses: list[ReadStatus] = []
    for name, reader in (("config.yaml", _config), ("overrides.yaml", _overrides), ("hydra.yaml", _job)):
        path = os.path.join(source.path, name)
        if not os.path.lexists(path):
            continue
        found = read_dump_text(path)
        facts += found.problems
        statuses.append(found.status)
        if found.text is None:
            continue
        try:
            facts += reader(path, load_yaml(found.text))
        except TreeError as error:
            facts.append(problem_of(path, error))
            statuses[-1] = ReadStatus.UNREADABLE
    if not statuses:
        facts.append(Problem(source.path, f"it holds none of {', '.join(_FILES)}"))
    yield from facts
    yield cursor_of(_overall(statuses), facts)


def _overall(statuses: list[ReadStatus]) -> ReadStatus:
    """One status for several files: theirs if they agree, `damaged` if only some could be read."""
    told = {status for status in statuses if status is not ReadStatus.EMPTY}
    if not statuses:
        return ReadStatus.UNREADABLE
    if not told:
        return ReadStatus.EMPTY
    return told.pop() if len(told) == 1 else ReadStatus.DAMAGED


# ---------------------------------------------------------------- config.yaml


def _config(path: str, loaded: Loaded) -> Iterator[Fact]:
    if loaded.value is None:
        return
    if not isinstance(loaded.value, dict):
        yield Problem(path, "it holds no mapping of parameters")
        return
    facts = list(params_of(path, loaded))
    written = {fact.key: fact.value for fact in facts if isinstance(fact, Param)}
    known: dict[str, JsonValue] = {}
    for fact in facts:
        yield replace(fact, value=_resolved(fact.value, written, known)) if isinstance(fact, Param) else fact


def _resolved(
    value: JsonValue, written: Mapping[str, JsonValue], known: dict[str, JsonValue], *, hops: int = MAX_HOPS
) -> JsonValue:
    """A value with each `${path}` replaced by what it names, as far as that is known.

    Args:
        value: as the file has it.
        written: every value of the file by its key.
        known: values that were resolved before; grows.
        hops: how many more interpolations may lead on; also what ends a circle.
    """
    if value == _MISSING:
        return None
    if not isinstance(value, str) or "${" not in value or hops == 0:
        return value

    def named(key: str) -> JsonValue:
        if key not in known:
            known[key] = _resolved(written[key], written, known, hops=hops - 1)
        return known[key]

    def text_of(found: re.Match[str]) -> str:
        return value_text(named(found[1]))[:MAX_TEXT] if found[1] in written else found[0]

    if (whole := _INTERPOLATION.fullmatch(value)) and whole[1] in written:
        return named(whole[1])
    resolved = _INTERPOLATION.sub(text_of, value, count=100)
    return resolved if resolved == value else resolved[:MAX_TEXT]


# ---------------------------------------------------------------- overrides.yaml


def _overrides(path: str, loaded: Loaded) -> Iterator[Fact]:
    if not isinstance(loaded.value, list):
        if loaded.value is not None:
            yield Problem(path, "it holds no list of overrides")
        return
    # Hydra writes one override a line.
    for line, entry in enumerate(loaded.value, 1):
        found = _OVERRIDE.match(entry) if isinstance(entry, str) else None
        if found is None:
            yield Problem(path, f"an entry is no override and was left out: {value_text(entry)[:80]}", f"line {line}")
            continue
        sign, key, text = found[1] or "", found[2].strip(), found[3]
        if sign == "~":
            yield Param(key, entry, None, Layer.OVERRIDE, line)
        else:
            yield Param(key, text or "", _override_value(text or ""), Layer.OVERRIDE, line)


def _override_value(text: str) -> JsonValue:
    """The value of an override: numbers, booleans, lists and mappings as in YAML, quotes taken off."""
    if text[:1] in {"[", "{", "'", '"'}:
        try:
            return load_yaml(text).value
        except TreeError:
            return text
    return text if text == "" else core_value(text)


# ---------------------------------------------------------------- hydra.yaml


def _job(path: str, loaded: Loaded) -> Iterator[Fact]:
    root = _inner(loaded.value, "hydra")
    job = _inner(root, "job")
    runtime = _inner(root, "runtime")
    choices = _inner(runtime, "choices")
    told: dict[str, JsonValue] = {f"hydra.job.{key}": job.get(key) for key in ("name", "num", "override_dirname")}
    told |= {"hydra.mode": root.get("mode"), "hydra.runtime.version": runtime.get("version")}
    told |= {f"hydra.runtime.choices.{key}": value for key, value in choices.items() if not key.startswith("hydra/")}
    for key, value in told.items():
        if value is None or value == _MISSING or isinstance(value, Mapping):
            continue
        text = loaded.raw.get(tuple(key.split(".", 3)))
        yield Param(key, text.text if text else value_text(value), value, Layer.DERIVED, text.line if text else None)
    for remark in loaded.remarks:
        yield Problem(path, remark.what, f"line {remark.line}")


def _inner(value: JsonValue, key: str) -> Mapping[str, JsonValue]:
    inner = value.get(key) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def write_example(folder: str) -> None:
    """Write a job of a small sweep."""
    os.makedirs(os.path.join(folder, _FOLDER))
    contents = (
        "model:\n  width: 64\nlearning_rate: 0.1\nrun_name: lr${learning_rate}\nseed: ${oc.env:SEED,3}\n",
        "- learning_rate=0.1\n- model=mlp\n",
        "hydra:\n  job:\n    name: app\n    num: 2\n  runtime:\n    version: 1.3.8\n    choices:\n      model: mlp\n",
    )
    for name, content in zip(_FILES, contents, strict=True):
        with open(os.path.join(folder, _FOLDER, name), "w", encoding="utf-8") as file:
            file.write(content)


ADAPTER = Adapter(
    name="hydra",
    claims=claims,
    read=read,
    example=write_example,
    version=2,
    formats="Jobs of Hydra 1.0 to 1.3: configuration, overrides, choices",
    files=(".hydra/{config,overrides,hydra}.yaml",),
)
