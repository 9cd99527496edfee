"""Promises of the tables and the drawing of a lineage."""

from mlbench.queries.lineage import Arrow, ArtifactLine, Check, Kin, LineageAnswer, ModelLine
from mlbench.render.cells import plain
from mlbench.render.lineage import graph_lines, lineage_records, lineage_sections, short_digest
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
