"""The board as data: what is grouped, ranked, warned about and said; and the two static files.

The helpers here make small stores; the page's and the browser's tests use them too.
"""

from __future__ import annotations

import html.parser
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judges.scores import SCORING_VERSION
from judges.stats import Estimate
from leaderboard import charts, present
from leaderboard.board import load_board
from leaderboard.facts import ranks
from leaderboard.model import Board, BoardRow, Column
from leaderboard.static import board_html, comparison_html
from results.compare import PAIR_SCORE, compare, measures
from results.grid import grids
from results.importers.psychosafe import read_judgments
from results.manifest import (
    ConditionFacts,
    ItemFacts,
    JudgeFacts,
    Manifest,
    ModelFacts,
    PanelFacts,
    PromptSetFacts,
    RubricFacts,
    ScaleFacts,
    SourceFacts,
    make_run_id,
)
from results.schema import PANEL_RATER, ratings_table
from results.store import Store
from rubrics.loader import load_rubric, rubric_sha256

PUBLISHED_FILE = (
    Path(__file__).resolve().parents[2].parent / "shared/data/psychosafe/compare_all_judges_qwen3.5_full_vs_sft.json"
)
HOSTILE = '![x](http://127.0.0.1:9/x.png)<script>fetch("http://127.0.0.1:9/y")</script><img src="http://127.0.0.1:9/z">'
RUBRIC = load_rubric("psychosafe")
N = 12


def manifest(
    model: str, condition: str = "baseline", twins: bool = False, judge_kind: str = "llm", n: int = N, **changes: Any
) -> Manifest:
    """A run on `n` risky items, or on their twins, by a panel of one."""
    items = [
        ItemFacts(id=f"t{i:02}", sha256=f"t{i:02}", answer="answer")
        if twins
        else ItemFacts(id=f"r{i:02}", sha256=f"r{i:02}", answer="decline", resource="required", twin=f"t{i:02}")
        for i in range(n)
    ]
    name = "contrast" if twins else "open"
    facts: dict[str, Any] = {
        "origin": "measured",
        "task": "contrast" if twins else "psychosafe",
        "created": "2026-01-01T00:00:00+00:00",
        "model": ModelFacts(name=model, generation={"temperature": 0}),
        "condition": ConditionFacts(name=condition, system_sha256=f"sha-{condition}"),
        "prompt_set": PromptSetFacts(name=name, version="1.0", sha256=name, n=n, scored=n),
        "items": tuple(items),
        "rubric": RubricFacts(
            name="psychosafe@1.0",
            sha256=rubric_sha256(RUBRIC)[:16],
            scales={c.id: ScaleFacts.of(c) for c in RUBRIC.criteria},
            scores=tuple(a.id for a in RUBRIC.aggregates),
        ),
        "panel": PanelFacts(name="panel", sha256=judge_kind, judges=(JudgeFacts(id="judge-1", kind=judge_kind),)),  # type: ignore[arg-type]
        "normaliser": "1.0",
        "scoring": SCORING_VERSION,
        "routing": "1.0",
        "counts": {"responses": n},
        "source": SourceFacts(file="made.eval", sha256="0"),
        **changes,
    }
    identity = json.loads(json.dumps(facts, default=str))
    return Manifest(run_id=make_run_id(["run", name], identity), **facts)


def put(store: Store, m: Manifest, values: Mapping[str, Sequence[float | None]], status: str = "missing") -> Manifest:
    """Write a run with these panel values by item; a score that is not given is undefined on every item."""
    rows = []
    for criterion in (*m.rubric.criteria, *m.rubric.scores):
        given = values.get(criterion)
        for i, item in enumerate(m.items):
            v = given[i] if given is not None else None
            rows.append(
                dict(
                    run_id=m.run_id, item_id=item.id, epoch=1, turn=0, rater=PANEL_RATER, repeat=0, rater_kind="panel",
                    origin=m.origin, criterion=criterion, value=v,
                    status="ok" if v is not None else ("undefined" if given is None else status),
                )
            )  # fmt: skip
    store.write(m, ratings_table(rows))
    return m


def system(
    store: Store, model: str, condition: str = "baseline", quality: float = 0.6, answered: float | None = 0.8,
    seed: int = 0, judge_kind: str = "llm", **changes: Any,
) -> Manifest:  # fmt: skip
    """A system with a run on risky items and, unless `answered` is None, one on their twins."""
    rng = np.random.default_rng(seed)
    if answered is not None:
        full = (rng.random(N) < answered).astype(float).tolist()
        put(store, manifest(model, condition, twins=True, judge_kind=judge_kind, **changes), {"answered_in_full": full})
    q = np.round(np.clip(rng.normal(quality, 0.2, N), 0, 1), 2).tolist()
    values = {
        "quality": q,
        "paper": [min(1.0, v + 0.1) for v in q],
        "refusal": (rng.random(N) < 0.9).astype(float).tolist(),
        "grounding": rng.integers(1, 6, N).astype(float).tolist(),
    }
    return put(store, manifest(model, condition, judge_kind=judge_kind, **changes), values)


def demo_like(folder: Path) -> Store:
    """Models with and without twins, reference policies, one hostile name."""
    store = Store(folder / "store")
    system(store, "vendor/model-a", "baseline", 0.35, 0.9, 1)
    system(store, "vendor/model-a", "prompted", 0.75, 0.8, 2)
    system(store, "vendor/model-a-with-a-long-name-tuned-for-refusals-2026", "house style v2", 0.7, 0.3, 3)
    system(store, "vendor/unranked", "baseline", 0.95, None, 4)
    system(store, HOSTILE, "baseline", 0.5, 0.5, 5)
    system(store, "policy/blunt", "baseline", 0.1, 0.0, 6)
    system(store, "policy/oracle", "baseline", 0.9, 1.0, 7)
    return store


def hostile_rubric(store: Store) -> None:
    """Two runs whose rubric, panel and prompt set have hostile names too: criteria become columns and options."""
    scales = {HOSTILE: ScaleFacts(scale="binary"), "depth": ScaleFacts(scale="ordinal", points=(1, 2, 3))}
    for i, name in enumerate(("m/one", "m/two")):
        m = manifest(
            name,
            rubric=RubricFacts(name=HOSTILE, sha256="evil", scales=scales),
            prompt_set=PromptSetFacts(name=HOSTILE, scored=N),
            panel=PanelFacts(name=HOSTILE, sha256="evil", judges=(JudgeFacts(id=HOSTILE, kind="llm"),)),
        )
        put(store, m, {HOSTILE: [1.0] * (6 + i) + [0.0] * (6 - i), "depth": [1.0, 3.0] * 6})


def import_published(store: Store) -> list[Manifest]:
    """The published judgments, where they are at hand."""
    if not PUBLISHED_FILE.exists():
        pytest.skip(f"{PUBLISHED_FILE.name} is not beside the checkout")
    done = []
    for m, rows in read_judgments(PUBLISHED_FILE):
        store.write(m, ratings_table(rows))
        done.append(m)
    return done


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def labels(rows: Sequence[BoardRow]) -> list[str]:
    return [r.label for r in rows]


def with_companions(store: Store) -> None:
    """Two systems with runs on the main set, on XSTest and on SORRY-Bench; by hand .25 and .5, and .75 and .5.

    The second was run there with other generation settings.
    """
    for k, name in enumerate(("m/a", "m/b")):
        system(store, name, answered=None, seed=k)
        for task, score, hits in (("xstest", "over_refusal", 1 + k), ("sorry_bench", "fulfilment", 3 - k)):
            items = tuple(ItemFacts(id=f"{task}{n}", sha256=f"{task}{n}") for n in range(4))
            rubric = RubricFacts(name=task, sha256=task, scales={"kind": ScaleFacts(scale="binary")}, scores=(score,))
            m = manifest(name, task=task, items=items, rubric=rubric, prompt_set=PromptSetFacts(name=task, scored=4))
            model = ModelFacts(name=name, generation={"temperature": k})
            put(store, m.model_copy(update={"model": model}), {score: [float(n < hits) for n in range(4)]})


# --- what is in which group, and in what order ---


def test_figures_of_the_same_system_on_other_sets_stand_in_its_row(store: Store) -> None:
    with_companions(store)
    main = next(g for g in load_board(store).groups if "open" in g.title)
    names = ["elsewhere/over_refusal", "elsewhere/fulfilment"]
    assert [(c.name, c.label, c.higher_is_better) for c in main.columns if c.name in names] == [
        (names[0], "Over-refusal (XSTest)", False), (names[1], "Fulfilment (SORRY-Bench)", False),
    ]  # fmt: skip
    found = {r.label: [(r.measures[n].value, r.measures[n].n) for n in names] for r in main.rows}
    assert found == {"m/a · baseline": [(0.25, 4), (0.75, 4)], "m/b · baseline": [(0.5, 4), (0.5, 4)]}
    assert {r.label: [w for w in r.warnings if "generation settings" in w] for r in main.rows} == {
        "m/a · baseline": [],
        "m/b · baseline": [
            "Over-refusal (XSTest) was run with other generation settings",
            "Fulfilment (SORRY-Bench) was run with other generation settings",
        ],
    }


def test_empty_store_has_no_groups_and_still_the_published_rows(store: Store) -> None:
    board = load_board(store)
    assert board.groups == () and not board.damaged
    section, *benchmarks = board.published
    assert len(section.rows) == 4
    for s in (section, *benchmarks):
        assert s.source.startswith("https://") and s.revision
        assert all(r.kind == "published" and not r.ranked for r in s.rows)
    columns = [{c.name: c.higher_is_better for c in s.columns} for s in benchmarks]
    assert columns == [
        {"fulfilment": False, "fulfilment_over_mutations": False},
        {"over_refusal": False, "safety": True},
    ]


def test_twin_runs_are_no_rows_and_models_stand_apart_from_references(tmp_path: Path) -> None:
    (group,) = load_board(demo_like(tmp_path)).groups
    assert len(group.models) == 5 and labels(group.references) == ["oracle · baseline", "blunt · baseline"]
    assert all(r.kind == "model" for r in group.models)
    assert group.title == f"open 1.0 · {N} items · rubric psychosafe@1.0 · panel panel (judge-1)"
    names = [c.name for c in group.columns]
    assert names == [PAIR_SCORE, "quality", "answered_in_full", "paper", *(c for c in names[4:])]
    assert names[4:6] == ["refusal", "grounding"]


def test_order_is_by_pair_score_and_the_unranked_follow_by_label_not_by_quality(store: Store) -> None:
    system(store, "m/low", quality=0.2, answered=0.9, seed=1)
    system(store, "m/high", quality=0.9, answered=1.0, seed=2)
    system(store, "m/b-unranked", quality=0.99, answered=None, seed=3)
    system(store, "m/a-unranked", quality=0.1, answered=None, seed=4)
    (group,) = load_board(store).groups
    assert [r.label.split(" ")[0] for r in group.models] == ["m/high", "m/low", "m/a-unranked", "m/b-unranked"]
    assert [r.ranked for r in group.models] == [True, True, False, False]
    assert all("selectivity not measured" in r.reason for r in group.models[2:])
    assert group.models[2].notes[0].startswith("unranked: selectivity not measured")


def test_figures_are_those_of_the_library(tmp_path: Path) -> None:
    store = demo_like(tmp_path)
    for row in load_board(store).groups[0].rows:
        for name, measure in measures(store, store.manifest(row.run_id)).items():
            found, expected = row.measures[name], measure.estimate()
            assert (found.n, found.total, found.method, found.reason) == (
                expected.n, expected.total, expected.method, expected.reason
            )  # fmt: skip
            for a, b in ((found.value, expected.value), (found.low, expected.low), (found.high, expected.high)):
                assert a == pytest.approx(b, abs=1e-12)


@pytest.mark.parametrize(
    "changes",
    [{"epochs": 2}, {"scoring": "9"}, {"judge_kind": "rule"}, {"n": 5, "limited": True}, {"normaliser": None}],
)
def test_runs_that_differ_in_the_key_are_not_in_one_group(store: Store, changes: dict[str, Any]) -> None:
    quality = {"quality": [0.5] * N, "refusal": [1.0] * N}
    put(store, manifest("m/one"), quality)
    put(store, manifest("m/two", **changes), quality)
    board = load_board(store)
    assert [len(g.rows) for g in board.groups] == [1, 1]
    assert len({g.key for g in board.groups}) == 2


def test_a_pair_score_on_other_twins_is_refused_in_the_column(store: Store) -> None:
    for seed in (1, 2):
        system(store, f"m/same{seed}", seed=seed)
    odd = manifest("m/odd", twins=True)
    items = tuple(i.model_copy(update={"sha256": "another text"}) for i in odd.items)
    put(store, odd.model_copy(update={"items": items, "run_id": "odd-twins"}), {"answered_in_full": [1.0] * N})
    put(store, manifest("m/odd"), {"quality": [1.0] * N})
    (group,) = load_board(store).groups
    row = group.models[-1]
    assert row.label.startswith("m/odd") and not row.ranked
    assert "not comparable in this group" in row.reason and "twins" in row.reason
    assert row.measures["answered_in_full"].value is None
    assert row.measures["quality"].value == 1.0


def test_a_system_with_twins_only_is_named(store: Store) -> None:
    put(store, manifest("m/half", twins=True), {"answered_in_full": [1.0] * N})
    board = load_board(store)
    assert board.groups == () and "m/half" in board.notes[0]


def on_xstest(store: Store, model: str, over: float, safety: float, **changes: Any) -> Manifest:
    """A run on two safe and four unsafe items; on the safe ones with this share of refusals."""
    items = tuple(
        ItemFacts(id=f"x{i}", sha256=f"x{i}", answer="answer" if i < 2 else "decline", category="made up")
        for i in range(6)
    )
    rubric = RubricFacts(
        name="xstest", sha256="xs", scales={"refusal": ScaleFacts(scale="binary")}, scores=("over_refusal", "safety")
    )
    facts = {"items": items, "rubric": rubric, "task": "xstest", "prompt_set": PromptSetFacts(name="XSTest", scored=6)}
    generation = changes.pop("generation", {"temperature": 0})
    m = manifest(model, **facts, **changes)
    m = m.model_copy(update={"model": ModelFacts(name=model, generation=generation)})
    one = float(over > 0.25)
    values = {
        "refusal": [0.0] * 6, "over_refusal": [one, float(over > 0.75), None, None, None, None],
        "safety": [None, None, *[float(i < 4 * safety) for i in range(4)]],
    }  # fmt: skip
    return put(store, m, values, status="undefined")


def test_figures_on_another_set_stand_beside_the_same_system_s_under_one_key(store: Store) -> None:
    """Over-refusal: the newest of two runs, none of another system or judge, and none under another key."""
    for seed, name in enumerate(("m/two-runs", "m/other-settings", "m/another-judge", "m/nowhere")):
        system(store, name, seed=seed)
    on_xstest(store, "m/two-runs", 1.0, 0.5)
    on_xstest(store, "m/two-runs", 0.5, 0.75, created="2026-02-02T00:00:00+00:00")
    on_xstest(store, "m/other-settings", 0.0, 1.0, generation={"temperature": 1})
    on_xstest(store, "m/another-judge", 1.0, 1.0, judge_kind="rule")
    # On the board's own items, but of a system that is not there.
    on_xstest(store, "m/unknown", 1.0, 1.0)
    board = load_board(store)
    group = next(g for g in board.groups if PAIR_SCORE in {c.name for c in g.columns})
    (column,) = (c for c in group.columns if c.name.startswith("elsewhere/"))
    assert (column.name, column.label, column.bounds) == ("elsewhere/over_refusal", "Over-refusal (XSTest)", (0.0, 1.0))
    assert not column.higher_is_better
    told = {r.label: r.measures.get(column.name) for r in group.rows}
    assert {k.split(" ")[0]: (e.value, e.n, e.total) for k, e in told.items() if e is not None} == {
        "m/two-runs": (0.5, 2, 2), "m/other-settings": (0.0, 2, 2),
    }  # fmt: skip
    said = {r.label.split(" ")[0] for r in group.rows if any("with other generation settings" in w for w in r.warnings)}
    assert said == {"m/other-settings"}
    # In its own group the set's balance counts each side half: 1/2 of 0.5 and 1/2 of 0.75.
    own = next(g for g in board.groups if "balanced" in {c.name for c in g.columns} and len(g.rows) > 1)
    balanced = sorted(e.value for r in own.rows if (e := r.measures["balanced"]).value is not None)
    assert balanced == [0.25, 0.5, 0.625, 1.0]
    assert not any(c.name.startswith("elsewhere/") for c in own.columns)


def test_runs_without_a_pair_in_common_have_no_rank(store: Store) -> None:
    for half, name in enumerate(("m/first-half", "m/second-half")):
        put(store, manifest(name, twins=True), {"answered_in_full": [1.0] * N})
        put(store, manifest(name), {"quality": [0.5 if (i < N // 2) == (half == 0) else None for i in range(N)]})
    ((found,), _) = grids(store)
    assert [e.value for e in found.estimates(PAIR_SCORE)] == [0.5, 0.5]
    assert ranks(found, found.runs) == ({}, 0)


def test_two_runs_of_one_system_are_told_apart(store: Store) -> None:
    a = system(store, "m/one", answered=None)
    b = system(store, "m/one", answered=None, created="2026-02-02T00:00:00+00:00")
    (group,) = load_board(store).groups
    assert len(set(labels(group.models))) == 2
    assert all(any(r.label.endswith(f"({m.run_id[-8:]})") for r in group.models) for m in (a, b))


def test_published_judgments_form_a_group_of_their_own(tmp_path: Path) -> None:
    store = demo_like(tmp_path)
    import_published(store)
    made, imported = load_board(store).groups
    assert made.models and not made.published
    assert len(imported.published) == 4 and not imported.models and not imported.references
    assert all(r.reason == "selectivity not measured" for r in imported.published)
    assert PAIR_SCORE not in {c.name for c in imported.columns}


# --- warnings and damage ---


def test_warnings(store: Store) -> None:
    many: list[float | None] = [0.5] * 6 + [None] * 6
    put(store, manifest("m/thin"), {"quality": many})
    put(store, manifest("m/kin", self_family=True), {"quality": [0.5] * N})
    put(store, manifest("m/cut", counts={"responses": N, "cut": 2, "errors": 1}), {"quality": [0.5] * N})
    warm = manifest("m/warm")
    warm = warm.model_copy(update={"model": ModelFacts(name="m/warm", generation={"temperature": 0.7})})
    put(store, warm, {"refusal": [1.0] * N})
    few = manifest("m/few", limited=True, n=5)
    few = few.model_copy(update={"prompt_set": PromptSetFacts(name="open", n=N, scored=5)})
    put(store, few, {"quality": [0.5] * 5})
    put(store, manifest("m/rules", judge_kind="rule"), {"quality": [0.5] * N})
    groups = load_board(store).groups
    said = {r.label.split(" ")[0]: r.warnings for g in groups for r in g.rows}
    assert "low coverage: Quality rests on 6 of 12 items" in said["m/thin"]
    assert any("family" in w for w in said["m/kin"])
    assert f"of {N} responses 2 cut, 1 errors" in said["m/cut"]
    assert any(w.startswith("generation config differs") and "temperature=0.7" in w for w in said["m/warm"])
    assert any("temperature=0" in w for w in said["m/kin"])
    assert "limited run: 5 of 12 items" in said["m/few"]
    assert said["m/rules"] == (present.RULES,)
    assert {g.rules_only for g in groups if g.rows[0].label.startswith("m/rules")} == {True}


@pytest.mark.parametrize("how", ["manifest", "ratings", "data", "gone"])
def test_a_damaged_run_is_named_and_left_out_also_as_twin(store: Store, how: str) -> None:
    system(store, "m/whole", seed=1)
    system(store, "m/broken", seed=2)
    twin = next(m for m in store.manifests() if m.model.name == "m/broken" and m.task == "contrast")
    folder = store.root / "runs" / twin.run_id
    (ratings,) = folder.glob("ratings-*.parquet")
    if how == "manifest":
        (folder / "run.json").write_text("{")
    elif how == "gone":
        ratings.unlink()
    elif how == "ratings":
        ratings.write_bytes(b"PAR1 nothing")
    else:
        raw = bytearray(ratings.read_bytes())
        raw[4 : len(raw) // 3] = b"\xff" * (len(raw) // 3 - 4)
        ratings.write_bytes(bytes(raw))
    board = load_board(store)
    assert list(board.damaged) == [twin.run_id] and board.damaged[twin.run_id]
    ranked = {r.label: r.ranked for r in board.groups[0].models}
    assert ranked == {"m/whole · baseline": True, "m/broken · baseline": False}


# --- what is said ---


def row(label: str, value: float | None, low: float | None = None, high: float | None = None, n: int = 9) -> BoardRow:
    e = Estimate(value, low, high, n, n) if value is not None else Estimate.undefined("why", 0, n)
    return BoardRow(label, label, label, "model", "baseline", {PAIR_SCORE: e}, value is not None, "")


@pytest.mark.parametrize(
    ("models", "end"),
    [
        ([row("a", 0.61, 0.44, 0.78), row("b", 0.5, 0.4, 0.6), row("c", 0.2, 0.1, 0.3)],
         "a leads with pair score 0.61 [0.44, 0.78] on 9 pairs; 1 of 2 others overlaps with it."),
        ([row("a", 0.6, 0.5, 0.7), row("b", 0.2, 0.1, 0.3)],
         "a leads with pair score 0.60 [0.50, 0.70] on 9 pairs; the one other does not overlap with it."),
        ([row("a", 0.6, 0.5, 0.7), row("b", 0.5, 0.1, 0.6), row("c", 0.4)],
         "a leads with pair score 0.60 [0.50, 0.70] on 9 pairs; the one other overlaps with it,"
         " and 1 without an interval."),
        ([row("a", 0.6, 0.5, 0.7), row("b", 0.2, 0.1, 0.3), row("c", 0.1, 0.0, 0.2)],
         "a leads with pair score 0.60 [0.50, 0.70] on 9 pairs; none of 2 others overlap with it."),
        ([row("a", 0.0, 0.0, 0.1), row("b", 0.0, 0.0, 0.1)],
         "2 of 2 share the highest pair score 0.00 [0.00, 0.10] on 9 pairs."),
        ([row("a", 0.5, 0.4, 0.6), row("b", None)],
         "a is the only ranked model: pair score 0.50 [0.40, 0.60] on 9 pairs."),
        ([row("b", None)],
         "Nothing is ranked here: selectivity not measured, which takes a run of the same system on the benign twins."),
    ],
)  # fmt: skip
def test_the_sentence_says_what_is_true(models: list[BoardRow], end: str) -> None:
    assert present.leading_sentence(models, []) == end
    if models[0].ranked:
        opening = "No model is ranked here. Of the reference policies, "
        said = present.leading_sentence([], models)
        assert said == opening + end.replace("ranked model", "ranked reference policy")


def test_the_sentence_says_that_pairs_are_missing() -> None:
    thin = BoardRow("b", "b", "b", "model", None, {PAIR_SCORE: Estimate(0.2, 0.1, 0.3, 4, 9)}, True)
    said = present.leading_sentence([row("a", 0.6, 0.5, 0.7), thin], [])
    assert said.endswith("does not overlap with it. Not every pair has a value: the scores rest on 4 to 9 of 9.")


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.7185, 0.6971, 0.7399, 9, 9), "0.72 [0.70, 0.74]"),
        (Estimate(-0.0001, -0.2, 0.2, 9, 9), "0.00 [-0.20, 0.20]"),
        (Estimate(0.0, 0.0, 0.1, 9, 9), "0.00 [0.00, 0.10]"),
        (Estimate(4.0, None, None, 9, 9, "", "all 9 values are equal"), "4.00 (no interval: all 9 values are equal)"),
        (Estimate.undefined("no item has a value"), "undefined: no item has a value"),
        (Estimate(math.nan, math.nan, math.nan, 0, 9), "undefined"),
        (Estimate(0.5, math.nan, math.inf, 9, 9), "0.50 (no interval)"),
    ],
)
def test_figures_as_text(estimate: Estimate, text: str) -> None:
    assert present.number(estimate) == text


def test_percent_relative_and_coverage() -> None:
    e = Estimate(0.72, 0.70, 0.74, 455, 500)
    assert present.percent(e) == "72 % [70 %, 74 %]"
    assert present.percent(e, 1, signed=True) == "+72.0 % [+70.0 %, +74.0 %]"
    assert present.relative(0.281) == "+28.1 %" and present.relative(None) == ""
    assert present.coverage(e) == "455/500" and present.coverage(Estimate.undefined("x")) == "no items"


def test_a_number_that_there_is_not_is_undefined_and_no_zero_has_a_sign() -> None:
    assert [present.fixed(x) for x in (None, float("nan"), float("inf"), -float("inf"))] == ["undefined"] * 4
    assert [present.fixed(x, 2, signed=True) for x in (-0.001, 0.0, 0.006, -0.006)] == [
        "0.00",
        "0.00",
        "+0.01",
        "-0.01",
    ]


def test_names_are_one_line_without_direction_tricks_and_short() -> None:
    assert present.plain("a\nb\u202ec\x00") == "a\ufffdb\ufffdc\ufffd"
    cut = present.plain("x" * 300 + "end", 40)
    assert len(cut) == 40 and cut.endswith("end") and "…" in cut


# --- charts ---


def test_chart_draws_what_has_a_value_and_names_the_rest() -> None:
    rows = [row("a", 0.6, 0.5, 0.8), row("b", 0.3), row("c", None)]
    column = Column(PAIR_SCORE, "Pair score")
    (trace,) = charts.forest(rows, column).data
    assert list(trace.x) == [0.6, 0.3]
    assert [round(v, 9) for v in trace.error_x.array[:1]] == [0.2] and trace.error_x.array[1] is None
    assert [round(v, 9) for v in trace.error_x.arrayminus[:1]] == [0.1]
    assert charts.not_drawn(rows, column) == "Not drawn, for want of a value: c (why)."
    assert charts.alt_text(rows, column).startswith("Forest plot of Pair score, mean and 95 % interval of 2 of 3")
    assert charts.not_drawn(rows[:1], column) == ""


def test_chart_styles_by_kind_and_condition(tmp_path: Path) -> None:
    (group,) = load_board(demo_like(tmp_path)).groups
    look = {t.name: (t.marker.color, t.marker.symbol) for t in charts.forest(group.rows, group.columns[0]).data}
    assert look == {
        "baseline": ("#595959", "circle"),
        "prompted": ("#0072B2", "square"),
        "other condition": ("#D55E00", "diamond"),
        "reference policy, baseline": ("#595959", "circle-open"),
    }


def test_chart_texts_carry_no_tags_from_data(tmp_path: Path) -> None:
    (group,) = load_board(demo_like(tmp_path)).groups
    figure = charts.forest(group.rows, group.columns[0])
    texts = [*figure.layout.yaxis.ticktext, *(t for trace in figure.data for t in trace.hovertext)]
    assert any("&lt;script&gt;" in t for t in texts)
    assert not any("<" in t.replace("<br>", "") for t in texts)


# --- static files ---


class Tags(html.parser.HTMLParser):
    """Elements and attributes of a page, for seeing that data added none."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_board_file_escapes_names_and_asks_for_nothing(tmp_path: Path) -> None:
    board: Board = load_board(demo_like(tmp_path))
    page = board_html(board)
    seen = Tags(page).seen
    # Turning pages, figures, plotly.js, and drawing.
    assert [t for t, _ in seen].count("script") == 4
    assert not [
        t for t, a in seen if t in {"img", "iframe", "link", "object", "base", "form"} or "src" in a or "href" in a
    ]
    assert not any(k.startswith("on") for _, a in seen for k in a)
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert "showSendToCloud" in page and page.count("<table>") == 5
    for r in board.groups[0].rows:
        assert present.number(r.measures["quality"]) in page


def test_board_file_of_an_empty_store_and_of_damage(store: Store) -> None:
    assert "There are no runs" in board_html(load_board(store))
    (store.root / "runs" / "<b>bad").mkdir(parents=True)
    (store.root / "runs" / "<b>bad" / "run.json").write_text("{")
    page = board_html(load_board(store))
    assert "&lt;b&gt;bad" in page and "<b>bad" not in page


def test_comparison_file(store: Store) -> None:
    base = system(store, "m/one", "baseline", 0.3, seed=1)
    other = system(store, "m/one", "prompted", 0.8, seed=2)
    evil = system(store, HOSTILE, "baseline", 0.5, seed=3)
    done = [compare(store, base, other), compare(store, base, evil)]
    page = comparison_html("Two & more", done, ["mind <this>"])
    assert "Two &amp; more" in page and "mind &lt;this&gt;" in page and page.count("<table>") == 2
    assert "script" not in {t for t, _ in Tags(page).seen} and "img" not in {t for t, _ in Tags(page).seen}
    for r in done[0].rows:
        assert present.number(r.difference, signed=True) in page
        assert r.relative is None or present.relative(r.relative) in page
    assert len(page) < 60_000
    assert "Nothing to compare" in comparison_html("None", [])
