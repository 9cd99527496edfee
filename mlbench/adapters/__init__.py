"""One file, one adapter: modules here are found by listing the package; nothing is registered."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterable
from functools import cache
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from mlbench.model import Adapter, Problem

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENTRY_POINT_GROUP = "mlbench.adapters"


@cache
def load_adapters() -> tuple[Adapter, ...]:
    """Every built-in adapter, by name, then those that other packages offer."""
    return tuple(sorted(_built_in(), key=lambda adapter: adapter.name)) + third_party()[0]


def _built_in() -> list[Adapter]:
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}").ADAPTER for name in names]


@cache
def third_party() -> tuple[tuple[Adapter, ...], tuple[Problem, ...]]:
    """Adapters of other packages, and a Problem for each that cannot be loaded."""
    adapters: list[Adapter] = []
    problems: list[Problem] = []
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            loaded = point.load()
        except Exception as error:  # noqa: BLE001 - foreign code may raise anything; mlbench must still start
            problems.append(Problem(point.value, f"the adapter {point.name!r} could not be loaded: {error}"))
            continue
        if isinstance(loaded, Adapter):
            adapters.append(loaded)
        else:
            problems.append(Problem(point.value, f"{point.name!r} is not an mlbench.model.Adapter"))
    return tuple(adapters), tuple(problems)


def entry_points(group: str) -> Iterable[EntryPoint]:
    """What packages offer under a name, as `importlib.metadata` finds it: asked only where one of them has the name.

    It takes 25 ms, most of them for what it imports; to look for the name in the packages' own files takes 3.
    """
    if not _may_be_offered(group.encode()):
        return ()
    from importlib.metadata import entry_points as find

    return find(group=group)


def _may_be_offered(group: bytes) -> bool:
    """Whether a package may offer something under a name; also where only asking tells, since it lies in no folder."""
    if any(hasattr(finder, "find_distributions") for finder in sys.meta_path if finder is not PathFinder):
        return True
    for folder in dict.fromkeys(sys.path):
        try:
            names = os.listdir(folder or os.curdir)
        except NotADirectoryError:  # a zip
            return True
        except OSError:
            continue
        told = [name for name in names if name.lower().endswith((".dist-info", ".egg-info"))]
        paths = [os.path.join(folder, name, "entry_points.txt") for name in told]
        if folder.rstrip(os.sep).endswith(".egg") or any(group in _content(path) for path in paths):
            return True
    return False


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""
