"""One file, one adapter: modules here are found by listing the package; nothing is registered."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from mlbench.model import Adapter, Problem

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
