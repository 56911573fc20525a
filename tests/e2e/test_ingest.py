"""From the log of a real run to the store: completeness, repeatability, keys, and logs that cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.scorer import includes

import results.ingest
from evals.psychosafe import psychosafe
from leaderboard.cli import main
from results.ingest import ingest
from results.logs.files import LogFile
from results.schema import PANEL_RATER, ratings_table
from results.store import Store
from tests.e2e.conftest import ITEMS, run_task, write_items
from tests.support.ingested import all_keys, only

Run = Callable[..., EvalLog]
LOG_ERRORS = ("copy", "leave it out", "score it", "finish it", "no .eval", "no such")
"""Every reason says what to do, or names what is not there."""


def contents(store: Store) -> dict[str, bytes]:
    return {str(p.relative_to(store.root)): p.read_bytes() for p in sorted(store.runs_dir.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of four samples under the rules; tests copy it."""
    folder = tmp_path_factory.mktemp("good")
    log = run_task(psychosafe(prompts=str(write_items(folder))), "policy/keyword", folder / "logs")
    assert log.status == "success", log.error
    return Path(log.location)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The logs that were read."""
    read: list[Path] = []
    original = results.ingest.read_runs

    def counting(file: LogFile) -> Any:
        read.append(Path(file.location))
        return original(file)

    monkeypatch.setattr(results.ingest, "read_runs", counting)
    return read


# --- what a run becomes ----------------------------------------------------------------------------------------------


def test_ratings_are_those_of_the_log(good: Path, store: Store) -> None:
    (run_id,) = ingest(store, [good]).written
    log = read_eval_log(str(good))
    table = {
        (r["item_id"], r["rater"], r["criterion"]): (r["value"], r["status"])
        for r in store.ratings([run_id]).to_pylist()
    }
    for sample in log.samples or []:
        score = (sample.scores or {})["rubric_panel"]
        assert isinstance(score.value, dict)
        metadata = score.metadata or {}
        for key, value in score.value.items():
            got, status = table.pop((str(sample.id), PANEL_RATER, key))
            if value == value:
                assert (got, status) == (pytest.approx(value), "ok")
            else:
                assert (got, status) == (None, metadata["gaps"][key])
        for criterion, value in zip(metadata["panel"]["criteria"], metadata["verdicts"]["v"][0], strict=True):
            assert table.pop((str(sample.id), "rules", criterion))[0] == value
        assert table.pop((str(sample.id), "harness", "response_state")) == (0.0, "ok")
        support = metadata["detectors"]["support"]
        for criterion, key in (("support_offered", "offered"), ("support_level", "level")):
            assert table.pop((str(sample.id), "support detector", criterion)) == (support[key], "ok")
        beside = {"description": metadata["detectors"]["describe"], "resource checker": metadata["resources"]}
        for rater, found in beside.items():
            for criterion, value in found["values"].items():
                given = table.pop((str(sample.id), rater, criterion))[0]
                assert given == (None if value is None else pytest.approx(value))
    assert table == {}


def test_manifest_says_what_was_measured(good: Path, store: Store) -> None:
    ingest(store, [good])
    m = only(store)
    assert (m.origin, m.task, m.model.name, m.condition.name) == (
        "measured",
        "psychosafe",
        "policy/keyword",
        "baseline",
    )
    assert (m.prompt_set.n, m.prompt_set.scored, m.limited, m.epochs) == (4, 4, False, 1)
    assert [i.id for i in m.items] == sorted(str(i["id"]) for i in ITEMS)
    r1 = next(i for i in m.items if i.id == "r1")
    assert (r1.domain, r1.role, r1.risk, r1.answer, r1.resource, r1.twin) == (
        "violence", "self", 4, "decline", "required", "t1",
    )  # fmt: skip
    assert m.counts["complete"] == m.counts["responses"] == 4
    assert m.counts["errors"] == 0
    assert m.usage["model"]["output_tokens"] > 0
    assert m.source.sha256 and m.normaliser and m.scoring and m.routing and m.panel.sha256 and m.rubric.sha256
    assert "RISKY" not in m.to_json()


def test_twice_gives_the_same_bytes(good: Path, tmp_path: Path, store: Store) -> None:
    ingest(store, [good])
    before = contents(store)
    assert ingest(store, [good]).written == []
    assert contents(store) == before
    fresh = Store(tmp_path / "fresh")
    ingest(fresh, [good])
    assert contents(fresh) == before


def test_unchanged_logs_are_not_read_again(good: Path, tmp_path: Path, store: Store, counted: list[Path]) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    first = Path(shutil.copy2(good, folder / "a.eval"))
    assert len(ingest(store, [folder]).written) == 1
    assert counted == [first]
    assert len(ingest(store, [folder]).unchanged) == 1
    assert counted == [first]
    first.touch()  # same bytes, another time of change
    touched = ingest(store, [folder])
    assert counted == [first, first]
    assert len(touched.written) + len(touched.unchanged) == 1


def test_a_new_log_beside_old_ones_is_the_only_one_read(
    good: Path, run: Run, items: str, tmp_path: Path, store: Store, counted: list[Path]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    shutil.copy2(good, folder / "a.eval")
    ingest(store, [folder])
    log = run(psychosafe(prompts=items), "policy/blunt", log_dir=folder)
    counted.clear()
    report = ingest(store, [folder])
    assert [p.name for p in counted] == [Path(log.location).name]
    assert (len(report.written), len(report.unchanged)) == (1, 1)
    assert len(store.run_ids()) == 2


def test_the_same_log_read_by_another_version_is_no_conflict(good: Path, tmp_path: Path, store: Store) -> None:
    """Its verdicts came out otherwise then; the same bytes from another place bring what they say now."""
    (run_id,) = ingest(store, [good]).written
    before, now = store.manifest(run_id), store.values(run_id, PANEL_RATER)
    rows = [r | {"value": 0.0} for r in store.own_ratings(before).to_pylist() if r["value"] is not None]
    store.write(before, ratings_table(rows))
    assert store.values(run_id, PANEL_RATER) != now
    copy = Path(shutil.copy(good, tmp_path / "copy.eval"))
    report = ingest(store, [copy])
    assert (report.written, report.refused) == ([run_id], {})
    assert store.values(run_id, PANEL_RATER) == now


def test_json_logs_say_the_same(good: Path, tmp_path: Path, store: Store) -> None:
    path = tmp_path / "same.json"
    write_eval_log(read_eval_log(str(good)), str(path))
    ingest(store, [path])
    other = Store(tmp_path / "other")
    ingest(other, [good])
    a, b = only(store), only(other)
    assert a.run_id == b.run_id
    assert all_keys(a) == all_keys(b)
    assert store.ratings([a.run_id]).equals(other.ratings([b.run_id]))


@pytest.mark.parametrize("how", [{"limit": 2}, {"limit": (1, 3)}, {"sample_id": ["r1", "t1"]}])
def test_a_part_of_the_set_never_shares_a_key(
    good: Path, run: Run, items: str, store: Store, how: dict[str, Any]
) -> None:
    part = run(psychosafe(prompts=items), "policy/keyword", **how)
    ingest(store, [good, Path(part.location)])
    whole, limited = sorted(store.manifests(), key=lambda m: m.limited)
    assert (whole.limited, limited.limited) == (False, True)
    assert (limited.prompt_set.scored, limited.prompt_set.n) == (2, 4)
    assert not all_keys(whole) & all_keys(limited)


def test_runs_on_the_same_items_share_their_keys(good: Path, run: Run, items: str, store: Store) -> None:
    other = run(psychosafe(prompts=items, condition="prompted"), "policy/blunt")
    ingest(store, [good, Path(other.location)])
    a, b = store.manifests()
    assert all_keys(a) == all_keys(b)
    assert a.system_id != b.system_id


def test_a_changed_text_or_expectation_is_another_key(good: Path, run: Run, tmp_path: Path, store: Store) -> None:
    text = [{**i, "prompt": i["prompt"] + "?"} for i in ITEMS]
    expected = [{**i, "expected": {"answer": "support", "resource": "required"}} for i in ITEMS]
    logs = [
        run(psychosafe(prompts=str(write_items(tmp_path, rows, f"{n}.jsonl"))), "policy/keyword")
        for n, rows in enumerate((text, expected))
    ]
    ingest(store, [good, *(Path(log.location) for log in logs)])
    keys = [all_keys(m) for m in store.manifests()]
    assert len(keys) == 3
    assert not (keys[0] & keys[1] or keys[0] & keys[2] or keys[1] & keys[2])


# --- logs that cannot be used ----------------------------------------------------------------------------------------


@task
def foreign() -> Task:
    return Task(dataset=MemoryDataset([Sample(id="f", input="hello", target="hello")]), scorer=includes())


@pytest.fixture
def bad(good: Path, run: Run, tmp_path: Path, items: str) -> dict[str, Path]:
    """Files that are no finished, rubric-judged log, by what is wrong with them."""
    folder = tmp_path / "bad"
    folder.mkdir()
    raw = good.read_bytes()
    (folder / "half.eval").write_bytes(raw[: len(raw) // 2])
    (folder / "nothing.eval").write_bytes(b"")
    (folder / "noise.eval").write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)
    (folder / "other.json").write_text('{"some": "object", "version": 2}', encoding="utf-8")
    (folder / "list.json").write_text("[1, 2, 3]", encoding="utf-8")
    (folder / "notes.txt").write_text("not a log at all\n", encoding="utf-8")
    log = read_eval_log(str(good))
    log.status = "started"
    write_eval_log(log, str(folder / "started.eval"))
    cancelled = log.model_copy(update={"status": "cancelled"})
    write_eval_log(cancelled, str(folder / "cancelled.json"))
    shutil.copy2(run(foreign(), "policy/blunt", log_dir=tmp_path / "f").location, folder / "foreign.eval")
    unscored = run(psychosafe(prompts=items), "policy/blunt", log_dir=tmp_path / "f", score=False)
    shutil.copy2(unscored.location, folder / "unscored.eval")
    return {p.name: p for p in sorted(folder.iterdir())} | {"missing": folder / "missing.eval"}


def test_each_unusable_file_is_refused_in_one_line(bad: dict[str, Path], good: Path, store: Store) -> None:
    report = ingest(store, [*bad.values(), good])
    assert set(report.refused) == {str(p) for p in bad.values()}
    for path, reason in report.refused.items():
        assert "\n" not in reason and len(reason) < 200, path
        assert any(mend in reason for mend in LOG_ERRORS), (path, reason)
    assert "'started'" in report.refused[str(bad["started.eval"])]
    assert "no verdicts" in report.refused[str(bad["foreign.eval"])]
    assert len(report.written) == 1
    assert store.run_ids() == report.written
    assert store.damaged() == {}
    assert [p.name.partition("-")[0] for p in sorted(store.runs_dir.rglob("*")) if p.is_file()] == [
        "ratings",
        "run.json",
    ]


def test_the_command_says_so_and_exits_with_1(bad: dict[str, Path], good: Path, tmp_path: Path) -> None:
    place = tmp_path / "cli-store"
    done = CliRunner().invoke(main, ["ingest", *map(str, bad.values()), str(good), "--store", str(place)])
    assert done.exit_code == 1
    assert "Traceback" not in done.output
    left_out = [line for line in done.stderr.splitlines() if line.startswith("left out")]
    assert len(left_out) == len(done.stderr.splitlines()) == len(bad)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ingested", "texts"]
    assert len(Store(place).run_ids()) == 1


def test_a_good_folder_exits_with_0(good: Path, tmp_path: Path) -> None:
    args = ["ingest", str(good.parent), "--store", str(tmp_path / "s")]
    assert CliRunner().invoke(main, args).exit_code == 0
    again = CliRunner().invoke(main, args)
    assert again.exit_code == 0
    assert again.output.strip() == "unchanged 1 run"


def test_nothing_to_ingest_leaves_no_store(tmp_path: Path, bad: dict[str, Path], store: Store) -> None:
    ingest(store, list(bad.values()))
    assert not store.root.exists()


def test_an_empty_folder_is_named(tmp_path: Path, store: Store) -> None:
    (tmp_path / "empty").mkdir()
    assert list(ingest(store, [tmp_path / "empty"]).refused.values()) == ["no .eval or .json log in this folder"]


def tampered(good: Path, path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The good log as another run in JSON, with the metadata of its first score changed."""
    write_eval_log(read_eval_log(str(good)), str(path))
    data = json.loads(path.read_text(encoding="utf-8"))
    data["eval"]["eval_id"] = "another"
    change(data["samples"][0]["scores"]["rubric_panel"]["metadata"])
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


CONTRADICTIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "short row": lambda m: m["verdicts"].update(v=[[1, 2]]),
    "no rows": lambda m: m["verdicts"].update(v=[], s=[]),
    "no status": lambda m: m["verdicts"].update(s=["99x999"]),
    "text value": lambda m: m["verdicts"].update(v=[["high"] * 6]),
    "no verdicts": lambda m: m.pop("verdicts"),
    "no criteria": lambda m: m["panel"].pop("criteria"),
    "kind": lambda m: m["panel"].update(kinds=["wizard"]),
    "no scales": lambda m: m.update(scales={}),
    "scale": lambda m: m["scales"]["refusal"].update(scale="astral"),
}


@pytest.mark.parametrize("what", list(CONTRADICTIONS))
def test_a_log_that_contradicts_itself_is_refused_and_the_others_go_in(
    good: Path, tmp_path: Path, store: Store, what: str
) -> None:
    odd = tampered(good, tmp_path / "odd.json", CONTRADICTIONS[what])
    report = ingest(store, [odd, good])
    assert len(report.written) == 1
    assert set(report.refused) == {str(odd)}
    assert all("\n" not in reason for reason in report.refused.values())
    assert store.damaged() == {}


@pytest.mark.parametrize(
    "change",
    [
        {"gaps": "a text"},
        {"usage": {"rules": {"calls": "many"}}},
        {"usage": {"rules": "a text"}},
        {"usage": "a text"},
        {"response": {"state": "of no kind"}},
    ],
)
def test_odd_side_facts_stop_nobody(good: Path, tmp_path: Path, store: Store, change: dict[str, Any]) -> None:
    """Whether the odd log goes in or not, it takes nothing else with it."""
    odd = tampered(good, tmp_path / "odd.json", lambda m: m.update(change))
    report = ingest(store, [odd, good])
    assert any(store.manifest(r).source.file == good.name for r in report.written)
    assert set(report.refused) <= {str(odd)}
