"""The board as data: what is grouped and ranked, what is warned about, and what a damaged run leaves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from leaderboard import present
from leaderboard.board import load_board
from leaderboard.facts import ranks
from leaderboard.model import BoardRow
from results.compare import PAIR_SCORE, measures
from results.grid import grids
from results.manifest import ModelFacts, PromptSetFacts
from results.store import Store
from tests.support.made_runs import N, demo_like, import_published, manifest, on_xstest, put, system, with_companions


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def labels(rows: Sequence[BoardRow]) -> list[str]:
    return [r.label for r in rows]


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
