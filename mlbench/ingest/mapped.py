"""The mapping that the settings name: where it is, and whether it can be followed."""

from __future__ import annotations

import os

from mlbench.errors import UsageError
from mlbench.settings import read_settings


def mapping_path() -> str:
    """The mapping that the settings name, checked; '' for none.

    Raises:
        UsageError: it is not there, or has a mistake; the message names file and line.
    """
    named = read_settings().mapping
    if not named:
        return ""
    from mlbench.wire.mapping import load_mapping

    path = os.path.realpath(os.path.expanduser(named))
    if not os.path.isfile(path):
        raise UsageError(f"{named}: there is no mapping here. It is named by the setting mapping or by --mapping")
    problems = load_mapping(path).problems
    if problems:
        told = (f"{one.path}:{one.place.removeprefix('line ')}: {one.what}. {_sentence(one.hint)}" for one in problems)
        raise UsageError("\n".join(told))
    return path


def _sentence(hint: str) -> str:
    return hint[:1].upper() + hint[1:]
