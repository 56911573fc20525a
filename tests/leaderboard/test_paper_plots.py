"""The plots of a report: markers stand where the tables' numbers say, and no script is needed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from leaderboard.agreement.forest import agreement_figures
from leaderboard.agreement.scopes import MORE
from leaderboard.charts import STYLES
from leaderboard.paper.content import Paper, paper
from leaderboard.paper.plots import difference_figures, domain_figures, names_of, rank_figures, styles_of, win_figures
from leaderboard.plots.picture import picture
from leaderboard.plots.sheet import Plot, colours, pairs, sheet
from leaderboard.plots.strip import strip
from leaderboard.plots.svg import dark_style, svg
from results.store import Store

_SVG = "{http://www.w3.org/2000/svg}"
_SEEN = re.compile(r": ([-+]?[\d.]+)(?: \[([-+]?[\d.]+), ([-+]?[\d.]+)\]| \(no interval\))")


@pytest.fixture(scope="module")
def found(paper_store: Path) -> Paper:
    store = Store(paper_store)
    return paper(store, store.find("made/baseline"))


def plots(found: Paper) -> list[Plot]:
    kinds = (difference_figures, domain_figures, win_figures, rank_figures)
    drawn = [Plot(a, b, "data 0123") for k in kinds for a, b in zip(k(found), k(found, True), strict=True)]
    assert found.agreement is not None
    forest = (agreement_figures(found.agreement), agreement_figures(found.agreement, True))
    return [*drawn, *(Plot(a, b, "data 0123") for a, b in zip(*forest, strict=True))]


def axes(root: ET.Element) -> list[tuple[float, float, float]]:
    """Of each axis its left end, and the pixels and the value of its zero: read off the ticks, as a reader would."""
    ticks = [(float(t.attrib["x"]), float((t.text or "").replace("−", "-"))) for t in texts(root, "tick")]
    starts = [i for i, (_, v) in enumerate(ticks) if i == 0 or v < ticks[i - 1][1]]
    made = []
    for a, b in zip(starts, [*starts[1:], len(ticks)], strict=True):
        (x0, v0), (x1, v1) = ticks[a], ticks[b - 1]
        scale = (x1 - x0) / (v1 - v0)
        made.append((x0, x0 - v0 * scale, scale))
    return made


def texts(root: ET.Element, role: str) -> list[ET.Element]:
    return [t for t in root.iter(f"{_SVG}text") if role in t.attrib["class"].split()]


def markers(root: ET.Element) -> Iterator[tuple[float, float, str]]:
    """Place of each marker, and the numbers that it says it stands for."""
    for e in root.iter():
        if "marker" not in e.attrib.get("class", "").split():
            continue
        if "points" in e.attrib:
            corners = [tuple(map(float, p.split(","))) for p in e.attrib["points"].split()]
            xs, ys = zip(*corners, strict=True)
            yield (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, e[0].text or ""
        else:
            yield float(e.attrib["cx"]), float(e.attrib["cy"]), e[0].text or ""


def test_differences_stand_where_the_table_has_them_and_the_margin_is_shaded(found: Paper) -> None:
    """Read back from pixels by the ticks alone; grounding and others on 1 to 5 stand in shares of their range."""
    expected = {
        (names_of(found.runs)[c.other.run_id], r.label): [
            None if x is None else x / (r.detail.margin / found.margin)
            for x in (r.difference.value, r.difference.low, r.difference.high)
        ]
        for c in found.comparisons
        for r in c.rows
        if r.group == "score" and r.detail is not None
    }
    assert len(expected) == 6
    read = {}
    for figure in difference_figures(found):
        root = ET.fromstring(svg(Plot(figure, figure)))
        [(_, zero, scale)] = axes(root)
        lines = [e.attrib for e in root.iter(f"{_SVG}line") if "interval" in e.attrib["class"].split()]
        for x, y, said in markers(root):
            who, _, label = said.rpartition(": ")[0].rpartition(", ")
            row = [e for e in lines if abs(float(e["y1"]) - y) < 1]
            ends = sorted((float(row[0]["x1"]), float(row[0]["x2"]))) if row else (None, None)
            read[who, label] = [None if p is None else (p - zero) / scale for p in (x, *ends)]
        band = next(e.attrib for e in root.iter(f"{_SVG}rect") if "band" in e.attrib["class"].split())
        left, right = float(band["x"]), float(band["x"]) + float(band["width"])
        assert [(p - zero) / scale for p in (left, right)] == pytest.approx([-0.05, 0.05], abs=1e-4)
    assert read.keys() == expected.keys()
    for key, values in expected.items():
        assert read[key] == pytest.approx(values, abs=2e-4), key


def test_every_marker_of_every_plot_stands_at_the_number_that_it_names(found: Paper) -> None:
    seen = 0
    for figure in [*domain_figures(found), *rank_figures(found)]:
        root = ET.fromstring(svg(Plot(figure, figure)))
        panels = axes(root)
        for x, _, said in markers(root):
            numbers = _SEEN.search(said)
            assert numbers is not None, said
            _, zero, scale = next(p for p in reversed(panels) if x >= p[0] - 12)
            assert (x - zero) / scale == pytest.approx(float(numbers[1]), abs=1e-3), said
            seen += 1
    domains = sum(r.measure == "quality" for c in found.comparisons for r in c.domains)
    assert found.order is not None
    assert seen == 3 * domains + sum(len(r.runs) for r in found.order.rankings)


def test_bars_are_as_long_as_their_counts(found: Paper) -> None:
    wins = [r.detail.wins for c in found.comparisons for r in c.rows if r.detail is not None]
    shares = sorted(n / (w.wins + w.ties + w.losses) for w in wins for n in (w.wins, w.losses) if n)
    widths: list[float] = []
    for figure in win_figures(found):
        drawn = svg(Plot(figure, figure)).replace(" %</text>", "</text>")
        root = ET.fromstring(drawn)
        ticks = [float(t.attrib["x"]) for t in texts(root, "tick")]
        half = (ticks[-1] - ticks[0]) / 2
        widths += [float(e.attrib["width"]) / half for e in root.iter(f"{_SVG}rect") if len(e)]
    assert sorted(widths) == pytest.approx(shares, abs=1e-3)


def test_a_plot_says_what_it_shows_carries_its_data_and_runs_nothing(found: Paper) -> None:
    """Text alternative and mark in each; colours come in pairs; a shape stands beside each colour."""
    drawn = plots(found)
    assert {p.light.name for p in drawn} == {"differences", "domains", "wins", "ranks", "forest"}
    for p in drawn:
        root = ET.fromstring(svg(p))
        assert root.attrib["role"] == "img" and len(root.attrib["aria-label"]) > 40
        assert [e.tag for e in root[:2]] == [f"{_SVG}title", f"{_SVG}desc"]
        assert [t.text for t in texts(root, "mark")] == ["data 0123"] and "Data 0123." in p.caption
        assert "data 0123" in picture(p) and "Data 0123." in picture(p)
        assert not any(name.startswith("on") or "href" in name for e in root.iter() for name in e.attrib)
        light, dark = sheet(p.light, p.mark), sheet(p.dark, p.mark, dark=True)
        assert len(set(zip(colours(light.pieces), colours(dark.pieces), strict=True))) == len(pairs(light, dark))
        block = strip(p).splitlines()
        assert re.fullmatch(r"`{3,}text", block[0]) and block[-1] == block[0].removesuffix("text")
        assert not any(line.startswith(block[-1]) for line in block[1:-1])
    assert "prefers-color-scheme: dark" in dark_style(drawn) and dark_style([]) == ""
    assert styles_of(found)[found.baseline.run_id] == STYLES["baseline"]
    used = list(styles_of(found).values())
    assert len({s.symbol for s in used}) == len({s.light for s in used}) == len(used)
    assert {"#595959", "#0072B2", "#D55E00"} <= {s.light for s in used}


def test_a_strip_shows_markers_intervals_and_numbers(found: Paper) -> None:
    text = "\n".join(strip(Plot(f, f)) for f in difference_figures(found))
    row = next(c for c in found.comparisons if c.other.condition.name == "prompted")
    quality = next(r for r in row.rows if r.measure == "quality").difference
    line = next(x for x in text.splitlines() if f"{quality.value:+.3f} [" in x)
    assert "■" in line and "─" in text and "░" in text


def test_every_marker_has_a_shape_in_latex(found: Paper) -> None:
    """Also those of runs beyond the first few, which this report does not have."""
    [figure, *_] = difference_figures(found)
    for style in [*STYLES.values(), *MORE]:
        drawing = go.Figure(figure.figure)
        drawing.update_traces(marker_symbol=style.symbol, selector={"mode": "markers"})
        made = picture(Plot(replace(figure, figure=drawing), figure))
        bare = re.sub(r"\\[{}]", "", made)
        assert bare.count("{") == bare.count("}") and "$+$" not in made
