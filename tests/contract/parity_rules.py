"""Folders of event files for every rule of restarts and of what is a scalar."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.proto.tensor_pb2 import TensorProto

from tests.contract.parity_log import (
    BOOL,
    DOUBLE,
    FIRST,
    FLOAT,
    HALF,
    INT32,
    INT64,
    SECOND,
    STRING,
    Files,
    Log,
    metadata,
    one,
    scalar_record,
    spoilt,
    tensor,
)

# ---------------------------------------------------------------- restarts


def restarts() -> Iterator[tuple[str, Files]]:
    yield "plain", one(Log().simple("loss", 0, 1, 2).simple("acc", 0, 1, 2))
    yield "equal-steps", one(Log().simple("loss", 0, 1, 1, 1, 2, 2, 3))
    yield "equal-steps-old", one(Log(None).simple("loss", 0, 1, 1, 1, 2, 2, 3))
    yield "steps-back", one(Log().simple("loss", 0, 1, 2, 3, 1, 2, 3, 4))
    yield "steps-back-old", one(Log(None).simple("loss", 0, 1, 2, 3, 1, 2, 3, 4).simple("acc", 1, 5))
    yield "back-twice-old", one(Log(None).simple("loss", 0, 5, 3, 4, 2, 6, 1, 7))
    yield "tags-alternate-old", one(Log(None).simple("a", 2, 4, 6).simple("b", 0, 1).simple("a", 7, 3))
    yield "other-events-move-the-step-old", one(Log(None).simple("a", 0, 1, 2).event(step=9).simple("a", 3, 4, 10))
    yield "graph-moves-the-step-old", one(
        Log(None).simple("a", 0, 5).event(step=9, graph_def=b"").simple("a", 6, 7).event(step=1, graph_def=b"")
        .simple("a", 3, 4)
    )  # fmt: skip
    yield "run-metadata-moves-the-step-old", one(
        Log(None).simple("a", 0, 5).event(step=9, tagged_run_metadata={"tag": "a", "run_metadata": b"x"})
        .simple("a", 6, 12).event(step=2, tagged_run_metadata={"tag": "a"}).simple("a", 3)
    )  # fmt: skip
    yield "empty-summary-old", one(Log(None).simple("a", 4, 5).event(step=2, summary=Summary()).simple("a", 3, 6))
    yield "first-start", one(Log().simple("loss", 0, 1, 2, 3).start(2).simple("loss", 2, 3))
    yield "two-starts", one(Log().start(0).simple("loss", 0, 1, 2, 3).start(2).simple("loss", 2, 3))
    yield "start-takes-all-tags", one(Log().start(0).simple("a", 0, 9).simple("b", 8, 1, 2).start(2).simple("a", 2))
    yield "start-behind-the-end", one(Log().start(0).simple("a", 0, 1, 2).start(9).simple("a", 9))
    yield "start-before-all", one(Log().start(0).simple("a", 5, 6).start(-3).simple("a", 0))
    yield "start-takes-everything", one(Log().start(0).simple("a", 5, 6).start(0))
    yield "start-old", one(Log("brain.Event:1").start(0).simple("a", 0, 1, 2, 3).start(1).simple("a", 4, 5))
    yield (
        "stop-is-no-start",
        one(Log().start(0).simple("a", 0, 1, 2).event(step=1, session_log=SessionLog(status=SessionLog.STOP))),
    )
    yield "tensors-two-starts", one(Log().start(0).tensors("a", 0, 1, 2, 3).start(2).tensors("a", 2, 3))
    yield "tensors-back-old", one(Log(None).tensors("a", 0, 1, 2, 3).tensors("a", 1, 2))
    yield (
        "both-kinds-two-starts",
        one(Log().start(0).simple("a", 0, 1).tensors("a", 2, 3).start(1).simple("a", 1).tensors("a", 3)),
    )
    yield "both-kinds-back-old", one(Log(None).tensors("a", 2, 3).simple("a", 0, 1, 5).tensors("a", 4).simple("a", 3))


def versions() -> Iterator[tuple[str, Files]]:
    texts = ("brain.Event:2", "brain.Event:1", "brain.Event:2.5", "brain.Event:", "", "nonsense", "brain.Event:nan",
             "brain.Event:inf", "brain.Event: 3 ", "3", "brain.Event:1brain.Event:2", "brain.Event:1_0",
             "brain.Event:-2", "brain.Event:0")  # fmt: skip
    for place, text in enumerate(texts):
        log = Log(text).start(0).simple("loss", 0, 1, 2, 3).start(2).simple("loss", 2, 3, 1)
        yield f"version-{place}", one(log)
    yield "version-falls", one(Log().simple("a", 0, 5).event(file_version="brain.Event:1").simple("a", 3, 4))
    yield "version-late", one(Log(None).simple("a", 0, 5, 3).event(file_version="brain.Event:2").simple("a", 4, 1))
    yield (
        "version-in-the-second-file",
        {
            FIRST: Log("brain.Event:1").simple("a", 0, 5, 3).content,
            SECOND: Log(start_s=2000.0).simple("a", 4, 1).start(1).content,
        },
    )


def several_files() -> Iterator[tuple[str, Files]]:
    def later(*steps: int) -> bytes:
        return Log(start_s=2000.0).simple("loss", *steps).content

    yield "files-restart-without-mark", {FIRST: Log().simple("loss", *range(10)).content, SECOND: later(*range(5, 14))}
    yield (
        "files-restart-with-mark",
        {
            FIRST: Log().start(0).simple("loss", *range(10)).content,
            SECOND: Log(start_s=2000.0).start(5).simple("loss", *range(5, 14)).content,
        },
    )
    yield (
        "files-in-wrong-order",
        {
            "events.out.tfevents.10": later(*range(5, 9)),
            "events.out.tfevents.9": Log().simple("loss", *range(5)).content,
        },
    )
    yield (
        "files-between-others",
        {
            FIRST: Log().simple("loss", 0).content,
            "readme.txt": b"no events",
            "my.tfevents": later(1),
            "TFEVENTS": later(2),
            "events.out.tfevents.1.v2": later(3),
            ".tfevents": later(4),
        },
    )
    yield (
        "profile-empty",
        {
            FIRST: Log().simple("loss", 1, 2).content,
            "events.out.tfevents.2.profile-empty": later(2, 3),
        },
    )
    yield (
        "first-file-damaged",
        {
            FIRST: Log().simple("loss", 0, 1).record(spoilt(scalar_record(2), 3)).simple("loss", 3).content,
            SECOND: later(4, 5),
        },
    )
    yield (
        "first-file-no-event",
        {
            FIRST: Log().simple("loss", 0, 1).payload(b"\xff" * 7).simple("loss", 3).content,
            SECOND: later(4, 5),
        },
    )
    yield "first-file-cut", {FIRST: Log().simple("loss", 0, 1, 2).content[:-5], SECOND: later(3)}
    yield "empty-files", {"a.tfevents": b"", FIRST: later(1), SECOND: b""}
    yield "junk", {"._" + FIRST: b"\0\5\26\7" + bytes(60), FIRST: later(1, 2)}
    yield "pointer", {FIRST: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", SECOND: later(1)}


# ---------------------------------------------------------------- what is a scalar


def metadata_cases() -> Iterator[tuple[str, Files]]:
    yield "tf2", one(Log().tensors("a", 0, 1, 2))
    yield "first-only", one(Log().tensors("a", 0).tensors("a", 1, 2, plugin=None))
    yield (
        "first-only-second-file",
        {
            FIRST: Log().tensors("a", 0).content,
            SECOND: Log(start_s=2000.0).tensors("a", 1, 2, plugin=None).content,
        },
    )
    yield "late", one(Log().tensors("a", 0, 1, plugin=None).tensors("a", 2, 3))
    yield (
        "late-in-the-second-file",
        {
            FIRST: Log().tensors("a", 0, 1, plugin=None).content,
            SECOND: Log(start_s=2000.0).tensors("a", 2, 3).content,
        },
    )
    yield "never", one(Log().tensors("a", 0, 1, plugin=None).simple("b", 0))
    yield "empty-name", one(Log().tensors("a", 0, 1, plugin=""))
    yield "changing", one(Log().tensors("a", 0, plugin="text").tensors("a", 1, 2).tensors("b", 0).tensors("b", 1, plugin="text"))  # fmt: skip
    for plugin in ("text", "images", "histograms", "audio", "hparams", "pr_curves", "mesh", "custom_scalars", "graphs",
                   "unheard_of", "Scalars", "graph_keras_model"):  # fmt: skip
        yield f"plugin-{plugin}", one(Log().tensors("a", 0, 1, plugin=plugin))
    for data_class in (1, 2, 3, 9):
        yield f"class-{data_class}-scalars", one(Log().tensors("a", 0, 1, data_class=data_class))
        yield f"class-{data_class}-other", one(Log().tensors("a", 0, 1, plugin="other", data_class=data_class))
        yield f"class-{data_class}-no-name", one(Log().tensors("a", 0, 1, plugin="", data_class=data_class))
        simple = Summary.Value(tag="a", simple_value=1.5, metadata=metadata("other", data_class))
        yield f"class-{data_class}-simple-other", one(Log().values(0, simple).values(1, simple))
        simple = Summary.Value(tag="a", simple_value=1.5, metadata=metadata("scalars", data_class))
        yield f"class-{data_class}-simple", one(Log().values(0, simple).values(1, simple))
    named = Summary.Value(tag="a", simple_value=2.5, metadata=metadata("text"))
    yield "simple-of-another-plugin", one(Log().values(0, named).values(1, named))
    bare = Summary.Value(tag="a", metadata=metadata("scalars"))
    yield "no-value", one(Log().values(0, bare).tensors("a", 1, 2).values(2, bare).tensors("a", 3))
    yield "no-value-first", one(Log().values(0, Summary.Value(tag="a")).tensors("a", 1, 2).simple("b", 1))
    yield "no-value-of-hparams", one(Log().values(0, Summary.Value(tag="h", metadata=metadata("hparams"))))
    node = Summary.Value(node_name="node", tensor=TensorProto(dtype=FLOAT, float_val=[1]))
    named_node = Summary.Value(node_name="node", tensor=TensorProto(dtype=FLOAT, float_val=[1]), metadata=metadata("scalars"))  # fmt: skip
    yield "node-name", one(Log().values(0, node).values(1, node))
    yield "node-name-with-metadata", one(Log().values(0, named_node).tensors("node", 1).values(2, named_node))
    yield "empty-tag", one(Log().simple("", 0, 1))
    yield "several-values", one(
        Log().values(0, *(Summary.Value(tag=tag, simple_value=place) for place, tag in enumerate("abca")))
        .values(1, Summary.Value(tag="a", simple_value=7), tensor("t", TensorProto(dtype=FLOAT, float_val=[8])))
    )  # fmt: skip


def mixed_kinds() -> Iterator[tuple[str, Files]]:
    image = Summary.Value(tag="a", image=Summary.Image(height=1, width=1, encoded_image_string=b"png"))
    audio = Summary.Value(tag="a", audio=Summary.Audio(sample_rate=1, encoded_audio_string=b"wav"))
    histogram = Summary.Value(tag="a", histo={"min": 0, "max": 1, "num": 2, "bucket_limit": [0.5, 1], "bucket": [1, 1]})
    old = Summary.Value(tag="a", obsolete_old_style_histogram=b"x")
    for name, value in (("image", image), ("audio", audio), ("histogram", histogram), ("old", old)):
        yield f"scalar-then-{name}", one(Log().simple("a", 0, 1).values(1, value).simple("a", 5).values(3, value))
        yield f"{name}-then-scalar", one(Log().values(0, value).simple("a", 1, 2).tensors("a", 3, 4))
    named_old = Summary.Value(tag="a", obsolete_old_style_histogram=b"x", metadata=metadata("scalars"))
    yield "old-of-scalars", one(Log().values(0, named_old).simple("a", 1))
    yield "simple-then-tensor", one(Log().simple("a", 0, 1).tensors("a", 2, 3))
    yield "tensor-then-simple", one(Log().tensors("a", 0, 1).simple("a", 2, 3))
    yield "tensor-without-metadata-then-simple", one(Log().tensors("a", 0, 1, plugin=None).simple("a", 2, 3))
    yield "graph-takes-the-tag", one(Log().event(step=0, graph_def=b"\n\0").simple("__run_graph__", 1).tensors("__run_graph__", 2))  # fmt: skip
    yield (
        "run-metadata-takes-the-tag",
        one(Log().event(step=0, tagged_run_metadata={"tag": "a", "run_metadata": b""}).simple("a", 1).tensors("a", 2)),
    )
    yield "scalar-then-run-metadata", one(Log().simple("a", 0, 1).event(step=0, tagged_run_metadata={"tag": "a"}))
    yield (
        "histogram-lacks-edges",
        one(
            Log()
            .simple("a", 0)
            .values(1, Summary.Value(tag="h", histo={"num": 2, "bucket_limit": [1], "bucket": [1, 1, 1]}))
        ),
    )
    for n_edges in range(4):
        lacking = {"num": 2, "bucket_limit": range(n_edges), "bucket": [1, 1, 0, 1]}
        yield f"histogram-{n_edges}-edges", one(Log().simple("a", 0).values(1, Summary.Value(tag="h", histo=lacking)))
    enough = Summary.Value(tag="h", histo={"num": 1, "bucket_limit": [1], "bucket": [1, 0, 0]})
    yield "histogram-edges-enough", one(Log().simple("a", 0).values(1, enough))
    yield "histogram-empty", one(Log().simple("a", 0).values(1, Summary.Value(tag="h", histo={"bucket": [0, 0]})))
    yield "meta-graph-is-none", one(Log().simple("a", 0).event(meta_graph_def=b"\xff\xff").simple("a", 1))
    yield "meta-graph-behind-graph", one(Log().event(graph_def=b"").event(meta_graph_def=b"\xff").simple("a", 1))
    yield "meta-graph", one(Log().event(meta_graph_def=b"").event(meta_graph_def=b"\x12\0").simple("a", 1))
    yield "graph-is-none", one(Log().event(graph_def=b"\xff").simple("a", 1))


def tensor_cases() -> Iterator[tuple[str, Files]]:
    one_dim, two_dims = {"dim": [{"size": 1}]}, {"dim": [{"size": 1}, {"size": 1}]}
    unknown, two_long = {"dim": [{"size": -1}]}, {"dim": [{"size": 2}]}
    quarter = struct.pack("<f", 0.25)
    numbers: dict[str, dict[str, Any]] = {
        "shape-1": {"dtype": FLOAT, "float_val": [0.5], "tensor_shape": one_dim},
        "shape-1-content": {"dtype": FLOAT, "tensor_content": quarter, "tensor_shape": one_dim},
        "shape-1-1": {"dtype": FLOAT, "float_val": [0.5], "tensor_shape": two_dims},
        "shape-0": {"dtype": FLOAT, "float_val": [0.5], "tensor_shape": {"dim": [{"size": 0}]}},
        "shape-2-one-value": {"dtype": FLOAT, "float_val": [0.5], "tensor_shape": two_long},
        "shape-2": {"dtype": FLOAT, "float_val": [0.5, 1], "tensor_shape": two_long},
        "shape-unknown": {"dtype": FLOAT, "float_val": [0.5], "tensor_shape": unknown},
        "shape-unknown-content": {"dtype": FLOAT, "tensor_content": quarter, "tensor_shape": unknown},
        "shapes-unknown-content": {
            "dtype": FLOAT,
            "tensor_content": quarter,
            "tensor_shape": {"dim": [{"size": -1}] * 2},
        },
        "shapes-unknown": {"dtype": FLOAT, "float_val": [0.5], "tensor_shape": {"dim": [{"size": -1}] * 2}},
        "rank-unknown": {"dtype": FLOAT, "float_val": [0.5], "tensor_shape": {"unknown_rank": True}},
        "shape-empty": {"dtype": FLOAT, "float_val": [0.5], "tensor_shape": {}},
        "content": {"dtype": FLOAT, "tensor_content": quarter},
        "content-short": {"dtype": FLOAT, "tensor_content": quarter[:3]},
        "content-long": {"dtype": FLOAT, "tensor_content": quarter * 2},
        "content-and-value": {"dtype": FLOAT, "tensor_content": quarter, "float_val": [0.5]},
        "content-and-values": {"dtype": FLOAT, "tensor_content": quarter, "float_val": [0.5, 1]},
        "two-values": {"dtype": FLOAT, "float_val": [0.5, 1]},
        "nothing": {"dtype": FLOAT},
        "double": {"dtype": DOUBLE, "double_val": [1 / 3]},
        "double-content": {"dtype": DOUBLE, "tensor_content": struct.pack("<d", 1 / 3)},
        "half": {"dtype": HALF, "half_val": [0x3555]},
        "half-content": {"dtype": HALF, "tensor_content": b"\x55\x35"},
        "half-too-large": {"dtype": HALF, "half_val": [0x13555]},
        "int32": {"dtype": INT32, "int_val": [-7]},
        "int32-content": {"dtype": INT32, "tensor_content": struct.pack("<i", -7)},
        "int64": {"dtype": INT64, "int64_val": [2**60 + 1]},
        "int64-content": {"dtype": INT64, "tensor_content": struct.pack("<q", -(2**60))},
        "bool": {"dtype": BOOL, "bool_val": [True]},
        "bool-content": {"dtype": BOOL, "tensor_content": b"\2"},
        "uint8": {"dtype": 4, "int_val": [200]},
        "uint8-too-large": {"dtype": 4, "int_val": [300]},
        "int8": {"dtype": 6, "int_val": [-100]},
        "int16": {"dtype": 5, "int_val": [-30000]},
        "uint16": {"dtype": 17, "int_val": [60000]},
        "uint32": {"dtype": 22, "uint32_val": [5]},
        "uint32-content": {"dtype": 22, "tensor_content": b"\5\0\0\0"},
        "uint64-content": {"dtype": 23, "tensor_content": b"\xff" * 8},
        "bfloat16": {"dtype": 14, "half_val": [0x3F80]},
        "bfloat16-content": {"dtype": 14, "tensor_content": b"\x80\x3f"},
        "qint8": {"dtype": 11, "int_val": [3]},
        "complex": {"dtype": 8, "scomplex_val": [1, 0]},
        "string": {"dtype": STRING, "string_val": [b"1.5"]},
        "no-dtype": {"float_val": [0.5]},
        "unheard-of-dtype": {"dtype": 99, "float_val": [0.5]},
        "wrong-field": {"dtype": FLOAT, "double_val": [0.5]},
        "nan": {"dtype": FLOAT, "float_val": [math.nan]},
        "nan-with-payload": {"dtype": FLOAT, "tensor_content": struct.pack("<I", 0xFFC12345)},
        "signalling-nan": {"dtype": FLOAT, "tensor_content": struct.pack("<I", 0x7F812345)},
    }
    for name, fields in numbers.items():
        value = tensor("a", TensorProto(**fields))
        # Between two good points: where it is none, it may still take the one before it.
        yield f"tensor-{name}", one(Log().tensors("a", 0, 4).values(2, value).tensors("a", 5))
        yield f"tensor-{name}-first", one(Log().values(2, value).tensors("a", 5))
    packed = TensorProto(dtype=FLOAT, float_val=[0.75]).SerializeToString()
    assert packed == b"\x08\x01\x2a\x04" + struct.pack("<f", 0.75)
    plain = b"\x08\x01\x2d" + struct.pack("<f", 0.75)
    unpacked = Summary.Value(tag="a", tensor=TensorProto.FromString(plain), metadata=metadata("scalars"))
    payload = Event(wall_time=1.0, summary=Summary(value=[unpacked])).SerializeToString()
    yield "tensor-unpacked", one(Log().payload(payload.replace(packed, plain + b"\x0a\x00"[:0])))
