"""The board, or comparisons, as one HTML file: it works offline, makes no request and holds no prompt or answer.

Everything from data is escaped, and a content security policy in the file forbids every request besides.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any, Final

from leaderboard import charts, present
from leaderboard.model import Board, BoardRow, Column, Group, PublishedSection
from results.compare import Comparison

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --rule: #d5dae0; --page: #fff; --head: #f4f6f8;
  --loud: #fff4d6; --loud-rule: #b58100 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #a3adb8; --rule: #39414b; --page: #12161c;
  --head: #1c222a; --loud: #33290f; --loud-rule: #d9a520 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 92rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem } h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .4rem }
p { margin: .4rem 0; max-width: 52rem; overflow-wrap: anywhere } .soft, small { color: var(--soft) }
.loud { background: var(--loud); border-left: 4px solid var(--loud-rule); padding: .6rem .9rem; margin: .8rem 0 }
.scroll { overflow-x: auto; margin: .6rem 0; border: 1px solid var(--rule); border-radius: 6px }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .45rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule) }
tr:last-child > * { border-bottom: 0 } thead th { background: var(--head); font-weight: 600; white-space: nowrap }
tbody th { font-weight: 600; min-width: 11rem; overflow-wrap: anywhere } td { min-width: 3rem; max-width: 13.5rem }
th:first-child { position: sticky; left: 0 } tbody th { background: var(--page) }
@media (max-width: 40rem) { tbody th { min-width: 9rem } h1 { font-size: 1.45rem } h2 { font-size: 1.15rem } }
td.words { white-space: normal; min-width: 16rem; overflow-wrap: anywhere } td.num, th.num { text-align: right }
.chart { width: 100% } li { overflow-wrap: anywhere }
"""
_SCRIPT: Final = """
const dark = matchMedia('(prefers-color-scheme: dark)');
const figures = JSON.parse(document.getElementById('figures').textContent);
function draw() {
  const side = dark.matches ? 'dark' : 'light';
  figures.forEach((f, i) => Plotly.react('chart-' + i, f[side].data, f[side].layout, f.config));
}
draw();
dark.addEventListener('change', draw);
"""


def board_html(board: Board) -> str:
    """The board as one file of about 5 MB, plotly.js included.

    Charts show the pair score of each group, or its first measure where there is none. Tables show everything.
    """
    figures: list[dict[str, Any]] = []
    body = [f"<p>{present.INTRO}</p>", _damaged(board)]
    if not board.groups:
        body.append("<p>There are no runs in the store yet.</p>")
    body += [_group(g, n, len(board.groups), figures) for n, g in enumerate(board.groups, 1)]
    body += [_published(s, figures) for s in board.published]
    scripts = ""
    if figures:
        from plotly.offline import get_plotlyjs

        # "<" would let a name close the script element.
        data = json.dumps(figures, allow_nan=False).replace("<", "\\u003c")
        scripts = (
            f'<script type="application/json" id="figures">{data}</script>'
            f"<script>{get_plotlyjs()}</script><script>{_SCRIPT}</script>"
        )
    return page("Refusal quality leaderboard", "".join(body) + scripts, scripted=bool(figures))


def comparison_html(title: str, comparisons: Sequence[Comparison], notes: Sequence[str] = ()) -> str:
    """Comparisons as one small file without scripts, a table each.

    Args:
        title: Title of the page.
        comparisons: Runs compared with their baseline (`results.compare.compare`).
        notes: Lines above the tables, such as caveats.
    """
    parts = [f'<p class="loud">{_esc(n)}</p>' for n in notes]
    for c in comparisons:
        parts.append(f"<h2>{_name(c.other.label)} against {_name(c.baseline.label)}</h2>")
        heads = ("Measure", "Baseline [95 %]", "n", "Other [95 %]", "n", "Difference, paired [95 %]",
                 "Relative change", "Coverage")  # fmt: skip
        rows = [
            (r.label, present.number(r.baseline), str(r.baseline.n), present.number(r.other), str(r.other.n),
             present.number(r.difference, signed=True), present.relative(r.relative), present.coverage(r.difference))
            for r in c.rows if r.group == "score"
        ]  # fmt: skip
        parts.append(_table(heads, rows, numeric=range(1, len(heads))))
        runs = f"Baseline {_name(c.baseline.run_id)}, other {_name(c.other.run_id)}."
        parts.append(f'<p class="soft">{runs} Coverage: items with a value in both runs.</p>')
        parts.append(_list(c.warnings))
    if not comparisons:
        parts.append("<p>Nothing to compare.</p>")
    return page(title, "".join(parts))


def _group(group: Group, n: int, of: int, figures: list[dict[str, Any]]) -> str:
    out = [f"<h2>Comparable runs{'' if of == 1 else f', group {n} of {of}'}</h2>", f"<p>{_esc(group.title)}</p>"]
    if group.rules_only:
        out.append(
            '<p class="loud"><strong>Judged by rules, not by a model or a person.</strong> These figures are a '
            "baseline for trying things out, and not a measurement.</p>"
        )
    out.append(f"<p>{_esc(group.sentence)}</p>")
    out.append(_chart(group.rows, group.columns[0], figures))
    parts = (
        ("Models", "", group.models),
        ("Reference policies", "No models: they anchor the scale, and try to cheat it.", group.references),
        ("Imported runs", "Judged elsewhere; compared with each other only.", group.published),
    )
    for heading, line, rows in parts:
        if rows:
            out.append(f"<h3>{heading}</h3>" + (f"<p>{line}</p>" if line else "") + _board_table(rows, group.columns))
    for heading, line, cells in present.group_tables(group):
        table = _table(tuple(cells[0]), [tuple(c.values()) for c in cells], numeric=range(1, len(cells[0])))
        out.append(f"<h3>{heading}</h3><p>{line}</p>{table}")
    out.append(f'<p class="soft">Comparability key {_esc(group.key)}</p>')
    return "".join(out)


def _published(section: PublishedSection, figures: list[dict[str, Any]]) -> str:
    column = next((c for c in section.columns if c.name == "paper"), section.columns[0])
    return "".join(
        [
            f"<h2>{_esc(section.title)}</h2>",
            "<p>As published, on other prompts and by other judges: not comparable with any run above.</p>",
            f"<p>{_esc(section.note)}</p>",
            _chart(section.rows, column, figures),
            _board_table(section.rows, section.columns),
            f'<p class="soft">Source {_esc(section.source)}, {_esc(section.revision)}</p>',
        ]
    )


def _chart(rows: Sequence[BoardRow], column: Column, figures: list[dict[str, Any]]) -> str:
    alt, missing = charts.alt_text(rows, column), charts.not_drawn(rows, column)
    note = f"<p>{_esc(missing)}</p>" if missing else ""
    if not charts.forest(rows, column).data:
        return f"<p>{_esc(alt)}</p>{note}"
    sides = {}
    for side in ("light", "dark"):
        figure = charts.forest(rows, column, dark=side == "dark")
        figure.update_layout(template=None, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
                             font={"family": "system-ui, sans-serif"})  # fmt: skip
        sides[side] = json.loads(str(figure.to_json()))
    figures.append({**sides, "config": {**charts.CONFIG, "responsive": True}})
    place = f'<div class="chart" id="chart-{len(figures) - 1}" style="height: {charts.height(rows, column)}px"'
    return f'{place} role="img" aria-label="{_esc(alt)}"></div>{note}'


def _board_table(rows: Sequence[BoardRow], columns: Sequence[Column]) -> str:
    cells = present.table(rows, columns)
    labels = present.headings(rows, columns)
    shown = [name for name in labels if any(name in row for row in cells)]
    body = [[row.get(name, "not measured") for name in shown] for row in cells]
    words = [shown.index(name) for name in ("notes", "run") if name in shown]
    return _table([labels[name] for name in shown], body, words=words)


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[int] = (), words: Sequence[int] = ()
) -> str:
    kind = {**dict.fromkeys(words, ' class="words"'), **dict.fromkeys(numeric, ' class="num"')}
    head = "".join(f'<th scope="col"{kind.get(i, "")}>{_name(h)}</th>' for i, h in enumerate(heads))
    body = "".join(
        f'<tr><th scope="row">{_esc(row[0])}</th>'
        + "".join(f"<td{kind.get(i, '')}>{_esc(cell)}</td>" for i, cell in enumerate(row[1:], 1))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _damaged(board: Board) -> str:
    bad = [f"{run}: {why}" for run, why in sorted(board.damaged.items())]
    note = '<p class="loud">Some runs cannot be read and are left out of everything below.</p>' if bad else ""
    return note + _list([*bad, *board.notes])


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_esc(present.plain(line, 400))}</li>' for line in lines)}</ul>" if lines else ""


def page(title: str, body: str, scripted: bool = False, style: str = "") -> str:
    """A whole page, whose content security policy forbids every request.

    Args:
        title: Its title, escaped here.
        body: Safe HTML.
        scripted: Whether scripts in the body may run.
        style: Rules behind the shared ones.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    policy += "; script-src 'unsafe-inline'" if scripted else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_esc(title)}</title><style>{STYLE}{style}</style></head><body><h1>{_esc(title)}</h1>{body}</body></html>\n"
    )


def _name(text: str) -> str:
    return _esc(present.plain(text))


def _esc(text: str) -> str:
    return html.escape(text, quote=True)
