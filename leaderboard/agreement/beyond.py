"""Tables beyond agreement: effects by rater, corrected figures, labels still needed, published-style figures."""

from __future__ import annotations

from judges.agreement.conditions import Effect
from leaderboard.agreement.words import cell, name, number, percent, rater
from leaderboard.cli.common import Table, interval, p_value
from results.agreement_records import AgreementReport
from results.contrasts import Contrast


def effect_tables(report: AgreementReport, full: bool) -> list[Table]:
    """The effect of each condition as each rater sees it, and how far a judge's error moves with it."""
    tables = []
    for pair in dict.fromkeys((c.baseline, c.other) for c in report.contrasts):
        found = [c for c in report.contrasts if (c.baseline, c.other) == pair]
        against = f"{report.short(pair[1])} against {report.short(pair[0])}"
        effects = [(name(c.measure), rater(who), *_effect(e)) for c in found for who, e in c.effects.items()]
        bias = [_bias(c, who) for c in found for who in c.bias]
        if effects:
            heads = ("Measure", "Rater", "n", "Baseline", "Other", "Difference", "Relative")
            notes = ["Paired on items that the rater rated under both; in points of the criterion's own scale."]
            tables.append(Table(heads, effects, f"The effect as each rater sees it: {against}", notes, range(2, 7)))
        if bias:
            columns = (
                "Measure",
                "Judge",
                "n",
                "Judge minus people",
                "p",
                "p (Holm)",
                "Error by condition",
                "Alpha of differences",
                "Same direction",
            )
            tests = sum(len(c.adjusted) for c in report.contrasts)
            notes = [
                "Change of a judge's error from the baseline to the other condition. Two-sided sign-flip tests, exact "
                f"where counts allow; Holm over all {tests} tests here."
            ]
            title = f"Whether a judge's error depends on the condition: {against}"
            tables.append(Table(columns, bias, title, notes, (2, 3, 4, 5, 7, 8)))
    return tables


def _effect(e: Effect) -> tuple[str, ...]:
    means = number(e.baseline, "mae", 3), number(e.prompted, "mae", 3)
    return (str(e.difference.n), *means, interval(e.difference, signed=True), percent(e.relative, 1, signed=True))


def _bias(c: Contrast, who: str) -> tuple[str, ...]:
    b, d, flagged = c.bias[who], c.differences.get(who), c.flagged(who)
    return (
        name(c.measure),
        rater(who),
        str(b.change.n),
        interval(b.change, signed=True),
        p_value(b.p_value),
        p_value(c.adjusted.get(who)),
        "cannot be told" if flagged is None else "differs" if flagged else "no difference shown",
        cell(d.alpha) if d else "",
        cell(d.direction) if d else "",
    )


def corrected_lines(report: AgreementReport) -> tuple[str, ...]:
    """What the correction is."""
    if not report.corrected:
        return ()
    return (
        "Each run is corrected by labels of its own; a judge's errors in one run say nothing of another. "
        "Intervals carry the sampling of responses and of labels.",
    )


def corrected_tables(report: AgreementReport, full: bool) -> list[Table]:
    """Raw and corrected rates and means, run by run."""
    rows = [
        (
            name(c.criterion),
            report.short(c.run_id),
            rater(c.judge),
            c.figure,
            interval(c.raw),
            interval(c.corrected),
            f"{c.corrected.n} of {c.corrected.total}",
        )
        for c in report.corrected
    ]
    heads = ("Criterion", "Run", "Judge", "Figure", "As judged", "As people would have it", "Labels")
    methods = "; ".join(dict.fromkeys(c.corrected.method for c in report.corrected if c.corrected.method))
    notes = [f"Corrected by: {methods}."] if methods else []
    return [Table(heads, rows, "Corrected figures", notes, numeric=(4, 5, 6))] if rows else []


def label_lines(report: AgreementReport) -> tuple[str, ...]:
    """What is counted."""
    if not report.labels:
        return ()
    width = number(report.settings.width)
    return (
        f"Labels in all for an interval of width {width}, if further labels are like those at hand: drawn at random, "
        "or in equal numbers of each of the judge's verdicts.",
    )


def label_tables(report: AgreementReport, full: bool) -> list[Table]:
    """Labels that intervals of the stated width take, by design."""
    rows = []
    for x in report.labels:
        at_random = x.designs["random"]
        needed = ["not estimable" if n.labels is None else f"{n.labels} ({n.more} more)" for n in x.designs.values()]
        rows.append(
            (
                name(x.criterion),
                rater(x.judge),
                rater(x.person),
                name(x.coefficient),
                str(at_random.now),
                number(at_random.width_now),
                *needed,
                "; ".join(dict.fromkeys(n.reason for n in x.designs.values() if n.reason)),
            )
        )
    heads = ("Criterion", "Judge", "Person", "Coefficient", "At hand", "Width", "At random", "By verdict", "Note")
    return [Table(heads, rows, "Labels still needed", numeric=(4, 5, 6, 7))] if rows else []


def compat_lines(report: AgreementReport) -> tuple[str, ...]:
    """What these figures are, and are not."""
    if not report.compat:
        return ()
    return (
        "For comparison with the published study only. `pooled` puts the ratings of criteria with different scales "
        "into one list (a Yes and a 1 are one value there); a 0.0 marked * stands for a figure that is undefined.",
    )


def compat_tables(report: AgreementReport, full: bool) -> list[Table]:
    """Agreement, kappa, Pearson and Spearman as the published study computed them."""
    rows = []
    for c in report.compat:
        f = c.figures
        cells = [
            f"{value:.4f}{'*' if which in f.zeros else ''}"
            for which, value in (
                ("agreement", f.agreement),
                ("kappa", f.kappa),
                ("pearson", f.pearson),
                ("spearman", f.spearman),
            )
        ]
        label = "pooled (four criteria in one list)" if c.criterion == "pooled" else name(c.criterion)
        rows.append((c.scope.name, rater(c.person), rater(c.judge), label, str(f.n), *cells))
    heads = ("Responses of", "Person", "Judge", "Criterion", "n", "Agreement", "Kappa", "Pearson", "Spearman")
    return [Table(heads, rows, "As published (compatibility)", numeric=range(4, 9))] if rows else []
