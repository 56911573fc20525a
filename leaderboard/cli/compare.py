"""`psychosafe compare`: runs against a baseline, paired on items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import click

from judges.stats import Estimate
from leaderboard import present
from leaderboard.cli.common import Table, format_option, interval, one_line_errors, print_tables, store_option
from leaderboard.cli.compare_detail import detail_tables, order_tables
from leaderboard.cli.compare_overview import overview_tables
from results.clusters import CHOICES, By
from results.compare import Comparison, NotComparable, comparable_with, compare
from results.dialogues import Timing, timing
from results.extras import HEADINGS
from results.manifest import Manifest
from results.overview import overview as find_overview
from results.paired import MARGIN
from results.ranking import order
from results.store import Store

HEADS: Final = ("Measure", "Baseline [95 %]", "Other [95 %]", "Difference [95 %]", "Relative", "n", "Coverage")


@click.command("compare")
@click.argument("runs", nargs=-1)
@click.option(
    "--baseline", required=True, metavar="RUN", help="Run to compare with: its id, the start of it, or MODEL/CONDITION."
)
@click.option("--overview", is_flag=True, help="Every comparable run in one table a measure, with ranks.")
@click.option("--measure", multiple=True, metavar="NAME", help="With --overview: this criterion or score only.")
@click.option("--detail", is_flag=True, help="Also wins, tests, tails, domains, and what could have been seen.")
@click.option("--margin", type=click.FloatRange(0.001, 1), help="Margin of equivalence, a share of the range [0.05].")
@click.option("--cluster", type=click.Choice(CHOICES), help="What items share: units of the interval [source].")
@click.option("--correction", type=click.Choice(["holm", "bh"]), help="Correction over scores and domains [holm].")
@store_option
@format_option
def compare_command(
    runs: tuple[str, ...],
    baseline: str,
    overview: bool,
    measure: tuple[str, ...],
    detail: bool,
    margin: float | None,
    cluster: By | None,
    correction: Literal["holm", "bh"] | None,
    store: Store,
    fmt: str,
) -> None:
    """Compare RUNS (all comparable ones if none is given) with a baseline.

    Per criterion and score: mean with a 95 % interval, the difference paired on items with its interval, the relative
    change where the published convention has one, n and coverage. Runs that are not comparable are refused.
    """
    detail = detail or margin is not None or correction is not None or cluster is not None
    if measure and not overview:
        raise click.UsageError("--measure belongs to --overview")
    if overview and (runs or detail):
        raise click.UsageError("--overview takes every comparable run, and no detail; leave the others out")
    with one_line_errors():
        base = store.find(baseline)
        if overview:
            print_overview(store, base, measure, fmt)
            return
        others = [store.find(r) for r in runs] or comparable_with(store, base)
        if not others:
            raise NotComparable(f"no other run is comparable with {base.run_id}; name one to see why")
        asked: dict[str, Any] = {"detailed": detail, "margin": margin or MARGIN, "by": cluster or "source"}
        done = [compare(store, base, other, correction=correction or "holm", **asked) for other in others]
        ranked = order(store, [base, *others]) if detail and len(others) > 1 else None
    when = [(run.label, t) for run in (base, *others) if (t := timing(store, run)) is not None]
    data = comparison_data(base, done)
    if when:
        data["timing"] = [{"label": label, **_timing_data(t)} for label, t in when]
    if ranked is not None:
        data["order"] = ranked.as_dict()
    tables = [t for c in done for t in comparison_tables(c)]
    tables += order_tables(ranked) if ranked is not None else []
    print_tables([*tables, *([timing_table(when)] if when else [])], fmt, data)


def print_overview(store: Store, base: Manifest, wanted: Sequence[str], fmt: str) -> None:
    """Every comparable run in one table a measure."""
    found = find_overview(store, base, wanted)
    data = {"baseline": base.run_id, "measures": [o.as_dict() for o in found]}
    print_tables(overview_tables(found, base.run_id), fmt, data)


def comparison_tables(comparison: Comparison) -> list[Table]:
    """All tables of a comparison; runs without items have figures only, and the warnings stand below those."""
    beside = beside_tables(comparison)
    if any(r.group == "score" for r in comparison.rows) or not beside:
        return [comparison_table(comparison), *detail_tables(comparison), *beside]
    notes = [*beside[0].notes, *(f"! {w}" for w in comparison.warnings)]
    return [replace(beside[0], notes=notes), *beside[1:]]


def timing_table(when: Sequence[tuple[str, Timing]]) -> Table:
    """Of runs on dialogues, when the risk was acknowledged and when harm was done."""
    rows = present.timing_table(when)
    return Table(
        tuple(rows[0]),
        [tuple(r.values()) for r in rows],
        title="Turn by turn, over all domains together",
        notes=[present.TIMING_NOTE],
        numeric=range(2, len(rows[0])),
    )


def _timing_data(when: Timing) -> dict[str, Any]:
    return {
        event: {str(lag): e.as_dict() for lag, e in by_lag.items()}
        for event, by_lag in (("acknowledged", when.acknowledged), ("harmed", when.harmed))
    }


def comparison_table(comparison: Comparison) -> Table:
    """The scores of a comparison as text cells."""
    return Table(
        HEADS,
        _cells(comparison, "score"),
        title=f"{comparison.other.label}  against  {comparison.baseline.label}",
        notes=[*_worst_cases(comparison), *(f"! {w}" for w in comparison.warnings)],
        numeric=range(1, len(HEADS)),
    )


def beside_tables(comparison: Comparison) -> list[Table]:
    """What stands beside the scores, a table a heading."""
    tables = []
    for group, (heading, line) in HEADINGS.items():
        rows = _cells(comparison, group)
        if rows:
            title = f"{heading}: {comparison.other.label}  against  {comparison.baseline.label}"
            tables.append(Table(HEADS, rows, title=title, notes=[line], numeric=range(1, len(HEADS))))
    return tables


def _cells(comparison: Comparison, group: str) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for r in (r for r in comparison.rows if r.group == group):
        rows.append(
            (
                r.label,
                interval(r.baseline),
                interval(r.other),
                interval(r.difference, signed=True),
                "" if r.relative is None else f"{100 * r.relative:+.2f} %",
                str(r.difference.n),
                coverage(r.difference),
            )
        )
    return rows


def _worst_cases(comparison: Comparison) -> list[str]:
    """For each measure with missing values, what the mean would be with all of them worst, and all of them best."""
    notes = []
    for r in (r for r in comparison.rows if r.group == "score"):
        spans = [
            f"{who} {e.n} of {e.total}, {span[0]:.3f} to {span[1]:.3f}"
            for who, e, span in zip(("baseline", "other"), (r.baseline, r.other), r.worst_case, strict=True)
            if span is not None
        ]
        if spans:
            notes.append(f"{r.label}, with every missing value at either end of the scale: {'; '.join(spans)}")
    return notes


def comparison_data(base: Manifest, done: Sequence[Comparison]) -> dict[str, Any]:
    """The same figures, unrounded, with methods and reasons."""
    return {
        "baseline": base.run_id,
        "comparisons": [
            {
                "run": c.other.run_id,
                "label": c.other.label,
                "warnings": list(c.warnings),
                "measures": [r.as_dict() for r in c.rows],
                **(
                    {
                        "domains": [r.as_dict() for r in c.domains],
                        "correction": c.correction,
                        "choices": [s.as_dict() for s in c.choices],
                    }
                    if c.correction
                    else {}
                ),
            }
            for c in done
        ],
    }


def coverage(e: Estimate) -> str:
    """Share of the items that count, in text."""
    return "undefined" if e.coverage is None else f"{100 * e.coverage:.0f} %"
