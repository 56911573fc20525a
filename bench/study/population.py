"""The population behind a scenario, and the true value of every figure, worked out and not simulated.

Every item is in a hidden state; given it, raters are independent. So the joint table of any raters is a sum over the
states, and a coefficient's true value is the coefficient of that table. On the line of the `normal` model the states
are 400 places of equal probability: the population is that one, and nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import betabinom, binom

from bench.study.grid import Scenario
from judges.agreement.alpha_resample import Array, Index, Level, Patterns, alphas
from judges.agreement.icc import Form, MeanSquares
from judges.agreement.icc import _value as icc_value
from judges.agreement.intervals import Coefficient

PLACES = 400
MANY = 1e9


@dataclass(frozen=True)
class Population:
    """Hidden states and what raters say of them.

    Attributes:
        states: Probability of every state (S).
        given: Probability of every answer given the state (raters, S, k).
    """

    states: Array
    given: Array

    @property
    def points(self) -> tuple[float, ...]:
        """The declared scale: 0 and 1, or 1 to 5."""
        k = self.given.shape[2]
        return tuple(float(v) for v in range(k)) if k == 2 else tuple(float(v + 1) for v in range(k))

    @cached_property
    def _thresholds(self) -> Array:
        return np.cumsum(self.given, axis=2)[:, :, :-1]

    def draw_states(self, rng: np.random.Generator, size: tuple[int, ...]) -> Index:
        """States of items."""
        edges = np.cumsum(self.states)[:-1]
        return np.searchsorted(edges, rng.random(size), side="right").astype(np.int64)

    def draw_ratings(self, rng: np.random.Generator, states: Index, rater: int) -> Array:
        """One rater's values, one an item."""
        above = rng.random(states.shape)[..., None] >= self._thresholds[rater][states]
        values: Array = np.asarray(self.points)[above.sum(axis=-1)]
        return values

    def table(self, first: int, second: int) -> Array:
        """Joint probabilities of two raters' values (k, k)."""
        return np.asarray(np.einsum("s,si,sj->ij", self.states, self.given[first], self.given[second]))

    def coefficient(self, c: Coefficient, judge: int) -> float:
        """True value of a coefficient of the person and a judge."""
        return float(c.batch(self.table(0, judge)))

    def found(self, answer: int, judge: int = 1) -> float:
        """True sensitivity (answer 1) or specificity (0)."""
        table = self.table(0, judge)
        return float(table[answer, answer] / table[answer].sum())

    def alpha(self, raters: Sequence[int], level: Level) -> float:
        """True alpha. Ratings missing at random leave it as it is: all pairs of raters lose alike."""
        pairs = [self.table(a, b) for a, b in combinations(raters, 2)]
        table = np.mean(pairs, axis=0)
        table, k = (table + table.T) / 2, len(self.points)
        eye = np.eye(k)
        rows = np.array([eye[i] + eye[j] for i in range(k) for j in range(k)])
        i, j = np.triu_indices(k, 1)
        found = Patterns(np.asarray(self.points), level, rows, rows[:, i] * rows[:, j], np.array([0]), np.array([True]))
        return float(alphas(found, table.reshape(1, -1) * MANY)[0])

    def icc(self, form: Form) -> float:
        """True intraclass correlation of these raters: that of the mean squares that are expected of many items."""
        m = len(self.given)
        values = self.given @ np.asarray(self.points)  # mean answer by rater and state
        means = values @ self.states
        cov = (values * self.states) @ values.T - np.outer(means, means)
        spread = (self.given @ np.asarray(self.points) ** 2) @ self.states - means**2
        shared = (cov.sum() - np.trace(cov)) / (m * (m - 1))
        error = float(spread.mean() - shared)
        squares = MeanSquares(m * shared + error, float(MANY * means.var(ddof=1)) + error, error, int(MANY), m)
        value = icc_value(squares, form)
        if value is None:
            raise ValueError("a population without variation has no intraclass correlation: draw another scenario")
        return value

    def error_correlation(self, votes: bool) -> float:
        """True mean correlation of the judges' errors: wrong or right, or judge minus person."""
        points = np.asarray(self.points)
        errors = points[None, :] - points[:, None]  # person's value by row, judge's by column
        if votes:
            errors = (errors != 0).astype(float)
        judges, person = self.given[1:], self.given[0]
        # Mean error given state and the person's value, and its square.
        mean, square = judges @ errors.T, judges @ (errors**2).T
        weight = self.states[:, None] * person
        centre = (mean * weight).sum(axis=(1, 2))
        cov = np.einsum("asp,bsp,sp->ab", mean, mean, weight) - np.outer(centre, centre)
        sd = np.sqrt((square * weight).sum(axis=(1, 2)) - centre**2)
        return float(np.mean([cov[a, b] / (sd[a] * sd[b]) for a, b in combinations(range(len(judges)), 2)]))

    def flips(self, rater: int) -> float:
        """True chance that a rater's two independent answers to the same item differ."""
        return float(1.0 - (self.states * (self.given[rater] ** 2).sum(axis=1)).sum())

    def share(self, rater: int, positive: int) -> float:
        """True share of items that a rater gives this point."""
        return float(self.states @ self.given[rater][:, positive])

    def mean(self, rater: int) -> float:
        """True mean of a rater's values."""
        return float(self.states @ self.given[rater] @ np.asarray(self.points))


def population(scenario: Scenario) -> Population:
    """Build what a scenario describes."""
    quality = [scenario.person] + [scenario.judge if r % 2 else scenario.second for r in range(1, scenario.raters)]
    lean = [scenario.lean if r % 2 else 0.0 for r in range(scenario.raters)]
    margin = _margin(scenario)
    if scenario.model == "normal":
        z = ndtri((np.arange(PLACES) + 0.5) / PLACES)
        cuts = ndtri(np.cumsum(margin)[:-1])
        given = np.stack([_line(z, cuts, q, b) for q, b in zip(quality, lean, strict=True)])
        return Population(np.full(PLACES, 1 / PLACES), given)
    given = np.stack([_classes(scenario.levels, q, b) for q, b in zip(quality, lean, strict=True)])
    if not scenario.hard:
        return Population(margin, given)
    guess = np.broadcast_to(margin, given.shape)
    states = np.concatenate([margin * (1 - scenario.hard), margin * scenario.hard])
    return Population(states, np.concatenate([given, guess], axis=1))


def _margin(scenario: Scenario) -> Array:
    top, p, rho = scenario.levels - 1, scenario.prevalence, scenario.spread
    where = np.arange(scenario.levels)
    if not rho:
        return np.asarray(binom.pmf(where, top, p))
    total = 1 / rho - 1
    return np.asarray(betabinom.pmf(where, top, p * total, (1 - p) * total))


def _line(z: Array, cuts: Array, quality: float, lean: float) -> Array:
    """Answers (S, k) of a rater who sees quality * z + noise + lean."""
    edges = np.concatenate([[-np.inf], cuts, [np.inf]])
    at = ndtr((edges[None, :] - quality * z[:, None] - lean) / np.sqrt(1 - quality**2))
    return np.asarray(np.diff(at, axis=1))


def _classes(k: int, accuracy: float, lean: float) -> Array:
    """Answers (k, k) given the true value: a miss falls on others, half as often with each step further away."""
    where = np.arange(k)
    steps = where[None, :] - where[:, None]
    weight = np.where(steps == 0, 0.0, 0.5 ** np.abs(steps))
    weight /= weight.sum(axis=1, keepdims=True)
    misses = (1 - accuracy) * weight * (1 + lean * np.sign(steps))
    return np.asarray(misses + np.diag(1 - misses.sum(axis=1)))
