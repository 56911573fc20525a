"""Judges beside each other on the runs of a grid: how far they agree, who gives higher values, and to whom.

All of it comes from the cube, so that a thousand runs take seconds. Answers of several runs, and epochs, to one prompt
are no independent items: the item is the unit of every interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

from judges.agreement.alpha import alpha_estimate
from judges.agreement.alpha_resample import MINIMUM, multinomial_weights
from judges.agreement.criterion import LEVELS
from judges.agreement.intervals import Coefficient, Kind, coefficients, estimate, posterior
from judges.agreement.pairwise import exact_agreement
from judges.stats import Estimate, mean_estimate
from judges.stats.difference import paired_estimate
from results.cube import MISSING, UNDEFINED, Cube
from results.grid import Grid
from results.measure import kind_of

SHOWN: Final[Mapping[Kind, tuple[str, ...]]] = {
    "binary": ("agreement", "kappa", "ac1"),
    "ordinal": ("agreement", "quadratic_kappa", "ac2_quadratic", "bias"),
    "nominal": ("agreement", "kappa", "ac1"),
}
"""The coefficients of two judges beside alpha, by kind of scale."""
MOST: Final = 120_000
"""Pairs of verdicts that are looked at; of more, those of every second run, every third and so on."""
RESAMPLES: Final = 1000

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Verdicts:
    """What each judge of a grid says on one criterion.

    Attributes:
        criterion: The criterion.
        kind: Kind of its scale.
        points: The declared points.
        best: Of a nominal criterion, the category whose share is its figure.
        judges: Judges that gave a value.
        silent: Judges that gave none: they have no rule for it, or failed throughout.
        values: (judges, runs, items, epochs), NaN where there is none.
        due: Whether a response should have a verdict, (runs, items, epochs).
    """

    criterion: str
    kind: Kind
    points: tuple[float, ...]
    best: float | None
    judges: tuple[str, ...]
    silent: tuple[str, ...]
    values: Values
    due: npt.NDArray[np.bool_]

    @property
    def figures(self) -> Values:
        """The values as the board averages them: of a nominal criterion, whether it is the best category.

        Array (judges, runs, items, epochs), NaN where there is none.
        """
        if self.best is None:
            return self.values
        return np.where(np.isnan(self.values), np.nan, self.values == self.best)

    @property
    def bounds(self) -> tuple[float, float]:
        """Lowest and highest of `figures`."""
        return (0.0, 1.0) if self.best is not None else (self.points[0], self.points[-1])


@dataclass(frozen=True)
class JudgePair:
    """Two judges on one criterion.

    Attributes:
        first: A judge.
        second: Another.
        alpha: Krippendorff's alpha of the two.
        estimates: The coefficients of `SHOWN`; `bias` is second minus first.
    """

    first: str
    second: str
    alpha: Estimate
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True)
class JudgeAgreement:
    """The judges of a grid on one criterion.

    Attributes:
        kind: Kind of the scale.
        judges: Judges that gave a value.
        silent: Judges that gave none.
        alpha: Krippendorff's alpha of all of them.
        pairs: Every two.
        runs: Runs that were looked at.
        of: Runs of the grid.
    """

    kind: Kind
    judges: tuple[str, ...]
    silent: tuple[str, ...]
    alpha: Estimate
    pairs: tuple[JudgePair, ...]
    runs: int
    of: int


@dataclass(frozen=True)
class Severity:
    """One judge beside the others, on the responses that all of them rated.

    Attributes:
        judge: The judge.
        mean: Mean of its values; of a nominal criterion, share of the best category.
        others: Its values minus the mean of the others', paired on items.
    """

    judge: str
    mean: Estimate
    others: Estimate


@dataclass(frozen=True)
class FamilyBias:
    """Whether a judge gives its own family more than others do.

    Attributes:
        judge: The judge.
        family: Its family; None where unknown.
        own: Runs of models of that family.
        rest: Runs of models of other, known families.
        difference: How far the judge is above judges of other families on its own family's answers, minus the same on
            other answers to the same items.
    """

    judge: str
    family: str | None
    own: int
    rest: int
    difference: Estimate


def verdicts(grid: Grid, criterion: str) -> Verdicts:
    """What each judge says on one criterion of a grid.

    Raises:
        KeyError: No such criterion.
    """
    cube: Cube = grid.cube
    if criterion not in cube.criteria:
        raise KeyError(criterion)
    scale = grid.runs[0].rubric.scales[criterion]
    judges = cube.raters[:-1]
    raw = np.moveaxis(cube.verdicts[:, :, :-1, cube.criteria.index(criterion)], 2, 0)
    shape = (len(judges), len(cube.runs), len(cube.items), cube.epochs)
    values = np.where((raw == MISSING) | (raw == UNDEFINED), np.nan, raw / 2.0).reshape(shape)
    given = [bool(np.isfinite(v).any()) for v in values]
    if scale.scale == "ordinal":
        points = tuple(map(float, scale.points))
    else:
        points = tuple(float(i) for i in range(len(scale.categories) or 2))
    kept = [i for i, seen in enumerate(given) if seen]
    return Verdicts(
        criterion, scale.scale, points, kind_of(grid.runs[0], criterion).best,
        tuple(judges[i] for i in kept), tuple(j for j, seen in zip(judges, given, strict=True) if not seen),
        values[kept], ~(raw == UNDEFINED).all(axis=0).reshape(shape[1:]),
    )  # fmt: skip


def judge_agreement(found: Verdicts, seed: int = 0) -> JudgeAgreement:
    """How far the judges agree, all together and two by two.

    Args:
        found: Their verdicts.
        seed: Seed of the draws.
    """
    pairs = list(combinations(range(len(found.judges)), 2))
    runs = found.due.shape[0]
    step = max(1, -(-len(pairs) * found.due.size // MOST))
    values, due = found.values[:, ::step], found.due[::step]
    items = np.broadcast_to(np.arange(due.shape[1])[None, :, None], due.shape)[due]
    rows = values[:, due]
    clusters = items.tolist() if len(np.unique(items)) < items.size else None
    made = []
    for a, b in pairs:
        both = alpha_estimate(rows[[a, b]], found.points, LEVELS[found.kind], clusters, seed=seed)
        made.append(JudgePair(found.judges[a], found.judges[b], both, _pair(found, rows[[a, b]], items, seed)))
    if len(found.judges) < 2:
        every = Estimate.undefined("fewer than two judges gave a value", 0, rows.shape[1])
    elif len(made) == 1:
        every = made[0].alpha
    else:
        every = alpha_estimate(rows, found.points, LEVELS[found.kind], clusters, seed=seed)
    used = values.shape[1]
    return JudgeAgreement(found.kind, found.judges, found.silent, every, tuple(made), used, runs)


def _pair(found: Verdicts, rows: Values, items: npt.NDArray[np.int64], seed: int) -> dict[str, Estimate]:
    """The coefficients of two rows of ratings."""
    k = len(found.points)
    both = ~np.isnan(rows).any(axis=0)
    a, b = (np.searchsorted(found.points, row[both]) for row in rows)
    used, cluster = np.unique(items[both], return_inverse=True)
    tables = np.bincount((cluster * k + a) * k + b, minlength=len(used) * k * k).reshape(len(used), k * k)
    table, total = tables.sum(axis=0).reshape(k, k).astype(float), rows.shape[1]
    known = {c.name: c for c in coefficients(found.points, found.kind)}
    alone = len(used) == table.sum()
    plain = posterior(table, seed) if alone and table.sum() else None
    resampled = None if alone or len(used) < 2 else _resampled(tables.astype(float), table, seed)
    made = {}
    for name in SHOWN[found.kind]:
        if name == "agreement" and alone:
            made[name] = exact_agreement(table, total)
        elif plain is not None or not table.sum():
            made[name] = estimate(known[name], table, plain or (np.zeros((1, k, k)), ""), total)
        else:
            made[name] = _clustered(known[name], tables.sum(axis=1), table, resampled, total, seed)
    return made


def _resampled(tables: Values, table: Values, seed: int) -> tuple[Values, Values]:
    """Resamples of the table that two judges make, of whole items and of responses by themselves."""
    rng, k = np.random.default_rng(seed), table.shape[0]
    drawn, rng.bit_generator.state = _item_draws(len(tables), seed)
    by_item = drawn.astype(float) @ tables
    return by_item.reshape(-1, k, k), multinomial_weights(table.ravel(), RESAMPLES, rng).reshape(-1, k, k)


@lru_cache(maxsize=2)
def _item_draws(units: int, seed: int) -> tuple[npt.NDArray[np.uint32], Mapping[str, Any]]:
    """Weights of resamples of items, which every pair of judges shares, and the generator's state behind them."""
    rng = np.random.default_rng(seed)
    return multinomial_weights(np.ones(units), RESAMPLES, rng).astype(np.uint32), rng.bit_generator.state


def _clustered(
    coefficient: Coefficient, sizes: npt.NDArray[np.int64], table: Values, resampled: tuple[Values, Values] | None,
    total: int, seed: int,
) -> Estimate:  # fmt: skip
    """A coefficient of responses that share items: draws as in `estimate`, from counts divided by the design effect.

    The design effect is that of `alpha_estimate`: the squared ratio of the spread over resampled items to that over
    resampled responses, and of Student's t to the normal quantile.
    """
    units = len(sizes)
    if resampled is None:
        value = coefficient.point(table)
        return Estimate(value, None, None, int(table.sum()), total, "", "one item has no interval")
    spread, own = (_spread(coefficient.batch(x)) for x in resampled)
    # Without a spread, as if all responses to an item were one.
    ratio = (spread / own) ** 2 if own > 1e-12 else (sizes**2).sum() / sizes.sum()
    effect = max(1.0, float(ratio)) * float(stdtrit(units - 1, 0.975) / ndtri(0.975)) ** 2
    drawn, method = posterior(table / effect, seed)
    made = estimate(coefficient, table, (drawn, f"{method} at the design effect of {units} items"), total)
    if units < MINIMUM <= made.n:
        few = f"{units} items: the interval is known to be too narrow"
        made = replace(made, reason="; ".join(filter(None, (made.reason, few))))
    return made


def _spread(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if known.size else 0.0


def severity(found: Verdicts) -> tuple[Severity, ...]:
    """Each judge's mean, and how far it lies above the others', on the responses that all of them rated."""
    if len(found.judges) < 2:
        return ()
    figures, (low, high) = found.figures, found.bounds
    common = found.due & ~np.isnan(figures).any(axis=0)
    total = int(found.due.any(axis=(0, 2)).sum())
    made = []
    for at, judge in enumerate(found.judges):
        others = np.delete(figures, at, axis=0).mean(axis=0)
        own, rest = _by_item(figures[at], common), _by_item(others, common)
        gap = paired_estimate(rest, own, (low, high), False, total)
        made.append(Severity(judge, mean_estimate(own, (low, high), total), gap))
    return tuple(made)


def family_bias(found: Verdicts, grid: Grid) -> tuple[FamilyBias, ...]:
    """Whether each judge is kinder to its own family than judges of other families are, item by item."""
    families = {j.id: j.family if j.family not in (None, "", "none") else None for j in grid.runs[0].panel.judges}
    models = [m.model.family or None for m in grid.runs]
    total = int(found.due.any(axis=(0, 2)).sum())
    made = []
    for at, judge in enumerate(found.judges):
        family = families.get(judge)
        own = [i for i, f in enumerate(models) if f is not None and f == family]
        rest = [i for i, f in enumerate(models) if f is not None and f != family]
        seats = [i for i, j in enumerate(found.judges) if i != at and families.get(j) not in (None, family)]
        why = _cannot(family, own, rest, seats, models)
        if why:
            made.append(FamilyBias(judge, family, len(own), len(rest), Estimate.undefined(why, 0, total)))
            continue
        gap = found.figures[at] - found.figures[seats].mean(axis=0)
        known = found.due & ~np.isnan(gap)
        both = known[own].any(axis=(0, 2)) & known[rest].any(axis=(0, 2))
        ours, theirs = (_by_item(gap[part][:, both], known[part][:, both]) for part in (own, rest))
        reach = found.bounds[1] - found.bounds[0]
        made.append(
            FamilyBias(judge, family, len(own), len(rest), paired_estimate(theirs, ours, (-reach, reach), False, total))
        )
    return tuple(made)


def _cannot(
    family: str | None, own: Sequence[int], rest: Sequence[int], seats: Sequence[int], models: Sequence[str | None]
) -> str:
    """Why nothing can be told of a judge's bias to its family; empty where something can."""
    if family is None:
        return "the judge's family is not known, or it has none"
    if not any(models):
        return "no model's family is known"
    if not own:
        return "no run here is of the judge's family"
    if not rest:
        return "every run of a known family is of the judge's own; it takes runs of other models on the same items"
    return "" if seats else "no judge of another known family sits beside it"


def _by_item(values: Values, known: npt.NDArray[np.bool_]) -> list[float]:
    """Mean over runs and epochs of what is known, of each item that has any; (runs, items, epochs)."""
    count = known.sum(axis=(0, 2))
    total = np.where(known, values, 0.0).sum(axis=(0, 2))
    return [float(v) for v in total[count > 0] / count[count > 0]]
