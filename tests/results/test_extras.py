"""What stands beside the scores: contacts, description and schematicity, from the response to the board."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.escalation import escalation
from evals.load import load_prompts
from evals.policies import POLICIES
from evals.psychosafe import psychosafe
from judges.describe import describe
from judges.detectors import DESCRIBED, resources_version
from judges.resources import VALUES, Need, check
from judges.schematic import SCHEMATIC_VERSION
from leaderboard.board import load_board
from leaderboard.cli.compare import beside_tables
from leaderboard.static import board_html
from results.compare import compare
from results.extras import CANNED, RESOURCES, TEXT, extra_measures
from results.figures import add_figures
from results.ingest import ingest
from results.manifest import Manifest
from results.store import Store
from rubrics.helplines import registry
from tests.e2e.conftest import run_task

pytestmark = pytest.mark.xdist_group("extras")  # the runs that all tests here share are made once

ITEMS = load_prompts("open").items[::9]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extras")
    for policy in ("schematic", "directory", "empty"):
        log = run_task(psychosafe(), f"policy/{policy}", folder, sample_id=[i.id for i in ITEMS])
        assert log.status == "success"
    return folder


@pytest.fixture(scope="module")
def store(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("extras-store"))
    assert not ingest(store, [logs], figures=True).refused
    return store


def run_of(store: Store, policy: str) -> Manifest:
    (one,) = [m for m in store.manifests() if m.model.name == f"policy/{policy}"]
    return one


def test_the_manifest_names_registry_and_detectors(store: Store) -> None:
    run = run_of(store, "schematic")
    assert set(run.detectors) == {"support", "describe", "resources"}
    assert run.detectors["resources"] == resources_version()
    assert registry().sha256[:8] in run.detectors["resources"]
    assert run_of(store, "empty").detectors == {}, "nothing was judged, so nothing looked"


def test_contacts_are_rows_of_a_rater(store: Store) -> None:
    run = run_of(store, "directory")
    rows = [r for r in store.ratings([run.run_id]).to_pylist() if r["rater"] == "resource checker"]
    assert {r["criterion"] for r in rows} == set(VALUES)
    assert {r["rater_kind"] for r in rows} == {"rule"}
    by_item = {(r["item_id"], r["criterion"]): r for r in rows}
    for item in ITEMS:
        assert item.expected is not None
        need = Need(item.facts.get("country"), item.expected.resource_class, item.domain, str(item.facts["role"]))
        text = POLICIES["directory"].respond(item.prompt, None, None)
        for name in VALUES:
            wanted, row = check(text, need)[name], by_item[item.id, name]
            if wanted.value is None:
                assert row["value"] is None
                assert row["status"] == ("undefined" if wanted.estimable else "not_estimable")
            else:
                assert row["value"] == pytest.approx(wanted.value, abs=1e-4)


def test_what_is_not_estimable_is_no_gap(store: Store) -> None:
    run = run_of(store, "directory")
    rows = [r for r in store.ratings([run.run_id]).to_pylist() if r["criterion"] == "precision"]
    defined = [r for r in rows if r["value"] is not None]
    found = extra_measures(store, run)["resources/precision"]
    assert (found.total, len(found.values)) == (len(defined), len(defined))


def test_right_contacts_count_only_where_help_is_required(store: Store) -> None:
    run = run_of(store, "directory")
    required = {i.id for i in run.items if i.resource == "required"}
    assert 0 < len(required) < len(run.items)
    found = extra_measures(store, run)
    assert set(found["resources/right_listed"].values) <= required
    assert found["resources/contacts"].estimate().total == len(run.items)


def test_the_description_is_that_of_the_response(store: Store) -> None:
    run = run_of(store, "schematic")
    text = describe(POLICIES["schematic"].respond("x", None, None)).as_dict()
    found = extra_measures(store, run)
    assert {m.group for m in found.values()} == {RESOURCES, TEXT, CANNED}
    for name in DESCRIBED:
        if text[name] is not None:
            assert found[f"text/{name}"].estimate().value == pytest.approx(text[name], abs=1e-3)
    assert found["text/words"].worst_case() is None, "a count has no upper end to stand at"


def test_figures_of_the_whole_run(store: Store, logs: Path) -> None:
    run = run_of(store, "schematic")
    figures, version = store.figures(run.run_id)
    assert version == SCHEMATIC_VERSION
    assert figures["pairwise_8gram_share"].value == 1.0
    empty, _ = store.figures(run_of(store, "empty").run_id)
    assert empty["pairwise_8gram_share"].value is None
    assert empty["pairwise_8gram_share"].reason
    assert not add_figures(store, run.run_id), "what is there is not computed again"
    before = {p: p.read_bytes() for p in sorted(store.root.rglob("figures.parquet"))}
    assert not ingest(store, [logs], figures=True).written
    assert {p: p.read_bytes() for p in before} == before


def test_dialogues_have_no_figures(tmp_path: Path) -> None:
    run_task(escalation(), "policy/blunt", tmp_path / "logs", sample_id=["esc-sh-01", "esc-vi-01"])
    store = Store(tmp_path / "store")
    assert not ingest(store, [tmp_path / "logs"], figures=True).refused
    (m,) = store.manifests()
    assert store.figures(m.run_id) == ({}, "")


def test_they_stand_beside_the_scores_and_not_among_them(store: Store) -> None:
    done = compare(store, run_of(store, "schematic"), run_of(store, "directory"))
    groups = {r.group for r in done.rows}
    assert groups == {"score", RESOURCES, TEXT, CANNED}
    rows = {r.measure: r for r in done.rows}
    assert rows["text/words"].difference.value is not None
    assert rows["canned/pairwise_8gram_share"].difference.value is None, "a run as a whole has no pairs"
    assert [t.title.split(":")[0] for t in beside_tables(done)] == [
        "Contacts named", "How canned the answers are", "How the answers read",
    ]  # fmt: skip
    board = load_board(store)
    group = next(g for g in board.groups if g.beside)
    assert not [c.name for c in group.columns if "/" in c.name]
    page = board_html(board)
    for heading in ("Contacts named", "How canned the answers are", "How the answers read"):
        assert heading in page


def test_another_registry_is_another_key(store: Store) -> None:
    run = run_of(store, "schematic")
    other = run.model_copy(update={"detectors": {**run.detectors, "resources": "1.0, registry 9.9@00000000"}})
    ours, theirs = extra_measures(store, run), extra_measures(store, other)
    assert ours["resources/contacts"].key != theirs["resources/contacts"].key
    assert ours["text/words"].key == theirs["text/words"].key
