"""A report as one file, and a file held against the store that it came from."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final

from leaderboard.agreement.page import chapters_page
from leaderboard.agreement.written import LATEX_HEAD, chapter_latex, chapter_markdown
from leaderboard.paper.content import Paper, bibtex, paper, paper_chapters
from results.store import Store, StoreError

TITLE: Final = "Refusal quality: a report"
_MARK: Final = "psychosafe-report: "
_FOUND: Final = re.compile(re.escape(_MARK) + r"(\{.*\})")
SUFFIXES: Final = (".html", ".md", ".tex")


class ReportError(ValueError):
    """A report that cannot be written or read; the message says what to do."""


def report_text(store: Store, found: Paper, suffix: str) -> str:
    """The report in the format of a file's suffix.

    Args:
        store: The store, for the manifests' hashes.
        found: The figures.
        suffix: `.html`, `.md` or `.tex`.

    Raises:
        ReportError: Another suffix.
    """
    if suffix not in SUFFIXES:
        raise ReportError(f"a report is one of {', '.join(SUFFIXES)}, not {suffix or 'a file without a suffix'!r}")
    hashes = {m.run_id: manifest_sha256(store, m.run_id) for m in found.runs}
    chapters = paper_chapters(found, hashes)
    mark = _MARK + json.dumps(provenance(found, hashes), separators=(",", ":")).replace("--", "-\\u002d")
    if suffix == ".md":
        body = "\n\n".join(map(chapter_markdown, chapters))
        return f"# {TITLE}\n\n{body}\n\n## References\n\n```bibtex\n{bibtex()}\n```\n\n<!-- {mark} -->\n"
    if suffix == ".tex":
        body = "\n\n".join(map(chapter_latex, chapters))
        references = "\n".join(f"% {line}" for line in bibtex().splitlines())
        head = "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage[margin=2cm]{geometry}\n"
        head += "\\usepackage{booktabs}\n\\usepackage{graphicx}\n\\begin{document}\n"
        return f"{LATEX_HEAD}\n% {mark}\n{head}\n{body}\n\n\\end{{document}}\n{references}\n"
    return chapters_page(TITLE, chapters, bibtex(), f"<!-- {mark} -->")


def provenance(found: Paper, hashes: dict[str, str]) -> dict[str, Any]:
    """What a report rests on: runs, their manifests' hashes, choices, and a digest of all figures."""
    return {
        "version": 1,
        "baseline": found.baseline.run_id,
        "runs": [c.other.run_id for c in found.comparisons],
        "margin": found.margin,
        "correction": found.correction,
        "manifests": hashes,
        "figures": digest(found),
    }


def digest(found: Paper) -> str:
    """Digest of every figure, to nine significant digits, so that it does not hang on a processor's last bit."""
    text = json.dumps(_rounded(found.as_dict()), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def manifest_sha256(store: Store, run_id: str) -> str:
    """Hash of a run's manifest, without where its log lies."""
    manifest = store.manifest(run_id)
    source = manifest.source.model_copy(update={"location": None, "mtime_ns": None})
    return hashlib.sha256(manifest.model_copy(update={"source": source}).to_json().encode()).hexdigest()


def verify(store: Store, path: Path) -> list[str]:
    """Recompute a report's figures and hold them against it.

    Args:
        store: A store with the report's runs.
        path: The file.

    Returns:
        What differs, a line each; nothing if all is as it was.

    Raises:
        ReportError: No report of this program.
    """
    try:
        match = _FOUND.search(path.read_text(encoding="utf-8"))
        told = json.loads(match[1]) if match else None
    except (OSError, ValueError) as ex:
        raise ReportError(f"{path.name}: cannot be read as a report of `psychosafe report`") from ex
    if not isinstance(told, dict) or told.get("version") != 1:
        raise ReportError(f"{path.name}: no provenance of `psychosafe report` in it; verify the file as it was written")
    wrong = []
    for run_id, wanted in told["manifests"].items():
        try:
            if manifest_sha256(store, run_id) != wanted:
                wrong.append(f"{run_id}: its manifest is another one now")
        except StoreError:
            wrong.append(f"{run_id}: not in {store.root}; ingest or import it first")
    if wrong:
        return wrong
    runs = [store.manifest(r) for r in told["runs"]]
    again = paper(store, store.manifest(told["baseline"]), runs, told["margin"], told["correction"])
    return [] if digest(again) == told["figures"] else ["the figures come out otherwise; make the report again"]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {str(k): _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list | tuple) else value
