"""`psychosafe run`: a whole study from one file, resumable, on one machine or several."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from leaderboard.cli.common import Table, format_option, one_line_errors, print_tables, store_option
from results.store import Store, StoreError

if TYPE_CHECKING:
    from evals.suites.outcome import Outcome
    from evals.suites.plan import Plan, PlannedRun, Spent
    from evals.suites.runner import Progress
    from results.manifest import Manifest

COLUMNS: Final = ("Run", "Samples", "Calls", "of these, judges", "Tokens in", "Tokens out", "Cost")


@click.command("run")
@click.argument("suite", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--dir", "root", metavar="DIR|URL", help="Where logs and claims go [runs/NAME]; s3://... for several.")
@click.option("--dry-run", is_flag=True, help="Print the runs with calls, tokens and cost, and send nothing.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Runs at a time, here.")
@click.option("--only", multiple=True, metavar="TEXT", help="Only runs whose name holds TEXT; may be repeated.")
@click.option("--shard", metavar="I/N", help="Only every N-th run from the I-th on; for a --dir without claims.")
@click.option("--expiry", type=click.FloatRange(1), help="Seconds after which a silent runner is given up [60].")
@click.option("--retry-wait", type=click.FloatRange(0), help="Seconds before what failed is tried again [30].")
@click.option("--no-ingest", is_flag=True, help="Write logs only: no store, no comparison.")
@click.option("--serve-commands", is_flag=True, help="Print how vLLM is started for each model, and stop.")
@store_option
@format_option
def run_command(
    suite: Path,
    root: str | None,
    dry_run: bool,
    workers: int,
    shard: str | None,
    only: tuple[str, ...],
    expiry: float | None,
    retry_wait: float | None,
    no_ingest: bool,
    serve_commands: bool,
    store: Store,
    fmt: str,
) -> None:
    """Run every model under every condition on every task of a SUITE, and compare.

    A suite is a page of YAML: suites/quick.yaml is a small one, docs/suites.md explains every field. Try it with
    --dry-run first: that says what it takes, and what is missing.

    What is done is not done again. Give the same command after a stop (Ctrl-C, a crash, kill -9), or at the same time
    on another machine with the same --dir on shared storage, and the rest is run; finished samples are kept.
    """
    from evals.suites import SuiteError, plan, read_suite
    from evals.suites.check import check
    from evals.suites.runner import Options, chosen, run_suite

    with one_line_errors(), _stopped_by_signals():
        try:
            found = plan(read_suite(suite))
            if serve_commands:
                _serve(found)
                return
            served, wrong = check(found, ask=not dry_run)
            given = Options(root or f"runs/{found.suite.suite}", workers, _shard(shard), only, retry_wait)
            options = replace(given, expiry=expiry) if expiry is not None else given
            wanted = chosen(found, options)
            print_tables([plan_table(replace(found, runs=wanted))], fmt, plan_data(replace(found, runs=wanted)))
            if dry_run:
                _say("What would stop it", wrong)
                return
            if wrong:
                raise SuiteError(*wrong)
            ended = _Ended(store, found, options.root, no_ingest)
            progress = ended.progress if sys.stderr.isatty() else None
            outcomes = run_suite(suite, found, options, served, ended, progress, ended.note)
        except SuiteError as ex:
            # All reasons at once, a line each.
            for reason in ex.reasons:
                click.echo(f"Error: {reason}", err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            _clear()
            click.echo("stopped; give the same command again to go on where it was", err=True)
            sys.exit(130)
        except OSError as ex:
            raise click.ClickException(f"the suite's folder cannot be used: {ex.strerror or ex}") from ex
        _close(ended, outcomes, wanted)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """A scheduler's SIGTERM, or a terminal that is closed, stops as Ctrl-C does: what is finished is kept."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    names = [n for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n)]
    before = {n: signal.signal(getattr(signal, n), stop) for n in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


class _Ended:
    """Says that a run has ended, and brings its ratings or figures into the store."""

    def __init__(self, store: Store, found: Plan, root: str, no_ingest: bool) -> None:
        from leaderboard.cli.suite_capabilities import benchmarks

        self.store, self.found, self.root, self.no_ingest = store, found, root, no_ingest
        self.benchmarks = benchmarks(found)
        self.measured: dict[str, Manifest] = {}
        self.began = time.monotonic()

    def __call__(self, outcome: Outcome) -> None:
        of_prompts = outcome.key not in self.benchmarks
        told = f"{outcome.samples} samples" if of_prompts else f"{outcome.samples or 'unknown'} questions"
        if not of_prompts and outcome.status != "done":
            told = "benchmarks"
        if outcome.failed:
            told += f", {outcome.failed} without a score"
        if outcome.unjudged:
            told += f", {outcome.unjudged} verdicts missing"
        if outcome.wasted:
            told += f"; {_least(outcome.deaths)}{outcome.wasted:,} of {outcome.calls:,} calls in vain"
        self.line(f"{outcome.status:<6} {outcome.key}: {told}" + (f": {outcome.reason}" if outcome.reason else ""))
        if outcome.status == "done" and not self.no_ingest:
            if of_prompts:
                _ingest(self.store, self.root, [outcome])
            else:
                self._figures(outcome)

    def _figures(self, outcome: Outcome) -> None:
        from leaderboard.cli.suite_capabilities import bring_in

        made = bring_in(self.store, self.found, self.root, outcome)
        if made is not None:
            self.measured[outcome.key] = made

    def line(self, text: str) -> None:
        """A line of its own, with the seconds since the start."""
        _clear()
        click.echo(f"[{time.monotonic() - self.began:6.0f} s] {text}")

    def note(self, text: str) -> None:
        """What a user should know besides."""
        _clear()
        click.echo(text, err=True)

    def progress(self, told: Progress) -> None:
        """How far it is, in one line of a terminal that is written over."""
        failed = f", {told.failed} failed" if told.failed else ""
        going = f"; {told.going} going on" if told.going else ""
        # Of benchmarks, the harness alone knows.
        going += f": {told.samples:,} of {told.wanted:,} samples" if told.wanted else ""
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        text = f"{told.done} of {told.runs} runs done{failed}{going}  [{minutes}:{seconds:02}]"
        click.echo(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K", err=True, nl=False)


def _least(deaths: int) -> str:
    return "at least " if deaths else ""


def _ingest(store: Store, root: str, outcomes: Sequence[Outcome], texts: bool = False) -> None:
    """Bring logs into the store; what cannot be is said, and stops nothing."""
    from evals.suites.run import logs_of
    from results.ingest import ingest

    paths = [f"{logs_of(root, o.key)}/{o.log}" for o in outcomes]
    try:
        report = ingest(store, paths, texts, texts, workers=1, waiting=_waiting)
    except StoreError as ex:
        click.echo(f"  not ingested: {' '.join(str(ex).split())}", err=True)
        return
    for file, why in report.refused.items():
        click.echo(f"  not ingested: {file}: {why}", err=True)


def _waiting() -> None:
    click.echo("another process is writing to the store; waiting for it", err=True)


def plan_table(found: Plan) -> Table:
    """The runs of a suite and what they take."""
    rows = []
    for r in found.runs:
        # What is not known is no 0.
        told = ("unknown",) * 6 if r.samples is None else (f"{r.samples:,}", *_cells(r.spent, r.judging.calls))
        rows.append((r.key, *told))
    total = sum(r.samples or 0 for r in found.runs)
    unknown = sum(r.samples is None for r in found.runs)
    every = f"all but {unknown} unknown" if unknown else "all"
    sums = (f"{total:,}", *_cells(found.spent, sum(r.judging.calls for r in found.runs)))
    rows.append((every, *(sums if unknown < len(found.runs) else ("unknown",) * 6)))
    notes = ["Calls are exact but for retries and repair turns. Tokens are estimates: 4 characters each for what is",
             "sent; for what comes back the model's `tokens`, and of judges 40 a criterion."]  # fmt: skip
    if found.spent.unpriced:
        notes.append(f"{found.spent.unpriced:,} calls have no price: give models and judges a `price`.")
    notes += list(dict.fromkeys(f"{r.task.name}: {n}" for r in found.runs for n in r.note.splitlines()))
    return Table(COLUMNS, rows, title=f"Suite {found.suite.suite}: {len(found.runs)} runs", notes=notes,
                 numeric=range(1, 7))  # fmt: skip


def plan_data(found: Plan) -> dict[str, Any]:
    """The same as JSON-ready data."""
    return {
        "suite": found.suite.suite,
        "runs": [
            {"run": r.key, "model": r.model.model, "condition": r.condition, "task": r.task.task, "samples": r.samples,
             "target": None if r.samples is None else vars(r.target),
             "judging": None if r.samples is None else vars(r.judging), "note": r.note}
            for r in found.runs
        ],
        "total": vars(found.spent) | {"unknown": sum(r.samples is None for r in found.runs)},
    }  # fmt: skip


def _cells(spent: Spent, judges: int) -> tuple[str, ...]:
    cost = ", ".join(f"{money:,.2f} {currency}" for currency, money in sorted(spent.cost.items()))
    cost = cost or ("not priced" if spent.unpriced else "0")
    cost += " and more" if spent.cost and spent.unpriced else ""
    return f"{spent.calls:,}", f"{judges:,}", f"{spent.input_tokens:,}", f"{spent.output_tokens:,}", cost


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, slash, of = text.partition("/")
    if not (slash and first.isdigit() and of.isdigit() and 1 <= int(first) <= int(of)):
        raise click.ClickException(f"--shard is {text[:20]!r}; write I/N, such as 1/4")
    return int(first), int(of)


def _serve(found: Plan) -> None:
    served = [(m, m.serve) for m in found.suite.models if m.serve is not None]
    if not served:
        raise click.ClickException("no model of this suite has a `serve`")
    for m, how in served:
        click.echo(f"# {m.id}")
        click.echo(how.command(m.model.removeprefix("vllm/").partition(":")[0], revision=m.revision))


def _say(title: str, lines: Sequence[str]) -> None:
    if lines:
        click.echo(f"\n{title}:", err=True)
        for line in lines:
            click.echo(f"  {line}", err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)


def _close(ended: _Ended, outcomes: Sequence[Outcome], wanted: Sequence[PlannedRun]) -> None:
    """The comparisons, and what is not done."""
    store, found = ended.store, ended.found
    calls, wasted, deaths = (sum(getattr(o, k) for o in outcomes) for k in ("calls", "wasted", "deaths"))
    good = [o for o in outcomes if o.status == "done"]
    _clear()
    click.echo(
        f"\n{len(good)} of {len(wanted)} runs done, {calls:,} calls, of which {_least(deaths)}{wasted:,} in vain."
    )
    if any(o.key in ended.benchmarks for o in outcomes):
        click.echo("Calls of benchmarks are the harness's own, and not among them.")
    if deaths:
        click.echo(
            f"Runners died {deaths} times; what was on its way to one, or came in its last beat, is not counted."
        )
    if not ended.no_ingest and good:
        from leaderboard.cli.suite_capabilities import capability_tables
        from leaderboard.cli.suite_compare import comparisons

        if of_prompts := [o for o in good if o.key not in ended.benchmarks]:
            _ingest(store, ended.root, of_prompts, texts=True)
        print_tables(comparisons(store, found, outcomes), "table", None)
        if measured := capability_tables(store, found, ended.measured):
            print_tables(measured, "table", None)
        click.echo(f"\nThe board: psychosafe leaderboard --store {store.root}")
    missing = sorted({r.key for r in wanted} - {o.key for o in good})
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise click.ClickException(
            f"{len(missing)} of {len(wanted)} runs are not done ({', '.join(missing[:3])}{more}); "
            "give the same command again to go on"
        )
