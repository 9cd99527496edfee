"""What lies in the folder of a model that MLflow 3 logged: the packages and the Python it was made with, and its size.

Such a model lies beside the runs, `<artifacts of the experiment>/models/m-<id>/artifacts/`, with an `MLmodel` and, for
most flavors, a `requirements.txt`. The store remembers where by an address of the machine that logged it, so the
folder is looked for by the end of that address below the store's own folder, and nowhere else.
Link: https://mlflow.org/docs/latest/ml/model/#storage-format
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from urllib.parse import unquote

from mlbench.model import Environment, Fact, JsonValue
from mlbench.wire.content import load_content
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.jsonlog import as_mapping, as_text
from mlbench.wire.packages import MAX_PACKAGES, packages_in_text
from mlbench.wire.yamltext import load_yaml

_MOST_PARTS = 12
"""Folders at the end of an address that are tried."""
_SCHEME = re.compile(r"[A-Za-z][\w+.-]*:(?://[^/]*)?")
_PYTHON = re.compile(r"\d++\.\d++(?:\.\d++)?\w*")
_MAX_BYTES = 1 << 20
Description = Mapping[str, JsonValue]


def folder_of_model(stores: Sequence[str], location: str) -> str | None:
    """The folder of a model in or beside the store's files.

    Args:
        stores: folders below which it may lie, the likeliest first.
        location: its `artifact_location`: a path, a `file:` address, or an address of a server.

    Returns:
        None where no such folder lies there, or a link leads out.
    """
    scheme = _SCHEME.match(location)
    path = unquote(location[scheme.end() :]) if scheme else location
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in path or "models" not in parts:
        return None
    last = len(parts) - parts[::-1].index("models") - 1
    firsts = range(max(0, len(parts) - _MOST_PARTS), last + 1)
    for top, first in product(map(os.path.realpath, stores), firsts):
        found = os.path.realpath(os.path.join(top, *parts[first:]))
        if found.startswith(top + os.sep) and os.path.isfile(os.path.join(found, "MLmodel")):
            return found
    return None


def description_of_model(folder: str) -> Description:
    """What `MLmodel` says; nothing where it cannot be read, since the record of the run does not depend on it."""
    content = load_content(os.path.join(folder, "MLmodel"), limit_bytes=_MAX_BYTES)
    try:
        return as_mapping(load_yaml(content.data.decode("utf-8-sig", "replace")).value)
    except (TreeError, ValueError):
        return {}


def size_of_model(description: Description) -> int | None:
    """Bytes of all its files, as MLflow counted them."""
    size = description.get("model_size_bytes")
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 1 << 63 else None


def environment_of_model(folder: str, description: Description) -> Iterator[Fact]:
    """The interpreter, MLflow itself, and the packages of `requirements.txt`."""
    flavor = as_mapping(as_mapping(description.get("flavors")).get("python_function"))
    if _PYTHON.fullmatch(python := as_text(flavor.get("python_version"))):
        yield Environment("python", python)
    told = {"mlflow": as_text(description.get("mlflow_version"))}
    content = load_content(os.path.join(folder, "requirements.txt"), limit_bytes=_MAX_BYTES)
    if content.problem is None:
        told.update(packages_in_text(content.data.decode("utf-8-sig", "replace")))
    for name, version in list(told.items())[:MAX_PACKAGES]:
        if version:
            yield Environment(f"package:{name}", version)
