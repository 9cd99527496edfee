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
    `keys.ACTION` names the keys of an action of the workbench, `keys` all that you have changed.
    """
    from mlbench.render.records import Records
    from mlbench.settings import KEYS, meanings, read_origins, settings_path

    if unset and (name is None or value is not None):
        raise UsageError("--unset takes one setting, and no value. Try: mlbench settings theme --unset")
    if name is not None and (value is not None or unset):
        _set(ctx, name, None if unset else value)
    settings, origins = read_origins()
    rows = (*_settings(settings, origins), *_surroundings(home))
    if name is not None:
        keys = f"{KEYS}." if name == KEYS else None
        rows = tuple(row for row in rows if row[0] == name or (keys and str(row[0]).startswith(keys)))
        rows = rows or _unsaid(ctx, name, is_taken_out=unset)
    print_rows(Records(("setting", "value", "from", "place"), rows), form)
    if meaning := meanings().get(name or ""):
        talk(f"{name}: {meaning}")
    path = settings_path()
    talk(f"{path}: {'read' if os.path.exists(path) else 'not there; every setting has its default'}")


def _set(ctx: click.Context, name: str, value: str | None) -> None:
    """Change the file, and say where something stronger holds, or which other action loses its keys.

    Raises:
        UsageError: no such setting, no such action, or a value that will not do.
    """
    from mlbench.settings import VARIABLE_PREFIX, check_name, read_origins
    from mlbench.settings_file import write_setting

    action = check_name(name)
    if action and (value is not None or action not in read_origins()[0].keys):
        _check_action(ctx, action)
    settings = write_setting(name, value)
    for complaint in _complaints(ctx, settings.keys) if action and value is not None else ():
        talk(complaint)
    variable = VARIABLE_PREFIX + name.upper()
    if variable in os.environ:
        talk(f"{variable} in the environment is stronger")


def _complaints(ctx: click.Context, keys: Mapping[str, str]) -> tuple[str, ...]:
    complaints: tuple[str, ...] = ctx.find_root().obj["key_complaints"](keys)
    return complaints


def _check_action(ctx: click.Context, action: str) -> None:
    """Raise UsageError where the workbench has no such action."""
    if unknown := _complaints(ctx, {action: ""}):
        raise UsageError(unknown[0])


def _unsaid(ctx: click.Context, name: str, *, is_taken_out: bool) -> tuple[tuple[Value, ...], ...]:
    """The row of an action that has its usual keys; none of the table of keys. Raises UsageError for all else."""
    from mlbench.settings import KEYS, check_name

    if name == KEYS:
        return ()
    action = check_name(name)
    if is_taken_out and _complaints(ctx, {action: ""}):
        return ()
    _check_action(ctx, action)
    return ((name, ctx.find_root().obj["usual_keys"](action), DEFAULT, None),)


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
