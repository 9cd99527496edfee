"""Facts as JSON: what a source says beside points and blobs is kept with it and never read again while unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TypeAlias

from mlbench import model

SmallFact: TypeAlias = (
    model.Param | model.RunField | model.ImportedTag | model.GitState | model.Environment | model.DataVersion
    | model.Restart | model.SweepDescription | model.Problem
)  # fmt: skip
_KINDS: dict[str, type[SmallFact]] = {
    "param": model.Param, "field": model.RunField, "tag": model.ImportedTag, "git": model.GitState,
    "environment": model.Environment, "data": model.DataVersion, "restart": model.Restart,
    "sweep": model.SweepDescription, "problem": model.Problem,
}  # fmt: skip
_NAMES = {kind: name for name, kind in _KINDS.items()}
SMALL_FACTS = tuple(_NAMES)


def to_json(facts: Iterable[SmallFact]) -> str:
    """One JSON text for a source's small facts, in their order."""
    return json.dumps([[_NAMES[type(fact)], asdict(fact)] for fact in facts], separators=(",", ":"))


def from_json(text: str | None) -> list[SmallFact]:
    """The facts that `to_json` wrote."""
    return [_make(name, values) for name, values in json.loads(text or "[]")]


def _make(name: str, values: dict[str, object]) -> SmallFact:
    if name == "param":
        values["layer"] = model.Layer(str(values["layer"]))
    return _KINDS[name](**values)  # type: ignore[arg-type]
