"""`psychosafe reproduce`: published comparisons, recomputed from the published files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from leaderboard.agreement.words import name
from leaderboard.cli.common import Table, format_option, interval, one_line_errors, print_tables, relative_change
from leaderboard.cli.compare_detail import detail_tables
from leaderboard.cli.reproduce_tables import sorry_bench_command, xstest_command
from results.reproduce import Reproduction
from results.store import Store


@click.group("reproduce")
def reproduce_command() -> None:
    """Published comparisons, recomputed from the published files, with what they lacked."""


reproduce_command.add_command(sorry_bench_command)
reproduce_command.add_command(xstest_command)


@reproduce_command.command("psychosafe")
@click.argument("judgments", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--prompts", type=click.Path(path_type=Path, exists=True), help="Validation set with its risk clusters.")
@format_option
def psychosafe_command(judgments: Path, prompts: Path | None, fmt: str) -> None:
    """The PsychoSafe main comparison, from JUDGMENTS of its four runs (compare_all_judges_..._full_vs_sft.json).

    Beside the authors' figures: paired differences with intervals, relative changes with intervals, bounds for the
    prompts that were left out and, with --prompts, every score by risk cluster. Nothing is written.
    """
    from evals.load import load_prompts
    from results.reproduce import reproduce_psychosafe

    with one_line_errors(), tempfile.TemporaryDirectory() as folder:
        domains = {i.prompt: i.domain or "" for i in load_prompts(str(prompts)).items} if prompts else {}
        found = reproduce_psychosafe(Store(Path(folder)), judgments, domains)
    tables = [*_lines(found), *(t for c in found.comparisons for t in detail_tables(c)), _account(found)]
    print_tables(tables, fmt, found.as_dict())


def _lines(found: Reproduction) -> list[Table]:
    """A table a run."""
    heads = ("Measure", "Baseline [95 %]", "Other [95 %]", "Difference [95 %]", "Relative [95 %]", "Stated", "Agrees",
             f"With the {found.left_out} left out")  # fmt: skip
    tables = []
    for run in dict.fromkeys(line.run for line in found.lines):
        own = [line for line in found.lines if line.run == run]
        rows = [
            (
                name(line.measure) if line.measure != "gated_published" else "The same, 0 if not refused",
                interval(line.baseline),
                interval(line.other),
                interval(line.difference, signed=True),
                relative_change(line.relative),
                "" if line.claimed is None else f"{100 * line.claimed:+.1f} %",
                {None: "", True: "yes", False: "no"}[line.agrees],
                f"{line.bounds[0]:+.3f} to {line.bounds[1]:+.3f}",
            )
            for line in own
        ]
        title = f"{own[0].label}  against the baseline, {own[0].baseline.n} prompts"
        tables.append(Table(heads, rows, title, numeric=(1, 2, 3, 4, 5, 7)))
    return tables


def _account(found: Reproduction) -> Table:
    return Table(
        ("", "What to know"),
        [(str(n), text) for n, text in enumerate(found.differences, 1)],
        "Where the published analysis and this one differ",
    )
