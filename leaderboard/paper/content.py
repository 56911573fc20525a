"""What a report for a paper holds, in chapters: everything in it comes from manifests and figures of the store."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from evals.harness import harness_version
from leaderboard.agreement import pairs
from leaderboard.agreement.drawing import Figure
from leaderboard.agreement.forest import agreement_figures, effect_figures
from leaderboard.agreement.layout import Chapter
from leaderboard.agreement.sentences import effect_sentences, pair_sentences, people_sentences
from leaderboard.cli.common import Table
from leaderboard.cli.compare import comparison_table
from leaderboard.cli.compare_detail import detail_tables, order_tables
from leaderboard.paper.methods import limitations, methods
from leaderboard.paper.plots import rank_figures, result_figures
from leaderboard.plots.sheet import Plot
from leaderboard.present import plain
from results.agreement import agreement_report
from results.agreement_records import AgreementReport
from results.compare import Comparison, NotComparable, comparable_with, compare
from results.manifest import Manifest
from results.measures import measures
from results.paired import MARGIN, Correction
from results.ranking import Order, order
from results.raters import rated_by_people
from results.store import Store

BIBTEX: Final = """@misc{psychosafe,
  title  = {{PsychoSafe}: Eliciting Psychologically-Informed Refusals in Large Language Models},
  author = {Barmina, Gianluca and Torrielli, Federico and Harms, Sven and Nielsen, Jacob and M{\\"a}chtle, Felix and
            Beltoft, Stine Lyngs{\\o} and Schneider-Kamp, Peter and Eisenbarth, Thomas and Galke Poech, Lukas and
            Lauscher, Anne},
  year   = {2026},
  note   = {arXiv:2606.09697}
}
@software{psychosafe_eval,
  title   = {psychosafe-eval: an evaluation harness and leaderboard for refusal quality in language models},
  author  = {{The psychosafe-eval contributors}},
  version = {VERSION},
  year    = {2026}
}"""


@dataclass(frozen=True)
class Paper:
    """A report on some runs.

    Attributes:
        baseline: The run that the others are compared with.
        comparisons: Each other run against it, in detail.
        order: Their ranks; None with one other run.
        agreement: People and judges on the runs that people rated; None where nobody did.
        margin: Margin of equivalence, as a share of each measure's range.
        correction: How p values are corrected.
        falling: Measures of which less is better.
    """

    baseline: Manifest
    comparisons: tuple[Comparison, ...]
    order: Order | None
    agreement: AgreementReport | None
    margin: float
    correction: Correction
    falling: frozenset[str] = frozenset()

    @property
    def runs(self) -> tuple[Manifest, ...]:
        """The baseline and the others."""
        return (self.baseline, *(c.other for c in self.comparisons))

    def as_dict(self) -> dict[str, Any]:
        """Every figure, JSON-ready: what a later recomputation is held against."""
        return {
            "comparisons": [
                {
                    "run": c.other.run_id,
                    "measures": [r.as_dict() for r in c.rows],
                    "domains": [r.as_dict() for r in c.domains],
                }
                for c in self.comparisons
            ],
            "order": None if self.order is None else self.order.as_dict(),
            "agreement": None if self.agreement is None else self.agreement.as_dict(),
        }


def paper(
    store: Store,
    baseline: Manifest,
    others: Sequence[Manifest] = (),
    margin: float = MARGIN,
    correction: Correction = "holm",
) -> Paper:
    """Compare runs with a baseline and gather what people say of them.

    Args:
        store: The store.
        baseline: The run to compare with.
        others: The others; all that are comparable if none is given.
        margin: Margin of equivalence, as a share of each measure's range.
        correction: How p values are corrected over scores and domains.

    Raises:
        NotComparable: Nothing to compare with, or a run that must not be compared.
    """
    chosen = list(others) or comparable_with(store, baseline)
    bare = next((m for m in (baseline, *chosen) if not m.rubric.criteria), None)
    if bare is not None:
        raise NotComparable(f"{bare.run_id} has figures of whole benchmarks and no answers; `compare` shows them")
    if not chosen:
        raise NotComparable(f"no other run is comparable with {baseline.run_id}; name one to see why")
    done = [compare(store, baseline, m, detailed=True, margin=margin, correction=correction) for m in chosen]
    runs = [baseline, *chosen]
    ids = {m.run_id for m in rated_by_people(store)}
    rated = [m for m in runs if m.run_id in ids]
    return Paper(
        baseline,
        tuple(done),
        order(store, runs) if len(chosen) > 1 else None,
        agreement_report(store, rated) if rated else None,
        margin,
        correction,
        frozenset(name for name, m in measures(store, baseline).items() if not m.higher_is_better),
    )


def paper_chapters(found: Paper, hashes: Mapping[str, str], mark: str) -> tuple[Chapter, ...]:
    """The report in chapters; every table and every plot carries the mark.

    Args:
        found: The figures.
        hashes: Hash of each run's manifest.
        mark: What stands for all that the report rests on, in short: `data` and an id.
    """
    tables = [t for c in found.comparisons for t in (comparison_table(c), *detail_tables(c))]
    made = [
        Chapter("Methods", tuple(methods(found, software())), ()),
        Chapter("Results", (), tuple(tables), _plots(result_figures(found), result_figures(found, True), mark)),
    ]
    if found.order is not None:
        drawn = _plots(rank_figures(found), rank_figures(found, True), mark)
        made.append(Chapter("Order of the systems", (), tuple(order_tables(found.order)), drawn))
    if found.agreement is not None:
        said = (
            *pair_sentences(found.agreement),
            *effect_sentences(found.agreement),
            *people_sentences(found.agreement),
        )
        light, dark = (
            [*agreement_figures(found.agreement, d), *effect_figures(found.agreement, d)] for d in (False, True)
        )
        title, tables = "Agreement of judges and people", pairs.pair_tables(found.agreement, False)
        made.append(Chapter(title, said, tuple(tables), _plots(light, dark, mark)))
    made.append(Chapter("Limitations", tuple(limitations(found)), ()))
    made.append(_provenance(found, hashes, mark))
    return tuple(replace(c, tables=tuple(_marked(t, mark) for t in c.tables)) for c in made)


def _plots(light: Sequence[Figure], dark: Sequence[Figure], mark: str) -> tuple[Plot, ...]:
    return tuple(Plot(a, b, mark) for a, b in zip(light, dark, strict=True))


def _marked(table: Table, mark: str) -> Table:
    """With the mark in its title, and the title on one line: names in it are untrusted."""
    return replace(table, title=f"{plain(' '.join(table.title.split()), 240)} ({mark})")


def _provenance(found: Paper, hashes: Mapping[str, str], mark: str) -> Chapter:
    rows = [
        (plain(m.run_id, 80), plain(m.label, 80), hashes[m.run_id][:16], (m.source.sha256 or "not on record")[:16])
        for m in found.runs
    ]
    notes = [
        f"Every table and plot is marked {mark}: the first 12 digits of a SHA-256 over the manifests' hashes, the "
        "choices and all figures of this report, as they stand at the end of this file.",
        "`psychosafe verify FILE` makes the report again from a store that holds these runs, and says what differs.",
    ]
    heads = ("Run", "System", "SHA-256 of its manifest", "SHA-256 of its log or file")
    return Chapter("Provenance", (), (Table(heads, rows, "What this report rests on", notes),))


def bibtex() -> str:
    """The paper whose evaluation is reproduced, and this program."""
    return BIBTEX.replace("VERSION", software()["psychosafe-eval"])


@cache
def software() -> dict[str, str]:
    """Versions of what computes the figures, in this process."""
    ours = harness_version()
    commit = {"commit": str(ours["commit"])} if ours["commit"] else {}
    return {"psychosafe-eval": ours["version"] or "unknown", **commit, "Python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "scipy")}}  # fmt: skip
