"""Whatever the program has is in the reference, and the reference is what the program says."""

from dataclasses import fields
from operator import attrgetter
from pathlib import Path

import click
import pytest

from docs import generate
from docs.markdown import code, prose, table
from docs.sqltext import read_tables, read_views
from mlbench.adapters import load_adapters, third_party
from mlbench.main import COMMANDS, cli
from mlbench.model import Adapter
from mlbench.settings import Settings
from mlbench.tui.actions import ACTIONS, Action, key_text
from tests.docs.pages import DOCS

REFERENCE = DOCS / "reference"


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    _before, found, rest = text.partition(f"\n{heading}\n")
    assert found, heading
    return rest.partition("\n## ")[0]


def test_the_pages_are_what_would_be_generated() -> None:
    assert generate.differences(REFERENCE) == "", "Try: python docs/generate.py"


def test_the_check_shows_what_differs_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.write_pages(tmp_path)
    (tmp_path / "keys.md").write_text((tmp_path / "keys.md").read_text().replace("# Keys", "# Locks"))
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)

    code_ = generate.main(["--check"])

    told = capsys.readouterr().out
    assert code_ == 1
    assert "-# Locks\n+# Keys\n" in told
    assert "commands.md" not in told


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    generate.write_pages(tmp_path / "one")
    generate.write_pages(tmp_path / "two")

    for name in generate.PAGES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_in_the_reference_with_every_option(name: str) -> None:
    text = page("commands.md")
    command = cli.get_command(click.Context(cli), name)
    assert command is not None

    own = section(text, f"## mlbench {name}")

    assert f"(#mlbench-{name})" in text
    assert f"\nmlbench {name} [OPTIONS]" in own
    shared = section(text, "## Options")
    for option in command.params:
        if isinstance(option, click.Option):
            name_ = max(option.opts, key=len)
            assert f"`{name_}`" in own or f"{name_} " in own or f"{name_}`" in own, name_
            assert any(name_ in line for line in (own + shared).splitlines() if line.startswith("| `-")), name_


def test_exit_codes_are_told() -> None:
    codes = section(page("commands.md"), "## Exit codes")

    assert [line.split(" | ")[0] for line in codes.splitlines() if line[2:3].isdigit()] == [
        "| 0",
        "| 1",
        "| 2",
        "| 3",
        "| 130",
    ]


@pytest.mark.parametrize(
    "adapter", [one for one in load_adapters() if one not in third_party()[0]], ids=attrgetter("name")
)
def test_an_adapter_is_in_the_reference_with_its_files(adapter: Adapter) -> None:
    text = page("sources.md")

    assert section(text, f"## {adapter.name}").strip()
    row = next(line for line in text.splitlines() if line.startswith(f"| [{adapter.name}]("))
    assert all(f"`{pattern}`" in row for pattern in adapter.files)
    assert ("read on" in row) == adapter.appends


@pytest.mark.parametrize("action", ACTIONS, ids=attrgetter("id"))
def test_an_action_is_in_the_reference_with_its_keys(action: Action) -> None:
    rows = [line for line in page("keys.md").splitlines() if f"| `{action.id}` |" in line]

    assert len(rows) == max(len(action.panes), 1)
    for key in action.keys:
        assert all(code(key_text(key)) in row for row in rows)


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_a_setting_is_in_the_reference(name: str) -> None:
    text = page("settings.md")

    assert name == "keys" or f"| `{name}` |" in text
    assert name != "keys" or "## Keys" in text


def test_every_table_and_view_is_in_the_reference_and_every_column_has_a_meaning() -> None:
    text = page("sql.md")
    catalog = Path(generate.__file__).parent.parent / "mlbench" / "catalog"
    tables = read_tables((catalog / "schema.sql").read_text(encoding="utf-8"))
    views = read_views((catalog / "views.sql").read_text(encoding="utf-8"))

    assert len(tables) == (catalog / "schema.sql").read_text(encoding="utf-8").count("CREATE TABLE ")
    assert len(views) == (catalog / "views.sql").read_text(encoding="utf-8").count("CREATE TEMP VIEW ")
    for name in [one.name for one in tables] + [one.name for one in views]:
        assert f"\n### {name}\n" in text
    assert [line for line in text.splitlines() if line.endswith("|  |")] == []


def test_markup_in_a_text_is_shown_and_not_followed() -> None:
    assert prose("a <b> *c* `d*` [e]") == "a \\<b> \\*c\\* `d*` \\[e\\]"
    assert code("`") == "`` ` ``"
    assert table(("a",), [("b|c",)]) == "| a |\n| --- |\n| b\\|c |\n"
