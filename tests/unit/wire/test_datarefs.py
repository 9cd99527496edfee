"""Promises of how texts and folders name versions of data."""

from pathlib import Path

import pytest

from mlbench.wire.datarefs import DataRef, dolt_database, lakefs_local, refs_in_environment, refs_in_text

COMMIT = "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"lakefs://digits/{COMMIT}/train/x.csv",
            [DataRef("lakefs", "digits/train/x.csv", COMMIT, True, f"lakefs://digits/{COMMIT}/train/x.csv")],
        ),
        ("--data=lakefs://digits/main/", [DataRef("lakefs", "digits", "main", False, "lakefs://digits/main/")]),
        ("lakefs://NoRepo/main", []),
        ("/pfs/images/1.png", [DataRef("pachyderm", "images", "", False, "/pfs/images")]),
        ("/pfs/out/model", []),
        ("/x/pfs/images", []),
        ("lr = 0.1", []),
    ],
)
def test_addresses_in_texts(text: str, expected: list[DataRef]) -> None:
    assert list(refs_in_text(text)) == expected


def test_a_pachyderm_worker_names_its_inputs() -> None:
    variables = {
        "PACH_JOB_ID": "j",
        "images_COMMIT": "c1",
        "PACH_LABELS_COMMIT_ID": "c2",
        "PACH_OUTPUT_COMMIT_ID": "o",
        "PPS_SPEC_COMMIT": "s",
    }

    assert [(ref.name, ref.version) for ref in refs_in_environment(variables)] == [("images", "c1"), ("labels", "c2")]
    assert list(refs_in_environment({"GIT_COMMIT": "x"})) == []


def test_lakectl_local_pins_a_folder(tmp_path: Path) -> None:
    pinned, uri = tmp_path / "pinned", "lakefs://digits/main/train"
    pinned.mkdir()
    (pinned / ".lakefs_ref.yaml").write_text(f"src: {uri}\nat_head: {COMMIT}\n")

    assert lakefs_local(str(pinned)) == DataRef("lakefs", "digits/train", COMMIT, True, uri)
    assert lakefs_local(str(pinned / "inner")) == DataRef("lakefs", "digits/train/inner", COMMIT, True, uri)
    assert lakefs_local(str(tmp_path / "nothing")) is None


def test_a_dolt_database_is_known_by_its_root(tmp_path: Path) -> None:
    (tmp_path / "db" / ".dolt" / "noms").mkdir(parents=True)
    root = "0123456789abcdefghijklmnopqrstuv"
    (tmp_path / "db" / ".dolt" / "noms" / "manifest").write_text(
        f"5:__DOLT__:{'0' * 32}:{root}:{'0' * 32}:{'1' * 32}:7"
    )
    (tmp_path / "db" / ".dolt" / "repo_state.json").write_text('{"head": "refs/heads/main"}')

    assert dolt_database(str(tmp_path / "db")) == DataRef("dolt", "db", root, True, "main")
    (tmp_path / "db" / ".dolt" / "noms" / "manifest").write_text("9:x")
    assert dolt_database(str(tmp_path / "db")) is None
