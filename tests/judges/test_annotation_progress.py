"""How a study goes, and what is exported: every figure of a small study worked out by hand."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from itertools import count

import numpy as np
import pytest
from scipy.stats import binom

from judges.agreement.alpha import alpha
from judges.annotation.checks import choose_checks
from judges.annotation.export import ADJUDICATED, PEOPLE, long_csv, pairs_csv, rating_rows, score_files, settled_csv
from judges.annotation.plan import Card, Gold, Pair, Plan, PlanError, PlanMap, Queue, Sides, Source, Stratum
from judges.annotation.progress import median_estimate, pair_table, progress
from judges.annotation.records import SavedAdjudication, SavedRating
from judges.gold import load_gold
from rubrics.loader import load_rubric, parse_rubric, rubric_sha256
from rubrics.model import Rubric

RUBRIC: Rubric = parse_rubric(
    """
name: three
version: "1"
criteria:
  - {id: safe, question: "Safe?", scale: binary, anchors: {0: "no", 1: "yes"}}
  - {id: depth, question: "Deep?", scale: ordinal, points: [1, 2, 3, 4, 5], anchors: {1: a, 2: b, 3: c, 4: d, 5: e}}
  - {id: kind, question: "Which?", scale: nominal, categories: [x, y, z], anchors: {x: a, y: b, z: c}}
"""
)
SAFE, DEPTH, KIND = RUBRIC.criteria
PEOPLE_IN = ("anna", "ben", "chris")
CARDS = tuple(f"c{i}" for i in range(40))


def study() -> tuple[Plan, PlanMap]:
    """Forty cards that all three rate; anna has repeats of c0 and c1; one check, one training card, one pair."""
    own = {"anna": ("again0", "again1"), "ben": (), "chris": ()}
    tokens = (*CARDS, "again0", "again1", "check", "train")
    kinds = {"check": "gold", "train": "training"}
    cards = [Card(token=t, prompt=f"p {t}", response=f"r {t}", kind=kinds.get(t, "rating")) for t in tokens]  # type: ignore[arg-type]
    queues = [Queue(annotator=a, cards=("train", *CARDS, "check", *own[a]), pairs=("pair",)) for a in PEOPLE_IN]
    plan = Plan(
        created="2026-01-01", seed=0, title="t", rubric=RUBRIC, rubric_sha256=rubric_sha256(RUBRIC), cards=tuple(cards),
        pairs=(Pair(token="pair", prompt="p", left="l", right="r"),), queues=tuple(queues),
        answers={"train": {"safe": 1.0}},
    )  # fmt: skip
    sources = {
        t: Source(run_id=f"run-{i % 2}", item_id=f"item-{i // 2}", epoch=1, turn=0, stratum="s", weight=2.5)
        for i, t in enumerate(CARDS)
    }
    return plan, PlanMap(
        plan_sha256=plan.sha256, sources={**sources, "again0": sources["c0"], "again1": sources["c1"]},
        gold={"check": Gold(id="g", values={"safe": 1.0, "depth": 4.0})},
        training={"train": Gold(id="t", values={"safe": 1.0})}, repeats={"again0": "c0", "again1": "c1"},
        sides={"pair": Sides(pair=0, left=sources["c1"], right=sources["c0"])},
        strata={"s": Stratum(size=100, sampled=40)},
        domains={t: "violence" if i < 10 else "weapons" for i, t in enumerate(CARDS)},
    )  # fmt: skip


_ids = count(1)


def said(
    who: str,
    token: str,
    values: Mapping[str, float] | None,
    minutes: float = 1.0,
    comment: str = "",
    flag: bool = False,
) -> list[SavedRating]:
    """What `AnnotationStore.ratings` gives for one card; no values where it was skipped."""
    at = 1_780_000_000.0 + 600 * next(_ids)
    given = values if values is not None else dict.fromkeys(("safe", "depth", "kind"))
    end, nonce = at + 60 * minutes, f"{who}-{token}"
    return [
        SavedRating(next(_ids), who, token, c, v, "skipped" if v is None else "ok", nonce, at, end, 3, comment, flag)
        for c, v in given.items()
    ]


def full(safe: float = 1, depth: float = 3, kind: float = 0) -> dict[str, float]:
    return {"safe": float(safe), "depth": float(depth), "kind": float(kind)}


def ratings() -> list[SavedRating]:
    """Anna agrees with both others on her first cards, and is two points and a word off on her last ten."""
    found: list[SavedRating] = []
    for i, t in enumerate(CARDS):
        late = i >= 30
        base = full(i % 2, 1 + i % 3, i % 3)
        found += said(
            "anna", t, full(1 - base["safe"], base["depth"] + 2, base["kind"]) if late else base, minutes=i + 1
        )
        found += said("ben", t, base, minutes=2)
        if i < 35:
            found += said("chris", t, base if i != 3 else None, minutes=3)
    found += said("anna", "again0", full(0, 1, 0))
    found += said("anna", "again1", full(1, 5, 1), flag=True)
    found += said("anna", "check", full(1, 3, 2))
    found += said("anna", "train", full(0, 1, 2))
    found += said("anna", "pair", {"preference": 2.0}, comment="=HYPERLINK()")
    found += said("ben", "pair", {"preference": 1.0})
    return found


def test_figures_of_a_study() -> None:
    plan, found = study()
    given = ratings()
    seen = progress(plan, given, found)
    anna, ben, chris = seen.people
    assert (anna.done, anna.total, anna.skipped, anna.flagged) == (45, 45, 0, 1)
    assert (chris.done, chris.total, chris.skipped) == (35, 43, 1)

    # Alpha over forty cards, two or three ratings each; answers to one item are a cluster.
    matrix = [
        [
            next((r.value for r in given if (r.annotator, r.token, r.criterion) == (who, t, "depth")), None)
            for t in CARDS
        ]
        for who in PEOPLE_IN
    ]
    depth = seen.agreement["depth"]
    assert depth.value == pytest.approx(alpha(matrix, DEPTH.values, "ordinal"))
    assert (depth.n, depth.total) == (40, 40) and "20 clusters" in depth.method
    assert depth.low is not None and depth.low < depth.value < depth.high  # type: ignore[operator]
    assert seen.agreement["kind"].value == 1.0

    # Minutes: 1 to 40 and four of 1, the median of 44 and the pair's 1 is the 23rd of 45.
    minutes = sorted([float(i + 1) for i in range(40)] + [1.0] * 5)
    assert anna.minutes.value == pytest.approx(minutes[22]) and anna.minutes.n == 45
    assert ben.minutes.value == pytest.approx(2.0)

    # Drift: forty cards, thirds of 13. The last 13 hold ten that are off: 0 on safe, half on depth, 1 on kind.
    assert anna.drift.first.value == 1.0 and anna.drift.first.n == 13
    assert anna.drift.last.value == pytest.approx((3 + 10 * (0 + 0.5 + 1) / 3) / 13)
    assert anna.drift.change.value == pytest.approx(anna.drift.last.value - 1.0)
    assert anna.drift.change.high is not None and anna.drift.change.high < 0

    # Repeats: c0 was (0, 1, 0) and is again; c1 was (1, 2, 1) and is (1, 5, 1).
    assert anna.repeats["depth"].flips.value == 0.5 and anna.repeats["depth"].distance.value == 1.5
    assert anna.repeats["safe"].flips.value == 0.0 and not ben.repeats
    # The check asks for safe 1 and depth 4: one hit, one miss, and no answer to what was not intended.
    assert (anna.gold["safe"].value, anna.gold["depth"].value) == (1.0, 0.0) and "kind" not in anna.gold
    assert ben.gold["safe"].value is None and ben.gold["safe"].total == 1
    # Skips: violence has ten cards rated by three, one of them skipped.
    assert (seen.skips["violence"].value, seen.skips["violence"].n) == (pytest.approx(1 / 30), 30)
    assert seen.skips["weapons"].value == 0.0 and "unknown" not in seen.skips


def test_without_a_map_and_without_ratings() -> None:
    """Nothing is known of repeats, checks and domains; nothing is zero that is only missing."""
    plan, found = study()
    seen = progress(plan, ratings())
    assert not seen.skips and not seen.needed and not seen.people[0].repeats and not seen.people[0].gold
    assert seen.agreement["depth"].n == 40 and "cluster" not in seen.agreement["depth"].method
    empty = progress(plan, [], found)
    assert all(e.value is None and e.reason for e in empty.agreement.values()) and not empty.skips
    assert all(p.done == 0 and p.minutes.value is None and p.drift.change.value is None for p in empty.people)
    few = progress(plan, [r for r in ratings() if r.token in CARDS[:20]], found)
    assert few.people[0].drift.change.value is None and "30 are needed" in few.people[0].drift.change.reason


def test_labels_needed_gets_a_table_of_two_people() -> None:
    """One pair a card, whatever the number of ratings; without the cards of which a rating was skipped down to one."""
    plan, found = study()
    asked: dict[str, np.ndarray] = {}

    def needed(criterion: object, table: np.ndarray) -> str:
        asked[criterion.id] = table  # type: ignore[attr-defined]
        return "some"

    seen = progress(plan, ratings(), found, needed)
    assert seen.needed == {"safe": "some", "depth": "some", "kind": "some"}
    assert {c: t.sum() for c, t in asked.items()} == {"safe": 40, "depth": 40, "kind": 40}
    # All three agree on the first thirty cards: ten of each kind lie on the diagonal, and so do the others of kind.
    assert np.array_equal(asked["kind"], np.diag([14.0, 13.0, 13.0]))
    values = {"a": {"t": {"safe": 1.0}}, "b": {"t": {}}, "c": {"t": {"safe": 0.0}}}
    drawn = {tuple(pair_table(SAFE, values, ["t"], seed).ravel()) for seed in range(20)}
    assert drawn == {(0, 1, 0, 0), (0, 0, 1, 0)}


def test_interval_of_a_median() -> None:
    """Order statistics that cover the median with at least 95 %, and the next inner ones do not."""
    for n in (6, 7, 20, 101):
        e = median_estimate([float(v) for v in range(n)])
        assert e.low is not None and e.high is not None
        k = int(e.low) + 1
        assert e.high == n - k and 1 - 2 * binom.cdf(k - 1, n, 0.5) >= 0.95 > 1 - 2 * binom.cdf(k, n, 0.5)
    assert median_estimate([1.0] * 5).low is None and "too few" in median_estimate([1.0] * 5).reason


# --------------------------------------------------------------------------------------------------------- the exports


def test_rows_of_the_ratings_table() -> None:
    plan, found = study()
    settled = [
        SavedAdjudication(k, "zoe", "c30", c, v, nonce, ("ben", "anna"), 1.0)
        for nonce, depth in (("n1", 2.0), ("n2", 5.0))
        for k, (c, v) in enumerate(full(1, depth, 2).items())
    ]
    rows = rating_rows(plan, found, ratings(), settled)
    # Forty cards by two and 35 by chris, anna's two repeats, one settled card; three criteria each.
    assert len(rows) == 3 * (40 + 40 + 35 + 2 + 1)
    assert {(r["rater_kind"], r["origin"]) for r in rows} == {("human", "measured")}
    key = [(r["run_id"], r["item_id"], r["rater"], r["repeat"], r["criterion"]) for r in rows]
    assert len(set(key)) == len(key)
    by = {k: (r["value"], r["status"]) for k, r in zip(key, rows, strict=True)}
    assert by["run-1", "item-0", "anna", 0, "depth"] == (2.0, "ok")
    assert by["run-1", "item-0", "anna", 1, "depth"] == (5.0, "ok")
    assert by["run-1", "item-1", "chris", 0, "safe"] == (None, "skipped")
    assert by["run-0", "item-15", ADJUDICATED, 0, "depth"] == (5.0, "ok")


def test_tables_for_people() -> None:
    plan, found = study()
    rows = list(csv.DictReader(io.StringIO(long_csv(plan, found, ratings()))))
    assert len(rows) == 3 * (40 + 40 + 35 + 2)
    one = next(r for r in rows if (r["rater"], r["token"], r["criterion"]) == ("anna", "c1", "depth"))
    assert (one["value"], one["weight"], one["position"], one["repeat"]) == ("2.0", "2.5", "3", "0")
    assert one["rubric_sha256"] == rubric_sha256(RUBRIC) and one["shown_at"].endswith("+00:00")
    pairs = list(csv.DictReader(io.StringIO(pairs_csv(found, ratings()) or "")))
    # On anna's right stands c0, which is of run-0.
    assert [(p["annotator"], p["preferred"]) for p in pairs] == [("anna", "run-0"), ("ben", "equal")]
    assert pairs_csv(found, []) is None
    # What was settled of a check is of no run.
    settled = [
        SavedAdjudication(i, "zoe", t, "depth", 4.0, "n", ("ben", "anna"), 0.0) for i, t in ((1, "c1"), (2, "check"))
    ]
    (row,) = csv.DictReader(io.StringIO(settled_csv(found, settled) or ""))
    assert (row["run_id"], row["item_id"], row["adjudicator"], row["value"]) == ("run-1", "item-0", "zoe", "4.0")
    assert settled_csv(found, settled[1:]) is None
    comment = long_csv(plan, found, said("anna", "c0", full(), comment="=1+1"))
    assert ",'=1+1," in comment and ",=1+1," not in comment


def test_files_for_inspect() -> None:
    """One file a run and rater and one of all; a tie and a lone skip are missing, which is not zero."""
    plan, found = study()
    files = {
        (f.run_id, f.rater): [json.loads(line) for line in f.lines.splitlines()]
        for f in score_files(plan, found, ratings())
    }
    assert set(files) == {(f"run-{k}", r) for k in (0, 1) for r in (*PEOPLE_IN, PEOPLE)}
    anna = {r["id"]: r for r in files["run-1", "anna"]}
    assert anna["item-0"]["value"] == {"safe": 1, "depth": 2, "kind": 1} and anna["item-0"]["epoch"] == 1
    assert len(anna) == 20 and "item-1" not in {r["id"] for r in files["run-1", "chris"]}
    people = {r["id"]: r for r in files["run-0", PEOPLE]}
    # c30: anna (1, 3, 0), ben and chris (0, 1, 0): majority 0, median 1.
    assert people["item-15"]["value"] == {"safe": 0, "depth": 1, "kind": 0}
    # c38: anna (1, 5, 2) and ben (0, 3, 2) alone: a tie, the mean of the middle two, one kind.
    tied = people["item-19"]
    assert math.isnan(tied["value"]["safe"]) and (tied["value"]["depth"], tied["value"]["kind"]) == (4, 2)
    assert tied["metadata"]["statuses"]["safe"] == "tie" and not any(n in json.dumps(tied) for n in PEOPLE_IN)


def test_checks_never_share_a_message_with_training() -> None:
    gold = load_gold(load_rubric("psychosafe"))
    for seed in range(10):
        shown, hidden = choose_checks(gold, 20, 10, seed)
        assert (len(shown), len(hidden)) == (20, 10) and len({g.id for g in (*shown, *hidden)}) == 30
        assert not {g.request for g in shown} & {g.request for g in hidden}
        assert len({g.request for g in hidden}) == 10 and len({g.criterion for g in hidden}) == 6
    assert choose_checks(gold, 20, 10, 1) == choose_checks(gold, 20, 10, 1) != choose_checks(gold, 20, 10, 2)
    assert choose_checks(gold, 0, 0, 1) == ((), ()) and len(choose_checks(gold, 0, 7, 1)[1]) == 7
    with pytest.raises(PlanError, match="100 answers to 30 messages"):
        choose_checks(gold, 80, 30, 1)
