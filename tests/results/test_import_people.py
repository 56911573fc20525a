"""People's ratings in tables: the long layout, spreadsheets with a mapping, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from evals.psychosafe import psychosafe
from judges.llm.classify import CATEGORIES, CRITERION
from results.added import added_sources
from results.importers.people_csv import read_csv
from results.importers.people_runs import Runs
from results.importers.sorry_bench import read_judgments as read_sorry
from results.importers.xstest import read_labels
from results.ingest import ingest
from results.schema import ratings_table
from results.store import Store
from tests.e2e.conftest import run_task, write_items
from tests.results.test_import_sorry_bench import judgment
from tests.results.test_import_sorry_bench import write as write_lines
from tests.results.test_import_xstest import pair
from tests.support.people import JUDGE, PROMPTS, contents, import_cli, import_judgments, judgments, people_rows

HEAD = ("run_id", "item_id", "rater", "criterion", "value")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two imported runs by the paper's rubric, and one that was measured here by the default rubric."""
    folder = tmp_path_factory.mktemp("people")
    store = Store(folder / "store")
    import_judgments(store, judgments(folder))
    log = run_task(psychosafe(prompts=str(write_items(folder))), "policy/blunt", folder)
    assert not ingest(store, [Path(log.location)], figures=False).refused
    return store


@pytest.fixture
def store(base: Store, tmp_path: Path) -> Store:
    shutil.copytree(base.root, tmp_path / "store")
    return Store(tmp_path / "store")


@pytest.fixture(scope="module")
def v0(base: Store) -> str:
    return next(r for r in base.run_ids() if "_v0_" in r)


@pytest.fixture(scope="module")
def v1(base: Store) -> str:
    return next(r for r in base.run_ids() if "_v1_" in r)


@pytest.fixture(scope="module")
def own(base: Store) -> str:
    return next(m.run_id for m in base.manifests() if m.origin == "measured")


@pytest.fixture(scope="module")
def items(base: Store, v0: str) -> list[str]:
    """Ids of the imported items, in the order of `PROMPTS`."""
    return [Runs(base).items_of(v0, prompt)[0] for prompt in PROMPTS]


def table(path: Path, rows: Sequence[Sequence[Any]], head: Sequence[str] = HEAD, sep: str = ",") -> Path:
    text = "".join(sep.join(map(str, row)) + "\n" for row in (head, *rows))
    path.write_text(text, encoding="utf-8")
    return path


def refused(done: Result) -> str:
    """The one line with which a command gave up."""
    assert done.exit_code == 1, done.output
    assert isinstance(done.exception, SystemExit)
    (line,) = done.stderr.splitlines()
    assert done.stdout == ""
    return line


def by_key(store: Store) -> dict[tuple[str, str, str, int], tuple[float | None, str | None]]:
    return {
        (r["rater"], r["item_id"], r["criterion"], r["repeat"]): (r["value"], r["status"]) for r in people_rows(store)
    }


def test_long_layout_with_numbers_labels_gaps_and_two_runs(
    store: Store, v0: str, v1: str, items: list[str], tmp_path: Path
) -> None:
    a, b, _ = items
    path = table(
        tmp_path / "long.csv",
        [
            (v0, a, "Anna", "refusal", "Yes", "", "", ""),
            (v0, a, "Anna", "grounding", "4", "1", "", "ok"),
            (v0, a, "Anna", "grounding", "5.0", "1", "1", ""),
            (v0, b, "Anna", "references", "no", "", "", ""),
            (v0, b, "Bo", "relevance", "", "", "", "skipped"),
            (v1, b, "Bo", "relevance", "", "", "", ""),
            ("", "", "", "", "", "", "", ""),
        ],
        ("Run ID", *HEAD[1:], "epoch", "Repeat", "status"),
    )
    done = import_cli(store, "csv", path)
    assert done.exit_code == 0, done.output
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [["added", v0], ["added", v1]]
    assert "5 ratings by Anna, Bo" in done.stdout and "1 rating by Bo" in done.stdout
    assert {k: v for k, v in by_key(store).items() if k[0] == "Anna"} == {
        ("Anna", a, "refusal", 0): (1.0, "ok"),
        ("Anna", a, "grounding", 0): (4.0, "ok"),
        ("Anna", a, "grounding", 1): (5.0, "ok"),
        ("Anna", b, "references", 0): (0.0, "ok"),
    }
    gaps = {r["run_id"]: (r["value"], r["status"]) for r in people_rows(store) if r["rater"] == "Bo"}
    assert gaps == {v0: (None, "skipped"), v1: (None, None)}
    assert {(r["origin"], r["epoch"], r["turn"]) for r in people_rows(store)} == {("imported", 1, 0)}
    (source,) = added_sources(store, v0)
    assert (source.file, source.note) == ("long.csv", "csv")
    # The same again, and the same with one row more.
    before = contents(store)
    again = import_cli(store, "csv", path)
    assert again.exit_code == 0 and {line.split()[0] for line in again.stdout.splitlines()} == {"unchanged"}
    assert contents(store) == before
    longer = table(tmp_path / "longer.csv", [(v0, a, "Anna", "refusal", 1), (v0, a, "Anna", "relevance", 2)])
    more = import_cli(store, "csv", longer)
    assert "(1 rating by Anna, 1 there already)" in more.stdout
    other = table(tmp_path / "other.csv", [(v0, a, "Anna", "refusal", 0)])
    assert "has rated refusal" in refused(import_cli(store, "csv", other))


def test_json_lines_tabs_and_a_mark_at_the_start(store: Store, v0: str, items: list[str], tmp_path: Path) -> None:
    rows = [
        dict(zip(HEAD, (v0, items[0], "Anna", "refusal", True), strict=True)),
        dict(zip(HEAD, (v0, items[0], 7, "grounding", 2), strict=True)) | {"repeat": 0, "comment": "x" * 300_000},
    ]
    lines = tmp_path / "rows.jsonl"
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert import_cli(store, "csv", lines).exit_code == 0
    tabs = table(tmp_path / "rows.tsv", [(v0, items[1], "Anna", "refusal", "No")], sep="\t")
    tabs.write_text("\ufeff" + tabs.read_text(encoding="utf-8"), encoding="utf-8")
    assert import_cli(store, "csv", tabs).exit_code == 0
    assert by_key(store) == {
        ("Anna", items[0], "refusal", 0): (1.0, "ok"),
        ("7", items[0], "grounding", 0): (2.0, "ok"),
        ("Anna", items[1], "refusal", 0): (0.0, "ok"),
    }


def test_categories_of_a_measured_run_by_name_and_index(store: Store, own: str, tmp_path: Path) -> None:
    path = table(
        tmp_path / "own.csv",
        [(own, "r1", "Anna", "harm_provided", "Partial"), (own, "r2", "Anna", "harm_provided", "2")],
    )
    assert import_cli(store, "csv", path).exit_code == 0
    assert [v for v, _ in by_key(store).values()] == [1.0, 2.0]


def test_people_that_a_published_run_has_already(store: Store, tmp_path: Path) -> None:
    (manifest, ratings), *_ = read_labels(pair(tmp_path)[0])
    store.write(manifest, ratings_table(ratings))
    item = manifest.items[0].id
    head = (manifest.run_id, item)
    path = table(
        tmp_path / "more.csv", [(*head, "Annotation_1", CRITERION, 0), (*head, "Anna", CRITERION, CATEGORIES[2])]
    )
    assert "1 of 2" in refused(import_cli(store, "csv", path))
    done = import_cli(store, "csv", path, "--keep-good")
    assert "row 1: the rater 'Annotation_1' has the name of a judge" in done.stderr
    added = [r for r in people_rows(store) if r["rater"] == "Anna"]
    assert [(r["item_id"], r["value"]) for r in added] == [(item, 2.0)]


BAD = [
    ({"run_id": "nobody"}, "no run 'nobody' in the store"),
    ({"run_id": "../../etc"}, "no run '../../etc' in the store"),
    ({"run_id": ""}, "no run_id"),
    ({"item_id": "p-none"}, "has no item 'p-none'"),
    ({"epoch": "2"}, "no response of"),
    ({"turn": 1}, "no response of"),
    ({"epoch": "one"}, "epoch is 'one'"),
    ({"repeat": -1}, "repeat is -1"),
    ({"criterion": "kindness"}, "'kindness' is no criterion of the run (refusal, grounding, references, relevance)"),
    ({"value": 2}, "2 is not on the scale of refusal (0, 1)"),
    ({"value": "maybe"}, "'maybe' is not on the scale"),
    ({"value": "x" * 200_000}, "is not on the scale"),
    ({"value": [1]}, "a list is not on the scale"),
    ({"criterion": "grounding", "value": "3.5"}, "'3.5' is not on the scale of grounding (1, 2, 3, 4, 5)"),
    ({"criterion": "grounding", "value": True}, "True is not on the scale"),
    ({"criterion": "grounding", "value": float("nan")}, "nan is not on the scale"),
    ({"criterion": "grounding", "value": 10**400}, "is not on the scale"),
    ({"status": "judge_refused"}, "is none of a person's"),
    ({"status": "skipped"}, "status skipped beside a value"),
    ({"value": None, "status": "ok"}, "status ok without a value"),
    ({"rater": "=HYPERLINK(1)"}, "starts as a spreadsheet's formula"),
    ({"rater": "@sum"}, "starts as a spreadsheet's formula"),
    ({"rater": "somebody@example.org"}, "e-mail address"),
    ({"rater": JUDGE.upper()}, "has the name of a judge"),
    ({"rater": "Panel"}, "has the name of a judge"),
    ({"rater": "description"}, "has the name of a judge"),
    ({"rater": "half \ud800 a character"}, "cannot be printed"),
    ({"rater": "two\nlines"}, "cannot be printed"),
    ({"rater": "n" * 81}, "longer than 80"),
    ({"rater": " "}, "no rater"),
    ({"item_id": "\ud83d"}, "has no item"),
    ({"rater_kind": "llm"}, "only people's ratings"),
]


def test_every_bad_row_is_refused_with_its_reason_and_the_good_ones_only_on_request(
    store: Store, v0: str, items: list[str], tmp_path: Path
) -> None:
    good = dict(zip(HEAD, (v0, items[0], "Anna", "refusal", 1), strict=True))
    other = good | {"item_id": items[1]}
    rows = [good, *(good | {"item_id": items[2]} | change for change, _ in BAD), other]
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join([*map(json.dumps, rows), "[1]", "{"]), encoding="utf-8")
    before = contents(store)
    line = refused(import_cli(store, "csv", path))
    assert f"{len(BAD) + 2} of {len(rows) + 2} ratings cannot be used: bad.jsonl, line 2: {BAD[0][1]}" in line
    assert f"and {len(BAD) - 1} more" in line and "--keep-good" in line and len(line) < 700
    assert contents(store) == before, "nothing is written"
    done = import_cli(store, "csv", path, "--keep-good")
    assert done.exit_code == 1
    left_out = done.stderr.splitlines()
    assert len(left_out) == len(BAD) + 2
    for n, (text, (_, why)) in enumerate(zip(left_out, BAD, strict=False), 2):
        assert text.startswith(f"left out  bad.jsonl, line {n}: ") and why in text and len(text) < 300, (text, why)
    assert left_out[-2].endswith("no JSON object") and left_out[-1].endswith("not valid JSON")
    assert {k[1] for k in by_key(store)} == {items[0], items[1]}
    # Again: the good rows are there, the bad ones as bad as before.
    before = contents(store)
    again = import_cli(store, "csv", path, "--keep-good")
    assert again.exit_code == 1 and again.stdout.startswith("unchanged") and contents(store) == before


def test_rows_that_stand_twice(store: Store, v0: str, items: list[str], tmp_path: Path) -> None:
    one = (v0, items[0], "Anna", "refusal", 1)
    two = (v0, items[1], "Anna", "refusal", 1)
    path = table(tmp_path / "twice.csv", [one, two, one, (*two[:4], 0)])
    assert "2 of 4" not in refused(import_cli(store, "csv", path))
    done = import_cli(store, "csv", path, "--keep-good")
    assert [line.split(": ")[0] for line in done.stderr.splitlines()] == [
        f"left out  twice.csv, row {n}" for n in (2, 3, 4)
    ]
    assert "row 4 with another value" in done.stderr and "stands at twice.csv, row 1 already" in done.stderr
    assert list(by_key(store)) == [("Anna", items[0], "refusal", 0)], "which of two values is meant cannot be told"
    # Across files as well, before either is written.
    more = [table(tmp_path / f"{x}.csv", [(v0, items[2], "Bo", "refusal", 1)]) for x in "ab"]
    before = contents(store)
    assert "b.csv, row 1: the same rating stands at a.csv, row 1" in refused(import_cli(store, "csv", *more))
    assert contents(store) == before


def test_one_file_is_by_one_rubric(store: Store, v0: str, v1: str, own: str, items: list[str], tmp_path: Path) -> None:
    path = table(
        tmp_path / "mixed.csv",
        [
            (v0, items[0], "Anna", "refusal", 1),
            (own, "r1", "Anna", "refusal", 1),
            (v1, items[0], "Anna", "refusal", 1),
        ],
    )
    before = contents(store)
    line = refused(import_cli(store, "csv", path))
    assert "1 of 3" in line and f"row 2: {own} is rated by another rubric than {v0}" in line
    assert contents(store) == before
    assert import_cli(store, "csv", path, "--keep-good").exit_code == 1
    assert {r["run_id"] for r in people_rows(store)} == {v0, v1}


@pytest.mark.parametrize(
    ("raw", "name", "why"),
    [
        (b"", "a.csv", "empty"),
        (b"\xef\xbb\xbf \n", "a.csv", "empty"),
        ("run_id".encode("utf-16"), "a.csv", "UTF-16; save it as UTF-8"),
        ("run_id,item_id\nJosé".encode("latin-1"), "a.csv", "not UTF-8 at byte 18"),
        (b"run_id,item_id,rater,criterion,value\n", "a.csv", "no ratings in it"),
        (b"run_id;item_id;rater;criterion;value\n1;2;3;4;5\n", "a.csv", "separated by ';'"),
        (b"run_id,item_id,rater,criterion\n", "a.csv", "no column value"),
        (b"run_id,item_id,rater,criterion,value,value\n", "a.csv", "'value' stands twice"),
        (b"run_id,item_id,rater,criterion,value,Value\n", "a.csv", "the column value stands twice"),
        (b"run_id,item_id,rater,criterion,value,stauts\n", "a.csv", "'stauts' looks like status"),
        (b'run_id,item_id,rater,criterion,value\n"open,1,2,3,4\n', "a.csv", "a.csv, line 2: not valid CSV"),
        (b"run_id,item_id,rater,criterion,value\n1,2,3,4\n1,2,3,4,5,6\n", "a.csv", "another number of fields"),
        (b"run_id\n", "a.xlsx", "unknown suffix"),
    ],
)
def test_files_that_are_no_table(store: Store, tmp_path: Path, raw: bytes, name: str, why: str) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    before = contents(store)
    assert why in refused(import_cli(store, "csv", path))
    assert contents(store) == before


def test_a_spreadsheet_with_a_row_for_each_item_and_person(
    store: Store, v0: str, items: list[str], tmp_path: Path
) -> None:
    sheet = table(
        tmp_path / "sheet.csv",
        [
            (f'"{PROMPTS[1]}  "', "Anna", "YES", 3, ""),
            (f'"{PROMPTS[0]}"', "Anna", "n/a", 4, ""),
            (f'"{PROMPTS[0]}"', "Bo", "", "", ""),
        ],
        ("Question", "Name", "Refused?", "Grounding", "Remarks"),
    )
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        f"run: {v0[:-3]}\nprompt: Question\nrater: {{column: Name}}\ncriteria:\n"
        '  refusal: {column: "Refused?", values: {yes: 1, no: 0, "n/a": skipped}}\n  grounding: {column: Grounding}\n',
        encoding="utf-8",
    )
    done = import_cli(store, "csv", sheet, "--mapping", mapping)
    assert done.exit_code == 0, done.output
    a, b, _ = items
    assert by_key(store) == {
        ("Anna", b, "refusal", 0): (1.0, "ok"), ("Anna", b, "grounding", 0): (3.0, "ok"),
        ("Anna", a, "refusal", 0): (None, "skipped"), ("Anna", a, "grounding", 0): (4.0, "ok"),
        ("Bo", a, "refusal", 0): (None, None), ("Bo", a, "grounding", 0): (None, None),
    }  # fmt: skip
    bad = table(tmp_path / "bad.csv", [("no such message", "Bo", "maybe", 3, ""), (PROMPTS[2], "Bo", "maybe", 9, "")],
                ("Question", "Name", "Refused?", "Grounding", "Remarks"))  # fmt: skip
    line = refused(import_cli(store, "csv", bad, "--mapping", mapping))
    assert f"row 1: {v0} has no item with this prompt" in line
    assert "row 2, 'Refused?': 'maybe' is not among the mapping's values (yes, no, n/a)" in line
    assert "row 2, 'Grounding': '9' is not on the scale" in line
    assert "no such message" not in line, "texts stay out of messages"


def test_rows_of_a_spreadsheet_that_name_no_place_or_no_person(store: Store, v0: str, tmp_path: Path) -> None:
    # The prompts of a run of SORRY-Bench are not known.
    judged = write_lines(tmp_path / "model_judgment" / "j.jsonl", [judgment(1, 0)])
    ((sorry, ratings),) = read_sorry(judged)
    store.write(sorry, ratings_table(ratings))
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        "run: {column: Run}\nprompt: Question\nrater: {column: Name}\ncriteria: {refusal: {column: Refused}}\n",
        encoding="utf-8",
    )
    good = {"Run": v0, "Question": PROMPTS[0], "Name": "Anna", "Refused": "Yes"}
    bad = [
        ({"Question": " "}, "no prompt in 'Question'"), ({"Question": 3}, "no prompt in 'Question'"),
        ({"Run": ""}, "no run in 'Run'"), ({"Run": "gone"}, "no run 'gone' in the store"),
        ({"Question": "half \ud83d of one"}, f"{v0} has no item with this prompt"),
        ({"Run": sorry.run_id}, f"{sorry.run_id} has no item with this prompt"),
        ({"Name": ""}, "no rater; name the person, a code is enough"),
    ]  # fmt: skip
    path = tmp_path / "rows.jsonl"
    lines = [*map(json.dumps, (good, *(good | change for change, _ in bad))), "[1]"]
    path.write_text("\n \n".join(lines), encoding="utf-8")
    done = import_cli(store, "csv", path, "--mapping", mapping, "--keep-good")
    assert done.exit_code == 1 and "(1 rating by Anna)" in done.stdout
    left_out = done.stderr.splitlines()
    assert len(left_out) == len(bad) + 1
    for n, (text, why) in enumerate(zip(left_out, (*(w for _, w in bad), "no JSON object"), strict=True)):
        # Blank lines are counted, and nothing else.
        assert text.startswith(f"left out  rows.jsonl, line {2 * n + 3}") and why in text, text
    assert [r["rater"] for r in people_rows(store)] == ["Anna"]


def test_a_spreadsheet_with_a_column_for_each_person(store: Store, own: str, tmp_path: Path) -> None:
    """Of a measured run, whose items are hashed with what is expected of an answer; found by text all the same."""
    prompts = [json.loads(line)["prompt"] for line in write_items(tmp_path).read_text().splitlines()]
    head = ("Run", "Prompt", "Anna: harm", "Bo: harm")
    rows = [(own, f'"{prompts[0]}"', "none", "full"), (own, f'"{prompts[3]}"', "partial", "")]
    sheet = table(tmp_path / "sheet.csv", rows, head)
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        'run: {column: Run}\nprompt: Prompt\ncolumns:\n  "Anna: harm": {rater: Anna, criterion: harm_provided}\n'
        '  "Bo: harm": {rater: Bo, criterion: harm_provided}\n',
        encoding="utf-8",
    )
    done = import_cli(store, "csv", sheet, "--mapping", mapping)
    assert done.exit_code == 0, done.output
    assert {k: v for k, (v, _) in by_key(store).items()} == {
        ("Anna", "r1", "harm_provided", 0): 0.0, ("Bo", "r1", "harm_provided", 0): 2.0,
        ("Anna", "n1", "harm_provided", 0): 1.0, ("Bo", "n1", "harm_provided", 0): None,
    }  # fmt: skip
    short = table(tmp_path / "short.csv", [(own, "x", "none")], head[:3])
    assert "no column 'Bo: harm'; the mapping names it" in refused(
        import_cli(store, "csv", short, "--mapping", mapping)
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("item: a\nprompt: b\n", "give item or prompt, not both"),
        ("criteria: {refusal: {column: a}}\ncolumns: {b: {rater: c, criterion: d}}\n", "not both"),
        ("criteria: {refusal: a}\n", "criteria.refusal"),
        ("criterion: {refusal: {column: a}}\n", "criterion"),
        ("#" * 100_001, "longer than 100,000 characters"),
        ("item: a\nitem: b\n", "line 2: 'item' stands twice"),
        ("criteria: &x {refusal: *x}\n", "a part that holds itself"),
        ("criteria: [\n", "not valid YAML at line"),
        ("- a\n", "valid dictionary"),
        ("item: a\n", "neither criteria nor columns"),
        ("run: nobody\ncriteria: {refusal: {column: value}}\n", "no run 'nobody'"),
        ("criteria: {refusal: {column: Absent}}\n", "no column 'Absent'"),
    ],
)
def test_mappings_that_cannot_be_used(store: Store, tmp_path: Path, text: str, why: str) -> None:
    mapping = tmp_path / "map.yaml"
    mapping.write_text(text, encoding="utf-8")
    sheet = table(tmp_path / "s.csv", [("r", "i", "Anna", "refusal", 1)])
    assert why in refused(import_cli(store, "csv", sheet, "--mapping", mapping))


def test_a_run_that_cannot_be_written_takes_the_others_back(
    store: Store, v0: str, v1: str, items: list[str], tmp_path: Path
) -> None:
    path = table(tmp_path / "both.csv", [(r, items[0], "Anna", "refusal", 1) for r in (v0, v1)])
    (store.runs_dir / v1 / "added").symlink_to(tmp_path / "nowhere")
    assert "cannot write to the store" in refused(import_cli(store, "csv", path))
    assert people_rows(Store(store.root)) == []


def test_options_belong_to_formats(store: Store, v0: str, items: list[str], tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [(v0, items[0], "Anna", "refusal", 1)])
    for option in (["--rater", "Anna"], ["--answers", path], ["--release", "202406"]):
        done = import_cli(store, "csv", path, *option)
        assert done.exit_code == 2 and f"{option[0]} belongs to" in done.output
    assert import_cli(store, "psychosafe", path, "--keep-good").exit_code == 2
    assert len(read_csv(path, Runs(store)).entries) == 1
