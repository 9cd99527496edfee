"""Facts as JSON: what a source says beside points and blobs is kept with it and never read again while unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from json.encoder import encode_basestring_ascii as _quoted
from math import isfinite
from operator import attrgetter
from typing import TypeAlias

from mlbench import model
from mlbench.wire import recurring
from mlbench.wire.recurring import float_texts

SmallFact: TypeAlias = (
    model.Param | model.RunField | model.ImportedTag | model.GitState | model.Environment | model.DataVersion
    | model.Artifact | model.LineageEdge | model.Validation | model.ModelVersion | model.Restart
    | model.SweepDescription | model.Problem
)  # fmt: skip
_KINDS: dict[str, type[SmallFact]] = {
    "param": model.Param, "field": model.RunField, "tag": model.ImportedTag, "git": model.GitState,
    "environment": model.Environment, "data": model.DataVersion, "artifact": model.Artifact,
    "edge": model.LineageEdge, "validation": model.Validation, "model": model.ModelVersion, "restart": model.Restart,
    "sweep": model.SweepDescription, "problem": model.Problem,
}  # fmt: skip
_NAMES = {kind: name for name, kind in _KINDS.items()}
SMALL_FACTS = tuple(_NAMES)
_LAYER_AT = [part.name for part in fields(model.Param)].index("layer")


def _getter(kind: type[SmallFact]) -> Callable[[SmallFact], tuple[object, ...]]:
    """A fact's fields as a tuple: `dataclasses.astuple` copies every value, which took longer than reading it."""
    names = [part.name for part in fields(kind)]
    if not names:
        return lambda _fact: ()
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda fact: (get(fact),)


_ENCODER = json.JSONEncoder(separators=(",", ":"))
_WORDS = {None: "null", True: "true", False: "false"}
_LAYERS = {layer: f'"{layer.value}"' for layer in model.Layer}
_GETTERS = {kind: _getter(kind) for kind in SMALL_FACTS}


def to_json(facts: Iterable[SmallFact]) -> str:
    """One JSON text for a source's small facts, in their order: of each its kind and its fields in their order."""
    find = recurring.find
    texts = []
    for fact in facts:
        if (known := find(id(fact))) is not None:
            known.text = known.text or _param_text(known.fact)
            texts.append(known.text)
        elif type(fact) is model.Param:
            texts.append(_param_text(fact))
        else:
            texts.append(_ENCODER.encode((_NAMES[kind := type(fact)], *_GETTERS[kind](fact))))
    return f"[{','.join(texts)}]"


def _param_text(fact: model.Param) -> str:
    """As the encoder writes it, in a third of the time: it is called for each, and walks what is known beforehand."""
    value, line = fact.value, fact.line
    if type(value) is str:
        text = _quoted(value)
    elif type(value) is float and isfinite(value):
        text = float_texts[value]
    elif type(value) is int:
        text = repr(value)
    else:
        text = _WORDS[value] if value is None or type(value) is bool else _ENCODER.encode(value)
    place = line if type(line) is int else "null" if line is None else _ENCODER.encode(line)
    return f'["param",{_quoted(fact.key)},{_quoted(fact.raw)},{text},{_LAYERS[fact.layer]},{place}]'


def from_json(text: str | None) -> list[SmallFact]:
    """The facts that `to_json` wrote."""
    return [_make(name, values) for name, *values in json.loads(text or "[]")]


def _make(name: str, values: list[object]) -> SmallFact:
    if name == "param":
        values[_LAYER_AT] = model.Layer(str(values[_LAYER_AT]))
    if name == "model":
        values = [tuple(value) if isinstance(value, list) else value for value in values]
    return _KINDS[name](*values)  # type: ignore[arg-type]
