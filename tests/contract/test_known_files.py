"""Every file of the real corpora is claimed, part of a claimed record, or known as not ours; and so it stays."""

import fnmatch
import os
from pathlib import Path

from mlbench.adapters import load_adapters
from mlbench.ingest.scan import scan_root
from tests.paths import CORPORA, needs_corpora

NOT_OURS = (
    # About the corpus, or what was copied with it.
    "*/PROVENANCE.md", "*/LICENSE*", "*/license", "INDEX.md", "RUNS.md", "expected_scalars.parquet",
    # Empty files of TensorFlow's profiler.
    "*.profile-empty",
    # Words of programs to people: nothing in them is a number at a step.
    "unity-ml-agents/results/*/run_logs/Player-*.log", "sacred-pymarl/*/cout.txt", "mmdet-faster-rcnn/*.log",
    "*/output.log", "keras-csvlogger/logs/project.log", "keras-csvlogger/logs/classification_report_stage1.txt",
    "hydra-wandb-vime/outputs/*-baselines.txt",
    # A result in one number without a name, or a table without a header.
    "keras-keyword-transformer/*/accuracy_last.txt", "jax-sac-seeds/*/results.txt",
    # What a model looks like, and names of classes.
    "keras-keyword-transformer/*/model_summary.txt", "keras-keyword-transformer/*/labels.txt",
    "hf-lora-agnews/*/adapter_config.json",
    # Of a sweep, a project, an experiment or a tool, and not of one training.
    "hydra-wandb-vime/*/multirun.yaml", "hydra-wandb-vime/*/.hydra/*", "*/checkpoints/best_k_models.yaml",
    "keras-tuner/*/oracle.json", "keras-tuner/*/tuner*.json", "mlflow-optuna-tweets/mlruns/[08]/meta.yaml",
    "args-commandline_args/examples/*.yaml", "args-commandline_args/environment*.yml", "dvc-bank-churn/requirements.txt",
    "dvc-bank-churn/eval_plots/plots/sklearn/roc.json", "dvc-bank-churn/feat_imp.csv",
    # Said more exactly by the `.wandb` file beside them.
    "*/files/wandb-summary.json", "*/files/wandb-metadata.json", "*/files/requirements.txt",
    "*/files/conda-environment.yaml", "*/files/config.yaml",
)  # fmt: skip


@needs_corpora
def test_every_file_of_the_corpora_is_known() -> None:
    scan = scan_root(str(CORPORA.resolve()), load_adapters())
    claimed = {path for one in scan.claims for path in (one.claim.path, *one.claim.follows)}
    closed = tuple(f"{one.claim.path}{os.sep}" for one in scan.claims if one.claim.is_closed)
    root = CORPORA.resolve()

    unknown = [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and str(path) not in claimed and not str(path).startswith(closed)
    ]

    assert [name for name in unknown if not _is_not_ours(name)] == []


@needs_corpora
def test_every_word_on_what_is_not_ours_is_needed() -> None:
    root = Path(CORPORA.resolve())
    names = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]

    assert [pattern for pattern in NOT_OURS if not fnmatch.filter(names, pattern)] == []


def _is_not_ours(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in NOT_OURS)
