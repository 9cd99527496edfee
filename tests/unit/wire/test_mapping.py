"""The user's mapping: what its rules say, and how its mistakes are told."""

from pathlib import Path

import pytest

from mlbench.wire.mapping import FileMapping, Rule, ending_of, glob_of, is_named, load_mapping, rule_of


def load(folder: Path, text: str) -> FileMapping:
    path = folder / "m.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(str(path))


def told(mapping: FileMapping) -> list[tuple[str, str, str]]:
    return [(problem.place, problem.what, problem.hint) for problem in mapping.problems]


def test_a_rule_says_what_columns_are_and_keeps_its_line(tmp_path: Path) -> None:
    mapping = load(
        tmp_path,
        "files:\n  # ours\n  - match: '*.csv'\n    step: t\n    params: lr\n    rename: {a: b}\n    ignore: [x, 'y*']\n",
    )

    ((line, rule),) = mapping.rules
    assert line == 3
    assert (rule.step, rule.params, rule.rename, rule.ignore) == ("t", ("lr",), {"a": "b"}, ("x", "y*"))
    assert rule_of(rule.text) == rule
    assert mapping.problems == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stepp: t", ("line 3", "'stepp' is no key of a rule", "did you mean 'step'? For example: step: iteration")),
        ("wall: t\n    wall_unit: hours", ("line 4", "'wall_unit' takes one of s, ms, us, ns, iso, not 'hours'", "for example: wall_unit: ms")),
        ("metric: name", ("line 2", "'metric' names metrics, and 'value' their values: it is missing", "for example: value: value")),
        ("wall_unit: s", ("line 2", "'wall_unit' is the unit of 'wall', which is missing", "for example: wall: time")),
        ("run: a\n    each: folder", ("line 2", "'run' already says what a run is, 'each' cannot stand beside it", "for example: run: run_id")),
        ("step: [a, b]", ("line 3", "'step' takes one word, not '[a, b]'", "for example: step: iteration")),
        ("params: {a: b}", ("line 3", "'params' takes one name or a list of names, not '{a: b}'", "for example: params: [lr, seed]")),
        ("rename: [a]", ("line 3", "'rename' takes old names with new ones, not '[a]'", "for example: rename: {loss: train/loss}")),
        ("step: a\n    step: b", ("line 4", "'step' is given twice in one rule", "keep one of them")),
        ("format: json\n    separator: ';'", ("line 2", "'separator', 'columns' and 'comment' are for CSV files", "for example: format: jsonl")),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_what_was_expected_and_an_example(
    text: str, problem: tuple[str, str, str], tmp_path: Path
) -> None:
    mapping = load(tmp_path, f"files:\n  - match: '*.csv'\n    {text}\n  - match: '*.json'\n")

    assert told(mapping) == [problem]
    assert [rule.match for _line, rule in mapping.rules] == ["*.json"]  # the others hold


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "a list of rules was expected in 'files'"),
        ("files: a.csv\n", "a list of rules was expected in 'files'"),
        ("files:\n  - a.csv\n", "a rule was expected, with 'match' first, not 'a.csv'"),
        ("files: [\n", "the mapping is not YAML: did not find expected node content"),
        ("runs: []\nfiles:\n  - match: a\n", "'runs' is no part of a mapping, only 'files' is"),
        ("files:\n  - step: t\n", "a rule needs 'match', the files that it is for"),
    ],
)
def test_what_is_no_mapping_is_told_with_how_one_begins(text: str, what: str, tmp_path: Path) -> None:
    (problem, *_others) = told(load(tmp_path, text))

    assert problem[1] == what
    assert "match:" in problem[2]


def test_a_file_that_changed_is_read_anew_and_one_that_is_gone_says_nothing(tmp_path: Path) -> None:
    first = load(tmp_path, "files:\n  - match: a.csv\n")
    second = load(tmp_path, "files:\n  - match: other.csv\n")
    (tmp_path / "m.yaml").unlink()

    assert [mapping.rules[0][1].match for mapping in (first, second)] == ["a.csv", "other.csv"]
    assert load_mapping(str(tmp_path / "m.yaml")).rules == ()


@pytest.mark.parametrize(
    ("glob", "path", "is_one"),
    [
        ("*.csv", "/logs/a/b.csv", True),
        ("*.csv", "/logs/a/b.csv.gz", False),
        ("results/*.csv", "/logs/results/b.csv", True),
        ("results/*.csv", "/logs/myresults/b.csv", False),
        ("results/*.csv", "/logs/results/deep/b.csv", False),
        ("exp/**/log.json", "/logs/exp/log.json", True),
        ("exp/**/log.json", "/logs/exp/a/b/log.json", True),
        ("run-[0-9]?.csv", "/logs/run-10.csv", True),
        ("run-[!0-9].csv", "/logs/run-1.csv", False),
        ("a+b(1).csv", "/logs/a+b(1).csv", True),
    ],
)
def test_a_glob_is_compared_from_the_right(glob: str, path: str, is_one: bool) -> None:
    assert bool(glob_of(glob).search(path)) == is_one


def test_columns_and_endings_of_globs() -> None:
    assert is_named("val/loss", ("val/*",))
    assert is_named("a/b/c", ("a*",))
    assert not is_named("loss", ("val_*", "los"))
    assert [ending_of(glob) for glob in ("*.CSV", "a/*", "b.*", "log")] == ["csv", "", "", ""]


def test_the_format_is_the_rule_s_else_the_ending_s() -> None:
    assert Rule("x").format_of("/a/b.tsv") == "csv"
    assert Rule("x").format_of("/a/b.bin") == ""
    assert Rule("x", format="json").format_of("/a/b.bin") == "json"
