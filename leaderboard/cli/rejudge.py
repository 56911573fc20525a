"""`psychosafe rejudge`: finished logs, judged again by another panel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaderboard.cli.common import Table, format_option, one_line_errors, print_tables, store_option
from results.store import Store

if TYPE_CHECKING:
    from evals.rejudge_job import Estimated


@click.command("rejudge")
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--judges", required=True, metavar="PANEL", help="A named panel, or FILE.yaml[@NAME].")
@click.option("--rubric", default="psychosafe", show_default=True, help="`psychosafe`, `paper`, or a rubric file.")
@click.option("--repeats", type=click.IntRange(1, 20), default=1, show_default=True, help="Rounds of each model judge.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the new logs [each log's own]."
)
@click.option("--dry-run", is_flag=True, help="Say what it would take, and send nothing.")
@click.option("--max-tokens", type=click.IntRange(1), help="Stop after so many judge tokens; run it again to go on.")
@click.option("--max-cost", type=click.FloatRange(0, min_open=True), help="Stop after so much money (priced judges).")
@click.option("--allow-self-judging", is_flag=True, help="Let a model under test judge itself.")
@click.option("--no-ingest", is_flag=True, help="Write the new logs only.")
@store_option
@format_option
def rejudge_command(
    logs: tuple[Path, ...],
    judges: str,
    rubric: str,
    repeats: int,
    out: Path | None,
    dry_run: bool,
    max_tokens: int | None,
    max_cost: float | None,
    allow_self_judging: bool,
    no_ingest: bool,
    store: Store,
    fmt: str,
) -> None:
    """Score finished LOGS (files or folders) with another panel, without asking the model under test again.

    The first judgment stays. The new one is a log of its own beside the first, and a run of its own in the store, under
    its own comparability key, that names the run it judges again. Verdicts are kept as they come: what was stopped goes
    on when the same command is given again, and verdicts that a provider's failure left out are asked for again.
    """
    from evals.journal import Budget
    from evals.rejudge import finished, rejudge, target_of
    from evals.rejudge_job import check_job, estimate, read_job
    from judges.panels import load_panel
    from judges.seats import check_configs
    from results.ingest import ingest
    from rubrics.loader import load_rubric

    with one_line_errors():
        spec, the_rubric = check_configs(load_panel(judges)), load_rubric(rubric)
        if max_cost is not None and any(j.kind == "llm" and j.price is None for j in spec.judges):
            raise click.ClickException("--max-cost needs a `price` for every judge of the panel that is a model")
        jobs = [read_job(path) for path in _files(logs)]
        for job in jobs:
            check_job(job, spec, the_rubric, repeats=repeats, allow_self_judging=allow_self_judging)
        expected = estimate(jobs, spec, the_rubric, repeats)
        if dry_run:
            print_tables([estimate_table(expected)], fmt, estimate_data(expected))
            return
        budget = Budget(max_tokens, max_cost)
        targets = {job.path: target_of(job, spec, the_rubric, out or job.path.parent) for job in jobs}
        # Of several logs, those that were finished before a stop are taken as they are.
        some_are_left = not all(finished(target) for target in targets.values())
        written = []
        for job in jobs:
            label = job.path.name
            if some_are_left and finished(targets[job.path]):
                written.append(targets[job.path])
                click.echo(f"there     {written[-1]}")
                continue

            def told(done: int, total: int, label: str = label) -> None:
                if done == total or done % 100 == 0:
                    click.echo(f"{label}: {done} of {total} verdicts", err=True)

            written.append(
                rejudge(
                    job, spec, the_rubric, out or job.path.parent, repeats=repeats, budget=budget,
                    allow_self_judging=allow_self_judging, progress=told,
                )
            )  # fmt: skip
            click.echo(f"judged    {written[-1]}")
            if not finished(written[-1]):
                click.echo(
                    f"{label}: verdicts are missing: a judge's provider failed; the same command asks for them again",
                    err=True,
                )
        if no_ingest:
            return
        report = ingest(store, written, figures=True)
        for run_id in (*report.written, *report.unchanged):
            before = ", ".join(store.manifest(run_id).source.rejudged_from) or "no earlier judgment"
            click.echo(f"ingested  {run_id}  (judges again: {before})")
        for path, reason in report.refused.items():
            raise click.ClickException(f"{path}: {reason}")


def _files(paths: tuple[Path, ...]) -> list[Path]:
    found = [f for p in paths for f in (sorted(p.rglob("*.eval")) if p.is_dir() else [p])]
    # What an earlier rejudge wrote beside the logs is no log of a model's answers.
    first = [f for f in dict.fromkeys(found) if "_rejudged-" not in f.name or f in paths]
    if not first:
        raise click.ClickException(f"no .eval log in {paths[0]}; give finished logs, or a folder of them")
    return first


def estimate_table(expected: Estimated) -> Table:
    """What judging would take, a row each judge that is a model."""
    rows = [
        (
            judge,
            f"{calls:,}",
            f"about {expected.input_tokens[judge]:,}",
            f"about {expected.output_tokens[judge]:,}",
            "no price in the panel" if expected.cost[judge] is None else f"about {expected.cost[judge]:.2f}",
        )
        for judge, calls in expected.calls.items()
    ]
    return Table(
        ("Judge", "Calls", "Tokens read", "Tokens written", "Cost"),
        rows,
        title="What it would take; nothing was sent",
        notes=[] if rows else ["no judge of this panel is a model: no calls, no cost"],
        numeric=(1, 2, 3, 4),
    )


def estimate_data(expected: Estimated) -> dict[str, Any]:
    """The same, unrounded."""
    return {
        judge: {
            "calls": calls,
            "input_tokens": expected.input_tokens[judge],
            "output_tokens": expected.output_tokens[judge],
            "cost": expected.cost[judge],
        }
        for judge, calls in expected.calls.items()
    }
