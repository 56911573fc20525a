"""The published SORRY-Bench and XSTest tables of the PsychoSafe paper: their counts, our intervals, what adds up.

The tables hold percentages and no items. Differences between two of their rows have no pairs, although the questions
are the same: their intervals are those of independent samples, wider than the items would allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from evals.sorry.taxonomy import MUTATIONS
from judges.stats import Estimate, combination
from results.published.tables import (
    PublishedRow,
    PublishedTable,
    Rate,
    rate,
    sorry_bench_table,
    unpaired_difference,
    xstest_table,
)

PLAIN: Final = "none"
"""Condition with which the others of a model are compared: no system prompt."""
BALANCED: Final = "balanced"
SORRY_ACCOUNT: Final = (
    "Fulfilment is the share of questions that the judge holds to be fulfilled; lower is not simply better: categories "
    "40 to 44 ask for advice, of which 56 published models fulfil about half. The table has no figures by category.",
    "On the base set the PsychoSafe prompt and the plain one-line prompt differ by one question of 440 (57 and 56): "
    "nothing here that the long prompt adds over any system prompt. Over the mutations it lowers fulfilment, most in "
    "Tamil, Malayalam and Marathi and under two of the five persuasions.",
    "The fine-tuned models fulfil 0 of 440, and by another judge refuse only 17 % of XSTest's unsafe prompts "
    "(`psychosafe reproduce xstest`). An answer that redirects neither fulfils nor, to that judge, refuses: "
    "neither figure alone says what these models do.",
    "The questions are the same in all rows, but only totals are published: no pairs, so no paired test; the intervals "
    "of differences are those of independent samples. A question's 19 wordings are not independent either: intervals "
    "over mutations assume that they always agree, which is the widest case.",
    "The published figures are single answers at temperature 0.7 without a seed; how far they move from run to run is "
    "in no interval here.",
)
XSTEST_ACCOUNT: Final = (
    "The PsychoSafe prompt nearly doubles the base model's over-refusal, 33 to 60 of 250 harmless prompts. The "
    "abstract speaks of limited generalisation and of preserved performance elsewhere, and does not state it.",
    "Under the PsychoSafe prompt safety and over-refusal rise together in every model: part of both is one tendency "
    "to refuse. `Balanced` (the mean of safety and 1 - over-refusal) weighs the two sides alike.",
    "The fine-tuned 27B model refuses 34 of 200 unsafe prompts here and fulfils 0 of 440 on SORRY-Bench. The judge "
    "here has no class for a redirection and likely files it as full compliance: until the fine-tuned rows are judged "
    "anew, they say as much of the judge as of the models.",
    "Judges of this design are weak on refusals that help: GPT-4's published labels call 23.7 % of what people label a "
    "full refusal, and 65.3 % of partial refusals, full compliance (five models, 2,250 answers). Give the published "
    "files (xstest_v2_completions_*.csv) to see it on those at hand.",
    "Labels that could not be read count as not refused. How many there were is not published.",
    "The prompts are the same in all rows, but only totals are published: no pairs, so no paired test; the intervals "
    "of differences are those of independent samples.",
)


@dataclass(frozen=True)
class Check:
    """One published statement against what follows from the other figures.

    Attributes:
        what: What is checked.
        stated: What is published.
        found: What follows.
        agrees: Whether the two agree.
    """

    what: str
    stated: str
    found: str
    agrees: bool


@dataclass(frozen=True)
class Difference:
    """One measure of one published row against the same model without a system prompt.

    Attributes:
        row: Name of the row.
        measure: The measure, or a mutation.
        baseline: In the row without a system prompt.
        other: In this row.
        difference: Other - baseline, unpaired.
    """

    row: str
    measure: str
    baseline: Estimate
    other: Estimate
    difference: Estimate

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        parts = {name: getattr(self, name).as_dict() for name in ("baseline", "other", "difference")}
        return {"row": self.row, "measure": self.measure, **parts}


@dataclass(frozen=True)
class TableReproduction:
    """A published table, recomputed as far as it goes.

    Attributes:
        table: The table.
        derived: By row, figures that follow from its rates.
        differences: Each row against the same model without a system prompt.
        checks: What adds up and what does not.
        account: What to read from it.
    """

    table: PublishedTable
    derived: dict[str, dict[str, Estimate]]
    differences: tuple[Difference, ...]
    checks: tuple[Check, ...]
    account: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "title": self.table.title,
            "source": self.table.source,
            "revision": self.table.revision,
            "judge": self.table.judge,
            "notes": list(self.table.notes),
            "rows": [
                {
                    "row": r.id,
                    "model": r.model,
                    "condition": r.condition,
                    "rates": {n: x.as_dict() for n, x in r.rates.items()},
                    "mutations": {n: x.as_dict() for n, x in r.mutations.items()},
                    "derived": {n: e.as_dict() for n, e in self.derived.get(r.id, {}).items()},
                }
                for r in self.table.rows
            ],
            "differences": [d.as_dict() for d in self.differences],
            "checks": [vars(c) for c in self.checks],
            "account": list(self.account),
        }


def reproduce_sorry_bench() -> TableReproduction:
    """SORRY-Bench as published: 440 base questions, and the average over the mutations.

    Raises:
        PublishedError: The table in the repository cannot be read.
    """
    table = sorry_bench_table()
    checks = [_counts_check(table)]
    for row in (r for r in table.rows if r.mutations):
        checks += _average_checks(row)
    named = next(r.mutations for r in table.rows if r.mutations)
    lacking = [m for m in MUTATIONS if m not in named]
    checks.append(
        Check(
            "Mutations of SORRY-Bench that the table lacks",
            "20 mutations",
            f"{len(named)} in the table; not in it: {', '.join(lacking) or 'none'}",
            not lacking,
        )
    )
    return TableReproduction(table, {}, tuple(_differences(table)), tuple(checks), SORRY_ACCOUNT)


def reproduce_xstest() -> TableReproduction:
    """XSTest as published: over-refusal of 250 safe prompts, safety on 200 unsafe ones.

    Raises:
        PublishedError: The table in the repository cannot be read.
    """
    table = xstest_table()
    derived = {}
    for row in table.rows:
        over, safety = row.rates["over_refusal"].estimate, row.rates["safety"].estimate
        derived[row.id] = {BALANCED: combination([safety, over], [0.5, -0.5], shift=0.5, bounds=(0.0, 1.0))}
    checks = [_counts_check(table)]
    for model in ("qwen35-27b", "qwen35-a3b"):
        plain, prompted = (table.row(f"{model}_{c}").rates["over_refusal"] for c in ("default", "v1"))
        found = unpaired_difference(plain.estimate, prompted.estimate)
        checks.append(
            Check(
                f"{table.row(f'{model}_v1').model}: over-refusal without a system prompt and under PsychoSafe's",
                f"{plain.percent:.1f} % and {prompted.percent:.1f} %",
                f"{plain.count} and {prompted.count} of {plain.n}, {_span(found)}",
                None not in (plain.count, prompted.count),
            )
        )
    sft = table.row("psysafe-27b_default").rates["safety"]
    sorry = sorry_bench_table().row("psysafe-27b_default").rates["base"]
    # The shares of answers taken for compliance on two sets of harmful prompts: their intervals lie far apart.
    apart = 1.0 - (sft.estimate.high or 1.0) > (sorry.estimate.high or 1.0)
    checks.append(
        Check(
            "Answers of the fine-tuned 27B model that pass for compliance, on two sets of unsafe prompts",
            f"SORRY-Bench: {sorry.count} of {sorry.n}",
            f"XSTest: {sft.n - (sft.count or 0)} of {sft.n}",
            not apart,
        )
    )
    return TableReproduction(table, derived, tuple(_differences(table)), tuple(checks), XSTEST_ACCOUNT)


def _counts_check(table: PublishedTable) -> Check:
    rates = [x for row in table.rows for x in (*row.rates.values(), *row.mutations.values())]
    once = sum(x.rounding == "once" for x in rates)
    twice = sum(x.rounding == "twice" for x in rates)
    none = sum(x.rounding == "none" for x in rates)
    several = sum(len(x.counts) > 1 for x in rates)
    found = f"{once} when rounded once, {twice} only when rounded to four decimals of the share first, {none} never"
    if several:
        found += f"; {several} averages fit several counts, and their intervals span them"
    return Check("Percentages that are a count of the stated number", f"{len(rates)} of {len(rates)}", found, not none)


def _average_checks(row: PublishedRow) -> list[Check]:
    """The average over mutations, from their counts: over the 19 there are, and with the base set as a twentieth."""
    cells = list(row.mutations.values())
    base, stated = row.rates["base"], row.rates["mutated"]
    counts = [c.count for c in cells]
    if base.count is None or any(c is None for c in counts):
        return []
    total, of = sum(c for c in counts if c is not None), sum(c.n for c in cells)
    made = []
    for name, k, n in (
        (f"average of the {len(cells)} mutations", total, of),
        (f"average of 20, the base set as one of them (`{row.id}`)", total + base.count, of + base.n),
    ):
        printed = f"{100 * k / n:.2f} %"
        agrees = stated.percent == _printed(k, n)
        label = name if "base" in name else f"{name} (`{row.id}`)"
        made.append(Check(label.capitalize(), f"{stated.percent:.1f} %", f"{k:,} of {n:,} = {printed}", agrees))
    return made


def _printed(k: int, n: int) -> float:
    """The percentage with one decimal that `rate` reads as this count."""
    near = round(100 * k / n, 1)
    return next((p for p in (near, round(near + 0.1, 1), round(near - 0.1, 1)) if k in rate(p, n).counts), near)


def _differences(table: PublishedTable) -> list[Difference]:
    plain = {row.model: row for row in table.rows if row.condition == PLAIN}
    made = []
    for row in table.rows:
        base = plain.get(row.model)
        if base is None or base is row:
            continue
        pairs: Sequence[tuple[str, Rate, Rate]] = [
            *((n, base.rates[n], x) for n, x in row.rates.items()),
            *((n, base.mutations[n], x) for n, x in row.mutations.items() if n in base.mutations),
        ]
        for name, left, right in pairs:
            found = unpaired_difference(left.estimate, right.estimate)
            made.append(Difference(row.id, name, left.estimate, right.estimate, found))
    return made


def _span(e: Estimate) -> str:
    return f"{100 * (e.value or 0):+.1f} points [{100 * (e.low or 0):+.1f}, {100 * (e.high or 0):+.1f}]"
