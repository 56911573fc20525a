"""Archives of logs, whole, damaged, cut or elsewhere: what is in them is read, and what is no log is named."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import fsspec
import pytest
import zipfile_zstd  # noqa: F401  (teaches zipfile method 93)
from inspect_ai.log import read_eval_log, write_eval_log

import results.logs.reading as reading
from results.ingest import ingest, read_log
from results.logs.archive import TAIL, Archive, NoArchive, RemoteFile
from results.logs.files import find_logs, log_file
from results.logs.panels import read_runs
from results.logs.reading import LogError
from results.store import Store
from tests.support.logs import copy_log

pytestmark = pytest.mark.xdist_group("log_reading")  # with test_log_reading: the runs they share are made once


# --- what is no log --------------------------------------------------------------------------------------------------


def members(path: Path) -> dict[str, bytes]:
    with path.open("rb") as file:
        archive = Archive(file)
        return {name: archive.read(name) for name in archive._members}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, 93])
def test_every_compression_that_inspect_writes(method: int, logs: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members(logs["single"]).items():
            archive.writestr(name, data)
    assert members(path) == members(logs["single"])
    assert read_log(path)[0][1] == read_log(logs["single"])[0][1]


def test_a_member_in_several_frames(tmp_path: Path) -> None:
    import zstandard

    data = json.dumps(["x" * 50_000, "y" * 50_000]).encode()
    frames = b"".join(zstandard.compress(data[i : i + 30_000]) for i in range(0, len(data), 30_000))
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("header.json", frames)
    # The same bytes, said to be compressed: method, size and checksum are those of the content.
    raw = bytearray(path.read_bytes())
    import struct
    import zlib

    at = raw.index(b"PK\x01\x02")
    struct.pack_into("<H", raw, at + 10, 93)
    struct.pack_into("<I", raw, at + 16, zlib.crc32(data))
    struct.pack_into("<I", raw, at + 24, len(data))
    path.write_bytes(raw)
    with path.open("rb") as file:
        assert Archive(file).read("header.json") == data


def rewritten(source: Path, path: Path, method: int = zipfile.ZIP_DEFLATED, **changes: bytes | None) -> Path:
    """A copy of a log with other bytes for the first member of a name, or without it."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members(source).items():
            key = name.split("/")[0].removesuffix(".json")
            wanted = changes.pop(key, data)
            if wanted is not None:
                archive.writestr(name, wanted)
    assert not changes
    return path


def test_a_log_whose_members_are_no_log_s_is_named(logs: dict[str, Path], tmp_path: Path) -> None:
    huge = rewritten(logs["single"], tmp_path / "huge.eval")
    raw = bytearray(huge.read_bytes())
    at = raw.index(b"header.json", raw.index(b"PK\x01\x02")) - 46
    raw[at + 24 : at + 28] = (2**31 + 1).to_bytes(4, "little")
    huge.write_bytes(raw)
    older = json.dumps(json.loads(members(logs["single"])["header.json"]) | {"version": 1}).encode()
    bad = {
        huge: reading.NOT_A_LOG,
        # A way of packing that Inspect does not use.
        rewritten(logs["single"], tmp_path / "bz2.eval", zipfile.ZIP_BZIP2): reading.NOT_A_LOG,
        rewritten(logs["single"], tmp_path / "none.eval", summaries=None): reading.NO_SAMPLES,
        # Of an earlier layout, so that Inspect reads it.
        rewritten(logs["single"], tmp_path / "older.eval", header=older, summaries=b"[1]"): reading.NO_SAMPLES,
    }
    # Its ratings are in the summaries, its texts in the samples: the ratings go in.
    odd = rewritten(logs["epochs"], tmp_path / "odd.eval", samples=b"[]")
    report = ingest(Store(tmp_path / "store"), [*bad, odd, odd, tmp_path], texts=True)
    assert report.refused == {
        **{str(p): why for p, why in bad.items()}, str(odd): f"its ratings are in; {reading.NO_SAMPLES}",
    }  # fmt: skip
    assert len(report.written) == 1 and report.texts == []


def test_a_panel_without_a_score_is_named(logs: dict[str, Path], tmp_path: Path) -> None:
    log = read_eval_log(str(logs["single"]))
    for sample in log.samples or []:
        (sample.scores or {})["rubric_panel"].value = 1.0
    path = tmp_path / "bare.eval"
    write_eval_log(log, str(path))
    with pytest.raises(LogError, match=r"\(a panel without a single score\); copy it again, or leave it out"):
        read_log(path)


@pytest.mark.parametrize("where", ["long", "last"])
def test_what_every_score_repeats_wherever_it_stands(where: str, logs: dict[str, Path], tmp_path: Path) -> None:
    """Longer than it is looked for, and as the last of its record."""
    rows = json.loads(members(logs["single"])["summaries.json"])
    for row in rows:
        metadata = row["scores"]["rubric_panel"]["metadata"]
        panel = metadata.pop("panel")
        if where == "long":
            panel["name"] = "long " * 4000
            row["scores"]["rubric_panel"]["metadata"] = {"panel": panel, **metadata}
        else:
            metadata["panel"] = panel
    path = rewritten(logs["single"], tmp_path / "log.eval", summaries=json.dumps(rows, separators=(",", ":")).encode())
    ((manifest, table),) = read_log(path)
    ((other, expected),) = read_log(logs["single"])
    assert table == expected and manifest.panel.judges == other.panel.judges
    assert manifest.panel.name == ("long " * 4000 if where == "long" else other.panel.name)


def test_a_turn_that_does_not_fit_the_rubric_is_named(logs: dict[str, Path], tmp_path: Path) -> None:
    rows = json.loads(members(logs["dialogues"])["summaries.json"])
    metadata = rows[0]["scores"]["dialogue_panel"]["metadata"]
    name = next(k for k in metadata if k.startswith("turn"))
    metadata[name]["panel"].append([1.0, "ok"])
    path = rewritten(logs["dialogues"], tmp_path / "log.eval", summaries=json.dumps(rows).encode())
    with pytest.raises(LogError, match=r"turn 1 has 7 values for 6 criteria"):
        read_log(path)


def test_what_the_model_used_is_known_where_the_log_says_it(logs: dict[str, Path], tmp_path: Path) -> None:
    ((manifest, _),) = read_log(copy_log(logs["single"], tmp_path / "log.eval", "copy", {"stats": {}}))
    assert "model" not in manifest.usage and read_log(logs["single"])[0][0].usage["model"]["output_tokens"] > 0


def cuts(size: int) -> Iterator[int]:
    yield from (0, 1, 4, 30, 200)
    yield from range(500, size, max(1, size // 25))
    yield from (size - 1, size - 10, size - 30)


def test_half_a_log_is_named_and_stops_nothing(logs: dict[str, Path], tmp_path: Path) -> None:
    whole = logs["single"].read_bytes()
    folder = tmp_path / "logs"
    folder.mkdir()
    sizes = sorted(set(cuts(len(whole))))
    for size in sizes:
        (folder / f"half-{size:08d}.eval").write_bytes(whole[:size])
    (folder / "zz-good.eval").write_bytes(whole)
    report = ingest(Store(tmp_path / "store"), [folder])
    assert len(report.written) == 1
    assert len(report.refused) == len(sizes)
    assert set(report.refused.values()) == {reading.NOT_A_LOG}


def test_a_damaged_member_is_named(logs: dict[str, Path], tmp_path: Path) -> None:
    reasons: list[tuple[str, str]] = []
    with logs["single"].open("rb") as file:
        infos = {name: (i.header_offset, i.compress_size) for name, i in Archive(file)._members.items()}
    for name, message in (("summaries.json", reading.NO_SAMPLES), ("header.json", reading.NOT_A_LOG)):
        start, size = infos[name]
        for at in (start, start + 60, start + 40 + size // 2, start + 20 + size):
            raw = bytearray(logs["single"].read_bytes())
            raw[at] ^= 0x5A
            path = tmp_path / f"{name}-{at}.eval"
            path.write_bytes(raw)
            with suppress(LogError):
                read_log(path)
                continue
            with pytest.raises(LogError) as caught:
                read_log(path)
            reasons.append((message, str(caught.value)))
    # A flipped byte outside what is read changes nothing.
    assert len(reasons) >= 7
    assert all(expected == said for expected, said in reasons)


def test_a_member_that_grows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", 93) as archive:
        archive.writestr("header.json", b" " * 5_000_000)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x01\x02")
    raw[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(raw)
    with path.open("rb") as file, pytest.raises(NoArchive, match="damaged"):
        Archive(file).read("header.json")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.eval", b""), ("b.eval", b"not a zip"), ("c.json", b"{}"), ("d.json", b'{"version": 2'),
        ("e.json", b"[1, 2, 3]"), ("f.json", b'{"status": "success", "eval": {}}'),
    ],
)  # fmt: skip
def test_a_foreign_file_is_named(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    report = ingest(Store(tmp_path / "store"), [tmp_path / name])
    assert list(report.refused.values()) == [reading.NOT_A_LOG]


@pytest.mark.parametrize(
    "header", [b"[]", b"null", b'{"version": 2}', b'{"version": 2, "status": "success"}', b'{"version": 2, "eval": 1}']
)
def test_a_strange_header_is_named(header: bytes, logs: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", 93) as archive:
        for name, data in members(logs["single"]).items():
            archive.writestr(name, header if name == "header.json" else data)
    (reason,) = ingest(Store(tmp_path / "store"), [path]).refused.values()
    assert reason == reading.NOT_A_LOG or "has status" in reason


# --- logs elsewhere --------------------------------------------------------------------------------------------------


def test_a_log_elsewhere_says_the_same_until_it_changes(logs: dict[str, Path]) -> None:
    """In a file system of memory, as in any that is no disk of this machine."""
    elsewhere, url = fsspec.filesystem("memory"), "memory://runs/log.eval"
    whole = logs["single"].read_bytes()
    elsewhere.pipe("/runs/log.eval", whole)
    file, here = log_file(url), log_file(logs["single"])
    assert not file.local and file.size == here.size and file.sha256() == here.sha256()
    assert read_runs(file)[0][1] == read_runs(here)[0][1]
    assert [f.location for f in find_logs([url, "memory://runs", url], lambda *_: None)] == [file.location]
    elsewhere.pipe("/runs/log.eval", whole[:-100])
    with pytest.raises(LogError, match="only half of one"):
        read_runs(file)
    elsewhere.rm("/runs/log.eval")
    with pytest.raises(LogError, match="only half of one"):
        read_runs(file)
    for read in (file.sha256, lambda: log_file(url)):
        with pytest.raises(NoArchive, match=r"cannot be read \(FileNotFoundError\)"):
            read()


def test_a_log_that_goes_while_it_is_read(logs: dict[str, Path], tmp_path: Path) -> None:
    path = Path(shutil.copy(logs["single"], tmp_path / "log.eval"))
    file = log_file(path)
    path.unlink()
    with pytest.raises(LogError, match="only half of one"):
        read_runs(file)
    for read in (file.sha256, lambda: read_log(path)):
        with pytest.raises(ValueError, match=r"cannot be read \(No such file or directory\)"):
            read()


def test_of_a_large_remote_log_the_end_is_held_and_the_rest_comes_when_it_is_asked_for() -> None:
    out, first = io.BytesIO(), random.Random(1).randbytes(TAIL)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("samples/a.json", first)
        archive.writestr("header.json", b"{}")
    raw, asked = out.getvalue(), list[tuple[int, int]]()

    def fetch(start: int, end: int) -> bytes:
        asked.append((start, end))
        return raw[start:end]

    remote = RemoteFile(len(raw), fetch)
    assert remote.readable() and remote.seekable() and not remote.writable()
    opened = remote.open()
    assert opened.read("header.json") == b"{}" and asked == [(len(raw) - TAIL, len(raw))]
    assert opened.read("samples/a.json") == first and opened.read("header.json") == b"{}"
    assert asked[1:] == [(0, len(raw) - TAIL)], "one request brings all that was lacking"
    remote.seek(0, io.SEEK_END)
    assert remote.read() == b"" and remote.read(5) == b""
