"""Text that strangers wrote: what a terminal, a report or a table may show of it, and what is never stored.

Three borders, one module. `safe` stands before the terminal, `markdown_text` and its kin before files that
others open, `redact_param` and its kin before anything is written to the catalog. Standard library only.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import SupportsIndex

MAX_SHOWN = 4096
"""Characters of one text that are shown at once; more is never read and slows every terminal down."""
MAX_MARKS = 5
"""Combining marks on one letter: real scripts need fewer, floods paint over the lines around."""

# ---------------------------------------------------------------- the terminal


class Safe(str):
    """Text that may reach a terminal: printable, one line (or lines, from `safe_lines`), bounded.

    Made by `safe`, `safe_lines` and by joining and cutting; never by calling the class.
    """

    __slots__ = ()

    def __add__(self, other: str) -> Safe:
        return Safe(str.__add__(self, _as_safe(other)))

    def __getitem__(self, key: SupportsIndex | slice) -> Safe:
        return Safe(str.__getitem__(self, key))

    def join(self, parts: Iterable[str]) -> Safe:
        return Safe(str.join(self, (_as_safe(part) for part in parts)))


# Letters without a shape: they pass for printable, but two names that differ in them look the same.
_SHAPELESS = frozenset({0x115F, 0x1160, 0x3164, 0xFFA0, *range(0xE0100, 0xE01F0)})


class _Visible(dict[int, int]):
    """Code point to code point for `str.translate`; filled as code points are met."""

    def __missing__(self, code: int) -> int:
        if code < 0x20 or code == 0x7F:
            shown = 0x2421 if code == 0x7F else 0x2400 + code
        elif unicodedata.category(chr(code)) == "Zs":
            shown = 0x20
        else:
            shown = code if chr(code).isprintable() and code not in _SHAPELESS else 0xFFFD
        self[code] = shown
        return shown


_ONE_LINE = _Visible()
_LINES = _Visible({0x0A: 0x0A})
_FILE = _Visible({0x09: 0x09, 0x0A: 0x0A, 0x0D: 0x0D})


def safe(text: object, *, limit: int = MAX_SHOWN) -> Safe:
    """Make any text fit to be shown on one line.

    Control characters become their visible symbols (newline: U+240A); what is invisible, turns the direction
    or is no character becomes U+FFFD; spaces of all widths become a space; more than `limit` characters end in
    an ellipsis. What is returned always satisfies `str.isprintable`.
    """
    return Safe(_clean(_capped(str(text), limit), _ONE_LINE))


def safe_lines(text: object, *, limit: int = 64 * MAX_SHOWN) -> Safe:
    """As `safe`, but newlines stay; a carriage return before one goes."""
    return Safe(_clean(_capped(str(text), limit).replace("\r\n", "\n"), _LINES))


def _as_safe(text: str) -> Safe:
    return text if isinstance(text, Safe) else safe(text)


def _capped(string: str, limit: int) -> str:
    return string if len(string) <= limit else string[: max(limit - 1, 0)] + "…"


def _clean(string: str, table: _Visible) -> str:
    if string.isascii():
        return string if string.isprintable() else string.translate(table)
    kept: list[str] = []
    n_marks = 0
    for char in string.translate(table):
        n_marks = n_marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if n_marks <= MAX_MARKS:
            kept.append(char)
    return "".join(kept)


# ---------------------------------------------------------------- files that others open

_MARKDOWN = re.compile(r"""[\\`*_{}\[\]()<>#+\-.!|~&:@/$^="']|^ | (?= )| $""")


def markdown_text(text: object) -> str:
    """Escape for Markdown prose, headings and table cells: shown as written, on one line, never live.

    All punctuation that Markdown, HTML or a forge's mentions act upon becomes a numeric entity.
    """
    return _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", _clean(str(text), _ONE_LINE))


def markdown_code(text: object) -> str:
    """Escape as an inline code span that is also safe in a table cell.

    A text with `|`, and one without anything to see, has no code span that is right both in and outside of
    tables: it is given as `markdown_text`.
    """
    line = _clean(str(text), _ONE_LINE)
    if "|" in line or not line.strip(" "):
        return markdown_text(line)
    fence = _fence(line, 1)
    pad = " " if line[0] in " `" or line[-1] in " `" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def markdown_block(text: object, *, language: str = "") -> str:
    """A fenced code block, closed by nothing that the text can hold; ends in a newline."""
    lines = _clean(str(text).replace("\r\n", "\n"), _LINES)
    fence = _fence(lines, 3)
    return f"{fence}{language}\n{lines.removesuffix(chr(10))}\n{fence}\n"


def _fence(text: str, least: int) -> str:
    runs = re.findall("`+", text)
    return "`" * max(least, 1 + max(map(len, runs), default=0))


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; numbers stay as they are. Quoting is left to `csv`."""
    return _no_formula(_clean(text, _FILE))


def tsv_cell(text: str) -> str:
    """As `csv_cell`, with tabs and line ends as visible symbols, for formats without quoting."""
    return _no_formula(_clean(text, _ONE_LINE))


def _no_formula(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell


_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "`": r"\textasciigrave{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "[": "{[}", "]": "{]}", "*": "{*}", "-": "-{}", **{char: "\\" + char for char in "{}$&#_%"},
})  # fmt: skip


def latex_text(text: object) -> str:
    """Escape for LaTeX text and tables; brackets and stars are guarded, since a line break would take them in."""
    return _clean(str(text), _ONE_LINE).translate(_LATEX)


def file_slug(text: str) -> str:
    """A portable file name (without extension) for a text: readable part, `-`, 8 hex digits of its hash."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9_]+", "-", ascii_text)[:60].strip("-_")
    return f"{readable or 'run'}-{_hash(text, b'')}"


_ESCAPED_BYTE = re.compile(rb"\\x([0-9a-f]{2})")


def text_of_path(path: str) -> str:
    r"""A path as valid UTF-8 text: bytes that are not UTF-8 as `\xNN`. `path_of_text` gives the path back."""
    if path.isascii() and "\\x" not in path:
        return path
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that no file name gives
        raw = path.encode("utf-8", "surrogatepass")
    return _ESCAPED_BYTE.sub(rb"\\x5cx\1", raw).decode("utf-8", "backslashreplace")


def path_of_text(text: str) -> str:
    """The path that `text_of_path` was given."""
    raw = _ESCAPED_BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


# ---------------------------------------------------------------- what is never stored

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
_HARMLESS = re.compile(
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
    if kind == NOT_SECRET or _HARMLESS.fullmatch(value):
        return False
    is_number = _NUMBER.fullmatch(value) is not None
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


_TOKEN = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<![A-Za-z0-9])(?:(?:AKIA|ASIA)[0-9A-Z]{16}|hf_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-(?=[a-zA-Z]*\d)[A-Za-z0-9]{20,}"
    r"|sk-(?:proj|ant|or|svcacct|admin|lf)-[\w-]{16,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|xox[abeoprs]-[\w-]{10,}"
    r"|AIza[\w-]{30,}|ya29\.[\w-]{16,}|(?<![_-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)*|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}"
    r"|dckr_pat_[\w-]{16,}|dapi[0-9a-f]{32}|SG\.[\w-]{16,}\.[\w-]{16,}|r8_[A-Za-z0-9]{30,}|gsk_[A-Za-z0-9]{30,}"
    r"|nvapi-[\w-]{30,}|pplx-[A-Za-z0-9]{30,}|lin_api_[A-Za-z0-9]{30,}|\d{8,10}:AA[\w-]{30,})",
    re.DOTALL | re.ASCII,
)
# In each, group 1 stays and what follows of the match is the secret.
_PLACES = (
    re.compile(r"([a-z][a-z0-9+.-]{0,20}+://)(?:[^\s/:@?#\"'<>]*:(?!\d+[/?#])[^\s/\"'<>]*|[^\s/?#\"'<>]+)(?=@)", re.I),
    re.compile(r"(hooks\.slack\.com/services/|discord(?:app)?\.com/api/webhooks/)[\w/-]{16,}", re.I),
    re.compile(r"(\bbearer\s+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}", re.I),
    re.compile(r"(\bauthorization[\"']?\s*+[:=]\s*+[\"']?(?:basic|token|apikey|digest)\s+)[^\s\"',<]+", re.I),
    re.compile(r"(\b(?:AccountKey|SharedAccessKey|SharedAccessSignature)=)[^;\s\"'<]+", re.I),
    re.compile(
        r"((?<![\w.+@/-])[\w.+-]++:)[^\s@/:\"'<>]+(?=@(?:localhost|(?:[\w-]+\.)+[A-Za-z]{2,}|\d+(?:\.\d+){3})\b)"
    ),
    re.compile(r"(\bcurl\s[^|;]{0,500}?\s?(?:-u|--user)[ =]?[\"']?[^\s:\"']+:)[^\s\"'<]+"),
)
_QUERY = re.compile(r"([?&;#])([\w.-]+)=([^&\s#\"'<>]+)")
_SECRET_QUERIES = re.compile(r"x-(?:amz|goog)-(?:signature|credential|security-token)|sig|signature|key|code", re.I)
_QUOTED = r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'"
_LESS = "<(?!redacted:)"
_OPTION = re.compile(
    rf"(?<!\S)(--?([A-Za-z_][\w.-]*+)(?:\s*+=\s*+|\s++))({_QUOTED}|(?!-)(?:[^\s\"'<]|{_LESS})(?:[^\s<]|{_LESS})*+)"
)
_ASSIGNED = re.compile(
    rf"(?<![\w./-])([A-Za-z_][\w./-]*+)([\"']?\s*+(?:=|:(?!//))\s*+)({_QUOTED}|(?:[^\s,;\"'<]|{_LESS}|[,;](?!\s|[\w.-]+[=:]|$))++)"
)
_MAYBE = re.compile(r"[=:@_.-]|AKIA|ASIA|AIza|dapi|(?i:bearer)")
"""What every secret that is known by its shape or place holds."""


def redact_text(text: str, *, salt: bytes = b"") -> str:
    """A command line, note, URL or any text with every secret in it replaced by `<redacted:HASH>`.

    Known by shape (tokens of well-known services, private keys, user info of URLs) or by the name before them
    (`--api-key X`, `db.password=X`, `"token": "X"`). Doing it twice changes nothing.

    `salt` is the home's own random bytes, kept in the home: equal secrets give equal marks there and nowhere else.
    Without one the mark is a plain hash, by which short passwords can be guessed.
    """
    if not _MAYBE.search(text) or _NUMBER.fullmatch(text):
        return text
    text = _TOKEN.sub(lambda match: _mark(match[0], salt), text)
    for place in _PLACES:
        text = place.sub(lambda match: match[1] + _mark(match[0][len(match[1]) :], salt), text)
    text = _QUERY.sub(lambda match: _redact_query(match, salt), text)
    text = _OPTION.sub(lambda match: _redact_named(match[2], match[1], match[3], salt), text)
    return _ASSIGNED.sub(lambda match: _redact_named(match[1], match[1] + match[2], match[3], salt), text)


def _redact_query(match: re.Match[str], salt: bytes) -> str:
    head, key, value = match.groups()
    return f"{head}{key}={_mark(value, salt)}" if _is_secret_query(key, value) else match[0]


def _is_secret_query(key: str, value: str) -> bool:
    return _looks_random(value) if _SECRET_QUERIES.fullmatch(key) else is_secret(key, value)


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
    for pattern in _USER_INFO:
        url = pattern.sub(r"\1", url)
    url = _QUERY.sub(lambda match: match[1] if _is_secret_query(match[2], match[3]) else match[0], url)
    url = re.sub(r"([?&;#])[&;]+", r"\1", url).rstrip("?&;#")
    return redact_text(url, salt=salt)
