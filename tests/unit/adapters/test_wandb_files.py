import json
import math
import os
from pathlib import Path

import pytest

from mlbench.adapters.wandb_files import ADAPTER
from mlbench.model import (
    Artifact,
    Blob,
    DataVersion,
    Environment,
    GitState,
    ImportedTag,
    LineageEdge,
    Points,
    ReadStatus,
    Role,
)
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats
from tests.unit.adapters.reading import (
    assert_params,
    assert_series,
    claims_below,
    cursor_of,
    expected,
    fields_of,
    params_of,
    points_of,
    problems_of,
    read,
    read_only_claim,
    series_of,
    write,
)
from tests.unit.wire.wandb_builder import history, item, log, number, text

FOLDER = "run-20230529_231014-q1b0a7un"


def wandb_folder(folder: Path, *records: bytes, **files: str) -> Path:
    names = {
        "config": "files/config.yaml",
        "metadata": "files/wandb-metadata.json",
        "summary": "files/wandb-summary.json",
    }
    contents: dict[str, str | bytes] = {f"{FOLDER}/{names[name]}": content for name, content in files.items()}
    if records:
        contents[f"{FOLDER}/run-q1b0a7un.wandb"] = log(*records)
    return write(folder, contents)


@needs_corpora
def test_the_corpora_hold_three_closed_run_folders() -> None:
    claims = claims_below(ADAPTER, CORPORA)

    assert len(claims) == 3
    assert all(claim.role is Role.TRACKER and claim.is_closed for claim in claims)


@needs_corpora
def test_an_online_run_of_client_0_15_is_read_whole() -> None:
    claim = next(claim for claim in claims_below(ADAPTER, CORPORA / "hydra-wandb-vime") if "q1b0a7un" in claim.path)

    facts = read(ADAPTER, claim)

    assert series_of(facts)["valid-score"] == (64, 0, 126, 0.7735000252723694)
    assert series_of(facts)["train-loss"] == (64, 1, 127, 0.7807384729385376)
    assert params_of(facts)["n_augments"] == 3
    assert fields_of(facts)["command"] == (
        "-m joblib.externals.loky.backend.popen_loky_posix --multirun data.n_workers=0 -- data.n_labeled=100,1000"
    )
    (git,) = [fact for fact in facts if isinstance(fact, GitState)]
    assert git.commit == "5e24d42cae13f79b283e5d8456cf384fdc232b8c"
    assert "example.org" not in repr(facts)


@needs_corpora
def test_an_offline_run_of_client_0_10_without_history_is_read() -> None:
    facts = read_only_claim(ADAPTER, CORPORA / "wandb-offline-run")

    assert {name.split("/")[0] for name in series_of(facts)} == {"system"}
    assert fields_of(facts)["project"] == "code-toad"
    assert fields_of(facts)["started"] == 1613519047.0
    assert Environment("python", "3.7.5") in facts


@needs_formats
def test_it_agrees_with_what_is_known_of_the_sample() -> None:
    known = expected("wandb")["runs_detail"]
    claims = {os.path.basename(claim.path)[-8:]: claim for claim in claims_below(ADAPTER, FORMATS / "wandb")}

    assert len(claims) == 4
    for want in known.values():  # type: ignore[attr-defined]
        facts = read(ADAPTER, claims[want["id"]])
        fields = fields_of(facts)
        assert_series(facts, want["series"])
        assert_params(facts, want["params"])
        assert points_of(facts, "best") == [(32, want["summary"]["best"])]
        assert {name for name in series_of(facts) if not name.startswith("system/")} == {*want["series"], "best"}
        assert (fields["name"], fields["project"], fields["group"], fields["job_type"]) == (
            want["name"],
            "demo",
            "g",
            "train",
        )
        assert (fields["note"], fields["host"], fields["exit_code"]) == ("first try", "node1", 0)
        assert fields["status"] == "finished"
        tags = [(fact.key, fact.value) for fact in facts if isinstance(fact, ImportedTag)]
        assert tags[:-1] == [(tag, "") for tag in want["tags"]]
        assert tags[-1] == ("wandb.step_metric", ",".join(f"{k}={v}" for k, v in want["step_metric"].items()))
        assert cursor_of(facts).state == {"rows": want["history_rows"]}
        assert {name: points_of(facts, name)[-1][1] for name in want["summary"]} == want["summary"]
        assert math.isnan(points_of(facts, "nan")[3][1])


@needs_formats
def test_images_tables_and_matrices_are_told_by_their_files() -> None:
    (claim,) = [claim for claim in claims_below(ADAPTER, FORMATS / "wandb") if "zkzh591j" in claim.path]

    blobs = [fact for fact in read(ADAPTER, claim) if isinstance(fact, Blob)]

    assert sorted((blob.kind, blob.metric, blob.step) for blob in blobs if blob.step == 32) == [
        ("confusion", "cm_table", 32),
        ("image", "img", 32),
    ]
    (image,) = [blob for blob in blobs if (blob.metric, blob.step) == ("img", 32)]
    assert (image.encoding, image.width, image.height, image.length) == ("png", 4, 4, 69)
    assert image.file == "files/media/images/img_32_d6325bd24a66141e9be5.png"
    assert os.path.getsize(os.path.join(claim.run_folder, image.file)) == image.length


@needs_formats
def test_the_newest_version_of_an_artifact_is_told_without_local_paths() -> None:
    (claim,) = [claim for claim in claims_below(ADAPTER, FORMATS / "wandb") if "zkzh591j" in claim.path]

    facts = read(ADAPTER, claim)

    assert [fact for fact in facts if isinstance(fact, Artifact)] == [
        Artifact("run_table", "run-zkzh591j-cm_table", digest="wandb:28a175c11fdeeaaae650b4762c68ee90", size_bytes=595,
                 role="output", detail="1 file, latest")
    ]  # fmt: skip
    assert LineageEdge("output", "", "run-zkzh591j-cm_table") in facts
    assert "/home/ana" not in repr(facts)


def test_an_artifact_that_was_used_is_an_input(tmp_path: Path) -> None:
    folder = wandb_folder(tmp_path, text(25, text(1, "QXJ0") + text(2, "dataset") + text(3, "team/demo/train:v3")))

    facts = read_only_claim(ADAPTER, folder)

    assert Artifact("dataset", "team/demo/train:v3", role="input") in facts
    assert LineageEdge("input", "", "team/demo/train:v3") in facts


@pytest.mark.parametrize(
    ("kind", "name", "version"),
    [
        ("dataset", "team/demo/train:v3", DataVersion("wandb", "team/demo/train", "v3")),
        ("raw_data", "train:latest", DataVersion("wandb", "train", "latest", is_pinned=False)),
        ("Dataset", "train", DataVersion("wandb", "train", "", is_pinned=False)),
        ("model", "net:v3", None),
    ],
)
def test_a_data_set_that_was_used_is_a_data_version(
    tmp_path: Path, kind: str, name: str, version: DataVersion | None
) -> None:
    folder = wandb_folder(tmp_path, text(25, text(1, "QXJ0") + text(2, kind) + text(3, name)))

    found = [fact for fact in read_only_claim(ADAPTER, folder) if isinstance(fact, DataVersion)]

    assert found == ([version] if version else [])


@pytest.mark.parametrize("path", ["../../secret.png", "/etc/passwd", "media/../../secret.png", "", "media"])
def test_media_outside_of_the_runs_own_folder_is_left_alone(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    value = json.dumps({"_type": "image-file", "path": path})
    folder = wandb_folder(tmp_path, history(_step="0", img=value), config="a: {value: 1}")

    assert [fact for fact in read_only_claim(ADAPTER, folder) if isinstance(fact, Blob)] == []


def test_a_log_that_stands_alone_is_a_training_by_itself(tmp_path: Path) -> None:
    write(tmp_path, {"run-a.wandb": log(history(_step="0", loss="1.5")), "._run-a.wandb": b"x"})

    (claim,) = claims_below(ADAPTER, tmp_path)

    assert claim.is_one_training
    assert points_of(read(ADAPTER, claim), "loss") == [(0, 1.5)]


def test_folders_that_only_begin_like_a_run_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"run-0/train/events": "x", "run-1/files/a": "x", FOLDER + "/notes.txt": "x"})

    assert claims_below(ADAPTER, tmp_path) == []


def test_media_and_internal_values_are_no_metrics(tmp_path: Path) -> None:
    row = item("_step", "5") + item("_runtime", "3") + item(("_wandb", "x"), "1") + item("flag", "true")
    row += (
        item(("hist", "_type"), '"histogram"') + item(("hist", "values", "n"), "3") + item(("net", "a"), '"Infinity"')
    )
    row += item("img", '{"_type": "image-file", "width": 4}') + item("nested", '{"b": {"c": 2}}') + item("name", '"x"')
    wandb_folder(tmp_path, text(2, row + item("", "1") + text(1, text(16, "7"))))

    facts = read_only_claim(ADAPTER, tmp_path)

    assert series_of(facts) == {"flag": (1, 5, 5, 1.0), "net.a": (1, 5, 5, math.inf), "nested.b.c": (1, 5, 5, 2.0)}


def test_rows_without_a_step_are_counted(tmp_path: Path) -> None:
    wandb_folder(
        tmp_path, history(a="1"), text(2, item("a", "2") + text(2, number(1, 7))), history(a="3", _timestamp="1e999")
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "a") == [(0, 1.0), (7, 2.0), (8, 3.0)]
    assert all(math.isnan(wall) for fact in facts if isinstance(fact, Points) for wall in fact.wall_s)


def test_later_words_replace_earlier_ones(tmp_path: Path) -> None:
    run = text(17, text(8, "first") + text(10, "a") + text(4, item("lr", "0.1") + item("net", "3") + item("gone", "1")))
    change = item(("net", "width"), "64") + item("lr", "0.2") + text(2, text(1, "gone"))
    wandb_folder(
        tmp_path, run, text(17, text(8, "second") + text(12, "sweep1")), text(5, change), text(18, number(1, 3))
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"lr": 0.2, "net.width": 64}
    assert fields_of(facts) == {"name": "second", "group": "sweep1", "exit_code": 3, "status": "failed"}
    assert ImportedTag("a") in facts


def test_keys_that_nest_absurdly_are_left_out(tmp_path: Path) -> None:
    wandb_folder(tmp_path, text(5, item(tuple("x" * 40), "1") + text(2, text(2, "a") * 40)))

    assert params_of(read_only_claim(ADAPTER, tmp_path)) == {}


def test_the_files_beside_say_what_the_log_does_not(tmp_path: Path) -> None:
    wandb_folder(
        tmp_path,
        config="wandb_version: 1\n_wandb: {value: {cli_version: 1}}\nlr: {desc: null, value: 0.1}\nnet: {value: {w: 3}}\n",
        metadata='{"python": "3.11", "startedAt": "2023-05-30T03:10:14Z", "program": "t.py", "args": ["--a", "b c"], '
        '"git": {"remote": "https://x:y@h/r", "commit": "c0ffee"}, "email": "ana@example.org", "gpu": "A100"}',
        summary='{"loss": 0.5, "_step": 9, "_timestamp": 100.5, "_wandb": {"runtime": 3}}',
    )

    facts = read_only_claim(ADAPTER, tmp_path)

    assert params_of(facts) == {"lr": 0.1, "net.w": 3}
    assert points_of(facts, "loss") == [(9, 0.5)]
    assert fields_of(facts) == {"entry_point": "t.py", "command": "t.py --a 'b c'", "started": 1685416214.0}
    assert GitState("c0ffee", "recorded", remote="https://h/r") in facts
    assert Environment("gpu", "A100") in facts
    assert "ana@example.org" not in repr(facts)
    assert cursor_of(facts).status is ReadStatus.EMPTY


def test_a_cut_log_is_no_problem(tmp_path: Path) -> None:
    content = log(history(_step="0", a="1"), history(_step="1", a="2"))
    write(tmp_path, {f"{FOLDER}/x.wandb": content[:-3]})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert points_of(facts, "a") == [(0, 1.0)]
    assert problems_of(facts) == []
    assert cursor_of(facts).status is ReadStatus.TRUNCATED


@pytest.mark.parametrize(
    ("content", "problems", "status"),
    [
        (b"", [], ReadStatus.EMPTY),
        (b"SQLite format 3", ["x.wandb: this is no W&B log: it does not begin with ':W&B'"], ReadStatus.UNREADABLE),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            ["x.wandb: this is a Git LFS pointer, the file itself is not here"],
            ReadStatus.LFS_POINTER,
        ),
        (log(b"\xff\xff", history(a="1")), ["x.wandb: 1 record was damaged and left out"], ReadStatus.DAMAGED),
        (
            log(b"\xff\xff")[:-1] + b"\0" + log(b"\xff")[7:],
            ["x.wandb: 2 records were damaged and left out (offset 7)"],
            ReadStatus.DAMAGED,
        ),
    ],
)
def test_how_the_log_ends_is_told(tmp_path: Path, content: bytes, problems: list[str], status: ReadStatus) -> None:
    write(tmp_path, {f"{FOLDER}/x.wandb": content})

    facts = read_only_claim(ADAPTER, tmp_path)

    assert problems_of(facts) == problems
    assert cursor_of(facts).status is status


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    wandb_folder(tmp_path, history(a="1"), config="[", metadata="{", summary="[]")
    (claim,) = claims_below(ADAPTER, tmp_path)

    facts = read(ADAPTER, claim)

    assert [problem.split(":")[0] for problem in problems_of(facts)] == ["config.yaml", "wandb-metadata.json"]
    assert cursor_of(facts).status is ReadStatus.DAMAGED
    for name in ("run-q1b0a7un.wandb", "files/config.yaml"):
        os.remove(tmp_path / FOLDER / name)
        os.mkfifo(tmp_path / FOLDER / name)
    facts = read(ADAPTER, claim)
    assert [problem.split(":")[1] for problem in problems_of(facts)][:2] == [
        " this is not a regular file, it was not read"
    ] * 2
    assert cursor_of(facts).status is ReadStatus.UNREADABLE


def test_what_was_measured_of_the_machine_has_a_prefix_and_its_times(tmp_path: Path) -> None:
    def sample(second: int, **values: str) -> bytes:
        items = (text(3, text(1, name) + text(16, json)) for name, json in values.items())
        return text(7, text(2, number(1, second)) + b"".join(items))

    rows = (
        history(_step="7", loss="0.5"),
        sample(1_700_000_000, cpu="12.5", note='"idle"'),
        sample(1_700_000_010, cpu="80"),
    )
    wandb_folder(tmp_path, *rows)

    facts = read_only_claim(ADAPTER, tmp_path)

    assert set(series_of(facts)) == {"loss", "system/cpu"}
    assert points_of(facts, "system/cpu") == [(0, 12.5), (1, 80.0)]
    (points,) = [fact for fact in facts if isinstance(fact, Points) and fact.metric == "system/cpu"]
    assert points.wall_s.tolist() == [1_700_000_000.0, 1_700_000_010.0]


def rules_of(folder: Path) -> list[str]:
    facts = read_only_claim(ADAPTER, folder)
    return [fact.value for fact in facts if isinstance(fact, ImportedTag) and fact.key == "wandb.step_metric"]


def rule(name: str, over: str = "", *, index: int = 0, is_whole: bool = False, is_glob: bool = False) -> bytes:
    """A record of `define_metric`."""
    said = text(2 if is_glob else 1, name) + (text(4, over) if over else b"") + (number(5, index) if index else b"")
    return text(12, said + text(6, number(3, 1)) + (text(9, number(1, 1)) if is_whole else b""))


def test_rules_add_to_those_before_unless_they_replace_them(tmp_path: Path) -> None:
    wandb_folder(
        tmp_path,
        rule("val/*", "epoch", is_glob=True), rule("a", "epoch"), rule("a"), rule("b", "epoch"), rule("b", is_whole=True),
        rule("c", "epoch"), rule("c", "round"),
    )  # fmt: skip

    assert rules_of(tmp_path) == ["val/*=epoch", "a=epoch", "c=round"]


def test_a_name_that_was_defined_alone_is_drawn_over_the_step_in_spite_of_a_pattern(tmp_path: Path) -> None:
    wandb_folder(tmp_path, rule("val/loss"), rule("lr"), rule("val/*", "epoch", is_glob=True))

    assert rules_of(tmp_path) == ["val/loss=", "val/*=epoch"]


def test_a_step_metric_may_be_named_by_its_place_and_dots_are_as_in_metrics(tmp_path: Path) -> None:
    wandb_folder(tmp_path, rule("x"), rule("n\\.epoch"), rule("val\\.loss", index=2), rule("bad", index=9))

    assert rules_of(tmp_path) == ["val.loss=n.epoch"]


def test_rules_in_the_configuration_hold_where_no_log_is(tmp_path: Path) -> None:
    config = (
        "wandb_version: 1\n_wandb:\n  value:\n    m:\n    - 1: trainer/global_step\n      6: [3]\n"
        "    - 1: val/loss\n      5: 1\n      6: [1]\n    - '2': test/*\n      '4': epoch\n    - 5: 1\n    - odd\n"
    )
    wandb_folder(tmp_path, config=config)

    assert rules_of(tmp_path) == ["val/loss=trainer/global_step", "test/*=epoch"]


@needs_corpora
def test_lightnings_pattern_draws_all_but_the_step_itself_over_it() -> None:
    claim = next(claim for claim in claims_below(ADAPTER, CORPORA / "hydra-wandb-vime") if "q1b0a7un" in claim.path)

    rules = [fact.value for fact in read(ADAPTER, claim) if isinstance(fact, ImportedTag) and "=" in fact.value]

    assert rules == ["trainer/global_step=", "*=trainer/global_step"]
