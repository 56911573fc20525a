"""A plot as SVG within a page: no script, no request, its text alternative inside."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Final

from leaderboard.plots.sheet import Box, Line, Marker, Piece, Plot, Run, Text, pairs, sheet
from leaderboard.present import plain

_SHAPES: Final = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "triangle-up": ((0, -1.15), (1.15, 0.9), (-1.15, 0.9)),
    "triangle-down": ((0, 1.15), (1.15, -0.9), (-1.15, -0.9)),
    "triangle-left": ((-1.15, 0), (0.9, -1.15), (0.9, 1.15)),
    "triangle-right": ((1.15, 0), (-0.9, -1.15), (-0.9, 1.15)),
    "star": ((0, -1.25), (0.29, -0.4), (1.19, -0.39), (0.48, 0.15), (0.73, 1.01), (0, 0.5), (-0.73, 1.01),
             (-0.48, 0.15), (-1.19, -0.39), (-0.29, -0.4)),
    "cross": ((-0.35, -1), (0.35, -1), (0.35, -0.35), (1, -0.35), (1, 0.35), (0.35, 0.35), (0.35, 1), (-0.35, 1),
              (-0.35, 0.35), (-1, 0.35), (-1, -0.35), (-0.35, -0.35)),
}  # fmt: skip
"""Corners of the markers, in half sizes from the middle."""
_LONGEST: Final = 400


def svg(plot: Plot) -> str:
    """The plot on a light page; with `dark_style` in the page's style it turns with the page."""
    drawn = sheet(plot.light, plot.mark)
    body = "".join(map(_piece, drawn.pieces))
    alt = f"{plot.light.alt} {plot.mark}".strip()
    return (
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawn.width:g} {drawn.height:g}" '
        f'width="{drawn.width:g}" height="{drawn.height:g}" role="img" aria-label="{_esc(alt, 4000)}" '
        f'font-family="system-ui, sans-serif"><title>{_esc(plot.light.title)}</title><desc>{_esc(alt, 4000)}</desc>'
        f"{body}</svg>"
    )


def dark_style(plots: Iterable[Plot]) -> str:
    """Rules that give plots the colours of a dark page; where they do not apply, the plots keep their own."""
    found: dict[str, str] = {}
    for plot in plots:
        found.update(pairs(sheet(plot.light, plot.mark), sheet(plot.dark, plot.mark, dark=True)))
    if not found:
        return ""
    rules = "".join(
        f".f{light[1:]}{{fill:{dark}}}.s{light[1:]}{{stroke:{dark}}}" for light, dark in sorted(found.items())
    )
    # On paper the page is light, whatever the screen was.
    return f"@media screen and (prefers-color-scheme: dark){{{rules}}}"


def _piece(p: Piece) -> str:
    match p:
        case Line():
            dash = ' stroke-dasharray="2 3"' if p.dashed else ""
            ends = f'x1="{p.x0:.2f}" y1="{p.y0:.2f}" x2="{p.x1:.2f}" y2="{p.y1:.2f}"'
            return f'<line class="{p.what} {_class(p.colour, "s")}" {ends} {_stroke(p.colour, p.width)}{dash}/>'
        case Box():
            size = f'width="{p.x1 - p.x0:.2f}" height="{p.y1 - p.y0:.2f}"'
            return _said(
                f'<rect class="{"bar" if p.said else "band"} {_class(p.colour, "f")}" x="{p.x0:.2f}" y="{p.y0:.2f}" '
                f'{size} fill="{p.colour}"',
                "rect",
                p.said,
            )
        case Marker():
            return _marker(p)
        case Text():
            return _text(p)


def _marker(p: Marker) -> str:
    half, opened = p.size / 2, p.symbol.endswith("-open")
    shape = p.symbol.removesuffix("-open")
    if shape == "line-ns":
        ends = f'x1="{p.x:.2f}" y1="{p.y - half:.2f}" x2="{p.x:.2f}" y2="{p.y + half:.2f}"'
        return f'<line class="end {_class(p.colour, "s")}" {ends} {_stroke(p.colour, 2)}/>'
    kind, paint = ("s", f'fill="none" {_stroke(p.colour, 2)}') if opened else ("f", f'fill="{p.colour}"')
    head = f'class="marker {shape} {_class(p.colour, kind)}" {paint}'
    if shape not in _SHAPES:
        return _said(f'<circle {head} cx="{p.x:.2f}" cy="{p.y:.2f}" r="{half:.2f}"', "circle", p.said)
    points = " ".join(f"{p.x + a * half:.2f},{p.y + b * half:.2f}" for a, b in _SHAPES[shape])
    return _said(f'<polygon {head} points="{points}"', "polygon", p.said)


def _said(start: str, tag: str, said: str) -> str:
    """An element, with its numbers to be read when it is pointed at."""
    return f"{start}><title>{_esc(said)}</title></{tag}>" if said else f"{start}/>"


def _text(p: Text) -> str:
    weight = ' font-weight="600"' if p.bold else ""
    style = ' font-style="italic"' if p.italic else ""
    runs = p.runs if len(p.runs) > 1 else ()
    inner = "".join(map(_run, runs)) if runs else _esc(p.text)
    colour = p.runs[0].colour if p.runs else "#000000"
    fill = "" if runs else f' fill="{colour}"'
    names = p.role if runs else f"{p.role} {_class(colour, 'f')}"
    return (
        f'<text class="{names}" x="{p.x:.2f}" y="{p.y + 0.35 * p.size:.2f}" font-size="{p.size:g}" '
        f'text-anchor="{p.anchor}"{fill}{weight}{style}>{inner}</text>'
    )


def _run(run: Run) -> str:
    return f'<tspan class="{_class(run.colour, "f")}" fill="{run.colour}">{_esc(run.text)}</tspan>'


def _class(colour: str, kind: str) -> str:
    return kind + colour[1:]


def _stroke(colour: str, width: float) -> str:
    return f'stroke="{colour}" stroke-width="{width:g}"'


def _esc(text: str, limit: int = _LONGEST) -> str:
    return html.escape(plain(text, limit), quote=True)
