"""What a comparison says of one measure beyond its mean difference, over all items and domain by domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from judges.stats import Estimate
from judges.stats.cluster import cluster_bootstrap, cluster_difference, cluster_sums, few_clusters
from judges.stats.difference import held_within, skewed
from judges.stats.families import benjamini_hochberg, holm
from judges.stats.paired import (
    Verdict,
    WinLoss,
    detectable_difference,
    items_needed,
    margin_verdict,
    paired_test,
    relative_change,
    tail_differences,
    win_loss,
)
from results.clusters import Clusters
from results.manifest import Manifest
from results.measure import Measure
from results.noise import Noise
from rubrics.expectations import DOMAINS

Correction = Literal["holm", "bh"]
CORRECTIONS: Final[Mapping[Correction, Callable[[Sequence[float]], tuple[float, ...]]]] = {
    "holm": holm,
    "bh": benjamini_hochberg,
}
MARGIN: Final = 0.05
"""Margin of equivalence that is used where none is given, as a share of the measure's range."""


@dataclass(frozen=True)
class TwoWays:
    """The interval of one difference, worked out and resampled, with whole sources as its units.

    Attributes:
        units: What a source is, in the plural; `items` where every item is one.
        count: How many there are.
        analytic: The difference with its cluster-robust interval; where every item is a source, the main interval.
        bootstrap: The same with the interval of a cluster bootstrap.
        warning: What to know of them.
    """

    units: str
    count: int
    analytic: Estimate
    bootstrap: Estimate
    warning: str = ""

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {**vars(self), "analytic": self.analytic.as_dict(), "bootstrap": self.bootstrap.as_dict()}


@dataclass(frozen=True)
class Detail:
    """One measure of two runs, paired on items.

    Attributes:
        wins: Items on which the other run is better, alike and worse.
        p_value: Two-sided, of no difference; None without a test.
        adjusted: The same, corrected over the comparison's family; None without a test.
        test: Which test.
        relative: Relative change with its interval, where the published convention has one.
        tails: Differences of quantiles, by share.
        margin: Margin of equivalence, in the measure's units.
        verdict: What the interval says against it.
        detectable: The smallest difference that these items would have shown with power .8.
        needed: Items that would show a difference as large as the margin; None where none would.
        two_ways: The interval worked out and resampled, by clusters; None for a measure over strata.
        noise: What the noise is made of; None until it is worked out.
    """

    wins: WinLoss
    p_value: float | None
    adjusted: float | None
    test: str
    relative: Estimate | None
    tails: Mapping[float, Estimate]
    margin: float
    verdict: Verdict
    detectable: float | None
    needed: int | None
    two_ways: TwoWays | None = None
    noise: Noise | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            **vars(self),
            "wins": vars(self.wins),
            "relative": None if self.relative is None else self.relative.as_dict(),
            "tails": {f"{q:g}": e.as_dict() for q, e in self.tails.items()},
            "two_ways": None if self.two_ways is None else self.two_ways.as_dict(),
            "noise": None if self.noise is None else self.noise.as_dict(),
        }


@dataclass(frozen=True)
class DomainRow:
    """One measure in one domain of two runs.

    Attributes:
        domain: The domain.
        measure: The measure.
        baseline: Its mean in the baseline, over the domain's items.
        other: Its mean in the other run.
        difference: Other - baseline, paired.
        p_value: Two-sided, of no difference.
        adjusted: The same, corrected over the comparison's family.
    """

    domain: str
    measure: str
    baseline: Estimate
    other: Estimate
    difference: Estimate
    p_value: float | None
    adjusted: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {
            "domain": self.domain,
            "measure": self.measure,
            "baseline": self.baseline.as_dict(),
            "other": self.other.as_dict(),
            "difference": self.difference.as_dict(),
            "p_value": self.p_value,
            "adjusted_p_value": self.adjusted,
        }


def pairs_of(left: Measure, right: Measure) -> tuple[list[float], list[float]]:
    """Values of the items that both runs have."""
    both = sorted(left.values.keys() & right.values.keys())
    return [left.values[i] for i in both], [right.values[i] for i in both]


def detail(
    left: Measure,
    right: Measure,
    difference: Estimate,
    share: float,
    relative: bool,
    sources: Clusters,
    seed: int = 0,
) -> Detail | None:
    """The detail of one measure, not yet corrected; None where no item has a value in both runs.

    Args:
        left: The measure in the baseline.
        right: The measure in the other run.
        difference: Its paired difference.
        share: Margin of equivalence, as a share of the measure's range.
        relative: Whether a relative change is printed for this measure.
        sources: The cluster of each item.
        seed: Seed of the resamples.
    """
    x, y = pairs_of(left, right)
    if not x:
        return None
    # A measure over strata weighs its strata alike; a test over its items would not.
    p, test = (None, "") if left.strata else paired_test(x, y)
    margin = share * (left.bounds[1] - left.bounds[0])
    changes = [b - a for a, b in zip(x, y, strict=True)]
    finite = 0 < margin < float("inf")
    trusted = bool(left.strata) or not skewed(changes, difference)
    return Detail(
        wins=win_loss(x, y, left.higher_is_better),
        p_value=p,
        adjusted=None,
        test=test,
        relative=relative_change(x, y, seed) if relative and not left.strata else None,
        tails=tail_differences(x, y, seed),
        margin=margin,
        verdict=margin_verdict(difference, margin, left.higher_is_better, trusted) if finite else "not tested",
        detectable=detectable_difference(changes),
        needed=items_needed(changes, margin) if finite else None,
        two_ways=None if left.strata else two_ways(left, right, difference, sources, seed),
    )


def two_ways(left: Measure, right: Measure, difference: Estimate, sources: Clusters, seed: int = 0) -> TwoWays:
    """One difference with the interval of both methods.

    Args:
        left: The measure in the baseline.
        right: The measure in the other run.
        difference: Its paired difference, with its own interval.
        sources: The cluster of each item.
        seed: Seed of the resamples.
    """
    items = sorted(left.values.keys() & right.values.keys())
    changes = [right.values[i] - left.values[i] for i in items]
    each = sources.each(items)
    count, widest = len(set(each)), left.bounds[1] - left.bounds[0]
    analytic = difference if count == len(items) else cluster_difference(changes, each, difference.total)
    resampled = cluster_bootstrap(changes, each, difference.total, seed)
    units = sources.name if count < len(items) else "items"
    warning = few_clusters(count) if count < len(items) else ""
    warning = warning or (skewed(cluster_sums(changes, each), analytic) if changes else "")
    return TwoWays(units, count, held_within(analytic, widest), held_within(resampled, widest), warning)


def domain_rows(left: Measure, right: Measure, run: Manifest) -> list[DomainRow]:
    """One measure in each domain of a run's items; nothing where the items have no domains.

    Args:
        left: The measure in the baseline.
        right: The measure in the other run.
        run: A run that knows the items' domains.
    """
    if not left.due or left.strata:
        return []
    domains: dict[str, set[str]] = {}
    for item in run.items:
        if item.domain:
            domains.setdefault(item.domain, set()).add(item.id)
    rows = []
    for domain in sorted(domains, key=lambda d: (DOMAINS.index(d) if d in DOMAINS else len(DOMAINS), d)):
        ids = domains[domain]
        sides = [
            replace(m, values={i: v for i, v in m.values.items() if i in ids}, total=len(ids & m.due), due=m.due & ids)
            for m in (left, right)
        ]
        x, y = pairs_of(*sides)
        if x:
            p, _ = paired_test(x, y)
            found = sides[0].difference(sides[1])
            rows.append(DomainRow(domain, left.name, sides[0].estimate(), sides[1].estimate(), found, p))
    return rows


def corrected(
    details: Mapping[str, Detail], domains: Sequence[DomainRow], correction: Correction
) -> tuple[dict[str, Detail], tuple[DomainRow, ...]]:
    """The same with p values corrected over all measures and all domains of one comparison.

    Args:
        details: By measure.
        domains: Every measure in every domain.
        correction: `holm` (no false rejection in the family) or `bh` (their expected share).
    """
    tested = [name for name, d in details.items() if d.p_value is not None]
    rows = [i for i, row in enumerate(domains) if row.p_value is not None]
    family = [p for name in tested if (p := details[name].p_value) is not None]
    family += [p for i in rows if (p := domains[i].p_value) is not None]
    adjusted = CORRECTIONS[correction](family)
    made = {**details, **{n: replace(details[n], adjusted=p) for n, p in zip(tested, adjusted, strict=False)}}
    by_row = dict(zip(rows, adjusted[len(tested) :], strict=True))
    return made, tuple(replace(row, adjusted=by_row.get(i)) for i, row in enumerate(domains))
