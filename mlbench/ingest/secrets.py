"""Secrets are replaced before a fact is stored: equal secrets of one home give equal marks, so diffs still work."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import replace

from mlbench import model, redaction
from mlbench.catalog.segments import sync_folder, write_durably
from mlbench.errors import HomeError
from mlbench.ingest.keep import SmallFact
from mlbench.model import Param
from mlbench.paths import Home, make_folder, rename_new
from mlbench.safe import NUMBER
from mlbench.wire.files import open_regular

SALT_FILE = "salt"
SALT_CHARACTERS = 32
"""Hexadecimal digits, 16 random bytes."""

_SINGLE = frozenset({str, int, float, bool, type(None)})
"""Values that say no more than the text they were read from."""
_NUMBERS = frozenset({int, float})
_MAX_REMEMBERED, _MAX_REMEMBERED_CHARACTERS = 4096, 64
_plain_keys: set[str] = set()
_plain_texts: set[str] = set()
"""Names and short texts that were looked at and say nothing secret: runs of a sweep have most of them in common."""


def home_salt(home: Home) -> bytes:
    """The home's own random bytes, made at the first ingest and kept beside the journal.

    One that a crash left empty or cut off is replaced: without salt a short secret could be guessed from its mark.
    Where another member's cannot be read the marks are of this ingest alone.

    Raises:
        HomeError: it cannot be kept.
    """
    make_folder(home.journal)
    path = os.path.join(home.journal, SALT_FILE)
    fresh = secrets.token_hex(SALT_CHARACTERS // 2).encode()
    try:
        stored = _stored(path)
        if stored is not None and len(stored) < SALT_CHARACTERS:
            os.unlink(path)
        elif stored is not None:
            return stored
        _store_once(path, fresh)
        return _stored(path) or fresh
    except PermissionError:
        return fresh
    except OSError as error:
        raise HomeError(f"{path}: cannot be kept: {error.strerror or error}. Try: mlbench --home DIR") from error


def _stored(path: str) -> bytes | None:
    """What is kept, None where nothing is; raises OSError where it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(64)
    except FileNotFoundError:
        return None


def _store_once(path: str, salt: bytes) -> None:
    """Durably, and unless another process was first."""
    temporary = f"{path}.{os.getpid()}.new"
    write_durably(temporary, salt)
    with suppress(FileExistsError):
        rename_new(temporary, path)
    sync_folder(os.path.dirname(path))


def redact_fact(fact: SmallFact, salt: bytes) -> SmallFact:
    """The fact with secrets in its values replaced by `<redacted:HASH>`."""
    if type(fact) is Param:
        kind = type(fact.value)
        says_no_more = kind in _SINGLE or (kind is list and _NUMBERS.issuperset(map(type, fact.value)))  # type: ignore[arg-type]
        is_known = fact.key in _plain_keys and (fact.raw in _plain_texts or NUMBER.fullmatch(fact.raw) is not None)
        is_kept = says_no_more and (is_known or _is_plain(fact.key, fact.raw))
        return fact if is_kept else _redact_param(fact, salt)
    if isinstance(fact, model.RunField):
        return (
            replace(fact, value=redaction.redact_text(fact.value, salt=salt)) if isinstance(fact.value, str) else fact
        )
    if isinstance(fact, model.ImportedTag | model.Environment):
        return replace(fact, value=redaction.redact_param(fact.key, fact.value, salt=salt) or fact.value)
    if isinstance(fact, model.GitState):
        return replace(fact, remote=redaction.redact_url(fact.remote, salt=salt)) if fact.remote else fact
    if isinstance(fact, model.Artifact):
        return replace(fact, uri=redaction.redact_url(fact.uri, salt=salt) if fact.uri else "")
    if isinstance(fact, model.ModelVersion):
        return replace(
            fact,
            uri=redaction.redact_url(fact.uri, salt=salt) if fact.uri else "",
            note=redaction.redact_text(fact.note, salt=salt),
            tags=tuple(redaction.redact_text(tag, salt=salt) for tag in fact.tags),
        )
    if isinstance(fact, model.Problem):
        return replace(fact, what=redaction.redact_text(fact.what, salt=salt))
    return fact


def _is_plain(key: str, text: str) -> bool:
    """Whether neither has anything to hide, remembered for the next run."""
    is_kept = redaction.is_plain(key, text) or (
        redaction.secrecy(key) == redaction.NOT_SECRET and redaction.redact_text(text) == text
    )
    if not is_kept:
        return False
    for word, known in ((key, _plain_keys), (text, _plain_texts)):
        if len(known) >= _MAX_REMEMBERED:
            known.clear()
        if len(word) <= _MAX_REMEMBERED_CHARACTERS and NUMBER.fullmatch(word) is None:
            known.add(word)
    return True


def _redact_param(fact: Param, salt: bytes) -> Param:
    redacted = redaction.redact_param(fact.key, fact.raw, salt=salt)
    if redacted is not None:
        return replace(fact, raw=redacted, value=redacted)
    if isinstance(fact.value, list | tuple | dict):
        value = redaction.redact_json(fact.key, fact.value, salt=salt)
        if value != fact.value:
            return replace(fact, raw=json.dumps(value, ensure_ascii=False), value=value)  # type: ignore[arg-type]
    return fact
