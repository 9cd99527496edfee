"""The settings in force, changed in their list: into the user's file, and at once on the screen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial

from mlbench.errors import UsageError
from mlbench.safe import safe, text_of_path
from mlbench.settings import (
    BELL_RULES,
    CHOICES,
    DEFAULT,
    KEYS,
    VARIABLE_PREFIX,
    Settings,
    expectation,
    meanings,
    read_origins,
    settings_path,
    typed_value,
)
from mlbench.settings_file import write_setting
from mlbench.tui.actions import ACTIONS, TITLES, key_text
from mlbench.tui.desk import Desk
from mlbench.tui.doing.types import Handler
from mlbench.tui.keyboard import Keyboard
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.prompts import Prompt

LABEL_CELLS = 34
LATER = ("store", "executor")
"""Settings that hold from the next start on."""


def show_settings(desk: Desk, _n: int) -> None:
    """List them; the one that is chosen is changed."""
    try:
        settings, origins = read_origins()
    except UsageError as error:
        desk.complain(error)
        return
    told = meanings()
    choices = [
        Choice(name, f"{name} = {_shown(getattr(settings, name))}", _origin(origin), told.get(name, ""))
        for name, origin in origins.items()
    ]
    desk.ask_user(
        Prompt(
            "setting",
            lambda name: change_setting(desk, name, settings),
            menu=Menu(tuple(choices), label_cells=LABEL_CELLS),
            hint=f"enter changes it in {safe(text_of_path(settings_path()))}",
        )
    )


def change_setting(desk: Desk, name: str, settings: Settings) -> None:
    """Ask for another value of a setting."""
    if name == KEYS:
        _ask_action(desk)
    elif name in CHOICES or isinstance(getattr(settings, name, None), bool):
        _ask_word(desk, name, settings)
    elif name == "bell":
        _ask_rules(desk, settings)
    elif hasattr(settings, name):
        _ask_value(desk, name, _shown(getattr(settings, name)), expectation(name))
    else:
        desk.say(f"there is no setting '{name}'", "bad")


def _ask_word(desk: Desk, name: str, settings: Settings) -> None:
    now, usual = _shown(getattr(settings, name)), _shown(getattr(Settings(), name))
    words = CHOICES.get(name, ("true", "false"))
    choices = [Choice(word, word, " ".join(filter(None, ("now" if word == now else "",
               "default" if word == usual else "")))) for word in words]  # fmt: skip
    desk.ask_user(
        Prompt(
            f"{name} =",
            lambda word: set_setting(desk, name, None if word == usual else word),
            menu=Menu(tuple(choices), cursor=next((at for at, word in enumerate(words) if word == now), 0)),
            hint=meanings().get(name, ""),
        )
    )


def _ask_rules(desk: Desk, settings: Settings) -> None:
    choices = tuple(Choice(rule, rule) for rule in BELL_RULES)
    desk.ask_user(
        Prompt(
            "bell =",
            lambda text: set_setting(desk, "bell", text or None),
            menu=Menu(choices, is_many=True, picked=[*settings.bell]),
            hint="space picks; for all scopes that have no rules of their own",
        )
    )


def _ask_value(desk: Desk, name: str, text: str, expected: str) -> None:
    def mistake(typed: str) -> str:
        try:
            typed_value(name, typed) if typed.strip() else None
        except UsageError as error:
            return str(error)
        return ""

    def tell(typed: str) -> None:
        desk.typed_error, desk.error_column = mistake(typed), None

    desk.ask_user(
        Prompt(
            f"{name} =",
            lambda typed: set_setting(desk, name, typed.strip() or None),
            text=text,
            on_change=tell,
            on_cancel=lambda: tell(""),
            refuses=lambda typed: bool(mistake(typed)),
            hint=f"{expected}; nothing for the default",
        )
    )


# ---------------------------------------------------------------- keys


def _ask_action(desk: Desk) -> None:
    keyboard = desk.keyboard
    choices = [
        Choice(action.id, action.id, " ".join(map(key_text, keyboard.keys[action.id])) or "none", _where(action.panes))
        for action in ACTIONS
    ]
    desk.ask_user(
        Prompt(
            "keys of",
            lambda action_id: _ask_keys(desk, action_id),
            menu=Menu(tuple(choices), label_cells=LABEL_CELLS),
            hint="letters narrow the list",
        )
    )


def _where(panes: tuple[str, ...]) -> str:
    return ", ".join(TITLES[pane] for pane in panes) or "everywhere"


def _ask_keys(desk: Desk, action_id: str) -> None:
    if action_id not in desk.keyboard.keys:
        desk.say(f"there is no action '{action_id}'", "bad")
        return
    desk.ask_user(
        Prompt(
            f"keys of {action_id} =",
            lambda typed: set_setting(desk, f"{KEYS}.{action_id}", typed.strip() or None),
            text=desk.settings.keys.get(action_id, ", ".join(_typed(key) for key in desk.keyboard.keys[action_id])),
            hint="several with commas between: D, ctrl+s, y d; nothing for the usual ones",
        )
    )


def _typed(key: str) -> str:
    return "comma" if key == "," else key


# ---------------------------------------------------------------- doing it


def set_setting(desk: Desk, name: str, typed: str | None) -> None:
    """Write a setting into the user's file, and take the settings that hold now."""

    def write() -> tuple[Settings, Mapping[str, str]]:
        write_setting(name, typed)
        return read_origins()

    desk.asker.ask("setting", write, partial(_taken, desk, name), lane="words")


def _taken(desk: Desk, name: str, found: tuple[Settings, Mapping[str, str]]) -> None:
    settings, origins = found
    complaints = take_settings(desk, settings)
    bare = name.partition(".")[0]
    value = settings.keys.get(name.partition(".")[2]) if bare == KEYS else _shown(getattr(settings, name))
    said = f"{name} = {value}" if value is not None else f"{name} has its usual keys"
    if origins[bare].startswith(VARIABLE_PREFIX):
        desk.say(f"{said}: {origins[bare]} in the environment is stronger than the file", "warning")
    elif complaints:
        desk.say("; ".join(complaints), "warning")
    else:
        later = " from the next start on" if name in LATER else ""
        desk.say(f"{said}{later}   ({safe(text_of_path(settings_path()))})", "good")


def take_settings(desk: Desk, settings: Settings) -> tuple[str, ...]:
    """Let settings hold at once; gives what is wrong with the keys."""
    old, desk.settings = desk.settings, settings
    complaints: tuple[str, ...] = ()
    if settings.keys != old.keys:
        desk.keyboard = Keyboard(settings.keys)
        complaints = tuple(one for one in desk.keyboard.complaints if one not in Keyboard(old.keys).complaints)
    if settings.smoothing != old.smoothing:
        desk.change(desk.view.charted(smoothing=settings.smoothing))
    desk.host.take_settings(settings)
    return complaints


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{len(value)} remapped" if value else "none remapped"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _origin(origin: str) -> str:
    return origin if origin == DEFAULT or os.sep not in origin else text_of_path(os.path.basename(origin))


HANDLERS: Mapping[str, Handler] = {"app.settings": show_settings}
