"""People's ratings where the machine fails; kills and ten writers at once are in `test_annotation_database`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from judges.annotation.database import AnnotationError, AnnotationStore
from judges.annotation.plan import Plan, PlanMap, make_plan, write_plan
from tests.judges.test_annotation_database import PEOPLE, RUBRIC, candidates, save
from tests.support.faults import ROOT, contents, environment, inside, jumping_clock, one_line, read_only, small_disk
from tests.support.postgres import Server, postgres  # noqa: F401  (a fixture)

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(candidates(), RUBRIC, PEOPLE, n=20, overlap=5, training=(), gold=(), pairs=4, seed=1)[0]


@pytest.fixture
def files(plan: Plan, tmp_path: Path) -> tuple[Path, ...]:
    """The plan and its map on disk."""
    return tuple(write_plan(tmp_path / "study", plan, PlanMap(plan_sha256=plan.sha256, sources={})))


def write_until_it_fails(url: str, plan_file: Path, people: Sequence[str], env: dict[str, str]) -> list[list[str]]:
    """What processes say that save as fast as they can: who, `saved` or `failed`, and the nonce or why."""
    command = [sys.executable, "-m", "tests.support.annotation_writer", url, str(plan_file), "w", "200"]
    done = subprocess.run([*command, *people], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return [line.split(" ", 3)[1:] for line in done.stdout.splitlines()]


def saved(store: AnnotationStore, plan: Plan) -> set[tuple[str, str]]:
    """Who saved which nonce; each with all of its criteria."""
    found: dict[tuple[str, str], set[str]] = {}
    for r in store.history():
        found.setdefault((r.annotator, r.nonce), set()).add(r.criterion)
    for (_, nonce), criteria in found.items():
        assert criteria == {c.id for c in plan.criteria_of(nonce.rsplit("-", 1)[1])}
    return set(found)


@pytest.mark.slow
def test_disk_full(plan: Plan, files: tuple[Path, ...], tmp_path: Path) -> None:
    """The annotator is told; every save that was acknowledged is there, no card in part; with room again it goes on."""
    with small_disk(tmp_path / "disk", "600k") as disk:
        url = str(disk.path / "ratings.db")
        said = write_until_it_fails(url, files[0], ("a", "b"), environment())
        failed = [why for _, what, why in said if what == "failed"]
        assert len(failed) == 2 and all("the disk is full; make room" in why for why in failed), failed
        told = {(who, nonce) for who, what, nonce in said if what == "saved"}
        disk.grow()
        store = AnnotationStore(url, plan)
        assert len(told) > 10 and told <= saved(store, plan)
        assert save(store, "c", plan.queue("c").tokens[0], "n1")


@pytest.mark.slow
def test_read_only_folder(plan: Plan, files: tuple[Path, ...], tmp_path: Path) -> None:
    """Said before the app starts; what was saved is there afterwards."""
    folder = tmp_path / "db"
    folder.mkdir()
    url = str(folder / "ratings.db")
    store = AnnotationStore(url, plan)
    token = plan.queue("a").tokens[0]
    assert save(store, "a", token, "n1")
    store.close()
    before = contents(folder)
    with read_only(folder):
        done = inside("annotate", "serve", files[0], "--db", url)
        one_line(done, "the annotation database")
        assert "read-only" in done.stderr or "cannot be opened" in done.stderr
        new = inside("annotate", "serve", files[0], "--db", folder / "new.db")
        one_line(new, "cannot make the database", "name another path")
    assert contents(folder) == before
    assert AnnotationStore(url, plan).current("a", token) is not None


def test_a_damaged_database_is_said_and_never_started_anew(plan: Plan, files: tuple[Path, ...], tmp_path: Path) -> None:
    """Cut, overwritten at the front, or in the middle: one line, and the file is left as it is."""
    url = tmp_path / "ratings.db"
    store = AnnotationStore(str(url), plan)
    for n, token in enumerate(plan.queue("a").tokens):
        save(store, "a", token, f"n{n}-{token}")
    store.close()
    whole = url.read_bytes()
    for spoilt in (b"x" * 4096 + whole[4096:], whole[:100] + b"\xff" * 20000 + whole[20100:], whole[: len(whole) // 3]):
        url.write_bytes(spoilt)
        export = inside("annotate", "export", files[0], "--map", files[1], "--db", url, "--out", tmp_path / "out")
        one_line(export, "the annotation database")
        assert not (tmp_path / "out").exists()
        assert url.read_bytes() == spoilt
    url.write_bytes(whole)
    assert len(saved(AnnotationStore(str(url), plan), plan)) == len(plan.queue("a").tokens)


@pytest.mark.slow
def test_clock_jump(plan: Plan, files: tuple[Path, ...], tmp_path: Path) -> None:
    """A correction that is made two days before what it corrects is the one that stands."""
    clock = jumping_clock(tmp_path / "clock")
    code = """
import os, sys, time
from pathlib import Path
from judges.annotation.database import AnnotationStore
from judges.annotation.plan import load_plan
plan = load_plan(sys.argv[2])
store, token = AnnotationStore(sys.argv[1], plan), plan.queue("a").tokens[0]
for n in range(2):
    values = {c.id: c.values[-n] for c in plan.criteria_of(token)}
    store.save("a", token, values, nonce=f"n{n}", shown_at=time.time(), position=0)
    Path(os.environ["CLOCK_JUMP"]).touch()
"""
    url = str(tmp_path / "ratings.db")
    subprocess.run([sys.executable, "-c", code, url, files[0]], cwd=ROOT, env=environment(clock.env), check=True)
    store, token = AnnotationStore(url, plan), plan.queue("a").tokens[0]
    first, second = sorted({(r.id, r.submitted_at) for r in store.history() if r.criterion == "refusal"})
    assert second[1] < first[1] - 86400, "or the clock did not jump"
    assert store.current("a", token) == {c.id: c.values[-1] for c in plan.criteria_of(token)}
    assert store.position("a")[0] == 1


@pytest.mark.slow
@pytest.mark.socket
def test_network_gone(plan: Plan, postgres: Server) -> None:  # noqa: F811
    """The database's server goes: one line, nothing acknowledged is lost, and it goes on when the server is back."""
    store = AnnotationStore(postgres.new_database(), plan)
    first, second, *_ = plan.queue("a").tokens
    assert save(store, "a", first, "n1")
    postgres.stop()
    try:
        with pytest.raises(AnnotationError, match=r"not saved: .*(connection was lost|nothing answers there)"):
            save(store, "a", second, "n2")
        with pytest.raises(AnnotationError, match="nothing answers there"):
            save(store, "a", second, "n2")
    finally:
        postgres.start()
    assert store.current("a", first) is not None and store.current("a", second) is None
    assert save(store, "a", second, "n2")
