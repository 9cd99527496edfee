"""What the records of a `.wandb` file say of its run, gathered in their order; later words replace earlier ones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.model import Blob, JsonValue
from mlbench.wire.jsonlog import as_list, as_mapping, as_number, as_text
from mlbench.wire.points import PointCollector, as_step
from mlbench.wire.wandblog import (
    ArtifactRecord,
    Config,
    Exit,
    History,
    Item,
    Machine,
    Message,
    MetricRule,
    Run,
    Sample,
    Summary,
)
from mlbench.wire.wandbmedia import blobs_of, media_in

INTERNAL = ("_step", "_runtime", "_timestamp", "_wandb")
SYSTEM = "system/"
"""Before the names of what was measured of the machine, as in W&B's own pages."""
_MAX_BLOBS = 100_000


@dataclass(slots=True)
class Told:
    """What the records have said of the run so far; later words replace earlier ones."""

    texts: dict[str, str] = field(default_factory=dict)
    """Names of `RUN_FIELDS`, and `os`, `python`, `sweep`."""
    tags: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    started_s: float | None = None
    remote: str = ""
    commit: str = ""
    exit_code: int | None = None
    config: dict[str, JsonValue] = field(default_factory=dict)
    summary: dict[str, JsonValue] = field(default_factory=dict)
    points: PointCollector = field(default_factory=PointCollector)
    folder: str = ""
    """`files` of the run."""
    blobs: list[Blob] = field(default_factory=list)
    artifacts: dict[tuple[str, str], ArtifactRecord] = field(default_factory=dict)
    """The newest version by role and name."""
    step_metrics: dict[str, str] = field(default_factory=dict)
    """By name or pattern of every metric that was defined, in this order; '' where it is drawn over the step."""
    n_rows: int = 0
    n_samples: int = 0
    last_step: int = -1
    last_wall_s: float = math.nan

    def define(self, rule: MetricRule) -> None:
        """Take a rule as the client does: one that does not replace the last one changes only what it names."""
        over = rule.step_metric
        if not over and 0 < rule.step_index <= len(self.step_metrics):
            over = list(self.step_metrics)[rule.step_index - 1]
        before = "" if rule.is_whole else self.step_metrics.get(rule.name, "")
        self.step_metrics[rule.name] = over or before

    def rules(self) -> Iterator[tuple[str, str]]:
        """Names and patterns with what they are drawn over, as metrics are named here.

        A name that is drawn over the step is told only where a pattern would say otherwise.
        """
        known = self.step_metrics or rules_in_config(self.config)
        globs = [name[:-1] for name, over in known.items() if over and name.endswith("*")]
        for name, over in known.items():
            if over or any(name.startswith(glob) for glob in globs if not name.endswith("*")):
                yield name.replace("\\.", "."), over.replace("\\.", ".")


def rules_in_config(config: Mapping[str, JsonValue]) -> dict[str, str]:
    """What stands in `_wandb.m` of the configuration, where runs that were synchronised have their rules.

    Each is a record by the numbers of its fields: name 1, pattern 2, step metric 4, or its 1-based place in the list 5.
    """
    told = as_mapping(config.get("_wandb"))
    records = [{str(at): part for at, part in as_mapping(one).items()} for one in as_list(told.get("m"))]
    names = [as_text(record.get("1")) or as_text(record.get("2")) for record in records]
    rules = {}
    for name, record in zip(names, records, strict=True):
        at = as_step(record.get("5")) or 0
        over = as_text(record.get("4")) or (names[at - 1] if 0 < at <= len(names) else "")
        if name:
            rules[name] = over
    return rules


def take(message: Message | None, told: Told) -> None:
    match message:
        case History():
            _add_row(message, told)
        case Sample():
            _add_sample(message, told)
        case Config():
            _update(told.config, message)
        case Summary():
            _update(told.summary, message)
        case Run():
            _take_run(message, told)
        case Machine():
            told.texts.update({key: text for key, text in message.texts.items() if text})
            told.args = message.args or told.args
            told.remote, told.commit = message.remote or told.remote, message.commit or told.commit
        case Exit():
            told.exit_code = message.code
        case ArtifactRecord(name=name) if name:
            told.artifacts["input" if message.is_input else "output", name] = message
        case MetricRule(name=name) if name:
            told.define(message)


def _take_run(run: Run, told: Told) -> None:
    told.texts.update({key: text for key, text in run.texts.items() if text})
    told.tags = run.tags or told.tags
    told.started_s = run.started_s if run.started_s else told.started_s
    told.remote, told.commit = run.remote or told.remote, run.commit or told.commit
    _update(told.config, run.config)
    _update(told.summary, run.summary)


def _update(tree: dict[str, JsonValue], change: Config | Summary) -> None:
    """Put values at their place in a nested mapping, and take others away."""
    for item in change.items:
        if branch := _branch(tree, item.keys):
            branch[0][branch[1]] = item.value
    for keys in change.removed:
        if branch := _branch(tree, keys):
            branch[0].pop(branch[1], None)


def _branch(tree: dict[str, JsonValue], keys: Sequence[str]) -> tuple[dict[str, JsonValue], str] | None:
    """The mapping that holds the last of the keys; None for keys that are none or nest absurdly."""
    if not keys or len(keys) > 32:
        return None
    for key in keys[:-1]:
        child = tree.get(key)
        if not isinstance(child, dict):
            child = {}
            tree[key] = child
        tree = child
    return tree, keys[-1]


def _add_row(row: History, told: Told) -> None:
    named = {item.keys[0]: item.value for item in row.items if len(item.keys) == 1 and item.keys[0] in INTERNAL}
    step = as_step(named.get("_step"))
    step = step if step is not None else row.step
    step = told.last_step + 1 if step is None else step
    wall_s = _wall_s(named.get("_timestamp"))
    for name, number in _numbers(row.items):
        told.points.add(name, step, number, wall_s)
    for name, media in media_in(row.items, INTERNAL).items():
        if len(told.blobs) < _MAX_BLOBS:
            told.blobs.extend(blobs_of(name, media, told.folder, step, wall_s, told.points.n_points))
    told.n_rows += 1
    told.last_step, told.last_wall_s = step, wall_s


def _add_sample(sample: Sample, told: Told) -> None:
    """Measurements of the machine: they have no step of the training, so the step counts the samples."""
    wall_s = math.nan if sample.wall_s is None else sample.wall_s
    for name, number in _numbers(sample.items):
        told.points.add(SYSTEM + name, told.n_samples, number, wall_s)
    told.n_samples += 1


def _wall_s(value: JsonValue) -> float:
    """Unix seconds, NaN where there is none."""
    number = as_number(value)
    return number if number is not None and math.isfinite(number) else math.nan


def _numbers(items: Sequence[Item]) -> Iterator[tuple[str, float]]:
    """The numbers of a row by dotted name; parts of histograms, images, tables and W&B's own values are none."""
    media = {item.keys[:-1] for item in items if item.keys[-1:] == ("_type",)}
    for item in items:
        if not item.keys or item.keys[0] in INTERNAL:
            continue
        if media and any(item.keys[:length] in media for length in range(1, len(item.keys))):
            continue
        yield from _plain_numbers(".".join(item.keys), item.value)


def _plain_numbers(name: str, value: JsonValue) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for key, part in value.items() if "_type" not in value else ():
            yield from _plain_numbers(f"{name}.{key}", part)
    elif (number := as_number(value)) is not None:
        yield name, number


def add_summary(told: Told) -> None:
    """Values that the program put into the summary itself: one point each, at the last step."""
    known = set(told.points.names)
    step = as_step(told.summary.get("_step"))
    step = step if step is not None else max(told.last_step, 0)
    wall_s = _wall_s(told.summary.get("_timestamp"))
    for key, value in told.summary.items():
        if key in INTERNAL:
            continue
        for name, number in _plain_numbers(key, value):
            if name not in known:
                told.points.add(name, step, number, wall_s)
