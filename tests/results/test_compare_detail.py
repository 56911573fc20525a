"""Detailed comparisons: domains, corrections, margins; on made-up runs by hand and on the published judgments."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from judges.stats.families import benjamini_hochberg, holm
from leaderboard.cli import main
from leaderboard.cli.compare_detail import detail_tables, order_tables
from results.compare import compare
from results.importers.psychosafe import read_judgments
from results.manifest import Manifest
from results.ranking import order
from results.schema import ratings_table
from results.store import Store
from rubrics.expectations import DOMAINS
from tests.support.made_runs import PUBLISHED_FILE, manifest, put

N = 40
LABELS = Path(__file__).parents[2].parent / "shared/data/psychosafe/val.json"


def two(store: Store) -> tuple[Manifest, Manifest]:
    """Two conditions on items of two domains; the second is better in one domain only, and lacks two values."""
    rng = np.random.default_rng(0)
    made = []
    quality = rng.uniform(0.2, 0.6, N)
    for condition in ("baseline", "prompted"):
        m = manifest("made", condition, n=N)
        items = [i.model_copy(update={"domain": DOMAINS[n % 2]}) for n, i in enumerate(m.items)]
        m = m.model_copy(update={"items": tuple(items)})
        values: list[float | None] = [float(q) for q in quality]
        if condition == "prompted":
            values = [float(q + 0.3 * (n % 2)) for n, q in enumerate(quality)]
            values[0] = values[1] = None
        refusal = [float(n % 2 == 0 or condition == "prompted") for n in range(N)]
        made.append(put(store, m, {"quality": values, "refusal": refusal}))
    return made[0], made[1]


def test_a_detailed_comparison_by_hand(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base, other = two(store)
    plain, found = compare(store, base, other), compare(store, base, other, detailed=True, margin=0.1)
    assert all(r.detail is None for r in plain.rows) and plain.domains == () and plain.correction is None
    by_name = {r.measure: r for r in found.rows}
    quality, refusal = by_name["quality"].detail, by_name["refusal"].detail
    assert quality is not None and refusal is not None
    assert (quality.wins.wins, quality.wins.ties, quality.wins.losses) == (19, 19, 0)
    assert quality.verdict == "better" and quality.margin == pytest.approx(0.1) and quality.relative is None
    assert (refusal.wins.wins, refusal.test, refusal.p_value) == (20, "McNemar, exact", 2 * 0.5**20)
    assert refusal.relative is not None and refusal.relative.value == pytest.approx(1.0)
    rows = {(r.measure, r.domain): r for r in found.domains}
    flat, better = rows["quality", DOMAINS[0]], rows["quality", DOMAINS[1]]
    assert flat.difference.value == 0 and flat.p_value == 1.0
    assert better.difference.value == pytest.approx(0.3) and (better.difference.n, better.difference.total) == (19, 20)
    # One family: all scores and all domains, corrected together.
    raw = [r.detail.p_value for r in found.rows if r.detail and r.detail.p_value is not None]
    raw += [r.p_value for r in found.domains if r.p_value is not None]
    adjusted = [r.detail.adjusted for r in found.rows if r.detail] + [r.adjusted for r in found.domains]
    assert adjusted == pytest.approx(holm(raw))
    by_share = compare(store, base, other, detailed=True, correction="bh")
    told = [r.detail.adjusted for r in by_share.rows if r.detail] + [r.adjusted for r in by_share.domains]
    assert told == pytest.approx(benjamini_hochberg(raw))


def test_the_command_prints_it_and_json_holds_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base, other = two(store)
    arguments = ["compare", other.run_id, "--baseline", base.run_id, "--store", str(tmp_path)]
    brief = CliRunner().invoke(main, arguments)
    assert brief.exit_code == 0 and "By domain" not in brief.output
    full = CliRunner().invoke(main, [*arguments, "--detail"])
    for text in (
        "Wins and tests", "Margins:", "Intervals two ways", "What the choice of score does", "20 / 20 / 0",
        "McNemar, exact", "Tails:", "By domain", "p (Holm)",
    ):  # fmt: skip
        assert text in full.output
    data = json.loads(CliRunner().invoke(main, [*arguments, "--correction", "bh", "--margin", "0.2", "--json"]).output)
    (comparison,) = data["comparisons"]
    assert comparison["correction"] == "bh" and {r["domain"] for r in comparison["domains"]} == set(DOMAINS[:2])
    quality = next(m for m in comparison["measures"] if m["measure"] == "quality")
    assert quality["detail"]["margin"] == pytest.approx(0.2) and set(quality["detail"]["tails"]) == {
        "0.05",
        "0.1",
        "0.9",
        "0.95",
    }
    assert CliRunner().invoke(main, [*arguments, "--margin", "0"]).exit_code == 2


def test_several_runs_are_ranked_with_what_the_weights_do(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base, other = two(store)
    third = put(store, manifest("made", "third", n=N).model_copy(update={"items": base.items}),
                {"quality": [0.1] * N, "refusal": [1.0] * N, "grounding": [1.0] * N})  # fmt: skip
    found = order(store, [base, other, third])
    quality = next(r for r in found.rankings if r.measure == "quality")
    assert [m.run_id for m in quality.runs] == [base.run_id, other.run_id, third.run_id]
    assert [r.rank for r in quality.ranks] == [2, 1, 3] and quality.items == N - 2
    assert [r.tied for r in quality.ranks] == [False, True, False]
    refusal = next(r for r in found.rankings if r.measure == "refusal")
    assert [r.rank for r in refusal.ranks] == [3, 1, 1] and found.weights is None
    printed = CliRunner().invoke(main, ["compare", "--baseline", base.run_id, "--detail", "--store", str(tmp_path)])
    assert printed.exit_code == 0 and "Tied with the first" in printed.output
    data = json.loads(
        CliRunner()
        .invoke(main, ["compare", "--baseline", base.run_id, "--detail", "--json", "--store", str(tmp_path)])
        .output
    )
    assert [r["measure"] for r in data["order"]["rankings"]] == [r.measure for r in found.rankings]


def test_where_one_run_is_better_in_all_every_weighting_keeps_the_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = [
        put(store, manifest("made", condition, n=8), {"refusal": [refusal] * 8, "grounding": [grounding] * 8})
        for condition, refusal, grounding in (("baseline", 0.0, 2.0), ("prompted", 1.0, 4.0))
    ]
    found = order(store, made)
    assert found.criteria == ("refusal", "grounding") and found.weights is not None
    note = order_tables(found)[0].notes[-1]
    assert note == (
        "Of all weightings of refusal, grounding, 100 % keep the order of their equal-weight mean and 100 % its first."
    )
    others = tuple(i.model_copy(update={"id": f"x{n}", "sha256": f"x{n}"}) for n, i in enumerate(made[0].items))
    elsewhere = put(store, manifest("made", "else", n=8).model_copy(update={"items": others}), {"refusal": [1.0] * 8})
    assert order_tables(order(store, [made[0], elsewhere])) == []


def test_what_was_not_worked_out_is_no_number(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base, other = two(store)
    found = compare(store, base, other, detailed=True, noisy=False)
    titles = [t.title for t in detail_tables(found)]
    assert not any("noise" in t.lower() for t in titles)
    rows = []
    for row in found.rows:
        # As for a score over strata.
        over = row.detail and row.measure == "quality"
        rows.append(replace(row, detail=replace(row.detail, two_ways=None)) if over and row.detail else row)
    (table,) = (t for t in detail_tables(replace(found, rows=tuple(rows))) if t.title.startswith("Intervals two ways"))
    (line,) = (r for r in table.rows if r[0] == "Quality")
    assert line[1:] == ("", "over strata: not resampled", "", "none") and len(table.rows) > 1


@pytest.mark.skipif(not PUBLISHED_FILE.exists(), reason="the published data is not beside the checkout")
def test_the_published_headline_with_what_it_lacked(tmp_path: Path) -> None:
    store = Store(tmp_path)
    domains = {r["prompt"]: r["risk cluster"] for r in json.loads(LABELS.read_text())}
    runs = {}
    for m, ratings in read_judgments(PUBLISHED_FILE, domains):
        store.write(m, ratings_table(ratings))
        runs[str(m.source.note)] = m
    found = compare(store, runs["run v0_full"], runs["run v1_full"], detailed=True)
    details = {r.measure: r.detail for r in found.rows}
    for measure, wanted in {
        "paper": 28.08,
        "references": 46.78,
        "grounding": 34.76,
        "relevance": 15.90,
        "refusal": 6.07,
    }.items():
        d = details[measure]
        assert d is not None and d.relative is not None and d.relative.value is not None
        assert round(100 * d.relative.value, 2) == wanted
        assert d.relative.low is not None and d.relative.high is not None
        assert d.relative.low < d.relative.value < d.relative.high and d.verdict == "better"
    ranked = order(store, list(runs.values()))
    assert ranked.weights is not None and ranked.criteria == ("refusal", "grounding", "references", "relevance")
    paper = {
        m.source.note: r for r in ranked.rankings if r.measure == "paper" for m, r in zip(r.runs, r.ranks, strict=True)
    }
    assert paper["run v1_full"].rank == 1 and paper["run v1_full"].best > 0.999
    refusal = details["refusal"]
    assert refusal is not None and (refusal.wins.wins, refusal.wins.losses) == (29, 4)
    assert len(found.domains) == 6 * len({r.domain for r in found.domains}) and sum(
        r.difference.n for r in found.domains if r.measure == "paper"
    ) in (454, 455)
