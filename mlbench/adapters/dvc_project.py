"""DVC: a work tree with `dvc.lock` or `dvc.yaml` (DVC 1 to 3), and what DVCLive wrote in it. One run: its state now.

- Parameters: what `dvc.lock` says the stages ran with; of the parameter files (`params.yaml`, and those that `dvc.yaml`
  names) what the lock does not hold. Where a file was changed since, the lock's value holds and the file's is in the
  default layer.
- Metrics files that `dvc.yaml` names (JSON or YAML), else `metrics.json`: their numbers are metrics of one point. Of
  several files the file's name stands before its keys, except before those of DVCLive.
- DVCLive's `plots/metrics/**/*.tsv`: series named by the path, `train/loss`.
- `*.dvc` files: versions of data sets.

Experiments in git references are another adapter's. Link: https://dvc.org/doc/user-guide/project-structure
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from mlbench.model import Adapter, Claim, Cursor, Fact, JsonValue, Listing, Problem, ReadStatus, Role, Source
from mlbench.wire.content import files_below
from mlbench.wire.dvc import MARKS, FolderFiles, dvc_files, facts_of, open_project


def claims(listing: Listing) -> Iterator[Claim]:
    if any(listing.has(name) for name in MARKS):
        yield Claim(listing.path, Role.TRACKER, listing.path, follows=tuple(_watched(listing)))


def _watched(listing: Listing) -> Iterator[str]:
    """Files whose change is probably of interest: which they are, only the content of `dvc.yaml` says."""
    names = listing.ending("json", "yaml", "yml", "lock")
    yield from (os.path.join(listing.path, name) for name in names)
    yield from (os.path.join(listing.path, name) for name in dvc_files(listing.path))
    if "dvclive" in listing.folders:
        yield from (path for path, _ in files_below(os.path.join(listing.path, "dvclive")))


def read(source: Source, _cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    project = open_project(FolderFiles(source.path))
    if project.lock is None and not project.has_declared and not project.found:
        project.found.append(Problem(source.path, "neither dvc.lock nor dvc.yaml is there any more"))
    yield from facts_of(project)
    status = ReadStatus.DAMAGED if project.found else ReadStatus.EOF
    yield Cursor({}, status, project.points.n_points, len(project.found))


def example(folder: str) -> None:
    """A pipeline of one stage with its lock, metrics, a DVCLive series and a data set."""
    files = {
        "dvc.yaml": "stages:\n  train:\n    cmd: python train.py\n    params: [lr]\n    metrics: [metrics.json]\n",
        "dvc.lock": (
            "schema: '2.0'\nstages:\n  train:\n    cmd: python train.py\n"
            "    params:\n      params.yaml:\n        lr: 0.1\n"
        ),
        "params.yaml": "lr: 0.1\nseed: 3\n",
        "metrics.json": '{"auc": 0.7}',
        "dvclive/metrics.json": '{"train": {"loss": 0.9}, "step": 1}',
        "dvclive/plots/metrics/train/loss.tsv": "step\tloss\n0\t1.0\n1\t0.9\n",
        "data/train.csv.dvc": "outs:\n- md5: 8c7ecfcac1080b352496a9b412c4ab23\n  size: 1987\n  path: train.csv\n",
    }
    for name, text in files.items():
        path = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


ADAPTER = Adapter(
    name="dvc",
    claims=claims,
    read=read,
    example=example,
    version=3,
    formats="DVC pipelines and DVCLive (DVC 1 to 3): dvc.lock, dvc.yaml, params.yaml, metrics files, *.dvc",
    files=("dvc.lock", "dvc.yaml", "*.dvc", "dvclive/"),
)
