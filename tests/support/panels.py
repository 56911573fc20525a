"""Runs judged by a panel of several judges, each verdict as given, and the panel's values by the panel's rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from judges.combine import combine_criterion
from results.manifest import JudgeFacts, Manifest, ModelFacts, PanelFacts
from results.schema import PANEL_RATER, Rating, ratings_table
from results.store import Store
from tests.support.made_runs import RUBRIC, manifest

Given = Sequence[float | None]
"""Values of one judge, one a response: items in order, the epochs of each together."""


def panel_run(
    store: Store,
    model: str,
    verdicts: Mapping[str, Mapping[str, Given]],
    families: Mapping[str, str] | None = None,
    family: str | None = None,
    repeats: Mapping[str, Mapping[str, Sequence[Given]]] | None = None,
    epochs: int = 1,
    scores: Mapping[str, Given] | None = None,
    **changes: Any,
) -> Manifest:
    """A run in the store.

    Args:
        store: The store.
        model: Its model.
        verdicts: Values by judge and criterion.
        families: Families of the judges.
        family: Family of the model.
        repeats: Values of further rounds by judge and criterion.
        epochs: Epochs of each item.
        scores: The panel's scores by name, one a response; those that are not given are undefined.
        changes: Other fields of the manifest.
    """
    n = len(next(iter(next(iter(verdicts.values())).values()))) // epochs
    judges = tuple(JudgeFacts(id=j, kind="llm", family=(families or {}).get(j)) for j in verdicts)
    m = manifest(
        model, n=n, epochs=epochs,
        panel=PanelFacts(name="three", sha256="-".join(verdicts), judges=judges), **changes,
    )  # fmt: skip
    # The id is of the model's name; its family is put in afterwards.
    m = m.model_copy(update={"model": ModelFacts(name=model, family=family, generation={})})
    rows: list[Rating] = []

    def add(rater: str, kind: str, criterion: str, given: Given, repeat: int = 0) -> None:
        for at, value in enumerate(given):
            rows.append(
                Rating(run_id=m.run_id, item_id=m.items[at // epochs].id, epoch=1 + at % epochs, turn=0, rater=rater,
                       repeat=repeat, rater_kind=kind, origin="measured", criterion=criterion, value=value,
                       status="ok" if value is not None else "unparsable")
            )  # fmt: skip

    for judge, by_criterion in verdicts.items():
        for criterion, given in by_criterion.items():
            add(judge, "llm", criterion, given)
            for k, again in enumerate((repeats or {}).get(judge, {}).get(criterion, ()), 1):
                add(judge, "llm", criterion, again, k)
    for criterion in next(iter(verdicts.values())):
        each = zip(*(v[criterion] for v in verdicts.values()), strict=True)
        rule = RUBRIC.criterion(criterion)
        values = [combine_criterion(rule, [x for x in row if x is not None], len(verdicts)).value for row in each]
        add(PANEL_RATER, "panel", criterion, values)
    for score in m.rubric.scores:
        if score in (scores or {}):
            add(PANEL_RATER, "panel", score, (scores or {})[score])
            continue
        rows += [
            Rating(run_id=m.run_id, item_id=i.id, epoch=e + 1, turn=0, rater=PANEL_RATER, repeat=0, rater_kind="panel",
                   origin="measured", criterion=score, value=None, status="undefined")
            for i in m.items for e in range(epochs)
        ]  # fmt: skip
    store.write(m, ratings_table(rows))
    return m
