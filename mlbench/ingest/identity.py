"""What a run is: from the claims of a tree to its runs (architecture, "What a run is").

The tree is resolved from the leaves up. At each folder, event logs below that are only parts of its training
(splits, loggers, HParams children) fold into it; a dump or metric file for exactly one training draws it up.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import field

from mlbench.dataclass import dataclass
from mlbench.ingest.scan import Claimed, Scan, path_below
from mlbench.model import Role

SPLITS = frozenset(
    {"train", "training", "learn", "val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev", "cm",
     "confusion_matrix"}
)  # fmt: skip
"""Parts of one training; their names become the prefix of the metrics. `cm` is Keras' usual image writer."""
LOGGERS = frozenset(
    {"tb", "tensorboard", "tensorboard_logs", "logs", "log", "events", "tf_logs", "tb_logs", "vis_data", "summaries",
     "lightning_logs", "wandb", "runs", "summary", ".guild"}
)  # fmt: skip
"""Folders that a logging library makes for itself; they say nothing of the metrics."""
DUMP_FOLDERS = frozenset({"config", "configs", "conf", "cfg", "args", "params", "hparams", "meta", "files", "code"})
_TIME_NAME = re.compile(r"\d{9,10}(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Member:
    """One source of a run."""

    claimed: Claimed
    prefix: str = ""
    """What stands before its metric names: `train`, or '' (then no slash either)."""
    is_inherited: bool = False
    """A dump in a folder above several runs."""


@dataclass(slots=True)
class Unit:
    """A run as the scan sees it."""

    folder: str
    """Real path of the run's folder; of the file, where several trainings share a folder."""
    members: list[Member] = field(default_factory=list)
    is_own_file: bool = False
    part: str = ""
    """Native id, where the file holds many runs."""

    @property
    def key(self) -> str:
        return f"{self.folder}#{self.part}" if self.part else self.folder

    @property
    def roles(self) -> set[Role]:
        return {member.claimed.claim.role for member in self.members if not member.is_inherited}

    @property
    def is_events_only(self) -> bool:
        return not self.is_own_file and self.roles <= {Role.EVENTS, Role.CONTEXT} and Role.EVENTS in self.roles

    @property
    def is_dump_only(self) -> bool:
        return self.roles <= {Role.DUMP, Role.CONTEXT}

    @property
    def has_training(self) -> bool:
        return bool(self.roles & {Role.EVENTS, Role.METRICS, Role.TRACKER})


def run_id_of(key: str) -> str:
    """12 hexadecimal digits of the run key's hash."""
    return hashlib.blake2b(os.fsencode(key), digest_size=6).hexdigest()


def find_all(scans: Iterable[Scan]) -> list[Unit]:
    """The runs of several scans, each once, however many roots and links lead to it."""
    return list({unit.key: unit for scan in scans for unit in find_units(scan.root, scan.claims)}.values())


def find_units(root: str, claims: Iterable[Claimed]) -> list[Unit]:
    """The runs below `root`, sorted by folder.

    Args:
        root: real path; run folders behind a link that leads elsewhere are trees of their own.
        claims: of one scan.
    """
    tree = _Node(root)
    elsewhere: dict[str, _Node] = {}
    nodes: dict[str, _Node] = {}
    for claimed in claims:
        if claimed.claim.role is Role.ASIDE:
            continue
        folder = claimed.claim.run_folder
        node = nodes.get(folder)
        if node is None:
            node = nodes[folder] = _node_for(folder, tree, elsewhere)
        node.claims.append(claimed)
    units: list[Unit] = []
    lonely: list[Claimed] = []
    for node in (tree, *elsewhere.values()):
        found, context = _resolve(node)
        units += found
        lonely += context
    units += _of_lonely(units, lonely)
    return sorted(units, key=lambda unit: (unit.folder, unit.part))


def _of_lonely(units: Sequence[Unit], lonely: Iterable[Claimed]) -> list[Unit]:
    """Context without a run around it: of the run whose id is a folder above it, else a run where it tells of one."""
    parts = {unit.part: unit for unit in units if unit.part}
    alone: dict[str, Unit] = {}
    for claimed in lonely:
        names = claimed.claim.run_folder.split(os.sep)
        owner = next((parts[name] for name in reversed(names) if name in parts), None)
        if owner is not None:
            owner.members.append(Member(claimed))
        elif claimed.claim.is_own_run:
            folder = claimed.claim.run_folder
            alone.setdefault(folder, Unit(folder)).members.append(Member(claimed))
    return list(alone.values())


@dataclass(slots=True)
class _Node:
    path: str
    claims: list[Claimed] = field(default_factory=list)
    children: dict[str, _Node] = field(default_factory=dict)


def _node_for(folder: str, tree: _Node, elsewhere: dict[str, _Node]) -> _Node:
    inside = "" if folder == tree.path else path_below(folder, tree.path)
    if inside.startswith(os.pardir + os.sep) or inside == os.pardir:
        base = os.path.dirname(folder)
        node, inside = elsewhere.setdefault(base, _Node(base)), os.path.basename(folder)
    else:
        node = tree
    for name in inside.split(os.sep) if inside else ():
        child = node.children.get(name)
        if child is None:
            child = node.children[name] = _Node(os.path.join(node.path, name))
        node = child
    return node


def _resolve(node: _Node) -> tuple[list[Unit], list[Claimed]]:
    """Runs of the subtree, and context that found no run yet."""
    below: list[Unit] = []
    context: list[Claimed] = []
    for name in sorted(node.children):
        units, pending = _resolve(node.children[name])
        below.extend(units)
        context.extend(pending)
    here, own_files = _split_own_files(node)
    context.extend(claimed for claimed in here if claimed.claim.role is Role.CONTEXT)
    evidence = [claimed for claimed in here if claimed.claim.role is not Role.CONTEXT]
    units = [*own_files, *_place(node.path, evidence, below)]
    return _give_context(node.path, units, context)


def _split_own_files(node: _Node) -> tuple[list[Claimed], list[Unit]]:
    """Two whole trainings in one folder are two runs, named by their files; so is each part of a file with many."""
    alone = [claimed for claimed in node.claims if claimed.claim.is_one_training]
    alone = alone if len(alone) > 1 else []
    parts = [claimed for claimed in node.claims if claimed.claim.part]
    if not alone and not parts:
        return node.claims, []
    own = {id(claimed) for claimed in (*alone, *parts)}
    units = [
        Unit(claimed.claim.path, [Member(claimed)], is_own_file=True, part=claimed.claim.part)
        for claimed in (*alone, *parts)
    ]
    return [claimed for claimed in node.claims if id(claimed) not in own], units


def _place(path: str, evidence: list[Claimed], below: list[Unit]) -> list[Unit]:
    """The units at and below a folder whose own evidence is `evidence`."""
    own = Unit(path, [Member(claimed) for claimed in evidence])
    rest = _fold_parts(own, below)
    if not evidence:
        return [own, *rest] if own.members else rest
    dumps = [claimed for claimed in evidence if claimed.claim.role is Role.DUMP]
    if not dumps and Role.EVENTS in own.roles and not own.roles & {Role.METRICS, Role.TRACKER}:
        return [own, *rest]
    trainings = [unit for unit in rest if not unit.is_dump_only]
    if not rest or (own.has_training and not trainings):
        return [own, *rest]
    if len(rest) == 1 and not _is_training_by_events(own) and _may_draw_up(own, evidence, rest[0]):
        return [_merge(own, rest[0])]
    for unit in rest:
        unit.members.extend(Member(claimed, is_inherited=True) for claimed in dumps)
    return [own, *rest] if own.has_training else rest


def _is_training_by_events(own: Unit) -> bool:
    return Role.EVENTS in own.roles


def _may_draw_up(own: Unit, evidence: list[Claimed], unit: Unit) -> bool:
    """Whether this folder's evidence and the one run below are the same training.

    Two metric files of one kind are two trainings; of two kinds (a monitor's beside a logger's) they are one.
    """
    if unit.is_own_file or _metric_adapters(own) & _metric_adapters(unit):
        return False
    if any(not claimed.claim.is_weak for claimed in evidence):
        return True
    return unit.is_events_only


def _metric_adapters(unit: Unit) -> set[str]:
    kinds = {Role.METRICS, Role.TRACKER}
    own = (member.claimed for member in unit.members if not member.is_inherited)
    return {claimed.adapter for claimed in own if claimed.claim.role in kinds}


def _fold_parts(own: Unit, below: list[Unit]) -> list[Unit]:
    """Take into `own` what is part of its training; the others are returned."""
    if own.members:
        parts = [unit for unit in below if _is_part(own, unit)]
        trackers = [unit for unit in parts if not unit.is_events_only and not unit.is_dump_only]
        if len(trackers) > 1:
            parts = [unit for unit in parts if unit not in trackers]
    else:
        parts = _splits_alone(own.folder, below)
    for unit in parts:
        _take(own, unit)
    taken = {id(part) for part in parts}
    return [unit for unit in below if id(unit) not in taken]


def _splits_alone(folder: str, below: list[Unit]) -> list[Unit]:
    """Splits fold into a folder without evidence of its own when they are not one name among many."""
    direct = [unit for unit in below if os.path.dirname(unit.folder) == folder]
    events = [unit for unit in direct if unit.is_events_only]
    splits = [unit for unit in events if os.path.basename(unit.folder).lower() in SPLITS]
    return splits if len(splits) >= 2 or (splits and len(splits) == len(below)) else []


def _is_part(own: Unit, unit: Unit) -> bool:
    if unit.is_own_file:
        return False
    names = [name.lower() for name in os.path.relpath(unit.folder, own.folder).split(os.sep)]
    if unit.is_events_only:
        known = all(name in SPLITS or name in LOGGERS for name in names)
        return known or (len(names) == 1 and _TIME_NAME.fullmatch(names[0]) is not None)
    if unit.is_dump_only:
        return own.has_training and all(name in DUMP_FOLDERS or name in LOGGERS for name in names)
    return names[0] in LOGGERS and Role.TRACKER in unit.roles


def _merge(own: Unit, unit: Unit) -> Unit:
    _take(own, unit)
    return own


def _take(own: Unit, unit: Unit) -> None:
    names = os.path.relpath(unit.folder, own.folder).split(os.sep)
    added = "/".join(name for name in names if name.lower() in SPLITS)
    for member in unit.members:
        prefix = "/".join(part for part in (added, member.prefix) if part)
        own.members.append(Member(member.claimed, prefix, member.is_inherited))


def _give_context(path: str, units: list[Unit], context: list[Claimed]) -> tuple[list[Unit], list[Claimed]]:
    """Context belongs to the run of its folder or the nearest above; beside several runs it belongs to all of them."""
    own = next((unit for unit in units if unit.folder == path), None)
    if own is not None:
        own.members.extend(Member(claimed) for claimed in context)
        return units, []
    here = [claimed for claimed in context if claimed.claim.run_folder == path]
    if units and here:
        for unit in units:
            unit.members.extend(Member(claimed, is_inherited=True) for claimed in here)
        return units, [claimed for claimed in context if claimed not in here]
    return units, context
