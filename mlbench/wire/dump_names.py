"""Which names hold parameter dumps: one list for all adapters, so that no file is claimed twice."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

CODE_ENDINGS = ("py", "ipynb", "cpp", "cc", "cu", "jl", "rs", "go", "java", "r", "ts", "js")
"""Where such files lie, a `config.yaml` is that of a program, not of one run."""
ENDINGS = ("txt", "json", "yaml", "yml", "toml", "ini", "csv", "log", "cfg_args")
"""Of the names of argparse dumps."""
WORDS = ("arg", "opt", "flags", "command", "namespace")
"""One of them is in each of these names."""
_TEXTS = r"(?:txt|json|ya?ml|toml|ini|csv|log)"
_CONFIG = re.compile(r"config\.(?:ya?ml|json|toml|ini|cfg)|configuration\.(?:ya?ml|json)|hparams\.(?:ya?ml|json|toml)")
_ARGPARSE = re.compile(
    rf"args\.{_TEXTS}|commandline_args\.{_TEXTS}|(?:.+_)?opt\.(?:txt|json|ya?ml)|cfg_args|flags\.(?:txt|json|ya?ml)"
    r"|command\.txt|namespace.*\.txt"
)
_FLAG_FILES = re.compile(r"flags\.txt|flagfile\.txt|.+\.flagfile")
_PARSED_BY_SUFFIX = frozenset({".yaml", ".yml", ".json", ".toml", ".ini", ".cfg"})


def is_config_name(name: str) -> bool:
    """`config.yaml`, `hparams.yaml` and their kin."""
    return bool(_CONFIG.fullmatch(name))


def is_argparse_name(name: str) -> bool:
    """`args.json`, `opt.txt`, `cfg_args` and their kin; `flags.txt` is also an absl name, its content decides."""
    return bool(_ARGPARSE.fullmatch(name))


def is_flag_file_name(name: str) -> bool:
    return bool(_FLAG_FILES.fullmatch(name))


def shape_suffix(path: str) -> str:
    """The suffix of a name that promises one shape, '' where the text decides."""
    suffix = os.path.splitext(path)[1].lower()
    return suffix if suffix in _PARSED_BY_SUFFIX else ""


def run_folder_of(folder: str, files: Collection[str]) -> str:
    """The folder of the run that a dump tells of: its own, or the one above for rl-zoo.

    rl-zoo writes `<env>_<n>/<env>/{args.yml,config.yml}`, beside the monitor files in `<env>_<n>/`.
    """
    if "args.yml" not in files or "config.yml" not in files:
        return folder
    above, name = os.path.split(folder)
    if name and re.fullmatch(re.escape(name) + r"_\d+", os.path.basename(above)):
        return above
    return folder
