"""`mlbench settings`."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import TYPE_CHECKING

import click

from mlbench.cli.common import colour_depth, format_option, home_of, home_option, talk
from mlbench.cli.words import print_rows
from mlbench.paths import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlbench.queries.answers import Value
    from mlbench.settings import Settings

OPTION, ENVIRONMENT, FILE, DEFAULT = "option", "environment", "file", "default"


@click.command("settings")
@home_option
@format_option
def command(home: str | None, form: str | None) -> None:
    """Show every setting, its value, and where it comes from: default, file, environment or option, and which."""
    from mlbench.render.records import Records
    from mlbench.settings import read_origins, settings_path

    settings, origins = read_origins()
    rows = (*_settings(settings, origins), *_surroundings(home))
    print_rows(Records(("setting", "value", "from", "place"), rows), form)
    path = settings_path()
    talk(f"{path}: {'read' if os.path.exists(path) else 'not there; every setting has its default'}")


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
