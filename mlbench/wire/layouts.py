"""The bytes of a custom-scalars layout: which charts somebody wanted, each of which metrics.

Format: tensorboard/plugins/custom_scalar/layout.proto.
"""

from __future__ import annotations

from mlbench.dataclass import dataclass
from mlbench.wire.protobuf import LEN, WireError, fields, key, text_at

MAX_ITEMS = 10_000
"""Charts, expressions and margins together."""
MAX_CONTENT_BYTES = 4 << 20

_CATEGORY, _TITLE, _CHART = key(2, LEN), key(1, LEN), key(2, LEN)
_MULTILINE, _MARGIN = key(2, LEN), key(3, LEN)
_TAG, _SERIES = key(1, LEN), key(1, LEN)
_VALUE, _LOWER, _UPPER = key(1, LEN), key(2, LEN), key(3, LEN)


@dataclass(frozen=True, slots=True)
class Margin:
    """A line between two others; each is the name of a metric."""

    value: str
    lower: str
    upper: str


@dataclass(frozen=True, slots=True)
class LayoutChart:
    """One chart. All texts are as logged, what was no UTF-8 in them as U+FFFD."""

    category: str
    title: str
    tags: tuple[str, ...] = ()
    """Regular expressions of metrics; empty for a chart of margins."""
    margins: tuple[Margin, ...] = ()


def read_layout(content: bytes, encoding: str) -> tuple[LayoutChart, ...]:
    """The charts of a Layout, in its order.

    Args:
        content: the bytes.
        encoding: `proto`.

    Raises:
        WireError: the encoding is another, the bytes are no message or more than 4 MiB, or they hold more than 10,000
            charts, expressions and margins.
    """
    if encoding != "proto":
        raise WireError("the layout is no message of its own")
    if len(content) > MAX_CONTENT_BYTES:
        raise WireError("a layout of more than 4 MiB")
    charts: list[LayoutChart] = []
    n_items = 0
    for category in _spans(content, (0, len(content)), _CATEGORY):
        name = _text(content, category, _TITLE)
        for span in _spans(content, category, _CHART):
            chart = _chart(content, span, name)
            n_items += 1 + len(chart.tags) + len(chart.margins)
            if n_items > MAX_ITEMS:
                raise WireError(f"a layout of more than {MAX_ITEMS:,} charts and metrics")
            charts.append(chart)
    return tuple(charts)


_Span = tuple[int, int]


def _spans(content: bytes, within: _Span, wanted: int) -> list[_Span]:
    spans: list[_Span] = []
    for field_key, first, last in fields(content, *within):
        if field_key == wanted:
            spans.append((first, last))
            if len(spans) > MAX_ITEMS:
                raise WireError(f"a layout of more than {MAX_ITEMS:,} charts and metrics")
    return spans


def _text(content: bytes, within: _Span, wanted: int) -> str:
    """The last field of that key, '' where there is none."""
    spans = _spans(content, within, wanted)
    return text_at(content, *spans[-1]) if spans else ""


def _chart(content: bytes, span: _Span, category: str) -> LayoutChart:
    tags = [
        text_at(content, *tag)
        for multiline in _spans(content, span, _MULTILINE)
        for tag in _spans(content, multiline, _TAG)
    ]
    margins = [
        Margin(*(_text(content, series, part) for part in (_VALUE, _LOWER, _UPPER)))
        for margin in _spans(content, span, _MARGIN)
        for series in _spans(content, margin, _SERIES)
    ]
    return LayoutChart(category, _text(content, span, _TITLE), tuple(tags), tuple(margins))
