"""Promises of folding: runs that repeat each other are found without a word of configuration."""

import pytest

from mlbench.catalog.reader import open_reader
from mlbench.ingest.run import ingest_paths
from mlbench.paths import find_home
from mlbench.queries.folding import fold_runs, is_place, is_seed, name_pattern
from mlbench.queries.grouping import group_runs
from mlbench.queries.runs import find_runs
from tests.paths import CORPORA, needs_corpora
from tests.unit.queries.conftest import FakeReader


def sweep(reader: FakeReader, **more: object) -> list[str]:
    """Two settings with two seeds each."""
    ids = []
    for lr in (0.1, 0.01):
        for seed in (0, 1):
            run_id = reader.add_run(f"lr{lr}/seed{seed}")
            reader.add_params(run_id, lr=lr, seed=seed, output_dir=f"/out/{lr}/{seed}", depth=3)
            ids.append(run_id)
    for key, value in more.items():
        reader.add_param(ids[-1], key, value)
    return ids


def test_seeds_and_output_paths_make_no_setting(empty: FakeReader) -> None:
    ids = sweep(empty)

    found = fold_runs(empty, ids)

    assert [(fold.values, fold.run_ids) for fold in found.folds] == [
        ((0.1,), (ids[0], ids[1])),
        ((0.01,), (ids[2], ids[3])),
    ]
    assert [column.spec for column in found.columns] == ["params.lr"]
    assert found.set_aside == ("output_dir", "seed")
    assert found.is_repeated


def test_a_parameter_that_one_run_alone_has_makes_a_setting(empty: FakeReader) -> None:
    ids = sweep(empty, dropout=0.5)

    found = fold_runs(empty, ids)

    assert [fold.run_ids for fold in found.folds] == [(ids[0], ids[1]), (ids[2],), (ids[3],)]
    assert {column.title for column in found.columns} == {"lr", "dropout"}


def test_what_shall_not_count_can_be_ignored(empty: FakeReader) -> None:
    ids = sweep(empty, dropout=0.5)

    assert len(fold_runs(empty, ids, ignore=["drop*"]).folds) == 2
    assert len(fold_runs(empty, ids, ignore=["params.dropout"]).folds) == 2
    assert len(fold_runs(empty, ids, ignore=["dropout", "lr"]).folds) == 1


def test_equal_numbers_in_other_spellings_are_one_setting(empty: FakeReader) -> None:
    ids = [empty.add_run(name) for name in "abcd"]
    for run_id, lr, layers in zip(ids, (0.001, "1e-3", 0.1, 0.1), ([1, 2], "1,2", "1, 2", [1, 2]), strict=True):
        empty.add_params(run_id, lr=lr, layers=layers)

    assert [fold.run_ids for fold in fold_runs(empty, ids).folds] == [(ids[0], ids[1]), (ids[2], ids[3])]


def test_other_code_and_other_data_are_other_settings(empty: FakeReader) -> None:
    ids = [empty.add_run(name, project="digits") for name in "abcd"]
    for run_id, commit, version in zip(ids, "1122", ("v1", "v1", "v1", "v2"), strict=True):
        empty.add_params(run_id, lr=0.1)
        empty.add("code", run_id=run_id, commit_id=commit * 40, how="recorded")
        empty.add("data_version", run_id=run_id, name="digits", version=version)

    found = fold_runs(empty, ids)

    assert [fold.run_ids for fold in found.folds] == [(ids[0], ids[1]), (ids[2],), (ids[3],)]
    assert [fold.values for fold in found.folds] == [("1" * 10, "v1"), ("2" * 10, "v1"), ("2" * 10, "v2")]


def test_a_commit_that_is_a_guess_tells_no_settings_apart(empty: FakeReader) -> None:
    ids = [empty.add_run(name) for name in "ab"]
    for run_id, commit in zip(ids, "12", strict=True):
        empty.add_params(run_id, lr=0.1)
        empty.add("code", run_id=run_id, commit_id=commit * 40, how="guess")

    assert len(fold_runs(empty, ids).folds) == 1


def test_runs_without_parameters_fold_by_their_names(empty: FakeReader) -> None:
    ids = [empty.add_run(name) for name in ("pong/dqn_1", "pong/dqn_2", "pong/noisy_1")]

    found = fold_runs(empty, ids)

    assert [(fold.values, len(fold.run_ids)) for fold in found.folds] == [(("pong/dqn_*",), 2), (("pong/noisy_*",), 1)]


def test_what_changes_along_is_named_and_not_shown(empty: FakeReader) -> None:
    ids = [empty.add_run(name) for name in "abcd"]
    for run_id, size in zip(ids, (1, 1, 2, 2), strict=True):
        empty.add_params(run_id, size=size, width=size * 64)

    found = fold_runs(empty, ids)

    assert ([column.title for column in found.columns], found.along) == (["size"], ("width",))


@pytest.mark.parametrize("key", ["seed", "train.seed", "np_random_seed", "random_state", "localRank", "host", "resume"])
def test_seeds_are_known_by_their_names(key: str) -> None:
    assert is_seed(key)


@pytest.mark.parametrize("key", ["lr", "seedling", "data_dir", "n_hosts", "ranking_loss"])
def test_settings_are_no_seeds(key: str) -> None:
    assert not is_seed(key)
    assert not is_place(key)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("ppo/Hopper-v0_3", "ppo/Hopper-v*_*"), ("seed0", "seed*"), ("resnet50", "resnet50"), ("a/0/b", "a/*/b"),
        ("2026-01-12_10-11-12/x", "*/x"), ("lr0.1-s2", "lr0.1-s*"), ("run-deadbeef01", "run-*"), ("vit-b", "vit-b"),
    ],
)  # fmt: skip
def test_the_pattern_of_a_name_hides_what_repeats(name: str, pattern: str) -> None:
    assert name_pattern(name) == pattern


def test_groups_by_setting_say_what_was_set_aside(empty: FakeReader) -> None:
    for number, run_id in enumerate(sweep(empty)):
        empty.add_series(run_id, "loss", [float(number)])

    answer = group_runs(empty, ["setting"], columns=["loss"], sort=["loss:desc"])

    assert [(row.keys, [cell.value for cell in row.cells], row.n_ended_well) for row in answer.rows] == [
        ((0.01,), [2.5], 2),
        ((0.1,), [0.5], 2),
    ]
    assert answer.remarks[-1] == "runs that differ only in output_dir, seed (or in time and place) are of one setting"


def test_where_nothing_repeats_the_way_names_every_parameter_that_keeps_the_runs_apart(empty: FakeReader) -> None:
    for schedule, text in (("const", "0.2"), ("lin", "lin_0.2")):
        for env, steps in (("walker", 100), ("hopper", 200)):
            run_id = empty.add_run(f"{env}/{schedule}")
            empty.add_params(run_id, schedule=schedule, env=env, clip=text, steps=steps, batch=steps, seed=len(text))

    honest = group_runs(empty, ["setting"])
    folded = group_runs(empty, ["setting"], ignore=["schedule", "clip"])

    assert honest.n_groups == 4
    assert honest.remarks[-1] == (
        "no run repeats another: they differ in batch, clip. "
        "Try: --ignore clip --ignore schedule, for 2 groups of 2 runs"
    )
    assert [len(row.run_ids) for row in folded.rows] == [2, 2]


def test_where_no_parameter_keeps_the_runs_apart_no_way_is_told(empty: FakeReader) -> None:
    for number in range(2):
        run_id = empty.add_run(f"r{number}")
        empty.add_params(run_id, lr=0.1)
        empty.add("code", run_id=run_id, commit_id=f"{number}" * 40, how="recorded")

    assert group_runs(empty, ["setting"]).remarks[-1] == "no run repeats another: they differ in git.commit"


def test_a_setting_may_stand_beside_other_groups(empty: FakeReader) -> None:
    sweep(empty)

    answer = group_runs(empty, ["setting, depth as d"], columns=["params.seed"], sort=["d"])

    assert [column.title for column in answer.by] == ["lr", "d"]
    assert [row.keys for row in answer.rows] == [(0.01, 3), (0.1, 3)]


@needs_corpora
def test_three_seeds_of_a_real_corpus_fold_and_three_schedules_do_not(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = find_home(str(tmp_path_factory.mktemp("folds") / "home"))
    ingest_paths(home, [str(CORPORA / name) for name in ("jax-sac-seeds", "sb3-ppo-three-seeds")])
    with open_reader(home) as reader:
        sac, ppo = (
            [row.head.run_id for row in find_runs(reader, columns=None, within=[str(CORPORA / name)]).rows]
            for name in ("jax-sac-seeds", "sb3-ppo-three-seeds")
        )

        assert [len(fold.run_ids) for fold in fold_runs(reader, sac).folds] == [3]
        # Its runs 1, 2, 3 have other seeds, and other schedules of the clip range (const, lin, exp): no repetitions.
        honest = fold_runs(reader, ppo)
        assert {len(fold.run_ids) for fold in honest.folds} == {1}
        assert [column.title for column in honest.columns] == ["schedule", "env"]
        assert honest.way is not None
        assert honest.way.ignored == ("schedule", "hyperparams.clip_range_initialvalue", "hyperparams")
        assert honest.way.sizes == (3,) * 6
        for ignore in (["schedule", "hyperparams*"], honest.way.ignored):
            assert [len(fold.run_ids) for fold in fold_runs(reader, ppo, ignore=ignore).folds] == [3] * 6
