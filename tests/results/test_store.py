"""The store's own files: what cannot be read is named with what brings it back, and what was left behind goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from judges.stats import Estimate
from leaderboard.cli import main
from results.added import add_ratings, all_ratings
from results.catalogue import DERIVED
from results.manifest import JudgeFacts, Manifest, PanelFacts, SourceFacts
from results.raters import rated_by_people
from results.schema import PANEL_RATER, Rating, ratings_table
from results.store import Store, StoreError
from results.writing import DRAFTS, ratings_name, writing
from tests.support.made_runs import manifest, put

N = 3


def one(root: Path, model: str = "m/one") -> tuple[Store, Manifest]:
    """A store with a run that Ada has rated."""
    store = Store(root)
    m = put(store, manifest(model, n=N), {"quality": [0.25, 0.5, 0.75], "refusal": [1.0, 0.0, 1.0]})
    rows = [
        Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
               origin="imported", criterion="refusal", value=1.0, status="ok")
        for i in m.items
    ]  # fmt: skip
    assert add_ratings(store, m.run_id, ratings_table(rows), SourceFacts(file="ada.csv", sha256="1"))
    return store, store.manifest(m.run_id)


def cut(path: Path) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


READERS: dict[str, Callable[[Store, str], object]] = {
    "ratings": lambda store, run: store.ratings([run]),
    "values": lambda store, run: store.values(run, PANEL_RATER),
    "all": all_ratings,
    "people": lambda store, run: rated_by_people(store),
}


def test_which_ratings_cannot_be_read_and_what_brings_them_back(tmp_path: Path) -> None:
    store, m = one(tmp_path)
    folder = store.runs_dir / m.run_id
    (added,) = (folder / "added").iterdir()
    whole = added.read_bytes()
    cut(added)
    for name, read in READERS.items():
        with pytest.raises(StoreError) as caught:
            read(store, m.run_id)
        # What people said does not come back with the log.
        assert str(caught.value) == (
            f"added/{added.name} of {m.run_id} cannot be read; remove that file, and bring its ratings in again"
        ), name
    # Whole, but of a column that no number is made of.
    odd = pq.read_table(pa.BufferReader(whole))
    at = odd.column_names.index("value")
    pq.write_table(odd.set_column(at, "value", pa.array([{"x": [1]}] * len(odd))), added)
    for name in ("ratings", "all"):  # the others do not look at these values
        with pytest.raises(StoreError, match=f"added/{added.name} of {m.run_id} cannot be read"):
            READERS[name](store, m.run_id)
    added.write_bytes(whole)
    assert store.ratings([m.run_id]).num_rows == all_ratings(store, m.run_id).num_rows
    cut(folder / ratings_name(m.ratings))
    for name in ("ratings", "values", "all"):
        with pytest.raises(StoreError, match=f"the ratings of '{m.run_id}' cannot be read; ingest its log again"):
            READERS[name](store, m.run_id)
    done = CliRunner().invoke(main, ["agreement", "--runs", m.run_id, "--store", str(tmp_path)])
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
    assert done.output == f"Error: the ratings of '{m.run_id}' cannot be read; ingest its log again\n"
    # The same run again mends it, and Ada's ratings are there as before.
    put(store, m.model_copy(update={"ratings": None}), {"quality": [0.25, 0.5, 0.75], "refusal": [1.0, 0.0, 1.0]})
    assert store.values(m.run_id, PANEL_RATER)["quality"] == {"r00": 0.25, "r01": 0.5, "r02": 0.75}
    assert store.values(m.run_id, "Ada")["refusal"] == {"r00": 1.0, "r01": 1.0, "r02": 1.0}


@pytest.mark.parametrize("gone", ["items", "model", "run_id", None])
def test_a_manifest_that_lacks_a_part_is_a_damaged_one(tmp_path: Path, gone: str | None) -> None:
    store, m = one(tmp_path)
    path = store.runs_dir / m.run_id / "run.json"
    told = json.loads(path.read_bytes())
    path.write_text(json.dumps({k: v for k, v in told.items() if k != gone} if gone else []), encoding="utf-8")
    again = Store(tmp_path)
    assert again.damaged() == {m.run_id: "its manifest cannot be read; ingest its log again"}
    assert again.run_ids() == [m.run_id] and list(again.manifests()) == []


def test_figures_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    store, m = one(tmp_path)
    given = {"share": Estimate(0.5, 0.25, 0.75, 3, 3, "made up")}
    store.write_figures(m.run_id, given, "1")
    assert store.figures(m.run_id) == (given, "1")
    cut(store.runs_dir / m.run_id / "figures.parquet")
    with pytest.raises(StoreError, match=f"the figures of '{m.run_id}' cannot be read; ingest its log again"):
        store.figures(m.run_id)
    with pytest.raises(StoreError, match=r"cannot write to the store .*No such file"):
        store.write_figures("no-such-run", given, "1")
    assert sorted(p.name for p in store.runs_dir.iterdir()) == [m.run_id]


def test_two_ratings_with_one_key_are_no_table() -> None:
    row = Rating(run_id="run", item_id="r00", epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
                 origin="imported", criterion="refusal", value=1.0, status="ok")  # fmt: skip
    assert ratings_table([row, {**row, "repeat": 1}]).num_rows == 2
    with pytest.raises(ValueError, match=r"two ratings with one key: run_id=run, item_id=r00, .*rater=Ada"):
        ratings_table([row, {**row, "repeat": 1}, {**row, "value": 0.0}])


def test_what_killed_writers_left_goes_and_nothing_else(tmp_path: Path) -> None:
    store, m = one(tmp_path / "store")
    runs, name = store.runs_dir, ratings_name(m.ratings)
    raw = (runs / m.run_id / name).read_bytes()

    def lay(*path: str) -> Path:
        place = runs.joinpath(*path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(raw)
        return place

    gone = [
        lay(m.run_id, "ratings-0123456789abcdef.parquet"), lay("never-finished", name), lay(".of-schema-1", name),
        lay(f"../{DRAFTS}/7-of-a-worker"),
    ]  # fmt: skip
    stay = [
        lay(".of-schema-1-too", "added", "ada.parquet"), lay("notes.txt"),
        # No manifest says which of two is the run's, but people have rated it.
        lay("no-manifest", "added", "ada.parquet"), lay("no-manifest", "ratings-1.parquet"),
        lay("no-manifest", "ratings-2.parquet"),
        # A manifest that names neither.
        lay("strange", "ratings-1.parquet"), lay("strange", "ratings-2.parquet"), lay("strange", "run.json"),
    ]  # fmt: skip
    (runs / "strange" / "run.json").write_text("{}")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "of-somebody-else").mkdir(parents=True)
    (runs / "linked").symlink_to(elsewhere, target_is_directory=True)
    before = {p: p.read_bytes() for p in (runs / m.run_id).rglob("*") if p.is_file() and p not in gone}
    store.sweep()
    assert [p for p in gone if p.exists()] == [] and [p for p in stay if not p.exists()] == []
    assert (elsewhere / "of-somebody-else").is_dir()
    assert {p: p.read_bytes() for p in (runs / m.run_id).rglob("*") if p.is_file()} == before
    assert not (runs / "never-finished").exists() and not (runs / ".of-schema-1").exists()
    # What is no run is none to readers either.
    assert Store(store.root).run_ids() == sorted([m.run_id, "linked", "no-manifest", "strange"])
    assert [x.run_id for x in Store(store.root).manifests()] == [m.run_id]


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    said, held, done = [], threading.Event(), threading.Event()

    def first() -> None:
        with writing(tmp_path):
            held.set()
            done.wait(10)
            said.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(10)
    threading.Timer(0.1, done.set).start()
    with writing(tmp_path):
        said.append("second")
    thread.join()
    assert said == ["first", "second"]


def test_a_catalogue_of_another_version_is_made_again(tmp_path: Path) -> None:
    store, m = one(tmp_path)
    assert list(store.manifests()) == [m]
    (kept,) = (tmp_path / DERIVED).glob("catalogue-*.json")
    told = json.loads(kept.read_text())
    # Were it believed, the run would have another model.
    kept.write_text(json.dumps(told | {"version": -1}).replace("m/one", "m/two"))
    assert list(Store(tmp_path).manifests()) == [m]


def test_what_a_judge_cost_is_told_where_its_price_is_known() -> None:
    price = {"input": 2.0, "output": 8.0, "currency": "EUR"}
    judges = (JudgeFacts(id="dear", kind="llm", price=price), JudgeFacts(id="free", kind="llm"))
    m = manifest("m/one", panel=PanelFacts(name="two", sha256="2", judges=judges))
    m = m.model_copy(update={"usage": {"judge dear": {"input_tokens": 500_000, "output_tokens": 250_000}}})
    assert m.spent("dear") == (3.0, "EUR") and m.spent("free") is None and m.spent("nobody") is None


@pytest.mark.parametrize("origin", ["measured", "imported"])
def test_a_run_is_the_same_wherever_its_file_lies(origin: str) -> None:
    """The hash of a log comes with its texts, so it is none of a measured run's identity; an import is its file's."""
    m = manifest("m/one", origin=origin)
    other = m.model_copy(update={"source": m.source.model_copy(update={"location": "/b", "mtime_ns": 7})})
    assert other.identity() == m.identity()
    changed = m.model_copy(update={"source": m.source.model_copy(update={"sha256": "1"})})
    assert (changed.identity() == m.identity()) == (origin == "measured")
