"""A plugin of pytest that takes note of which values of expected.json the tests look at.

    python -m pytest -p tests.contract.watching --watched FILE TESTS

FILE gets, as JSON, the path of each value that no test has taken or compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MARKS = ("argparse", "tfevents", "wandb")
"""Keys by which the file is known when it is loaded."""
ABOUT = frozenset({"written_by", "verified_with", "note", "unpack", "twin", "diff_out_0_1_vs_out_0_01"})
"""Said to people."""

_all: set[str] = set()
_seen: set[str] = set()


def _watched(value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return Watched({key: _watched(part, f"{path}|{key}") for key, part in value.items()}, path)
    if isinstance(value, list):
        return WatchedList([_watched(part, f"{path}|{at}") for at, part in enumerate(value)], path)
    _all.add(path)
    return value


def _mark(value: Any, path: str) -> Any:
    """Note that a value was handed out; of a dict or list only its own parts are."""
    if not isinstance(value, Watched | WatchedList):
        _seen.add(path)
    return value


def _mark_all(value: Any, path: str) -> None:
    _seen.update(one for one in _all if one == path or one.startswith(f"{path}|"))


class Watched(dict[str, Any]):
    def __init__(self, content: dict[str, Any], path: str) -> None:
        super().__init__(content)
        self.path = path

    __hash__ = None

    def __getitem__(self, key: str) -> Any:
        return _mark(super().__getitem__(key), f"{self.path}|{key}")

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 - this is `get`

    def pop(self, key: str, *default: Any) -> Any:
        value = super().pop(key, *default)
        return _mark(value, f"{self.path}|{key}")

    def items(self) -> Any:
        self.values()
        return super().items()

    def values(self) -> Any:
        return [self[key] for key in self]

    def __eq__(self, other: object) -> bool:
        _mark_all(self, self.path)
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


class WatchedList(list[Any]):
    def __init__(self, content: list[Any], path: str) -> None:
        super().__init__(content)
        self.path = path

    __hash__ = None

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            _mark_all(self, self.path)
            return super().__getitem__(at)
        return _mark(super().__getitem__(at), f"{self.path}|{at}")

    def __iter__(self) -> Iterator[Any]:
        return (_mark(part, f"{self.path}|{at}") for at, part in enumerate(super().__iter__()))

    def __eq__(self, other: object) -> bool:
        _mark_all(self, self.path)
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def _is_expected(value: object) -> bool:
    return isinstance(value, dict) and all(mark in value for mark in MARKS)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--watched", help="where to write what was not looked at")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--watched"):
        return
    loads = json.loads

    def watching_loads(*given: Any, **options: Any) -> Any:
        value = loads(*given, **options)
        return Watched({key: _watched(part, key) for key, part in value.items()}, "") if _is_expected(value) else value

    json.loads = watching_loads
    json.load = lambda file, **options: watching_loads(file.read(), **options)


def pytest_unconfigure(config: pytest.Config) -> None:
    path = config.getoption("--watched")
    if path:
        left = sorted(one for one in _all - _seen if not ABOUT & set(one.split("|")))
        Path(path).write_text(json.dumps(left), encoding="utf-8")
