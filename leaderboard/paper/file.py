"""A report as one file: HTML, Markdown or LaTeX, with what it takes to make it again."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from leaderboard.agreement.page import chapters_page
from leaderboard.agreement.written import chapter_latex, chapter_markdown
from leaderboard.paper.content import Paper, bibtex, paper_chapters, software

TITLE: Final = "Refusal quality: a report"
MARK: Final = "psychosafe-report: "
FORMAT: Final = 2
"""Version of what stands behind the mark."""
SUFFIXES: Final = (".html", ".md", ".tex")
_PLACE: Final = "@@mark@@"
_HEAD: Final = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}
\usepackage[margin=2cm]{geometry}
\usepackage{booktabs}
\usepackage{graphicx}
\usepackage{color}
\begin{document}
"""


class ReportError(ValueError):
    """A report that cannot be written or read; the message says what to do."""


def report_text(found: Paper, suffix: str) -> str:
    """The report in the format of a file's suffix.

    Args:
        found: The figures.
        suffix: `.html`, `.md` or `.tex`.

    Raises:
        ReportError: Another suffix.
    """
    if suffix not in SUFFIXES:
        raise ReportError(f"a report is one of {', '.join(SUFFIXES)}, not {suffix or 'a file without a suffix'!r}")
    told = provenance(found)
    text = _written(found, told, suffix)
    # Names from data come escaped or cut, and none of them is this long: the last one is ours.
    before, _, after = text.rpartition(_PLACE)
    marked = {**told, "software": software(), "text": text_digest(before + after)}
    return before + mark_line(marked) + after


def mark_line(told: dict[str, Any]) -> str:
    """The mark as it stands in a comment of a file, on one line and without what would end the comment."""
    return MARK + json.dumps(told, separators=(",", ":")).replace("--", "-\\u002d")


def text_digest(text: str) -> str:
    """Digest of a report without its mark."""
    return hashlib.sha256(text.encode()).hexdigest()


def provenance(found: Paper) -> dict[str, Any]:
    """What a report rests on: runs, their manifests' hashes, choices, and a digest of all figures."""
    return {
        "version": FORMAT,
        "baseline": found.baseline.run_id,
        "runs": [c.other.run_id for c in found.comparisons],
        "margin": found.margin,
        "correction": found.correction,
        "manifests": {m.run_id: m.identity() for m in found.runs},
        "figures": digest(found),
    }


def data_id(told: dict[str, Any]) -> str:
    """A short id of what a report rests on, which stands at each of its tables and plots."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]


def digest(found: Paper) -> str:
    """Digest of every figure, to nine significant digits, so that it does not hang on a processor's last bit."""
    text = json.dumps(_rounded(found.as_dict()), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _written(found: Paper, told: dict[str, Any], suffix: str) -> str:
    """The report with a place for the mark."""
    chapters = paper_chapters(found, told["manifests"], f"data {data_id(told)}")
    if suffix == ".md":
        body = "\n\n".join(map(chapter_markdown, chapters))
        return f"# {TITLE}\n\n{body}\n\n## References\n\n```bibtex\n{bibtex()}\n```\n\n<!-- {_PLACE} -->\n"
    if suffix == ".tex":
        # Floats wait for a page; a long report has more of them than LaTeX keeps waiting.
        clear = ("\n\n\\clearpage" if c.plots or c.tables else "" for c in chapters)
        body = "\n\n".join(chapter_latex(c) + end for c, end in zip(chapters, clear, strict=True))
        references = "\n".join(f"% {line}" for line in bibtex().splitlines())
        title = f"\\section*{{{TITLE}}}"
        return f"{_HEAD}{title}\n\n{body}\n\n\\end{{document}}\n{references}\n% {_PLACE}\n"
    return chapters_page(TITLE, chapters, bibtex(), f"<!-- {_PLACE} -->")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {str(k): _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list | tuple) else value
