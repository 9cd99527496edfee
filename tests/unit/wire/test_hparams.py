from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins.hparams import plugin_data_pb2

from mlbench.model import Layer, Param
from mlbench.wire import hparams as hparams_module
from mlbench.wire.hparams import MAX_CONTENT_BYTES, SessionFacts, read_session
from mlbench.wire.protobuf import WireError

ANY_VALUE = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(-(2**60), 2**60), st.text(max_size=140),
    st.lists(st.floats(), max_size=2), st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)  # fmt: skip


def started(**hparams: Any) -> bytes:
    message = plugin_data_pb2.HParamsPluginData(version=0)
    for name, value in hparams.items():
        fill(message.session_start_info.hparams[name], value)
    message.session_start_info.group_name = "group"
    return bytes(message.SerializeToString())


def fill(made: Any, value: Any) -> None:
    """Set a google.protobuf.Value."""
    if value is None:
        made.null_value = 0
    elif isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, float | int):
        made.number_value = value
    elif isinstance(value, str):
        made.string_value = value
    elif isinstance(value, dict):
        made.struct_value.update(value)
    else:
        made.list_value.extend(value)


@pytest.mark.parametrize(
    ("value", "raw", "read"),
    [
        (0.1, "0.1", 0.1),
        (8.0, "8", 8),
        (-3.0, "-3", -3),
        (1e300, "1e+300", 1e300),
        (float("inf"), "Infinity", float("inf")),
        (True, "true", True),
        ("adam", "adam", "adam"),
        (None, "null", None),
        ([1.0, "a"], '[1, "a"]', [1, "a"]),
        ({"beta": [0.9]}, '{"beta": [0.9]}', {"beta": [0.9]}),
    ],
)
def test_a_parameter_has_its_text_and_its_meaning(value: Any, raw: str, read: Any) -> None:
    session = read_session(started(lr=value))

    assert session == SessionFacts(params=(Param("lr", raw, read, Layer.HPARAMS),))


def test_every_parameter_is_read() -> None:
    assert {param.key: param.value for param in read_session(started(lr=0.1, bsz=8.0, opt="adam")).params} == {
        "lr": 0.1,
        "bsz": 8,
        "opt": "adam",
    }


@pytest.mark.parametrize(("status", "word"), [(0, ""), (1, "finished"), (2, "failed"), (3, "running")])
def test_the_end_of_a_session_has_a_status_and_a_time(status: int, word: str) -> None:
    message = plugin_data_pb2.HParamsPluginData()
    message.session_end_info.status = status
    message.session_end_info.end_time_secs = 1.7e9

    assert read_session(message.SerializeToString()) == SessionFacts(status=word, ended_s=1.7e9)


@pytest.mark.parametrize("time_s", [0.0, float("nan"), -5.0])
def test_a_time_that_is_none_is_not_told(time_s: float) -> None:
    message = plugin_data_pb2.HParamsPluginData()
    message.session_end_info.end_time_secs = time_s

    assert read_session(message.SerializeToString()).ended_s is None


def test_an_experiment_describes_a_sweep() -> None:
    message = plugin_data_pb2.HParamsPluginData()
    message.experiment.description = "sweep"

    assert read_session(message.SerializeToString()) == SessionFacts(is_experiment=True)


def test_a_name_that_is_not_utf8_is_replaced() -> None:
    content = b"\x1a\x0a\x0a\x08\x0a\x02l\xff\x12\x02\x20\x01"

    assert read_session(content).params == (Param("l\ufffd", "true", True, Layer.HPARAMS),)


def test_fields_that_nobody_knows_are_passed_over() -> None:
    message = b"\x7a\x00" + b"\x1a\x02\x7a\x00" + b"\x1a\x04\x0a\x02\x7a\x00" + b"\x22\x02\x7a\x00"
    list_with_more = b"\x1a\x0d\x0a\x0b\x0a\x01l\x12\x06\x32\x02\x7a\x00\x7a\x00"

    assert read_session(message).params == (Param("", "null", None, Layer.HPARAMS),)
    assert read_session(list_with_more).params == (Param("l", "[]", [], Layer.HPARAMS),)


def test_a_nest_without_end_is_refused() -> None:
    nested: Any = 1.0
    for _ in range(20):
        nested = [nested]

    with pytest.raises(WireError, match="too deep"):
        read_session(started(lr=nested))


def test_more_than_four_megabytes_are_refused() -> None:
    with pytest.raises(WireError, match="4 MiB"):
        read_session(bytes(MAX_CONTENT_BYTES + 1))


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=140), ANY_VALUE, max_size=4), st.data())
def test_the_short_way_says_what_the_long_way_says(hparams: dict[str, Any], data: st.DataObject) -> None:
    content = bytearray(started(**hparams))
    for _change in range(data.draw(st.integers(0, 2))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(hparams_module, "_plain_entry", lambda *_entry: None)
        long = told(bytes(content))

    assert told(bytes(content)) == long


def told(content: bytes) -> str:
    """What is read, NaN and the kinds of numbers too; or why not."""
    try:
        return repr(read_session(content))
    except WireError as error:
        return str(error)


def test_runs_of_a_sweep_share_the_hyper_parameters_that_they_have_in_common() -> None:
    *_others, before, last = [read_session(started(lr=0.5, name="a" * 300, seed=seed)).params for seed in range(4)]

    shared = {one.key for one, other in zip(before, last, strict=True) if one is other}
    assert shared == {"lr"}  # of long ones nothing is remembered
    assert {param.key: param.value for param in last} == {"lr": 0.5, "name": "a" * 300, "seed": 3}
