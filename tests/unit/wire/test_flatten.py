from collections.abc import Mapping
from types import MappingProxyType

from mlbench.model import JsonValue
from mlbench.wire.dump_tree import MAX_LEAVES
from mlbench.wire.flatten import Leaf, flatten, value_text
from mlbench.wire.yamltext import load_yaml


def test_nests_become_dots_and_lists_stay_values() -> None:
    loaded = load_yaml("optim:\n  lr: 1e-3\n  betas: [0.9, 0.999]\nseed: 1\n")
    assert isinstance(loaded.value, Mapping)

    flat = flatten(loaded.value, raw=loaded.raw)

    assert flat.leaves == (
        Leaf("optim.lr", ("optim", "lr"), 0.001, "1e-3", 2),
        Leaf("optim.betas", ("optim", "betas"), [0.9, 0.999], "[0.9, 0.999]", 3),
        Leaf("seed", ("seed",), 1, "1", 4),
    )
    assert not flat.is_cut


def test_keys_with_dots_stay_as_they_are() -> None:
    flat = flatten({"a.b": {"c/d": 1}})

    assert [(leaf.key, leaf.path) for leaf in flat.leaves] == [("a.b.c/d", ("a.b", "c/d"))]


def test_an_empty_mapping_is_a_value_but_not_at_the_root() -> None:
    assert [(leaf.key, leaf.value, leaf.raw) for leaf in flatten({"a": {}}).leaves] == [("a", {}, "{}")]
    assert flatten({}).leaves == ()


def test_without_texts_they_are_written_from_the_values() -> None:
    value: Mapping[str, JsonValue] = {"a": None, "b": True, "c": "x", "d": [1, {"e": float("nan")}], "f": (1, 2)}

    flat = flatten(value)

    assert [leaf.raw for leaf in flat.leaves] == ["null", "true", "x", '[1, {"e": NaN}]', "[1, 2]"]


def test_a_tagged_mapping_is_passed_through() -> None:
    loaded = load_yaml("cfg: !!python/object:foo.Config {lr: 0.1, net: {width: 3}}\nmode: !Mode a\n")
    assert isinstance(loaded.value, Mapping)

    flat = flatten(loaded.value, raw=loaded.raw)

    assert [(leaf.key, leaf.raw) for leaf in flat.leaves] == [
        ("cfg.lr", "0.1"),
        ("cfg.net.width", "3"),
        ("mode", "!Mode a"),
    ]


def test_keys_that_are_not_text_become_text() -> None:
    value: Mapping[str, JsonValue] = {1: {None: 2}}  # type: ignore[dict-item]

    assert [leaf.key for leaf in flatten(value).leaves] == ["1.None"]


def test_too_many_parameters_are_cut_and_told() -> None:
    flat = flatten({f"k{number}": number for number in range(MAX_LEAVES + 1)})

    assert len(flat.leaves) == MAX_LEAVES
    assert flat.is_cut


def test_keys_that_are_absurdly_long_are_cut() -> None:
    flat = flatten({"a" * (5 << 20): {"b": 1, "c": 2}})

    assert len(flat.leaves) == 1
    assert flat.is_cut


def test_a_value_that_nests_without_end_becomes_text() -> None:
    deep: JsonValue = 1
    for _ in range(100_000):
        deep = [deep]

    flat = flatten({"a": deep})

    assert [(leaf.key, leaf.value) for leaf in flat.leaves] == [("a", "(nested too deeply)")]


def test_mappings_that_nest_deeply_end_in_a_value() -> None:
    deep: dict[str, JsonValue] = {"a": 1}
    for _ in range(100):
        deep = {"a": deep}

    flat = flatten(deep)

    assert len(flat.leaves) == 1
    assert len(flat.leaves[0].path) == 64


def test_a_strange_object_is_written_as_text() -> None:
    assert value_text(range(2)) == "[0, 1]"
    assert value_text([MappingProxyType({"a": 1})]) == '[{"a": 1}]'
    assert value_text([{1}]) == '["{1}"]'  # type: ignore[list-item]
