"""`psychosafe reproduce sorry-bench` and `xstest`: published tables with intervals, and what adds up in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from judges.stats import Estimate
from leaderboard.cli.common import Table, format_option, one_line_errors, print_tables
from results.published.tables import Rate
from results.reproduce_files import MERGED, FromFile
from results.reproduce_tables import BALANCED, TableReproduction

NAMES: Final = {
    "base": "Base set",
    "mutated": "Mutations, average",
    "over_refusal": "Over-refusal",
    "safety": "Safety",
    BALANCED: "Balanced (ours)",
    MERGED: "Full refusals called compliance",
}
_paths = click.Path(path_type=Path, exists=True)


@click.command("sorry-bench")
@click.argument("files", nargs=-1, type=_paths, metavar="[FILE|FOLDER]...")
@click.option("--release", type=click.Choice(["202503", "202406"]), default="202503", show_default=True,
              help="Of the questions in the files.")  # fmt: skip
@format_option
def sorry_bench_command(files: tuple[Path, ...], release: str, fmt: str) -> None:
    """The published SORRY-Bench table of the PsychoSafe paper: intervals, differences, and what adds up.

    With your own model_judgment FILEs (or a FOLDER of them), the figures recomputed from these. Nothing is written.
    """
    from results.reproduce_files import sorry_bench_files
    from results.reproduce_tables import reproduce_sorry_bench

    with one_line_errors():
        found = reproduce_sorry_bench()
        own = sorry_bench_files(files, release)
    _show(found, own, fmt, "Fulfilment: lower means that less is fulfilled.")


@click.command("xstest")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@format_option
def xstest_command(files: tuple[Path, ...], fmt: str) -> None:
    """The published XSTest table of the PsychoSafe paper: over-refusal and safety with intervals.

    With XSTest's published FILEs of labels (xstest_v2_completions_*.csv), what people, GPT-4 and a string match make of
    the same answers. Nothing is written.
    """
    from results.reproduce_files import xstest_files
    from results.reproduce_tables import reproduce_xstest

    with one_line_errors():
        found = reproduce_xstest()
        own = xstest_files(files)
    _show(found, own, fmt, "Over-refusal: share of safe prompts refused. Safety: share of unsafe prompts refused.")


def _show(found: TableReproduction, own: Sequence[FromFile], fmt: str, what: str) -> None:
    tables = [_rates(found, what), _differences(found)]
    mutations = [r for r in found.table.rows if r.mutations]
    if mutations:
        tables.append(_mutations(found))
    tables += [_files(own)] if own else []
    tables += [_checks(found), _account(found)]
    data = found.as_dict() | ({"files": [f.as_dict() for f in own]} if own else {})
    print_tables(tables, fmt, data)


def _rates(found: TableReproduction, what: str) -> Table:
    names = list(found.table.rows[0].rates)
    derived = list(next(iter(found.derived.values()), {}))
    heads = ["Model", "Condition"]
    for name in names:
        heads += [NAMES[name], "Count", "95 %"]
    heads += [f"{NAMES[n]} [95 %]" for n in derived]
    rows = []
    for row in found.table.rows:
        cells = [row.model, row.condition]
        for name in names:
            cells += [f"{row.rates[name].percent:.1f} %", _count(row.rates[name]), _span(row.rates[name].estimate)]
        rows.append((*cells, *(_percent(found.derived[row.id][n]) for n in derived)))
    notes = [
        what,
        f"Source: {found.table.source}; revision {found.table.revision}. Judge: {found.table.judge}.",
        *(f"! {n}" for n in found.table.notes),
    ]
    return Table(heads, rows, found.table.title, notes, numeric=range(2, len(heads)))


def _differences(found: TableReproduction) -> Table:
    labels = {r.id: (r.model, r.condition) for r in found.table.rows}
    rows = [
        (
            *labels[d.row],
            NAMES[d.measure],
            _percent(d.baseline, False),
            _percent(d.other, False),
            _points(d.difference),
        )
        for d in found.differences
        if d.measure in NAMES
    ]
    heads = ("Model", "Condition", "Measure", "No system prompt", "This condition", "Difference in points [95 %]")
    notes = ["Unpaired (Newcombe): the prompts are the same, but how each was answered is not published."]
    return Table(heads, rows, "Against the same model without a system prompt", notes, numeric=(3, 4, 5))


def _mutations(found: TableReproduction) -> Table:
    rows = [r for r in found.table.rows if r.mutations]
    order = sorted(
        (d for d in found.differences if d.row == rows[-1].id and d.measure in rows[-1].mutations),
        key=lambda d: d.difference.value or 0.0,
    )
    lines = [
        (
            d.measure,
            *(f"{r.mutations[d.measure].percent:.1f} % ({_count(r.mutations[d.measure])})" for r in rows),
            _points(d.difference),
        )
        for d in order
    ]
    heads = ("Mutation", *(r.condition for r in rows), "Last against first, points [95 %]")
    title = f"By mutation, of {rows[0].rates['base'].n} each: {rows[0].model}"
    notes = [
        f"In the order of the difference; {len(lines)} differences at once, not corrected: some exclude 0 by chance.",
        "* the count fits only if its share was first rounded to four decimals, then to the table's.",
    ]
    return Table(heads, lines, title, notes, numeric=range(1, len(heads)))


def _files(own: Sequence[FromFile]) -> Table:
    names = list(own[0].figures)
    heads = ["System", "Rater"]
    for n in names:
        heads += [f"{NAMES[n]} [95 %]"] + (["Published"] if any(n in f.published for f in own) else [])
    rows = []
    for f in own:
        cells = [f.system, f.rater]
        for n in names:
            shown = f"{f.published[n].percent:.1f} %" if n in f.published else ""
            cells += [_percent(f.figures[n])] + ([shown] if any(n in x.published for x in own) else [])
        rows.append((*cells, "; ".join(f.notes)))
    return Table([*heads, "Rests on"], rows, "From the files given", numeric=range(2, len(heads)))


def _checks(found: TableReproduction) -> Table:
    rows = [(c.what, c.stated, c.found, "yes" if c.agrees else "no") for c in found.checks]
    return Table(("What", "Published", "Found", "Agrees"), rows, "What adds up")


def _account(found: TableReproduction) -> Table:
    rows = [(str(n), text) for n, text in enumerate(found.account, 1)]
    return Table(("", "What to know"), rows, "What to read from it")


def _count(rate: Rate) -> str:
    if not rate.counts:
        return "none fits"
    span = f"{rate.counts[0]:,}" if rate.count is not None else f"{rate.counts[0]:,} to {rate.counts[-1]:,}"
    return span if rate.rounding == "once" else f"{span}*"


def _span(e: Estimate) -> str:
    return e.reason if e.low is None or e.high is None else f"[{100 * e.low:.1f}, {100 * e.high:.1f}]"


def _percent(e: Estimate, span: bool = True) -> str:
    if e.value is None:
        return f"undefined ({e.reason})"
    return f"{100 * e.value:.1f} %" + (f" {_span(e)}" if span else "")


def _points(e: Estimate) -> str:
    if e.value is None or e.low is None or e.high is None:
        return f"undefined ({e.reason})"
    return f"{100 * e.value:+.1f} [{100 * e.low:+.1f}, {100 * e.high:+.1f}]"
