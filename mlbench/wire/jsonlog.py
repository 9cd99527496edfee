"""JSON that training programs write: one object in a file, or one a line, with `NaN`, `Infinity` and odd text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue, Layer, Param, Problem, ReadStatus
from mlbench.wire.content import Content, load_content
from mlbench.wire.flatten import flatten

MAX_JSON_BYTES = 64 << 20
"""64 MiB: a trainer_state.json of a million steps has 60 MB."""
MAX_LINE_BYTES = 4 << 20
MAX_DEPTH = 64
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_NUMBER_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class JsonError(ValueError):
    """The text is no JSON, nests too deeply or holds a number that is too long."""


@dataclass(frozen=True, slots=True)
class JsonFile:
    """What a JSON file holds, or why it could not be read."""

    value: JsonValue
    """None where it could not be read."""
    status: ReadStatus
    problem: Problem | None = None


def load_json(text: str | bytes) -> JsonValue:
    """Parse JSON; `NaN` and `Infinity` are numbers, bytes that are not UTF-8 and half surrogate pairs become U+FFFD.

    Raises:
        JsonError: it cannot be parsed.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", "replace")
    try:
        value: JsonValue = json.loads(text)
    except RecursionError:
        raise JsonError("it nests too deeply") from None
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg.lower()} in line {error.lineno}") from None
    except ValueError:
        raise JsonError("it holds a number that is too long") from None
    return _clean(value, 0) if _ESCAPED_SURROGATE.search(text) else _shallow(value)


def _shallow(value: JsonValue) -> JsonValue:
    """The value, if it nests no deeper than the recursive functions that follow can bear."""
    stack = [(value, 0)]
    while stack:
        part, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise JsonError(f"it nests deeper than {MAX_DEPTH} levels")
        if isinstance(part, dict):
            stack.extend((child, depth + 1) for child in part.values() if isinstance(child, dict | list))
        elif isinstance(part, list):
            stack.extend((child, depth + 1) for child in part if isinstance(child, dict | list))
    return value


def _clean(value: JsonValue, depth: int) -> JsonValue:
    if depth > MAX_DEPTH:
        raise JsonError(f"it nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {str(_clean(key, depth)): _clean(child, depth + 1) for key, child in value.items()}
    if isinstance(value, list):
        return [_clean(child, depth + 1) for child in value]
    return value


def load_json_file(path: str, *, limit_bytes: int = MAX_JSON_BYTES) -> JsonFile:
    """A whole JSON file; an empty one gives status `empty` and no Problem."""
    return json_of(path, load_content(path, limit_bytes=limit_bytes))


def json_of(path: str, content: Content) -> JsonFile:
    """The JSON in a file's content."""
    if content.status is not ReadStatus.EOF:
        return JsonFile(None, content.status, content.problem)
    try:
        return JsonFile(load_json(content.data), ReadStatus.EOF)
    except JsonError as error:
        hint = "if it is being written, it will be read again"
        return JsonFile(None, ReadStatus.DAMAGED, Problem(path, f"this is not JSON: {error}", hint=hint))


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One line of a JSON-lines file."""

    number: int
    """1-based."""
    value: JsonValue
    error: str = ""
    """Why the line could not be read, '' if it could."""
    is_cut: bool = False
    """The last line, not ended and not complete: the file is being written."""


def json_lines(file: BinaryIO, *, limit_bytes: int = MAX_JSON_BYTES) -> Iterator[JsonLine]:
    """The lines of a JSON-lines file that are not blank; reading stops behind `limit_bytes` with an error line."""
    n_bytes = 0
    number = 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        n_bytes += len(line)
        if n_bytes > limit_bytes:
            yield JsonLine(number, None, f"the file is larger than {limit_bytes >> 20} MiB; the rest was left out")
            return
        if line.isspace():
            continue
        try:
            yield JsonLine(number, load_json(line))
        except JsonError as error:
            is_cut = not line.endswith(b"\n") and len(line) < MAX_LINE_BYTES
            yield JsonLine(number, None, "" if is_cut else str(error), is_cut)


def as_mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: JsonValue) -> list[JsonValue]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: JsonValue) -> str:
    """The value if it is text, '' else."""
    return value if isinstance(value, str) else ""


def as_number(value: JsonValue) -> float | None:
    """A number, truth value or one of the words `NaN`, `Infinity`, `-Infinity` as float; None for all else."""
    if isinstance(value, float):
        return value
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return _NUMBER_WORDS.get(value) if isinstance(value, str) else None


def numbers_in(value: Mapping[str, JsonValue], *, joint: str = ".") -> Iterator[tuple[str, float]]:
    """Every number below a mapping with its keys joined, in the order of the file; a list of one counts as its part."""
    stack = list(value.items())[::-1]
    while stack:
        key, part = stack.pop()
        if isinstance(part, Mapping):
            stack.extend((f"{key}{joint}{name}", child) for name, child in list(part.items())[::-1])
            continue
        if isinstance(part, list) and len(part) == 1:
            part = part[0]
        if (number := as_number(part)) is not None:
            yield key, number


def params_in(value: Mapping[str, JsonValue], layer: Layer) -> list[Param]:
    """A nested mapping as parameters with dotted keys."""
    return [Param(leaf.key, leaf.raw, leaf.value, layer, leaf.line) for leaf in flatten(value).leaves]


def utc_seconds(text: JsonValue) -> float | None:
    """An ISO 8601 time as Unix seconds; one without a zone is UTC. None if it is none."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
