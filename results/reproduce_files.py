"""SORRY-Bench and XSTest recomputed from per-item files, beside what is published.

SORRY-Bench: the `model_judgment` files of a run. XSTest: its published completions with two people's labels and those
of GPT-4 and a string match, which show what a judge makes of a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evals.sorry.rubric import FULFILMENT
from evals.sorry.taxonomy import BASE
from judges.llm.classify import COMPLIANCE, CRITERION, FULL_REFUSAL
from judges.stats import Estimate, mean_estimate, proportion_estimate
from results.importers.sorry_bench import read_judgments
from results.importers.xstest import read_labels
from results.manifest import Manifest
from results.published.tables import PublishedTable, Rate, sorry_bench_table
from results.schema import PANEL_RATER, Rating

MERGED: Final = "full_refusals_as_compliance"
"""Of the answers that people settled on as full refusals, the share that a rater calls full compliance."""


@dataclass(frozen=True)
class FromFile:
    """What the files say of one system by one rater.

    Attributes:
        system: The model, as the file names it. Untrusted text.
        rater: Who rated. Untrusted text.
        figures: By measure.
        published: The published rates of the same system; none where no published row has its name.
        notes: What the figures rest on.
    """

    system: str
    rater: str
    figures: Mapping[str, Estimate]
    published: Mapping[str, Rate]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "system": self.system,
            "rater": self.rater,
            "figures": {n: e.as_dict() for n, e in self.figures.items()},
            "published": {n: r.as_dict() for n, r in self.published.items()},
            "notes": list(self.notes),
        }


def sorry_bench_files(paths: Sequence[Path], release: str = "202503") -> list[FromFile]:
    """SORRY-Bench from judgment files, a system and judge each.

    Args:
        paths: Judgment files, or folders of them.
        release: The release whose questions were judged.

    Raises:
        ImportRefused: A file in another layout.
    """
    table = sorry_bench_table()
    runs = [run for path in paths for run in read_judgments(path, release)]
    return [_sorry(manifest, ratings, table) for manifest, ratings in runs]


def _sorry(manifest: Manifest, ratings: Sequence[Rating], table: PublishedTable) -> FromFile:
    values = _values(ratings, PANEL_RATER, FULFILMENT)
    items = [(i.id.partition("-")[0], i.id.partition("-")[2], i.id) for i in manifest.items]
    base = [item for _, style, item in items if style == BASE]
    mutated: dict[str, list[float]] = {}
    for question, style, item in items:
        if style != BASE:
            mutated.setdefault(question, [])
            if item in values:
                mutated[question].append(values[item])
    styles = {style for _, style, _ in items if style != BASE}
    figures = {
        "base": proportion_estimate([values[i] for i in base if i in values], len(base)),
        # Wordings of one question are no independent items: the question is.
        "mutated": mean_estimate([sum(v) / len(v) for v in mutated.values() if v], (0.0, 1.0), len(mutated)),
    }
    lost = sum(item not in values for *_, item in items)
    notes = [f"{len(base)} base questions, {len(styles)} mutations, {lost} answers without a score"]
    if styles:
        has = "has" if "question" in styles else "lacks"
        notes.append(f"{has} the mutation `question`; intervals over mutations are over questions")
    row = next((r for r in table.rows if _plain(r.id) == _plain(manifest.model.name)), None)
    if row is None:
        notes.append("no published row of this name")
    return FromFile(manifest.model.name, manifest.panel.judges[0].id, figures, row.rates if row else {}, tuple(notes))


def xstest_files(paths: Iterable[Path]) -> list[FromFile]:
    """XSTest from its labelled completions: every rater of every model, with full and partial refusals as one class.

    A label that could not be read counts as not refused, as in the published table; the notes say how many there are.

    Args:
        paths: Files of labels; the two files of one model count once.

    Raises:
        ImportRefused: A file in another layout.
    """
    runs = {manifest.run_id: (manifest, ratings) for path in paths for manifest, ratings in read_labels(path)}
    return [_xstest(manifest, ratings, j.id) for manifest, ratings in runs.values() for j in manifest.panel.judges]


def _xstest(manifest: Manifest, ratings: Sequence[Rating], rater: str) -> FromFile:
    values = _values(ratings, rater, CRITERION)
    settled = _values(ratings, PANEL_RATER, CRITERION)
    safe = [i.id for i in manifest.items if i.answer == "answer"]
    unsafe = [i.id for i in manifest.items if i.answer != "answer"]
    full = [i.id for i in manifest.items if settled.get(i.id) == FULL_REFUSAL]
    figures = {
        "over_refusal": proportion_estimate([float(values.get(i, COMPLIANCE) != COMPLIANCE) for i in safe]),
        "safety": proportion_estimate([float(values.get(i, COMPLIANCE) != COMPLIANCE) for i in unsafe]),
        MERGED: proportion_estimate([float(values[i] == COMPLIANCE) for i in full if i in values], len(full)),
    }
    lost = len(manifest.items) - len(values)
    notes = (f"{lost} labels that are none, counted as not refused",) if lost else ()
    return FromFile(manifest.model.name, rater, figures, {}, notes)


def _values(ratings: Iterable[Rating], rater: str, criterion: str) -> dict[str, float]:
    return {
        r["item_id"]: r["value"]
        for r in ratings
        if r["rater"] == rater and r["criterion"] == criterion and r["value"] is not None
    }


def _plain(name: str) -> str:
    """A system's name without the marks in which files and tables differ."""
    return "".join(c for c in name.lower() if c.isalnum())
