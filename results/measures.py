"""The measures of a run: criteria, scores, and what its system's runs on risky prompts and twins give together."""

from __future__ import annotations

from results.cross_measures import balanced_measure, pair_measures, support_on_twins
from results.manifest import Manifest, ScaleFacts
from results.measure import Measure, kind_of
from results.schema import PANEL_RATER
from results.store import Store


def measures(store: Store, run: Manifest) -> dict[str, Measure]:
    """Every measure of a run: criteria, scores, and the pair score if its system has a run on the twins."""
    values = store.values(run.run_id, PANEL_RATER)
    found: dict[str, Measure] = {}
    for name in (*run.rubric.criteria, *run.rubric.scores):
        scale = run.rubric.scales.get(name)
        per_item = values.get(name, {})
        defined = store.defined_items(run.run_id, name, PANEL_RATER)
        if not defined and not per_item:
            continue
        kind = kind_of(run, name)
        if scale is not None and kind.best is not None:
            per_item = _share_of_best(store, run, name, scale)
        key, parts = run.comparability(name)
        found[name] = Measure(
            name=name,
            label=kind.label,
            bounds=kind.bounds,
            values=per_item,
            total=len(defined),
            due=frozenset(defined),
            key=key,
            parts=parts,
            binary=kind.binary,
            higher_is_better=kind.higher_is_better,
        )
    found |= balanced_measure(run, found) | support_on_twins(store, run)
    return {**pair_measures(store, run), **found}


def _share_of_best(store: Store, run: Manifest, name: str, scale: ScaleFacts) -> dict[str, float]:
    """Per item, the share of its epochs in which a nominal criterion has its best (else its first) category."""
    best = scale.best_value or 0.0
    per_epoch = store.values(run.run_id, PANEL_RATER, epochs_apart=True).get(name, {})
    shares: dict[str, list[float]] = {}
    for item_epoch, value in per_epoch.items():
        shares.setdefault(item_epoch.rsplit("#", 1)[0], []).append(float(value == best))
    return {item: sum(v) / len(v) for item, v in shares.items()}
