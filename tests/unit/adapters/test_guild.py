"""Guild's runs: flags, words and times; never the environment."""

from pathlib import Path

from mlbench.adapters.guild import ADAPTER
from mlbench.model import Environment, GitState, ImportedTag, Layer, Param, Role
from tests.paths import FORMATS, needs_formats
from tests.unit.adapters.reading import claims_below, fields_of, params_of, problems_of, read, read_only_claim, write

RUN = "440b8f507ad344bcbd8c42942660f2f6"


@needs_formats
def test_a_genuine_run_has_its_flags_words_and_times() -> None:
    facts = read_only_claim(ADAPTER, FORMATS / "guild" / "home" / "runs" / RUN)

    assert params_of(facts) == {"layers": 2, "learning_rate": 0.2, "name": "a b"}
    assert [fact.key for fact in facts if isinstance(fact, Param) and fact.layer is Layer.OVERRIDE] == ["learning_rate"]
    assert fields_of(facts) == {
        "name": "first", "host": "node1", "started": 1795418771.245294, "ended": 1795418771.624997,
        "command": "/opt/venv/bin/python -um guild.op_main train -- --layers 2 --learning_rate 0.2 --name 'a b'",
        "exit_code": 0.0, "status": "finished", "job_type": "train", "project": "proj",
    }  # fmt: skip
    assert [fact.key for fact in facts if isinstance(fact, ImportedTag)] == ["base"]
    assert problems_of(facts) == []


@needs_formats
def test_the_environment_is_never_opened() -> None:
    facts = read_only_claim(ADAPTER, FORMATS / "guild" / "home" / "runs" / RUN)

    assert "do-not-ingest" not in repr(facts)
    assert {fact.key for fact in facts if isinstance(fact, Environment)} == {"python", "os", "cpus"}


@needs_formats
def test_the_trash_and_the_parents_of_batches_are_set_aside() -> None:
    claims = claims_below(ADAPTER, FORMATS / "guild" / "home")

    (trash,) = [claim for claim in claims if claim.path.endswith("/home/trash")]
    assert (trash.role, trash.is_closed) == (Role.ASIDE, True)
    trackers = [claim for claim in claims if claim.role is Role.TRACKER and "/trash/" not in claim.path]
    assert len(trackers) == 3


def test_a_killed_run_its_commit_and_a_run_that_goes_on(tmp_path: Path) -> None:
    write(tmp_path / "a" / ".guild", {"attrs/exit_status": "-15\n", "attrs/vcs_commit": "git:abc123*\n"})
    write(tmp_path / "b" / ".guild", {"attrs/flags": "lr: 1\n", "LOCK": "4242"})

    killed, running = (read_only_claim(ADAPTER, tmp_path / name) for name in "ab")

    assert fields_of(killed)["status"] == "killed"
    assert [(fact.commit, fact.is_dirty) for fact in killed if isinstance(fact, GitState)] == [("abc123", True)]
    assert fields_of(running)["status"] == "running"


def test_attributes_that_are_no_yaml_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    write(
        tmp_path / ".guild", {"attrs/flags": "a: [1\n", "attrs/label": "kept\n", "attrs/pip_freeze": "- torch==2.1\n"}
    )

    (claim,) = claims_below(ADAPTER, tmp_path)
    facts = read(ADAPTER, claim)

    assert fields_of(facts)["name"] == "kept"
    assert len(problems_of(facts)) == 1
    assert [(fact.key, fact.value) for fact in facts if isinstance(fact, Environment)] == [("package:torch", "2.1")]
