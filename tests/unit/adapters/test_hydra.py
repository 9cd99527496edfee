import json
import os
from pathlib import Path

import pytest

from mlbench.adapters.hydra import ADAPTER
from mlbench.model import Claim, Cursor, Fact, JsonValue, Layer, Listing, Param, Problem, ReadStatus, Role, Source
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats


def read(folder: Path) -> list[Fact]:
    return list(ADAPTER.read(Source(str(folder / ".hydra"), str(folder)), None))


def values(facts: list[Fact], layer: Layer) -> dict[str, JsonValue]:
    return {fact.key: fact.value for fact in facts if isinstance(fact, Param) and fact.layer == layer}


def raws(facts: list[Fact], layer: Layer) -> dict[str, str]:
    return {fact.key: fact.raw for fact in facts if isinstance(fact, Param) and fact.layer == layer}


def problems(facts: list[Fact]) -> list[Problem]:
    return [fact for fact in facts if isinstance(fact, Problem)]


def status(facts: list[Fact]) -> ReadStatus:
    assert isinstance(facts[-1], Cursor)
    return facts[-1].status


@pytest.fixture
def job(tmp_path: Path) -> Path:
    (tmp_path / ".hydra").mkdir()
    return tmp_path


def write(job: Path, name: str, text: str) -> None:
    (job / ".hydra" / name).write_text(text, encoding="utf-8")


def test_a_job_is_claimed_whole(job: Path) -> None:
    write(job, "config.yaml", "lr: 1\n")
    write(job, "overrides.yaml", "[]\n")

    claims = list(ADAPTER.claims(Listing(str(job), (), (".hydra",))))

    folder = str(job / ".hydra")
    follows = (os.path.join(folder, "config.yaml"), os.path.join(folder, "overrides.yaml"))
    assert claims == [Claim(folder, Role.DUMP, str(job), is_closed=True, follows=follows)]


def test_an_empty_hydra_folder_is_none(job: Path) -> None:
    assert list(ADAPTER.claims(Listing(str(job), ("multirun.yaml",), (".hydra",)))) == []


def test_interpolations_keep_their_text_and_follow_simple_paths(job: Path) -> None:
    write(
        job,
        "config.yaml",
        "lr: 0.1\nname: lr${lr}\nalias: ${model.width}\nmodel:\n  width: 64\n  same: ${alias}\nlist: ['${lr}']\n"
        "now: ${now:%Y}/${lr}\nnone: ${model}\nround: ${trip}\ntrip: ${round}\nmust: ???\n",
    )

    facts = read(job)

    found = values(facts, Layer.CONFIG)
    assert found["name"] == "lr0.1"
    assert found["alias"] == 64
    assert found["model.same"] == 64
    assert found["list"] == ["${lr}"]
    assert found["now"] == "${now:%Y}/0.1"
    assert found["none"] == "${model}"
    assert str(found["round"]).startswith("${")
    assert found["must"] is None
    assert raws(facts, Layer.CONFIG)["name"] == "lr${lr}"
    assert raws(facts, Layer.CONFIG)["must"] == "???"
    assert problems(facts) == []


def test_interpolations_cannot_grow_without_end(job: Path) -> None:
    lines = [f"k{number}: ${{k{number + 1}}}${{k{number + 1}}}${{k{number + 1}}}" for number in range(30)]
    write(job, "config.yaml", "\n".join([*lines, "k30: " + "x" * 1000]))

    found = values(read(job), Layer.CONFIG)

    assert max(len(str(value)) for value in found.values()) <= 2000


def test_overrides_are_read_in_every_form(job: Path) -> None:
    write(
        job,
        "overrides.yaml",
        "- lr=.2\n- +new=1e-3\n- ++deep.er=true\n- ~gone\n- model=big\n- l=[1,2]\n- q='a b'\n- bad='x\n- empty=\n"
        "- opt@model.opt=adam\n- n=null\n- {a: 1}\n",
    )

    facts = read(job)

    assert values(facts, Layer.OVERRIDE) == {
        "lr": 0.2,
        "new": 0.001,
        "deep.er": True,
        "gone": None,
        "model": "big",
        "l": [1, 2],
        "q": "a b",
        "bad": "'x",
        "empty": "",
        "opt@model.opt": "adam",
        "n": None,
    }
    assert raws(facts, Layer.OVERRIDE)["gone"] == "~gone"
    path = str(job / ".hydra" / "overrides.yaml")
    assert problems(facts) == [Problem(path, 'an entry is no override and was left out: {"a": 1}', "line 12")]


def test_the_job_tells_how_it_was_made(job: Path) -> None:
    write(
        job,
        "hydra.yaml",
        "hydra:\n  job:\n    name: app\n    num: ???\n    override_dirname: lr=1\n  runtime:\n    version: 1.3.2\n"
        "    choices:\n      model: big\n      hydra/launcher: basic\n      opt@model.opt: adam\n      nothing: null\n",
    )

    facts = read(job)

    assert values(facts, Layer.DERIVED) == {
        "hydra.job.name": "app",
        "hydra.job.override_dirname": "lr=1",
        "hydra.runtime.version": "1.3.2",
        "hydra.runtime.choices.model": "big",
        "hydra.runtime.choices.opt@model.opt": "adam",
    }


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("config.yaml", "- 1\n", "it holds no mapping of parameters"),
        ("config.yaml", "a: [1\n", "the file is not YAML: did not find expected ',' or ']'"),
        ("overrides.yaml", "a: 1\n", "it holds no list of overrides"),
        ("hydra.yaml", "hydra: {job: {name: a, name: b}}\n", "'hydra.job.name' is given twice, a and b. The last one, b, is used"),
        ("config.yaml", "lr: 1\nlr: 2\n", "'lr' is given twice, 1 and 2. The last one, 2, is used"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(job: Path, name: str, text: str, what: str) -> None:
    write(job, name, text)

    assert [(problem.path, problem.what) for problem in problems(read(job))] == [(str(job / ".hydra" / name), what)]


def test_one_broken_file_does_not_hide_the_others(job: Path) -> None:
    write(job, "config.yaml", "a: [1\n")
    write(job, "overrides.yaml", "- lr=1\n")

    facts = read(job)

    assert values(facts, Layer.OVERRIDE) == {"lr": 1}
    assert status(facts) == ReadStatus.DAMAGED


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_empty_files_are_no_problem(job: Path, text: str) -> None:
    for name in ("config.yaml", "overrides.yaml", "hydra.yaml"):
        write(job, name, text)

    facts = read(job)

    assert len(facts) == 1
    assert status(facts) == (ReadStatus.EOF if text else ReadStatus.EMPTY)


def test_a_folder_without_its_files_is_told(job: Path) -> None:
    facts = read(job)

    assert [problem.what for problem in problems(facts)] == ["it holds none of config.yaml, overrides.yaml, hydra.yaml"]
    assert status(facts) == ReadStatus.UNREADABLE


@needs_formats
def test_the_sample_sweep_gives_what_hydra_itself_says() -> None:
    expected = json.loads((FORMATS / "expected.json").read_text())["hydra"]["runs_detail"]

    for name, detail in expected.items():
        facts = read(FORMATS / "hydra" / name)
        written = raws(facts, Layer.CONFIG)
        found = values(facts, Layer.CONFIG)
        for key, param in detail["params"].items():
            assert (written[key] if "${" in str(param["value"]) else found[key]) == param["value"]
        assert found["run_name"] == detail["resolved"]["run_name"]
        given = [f"{key}={raw}" for key, raw in raws(facts, Layer.OVERRIDE).items()]
        assert given == detail["overrides"]
        derived = values(facts, Layer.DERIVED)
        assert derived["hydra.runtime.choices.model"] == detail["model_choice"]
        assert derived["hydra.job.name"] == detail["job_name"]
        assert derived.get("hydra.job.num") == detail.get("job_num")
        assert problems(facts) == []


@needs_corpora
def test_all_jobs_of_a_real_repository_are_read() -> None:
    folders = sorted(path.parent for path in (CORPORA / "hydra-wandb-vime").rglob(".hydra"))

    read_folders = [read(folder) for folder in folders]

    assert len(folders) == 16
    assert [problems(facts) for facts in read_folders] == [[]] * 16
    assert all(status(facts) == ReadStatus.EOF for facts in read_folders)


@needs_corpora
def test_two_real_jobs_differ_in_their_overrides() -> None:
    root = CORPORA / "hydra-wandb-vime" / "multirun"
    small = read(root / "data.n_labeled=100,data.n_workers=0,model=linear")
    large = read(root / "data.n_labeled=1000,data.n_workers=0,model=linear")

    one, other = raws(small, Layer.CONFIG), raws(large, Layer.CONFIG)

    assert {key: (one[key], other[key]) for key in one if one[key] != other[key]} == {"data.n_labeled": ("100", "1000")}
