"""Runs against a baseline: whom to offer, what the comparison says in words, and its tables as text cells."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from judges.stats import Estimate
from leaderboard.cli.common import p_value, relative_change
from leaderboard.cli.compare_detail import NAMES
from leaderboard.domains import spoken
from leaderboard.present import fixed, number, plain
from results.compare import Comparison, Row
from results.extras import HEADINGS
from results.manifest import Manifest
from results.measure import LOWER_IS_BETTER
from results.paired import Correction
from results.sensitivity import headline

_VERDICTS: Final = {
    "better": "better",
    "worse": "worse",
    "equivalent": "equivalent within the margin",
    "no worse": "not shown to differ, and no worse by the margin",
    "no better": "not shown to differ, and no better by the margin",
    "unresolved": "unresolved: the interval holds 0 and reaches beyond the margin",
    "not tested": "not tested",
}
_LOW, _HIGH = (0.05, 0.1), (0.9, 0.95)
ONE_RUN: Final = "There is one run in the store, and nothing to compare it with. Add another with:"
NO_DOMAINS: Final = "This score has no figures by domain: its items have no domains, or it is a mean over strata."
TAILS: Final = "Quantiles of the other run's values less those of the baseline's: whether a mean hides a worse tail."


@dataclass(frozen=True)
class Compared:
    """A baseline and what is compared with it.

    Attributes:
        baseline: The baseline.
        comparisons: Each other run against it, in detail.
        names: A name of each run, no two alike. Untrusted text.
        margin: Margin of equivalence, as a share of each measure's range.
        bounds: Lowest and highest possible value of each score.
    """

    baseline: Manifest
    comparisons: tuple[Comparison, ...]
    names: Mapping[str, str]
    margin: float
    bounds: Mapping[str, tuple[float, float]]

    @property
    def correction(self) -> Correction:
        """How p values are corrected."""
        return self.comparisons[0].correction or "holm"

    def scores(self) -> list[str]:
        """Names of the scores that any comparison has, in the order of the rubric."""
        return list(dict.fromkeys(r.measure for c in self.comparisons for r in c.rows if r.group == "score"))

    def choices(self) -> list[str]:
        """The same, the headline first and those without a difference last."""
        scores = self.scores()
        known = {r.measure for c in self.comparisons for r in c.rows if r.difference.value is not None}
        head = headline([m for m in scores if m in known] or scores or [""])
        return sorted(scores, key=lambda m: (m not in known, m != head))

    def label(self, measure: str) -> str:
        """How people read a measure."""
        return next(r.label for c in self.comparisons for r in c.rows if r.measure == measure)

    def falling(self, measure: str) -> bool:
        """Whether less of a score is better."""
        scale = self.baseline.rubric.scales.get(measure)
        nominal = scale is not None and scale.scale == "nominal"
        return measure in LOWER_IS_BETTER or (scale is not None and not nominal and scale.direction != "higher")


def offered(runs: Sequence[Manifest], baseline: Manifest, comparable: Sequence[str]) -> list[Manifest]:
    """Other runs in the order in which they are offered for a comparison.

    The comparable ones first; of these the same model under other conditions, then models whose name shares its stem
    (fine-tunes of it), then its family, then others.

    Args:
        runs: All runs.
        baseline: The run to compare with.
        comparable: Ids of those that may be compared with it.
    """
    allowed = set(comparable)

    def near(m: Manifest) -> int:
        own, other = baseline.model, m.model
        if other.name == own.name:
            return 0
        stems = sorted((_stem(own.name), _stem(other.name)), key=len)
        if stems[0] and stems[1].startswith(stems[0]):
            return 1
        return 2 if own.family and own.family == other.family else 3

    def place(m: Manifest) -> tuple[bool, bool, int, bool, str, str]:
        second = not (m.condition.name or "").startswith("prompted")
        return m.run_id not in allowed, m.kind != baseline.kind, near(m), second, m.label, m.run_id

    return sorted((m for m in runs if m.run_id != baseline.run_id), key=place)


def first_baseline(groups: Sequence[Sequence[Manifest]], runs: Sequence[Manifest]) -> Manifest:
    """The run that is compared with at first: a baseline whose model has another run, models before policies.

    Args:
        groups: Comparable runs, the largest group first.
        runs: All runs, at least one.
    """
    shared = [g for g in groups if len(g) > 1]
    options = [m for g in shared for m in g] or [m for g in groups for m in g] or list(runs)
    counts = Counter(m.model.name for m in options)

    def place(at: int) -> tuple[bool, bool, bool, int]:
        m = options[at]
        plain_ = (m.condition.name or "").startswith("baseline")
        return m.kind == "reference", not plain_, counts[m.model.name] < 2, at

    return options[min(range(len(options)), key=place)]


def sentence(c: Comparison, names: Mapping[str, str]) -> str:
    """What one comparison says: its headline score with the interval of the difference, then how the others end."""
    who = f"{plain(names[c.other.run_id], 60)} against {plain(names[c.baseline.run_id], 60)}"
    rows = [r for r in c.rows if r.group == "score" and r.difference.value is not None]
    if not rows:
        return f"{who}: no score has a value in both."
    head = headline([r.measure for r in rows])
    row = next(r for r in rows if r.measure == head)
    found = row.detail
    e = row.difference
    said = f"{who}: {plain(row.label, 60)} {number(e, signed=True)} on {_items(row)}"
    if found is not None:
        if found.adjusted is not None and found.verdict != "not tested":
            said += f", p {_equal(p_value(found.adjusted))} ({NAMES[str(c.correction)]})"
        said += f": {_VERDICTS[found.verdict]}"
        if found.verdict in ("better", "worse") and _inside(e, found.margin):
            said += ", though by less than the margin"
    ends = Counter(str(r.detail.verdict) for r in rows if r.detail is not None and r is not row)
    if ends:
        told = ", ".join(f"{ends[v]} {v}" for v in _VERDICTS if ends[v])
        said += f". The other {sum(ends.values())} scores: {told}"
    return f"{said}."


def family(found: Compared) -> str:
    """Over how many tests the p values are corrected."""
    sizes = [
        sum(r.detail is not None and r.detail.p_value is not None for r in c.rows)
        + sum(d.p_value is not None for d in c.domains)
        for c in found.comparisons
    ]
    told = " and ".join(str(n) for n in dict.fromkeys(sizes))
    return f"p values are corrected over {told} tests ({NAMES[found.correction]}): all scores here, and each by domain."


def tail_warnings(c: Comparison, found: Compared) -> list[str]:
    """Scores whose mean is no worse while their bad tail is."""
    told = []
    for r in c.rows:
        if r.detail is None or r.detail.verdict not in ("better", "equivalent", "no worse"):
            continue
        down = found.falling(r.measure)
        for share in reversed(_HIGH) if down else _LOW:
            e = r.detail.tails.get(share)
            if e is None or e.low is None or e.high is None or not (e.low > 0 if down else e.high < 0):
                continue
            who = plain(found.names[c.other.run_id], 60)
            told.append(f"{who}: {plain(r.label, 60)}, {100 * share:.0f} % quantile {number(e, signed=True)}")
            break
    return told


def score_table(found: Compared) -> list[dict[str, str]]:
    """A row a score and run."""
    several = len(found.comparisons) > 1
    heading = f"p ({NAMES[found.correction]})"
    made = []
    for measure in found.choices():
        for c, r in _rows(found, measure):
            d = r.detail
            cells = {"Score": plain(r.label, 60), **({"Run": plain(found.names[c.other.run_id])} if several else {})}
            cells |= {
                "Difference [95 %]": number(r.difference, 3, signed=True),
                "The other run is": d.verdict if d is not None else "not tested",
                heading: p_value(d.adjusted if d is not None else None),
                "Better / alike / worse": f"{d.wins.wins} / {d.wins.ties} / {d.wins.losses}" if d is not None else "",
                "Items": f"{r.difference.n} of {r.difference.total}",
                "Baseline": number(r.baseline, 3),
                "Other": number(r.other, 3),
                "Relative [95 %]": relative_change(d.relative) if d is not None else "",
                "Worst case": _worst(r),
            }
            made.append(cells)
    if not any(row["Worst case"] for row in made):
        made = [{k: v for k, v in row.items() if k != "Worst case"} for row in made]
    return made


def domain_table(found: Compared, measure: str) -> list[dict[str, str]]:
    """One score in each domain and run."""
    several = len(found.comparisons) > 1
    heading = f"p ({NAMES[found.correction]})"
    made = []
    for domain in dict.fromkeys(d.domain for c in found.comparisons for d in c.domains if d.measure == measure):
        for c in found.comparisons:
            for d in (d for d in c.domains if (d.domain, d.measure) == (domain, measure)):
                run = {"Run": plain(found.names[c.other.run_id])} if several else {}
                made.append(
                    {
                        "Domain": spoken(domain), **run,
                        "Difference [95 %]": number(d.difference, 3, signed=True), heading: p_value(d.adjusted),
                        "Items": f"{d.difference.n} of {d.difference.total}",
                        "Baseline": number(d.baseline, 3), "Other": number(d.other, 3),
                    }
                )  # fmt: skip
    return made


def tail_table(found: Compared) -> list[dict[str, str]]:
    """Differences of quantiles, a row a score and run."""
    several = len(found.comparisons) > 1
    made = []
    for measure in found.choices():
        for c, r in _rows(found, measure):
            if r.detail is not None:
                run = {"Run": plain(found.names[c.other.run_id])} if several else {}
                tails = {f"{100 * q:.0f} % quantile": number(e, signed=True) for q, e in r.detail.tails.items()}
                made.append({"Score": plain(r.label, 60), **run, **tails})
    return made


def beside_tables(found: Compared) -> list[tuple[str, str, list[dict[str, str]]]]:
    """What stands beside the scores: heading, explanation and rows."""
    several = len(found.comparisons) > 1
    made = []
    for group, (heading, line) in HEADINGS.items():
        cells = []
        for c in found.comparisons:
            for r in (r for r in c.rows if r.group == group):
                run = {"Run": plain(found.names[c.other.run_id])} if several else {}
                cells.append(
                    {
                        "Measure": plain(r.label, 60), **run, "Baseline": number(r.baseline), "Other": number(r.other),
                        "Difference [95 %]": number(r.difference, signed=True),
                        "Items": f"{r.difference.n} of {r.difference.total}",
                    }
                )  # fmt: skip
        if cells:
            made.append((heading, line, cells))
    return made


def _rows(found: Compared, measure: str) -> list[tuple[Comparison, Row]]:
    return [(c, r) for c in found.comparisons for r in c.rows if r.measure == measure and r.group == "score"]


def _items(row: Row) -> str:
    e = row.difference
    return f"{e.n} item{'s' * (e.n != 1)}" if e.n == e.total else f"{e.n} of {e.total} items"


def _worst(row: Row) -> str:
    """Means with every missing value at either end of the scale."""
    spans = [
        f"{who} {fixed(span[0], 3)} to {fixed(span[1], 3)}"
        for who, span in zip(("baseline", "other"), row.worst_case, strict=True)
        if span is not None and all(map(math.isfinite, span))
    ]
    return "; ".join(spans)


def _inside(e: Estimate, margin: float) -> bool:
    return e.low is not None and e.high is not None and -margin < e.low and e.high < margin


def _equal(p: str) -> str:
    return p if p.startswith("<") else f"= {p}"


def _stem(name: str) -> str:
    """The last part of a model's name, lower case, where fine-tunes carry the name of what they were made of."""
    return name.rsplit("/", 1)[-1].lower()
