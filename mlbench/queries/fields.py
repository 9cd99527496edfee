"""The fields of a run that filters, columns and sorts know: name, SQL over the view `runs r`, and kind."""

from __future__ import annotations

from mlbench.dataclass import dataclass
from mlbench.queries.tree import PLAIN_FIELDS


@dataclass(frozen=True, slots=True)
class Field:
    sql: str
    """Expression over the view `runs`, named `r`; '' for those that have several values."""
    kind: str
    """text, mixed (numbers compare as numbers), status, time, duration, number, bool, tag or note."""


FIELDS = {
    "name": Field("r.name", "mixed"),
    "id": Field("r.id", "text"),
    "project": Field("r.project", "text"),
    "group": Field('r."group"', "text"),
    "status": Field("r.status", "status"),
    "started": Field("r.started", "time"),
    "ended": Field("CASE WHEN r.status NOT IN ('running', 'stalled') THEN r.ended END", "time"),
    "duration": Field("r.duration", "duration"),
    "user": Field('r."user"', "text"),
    "host": Field("r.host", "text"),
    "tag": Field("", "tag"),
    "note": Field("", "note"),
    "archived": Field("r.archived", "bool"),
    "command": Field("r.command", "text"),
    "path": Field("r.path", "text"),
    "baseline": Field("r.baseline", "bool"),
    "root": Field("r.root", "text"),
    "entry_point": Field("r.entry_point", "text"),
    "job_type": Field("r.job_type", "text"),
    "exit_code": Field("r.exit_code", "number"),
    "parent_id": Field("r.parent_id", "text"),
    "adapters": Field("r.adapters", "text"),
    "n_metrics": Field("r.n_metrics", "number"),
    "n_points": Field("r.n_points", "number"),
    "number": Field("(SELECT n.number FROM run_number n WHERE n.run_id = r.id)", "number"),
}
"""`run.NAME` and `attributes.NAME`; the names in PLAIN_FIELDS need no prefix."""

GIT = {
    "commit": Field("commit_id", "commit"),
    "branch": Field("branch", "text"),
    "dirty": Field("is_dirty", "bool"),
    "remote": Field("remote", "text"),
    "how": Field("how", "text"),
    "subject": Field("subject", "text"),
}
"""`git.NAME`, over the table `code`."""

CODE_RANK = "CASE how WHEN 'recorded' THEN 0 WHEN 'tracked' THEN 1 WHEN 'reflog' THEN 2 ELSE 3 END"
CODE_CERTAINTY = f"{CODE_RANK}, commit_id"
"""ORDER BY terms over the table `code`: of several states of the code the one that is known best comes first."""

STATUSES = ("running", "finished", "failed", "killed", "stalled", "missing", "no metrics", "scheduled")
"""All that a status can be; the last one is MLflow's and never true here."""


MLFLOW_TAGS = {
    "mlflow.runName": ("field", "name"), "mlflow.user": ("field", "user"), "mlflow.note.content": ("field", "note"),
    "mlflow.parentRunId": ("field", "parent_id"), "mlflow.source.name": ("field", "entry_point"),
    "mlflow.source.git.commit": ("git", "commit"), "mlflow.source.git.branch": ("git", "branch"),
    "mlflow.source.git.repoURL": ("git", "remote"),
}  # fmt: skip
"""Tags that MLflow writes by itself, and where the same stands here: kind and name."""

NOT_KEPT = {
    ("field", "artifact_uri"): "where MLflow put the artifacts is not kept. Try: path ~ 'mlruns'",
    ("dataset", "context"): "what a data set was used for is not kept. Try: dataset.name = 'train-set'",
}
"""What MLflow can be asked, and the catalog does not hold: a clear line each."""


def field_name(name: str) -> str | None:
    """The field that a word after `run.` or `attributes.` means, MLflow's spellings included; None if there is none."""
    lower = name.lower()
    return lower if lower in FIELDS else PLAIN_FIELDS.get("run_name" if lower == "run name" else lower)
