"""Recording how a command was run: arguments, environment, hardware, output and how it ended.

Standard library only, and alone: a training imports this (`mlbench.log_args`). Nothing here may stop or slow a
training: what cannot be recorded is told in the record, and on stderr where even that cannot be written.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlbench.capture.surroundings import environment_of, hardware

FORMAT = "mlbench-run/1"
RECORD, OUTPUT, PATCH = "mlbench-run.json", "mlbench-run.log", "mlbench-run.patch"
FOLDER_VARIABLE = "MLBENCH_RECORD"
"""Set for the command: the folder of its record, where `log_args` adds the arguments."""
ARGS = "args.json"
_MAX_TEXT = 10_000
_FOLDER_WORDS = ("log_dir", "logdir", "output_dir", "out_dir", "save_dir", "run_dir", "exp_dir", "default_root_dir")
Record = dict[str, Any]


def log_args(args: object, folder: str | None = None) -> str | None:
    """Record the arguments of a training: the one line to add to a script.

    Args:
        args: an `argparse.Namespace`, a mapping or a dataclass.
        folder: where the training logs; by default what `args` calls `log_dir`, `logdir`, `output_dir` or the like,
            else the current folder.

    Returns:
        The file that was written; None where it could not be, which is told on stderr.
    """
    try:
        given = _as_mapping(args)
        place = folder or os.environ.get(FOLDER_VARIABLE) or _folder_in(given) or os.getcwd()
        os.makedirs(place, exist_ok=True)
        if place == os.environ.get(FOLDER_VARIABLE):
            path = os.path.join(place, ARGS)
            write_json(path, {"args": given, "folder": os.path.abspath(_folder_in(given) or os.getcwd())})
            return path
        path = free_path(place, RECORD)
        write_json(path, {**begin([sys.executable, *sys.argv]), "args": given})
        return path
    except (OSError, ValueError, TypeError, RecursionError) as error:
        tell(f"the arguments were not recorded: {error}")
        return None


def _as_mapping(args: object) -> dict[str, Any]:
    values = dict(args) if isinstance(args, Mapping) else vars(args)
    return {str(key): _plain(value, 0) for key, value in values.items() if not str(key).startswith("_")}


def _plain(value: object, depth: int) -> Any:  # noqa: ANN401 - JSON
    """What JSON can hold; anything else as its `repr`, cut at 10,000 characters."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value[:_MAX_TEXT]
    if depth < 20 and isinstance(value, Mapping):
        return {str(key): _plain(part, depth + 1) for key, part in value.items()}
    if depth < 20 and isinstance(value, list | tuple | set | frozenset):
        return [_plain(part, depth + 1) for part in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else repr(value)[:_MAX_TEXT]


def _folder_in(given: Mapping[str, Any]) -> str | None:
    return next((str(given[word]) for word in _FOLDER_WORDS if isinstance(given.get(word), str) and given[word]), None)


def free_path(folder: str, name: str) -> str:
    """The name in the folder, with a number before its ending where it is taken."""
    stem, ending = os.path.splitext(name)
    numbered = (f"{stem}-{number}{ending}" for number in range(2, 100_000))
    for candidate in (name, *numbered):
        path = os.path.join(folder, candidate)
        if not os.path.lexists(path):
            return path
    raise OSError(f"{folder}: too many records")


def tell(text: str) -> None:
    """One line on stderr, if there is a stderr."""
    try:
        sys.stderr.write(f"mlbench: {text}\n")
    except (OSError, ValueError, AttributeError):
        pass


def write_json(path: str, value: Mapping[str, Any]) -> None:
    """Write a record so that it is there whole or not at all, readable only by its owner.

    Raises:
        OSError: it cannot be written.
    """
    temporary = f"{path}.{secrets.token_hex(4)}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as file:
            json.dump(value, file, indent=1, ensure_ascii=False)
            file.write("\n")
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


# ---------------------------------------------------------------- what is recorded


def begin(argv: Sequence[str]) -> Record:
    """The record of a command that begins now."""
    problems: list[str] = []
    return {
        "format": FORMAT,
        "argv": list(argv),
        "cwd": os.getcwd(),
        "started": time.time(),
        "ended": None,
        "exit_code": None,
        "host": socket.gethostname(),
        "user": _user(),
        "environment": _guarded(lambda: environment_of(argv[0] if argv else sys.executable), problems),
        "hardware": _guarded(hardware, problems),
        "problems": problems,
    }


def new_id(argv: Sequence[str]) -> str:
    """`train-20261128-022800-ab12`: the script's name, the time and four random digits."""
    words = [word for word in argv if word.endswith((".py", ".sh", ".ipynb"))] or list(argv[:1]) or ["run"]
    stem = os.path.splitext(os.path.basename(words[0]))[0]
    clean = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem)[:40] or "run"
    return f"{clean}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def _guarded(question: Callable[[], dict[str, Any]], problems: list[str]) -> dict[str, Any]:
    try:
        return question()
    except (OSError, ValueError) as error:
        problems.append(str(error))
        return {}


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
