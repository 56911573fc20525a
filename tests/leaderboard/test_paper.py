"""`psychosafe report` and `verify`: what the file says, that it is safe to open, and that it can be recomputed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from leaderboard.cli import main
from results.added import add_ratings
from results.manifest import ModelFacts, SourceFacts
from results.schema import Rating, ratings_table
from results.store import Store
from rubrics.expectations import DOMAINS
from tests.leaderboard.test_board import HOSTILE, manifest, put

N = 40


def command(name: str, *arguments: object) -> Any:
    return CliRunner().invoke(main, [name, *map(str, arguments)])


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs on two domains; one model has a hostile name, one value is missing, and a person rated two runs."""
    made = tmp_path_factory.mktemp("paper")
    store = Store(made)
    for k, (model, condition) in enumerate((("made", "baseline"), ("made", "prompted"), (HOSTILE, "baseline"))):
        m = manifest(model, condition, n=N, self_family=k == 2)
        items = [i.model_copy(update={"domain": DOMAINS[n % 2]}) for n, i in enumerate(m.items)]
        m = m.model_copy(update={"items": tuple(items), "model": ModelFacts(name=model, generation={"temperature": 0})})
        quality = [None if k == 1 and n == 3 else ((n * 7) % 10) / 20 + 0.2 * k for n in range(N)]
        put(store, m, {"quality": quality, "refusal": [float((n + k) % 3 > 0) for n in range(N)]})
        if k < 2:
            rows = [
                Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
                       origin="imported", criterion="refusal", value=float(n % 3 > 0), status="ok")
                for n, i in enumerate(items)
            ]  # fmt: skip
            judge = [Rating(**{**r, "rater": "judge-1", "rater_kind": "llm", "origin": "measured"}) for r in rows]  # type: ignore[typeddict-item]
            add_ratings(store, m.run_id, ratings_table([*rows, *judge]), SourceFacts(file="ada.csv", sha256="1"))
    return made


@pytest.fixture(scope="module")
def written(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    files = {suffix: folder / f"report.{suffix}" for suffix in ("md", "html", "tex")}
    for path in files.values():
        result = command("report", "--baseline", "made/baseline", "-o", path, "--store", root)
        assert result.exit_code == 0, result.output
    return files


def test_it_says_how_it_was_measured_what_came_out_and_what_speaks_against_it(written: dict[str, Path]) -> None:
    text = written["md"].read_text()
    for part in (
        "## Methods", "40 prompts of open 1.0", "temperature 0", "Judges: judge-1, a language model", "SHA-256",
        "## Results", "McNemar, exact", "By domain", "## Order of the systems", "Tied with the first",
        "## Agreement of judges and people", "One person rated", "## Limitations",
        "a judge is of the family of the model that it judges", "Quality rests on 39 of 40", "## Provenance",
        "@misc{psychosafe,",
    ):  # fmt: skip
        assert part in text, part


def test_no_name_breaks_out_of_any_format(written: dict[str, Path]) -> None:
    html = written["html"].read_text()
    assert "<script" not in html and "<img" not in html and "default-src 'none'" in html
    assert "@misc{psychosafe,\n  title" in html, "BibTeX keeps its lines"
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", html)
    assert "<script" not in re.sub(r"```.*?```", "", written["md"].read_text(), flags=re.S)
    body = written["tex"].read_text()
    assert body.count(r"\begin{table}") == body.count(r"\end{table}") and "<script>" in body


@pytest.mark.process
def test_the_latex_compiles(written: dict[str, Path], tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex on the path (apt-get install texlive-latex-recommended)")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"-output-directory={tmp_path}", written["tex"]],
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (tmp_path / "report.pdf").stat().st_size > 10_000


def test_every_format_is_recomputed_and_a_change_in_the_store_is_seen(
    root: Path, written: dict[str, Path], tmp_path: Path
) -> None:
    for path in written.values():
        result = command("verify", path, "--store", root)
        assert result.exit_code == 0 and "verified" in result.output, result.output
    copy = tmp_path / "store"
    shutil.copytree(root, copy)
    store = Store(copy)
    m = store.find("made/prompted")
    table = store.ratings([m.run_id]).to_pylist()
    own = [r for r in table if r["rater"] == "panel"]
    next(r for r in own if r["criterion"] == "refusal")["value"] = 0.0
    store.write(m, ratings_table(own))
    result = command("verify", written["md"], "--store", copy)
    assert result.exit_code == 1 and "come out otherwise" in result.output
    store.write(m.model_copy(update={"epochs": 2}), ratings_table(own))
    assert "its manifest is another one" in command("verify", written["html"], "--store", copy).output
    assert "not in" in command("verify", written["tex"], "--store", tmp_path / "empty").output


def test_what_cannot_be_written_or_verified_is_one_line(root: Path, tmp_path: Path) -> None:
    for arguments, message in (
        (("--baseline", "made/baseline", "-o", tmp_path / "a.docx"), "ends in .html, .md, .tex"),
        (("--baseline", "nothing", "-o", tmp_path / "a.md"), "no run 'nothing'"),
        (("--baseline", "made/baseline", "--runs", "made/baseline", "-o", tmp_path / "a.md"), "with itself"),
    ):
        result = command("report", *arguments, "--store", root)
        assert result.exit_code == 1 and message in result.output and result.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    other = tmp_path / "other.md"
    other.write_text("# something else")
    result = command("verify", other, "--store", root)
    assert result.exit_code == 1 and "no provenance" in result.output and result.output.count("\n") == 1
