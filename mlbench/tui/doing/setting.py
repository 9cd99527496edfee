"""The settings in force: each with its value, where it comes from, and what it means."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mlbench.errors import UsageError
from mlbench.safe import safe, text_of_path
from mlbench.settings import DEFAULT, VARIABLE_PREFIX, Settings, meanings, read_origins, settings_path
from mlbench.tui.desk import Desk
from mlbench.tui.doing.types import Handler
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.prompts import Prompt


def show_settings(desk: Desk, _n: int) -> None:
    """List them; the one that is chosen is explained."""
    try:
        settings, origins = read_origins()
    except UsageError as error:
        desk.complain(error)
        return
    choices = [Choice(name, f"{name} = {_shown(getattr(settings, name))}", _origin(origin))
               for name, origin in origins.items()]  # fmt: skip
    desk.ask_user(
        Prompt(
            "setting",
            lambda name: explain_setting(desk, name, settings, origins),
            menu=Menu(tuple(choices)),
            hint="enter says what it means and where to set it",
        )
    )


def explain_setting(desk: Desk, name: str, settings: Settings, origins: Mapping[str, str]) -> None:
    """Say what a setting means, what it takes, and where it is set."""
    told = meanings().get(name)
    if told is None:
        desk.say(f"there is no setting '{name}'", "bad")
        return
    desk.host.show_help(
        f"Setting {name}",
        (
            ([name], told, "Meaning"),
            (["value"], safe(_shown(getattr(settings, name))), "Now"),
            (["from"], safe(_origin(origins[name])), "Now"),
            (["file"], safe(text_of_path(settings_path())), "To set it"),
            (["once"], f"{VARIABLE_PREFIX}{name.upper()}=... mlbench", "To set it"),
        ),
    )


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{len(value)} remapped" if value else "none remapped"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _origin(origin: str) -> str:
    return origin if origin == DEFAULT or os.sep not in origin else text_of_path(os.path.basename(origin))


HANDLERS: Mapping[str, Handler] = {"app.settings": show_settings}
