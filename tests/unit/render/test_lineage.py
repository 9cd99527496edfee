"""Promises of the tables and the drawing of a lineage."""

import pytest

from mlbench.queries.lineage import Arrow, ArtifactLine, Check, Kin, LineageAnswer, ModelLine
from mlbench.render.cells import plain
from mlbench.render.lineage import graph_lines, lineage_records, lineage_sections, short_digest, short_version
from mlbench.render.table import section_lines

ANSWER = LineageAnswer(
    artifacts=(
        ArtifactLine("data", "examples", "/data/ex", "sha256:" + "ab" * 32, None, "input", "", "/db"),
        ArtifactLine("model", "model\x1b[2J", "", "", 2048, "output", "25 tensors", "/db"),
    ),
    arrows=(
        Arrow("output", "Gen", "examples@1"),
        Arrow("input", "Trainer", "examples@1"),
        Arrow("output", "Trainer", "model"),
        Arrow("input", "Pusher", "model"),
    ),
    checks=(Check("evaluator", "failed", "taxi/1", 1_700_000_000.0, "/blessing"),),
    models=(ModelLine("taxi", "3", ("champion",), "READY", "ok", ""),),
    kin=(Kin("serve", "0" * 12, "reads", "model"),),
)


def test_the_drawing_flows_from_data_to_model() -> None:
    assert plain(graph_lines(ANSWER)).splitlines() == [
        "  └─▶ Gen",
        "        └─▶ examples@1  (read by Trainer)",
        "examples@1  (made by Gen)",
        "  └─▶ Trainer",
        "        └─▶ model  (read by Pusher, read by serve)",
        "model  (made by Trainer, read by serve)",
        "  └─▶ Pusher",
    ]


def test_sections_without_rows_are_left_out() -> None:
    assert lineage_sections(LineageAnswer()) == ()
    assert [section.key for section in lineage_sections(ANSWER)] == ["artifacts", "lineage", "validations", "models"]


def test_a_hostile_name_is_harmless() -> None:
    text = plain(section_lines(lineage_sections(ANSWER), 120))

    assert "\x1b" not in text
    assert "25 tensors" in text
    assert "sha256:abababababab..." in text


def test_records_have_one_row_for_each_fact() -> None:
    assert lineage_records(ANSWER)[-2:] == [
        ("validations", "evaluator", "failed", "taxi/1"),
        ("models", "taxi", "3", "champion"),
    ]


def test_short_digests_stay_whole() -> None:
    assert short_digest("md5:8c7ecfcac1080b35") == "md5:8c7ecfcac1080b35"


@pytest.mark.parametrize(
    ("artifact", "expected"),
    [
        ("data/t.csv@8c7ecfcac1080b352496a9b412c4ab23", "data/t.csv@8c7ecfcac108..."),
        ("imgs@a6b6b743208966993fbda6bfd71627da.dir", "imgs@a6b6b7432089....dir"),
        ("train@v2", "train@v2"),
        ("taxi:Trainer:model:12", "taxi:Trainer:model:12"),
        ("mail@example.org", "mail@example.org"),
    ],
)
def test_a_long_hash_behind_a_name_is_cut(artifact: str, expected: str) -> None:
    assert short_version(artifact) == expected
