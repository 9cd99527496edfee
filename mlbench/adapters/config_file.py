"""Configuration files that a training leaves beside its results.

Files: `config.{yaml,yml,json,toml,ini,cfg}` (the last is spaCy's), `configuration.{yaml,yml,json}` (Unity ML-Agents),
`hparams.{yaml,yml,json,toml}` (Lightning 0.x to 2.x, https://lightning.ai/docs/pytorch/stable/extensions/logging.html).
Beside a `result.json`, also `params.json` (Ray Tune).
YAML is read by the core schema of version 1.2, tags of Python programs as the plain values below them.

A `config.*` has a name that anything may have: it is a weak claim, none beside source code, and only context where
it describes a Hugging Face model. `config.yaml` in the `files` folder of a W&B run is W&B's own, `config.json` beside
`run.json` is Sacred's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from mlbench.model import Adapter, Claim, Fact, JsonValue, Listing, ReadStatus, Role, Source
from mlbench.wire.dump_facts import cursor_of, params_of, problem_of, read_dump_text
from mlbench.wire.dump_forms import read_by_form
from mlbench.wire.dump_names import CODE_ENDINGS, is_config_name, run_folder_of, shape_suffix
from mlbench.wire.dump_tree import Loaded, TreeError
from mlbench.wire.dumps import parse_dump
from mlbench.wire.files import read_head

_MODEL_MARKS = (b'"transformers_version"', b'"architectures"', b'"_diffusers_version"')


def claims(listing: Listing) -> Iterator[Claim]:
    """Claim configuration files by name."""
    if listing.has("params.json") and listing.has("result.json"):
        yield Claim(os.path.join(listing.path, "params.json"), Role.DUMP, listing.path)
    names = [name for name in listing.ending("yaml", "yml", "json", "toml", "ini", "cfg") if is_config_name(name)]
    if not names or os.path.basename(listing.path) == ".hydra" or _is_of_wandb(listing.path):
        return
    has_code = bool(listing.ending(*CODE_ENDINGS))
    for name in names:
        is_weak = not name.startswith("hparams.")
        if (is_weak and has_code) or (name == "config.json" and listing.has("run.json")):
            continue
        path = os.path.join(listing.path, name)
        role = Role.CONTEXT if name == "config.json" and _describes_model(path) else Role.DUMP
        yield Claim(path, role, run_folder_of(listing.path, listing.files), is_weak=is_weak)


def _is_of_wandb(folder: str) -> bool:
    above, name = os.path.split(folder)
    return name == "files" and os.path.basename(above).startswith(("run-", "offline-run-"))


def _describes_model(path: str) -> bool:
    head = read_head(path, 64 << 10)
    return any(mark in head for mark in _MODEL_MARKS)


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """Yield the parameters of the file."""
    del cursor  # A dump is read whole.
    found = read_dump_text(source.path)
    facts: list[Fact] = list(found.problems)
    status = found.status
    if found.text is not None:
        try:
            facts += _params(source.path, found.text)
        except TreeError as error:
            facts.append(problem_of(source.path, error))
            status = ReadStatus.UNREADABLE
    yield from facts
    yield cursor_of(status, facts)


def _params(path: str, text: str) -> Iterable[Fact]:
    suffix = shape_suffix(path)
    params = read_by_form(text, suffix)
    return params_of(path, _without_wandb(parse_dump(text, suffix=suffix).values)) if params is None else params


def _without_wandb(loaded: Loaded) -> Loaded:
    """A W&B `config.yaml` that was copied elsewhere: `key: {desc:, value:}` is the key and its value."""
    root = loaded.value
    if not isinstance(root, Mapping) or "wandb_version" not in root:
        return loaded
    value = {
        key: entry["value"]
        for key, entry in root.items()
        if isinstance(entry, Mapping) and "value" in entry and key != "_wandb"
    }
    raw = {(path[0], *path[2:]): text for path, text in loaded.raw.items() if path[1:2] == ("value",)}
    return replace(loaded, value=value, raw=raw)


def write_example(folder: str) -> None:
    """Write what Lightning writes for a model with a tuple and a path among its hyper-parameters."""
    with open(os.path.join(folder, "hparams.yaml"), "w", encoding="utf-8") as file:
        file.write(
            "betas: !!python/tuple\n- 0.9\n- 0.999\nlearning_rate: 1e-3\noptim:\n  name: adam\n"
            "path: !!python/object/apply:pathlib.PosixPath\n- /\n- data\nseed: 1\n"
        )


ADAPTER = Adapter(
    name="config",
    claims=claims,
    read=read,
    example=write_example,
    version=2,
    formats="Configuration files: YAML, JSON, TOML and INI, with Lightning's Python tags",
    files=(
        "config.{yaml,yml,json,toml,ini,cfg}",
        "configuration.{yaml,yml,json}",
        "hparams.{yaml,yml,json,toml}",
        "params.json",
    ),
)
