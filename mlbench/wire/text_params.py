"""Parameters that trainers write as text summaries: CleanRL's Markdown table, Hugging Face's JSON, gin's bindings."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping

from mlbench.model import JsonValue, Layer, Param
from mlbench.wire.dump_gin import read_gin
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.flatten import flatten

MAX_TEXT_BYTES = 4 << 20
_MAX_LITERAL = 4096
"""Characters; below Python's limit of 4300 digits for one number."""
_MAX_NESTED_KEYS = 64
"""A larger mapping (the label names of a classifier) is one value, not a parameter for each key."""

PREFIXES = {
    "hyperparameters/text_summary": "",
    "args/text_summary": "",
    "model_config/text_summary": "model_config.",
    "gin/operative_config": "",
}
"""Tag to what its keys begin with. CleanRL writes the first, Hugging Face's Trainer the next two, gin the last."""
_GIN_TAG = "gin/operative_config"
_CODE = "    "
"""Markdown's mark of code, which gin's hook puts before each line that is no comment."""
_PLAIN_BINDING = re.compile(r"^[A-Za-z_][\w./]*[ \t]*=(?!=)", re.MULTILINE)

# What `str` makes of numbers: `007` and `1_000` are texts.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
_RULE = re.compile(r"\|[\s:|-]+")
_WORDS: Mapping[str, JsonValue] = {
    "True": True,
    "False": False,
    "None": None,
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
}


def params_in_text(tag: str, text: str) -> list[Param]:
    """Parameters of one text summary; none if the tag is not one of `PREFIXES` or the text is something else."""
    prefix = PREFIXES.get(tag)
    if prefix is None:
        return []
    if tag == _GIN_TAG:
        return _gin_params(text)
    if text.lstrip().startswith(("{", "[")):
        return _json_params(prefix, text)
    return _table_params(prefix, text)


def _json_params(prefix: str, text: str) -> list[Param]:
    try:
        content = _plain(json.loads(text))
        if not isinstance(content, Mapping):
            return []
        return [Param(name, _raw(value), value, Layer.CONFIG) for name, value in _flatten(prefix, content)]
    except (ValueError, RecursionError):
        return []


def _gin_params(text: str) -> list[Param]:
    """Bindings as the .gin file has them. In Markdown they are the indented lines; the rest is headings and remarks.

    Source: `GinConfigSaverHook._markdownify_operative_config_str` of gin-config 0.5.
    """
    if not _PLAIN_BINDING.search(text):
        text = "\n".join(line[len(_CODE) :] for line in text.splitlines() if line.startswith(_CODE))
    try:
        loaded = read_gin(text)
    except TreeError:
        return []
    if not isinstance(loaded.value, dict):
        return []
    leaves = flatten(loaded.value, raw=loaded.raw).leaves
    return [Param(leaf.key, leaf.raw, leaf.value, Layer.CONFIG) for leaf in leaves]


def _raw(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _flatten(prefix: str, content: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    for name, value in content.items():
        if isinstance(value, Mapping) and 0 < len(value) <= _MAX_NESTED_KEYS:
            yield from _flatten(f"{prefix}{name}.", value)
        else:
            yield prefix + name, value


def _table_params(prefix: str, text: str) -> list[Param]:
    """Rows of a table of two columns whose head is a row of names and a rule; a value may hold bars."""
    lines = [line.strip() for line in text.splitlines()]
    rows = [line for line in lines if line.startswith("|")]
    if len(rows) < 2 or not _RULE.fullmatch(rows[1]):
        return []
    params = []
    for row in rows[2:]:
        name, bar, raw = row[1:].removesuffix("|").partition("|")
        if bar and name.strip():
            raw = raw.strip()
            params.append(Param(prefix + name.strip(), raw, python_literal(raw), Layer.CONFIG))
    return params


def python_literal(raw: str) -> JsonValue:
    """What `str` was made from, as far as its text tells: a number, True, None, a list of such, else the text.

    Nothing is evaluated: `ast.literal_eval` builds constants only, and sees at most 4096 characters.
    """
    if raw in _WORDS:
        return _WORDS[raw]
    if len(raw) > _MAX_LITERAL:
        return raw
    if _NUMBER.fullmatch(raw):
        return float(raw) if set(raw) & set(".eE") else int(raw)
    if raw[:1] in ("[", "(", "{"):
        try:
            return _plain(ast.literal_eval(raw))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return raw
    return raw


def _plain(value: object) -> JsonValue:
    """Constants that JSON has too; tuples become lists.

    Raises:
        TypeError: bytes, a set, a complex number or the like.
    """
    if isinstance(value, str):
        # An escape may stand for half a character.
        return value.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {str(_plain(str(name))): _plain(part) for name, part in value.items()}
    raise TypeError(type(value).__name__)
