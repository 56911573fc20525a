"""Judges beside people on one criterion: what the page on judges says and draws of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard import present
from leaderboard.agreement.drawing import Figure
from leaderboard.agreement.forest import agreement_figures
from leaderboard.agreement.pairs import pair_tables
from leaderboard.agreement.sentences import pair_sentences, people_sentences
from leaderboard.cli.common import Table
from results.agreement import agreement_report
from results.agreement_records import AgreementReport
from results.manifest import Manifest
from results.raters import AgreementError
from results.store import Store


@dataclass(frozen=True)
class WithPeople:
    """Judges beside people.

    Attributes:
        lines: What can be said. Names in it are untrusted.
        figures: Agreement of each person with each judge.
        tables: The same as text cells.
    """

    lines: tuple[str, ...]
    figures: Sequence[Figure]
    tables: Sequence[Table]


def people_report(store: Store, runs: Sequence[Manifest], criterion: str) -> AgreementReport | str:
    """The report on one criterion of the runs that people have rated, or why there is none.

    Raises:
        StoreError: Ratings cannot be read, as of a run that has been replaced.
    """
    try:
        return agreement_report(store, list(runs), [criterion], brief=True)
    except AgreementError as ex:
        return present.plain(str(ex), 300, ends=False)


def people_shown(report: AgreementReport, dark: bool = False) -> WithPeople:
    """What the page shows of a report.

    Args:
        report: The report.
        dark: Colours for a dark page.
    """
    lines = (*pair_sentences(report), *people_sentences(report))
    return WithPeople(lines, agreement_figures(report, dark), pair_tables(report, full=False))
