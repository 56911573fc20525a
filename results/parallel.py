"""Public against private: the same system on a published prompt set and on a parallel form that nobody could train on.

A set says in its header of which public set it is the parallel form (`"parallel_of": "open"`). A system that scores
higher on the public form than on the private one may have seen it; the difference stands beside every such system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from judges.stats import Estimate, combination
from results.manifest import Manifest
from results.measure import PAIR_SCORE, SELECTIVITY
from results.measures import measures
from results.store import Store

SHOWN: Final = (PAIR_SCORE, SELECTIVITY, "quality", "answered_in_full", "acknowledged_at_once", "harmed")
"""The measures that are set against each other, where both forms have them."""


@dataclass(frozen=True)
class ParallelRow:
    """One measure of one system on both forms.

    Attributes:
        run: The run on the public form.
        private: The run on the private form.
        label: The measure, as people read it.
        public_value: Estimate on the public form.
        private_value: Estimate on the private form.
        difference: Public minus private; the items differ, so the two are independent.
    """

    run: Manifest
    private: Manifest
    label: str
    public_value: Estimate
    private_value: Estimate
    difference: Estimate


def parallel_rows(store: Store, run: Manifest) -> list[ParallelRow]:
    """A run's measures against those of the same system and panel on the private form of its set.

    The newest private run counts. Empty where there is no such run.
    """
    fits = [
        m
        for m in store.manifests()
        if m.prompt_set.parallel_of
        and m.prompt_set.parallel_of == run.prompt_set.name
        and m.system_id == run.system_id
        and m.panel.sha256 == run.panel.sha256
        and m.rubric.sha256 == run.rubric.sha256
        and m.scoring == run.scoring
        and m.epochs == run.epochs
    ]
    if not fits:
        return []
    private = max(fits, key=lambda m: (m.created or "", m.run_id))
    ours, theirs = measures(store, run), measures(store, private)
    rows = []
    for name in SHOWN:
        if name in ours and name in theirs:
            a, b = ours[name].estimate(), theirs[name].estimate()
            rows.append(ParallelRow(run, private, ours[name].label, a, b, combination([a, b], [1.0, -1.0])))
    return rows
