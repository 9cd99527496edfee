"""Every file of the real corpora is claimed, part of a claimed record, or known as not ours; and so it stays."""

import fnmatch
import os
from pathlib import Path

from mlbench.adapters import load_adapters
from mlbench.ingest.scan import scan_root
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats

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


NOT_OURS_OF_FORMATS = (
    # About the samples, the programs that wrote them, and archives to be unpacked.
    ".gitattributes", "README.md", "expected.json", "*/make*.py", "*/make.sh", "*/app.py", "*/flags.py", "*.tar.gz",
    "*/train.py", "*/guild.yml", "*/cfg.py", "sacred/my_runs/_sources/*", "hydra/conf/model/*.yaml",
    # The same options in shapes that have no name by which they are known: whoever has one names it in a mapping.
    "argparse/args_*", "argparse/*argv*", "argparse/cmd.sh", "argparse/flags_*", "argparse/namespace.log",
    "argparse/pformat.txt", "argparse/table.txt",
    # Beside source code a plain config.* is the program's, and says nothing of a run.
    "mlcollections/*",
    # Said more exactly by a file beside it, or the same again.
    "gin/config.gin", "sb3/logs/progress.json", "sb3/logs/log.txt", "hf/out/all_results.json",
    "mmengine/work_dirs/cfg/*/vis_data/2*.json", "rlzoo/logs/ppo/*/best_model.zip", "*/multirun.yaml",
    "mlmd/pipeline_root/*", "mlflow/mlruns/*/models/*", "mlflow/mlruns/*/datasets/*", "mlflow/mlruns/*/meta.yaml",
    # Data, models, notes of other programs, and what was printed.
    "delta/table/*", "dvc/*_diff.json", "dvc/refs.txt", "gitlfs/*.txt", "mlflow/art_*", "models/savedmodel/*",
    "kfp/local_outputs/*/train/model", "tfevents/torch/*", "clearml/*/a.json", "clearml/*/log.jsonl", "*/app.log",
    "*/out.log", "sacred/my_runs/*/a.txt", "sacred/my_runs/*/cout.txt", "*.lock",
    # Templates of notebooks, and Guild's own files: the environment is never looked at.
    "notebooks/bad.ipynb", "notebooks/train.ipynb", "guild/home/cache/*", "guild/home/locks/*",
    "guild/home/runs/*/.guild/*", "guild/home/runs/*/model.bin",
)  # fmt: skip


@needs_corpora
def test_every_file_of_the_corpora_is_known() -> None:
    assert unknown_below(CORPORA, NOT_OURS) == []


@needs_formats
def test_every_file_of_the_samples_is_known() -> None:
    assert unknown_below(FORMATS, NOT_OURS_OF_FORMATS) == []


def unknown_below(folder: Path, not_ours: tuple[str, ...]) -> list[str]:
    """Files that no adapter claims and that no pattern names."""
    root = folder.resolve()
    scan = scan_root(str(root), load_adapters())
    claimed = {path for one in scan.claims for path in (one.claim.path, *one.claim.follows)}
    closed = tuple(f"{one.claim.path}{os.sep}" for one in scan.claims if one.claim.is_closed)
    names = [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and str(path) not in claimed and not str(path).startswith(closed)
    ]
    return [name for name in names if not any(fnmatch.fnmatchcase(name, pattern) for pattern in not_ours)]


@needs_corpora
@needs_formats
def test_every_word_on_what_is_not_ours_is_needed() -> None:
    for folder, not_ours in ((CORPORA, NOT_OURS), (FORMATS, NOT_OURS_OF_FORMATS)):
        root = folder.resolve()
        names = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]

        assert [pattern for pattern in not_ours if not fnmatch.filter(names, pattern)] == []
