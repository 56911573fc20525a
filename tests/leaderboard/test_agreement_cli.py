"""`psychosafe agreement` as a user types it: formats, sentences, checklist, errors."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from judges.agreement.measured import measured
from leaderboard.agreement.checklist import checklist
from leaderboard.agreement.corrections import corrected_figures
from leaderboard.agreement.detail import long_rows
from leaderboard.agreement.figures import figures
from leaderboard.agreement.layout import chapters
from leaderboard.agreement.words import COLUMNS, NAMES, number
from leaderboard.cli import main
from leaderboard.cli.common import p_value
from results.added import add_ratings
from results.agreement import agreement_report
from results.agreement_records import AgreementReport
from results.manifest import RubricFacts, ScaleFacts, SourceFacts
from results.schema import Rating, ratings_table
from results.store import Store
from tests.support.made_runs import HOSTILE, manifest

N = 50


def run(store: Path, *arguments: str) -> Any:
    return CliRunner().invoke(main, ["agreement", "--store", str(store), *arguments])


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference case: 50 responses, a person who says Yes to 48, a judge that says Yes to all.

    Another judge fails at times, and bears a name that would be markup, LaTeX and a formula.
    """
    root = tmp_path_factory.mktemp("reference")
    store, m = Store(root), manifest("made", n=N)

    def rows(rater: str, kind: str, values: list[float | None]) -> list[Rating]:
        return [
            Rating(
                run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater=rater, repeat=0, rater_kind=kind,
                origin="imported" if kind == "human" else "measured", criterion="refusal", value=v,
                status="judge_refused" if v is None else "ok",
            )
            for i, v in zip(m.items, values, strict=True)
        ]  # fmt: skip

    yes: list[float | None] = [1.0] * N
    store.write(
        m, ratings_table([*rows("always yes", "llm", yes), *rows("=" + HOSTILE, "llm", [*yes[:40], *[None] * 10])])
    )
    people = rows("Ada", "human", [1.0] * 48 + [0.0] * 2)
    add_ratings(store, m.run_id, ratings_table(people), SourceFacts(file="ada.csv", sha256="1"))
    return root


@pytest.fixture(scope="module")
def report(reference: Path) -> AgreementReport:
    store = Store(reference)
    return agreement_report(store, list(store.manifests()), ["refusal"])


def test_the_reference_case_says_what_it_knows(reference: Path) -> None:
    result = run(reference, "--criteria", "refusal")
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert re.search(r"always yes agreed with Ada on refusal in 96% of 50 responses, 95% CI \[87%, 99%\]", text)
    # Kappa is 0 by construction, with a real interval; AC1 stands beside it; the correlation is undefined and says why.
    assert re.search(r"κ = \.00, 95% CI \[-\.\d\d, \.[67]\d\] \(constant rater \(the judge\)", text)
    assert re.search(r"Ada always yes 50 \.96 \[\.87, \.99\] \.00 \[-\.\d\d, \.[67]\d\] \.96 \[\.8\d, \.99\]", text)
    assert "Ada and always yes, made · baseline: Pearson undefined: constant rater (the judge)." in text
    assert "not shown to be better than judging one value" in text
    assert "One person rated: human agreement, the human ceiling" in text


def test_formats_hold_the_same_figures_and_no_name_breaks_out(reference: Path) -> None:
    data = json.loads(run(reference, "--criteria", "refusal", "--json").output)
    (section,) = data["sections"]
    pair = next(p for p in section["pairs"] if p["second"] == "always yes")
    rows = list(csv.DictReader(io.StringIO(run(reference, "--criteria", "refusal", "--format", "csv").output)))
    of_pair = {r["figure"]: r for r in rows if (r["first"], r["second"]) == ("Ada", "always yes")}
    for figure, e in pair["estimates"].items():
        row = of_pair[figure]
        for part in ("value", "low", "high"):
            assert (row[part] == "") == (e[part] is None)
            assert row[part] == "" or float(row[part].lstrip("'")) == e[part]
        assert (row["reason"], int(row["n"])) == (e["reason"], e["n"])
    assert {r["second"] for r in rows if r["second"].endswith(HOSTILE) and " minus " not in r["second"]} == {
        "'=" + HOSTILE
    }
    markdown = run(reference, "--criteria", "refusal", "--format", "markdown").output
    assert "## Judges and people" in markdown and "<script>" not in markdown and "<img" not in markdown
    latex = run(reference, "--criteria", "refusal", "--format", "latex").output
    assert latex.count(r"\begin{table}") == latex.count(r"\end{table}") > 3
    assert r"\toprule" in latex and r"\resizebox{\textwidth}" in latex
    unescaped = re.findall(
        r"(?<!\\)[&%#_$](?![^\n]*\\\\)", re.sub(r"^%.*$|\{%$|\$-\$|\$\\(cdot|kappa|alpha)\$", "", latex, flags=re.M)
    )
    assert set(unescaped) <= {"&"}, "only the column marks of tables stand bare"


def test_every_chapter_has_something_to_say_and_the_checklist_names_what_is_missing(report: AgreementReport) -> None:
    full, brief = chapters(report, full=True), chapters(report)
    assert {c.title for c in brief} < {c.title for c in full}
    assert all(c.lines or c.tables for c in full)
    for chapter in full:
        for table in chapter.tables:
            assert all(len(row) == len(table.columns) for row in table.rows), table.title
    entries = {e.item: e for e in checklist(report)}
    assert list(entries) == [f"G{n}" for n in range(1, 16)] + [f"L{n}" for n in range(1, 11)]
    assert entries["G1"].state == "yours to write" and entries["G10"].state == "filled"
    assert entries["L9"].state == "missing" and "two people" in entries["L9"].says
    assert entries["L10"].state == "filled" and entries["G8"].state == "missing"
    missing = next(c for c in brief if c.title == "Missing ratings")
    assert missing.tables[0].rows[0][2:] == ("50", "40", "10 judge refused")


def test_an_interval_that_misses_what_it_promises_says_so(reference: Path, report: AgreementReport) -> None:
    missed = [c for c in COLUMNS["binary"] if (m := measured(c, "binary")) is not None and not m.met]
    notes = " ".join(n for c in chapters(report, full=True) for t in c.tables for n in t.notes)
    data = json.loads(run(reference, "--criteria", "refusal", "--json").output)["coverage"]["refusal"]
    rows = list(csv.DictReader(io.StringIO(run(reference, "--criteria", "refusal", "--format", "csv").output)))
    for name_, found in ((c, measured(c, "binary")) for c in COLUMNS["binary"]):
        assert found is not None and data[name_]["met"] == found.met
        printed = {r["measured_coverage"] for r in rows if r["figure"] == name_ and r["low"]}
        assert printed == {found.note} and (name_ in missed) == bool(found.note)
        assert (f"{NAMES[name_]}: measured coverage" in notes) == bool(found.note)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--runs", "nothing"), "no run 'nothing'"),
        (("--humans", "Ben"), "nobody called 'Ben'"),
        (("--criteria", "warmth"), "a criterion 'warmth'"),
    ],
)
def test_errors_are_one_line(reference: Path, arguments: tuple[str, str], message: str) -> None:
    result = run(reference, *arguments)
    assert result.exit_code == 1 and message in result.output and result.output.count("\n") == 1


def test_a_store_without_people_says_what_to_do_and_a_place_that_cannot_be_written(
    tmp_path: Path, reference: Path
) -> None:
    result = run(tmp_path)
    assert (
        result.exit_code == 1 and "no person has rated a run" in result.output and "psychosafe import" in result.output
    )
    (tmp_path / "file").write_text("x")
    result = run(reference, "--criteria", "refusal", "--json", "--out", str(tmp_path / "file" / "out.json"))
    assert result.exit_code == 1 and "cannot write" in result.output
    out = tmp_path / "deep" / "out.json"
    assert run(reference, "--criteria", "refusal", "--json", "--out", str(out)).exit_code == 0
    assert json.loads(out.read_text())["people"] == ["Ada"] and [p.name for p in out.parent.iterdir()] == ["out.json"]


def test_judges_without_people_are_reported_and_nobody_is_held_against_anybody(tmp_path: Path) -> None:
    """One judge twice, by hand: 2 of 12 values differ between its rounds; grounding was rated by that judge alone."""
    store, m = Store(tmp_path), manifest("made", n=12)
    given = {
        ("one", "refusal", 0): [1, 0] * 6, ("one", "refusal", 1): [1, 0] * 5 + [0, 1],
        ("one", "grounding", 0): [3] * 12, ("two", "refusal", 0): [1] * 12,
    }  # fmt: skip
    rows = [
        Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater=rater, repeat=repeat, rater_kind="llm",
               origin="measured", criterion=criterion, value=float(v), status="ok")
        for (rater, criterion, repeat), values in given.items() for i, v in zip(m.items, values, strict=True)
    ]  # fmt: skip
    store.write(m, ratings_table(rows))
    report = agreement_report(store, [m], ["refusal", "grounding"])
    full = {c.title: c for c in chapters(report, full=True)}
    assert full["Judges and people"].lines[-1].startswith("No person has rated these runs: nothing is known")
    assert not full.keys() & {
        "Beside judges that read nothing", "Which judge is nearer", "The judges as a panel", "Labels still needed",
    }  # fmt: skip
    (groups,) = full["People with each other"].tables
    assert [(r[0], r[3]) for r in groups.rows if r[2] == "judges" and r[3] != "0"] == [("Refusal", "12")]
    repeated = full["Raters with themselves"]
    assert repeated.lines == () and repeated.tables[0].rows[0][2:4] == ("one", "12")
    assert repeated.tables[0].rows[0][5].startswith(".17 ") and repeated.tables[0].rows[0][7].startswith(".83 ")
    rows_of = {(r[0], r[2], r[4]): r for r in long_rows(report)}
    assert rows_of["refusal", "one", "repeats: flips"][5] == repr(2 / 12)
    assert rows_of["refusal", "one", "share of Yes, corrected"][11].startswith("not estimable")
    entries = {e.item: e for e in checklist(report)}
    assert entries["G11"].says == "0 people, 2 judges; Refusal: 12 of 12 responses a pair of raters"
    assert "no rater rated twice" not in entries["G13"].says
    assert [f.chapter for f in figures(report)] == ["Judges and people"] and corrected_figures(report) == []


def test_a_pair_without_a_response_in_common_says_so(tmp_path: Path) -> None:
    store, m = Store(tmp_path), manifest("made", n=8)

    def rows(rater: str, kind: str, kept: slice) -> list[Rating]:
        return [
            Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater=rater, repeat=0, rater_kind=kind,
                   origin="imported" if kind == "human" else "measured", criterion="grounding", value=2.0, status="ok")
            for i in m.items[kept]
        ]  # fmt: skip

    store.write(m, ratings_table(rows("judge", "llm", slice(4, 8))))
    add_ratings(store, m.run_id, ratings_table(rows("Ada", "human", slice(4))), SourceFacts(file="a.csv", sha256="1"))
    report = agreement_report(store, [m], ["grounding"])
    full = {c.title: c for c in chapters(report, full=True)}
    (line,) = full["Judges and people"].lines
    assert line.startswith("judge agreed with Ada on grounding: undefined") and "%" not in line
    (figure,) = corrected_figures(report)
    assert figure.alt.endswith("no correction can be estimated; 1 of 1 not estimable.")
    # Of a scale without an order all intervals hold what they promise, and nothing else is said of them.
    named = [
        {**r, "criterion": "harm_provided", "value": float(n % 2)} for n, r in enumerate(rows("judge", "llm", slice(8)))
    ]
    people = [{**r, "rater": "Ada", "rater_kind": "human", "origin": "imported"} for r in named]
    another = Store(tmp_path / "named")
    another.write(m, ratings_table(named))
    add_ratings(another, m.run_id, ratings_table(people), SourceFacts(file="a.csv", sha256="1"))
    (table,) = chapters(agreement_report(another, [m], ["harm_provided"]))[0].tables
    assert table.title == "Harm provided (nominal)" and table.rows[0][:3] == (m.label, "Ada", "judge")
    assert not any("miss what they promise" in note for note in table.notes)


def test_figures_as_the_published_study_computed_them(reference: Path) -> None:
    """48 of 50 are equal; a judge that gives one value has no correlation, which the study wrote as 0.0."""
    text = run(reference, "--criteria", "refusal", "--compat", "pooled").output
    assert "For comparison with the published study only" in text
    made = [" ".join(line.split()) for line in text[text.index("As published (compatibility)") :].splitlines()]
    assert "made · baseline Ada always yes Refusal 50 0.9600 0.0000 0.0000* 0.0000*" in made
    assert "made · baseline Ada always yes pooled (four criteria in one list) 50 0.9600 0.0000 0.0000* 0.0000*" in made


def test_a_page_is_written_and_images_are_refused_below_a_file(reference: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    page = tmp_path / "page.html"
    deep = tmp_path / "file" / "deep"
    result = run(reference, "--criteria=refusal", "--format=html", f"--out={page}", f"--figures={deep}")
    assert result.exit_code == 1 and "images cannot be written into a file: name a folder" in result.stderr
    assert result.stderr.splitlines()[0] == f"written {page}" and result.stderr.count("\n") == 2
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and text.count('role="img"') > 0 and HOSTILE not in text
    assert (tmp_path / "file").read_text() == "kept"


def test_people_who_rated_by_two_rubrics_are_not_thrown_together(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for n, points in enumerate(((1, 2, 3), (1, 2, 3, 4))):
        scales = {"depth": ScaleFacts(scale="ordinal", points=points)}
        m = manifest(f"m{n}", n=2, rubric=RubricFacts(name="r", sha256=str(n), scales=scales))
        rows = [
            Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater="Ada", repeat=0, rater_kind="human",
                   origin="imported", criterion="depth", value=1.0, status="ok")
            for i in m.items
        ]  # fmt: skip
        judged = [{**r, "rater": "j", "rater_kind": "llm", "origin": "measured"} for r in rows]
        store.write(m, ratings_table(judged))
        add_ratings(store, m.run_id, ratings_table(rows), SourceFacts(file="a.csv", sha256="1"))
    result = run(tmp_path)
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert f"people rated runs by 2 rubrics; choose with --runs among {', '.join(store.run_ids())}" in result.output


def test_numbers_are_written_as_the_apa_asks() -> None:
    assert [number(v) for v in (0.614, -0.02, -0.001, 1.0, None)] == [".61", "-.02", ".00", "1.00", "undefined"]
    assert number(0.5, "bias") == "0.50" and number(-0.5, "mae") == "-0.50"
    assert [p_value(p) for p in (0.0002, 0.0316, 1.0, None)] == ["< .001", ".032", "1.000", "not tested"]
