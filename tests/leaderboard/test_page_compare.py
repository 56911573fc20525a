"""Compare: figures are those of the library, what is not comparable is refused in words, texts stay behind the gate."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from streamlit.testing.v1 import AppTest

from judges.stats import Estimate
from leaderboard import present
from leaderboard.cli.common import p_value
from leaderboard.comparing import Compared, first_baseline, offered, score_table, sentence, tail_warnings
from leaderboard.comparing_figures import domain_figure, score_figure
from leaderboard.comparing_items import gap_table, gaps, values_table
from leaderboard.naming import run_names
from results.compare import Comparison, compare
from results.manifest import ConditionFacts
from results.measures import measures
from results.schema import ratings_table
from results.store import ENV_STORE, Store
from results.texts import PROMPT, RESPONSE
from tests.leaderboard.domain_stores import N, add_texts, domain_run, some_runs
from tests.leaderboard.page_states import RERUNS
from tests.leaderboard.test_app import markup, texts
from tests.support.made_runs import HOSTILE, import_published, manifest, put, system
from tests.support.panel_store import panel_store
from tests.support.transcripts import dialogue_run, say

Open = Callable[[Path], AppTest]
SCRIPT = "from leaderboard.views import compare\ncompare.page()"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return some_runs(tmp_path_factory.mktemp("compare"))


@pytest.fixture(scope="module")
def two(store: Store) -> Comparison:
    """Prompted against baseline."""
    by_label = {m.label: m for m in store.manifests()}
    a, b = by_label["vendor/model-a · baseline"], by_label["vendor/model-a · prompted"]
    return compare(store, a, b, detailed=True)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Open:
    def opened(root: Path) -> AppTest:
        monkeypatch.setenv(ENV_STORE, str(root))
        at = AppTest.from_string(SCRIPT, default_timeout=60).run()
        assert not at.exception
        return at

    return opened


def spec(at: AppTest, which: int) -> dict[str, Any]:
    return dict(json.loads(at.get("plotly_chart")[which].proto.spec))


def compared(c: Comparison, store: Store, *more: Comparison) -> Compared:
    runs = [c.baseline, *(x.other for x in (c, *more))]
    bounds = {n: m.bounds for n, m in measures(store, c.baseline).items()}
    return Compared(c.baseline, (c, *more), run_names(runs), 0.05, bounds)


def marks(figure: dict[str, Any], panel: str) -> list[tuple[float, float]]:
    """Value and row of every marker of a panel, and of the ends of intervals, from the top down."""
    found = [
        (x, y)
        for t in figure["data"]
        if t["mode"] == "markers" and (t.get("xaxis") or "x") == panel
        for x, y in zip(t["x"], t["y"], strict=True)
    ]
    return sorted(found, key=lambda p: (p[1], p[0]))


def spans(figure: dict[str, Any]) -> list[tuple[float, float]]:
    """Intervals of the differences from the top down."""
    found = []
    for t in figure["data"]:
        if t["name"] == "interval" and t.get("xaxis") == "x2":
            ends = [(x, y) for x, y in zip(t["x"], t["y"], strict=True) if x is not None]
            found += [(ends[i][1], ends[i][0], ends[i + 1][0]) for i in range(0, len(ends), 2)]
    return [(low, high) for _, low, high in sorted(found)]


def test_runs_of_the_same_model_are_offered_first(store: Store) -> None:
    runs = list(store.manifests())
    by_label = {m.label: m for m in runs}
    base = by_label["vendor/model-a · baseline"]
    assert first_baseline([runs], runs) == base
    strange = manifest("vendor/model-a", "baseline", n=3)
    order = offered([*runs, strange], base, [m.run_id for m in runs])
    assert [m.label for m in order[:2]] == ["vendor/model-a · prompted", "vendor/model-a-tuned · baseline"]
    assert [m.model.name for m in order[2:]] == [HOSTILE, "policy/blunt", "vendor/model-a"]
    assert first_baseline([], [strange]) == strange


def test_names_tell_runs_apart(store: Store) -> None:
    runs = list(store.manifests())
    twin = manifest("vendor/model-a", "baseline", twins=True)
    again = manifest("vendor/model-a", "baseline", n=7)
    names = run_names([*runs, twin, again])
    assert len(set(names.values())) == len(runs) + 2
    assert names[twin.run_id] == "vendor/model-a · baseline · contrast"
    assert "vendor/model-a · prompted" in names.values()


def test_sentence_says_verdict_and_margin(two: Comparison, store: Store) -> None:
    names = run_names([two.baseline, two.other])
    row = next(r for r in two.rows if r.measure == "quality")
    assert row.detail is not None
    said = sentence(two, names)
    e = row.difference
    p = p_value(row.detail.adjusted)
    assert said.startswith(
        f"vendor/model-a · prompted against vendor/model-a · baseline: Quality {present.number(e, signed=True)} on 60 "
        f"items, p {p if p.startswith('<') else f'= {p}'} (Holm): better. The other 2 scores: "
    )

    def changed(e: Estimate, verdict: str) -> Comparison:
        detail = replace(row.detail, verdict=verdict, adjusted=0.02)  # type: ignore[type-var, arg-type]
        return replace(two, rows=(replace(row, difference=e, detail=detail),))

    small = sentence(changed(Estimate(0.02, 0.01, 0.03, 50, 60), "better"), names)
    assert small.endswith("+0.02 [+0.01, +0.03] on 50 of 60 items, p = .020 (Holm): better, though by less than the "
                          "margin.")  # fmt: skip
    assert "unresolved: the interval holds 0" in sentence(changed(Estimate(0, -0.1, 0.1, 60, 60), "unresolved"), names)
    assert sentence(replace(two, rows=()), names).endswith("no score has a value in both.")
    # Without what is worked out on request, the difference alone.
    bare = sentence(replace(two, rows=(replace(row, detail=None),)), names)
    assert bare.endswith(f"Quality {present.number(e, signed=True)} on 60 items.")


def test_a_worse_tail_behind_a_better_mean_is_said(two: Comparison, store: Store) -> None:
    found = compared(two, store)
    row = next(r for r in two.rows if r.measure == "quality")
    assert row.detail is not None

    def tails(low: Estimate, high: Estimate, verdict: Literal["better", "worse"] = "better") -> list[str]:
        assert row.detail is not None
        told = {0.05: low, 0.1: Estimate(-0.1, -0.2, 0.0, 60, 60), 0.9: high, 0.95: high}
        told_of = replace(row, detail=replace(row.detail, tails=told, verdict=verdict))
        return tail_warnings(replace(two, rows=(told_of,)), found)

    down, up = Estimate(-0.3, -0.4, -0.1, 60, 60), Estimate(0.3, 0.1, 0.4, 60, 60)
    assert tails(down, up) == ["vendor/model-a · prompted: Quality, 5 % quantile -0.30 [-0.40, -0.10]"]
    assert tails(up, down) == [] and tails(down, up, "worse") == []
    assert tails(Estimate(-0.3, None, None, 20, 20, "", "too few items"), up) == []


def test_items_that_differ_most(two: Comparison, store: Store) -> None:
    left, right = measures(store, two.baseline), measures(store, two.other)
    found = gaps(left["quality"], right["quality"], two.baseline)
    brute = {i: right["quality"].values[i] - v for i, v in left["quality"].values.items()}
    assert {g.item.id: g.difference for g in found} == {i: d for i, d in brute.items() if abs(d) > 1e-6}
    sizes = [abs(g.difference) for g in found]
    assert sizes == sorted(sizes, reverse=True)
    rows = gap_table(found)
    assert rows[0]["Item"] == found[0].item.id and rows[0]["Difference"] == f"{found[0].difference:+.3f}"
    values = {r["Score"]: (r["Baseline"], r["Other"]) for r in values_table(found[0].item.id, left, right)}
    assert values["Quality"] == (f"{found[0].baseline:.3f}", f"{found[0].other:.3f}")


@pytest.mark.parametrize("reruns", RERUNS)
def test_plotted_and_tabled_figures_are_the_library_s_over_reruns(page: Open, store: Store, reruns: int) -> None:
    at = page(store.root)
    assert at.selectbox(key="baseline").value == "vendor/model-a · baseline"
    assert at.multiselect(key="with").value == ["vendor/model-a · prompted"]
    runs = list(store.manifests())
    names = {present.plain(n, 90): r for r, n in run_names(runs).items()}
    by_id = {m.run_id: m for m in runs}
    rng = random.Random(7)
    for _ in range(reruns):
        base = rng.choice(sorted(names))
        others = rng.sample([n for n in sorted(names) if n != base], rng.choice([1, 1, 2]))
        margin, correction = rng.choice([0.05, 0.2]), rng.choice(["holm", "bh"])
        at.selectbox(key="baseline").select(base)
        at.number_input(key="margin").set_value(margin)
        at.selectbox(key="correction").select({"holm": "Holm", "bh": "Benjamini-Hochberg"}[correction])
        at.multiselect(key="with").set_value(others).run()
        assert not at.exception
        done = [
            compare(store, by_id[names[base]], by_id[names[o]], detailed=True, margin=margin,
                    correction=correction)  # type: ignore[arg-type]
            for o in others
        ]  # fmt: skip
        short = run_names([done[0].baseline, *(c.other for c in done)])
        assert at.text[0].value == "\n".join(sentence(c, short) for c in done)
        bounds = {n: m.bounds for n, m in measures(store, done[0].baseline).items()}
        shown = Compared(done[0].baseline, tuple(done), short, margin, bounds)
        rows = [r for m in shown.choices() for c in done for r in c.rows
                if r.measure == m and r.difference.value is not None]  # fmt: skip
        spread = {m: bounds[m][1] - bounds[m][0] for m in bounds}
        figure = spec(at, 0)
        drawn = marks(figure, "x2")
        assert [x for x, _ in drawn] == pytest.approx([r.difference.value / spread[r.measure] for r in rows])  # type: ignore[operator]
        ends = [(r.difference.low / spread[r.measure], r.difference.high / spread[r.measure])  # type: ignore[operator]
                for r in rows if r.difference.low is not None]  # fmt: skip
        assert [x for e in spans(figure) for x in e] == pytest.approx([x for e in ends for x in e])
        means = sorted(
            (e.value - bounds[r.measure][0]) / spread[r.measure] for r in rows for e in (r.baseline, r.other)
             if e.value is not None
        )  # fmt: skip
        assert sorted(x for x, _ in marks(figure, "x")) == pytest.approx(means)
        (band,) = [s for s in figure["layout"]["shapes"] if s.get("name") == "margin"]
        assert (band["x0"], band["x1"], band["xref"]) == (-margin, margin, "x2")
        every = [r for m in shown.choices() for c in done for r in c.rows if r.measure == m]
        frame = at.dataframe[0].value
        assert list(frame["Difference [95 %]"]) == [present.number(r.difference, 3, signed=True) for r in every]
        heading = "p (Holm)" if correction == "holm" else "p (Benjamini-Hochberg)"
        assert list(frame[heading]) == [p_value(r.detail.adjusted) if r.detail else "not tested" for r in every]
        assert list(frame["The other run is"]) == [r.detail.verdict if r.detail else "not tested" for r in every]
        assert list(frame["Items"]) == [f"{r.difference.n} of {r.difference.total}" for r in every]

        measure = shown.choices()[0]
        domains = [d for domain in dict.fromkeys(d.domain for c in done for d in c.domains)
                   for c in done for d in c.domains if (d.domain, d.measure) == (domain, measure)]  # fmt: skip
        assert [x for x, _ in marks(spec(at, 1), "x2")] == pytest.approx([d.difference.value for d in domains])
        told = at.dataframe[1].value
        assert list(told["Difference [95 %]"]) == [present.number(d.difference, 3, signed=True) for d in domains]


def test_states(page: Open, tmp_path: Path) -> None:
    at = page(tmp_path / "nothing")
    assert "no runs in the store" in at.info[0].value

    store = Store(tmp_path / "one")
    first = domain_run(store, "m/a", seed=1)
    at = page(store.root)
    assert "nothing to compare" in at.info[0].value and at.code[0].value == "psychosafe ingest LOG..."

    # Another run of the store, not comparable: refused with what differs.
    other = domain_run(store, "m/b", seed=2, n=20)
    at = page(store.root)
    assert at.text[0].value == "Choose a run to compare with the baseline."
    names = run_names([first, other])
    at.selectbox(key="baseline").select(names[first.run_id])
    at.multiselect(key="with").set_value([names[other.run_id]]).run()
    assert "cannot be compared" in at.warning[0].value
    assert "not comparable: they differ in" in texts(at) and not at.get("plotly_chart")
    at.multiselect(key="with").set_value([names[first.run_id]]).run()
    assert "The baseline itself is left out" in texts(at) and not at.exception

    store = Store(tmp_path / "ties")
    for condition in ("baseline", "prompted"):
        domain_run(store, "m/a", condition, constant=0.5, domains=(None,))
    at = page(store.root)
    assert f"All {N} items with a value in both runs have the same value in both." in texts(at)
    assert "This score has no figures by domain" in texts(at)
    assert len(at.get("plotly_chart")) == 1


def test_items_of_a_score_that_means_something_else_in_one_run_are_not_set_against_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pair scores on twins with other texts: another run has a comparable one, so the score can be chosen."""
    store = Store(tmp_path)
    base, good = (system(store, "m/one", c, seed=k) for k, c in enumerate(("baseline", "prompted")))
    odd = manifest("m/odd", twins=True)
    items = tuple(i.model_copy(update={"sha256": "another text"}) for i in odd.items)
    put(store, odd.model_copy(update={"items": items, "run_id": "odd-twins"}), {"answered_in_full": [1.0] * 12})
    bad = put(store, manifest("m/odd"), {"quality": [1.0] * 12, "refusal": [1.0] * 12})
    names, short = run_names(list(store.manifests())), run_names([base, good, bad])
    monkeypatch.setenv(ENV_STORE, str(tmp_path))
    at = AppTest.from_string(SCRIPT, default_timeout=60)
    at.query_params["baseline"] = names[base.run_id]
    at.query_params["with"] = [names[good.run_id], names[bad.run_id]]
    at.query_params["run"] = short[bad.run_id]
    at.run()
    assert not at.exception and at.selectbox(key="measure").value == "Pair score"
    assert at.selectbox(key="run").value == short[bad.run_id]
    # Once among the notes on the runs, and once in the place of the items.
    assert texts(at).count("pair_score is left out: the runs differ in twins") == 2
    assert not any("items with a value in both runs" in t.value for t in at.text)


def test_messages_that_one_run_never_got_and_texts_that_are_gone(page: Open, tmp_path: Path) -> None:
    store = Store(tmp_path)
    runs = [dialogue_run(store, [(plays, 1)], "m/one") for plays in ("oA",)]
    longer = runs[0].model_copy(update={"run_id": "longer", "condition": ConditionFacts(name="prompted")})
    rows = [r | {"run_id": "longer"} for r in store.own_ratings(runs[0]).to_pylist()]
    for r in rows:
        if (r["criterion"], r["rater"]) == ("harmed", "panel"):
            r["value"] = 0.0
    store.write(longer, ratings_table(rows))
    longer, item = store.manifest("longer"), runs[0].items[0].id
    said = {(item, 1, n, kind, "", ""): ("", f"{kind} {n}") for n in (1, 2, 3) for kind in (PROMPT, RESPONSE)}
    said[item, 1, 3, RESPONSE, "", ""] = "cut", "response 3 stops in the"
    say(store, longer, said)
    at = page(tmp_path)
    at.selectbox(key="measure").select(present.LABELS["harmed"]).run()
    at.button(key="show").click().run()
    assert not at.exception and "Message 3" not in texts(at) and "State: cut" in texts(at)
    assert "response 3 stops in the" in [c.value for c in at.code]
    # A run whose texts are there and not those of this item.
    say(store, longer, {("another", 1, 0, PROMPT, "", ""): ("", "x")})
    at.run()
    assert not at.exception and "'longer' has no texts of item" in texts(at)


def test_a_score_without_domains_is_not_drawn_by_domain(two: Comparison, store: Store) -> None:
    assert domain_figure(compared(replace(two, domains=()), store), "quality") is None


def test_missing_verdicts_have_worst_cases(page: Open, store: Store) -> None:
    by_label = {m.label: m for m in store.manifests()}
    c = compare(
        store, by_label["vendor/model-a · baseline"], by_label["vendor/model-a-tuned · baseline"], detailed=True
    )
    at = page(store.root)
    at.multiselect(key="with").set_value(["vendor/model-a-tuned · baseline"]).run()
    frame = at.dataframe[0].value
    found = {r.label: r.worst_case[1] for r in c.rows if r.worst_case[1] and not r.worst_case[0]}
    assert len(found) == 3
    for label, told in zip(frame["Score"], frame["Worst case"], strict=True):
        if span := found.get(label):
            assert told == f"other {span[0]:.3f} to {span[1]:.3f}"
    assert "Worst case" in score_table(compared(c, store))[0]
    assert f"on {N - 17} of {N} items" in at.text[0].value


def test_texts_stay_closed_until_opened(page: Open, store: Store, tmp_path: Path) -> None:
    at = page(store.root)
    item = at.selectbox(key="item").value
    assert "made-up message" not in str(at.code) and "An answer" not in str([c.value for c in at.code])
    at.button(key="show").click().run()
    shown = [c.value for c in at.code]
    assert shown == [f"a made-up message about a hard day, {item}", f"An answer of the one. {item}",
                     f"{HOSTILE} An answer of the other. {item}"]  # fmt: skip
    for piece in ("![", "<script", "<img"):
        assert piece not in markup(at)
    # A run without texts says so, and the other is still shown.
    at.multiselect(key="with").set_value(["vendor/model-a-tuned · baseline"]).run()
    assert "psychosafe ingest --texts LOG" in texts(at) and len(at.code) == 2
    at.button(key="hide").click().run()
    assert not at.code and not at.exception


def test_hostile_names_and_published_rows(page: Open, tmp_path: Path) -> None:
    store = Store(tmp_path)
    odd = (HOSTILE, "<b>x</b>", "violence")
    a = domain_run(store, HOSTILE, "baseline", 1, domains=odd)
    b = domain_run(store, HOSTILE, "prompted", 2, domains=odd)
    add_texts(store, a, HOSTILE)
    at = page(tmp_path)
    for piece in ("![", "<script", "<img", "127.0.0.1", "<b>"):
        assert piece not in markup(at)
    done = compared(compare(store, a, b, detailed=True), store)
    for drawn in (score_figure(done), domain_figure(done, "quality", dark=True)):
        assert drawn is not None and not any(p in str(drawn.figure.to_json()) for p in ("<script", "<img", "<b>x"))
    before = len(at.dataframe)
    at.toggle(key="more").set_value(True).run()
    assert not at.exception and len(at.dataframe) >= before + 6
    assert {"Wins and tests", "Margins", "Tails"} <= {h.value for h in at.subheader}
    for piece in ("![", "<script", "<img", "127.0.0.1", "<b>"):
        assert piece not in markup(at)
    import_published(store)
    at = page(tmp_path)
    assert not at.exception


def test_texts_are_those_of_the_chosen_epoch(page: Open, tmp_path: Path) -> None:
    store, _ = panel_store(tmp_path, n=6, epochs=2)
    runs = [m for m in store.manifests() if m.task == "risky"]
    for m in runs:
        said: dict[tuple[Any, ...], tuple[str, str]] = {}
        for item in m.items:
            for epoch in (1, 2):
                said[item.id, epoch, 0, PROMPT, "", ""] = "", f"made-up prompt {item.id}"
                said[item.id, epoch, 0, RESPONSE, "", ""] = "complete", f"{m.model.name} said this at {epoch}"
        say(store, m, said)
    at = page(store.root)
    at.button(key="show").click().run()
    assert not at.exception
    for epoch in ("1", "2"):
        at.selectbox(key="epoch").select(epoch).run()
        shown = [c.value for c in at.code]
        assert all(f"{m.model.name} said this at {epoch}" in shown for m in runs)
        assert sum("said this at" in s for s in shown) == 2
