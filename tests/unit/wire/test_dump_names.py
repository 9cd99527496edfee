import pytest

from mlbench.wire.dump_names import is_argparse_name, is_config_name, is_flag_file_name, run_folder_of, shape_suffix

NAMES = {
    "config": ["config.yaml", "config.yml", "config.json", "config.toml", "config.ini", "configuration.yaml", "hparams.yaml"],
    "argparse": [
        "args.json", "args.yml", "args.txt", "commandline_args.txt", "opt.txt", "train_opt.txt", "cfg_args", "flags.json",
        "command.txt", "namespace.txt", "namespace_2.txt", "opt.yaml",
    ],
    "absl": ["flagfile.txt", "train.flagfile"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names])
def test_a_dump_has_one_kind(kind: str, name: str) -> None:
    kinds = {"config": is_config_name(name), "argparse": is_argparse_name(name), "absl": is_flag_file_name(name)}

    assert [found for found, is_one in kinds.items() if is_one] == [kind]


@pytest.mark.parametrize(
    "name", ["train.yaml", "args.py", "myargs.json", "config.py", "opt", "cfg_args.bin", "args.json\n"]
)
def test_other_names_are_no_dumps(name: str) -> None:
    claims = [is_config_name(name), is_argparse_name(name), is_flag_file_name(name)]

    assert claims == [False, False, False]


@pytest.mark.parametrize(("path", "suffix"), [("a/args.YAML", ".yaml"), ("args.txt", ""), ("cfg_args", "")])
def test_a_suffix_decides_where_it_promises_a_shape(path: str, suffix: str) -> None:
    assert shape_suffix(path) == suffix


@pytest.mark.parametrize(
    ("folder", "files", "run_folder"),
    [
        ("/x/Pong-v4_1/Pong-v4", ["args.yml", "config.yml"], "/x/Pong-v4_1"),
        ("/x/Pong-v4_1/Pong-v4", ["args.yml"], "/x/Pong-v4_1/Pong-v4"),
        ("/x/runs/Pong-v4", ["args.yml", "config.yml"], "/x/runs/Pong-v4"),
        ("/", ["args.yml", "config.yml"], "/"),
    ],
)
def test_rl_zoo_keeps_its_dumps_one_folder_down(folder: str, files: list[str], run_folder: str) -> None:
    assert run_folder_of(folder, files) == run_folder
