from pathlib import Path

import pytest

from mlbench.adapters.argparse_dump import ADAPTER
from mlbench.model import Claim, Cursor, Fact, Layer, Listing, Param, Problem, ReadStatus, Role, RunField, Source
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats


def claims(folder: Path, *files: str) -> list[Claim]:
    return list(ADAPTER.claims(Listing(str(folder), files, ())))


def read(path: Path, *, run_folder: Path | None = None) -> list[Fact]:
    return list(ADAPTER.read(Source(str(path), str(run_folder or path.parent)), None))


def params(facts: list[Fact], layer: Layer = Layer.CONFIG) -> dict[str, object]:
    return {fact.key: fact.value for fact in facts if isinstance(fact, Param) and fact.layer == layer}


@pytest.mark.parametrize(
    "name", ["args.json", "args.yaml", "opt.txt", "train_opt.txt", "cfg_args", "commandline_args.txt"]
)
def test_a_dump_is_claimed_by_its_name(tmp_path: Path, name: str) -> None:
    assert claims(tmp_path, name) == [Claim(str(tmp_path / name), Role.DUMP, str(tmp_path))]


def test_flags_are_claimed_unless_they_are_of_absl(tmp_path: Path) -> None:
    path = tmp_path / "flags.txt"

    path.write_text("Namespace(lr=0.1)")
    assert len(claims(tmp_path, "flags.txt")) == 1

    path.write_text("--lr=0.1\n")
    assert claims(tmp_path, "flags.txt") == []


def test_a_command_is_a_weak_claim_where_it_is_one(tmp_path: Path) -> None:
    path = tmp_path / "command.txt"

    path.write_text("python train.py --lr 0.1\n")
    assert [claim.is_weak for claim in claims(tmp_path, "command.txt")] == [True]

    path.write_text("buy milk\n")
    assert claims(tmp_path, "command.txt") == []


def test_options_and_their_defaults_are_layers(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))

    facts = read(tmp_path / "train_opt.txt")

    assert facts == [
        Param("lr", "0.0001", 0.0001, Layer.DEFAULT, 3),
        Param("batch_size", "1", 1, Layer.CONFIG, 2),
        Param("lr", "0.0002", 0.0002, Layer.CONFIG, 3),
        Param("layers", "[3, 4]", [3, 4], Layer.CONFIG, 4),
        Cursor({}, ReadStatus.EOF, n_records=4),
    ]


def test_a_command_line_is_kept_with_its_script(tmp_path: Path) -> None:
    path = tmp_path / "command.txt"
    path.write_text("python -m rl_zoo3.train --algo ppo -n 600\n")

    facts = read(path)

    assert RunField("command", "python -m rl_zoo3.train --algo ppo -n 600") in facts
    assert RunField("entry_point", "rl_zoo3.train") in facts
    assert params(facts, Layer.CLI) == {"algo": "ppo", "n": 600}


@pytest.mark.parametrize(("n_timesteps", "layer"), [(600, Layer.OVERRIDE), (-1, Layer.DEFAULT)])
def test_the_steps_given_to_rl_zoo_replace_those_of_its_config(tmp_path: Path, n_timesteps: int, layer: Layer) -> None:
    folder = tmp_path / "Pong-v4_1" / "Pong-v4"
    folder.mkdir(parents=True)
    path = folder / "args.yml"
    path.write_text(f"algo: ppo\nn_timesteps: {n_timesteps}\n")
    [claim] = claims(folder, "args.yml", "config.yml")

    facts = read(path, run_folder=Path(claim.run_folder))

    assert claim.run_folder == str(tmp_path / "Pong-v4_1")
    assert params(facts, layer) == {"n_timesteps": n_timesteps}
    assert params(facts) == {"algo": "ppo"}


def test_what_is_no_dump_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "args.txt"
    path.write_text("hello world\n")

    assert read(path) == [
        Problem(str(path), "the file has no shape that parameters are known to have"),
        Cursor({}, ReadStatus.UNREADABLE, n_bad=1),
    ]


def test_bytes_that_are_not_utf_8_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "args.txt"
    path.write_bytes(b"lr=0.1\nname=caf\xe9\n")

    facts = read(path)

    assert params(facts) == {"lr": 0.1, "name": "caf\ufffd"}
    assert [fact.place for fact in facts if isinstance(fact, Problem)] == ["line 2"]
    assert isinstance(facts[-1], Cursor)
    assert facts[-1].status == ReadStatus.DAMAGED


@needs_formats
def test_rl_zoo_samples_fold_into_their_run() -> None:
    folder = FORMATS / "rlzoo" / "logs" / "ppo" / "CartPole-v1_1" / "CartPole-v1"

    found = claims(folder, "args.yml", "command.txt", "config.yml")

    assert [(claim.path, claim.run_folder) for claim in found] == [
        (str(folder / "args.yml"), str(folder.parent)),
        (str(folder / "command.txt"), str(folder.parent)),
    ]


@needs_corpora
@pytest.mark.parametrize(
    ("path", "n_params", "key", "value"),
    [
        ("args-cfg_args-namespace/output/train/cfg_args", 10, "model_path", "D:/Projects/3DGS/output/train"),
        ("args-commandline_args/commandline_args.txt", 71, "lr", 0.0004),
        ("args-train_opt-txt/checkpoints/experiment_name/train_opt.txt", 43, "lr", 0.0002),
        ("keras-keyword-transformer/models_data_v2_12_labels/kwt2/flags.txt", 80, "d_model", 128),
        ("keras-keyword-transformer/models_data_v2_12_labels/kwt2/flags.json", 80, "d_model", 128),
    ],
)
def test_real_dumps_are_read(path: str, n_params: int, key: str, value: object) -> None:
    facts = read(CORPORA / path)

    assert [fact for fact in facts if isinstance(fact, Problem)] == []
    assert len(params(facts)) == n_params
    assert params(facts)[key] == value
