"""`psychosafe verify`: a changed store and a changed file are found, with the place; a foreign file is refused."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from leaderboard.cli import main
from leaderboard.paper.file import mark_line, text_digest
from leaderboard.paper.verify import _FOUND, _differences
from results.schema import ratings_table
from results.store import Store


def verify(path: Path, store: Path) -> Any:
    return CliRunner().invoke(main, ["verify", str(path), "--store", str(store)])


def test_every_format_comes_out_as_it_was_written(paper_store: Path, paper_files: dict[str, Path]) -> None:
    for path in paper_files.values():
        result = verify(path, paper_store)
        assert result.exit_code == 0 and "verified" in result.output and "note" not in result.output, result.output


def _digit(text: str, pattern: str) -> str:
    """The text with one digit of the first match raised."""
    match = re.search(pattern, text)
    assert match is not None, pattern
    at = match.start(1)
    return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]


@pytest.mark.parametrize(
    ("suffix", "change", "told"),
    [
        ("md", lambda t: _digit(t, r"\| Quality \| 0\.(\d)"), ("baseline (data", "'| Quality | 0.")),
        ("html", lambda t: _digit(t, r">Quality</th><td[^>]*>0\.(\d)"), ("baseline (data", "'Quality 0.")),
        ("html", lambda t: _digit(t, r'class="marker[^>]* points="\d(\d)'), ("Differences from", "points=")),
        ("html", lambda t: t.replace("One person rated: how", "Two people rated: how"), ("Limitations", "Two people")),
        ("tex", lambda t: _digit(t, r"(?m)^Quality & 0\.(\d)"), ("baseline (data", "'Quality & 0.")),
        ("tex", lambda t: re.sub(r"(?m)^No revision is on record.*\n", "", t), ("Limitations", "is missing")),
    ],
)  # fmt: skip
def test_a_changed_file_is_found_with_the_place(
    suffix: str, change: Callable[[str], str], told: tuple[str, str], paper_store: Path, paper_files: dict[str, Path],
    tmp_path: Path,
) -> None:  # fmt: skip
    """One digit of a table, the place of a marker, a sentence that was made kinder or left out."""
    text = paper_files[suffix].read_text()
    altered = tmp_path / f"report.{suffix}"
    altered.write_text(change(text))
    assert altered.read_text() != text
    result = verify(altered, paper_store)
    lines = [line for line in result.output.splitlines() if line.startswith("differs")]
    assert result.exit_code == 1 and len(lines) == 1, result.output
    assert all(part in lines[0] for part in told), lines


def test_changes_above_the_first_heading_and_those_that_no_reader_sees() -> None:
    assert list(_differences("One word.\n\n# T", "Another.\n\n# T", ".md")) == [
        "'One word.' stands there, and the store gives 'Another.'"
    ]
    old, new = (f'<h2>T</h2><p lang="{x}">The same.</p>' for x in ("en", "xx"))
    (line,) = _differences(old, new, ".html")
    assert line.startswith("under 'T': ") and "is drawn, and the store gives" in line and 'lang="xx"' in line


def test_a_change_in_the_store_is_seen(paper_store: Path, paper_files: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(paper_store, copy)
    store = Store(copy)
    m = store.find("made/prompted")
    own = [r for r in store.ratings([m.run_id]).to_pylist() if r["rater"] == "panel"]
    next(r for r in own if r["criterion"] == "refusal")["value"] = 0.0
    store.write(m, ratings_table(own))
    result = verify(paper_files["md"], copy)
    assert result.exit_code == 1 and "come out otherwise" in result.output and "| Refusal |" in result.output
    store.write(m.model_copy(update={"epochs": 2}), ratings_table(own))
    assert "its manifest is another one" in verify(paper_files["html"], copy).output
    assert "not in" in verify(paper_files["tex"], tmp_path / "empty").output


def test_another_version_is_said_and_only_figures_are_compared(
    paper_store: Path, paper_files: dict[str, Path], tmp_path: Path
) -> None:
    text = paper_files["md"].read_text()
    [mark] = _FOUND.finditer(text)
    told = json.loads(mark[1])
    older = {**told, "software": {"psychosafe-eval": "0.0.9"}}
    worded = text.replace(mark[0], "").replace("What is missing is not random.", "Old words.")
    path = tmp_path / "report.md"
    path.write_text(worded.replace("<!--  -->", f"<!-- {mark_line({**older, 'text': text_digest(worded)})} -->"))
    result = verify(path, paper_store)
    assert result.exit_code == 0, result.output
    assert "written by psychosafe-eval 0.0.9; this is psychosafe-eval" in result.output
    path.write_text(path.read_text().replace("Old words.", "New words."))
    result = verify(path, paper_store)
    assert result.exit_code == 1 and "changed after it was written" in result.output
    # The digest of the figures alone, made up.
    path.write_text(text.replace(mark[0], mark_line({**told, "figures": "0" * 64})))
    assert "come out otherwise" in verify(path, paper_store).output
    path.write_text(text.replace(mark[0], mark_line({**told, "text": "0" * 64})))
    assert "the mark at the end of the file was changed" in verify(path, paper_store).output


def test_what_cannot_be_verified_is_one_line(paper_store: Path, paper_files: dict[str, Path], tmp_path: Path) -> None:
    text = paper_files["md"].read_text()
    [mark] = _FOUND.finditer(text)
    told = json.loads(mark[1])
    for name, content, message in (
        ("a.md", "# something else", "no provenance"),
        ("a.txt", text, "ends in .html"),
        ("a.md", text.replace(mark[1], "{no JSON}"), "cannot be read as a report"),
        ("a.md", text.replace(mark[0], mark_line({**told, "version": 1})), "another version"),
        ("a.md", text.replace(mark[0], mark_line({**told, "margin": "wide"})), "damaged"),
        ("a.md", text.replace(mark[0], mark_line({**told, "baseline": "../../x"})), "damaged"),
        ("a.md", text.replace(mark[0], mark_line({**told, "manifests": {}})), "other runs than hashes"),
    ):
        path = tmp_path / name
        path.write_text(content)
        result = verify(path, paper_store)
        assert result.exit_code == 1 and message in result.output and result.output.count("\n") == 1, result.output
