import json
import math
from pathlib import Path

import pytest

from mlbench.model import JsonValue, Layer
from mlbench.wire.dump_names import shape_suffix
from mlbench.wire.dump_tree import Remark, TreeError
from mlbench.wire.dumps import Dump, parse_dump
from tests.paths import CORPORA, FORMATS, needs_corpora, needs_formats

ARGPARSE = FORMATS / "argparse"
NAMESPACE: dict[str, JsonValue] = {
    "train_path": "/path/to/my/train.csv",
    "valid_path": "path/to/my/vaild.csv",
    "objective": "binary",
    "metric": "auc",
    "learning_rate": 0.1,
    "num_boost_round": 200,
    "num_leaves": 60,
    "feature_fraction": 0.2,
    "flag": False,
    "layers": [3, 4],
    "out": "/data/o",
    "note": 'it\'s "quoted", a=b',
    "none": None,
    "inf": math.inf,
    "tup": [1, "a"],
    "mode": "Mode.A",
    "fn": "<built-in function len>",
    "v": 2,
}
GIVEN = (
    "train_path", "valid_path", "objective", "metric", "learning_rate", "num_boost_round", "num_leaves",
    "feature_fraction", "layers", "v",
)  # fmt: skip


def parse_file(path: Path) -> Dump:
    return parse_dump(path.read_text(encoding="utf-8"), suffix=shape_suffix(str(path)))


def assert_same(found: JsonValue, expected: JsonValue) -> None:
    assert found == expected
    assert type(found) is type(expected)


@needs_formats
def test_the_expected_values_are_those_of_the_sample_files() -> None:
    expected = json.loads((FORMATS / "expected.json").read_text())["argparse"]["params"]

    for name, param in expected.items():
        assert_same(NAMESPACE[name], math.inf if param["value"] == "Infinity" else param["value"])
    assert set(NAMESPACE) == set(expected)


@needs_formats
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("args.json", "json"),
        ("commandline_args.txt", "json"),
        ("args_csv.csv", "csv"),
        ("args_txt_eq.txt", "key-value"),
        ("args_txt_kv.txt", "key-value"),
        ("opt.txt", "options"),
        ("namespace.log", "namespace"),
        ("pformat.txt", "pprint"),
        ("table.txt", "table"),
    ],
)
def test_every_shape_gives_all_18_values(name: str, shape: str) -> None:
    dump = parse_file(ARGPARSE / name)

    assert (dump.shape, dump.layer) == (shape, Layer.CONFIG)
    assert isinstance(dump.values.value, dict)
    assert dict(sorted(dump.values.value.items())) == dict(sorted(NAMESPACE.items()))
    for key, value in dump.values.value.items():
        assert_same(value, NAMESPACE[key])
    assert dump.values.remarks == ()


@needs_formats
def test_yaml_gives_all_that_it_holds() -> None:
    dump = parse_file(ARGPARSE / "args.yaml")

    tag = "tag:yaml.org,2002:python/object/apply:__main__.Mode"
    expected = {key: value for key, value in NAMESPACE.items() if key != "fn"}
    assert dump.values.value == expected | {"mode": {"__tag__": tag, "value": ["a"]}}


@needs_formats
def test_options_give_their_defaults() -> None:
    dump = parse_file(ARGPARSE / "opt.txt")

    assert dump.defaults is not None
    assert dump.defaults.value == {
        "train_path": "/x",
        "valid_path": None,
        "objective": None,
        "metric": None,
        "num_boost_round": 10,
        "num_leaves": None,
        "feature_fraction": None,
        "layers": [1, 2],
        "v": 0,
    }


@needs_formats
@pytest.mark.parametrize("name", ["sysargv.txt", "sysargv_repr.txt"])
def test_a_command_line_gives_what_was_given(name: str) -> None:
    dump = parse_file(ARGPARSE / name)

    assert (dump.shape, dump.layer, dump.entry_point) == ("command", Layer.CLI, "train.py")
    assert dump.values.value == {key: NAMESPACE[key] for key in GIVEN}


@needs_formats
def test_a_shell_script_gives_what_was_given() -> None:
    dump = parse_file(ARGPARSE / "cmd.sh")

    assert dump.layer == Layer.CLI
    assert dump.values.value == {
        "train_path": "/path/to/my/train.csv",
        "learning_rate": 0.1,
        "num_leaves": 60,
        "flag": True,
        "layers": [3, 4],
    }


@needs_formats
def test_a_quoted_command_line_is_unquoted() -> None:
    assert parse_file(ARGPARSE / "argv_shlex.txt").values.value == {"note": "it's", "x": "a b"}


@needs_formats
@pytest.mark.parametrize("name", ["flagfile.txt", "flags_into_string.txt", "flags_to_json.txt"])
def test_absl_flags_are_read_without_those_of_absl(name: str) -> None:
    assert parse_file(ARGPARSE / name).values.value == {
        "learning_rate": 0.05,
        "layers": ["1", "2"],
        "m": ["x", "y"],
        "amp": False,
        "name": "a 'b'\nc",
        "opt": "adam",
    }


@needs_formats
@pytest.mark.parametrize("name", ["log.txt", "make.py"])
def test_what_is_no_dump_is_refused(name: str) -> None:
    with pytest.raises(TreeError):
        parse_file(ARGPARSE / name)


@needs_corpora
def test_windows_paths_in_a_namespace_are_unescaped() -> None:
    dump = parse_file(CORPORA / "args-cfg_args-namespace" / "output" / "train" / "cfg_args")

    assert isinstance(dump.values.value, dict)
    assert len(dump.values.value) == 10
    assert dump.values.value["source_path"] == "D:\\Projects\\3DGS\\datasets\\train"
    assert dump.values.value["resolution"] == -1


@needs_corpora
def test_a_namespace_and_a_json_of_the_same_run_agree() -> None:
    folder = CORPORA / "keras-keyword-transformer" / "models_data_v2_12_labels" / "kwt3"

    printed = parse_file(folder / "flags.txt").values.value
    written = parse_file(folder / "flags.json").values.value

    assert isinstance(printed, dict)
    assert isinstance(written, dict)
    assert printed["learning_rate"] == "0.001"
    assert {key: written[key] for key in printed if key in written} == {
        key: printed[key] for key in printed if key in written
    }


@needs_formats
def test_rl_zoo_writes_an_ordered_dict() -> None:
    folder = FORMATS / "rlzoo" / "logs" / "ppo" / "CartPole-v1_1" / "CartPole-v1"

    assert parse_file(folder / "config.yml").values.value == {
        "batch_size": 256,
        "clip_range": "lin_0.2",
        "ent_coef": 0.0,
        "gae_lambda": 0.8,
        "gamma": 0.98,
        "learning_rate": "lin_0.001",
        "n_envs": 1,
        "n_epochs": 20,
        "n_steps": 64,
        "n_timesteps": 100000.0,
        "policy": "MlpPolicy",
    }


@needs_formats
@pytest.mark.parametrize("name", ["config.json", "config.yaml"])
def test_ml_collections_writes_fields_and_references(name: str) -> None:
    assert parse_file(FORMATS / "mlcollections" / name).values.value == {
        "lr": 0.1,
        "seed": 3,
        "model": {"width": 64, "tup": [1, 2]},
        "x": None,
        "ph": None,
        "ref": 0.1,
    }


@pytest.mark.parametrize(
    ("text", "shape", "value"),
    [
        ("Namespace(a=1)\nepoch 1\nNamespace(a=2, b=Namespace(c=3))\n", "namespace", {"a": 2, "b": {"c": 3}}),
        ("Namespace(a=1,\nNamespace(b=2)\n", "namespace", {"b": 2}),
        ("args = Namespace(a=1, b=2)\n", "namespace", {"a": 1, "b": 2}),
        ("lr: 1\nwd: 2\ncfg: Namespace(a=1)\nseed: 3\n", "key-value", {"lr": 1, "wd": 2, "cfg": {"a": 1}, "seed": 3}),
        ("\nTrainingArguments(\nlr=0.1,\n)\n", "namespace", {"lr": 0.1}),
        ("a:\n  b: 1\n", "yaml", {"a": {"b": 1}}),
        ("{'a': 1}", "pprint", {"a": 1}),
        ("{}", "json", {}),
        ("a: [1, 2\nb: x: y\n", "key-value", {"a": "[1, 2", "b": "x: y"}),
        ("python train.py --lr 1\n", "command", {"lr": 1}),
    ],
)
def test_a_text_is_known_by_its_looks(text: str, shape: str, value: JsonValue) -> None:
    dump = parse_dump(text)

    assert (dump.shape, dump.values.value) == (shape, value)


@pytest.mark.parametrize(
    ("suffix", "text", "value"),
    [
        (".yaml", "a: 1\n", {"a": 1}),
        (".yaml", "# nothing yet\n", {}),
        (".yaml", "Namespace(a=1)\n", {"a": 1}),
        (".json", '{"a": [1, NaN]}', None),
        (".toml", 'a = 1\n[b]\nc = "x"\nd = 2026-11-24\ne = [inf]\n', {"a": 1, "b": {"c": "x", "d": "2026-11-24", "e": [math.inf]}}),
        (".ini", "[a]\nb = 1\n", {"a": {"b": 1}}),
        (".ini", "[a]\n  b = x\n    y\n  c = 2\n[d]\ne =\n  1\n", {"a": {"b": "x\ny", "c": 2}, "d": {"e": 1}}),
        (".cfg", '[a.b]\nc = "en"\nd = ["x","y"]\ne = null\nf = ${g.h}\n@i = "J.v1"\n',
         {"a.b": {"c": "en", "d": ["x", "y"], "e": None, "f": "${g.h}", "@i": "J.v1"}}),
    ],
)  # fmt: skip
def test_a_suffix_decides_the_shape(suffix: str, text: str, value: JsonValue) -> None:
    found = parse_dump(text, suffix=suffix).values.value

    assert found == value or suffix == ".json"


def test_text_after_json_is_told() -> None:
    dump = parse_dump('{"a": 1}\nrest\n')

    assert dump.values.remarks == (Remark("the text after the closing bracket was left out", 1),)


@pytest.mark.parametrize(
    ("text", "suffix", "what", "line"),
    [
        ('{"a": 1}\n{"a": 2}\n', "", "holds rows of JSON, not one set of parameters", 1),
        ("[1, 2]", ".json", "holds a list and no parameters", None),
        ("hello", ".yaml", "holds a single value and no parameters", None),
        ("hello world", "", "has no shape that parameters are known to have", None),
        ("foo(1)", "", "has no shape that parameters are known to have", None),
        ("Namespace(a=1", "", "ends before this bracket is closed", 1),
        ("Namespace()", "", None, None),
        ("a = 1\nb =\n", ".toml", "is not TOML: invalid value", 2),
        ("a = " + "9" * 5000, ".toml", "is not TOML: it nests too deeply or holds a number that is too long", None),
        ("a = " + "[" * 100 + "]" * 100, ".toml", "nests deeper than 64 levels", None),
        ("a = 1\n" * 60_000, ".toml", "is larger than 256 KiB", None),
    ],
)
def test_what_cannot_be_read_is_told(text: str, suffix: str, what: str | None, line: int | None) -> None:
    if what is None:
        assert parse_dump(text, suffix=suffix).values.value == {}
        return

    with pytest.raises(TreeError) as caught:
        parse_dump(text, suffix=suffix)

    assert (caught.value.what, caught.value.line) == (what, line)


def test_a_log_of_many_namespaces_is_read_in_bounded_time() -> None:
    dump = parse_dump("Namespace(a=1)\n" * 10_000)

    assert dump.values.value == {"a": 1}
