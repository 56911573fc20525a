"""Pieces of HTML from text: everything that goes in is escaped here."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from leaderboard import present

LONG: Final = 44
"""A cell with more letters makes its column one of words, which is folded; twice as many make it a wide one."""
TALL: Final = 24
"""A table of more rows scrolls in a box of its own."""
_MARKS: Final = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*(.+?)\*"), r"<em>\1</em>"),
    (re.compile(r"`(.+?)`"), r"<code>\1</code>"),
)


def esc(text: str) -> str:
    """Text as HTML, also within an attribute."""
    return html.escape(text, quote=True)


def name(text: str) -> str:
    """A name from data as HTML: on one line, characters that cannot be seen made visible, long ones cut."""
    return esc(present.plain(text))


def said(text: str, kind: str = "") -> str:
    """A paragraph, with a class if one is given; nothing for an empty text. Lines stay lines."""
    style = f' class="{kind}"' if kind else ""
    return f"<p{style}>{'<br>'.join(map(esc, text.split(chr(10))))}</p>" if text else ""


def lines(texts: Iterable[str], limit: int = 400) -> str:
    """A list; nothing where there is nothing to list."""
    items = "".join(f"<li>{esc(present.plain(t, limit, ends=False))}</li>" for t in texts)
    return f"<ul>{items}</ul>" if items else ""


def code(text: str) -> str:
    """A command or a file, letter by letter."""
    return f'<pre tabindex="0"><code>{esc(text)}</code></pre>' if text else ""


def more(summary: str, inside: str) -> str:
    """What is closed at first."""
    return f"<details><summary>{esc(summary)}</summary>{inside}</details>" if inside else ""


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numeric: Iterable[int] = (), label: str = "Table"
) -> str:
    """A table of text cells, the first of each row its heading.

    Args:
        heads: Column heads.
        rows: Cells.
        numeric: Columns that are aligned right.
        label: What it shows, for who cannot see it.
    """
    longest = [max((len(row[i]) for row in rows), default=0) for i in range(len(heads))]
    kind = {i: f' class="words{" wide" if n > 2 * LONG else ""}"' for i, n in enumerate(longest) if n > LONG}
    kind |= dict.fromkeys(numeric, ' class="num"')
    head = "".join(f'<th scope="col"{kind.get(i, "")}>{name(h)}</th>' for i, h in enumerate(heads))
    body = "".join(
        f'<tr><th scope="row">{esc(row[0])}</th>'
        + "".join(f"<td{kind.get(i, '')}>{esc(cell)}</td>" for i, cell in enumerate(row[1:], 1))
        + "</tr>"
        for row in rows
    )
    tall = " tall" if len(rows) > TALL else ""
    scroll = f'<div class="scroll{tall}" tabindex="0" role="region" aria-label="{esc(label)}">'
    return f"{scroll}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def cells(rows: Sequence[Mapping[str, str]]) -> tuple[list[str], list[list[str]]]:
    """Heads and cells of rows by column name; a column that a row lacks is empty there."""
    heads = list(dict.fromkeys(head for row in rows for head in row))
    return heads, [[row.get(head, "") for head in heads] for row in rows]


def marked(text: str) -> str:
    """Our own Markdown as HTML: paragraphs, lists, strong and soft stress, code. Never for text from data."""
    out: list[str] = []
    for part in re.split(r"\n(?=- )|\n\n", text.strip()):
        words = esc(" ".join(part.split()))
        for pattern, made in _MARKS:
            words = pattern.sub(made, words)
        out.append(f"<li>{words[2:]}</li>" if words.startswith("- ") else f"<p>{words}</p>")
    return re.sub(r"((?:<li>.*?</li>)+)", r"<ul>\1</ul>", "".join(out))
