"""What programs print of their argparse options, in any of some fifteen shapes.

Files: `args.*`, `commandline_args.*`, `opt.{txt,yaml,json}`, `*_opt.txt` (CycleGAN, pix2pix), `cfg_args` (3D Gaussian
Splatting), `flags.{txt,json,yaml}`, `namespace*.txt`, `command.txt` (rl-zoo). Ultralytics' and rl-zoo's `args.yaml`
and `args.yml` too. The text decides the shape (`mlbench.wire.dumps`); nothing is evaluated.
Argparse: https://docs.python.org/3/library/argparse.html#the-namespace-object
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from mlbench.model import Adapter, Claim, Fact, JsonValue, Layer, Listing, Param, ReadStatus, Role, RunField, Source
from mlbench.wire.dump_absl import looks_like_flag_file
from mlbench.wire.dump_command import looks_like_command
from mlbench.wire.dump_facts import cursor_of, params_of, problem_of, read_dump_text
from mlbench.wire.dump_forms import read_by_form
from mlbench.wire.dump_names import ENDINGS, WORDS, is_argparse_name, is_flag_file_name, run_folder_of, shape_suffix
from mlbench.wire.dump_tree import TreeError
from mlbench.wire.dumps import Dump, parse_dump
from mlbench.wire.files import read_head


def claims(listing: Listing) -> Iterator[Claim]:
    """Claim dumps by name; `flags.txt` and `command.txt` where their first lines agree."""
    for name in listing.naming(WORDS, *ENDINGS):
        if not is_argparse_name(name):
            continue
        path = os.path.join(listing.path, name)
        if is_flag_file_name(name) and looks_like_flag_file(_head(path)):
            continue
        is_command = name == "command.txt"
        if is_command and not looks_like_command(_head(path)):
            continue
        yield Claim(path, Role.DUMP, run_folder_of(listing.path, listing.files), is_weak=is_command)


def _head(path: str) -> str:
    return read_head(path).decode(errors="replace")


def read(source: Source, cursor: Mapping[str, JsonValue] | None) -> Iterator[Fact]:
    """Yield the options, their defaults where the dump tells them, and the command line where it is one."""
    del cursor  # A dump is read whole.
    found = read_dump_text(source.path)
    facts: list[Fact] = list(found.problems)
    status = found.status
    if found.text is not None:
        suffix = shape_suffix(source.path)
        try:
            params = None if _is_of_rl_zoo(source) else read_by_form(found.text, suffix)
            facts += _facts(source, parse_dump(found.text, suffix=suffix)) if params is None else params
        except TreeError as error:
            facts.append(problem_of(source.path, error))
            status = ReadStatus.UNREADABLE
    yield from facts
    yield cursor_of(status, facts)


def _facts(source: Source, dump: Dump) -> Iterator[Fact]:
    if dump.command:
        yield RunField("command", dump.command)
    if dump.entry_point:
        yield RunField("entry_point", dump.entry_point)
    if dump.defaults:
        yield from params_of(source.path, dump.defaults, layer=Layer.DEFAULT)
    is_rl_zoo = _is_of_rl_zoo(source)
    for fact in params_of(source.path, dump.values, layer=dump.layer):
        yield _of_rl_zoo(fact) if is_rl_zoo and isinstance(fact, Param) else fact


def _is_of_rl_zoo(source: Source) -> bool:
    return os.path.dirname(source.path) != source.run_folder


def _of_rl_zoo(param: Param) -> Param:
    """rl-zoo's `-n` replaces the number of steps in `config.yml`, and says -1 where it was not given."""
    if param.key != "n_timesteps" or not isinstance(param.value, int | float):
        return param
    layer = Layer.OVERRIDE if param.value > 0 else Layer.DEFAULT
    return Param(param.key, param.raw, param.value, layer, param.line)


def write_example(folder: str) -> None:
    """Write the `opt.txt` of a CycleGAN training."""
    with open(os.path.join(folder, "train_opt.txt"), "w", encoding="utf-8") as file:
        file.write(
            "----------------- Options ---------------\n"
            "               batch_size: 1                             \n"
            "                       lr: 0.0002                        \t[default: 0.0001]\n"
            "                   layers: [3, 4]                        \n"
            "----------------- End -------------------\n"
        )


ADAPTER = Adapter(
    name="argparse",
    claims=claims,
    read=read,
    example=write_example,
    formats="Dumps of argparse options: JSON, YAML, Namespace(...), key=value, opt.txt, tables, command lines",
    files=(
        "args.*",
        "commandline_args.*",
        "opt.{txt,json,yaml,yml}",
        "*_opt.{txt,json,yaml,yml}",
        "cfg_args",
        "flags.{txt,json,yaml,yml}",
        "namespace*.txt",
        "command.txt",
    ),
)
