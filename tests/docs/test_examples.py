"""What the documentation tells to type can be typed, and what it shows as run runs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from mlbench.catalog.reader import Reader, open_reader
from mlbench.main import cli, run
from mlbench.paths import Home
from mlbench.queries.filter import FilterError
from mlbench.queries.runs import find_runs
from tests.docs.pages import (
    DOCS,
    README,
    WRITTEN,
    Command,
    blocks,
    commands_in,
    console_commands,
    split_command,
    typed_commands,
)

QUERY = (DOCS / "reference" / "query.md").read_text(encoding="utf-8")
GENERATED = DOCS / "reference" / "commands.md"
TYPED = [
    pytest.param(command, id=f"{page.name}: {command.line}")
    for page in (README, GENERATED, *WRITTEN)
    for command in typed_commands(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("command", TYPED)
def test_a_command_can_be_typed(command: Command) -> None:
    name, arguments = split_command(command.arguments)
    known = cli.get_command(click.Context(cli), name)
    assert known is not None

    # An option that is not there, or a value that it does not take, raises.
    with known.make_context(name, arguments, parent=click.Context(cli, obj={"home": None}, **cli.context_settings)):
        pass


def test_enough_is_typed_in_the_readme_and_the_tutorial() -> None:
    assert len(typed_commands(README.read_text(encoding="utf-8"))) >= 10
    assert len(console_commands((DOCS / "tutorial.md").read_text(encoding="utf-8"))) >= 10


def test_commands_are_found_behind_pipes_and_in_substitutions() -> None:
    found = list(commands_in('test "$(ls)" && mlbench query -n 1 --format json | jq . ; mlbench doctor > x  # exit 3'))

    assert [one.arguments for one in found] == [("query", "-n", "1", "--format", "json"), ("doctor",)]
    assert found[1].exit_code == 3


@pytest.mark.parametrize("page", [page for page in WRITTEN if page.name != "tutorial.md"], ids=lambda page: page.stem)
def test_what_a_page_shows_as_run_runs(page: Path, after_tutorial: Home, capfd: pytest.CaptureFixture[str]) -> None:
    for command in console_commands(page.read_text(encoding="utf-8")):
        code = run(command.arguments)

        assert code == command.exit_code, (command.line, capfd.readouterr().err)


def test_the_tutorial_ends_in_a_report_and_an_export(after_tutorial: Home) -> None:
    report = Path("candidates.md").read_text(encoding="utf-8")

    assert "adam-lr0.1-w64-seed1" in report
    assert len(list(Path().glob("candidates-*.svg"))) == 1
    assert Path("candidates.parquet").stat().st_size > 0


# ---------------------------------------------------------------- the query language


@pytest.fixture
def reader(after_tutorial: Home) -> Iterator[Reader]:
    day_after = datetime(2026, 1, 13, 12, tzinfo=UTC).timestamp()
    with open_reader(after_tutorial, now_s=day_after) as opened:
        yield opened


def test_every_example_filter_finds_as_many_runs_as_it_says(reader: Reader) -> None:
    wrong = []
    lines = [line for block in blocks(QUERY, "filter") for line in block.splitlines()]
    for line in lines:
        text, _hash, promised = line.rpartition("#")
        found = find_runs(reader, where=text.strip(), columns=None).n_matched
        if found != int(promised):
            wrong.append(f"{line} but {found}")

    assert len(lines) >= 50
    assert wrong == []


def test_every_example_mistake_is_told_as_shown(reader: Reader) -> None:
    shown = [block.partition("\n") for block in blocks(QUERY, "mistake")]

    assert len(shown) >= 3
    for text, _newline, message in shown:
        with pytest.raises(FilterError) as caught:
            find_runs(reader, where=text, columns=None)
        assert f"{caught.value}\n" == message


def test_the_python_example_of_the_sql_page_runs(after_tutorial: Home) -> None:
    (example,) = blocks((DOCS / "reference" / "sql.md").read_text(encoding="utf-8"), "python")
    names: dict[str, object] = {}

    exec(compile(example, "sql.md", "exec"), names)  # noqa: S102 - our own documentation

    assert len(names["rows"]) == 33  # type: ignore[arg-type]
    assert names["table"].num_rows == 33  # type: ignore[attr-defined]


def test_the_examples_of_the_python_page_run(after_tutorial: Home, capfd: pytest.CaptureFixture[str]) -> None:
    examples = blocks((DOCS / "how-to" / "python.md").read_text(encoding="utf-8"), "python")
    names: dict[str, object] = {}

    for example in examples:
        exec(compile(example, "python.md", "exec"), names)  # noqa: S102 - our own documentation

    assert len(examples) == 7
    assert len(names["best"]) == 5  # type: ignore[arg-type]
    assert names["table"].num_rows == 5  # type: ignore[attr-defined]
    assert len(names["digits"].runs()) == 33  # type: ignore[attr-defined]
    assert len(names["losses"]) > 100  # type: ignore[arg-type]
    assert sum(names["counts"].values()) == 33  # type: ignore[attr-defined]
    assert "optimizer" in capfd.readouterr().out
