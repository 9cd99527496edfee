"""What a value that was typed means: a number, a duration, a moment, a truth, a version. Pure; the clock is given."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from mlbench.dataclass import dataclass

_NUMBER = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:e[+-]?\d++)?|[+-]?inf(?:inity)?", re.ASCII | re.IGNORECASE)
_PART = r"(\d++(?:\.\d*+)?|\.\d++)\s*+([a-zµ]++)"
_DURATION = re.compile(rf"{_PART}(?:\s*{_PART})*", re.ASCII | re.IGNORECASE)
_UNIT_S = {
    "ms": 0.001, "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "mins": 60, "minute": 60,
    "minutes": 60, "h": 3600, "hr": 3600, "hrs": 3600, "hour": 3600, "hours": 3600, "d": 86400, "day": 86400,
    "days": 86400, "w": 604800, "week": 604800, "weeks": 604800, "month": 2592000, "months": 2592000,
    "y": 31536000, "year": 31536000, "years": 31536000,
}  # fmt: skip
"""A month is 30 days and a year 365."""
EARLIEST_MS = 1e11
"""Smaller epoch milliseconds are before 1973: most likely epoch seconds, a thousand times too small."""
_LATEST_S = 253370764800.0
"""Year 9999: later moments cannot be told."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time or a span of it (a day), UTC, naive."""

    start: datetime
    end: datetime
    """First moment after it; equal to `start` for a point."""


def number_of(text: str) -> float | None:
    """The number that a text is (`1e-3`, `-.5`, `inf`), None if it is none. NaN is none: nothing equals it."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def seconds_of(text: str) -> float | None:
    """Seconds of a duration (`90s`, `15m`, `1h30m`, `2 days`) or of a plain number; None if it is neither."""
    number = number_of(text)
    if number is not None:
        return number
    text = text.strip().lower()
    if not _DURATION.fullmatch(text):
        return None
    parts = re.findall(_PART, text, re.ASCII)
    if any(unit not in _UNIT_S for _amount, unit in parts):
        return None
    return sum(float(amount) * _UNIT_S[unit] for amount, unit in parts)


def truth_of(text: str) -> bool | None:
    """true, yes and 1 are True; false, no and 0 are False, in any case; None for everything else."""
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.strip().lower())


def version_of(text: str) -> tuple[int, ...] | None:
    """The numbers of a version without trailing zeros (`2.10.0+cu118` is (2, 10)); None if it does not begin so."""
    match = re.match(r"v?(\d+(?:\.\d+)*)(?![\w])", text.strip(), re.ASCII)
    if not match or len(match[1]) > 60:
        return None
    numbers = [int(part) for part in match[1].split(".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


# ---------------------------------------------------------------- dates


def moment_of(text: str, now_s: float) -> Moment | None:
    """The moment that a text names, None if it names none.

    ISO dates and times (`2026`, `2026-11-20`, `2026-11-20 10:30`, with `Z` or an offset), all other numbers as epoch
    milliseconds,
    `now`, `today`, `yesterday`, `2 days ago`, `2d`, `last week` (the seven days up to now), `this month`.
    Without an offset a time is UTC, as all times in the catalog are.

    Args:
        text: as typed.
        now_s: the clock, Unix seconds.
    """
    text = " ".join(text.strip().lower().split())
    try:
        return _iso(text) or _epoch(text) or _words(text, _from_s(now_s))
    except (ValueError, OverflowError):  # the 31st of February, the year 0, a million years ago
        return None


def _from_s(seconds: float) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 - the catalog's times are UTC and naive


def _epoch(text: str) -> Moment | None:
    number = number_of(text)
    if number is None or number >= _LATEST_S * 1000:
        return None
    at = _from_s(number / 1000)
    return Moment(at, at)


_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[t ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6})\d*)?)?)?)?)?"
    r" ?(z|utc|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


def _iso(text: str) -> Moment | None:
    match = _ISO.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    start = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
        int((fraction or "0").ljust(6, "0")), tzinfo=UTC,
    )  # fmt: skip
    start = start.replace(tzinfo=None) - _offset(zone)
    if fraction:
        return Moment(start, start)
    return Moment(start, _end_of(start, month, day, hour, second))


def _end_of(start: datetime, month: str | None, day: str | None, hour: str | None, second: str | None) -> datetime:
    if month is None:
        return _months_on(start, 12)
    if day is None:
        return _months_on(start, 1)
    if hour is None:
        return start + timedelta(days=1)
    return start + timedelta(seconds=1 if second else 60)


def _months_on(start: datetime, n_months: int) -> datetime:
    years, month = divmod(start.month - 1 + n_months, 12)
    return start.replace(year=start.year + years, month=month + 1)


def _offset(zone: str | None) -> timedelta:
    if zone in {None, "z", "utc"}:
        return timedelta()
    digits = str(zone)[1:].replace(":", "").ljust(4, "0")
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -span if str(zone)[0] == "-" else span


def _words(text: str, now: datetime) -> Moment | None:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    day = timedelta(days=1)
    named = {
        "now": Moment(now, now),
        "today": Moment(midnight, midnight + day),
        "yesterday": Moment(midnight - day, midnight),
        "this week": Moment(midnight - day * now.weekday(), midnight + day * (7 - now.weekday())),
        "this month": Moment(midnight.replace(day=1), _months_on(midnight.replace(day=1), 1)),
        "this year": Moment(midnight.replace(month=1, day=1), _months_on(midnight.replace(month=1, day=1), 12)),
    }
    return named.get(text) or _span(text, now) or _ago(text, now)


def _span(text: str, now: datetime) -> Moment | None:
    match = re.fullmatch(r"last (hour|day|week|month|year)", text)
    return Moment(now - timedelta(seconds=_UNIT_S[match[1]]), now) if match else None


def _ago(text: str, now: datetime) -> Moment | None:
    amount = re.sub(r"^an? ", "1 ", text.removesuffix(" ago").removesuffix("ago"))
    seconds = None if number_of(amount) is not None else seconds_of(amount)
    if seconds is None:
        return None
    at = now - timedelta(seconds=seconds)
    return Moment(at, at)
