"""`mlbench settings`."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import colour_depth, format_option, home_of, home_option, talk
from mlbench.cli.words import print_rows
from mlbench.errors import UsageError
from mlbench.paths import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlbench.queries.answers import Value
    from mlbench.settings import Settings

OPTION, ENVIRONMENT, FILE, DEFAULT = "option", "environment", "file", "default"


@click.command("settings")
@click.argument("name", required=False)
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Take NAME out of the settings file: it has its default again.")
@home_option
@format_option
@click.pass_context
def command(
    ctx: click.Context, name: str | None, value: str | None, unset: bool, home: str | None, form: str | None
) -> None:
    """Show every setting, its value, and where it comes from: default, file, environment or option, and which.

    With NAME that one alone; with NAME VALUE it is set in your settings file, of which everything else stays as it is.
    `keys.ACTION` names the keys of an action of the workbench.
    """
    from mlbench.render.records import Records
    from mlbench.settings import read_origins, settings_path

    if name is not None and (value is not None or unset):
        _set(ctx, name, None if unset else value)
    settings, origins = read_origins()
    rows = (*_settings(settings, origins), *_surroundings(home))
    if name is not None:
        rows = tuple(row for row in rows if row[0] == name) or _known(name, settings)
    print_rows(Records(("setting", "value", "from", "place"), rows), form)
    path = settings_path()
    talk(f"{path}: {'read' if os.path.exists(path) else 'not there; every setting has its default'}")


def _set(ctx: click.Context, name: str, value: str | None) -> None:
    """Change the file, and say where something stronger holds, or which other action loses its keys.

    Raises:
        UsageError: no such setting, no such action, or a value that will not do.
    """
    from mlbench.settings import KEYS, VARIABLE_PREFIX
    from mlbench.settings_file import write_setting

    complaints = ctx.find_root().obj["key_complaints"]
    table, _dot, action = name.partition(".")
    is_action = table == KEYS and bool(action) and value is not None
    if is_action and (unknown := complaints({action: ""})):
        raise UsageError(unknown[0])
    settings = write_setting(name, value)
    for complaint in complaints(settings.keys) if is_action else ():
        talk(complaint)
    variable = VARIABLE_PREFIX + name.upper()
    if variable in os.environ:
        talk(f"{variable} in the environment is stronger")


def _known(name: str, settings: Settings) -> tuple[tuple[Value, ...], ...]:
    """No row for an action whose keys are its usual ones. Raises UsageError for what is no setting."""
    from mlbench.settings import KEYS, typed_value

    if not name.startswith(f"{KEYS}.") and name != KEYS:
        typed_value(name, str(getattr(settings, name, "")))
    return ()


def _settings(settings: Settings, origins: Mapping[str, str]) -> Iterator[tuple[Value, ...]]:
    for field in fields(settings):
        value, origin = getattr(settings, field.name), origins[field.name]
        if field.name == "keys":
            for action, keys in sorted(value.items()):
                yield f"keys.{action}", keys, FILE, origin
            continue
        kind = DEFAULT if origin == DEFAULT else FILE if os.sep in origin else ENVIRONMENT
        shown = tuple(map(str, value)) if isinstance(value, tuple) else value
        yield field.name, shown, kind, None if kind == DEFAULT else origin


def _surroundings(home: str | None) -> Iterator[tuple[Value, ...]]:
    """What is no setting but decided in the same ways: the home, its two parts, and colours."""
    place = home_of(home)
    kind = {"--home": OPTION, HOME_VARIABLE: ENVIRONMENT, ".mlbench": FILE}.get(place.source, DEFAULT)
    where = None if kind == DEFAULT else os.path.dirname(place.journal) if kind == FILE else place.source
    yield "home.journal", place.journal, kind, where
    yield "home.catalog", place.cache, kind, where
    has_no_colour = bool(os.environ.get("NO_COLOR"))
    yield "colours", colour_depth(), ENVIRONMENT if has_no_colour else DEFAULT, "NO_COLOR" if has_no_colour else None
