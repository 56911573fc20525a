"""Tables of a detailed comparison: wins and tests, tails, domains."""

from __future__ import annotations

from collections import Counter

from judges.stats.components import Components
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
        _margins(found, against),
        _two_ways(found, against),
        *_noise(found, against),
        _tails(found, against),
        *([_domains(comparison, against)] if comparison.domains else []),
        *([_choices(comparison, against)] if comparison.choices else []),
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
            relative_change(d.relative),
        )
        for label, d in found
    ]
    family = sum(d.p_value is not None for _, d in found) + sum(r.p_value is not None for r in comparison.domains)
    heads = ("Measure", "Better / alike / worse", "p", f"p ({name})", "Test", "Relative [95 %]")
    notes = [f"Corrected over {family} tests: all scores here, and in each domain."]
    return Table(heads, rows, f"Wins and tests: {against}", notes, numeric=(1, 2, 3, 5))


def _margins(found: list[tuple[str, Detail]], against: str) -> Table:
    rows = [
        (
            label,
            f"{d.margin:.3g}",
            d.verdict,
            "undefined" if d.detectable is None else f"{d.detectable:.3f}",
            "undefined" if d.detectable is None else "more than a million" if d.needed is None else str(d.needed),
        )
        for label, d in found
    ]
    heads = ("Measure", "Margin", "The other run is", "Could have seen", "Items for the margin")
    notes = [
        "Could have seen: the difference that so many items show with power .8. Items for the margin: items that would "
        "show a difference as large as the margin, if they scatter alike.",
    ]
    return Table(heads, rows, f"Margins: {against}", notes, numeric=(1, 3, 4))


def _two_ways(found: list[tuple[str, Detail]], against: str) -> Table:
    rows: list[tuple[str, ...]] = []
    warned: dict[str, list[str]] = {}
    for label, d in found:
        w = d.two_ways
        if w is None:
            rows.append((label, "", "over strata: not resampled", "", "none"))
            continue
        b = w.bootstrap
        resampled = "none" if b.low is None or b.high is None else f"[{b.low:+.3f}, {b.high:+.3f}]"
        rows.append((label, f"{w.count} {w.units}", interval(w.analytic, signed=True), w.analytic.method, resampled))
        warned.setdefault(w.warning, []).append(label)
        if b.low is None and w.analytic.low is not None:
            warned.setdefault(f"no bootstrap: {b.reason}", []).append(label)
    heads = ("Measure", "Units", "Difference [95 %]", "Method", "Bootstrap [95 %]")
    methods = {d.two_ways.bootstrap.method for _, d in found if d.two_ways is not None} - {""}
    notes = [f"Bootstrap: {'; '.join(sorted(methods))}."] if methods else []
    notes += [f"! {', '.join(labels)}: {warning}" for warning, labels in warned.items() if warning]
    if not any(d.noise is not None and d.noise.measured for _, d in found):
        notes += [f"Noise of epochs and judges: {why}." for why in _unmeasured(found)[:1]]
    return Table(heads, rows, f"Intervals two ways: {against}", notes, numeric=(2, 4))


def _unmeasured(found: list[tuple[str, Detail]]) -> list[str]:
    whys = [[c.reason for c in (d.noise.epochs, d.noise.judges) if c.reason] for _, d in found if d.noise is not None]
    # The most frequent first: scores made of others have a reason of their own.
    return [why for why, _ in Counter("; ".join(dict.fromkeys(w)) for w in whys if w).most_common()]


def _noise(found: list[tuple[str, Detail]], against: str) -> list[Table]:
    """Shares of the noise, where any are measured."""
    rows, notes = [], []
    for label, d in found:
        if d.noise is None:
            continue
        n = d.noise
        if n.measured:
            wider = interval(n.any_judges, signed=True) if n.any_judges.value is not None else ""
            rows.append((label, _shares(n.epochs), _shares(n.judges), wider))
            notes.append(n.any_judges.reason if n.any_judges.low is not None else "")
        notes += [c.reason for c in (n.epochs, n.judges) if c.reason]
    heads = ("Measure", "Items / epochs", "Items / judges / judges within items", "Judges as a sample [95 %]")
    said = "Shares of the variance of the mean difference. Judges as a sample: the mean of the single judges' "
    said += "differences, with an interval over items and judges."
    told = [f"Not measured or to be read with care: {'; '.join(dict.fromkeys(n for n in notes if n))}."]
    told = [said, *(told if any(notes) else [])]
    return [Table(heads, rows, f"What the noise is made of: {against}", told, numeric=(1, 2, 3))] if rows else []


def _shares(c: Components) -> str:
    if not c.variances:
        return "not measured"
    return " / ".join(f"{100 * s:.0f} %" for s in c.shares.values()) or "no noise"


def _choices(comparison: Comparison, against: str) -> Table:
    rows = [
        (c.label, interval(c.difference, signed=True), c.finding, c.change + (", sign turned" if c.turned else ""))
        for c in comparison.choices
    ]
    others = [c for c in comparison.choices if c.change not in ("headline", "undefined")]
    same = sum(c.change == "same" for c in others)
    notes = [f"{same} of {len(others)} other scores say what the headline, {comparison.choices[0].label}, says."]
    heads = ("Score", "Difference [95 %]", "The other run is", "Against the headline")
    return Table(heads, rows, f"What the choice of score does: {against}", notes, numeric=(1,))


def _tails(found: list[tuple[str, Detail]], against: str) -> Table:
    shares = list(found[0][1].tails)
    rows = [(label, *(interval(d.tails[q], signed=True) for q in shares)) for label, d in found]
    heads = ("Measure", *(f"{100 * q:.0f} % quantile" for q in shares))
    notes = [
        "Quantile of the other run's values less that of the baseline's: whether a mean hides a worse tail. On a "
        "coarse scale an interval can be one point."
    ]
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
    heads = ("Measure", "System", "Mean", "Rank", "Ranks [95 %]", "Best in", "Tied with the first", "n")
    notes = [
        "On the items that all runs have. Ranks: those that no paired test (t, Holm over the others) rules out. Best "
        "in: share of resamples, not the chance of being best. Tied: no difference from the first is "
        "shown (sign flips, Holm)."
    ]
    if found.weights is not None:
        w = found.weights
        what = ", ".join(c.replace("_", " ") for c in found.criteria)
        notes.append(
            f"Of all weightings of {what}, {100 * w.same_order:.0f} % keep the order of their equal-weight mean and "
            f"{100 * w.same_best:.0f} % its first."
        )
    ranks = Table(heads, rows, "Ranks", notes, numeric=(2, 3, 4, 5, 7))
    return [ranks, *([_order_choices(found)] if found.choices else [])]


def _order_choices(found: Order) -> Table:
    rows = [
        (
            c.label,
            str(c.runs),
            "headline" if c.headline else "all level" if c.tau is None else f"{c.tau:+.2f}",
            "" if c.headline else f"{c.reversed} of {c.pairs}",
            "" if c.headline else "same" if c.first else "another",
        )
        for c in found.choices
    ]
    heads = ("Score", "Systems", "Kendall's tau-b", "Pairs turned round", "First")
    notes = [f"Against the order by {found.choices[0].label}: 1 is the same order, -1 the reverse."]
    return Table(heads, rows, "What the choice of score does to the order", notes, numeric=(1, 2, 3))
