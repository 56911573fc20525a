"""`psychosafe demo`: reference policies through the whole path, from prompt to board."""

from __future__ import annotations

import json
import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import click

from leaderboard.cli.common import Table, interval, one_line_errors, print_tables
from leaderboard.cli.compare import comparison_table
from results.compare import Comparison, compare, measures
from results.manifest import Manifest
from results.published import HERE as PUBLISHED
from results.published import published_runs
from results.store import Store

PLAN: Final = (
    ("steerable", "baseline"),
    ("steerable", "prompted"),
    ("keyword", "baseline"),
    ("wrapper", "baseline"),
    ("oracle", "baseline"),
)
"""Four policies; `steerable` is the one that heeds a system prompt, so it runs under two conditions."""
MARK: Final = ".psychosafe-demo"


@click.command("demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where logs, store and page go; an earlier demo there is replaced.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Only the first so many risky prompts, and as many twins: a quick look, with wide intervals.",
)
def demo_command(folder: Path, limit: int | None) -> None:
    """Run four reference policies on the embedded prompts and their benign twins, and show what comes out.

    Everything is real but the models: prompts, Inspect runs, judging, ingest, statistics and page. No network, no key.
    """
    from results.ingest import ingest

    started = time.monotonic()
    with one_line_errors(), _workers() as pool:
        _clear(folder)
        logs, store = folder / "logs", Store(folder / "store")
        _run(pool, logs, limit)
        report = ingest(store, [logs])
        if report.refused:
            raise click.ClickException(f"the demo's own logs were refused: {next(iter(report.refused.values()))}")
        runs = {(m.model.name.removeprefix("policy/"), m.condition.name, m.task): m for m in store.manifests()}
        risky = [runs[policy, condition, "psychosafe"] for policy, condition in PLAN]
        _figures(pool, store, risky)
        comparison = compare(store, risky[0], risky[1])
        page = _page(folder, [compare(store, risky[0], other) for other in risky[1:]])
    print_tables([_ranking(store, risky), comparison_table(comparison), _published(), _agreement()], "table", None)
    seconds = time.monotonic() - started
    click.echo(f"\nThe same as a page: {page}   ({seconds:.0f} s)")
    click.echo(f"The board:          .venv/bin/psychosafe leaderboard --store {folder / 'store'}")


def _clear(folder: Path) -> None:
    """Remove an earlier demo; anything else in the way is refused."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise click.ClickException(f"{folder} holds something else than a demo; choose another folder with --dir")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("made by `psychosafe demo`; replaced by the next one\n", encoding="utf-8")
    except OSError as ex:
        raise click.ClickException(f"cannot write to {folder}: {ex.strerror}; choose another folder with --dir") from ex


def _workers() -> ProcessPoolExecutor:
    """A process a core: Inspect's own work fills one."""
    return ProcessPoolExecutor(max(1, min(len(PLAN), os.cpu_count() or 1, 4)), mp_context=get_context("spawn"))


def _run(pool: ProcessPoolExecutor, logs: Path, limit: int | None) -> None:
    """Run the plan."""
    from judges.panels import OFFLINE_NOTICE

    click.echo(OFFLINE_NOTICE)
    jobs = {pool.submit(run_system, policy, condition, str(logs), limit): policy for policy, condition in PLAN}
    for n, job in enumerate(as_completed(jobs), 1):
        try:
            policy, condition, samples, took = job.result()
        except Exception as ex:
            pool.shutdown(cancel_futures=True)
            raise click.ClickException(f"policy/{jobs[job]} did not finish: {ex}") from ex
        click.echo(f"[{n}/{len(PLAN)}] policy/{policy:<10} {condition:<9} {samples} answers judged in {took:.1f} s")


def _figures(pool: ProcessPoolExecutor, store: Store, runs: list[Manifest]) -> None:
    """How canned the answers of each run are."""
    for job in [pool.submit(add_run_figures, str(store.root), m.run_id) for m in runs]:
        job.result()


def add_run_figures(root: str, run_id: str) -> None:
    """Compute the figures of one run as a whole; for a process of its own."""
    from results.figures import add_figures

    add_figures(Store(Path(root)), run_id)


def run_system(policy: str, condition: str, logs: str, limit: int | None = None) -> tuple[str, str, int, float]:
    """Run one policy under one condition on the risky prompts and on the twins; for a process of its own.

    Returns:
        Policy, condition, number of answers, seconds.

    Raises:
        RuntimeError: A run did not end well.
    """
    import logging

    from inspect_ai import eval as inspect_eval

    from evals.contrast import contrast
    from evals.psychosafe import psychosafe

    logging.getLogger("judges.seats").setLevel(logging.ERROR)  # the notice is given once, not once a run
    began = time.monotonic()
    done = inspect_eval(
        [psychosafe(condition=condition), contrast(condition=condition)],
        model=f"policy/{policy}",
        log_dir=logs,
        limit=limit,
        display="log",  # "none" lays out a table of all scores that nobody sees
        log_level="critical",
        ctl_server=False,  # no socket by which a run is steered: it is over in a minute
        log_realtime=False,
        score_display=False,
        log_model_api=False,
    )
    for log in done:
        if log.status != "success":
            raise RuntimeError(log.error.message if log.error else log.status)
    return policy, condition, sum(len(log.samples or []) for log in done), time.monotonic() - began


def _ranking(store: Store, risky: list[Manifest]) -> Table:
    """The systems by pair score, with the scores that a cheat can move beside it."""
    ranked = []
    for run in risky:
        found = {name: m.estimate() for name, m in measures(store, run).items()}
        pair, quality, paper = found["pair_score"], found["quality"], found["paper"]
        pairs, items = f"{pair.n} of {pair.total}", f"{quality.n} of {quality.total}"
        cells = (run.label, interval(pair), pairs, interval(quality), items, _twins(store, run), interval(paper))
        ranked.append((-1.0 if pair.value is None else pair.value, cells))
    ranked.sort(key=lambda r: -r[0])
    return Table(
        (
            "Reference policy",
            "Pair score [95 %]",
            "Pairs",
            "Quality",
            "Items",
            "Twins answered in full",
            "Published mean",
        ),
        [cells for _, cells in ranked],
        title=f"Reference policies, no models: {risky[0].prompt_set.scored} risky prompts and their benign twins",
        notes=[
            "Pair score: quality on a risky prompt x its benign twin answered in full, over the pairs.",
            "steerable: its system prompt lifts quality and the published mean, but hardly the pair score: it supports",
            "  everybody, benign questions included. wrapper: a cheat, support around a compliance placeholder.",
            "oracle: a ceiling that reads the answer key. Pairs and items are missing where the rules cannot tell",
            "  harm from a right answer.",
        ],
        numeric=(1, 2, 3, 4, 5, 6),
    )


def _twins(store: Store, run: Manifest) -> str:
    from results.compare import twin_run

    twin = twin_run(store, run)
    return "not measured" if twin is None else interval(measures(store, twin)["answered_in_full"].estimate())


def _published() -> Table:
    names = ("paper", "references", "grounding", "relevance")
    return Table(
        ("Published run", "Mean of four [95 %]", "References", "Grounding (1-5)", "Relevance (1-5)", "n"),
        [(r.label, *(interval(r.measures[n]) for n in names), str(r.measures["paper"].n)) for r in published_runs()],
        title="Published rows (arXiv 2606.09697): other prompts and another judge, not comparable with the table above",
        numeric=(1, 2, 3, 4, 5),
    )


def _agreement() -> Table:
    data: dict[str, Any] = json.loads((PUBLISHED / "rules_vs_person.json").read_text(encoding="utf-8"))
    rows = [
        (
            c,
            str(r["n"]),
            _span(r["exact"]),
            _span(r["within_1"]) if r["within_1"] else "same as exact",
            _span(r["kappa"]),
        )
        for c, r in data["criteria"].items()
    ]
    return Table(
        ("Rules against a person", "n", "Exact agreement [95 %]", "Within 1", "Kappa [95 %]"),
        rows,
        title=f"How far the offline judge can be trusted: {data['answers']} published answers, one person",
        notes=[f"Kappa is {data['kappa']}. Computed by {data['script']}; the answers are not part of the project."],
        numeric=(1, 2, 3, 4),
    )


def _span(figure: dict[str, Any]) -> str:
    if figure["value"] is None:
        return f"undefined ({figure['reason']})"
    return f"{figure['value']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"


def _page(folder: Path, comparisons: list[Comparison]) -> Path:
    from leaderboard.static import comparison_html

    page = folder / "compare.html"
    notes = ["Reference policies, judged by rules: this shows the path, not a measurement of any model."]
    page.write_text(comparison_html("Reference policies compared", comparisons, notes), encoding="utf-8")
    return page
