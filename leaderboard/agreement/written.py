"""The agreement report in text: console, Markdown, LaTeX, CSV, and as data."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import Any

from judges.agreement.criterion_report import LEVELS
from judges.agreement.intervals import Kind, coefficients
from judges.agreement.measured import measured
from leaderboard.agreement.checklist import checklist
from leaderboard.agreement.detail import HEADS, long_rows
from leaderboard.agreement.layout import Chapter, chapters
from leaderboard.cli.common import console, latex, latex_text, markdown, markdown_text, safe_cell
from leaderboard.plots.picture import picture
from leaderboard.plots.strip import strip
from results.agreement_records import AgreementReport

LATEX_HEAD = "% Needs \\usepackage{booktabs} and \\usepackage{graphicx}."


def written(report: AgreementReport, fmt: str, full: bool = False) -> str:
    """The report as text.

    Args:
        report: The report.
        fmt: `table`, `markdown`, `latex` or `csv`; the last has one row a figure and all of them.
        full: Also every coefficient, the confusion tables and the agreement of every two judges.
    """
    if fmt == "csv":
        return _csv(report)
    writer = {"table": _console, "markdown": chapter_markdown, "latex": chapter_latex}[fmt]
    body = "\n\n".join(writer(c) for c in chapters(report, full))
    return f"{LATEX_HEAD}\n\n{body}" if fmt == "latex" else body


def report_data(report: AgreementReport) -> dict[str, Any]:
    """The report as JSON-ready data: all figures unrounded, the sentences, and the checklist."""
    return {
        **report.as_dict(),
        "coverage": {c: _coverage(r.kind) for c, r in report.criteria.items()},
        "sentences": {c.title: list(c.lines) for c in chapters(report) if c.lines},
        "checklist": [asdict(e) for e in checklist(report)],
    }


def _coverage(kind: Kind) -> dict[str, Any]:
    """What the coverage study found for each coefficient of a kind of scale."""
    points = (0.0, 1.0) if kind == "binary" else (0.0, 1.0, 2.0)
    names = [*(c.name for c in coefficients(points, kind)), "sensitivity", "specificity"]
    found = {n: measured(n, kind) for n in names} | {"alpha": measured(f"alpha ({LEVELS[kind]})", kind)}
    return {n: asdict(m) for n, m in found.items() if m is not None}


def _console(chapter: Chapter) -> str:
    head = f"{chapter.title}\n{'=' * len(chapter.title)}"
    return "\n\n".join(filter(None, (head, "\n".join(chapter.lines), *map(console, chapter.tables))))


def chapter_markdown(chapter: Chapter) -> str:
    """A chapter as Markdown."""
    lines = [f"- {markdown_text(line)}" for line in chapter.lines]
    drawn = (f"**{markdown_text(p.light.title)}**\n\n{strip(p)}\n\n{markdown_text(p.note)}" for p in chapter.plots)
    parts = (f"## {chapter.title}", "\n".join(lines), *drawn, *map(markdown, chapter.tables))
    return "\n\n".join(filter(None, parts))


def chapter_latex(chapter: Chapter) -> str:
    """A chapter as LaTeX."""
    lines = [latex_text(line) for line in chapter.lines]
    head = rf"\section*{{{latex_text(chapter.title)}}}"
    parts = (head, "\n\n".join(lines), *map(picture, chapter.plots), *map(latex, chapter.tables))
    return "\n\n".join(filter(None, parts))


def _csv(report: AgreementReport) -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(HEADS)
    for row in long_rows(report):
        rows.writerow([safe_cell(c) for c in row])
    return out.getvalue().rstrip()
