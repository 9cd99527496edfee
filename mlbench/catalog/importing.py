"""Importing DuckDB without what it imports only to know its own version.

`duckdb` asks `importlib.metadata` for that, which loads the e-mail package and thirty other modules: a third of what
importing it takes, at each start of mlbench. The name of a folder beside it says the same.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec, module_from_spec
from threading import RLock
from types import ModuleType
from typing import Any

_METADATA = "importlib.metadata"
_NAME = "duckdb"


class _Lean(ModuleType):
    """`importlib.metadata`, loaded when it is asked for anything else than this version."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a module has
        _load(self)
        try:
            return self.__dict__[name]
        except KeyError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None


_loading = RLock()
_begun: list[ModuleType] = []


def _load(module: ModuleType) -> None:
    """Run the module's own code in it, once; whoever asks meanwhile waits, but for that code itself."""
    with _loading:
        if not _begun and module.__spec__ is not None and module.__spec__.loader is not None:
            _begun.append(module)
            module.__spec__.loader.exec_module(module)


def import_duckdb() -> None:
    """Import DuckDB; whoever imports `importlib.metadata` after it gets all of it."""
    if _NAME not in sys.modules and _METADATA not in sys.modules and (version := _version_by_folder()):
        spec = find_spec(_METADATA)
        if spec is not None:
            module = module_from_spec(spec)
            module.__class__ = _Lean

            def version_of(name: str) -> Any:  # noqa: ANN401 - as theirs
                if name == _NAME:
                    return version
                _load(module)
                return module.__dict__["version"](name)

            module.__dict__["version"] = version_of
            sys.modules[_METADATA] = module
            sys.modules["importlib"].metadata = module  # type: ignore[attr-defined]
    import duckdb  # noqa: F401


def _version_by_folder() -> str:
    """What the folder beside DuckDB says that pip has written, '' where there is none."""
    spec = find_spec(_NAME)
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        try:
            names = os.listdir(os.path.dirname(place))
        except OSError:
            continue
        found = [name for name in names if name.startswith(f"{_NAME}-") and name.endswith(".dist-info")]
        if len(found) == 1:
            return found[0].removeprefix(f"{_NAME}-").removesuffix(".dist-info")
    return ""
