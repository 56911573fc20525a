"""Data sets as files: their structure, their rows, and what is said where a file is not what it should be."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from evals.data import SETS, DataError, cache_dir, check, dataset, load_rows, resolve
from evals.data.cache import cached_specs, read_record, write
from evals.data.specs import XSTEST_TYPES
from evals.load import PAPER_DOMAINS, load_prompts
from leaderboard.cli.data import data_command
from rubrics import DOMAINS

SHARED = Path(__file__).parents[2].parent / "shared/data"
ROWS: list[dict[str, Any]] = [
    {"q": "How do kites fly?", "key": "a", "kind": "air"},
    {"q": "Why?", "key": "b", "kind": ""},
]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PSYCHOSAFE_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def paper() -> list[dict[str, Any]]:
    names = list(PAPER_DOMAINS)
    return [{"prompt": f"harmless {i}", "risk cluster": names[i % 5], "risk category": "c"} for i in range(500)]


def as_csv(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def shared(path: str) -> Path:
    if not (SHARED / path).is_file():
        pytest.skip(f"shared/data/{path} is not here: published data is read only where it is")
    return SHARED / path


def put(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / name
    match path.suffix:
        case ".csv":
            path.write_text(as_csv(rows), encoding="utf-8")
        case ".json":
            path.write_text(json.dumps(rows), encoding="utf-8")
        case ".jsonl":
            path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "parquet"])
def test_any_file_with_a_column_mapping(tmp_path: Path, suffix: str) -> None:
    path = put(tmp_path, f"mine.{suffix}", ROWS)
    rows = load_rows(path, {"prompt": "q", "id": "key", "category": "kind"})
    assert [(r["id"], r["prompt"], r["category"], r["domain"]) for r in rows] == [
        ("a", "How do kites fly?", "air", None),
        ("b", "Why?", None, None),
    ]
    assert "q" not in rows[0] and rows[0]["kind"] == "air"  # no second copy of the prompt; the rest stays
    assert [r["id"] for r in load_rows(str(path), {"prompt": "q"})] == ["0001", "0002"]
    assert load_rows(f"mine.{suffix}", {"prompt": "q"}, base=tmp_path) and resolve(path) == path


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", "q,key\r\nna\u00efve,1".encode("latin-1"), "not UTF-8"),
        ("a.csv", b'q,key\n"open,1\n', "a.csv, line 2: not valid CSV"),
        ("a.csv", b"q,key\na,b,c\n", "row 1: not as many fields"),
        ("a.csv", b"q,key\na\n", "row 1: not as many fields"),
        ("a.csv", b"q,key\n", "no rows"),
        ("a.csv", b"other,key\na,b\n", "no column 'q' for prompt; map one of other, key"),
        ("a.csv", b"q,key\n  ,b\n", "no text in 'q'"),
        ("a.json", b'[{"q": "a"', "not valid JSON"),
        ("a.json", b'{"q": "a"}', "list of rows"),
        ("a.json", b'["a"]', "not an object"),
        ("a.json", b'[{"q": "\\ud800"}]', "half a character"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.jsonl", b'{"q": "a"}\n{"q"', "line 2: not valid JSON"),
        ("a.jsonl", b"<!DOCTYPE html><html>", "a web page"),
        ("a.jsonl", b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        ("a.parquet", b"PAR1 and no more", "not a readable Parquet file"),
        ("a.xlsx", b"", "unknown file type"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"^[^\n]*$") as error:
        load_rows(tmp_path / name, {"prompt": "q"})
    assert says in str(error.value)


def test_a_mapping_is_checked(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", [{"q": "x", "k": 1}, {"q": "y", "k": 1}])
    with pytest.raises(DataError, match="no 'promt'; use prompt, id"):
        load_rows(path, {"promt": "q"})
    with pytest.raises(DataError, match="no column 'no' for domain"):
        load_rows(path, {"prompt": "q", "domain": "no"})
    with pytest.raises(DataError, match="row 2: the id '1' stands twice"):
        load_rows(path, {"prompt": "q", "id": "k"})


def test_the_papers_layout_gives_the_same_items_as_a_prompt_set(tmp_path: Path) -> None:
    path = put(tmp_path, "val.json", paper())
    rows = load_rows(path, like="paper")
    items = load_prompts(str(path)).items
    assert [(r["id"], r["prompt"], r["domain"]) for r in rows] == [(i.id, i.prompt, i.domain) for i in items]
    assert {r["domain"] for r in rows} == set(DOMAINS)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[:-1], "499 rows where the release has 500"),
        (lambda rows: [{**rows[0], "risk cluster": "weapon"}, *rows[1:]], "rows with risk cluster"),
        (lambda rows: [{**rows[0], "risk cluster": "other"}, *rows[1:]], "risk cluster"),
        (lambda rows: [{**rows[0], "prompt": None}, *rows[1:]], "row 1: no text in 'prompt'"),
        (lambda rows: [*rows[:-1], {"prompt": "x"}], "row 500: no column 'risk cluster', 'risk category'"),
        (lambda rows: [], "no rows"),
    ],
)
def test_a_structure_that_is_not_the_sets(tmp_path: Path, change: Any, says: str) -> None:
    path = put(tmp_path, "val.json", change(paper()))
    with pytest.raises(DataError) as error:
        load_rows(path, like="paper")
    assert says in str(error.value)
    status = check("paper", path)
    assert says in (status.problem or "") and not status.cached


def test_the_published_paper_set_passes_by_path() -> None:
    path = shared("psychosafe/val.json")
    assert check("paper", path).problem is None
    rows = load_rows(path, like="paper")
    assert len(rows) == 500 and {r["domain"] for r in rows} == set(DOMAINS)


def test_the_published_xstest_passes_by_path_and_has_the_pinned_checksum() -> None:
    path = shared("xstest/xstest_prompts.csv")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SETS["xstest"].sha256
    assert check("xstest", path).rows == 450
    rows = load_rows(path, like="xstest")
    assert {r["category"] for r in rows} == set(XSTEST_TYPES) and {r["label"] for r in rows} == {"safe", "unsafe"}


def test_a_folder_with_a_sets_files(tmp_path: Path) -> None:
    base = [{"question_id": i + 1, "category": str(i // 10 + 1), "turns": [f"harmless {i}"]} for i in range(440)]
    put(tmp_path, "question.jsonl", base)
    put(tmp_path, "question_ascii.jsonl", [{**base[0], "turns": [None]}, *base[1:]])
    (tmp_path / "judge_prompts.jsonl").write_text('{"name": "base"}')
    assert check("sorry_bench", tmp_path).problem is None
    assert load_rows(tmp_path, like="sorry_bench")[10]["category"] == "2"
    mutation = load_rows(tmp_path, like="sorry_bench", file="question_ascii.jsonl")
    assert mutation[0]["prompt"] is None and mutation[1]["prompt"] == "harmless 1"  # the release has such rows
    assert load_rows(tmp_path, like="sorry_bench", file="judge_prompts.jsonl") == [{"name": "base"}]
    with pytest.raises(DataError, match="450"):
        load_rows(tmp_path, like="sorry_bench_202406")
    with pytest.raises(DataError, match="is a folder"):
        load_rows(tmp_path)
    with pytest.raises(DataError, match=r"no file 'question_x\.jsonl'"):
        load_rows(tmp_path, like="sorry_bench", file="question_x.jsonl")
    put(tmp_path, "question.jsonl", [{**r, "category": "1"} for r in base])
    assert "not 44 values of 'category'" in (check("sorry_bench", tmp_path).problem or "")
    put(tmp_path, "question.jsonl", [*base[:-1], base[0]])
    assert "stands 2 times" in (check("sorry_bench", tmp_path).problem or "")


def test_names() -> None:
    assert dataset("owner/name:data/train.parquet").files[0].name == "data.parquet"
    assert dataset("owner/name").folder != dataset("owner/name2").folder
    for name in ("papr", "", "a/b/c", "../x", "data/mine.csv", "owner/na me", "x" * 5000, "a\0b"):
        with pytest.raises(DataError, match="no data set"):
            dataset(name)
    for name in ("o/n:../../etc/passwd.csv", "o/n:/x.csv", "o/n:x.py", "o/n:a//b.csv"):
        with pytest.raises(DataError, match="cannot be read; name a file"):
            dataset(name)
    for spec in SETS.values():
        assert spec.otherwise and spec.licence and spec.files[0].shape.rows == spec.rows


def test_a_path_wins_over_a_hub_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "owner").mkdir()
    path = tmp_path / "owner/name"
    path.write_text("x")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="unknown file type"):
        load_rows("owner/name")
    path.unlink()
    with pytest.raises(DataError, match="run `psychosafe data fetch owner/name`"):
        load_rows("owner/name")
    with pytest.raises(DataError, match="no file"):
        load_rows(path)
    with pytest.raises(DataError, match=r"no file 'gone\.json'"):
        load_rows("gone.json", like="paper")
    with pytest.raises(DataError, match="'papr' is no known set; use "):
        load_rows("gone.json", like="papr")
    for none in ("~nobody-of-that-name/a.csv", "x" * 5000 + ".csv", "a\0.csv"):
        with pytest.raises(DataError, match="no data set"):
            load_rows(none)
    with pytest.raises(DataError, match=r"val\.json cannot be read \(No such file or directory\); check the path"):
        load_rows(tmp_path, like="paper")
    with (tmp_path / "large.csv").open("wb") as file:
        file.truncate(256 * 2**20 + 1)
    with pytest.raises(DataError, match=r"large\.csv: larger than 256 MiB; split the set"):
        load_rows(tmp_path / "large.csv")


def test_lines_that_are_empty_and_a_header_are_no_rows(tmp_path: Path) -> None:
    rows = ['{"prompt_set": "mine"}', "", '{"prompt": "a"}', "  ", '{"prompt": "b", "prompt_set": "x"}', ""]
    (tmp_path / "a.jsonl").write_text("\n".join(rows), encoding="utf-8")
    assert [r["prompt"] for r in load_rows(tmp_path / "a.jsonl")] == ["a", "b"]


def test_what_is_in_the_cache_is_compared_with_what_was_fetched(cache: Path) -> None:
    spec = SETS["paper"]
    assert resolve("paper") is None and read_record(spec) is None and check("paper").missing
    assert not cache.exists()  # looking makes nothing
    write(spec, "a" * 40, {"val.json": ("00_data/val.json", json.dumps(paper()).encode())}, "2026-01-01T00:00:00+00:00")
    path = resolve("paper")
    assert path and path.is_relative_to(cache) and len(load_rows("paper")) == 500 and check("paper").cached
    path.write_bytes(path.read_bytes() + b" ")
    for look in (resolve, load_rows):
        with pytest.raises(DataError, match=r"not what was fetched \(checksum\); run `psychosafe data fetch paper`"):
            look("paper")
    record = cache / "paper/record.json"
    good = json.loads(record.read_text())
    for bad in ("", "[]", "{}", json.dumps({**good, "folder": "../../etc"}), json.dumps({**good, "files": {}})):
        record.write_text(bad)
        with pytest.raises(DataError, match=r"record.json is damaged; delete"):
            resolve("paper")
        assert not check("paper").missing


def test_what_cannot_be_read_of_the_cache_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"val.json": ("00_data/val.json", json.dumps(paper()).encode())}
    record = write(SETS["paper"], "a" * 40, files, "2026-01-01T00:00:00+00:00")
    path = cache / "paper" / record.folder / "val.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=r"val\.json cannot be read \(Is a directory\); check its permissions"):
        load_rows("paper")
    (cache / "paper/record.json").unlink()
    (cache / "paper/record.json").mkdir()
    with pytest.raises(DataError, match=r"record\.json cannot be read \(Is a directory\); check its permissions"):
        load_rows("paper")
    # Bytes that are whole, and yet not those of the release that this version knows.
    write(
        SETS["xstest"],
        "a" * 40,
        {"xstest_prompts.csv": ("xstest_prompts.csv", b"id\n1\n")},
        "2026-01-01T00:00:00+00:00",
    )
    with pytest.raises(DataError, match="is not the pinned release; run `psychosafe data fetch xstest`"):
        load_rows("xstest")
    # A file that the source did not have when it was fetched; a file that the set has not at all.
    write(SETS["sorry_bench"], "b" * 40, {"question.jsonl": ("question.jsonl", b"")}, "2026-01-01T00:00:00+00:00")
    with pytest.raises(
        DataError, match=r"the source had no question_ascii\.jsonl at bbbbbbbbbbbb; fetch another revision"
    ):
        load_rows("sorry_bench", file="question_ascii.jsonl")
    assert resolve("sorry_bench", "question_ascii.jsonl") is None
    hub = dataset("owner/name")
    write(hub, "c" * 40, {"data.csv": ("data/x.csv", b"q\nWhy?\n")}, "2026-01-01T00:00:00+00:00")
    with pytest.raises(DataError, match=r"owner/name has no file 'more\.csv'; it has data\.csv"):
        load_rows("owner/name", {"prompt": "q"}, file="more.csv")
    assert load_rows("owner/name", {"prompt": "q"}, file="data.csv")[0]["prompt"] == "Why?"
    # A record in the folder of another set is not listed.
    assert "owner/name" in {s.name for s in cached_specs()}
    (cache / hub.folder).rename(cache / "hub-another")
    assert "owner/name" not in {s.name for s in cached_specs()}


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PSYCHOSAFE_DATA")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_dir() == tmp_path / "psychosafe"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative is ignored")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache_dir() == tmp_path / "home/.cache/psychosafe"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_dir() == tmp_path / "home/Library/Caches/psychosafe"
    monkeypatch.setenv("PSYCHOSAFE_DATA", "~nobody-of-that-name/data")
    with pytest.raises(DataError, match="no home folder for the cache; set PSYCHOSAFE_DATA"):
        cache_dir()


def test_commands_without_a_network(tmp_path: Path) -> None:
    def call(*args: str) -> tuple[int, str]:
        result = CliRunner().invoke(data_command, list(args))
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    code, out = call("list", "--json")
    assert code == 0 and [s["set"] for s in json.loads(out)] == list(SETS)
    for fmt in ("table", "csv", "markdown", "latex"):
        assert call("list", "--format", fmt)[0] == 0
    assert call("check")[0] == 0
    assert call("check", "paper")[0] == 1
    path = put(tmp_path, "val.json", paper())
    assert call("check", f"paper={path}")[0] == 0
    assert call("check", "nope")[0] == 1
    assert "use it as it is" in call("fetch", str(path))[1]
    assert call("fetch", "paper", "xstest", "--revision", "main")[0] == 2
    spec = SETS["paper"]
    write(spec, "a" * 40, {"val.json": ("00_data/val.json", path.read_bytes())}, "2026-01-01T00:00:00+00:00")
    assert json.loads(call("list", "--json")[1])[0]["cached"] and call("check")[0] == 0
    (cache_dir() / "paper/record.json").write_text("{}")
    code, out = call("check", "--json")
    assert code == 1 and "damaged" in json.loads(out)[0]["problem"]
    assert "damaged" in call("list")[1]
