"""What XGBoost, LightGBM and CatBoost print while they train, kept in a text file.

- XGBoost 0.6 to 3: `[12]	train-rmse:0.31	eval-rmse:0.40` (of `xgboost.cv` with `+` and the standard deviation;
  in logs of SageMaker `#011` stands for each tab);
- LightGBM 2 to 4, Python: `[12]	training's auc: 0.98	valid_1's auc: 0.92` (with `+ 0.01` of `lightgbm.cv`);
  command line: `[LightGBM] [Info] Iteration:12, training auc : 0.98`;
- CatBoost 0.1 to 1.2: `12:	learn: 0.44	test: 0.47	best: 0.47 (12)	total: 51ms	remaining: 0us`.

A `.log`, `.out` or `.txt` file (of the last only those whose name says `log`, `train`, `xgb`, `lgb`, `lightgbm`,
`catboost`, `output` or `stdout`) is claimed if such a line is among its first 64 KiB. The round is the step; metrics
are `train/rmse`, `valid_1/auc`, `learn`; standard deviations are `train/rmse_std`. Where the rounds begin again
(several trainings in one log) the points are kept in order, and a Problem says that trainings are mixed. There is no
wall time. `catboost_info/` is read by [catboost](#catboost).
Links: https://xgboost.readthedocs.io/en/stable/python/callbacks.html,
https://lightgbm.readthedocs.io/en/stable/pythonapi/lightgbm.log_evaluation.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import Adapter, Claim, Cursor, Fact, JsonValue, Listing, Problem, ReadStatus, Role, Source
from mlbench.wire.content import sniff
from mlbench.wire.points import PointCollector
from mlbench.wire.textlog import TextLog

Row = tuple[int, list[tuple[str, float]]]

# What repeats is possessive, and names are bounded: logs hold lines of 60,000 characters that nearly are such lines.
_NUMBER = r"[-+]?(?:\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?|nan|inf)"
_NAMES = r"(?=[^\t:]{1,500}-[^\t:])[^\t:]{3,500}+"
_XGBOOST = re.compile(rf"(?:.*\s)?\[(\d+)\]((?:[\t,]\s*+{_NAMES}:{_NUMBER}(?:\+{_NUMBER})?)++)\s*")
_XGBOOST_ITEM = re.compile(rf"[\t,]\s*+([^\t:]{{1,500}}?)-([^\t:-]{{1,500}}+):({_NUMBER})(?:\+({_NUMBER}))?")
_LIGHTGBM = re.compile(rf"(?:.*\s)?\[(\d+)\]((?:\t[^\t:]{{1,500}}+: {_NUMBER}(?: \+ {_NUMBER})?)++)\s*")
_LIGHTGBM_ITEM = re.compile(rf"\t(?:([^\t:]{{1,500}})'s )?([^\t:]{{1,500}}+): ({_NUMBER})(?: \+ ({_NUMBER}))?")
_LIGHTGBM_CLI = re.compile(rf"\[LightGBM\] \[Info\] Iteration: ?(\d+), (\S+) (.+?) : ({_NUMBER})\s*")
_CATBOOST = re.compile(rf"(\d+):((?:\s+(?:learn|test\d*): {_NUMBER})+)(?:\s+best: \S+ \(\d+\))?\s+total: .*")
_CATBOOST_ITEM = re.compile(rf"(learn|test\d*): ({_NUMBER})")
_TRAINING_NAMES = ("log", "train", "xgb", "lgb", "lightgbm", "catboost", "output", "stdout")
_COLOUR = re.compile(r"\x1b?\[\d+(?:;\d+)*m")
"""As notebooks of SageMaker show the logs of their containers."""
_HEAD_BYTES = 65_536


def _xgboost(line: str) -> Row | None:
    found = _XGBOOST.fullmatch(line)
    return (int(found[1]), _pairs(_XGBOOST_ITEM, found[2])) if found else None


def _lightgbm(line: str) -> Row | None:
    if found := _LIGHTGBM_CLI.fullmatch(line):
        return int(found[1]), [(f"{found[2]}/{found[3]}", float(found[4]))]
    found = _LIGHTGBM.fullmatch(line)
    return (int(found[1]), _pairs(_LIGHTGBM_ITEM, found[2])) if found else None


def _catboost(line: str) -> Row | None:
    found = _CATBOOST.fullmatch(line)
    if not found:
        return None
    return int(found[1]), [(item[1], float(item[2])) for item in _CATBOOST_ITEM.finditer(found[2])]


def _pairs(pattern: re.Pattern[str], text: str) -> list[tuple[str, float]]:
    pairs: list[tuple[str, float]] = []
    for item in pattern.finditer(text):
        name = f"{item[1]}/{item[2]}" if item[1] else item[2]
        pairs.append((name, float(item[3])))
        if item[4]:
            pairs.append((f"{name}_std", float(item[4])))
    return pairs


_SHAPES: tuple[Callable[[str], Row | None], ...] = (_xgboost, _lightgbm, _catboost)


def row_of(line: str) -> Row | None:
    """Round and values of one line; None for any other line."""
    line = _COLOUR.sub("", line).replace("#011", "\t") if "#011" in line else line
    if len(line) > 65_536 or not line.find(":") >= 0 or not any(mark in line for mark in "[\t"):
        return None
    row = next((row for shape in _SHAPES if (row := shape(line)) is not None), None)
    return row if row is not None and row[0] < 1 << 62 and row[1] else None


def claims(listing: Listing) -> Iterator[Claim]:
    for name in (*listing.ending("log", "out"), *listing.naming(_TRAINING_NAMES, "txt")):
        path = os.path.join(listing.path, name)
        head = sniff(path, _HEAD_BYTES) or b""
        lines = head.decode("utf-8", "replace").split("\n")[:-1] if b"\0" not in head else []
        if any(row_of(line.rstrip("\r")) for line in lines):
            yield Claim(path, Role.METRICS, listing.path, is_one_training=True)


@dataclass(slots=True)
class _Rounds:
    """What was met so far."""

    points: PointCollector = field(default_factory=PointCollector)
    newest: int = -1
    n_restarts: int = 0
    first_restart: int = 0
    """Line."""
    is_over: bool = False
    """Early stopping tells the best round once more; that is no new round."""


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    log = TextLog(source.path)
    rounds = _Rounds()
    for line in log.lines():
        if line.startswith(("Early stopping", "Did not meet early stopping")):
            rounds.is_over = True
        elif (row := row_of(line)) is not None:
            _add(rounds, row, log.n_lines)
            if rounds.points.is_full:
                yield from rounds.points.flush()
    yield from rounds.points.flush()
    yield from log.problems
    if rounds.n_restarts:
        many = "once" if rounds.n_restarts == 1 else f"{rounds.n_restarts} times"
        what = f"its rounds begin again {many}: trainings are mixed in this log"
        yield Problem(source.path, what, f"line {rounds.first_restart}", "write a log for each training")
    if log.status is ReadStatus.EOF and not rounds.points.n_points:
        yield Problem(source.path, "no line of it tells a round of XGBoost, LightGBM or CatBoost")
    yield Cursor({}, log.status, log.n_lines)


def _add(rounds: _Rounds, row: Row, line: int) -> None:
    step, pairs = row
    if rounds.is_over:
        rounds.is_over = False
        if step <= rounds.newest:
            return
    if step < rounds.newest:
        rounds.n_restarts += 1
        rounds.first_restart = rounds.first_restart or line
    rounds.newest = step
    for name, value in pairs:
        rounds.points.add(name, step, value)


def example(folder: str) -> None:
    """What LightGBM prints of three rounds."""
    with open(os.path.join(folder, "train.log"), "w", encoding="utf-8") as file:
        file.write(
            "[LightGBM] [Info] Number of positive: 62, number of negative: 88\n"
            "[1]\ttraining's auc: 0.982038\ttraining's binary_logloss: 0.600156\tvalid_1's auc: 0.922824\n"
            "Training until validation scores don't improve for 2 rounds\n"
            "[2]\ttraining's auc: 0.985704\ttraining's binary_logloss: 0.537221\tvalid_1's auc: 0.970443\n"
            "[3]\ttraining's auc: 0.98717\ttraining's binary_logloss: nan\tvalid_1's auc: 0.969622\n"
        )


ADAPTER = Adapter(
    name="boosting",
    claims=claims,
    read=read,
    example=example,
    version=2,
    formats="What XGBoost, LightGBM and CatBoost print, in a log",
    files=("*.log", "*.out", "*log*.txt", "*train*.txt"),
)
