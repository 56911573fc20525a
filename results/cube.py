"""The ratings of many runs as arrays, for figures over all of them at once.

Runs that have the same items, rubric and panel make a cube: verdicts as one byte each (run x response x rater x
criterion), in half units of the scale, for the median of an even panel lies halfway; scores, which lie anywhere from 0
to 1, as single precision (run x response x score). A million verdicts are a megabyte. It is made from the ratings
files and kept as a derived file; a run that is new or has changed is read, and the others are taken over.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from results.derived import content_of, kept
from results.manifest import Manifest
from results.schema import PANEL_RATER, RATINGS
from results.store import Store, StoreError

MISSING: Final = -128
"""A verdict that should be there and is not."""
UNDEFINED: Final = -127
"""A verdict or score that has no meaning on its item; it belongs to no denominator."""
_UNDEFINED_SCORE: Final = np.inf
_VERSION: Final = 1
_NOT_DUE: Final = ("undefined", "not_estimable")

Values = npt.NDArray[np.float64]


class NoCube(StoreError):
    """Runs that do not fit into one cube."""


@dataclass(frozen=True)
class Cube:
    """Ratings of some runs.

    Attributes:
        runs: Their ids.
        items: Ids of the items, sorted.
        epochs: Number of epochs; the responses are the items' epochs, item by item.
        raters: The judges, and last the panel.
        criteria: The rubric's criteria.
        scores: Names of the scores.
        verdicts: (runs, responses, raters, criteria), in half units; `MISSING`, `UNDEFINED`.
        scored: (runs, responses, scores) of the panel; NaN missing, infinite undefined.
    """

    runs: tuple[str, ...]
    items: tuple[str, ...]
    epochs: int
    raters: tuple[str, ...]
    criteria: tuple[str, ...]
    scores: tuple[str, ...]
    verdicts: npt.NDArray[np.int8]
    scored: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        """Cubes are shared between sessions of a board: nobody writes to their arrays."""
        self.verdicts.setflags(write=False)
        self.scored.setflags(write=False)

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """What the panel gives a value of: criteria, then scores."""
        return (*self.criteria, *self.scores)

    def of(self, measure: str, rater: str = PANEL_RATER, best: float | None = None) -> Values:
        """One measure of all runs on all items, (runs, items): the mean over epochs; NaN where there is none.

        Args:
            measure: A criterion or a score.
            rater: Who gave it; of scores the panel alone.
            best: Of a nominal criterion, the category whose share is wanted in place of a mean of codes.

        Raises:
            KeyError: No such measure or rater.
        """
        values = self._responses(measure, rater)
        known = np.isfinite(values)
        values = np.where(known, values, 0.0)
        if best is not None:
            values = (values == best) & known
        by_item = (len(self.runs), len(self.items), self.epochs)
        count = known.reshape(by_item).sum(axis=2)
        total = values.reshape(by_item).sum(axis=2, dtype=np.float64)
        return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))

    def due(self, measure: str) -> npt.NDArray[np.bool_]:
        """Where one measure of the panel has a meaning, (runs, items)."""
        values = self._responses(measure, PANEL_RATER)
        return np.asarray(~np.isinf(values).reshape(len(self.runs), len(self.items), self.epochs).all(axis=2))

    def _responses(self, measure: str, rater: str) -> Values:
        """(runs, responses); NaN missing, infinite undefined."""
        if measure in self.scores:
            return self.scored[:, :, self.scores.index(measure)].astype(float)
        if measure not in self.criteria or rater not in self.raters:
            raise KeyError(measure if measure not in self.criteria else rater)
        raw = self.verdicts[:, :, self.raters.index(rater), self.criteria.index(measure)]
        values = raw.astype(float) / 2
        values[raw == MISSING] = np.nan
        values[raw == UNDEFINED] = np.inf
        return values


@dataclass(frozen=True)
class _Axes:
    """What all runs of a cube have in common."""

    items: tuple[str, ...]
    epochs: int
    raters: tuple[str, ...]
    criteria: tuple[str, ...]
    scores: tuple[str, ...]

    @classmethod
    def of(cls, run: Manifest) -> _Axes:
        return cls(
            tuple(sorted(i.id for i in run.items)),
            run.epochs,
            (*(j.id for j in run.panel.judges), PANEL_RATER),
            run.rubric.criteria,
            run.rubric.scores,
        )


def cube_key(run: Manifest) -> tuple[Any, ...]:
    """What runs of one cube share: items with their texts, rubric, panel, epochs, and how scores came about."""
    judges = tuple(j.id for j in run.panel.judges)
    return (run.comparability("cube")[0], run.rubric.criteria, run.rubric.scores, judges)


def cube(store: Store, runs: Sequence[Manifest], keep: bool = True) -> Cube:
    """The ratings of some runs that share a `cube_key`.

    Args:
        store: The store.
        runs: The runs, at least one.
        keep: Whether it is looked for among the derived files, and kept there.

    Raises:
        NoCube: Runs that do not share a key, or a value that is on no scale.
        StoreError: Ratings that cannot be read.
    """
    if not runs or len({cube_key(m) for m in runs}) > 1:
        raise NoCube("runs with other items, another rubric or another panel do not fit into one cube")
    axes = _Axes.of(runs[0])
    content = [_VERSION, content_of(store, runs)]
    raw = (
        kept(store, "cube", cube_key(runs[0]), content, ".npz", lambda earlier: _made(store, runs, axes, earlier))
        if keep
        else _made(store, runs, axes, None)
    )
    with np.load(io.BytesIO(raw), allow_pickle=False) as found:
        return Cube(
            tuple(m.run_id for m in runs), axes.items, axes.epochs, axes.raters, axes.criteria, axes.scores,
            found["verdicts"], found["scored"],
        )  # fmt: skip


def _made(store: Store, runs: Sequence[Manifest], axes: _Axes, earlier: bytes | None) -> bytes:
    responses = len(axes.items) * axes.epochs
    verdicts = np.full((len(runs), responses, len(axes.raters), len(axes.criteria)), MISSING, np.int8)
    scored = np.full((len(runs), responses, len(axes.scores)), np.nan, np.float32)
    old = _earlier(earlier, verdicts.shape[1:], scored.shape[1:])
    content = content_of(store, runs)
    for at, (run, says) in enumerate(zip(runs, content, strict=True)):
        found = old.get(says)
        if found is not None:
            verdicts[at], scored[at] = found
        else:
            _fill(store.own_ratings(run), axes, verdicts[at], scored[at])
    out = io.BytesIO()
    index = np.frombuffer(json.dumps([_VERSION, content]).encode(), np.uint8)
    np.savez(out, verdicts=verdicts, scored=scored, index=index)
    return out.getvalue()


def _earlier(
    told: bytes | None, shape: tuple[int, ...], scores: tuple[int, ...]
) -> Mapping[tuple[str, str], tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]]:
    """What an earlier cube holds of each run and content; nothing if it cannot be used."""
    if told is None:
        return {}
    try:
        with np.load(io.BytesIO(told), allow_pickle=False) as found:
            version, content = json.loads(found["index"].tobytes())
            verdicts, scored = found["verdicts"], found["scored"]
    except (ValueError, KeyError):
        # Of another version of this program.
        return {}
    if version != _VERSION or verdicts.shape[1:] != shape or scored.shape[1:] != scores:
        return {}
    return {(run, says): (verdicts[i], scored[i]) for i, (run, says) in enumerate(content)}


def _fill(table: pa.Table, axes: _Axes, verdicts: npt.NDArray[np.int8], scored: npt.NDArray[np.float32]) -> None:
    """Put one run's ratings into its part of the arrays."""
    first = np.asarray(pc.and_(pc.equal(table["turn"], 0), pc.equal(table["repeat"], 0)))
    column = {name: table.column(name).combine_chunks() for name in RATINGS.names}
    item, rater = _places(column["item_id"], axes.items), _places(column["rater"], axes.raters)
    criterion = _places(column["criterion"], (*axes.criteria, *axes.scores))
    epoch = np.asarray(column["epoch"]).astype(np.int64) - 1
    value = np.asarray(pc.fill_null(column["value"], np.nan)).astype(np.float64)
    undefined = np.isin(_places(column["status"], _NOT_DUE), (0, 1)) & np.isnan(value)
    response = item * axes.epochs + epoch
    fits = first & (item >= 0) & (rater >= 0) & (criterion >= 0) & (epoch >= 0) & (epoch < axes.epochs)
    is_score = criterion >= len(axes.criteria)
    wanted = fits & ~is_score
    half = np.where(np.isnan(value), MISSING, np.round(value * 2))
    given = wanted & ~np.isnan(value)
    if (np.abs(half[given]) > 120).any() or (half[given] != value[given] * 2).any():
        raise NoCube("a value of a criterion that is no point of a scale, nor halfway between two")
    half[undefined] = UNDEFINED
    verdicts[response[wanted], rater[wanted], criterion[wanted]] = half[wanted].astype(np.int8)
    wanted = fits & is_score & (rater == len(axes.raters) - 1)
    number = np.where(undefined, _UNDEFINED_SCORE, value)
    scored[response[wanted], criterion[wanted] - len(axes.criteria)] = number[wanted]


def _places(column: pa.DictionaryArray, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Where each row's text stands among some names; -1 if it does not."""
    place = {name: i for i, name in enumerate(names)}
    of_code = np.array([*(place.get(n, -1) for n in column.dictionary.to_pylist()), -1], np.int64)
    return np.asarray(of_code[np.asarray(pc.fill_null(column.indices, -1))])
