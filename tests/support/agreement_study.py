"""An agreement report over made-up ratings under two conditions: some figures are undefined, and names are hostile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from results.added import add_ratings
from results.agreement import agreement_report
from results.agreement_records import AgreementReport
from results.manifest import JudgeFacts, PanelFacts, SourceFacts
from results.schema import PANEL_RATER, Rating, ratings_table
from results.store import Store
from tests.support.made_runs import HOSTILE, manifest

N = 24
JUDGE = HOSTILE + "$x^2$"


def study_report(folder: Path) -> AgreementReport:
    """A baseline, and a prompted run where everybody says Yes to refusal and no person has rated grounding.

    Two people, two judges (one of a hostile name, one that is bad), and their panel.
    """
    store, rng, runs = Store(folder), np.random.default_rng(7), []
    seats = PanelFacts(name="p", sha256="p", judges=tuple(JudgeFacts(id=j, kind="llm") for j in (JUDGE, "bad")))
    for condition in ("baseline", "prompted"):
        m = manifest(HOSTILE, condition, n=N, panel=seats)
        truth = {"refusal": rng.integers(0, 2, N), "grounding": rng.integers(1, 6, N)}
        if condition == "prompted":
            truth["refusal"] = np.ones(N, dtype=int)

        def rows(rater: str, kind: str, noise: float, m: Any = m, truth: Any = truth) -> list[Rating]:
            made = []
            for c, values in truth.items():
                points = (0, 1) if c == "refusal" else (1, 2, 3, 4, 5)
                certain = c == "refusal" and m.condition.name == "prompted"
                for item, v in zip(m.items, values, strict=True):
                    given = int(rng.choice(points)) if rng.random() < noise and not certain else int(v)
                    made.append(
                        Rating(
                            run_id=m.run_id, item_id=item.id, epoch=1, turn=0, rater=rater, repeat=0, rater_kind=kind,
                            origin="imported" if kind == "human" else "measured", criterion=c, value=float(given),
                            status="ok",
                        )
                    )  # fmt: skip
            return made

        judged = [*rows(JUDGE, "llm", 0.2), *rows("bad", "llm", 0.9), *rows(PANEL_RATER, "panel", 0.3)]
        store.write(m, ratings_table(judged))
        people = [*rows("Ada", "human", 0.05), *rows("<b>Ben", "human", 0.0)]
        kept = [r for r in people if condition == "baseline" or r["criterion"] == "refusal"]
        add_ratings(store, m.run_id, ratings_table(kept), SourceFacts(file="people.csv", sha256="1"))
        runs.append(m)
    return agreement_report(store, runs, ["refusal", "grounding"])
