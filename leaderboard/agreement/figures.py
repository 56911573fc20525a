"""The figures of an agreement report, the same on the page and in image files."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from leaderboard.agreement.corrections import corrected_figures, votes_figures
from leaderboard.agreement.drawing import Figure
from leaderboard.agreement.forest import agreement_figures, effect_figures
from leaderboard.agreement.matrices import matrix_figures
from results.agreement_records import AgreementReport

__all__ = ["Figure", "figures"]


def figures(report: AgreementReport, dark: bool = False) -> tuple[Figure, ...]:
    """Every figure of the report that has something to show.

    Args:
        report: The report.
        dark: Colours for a dark page.

    Returns:
        Figures with unlike names, such as `forest-1-refusal`: the kind, its place in the report, and of a criterion's
        id the letters and digits.
    """
    kinds = (agreement_figures, matrix_figures, effect_figures, corrected_figures, votes_figures)
    made = [figure for draw in kinds for figure in draw(report, dark)]
    seen: Counter[str] = Counter()
    named = []
    for figure in made:
        seen[figure.name] += 1
        alone = sum(f.name == figure.name for f in made) == 1
        place = "" if alone else f"-{seen[figure.name]}"
        about = _slug(figure.about)
        named.append(replace(figure, name=f"{figure.name}{place}{f'-{about}' if about else ''}"))
    return tuple(named)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:40].strip("-")
