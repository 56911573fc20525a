"""The agreement report as one HTML file: it works offline, makes no request and holds no prompt or answer.

Figures stand in the chapters that they belong to. Everything from data is escaped, and a content security policy in the
file forbids every request besides.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from leaderboard import charts
from leaderboard.agreement.figures import Figure, figures
from leaderboard.agreement.layout import Chapter
from leaderboard.cli.common import Table
from leaderboard.plots.svg import dark_style, svg
from leaderboard.present import plain
from leaderboard.static import page
from results.agreement_records import AgreementReport

_STYLE: Final = """
main { max-width: 76rem } :root { --link: #0a5ca8 } a { color: var(--link) }
@media (prefers-color-scheme: dark) { :root { --link: #7cc0f5 } }
nav { border: 1px solid var(--rule); border-radius: 6px; padding: .7rem 1.1rem; margin: 1.2rem 0 }
nav ol { margin: 0; padding-left: 1.3rem; columns: 18rem 3 } nav li { margin: .1rem 0 }
h2 { border-top: 1px solid var(--rule); padding-top: 1.6rem }
.said { padding-left: 1.2rem; max-width: 52rem } .said li { margin: .3rem 0; break-inside: avoid }
.said.many { max-width: none; columns: 28rem 2; column-gap: 2.5rem }
figure { margin: 1.5rem 0 2rem; max-width: 62rem } figure h3 { margin: 0 0 .4rem } .draw { overflow-x: auto }
svg.plot { width: 100%; min-width: 34rem; max-width: 62rem; height: auto; display: block }
figcaption, .notes { font-size: .9rem; color: var(--soft); max-width: 52rem; margin: .4rem 0 1rem }
details > summary { cursor: pointer; margin: .8rem 0; font-weight: 600 }
table { font-size: .85rem } th, td { padding: .4rem .55rem }
td, tbody th { white-space: nowrap; max-width: none; min-width: 2rem }
td.long, tbody th.long { white-space: normal; min-width: 18rem }
.tall { max-height: 34rem; overflow-y: auto } .tall thead th { position: sticky; top: 0; z-index: 1 }
.tall thead th:first-child { z-index: 2 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; max-width: 60rem }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr } dd { margin-bottom: .5rem }
  tbody th, tbody th.long { white-space: normal; min-width: 7rem; max-width: 8.5rem } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --rule: #bbb; --page: #fff; --head: #eee;
    --link: #000 }
  body { font-size: 10pt; padding: 0; max-width: none } main { max-width: none } nav { display: none }
  h2, h3 { break-after: avoid } figure, tr { break-inside: avoid } thead { display: table-header-group }
  .scroll, .draw { overflow: visible; border: 0; max-height: none } table { font-size: 7pt }
  figcaption, .notes { font-size: 8pt; max-width: none }
  th, td, td.long, tbody th, tbody th.long { padding: .15rem .3rem; white-space: normal; min-width: 0;
    position: static }
  thead th { white-space: normal } .said.many { columns: 1 } }
"""
_SCRIPT: Final = """
const dark = matchMedia('(prefers-color-scheme: dark)');
const figures = JSON.parse(document.getElementById('figures').textContent);
function draw(side, width) {
  figures.forEach((f, i) => {
    const layout = Object.assign({}, f[side].layout, width ? { width: width, autosize: false } : { autosize: true });
    Plotly.react('figure-' + i, f[side].data, layout, f.config);
  });
}
const shown = () => draw(dark.matches ? 'dark' : 'light');
shown();
dark.addEventListener('change', shown);
addEventListener('beforeprint', () => draw('light', 660));
addEventListener('afterprint', shown);
"""
_TALL: Final = 14
"""A table of more rows than this scrolls in a box of its own; on paper it stands whole."""
_LONG: Final = 44
"""A cell with more letters than this is folded."""
_FEW: Final = 6
"""More sentences than this stand in two columns."""
_MANY: Final = 12
"""Tables of a chapter beyond this number stand behind a heading that opens them."""


def page_html(report: AgreementReport, chapters: Sequence[Chapter]) -> str:
    """The report as one file of about 5 MB, plotly.js included; without it where there is no figure.

    Args:
        report: The report, for the figures and for how it was made.
        chapters: Its sentences and tables (`leaderboard.agreement.layout.chapters`).
    """
    drawn = list(zip(figures(report), figures(report, dark=True), strict=True))
    data: list[dict[str, Any]] = []
    titles = {c.title for c in chapters}
    sections = [(c.title, _chapter(c, [d for d in drawn if d[0].chapter == c.title], data)) for c in chapters]
    loose = [d for d in drawn if d[0].chapter not in titles]
    if loose:
        sections.insert(0, ("Figures", "".join(_figure(*d, data) for d in loose)))
    sections.append(("How this was made", _made(report)))
    contents = "".join(f'<li><a href="#part-{i}">{_esc(title)}</a></li>' for i, (title, _) in enumerate(sections, 1))
    body = f'<p>{_esc(_opening(report))}</p><nav aria-label="Contents"><ol>{contents}</ol></nav>'
    for i, (title, inside) in enumerate(sections, 1):
        body += f'<section><h2 id="part-{i}">{_esc(title)}</h2>{inside}</section>'
    scripts = ""
    if data:
        from plotly.offline import get_plotlyjs

        # "<" would let a name close the script element.
        text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
        scripts = (
            f'<script type="application/json" id="figures">{text}</script>'
            f"<script>{get_plotlyjs()}</script><script>{_SCRIPT}</script>"
        )
    return page("Agreement of judges and people", f"<main>{body}</main>{scripts}", bool(data), _STYLE)


def chapters_page(title: str, chapters: Sequence[Chapter], references: str, tail: str) -> str:
    """Chapters as one small file without scripts, their plots as SVG.

    Args:
        title: Title of the page.
        chapters: Sentences and tables.
        references: BibTeX, shown as it is.
        tail: A comment at the end; it must be safe as HTML.
    """
    contents = "".join(f'<li><a href="#part-{i}">{_esc(c.title)}</a></li>' for i, c in enumerate(chapters, 1))
    body = f'<nav aria-label="Contents"><ol>{contents}</ol></nav>'
    for i, c in enumerate(chapters, 1):
        body += f'<section><h2 id="part-{i}">{_esc(c.title)}</h2>{_chapter(c, (), [])}</section>'
    body += f'<section><h2>References</h2><div class="scroll"><pre>{html.escape(references)}</pre></div></section>'
    style = _STYLE + dark_style(p for c in chapters for p in c.plots)
    return page(title, f"<main>{body}</main>{tail}", False, style)


def _opening(report: AgreementReport) -> str:
    people, judges = len(report.people), len(report.judges)
    responses = {unit for rated in report.criteria.values() for unit in rated.units}
    runs = "one run" if len(report.runs) == 1 else f"{len(report.runs)} runs"
    return (
        f"{people} {'person' if people == 1 else 'people'} and {judges} {'judge' if judges == 1 else 'judges'} on "
        f"{len(responses)} responses of {runs}, on {len(report.criteria)} "
        f"{'criterion' if len(report.criteria) == 1 else 'criteria'}. Brackets are "
        f"{100 * report.settings.level:g} % intervals."
    )


def _chapter(chapter: Chapter, drawn: Sequence[tuple[Figure, Figure]], data: list[dict[str, Any]]) -> str:
    lines = "".join(f"<li>{_esc(line)}</li>" for line in chapter.lines)
    said = (
        f"<p>{_esc(chapter.lines[0])}</p>"
        if len(chapter.lines) == 1
        else f'<ul class="said{" many" if len(chapter.lines) > _FEW else ""}">{lines}</ul>'
    )
    parts = [said] if chapter.lines else []
    parts += [_figure(light, dark, data) for light, dark in drawn]
    parts += [
        f'<figure><h3>{_esc(p.light.title)}</h3><div class="draw" tabindex="0">{svg(p)}</div>'
        f"<figcaption>{_esc(p.note)}</figcaption></figure>"
        for p in chapter.plots
    ]
    tables = "".join(map(_table, chapter.tables))
    if len(chapter.tables) > _MANY:
        tables = f"<details><summary>{len(chapter.tables)} tables</summary>{tables}</details>"
    return "".join([*parts, tables])


def _figure(light: Figure, dark: Figure, data: list[dict[str, Any]]) -> str:
    sides = {side: json.loads(str(f.figure.to_json())) for side, f in (("light", light), ("dark", dark))}
    data.append({**sides, "config": {**charts.CONFIG, "responsive": True}})
    place = f"height: {light.height}px; min-width: {light.width}px"
    return (
        f'<figure><h3>{_esc(light.title)}</h3><div class="draw"><div id="figure-{len(data) - 1}" style="{place}" '
        f'role="img" aria-label="{_esc(light.alt)}"></div></div><figcaption>{_esc(light.note)}</figcaption></figure>'
    )


def _table(table: Table) -> str:
    def kind(i: int, cell: str) -> str:
        names = [*(["num"] if i in table.numeric else []), *(["long"] if len(cell) > _LONG else [])]
        return f' class="{" ".join(names)}"' if names else ""

    head = "".join(f'<th scope="col"{kind(i, "")}>{_esc(h)}</th>' for i, h in enumerate(table.columns))
    body = "".join(
        f'<tr><th scope="row"{kind(0, row[0])}>{_esc(row[0])}</th>'
        + "".join(f"<td{kind(i, cell)}>{_esc(cell)}</td>" for i, cell in enumerate(row[1:], 1))
        + "</tr>"
        for row in table.rows
    )
    notes = f'<p class="notes">{"<br>".join(map(_esc, table.notes))}</p>' if table.notes else ""
    title = f"<h3>{_esc(table.title)}</h3>" if table.title else ""
    tall = " tall" if len(table.rows) > _TALL else ""
    scroll = f'<div class="scroll{tall}" tabindex="0" role="region" aria-label="{_esc(table.title or "Table")}">'
    return f"{title}{scroll}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{notes}"


def _made(report: AgreementReport) -> str:
    """Version, choices, runs and rubrics: what it takes to make the page again."""
    chosen = report.settings
    try:
        number = version("psychosafe-eval")
    except PackageNotFoundError:
        number = "unknown"
    facts = [
        ("Program", f"psychosafe-eval {number}"),
        ("Intervals", f"level {chosen.level:g}, items as the unit, all draws from seed {chosen.seed}"),
        ("Margin of non-inferiority", f"{chosen.margin:g} of alpha"),
        ("Alternative annotator test", f"allowance {chosen.epsilon:g}"),
        ("Labels needed", f"for intervals of width {chosen.width:g}"),
        ("People", ", ".join(plain(p) for p in report.people) or "none"),
        ("Judges", ", ".join(plain(j) for j in report.judges) or "none"),
    ]
    for m in report.runs:
        rubric = f"rubric {m.rubric.name or 'not stated'} {(m.rubric.sha256 or 'no hash')[:12]}"
        prompts = f"{m.prompt_set.scored} prompts of {m.prompt_set.name or 'a set that is not named'}"
        facts.append(("Run", f"{plain(m.run_id)}: {plain(m.label)}, {plain(prompts)}, {plain(rubric)}"))
    return f"<dl>{''.join(f'<dt>{_esc(a)}</dt><dd>{_esc(b)}</dd>' for a, b in facts)}</dl>"


def _esc(text: str) -> str:
    """A text on one line, control and direction characters made visible, escaped."""
    return html.escape(plain(re.sub(r"\s+", " ", text), 2000), quote=True)
