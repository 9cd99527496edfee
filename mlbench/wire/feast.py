"""Feast: `feature_store.yaml` and the local registry, a protobuf message in a file or the tables of a SQLite database.

Messages: https://github.com/feast-dev/feast/tree/master/protos/feast/core (Registry, FeatureView,
FeatureService). Nothing is fetched: a registry on S3 or in PostgreSQL is only known by name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field
from datetime import UTC, datetime

from mlbench.dataclass import dataclass
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.files import NotRegularError, read_head, read_whole
from mlbench.wire.jsonlog import as_mapping, as_text
from mlbench.wire.protobuf import LEN, VARINT, fields, key, signed, text_at
from mlbench.wire.sqlitefile import MAGIC, DatabaseError, open_database
from mlbench.wire.yamltext import load_yaml

STORE = "feature_store.yaml"
MAX_REGISTRY_BYTES = 64 << 20
MAX_VIEWS = 10_000
MAX_FEATURES = 5000
"""Of one view."""
_VIEW_FIELDS = (6, 8, 14)
"""Feature views, on-demand and stream feature views in a Registry; their features stand at another number each."""
_FEATURES_AT = {6: 4, 8: 3, 14: 4}
_META_NUMBER_AT = {6: 4, 8: 3, 14: 4}
_SERVICES = 7
_TABLES = {"feature_views": 6, "on_demand_feature_views": 8, "stream_feature_views": 14}
_TYPES = ("invalid", "bytes", "string", "int32", "int64", "double", "float", "bool", "timestamp")
_LISTS = tuple(f"{name} list" for name in _TYPES[1:])


class FeastError(ValueError):
    """The store or its registry cannot be read; says why."""


@dataclass(frozen=True, slots=True)
class FeatureView:
    """One view as the registry has it now."""

    name: str
    project: str
    features: tuple[tuple[str, str], ...]
    """Name and type."""
    updated_s: float | None
    """When its definition was last changed, Unix seconds."""
    number: int
    """The registry's own version number; 0 where it counts none."""

    @property
    def version(self) -> str:
        """`v3`, else the moment of its last change; '' where neither is known."""
        if self.number:
            return f"v{self.number}"
        return f"{datetime.fromtimestamp(self.updated_s, UTC):%Y-%m-%dT%H:%M:%SZ}" if self.updated_s else ""


@dataclass(frozen=True, slots=True)
class FeatureStore:
    """A store, and the views and services of its registry."""

    path: str
    """Of its `feature_store.yaml`."""
    views: dict[str, FeatureView] = field(default_factory=dict)
    services: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    """By service, the views with the features that it takes of each."""


def find_store(folder: str, *, levels: int = 6) -> str:
    """The `feature_store.yaml` of a folder, of its `feature_repo`, or of a folder above; '' for none."""
    for _ in range(levels):
        for place in (folder, os.path.join(folder, "feature_repo")):
            path = os.path.join(place, STORE)
            if os.path.isfile(path):
                return path
        folder = os.path.dirname(folder)
    return ""


def read_store(path: str) -> FeatureStore:
    """The store with what its registry holds; without views where the registry is on no disk.

    Raises:
        FeastError: it cannot be read.
    """
    try:
        told = as_mapping(load_yaml(read_whole(path, limit_bytes=1 << 20).decode("utf-8-sig", "replace")).value)
    except (TreeError, ValueError, OSError) as error:
        raise FeastError(f"{STORE} cannot be read: {error}") from error
    registry = told.get("registry")
    place = as_text(registry) or as_text(as_mapping(registry).get("path"))
    place = place.removeprefix("sqlite:///").removeprefix("file://")
    project = as_text(told.get("project"))
    if not place or "://" in place:
        return FeatureStore(path)
    store = FeatureStore(path)
    for view in _views(os.path.join(os.path.dirname(path), place), store):
        if view.name and len(store.views) < MAX_VIEWS and (not project or view.project in {"", project}):
            store.views[view.name] = view
    return store


def _views(path: str, store: FeatureStore) -> Iterator[FeatureView]:
    try:
        if read_head(path, len(MAGIC)) == MAGIC:
            yield from _of_database(path, store)
        else:
            yield from _of_message(read_whole(path, limit_bytes=MAX_REGISTRY_BYTES), store)
    except NotRegularError as error:
        raise FeastError("the registry is no file") from error
    except OSError as error:
        raise FeastError(f"the registry cannot be read: {error.strerror or error}") from error
    except DatabaseError as error:
        raise FeastError(f"the registry cannot be read: {error.what}") from error
    except ValueError as error:
        raise FeastError(f"the registry is damaged: {error}") from error


def _of_database(path: str, store: FeatureStore) -> Iterator[FeatureView]:
    with open_database(path) as database:
        for table, number in _TABLES.items():
            for (message,) in database.rows(table, ("feature_view_proto",)):
                if isinstance(message, bytes):
                    yield _view(message, 0, len(message), number)
        for (message,) in database.rows("feature_services", ("feature_service_proto",)):
            if isinstance(message, bytes):
                _add_service(message, 0, len(message), store)


def _of_message(message: bytes, store: FeatureStore) -> Iterator[FeatureView]:
    views = {key(number, LEN): number for number in _VIEW_FIELDS}
    for field_key, start, end in fields(message, 0, len(message)):
        if field_key in views:
            yield _view(message, start, end, views[field_key])
        elif field_key == key(_SERVICES, LEN):
            _add_service(message, start, end, store)


def _view(message: bytes, start: int, end: int, kind: int) -> FeatureView:
    """A view: field 1 is its specification, 2 what the registry knows of it."""
    name = project = ""
    features: list[tuple[str, str]] = []
    for spec_start, spec_end in _parts(message, start, end, 1):
        name, project = _texts(message, spec_start, spec_end)
        places = _parts(message, spec_start, spec_end, _FEATURES_AT[kind])
        features = [_feature(message, *place) for place in list(places)[:MAX_FEATURES]]
    updated_s, number = None, 0
    for meta_start, meta_end in _parts(message, start, end, 2):
        moments = [_seconds(message, *place) for place in _parts(message, meta_start, meta_end, 2)]
        updated_s = moments[-1] if moments else None
        number = _number(message, meta_start, meta_end, _META_NUMBER_AT[kind])
    return FeatureView(name, project, tuple(features), updated_s, number)


def _add_service(message: bytes, start: int, end: int, store: FeatureStore) -> None:
    for spec_start, spec_end in _parts(message, start, end, 1):
        name, _project = _texts(message, spec_start, spec_end)
        taken: dict[str, tuple[str, ...]] = {}
        for place in _parts(message, spec_start, spec_end, 3):
            view, _alias = _texts(message, *place)
            columns = list(_parts(message, *place, 2))[:MAX_FEATURES]
            taken[view] = tuple(_texts(message, *column)[0] for column in columns)
        if name and len(store.services) < MAX_VIEWS:
            store.services[name] = taken


def _feature(message: bytes, start: int, end: int) -> tuple[str, str]:
    kind = _number(message, start, end, 2)
    known = _TYPES[kind] if kind < len(_TYPES) else _LISTS[kind - 11] if 11 <= kind < 19 else f"type {kind}"
    return _texts(message, start, end)[0], known


def _parts(message: bytes, start: int, end: int, number: int) -> Iterator[tuple[int, int]]:
    wanted = key(number, LEN)
    return ((begin, stop) for field_key, begin, stop in fields(message, start, end) if field_key == wanted)


def _texts(message: bytes, start: int, end: int) -> tuple[str, str]:
    """Fields 1 and 2 as texts."""
    found = {1: "", 2: ""}
    for field_key, begin, stop in fields(message, start, end):
        if field_key in {key(1, LEN), key(2, LEN)}:
            found[field_key >> 3] = text_at(message, begin, min(stop, begin + 1000))
    return found[1], found[2]


def _number(message: bytes, start: int, end: int, number: int) -> int:
    wanted = key(number, VARINT)
    values = [value for field_key, value, _stop in fields(message, start, end) if field_key == wanted]
    return values[-1] if values else 0


def _seconds(message: bytes, start: int, end: int) -> float | None:
    """A Timestamp's seconds; None where no calendar has them."""
    moment = signed(_number(message, start, end, 1))
    return float(moment) if 0 < moment < 253_402_300_800 else None
