"""The agreement report in chapters: sentences and tables that every written format shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from leaderboard.agreement import beyond, detail, pairs, people
from leaderboard.agreement.checklist import checklist_table
from leaderboard.agreement.sentences import effect_sentences, pair_sentences, panel_sentences, people_sentences
from leaderboard.cli.common import Table
from leaderboard.plots.sheet import Plot
from results.agreement_records import AgreementReport

Lines = tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """A part of the report.

    Attributes:
        title: What stands above.
        lines: Sentences, one a claim.
        tables: Tables.
        plots: Drawings that stand above the tables and need no script.
    """

    title: str
    lines: Lines
    tables: tuple[Table, ...]
    plots: tuple[Plot, ...] = ()


_CHAPTERS: Final[
    tuple[tuple[str, Callable[[AgreementReport], Lines], Callable[[AgreementReport, bool], list[Table]]], ...]
] = (
    ("Judges and people", pair_sentences, pairs.pair_tables),
    ("Beside judges that read nothing", pairs.null_lines, pairs.null_tables),
    ("Which judge is nearer", lambda _: (), pairs.nearer_tables),
    ("What the conditions do to the judges", effect_sentences, beyond.effect_tables),
    ("What people would say of each run", beyond.corrected_lines, beyond.corrected_tables),
    ("People with each other", people_sentences, people.people_tables),
    ("The judges as a panel", panel_sentences, people.panel_tables),
    ("Raters with themselves", people.repeat_lines, people.repeat_tables),
    ("Missing ratings", pairs.missing_lines, pairs.missing_tables),
    ("Labels still needed", beyond.label_lines, beyond.label_tables),
    ("Figures as the published study computed them", beyond.compat_lines, beyond.compat_tables),
)


def chapters(report: AgreementReport, full: bool = False) -> tuple[Chapter, ...]:
    """The chapters that have something to say, and the checklist.

    Args:
        report: The report.
        full: Also every coefficient, the confusion tables and the agreement of every two judges.
    """
    made = [Chapter(title, lines(report), tuple(tables(report, full))) for title, lines, tables in _CHAPTERS]
    if full:
        made.append(Chapter("Every figure", (), tuple(detail.detail_tables(report))))
    made.append(Chapter("Checklist", (), (checklist_table(report),)))
    return tuple(c for c in made if c.lines or c.tables)
