"""Secrets are replaced before a fact is stored: equal secrets of one home give equal marks, so diffs still work."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import replace

from mlbench import model, redaction
from mlbench.ingest.keep import SmallFact
from mlbench.paths import Home, make_folder

SALT_FILE = "salt"


def home_salt(home: Home) -> bytes:
    """The home's own random bytes, made at the first ingest and kept beside the journal."""
    make_folder(home.journal)
    path = os.path.join(home.journal, SALT_FILE)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return _stored(path)
    with os.fdopen(fd, "w") as file:
        file.write(secrets.token_hex(16))
    return _stored(path)


def _stored(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except OSError:
        return b""


def redact_fact(fact: SmallFact, salt: bytes) -> SmallFact:
    """The fact with secrets in its values replaced by `<redacted:HASH>`."""
    if isinstance(fact, model.Param):
        return _redact_param(fact, salt)
    if isinstance(fact, model.RunField):
        return (
            replace(fact, value=redaction.redact_text(fact.value, salt=salt)) if isinstance(fact.value, str) else fact
        )
    if isinstance(fact, model.ImportedTag | model.Environment):
        return replace(fact, value=redaction.redact_param(fact.key, fact.value, salt=salt) or fact.value)
    if isinstance(fact, model.GitState):
        return replace(fact, remote=redaction.redact_url(fact.remote, salt=salt) if fact.remote else "")
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


def _redact_param(fact: model.Param, salt: bytes) -> model.Param:
    redacted = redaction.redact_param(fact.key, fact.raw, salt=salt)
    if redacted is not None:
        return replace(fact, raw=redacted, value=redacted)
    if isinstance(fact.value, list | tuple | dict):
        value = redaction.redact_json(fact.key, fact.value, salt=salt)
        if value != fact.value:
            return replace(fact, raw=json.dumps(value, ensure_ascii=False), value=value)  # type: ignore[arg-type]
    return fact
