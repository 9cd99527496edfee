"""A run's lineage as tables, and as a graph of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlbench.render.cells import Cell, Line, line_of
from mlbench.render.numbers import moment_of, size, timestamp
from mlbench.render.table import Section, Table, heading
from mlbench.safe import Safe, safe, text_of_path

if TYPE_CHECKING:
    from mlbench.queries.answers import Value
    from mlbench.queries.lineage import Arrow, ArtifactLine, Check, LineageAnswer, ModelLine

_VERDICT_ROLES = {"passed": "good", "failed": "bad"}
WHOLE_RUN = "the run"
"""The step of an arrow that names none."""


def lineage_sections(answer: LineageAnswer) -> tuple[Section, ...]:
    """Artifacts, lineage, validations and registered models; those without rows are left out."""
    sections = (
        Section("artifacts", safe(f"artifacts ({len(answer.artifacts)})"), _artifact_table(answer.artifacts)),
        Section("lineage", safe(f"lineage ({len(answer.arrows)})"), _arrow_table(answer)),
        Section("validations", safe(f"validations ({len(answer.checks)})"), _check_table(answer.checks)),
        Section("models", safe(f"models ({len(answer.models)})"), _model_table(answer.models)),
    )
    return tuple(section for section in sections if section.table.rows)


def _artifact_table(artifacts: tuple[ArtifactLine, ...]) -> Table:
    rows = tuple(
        (
            Cell(safe(one.role or "beside"), "muted"),
            Cell(safe(one.kind)),
            Cell(safe(text_of_path(one.name)), "key"),
            Cell(safe("-" if one.size_bytes is None else size(one.size_bytes)), "muted", "right"),
            Cell(safe(short_digest(one.digest)), "muted"),
            Cell(safe(one.detail or one.uri)),
        )
        for one in artifacts
    )
    titles = (heading("role"), heading("kind"), heading("name"), heading("size", align="right"))
    return Table((*titles, heading("digest"), heading("what is known")), rows)


def short_digest(digest: str) -> str:
    """`sha256:0123456789ab...` for a long digest: twelve digits tell any two files of a person apart."""
    system, colon, value = digest.rpartition(":")
    if len(system) > 12:  # no hash: a pipeline's own fingerprint, of many parts
        return f"{digest[:24]}..."
    return f"{system}{colon}{value[:12]}..." if len(value) > 16 else digest


def short_version(artifact: str) -> str:
    """`data/train.csv@8c7ecfcac108...` of a data set whose version is a long hash; other names as they are."""
    name, at, version = artifact.rpartition("@")
    digest, dot, ending = version.partition(".")
    is_hash = len(digest) > 16 and all(digit in "0123456789abcdef" for digit in digest)
    return f"{name}{at}{digest[:12]}...{dot}{ending}" if at and is_hash else artifact


def _arrow_table(answer: LineageAnswer) -> Table:
    """One row for each artifact that a step reads or makes, steps in the order in which data flows."""
    rows = tuple(_arrow_row(arrow, _others(answer, arrow)) for arrow in answer.arrows)
    return Table((heading("step"), heading(""), heading("artifact"), heading("also")), rows)


def _arrow_row(arrow: Arrow, also: str) -> tuple[Cell, ...]:
    verb = "reads" if arrow.direction == "input" else "makes"
    return (
        Cell(safe(arrow.step or WHOLE_RUN), "key"),
        Cell(safe(verb), "muted"),
        Cell(safe(short_version(arrow.artifact))),
        Cell(safe(also), "muted"),
    )


def _others(answer: LineageAnswer, arrow: Arrow) -> str:
    """The other runs that made it, or that read it too."""
    verbs = {"made": "made by", "reads": "read by"}
    parts = [f"{verbs[kin.how]} {kin.name}" for kin in answer.kin if kin.artifact == arrow.artifact]
    return ", ".join(dict.fromkeys(parts))


def _check_table(checks: tuple[Check, ...]) -> Table:
    rows = tuple(
        (
            Cell(safe(check.name), "key"),
            Cell(safe(check.verdict), _VERDICT_ROLES.get(check.verdict, "warning")),
            Cell(safe(check.baseline)),
            Cell(_when(check.at_s), "muted"),
            Cell(safe(text_of_path(check.evidence)), "muted"),
        )
        for check in checks
    )
    return Table((heading("check"), heading("verdict"), heading("against"), heading("when"), heading("evidence")), rows)


def _model_table(models: tuple[ModelLine, ...]) -> Table:
    rows = tuple(
        (
            Cell(safe(model.name), "key"),
            Cell(safe(model.version), "", "right"),
            Cell(safe(", ".join(model.aliases)), "good"),
            Cell(safe(model.status), "muted"),
            Cell(safe(model.note)),
        )
        for model in models
    )
    titles = (heading("model"), heading("version", align="right"), heading("aliases"), heading("status"))
    return Table((*titles, heading("note")), rows)


def _when(at_s: float | None) -> Safe:
    moment = None if at_s is None else moment_of(at_s)
    return safe("" if moment is None else timestamp(moment))


def lineage_records(answer: LineageAnswer) -> list[tuple[Value, ...]]:
    """Flat rows `section`, `key`, `value`, `detail`."""
    rows: list[tuple[Value, ...]] = [
        ("artifacts", one.name, one.digest or one.uri or None, one.role or "beside") for one in answer.artifacts
    ]
    rows += [("lineage", arrow.step or WHOLE_RUN, arrow.artifact, arrow.direction) for arrow in answer.arrows]
    rows += [("validations", check.name, check.verdict, check.baseline or None) for check in answer.checks]
    rows += [("models", model.name, model.version, ", ".join(model.aliases) or None) for model in answer.models]
    return rows


# ---------------------------------------------------------------- the graph


def graph_lines(answer: LineageAnswer) -> tuple[Line, ...]:
    """The steps as a drawing in which data flows downwards: what a step reads, the step, what it makes.

    ```
    examples@1  (made by CsvExampleGen)
      └─▶ Trainer
            └─▶ model  (read by Evaluator, Pusher)
    ```
    """
    lines: list[Line] = []
    for step in dict.fromkeys(arrow.step for arrow in answer.arrows):
        own = [arrow for arrow in answer.arrows if arrow.step == step]
        lines += [_arrow_line("", arrow, answer) for arrow in own if arrow.direction == "input"]
        lines.append(line_of(("  └─▶ ", "muted"), (step or WHOLE_RUN, "key")))
        lines += [_arrow_line("        └─▶ ", arrow, answer) for arrow in own if arrow.direction == "output"]
    return tuple(lines)


def _arrow_line(indent: str, arrow: Arrow, answer: LineageAnswer) -> Line:
    """An artifact with the steps and runs at its other ends."""
    steps = [other.step or WHOLE_RUN for other in answer.arrows
             if other.artifact == arrow.artifact and other.direction != arrow.direction]  # fmt: skip
    verb = "made by" if arrow.direction == "input" else "read by"
    also = [f"{verb} {', '.join(dict.fromkeys(steps))}"] if steps else []
    also += [others] if (others := _others(answer, arrow)) else []
    return line_of(
        (indent, "muted"), (short_version(arrow.artifact), ""), (f"  ({', '.join(also)})" if also else "", "muted")
    )
