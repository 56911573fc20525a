"""Tables of a detailed comparison: wins and tests, tails, domains."""

from __future__ import annotations

from leaderboard.cli.common import Table, interval, p_value, relative_change
from results.compare import Comparison
from results.paired import Detail
from results.ranking import Order

NAMES = {"holm": "Holm", "bh": "Benjamini-Hochberg"}


def detail_tables(comparison: Comparison) -> list[Table]:
    """What a detailed comparison adds; nothing for one without details."""
    found = [(r.label, r.detail) for r in comparison.rows if r.detail is not None]
    if not found or comparison.correction is None:
        return []
    against = f"{comparison.other.label}  against  {comparison.baseline.label}"
    return [
        _tests(found, against, comparison),
        _tails(found, against),
        *([_domains(comparison, against)] if comparison.domains else []),
    ]


def _tests(found: list[tuple[str, Detail]], against: str, comparison: Comparison) -> Table:
    name = NAMES[str(comparison.correction)]
    rows = [
        (
            label,
            f"{d.wins.wins} / {d.wins.ties} / {d.wins.losses}",
            p_value(d.p_value),
            p_value(d.adjusted),
            d.test or "over strata, not tested",
            f"{d.verdict} (margin {d.margin:.3g})",
            "undefined" if d.detectable is None else f"{d.detectable:.3f}",
            "more than a million" if d.needed is None else str(d.needed),
            relative_change(d.relative),
        )
        for label, d in found
    ]
    family = sum(d.p_value is not None for _, d in found) + sum(r.p_value is not None for r in comparison.domains)
    heads = (
        "Measure", "Better / alike / worse", "p", f"p ({name})", "Test", "Against the margin", "Could have seen",
        "Items for the margin", "Relative [95 %]",
    )  # fmt: skip
    notes = [
        f"Corrected over {family} tests: all scores here, and in each domain.",
        "Could have seen: the difference that so many items show with power .8. Items for the margin: items that would "
        "show a difference as large as the margin, if they scatter alike.",
    ]
    return Table(heads, rows, f"Wins, tests and margins: {against}", notes, numeric=(1, 2, 3, 6, 7, 8))


def _tails(found: list[tuple[str, Detail]], against: str) -> Table:
    shares = list(found[0][1].tails)
    rows = [(label, *(interval(d.tails[q], signed=True) for q in shares)) for label, d in found]
    heads = ("Measure", *(f"{100 * q:.0f} % quantile" for q in shares))
    notes = ["Quantile of the other run's values less that of the baseline's: whether a mean hides a worse tail."]
    return Table(heads, rows, f"Tails: {against}", notes, numeric=range(1, len(heads)))


def _domains(comparison: Comparison, against: str) -> Table:
    labels = {r.measure: r.label for r in comparison.rows}
    rows = [
        (
            labels[row.measure],
            row.domain,
            interval(row.baseline),
            interval(row.other),
            interval(row.difference, signed=True),
            f"{row.difference.n} of {row.difference.total}",
            p_value(row.p_value),
            p_value(row.adjusted),
        )
        for row in comparison.domains
    ]
    heads = ("Measure", "Domain", "Baseline [95 %]", "Other [95 %]", "Difference [95 %]", "n", "p",
             f"p ({NAMES[str(comparison.correction)]})")  # fmt: skip
    return Table(heads, rows, f"By domain: {against}", numeric=range(2, len(heads)))


def order_tables(found: Order) -> list[Table]:
    """Ranks with intervals of several runs, and what the weights of the criteria do to their order."""
    if not found.rankings:
        return []
    rows = []
    for ranking in found.rankings:
        in_order = sorted(
            zip(ranking.runs, ranking.ranks, strict=True), key=lambda pair: (pair[1].rank, pair[0].run_id)
        )
        rows += [
            (
                ranking.label,
                run.label,
                f"{r.mean:.3f}",
                str(r.rank),
                f"{r.low} to {r.high}" if r.low != r.high else str(r.low),
                f"{100 * r.best:.0f} %",
                "yes" if r.tied else "no",
                f"{ranking.items} of {ranking.total}",
            )
            for run, r in in_order
        ]
    heads = ("Measure", "System", "Mean", "Rank", "95 % of resampled ranks", "Best in", "Tied with the first", "n")
    notes = ["On the items that all runs have. Tied: no difference from the first is shown (sign flips, Holm)."]
    if found.weights is not None:
        w = found.weights
        what = ", ".join(c.replace("_", " ") for c in found.criteria)
        notes.append(
            f"Of all weightings of {what}, {100 * w.same_order:.0f} % keep the order of their equal-weight mean and "
            f"{100 * w.same_best:.0f} % its first."
        )
    return [Table(heads, rows, "Ranks", notes, numeric=(2, 3, 4, 5, 7))]
