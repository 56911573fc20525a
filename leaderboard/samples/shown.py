"""Responses as text cells, a sentence and a chart. Names in them stay untrusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import plotly.graph_objects as go

from judges.stats import Estimate
from leaderboard import present
from leaderboard.agreement.drawing import INK, escaped, lay_out
from leaderboard.charts import STYLES
from leaderboard.samples.data import Said, Sample
from results.manifest import ItemFacts, Manifest
from results.measure import LABELS

STEPS: Final = 20
"""Steps of the range of a score, which lies between 0 and 1."""


@dataclass(frozen=True)
class Scale:
    """What values a measure can have, as people read them.

    Attributes:
        points: Text by value, from the lowest up.
        declared: Whether these are all there are; else they are steps between two ends.
    """

    points: Mapping[float, str] = field(default_factory=dict)
    declared: bool = True

    def text(self, said: Said) -> str:
        """A value as people read it, or why there is none."""
        if said.value is None:
            return said.status.replace("_", " ")
        known = self.points.get(said.value) if self.declared else None
        return known if known is not None else present.fixed(said.value)

    def at(self, text: str) -> float:
        """The value that a text of `points` stands for."""
        return next(v for v, t in self.points.items() if t == text)


def scale_of(run: Manifest, measure: str, rows: Sequence[Sample] = ()) -> Scale:
    """The scale of a measure; a score lies between 0 and 1."""
    scale = run.rubric.scales.get(measure)
    if scale is None:
        return Scale({n / STEPS: f"{n / STEPS:.2f}" for n in range(STEPS + 1)}, declared=False)
    if scale.scale == "binary":
        return Scale({0.0: "No", 1.0: "Yes"})
    if scale.scale == "nominal":
        names = [present.plain(c, 40) for c in scale.categories]
        return Scale({float(n): t if names.count(t) == 1 else f"{t} ({n})" for n, t in enumerate(names)})
    halves = {float(p): str(p) for p in scale.points}
    # The median of an even panel lies halfway.
    halves |= {(a + b) / 2: f"{(a + b) / 2:g}" for a, b in zip(scale.points, scale.points[1:], strict=False)}
    return Scale(dict(sorted(halves.items())))


def table_rows(rows: Sequence[Sample], run: Manifest, scale: Scale) -> list[dict[str, str]]:
    """The responses as text cells by column name."""
    names = judge_names(run)
    several = len(names) > 1
    epochs = run.epochs > 1
    counted = any(s.words is not None for s in rows)
    labelled = any(s.contacts is not None for s in rows)
    return [
        {
            "Item": present.plain(s.item.id, 60),
            **({"Epoch": str(s.epoch)} if epochs else {}),
            "Domain": present.plain((s.item.domain or "").replace("_", " "), 40),
            "Category": present.plain(s.item.category or "", 60),
            "Expected": _expected(s.item),
            "Panel": scale.text(s.panel),
            **{name: scale.text(s.judges[j]) for j, name in names.items() if j in s.judges},
            **({"Spread": "undefined" if s.spread is None else f"{s.spread:g}"} if several and s.judges else {}),
            "Status": ", ".join(sorted(x.replace("_", " ") for x in s.statuses)),
            "Response": s.state.replace("_", " ") or "not stated",
            **({"Words": "" if s.words is None else str(s.words)} if counted else {}),
            **({"Contacts": _contacts(s.contacts)} if labelled else {}),
        }
        for s in rows
    ]


def judge_names(run: Manifest) -> dict[str, str]:
    """The panel's judges that are no people, by id, with names that can head a column."""
    names: dict[str, str] = {}
    for judge in run.panel.judges:
        if judge.kind != "human":
            name = f"Judge {present.plain(judge.id, 40)}"
            names[judge.id] = name if name not in names.values() else f"{name} ({len(names) + 1})"
    return names


def sentence(
    run_label: str, label: str, estimate: Estimate, rows: Sequence[Sample], found: Sequence[Sample] | None = None
) -> str:
    """What the measure is over the whole run, how many responses are wanted, and on how many the judges differ.

    No mean is given of the responses that were found: they were chosen by their values. Without filters (`found` not
    given) nothing is said of them.
    """
    over = f"over {_of(estimate.n, estimate.total)} item{'s' * (estimate.total != 1)}"
    over = over if estimate.value is not None else f"({estimate.n} of {estimate.total} items)"
    told = [f"{label} of {present.plain(run_label)}: {present.number(estimate)} {over}."]
    if found is not None:
        shown = "All" if len(found) == len(rows) > 1 else f"{len(found):,} of"
        verb = "matches" if len(found) == 1 else "match"
        told.append(f"{shown} {_count(len(rows), 'response')} {verb} the filters.")
    spreads = [s.spread for s in rows if s.spread is not None]
    if spreads:
        apart = sum(x > 0 for x in spreads)
        told.append(f"Judges differ on {apart:,} of {_count(len(spreads), 'response')} with two verdicts or more.")
    return " ".join(told)


def _of(n: int, total: int) -> str:
    return f"{n} of {total}" if total != n else str(n)


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'s' * (n != 1)}"


def _expected(item: ItemFacts) -> str:
    return present.plain((item.answer or "not stated").replace("_", " "), 40)


def _contacts(contacts: Mapping[str, int] | None) -> str:
    if contacts is None:
        return ""
    return ", ".join(f"{n} {label.replace('_', ' ')}" for label, n in contacts.items()) or "none"


def label_of(measure: str) -> str:
    """How people read a criterion or score; a criterion's name may be untrusted."""
    return LABELS.get(measure) or present.plain(measure.replace("_", " ").capitalize(), 60)


def figure_label(run: Manifest, measure: str) -> str:
    """What the figure over all items says of a measure: of a nominal criterion, the share of its best category."""
    scale = run.rubric.scales.get(measure)
    if scale is None or scale.scale != "nominal":
        return label_of(measure)
    return f"Share of {label_of(measure).lower()} {present.plain(scale.best or scale.categories[0], 40)!r}"


BINS: Final = 10
"""Bars of a score."""
NO_VALUE: Final = "no value"


def bars(rows: Sequence[Sample], found: Sequence[Sample], scale: Scale) -> list[tuple[str, int, int]]:
    """How often each value occurs: its text, among all responses, and among those that were found.

    A score is counted in ten steps. Responses without a value have a bar of their own, the last.
    """
    if scale.declared:
        names = {v: t for v, t in scale.points.items() if v.is_integer() or any(s.panel.value == v for s in rows)}
        place = {v: n for n, v in enumerate(names)}
        texts = list(names.values())
    else:
        place = {}
        texts = [f"{n / BINS:.1f} to {(n + 1) / BINS:.1f}" for n in range(BINS)]

    def counts(given: Sequence[Sample]) -> list[int]:
        out = [0] * (len(texts) + 1)
        for s in given:
            v = s.panel.value
            if v is None:
                out[-1] += 1
            elif scale.declared:
                out[place[v]] += 1
            else:
                # Single precision: 0.3 is stored as a little more.
                out[min(int(v * BINS + 1e-5), BINS - 1)] += 1
        return out

    return list(zip([*texts, NO_VALUE], counts(rows), counts(found), strict=True))


def histogram(counts: Sequence[tuple[str, int, int]], label: str, dark: bool = False) -> go.Figure:
    """How the values lie: hollow bars for all responses, filled ones for those that were found.

    Args:
        counts: From `bars`.
        label: What is measured.
        dark: Colours for a dark page.
    """
    ink, style = INK[dark], STYLES["prompted"]
    colour = style.dark if dark else style.light
    names = [escaped(present.plain(t, 30)) for t, _, _ in counts]
    at = list(range(len(counts)))
    everyone = [n for _, n, _ in counts]
    figure = go.Figure()
    figure.add_trace(
        go.Bar(x=at, y=everyone, name="all responses", hoverinfo="text",
               hovertext=[f"{t}: {n} of all" for t, n in zip(names, everyone, strict=True)],
               marker={"color": "rgba(0,0,0,0)",
                       "line": {"color": ink.soft, "width": [1.5 * (n > 0) for n in everyone]}})
    )  # fmt: skip
    figure.add_trace(
        go.Bar(x=at, y=[n for _, _, n in counts], name="those that match", hoverinfo="text",
               hovertext=[f"{t}: {f} match" for t, (_, _, f) in zip(names, counts, strict=True)],
               marker={"color": colour, "line": {"color": colour, "width": [1.5 * (f > 0) for _, _, f in counts]}})
    )  # fmt: skip
    font = {"size": 12, "color": ink.text}
    lay_out(figure, dark, {
        "height": 250, "barmode": "overlay", "bargap": 0.25, "showlegend": True,
        "margin": {"l": 8, "r": 8, "t": 34, "b": 8},
        "legend": {"orientation": "h", "x": 0, "xref": "container", "y": 1, "yref": "container", "yanchor": "top",
                   "font": font, "itemclick": False, "itemdoubleclick": False},
        "xaxis": {"tickvals": at, "ticktext": names, "tickfont": font, "automargin": True, "fixedrange": True,
                  "autotickangles": [0, -45, -90],
                  "title": {"text": escaped(present.plain(label, 60)), "font": font}},
        "yaxis": {"tickfont": font, "gridcolor": ink.grid, "rangemode": "tozero", "automargin": True,
                  "fixedrange": True, "title": {"text": "responses", "font": font}, "tickformat": ",d"},
    })  # fmt: skip
    return figure


def histogram_alt(counts: Sequence[tuple[str, int, int]], label: str) -> str:
    """The chart in one sentence."""
    told = "; ".join(f"{present.plain(t, 30)}: {f} of {n}" for t, n, f in counts if n)
    return f"Bars of {present.plain(label, 60)}, responses that match out of all, by value: {told or 'none'}."
