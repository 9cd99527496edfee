"""Where a run's model comes from and what became of it: artifacts, arrows, checks and registered versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mlbench.dataclass import dataclass
from mlbench.queries.reading import Reader


@dataclass(frozen=True, slots=True)
class ArtifactLine:
    """A file, model or data set of a run; an unknown size is None."""

    kind: str
    name: str
    uri: str
    digest: str
    size_bytes: int | None
    role: str
    """input, output or '' for what lies beside the run."""
    detail: str
    source: str


@dataclass(frozen=True, slots=True)
class Arrow:
    direction: str
    """input or output, seen from the step."""
    step: str
    """'' for the run as a whole."""
    artifact: str


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    verdict: str
    """passed, failed or unknown."""
    baseline: str
    at_s: float | None
    evidence: str


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A version in a model registry that the run made."""

    name: str
    version: str
    aliases: tuple[str, ...]
    status: str
    note: str
    uri: str


@dataclass(frozen=True, slots=True)
class Kin:
    """A run that shares an artifact with another: it made what that one read, or reads what that one made."""

    name: str
    run_id: str
    how: str
    """made or reads."""
    artifact: str


@dataclass(frozen=True, slots=True)
class LineageAnswer:
    """What is known of a run's lineage; all empty where nothing was recorded."""

    artifacts: tuple[ArtifactLine, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    checks: tuple[Check, ...] = ()
    models: tuple[ModelLine, ...] = ()
    kin: tuple[Kin, ...] = ()


_ARTIFACTS = """SELECT kind, name, coalesce(uri, ''), coalesce(digest, ''), size_bytes, coalesce(role, ''),
    coalesce(detail, ''), coalesce(source, '')
FROM artifacts WHERE run_id = ? ORDER BY CASE role WHEN 'input' THEN 0 WHEN 'output' THEN 1 ELSE 2 END, kind, name"""
_CHECKS = """SELECT check_name, verdict, coalesce(baseline, ''), at_s, coalesce(evidence, '') FROM validation
WHERE run_id = ? ORDER BY at_s NULLS FIRST, check_name"""
_MODELS = """SELECT name, version, coalesce(aliases, []), coalesce(status, ''), coalesce(note, ''), coalesce(uri, '')
FROM model_versions WHERE run_id = ? ORDER BY name, len(version), version"""
_KIN = """SELECT DISTINCT r.name, r.id, CASE theirs.direction WHEN 'output' THEN 'made' ELSE 'reads' END,
    theirs.artifact
FROM lineage ours JOIN lineage theirs ON theirs.artifact = ours.artifact AND theirs.direction <> ours.direction
    AND theirs.run_id <> ours.run_id JOIN runs r ON r.id = theirs.run_id
WHERE ours.run_id = ? ORDER BY 4, 3, 1 LIMIT 200"""


def fetch_lineage(reader: Reader, run_id: str) -> LineageAnswer:
    """What was recorded of a run's inputs, outputs, checks and registered models; nothing for an unknown run."""
    arrows = _in_order(Arrow(*row) for row in reader.rows(
        "SELECT direction, step, artifact FROM lineage WHERE run_id = ?", [run_id]
    ))  # fmt: skip
    return LineageAnswer(
        artifacts=tuple(ArtifactLine(*row) for row in reader.rows(_ARTIFACTS, [run_id])),
        arrows=arrows,
        checks=tuple(Check(*row) for row in reader.rows(_CHECKS, [run_id])),
        models=tuple(
            ModelLine(name, version, tuple(aliases), *rest)
            for name, version, aliases, *rest in reader.rows(_MODELS, [run_id])
        ),
        kin=tuple(Kin(*row) for row in reader.rows(_KIN, [run_id])) if arrows else (),
    )


def _in_order(arrows: Iterable[Arrow]) -> tuple[Arrow, ...]:
    """Each arrow once, steps in the order in which the data flows: what reads another's product stands behind it."""
    once = sorted(set(arrows), key=lambda arrow: (arrow.step, arrow.direction, arrow.artifact))
    depths = step_depths(once)
    return tuple(sorted(once, key=lambda arrow: depths[arrow.step]))


def step_depths(arrows: Sequence[Arrow]) -> dict[str, int]:
    """For each step, the longest way to it from a step that reads nothing another makes; circles are cut."""
    makers: dict[str, set[str]] = {}
    for arrow in arrows:
        if arrow.direction == "output":
            makers.setdefault(arrow.artifact, set()).add(arrow.step)
    needs: dict[str, set[str]] = {arrow.step: set() for arrow in arrows}
    for arrow in arrows:
        if arrow.direction == "input":
            needs[arrow.step] |= makers.get(arrow.artifact, set()) - {arrow.step}
    depths = dict.fromkeys(needs, 0)
    for _ in depths:
        changed = False
        for step, before in needs.items():
            deepest = min(1 + max((depths[name] for name in before), default=-1), len(depths))
            if deepest > depths[step]:
                depths[step], changed = deepest, True
        if not changed:
            break
    return depths
