"""`psychosafe capabilities`: benchmarks of capability for the same model under the same condition."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from evals.capabilities import BACKENDS, Backend, CapabilityError, Plan, check, command, run, warnings_of
from evals.conditions import NAMES, load_condition
from leaderboard import present
from leaderboard.cli.common import (
    Table,
    format_option,
    interval,
    one_line_errors,
    print_tables,
    progress_bar,
    store_option,
)
from results.capability import MARGIN, Change, changes_between, what_differs
from results.compare import NotComparable
from results.manifest import Manifest
from results.schema import CAPABILITY, LM_EVAL
from results.store import Store
from rubrics.reading import YamlError, read_yaml

OUTPUT: Final = Path("capabilities")
"""Folder of the harness's own files; they hold questions and answers, so they stay out of the store."""
RETAINED: Final = {True: "yes", False: "no, worse by more", None: "open"}

_folder = click.Path(path_type=Path, file_okay=False)


@click.command("capabilities")
@click.option("--model", required=True, help="Path, name on a hub, or the name that a server knows it by.")
@click.option("--tasks", default="hellaswag,mmlu", show_default=True, help="Tasks of lm-evaluation-harness.")
@click.option("--condition", default="none", show_default=True, help=f"{', '.join(NAMES)}, or a text file.")
@click.option("--backend", type=click.Choice(BACKENDS), help="[hf; local-completions with --base-url]")
@click.option("--base-url", metavar="URL", help="An OpenAI-compatible server, up to /v1; its key: OPENAI_API_KEY.")
@click.option("--adapter", metavar="PATH", help="LoRA adapter on the model (hf, vllm).")
@click.option(
    "--tokenizer", metavar="NAME", help="Tokenizer of a served model, if the server does not tell of its own."
)
@click.option("--base", metavar="NAME", help="Of a fine-tuned model: the model that it was made from, to compare with.")
@click.option("--name", help="Name by which the board knows the model [the last part of a path, else --model].")
@click.option(
    "--chat-template", is_flag=True, help="Put the questions as turns of a chat; a chat endpoint always does."
)
@click.option("--thinking", type=click.Choice(["on", "off"]), help="Ask the chat template for a thought, or for none.")
@click.option("--shots", type=click.IntRange(min=0), help="Examples in front of each question [the task's own].")
@click.option("--limit", type=click.FloatRange(min=0, min_open=True), help="Only so many questions of each task.")
@click.option("--seed", type=int, help="Seed of the harness [its own fixed ones].")
@click.option("--batch", metavar="N|auto", help="Questions at once.")
@click.option("--device", help="As torch names it.")
@click.option("--include", type=_folder, help="Folder with task files of your own.")
@click.option("-M", "arguments", multiple=True, metavar="KEY=VALUE", help="Further argument of the model; repeatable.")
@click.option("--output", type=_folder, help="Folder for the harness's files [capabilities/NAME-CONDITION-TIME].")
@click.option("--against", metavar="RUN", help="Compare with this run of the harness: its id, or the start of it.")
@click.option("--margin", type=click.FloatRange(0.0, 1.0, min_open=True), default=MARGIN, show_default=True,
              help="With --against: by how much a figure may be worse.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Print the harness's command line, and run nothing.")
@store_option
@format_option
def capabilities_command(
    model: str,
    tasks: str,
    condition: str,
    name: str | None,
    base: str | None,
    output: Path | None,
    against: str | None,
    margin: float,
    dry_run: bool,
    store: Store,
    fmt: str,
    **options: Any,
) -> None:
    """Run benchmarks of lm-evaluation-harness on a model under a condition, and keep their figures.

    The harness runs in a process of its own; what it finds is imported and printed, with an alarm where a figure is at
    chance and a warning where it measures something else than capability. With --against, each figure is compared with
    that of another run, paired on questions: whether it is no worse by the margin.
    """
    with one_line_errors():
        plan = _plan(model, tasks, condition, options)
        scoring = check(plan, start=not dry_run)
        other = _reference(store, against, plan) if against else None
        tested = plan.adapter or model
        known_as = name or (Path(tested).name if Path(tested).is_dir() else None)
        output = output or OUTPUT / _folder_name(known_as or tested, plan.condition.name)
        for line in warnings_of(plan, scoring):
            click.echo(f"! {line}", err=True)
        if dry_run:
            click.echo(shlex.join(command(plan, output)))
            return
        click.echo(f"lm_eval runs; its log is {output / 'log.txt'}", err=True)
        with progress_bar("questions") as told:
            file = run(plan, output, told)
        made = _bring_in(store, file, plan, known_as, base)
        changes = [] if other is None else changes_between(store, made, other, margin)
    tables = [figures_table(store, made)] + ([changes_table(changes, other)] if other is not None and changes else [])
    print_tables(tables, fmt, _data(store, made, changes))
    with one_line_errors():
        if other is not None and not changes:
            causes = ", ".join(what_differs(store, made, other))
            raise NotComparable(f"{made.run_id} and {other.run_id} are not comparable: they differ in {causes}")


def figures_table(store: Store, manifest: Manifest) -> Table:
    """The figures of a run of the harness; what must not be read as capability stands below."""
    figures = {n: e for n, e in store.figures(manifest.run_id)[0].items() if n.startswith(f"{CAPABILITY}/")}
    rows = [(*_named(n), interval(e), str(e.n) if e.n else "not stated") for n, e in figures.items()]
    alarms = [f"! {', '.join(_named(n))} is {e.reason}" for n, e in figures.items() if e.low is not None and e.reason]
    title = f"{present.plain(manifest.label)}  ({manifest.run_id})"
    return Table(("Task", "Metric", "Value [95 %]", "Questions"), rows, title=title, notes=alarms, numeric=(2, 3))


def changes_table(changes: Sequence[Change], other: Manifest) -> Table:
    """Each figure against another run's: its difference, and whether it is no worse by the margin."""
    margin = changes[0].margin
    rows = [
        (
            c.task,
            c.metric,
            "" if c.difference is None else interval(c.difference, signed=True),
            str(c.difference.n) if c.paired and c.difference is not None else "not paired",
            c.verdict,
            "not to be read" if c.alarm else "not tested" if c.verdict == "not tested" else RETAINED[c.retained],
        )
        for c in changes
    ]
    notes = [f"! {c.task}, {c.metric}: {c.alarm}" for c in changes if c.alarm]
    if any(not c.paired for c in changes):
        notes.append(
            "not paired: one of the runs has no logged samples, so the interval is that of independent samples"
        )
    heads = ("Task", "Metric", "Difference [95 %]", "Paired on", "Verdict", f"No worse by {margin:g}")
    title = f"Against  {present.plain(other.label)}  ({other.run_id})"
    return Table(heads, rows, title=title, notes=notes, numeric=(2, 3))


def _plan(model: str, tasks: str, condition: str, options: dict[str, Any]) -> Plan:
    backend: Backend = options["backend"] or ("local-completions" if options["base_url"] else "hf")
    return Plan(
        model=model, tasks=tuple(t.strip() for t in tasks.split(",") if t.strip()), condition=load_condition(condition),
        backend=backend, base_url=options["base_url"], adapter=options["adapter"], tokenizer=options["tokenizer"],
        chat_template=options["chat_template"] or backend == "local-chat-completions",
        thinking={"on": True, "off": False}.get(options["thinking"] or ""),
        limit=options["limit"], shots=options["shots"], seed=options["seed"], batch=options["batch"],
        device=options["device"], include=options["include"], arguments=_arguments(options["arguments"]),
    )  # fmt: skip


def _arguments(given: Iterable[str]) -> dict[str, Any]:
    out = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise CapabilityError(f"-M {text[:40]!r} is no KEY=VALUE")
        try:
            out[key] = read_yaml(value)[1]
        except YamlError as ex:
            raise CapabilityError(f"-M {key[:40]}: the value is no YAML; put it in quotes") from ex
    return out


def _folder_name(model: str, condition: str) -> str:
    last = "".join(c if c.isalnum() or c in ".-" else "-" for c in f"{model.rstrip('/').split('/')[-1]}-{condition}")
    return f"{last.lower()[:80]}-{datetime.now(UTC):%Y%m%dT%H%M%S}"


def _reference(store: Store, wanted: str, plan: Plan) -> Manifest:
    """The run to compare with; refused before hours are spent where it is plain that it cannot be compared."""
    found = store.find(wanted)
    if found.task != LM_EVAL:
        raise CapabilityError(
            f"{found.run_id} is no run of benchmarks; `psychosafe runs` lists those with task {LM_EVAL}"
        )
    template = found.versions.get("chat_template")
    if template is not None and (template != "none") != plan.chat_template:
        has, takes = ("no", "leave --chat-template out") if template == "none" else ("a", "add --chat-template")
        raise NotComparable(f"{found.run_id} has {has} chat template, so nothing can be compared with it; {takes}")
    if found.limited != (plan.limit is not None):
        ran, takes = ("a part of each task", "add its --limit") if found.limited else ("all questions", "drop --limit")
        raise NotComparable(f"{found.run_id} ran {ran}, so nothing can be compared with it; {takes}")
    return found


def _bring_in(store: Store, file: Path, plan: Plan, name: str | None, base: str | None) -> Manifest:
    from results.importers.lm_eval import Asked, read_run, write_run
    from results.manifest import ConditionFacts

    given = ConditionFacts(name=plan.condition.name, system_sha256=plan.condition.sha256)
    made = read_run(file, Asked(given, name, base))
    write_run(store, made)
    for line in made.notes:
        click.echo(f"! {line}", err=True)
    return made.manifest


def _named(name: str) -> tuple[str, str]:
    task, _, metric = name.removeprefix(f"{CAPABILITY}/").rpartition("/")
    return task, metric


def _data(store: Store, made: Manifest, changes: Sequence[Change]) -> dict[str, Any]:
    figures = store.figures(made.run_id)[0]
    return {
        "run": made.run_id,
        "label": made.label,
        "figures": {n: e.as_dict() for n, e in figures.items()},
        **({"changes": [c.as_dict() for c in changes]} if changes else {}),
    }
