"""Changing one setting in `settings.toml`: its own line alone; comments, order and everything else stay as they are."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlbench.dataclass import dataclass
from mlbench.errors import UsageError
from mlbench.settings import KEYS, Settings, check_name, parse_settings, settings_path, typed_value

_PRIVATE_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Statement:
    """One assignment of a TOML text."""

    first: int
    last: int
    """Numbers of its first and last line."""
    path: tuple[str, ...]
    """Its key with the tables that it stands in: `keys`, `runs`, `compare`."""


def write_setting(name: str, typed: str | None, path: str | None = None) -> Settings:
    """Set one setting in the user's file, which is made where there is none; a reader sees the old file or the new one.

    Args:
        name: of a setting, or `keys.ACTION` for the keys of an action.
        typed: the value as TOML has it, or as people type it: `ascii`, `0, 0.9`; None takes it out of the file.
        path: of the file; by default the user's own.

    Returns:
        The settings of the file as it is now, without what the environment says.

    Raises:
        UsageError: no such setting, a value that will not do, or a file that cannot be read, changed or written.
    """
    path = path or settings_path()
    check_name(name)
    value = None if typed is None else typed_value(name, typed)
    target = os.path.realpath(path)  # people keep their settings elsewhere and link to them
    old = _text_of(target, path)
    before = parse_settings(old.encode(), path)
    new = text_with(old, name, None if value is None else toml_text(value))
    expected = _expected(before, name, value)
    if not _gives(new, expected, path):
        raise UsageError(f"{path}: '{name}' cannot be changed there without changing more. Edit the file yourself")
    if new != old:
        _replace(target, new, path)
    return expected


def _gives(text: str, expected: Settings, path: str) -> bool:
    """Whether a text says these settings: nothing is written that would be read as anything else."""
    try:
        return parse_settings(text.encode(), path) == expected
    except UsageError:
        return False


def _expected(before: Settings, name: str, value: object) -> Settings:
    from dataclasses import replace

    table, _dot, action = name.partition(".")
    if table == KEYS and action:
        keys = {one: said for one, said in before.keys.items() if one != action}
        return replace(before, keys=keys if value is None else {**keys, action: str(value)})
    changes: dict[str, Any] = {name: getattr(Settings(), name) if value is None else value}
    return replace(before, **changes)


# ---------------------------------------------------------------- the text


def text_with(text: str, name: str, value: str | None) -> str:
    """The TOML text with a setting in it, in place of the one that was there; without it for None.

    Args:
        text: valid TOML.
        name: of the setting; with dots for what stands in a table.
        value: as TOML has it.
    """
    lines = text.splitlines(keepends=True)
    path = (name,) if not name.startswith(f"{KEYS}.") else (KEYS, name.removeprefix(f"{KEYS}."))
    statements = list(_statements(lines))
    found = [one for one in statements if _is_same(one.path, path)]
    for one in reversed(found):
        indent, comment = _indent_of(lines[one.first]), _comment_of(lines[one.first : one.last + 1])
        key = lines[one.first].partition("=")[0].strip()
        kept = [] if value is None else [f"{indent}{key} = {value}{comment}{_end_of(lines[one.last])}"]
        lines[one.first : one.last + 1] = kept
    if not found and value is not None:
        _insert(lines, statements, path, value)
    return "".join(lines)


def _insert(lines: list[str], statements: Sequence[Statement], path: tuple[str, ...], value: str) -> None:
    """Behind the last assignment of its table; the table is made where there is none."""
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    if len(path) == 1:
        own = [one.last for one in statements if one.first < _first_table(lines)]
        place = max(own) + 1 if own else _after_head(lines)
        lines.insert(place, f"{path[0]} = {value}\n")
        return
    header = next((n for n, line in enumerate(lines) if _table_of(line) == (KEYS,)), None)
    if header is None:
        lines += [*(["\n"] if lines else []), f"[{KEYS}]\n"]
        header = len(lines) - 1
    end = next((n for n in range(header + 1, len(lines)) if _table_of(lines[n]) is not None), len(lines))
    own = [one.last for one in statements if header < one.first < end]
    lines.insert((max(own) if own else header) + 1, f"{path[1]} = {value}\n")


def _first_table(lines: Sequence[str]) -> int:
    return next((number for number, line in enumerate(lines) if _table_of(line) is not None), len(lines))


def _after_head(lines: Sequence[str]) -> int:
    """Behind the comments that the file begins with, before the first table."""
    first = _first_table(lines)
    comments = [number for number, line in enumerate(lines[:first]) if line.lstrip().startswith("#")]
    return min(first, comments[-1] + 1) if comments else 0


def _statements(lines: Sequence[str]) -> Iterator[Statement]:
    """The assignments of a valid text, in order; one may go over several lines."""
    table: tuple[str, ...] = ()
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        header = _table_of(lines[number])
        if header is not None:
            table = header
        elif line and not line.startswith("#"):
            last = number
            while (parsed := _parsed("".join(lines[number : last + 1]))) is None and last + 1 < len(lines):
                last += 1
            if parsed:
                yield Statement(number, last, (*table, *_path_of(parsed)))
            number = last
        number += 1


def _path_of(parsed: Mapping[str, Any]) -> tuple[str, ...]:
    """Of `a.b = 1`: a, b. The value may be a table only where it is written as one."""
    path: list[str] = []
    value: Any = parsed
    while isinstance(value, dict) and len(value) == 1:
        key = next(iter(value))
        path.append(key)
        value = value[key]
    return tuple(path)


def _is_same(found: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return ".".join(found) == ".".join(wanted)


def _table_of(line: str) -> tuple[str, ...] | None:
    """The table that a line begins, None where it begins none."""
    if not line.lstrip().startswith("["):
        return None
    parsed = _parsed(line)
    return None if parsed is None else _path_of(parsed)


def _comment_of(lines: Sequence[str]) -> str:
    """What stands behind the value on its line, with the blanks before it; '' where it goes over several lines."""
    if len(lines) > 1:
        return ""
    line = lines[0].rstrip()
    value = _parsed(line)
    for place, char in enumerate(line):
        if char == "#" and _parsed(line[:place]) == value:
            bare = line[:place].rstrip()
            return line[len(bare) :]
    return ""


def _indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _end_of(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _parsed(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError:
        return None


def toml_text(value: object) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        import json

        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml_text, value))}]"
    return repr(value)


# ---------------------------------------------------------------- the file


def _text_of(target: str, path: str) -> str:
    try:
        with open(target, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: the settings cannot be read: {error}. Edit the file yourself") from error


def _replace(target: str, text: str, path: str) -> None:
    folder = os.path.dirname(target)
    temporary = os.path.join(folder, f".settings-{secrets.token_hex(8)}.tmp")
    try:
        os.makedirs(folder, mode=_PRIVATE_FOLDER, exist_ok=True)
        if os.path.exists(target) and not os.path.isfile(target):
            raise UsageError(f"{path}: is no file. Try: unset MLBENCH_CONFIG")
        mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else 0o600
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
            out.write(text.encode())
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror or error}. Check the folder and the room on the disk"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
