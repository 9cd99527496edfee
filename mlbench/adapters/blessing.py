"""Blessings of TFX without its ML-Metadata store: empty files that a component left, and the Evaluator's verdict.

`BLESSED`, `NOT_BLESSED`, `INFRA_BLESSED`, `INFRA_NOT_BLESSED`, as `<pipeline root>/<component>/<output>/<execution>/`
holds them, or anywhere in a run's folder; `validations.tfrecord` says which metrics missed their thresholds. What lies
below a pipeline root belongs to the newest `Trainer` before it, by the number of the execution. Where a store lies
above, that tells, and with certainty.
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
from mlbench.wire.content import lfs_problem, sniff, unreadable
from mlbench.wire.files import is_lfs_pointer, open_regular
from mlbench.wire.protobuf import WireError
from mlbench.wire.tfma import Verdict, parse_verdict
from mlbench.wire.tfrecord import Record, Truncated, read_records

_VERDICTS = {
    "BLESSED": ("evaluator", "passed"), "NOT_BLESSED": ("evaluator", "failed"),
    "INFRA_BLESSED": ("infra validator", "passed"), "INFRA_NOT_BLESSED": ("infra validator", "failed"),
}  # fmt: skip
_RECORDS = ("tfrecord", "tfrecord-00000-of-00001")
_STORES = ("metadata.db", "metadata.sqlite", "mlmd.db", "mlmd.sqlite")
_SQLITE = b"SQLite format 3\0"
_MAX_LEVELS = 5
_TRAINED = ("model_run", "model")


def claims(listing: Listing) -> Iterator[Claim]:
    names = [name for name in _VERDICTS if listing.has(name)]
    names += [name for name in listing.ending(*_RECORDS) if name.startswith("validations")]
    if names and not _has_store(listing.path):
        folder = _trainer(listing.path) or listing.path
        for name in names:
            yield Claim(os.path.join(listing.path, name), Role.CONTEXT, folder, is_own_run=True)


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
    """One verdict: a blessing is an empty file whose name says all, the Evaluator's own says which metrics failed."""
    if os.path.basename(source.path) not in _VERDICTS:
        yield from _of_evaluator(source.path)
        return
    check, verdict = _VERDICTS[os.path.basename(source.path)]
    if not os.path.isfile(source.path):
        yield Problem(source.path, "the file is not there any more")
        yield Cursor({}, ReadStatus.UNREADABLE)
        return
    yield Validation(check, verdict)
    yield Cursor({}, n_records=1)


def _of_evaluator(path: str) -> Iterator[Fact]:
    try:
        with open_regular(path) as file:
            if is_lfs_pointer(file.read(64)):
                yield lfs_problem(path)
                yield Cursor({}, ReadStatus.LFS_POINTER)
                return
            file.seek(0)
            record = next(iter(read_records(file)), None)
        if record is None:
            yield Cursor({}, ReadStatus.EMPTY)
        elif isinstance(record, Record):
            yield _threshold_check(path, parse_verdict(bytes(record.payload)))
            yield Cursor({}, n_records=1)
        else:
            is_cut = isinstance(record, Truncated)
            yield Problem(path, "the Evaluator's verdict is cut or damaged")
            yield Cursor({}, ReadStatus.TRUNCATED if is_cut else ReadStatus.DAMAGED, n_bad=1)
    except WireError as error:
        yield Problem(path, f"the Evaluator's verdict cannot be read: {error}")
        yield Cursor({}, ReadStatus.DAMAGED, n_bad=1)
    except OSError as error:
        yield unreadable(path, error)
        yield Cursor({}, ReadStatus.UNREADABLE, n_bad=1)


def _threshold_check(path: str, found: Verdict) -> Validation:
    told = [f"failed: {', '.join(found.failed)}"] if found.failed else []
    told += [f"missing slices: {found.n_missing_slices}"] if found.n_missing_slices else []
    told += [] if found.has_thresholds else ["there were no thresholds"]
    place = os.fsencode(path).decode("utf-8", "replace")
    return Validation(
        "thresholds", "passed" if found.is_ok else "failed", evidence=f"{place} ({'; '.join(told)})" if told else place
    )


def example(folder: str) -> None:
    """A model that was blessed."""
    with open(os.path.join(folder, "BLESSED"), "w", encoding="utf-8"):
        pass


ADAPTER = Adapter(
    name="blessing",
    claims=claims,
    read=read,
    example=example,
    formats="Blessings and thresholds of TFX's Evaluator and InfraValidator, where no ML-Metadata store tells",
    files=(*_VERDICTS, "validations.tfrecord*"),
)
