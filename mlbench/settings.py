"""What the user may set, in `settings.toml`: one line per setting, documented at its field.

The file lies in the user's configuration directory, or where MLBENCH_CONFIG says. It is read when it is there, and
written only when you set something: by `mlbench settings NAME VALUE`, or by `,` in the workbench, which change the one
line and leave your comments alone. A setting may also be given for one command in the environment: MLBENCH_ and its
name in capitals (MLBENCH_GLYPHS=ascii), which is stronger than the file. `mlbench settings` says which value comes from
where.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import field, fields
from itertools import pairwise
from typing import Any, TypeGuard

from mlbench.dataclass import dataclass
from mlbench.errors import UsageError

CONFIG_VARIABLE = "MLBENCH_CONFIG"
VARIABLE_PREFIX = "MLBENCH_"
DEFAULT = "default"
KEYS = "keys"
"""The setting that is a table: `keys.ACTION` names a line of it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. `settings.toml` names only those that differ."""

    smoothing: float = 0.6
    """Weight of the smoothed curve at the start: 0 (raw) up to, not including, 1, as in TensorBoard."""
    smoothing_levels: tuple[float, ...] = (0.0, 0.6, 0.9, 0.99)
    """The weights that `s` goes through; each 0 up to, not including, 1."""
    glyphs: str = "auto"
    """What charts are drawn with: auto, braille, blocks, ascii."""
    images: str = "cells"
    """What draws logged images: cells (any terminal), or its own graphics, if it has them: kitty, sixel."""
    theme: str = "auto"
    """Colours: auto, dark, light, or ansi-dark and ansi-light, which take the terminal's own."""
    mouse: bool = True
    """Whether the workbench listens to the mouse; false leaves it to the terminal for selecting text."""
    plain: bool = False
    """Text for screen readers: one pane, words for signs, charts as numbers, no colour, the terminal's cursor shown."""
    bell: tuple[str, ...] = ()
    """What the bell is rung for while trainings are followed: beats (the baseline), nan, stalls; of a scope, `B`."""
    clipboard: str = "auto"
    """Where a copied text goes: auto (the terminal, tmux's buffer, a file in doubt), osc52 (the terminal), file."""
    mapping: str = ""
    """A mapping file for logs of your own making, everywhere; `mlbench-mapping.yaml` beside logs needs no setting."""
    store: str = "duckdb"
    """Where the catalog lies: duckdb (a file in the home)."""
    executor: str = "local"
    """What reads logs: local (processes of this machine)."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Remapped keys, in the table [keys]: id of an action to its keys, separated by commas."""


BELL_RULES = ("beats", "nan", "stalls")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "glyphs": ("auto", "braille", "blocks", "ascii"),
    "images": ("cells", "kitty", "sixel"),
    "theme": ("auto", "dark", "light", "ansi-dark", "ansi-light"),
    "clipboard": ("auto", "osc52", "file"),
    "store": ("duckdb",),
    "executor": ("local",),
}
"""The words that a setting takes; one that is not named here takes what its type says."""


def meanings() -> dict[str, str]:
    """What each setting means, as it stands at its field; nothing where the source is not there."""
    import ast
    import inspect

    try:
        body = ast.parse(inspect.getsource(Settings)).body[0]
    except (OSError, SyntaxError):
        return {}
    found = {}
    for field_, text in pairwise(body.body if isinstance(body, ast.ClassDef) else ()):
        if isinstance(field_, ast.AnnAssign) and isinstance(field_.target, ast.Name) and isinstance(text, ast.Expr):
            found[field_.target.id] = str(ast.literal_eval(text.value))
    return found


def settings_path() -> str:
    """Where the settings are read from; the file need not exist."""
    if variable := os.environ.get(CONFIG_VARIABLE):
        return os.path.abspath(os.path.expanduser(variable))
    import platformdirs

    return os.path.join(platformdirs.user_config_dir("mlbench", appauthor=False), "settings.toml")


def read_settings(path: str | None = None) -> Settings:
    """The settings in force. A file that is not there means the defaults, unless MLBENCH_CONFIG or `path` names it.

    Raises:
        UsageError: the file cannot be read, or says something that is no setting; the message names the nearest one.
    """
    return read_origins(path)[0]


def read_origins(path: str | None = None) -> tuple[Settings, dict[str, str]]:
    """The settings in force, and where each comes from: `default`, the file's path or the variable's name."""
    is_named = path is not None or CONFIG_VARIABLE in os.environ
    path = path or settings_path()
    said = _said_by_file(path, is_named=is_named)
    origins = {each.name: path if each.name in said else DEFAULT for each in fields(Settings)}
    for name in origins:
        variable = VARIABLE_PREFIX + name.upper()
        if name != "keys" and variable in os.environ:
            said[name] = _value(name, _plain(os.environ[variable]), variable)
            origins[name] = variable
    return Settings(**said), origins


def _said_by_file(path: str, *, is_named: bool) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            text = file.read()
    except FileNotFoundError as error:
        if not is_named:
            return {}
        raise UsageError(f"{path}: there are no settings here. Try: unset {CONFIG_VARIABLE}") from error
    except OSError as error:
        raise UsageError(f"{path}: the settings cannot be read: {error.strerror}. Try: chmod u+r {path}") from error
    return _said(text, path)


def parse_settings(text: bytes, path: str) -> Settings:
    """The settings of a TOML text; `path` is for the messages. Raises UsageError as `read_settings` does."""
    return Settings(**_said(text, path))


def _said(text: bytes, path: str) -> dict[str, Any]:
    """The values that a TOML text gives, by their names."""
    import tomllib

    try:
        table = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}. Try a line like: smoothing = 0.6") from error
    names = [each.name for each in fields(Settings)]
    for name in table:
        if name not in names:
            raise UsageError(f"{path}: there is no setting '{name}'. {_nearest(name, names)}")
    return {name: _value(name, value, path) for name, value in table.items()}


def _plain(text: str) -> object:
    """A variable's value as TOML has it; a bare word is a text."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return text


def typed_value(name: str, typed: str) -> object:
    """The value of a setting as somebody typed it: as TOML has it, a bare word, or several with commas between.

    Raises:
        UsageError: there is no such setting, or it does not take this.
    """
    if check_name(name):
        return typed.strip()
    value = _plain(typed.strip())
    if name == "smoothing_levels" and not isinstance(value, list):
        value = _plain(f"[{typed}]")
    return _value(name, value, "settings")


def check_name(name: str) -> str:
    """The action of `keys.ACTION`, '' for any other setting.

    Raises:
        UsageError: there is no such setting, or it is the table of all keys.
    """
    table, _dot, action = name.partition(".")
    if table == KEYS and not action:
        raise UsageError(f"'{KEYS}' are set one action at a time. Try: {KEYS}.runs.compare, or any other {KEYS}.ACTION")
    names = [each.name for each in fields(Settings) if each.name != KEYS]
    if table != KEYS and name not in names:
        raise UsageError(f"there is no setting '{name}'. {_nearest(name, names)}")
    return action if table == KEYS else ""


def _value(name: str, value: object, path: str) -> object:
    """The value as its field has it, or UsageError."""
    if name in CHOICES:
        return _choice(name, value, path)
    match name, value:
        case "smoothing", float(weight) | int(weight) if _is_weight(value):
            return float(weight)
        case "smoothing_levels", [*levels] if levels and all(map(_is_weight, levels)):
            return tuple(float(level) for level in levels if _is_weight(level))
        case "bell", str() | [*_] if set(rules := _words_of(value)) <= set(BELL_RULES):
            return rules
        case "mapping", str():
            return value
        case "mouse" | "plain", bool():
            return value
        case "keys", dict(table) if all(isinstance(keys, str) for keys in _flatten(table).values()):
            return _flatten(table)
    raise UsageError(f"{path}: {name} = {value!r} will not do: it takes {_EXPECTED[name]}")


_EXPECTED: Mapping[str, str] = {
    "smoothing": "a number from 0 up to, not including, 1. Try: smoothing = 0.6",
    "smoothing_levels": "numbers from 0 up to, not including, 1. Try: smoothing_levels = [0, 0.6, 0.9, 0.99]",
    "bell": f'some of {", ".join(BELL_RULES)}. Try: bell = ["nan", "stalls"]',
    "mapping": 'the path of a file. Try: mapping = "~/mlbench-mapping.yaml"',
    "mouse": "true or false. Try: mouse = true",
    "plain": "true or false. Try: plain = true",
    "keys": 'a table of action ids and keys. Try: [keys] and below it: runs.compare = "d"',
}


def expectation(name: str) -> str:
    """What a setting takes, in a few words."""
    if name in CHOICES:
        return ", ".join(CHOICES[name])
    return _EXPECTED[name].partition(". Try")[0]


def _flatten(table: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """TOML reads `runs.compare` as a table in a table; ids have the dots back."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        flat |= _flatten(value, f"{above}{key}.") if isinstance(value, dict) else {above + key: value}
    return flat


def _choice(name: str, value: object, path: str) -> str:
    choices = CHOICES[name]
    if isinstance(value, str) and value in choices:
        return value
    raise UsageError(
        f"{path}: {name} = {value!r} will not do: it takes {', '.join(choices)}. {_nearest(value, choices)}"
    )


def _words_of(value: object) -> tuple[str, ...]:
    """The words of a list, or of a text with commas between them."""
    words = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(dict.fromkeys(str(word).strip() for word in words if str(word).strip()))


def _is_weight(value: object) -> TypeGuard[float]:
    return isinstance(value, float | int) and not isinstance(value, bool) and 0 <= value < 1


def _nearest(word: object, names: Collection[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(str(word), names, n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Try: {', '.join(names)}"
