"""Jupyter notebooks (nbformat 3 and 4) as plain cells: sources, outputs in brief, and what papermill wrote.

Read as JSON, never executed. Parameters are taken from assignments of literals. Format:
https://nbformat.readthedocs.io/en/latest/format_description.html
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from mlbench.dataclass import dataclass
from mlbench.model import JsonValue
from mlbench.wire.jsonlog import as_list, as_mapping, as_text

MAX_NOTEBOOK_BYTES = 64 << 20
MAX_CELL_CHARS = 64 << 10
"""A longer cell holds no parameters that a person wrote."""
PARAMETERS, INJECTED = "parameters", "injected-parameters"
ERROR_MARK = "papermill-error-cell-tag"
_METRIC_TYPES = ("application/scrapbook.scrap.json+json", "application/papermill.record+json")
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a notebook."""

    kind: str
    """code, markdown or raw."""
    source: str
    tags: tuple[str, ...] = ()
    count: int | None = None
    """The execution count, None where it was not run."""
    status: str = ""
    """papermill's word: completed, failed or pending."""
    outputs: tuple[Mapping[str, JsonValue], ...] = ()
    number: int = 0
    """Place among the cells, from 1."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A parameter of a cell: `lr = 0.1`."""

    name: str
    raw: str
    value: JsonValue


@dataclass(frozen=True, slots=True)
class Notebook:
    cells: tuple[Cell, ...]
    metadata: Mapping[str, JsonValue]

    @property
    def papermill(self) -> Mapping[str, JsonValue]:
        return as_mapping(self.metadata.get("papermill"))

    def tagged(self, tag: str) -> Iterator[Cell]:
        return (cell for cell in self.cells if tag in cell.tags and cell.kind == "code")

    @property
    def is_executed(self) -> bool:
        return any(cell.count is not None for cell in self.cells if cell.kind == "code")


def read_notebook(value: JsonValue) -> Notebook | None:
    """The cells of a notebook's JSON; None where the JSON is no notebook."""
    top = as_mapping(value)
    if "nbformat" not in top:
        return None
    rows = as_list(top.get("cells"))
    for sheet in as_list(top.get("worksheets")):  # nbformat 3
        rows = [*rows, *as_list(as_mapping(sheet).get("cells"))]
    cells = tuple(_cell(as_mapping(row), number) for number, row in enumerate(rows, start=1))
    return Notebook(cells, as_mapping(top.get("metadata")))


def _cell(row: Mapping[str, JsonValue], number: int) -> Cell:
    metadata = as_mapping(row.get("metadata"))
    kind = as_text(row.get("cell_type"))
    count = row.get("execution_count", row.get("prompt_number"))
    return Cell(
        kind="markdown" if kind == "heading" else kind,
        source=joined(row.get("source", row.get("input"))),
        tags=tuple(as_text(tag) for tag in as_list(metadata.get("tags"))),
        count=count if isinstance(count, int) and not isinstance(count, bool) else None,
        status=as_text(as_mapping(metadata.get("papermill")).get("status")),
        outputs=tuple(as_mapping(output) for output in as_list(row.get("outputs"))),
        number=number,
    )


def joined(text: JsonValue) -> str:
    """A text of a notebook, which may be a list of its lines."""
    return "".join(map(as_text, text)) if isinstance(text, list) else as_text(text)


# ---------------------------------------------------------------- parameters


def assignments(source: str) -> list[Assignment]:
    """The literals that a cell assigns to names, the last of each name; what is computed is left out."""
    found: dict[str, Assignment] = {}
    for node in _statements(source):
        for name, value in _assigned(node):
            try:
                literal = _literal(value, 0)
            except _NotALiteralError:
                found.pop(name, None)
                continue
            found[name] = Assignment(name, ast.get_source_segment(source, value) or "", literal)
    return list(found.values())


def assigned_names(source: str) -> list[str]:
    """The names that a cell assigns, computed ones too."""
    return list(dict.fromkeys(name for node in _statements(source) for name, _value in _assigned(node)))


def _statements(source: str) -> list[ast.stmt]:
    """Those of a cell; none where it is not plain Python."""
    if len(source) > MAX_CELL_CHARS:
        return []
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


class _NotALiteralError(Exception):
    """The value is computed."""


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value


def _literal(node: ast.expr, depth: int) -> JsonValue:
    """The value of a literal; nothing is evaluated.

    Raises:
        _NotALiteralError: a part of it is computed, or it nests too deeply.
    """
    if depth > _MAX_DEPTH:
        raise _NotALiteralError
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float | str | None):
        return node.value.encode("utf-8", "replace").decode() if isinstance(node.value, str) else node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = _literal(node.operand, depth + 1)
        if isinstance(number, int | float) and not isinstance(number, bool):
            return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_literal(part, depth + 1) for part in node.elts]
    if isinstance(node, ast.Dict):
        return {_key(key, depth): _literal(value, depth + 1) for key, value in zip(node.keys, node.values, strict=True)}
    raise _NotALiteralError


def _key(node: ast.expr | None, depth: int) -> str:
    if node is None:  # {**other}
        raise _NotALiteralError
    return str(_literal(node, depth + 1))


# ---------------------------------------------------------------- outputs


def printed(notebook: Notebook, stream: str = "stdout") -> str:
    """What the cells printed, in their order."""
    parts = [
        joined(output.get("text"))
        for cell in notebook.cells
        for output in cell.outputs
        if output.get("output_type") == "stream" and output.get("name", output.get("stream")) == stream
    ]
    return "".join(parts)


def failure(notebook: Notebook) -> tuple[int, str] | None:
    """Number of the first cell that failed, and `ValueError: boom`; None where none did."""
    for cell in notebook.cells:
        for output in cell.outputs:
            if output.get("output_type") in ("error", "pyerr"):
                return cell.number, f"{as_text(output.get('ename'))}: {as_text(output.get('evalue'))}".strip(": ")
    return None


def recorded(notebook: Notebook) -> dict[str, JsonValue]:
    """What scrapbook's `glue` and papermill's `record` kept: names and values."""
    found: dict[str, JsonValue] = {}
    for cell in notebook.cells:
        for output in cell.outputs:
            data = as_mapping(output.get("data"))
            scrap = as_mapping(data.get(_METRIC_TYPES[0]))
            if name := as_text(scrap.get("name")):
                found[name] = scrap.get("data")
            found.update(as_mapping(data.get(_METRIC_TYPES[1])))
    return found


def images(notebook: Notebook) -> Iterator[tuple[int, str, str]]:
    """Of each picture: the number of its cell, `png` or `jpeg`, and its bytes as base64 text, as the file has them."""
    for cell in notebook.cells:
        for output in cell.outputs:
            data = as_mapping(output.get("data", output))
            for kind, names in (("png", ("image/png", "png")), ("jpeg", ("image/jpeg", "jpeg"))):
                text = next((joined(data[name]) for name in names if data.get(name)), "")
                if text:
                    yield cell.number, kind, text


def order_warnings(notebook: Notebook) -> list[str]:
    """Why the outputs may not follow from the cells: they ran out of order, or some ran more than once."""
    counts = [cell.count for cell in notebook.cells if cell.kind == "code" and cell.count is not None]
    if counts != sorted(counts):
        at = next(i for i in range(1, len(counts)) if counts[i] < counts[i - 1])
        return [f"the cells were not run from top to bottom: In [{counts[at]}] stands below In [{counts[at - 1]}]"]
    if len(set(counts)) < len(counts):
        return ["two cells have the same execution count"]
    gaps = [(one, two) for one, two in zip([0, *counts], counts, strict=False) if two != one + 1]
    if gaps:
        return [
            f"cells were run that are no longer there, or more than once: In [{gaps[0][1]}] follows In [{gaps[0][0]}]"
        ]
    return []


# ---------------------------------------------------------------- for comparing


def sources(notebook: Notebook) -> list[tuple[str, str]]:
    """(kind, source) of the cells that a person wrote: without injected parameters and papermill's marks."""
    return [
        (cell.kind, cell.source.rstrip())
        for cell in notebook.cells
        if INJECTED not in cell.tags and ERROR_MARK not in cell.tags
    ]


_PERCENT = re.compile(r"^# %%(?P<rest>.*)$")
_QUOTED = re.compile(r"\A[rR]?(\"\"\"|\'\'\')(.*)\1\Z", re.DOTALL)
"""A text that stands in a script as a literal instead of comments."""


def percent_sources(text: str) -> list[tuple[str, str]] | None:
    """The cells of a jupytext script in the percent format; None where the text is no such script."""
    lines = text.splitlines()
    if not any(_PERCENT.match(line) for line in lines):
        return None
    cells: list[tuple[str, list[str]]] = []
    for line in lines:
        mark = _PERCENT.match(line)
        if mark:
            kind = "markdown" if "[markdown]" in mark["rest"] else "raw" if "[raw]" in mark["rest"] else "code"
            cells.append((kind, []))
        elif cells:
            cells[-1][1].append(line)
    return [(kind, _uncommented(kind, lines)) for kind, lines in cells]


def _uncommented(kind: str, lines: Sequence[str]) -> str:
    if kind != "code":
        if quoted := _QUOTED.match("\n".join(lines).strip()):
            return quoted[2].strip()
        lines = [line[2:] if line.startswith("# ") else line.removeprefix("#") for line in lines]
    return "\n".join(lines).strip()
