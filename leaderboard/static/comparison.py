"""Comparisons as one small file without scripts."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard import present
from leaderboard.static.pieces import lines, name, said, table
from leaderboard.static.shell import page
from results.compare import Comparison


def comparison_html(title: str, comparisons: Sequence[Comparison], notes: Sequence[str] = ()) -> str:
    """Comparisons as one small file without scripts, a table each.

    Args:
        title: Title of the page.
        comparisons: Runs compared with their baseline (`results.compare.compare`).
        notes: Lines above the tables, such as caveats.
    """
    parts = [said(n, "loud") for n in notes]
    for c in comparisons:
        parts.append(f"<h2>{name(c.other.label)} against {name(c.baseline.label)}</h2>")
        heads = ("Measure", "Baseline [95 %]", "n", "Other [95 %]", "n", "Difference, paired [95 %]",
                 "Relative change", "Coverage")  # fmt: skip
        rows = [
            (r.label, present.number(r.baseline), str(r.baseline.n), present.number(r.other), str(r.other.n),
             present.number(r.difference, signed=True), present.relative(r.relative), present.coverage(r.difference))
            for r in c.rows if r.group == "score"
        ]  # fmt: skip
        parts.append(table(heads, rows, range(1, len(heads)), "Scores of both runs, with the paired difference"))
        runs = f"Baseline {name(c.baseline.run_id)}, other {name(c.other.run_id)}."
        parts.append(f'<p class="soft">{runs} Coverage: items with a value in both runs.</p>')
        parts.append(lines(c.warnings))
    if not comparisons:
        parts.append("<p>Nothing to compare.</p>")
    return page(title, "".join(parts))
