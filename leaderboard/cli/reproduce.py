"""`psychosafe reproduce`: published comparisons, recomputed from the published files."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from leaderboard.agreement.words import name
from leaderboard.cli.common import (
    Table,
    format_option,
    interval,
    one_line_errors,
    p_value,
    print_tables,
    relative_change,
)
from leaderboard.cli.compare_detail import detail_tables
from leaderboard.cli.reproduce_tables import sorry_bench_command, xstest_command
from results.reproduce import Reproduction
from results.reproduce_strict import Side
from results.store import Store

JUDGMENTS: Final = "paper_judgments"
"""The data set with the published judgments."""


@click.group("reproduce")
def reproduce_command() -> None:
    """Published comparisons, recomputed from the published files, with what they lacked."""


reproduce_command.add_command(sorry_bench_command)
reproduce_command.add_command(xstest_command)


@reproduce_command.command("psychosafe")
@click.argument("judgments", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--prompts", type=click.Path(path_type=Path, exists=True), help="Validation set with its risk clusters.")
@format_option
def psychosafe_command(judgments: Path | None, prompts: Path | None, fmt: str) -> None:
    """The PsychoSafe main comparison, from JUDGMENTS of its four runs (compare_all_judges_..._full_vs_sft.json).

    Without JUDGMENTS, from the copy that `psychosafe data fetch paper_judgments` has brought from the authors'
    repository.

    As its authors count and strictly, side by side: relative changes with intervals; differences with intervals,
    corrected tests and bounds for the prompts that were left out. Where the file holds the answers, which were cut, and
    the comparison without them. With --prompts, every score by risk cluster. Nothing is written.
    """
    from evals.load import load_prompts
    from results.reproduce import reproduce_psychosafe

    with one_line_errors(), tempfile.TemporaryDirectory() as folder:
        judgments = judgments or _fetched(JUDGMENTS)
        domains = {i.prompt: i.domain or "" for i in load_prompts(str(prompts)).items} if prompts else {}
        found = reproduce_psychosafe(Store(Path(folder)), judgments, domains)
    tables = [*_sides(found), *_answers(found)]
    tables += [*(t for c in found.comparisons for t in detail_tables(c)), _account(found)]
    print_tables(tables, fmt, found.as_dict())


def _fetched(name: str) -> Path:
    """The verified copy of a data set in the cache."""
    from evals.data import DataError, resolve

    path = resolve(name)
    if path is None:
        raise DataError(f"{name} is not in the cache; run `psychosafe data fetch {name}`, or give a file")
    return path


def _sides(found: Reproduction) -> list[Table]:
    """Faithful and strict side by side, a table a run."""
    heads = ("Measure", "Faithful", "Change [95 %]", "Stated", "Strict", "Difference [95 %]", "p (Holm)",
             f"With the {found.left_out} left out")  # fmt: skip
    stated = {(x.run, x.measure): x for x in found.lines}
    notes = [
        "Faithful: raw means (grounding and relevance on 1-5), baseline and this run, and the relative change, as "
        "published. Stated: what the abstract says, and whether this rounds to it.",
        "Strict: each criterion on 0-1, and 0 where the answer is judged not to refuse; paired differences; bounds put "
        "every prompt that was left out at either end of the scale. Some prompts are harmless or ask for nothing; a 0 "
        "for answering them is the method's, not the answer's.",
        f"Corrected over {sum(s.p_value is not None for s in found.sides)} tests: all measures of all runs.",
    ]
    tables = []
    for own in _by_run(found.sides):
        rows = [
            (
                _name(s),
                _from_to(*s.faithful),
                relative_change(s.relative),
                _stated(s, stated[s.run, s.measure].agrees),
                _from_to(s.baseline.value, s.other.value),
                interval(s.difference, signed=True),
                p_value(s.adjusted),
                f"{s.bounds[0]:+.3f} to {s.bounds[1]:+.3f}",
            )
            for s in own
        ]
        title = f"Faithful and strict: {own[0].label}  against the baseline, {own[0].baseline.total} prompts"
        tables.append(Table(heads, rows, title, numeric=range(1, 8)))
    return [*tables[:-1], *(replace(t, notes=notes) for t in tables[-1:])]


def _answers(found: Reproduction) -> list[Table]:
    """How the answers end, and the comparison over those that show no sign of having been cut."""
    if not found.ends:
        said = "Answers not in this file: how many were cut, and what they change, cannot be said from it. "
        said += "`psychosafe data fetch paper_judgments` brings the authors' own file."
        return [Table(("", "What to know"), [("", said)], "Answers that were cut")]
    heads = ("Run", "Answers", "End token", "No end token", "Last line open", "Repetition", "No answer", "Complete")
    rows = [
        (
            e.run,
            f"{e.answers} of {e.total}",
            *map(str, (e.with_token, e.without_token, e.unfinished, e.repeating, e.no_answer, len(e.complete))),
        )
        for e in found.ends.values()
    ]
    notes = [
        "The file does not say which answers reached the limit of tokens; these are signs. Complete: an answer without "
        "repetition that ends in the end token or, in runs that mostly lack it, whose last line closes.",
    ]
    tables = [Table(heads, rows, "Answers that were cut", notes, numeric=range(1, len(heads)))]
    if found.complete:
        tables.append(_complete(found))
    return tables


def _complete(found: Reproduction) -> Table:
    whole = {(s.run, s.measure): s for s in found.sides}
    rows = [
        (
            s.label,
            _name(s),
            relative_change(whole[s.run, s.measure].relative),
            relative_change(s.relative),
            interval(whole[s.run, s.measure].difference, signed=True),
            interval(s.difference, signed=True),
            f"{s.difference.n} of {whole[s.run, s.measure].difference.n}",
        )
        for s in found.complete
    ]
    heads = ("System", "Measure", "Change, all [95 %]", "Change, complete answers", "Strict difference, all [95 %]",
             "Strict difference, complete answers", "n")  # fmt: skip
    notes = ["Over prompts whose answers are complete in both runs; leaving prompts out is itself a selection."]
    return Table(heads, rows, "The comparison without answers that were cut", notes, numeric=range(2, len(heads)))


def _name(side: Side) -> str:
    return "Overall" if side.measure == "paper" else name(side.measure)


def _from_to(baseline: float | None, other: float | None) -> str:
    return "undefined" if baseline is None or other is None else f"{baseline:.3f} to {other:.3f}"


def _stated(side: Side, agrees: bool | None) -> str:
    if side.claimed is None:
        return ""
    return f"{100 * side.claimed:+.1f} %, {'agrees' if agrees else 'differs'}"


def _by_run(sides: tuple[Side, ...]) -> list[list[Side]]:
    return [[s for s in sides if s.run == run] for run in dict.fromkeys(s.run for s in sides)]


def _account(found: Reproduction) -> Table:
    return Table(
        ("", "What to know"),
        [(str(n), text) for n, text in enumerate(found.differences, 1)],
        "Where the published analysis and this one differ",
    )
