"""A store that grows: older schemas, several writers, killed ones, conflicting and remote logs, many runs."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from evals.psychosafe import psychosafe
from leaderboard.cli import main
from results.added import add_ratings
from results.cube import cube
from results.ingest import ingest
from results.manifest import SourceFacts
from results.measures import measures
from results.schema import SCHEMA_VERSION, ratings_sha256, ratings_table
from results.store import Store, StoreError
from tests.e2e.conftest import ROOT, run_task, write_items
from tests.support.logs import copy_log

pytestmark = pytest.mark.xdist_group("store_growth")  # the runs that all tests here share are made once


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    log = run_task(psychosafe(prompts=str(write_items(folder)), epochs=2), "policy/keyword", folder / "logs")
    assert log.status == "success"
    return Path(log.location.removeprefix("file://"))


@pytest.fixture(scope="module")
def logs(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty runs, enough for several processes."""
    folder = tmp_path_factory.mktemp("thirty")
    for n in range(30):
        copy_log(source, folder / f"{n:02d}.eval", f"copy{n:02d}")
    return folder


def contents(store: Store) -> dict[str, bytes]:
    """Every byte of every run."""
    return {str(p.relative_to(store.root)): p.read_bytes() for p in sorted(store.runs_dir.rglob("*")) if p.is_file()}


# --- one store, whoever writes it ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_several_processes_write_what_one_writes(logs: Path, tmp_path: Path) -> None:
    one, two = Store(tmp_path / "one"), Store(tmp_path / "two")
    seen: list[tuple[int, int]] = []
    first = ingest(one, [logs], workers=1, progress=lambda done, total: seen.append((done, total)))
    second = ingest(two, [logs], workers=3)
    assert first.written == second.written
    assert len(first.written) == 30
    assert seen == [(n, 30) for n in range(1, 31)]
    assert contents(one) == contents(two)
    assert ingest(two, [logs], workers=3).unchanged == first.written


@pytest.mark.process
@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_at_any_moment_it_ends_the_same(kills: int, logs: Path, tmp_path: Path) -> None:
    calm = Store(tmp_path / "calm")
    ingest(calm, [logs], texts=True, workers=1)
    expected = contents(calm)
    assert len(expected) == 90
    code = "import sys; from pathlib import Path; from results.ingest import ingest; from results.store import Store\n"
    code += "if __name__ == '__main__':\n    print('go', flush=True)\n"
    code += "    ingest(Store(Path(sys.argv[1])), [sys.argv[2]], texts=True, workers=int(sys.argv[3]))"
    draw = random.Random(kills)
    cut_short = 0
    root = tmp_path / "killed"
    for turn in range(kills):
        if turn % 4 == 0:
            shutil.rmtree(root, ignore_errors=True)
        job = subprocess.Popen([sys.executable, "-c", code, str(root), str(logs), str(1 + turn % 2)], cwd=ROOT,
                               stdout=subprocess.PIPE)  # fmt: skip
        assert job.stdout is not None
        job.stdout.readline()
        time.sleep(draw.uniform(0.02, 1.2))
        os.kill(job.pid, signal.SIGKILL)
        job.wait()
        there = Store(root)
        # Whatever is there is whole.
        assert there.damaged() == {}
        for run_id in there.run_ids():
            assert ratings_sha256(there.own_ratings(there.manifest(run_id))) == there.manifest(run_id).ratings
        cut_short += len(there.run_ids()) < 30 or contents(there) != expected
        if turn % 4 == 3:
            ingest(Store(root), [logs], texts=True)
            assert contents(Store(root)) == expected
            assert not any((root / ".drafts").glob("*"))
    assert cut_short >= kills // 4, "the kills came too late to mean anything"


def test_a_second_writer_waits(logs: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    told = threading.Event()
    code = "import sys, time; from pathlib import Path; from results.store import Store\n"
    code += "with Store(Path(sys.argv[1])).writing():\n    print('held', flush=True)\n    sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, str(store.root)], cwd=ROOT, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == b"held\n"
    done: list[int] = []
    job = threading.Thread(target=lambda: done.append(len(ingest(store, [logs / "00.eval"], waiting=told.set).written)))
    job.start()
    assert told.wait(30)
    assert done == []
    holder.stdin.close()
    job.join(30)
    assert done == [1]
    holder.wait(10)


def test_what_a_killed_writer_left_is_swept_and_peoples_ratings_are_not(logs: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [logs / "00.eval"]).written
    before = contents(store)
    folder = store.runs_dir / run_id
    (folder / ".draft-1234").write_bytes(b"half")
    (folder / "ratings-0000000000000000.parquet").write_bytes(b"of a manifest that never came")
    (store.runs_dir / "never-finished").mkdir()
    (store.runs_dir / "never-finished" / "ratings-0000000000000000.parquet").write_bytes(b"x")
    lost = store.runs_dir / "lost-its-manifest"
    (lost / "added").mkdir(parents=True)
    (lost / "added" / "people.parquet").write_bytes(b"of people")
    (store.root / ".drafts").mkdir()
    (store.root / ".drafts" / "1").write_bytes(b"x")
    ingest(store, [logs / "00.eval"])
    assert (lost / "added" / "people.parquet").read_bytes() == b"of people"
    assert store.damaged() == {"lost-its-manifest": "its manifest cannot be read; ingest its log again"}
    shutil.rmtree(lost)
    assert contents(store) == before


def test_a_run_that_is_being_written_is_no_run_yet(logs: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    first, second = ingest(store, [logs / "00.eval", logs / "01.eval"]).written
    told = (store.runs_dir / second / "run.json").read_bytes()
    (store.runs_dir / second / "run.json").unlink()
    (store.runs_dir / second / ".draft-1").write_bytes(told[:100])
    assert store.run_ids() == [first]
    assert store.damaged() == {}
    (store.runs_dir / second / "run.json").write_bytes(told)
    assert store.run_ids() == sorted([first, second])
    # A reader that still holds the manifest of replaced ratings is told so, and never given the new ones as the old.
    old = store.manifest(first).model_copy(update={"ratings": "0" * 64})
    with pytest.raises(StoreError, match="cannot be read"):
        store.own_ratings(old)


# --- older and later schemas -----------------------------------------------------------------------------------------


def as_schema_1(store: Store, run_id: str) -> None:
    """Lay a run out as the first schema did."""
    folder = store.runs_dir / run_id
    told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    name = f"ratings-{told.pop('ratings')[:16]}.parquet"
    told["schema_version"] = 1
    del told["source"]["etag"]
    (folder / name).rename(folder / "ratings.parquet")
    (folder / "run.json").write_text(json.dumps(told, indent=1), encoding="utf-8")


def test_an_older_store_is_read_as_it_lies_and_brought_up(logs: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [logs / "00.eval"]).written
    row = {**store.ratings([run_id]).to_pylist()[0], "rater": "Anna", "rater_kind": "human"}
    add_ratings(store, run_id, ratings_table([row]), SourceFacts(file="anna.csv", sha256="0" * 64))
    expected, figures = contents(store), {n: m.estimate() for n, m in measures(store, store.manifest(run_id)).items()}
    as_schema_1(store, run_id)
    assert contents(store) != expected
    old = Store(store.root)
    assert old.damaged() == {}
    assert {n: m.estimate() for n, m in measures(old, old.manifest(run_id)).items()} == figures
    assert old.manifest(run_id).ratings is None
    result = CliRunner().invoke(main, ["ingest", str(logs / "00.eval"), "--no-texts", "--store", str(store.root)])
    assert result.exit_code == 0, result.output
    assert "brought 1 run up to the present schema" in result.output
    assert contents(store) == expected
    assert Store(store.root).manifest(run_id).schema_version == SCHEMA_VERSION


def test_what_is_derived_of_an_older_run_follows_its_ratings(logs: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [logs / "00.eval"]).written
    as_schema_1(store, run_id)
    before = cube(store, list(store.manifests()))
    path = store.runs_dir / run_id / "ratings.parquet"
    rows = [r | {"value": 5.0} if r["criterion"] == "grounding" else r for r in pq.read_table(path).to_pylist()]
    pq.write_table(ratings_table(rows), path)
    after = cube(store, list(store.manifests()))
    grounding = before.criteria.index("grounding")
    assert (before.verdicts[..., grounding] < 10).all()
    assert (after.verdicts[..., grounding] == 10).all(), "half units of 5"


def test_a_later_schema_is_refused_and_the_others_are_read(logs: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    first, second = ingest(store, [logs / "00.eval", logs / "01.eval"]).written
    path = store.runs_dir / first / "run.json"
    told = {**json.loads(path.read_text(encoding="utf-8")), "schema_version": SCHEMA_VERSION + 1}
    path.write_text(json.dumps(told), encoding="utf-8")
    assert [m.run_id for m in store.manifests()] == [second]
    assert "update psychosafe-eval" in store.damaged()[first]
    with pytest.raises(StoreError, match="update psychosafe-eval"):
        store.manifest(first)


# --- one run from two files ------------------------------------------------------------------------------------------


def test_two_files_with_one_run_and_different_content(source: Path, tmp_path: Path) -> None:
    first = Path(shutil.copy(source, tmp_path / "first.eval"))
    other = tmp_path / "other.eval"
    # The same evaluation, with a sample less: the id says that it is the same run.
    copy_log(source, other, json.loads(_member(first, "header.json"))["eval"]["eval_id"])
    _drop_a_sample(other)
    store = Store(tmp_path / "store")
    report = ingest(store, [first, other])
    (run_id,) = report.written
    assert list(report.refused) == [str(other)]
    assert f"{run_id} is in the store from {first} with other content" in report.refused[str(other)]
    assert "--replace" in report.refused[str(other)]
    before = store.manifest(run_id).ratings
    assert ingest(store, [other], replace=True).written == [run_id]
    assert store.manifest(run_id).ratings != before
    # Where the first one is gone, there is nothing to choose.
    shutil.copy(first, tmp_path / "moved.eval")
    other.unlink()
    assert ingest(store, [tmp_path / "moved.eval"]).written == [run_id]
    assert store.manifest(run_id).ratings == before


def _member(path: Path, name: str) -> bytes:
    from results.logs.archive import Archive

    with path.open("rb") as file:
        return Archive(file).read(name)


def _drop_a_sample(path: Path) -> None:
    import zipfile

    import zipfile_zstd  # noqa: F401  (teaches zipfile method 93)

    with zipfile.ZipFile(path, "a") as archive:
        told = {name: archive.read(name) for name in ("summaries.json", "reductions.json", "header.json")}
        archive.start_dir = min(archive.getinfo(name).header_offset for name in told)
        for name in told:
            archive.filelist.remove(archive.NameToInfo.pop(name))
        told["summaries.json"] = json.dumps(json.loads(told["summaries.json"])[:-1]).encode()
        for name, data in told.items():
            archive.writestr(name, data, compress_type=93)


def test_a_log_that_was_touched_is_read_once_more_and_then_not(source: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(source, tmp_path / "log.eval"))
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [path]).written
    os.utime(path, (1, 1))
    seen: list[int] = []
    for _ in range(2):
        assert ingest(store, [path], progress=lambda done, total: seen.append(total)).unchanged == [run_id]
    assert seen == [1]


# --- remote logs -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bucket(logs: Path) -> Iterator[str]:
    """A bucket with three logs, a broken one and a note, on an S3-compatible server on loopback."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=settings["AWS_ENDPOINT_URL"])
        client.create_bucket(Bucket="runs")
        for n in range(3):
            client.upload_file(str(logs / f"{n:02d}.eval"), "runs", f"logs/{n:02d}.eval")
        client.put_object(Bucket="runs", Key="logs/half.eval", Body=(logs / "00.eval").read_bytes()[:9000])
        client.put_object(Bucket="runs", Key="logs/readme.txt", Body=b"a note")
        yield "s3://runs/logs"
    server.stop()


@pytest.mark.socket
def test_a_bucket_is_ingested_as_a_folder_is(bucket: str, logs: Path, tmp_path: Path) -> None:
    store, here = Store(tmp_path / "store"), Store(tmp_path / "here")
    report = ingest(store, [bucket])
    assert report.written == ingest(here, [logs / f"{n:02d}.eval" for n in range(3)]).written
    assert list(report.refused) == ["s3://runs/logs/half.eval"]
    run_id = report.written[0]
    assert store.own_ratings(store.manifest(run_id)) == here.own_ratings(here.manifest(run_id))
    remote = store.manifest(run_id)
    assert remote.source.location == "s3://runs/logs/00.eval"
    assert remote.source.etag
    assert remote.source.sha256 is None, "it takes all of the log"
    assert remote.identity() == here.manifest(run_id).identity()
    again = ingest(store, [bucket], texts=True)
    assert again.unchanged == report.written
    assert sorted(again.texts) == sorted(report.written)
    assert store.manifest(run_id).source.sha256 == here.manifest(run_id).source.sha256
    assert ingest(store, [bucket]).unchanged == report.written


@pytest.mark.socket
def test_a_remote_log_takes_one_request_behind_the_listing(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import results.logs.files as files

    asked: list[tuple[int, int]] = []
    fetched = files._fetched

    def counting(system: object, path: str, start: int, end: int) -> bytes:
        asked.append((start, end))
        return fetched(system, path, start, end)

    monkeypatch.setattr(files, "_fetched", counting)
    assert ingest(Store(tmp_path / "store"), [f"{bucket}/01.eval"]).written
    assert len(asked) == 1


@pytest.mark.socket
@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3://runs/nothing", "no .eval or .json log there"),
        ("s3://no-such-bucket/logs", "no .eval or .json log there|cannot be reached"),
        ("nothing-like-it://runs", "cannot be reached .*no driver for it"),
    ],
)
def test_a_url_without_logs_is_named(bucket: str, url: str, reason: str, tmp_path: Path) -> None:
    import re

    report = ingest(Store(tmp_path / "store"), [url])
    assert list(report.refused) == [url]
    assert re.search(reason, report.refused[url])


# --- the catalogue and the cube --------------------------------------------------------------------------------------


def test_the_catalogue_follows_the_runs(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "store")
    written = ingest(store, [logs], workers=1).written
    expected = list(store.manifests())
    (kept,) = (store.root / "derived").glob("catalogue-*")
    import results.catalogue as catalogue

    read: list[Path] = []
    whole = Path.read_bytes

    def counting(path: Path) -> bytes:
        read.append(path)
        return whole(path)

    monkeypatch.setattr(catalogue.Path, "read_bytes", counting)
    again = Store(store.root)
    assert list(again.manifests()) == expected
    assert read == [kept], "one file says it all"
    assert len({id(m.items) for m in again.manifests()}) == 1, "items are held once"
    shutil.rmtree(store.runs_dir / written[3])
    told = (store.runs_dir / written[5] / "run.json").read_bytes()
    (store.runs_dir / written[5] / "run.json").write_bytes(told.replace(b'"limited": false', b'"limited": true'))
    (store.runs_dir / written[7] / "run.json").write_bytes(b"{")
    read.clear()
    changed = Store(store.root)
    found = {m.run_id: m for m in changed.manifests()}
    assert written[3] not in found
    assert written[7] not in found
    assert found[written[5]].limited
    assert len(read) == 3
    # What stands in its place is no catalogue.
    for path in (store.root / "derived").glob("catalogue-*"):
        path.write_bytes(b'{"version": 1, "items": 3}')
    assert {m.run_id for m in Store(store.root).manifests()} == set(found)


def test_a_run_under_another_name_is_no_run(logs: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    (run_id,) = ingest(store, [logs / "00.eval"]).written
    shutil.copytree(store.runs_dir / run_id, store.runs_dir / "renamed")
    assert [m.run_id for m in store.manifests()] == [run_id]
    assert "of another run" in store.damaged()["renamed"]


def test_the_cube_holds_what_the_measures_rest_on(logs: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    ingest(store, [logs / f"{n:02d}.eval" for n in range(4)])
    runs = list(store.manifests())
    made = cube(store, runs)
    assert made.verdicts.shape == (4, 8, 2, 6)
    checked = 0
    for at, run in enumerate(runs):
        for name, measure in measures(store, run).items():
            if name not in made.measures:
                continue
            scale = run.rubric.scales.get(name)
            best = scale.best_value if scale is not None and scale.scale == "nominal" else None
            values = made.of(name, best=best)[at]
            found = {i: v for i, v in zip(made.items, values, strict=True) if v == v}
            assert found == pytest.approx(dict(measure.values), abs=1e-6)
            assert int(made.due(name)[at].sum()) == measure.total
            checked += 1
    assert checked == 40
    # One more run: only that one is read, and the earlier file goes.
    ingest(store, [logs / "04.eval"])
    broken = store.runs_dir / runs[0].run_id / f"ratings-{str(runs[0].ratings)[:16]}.parquet"
    kept = broken.read_bytes()
    broken.write_bytes(b"cannot be read")
    grown = cube(store, list(store.manifests()))
    broken.write_bytes(kept)
    assert (grown.verdicts[[grown.runs.index(r) for r in made.runs]] == made.verdicts).all()
    assert len(list((store.root / "derived").glob("cube-*"))) == 1
    fresh = shutil.copytree(store.root, tmp_path / "fresh")
    shutil.rmtree(fresh / "derived")
    again = cube(Store(fresh), list(store.manifests()))
    assert (again.verdicts == grown.verdicts).all()
    assert ((again.scored == grown.scored) | (again.scored != again.scored)).all()
    assert pq.read_table(broken).num_rows > 0
