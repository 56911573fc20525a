"""What a report for a paper holds, in chapters: everything in it comes from manifests and figures of the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from leaderboard.agreement import pairs
from leaderboard.agreement.layout import Chapter
from leaderboard.agreement.sentences import effect_sentences, pair_sentences, people_sentences
from leaderboard.cli.common import Table
from leaderboard.cli.compare import comparison_table
from leaderboard.cli.compare_detail import detail_tables, order_tables
from leaderboard.present import plain, run_warnings
from results.agreement import agreement_report
from results.agreement_records import AgreementReport
from results.compare import Comparison, NotComparable, comparable_with, compare
from results.manifest import Manifest
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
    """

    baseline: Manifest
    comparisons: tuple[Comparison, ...]
    order: Order | None
    agreement: AgreementReport | None
    margin: float
    correction: Correction

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
    )


def paper_chapters(found: Paper, hashes: Mapping[str, str]) -> tuple[Chapter, ...]:
    """The report in chapters.

    Args:
        found: The figures.
        hashes: Hash of each run's manifest.
    """
    made = [
        Chapter("Methods", tuple(methods(found)), ()),
        Chapter("Results", (), tuple(t for c in found.comparisons for t in (comparison_table(c), *detail_tables(c)))),
    ]
    if found.order is not None:
        made.append(Chapter("Order of the systems", (), tuple(order_tables(found.order))))
    if found.agreement is not None:
        said = (
            *pair_sentences(found.agreement),
            *effect_sentences(found.agreement),
            *people_sentences(found.agreement),
        )
        made.append(Chapter("Agreement of judges and people", said, tuple(pairs.pair_tables(found.agreement, False))))
    made.append(Chapter("Limitations", tuple(limitations(found)), ()))
    rows = [(plain(m.run_id, 80), plain(m.label, 80), hashes[m.run_id][:16]) for m in found.runs]
    notes = ["`psychosafe verify FILE` recomputes every figure of this report from a store that holds these runs."]
    provenance = Table(("Run", "System", "SHA-256 of its manifest"), rows, "What this report rests on", notes)
    made.append(Chapter("Provenance", (), (provenance,)))
    return tuple(made)


def methods(found: Paper) -> Iterator[str]:
    """What was asked, of whom, judged how, and analysed how."""
    base = found.baseline
    sets = dict.fromkeys(
        f"{m.prompt_set.scored} prompts of {plain(m.prompt_set.name or 'a set that is not named', 60)}"
        f"{' ' + m.prompt_set.version if m.prompt_set.version else ''}"
        f"{' (SHA-256 ' + m.prompt_set.sha256[:12] + ')' if m.prompt_set.sha256 else ''}"
        for m in found.runs
    )
    yield f"Prompts: {'; '.join(sets)}; {base.epochs} {'answer' if base.epochs == 1 else 'answers'} to each."
    for m in found.runs:
        settings = ", ".join(f"{k} {v}" for k, v in m.model.generation.items()) or "settings not on record"
        revision = f" at revision {plain(m.model.revision, 40)}" if m.model.revision else ", revision not on record"
        system = f", system prompt SHA-256 {m.condition.system_sha256[:12]}" if m.condition.system_sha256 else ""
        when = f", run {m.created[:10]}" if m.created else ""
        condition = plain(m.condition.name or "not stated", 60)
        model = f"{plain(m.model.name, 80)}{revision}"
        yield f"System: {model}; condition {condition}{system}; {plain(settings, 160)}{when}."
    seats = {j.id: j for m in found.runs for j in m.panel.judges}
    kinds = {"llm": "a language model", "rule": "rules", "human": "a person"}
    judges = "; ".join(
        f"{plain(j.id, 60)}, {kinds[j.kind]}"
        + (f" ({', '.join(f'{k} {v}' for k, v in j.config.items())})" if j.config else "")
        for j in seats.values()
    )
    rubric = f"{plain(base.rubric.name or 'not stated', 60)}"
    rubric += f" (SHA-256 {base.rubric.sha256[:12]})" if base.rubric.sha256 else ", whose wording is not on record"
    yield f"Judges: {judges or 'not stated'}; rubric {rubric}; criteria {', '.join(base.rubric.criteria)}."
    name = {"holm": "Holm", "bh": "Benjamini-Hochberg"}[found.correction]
    yield (
        "Differences are paired on prompts, with 95 % intervals: score intervals (Tango) on yes-no criteria, t "
        "intervals elsewhere, a cluster bootstrap beside them; shares have Wilson intervals. Tests are McNemar's "
        "exact test on yes-no criteria and sign flips of differences elsewhere (exact where counts allow, else paired "
        f"t), corrected ({name}) over all scores and domains of a comparison. The margin of equivalence is "
        f"{found.margin:g} of each measure's range. Computed by psychosafe-eval {_version()}."
    )


def limitations(found: Paper) -> Iterator[str]:
    """What the data themselves say against the results."""
    for m in found.runs:
        for warning in run_warnings(m, {}, found.runs):
            yield f"{plain(m.label, 80)}: {warning}."
    for c in found.comparisons:
        thin = [r for r in c.rows if r.group == "score" and (r.difference.coverage or 1) < 1]
        if thin:
            worst = min(thin, key=lambda r: r.difference.coverage or 1)
            yield (
                f"{plain(c.other.label, 80)}: {len(thin)} of the scores lack items; {worst.label} rests on "
                f"{worst.difference.n} of {worst.difference.total}. What is missing is not random."
            )
    if found.agreement is None:
        yield "No person has rated these answers: how far the judges can be trusted on them is not known."
    elif len(found.agreement.people) == 1:
        yield "One person rated: how far people agree with each other is not known."
    if any(m.prompt_set.name == "open" for m in found.runs):
        yield "The prompts were written by language models and have been reviewed by no expert."


def bibtex() -> str:
    """The paper whose evaluation is reproduced, and this program."""
    return BIBTEX.replace("VERSION", _version())


def _version() -> str:
    try:
        return version("psychosafe-eval")
    except PackageNotFoundError:
        return "unknown"
