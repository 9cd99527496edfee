"""The Evaluator's verdict: `validations.tfrecord` of TensorFlow Model Analysis, one message ValidationResult.

https://github.com/tensorflow/model-analysis/blob/master/tensorflow_model_analysis/proto/validation_result.proto
"""

from __future__ import annotations

from collections.abc import Iterator

from mlbench.dataclass import dataclass
from mlbench.wire.protobuf import LEN, VARINT, fields, key, text_at

MAX_FAILURES = 100
_OK, _NO_THRESHOLDS = key(1, VARINT), key(6, VARINT)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all thresholds were met, and which metrics failed."""

    is_ok: bool
    has_thresholds: bool
    failed: tuple[str, ...]
    """Names of metrics, each once, over all slices."""
    n_missing_slices: int


def parse_verdict(message: bytes) -> Verdict:
    """The verdict in a record; a flag that is false is not written.

    Raises:
        WireError: the bytes are no message.
    """
    flags, failed, n_missing = {_OK: 0, _NO_THRESHOLDS: 0}, dict[str, None](), 0
    for field_key, start, end in fields(message, 0, len(message)):
        if field_key in flags:
            flags[field_key] = start
        elif field_key == key(2, LEN):
            failed.update(dict.fromkeys(_failures(message, start, end)))
        elif field_key in {key(3, LEN), key(5, LEN)}:
            n_missing += 1
    return Verdict(bool(flags[_OK]), not flags[_NO_THRESHOLDS], tuple(failed)[:MAX_FAILURES], n_missing)


def _failures(message: bytes, start: int, end: int) -> Iterator[str]:
    """Of one slice, the names in the keys of the metrics that failed."""
    for failure in _parts(message, start, end, 3):
        for metric in _parts(message, *failure, 1):
            for begin, stop in _parts(message, *metric, 1):
                yield text_at(message, begin, min(stop, begin + 200))


def _parts(message: bytes, start: int, end: int, number: int) -> Iterator[tuple[int, int]]:
    wanted = key(number, LEN)
    return ((begin, stop) for field_key, begin, stop in fields(message, start, end) if field_key == wanted)
