"""`psychosafe report` and `verify`: a report for a paper, and one held against the store that it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from leaderboard.cli.common import one_line_errors, store_option, write_whole
from results.paired import MARGIN
from results.store import Store


@click.command("report")
@click.option("--runs", "wanted", multiple=True, metavar="RUN", help="Runs to compare, with commas [all comparable].")
@click.option("--baseline", required=True, metavar="RUN", help="Run to compare with.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="FILE.html, .md or .tex"
)
@click.option("--margin", type=click.FloatRange(0.001, 1), default=MARGIN, help="Margin of equivalence [0.05].")
@click.option("--correction", type=click.Choice(["holm", "bh"]), default="holm", help="Correction of p values [holm].")
@store_option
def report_command(
    wanted: tuple[str, ...], baseline: str, out: Path, margin: float, correction: Literal["holm", "bh"], store: Store
) -> None:
    """Write a report for a paper: methods, plots, tables, order, agreement with people, limitations, BibTeX.

    All of it comes from manifests and ratings in the store. Every table and plot carries an id of the data behind it;
    `psychosafe verify FILE` makes the report again and says what differs.
    """
    from leaderboard.paper.content import paper
    from leaderboard.paper.file import SUFFIXES, report_text

    if out.suffix not in SUFFIXES:
        raise click.ClickException(f"{out.name}: give a name that ends in {', '.join(SUFFIXES)}")
    with one_line_errors():
        names = [n.strip() for part in wanted for n in part.split(",") if n.strip()]
        found = paper(store, store.find(baseline), [store.find(n) for n in names], margin, correction)
        write_whole(out, report_text(found, out.suffix))
    click.echo(f"written {out}: {len(found.runs)} runs", err=True)


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@store_option
def verify_command(file: Path, store: Store) -> None:
    """Make a report FILE again from the store and say what differs; exit status 1 if something does.

    A figure, a sentence or a marker that was changed by hand is found. Where another version of the program wrote the
    file, its figures are compared and its wording is not.
    """
    from leaderboard.paper.verify import verify

    with one_line_errors():
        found = verify(store, file)
    for line in found.notes:
        click.echo(f"note      {line}", err=True)
    for line in found.wrong:
        click.echo(f"differs   {line}", err=True)
    if found.wrong:
        raise SystemExit(1)
    click.echo(f"verified  {file}: every figure comes out as it stands there")
