"""A report as one HTML file: its Markdown rendered, its charts inside. No script, nothing is loaded from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping, MutableMapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from mlbench.render.report_front import split_front

if TYPE_CHECKING:
    from markdown_it.renderer import RendererHTML
    from markdown_it.token import Token
    from markdown_it.utils import OptionsDict

    from mlbench.render.report import ReportFiles

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --faint: #5d6770; --line: #d7dce1; --code: #f3f5f7 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171a; --ink: #e3e7eb; --faint: #98a2ac; --line: #343b42; --code: #1f2428 }
}
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .75rem }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem }
.table { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap }
th { color: var(--faint); font-weight: 600 }
code, pre { font: .88em ui-monospace, monospace; background: var(--code); border-radius: 4px }
code { padding: .1em .3em }
pre { padding: .8rem 1rem; overflow-x: auto }
pre code { padding: 0; background: none }
img { max-width: 100%; height: auto }
details { margin-top: 2.5rem; color: var(--faint) }
"""


def html_report(files: ReportFiles) -> str:
    """The report as one file.

    What Markdown does not escape becomes no HTML either: raw HTML is text, and links are not made from text.

    Args:
        files: Markdown with its front matter, and the SVG files that it names.
    """
    from markdown_it import MarkdownIt

    front, body = split_front(files.markdown)
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(body)
    title = next((tokens[place + 1].content for place, token in enumerate(tokens) if token.type == "heading_open"), "")
    _embed(tokens, files.files)
    reader.add_render_rule("table_open", _table_open)
    reader.add_render_rule("table_close", _table_close)
    content = reader.renderer.render(tokens, reader.options, {})
    made = f"<details><summary>How this was made</summary><pre>{escape(front)}</pre></details>" if front else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(_plain(reader, title))}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{content}{made}\n</body>\n</html>\n"
    )


def _plain(reader: Any, markdown: str) -> str:  # noqa: ANN401 - a MarkdownIt, which is not loaded for the type alone
    """The text of a line without its marks."""
    return "".join(child.content for token in reader.parseInline(markdown) for child in token.children or ())


def _embed(tokens: Sequence[Token], files: Mapping[str, str]) -> None:
    """Put the pictures in the place of their names."""
    for token in tokens:
        for child in token.children or ():
            if child.type == "image" and (svg := files.get(str(child.attrs.get("src", "")))):
                child.attrs["src"] = "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _table_open(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    return '<div class="table">' + renderer.renderToken(tokens, index, options, env)


def _table_close(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: MutableMapping[str, Any],
) -> str:
    return renderer.renderToken(tokens, index, options, env).rstrip() + "</div>\n"
