"""Stores in every state that a page has to bear: from nothing to a thousand runs, and where figures are undefined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from results.manifest import Manifest
from results.store import Store
from rubrics.expectations import DOMAINS
from tests.support.made_runs import RUBRIC, manifest, put
from tests.support.many_runs import many_runs
from tests.support.panels import Given, panel_run
from tests.support.transcripts import dialogue_run

RERUNS: Final = [15, pytest.param(50, marks=pytest.mark.slow)]
"""Random choices in one session of a page whose figures are held against the library's."""
JUDGES: Final = ("ann", "ben")
N: Final = 12


def verdicts(seed: int, n: int = N) -> dict[str, dict[str, list[float | None]]]:
    """Values of both judges on every criterion, some of them apart."""
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, list[float | None]]] = {j: {} for j in JUDGES}
    for c in RUBRIC.criteria:
        points = [float(p) for p in c.points] if c.scale == "ordinal" else [0.0, 1.0]
        first = rng.choice(points, n)
        for j in JUDGES:
            found[j][c.id] = np.where(rng.random(n) < 0.3, rng.choice(points, n), first).tolist()
    return found


def a_run(
    store: Store, model: str, given: Mapping[str, Mapping[str, Given]], quality: list[float | None],
    condition: str = "baseline", twins: list[float | None] | None = None,
) -> Manifest:  # fmt: skip
    """A run of two judges with domains and quality, and where given its run on twins."""
    n = len(quality)
    items = tuple(
        i.model_copy(update={"domain": DOMAINS[k % len(DOMAINS)]}) for k, i in enumerate(manifest(model, n=n).items)
    )
    m = panel_run(store, model, given, condition=condition, items=items,
                  scores={"quality": quality})  # fmt: skip
    if twins is not None:
        put(store, manifest(model, condition, twins=True, n=n, panel=m.panel).model_copy(update={"model": m.model}),
            {"answered_in_full": twins})  # fmt: skip
    return m


def _empty(place: Path) -> None:
    del place


def _one(place: Path) -> None:
    rng = np.random.default_rng(1)
    a_run(Store(place), "m/only", verdicts(1), rng.random(N).round(2).tolist(), twins=[1.0, 0.0] * (N // 2))


def _missing_judge(place: Path) -> None:
    """One judge gave nothing on one criterion, on another nothing on most items, and the first of two runs has gaps."""
    store, rng = Store(place), np.random.default_rng(2)
    for k, condition in enumerate(("baseline", "prompted")):
        given = verdicts(20 + k)
        given["ben"]["grounding"] = [None] * N
        given["ben"]["relevance"] = [*given["ben"]["relevance"][:1], *([None] * (N - 1))]
        quality: list[float | None] = [*rng.random(N).round(2).tolist()]
        a_run(store, "m/a", given, [None, *quality[1:]] if k else quality, condition, [1.0] * N)


def _ties(place: Path) -> None:
    """Runs whose figures are all equal, though their items differ."""
    store, given = Store(place), verdicts(3)
    for model, condition in (("m/a", "baseline"), ("m/a", "prompted"), ("m/b", "baseline")):
        a_run(store, model, given, [0.2, 0.8] * (N // 2), condition, [1.0] * N)


def _constant(place: Path) -> None:
    """Every value of every judge, run and item the same, and no run on twins."""
    store = Store(place)
    given = {j: {c.id: [1.0] * N for c in RUBRIC.criteria} for j in JUDGES}
    for model, condition in (("m/a", "baseline"), ("m/a", "prompted"), ("m/b", "baseline")):
        a_run(store, model, given, [0.5] * N, condition)


def _single(place: Path) -> None:
    """Two runs on one item."""
    store = Store(place)
    for k, condition in enumerate(("baseline", "prompted")):
        a_run(store, "m/a", verdicts(5 + k, 1), [0.5 + 0.1 * k], condition, [1.0])


def _unjudged(place: Path) -> None:
    """Two runs in which every verdict failed."""
    store = Store(place)
    given = {j: {c.id: [None] * N for c in RUBRIC.criteria} for j in JUDGES}
    for condition in ("baseline", "prompted"):
        a_run(store, "m/a", given, [None] * N, condition)


def _thousand(place: Path) -> None:
    many_runs(place, 1_000)


MAKERS: Final[Mapping[str, Callable[[Path], None]]] = {
    "empty": _empty, "one": _one, "missing": _missing_judge, "ties": _ties, "constant": _constant, "single": _single,
    "unjudged": _unjudged, "thousand": _thousand,
}  # fmt: skip
"""What makes a store, by the name of its state."""

_PLAYS: Final[Mapping[str, Mapping[str, list[tuple[str, int | None]]]]] = {
    "one": {"m/only": [("ooAA", 3), ("onH", 2), ("Aod", 2)]},
    "missing": {"m/a": [("o?A", 2), ("o??", 2), ("???", 1)], "m/b": [("ooA", 2), ("o?A", 2), ("e?e", 2)]},
    "ties": {"m/a": [("oAA", 2), ("onA", 2)], "m/b": [("oAA", 2), ("onA", 2)]},
    "constant": {"m/a": [("oA", 2), ("oA", 2)], "m/b": [("oA", 2), ("oA", 2)]},
    "single": {"m/a": [("oA", 2)]},
    "unjudged": {"m/a": [("oo", None), ("??", None)]},
}


def dialogues(place: Path, state: str) -> None:
    """Runs of dialogues in that state; none where it has no meaning of its own for them."""
    for model, plays in _PLAYS.get(state, {}).items():
        dialogue_run(Store(place), plays, model)
