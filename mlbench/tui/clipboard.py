"""Where a copied text goes: to the terminal by OSC 52, to tmux's buffer, or to a file where neither is sure."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from mlbench.errors import HomeError
from mlbench.paths import make_folder
from mlbench.safe import safe, text_of_path

NAME = "copied.txt"
MOST_BYTES = 74_994
"""What xterm takes of one OSC 52; longer ones are dropped there without a word."""
TMUX_S = 2.0

Run = Callable[[list[str], bytes], bool]
"""Gives a program its input, and says whether it ended well."""


def run_program(words: list[str], text: bytes) -> bool:
    """Run a program; one that is missing, fails or hangs did not end well."""
    try:
        ended = subprocess.run(words, input=text, capture_output=True, timeout=TMUX_S, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False
    return ended.returncode == 0


def doubt_of(environ: Mapping[str, str], n_bytes: int) -> str:
    """Why the terminal may not take OSC 52, '' where nothing speaks against it."""
    if environ.get("TERM") == "linux":
        return "the Linux console has no clipboard"
    if "STY" in environ:
        return "screen passes no clipboard on"
    if "VTE_VERSION" in environ or environ.get("TERM_PROGRAM") == "Apple_Terminal":
        return "this terminal takes no text from programs"
    return "it is long for a terminal's clipboard" if n_bytes > MOST_BYTES else ""


def copy_text(
    text: str, send: Callable[[str], None], folder: str, *, setting: str = "auto",
    environ: Mapping[str, str] = os.environ, run: Run = run_program,
) -> str:  # fmt: skip
    """Copy a text, and say where to: '' the terminal's clipboard, else words that stand behind 'copied'.

    Args:
        text: may be long.
        send: sends it to the terminal by OSC 52.
        folder: of the file; '' where there is none.
        setting: `auto`; `osc52`, always and only that; `file`, always and only that.
        environ: the process's environment.
        run: runs tmux.
    """
    content = text.encode("utf-8", "replace")
    if setting == "osc52":
        send(text)
        return ""
    if setting == "auto" and "TMUX" in environ and _to_tmux(content, run):
        return " to tmux's buffer"
    doubt = "" if setting == "file" else doubt_of(environ, len(content))
    if setting == "auto":
        send(text)
        if not doubt:
            return ""
    path = _write(content, folder)
    if not path:
        return f", perhaps: {doubt}" if doubt else " nowhere: no file can be written"
    return f" to {safe(text_of_path(path))}" + (f", as {doubt}" if doubt else "")


def _to_tmux(content: bytes, run: Run) -> bool:
    """OSC 52 does not reach tmux's own buffer unless set-clipboard is on, and by default it is `external`.

    With -w (tmux 3.2) the text goes on to the outer terminal.
    """
    return run(["tmux", "load-buffer", "-w", "-"], content) or run(["tmux", "load-buffer", "-"], content)


def _write(content: bytes, folder: str) -> str:
    """The file's path, '' where it cannot be written. Only the user may read it."""
    path = os.path.join(folder, NAME)
    try:
        if not folder:
            return ""
        make_folder(folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            file.write(content)
    except (OSError, HomeError):
        return ""
    return path


def shell_line(words: Sequence[str]) -> str:
    """The words as a shell takes them. A word with single quotes and nothing that double quotes leave alive gets double
    ones around it: `"status in ('running')"` can be read, its like in single quotes cannot.
    """
    import shlex

    is_plain = [("'" in word and not any(char in word for char in '"$`\\!')) for word in words]
    return " ".join(f'"{word}"' if plain else shlex.quote(word) for word, plain in zip(words, is_plain, strict=True))
