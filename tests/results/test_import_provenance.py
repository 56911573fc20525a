"""Every import keeps which file it was and what the file says of itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from results.added import added_sources
from results.importers.dates import dated, day_of
from results.manifest import SourceFacts
from results.store import Store
from tests.results.test_import_lm_eval import results
from tests.results.test_import_people_tools import USER, blinded, choice, pairs, write
from tests.results.test_import_sorry_bench import JUDGE, judgment
from tests.results.test_import_sorry_bench import write as write_lines
from tests.results.test_import_xstest import GPT
from tests.results.test_import_xstest import write as write_labels
from tests.support.people import import_cli, judgments

Made = tuple[Path, tuple[Any, ...]]
"""The file, and further arguments of the import."""


def human(folder: Path, store: Store) -> Made:
    return pairs(folder, blinded()), ("--answers", folder / "compare_all_judges.json")


def table(folder: Path, store: Store) -> Made:
    run = store.run_ids()[0]
    path = folder / "long.csv"
    item = store.manifest(run).items[0].id
    path.write_text(f"run_id,item_id,rater,criterion,value\n{run},{item},Anna,refusal,1\n")
    return path, ()


UNREADABLE = {
    "psychosafe": ("compare_all_judges.json", 0),
    "xstest": ("xstest_v2_completions_tiny_gpteval.csv", 64),
    "sorry-bench": ("judge.jsonl", 0),
    "lm-eval": ("results_2026-01-01.json", 256),
    "csv": ("long.csv", 64),
}
"""By layout a file's name, and how many MiB it may have."""


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that nobody can read")
@pytest.mark.parametrize("layout", UNREADABLE)
def test_a_file_that_cannot_be_read_or_is_too_large_is_refused_in_one_line(layout: str, tmp_path: Path) -> None:
    name, most = UNREADABLE[layout]
    store, path = Store(tmp_path / "store"), tmp_path / name
    # Its first byte cannot be read, by whoever.
    path.symlink_to("/proc/self/mem")
    says = [": cannot be read (Input/output error); check "]
    done = [import_cli(store, layout, path)]
    if most:
        path.unlink()
        with path.open("wb") as out:
            out.truncate(most * 2**20 + 1)
        says.append(f"{name}: larger than {most} MiB; ")
        done.append(import_cli(store, layout, path))
    for line, one in zip(says, done, strict=True):
        assert (one.exit_code, one.stdout, one.stderr.count("\n")) == (1, "", 1), one.output
        assert line in one.stderr
    assert not store.root.exists()


def place(store: Store) -> dict[str, str]:
    run = store.run_ids()[0]
    return {"run_id": run, "item_id": store.manifest(run).items[0].id}


def studio(folder: Path, store: Store) -> Made:
    done = [
        {"completed_by": n, "result": [choice("refusal", ["No"])], "created_at": f"2026-03-0{n}T09:00:00.000Z"}
        for n in (2, 4)
    ]
    return write(folder / "export.json", [{"id": 1, "data": place(store), "annotations": done}]), ()


def argilla(folder: Path, store: Store) -> Made:
    record = {
        "metadata": place(store),
        "responses": {"refusal": [{"value": "Yes", "user_id": USER}]},
        "inserted_at": "2026-03-01T10:00:00",
        "updated_at": "2026-03-05T10:00:00",
    }
    return write(folder / "records.json", [record]), ()


def sorry(folder: Path, store: Store) -> Made:
    rows = [judgment(n, 1, tstamp=1772323200.0 + 86400 * n) for n in (1, 2)]  # 2026-03-01 and a day or two
    return write_lines(folder / "model_judgment" / f"{JUDGE}.jsonl", rows), ()


RUNS: dict[str, tuple[Callable[[Path, Store], Made], str]] = {
    "psychosafe": (lambda folder, store: (judgments(folder, "own.json", answers=False), ()), "run v"),
    "xstest": (
        lambda folder, store: (write_labels(folder, "gpteval", GPT), ()),
        "read from xstest_v2_",
    ),
    "sorry-bench": (sorry, "1 files; styles base; rows dated 2026-03-02 to 2026-03-03"),
    "lm-eval": (
        lambda folder, store: (write(folder / "results_1.json", results()), ()),
        "lm-evaluation-harness 0.4.9, commit abcdef1, 2025-06-15T15:06:40+00:00",
    ),
}
PEOPLE: dict[str, tuple[Callable[[Path, Store], Made], str]] = {
    "psychosafe-humans": (human, "psychosafe-humans"),
    "csv": (table, "csv"),
    "label-studio": (studio, "label-studio; rows dated 2026-03-02 to 2026-03-04"),
    "argilla": (argilla, "argilla; rows dated 2026-03-05"),
}


@pytest.mark.parametrize("layout", [*RUNS, *PEOPLE])
def test_every_import_says_which_file_it_was(tmp_path: Path, layout: str) -> None:
    store = Store(tmp_path / "store")
    if layout in PEOPLE:
        assert import_cli(store, "psychosafe", judgments(tmp_path)).exit_code == 0
    before = set(store.run_ids())
    make, note = (RUNS | PEOPLE)[layout]
    path, more = make(tmp_path, store)
    done = import_cli(store, layout, path, *more)
    assert done.exit_code == 0, done.output
    sources: list[SourceFacts]
    if layout in PEOPLE:
        sources = [s for run in store.run_ids() for s in added_sources(store, run)]
    else:
        sources = [store.manifest(run).source for run in set(store.run_ids()) - before]
    raw = path.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    if layout == "sorry-bench":  # a folder of files is named by the hash of their hashes
        digest = hashlib.sha256(hashlib.sha256(raw).digest()).hexdigest()
    assert sources
    for source in sources:
        assert (source.file, source.size, source.sha256) == (path.name, len(raw), digest)
        assert str(source.note).startswith(note) and source.location is None


def test_days_of_time_stamps() -> None:
    assert day_of("2026-03-02T09:00:00Z") == day_of(1772409600) == day_of("2026-03-02") == "2026-03-02"
    for stamp in (None, True, "", "soon", "2026-03-021", "<b>", -1, float("nan"), 1e300, [1]):
        assert day_of(stamp) is None
    assert dated("x", [None, "2026-03-02"]) == "x; rows dated 2026-03-02" and dated("x", ["soon"]) == "x"
    assert json.dumps(dated("x", [1772409600, "2025-01-01"])) == '"x; rows dated 2025-01-01 to 2026-03-02"'
