"""Sentences, page and images of the agreement report, also in Chromium: nothing is lacking, nothing leaves the file.

The browser's tests are skipped where there is no Chromium, unless PSYCHOSAFE_REQUIRE names it.
"""

from __future__ import annotations

import html.parser
import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from judges.stats import Estimate
from leaderboard.agreement.beyond import effect_tables
from leaderboard.agreement.checklist import checklist
from leaderboard.agreement.detail import long_rows
from leaderboard.agreement.figures import Figure
from leaderboard.agreement.images import ImageError, write_images
from leaderboard.agreement.layout import Chapter, chapters
from leaderboard.agreement.page import page_html
from leaderboard.agreement.pairs import with_people
from leaderboard.agreement.sentences import effect_sentences, pair_sentences, people_sentences
from leaderboard.agreement.words import number
from leaderboard.cli.common import Table
from results.agreement_records import AgreementReport
from tests.support.agreement_study import JUDGE, N
from tests.support.browser import chromium_path, open_chromium
from tests.support.made_runs import HOSTILE

SHOTS = os.environ.get("PSYCHOSAFE_SHOTS")
chromium = [pytest.mark.browser, pytest.mark.process, pytest.mark.timeout(240), pytest.mark.xdist_group("chromium")]


def test_sentences_say_whose_error_moves_and_which_way(report: AgreementReport) -> None:
    """A judge that lifts a fall by too little is too high, one that sees too little of a rise too low."""
    first = report.contrasts[0]
    moved = {
        "bad": replace(first.bias["bad"], change=Estimate(-0.5, -0.7, -0.3, N, N)),
        JUDGE: replace(first.bias[JUDGE], change=Estimate(0.25, 0.1, 0.4, N, N)),
    }
    flagged = replace(first, bias=moved, adjusted={"bad": 0.0002, JUDGE: 0.04})
    lines = effect_sentences(replace(report, contrasts=(flagged,)))
    assert "bad's error depends on the condition: refusal -0.50 [-0.70, -0.30], p (Holm) < .001, " in lines[1]
    assert lines[1].endswith("so the effect comes out too low.") and lines[2].endswith(
        "p (Holm) = .040, so the effect comes out too high."
    )
    assert "use the corrected figures, or people" in lines[3] and len(lines) == 4
    # Without people nothing was tested, and nothing is said to be absent.
    alone = replace(report, contrasts=(replace(first, bias={}, adjusted={}, differences={}),))
    assert len(effect_sentences(alone)) == 1
    entry = next(e for e in checklist(alone) if e.item == "G14")
    assert entry.state == "in part" and "without people no judge's error can be told" in entry.says
    (table,) = effect_tables(alone, full=False)
    assert table.title.startswith("The effect as each rater sees it")
    (table,) = effect_tables(replace(report, contrasts=(replace(first, effects={}),)), full=False)
    assert "Error by condition" in table.columns


def test_sentences_of_few_responses_keep_the_bias_and_of_a_judge_above_people_say_above(
    report: AgreementReport,
) -> None:
    section = report.section("grounding")
    assert section is not None and section.report.pairs[0].report.n < 30
    lines = [line for line in pair_sentences(report) if "grounding" in line]
    for line, pair in zip(lines, [p for s, p in with_people(report, "grounding") if s == section], strict=True):
        bias = pair.report.estimates["bias"]
        assert f"; bias {number(bias.value, 'bias')} points, 95% CI [" in line and "null judge" not in line
    judge, ceiling = next(iter(section.report.ceilings.items()))
    above = replace(ceiling, difference=Estimate(0.05, -0.02, 0.12, N, N))
    raised = replace(section, report=replace(section.report, ceilings={judge: above}))
    said = people_sentences(replace(report, sections=(raised,)))
    assert said[1].endswith("alpha with people is .05 above people's own (95% CI [-.02, .12]).")


def test_a_report_of_no_sections_says_only_what_is_missing(report: AgreementReport) -> None:
    bare = replace(report, sections=(), contrasts=(), corrected=(), labels=())
    told = {c.title: c for c in chapters(bare, full=True)}
    assert list(told) == ["Raters with themselves", "Missing ratings", "Checklist"]
    assert told["Raters with themselves"].lines[0].startswith("Not estimable: nobody rated a response twice")


def test_every_figure_is_a_row_of_the_long_table(report: AgreementReport) -> None:
    rows = {(r[0], r[1], r[2], r[3], r[4]): r for r in long_rows(report)}
    assert len(rows) == len(long_rows(report))
    found: dict[tuple[str, ...], Estimate] = {}
    for s in report.sections:
        where = s.criterion, s.scope.name
        found |= {(*where, g, "", f"ICC({f})"): e for g, forms in s.report.icc.items() for f, e in forms.items()}
        found |= {(*where, p.first, p.second, f"ICC({f})"): e for p in s.report.pairs for f, e in p.icc.items()}
    for c in report.contrasts:
        scope = f"{c.other} minus {c.baseline}"
        found |= {(c.measure, scope, who, "", "effect"): e.difference for who, e in c.effects.items()}
        found |= {
            (c.measure, scope, who, "people", "change of judge minus people"): b.change for who, b in c.bias.items()
        }
    assert len({k[4] for k in found}) == 5
    for key, e in found.items():
        want = ["" if v is None else repr(float(v)) for v in (e.value, e.low, e.high)]
        assert list(rows[key][5:9]) == [*want, str(e.n)] and rows[key][11] == e.reason


def test_figures_without_a_chapter_stand_first_on_the_page(report: AgreementReport) -> None:
    only = replace(report, sections=(), corrected=())
    text = page_html(only, (Chapter("Nothing", ("There is nothing to say.",), ()),))
    heads = re.findall(r"<h2[^>]*>(.*?)</h2>", text)
    assert heads == ["Figures", "Nothing", "How this was made"] and text.count('role="img"') == 1


class Tags(html.parser.HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def page_text(report: AgreementReport) -> str:
    strange = Chapter("<i>Odd</i>", (HOSTILE, "& more"), (Table(("<u>a",), ((HOSTILE,),), "<s>t", ("<q>n",)),))
    return page_html(report, (*chapters(report), strange))


def test_page_holds_every_sentence_table_and_figure_and_no_foreign_element(
    report: AgreementReport, made: dict[str, Figure], page_text: str
) -> None:
    parsed = Tags()
    parsed.feed(page_text)
    kinds = [tag for tag, _ in parsed.tags]
    assert not {"img", "a href=http", "link", "iframe", "i", "u", "s", "q"} & set(kinds) and kinds.count("script") == 3
    links = [a["href"] for tag, a in parsed.tags if tag == "a"]
    ids = {a.get("id") for _, a in parsed.tags}
    assert len(links) == len(chapters(report)) + 2 and all(x is not None and x[1:] in ids for x in links)
    assert [a["aria-label"] for tag, a in parsed.tags if a.get("role") == "img"] != []
    assert {a["aria-label"] for tag, a in parsed.tags if a.get("role") == "img"} == {f.alt for f in made.values()}
    assert kinds.count("table") == sum(len(c.tables) for c in chapters(report)) + 1
    said = {" ".join(w.split()) for w in parsed.words}
    assert all(" ".join(line.split()) in said for c in chapters(report) for line in c.lines)
    assert any("level 0.95" in w and "seed 0" in w for w in said) and "Content-Security-Policy" in page_text
    data = page_text.split('id="figures">')[1].split("</script>")[0]
    assert "<" not in data and all(f["config"]["showSendToCloud"] is False for f in json.loads(data))


def test_page_without_anything_to_draw_has_no_script(report: AgreementReport) -> None:
    bare = replace(report, sections=(), contrasts=(), corrected=())
    text = page_html(bare, (Chapter("Nothing", ("There is nothing to say.",), ()),))
    assert "<script" not in text and "script-src" not in text and "There is nothing to say." in text


# --- a real browser ---


class TestInChromium:
    """Drawn for real."""

    pytestmark = chromium

    def test_page_asks_for_nothing_and_logs_no_error(
        self, page_text: str, made: dict[str, Figure], tmp_path: Path
    ) -> None:
        path = tmp_path / "page.html"
        path.write_text(page_text, encoding="utf-8")
        with open_chromium() as browser:
            tab = browser.new_page(color_scheme="light", viewport={"width": 1280, "height": 900})
            asked: list[str] = []
            wrong: list[str] = []
            tab.on("request", lambda r: asked.append(r.url))
            tab.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
            tab.on("pageerror", lambda e: wrong.append(str(e)))
            tab.goto(path.as_uri())
            tab.wait_for_function(
                "n => document.querySelectorAll('.js-plotly-plot:has(.ytick)').length === n", arg=len(made)
            )
            assert tab.locator(".js-plotly-plot text", has_text="<b>Ben").count() > 0
            for plot in tab.locator(".js-plotly-plot:has(.point)").all()[:3]:
                plot.locator(".point").first.hover(force=True)
            # On paper figures are as wide as a sheet, and afterwards as wide as before.
            width = "document.querySelector('.main-svg').clientWidth"
            tab.evaluate(f"addEventListener('beforeprint', () => window.printed = {width})")
            tab.pdf()
            assert tab.evaluate("window.printed") == 660
            for scheme, across, ink in (("light", 1280, "rgb(31, 35, 40)"), ("dark", 480, "rgb(230, 233, 238)")):
                tab.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                tab.set_viewport_size({"width": across, "height": 900})
                tab.wait_for_function(
                    "ink => [...document.querySelectorAll('.ytick text')].every(t => getComputedStyle(t).fill === ink)",
                    arg=ink,
                )
                if across == 1280:
                    assert tab.evaluate(width) > 700
                # Only what has a scroller of its own may be wider than the page.
                assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                if SHOTS:
                    tab.screenshot(path=str(Path(SHOTS) / f"agreement-{scheme}-{across}.png"), full_page=True)
            assert tab.get_by_text("Share chart").count() == 0
            assert asked == [path.as_uri()] and wrong == []

    def test_images_are_written_with_the_names_as_letters(
        self, made: dict[str, Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("kaleido", reason="kaleido is not installed (extra `figures`)")
        monkeypatch.setenv("BROWSER_PATH", chromium_path())
        chosen = [made["votes"], made["forest-1-refusal"]]
        (tmp_path / "votes.svg").write_text("of old")
        files = write_images(chosen, tmp_path, "svg")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["forest-1-refusal.svg", "votes.svg"]
        assert [p.name for p in files] == ["votes.svg", "forest-1-refusal.svg"]
        drawing = files[1].read_text(encoding="utf-8")
        assert "&#60;b&#62;Ben" in drawing and "<b>" not in drawing and "<script" not in drawing
        assert not re.search(r'(href|src)="http', drawing) and files[0].read_text(encoding="utf-8").startswith("<svg")

    def test_without_a_browser_one_line_says_what_to_install(
        self, made: dict[str, Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("kaleido", reason="kaleido is not installed (extra `figures`)")
        monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
        with pytest.raises(ImageError, match="set BROWSER_PATH to its path") as caught:
            write_images([made["votes"]], tmp_path / "out")
        assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_without_kaleido_one_line_says_what_to_install(
    made: dict[str, Figure], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)  # what Python itself puts there to make an import fail
    with pytest.raises(ImageError, match=r"^images need kaleido: pip install -e '\.\[figures\]'$"):
        write_images([made["votes"]], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_images_that_cannot_be_written_are_refused_before_any_is_drawn(made: dict[str, Figure], tmp_path: Path) -> None:
    (tmp_path / "votes.svg").mkdir()
    with pytest.raises(ImageError, match=r"votes\.svg is a folder"):
        write_images([made["votes"]], tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ImageError, match="name a folder"):
        write_images([made["votes"]], tmp_path / "file")
    with pytest.raises(ImageError, match="choose png, svg or pdf"):
        write_images([made["votes"]], tmp_path, "exe")  # type: ignore[arg-type]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "votes.svg"]
