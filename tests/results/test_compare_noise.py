"""Clusters, noise, choice of score, and bad input of detailed comparisons, where people read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from judges.stats import Estimate
from judges.stats.cluster import cluster_difference
from leaderboard.cli import main
from results.clusters import NoClusters, clusters
from results.compare import compare
from results.manifest import ItemFacts, JudgeFacts, Manifest, PanelFacts
from results.schema import PANEL_RATER, ratings_table
from results.sensitivity import choices, order_choices
from results.store import Store
from rubrics.expectations import DOMAINS
from tests.support.made_runs import manifest, put

N = 40
Values = Mapping[str, Sequence[float | None]]


def asked(store: Path, base: Manifest, *options: str) -> tuple[str, dict[str, Any]]:
    """The command's text, and its JSON."""
    arguments = ["compare", "--baseline", base.run_id, "--detail", "--store", str(store), *options]
    text, data = (CliRunner().invoke(main, [*arguments, *more]) for more in ([], ["--json"]))
    assert text.exit_code == 0, text.output
    return text.output, json.loads(data.output)


def quality(data: dict[str, Any]) -> dict[str, Any]:
    return dict(next(r for r in data["comparisons"][0]["measures"] if r["measure"] == "quality"))


# --- clusters --------------------------------------------------------------------------------------------------------


def test_what_shares_a_source() -> None:
    one, two, many = (manifest("made", n=4) for _ in range(3))
    assert clusters(one).name == "items" and clusters(one, "item").of == {}
    shared = [i.model_copy(update={"twin": f"t{n // 2}"}) for n, i in enumerate(two.items)]
    shared.append(ItemFacts(id="t0", answer="answer"))
    found = clusters(two.model_copy(update={"items": tuple(shared)}))
    assert found.name == "sources" and found.each(["r00", "r01", "r02", "t0", "other"]) == [
        "twin t0", "twin t0", "twin t1", "twin t0", "item other",
    ]  # fmt: skip
    ids = ("001-slang", "001-base", "002-base")
    styles = many.model_copy(update={"items": tuple(ItemFacts(id=i) for i in ids), "task": "sorry_bench"})
    assert clusters(styles).name == "questions" and len(set(clusters(styles).each(list(ids)))) == 2
    with pytest.raises(NoClusters, match="no domain"):
        clusters(styles, "domain")


def test_a_comparison_by_clusters(tmp_path: Path) -> None:
    store, rng = Store(tmp_path), np.random.default_rng(0)
    facts = [{"twin": f"t{n // 2}", "domain": DOMAINS[n % 5]} for n in range(N)]
    items = tuple(i.model_copy(update=f) for i, f in zip(manifest("m", n=N).items, facts, strict=True))
    values = [[float(v) for v in rng.uniform(0, 1, N)] for _ in range(2)]
    base, other = (
        put(store, manifest("made", c, n=N).model_copy(update={"items": items}), {"quality": v})
        for c, v in zip(("baseline", "prompted"), values, strict=True)
    )
    text, data = asked(tmp_path, base)
    ways = quality(data)["detail"]["two_ways"]
    d = [b - a for a, b in zip(*values, strict=True)]
    want = cluster_difference(d, [n // 2 for n in range(N)])
    assert (ways["units"], ways["count"]) == ("sources", 20) and "20 sources" in text
    assert (ways["analytic"]["low"], ways["analytic"]["high"]) == pytest.approx((want.low, want.high), abs=1e-6)
    assert ways["bootstrap"]["low"] < want.value < ways["bootstrap"]["high"]
    few, told = asked(tmp_path, base, "--cluster", "domain")
    ways = quality(told)["detail"]["two_ways"]
    assert ways["count"] == 5 and ways["bootstrap"]["low"] is None and "5 clusters are few" in few
    alone = quality(asked(tmp_path, base, "--cluster", "item")[1])
    assert alone["detail"]["two_ways"]["analytic"] == alone["difference"] and other.run_id != base.run_id


# --- epochs and judges -----------------------------------------------------------------------------------------------


def test_epochs_and_judges_of_a_run(tmp_path: Path) -> None:
    store, rng = Store(tmp_path), np.random.default_rng(1)
    panel = PanelFacts(name="p", sha256="p", judges=tuple(JudgeFacts(id=f"judge-{j}", kind="llm") for j in range(3)))
    made = []
    lean = rng.normal(0, 0.4, 3)
    for condition in ("baseline", "prompted"):
        m = manifest("made", condition, n=N, panel=panel, epochs=2)
        rows = []
        for item, place in zip(m.items, rng.normal(3, 0.5, N), strict=True):
            for epoch in (1, 2):
                seen = [float(np.clip(np.round(place + rng.normal(0, 0.7) + (condition == "prompted") * (1 + b)), 1, 5))
                        for b in lean]  # fmt: skip
                for who, value in [*((j.id, v) for j, v in zip(panel.judges, seen, strict=True)),
                                   (PANEL_RATER, float(np.median(seen)))]:  # fmt: skip
                    rows.append(
                        dict(run_id=m.run_id, item_id=item.id, epoch=epoch, turn=0, rater=who, repeat=0,
                             rater_kind="panel" if who == PANEL_RATER else "llm", origin="measured",
                             criterion="grounding", value=value, status="ok")
                    )  # fmt: skip
        store.write(m, ratings_table(rows))
        made.append((m, rows))
    base, other = made[0][0], made[1][0]
    row = next(r for r in compare(store, base, other, detailed=True).rows if r.measure == "grounding")
    found = row.detail.noise if row.detail else None
    assert found is not None and set(found.epochs.shares) == {"items", "epochs within items"}
    assert set(found.judges.shares) == {"items", "judges", "judges within items"}

    def matrix(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
        values: dict[tuple[str, str], list[float]] = {}
        for r in rows:
            values.setdefault((r["item_id"], r["rater"]), []).append(r["value"])
        return np.array([[np.mean(values[i.id, j.id]) for j in panel.judges] for i in base.items])

    d = matrix(made[1][1]) - matrix(made[0][1])
    assert found.any_judges.value == pytest.approx(d.mean()) and "3 judges are too few" in found.any_judges.reason
    assert found.any_judges.low is not None and row.difference.low is not None
    assert found.any_judges.low < row.difference.low, "other judges could have said other things"
    text, data = asked(tmp_path, base)
    assert "What the noise is made of" in text and "these judges only" in text
    noise = next(m for m in data["comparisons"][0]["measures"] if m["measure"] == "grounding")["detail"]["noise"]
    assert sum(noise["judges"]["shares"].values()) == pytest.approx(1)


# --- choice of score -------------------------------------------------------------------------------------------------


def test_the_choice_of_score_by_hand() -> None:
    def e(low: float, high: float) -> Estimate:
        return Estimate((low + high) / 2, low, high, 9, 9, "t")

    found = {
        c.measure: c
        for c in choices(
            [
                ("refusal", "Refusal", e(-0.2, -0.1), True),
                ("over_refusal", "Over-refusal", e(-0.2, -0.1), False),
                ("relevance", "Relevance", e(-0.3, 0.1), True),
                ("quality", "Quality", e(0.1, 0.2), True),
                ("bare", "Bare", Estimate(0.1, None, None, 1, 1, "", "one item has no interval"), True),
                ("none", "None", Estimate.undefined("nothing"), True),
                ("flat", "Flat", e(-0.1, 0.1), True),
            ]
        )
    }
    assert next(iter(found)) == "quality" and "none" not in found
    assert {n: (c.finding, c.change, c.turned) for n, c in found.items()} == {
        "quality": ("better", "headline", False),
        "refusal": ("worse", "opposite", True),
        "over_refusal": ("better", "same", False),
        "relevance": ("no difference shown", "another finding", True),
        "bare": ("undefined", "undefined", False),
        "flat": ("alike", "another finding", False),
    }
    assert choices([("quality", "Quality", e(0.1, 0.2), True)]) == ()
    orders = order_choices(
        {
            "paper": ("Paper", {"a": 1, "b": 2, "c": 3, "d": 4}),
            "quality": ("Quality", {"a": 1, "b": 2, "c": 3, "d": 4}),
            "refusal": ("Refusal", {"a": 2, "b": 1, "c": 3, "d": 4}),
            "flat": ("Flat", {"a": 1, "b": 1, "c": 1}),
            "elsewhere": ("Measured elsewhere", {"a": 2, "x": 1}),
        }
    )
    by_name = {c.measure: c for c in orders}
    assert "elsewhere" not in by_name, "one run in common has no order"
    assert orders[0].measure == "quality" and orders[0].headline
    assert (by_name["paper"].tau, by_name["paper"].first, by_name["paper"].reversed) == (1.0, True, 0)
    # Six pairs, one turned round: (5 - 1) / 6.
    assert by_name["refusal"].tau == pytest.approx(4 / 6) and (
        by_name["refusal"].reversed,
        by_name["refusal"].pairs,
    ) == (1, 6)
    assert not by_name["refusal"].first and by_name["flat"].tau is None and by_name["flat"].runs == 3
    assert order_choices({"paper": ("Paper", {"a": 1})}) == ()


def test_every_ranking_says_what_the_choice_of_score_does(tmp_path: Path) -> None:
    store, flat = Store(tmp_path), [1.0] * N
    runs = [
        put(store, manifest("made", c, n=N), {"quality": [q] * N, "refusal": flat, "paper": [1 - q] * N})
        for c, q in (("baseline", 0.2), ("second", 0.4), ("third", 0.6))
    ]
    text, data = asked(tmp_path, runs[0])
    assert "What the choice of score does to the order" in text and "all level" in text
    taus = {c["measure"]: c["tau"] for c in data["order"]["choices"]}
    assert (taus["quality"], taus["paper"], taus["refusal"]) == (1.0, -1.0, None)


# --- bad input -------------------------------------------------------------------------------------------------------


def half(values: Sequence[float], first: bool) -> list[float | None]:
    return [v if (n < N // 2) == first else None for n, v in enumerate(values)]


RAMP = [n / N for n in range(N)]
ODD: list[float | None] = [0.5 if n % 5 == 0 else None for n in range(N)]
CASES: dict[str, tuple[Values, Values, dict[str, str], list[str]]] = {
    "no overlap": (
        {"quality": half(RAMP, True)}, {"quality": half(RAMP, False)}, {"quality": ""},
        ["undefined (no item has a value in both runs)"],
    ),
    "one item": (
        {"quality": [0.5, *[None] * (N - 1)]}, {"quality": [0.7, *[None] * (N - 1)]}, {"quality": ""},
        ["+0.200 (no interval: one item has no interval)"],
    ),
    "all missing": (
        {"quality": [None] * N, "refusal": [1.0] * N}, {"quality": RAMP, "refusal": [1.0] * N},
        {"quality": "", "refusal": "paired score (Tango)"}, ["undefined (no item", "+0.000 [-0.088, +0.088]"],
    ),
    "the same constant": (
        {"quality": [0.5] * N, "grounding": [3.0] * N}, {"quality": [0.5] * N, "grounding": [3.0] * N},
        {"quality": "exact, all differences equal", "grounding": "exact, all differences equal"},
        ["exact, all differences equal", "40 clusters are equal"],
    ),
    "a constant difference": (
        {"quality": RAMP}, {"quality": [v + 0.02 for v in RAMP]}, {"quality": "exact, all differences equal"},
        ["exact, all differences equal", "+0.020 ["],
    ),
    "no pairs in a domain": ({"quality": ODD}, {"quality": [1.0] * N}, {"quality": "exact, all differences equal"}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_input_says_what_it_is(tmp_path: Path, case: str) -> None:
    left, right, methods, words = CASES[case]
    store = Store(tmp_path)
    items = tuple(i.model_copy(update={"domain": DOMAINS[n % 5]}) for n, i in enumerate(manifest("m", n=N).items))
    base, _ = (
        put(store, manifest("made", c, n=N).model_copy(update={"items": items}), values)
        for c, values in (("baseline", left), ("prompted", right))
    )
    text, data = asked(tmp_path, base)
    folded = " ".join(text.split())
    for word in words:
        assert word in folded or all(part in text.split() for part in word.split()), word
    comparison = data["comparisons"][0]
    rows = {r["measure"]: r for r in comparison["measures"]}
    assert {name: rows[name]["difference"]["method"] for name in methods} == methods
    no_width(data)
    if case == "no pairs in a domain":
        assert {r["domain"] for r in comparison["domains"]} == {DOMAINS[0]}, "the other domains have no pair"
    if case == "a constant difference":
        d = rows["quality"]["difference"]
        share = 1 - 0.025 ** (1 / N)
        assert (d["low"], d["high"]) == pytest.approx((0.02 - 1.02 * share, 0.02 + 0.98 * share), abs=1e-6)


def no_width(data: Any) -> None:
    """No interval of a mean is a point; of a quantile it can be, on a coarse scale."""
    if isinstance(data, dict):
        if {"value", "low", "high"} <= data.keys():
            assert data["value"] is not None or data["reason"]
            assert data["low"] is not None or data["reason"] or data["value"] is None
            assert data["low"] is None or data["high"] > data["low"]
        for key, part in data.items():
            if key != "tails":
                no_width(part)
    elif isinstance(data, list):
        for part in data:
            no_width(part)


def test_an_epoch_that_is_missing(tmp_path: Path) -> None:
    """Of two epochs one has no values in one run: the item keeps its other epoch, its noise has a reason."""
    store, made = Store(tmp_path), []
    for condition in ("baseline", "prompted"):
        m = manifest("made", condition, n=N, epochs=2)
        value: Callable[[int, int], float | None] = lambda n, e, c=condition: (  # noqa: E731
            None if c == "prompted" and e == 2 else RAMP[n] * (0.5 if c == "baseline" else 1) + 0.01 * e
        )
        store.write(
            m,
            ratings_table(
                dict(run_id=m.run_id, item_id=item.id, epoch=e, turn=0, rater=PANEL_RATER, repeat=0, rater_kind="panel",
                     origin="measured", criterion="quality", value=value(n, e),
                     status="ok" if value(n, e) is not None else "missing")
                for n, item in enumerate(m.items) for e in (1, 2)
            ),
        )  # fmt: skip
        made.append(m)
    text, data = asked(tmp_path, made[0])
    row = quality(data)
    assert (row["difference"]["n"], row["difference"]["total"]) == (N, N)
    assert "one epoch" in row["detail"]["noise"]["epochs"]["reason"] and "one epoch" in text
