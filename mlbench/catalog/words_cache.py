"""The folded journal, kept in the cache: 10,000 words are read in a tenth of the time that folding them takes.

What is kept is of exactly one state of the journal's files; after any change the journal is read and folded anew. Like
everything in the cache it may be deleted at any time. A field of `Words` that this module does not know, or a file that
cannot be read, means that nothing is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from mlbench import journal
from mlbench.catalog.segments import remove_quietly
from mlbench.journal import Words
from mlbench.journal.folding import Note
from mlbench.model import Problem
from mlbench.paths import Home
from mlbench.wire.files import open_regular

KEPT_FILES = 4
FEW_BYTES = 50_000
"""A journal that is smaller is folded in less time than keeping it would save."""
PREFIX = "words-"
_FORMAT = 2
"""Raised when folding comes to another result than before, or the file looks otherwise."""
_Decode = Callable[[Any], Any]


def _texts(value: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(texts) for key, texts in value.items()}


_DECODE: dict[str, _Decode] = {
    "tags": _texts,
    "notes": lambda value: {key: tuple(Note(*note) for note in notes) for key, notes in value.items()},
    "names": dict,
    "archived": frozenset,
    "baselines": dict,
    "goals": dict,
    "primary": dict,
    "views": dict,
    "roots": tuple,
    "fingerprints": lambda value: {print_: frozenset(keys) for print_, keys in value.items()},
    "problems": lambda value: tuple(Problem(**problem) for problem in value),
}
"""For each field of Words how it comes back from JSON."""


def replay(home: Home, place: Mapping[str, str] = {}) -> Words:
    """As `journal.replay`, from the cache where the journal is as it was then."""
    state = _state(home, place)
    if state is None:
        return journal.replay(home, place)
    path = os.path.join(home.cache, f"{PREFIX}{state}.json")
    words = _load(path)
    if words is None:
        words = journal.replay(home, place)
        if _state(home, place) == state:  # nothing was said while it was read
            _store(path, words)
    return words


def _state(home: Home, place: Mapping[str, str]) -> str | None:
    """A text for this state of the journal's files; None where keeping it is not worth while or not possible."""
    if not os.path.isdir(home.cache):
        return None
    try:
        with os.scandir(home.journal) as entries:
            files = sorted((entry.name, entry.stat().st_size, entry.stat().st_mtime_ns) for entry in entries)
    except OSError:
        return None
    if sum(size for _name, size, _mtime in files) < FEW_BYTES:
        return None
    if {field.name for field in fields(Words)} != _DECODE.keys():
        return None
    text = json.dumps([_FORMAT, home.journal, files, sorted(place.items())])
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _load(path: str) -> Words | None:
    try:
        with open_regular(path) as file:
            digest, _newline, text = file.read().partition(b"\n")
        if digest != _digest(text):
            return None
        kept = json.loads(text)
        return Words(**{name: decode(kept[name]) for name, decode in _DECODE.items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _store(path: str, words: Words) -> None:
    """Keep the words; that this fails means only that the next reader folds the journal, too."""
    folder, temporary = os.path.dirname(path), f"{path}.{os.getpid()}.tmp"
    try:
        old = [entry for entry in os.scandir(folder) if entry.name.startswith(PREFIX)]
        for entry in sorted(old, key=lambda entry: entry.stat().st_mtime_ns)[: -KEPT_FILES + 1]:
            remove_quietly(entry.path)
        kept = {field.name: getattr(words, field.name) for field in fields(words)}
        text = json.dumps(kept, default=_plain, separators=(",", ":")).encode("ascii")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_digest(text) + b"\n" + text)
        os.rename(temporary, path)
    except (OSError, TypeError):
        remove_quietly(temporary)


def _digest(text: bytes) -> bytes:
    """A word of the user that a bit has changed would still be JSON."""
    return hashlib.blake2b(text, digest_size=12).hexdigest().encode()


def _plain(value: object) -> object:
    if isinstance(value, Problem):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be kept")
