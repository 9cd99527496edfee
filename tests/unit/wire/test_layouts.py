from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.plugins.custom_scalar import layout_pb2

from mlbench.wire import layouts
from mlbench.wire.layouts import MAX_CONTENT_BYTES, MAX_ITEMS, LayoutChart, Margin
from mlbench.wire.protobuf import WireError


def read_layout(content: bytes) -> tuple[LayoutChart, ...]:
    return layouts.read_layout(content, "proto")


def layout() -> Any:
    return layout_pb2.Layout(
        category=[
            layout_pb2.Category(
                title="losses",
                chart=[
                    layout_pb2.Chart(title="all", multiline=layout_pb2.MultilineChartContent(tag=["loss.*", "val/x"])),
                    layout_pb2.Chart(
                        title="margin",
                        margin=layout_pb2.MarginChartContent(
                            series=[layout_pb2.MarginChartContent.Series(value="v", lower="l", upper="u")]
                        ),
                    ),
                ],
            ),
            layout_pb2.Category(title="empty", closed=True),
        ],
        version=1,
    )


def test_charts_have_their_category_title_and_metrics() -> None:
    assert read_layout(layout().SerializeToString()) == (
        LayoutChart("losses", "all", ("loss.*", "val/x")),
        LayoutChart("losses", "margin", margins=(Margin("v", "l", "u"),)),
    )


def test_a_chart_without_anything_is_one() -> None:
    message = layout_pb2.Layout(category=[layout_pb2.Category(chart=[layout_pb2.Chart()])])

    assert read_layout(message.SerializeToString()) == (LayoutChart("", ""),)


def test_text_that_is_no_utf8_is_kept_as_it_can_be() -> None:
    assert read_layout(b"\x12\x05\x12\x03\x0a\x01\xff") == (LayoutChart("", "�"),)


@pytest.mark.parametrize(
    "message",
    [
        layout_pb2.Layout(category=[layout_pb2.Category()] * (MAX_ITEMS + 1)),
        layout_pb2.Layout(
            category=[
                layout_pb2.Category(
                    chart=[layout_pb2.Chart(multiline=layout_pb2.MultilineChartContent(tag=["a"] * (MAX_ITEMS // 2)))]
                    * 2
                )
            ]
        ),
    ],
)
def test_more_than_anybody_draws_is_refused(message: Any) -> None:
    with pytest.raises(WireError, match="more than 10,000 charts"):
        read_layout(message.SerializeToString())


def test_more_than_4_mib_are_refused() -> None:
    with pytest.raises(WireError, match="4 MiB"):
        read_layout(bytes(MAX_CONTENT_BYTES + 1))


def test_another_encoding_is_refused() -> None:
    with pytest.raises(WireError, match="no message of its own"):
        layouts.read_layout(b"", "tensor")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_charts_or_the_one_error(raw: bytes) -> None:
    try:
        assert isinstance(read_layout(raw), tuple)
    except WireError:
        pass


def test_every_cut_gives_charts_or_the_one_error() -> None:
    whole = layout().SerializeToString()

    for end in range(len(whole)):
        try:
            assert len(read_layout(whole[:end])) <= 2
        except WireError:
            continue
