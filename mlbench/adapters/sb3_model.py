"""Stable-Baselines3 models: `<name>.zip`, SB3 1 and 2. Only what is plain JSON in it is read.

The member `data` holds the algorithm's attributes. Those that are plain JSON (numbers, words, lists of them) are
parameters of the default layer, since they say what the algorithm was made with, whoever chose it; what is pickled
(`:serialized:`) is never looked at, nor are weights. `system_info.txt` gives versions. Of several models in one folder
one is read: the final one where there is one, else the last by name; checkpoints and `best_model.zip` come last.
Link: https://stable-baselines3.readthedocs.io/en/master/guide/save_format.html
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Environment,
    Fact,
    JsonValue,
    Layer,
    Listing,
    Problem,
    ReadStatus,
    Role,
    Source,
)
from mlbench.wire.content import sniff
from mlbench.wire.jsonlog import as_mapping, json_of, params_in
from mlbench.wire.zipped import first_member, load_member

_CHECKPOINT = re.compile(r"rl_model_\d+_steps|.*_\d+_steps|best_model")
_INFO = re.compile(r"- ([\w. /-]+): (.+)")
_VERSIONS = {
    "Python": "python", "Stable-Baselines3": "package:stable-baselines3", "PyTorch": "package:torch",
    "Numpy": "package:numpy", "Gymnasium": "package:gymnasium", "OpenAI Gym": "package:gym", "OS": "os",
}  # fmt: skip


def claims(listing: Listing) -> Iterator[Claim]:
    models = [name for name in listing.ending("zip") if _is_model(os.path.join(listing.path, name))]
    if models:
        chosen = max(models, key=lambda name: (not _CHECKPOINT.fullmatch(name[:-4]), name))
        yield Claim(os.path.join(listing.path, chosen), Role.CONTEXT, listing.path)


def _is_model(path: str) -> bool:
    return first_member(sniff(path, 128) or b"") == "data"


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    content = load_member(source.path, "data")
    file = json_of(source.path, content)
    if file.problem:
        yield file.problem
    elif not isinstance(file.value, Mapping):
        yield Problem(source.path, "this is no model of Stable-Baselines3: it has no 'data'")
    plain = {key: value for key, value in as_mapping(file.value).items() if _is_wanted(key) and _is_plain(value)}
    params = params_in(plain, Layer.DEFAULT)
    yield from params
    info = load_member(source.path, "system_info.txt", limit_bytes=65_536)
    yield from _versions(info.data.decode("utf-8", "replace"))
    is_none = file.status is ReadStatus.EOF and not isinstance(file.value, Mapping)
    yield Cursor({}, ReadStatus.DAMAGED if is_none else file.status, len(params))


def _is_wanted(key: str) -> bool:
    """The time of the start differs between any two runs and is no parameter; underscores are the object's own."""
    return key != "start_time" and not key.startswith("_")


def _is_plain(value: JsonValue) -> bool:
    if isinstance(value, list):
        return all(_is_plain(part) for part in value)
    return not isinstance(value, Mapping)


def _versions(text: str) -> Iterator[Environment]:
    for line in text.splitlines():
        found = _INFO.fullmatch(line.strip())
        if found and (key := _VERSIONS.get(found[1])):
            yield Environment(key, found[2].strip())


def example(folder: str) -> None:
    """A model without weights."""
    data = {"policy_class": {":type:": "<class 'abc.ABCMeta'>", ":serialized:": "gAWVOw=="}, "verbose": 0,
            "num_timesteps": 1024, "seed": 0, "learning_rate": 0.001, "gamma": 0.99, "_n_updates": 80}  # fmt: skip
    with zipfile.ZipFile(os.path.join(folder, "ppo.zip"), "w") as made:
        for name, text in (("data", json.dumps(data)), ("_stable_baselines3_version", "2.9.2"),
                           ("system_info.txt", "- OS: Linux-6.1\n- Python: 3.11.7\n- PyTorch: 2.13.0\n")):  # fmt: skip
            made.writestr(zipfile.ZipInfo(name), text)


ADAPTER = Adapter(
    name="sb3-model",
    claims=claims,
    read=read,
    example=example,
    formats="Stable-Baselines3 models: what is plain JSON in them",
    files=("*.zip",),
)
