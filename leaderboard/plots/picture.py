"""A plot in LaTeX's own picture environment: packages color and graphicx, nothing else, and one file."""

from __future__ import annotations

from typing import Final

from leaderboard.agreement.drawing import SIGNS
from leaderboard.cli.common import latex_text
from leaderboard.plots.sheet import Box, Line, Marker, Piece, Plot, Run, Sheet, Text, sheet
from leaderboard.present import plain

_UNIT: Final = 0.75
"""Points of a pixel; the picture is scaled to the width of the text afterwards, letters included."""
_DOT: Final = 2.0
_GAP: Final = 3.0
_SYMBOLS: Final = {
    "star": r"$\star$",
    "triangle-up-open": r"$\triangle$",
    "diamond-open": r"$\diamond$",
}
_TRIANGLES: Final = {"triangle-up": 0, "triangle-right": -90, "triangle-down": 180, "triangle-left": 90}
_LEGEND: Final = 8.0


def picture(plot: Plot) -> str:
    """The plot as a floating figure with its caption."""
    drawn = sheet(plot.light, plot.mark)
    body = "\n".join(filter(None, (_piece(p, drawn) for p in drawn.pieces)))
    return "\n".join(
        [r"\begin{figure}[!htbp]", r"\centering", r"\resizebox{\textwidth}{!}{%",
         rf"\setlength{{\unitlength}}{{{_UNIT}pt}}\setlength{{\fboxsep}}{{0pt}}%",
         rf"\begin{{picture}}({drawn.width:g},{drawn.height:g})", body, r"\end{picture}}",
         rf"\caption{{{latex_text(plot.caption)}}}", r"\end{figure}"]
    )  # fmt: skip


def _piece(p: Piece, on: Sheet) -> str:
    match p:
        case Line():
            return _line(p, on)
        case Box():
            return _rule(p.x0, p.y0, p.x1, p.y1, p.colour, on)
        case Marker():
            return _put(p.x, p.y, _paint(p.colour, _marker(p.symbol, p.size)), on)
        case Text():
            return _text(p, on)


def _line(p: Line, on: Sheet) -> str:
    """A line along an axis; no drawing here has others. A dashed one is a row of dots."""
    half = p.width / 2
    if not p.dashed:
        if p.y0 == p.y1:
            return _rule(min(p.x0, p.x1), p.y0 - half, max(p.x0, p.x1), p.y0 + half, p.colour, on)
        return _rule(p.x0 - half, min(p.y0, p.y1), p.x0 + half, max(p.y0, p.y1), p.colour, on)
    steps = int(abs(p.y1 - p.y0) / (_DOT + _GAP))
    dot = _paint(p.colour, rf"\rule{{{p.width * _UNIT:.2f}pt}}{{{_DOT * _UNIT:.2f}pt}}")
    start = on.height - max(p.y0, p.y1)
    return rf"\multiput({p.x0 - half:.2f},{start:.2f})(0,{_DOT + _GAP:g}){{{steps}}}{{{dot}}}"


def _rule(x0: float, y0: float, x1: float, y1: float, colour: str, on: Sheet) -> str:
    size = rf"\rule{{{(x1 - x0) * _UNIT:.2f}pt}}{{{(y1 - y0) * _UNIT:.2f}pt}}"
    return rf"\put({x0:.2f},{on.height - y1:.2f}){{{_paint(colour, size)}}}"


def _marker(symbol: str, size: float) -> str:
    """A marker around its middle."""
    side = f"{size * _UNIT:.2f}pt"
    shape = symbol.removesuffix("-open")
    if shape == "line-ns":
        return _middle(rf"\rule{{{2 * _UNIT:.2f}pt}}{{{side}}}")
    if shape == "circle":
        return rf"\circle{'' if symbol.endswith('-open') else '*'}{{{size:g}}}"
    if shape == "square":
        box = rf"\framebox({size:g},{size:g}){{}}"
        return rf"\makebox(0,0){{{box}}}" if symbol.endswith("-open") else _middle(rf"\rule{{{side}}}{{{side}}}")
    if shape == "cross":
        return _middle(rf"\rule{{{side}}}{{{size * _UNIT / 3:.2f}pt}}") + _middle(
            rf"\rule{{{size * _UNIT / 3:.2f}pt}}{{{side}}}"
        )
    if symbol == "diamond":
        return _middle(rf"\rotatebox{{45}}{{\rule{{{side}}}{{{side}}}}}")
    if shape in _TRIANGLES and not symbol.endswith("-open"):
        return _middle(rf"\rotatebox{{{_TRIANGLES[shape]}}}{{{_triangle(size)}}}")
    letter = size * (2.4 if shape == "star" else 1.5) * _UNIT
    return _middle(rf"\fontsize{{{letter:.1f}}}{{12}}\selectfont {_SYMBOLS.get(symbol, '$+$')}")


def _triangle(size: float) -> str:
    """A filled triangle of thin rules, since the symbols of plain LaTeX are hollow."""
    steps = 12
    tall = size * _UNIT / steps
    rows = [
        rf"\hbox to {size * _UNIT:.2f}pt{{\hss\rule{{{size * _UNIT * (n + 1) / steps:.2f}pt}}{{{tall:.2f}pt}}\hss}}"
        for n in range(steps)
    ]
    return rf"\vbox{{\offinterlineskip {''.join(rows)}}}"


def _middle(inner: str) -> str:
    return rf"\makebox(0,0){{{inner}}}"


def _text(p: Text, on: Sheet) -> str:
    side = {"start": "[l]", "middle": "", "end": "[r]"}[p.anchor]
    shape = (r"\bfseries " if p.bold else "") + (r"\itshape " if p.italic else "")
    inner = "".join(map(_run, p.runs))
    if not inner.strip():
        return ""
    size = rf"\fontsize{{{p.size * _UNIT:g}}}{{{1.2 * p.size * _UNIT:g}}}\selectfont "
    return _put(p.x, p.y, rf"\makebox(0,0){side}{{{size}{shape}\strut {inner}}}", on)


def _run(run: Run) -> str:
    """A piece of text; a sign of the legend is drawn as the marker that it stands for."""
    symbol = next((s for s, sign in SIGNS.items() if sign == run.text.strip()), None)
    if symbol is None:
        return _paint(run.colour, latex_text(plain(run.text, 400)))
    drawn = _paint(run.colour, _marker(symbol, _LEGEND))
    return rf"\begin{{picture}}(12,0)\put(5,3.5){{{drawn}}}\end{{picture}}"


def _put(x: float, y: float, inner: str, on: Sheet) -> str:
    return rf"\put({x:.2f},{on.height - y:.2f}){{{inner}}}"


def _paint(colour: str, inner: str) -> str:
    if colour in ("#1F2328", "#000000"):
        return inner
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return rf"{{\color[rgb]{{{red:.3f},{green:.3f},{blue:.3f}}}{inner}}}"
