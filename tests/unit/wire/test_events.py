import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto import event_pb2, summary_pb2

from mlbench.wire.events import MAX_PLUGIN_TAGS, MAX_VALUES, Event, Part, Value, decode_event
from mlbench.wire.protobuf import WireError
from tests.unit.wire.event_messages import WALL_S, decoded, event, strings, tensor, texts, value

PNG = b"\x89PNG\r\n\x1a\n..."


def test_an_event_has_wall_time_step_and_value() -> None:
    found = decode_event(event(value("loss", simple_value=0.1), step=7), {})

    assert (found.wall_s, found.step) == (WALL_S, 7)
    assert [(one.tag, one.kind, one.number) for one in found.values] == [("loss", "scalar", 0.10000000149011612)]


@pytest.mark.parametrize("step", [0, 1, -1, -7, 2**40, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_a_step_is_a_signed_number_of_64_bits(step: int) -> None:
    assert decode_event(event(value("a", simple_value=1), step=step), {}).step == step


def test_an_empty_payload_is_an_event_of_step_zero() -> None:
    assert decode_event(b"", {}) == Event(0.0, 0)


def test_wall_time_keeps_its_bits() -> None:
    odd_nan = struct.pack("<Q", 0x7FF800000000ABCD)

    found = decode_event(b"\x09" + odd_nan, {})

    assert struct.pack("<d", found.wall_s) == odd_nan


@pytest.mark.parametrize("number", [math.inf, -math.inf, 0.0, 1.401298464324817e-45, 3.4028234663852886e38])
def test_a_float32_becomes_the_same_double(number: float) -> None:
    (found,) = decoded(value("a", simple_value=number))

    assert found.number == number


def test_nan_is_a_value() -> None:
    (found,) = decoded(value("a", simple_value=math.nan))

    assert found.kind == "scalar"
    assert math.isnan(found.number)


def test_many_values_of_one_event_keep_their_order() -> None:
    found = decoded(*(value(f"m{n}", simple_value=n) for n in range(3)))

    assert [(one.tag, one.number) for one in found] == [("m0", 0.0), ("m1", 1.0), ("m2", 2.0)]


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (value("a", plugin="scalars", tensor=tensor("FLOAT", float_val=[2])), "scalar"),
        (value("a", plugin="scalars", tensor=tensor("DOUBLE", (1,), double_val=[2])), "scalar"),
        (value("a", tensor=tensor("FLOAT", float_val=[2])), "scalar"),
        (value("a", plugin="histograms", simple_value=2), "scalar"),
        (value("a", plugin="mine", data_class=1, tensor=tensor("FLOAT", float_val=[2])), "scalar"),
        (value("a", plugin="scalars", data_class=2, tensor=tensor("FLOAT", float_val=[2])), "tensor"),
        (value("a", plugin="mine", tensor=tensor("FLOAT", float_val=[2])), "tensor"),
        (value("a", plugin="scalars", tensor=tensor("FLOAT", (2,), float_val=[2, 3])), "tensor"),
        (value("a", tensor=strings(b"x")), "tensor"),
        (value("a", plugin="histograms", tensor=tensor("DOUBLE", (1, 3), double_val=[0, 1, 2])), "histogram"),
        (value("a", plugin="pr_curves", tensor=tensor("FLOAT", (6, 1), float_val=[0] * 6)), "pr_curve"),
        (value("a", plugin="mesh", tensor=tensor("FLOAT", (1, 3), float_val=[0] * 3)), "tensor"),
        (value("a", histo=summary_pb2.HistogramProto(num=3)), "histogram"),
        (value("a", obsolete_old_style_histogram=b"x"), "tensor"),
    ],
)
def test_the_kind_is_decided_by_value_data_class_plugin_and_shape(made: Any, kind: str) -> None:
    payload = event(made)

    (found,) = decode_event(payload, {}).values

    assert found.kind == kind
    assert len(found.parts) == (0 if kind == "scalar" else 1)
    assert found.number == (2.0 if kind == "scalar" else 0.0)


def test_a_histogram_is_found_in_its_place() -> None:
    histogram = summary_pb2.HistogramProto(min=-1, max=1, num=3, bucket_limit=[0, 1], bucket=[1, 2])
    payload = event(value("weights", histo=histogram))

    found = decode_event(payload, {})

    assert texts(payload, found) == [histogram.SerializeToString()]
    assert found.values[0].parts[0].encoding == "proto"


def test_a_tensor_is_found_in_its_place() -> None:
    rows = tensor("DOUBLE", (1, 3), double_val=[0, 1, 2])
    payload = event(value("weights", plugin="histograms", tensor=rows))

    found = decode_event(payload, {})

    assert texts(payload, found) == [rows.SerializeToString()]
    assert found.values[0].parts[0].encoding == "tensor"


@pytest.mark.parametrize(
    ("content", "encoding"), [(PNG, "png"), (b"\xff\xd8\xff\xe0", "jpeg"), (b"GIF89a", "gif"), (b"BM", ""), (b"", "")]
)
def test_a_picture_of_tensorflow_1_is_its_encoded_bytes(content: bytes, encoding: str) -> None:
    image = summary_pb2.Summary.Image(height=3, width=4, colorspace=3, encoded_image_string=content or b"?")
    payload = event(value("img/image/0", image=image))

    found = decode_event(payload, {})

    (part,) = found.values[0].parts
    assert texts(payload, found) == [content or b"?"]
    assert (part.encoding, part.width, part.height) == (encoding, 4, 3)


def test_a_picture_without_bytes_is_none() -> None:
    (found,) = decoded(value("img", image=summary_pb2.Summary.Image(height=3)))

    assert (found.kind, found.parts) == ("image", ())


def test_pictures_of_tensorflow_2_come_with_their_size() -> None:
    payload = event(value("img", plugin="images", tensor=strings(b"28", b"14", PNG, b"\xff\xd8\xff")))

    found = decode_event(payload, {})

    assert texts(payload, found) == [PNG, b"\xff\xd8\xff"]
    assert [(part.encoding, part.width, part.height) for part in found.values[0].parts] == [
        ("png", 28, 14),
        ("jpeg", 28, 14),
    ]


def test_a_size_that_is_no_number_is_not_known() -> None:
    (found,) = decoded(value("img", plugin="images", tensor=strings(b"x", b"9" * 100, PNG)))

    assert (found.parts[0].width, found.parts[0].height) == (0, 9_999_999_999)


def test_pictures_without_their_size_are_a_tensor() -> None:
    (found,) = decoded(value("img", plugin="images", tensor=strings(b"28", b"14")))

    assert [part.encoding for part in found.parts] == ["tensor"]


def test_sounds_come_without_their_labels() -> None:
    wav = b"RIFF....WAVE"
    tf1 = event(value("a", audio=summary_pb2.Summary.Audio(sample_rate=8000, encoded_audio_string=wav)))
    tf2 = event(value("a", plugin="audio", tensor=strings(wav, b"label", wav, b"", shape=(2, 2))))

    assert texts(tf1, decode_event(tf1, {})) == [wav]
    assert texts(tf2, decode_event(tf2, {})) == [wav, wav]
    assert {part.encoding for raw in (tf1, tf2) for part in decode_event(raw, {}).values[0].parts} == {"wav"}


def test_texts_are_one_part_each_and_a_table_is_a_tensor() -> None:
    one = event(value("t", plugin="text", tensor=strings(b"a", b"b")))
    scalar = event(value("t", plugin="text", tensor=tensor("STRING", string_val=[b"a"])))
    table = event(value("t", plugin="text", tensor=strings(b"a", b"b", shape=(1, 2))))

    assert texts(one, decode_event(one, {})) == [b"a", b"b"]
    assert texts(scalar, decode_event(scalar, {})) == [b"a"]
    assert [part.encoding for part in decode_event(table, {}).values[0].parts] == ["tensor"]


def test_a_text_that_is_numbers_is_a_tensor() -> None:
    (found,) = decoded(value("t", plugin="text", tensor=tensor("FLOAT", float_val=[1])))

    assert (found.kind, [part.encoding for part in found.parts]) == ("text", ["tensor"])


@pytest.mark.parametrize(
    ("plugin", "encoding", "kind"),
    [
        ("graph_keras_model", "json", "graph"),
        ("graph_run_metadata", "proto", "graph"),
        ("custom_scalars", "proto", "layout"),
    ],
)
def test_graphs_and_layouts_are_found_in_their_places(plugin: str, encoding: str, kind: str) -> None:
    payload = event(value("keras", plugin=plugin, tensor=tensor("STRING", string_val=[b"{}"])))

    found = decode_event(payload, {})

    assert texts(payload, found) == [b"{}"]
    assert (found.values[0].kind, found.values[0].parts[0].encoding) == (kind, encoding)


def test_graphs_beside_the_summary_have_names() -> None:
    metadata = event_pb2.TaggedRunMetadata(tag="step1", run_metadata=b"....")
    graph = decode_event(event(graph_def=b"graph"), {})
    meta = decode_event(event(meta_graph_def=b"meta"), {})
    tagged = event(tagged_run_metadata=metadata)
    untagged = event(tagged_run_metadata=event_pb2.TaggedRunMetadata(run_metadata=b"...."))

    assert graph.graphs == (("graph", Part(11, 16, "proto")),)
    assert meta.graphs == (("meta_graph", Part(11, 15, "proto")),)
    assert [name for name, _ in decode_event(tagged, {}).graphs] == ["step1"]
    assert [name for name, _ in decode_event(untagged, {}).graphs] == ["run_metadata"]


def test_hyper_parameters_without_a_value_are_found_in_the_metadata() -> None:
    payload = event(value("_hparams_/session_start_info", plugin="hparams", content=b"content"))

    found = decode_event(payload, {})

    assert (found.values[0].kind, found.values[0].session) == ("hparams", b"content")
    assert texts(payload, found) == [b"content"]


def test_hyper_parameters_without_content_have_no_part() -> None:
    (found,) = decoded(value("_hparams_/experiment", plugin="hparams"))

    assert (found.session, found.parts) == (b"", ())


def test_metadata_of_an_earlier_event_hold_for_later_ones() -> None:
    plugins: dict[str, str] = {}

    decoded(value("note", plugin="text", tensor=strings(b"a")), plugins=plugins)
    (later,) = decoded(value("note", tensor=strings(b"b")), plugins=plugins)

    assert plugins == {"note": "text"}
    assert later.kind == "text"


def test_the_first_metadata_of_a_tag_decide() -> None:
    plugins = {"a": "text"}

    (found,) = decoded(value("a", plugin="images", tensor=strings(b"1", b"2", b"3")), plugins=plugins)

    assert (found.kind, plugins) == ("text", {"a": "text"})


def test_only_so_many_tags_are_remembered() -> None:
    plugins = {str(n): "text" for n in range(MAX_PLUGIN_TAGS)}

    decoded(value("one more", plugin="text", tensor=strings(b"a")), plugins=plugins)

    assert len(plugins) == MAX_PLUGIN_TAGS


def test_fields_that_nobody_knows_are_passed_over() -> None:
    assert decode_event(b"\x7a\x00\x2a\x02\x7a\x00", {}) == Event(0.0, 0)
    assert decode_event(b"\x2a\x04\x0a\x02\x7a\x00", {}).values == (Value("", "tensor"),)


def test_a_value_without_anything_is_an_empty_tensor() -> None:
    assert decoded(value("nothing")) == (Value("nothing", "tensor"),)


def test_a_tag_that_is_not_utf8_is_replaced_and_said() -> None:
    payload = event(value("loss??", simple_value=1)).replace(b"??", b"\xff\xfe")

    (found,) = decode_event(payload, {}).values

    assert (found.tag, found.is_tag_damaged, found.number) == ("loss\ufffd\ufffd", True, 1.0)


def test_a_tag_without_end_is_cut() -> None:
    assert len(decoded(value("x" * 100_000, simple_value=1))[0].tag) == 4096


def test_versions_and_session_starts_are_told() -> None:
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    stop = event_pb2.SessionLog(status=event_pb2.SessionLog.STOP, msg="done")

    assert decode_event(event(file_version="brain.Event:2"), {}).file_version == "brain.Event:2"
    assert decode_event(event(session_log=start, step=5), {}).is_session_start
    assert not decode_event(event(session_log=stop), {}).is_session_start
    assert not decode_event(event(session_log=event_pb2.SessionLog()), {}).is_session_start


@pytest.mark.parametrize(
    ("payload", "is_plain"),
    [
        (event(value("a", simple_value=1), step=3), True),
        (event(value("a", simple_value=1)), True),
        (event(value("a", simple_value=1), source_metadata=event_pb2.SourceMetadata(writer="w")), False),
        (event(value("a", simple_value=1))[9:], False),
    ],
)
def test_the_place_of_the_summary_is_told_where_nothing_else_is_in_the_event(payload: bytes, is_plain: bool) -> None:
    found = decode_event(payload, {})

    assert (found.summary_at >= 0) == is_plain
    assert not is_plain or payload[found.summary_at] == 0x2A


@pytest.mark.parametrize("payload", [b"\x00", b"rubbish", b"\x2a\x05ab", b"\x2a\x04\x0a\x02\x0a\x05", b"\x0b"])
def test_a_payload_that_is_no_event_is_an_error(payload: bytes) -> None:
    with pytest.raises(WireError):
        decode_event(payload, {})


@pytest.mark.parametrize(
    "payload",
    [b"\x2a\x00" * (MAX_VALUES + 1), b"\x2a\x84\x80\x08" + b"\x0a\x00" * (MAX_VALUES + 2)],
    ids=["summaries", "values"],
)
def test_an_event_of_endless_values_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError, match="too many values"):
        decode_event(payload, {})


@given(st.lists(st.tuples(st.text(max_size=4), st.floats(width=32)), max_size=4), st.integers(-(2**63), 2**63 - 1))
def test_scalars_are_what_tensorboards_own_classes_read(logged: list[tuple[str, float]], step: int) -> None:
    payload = event(*(value(tag, simple_value=number) for tag, number in logged), step=step)

    found = decode_event(payload, {})

    theirs = event_pb2.Event.FromString(payload)
    assert found.step == theirs.step
    assert [(one.tag, struct.pack("<d", one.number)) for one in found.values] == [
        (one.tag, struct.pack("<d", one.simple_value)) for one in theirs.summary.value
    ]


@given(st.data())
def test_a_damaged_payload_is_refused_or_read_and_never_raises_otherwise(data: st.DataObject) -> None:
    histogram = summary_pb2.HistogramProto(min=-1, max=1, num=3, bucket_limit=[0, 1], bucket=[1, 2])
    whole = event(
        value("a", simple_value=1),
        value("h", histo=histogram),
        value("t", plugin="scalars", tensor=tensor("FLOAT", (1,), float_val=[1])),
        value("i", plugin="images", tensor=strings(b"1", b"1", PNG)),
        value("p", plugin="hparams", content=b"12345678"),
        step=300,
    )
    payload = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        payload[data.draw(st.integers(0, len(payload) - 1))] = data.draw(st.integers(0, 255))

    try:
        found = decode_event(bytes(payload), {})
    except WireError:
        return

    assert all(0 <= part.start <= part.end <= len(payload) for one in found.values for part in one.parts)
