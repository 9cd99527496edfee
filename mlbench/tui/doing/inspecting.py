"""The run pane: what stands behind a fact, steps of what was logged, nearer and farther, and writing it to a file."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mlbench.safe import file_slug, safe, text_of_path
from mlbench.settings import CHOICES
from mlbench.tui.actions import RUN, STAGE
from mlbench.tui.desk import Desk
from mlbench.tui.doing.types import Handler
from mlbench.tui.menu import Choice, Menu
from mlbench.tui.prompts import Prompt

if TYPE_CHECKING:
    from mlbench.queries.blobs import BlobPlace

ENDINGS = {"png": "png", "jpeg": "jpg", "gif": "gif", "wav": "wav", "json": "json", "utf-8": "txt", "proto": "pb",
           "tensor": "pb"}  # fmt: skip
NOT_LOGGED = "move to an image, a histogram or a text of the run (6)"


def open_fact(desk: Desk, _n: int) -> None:
    """Go to what stands behind the fact; from there back."""
    if desk.view.pane == STAGE:
        desk.change(replace(desk.view, pane=RUN))
    elif desk.panes.run.current_key:
        desk.change(replace(desk.view, pane=STAGE))


def step(desk: Desk, n: int) -> None:
    """Another step of what was logged."""
    if not desk.inspector.step(n):
        desk.say(f"there are no steps here: {NOT_LOGGED}", "muted")


def zoom(desk: Desk, factor: float) -> None:
    """Nearer or farther."""
    if desk.inspector.is_image:
        desk.inspector.zoom(factor)
    else:
        desk.say("only images are zoomed", "muted")


def pan(desk: Desk, across: int, down: int) -> None:
    """Move a zoomed image."""
    if not desk.inspector.is_image or desk.inspector.looked.zoom == 1:
        desk.say(
            "the whole image is shown. + zooms in" if desk.inspector.is_image else "only images are moved", "muted"
        )
        return
    desk.inspector.pan(across, down)


def ask_write(desk: Desk, _n: int) -> None:
    """Ask where the bytes of this step shall be written."""
    place = desk.inspector.looked.place
    if place is None:
        desk.say(f"there is nothing here to write: {NOT_LOGGED}", "muted")
        return
    ending = ENDINGS.get(place.encoding, "bin")
    desk.ask_user(
        Prompt(
            "write to",
            lambda path: _write(desk, place, path.strip()),
            text=f"{file_slug(place.metric)}-step{place.step}.{ending}",
            hint=f"the bytes as they were logged; in {safe(text_of_path(os.getcwd()))}",
            history="write",
            does="writes",
        )
    )


def _write(desk: Desk, place: BlobPlace, path: str) -> None:
    if not path:
        return
    if not os.path.lexists(os.path.expanduser(path)):
        _write_now(desk, place, path, may_replace=False)
        return
    desk.ask_user(
        Prompt(
            f"{safe(text_of_path(path))[:60]} is there already. Replace it? y/n",
            lambda _key: _write_now(desk, place, path, may_replace=True),
            on_cancel=lambda: desk.say("nothing was written", "muted"),
            keys=("y",),
            hint="y replaces the file, n leaves it as it is",
        )
    )


def _write_now(desk: Desk, place: BlobPlace, path: str, *, may_replace: bool) -> None:
    def written(target: str) -> None:
        shown = safe(text_of_path(target))
        away = f"   scp {socket.gethostname()}:{shown} ." if os.environ.get("SSH_CONNECTION") else ""
        desk.say(f"{shown} written{away}", "good")

    details = desk.session.details
    desk.asker.ask("write", lambda: details.write(place, path, may_replace=may_replace), written, lane="detail")


def ask_graphics(desk: Desk, _n: int) -> None:
    """Ask what draws the images from now on; the setting says it for every start."""
    now = desk.settings.images
    told = {
        "cells": "any terminal",
        "kitty": "kitty, Ghostty, WezTerm, Konsole",
        "sixel": "xterm -ti vt340, foot, mlterm",
    }
    choices = tuple(
        Choice(word, word, "  ".join(filter(None, (told.get(word, ""), "now" if word == now else ""))))
        for word in CHOICES["images"]
    )
    cursor = next((place for place, choice in enumerate(choices) if choice.value == now), 0)
    desk.ask_user(
        Prompt("images", lambda word: _draw_by(desk, word), menu=Menu(choices, cursor=cursor),
               hint=f"until you leave; {desk.key('app.settings')} sets it for good",
               refuses=lambda word: word not in CHOICES["images"])
    )  # fmt: skip


def _draw_by(desk: Desk, word: str) -> None:
    desk.settings = replace(desk.settings, images=word)
    desk.host.take_settings(desk.settings)
    if not desk.message:
        desk.say(f"images are drawn by {word}; a terminal without it shows cells" if word != "cells" else
                 "images are drawn of cells", "muted")  # fmt: skip


HANDLERS: Mapping[str, Handler] = {
    "run.graphics": ask_graphics,
    "run.open": open_fact,
    "run.previous_step": lambda desk, n: step(desk, -n),
    "run.next_step": step,
    "run.zoom_in": lambda desk, _n: zoom(desk, 1.5),
    "run.zoom_out": lambda desk, _n: zoom(desk, 1 / 1.5),
    "run.zoom_all": lambda desk, _n: zoom(desk, 0.0),
    "run.pan_left": lambda desk, _n: pan(desk, -1, 0),
    "run.pan_right": lambda desk, _n: pan(desk, 1, 0),
    "run.pan_up": lambda desk, _n: pan(desk, 0, -1),
    "run.pan_down": lambda desk, _n: pan(desk, 0, 1),
    "run.write": ask_write,
}
