"""Write what docs/ says of the program from the program itself.

    python docs/generate.py           write the generated pages of docs/reference/ and docs/workbench.svg
    python docs/generate.py --check   exit with 1 and a unified diff where a page is not what would be written

The picture is drawn anew but never compared: a font's or a library's change is no fault of the documentation.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # the package of this tree, also where another one is installed

if TYPE_CHECKING:
    import click

    from docs.sqltext import TableText, ViewText
    from mlbench.model import Adapter
    from mlbench.tui.actions import Action

REFERENCE = ROOT / "docs" / "reference"
PICTURE = ROOT / "docs" / "workbench.svg"
HELP_CELLS = 100
SHARED_BY = 3
"""An option that so many commands take in the same words is documented once."""


def note(source: str) -> str:
    """The first line of a generated page."""
    return f"<!-- Made from {source} by docs/generate.py. Do not edit. -->\n\n"


# ---------------------------------------------------------------- commands

OptionRecord = tuple[str, str]


def commands_page() -> str:
    """Every command: usage, help and options, and the exit codes."""
    from mlbench.main import COMMANDS, cli

    found = {name: _command_of(name) for name in COMMANDS}
    counts = Counter(record for command in found.values() for record in option_records(command))
    shared = [record for record, n in counts.items() if n >= SHARED_BY]
    sections = dict.fromkeys(entry.section for entry in COMMANDS.values())
    listed = "\n".join(_section_list(section) for section in sections)
    pages = "\n".join(_command_section(name, command, shared) for name, command in found.items())
    return (
        note("the command table in mlbench/main.py and mlbench/cli/")
        + "# Commands\n\n`mlbench PATH...` is short for `mlbench open PATH...`. `mlbench --help` lists the commands, "
        + "`mlbench COMMAND --help` tells of one.\n\n"
        + listed
        + f"\n## Options\n\nBefore a command:\n\n{_option_table(option_records(cli))}\n"
        + f"Of many commands, and then in the same words:\n\n{_option_table(shared)}\n"
        + f"## Exit codes\n\n{_exit_codes(cli.epilog or '')}\n"
        + pages
    )


def _command_of(name: str) -> click.Command:
    import importlib

    from mlbench.main import COMMANDS

    command: click.Command = importlib.import_module(f"mlbench.cli.{COMMANDS[name].module}").command
    return command


def _context(command: click.Command, name: str) -> click.Context:
    import click

    from mlbench.main import cli

    settings = {**cli.context_settings, "max_content_width": HELP_CELLS}
    return click.Context(command, info_name=name, terminal_width=HELP_CELLS, **settings)


def option_records(command: click.Command) -> list[OptionRecord]:
    """The options as the help has them: names with what they take, and what they do."""
    context = _context(command, command.name or "")
    records = [option.get_help_record(context) for option in command.get_params(context)]
    return [record for record in records if record is not None and record[0].startswith("-")]


def _section_list(section: str) -> str:
    from docs.markdown import prose
    from mlbench.main import COMMANDS

    lines = [
        f"- [`{name}`](#mlbench-{name}): {prose(entry.help)}"
        for name, entry in COMMANDS.items()
        if entry.section == section
    ]
    return f"**{section}**\n\n" + "\n".join(lines) + "\n"


def _option_table(records: Sequence[OptionRecord]) -> str:
    from docs.markdown import code, prose, table

    return table(("option", "does"), ((code(names), prose(text)) for names, text in records))


def _exit_codes(epilog: str) -> str:
    from docs.markdown import prose, table

    codes = re.findall(r"(\d+) ([^,.]+)", epilog)
    return table(("code", "means"), ((number, prose(meaning)) for number, meaning in codes))


def _command_section(name: str, command: click.Command, shared: Sequence[OptionRecord]) -> str:
    context = _context(command, f"mlbench {name}")
    usage = " ".join([f"mlbench {name}", *command.collect_usage_pieces(context)])
    records = option_records(command)
    own = [record for record in records if record not in shared and not record[0].startswith("-h")]
    options = f"{_option_table(own)}\n" if own else ""
    also = [f"`{names.split()[0]}`" for names, text in records if (names, text) in shared and "--help" not in names]
    words = f"Also takes {_joined(also)} ([options](#options)).\n" if also else ""
    return f"## mlbench {name}\n\n```text\n{usage}\n```\n\n{_help_text(command.help or '')}{options}{words}"


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _help_text(text: str) -> str:
    """Click's help as Markdown: a paragraph that begins with a backspace mark is kept as it is."""
    from docs.markdown import prose

    parts = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = paragraph.splitlines()
        if lines and lines[0].strip() in ("\b", "\\b"):
            parts.append("```sh\n" + "\n".join(lines[1:]) + "\n```\n")
        elif lines:
            parts.append(prose(" ".join(lines)) + "\n")
    return "\n".join(parts) + "\n"


# ---------------------------------------------------------------- keys


def keys_page() -> str:
    """Every action: what works everywhere, then pane by pane."""
    from mlbench.tui.actions import ACTIONS, PANES, TITLES

    everywhere = [action for action in ACTIONS if not action.panes]
    moving = [action for action in everywhere if action.id.startswith("move.")]
    rest = [action for action in everywhere if not action.id.startswith("move.")]
    panes = "\n".join(
        f"## {TITLES[pane]}\n\n" + _key_table([one for one in ACTIONS if pane in one.panes]) for pane in PANES
    )
    return (
        note("the table of actions in mlbench/tui/actions.py")
        + "# Keys\n\n`?` shows the keys of the pane that you are in. A pane's own keys come before those that work "
        + "everywhere. A key can be changed in the settings by the id of its action: see "
        + "[settings](settings.md#keys). `yc` means `y` and then `c`.\n\n"
        + f"## Everywhere\n\n{_key_table(rest)}\n## Moving\n\n{_key_table(moving)}\n{panes}"
    )


def _key_table(actions: Sequence[Action]) -> str:
    from docs.markdown import code, prose, table
    from mlbench.tui.actions import key_text

    rows = (
        (" ".join(code(key_text(key)) for key in action.keys) or "-", prose(action.help), code(action.id))
        for action in actions
    )
    return table(("keys", "does", "id"), rows)


# ---------------------------------------------------------------- sources


def sources_page() -> str:
    """Every built-in adapter: what it reads, and how."""
    from docs.markdown import code, prose, table
    from mlbench.adapters import load_adapters, third_party

    adapters = [adapter for adapter in load_adapters() if adapter not in third_party()[0]]
    rows = (
        (f"[{adapter.name}](#{adapter.name})", prose(adapter.formats), ", ".join(map(code, adapter.files)),
         "read on" if adapter.appends else "read again")
        for adapter in adapters
    )  # fmt: skip
    return (
        note("the adapters in mlbench/adapters/")
        + "# What is read\n\nAn adapter recognises one kind of file, folder or repository and reads it. Files that no "
        + "adapter knows are left alone, and nothing is ever written beside any of them. Nothing is unpickled, "
        + "evaluated or executed. What makes a run of them is told in [architecture](../architecture.md#what-a-run-is)"
        + ".\n\nA source that has grown is *read on* from where the last reading ended, or *read again* as a whole; "
        + "one that has not changed is not read. What could not be read is listed by `mlbench doctor`. Your own "
        + "kind of file takes [one module](../how-to/write-an-adapter.md).\n\n"
        + table(("adapter", "reads", "files", "when it has grown"), rows)
        + "".join(f"\n## {adapter.name}\n\n{_docstring(adapter)}\n" for adapter in adapters)
    )


def _docstring(adapter: Adapter) -> str:
    """The module's docstring without the paragraphs that are about the cursor, which only the adapter reads."""
    from docs.markdown import prose

    module = sys.modules[adapter.claims.__module__]
    paragraphs = inspect.cleandoc(module.__doc__ or "").split("\n\n")
    kept = (paragraph for paragraph in paragraphs if not paragraph.startswith("The cursor's"))
    return "\n\n".join("\n".join(prose(line) for line in paragraph.splitlines()) for paragraph in kept)


# ---------------------------------------------------------------- settings


def settings_page() -> str:
    """Every setting with its default, from the texts at the fields."""
    from docs.markdown import code, prose, table
    from mlbench import settings

    documented = dict(field_docs(settings, "Settings"))
    defaults = settings.Settings()
    rows = [
        (code(name), code(toml_text(getattr(defaults, name))), prose(text))
        for name, text in documented.items()
        if name != "keys"
    ]
    return (
        note("mlbench/settings.py")
        + "# Settings\n\n"
        + "\n\n".join(prose(" ".join(part.split())) for part in (settings.__doc__ or "").split("\n\n"))
        + "\n\nThe file is `mlbench/settings.toml` in the user's configuration directory: on Linux "
        + "`~/.config/mlbench/settings.toml`.\n\n"
        + table(("setting", "default", "means"), rows)
        + f"\n## Keys\n\n{prose(documented['keys'])} The ids are in [keys](keys.md).\n\n"
        + '```toml\nsmoothing = 0.9\n\n[keys]\nruns.compare = "D"\napp.report = "x,ctrl+s"\n```\n\n'
        + _environment_section()
    )


def _environment_section() -> str:
    from docs.markdown import code, table
    from mlbench.paths import HOME_VARIABLE, TEAM_FOLDER
    from mlbench.settings import CONFIG_VARIABLE

    rows = {
        HOME_VARIABLE: "the home: your words and the catalog. `--home` is stronger, a "
        f"`{TEAM_FOLDER}/` in the current directory or above it is weaker",
        CONFIG_VARIABLE: "path of the settings file",
        "NO_COLOR": "set to anything: no colour at all",
        "COLORTERM": "`truecolor` or `24bit`: as many colours as there are; else `TERM` says 256 or 16",
        "COLUMNS": "width of tables where standard output is no terminal; else they are as wide as they need",
    }
    return f"## Environment\n\n{table(('variable', 'means'), ((code(name), text) for name, text in rows.items()))}"


def field_docs(module: object, class_name: str) -> Iterator[tuple[str, str]]:
    """The fields of a class with the text that stands under each, in order."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    for above, below in pairwise(body):
        match above, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())


def toml_text(value: object) -> str:
    """A default as settings.toml would have it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(map(toml_text, value))}]"
        case _:
            return str(value)


# ---------------------------------------------------------------- SQL


def sql_page() -> str:
    """The views and tables of the catalog, column by column."""
    from importlib.resources import files

    from docs.sqltext import read_tables, read_views
    from mlbench.queries.select import VIEWS

    folder = files("mlbench.catalog")
    tables = read_tables(folder.joinpath("schema.sql").read_text(encoding="utf-8"))
    views = [
        view for name in ("views.sql", "points.sql") for view in read_views(folder.joinpath(name).read_text("utf-8"))
    ]
    by_name = {one.name: one for one in tables}
    types = column_types([view.name for view in views])
    sections = {view.name: _view_section(view, types[view.name], by_name) for view in views}
    sections |= {one.name: _table_section(one) for one in tables if one.name in VIEWS}
    listed = [*VIEWS, *(view.name for view in views if view.name not in VIEWS)]
    view_parts = "\n".join(sections[name] for name in listed)
    return (
        note("mlbench/catalog/schema.sql, views.sql and points.sql")
        + _SQL_INTRODUCTION
        + f"## Views\n\n{view_parts}\n## Tables\n\n{_TABLES_INTRODUCTION}"
        + "\n".join(_table_section(one) for one in tables if one.name not in VIEWS)
    )


_SQL_INTRODUCTION = """# Views of the catalog

The catalog is a DuckDB database. What your journal says (tags, notes, names) is laid over it when it is opened, so
the views below are only there through mlbench. `mlbench sql` runs one SELECT on them, in
[DuckDB's SQL](https://duckdb.org/docs/stable/sql/introduction):

```console
$ mlbench sql 'SELECT name, status, duration FROM runs ORDER BY duration DESC LIMIT 5'
$ mlbench sql "SELECT r.name, p.value AS lr FROM runs r JOIN params p ON p.run_id = r.id WHERE p.key = 'lr'"
$ mlbench sql "SELECT run_id, min(value) FROM points WHERE metric = 'val/loss' GROUP BY run_id"
$ mlbench sql 'DESCRIBE series'
```

What is typed there runs in a process of its own that reaches nothing but the catalog: no file, no network, no
extension, no setting, and nothing can be written. It is stopped after 30 seconds (`--timeout`), at 512 MB of memory
(`--memory`) and after 10,000 rows (`--limit`), and says so. Where the memory of a process cannot be bounded (on macOS)
only DuckDB's own limit holds, which a single function may exceed.

From Python, with all rights:

```python
from mlbench.catalog.reader import open_reader
from mlbench.paths import find_home

with open_reader(find_home()) as reader:
    rows = reader.rows("SELECT name, status FROM runs WHERE started > ?", ["2026-01-01"])
    table = reader.table("SELECT * FROM series WHERE metric = 'val/loss'")  # a pyarrow.Table
```

A reader is read-only and blocks nobody. Times named `..._s` are Unix seconds, UTC; timestamps are UTC without a zone.
Missing is NULL. Text is as the source has it, with secrets replaced; escape it before it goes to a terminal.

"""
_TABLES_INTRODUCTION = """What the views are made from. They may change with any version; `meta` says which schema it
is. Points are not here but in Parquet files that `segment` lists.

"""


def column_types(views: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Names and types of the columns of each view, as an empty catalog has them."""
    from mlbench.catalog.locked import add_points
    from mlbench.catalog.reader import open_reader
    from mlbench.paths import find_home

    with tempfile.TemporaryDirectory() as folder, open_reader(find_home(folder), now_s=0.0) as reader:
        add_points(reader, is_asked=True)
        return {view: [(row[0], row[1]) for row in reader.rows(f"DESCRIBE {view}")] for view in views}


def _view_section(view: ViewText, columns: Sequence[tuple[str, str]], tables: dict[str, TableText]) -> str:
    from docs.markdown import code, prose, table

    rows = ((code(name), kind, prose(_column_comment(view, name, tables))) for name, kind in columns)
    remark = f"{prose(view.remark[:1].upper() + view.remark[1:])}.\n\n" if view.remark else ""
    return f"### {view.name}\n\n{remark}{table(('column', 'type', 'means'), rows)}"


def _column_comment(view: ViewText, name: str, tables: dict[str, TableText]) -> str:
    """The view's own comment, else that of the column below."""
    if comment := view.comments.get(name):
        return comment
    from docs.sqltext import meaning

    origin = view.origins.get(name, name)
    below = [tables[one].columns[origin][1] for one in view.tables if one in tables and origin in tables[one].columns]
    return next(filter(None, below), "") or meaning(view.tables, (origin, name))


def _table_section(one: TableText) -> str:
    from docs.markdown import code, prose, table
    from docs.sqltext import meaning

    rows = (
        (code(name), kind, prose(comment or meaning((one.name,), (name,))))
        for name, (kind, comment) in one.columns.items()
    )
    return f"### {one.name}\n\n{table(('column', 'type', 'means'), rows)}"


# ---------------------------------------------------------------- writing and checking

PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "keys.md": keys_page,
    "settings.md": settings_page,
    "sources.md": sources_page,
    "sql.md": sql_page,
}


def write_pages(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (folder / name).write_text(page(), encoding="utf-8")


def differences(folder: Path) -> str:
    """A unified diff from the pages in a folder to what would be written; '' where nothing differs."""
    parts = []
    for name, page in PAGES.items():
        path = folder / name
        held = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = difflib.unified_diff(
            held.splitlines(keepends=True),
            page().splitlines(keepends=True),
            f"{name} (as it is)",
            f"{name} (generated)",
        )
        parts.append("".join(lines))
    return "".join(parts)


def main(arguments: Sequence[str]) -> int:
    """Write, or with `--check` compare; returns the exit code."""
    if list(arguments) == ["--check"]:
        found = differences(REFERENCE)
        missing = "" if PICTURE.exists() else f"{PICTURE.name} is missing\n"
        sys.stdout.write(found + missing)
        if found or missing:
            sys.stderr.write("The documentation is behind the program. Try: python docs/generate.py\n")
        return 1 if found or missing else 0
    if arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    from docs.picture import make_picture

    write_pages(REFERENCE)
    make_picture(str(PICTURE))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
