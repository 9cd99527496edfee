from pathlib import Path

import pytest

from mlbench.adapters.config_file import ADAPTER
from mlbench.model import Claim, Cursor, Fact, Listing, Param, Problem, ReadStatus, Role, Source
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats


def claims(folder: Path, *files: str) -> list[Claim]:
    return list(ADAPTER.claims(Listing(str(folder), files, ())))


def read(path: Path) -> list[Fact]:
    return list(ADAPTER.read(Source(str(path), str(path.parent)), None))


def params(facts: list[Fact]) -> dict[str, tuple[str, object]]:
    return {fact.key: (fact.raw, fact.value) for fact in facts if isinstance(fact, Param)}


@pytest.mark.parametrize(
    ("name", "is_weak"),
    [
        ("config.yaml", True),
        ("config.yml", True),
        ("config.json", True),
        ("config.toml", True),
        ("config.ini", True),
        ("configuration.yaml", True),
        ("hparams.yaml", False),
        ("hparams.json", False),
    ],
)
def test_a_name_that_anything_may_have_is_a_weak_claim(tmp_path: Path, name: str, is_weak: bool) -> None:
    path = str(tmp_path / name)

    assert claims(tmp_path, name) == [Claim(path, Role.DUMP, str(tmp_path), is_weak=is_weak)]


@pytest.mark.parametrize("code", ["train.py", "a.ipynb", "main.cpp", "x.jl", "lib.rs"])
def test_beside_source_code_only_hparams_are_claimed(tmp_path: Path, code: str) -> None:
    found = claims(tmp_path, "config.yaml", "config.json", "hparams.yaml", code)

    assert [claim.path for claim in found] == [str(tmp_path / "hparams.yaml")]


@pytest.mark.parametrize("name", ["train.yaml", "meta.yaml", "args.yaml", "config.py", "conda.yaml"])
def test_other_files_are_left_alone(tmp_path: Path, name: str) -> None:
    assert claims(tmp_path, name) == []


@pytest.mark.parametrize("folder", ["run-20230529_231014-q1b0a7un/files", "offline-run-1-x/files", "job/.hydra"])
def test_what_belongs_to_another_source_is_left_alone(tmp_path: Path, folder: str) -> None:
    assert claims(tmp_path / folder, "config.yaml") == []


def test_a_config_of_sacred_is_left_alone(tmp_path: Path) -> None:
    assert claims(tmp_path, "config.json", "run.json") == []


def test_a_hugging_face_model_is_only_context(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"architectures": ["BertModel"], "transformers_version": "5.0"}')

    assert [claim.role for claim in claims(tmp_path, "config.json")] == [Role.CONTEXT]


def test_yaml_is_read_with_texts_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("optim:\n  lr: 1e-3\nlr: 0.1\nlr: 0.01\n")

    facts = read(path)

    assert facts == [
        Param("optim.lr", "1e-3", 0.001, line=2),
        Param("lr", "0.01", 0.01, line=4),
        Problem(str(path), "'lr' is given twice, 0.1 and 0.01. The last one, 0.01, is used", "line 4"),
        Cursor({}, ReadStatus.EOF, n_records=2, n_bad=1),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", '{"net": {"width": 64}}'),
        ("config.toml", "[net]\nwidth = 64\n"),
        ("config.ini", "[net]\nwidth = 64\n"),
        ("config.yml", "net: {width: 64}\n"),
    ],
)
def test_every_suffix_is_read(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    assert params(read(tmp_path / name)) == {"net.width": ("64", 64)}


def test_a_config_of_wandb_elsewhere_is_unwrapped(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "wandb_version: 1\n_wandb:\n  desc: null\n  value: {cli_version: 1}\nlr:\n  desc: null\n  value: 1e-3\n"
        "net:\n  value:\n    width: 64\nodd: 3\n"
    )

    assert params(read(path)) == {"lr": ("1e-3", 0.001), "net.width": ("64", 64)}


def test_broken_yaml_is_a_problem_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\nb: [1, 2\nc: 3\n")

    assert read(path) == [
        Problem(str(path), "the file is not YAML: did not find expected ',' or ']'", "line 3"),
        Cursor({}, ReadStatus.UNREADABLE, n_bad=1),
    ]


def test_an_lfs_pointer_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n")

    assert read(path) == [
        Problem(str(path), "a Git LFS pointer stands here in place of the file", hint="git lfs pull"),
        Cursor({}, ReadStatus.LFS_POINTER, n_bad=1),
    ]


def test_an_empty_file_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("")

    assert read(path) == [Cursor({}, ReadStatus.EMPTY)]


@needs_formats
def test_lightning_hparams_with_python_tags_are_read() -> None:
    facts = read(FORMATS / "lightning" / "logs" / "exp" / "version_0" / "hparams.yaml")

    assert params(facts) == {
        "act": ("RELU", "RELU"),
        "betas": ("(0.9, 0.999)", [0.9, 0.999]),
        "cfg.a.b": ("1", 1),
        "cfg.lst": ("[1, 2]", [1, 2]),
        "learning_rate": ("0.1", 0.1),
        "ns.a": ("1", 1),
        "od.a": ("1", 1),
        "opt": ("torch.optim.adam.Adam", "torch.optim.adam.Adam"),
        "path": ("/d", "/d"),
        "width": ("8", 8),
    }


@needs_corpora
def test_every_real_config_is_read_without_a_problem() -> None:
    paths = [path for path in CORPORA.rglob("*.y*ml") if claims(path.parent, path.name)]

    problems = [fact for path in paths for fact in read(path) if isinstance(fact, Problem)]

    assert len(paths) > 60
    assert problems == []
