import pytest

from mlbench.model import JsonValue
from mlbench.wire.dump_tree import Raw
from mlbench.wire.yamltext import load_yaml

SCALAR = "!!python/object/apply:numpy.core.multiarray.scalar"

FOO = "tag:yaml.org,2002:python/object/new:foo.Bar"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!!python/tuple [1, 2]", [1, 2]),
        ("!!python/name:torch.optim.adam.Adam ''", "torch.optim.adam.Adam"),
        ("!!python/module:numpy ''", "numpy"),
        ("!!python/object/apply:pathlib.PosixPath [/, data, o]", "/data/o"),
        ("!!python/object/apply:pathlib.PosixPath [data]", "data"),
        ("!!python/object/apply:pathlib.WindowsPath ['C:\\', data]", "C:\\data"),
        ("!!python/object/apply:pathlib.PosixPath []", ""),
        ("!!python/object:argparse.Namespace {lr: 0.1}", {"lr": 0.1}),
        ("!!python/object/apply:collections.OrderedDict [[[a, 1], [b, 2]]]", {"a": 1, "b": 2}),
        ("!!python/object/apply:collections.OrderedDict []", {}),
        ("!!python/object/apply:collections.OrderedDict [[]]", {}),
        ("!!python/object/apply:collections.OrderedDict {dictitems: {a: 1}}", {"a": 1}),
        (
            "!!python/object/apply:collections.defaultdict {args: [!!python/name:builtins.int ''], dictitems: {a: 1}}",
            {"a": 1},
        ),
        ("!!python/object/apply:collections.OrderedDict {args: [], state: {}}", {"args": [], "state": {}}),
        ("!!python/object/new:foo.Bar {args: [], dictitems: {}, listitems: [1]}", {"__tag__": FOO, "value": [1]}),
        ("!!python/object/new:easydict.EasyDict {dictitems: {a: 1}, state: {a: 1}}", {"a": 1}),
        ("!!python/object:ml.ConfigDict {_fields: {lr: 0.1}, _locked: false}", {"lr": 0.1}),
        ("!!python/object:omegaconf.nodes.AnyNode {_val: 3, _metadata: 1}", 3),
        ("!!python/object/apply:torch.device [cuda, 0]", "cuda:0"),
        ("!!python/float '0.1'", 0.1),
        ("!!python/float 'inf'", float("inf")),
        ("!!python/none ''", None),
        ("!!python/bool 'True'", True),
        ("!!python/unicode abc", "abc"),
        ("!!python/str 12", "12"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("!!float 1", 1),
        ("!!null ''", None),
        ("!!set {a, b}", ["a", "b"]),
        ("!!omap [a: 1, b: 2]", {"a": 1, "b": 2}),
        ("!!omap [1, b: 2]", [1, {"b": 2}]),
        ("!!binary aGk=", "aGk="),
        ("!!timestamp 2026-11-24", "2026-11-24"),
        (
            f"{SCALAR}\n- !!python/object/apply:numpy.dtype [f8, false, true]\n- !!binary mpmZmZmZuT8=\n",
            0.1,
        ),
        (
            f"{SCALAR}\n- !!python/object/apply:numpy.dtype {{args: [i8, 0, 1], state: []}}\n- !!binary BwAAAAAAAAA=\n",
            7,
        ),
    ],
)
def test_a_tag_is_read_as_the_plain_value_below_it(text: str, value: JsonValue) -> None:
    assert load_yaml(text).value == value


@pytest.mark.parametrize(
    ("text", "tag", "value"),
    [
        (
            "!!python/object/apply:__main__.Mode [a]",
            "tag:yaml.org,2002:python/object/apply:__main__.Mode",
            ["a"],
        ),
        ("!!python/object:foo.Config {lr: 0.1}", "tag:yaml.org,2002:python/object:foo.Config", {"lr": 0.1}),
        ("!secret key", "!secret", "key"),
        ("!Foo [1]", "!Foo", ["1"]),
        ("!!python/new_kind x", "tag:yaml.org,2002:python/new_kind", "x"),
        (
            "!!python/object/apply:torch.device {index: 0}",
            "tag:yaml.org,2002:python/object/apply:torch.device",
            {"index": 0},
        ),
        (
            "!!python/object:argparse.Namespace [1]",
            "tag:yaml.org,2002:python/object:argparse.Namespace",
            [1],
        ),
        (
            "!!python/object/apply:pathlib.PosixPath [[1]]",
            "tag:yaml.org,2002:python/object/apply:pathlib.PosixPath",
            [[1]],
        ),
        ("!!python/object/apply:np.scalar [1]", "tag:yaml.org,2002:python/object/apply:np.scalar", [1]),
        ("!!python/object/apply:np.scalar [1, 2]", "tag:yaml.org,2002:python/object/apply:np.scalar", [1, 2]),
    ],
)
def test_what_has_no_plain_meaning_keeps_its_tag(text: str, tag: str, value: JsonValue) -> None:
    found = load_yaml(text).value

    assert isinstance(found, dict)
    assert found["__tag__"] == tag
    assert found["value"] == value or tag == "!Foo"


@pytest.mark.parametrize("content", ["'@'", "!!binary aGk=", "!!binary a"])
def test_a_numpy_scalar_with_wrong_bytes_keeps_its_tag(content: str) -> None:
    text = f"{SCALAR}\n- !!python/object/apply:numpy.dtype [f8, false, true]\n- {content}\n"

    found = load_yaml(text).value

    assert isinstance(found, dict)
    assert "__tag__" in found


def test_a_tuple_keeps_its_brackets_in_the_raw_text() -> None:
    loaded = load_yaml("betas: !!python/tuple [0.9, 0.999]\none: !!python/tuple [1]\nmode: !Mode [a, {b: 'c d'}]\n")

    assert loaded.raw[("betas",)] == Raw("(0.9, 0.999)", 1)
    assert loaded.raw[("one",)] == Raw("(1,)", 2)
    assert loaded.raw[("mode",)] == Raw("!Mode [a, {b: 'c d'}]", 3)
