from pathlib import Path

import pytest

from mlbench.adapters.absl_flags import ADAPTER
from mlbench.model import Claim, Cursor, Fact, Listing, Param, Problem, ReadStatus, Role, Source
from tests.paths import CORPORA, needs_corpora


def claims(folder: Path, *files: str) -> list[Claim]:
    return list(ADAPTER.claims(Listing(str(folder), files, ())))


def read(path: Path) -> list[Fact]:
    return list(ADAPTER.read(Source(str(path), str(path.parent)), None))


@pytest.mark.parametrize("name", ["flagfile.txt", "train.flagfile"])
def test_a_flag_file_is_claimed_by_its_name(tmp_path: Path, name: str) -> None:
    assert claims(tmp_path, name) == [Claim(str(tmp_path / name), Role.DUMP, str(tmp_path))]


def test_flags_txt_is_claimed_by_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "flags.txt"

    path.write_text("--lr=0.1\n")
    assert len(claims(tmp_path, "flags.txt", "args.txt")) == 1

    path.write_text("Namespace(lr=0.1)")
    assert claims(tmp_path, "flags.txt") == []


def test_flags_are_read_with_their_lines(tmp_path: Path) -> None:
    ADAPTER.example(str(tmp_path))

    assert read(tmp_path / "flags.txt") == [
        Param("batch_size", "256", 256, line=1),
        Param("env_name", "Walker2d-v2", "Walker2d-v2", line=2),
        Param("amp", "--noamp", value=False, line=3),
        Param("layers", "[1, 2]", ["1", "2"], line=4),
        Cursor({}, ReadStatus.EOF, n_records=4),
    ]


def test_a_file_without_flags_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "flagfile.txt"
    path.write_text("hello\n")

    assert read(path) == [
        Problem(str(path), "the file holds no flags"),
        Cursor({}, ReadStatus.UNREADABLE, n_bad=1),
    ]


def test_an_empty_file_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "flagfile.txt"
    path.write_text("\n")

    assert read(path) == [Cursor({}, ReadStatus.EMPTY)]


@needs_corpora
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_real_flags_hold_only_what_the_program_defined(seed: int) -> None:
    facts = read(CORPORA / "jax-sac-seeds" / "logs" / "results" / "Walker2d-v2" / str(seed) / "flags.txt")

    assert {fact.key: fact.value for fact in facts if isinstance(fact, Param)} == {
        "batch_size": 256,
        "env_name": "Walker2d-v2",
        "eval_episodes": 10,
        "eval_interval": 5000,
        "log_interval": 1000,
        "max_steps": 1000000,
        "save_dir": f"logs/results/Walker2d-v2/{seed}/",
        "seed": seed,
        "start_training": 10000,
    }
