from pathlib import Path

import pytest

from mlbench.model import Cursor, Layer, Param, Problem, ReadStatus
from mlbench.wire.dump_facts import cursor_of, params_of, problem_of, read_dump_text
from mlbench.wire.dump_tree import MAX_LEAVES, Loaded, TreeError
from mlbench.wire.files import MAX_DUMP_BYTES
from mlbench.wire.yamltext import load_yaml


@pytest.mark.parametrize(
    ("content", "status", "what"),
    [
        (b"", ReadStatus.EMPTY, None),
        (b" \n", ReadStatus.EMPTY, None),
        (b"a: 1", ReadStatus.EOF, None),
        (b"a\0", ReadStatus.UNREADABLE, "the file is binary"),
        (
            b"a: \xe9",
            ReadStatus.DAMAGED,
            "some bytes are not UTF-8 and were replaced by \ufffd",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            ReadStatus.LFS_POINTER,
            "a Git LFS pointer stands here in place of the file",
        ),
        (
            b"a" * (MAX_DUMP_BYTES + 1),
            ReadStatus.UNREADABLE,
            "the file is larger than 4 MiB, which no parameter dump is, and was not read",
        ),
    ],
)
def test_what_the_bytes_are_is_told(tmp_path: Path, content: bytes, status: ReadStatus, what: str | None) -> None:
    path = tmp_path / "args.txt"
    path.write_bytes(content)

    found = read_dump_text(str(path))

    assert found.status == status
    assert [problem.what for problem in found.problems] == ([] if what is None else [what])


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    missing = read_dump_text(str(tmp_path / "args.txt"))
    folder = read_dump_text(str(tmp_path))

    assert missing.problems[0].what == "the file could not be read: No such file or directory"
    assert folder.problems[0].what == "it is no regular file"


def test_parameters_come_first_then_what_was_remarked() -> None:
    facts = list(params_of("x.yaml", load_yaml("lr: 1\nlr: 2\n"), layer=Layer.CLI))

    assert facts == [
        Param("lr", "2", 2, Layer.CLI, 2),
        Problem("x.yaml", "'lr' is given twice, 1 and 2. The last one, 2, is used", "line 2"),
    ]


def test_too_many_parameters_are_told() -> None:
    facts = list(params_of("x", Loaded({f"k{number}": 1 for number in range(MAX_LEAVES + 1)}, {})))

    assert len(facts) == MAX_LEAVES + 1
    assert facts[-1] == Problem("x", "it holds more than 20,000 parameters; the rest was left out")


def test_what_is_no_mapping_has_no_parameters() -> None:
    assert list(params_of("x", Loaded([1], {}))) == []


def test_an_error_becomes_a_problem_with_its_line() -> None:
    assert problem_of("x", TreeError("is not YAML", 3)) == Problem("x", "the file is not YAML", "line 3")
    assert problem_of("x", TreeError("is not YAML")) == Problem("x", "the file is not YAML")


def test_the_cursor_counts() -> None:
    cursor = cursor_of(ReadStatus.EOF, [Param("a", "1", 1), Problem("x", "bad")])

    assert cursor == Cursor({}, ReadStatus.EOF, n_records=1, n_bad=1)
