"""Which feature views a run used: those that it names, and those of a store in its own folder, by Feast's registry."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from mlbench import model, safe
from mlbench.dataclass import dataclass
from mlbench.wire import feast
from mlbench.wire.files import is_there
from mlbench.wire.patience import answers

if TYPE_CHECKING:
    from mlbench.ingest.draft import Draft

SYSTEM = "feast"
MAX_NAMES = 200
"""Of one run."""
_KEY = re.compile(
    r"(?:feature_views?|feature_services?|feature_refs|feast[._]features?|feature_view_names)$", re.IGNORECASE
)
_STORE_KEY = re.compile(
    r"(?:feature_store|feature_repo|feast[._](?:repo|store|path|repo_path))(?:_path)?$", re.IGNORECASE
)
_NAME = re.compile(r"[\w.@-]{1,200}(?::[\w.@-]{1,200})?")
_Taken = dict[str, tuple[str, ...]]
"""Features by view; none for all of a view."""


@dataclass(slots=True)
class FeatureStores:
    """The stores met in one ingest; each registry is read once."""

    by_path: dict[str, feast.FeatureStore] = field(default_factory=dict)
    above: dict[str, str] = field(default_factory=dict)
    """By folder, the store that is looked up for runs in it."""
    problems: dict[str, model.Problem] = field(default_factory=dict)

    def open(self, path: str) -> feast.FeatureStore:
        """The store; one without views where it cannot be read, which is told once."""
        if path not in self.by_path:
            try:
                self.by_path[path] = feast.read_store(path)
            except feast.FeastError as error:
                self.by_path[path] = feast.FeatureStore(path)
                hint = "the names of the feature views are told, their versions are not"
                self.problems[path] = model.Problem(path, str(error), hint=hint)
        return self.by_path[path]

    def find(self, folder: str) -> str:
        """The store that a folder lies in."""
        if folder not in self.above:
            self.above[folder] = feast.find_store(folder)
        return self.above[folder]


def attribute_features(
    draft: Draft, stores: FeatureStores, started_s: float | None, known: Iterable[str]
) -> tuple[model.DataVersion, ...]:
    """The feature views of a run with the version that the registry has of them.

    A version is pinned if the view was last changed before the run began: it is what the run read.

    Args:
        draft: the run.
        stores: those met so far.
        started_s: when it began.
        known: data whose version the run recorded itself.
    """
    # A plain search first: a run has a hundred parameters that have nothing to do with features.
    facts = draft.of_kind(model.Param)
    is_any = "fea" in "\n".join([fact.key for _member, _path, fact in facts]).lower()
    params = [fact for _member, _path, fact in facts if "fea" in fact.key.lower()] if is_any else []
    named = list(_named(params))[:MAX_NAMES]
    folder = os.path.dirname(draft.unit.folder) if draft.unit.is_own_file else draft.unit.folder
    own = os.path.join(folder, feast.STORE)
    path = next((place for place in _told_stores(params, (folder, draft.root)) if place), "")
    path = path or (own if is_there(own) and os.path.isfile(own) else stores.find(folder) if named else "")
    if not path:
        return tuple(model.DataVersion(SYSTEM, name, "", is_pinned=False) for name in _without(named, known))
    store = stores.open(path)
    taken = _taken(named, store) if named else dict.fromkeys(store.views, ()) if path == own else {}
    return tuple(_version(name, taken[name], store.views.get(name), started_s) for name in _without(taken, known))


def _without(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """The views among what is named, each once: `driver_stats:trips` is a feature of one."""
    views = dict.fromkeys(name.partition(":")[0] for name in names)
    return [view for view in views if view not in set(known)]


def _named(params: Iterable[model.Param]) -> Iterator[str]:
    """`driver_stats`, `driver_stats:trips` or a service's name; one, a list, or separated by commas."""
    for fact in params:
        if _KEY.search(fact.key):
            values = fact.value if isinstance(fact.value, list | tuple) else str(fact.value or "").split(",")
            for value in values:
                if isinstance(value, str) and _NAME.fullmatch(value.strip()):
                    yield value.strip()


def _told_stores(params: Iterable[model.Param], bases: Sequence[str]) -> Iterator[str]:
    """Stores at the paths that parameters name."""
    for fact in params:
        text = fact.value if isinstance(fact.value, str) else ""
        if 0 < len(text) < 4096 and "\0" not in text and _STORE_KEY.search(fact.key):
            for base in bases:
                place = os.path.join(base, os.path.expanduser(text))
                for path in (place, os.path.join(place, feast.STORE)):
                    if os.path.basename(path) == feast.STORE and answers(path) and os.path.isfile(path):
                        yield path


def _taken(named: Iterable[str], store: feast.FeatureStore) -> _Taken:
    """The views behind the names, those of a service with the features that it takes."""
    taken: _Taken = {}
    for text in named:
        name, _, feature = text.partition(":")
        of_service: Mapping[str, tuple[str, ...]] = {} if name in store.views else store.services.get(name, {})
        for view, features in (of_service or {name: (feature,) if feature else ()}).items():
            taken[view] = (*taken.get(view, ()), *features)
    return taken


def _version(
    name: str, features: tuple[str, ...], view: feast.FeatureView | None, started_s: float | None
) -> model.DataVersion:
    if view is None:
        return model.DataVersion(SYSTEM, safe.text_of_path(name), "", schema=", ".join(features), is_pinned=False)
    used = [(one, kind) for one, kind in view.features if not features or one in features]
    is_pinned = view.updated_s is not None and started_s is not None and view.updated_s <= started_s
    schema = ", ".join(f"{one} {kind}" for one, kind in used)
    return model.DataVersion(SYSTEM, name, view.version, schema=schema, is_pinned=is_pinned)
