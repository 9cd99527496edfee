"""The rules of identity, each on the smallest tree that shows it. A tree is written as `path: adapter role`."""

import os

import pytest

from mlbench.ingest.identity import Unit, find_units, run_id_of
from mlbench.ingest.scan import Claimed
from mlbench.model import Claim, Role

ROOT = "/logs"


def claimed(path: str, kind: str) -> Claimed:
    folder = os.path.dirname(f"{ROOT}/{path}")
    roles = {"events": Role.EVENTS, "metrics": Role.METRICS, "tracker": Role.TRACKER, "context": Role.CONTEXT}
    role = roles.get(kind, Role.METRICS if kind == "training" else Role.DUMP)
    return Claimed(kind, Claim(f"{ROOT}/{path}", role, folder, kind == "weak", kind == "training"))


def runs(*sources: str) -> dict[str, list[str]]:
    """Run folder below the root to its sources, each with its prefix and whether it is inherited."""
    units = find_units(ROOT, [claimed(*source.split(": ")) for source in sources])
    return {os.path.relpath(unit.folder, ROOT): _members(unit) for unit in units}


def _members(unit: Unit) -> list[str]:
    shown = []
    for member in unit.members:
        name = os.path.relpath(member.claimed.claim.path, ROOT)
        shown.append(
            name + (f" as {member.prefix}" if member.prefix else "") + (" inherited" if member.is_inherited else "")
        )
    return sorted(shown)


def test_every_folder_of_events_is_a_run_as_in_tensorboard() -> None:
    assert runs("a/e: events", "b/c/e: events") == {"a": ["a/e"], "b/c": ["b/c/e"]}


def test_several_event_files_of_one_folder_are_one_run() -> None:
    assert runs("a/e1: events", "a/e2: events") == {"a": ["a/e1", "a/e2"]}


def test_splits_fold_into_the_folder_above_and_name_their_metrics() -> None:
    assert runs("a/train/e: events", "a/test/e: events") == {"a": ["a/test/e as test", "a/train/e as train"]}


def test_a_folder_named_train_among_other_runs_is_a_run() -> None:
    assert list(runs("train/e: events", "exp1/e: events")) == ["exp1", "train"]


def test_a_logger_folder_says_nothing_of_the_metrics() -> None:
    assert runs("2/flags.txt: dump", "2/tb/e: events") == {"2": ["2/flags.txt", "2/tb/e"]}


def test_a_single_chain_of_event_folders_folds_without_a_prefix() -> None:
    tree = runs("X_3/0.monitor.csv: metrics", "X_3/X/args.yml: dump", "X_3/X/PPO_1/e: events")

    assert tree == {"X_3": ["X_3/0.monitor.csv", "X_3/X/PPO_1/e", "X_3/X/args.yml"]}


def test_a_dump_above_several_runs_belongs_to_all_of_them() -> None:
    tree = runs("ppo/configuration.yaml: weak", "ppo/A/e: events", "ppo/B/e: events")

    assert tree == {
        "ppo/A": ["ppo/A/e", "ppo/configuration.yaml inherited"],
        "ppo/B": ["ppo/B/e", "ppo/configuration.yaml inherited"],
    }


def test_a_config_above_the_only_run_is_of_that_run() -> None:
    assert list(runs("5/configuration.yaml: weak", "5/Seeker/e: events")) == ["5"]


def test_a_plain_config_does_not_draw_up_a_run_that_has_a_dump_of_its_own() -> None:
    tree = runs("p/config.yaml: weak", "p/run1/args.json: dump", "p/run1/e: events")

    assert tree == {"p/run1": ["p/config.yaml inherited", "p/run1/args.json", "p/run1/e"]}


def test_a_dump_alone_in_a_leaf_folder_is_a_run_without_metrics() -> None:
    assert runs("x/hparams.yaml: dump") == {"x": ["x/hparams.yaml"]}


def test_a_tracker_inside_a_hydra_job_is_the_same_run() -> None:
    tree = runs("job/.hydra: dump", "job/wandb/run-1/run-1.wandb: tracker")

    assert list(tree) == ["job"]


def test_two_trackers_inside_one_job_are_two_runs_that_inherit_its_dump() -> None:
    tree = runs("job/.hydra: dump", "job/wandb/run-1/a.wandb: tracker", "job/wandb/run-2/b.wandb: tracker")

    assert list(tree) == ["job/wandb/run-1", "job/wandb/run-2"]
    assert "job/.hydra inherited" in tree["job/wandb/run-1"]


def test_hparams_children_named_by_a_time_fold_into_their_parent() -> None:
    assert runs("r/e: events", "r/1614857751.69/e: events") == {"r": ["r/1614857751.69/e", "r/e"]}


def test_folders_named_by_a_time_without_a_parent_run_are_runs() -> None:
    assert list(runs("1614857751/e: events", "1614857752/e: events")) == ["1614857751", "1614857752"]


def test_two_whole_trainings_in_one_folder_are_two_runs() -> None:
    assert list(runs("logs/one.csv: training", "logs/two.csv: training")) == ["logs/one.csv", "logs/two.csv"]


def test_metric_files_of_one_kind_in_a_folder_and_below_are_two_runs() -> None:
    assert list(runs("outer/metrics.csv: metrics", "outer/inner/metrics.csv: metrics")) == ["outer", "outer/inner"]


def test_metric_files_of_two_kinds_in_a_folder_and_below_are_one() -> None:
    assert list(runs("outer/monitor.csv: tracker", "outer/logs/progress.csv: metrics")) == ["outer"]


def test_one_whole_training_belongs_to_its_folder_with_the_events_below() -> None:
    tree = runs("k/training.csv: training", "k/train/e: events", "k/validation/e: events", "k/cm/e: events")

    assert tree == {"k": ["k/cm/e as cm", "k/train/e as train", "k/training.csv", "k/validation/e as validation"]}


def test_context_beside_a_run_belongs_to_it_and_above_several_to_all() -> None:
    tree = runs("s/git.json: context", "s/a/e: events", "s/b/e: events", "s/b/git.json: context")

    assert tree["s/a"] == ["s/a/e", "s/git.json inherited"]
    assert tree["s/b"] == ["s/b/e", "s/b/git.json", "s/git.json inherited"]


def test_context_below_a_run_belongs_to_it() -> None:
    assert runs("r/e: events", "r/meta/git.json: context") == {"r": ["r/e", "r/meta/git.json"]}


def test_context_alone_is_no_run() -> None:
    assert runs("x/git.json: context") == {}


def test_the_root_itself_may_be_a_run() -> None:
    assert list(runs("e: events")) == ["."]


@pytest.mark.parametrize("key", ["/a", "/b/ü", "/c/\udcff"])
def test_run_ids_are_twelve_digits_whatever_the_path(key: str) -> None:
    assert len(run_id_of(key)) == 12
    assert run_id_of(key) == run_id_of(key)


def test_context_below_a_store_belongs_to_the_run_whose_id_is_a_folder_above_it() -> None:
    parts = [Claim("/r/mlflow.db", Role.TRACKER, "/r", part=run_id, mark="1") for run_id in ("aa", "bb")]
    packages = Claim("/r/mlruns/0/bb/artifacts/m/requirements.txt", Role.CONTEXT, "/r/mlruns/0/bb/artifacts/m")
    other = Claim("/r/x/requirements.txt", Role.CONTEXT, "/r/x")

    units = find_units("/r", [Claimed("a", claim) for claim in (*parts, packages, other)])

    assert [(unit.part, len(unit.members)) for unit in units] == [("aa", 1), ("bb", 2)]
