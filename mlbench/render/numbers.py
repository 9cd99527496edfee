"""Numbers, times and values as people read them, and exactly where a machine will read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mlbench.safe import Safe, safe

if TYPE_CHECKING:
    from mlbench.queries.answers import Value

MOST_DIGITS = 17
"""Enough for any two doubles to differ."""


def number(value: float | None, *, digits: int = 4) -> str:
    """The shortest useful text: `0.8041`, `1e-05`, `25557032`, `NaN`, `inf`; '' for None.

    Whole numbers stay whole: integers always, doubles below a thousand million. Others get `digits`
    significant digits, no zeros at the end, and an exponent below 0.0001 and from ten million on.
    """
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return _odd(value)
    if value == 0 or (abs(value) < 1e9 and value == math.floor(value)):
        return str(int(value))
    text = f"{value:.{digits - 1}e}"
    exponent = int(text.partition("e")[2])
    if -4 <= exponent < 7:
        return _without_zeros(f"{value:.{max(digits - 1 - exponent, 0)}f}")
    mantissa = _without_zeros(text.partition("e")[0])
    return f"{mantissa}e{exponent:+03d}"


def _odd(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "inf" if value > 0 else "-inf"


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def exact(value: float | None) -> str:
    """A number so that reading it gives the same bits: `repr`, with `NaN`, `inf`, `-inf`; '' for None."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return repr(value) if math.isfinite(value) else _odd(value)


def distinct(values: Sequence[float | None], *, digits: int = 4) -> tuple[str, ...]:
    """Each value as `number`, with as many digits as it takes for different values to look different."""
    n_different = len({value for value in values if value is not None and not math.isnan(value)})
    texts = tuple(number(value, digits=digits) for value in values)
    n_texts = len({text for text in texts if text not in ("", "NaN")})
    return texts if n_texts >= n_different or digits >= MOST_DIGITS else distinct(values, digits=digits + 1)


def point_place(text: str) -> int:
    """How many characters of a number stand before its decimal point or exponent."""
    places = [place for place in (text.find("."), text.find("e", 1)) if place > 0 and text[0] in "+-0123456789"]
    return min(places, default=len(text))


def aligned(texts: Iterable[str]) -> tuple[str, ...]:
    """The texts of a column, filled with blanks so that the decimal points stand under each other."""
    listed = list(texts)
    before = max((point_place(text) for text in listed), default=0)
    lines = [" " * (before - point_place(text)) + text for text in listed]
    width = max(map(len, lines), default=0)
    return tuple(line.ljust(width) for line in lines)


def delta(value: float | None, *, digits: int = 4) -> str:
    """A difference with its sign: `+0.0057`, `-0.04`; `=` for none, '' for None."""
    if value is None:
        return ""
    if value == 0:
        return "="
    return ("+" if value > 0 else "") + number(value, digits=digits)


def percent(value: float | None) -> str:
    """A relative difference in percent with its sign: `+4.8%`, `-12%`, `+1.2k%`; '' for None."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return f"{'+' if value > 0 else ''}{_odd(value)}%"
    text = si(value) if abs(value) >= 1000 else number(value, digits=2 if abs(value) < 100 else 3)
    return f"{'+' if value > 0 else ''}{text}%"


def change(base: float, value: float) -> str:
    """How a parameter changed: `×2`, `÷10` from a factor of two on, else `-5%`; the difference from zero."""
    if not (math.isfinite(base) and math.isfinite(value)) or base == value:
        return "" if base != value else "="
    if base == 0 or value == 0 or (base < 0) != (value < 0):
        return delta(value - base, digits=3)
    ratio = value / base
    if ratio >= 2:
        return f"×{number(ratio, digits=3)}"
    if ratio <= 0.5:
        inverse = base / value
        return f"÷{number(inverse, digits=3)}"
    return percent(100 * (ratio - 1))


_SI = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def si(value: float, *, digits: int = 3) -> str:
    """A count with a suffix: `999`, `12.3k`, `1.2M`. From 1e15 on with an exponent."""
    rounded = float(f"{value:.{digits - 1}e}") if math.isfinite(value) and abs(value) >= 1000 else value
    if not math.isfinite(value) or abs(rounded) >= 1e15:
        return number(float(value), digits=digits)
    for unit, suffix in _SI:
        if abs(rounded) >= unit:
            return number(rounded / unit, digits=digits) + suffix
    return number(value, digits=digits)


def size(n_bytes: int) -> str:
    """A size on disk: `812 B`, `1.2 kB`, `3.4 MB` (thousands, as disks are sold)."""
    return f"{n_bytes} B" if abs(n_bytes) < 1000 else f"{si(n_bytes)[:-1]} {si(n_bytes)[-1]}B"


_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def duration(seconds: float | None) -> str:
    """A time span in its two greatest units: `3d 4h`, `2h 3m`, `1m 5s`, `5.2s`, `250ms`; '' for None and NaN."""
    if seconds is None or math.isnan(seconds):
        return ""
    if math.isinf(seconds):
        return _odd(seconds)
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds < 59.5:
        return f"{number(seconds * 1000, digits=3)}ms" if 0 < seconds < 1 else f"{number(seconds, digits=2)}s"
    return _long_duration(round(seconds))


def _long_duration(whole: int) -> str:
    unit, name = next((unit, name) for unit, name in _UNITS if whole >= unit)
    smaller, smaller_name = {86400: (3600, "h"), 3600: (60, "m"), 60: (1, "s")}[unit]
    first, rest = divmod(whole, unit)
    second = rest // smaller
    return f"{first}{name} {second}{smaller_name}" if second else f"{first}{name}"


def age(seconds: float) -> str:
    """How long ago in one unit: `40s`, `3m`, `2h`, `5d`, `7w`, `2y`; `now` below a second or ahead."""
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h"), (14 * 86400, 86400, "d")):
        if seconds < limit:
            return f"{int(seconds // unit)}{name}" if seconds >= 1 else "now"
    # Weeks up to a year: months have no one length.
    return f"{int(seconds // 604800)}w" if seconds < 365 * 86400 else f"{int(seconds // (365.25 * 86400)) or 1}y"


def ago(seconds: float) -> str:
    """`age` as a phrase: `3m ago`, `now`."""
    text = age(seconds)
    return text if text == "now" else f"{text} ago"


def timestamp(moment: datetime) -> str:
    """A UTC time to the minute: `2026-11-02 14:20`."""
    return moment.strftime("%Y-%m-%d %H:%M")


def iso(moment: datetime) -> str:
    """A UTC time as ISO 8601 with `Z`, with microseconds only where there are any."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def moment_of(seconds: float) -> datetime | None:
    """The naive UTC time of Unix seconds; None where there is none (NaN, infinite, beyond the calendar)."""
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None


def value_text(value: Value, *, digits: int = 4) -> Safe:
    """Any value of an answer as people read it; '' for None."""
    if value is None:
        return safe("")
    if isinstance(value, bool):
        return safe("true" if value else "false")
    if isinstance(value, int | float):
        return safe(number(value, digits=digits))
    if isinstance(value, datetime):
        return safe(timestamp(value))
    return safe(", ".join(value) if isinstance(value, tuple) else value)


def value_exact(value: Value) -> str:
    """Any value of an answer as text from which it can be read again; '' for None. Not made safe."""
    if value is None or isinstance(value, bool):
        return "" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return exact(value)
    if isinstance(value, datetime):
        return iso(value)
    return ",".join(value) if isinstance(value, tuple) else value
