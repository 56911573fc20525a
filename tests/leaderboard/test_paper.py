"""`psychosafe report`: what the file says, and that no name in it means anything to a browser, Markdown or LaTeX."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from leaderboard.cli import main
from leaderboard.cli.common import Table, latex, latex_text, markdown, markdown_text
from leaderboard.paper.content import paper
from leaderboard.paper.file import ReportError, report_text
from leaderboard.paper.methods import limitations, methods
from leaderboard.paper.plots import difference_figures, domain_figures, rank_figures, win_figures
from results.added import add_ratings
from results.manifest import ConditionFacts, JudgeFacts, ModelFacts, PanelFacts, PromptSetFacts, SourceFacts
from results.schema import Rating, ratings_table
from results.store import Store
from tests.support.browser import open_chromium
from tests.support.made_runs import manifest, on_xstest, put


def command(name: str, *arguments: object) -> Any:
    return CliRunner().invoke(main, [name, *map(str, arguments)])


def test_it_says_how_it_was_measured_what_came_out_and_what_speaks_against_it(paper_files: dict[str, Path]) -> None:
    text = paper_files["md"].read_text()
    for part in (
        "## Methods", "40 prompts of open 1.0", "temperature 0", "judge-1 (a language model, family not known",
        "SHA-256", "scoring 1.0", "Computed by psychosafe-eval", "numpy", "run 2026-01-01", "## Results",
        "McNemar, exact", "By domain", "## Order of the systems", "Tied with the first",
        "## Agreement of judges and people", "One person rated", "## Limitations",
        "a judge is of the family of the model that it judges", "Quality rests on 39 of 40", "No revision is on record",
        "People rated 80 of the 160 answers", "One judge rated", "reviewed by no expert", "answered once",
        "not over them", "40 prompts at most", "## Provenance", "@misc{psychosafe,",
    ):  # fmt: skip
        assert part in text, part


def test_methods_name_every_fact_of_the_manifest_or_that_it_is_not_known(tmp_path: Path) -> None:
    store = Store(tmp_path)
    judge = JudgeFacts(id="j", kind="llm", model="openai/j-2", family="gpt", base_url="https://u:secret@h.example/v1",
                       config={"temperature": 0.1})  # fmt: skip
    facts = ModelFacts(name="maker/m", revision="abc", base_url="http://gpu:8000", args={"dtype": "bf16"},
                       generation={"max_tokens": 99, "max_connections": 5})  # fmt: skip
    full = manifest(
        "maker/m",
        panel=PanelFacts(
            name="two", sha256="f" * 16, prompt="1.1", judges=(judge, judge.model_copy(update={"id": "k"}))
        ),
        versions={"harness": "0.1.0", "commit": "c0ffee", "inspect_ai": "0.3.1"},
        detectors={"support": "1.1"},
        counts={"responses": 12, "cut": 3, "reasoning_only": 1},
        epochs=2,
    ).model_copy(update={"model": facts})
    bare = full.model_copy(
        update={
            "run_id": "bare", "origin": "imported", "created": None, "versions": {}, "counts": {}, "limited": True,
            "model": ModelFacts(name="maker/n"), "condition": ConditionFacts(),
            "prompt_set": PromptSetFacts(scored=12, n=40, name="open"),
        }
    )  # fmt: skip
    for m in (full, bare):
        put(store, m, {"quality": [0.5 + 0.01 * n for n in range(12)]})
    found = paper(store, full, [bare])
    said = " ".join(methods(found, {"psychosafe-eval": "0"}))
    for part in (
        "at revision abc", "served at http://gpu:8000", "dtype bf16, max_tokens 99", "commit c0ffee",
        "inspect_ai 0.3.1", "2 answers to each",
        "j (a language model, openai/j-2, family gpt, at https://h.example/v1, temperature 0.1)",
        "panel two, SHA-256 ffffffffffff, judge prompt 1.1, strict majority", "support 1.1", "routing table 1.0",
        "condition not stated, its text not on record", "generation settings not on record", "revision not on record",
        "imported from made.eval", "day of the run not on record", "no hash on record, of 40",
    ):  # fmt: skip
        assert part in said, part
    assert "secret" not in said and "max_connections" not in said
    against = " ".join(limitations(found))
    for part in ("limited run: 12 of 40", "3 cut, 1 reasoning only", "Judged elsewhere: maker/n", "generation config"):
        assert part in against, part
    assert "answered once" not in against and "One judge" not in against


def test_reference_policies_rules_and_a_score_of_which_less_is_better(tmp_path: Path) -> None:
    """Two policies on another set than ours, judged by rules: nothing is said of models, prompts or judges' prompts."""
    store = Store(tmp_path / "store")
    for model, over in (("policy/blunt", 1.0), ("policy/oracle", 0.0)):
        on_xstest(store, model, over, 1.0, judge_kind="rule", generation={})
    done = command("report", "--baseline", "policy/blunt/baseline", "-o", tmp_path / "r.md", "--store", store.root)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "r.md").read_text()
    for part in (
        "reference policy policy/blunt (a program of this project, no language model)", "no generation settings given",
        "judge-1 (rules)", "Reference policies are programs that anchor the scale, and no models: policy/blunt",
        "P values are corrected; intervals are not, and each holds for itself.", "No person has rated these answers",
        "Over refusal, lower is better", "The runs have 6 prompts at most",
    ):  # fmt: skip
        assert part in text, part
    for part in ("No revision is on record", "judge prompt", "reviewed by no expert", "the provider's",
                 "Order of the systems", "Agreement of judges", "By domain", "One judge family"):  # fmt: skip
        assert part not in text, part


def test_runs_without_a_value_in_common_and_no_run_to_compare_with(tmp_path: Path) -> None:
    """Every table says that it is undefined; plots and orders of nothing are left out, and of no run there is none."""
    store = Store(tmp_path / "store")
    full = put(store, manifest("m/full", n=3), {"quality": [0.5, 0.6, 0.7], "refusal": [1.0, 0.0, 1.0]})
    report = ("report", "--baseline", "m/full/baseline", "-o", tmp_path / "r.md", "--store", store.root)
    alone = command(*report)
    assert alone.exit_code == 1 and alone.output.count("\n") == 1 and not (tmp_path / "r.md").exists()
    assert f"no other run is comparable with {full.run_id}; name one to see why" in alone.output
    for name in ("m/none", "m/nothing"):
        put(store, manifest(name, n=3), {"quality": [None] * 3, "refusal": [None] * 3})
    done = command(*report)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "r.md").read_text()
    assert (
        "undefined" in text and "Differences from" not in text.partition("## Provenance")[0].partition("## Results")[2]
    )
    assert command("verify", tmp_path / "r.md", "--store", store.root).exit_code == 0
    # One run with values beside one without: what is drawn is the one, and the other is named.
    put(store, manifest("m/good", n=3), {"quality": [0.7, 0.6, 0.9], "refusal": [1.0, 1.0, 1.0]})
    found = paper(store, store.find("m/full/baseline"), [store.find("m/good/baseline"), store.find("m/none/baseline")])
    (differences,) = difference_figures(found)
    assert "Not drawn, for want of a value:" in differences.note and "Quality of m/none" in differences.note
    assert [f.name for f in win_figures(found)] == ["wins"] and domain_figures(found) == []
    assert rank_figures(paper(store, store.find("m/none/baseline"), [store.find("m/nothing/baseline"), full])) == []


def test_two_people_who_rated_everything_leave_nothing_to_say_against_them(tmp_path: Path) -> None:
    store = Store(tmp_path)
    runs = [
        put(store, manifest("m", c, n=3), {"refusal": [1.0, 0.0, 1.0], "quality": [0.1 * k, 0.5, 0.6]})
        for k, c in enumerate(("baseline", "prompted"))
    ]
    for who in ("Ada", "Ben"):
        for m in runs:
            rows = [
                Rating(run_id=m.run_id, item_id=i.id, epoch=1, turn=0, rater=who, repeat=0, rater_kind="human",
                       origin="imported", criterion="refusal", value=float(n > 0), status="ok")
                for n, i in enumerate(m.items)
            ]  # fmt: skip
            add_ratings(store, m.run_id, ratings_table(rows), SourceFacts(file=f"{who}.csv", sha256="1"))
    found = paper(store, runs[0], runs[1:])
    said = " ".join(limitations(found))
    assert "prompts at most" in said
    many = found.baseline.model_copy(update={"prompt_set": PromptSetFacts(name="open", scored=100)})
    assert "prompts at most" not in " ".join(limitations(replace(found, baseline=many)))
    assert "person rated" not in said and "People rated" not in said and "No person" not in said


def test_no_name_means_anything_in_html(paper_files: dict[str, Path]) -> None:
    html = paper_files["html"].read_text()
    allowed = {"content", "href", "class", "id", "style", "scope", "tabindex", "role", "lang", "charset", "http-equiv"}
    allowed |= {"aria-label", "name", "xmlns", "viewbox", "width", "height", "font-family", "font-size", "font-weight"}
    allowed |= {"font-style", "text-anchor", "fill", "stroke", "stroke-width", "stroke-dasharray", "points", "x", "y"}
    allowed |= {"x1", "x2", "y1", "y2", "cx", "cy", "r"}
    tags: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            assert {name for name, _ in attrs} <= allowed, (tag, attrs)
            assert all((value or "").startswith("#") for name, value in attrs if name == "href")

    Reader().feed(html)
    assert "svg" in tags and not tags & {"script", "img", "link", "iframe", "object", "image", "use", "foreignobject"}
    assert "default-src 'none'" in html and "url(" not in html and "@import" not in html
    assert "@misc{psychosafe,\n  title" in html, "BibTeX keeps its lines"


@pytest.mark.browser
def test_the_page_asks_for_nothing_and_no_plot_is_wider_than_its_box(paper_files: dict[str, Path]) -> None:
    asked: list[str] = []
    with open_chromium() as chromium:
        for width, scheme in ((1200, "dark"), (600, "light")):
            page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.on("request", lambda r: asked.append(r.url))
            page.goto(paper_files["html"].as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            texts = page.evaluate(
                "[...document.querySelectorAll('svg')].map(s => { const b = s.getBoundingClientRect();"
                " return [...s.querySelectorAll('text')].filter(t => { const r = t.getBoundingClientRect();"
                " return r.left < b.left - 1 || r.right > b.right + 1 }).map(t => t.textContent) }).flat()"
            )
            assert texts == [], "a text is cut"
            colour = page.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
            assert colour == ("rgb(230, 233, 238)" if scheme == "dark" else "rgb(31, 35, 40)")
            page.close()
    assert asked == [paper_files["html"].as_uri()] * 2


def test_no_name_means_anything_in_markdown(paper_files: dict[str, Path]) -> None:
    text = paper_files["md"].read_text()
    outside = re.sub(r"(?ms)^(`{3,})(?:text|bibtex)\n.*?^\1$", "", text)
    outside = outside.replace(text[text.rindex("<!-- psychosafe-report: ") :], "")
    assert "<" not in re.sub(r"`psychosafe verify FILE`", "", outside), "no tag"
    assert not re.search(r"(?<!\\)\]\(|(?<!\\)\$", outside), "no link, no image, no formula"
    assert not re.search(r"(?<!\\)`(?!psychosafe verify FILE`)(?<!psychosafe verify FILE`)", outside), "no code"
    for before, after in (
        ("![a](http://e)", r"![a]\(http://e)"), ("[a]: http://e", r"[a]\: http://e"), ("# a", r"\# a"),
        ("1. a", r"1\. a"), ("- a", r"\- a"), ("> a", r"\> a"), ("_a_ harm_provided", r"\_a\_ harm_provided"),
        ("*a* `b` $c$ ~d~", r"\*a\* \`b\` \$c\$ \~d\~"), ("<b> &lt; A & B", "&lt;b> &amp;lt; A & B"),
        ("-0.120 [-0.2, 0.1]", "-0.120 [-0.2, 0.1]"), ("a\n\n# b", "a # b"), ("\\", "\\\\"),
    ):  # fmt: skip
        assert markdown_text(before) == after
    assert markdown(Table(("a|b",), [("c|d\ne",)])).splitlines()[-1] == r"| c\|d e |"


def test_no_name_means_anything_in_latex(paper_files: dict[str, Path]) -> None:
    body = paper_files["tex"].read_text().split(r"\begin{document}")[1].split(r"\end{document}")[0]
    assert body.count(r"\begin{table}") == body.count(r"\end{table}") and r"\textless{}script\textgreater{}" in body
    assert not re.search(r"\\(input|include|write|openin|openout|usepackage|catcode)\b", body)
    assert all(ord(c) < 0x180 for c in body) and r"\textbackslash{}input\{/etc/passwd\}" in body
    assert latex_text("中 é − a--b [x] *") == r"{[}U+4E2D] é $-$ a-{}-{}b {[}x] {*}"
    # A bracket behind the end of a row would be read as the height of the gap.
    assert "\\\\\n{[}9cm]" in latex(Table(("a", "b"), [("1", "2"), ("[9cm]", "3")], "t\n\nu"))
    assert r"\caption{t u}" in latex(Table(("a",), [("1",)], "t\n\nu"))
    tall = latex(Table(("a",), [(str(n),) for n in range(100)], "t", ["note"]))
    assert tall.count(r"\begin{table}") == 3 and tall.count(", continued") == 2 and tall.count("size note") == 1


@pytest.mark.process
def test_the_latex_compiles(paper_files: dict[str, Path], tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex on the path (apt-get install texlive-latex-recommended)")
    letters = "".join(chr(c) for c in range(0x20, 0x250)) + "κα…’–—×±→≥≤†中😀"
    text = paper_files["tex"].read_text().replace(r"\section*{Limitations}", latex_text(letters), 1)
    (tmp_path / "report.tex").write_text(text)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"-output-directory={tmp_path}", "report.tex"],
        capture_output=True, timeout=120, check=False, cwd=tmp_path,
    )  # fmt: skip
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert (tmp_path / "report.pdf").stat().st_size > 10_000
    # A file that is opened stands behind a bracket; the name alone may stand in a note on how a line was set.
    assert "Float too large" not in log and "(/etc/passwd" not in re.sub(r"\s", "", log)


def test_what_cannot_be_written_is_one_line(paper_store: Path, tmp_path: Path) -> None:
    for arguments, message in (
        (("--baseline", "made/baseline", "-o", tmp_path / "a.docx"), "ends in .html, .md, .tex"),
        (("--baseline", "nothing", "-o", tmp_path / "a.md"), "no run 'nothing'"),
        (("--baseline", "made/baseline", "--runs", "made/baseline", "-o", tmp_path / "a.md"), "with itself"),
    ):
        result = command("report", *arguments, "--store", paper_store)
        assert result.exit_code == 1 and message in result.output and result.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    store = Store(paper_store)
    found = paper(store, store.find("made/baseline"), [store.find("made/prompted")])
    with pytest.raises(ReportError, match=r"a report is one of .html, .md, .tex, not 'a file without a suffix'"):
        report_text(found, "")
