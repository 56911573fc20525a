"""`psychosafe ingest` and `runs`: what goes into the store and what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import click

from leaderboard.cli.common import Table, format_option, one_line_errors, print_tables, progress_bar, store_option
from results.manifest import Manifest
from results.store import Store
from rubrics.expectations import DOMAINS


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True)
@click.option("--texts/--no-texts", default=True, help="Also prompts, answers, justifications, in a second pass [on].")
@click.option("--figures/--no-figures", default=True, help="Say how canned the answers are; needs the texts [on].")
@click.option("--replace", is_flag=True, help="Read all again; of two files with one run, take the later one.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that read [one a processor].")
@store_option
def ingest_command(
    paths: tuple[str, ...], texts: bool, figures: bool, replace: bool, workers: int | None, store: Store
) -> None:
    """Bring Inspect logs into the store: files, folders, or URLs of either (s3://bucket/logs).

    Logs that have not changed are not read again; a pass that was stopped goes on where it was. A file that cannot be
    used is named with the reason and left out; the exit status is 1 if there was one.
    """
    from results.ingest import ingest

    with one_line_errors(), progress_bar("reading logs") as told:
        report = ingest(
            store, paths, figures and texts, texts, replace=replace, workers=workers, progress=told,
            waiting=lambda: click.echo("another ingest is writing to this store; waiting for it", err=True),
        )  # fmt: skip
    if report.migrated:
        many = len(report.migrated)
        click.echo(f"brought {many} run{'s' * (many != 1)} up to the present schema of the store")
    for run_id in report.written:
        click.echo(f"ingested  {run_id}  ({balance(store.manifest(run_id))})")
    if report.unchanged:
        click.echo(f"unchanged {len(report.unchanged)} run{'s' * (len(report.unchanged) != 1)}")
    if report.texts:
        click.echo(f"texts of  {len(report.texts)} run{'s' * (len(report.texts) != 1)}")
    for path, reason in report.refused.items():
        click.echo(f"left out  {path}: {reason}", err=True)
    if report.refused:
        raise SystemExit(1)


def balance(run: Manifest) -> str:
    """How many items were scored, in all and by domain."""
    counts = Counter(item.domain or "no domain" for item in run.items)
    parts = ", ".join(f"{counts[d]} {d}" for d in (*DOMAINS, "no domain") if counts[d])
    return f"{len(run.items)} items: {parts}"


@click.command("runs")
@click.option("--cost", is_flag=True, help="What judging took: calls, tokens and money, by judge.")
@store_option
@format_option
def runs_command(store: Store, fmt: str, cost: bool) -> None:
    """List the runs in the store."""
    with one_line_errors():
        manifests = list(store.manifests())
        damaged = store.damaged()
    rows = [
        (
            m.run_id,
            m.label,
            m.task,
            f"{m.prompt_set.name or 'not stated'} {m.prompt_set.version or ''}".strip(),
            str(m.prompt_set.scored) + ("" if not m.limited else f" of {m.prompt_set.n}"),
            ", ".join(j.id for j in m.panel.judges),
            m.kind,
        )
        for m in manifests
    ]
    table = Table(
        ("Run", "System", "Task", "Prompt set", "Items", "Judges", "Kind"),
        rows,
        notes=[f"damaged, left out: {r}: {why}" for r, why in damaged.items()]
        or ([] if rows else [f"no runs in {store.root}: `psychosafe ingest LOG...` or `make demo` brings some"]),
        numeric=(4,),
    )
    if cost:
        table = cost_table(manifests)
    print_tables([table], fmt, [m.model_dump(mode="json", exclude={"items"}) for m in manifests])


def cost_table(manifests: Iterable[Manifest]) -> Table:
    """Calls, tokens and money of each judge that is a model, run by run."""
    rows = []
    for m in manifests:
        for judge in (j for j in m.panel.judges if j.kind == "llm"):
            used, spent = m.usage.get(f"judge {judge.id}", {}), m.spent(judge.id)
            counts = [used.get(k) for k in ("calls", "input_tokens", "input_tokens_cache_read", "output_tokens")]
            cells = ("not reported" if n is None else f"{int(n):,}" for n in counts)
            money = "price not configured" if spent is None else f"{spent[0]:.2f} {spent[1]}"
            rows.append((m.run_id, judge.id, *cells, money))
    return Table(
        ("Run", "Judge", "Calls", "Tokens read", "From a cache", "Written", "Cost"),
        rows,
        title="What judging took",
        notes=[
            "a panel file may give each judge a `price` per million tokens: {input: 2.5, output: 10, cache_read: 1.25}"
        ],
        numeric=(2, 3, 4, 5, 6),
    )
