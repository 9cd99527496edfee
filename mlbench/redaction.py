"""Secrets in arguments, configurations and addresses: known by their names, their shapes and their places.

They are replaced before anything is stored, with a mark that is equal for equal secrets of one home, so that diffs
still work. The patterns are compiled when the first text is looked at: few commands do.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from mlbench.safe import NUMBER

NOT_SECRET, PERHAPS, SECRET, PASSWORD = range(4)
"""What a key says of its value: nothing; a secret if it looks random; a secret unless it plainly is none."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_WORDS = _words("apikey secretkey accesskey privatekey authtoken accesstoken apitoken secret secrets sshpass")
_ACCOUNTS = _words("db user smtp ftp sudo root mysql pg postgres redis admin login mail imap proxy http")
_SERVICES = _words("wandb neptune comet hf huggingface openai anthropic stripe slack aws azure gcp google github vault")
_BEFORE = {
    "key": _SERVICES | _words("api access secret private account storage ssh encryption signing license master deploy")
    | _words("service auth client shared sendgrid"),
    "token": _SERVICES | _words("auth access refresh bearer api app bot hub gh gitlab git session secret oauth private")
    | _words("service security jwt csrf telegram discord npm pypi user login personal deploy ci registry databricks"),
    "pass": _ACCOUNTS,
    "pwd": _ACCOUNTS,
}  # fmt: skip
_PERHAPS_WORDS = _words("token auth authorization credential credentials cookie pwd")
_ML_BEFORE_TOKEN = _words("pad eos bos unk sep cls mask image audio video special start stop end task")
_VAULTS = _words("secret secrets credential credentials password passwords")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(maxsize=16384)
def secrecy(key: str) -> int:
    """What a parameter's or variable's name says of its value: NOT_SECRET, PERHAPS, SECRET or PASSWORD.

    Whole words are compared (`tokenizer`, `max_tokens`, `author` hold none), and the last one decides.
    """
    words = [word.lower() for word in _WORD.findall(key)]
    if not words:
        return NOT_SECRET
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last.endswith(("password", "passwd", "passphrase", "passcode")):
        return PASSWORD
    if last in _SECRET_WORDS or before in _BEFORE.get(last, ()):
        return SECRET
    if last in _PERHAPS_WORDS and before not in _ML_BEFORE_TOKEN:
        return PERHAPS
    return PERHAPS if _VAULTS.intersection(re.split(r"[./]", key.lower())[:-1]) else NOT_SECRET


_QUOTES = " \t\r\n\"'"


@cache
def _harmless() -> re.Pattern[str]:
    """What is plainly no secret. Compiled when it is first used, like the patterns of secrets: 5 ms that few need."""
    return re.compile(
        r"(?:none|null|nil|true|false|yes|no|on|off|auto|default|unset|env|prompt|ask|required|optional|disabled|enabled"
        r"|n/?a|undefined|empty|hidden|x{3,}|\*+|\.+|-+|\[.*\]|\(.*\)|<[^<>]*>|\$\{.*|\$[A-Z_]\w*|\{\{.*|%\w+%"
        r"|(?:~|\.{0,2})/(?:[^\s/]+/)*[^\s/]+\.(?:json|ya?ml|txt|pem|key|cfg|ini|toml|env|py)"
        r"|(?-i:(?:/[a-z0-9_.-]+)+/?)|v?\d+\.\d+\.\d+(?:[.=+-][\w.+-]*)?)?",
        re.IGNORECASE,
    )


def is_secret(key: str, value: str) -> bool:
    """Whether a value is a secret, judged by the name it has and by its own looks (not by known token shapes)."""
    kind = secrecy(key)
    value = value.strip(_QUOTES)
    if kind == NOT_SECRET or _harmless().fullmatch(value):
        return False
    is_number = NUMBER.fullmatch(value) is not None
    if kind == PASSWORD:
        return not is_number or (value.isdigit() and len(value) >= 4)
    if kind == SECRET:
        return not is_number and len(value) >= 6
    return _looks_random(value)


def _looks_random(value: str) -> bool:
    if len(value) < 12 or not re.fullmatch(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])\S+", value):
        return False
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts) >= 2.8


class _Patterns(NamedTuple):
    """What secrets look like, and where they stand."""

    token: re.Pattern[str]
    places: tuple[re.Pattern[str], ...]
    """In each, group 1 stays and what follows of the match is the secret."""
    query: re.Pattern[str]
    query_words: re.Pattern[str]
    option: re.Pattern[str]
    assigned: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    token = re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
        r"|(?<![A-Za-z0-9])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|hf_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}"
        r"|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-(?=[a-zA-Z]*\d)[A-Za-z0-9]{20,}"
        r"|sk-(?:proj|ant|or|svcacct|admin|lf)-[\w-]{16,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|xox[abeoprs]-[\w-]{10,}"
        r"|AIza[\w-]{30,}|ya29\.[\w-]{16,}|(?<![_-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}"
        r"|dckr_pat_[\w-]{16,}|dapi[0-9a-f]{32}|SG\.[\w-]{16,}\.[\w-]{16,}|r8_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{30,}"
        r"|nvapi-[\w-]{30,}|pplx-[A-Za-z0-9]{30,}|lin_api_[A-Za-z0-9]{30,}|\d{8,10}:AA[\w-]{30,})",
        re.DOTALL | re.ASCII,
    )
    places = (
        re.compile(
            r"([a-z][a-z0-9+.-]{0,20}+://)(?:[^\s/:@?#\"'<>]*:(?!\d+[/?#])[^\s/\"'<>]*|[^\s/?#\"'<>]+)(?=@)", re.I
        ),
        re.compile(r"(hooks\.slack\.com/services/|discord(?:app)?\.com/api/webhooks/)[\w/-]{16,}", re.I),
        re.compile(r"(\bbearer\s+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}", re.I),
        re.compile(r"(\bauthorization[\"']?\s*+[:=]\s*+[\"']?(?:basic|token|apikey|digest)\s+)[^\s\"',<]+", re.I),
        re.compile(r"(\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)[^;\s\"'<]+", re.I),
        re.compile(
            r"((?<![\w.+@/-])[\w.+-]++:)[^\s@/:\"'<>]+(?=@(?:localhost|(?:[\w-]+\.)+[A-Za-z]{2,}|\d+(?:\.\d+){3})\b)"
        ),
        re.compile(r"(\bcurl\s[^|;]{0,500}?\s?(?:-u|--user)[ =]?[\"']?[^\s:\"']+:)[^\s\"'<]+"),
    )
    query = re.compile(r"([?&;#])([\w.-]+)=([^&\s#\"'<>]+)")
    query_words = re.compile(r"x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature|key|code", re.I)
    quoted = r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'"
    less = "<(?!redacted:)"
    option = re.compile(
        rf"(?<!\S)(--?([A-Za-z_][\w.-]*+)(?:\s*+=\s*+|\s++))({quoted}|(?!-)(?:[^\s\"'<]|{less})(?:[^\s<]|{less})*+)"
    )
    assigned = re.compile(
        rf"(?<![\w./-])([A-Za-z_][\w./-]*+)([\"']?\s*+(?:=|:(?!//))\s*+)({quoted}|(?:[^\s,;\"'<]|{less}|[,;](?!\s|[\w.-]+[=:]|$))++)"
    )
    return _Patterns(token, places, query, query_words, option, assigned)


_MAYBE = re.compile(r"[=:@_.-]|AKIA|ASIA|AIza|dapi|(?i:bearer)")
"""What every secret that is known by its shape or place holds."""
_ONE = r"[+-]?\d++(?:\.\d*+)?(?:[eE][+-]?\d++)?"
_NUMBERS = re.compile(rf"\[{_ONE}(?:, {_ONE})*\]", re.ASCII)


def redact_text(text: str, *, salt: bytes = b"") -> str:
    """A command line, note, URL or any text with every secret in it replaced by `<redacted:HASH>`.

    Known by shape (tokens of well-known services, private keys, user info of URLs) or by the name before them
    (`--api-key X`, `db.password=X`, `"token": "X"`). Doing it twice changes nothing.

    `salt` is the home's own random bytes, kept in the home: equal secrets give equal marks there and nowhere else.
    Without one the mark is a plain hash, by which short passwords can be guessed.
    """
    if not _MAYBE.search(text) or NUMBER.fullmatch(text):
        return text
    known = _patterns()
    text = known.token.sub(lambda match: _mark(match[0], salt), text)
    for place in known.places:
        text = place.sub(lambda match: match[1] + _mark(match[0][len(match[1]) :], salt), text)
    text = known.query.sub(lambda match: _redact_query(match, salt), text)
    text = known.option.sub(lambda match: _redact_named(match[2], match[1], match[3], salt), text)
    return known.assigned.sub(lambda match: _redact_named(match[1], match[1] + match[2], match[3], salt), text)


def _redact_query(match: re.Match[str], salt: bytes) -> str:
    head, key, value = match.groups()
    return f"{head}{key}={_mark(value, salt)}" if _is_secret_query(key, value) else match[0]


def _is_secret_query(key: str, value: str) -> bool:
    return _looks_random(value) if _patterns().query_words.fullmatch(key) else is_secret(key, value)


def _redact_named(key: str, head: str, value: str, salt: bytes) -> str:
    if not is_secret(key, value):
        return head + value
    quote = value[0] if value[0] in "\"'" else ""
    return f"{head}{quote}{_mark(value, salt)}{quote}"


def _mark(secret: str, salt: bytes) -> str:
    return f"<redacted:{_hash(secret.strip(_QUOTES), salt)}>"


def _hash(text: str, salt: bytes) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=salt[:64], digest_size=4).hexdigest()


def redact_param(key: str, raw: str, *, salt: bytes = b"") -> str | None:
    """What to store in place of a parameter's raw text, None if it holds no secret and is stored as it is."""
    if is_secret(key, raw):
        return _mark(raw, salt)
    redacted = redact_text(raw, salt=salt)
    return None if redacted == raw else redacted


def is_plain(key: str, raw: str) -> bool:
    """Whether `redact_param` is known to keep this, by one look: true of nearly all parameters."""
    return secrecy(key) == NOT_SECRET and (
        NUMBER.fullmatch(raw) is not None or not _MAYBE.search(raw) or _NUMBERS.fullmatch(raw) is not None
    )


def redact_json(key: str, value: object, *, salt: bytes = b"") -> object:
    """A parameter's typed value without secrets: texts by `redact_param`, lists and mappings all the way down."""
    if isinstance(value, Mapping):
        return {name: redact_json(f"{key}.{name}", item, salt=salt) for name, item in value.items()}
    if isinstance(value, str):
        redacted = redact_param(key, value, salt=salt)
        return value if redacted is None else redacted
    if isinstance(value, Sequence):
        return [redact_json(key, item, salt=salt) for item in value]
    return _mark(str(value), salt) if is_secret(key, str(value)) else value


def redact_argv(argv: Sequence[str], *, salt: bytes = b"") -> list[str]:
    """A command line's words; a secret may be a word of its own after its option."""
    redacted: list[str] = []
    option = ""
    for word in argv:
        is_named = bool(option) and not word.startswith("-") and is_secret(option, word)
        redacted.append(_mark(word, salt) if is_named else redact_text(word, salt=salt))
        option = word if word.startswith("-") and "=" not in word else ""
    return redacted


_USER_INFO = (
    re.compile(r"^([A-Za-z][\w+.-]*+://)(?:[^/?#:]*:(?!\d+(?:[/?#]|$))[^?\s]*|[^/?#\s]*)@"),
    re.compile(r"^()(?![A-Za-z][\w+.-]*+://)[^/\s@]+@(?=[^/\s:@]+:)"),
)


def redact_url(url: str, *, salt: bytes = b"") -> str:
    """A remote's address without user info (also `ssh://` and `user@host:path`) and without secret parameters."""
    if not url:
        return ""
    for pattern in _USER_INFO:
        url = pattern.sub(r"\1", url)
    url = _patterns().query.sub(lambda match: match[1] if _is_secret_query(match[2], match[3]) else match[0], url)
    url = re.sub(r"([?&;#])[&;]+", r"\1", url).rstrip("?&;#")
    return redact_text(url, salt=salt)
