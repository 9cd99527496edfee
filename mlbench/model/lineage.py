"""What a run was made from and what became of it, as facts: data, artifacts, arrows, checks, registered models."""

from __future__ import annotations

from mlbench.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class DataVersion:
    """The version of a data set that a run read."""

    system: str
    """dvc, git-lfs, delta, lakefs, dolt, pachyderm, mlflow, hash, ..."""
    name: str
    version: str
    n_rows: int | None = None
    schema: str = ""
    is_pinned: bool = True
    """False: the version is a branch or another name that moves, or it is only guessed."""
    role: str = ""
    """What the run used it for, as recorded: `training`, `validation`, ...; `in its commit` for what it only found."""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file, model or data set that a run read, made, or that lies beside it; described, never loaded."""

    kind: str
    """model, checkpoint, data, figure, metrics, code or file."""
    name: str
    uri: str = ""
    """Path or address, without credentials."""
    digest: str = ""
    """Algorithm and value: `sha256:...`, `md5:...`; '' where none was recorded."""
    size_bytes: int | None = None
    role: str = ""
    """input or output; '' for what merely lies there."""
    detail: str = ""
    """What is known beside: `25 tensors, 3,122 parameters, F32`."""


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """One arrow of the graph from data to model: a step of the run read or wrote an artifact."""

    direction: str
    """input (the step read it) or output (the step made it)."""
    step: str
    """The stage, component or execution; '' for the run as a whole."""
    artifact: str
    """As `Artifact.name`, or the name and version of a data set: `train@v2`."""


@dataclass(frozen=True, slots=True)
class Validation:
    """A check that a model or its data went through: an evaluator's blessing, an infrastructure test, a user's gate."""

    check: str
    verdict: str
    """passed, failed or unknown."""
    baseline: str = ""
    """The model or run that it was compared with."""
    at_s: float | None = None
    """Unix seconds UTC."""
    evidence: str = ""
    """Path or text that says so."""


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A version in a model registry that was made by this run."""

    name: str
    version: str
    aliases: tuple[str, ...] = ()
    """`champion`, `production`; stages of older registries too."""
    status: str = ""
    note: str = ""
    uri: str = ""
    tags: tuple[str, ...] = ()
    """`key=value`, sorted."""
