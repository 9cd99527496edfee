"""Blessings of TFX without its ML-Metadata store: empty files that a component left, and the Evaluator's verdict.

`BLESSED`, `NOT_BLESSED`, `INFRA_BLESSED`, `INFRA_NOT_BLESSED`, as `<pipeline root>/<component>/<output>/<execution>/`
holds them, or anywhere in a run's folder. A blessing below a pipeline root belongs to the newest `Trainer` before it,
by the number of the execution. Where a store lies above, that tells, and with certainty.
https://www.tensorflow.org/tfx/guide/evaluator
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from mlbench.model import (
    Adapter,
    Claim,
    Cursor,
    Fact,
    JsonValue,
    Listing,
    Problem,
    ReadStatus,
    Role,
    Source,
    Validation,
)
from mlbench.wire.content import sniff

_VERDICTS = {
    "BLESSED": ("evaluator", "passed"), "NOT_BLESSED": ("evaluator", "failed"),
    "INFRA_BLESSED": ("infra validator", "passed"), "INFRA_NOT_BLESSED": ("infra validator", "failed"),
}  # fmt: skip
_STORES = ("metadata.db", "metadata.sqlite", "mlmd.db", "mlmd.sqlite")
_SQLITE = b"SQLite format 3\0"
_MAX_LEVELS = 5
_TRAINED = ("model_run", "model")


def claims(listing: Listing) -> Iterator[Claim]:
    names = [name for name in _VERDICTS if listing.has(name)]
    if names and not _has_store(listing.path):
        folder = _trainer(listing.path) or listing.path
        for name in names:
            yield Claim(os.path.join(listing.path, name), Role.CONTEXT, folder)


def _has_store(folder: str) -> bool:
    for _ in range(_MAX_LEVELS):
        for place in (folder, os.path.join(folder, "metadata")):
            if any(sniff(path, 16) == _SQLITE for name in _STORES if os.path.isfile(path := os.path.join(place, name))):
                return True
        folder = os.path.dirname(folder)
    return False


def _trainer(folder: str) -> str:
    """The folder of the training that the blessing is of; '' where it cannot be told."""
    number = os.path.basename(folder)
    root = os.path.dirname(os.path.dirname(os.path.dirname(folder)))
    if not number.isdecimal():
        return ""
    for component in sorted(_names(root)):
        if component.lower().startswith("trainer"):
            for output in _TRAINED:
                place = os.path.join(root, component, output)
                before = [int(name) for name in _names(place) if name.isdecimal() and int(name) < int(number)]
                if before:
                    return os.path.join(place, str(max(before)))
    return ""


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """One verdict; the file is empty, its name says all."""
    check, verdict = _VERDICTS[os.path.basename(source.path)]
    if not os.path.isfile(source.path):
        yield Problem(source.path, "the file is not there any more")
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    yield Validation(check, verdict)
    yield Cursor({}, n_records=1)


def example(folder: str) -> None:
    """A model that was blessed."""
    with open(os.path.join(folder, "BLESSED"), "w", encoding="utf-8"):
        pass


ADAPTER = Adapter(
    name="blessing",
    claims=claims,
    read=read,
    example=example,
    formats="Blessing files of TFX's Evaluator and InfraValidator, where no ML-Metadata store tells",
    files=tuple(_VERDICTS),
)
