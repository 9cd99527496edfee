"""Promises of what DVC's lock alone tells of data."""

from mlbench.model import JsonValue
from mlbench.wire.dvcdata import locked_versions

HASH = "8c7ecfcac1080b352496a9b412c4ab23"


def entry(path: str, ending: str = "") -> JsonValue:
    return {"path": path, "md5": HASH + ending, "size": 7}


def test_what_stages_hand_on_and_what_lies_among_data_is_data_and_code_and_models_are_not() -> None:
    stages: dict[str, JsonValue] = {
        "prepare": {"deps": [entry("prepare.py"), entry("data/raw.bin")], "outs": [entry("prepared", ".dir")]},
        "train": {"deps": [entry("train.py"), entry("prepared", ".dir"), entry("x.csv")], "outs": [entry("model.pt")]},
    }

    found = list(locked_versions(stages, {"x.csv"}))

    assert [(one.name, one.version, one.size_bytes) for one in found] == [
        ("prepared", f"{HASH}.dir", 7),
        ("data/raw.bin", HASH, 7),
    ]


def test_hostile_stages_are_nothing() -> None:
    stages: dict[str, JsonValue] = {"a": 3, "b": {"deps": [1, {"path": 2}, {"path": "data/x"}], "outs": "x"}}

    assert list(locked_versions(stages, ())) == []
