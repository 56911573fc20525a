"""`psychosafe annotate`: plan who rates what, serve the rating app, export what people said."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import leaderboard
from leaderboard.cli.common import Table, format_option, one_line_errors, print_tables, store_option
from results.store import Store

if TYPE_CHECKING:
    from judges.annotation.plan import Plan, PlanMap

CONTENT_NOTE: Final = (
    "You will read messages and answers about self-harm, substance use, violence, weapons and sexual crimes. Some may "
    "distress. You may skip any of them without a reason, take a break, or stop at any time, without disadvantage."
)
ENV_PLAN: Final = "PSYCHOSAFE_PLAN"
ENV_DB: Final = "PSYCHOSAFE_ANNOTATION_DB"
ENV_MAP: Final = "PSYCHOSAFE_ADMIN_MAP"


@click.group("annotate")
def annotate_command() -> None:
    """Ratings by people: blind, in an order of their own, kept without loss."""


@annotate_command.command("plan")
@click.argument("logs", nargs=-1, type=click.Path(path_type=Path))
@click.option("--answers", multiple=True, type=click.Path(path_type=Path), help="Published judgment file with answers.")
@click.option("--prompts", type=click.Path(path_type=Path), help="Prompt set that gives domains to --answers, by text.")
@click.option("--annotators", required=True, metavar="ANNA,BEN", help="Names, split by commas.")
@click.option("--n", "n", type=click.IntRange(1), required=True, help="Responses to be rated.")
@click.option("--overlap", type=click.IntRange(1), default=2, show_default=True, help="Annotators for each.")
@click.option("--repeats", type=click.FloatRange(0, 1), default=0.1, show_default=True, help="Silent repeats, a share.")
@click.option("--training", type=click.IntRange(0), default=10, show_default=True, help="Answers with feedback, first.")
@click.option("--gold", type=click.IntRange(0), default=10, show_default=True, help="Hidden checks for each annotator.")
@click.option("--pairs", type=click.IntRange(0), default=0, show_default=True, help="Side-by-side pairs, at the end.")
@click.option("--min-compliant", type=click.IntRange(0), default=0, help="At least so many that were not refused.")
@click.option("--matched", is_flag=True, help="Draw items, with every run's answer to each: for paired tests.")
@click.option("--rubric", default="psychosafe", show_default=True, help="`psychosafe`, `paper`, or a rubric file.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all drawing.")
@click.option("--name", "names", multiple=True, help="A name to take out of responses, besides the known ones.")
@click.option("--country", multiple=True, help="Two-letter country whose help lines annotators are shown.")
@click.option("--title", default="Rating answers", show_default=True, help="Shown to annotators.")
@click.option("--break-every", type=click.IntRange(1), default=25, show_default=True, help="Cards between breaks.")
@click.option("--session-cap", type=click.IntRange(1), default=60, show_default=True, help="Minutes of one session.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of the two files.")
@click.option("--dry-run", is_flag=True, help="Say what would be planned, and write nothing.")
@store_option
@format_option
def plan_command(
    logs: tuple[Path, ...], answers: tuple[Path, ...], prompts: Path | None, annotators: str, n: int, overlap: int,
    repeats: float, training: int, gold: int, pairs: int, min_compliant: int, matched: bool, rubric: str, seed: int,
    names: tuple[str, ...], country: tuple[str, ...], title: str, break_every: int, session_cap: int, out: Path | None,
    dry_run: bool, store: Store, fmt: str,
) -> None:  # fmt: skip
    """Draw a plan from finished LOGS (files or folders) or from --answers.

    DIR/annotate/plan.json is all that the annotation process gets. DIR/keep/map.json says what its tokens stand for:
    keep it from annotators and from the machine that serves them.
    """
    from evals.load import load_prompts
    from judges.annotation.checks import choose_checks
    from judges.annotation.plan import make_plan, write_plan
    from judges.gold import load_gold
    from leaderboard.cli import annotate_sources as sources
    from rubrics.loader import load_rubric

    if not logs and not answers:
        raise click.UsageError("give LOG files or folders, or --answers FILE")
    if out is None and not dry_run:
        raise click.UsageError("say with --out DIR where the plan goes, or look at it first with --dry-run")
    with one_line_errors():
        the_rubric = load_rubric(rubric)
        domains = {i.prompt: i.domain or "" for i in load_prompts(str(prompts)).items} if prompts else {}
        found = [sources.from_log(path, the_rubric.name) for path in _files(logs)]
        found += [r for path in answers for r in sources.from_answers(path, domains)]
        found, left_out = sources.once(found)
        shown, hidden = choose_checks(load_gold(the_rubric), training, gold, seed)
        plan, plan_map = make_plan(
            [c for r in found for c in r.candidates], the_rubric,
            tuple(a.strip() for a in annotators.split(",") if a.strip()),
            n=n, overlap=overlap, repeats=repeats, training=shown, gold=hidden, pairs=pairs, seed=seed,
            min_compliant=min_compliant, matched=matched, title=title,
            names=[*names, *(name for r in found for name in r.names)],
            content_note=CONTENT_NOTE, helplines=sources.help_lines(country), break_every=break_every,
            session_cap_minutes=session_cap,
        )  # fmt: skip
        written = write_plan(out, plan, plan_map) if out is not None and not dry_run else ()
    print_tables(_plan_tables(plan, plan_map), fmt, _plan_data(plan, plan_map))
    for line in left_out:
        click.echo(line, err=True)
    known = set(store.run_ids())
    for run in (r.run for r in found if r.run.run_id not in known):
        click.echo(f"{run.run_id} is not in the store {store.root}; ingest it before `annotate export`", err=True)
    for path, what in zip(written, ("for the annotation app", "keep this one to yourself"), strict=False):
        click.echo(f"wrote {path}  ({what})", err=True)


def _files(paths: tuple[Path, ...]) -> list[Path]:
    found = [f for p in paths for f in (sorted(p.rglob("*.eval")) if p.is_dir() else [p])]
    if paths and not found:
        raise click.ClickException(f"no .eval log in {paths[0]}; give finished logs, or a folder of them")
    return list(dict.fromkeys(found))


def _plan_tables(plan: Plan, plan_map: PlanMap) -> list[Table]:
    """What a plan comes to: strata, and what each annotator has to do."""
    strata = [
        (name, str(s.size), str(s.sampled), f"{s.size / s.sampled:.2f}" if s.sampled else "none drawn")
        for name, s in plan_map.strata.items()
    ]
    people = []
    for queue in plan.queues:
        kinds = Counter("repeat" if t in plan_map.repeats else plan.card(t).kind for t in queue.cards)
        people.append(
            (queue.annotator, *(str(kinds[k]) for k in ("training", "rating", "repeat", "gold")),
             str(len(queue.pairs)), str(len(queue.tokens)))
        )  # fmt: skip
    return [
        Table(
            ("Domain | run | verdict", "Responses", "Drawn", "Weight"), strata, title="What is rated",
            notes=[f"! {note}" for note in plan_map.notes], numeric=(1, 2, 3),
        ),
        Table(
            ("Annotator", "Training", "Ratings", "Repeats", "Checks", "Pairs", "In all"), people, title="Who rates",
            numeric=range(1, 7),
        ),
    ]  # fmt: skip


def _plan_data(plan: Plan, plan_map: PlanMap) -> dict[str, Any]:
    """The same as data."""
    return {
        "plan_sha256": plan.sha256,
        "rubric_sha256": plan.rubric_sha256,
        "strata": {name: s.model_dump() for name, s in plan_map.strata.items()},
        "annotators": {q.annotator: {"cards": len(q.cards), "pairs": len(q.pairs)} for q in plan.queues},
        "notes": list(plan_map.notes),
    }


@annotate_command.command("serve")
@click.argument("plan_file", metavar="PLAN.json", type=click.Path(path_type=Path))
@click.option(
    "--db", envvar=ENV_DB, required=True, metavar="URL", help="A path, or postgresql://USER:PASSWORD@HOST/NAME."
)
@click.option("--port", type=click.IntRange(1, 65535), default=8600, show_default=True, help="Port.")
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--admin", type=click.Path(path_type=Path), metavar="MAP.json", help="Instead: progress, for yourself.")
@click.option("--adjudicate", is_flag=True, help="Instead: settle disagreements, blind to who said what.")
def serve_command(plan_file: Path, db: str, port: int, address: str, admin: Path | None, adjudicate: bool) -> None:
    """Serve the rating app for PLAN.json; with --admin or --adjudicate, another app for other people instead.

    Each is a server of its own: the map is given to none but --admin. Annotators on other machines need a proxy with
    TLS in front. The database's URL can come from $PSYCHOSAFE_ANNOTATION_DB, which keeps its password off the command
    line.
    """
    from judges.annotation.database import AnnotationStore
    from judges.annotation.plan import load_map, load_plan

    if admin is not None and adjudicate:
        raise click.UsageError("--admin and --adjudicate are two servers; start each on a port of its own")
    with one_line_errors():
        plan = load_plan(plan_file)
        if admin is not None:
            load_map(admin, plan)
        # What is wrong with the database is said here and not on the first annotator's page.
        store = AnnotationStore(db, plan)
        name = store.name
        store.close()
        script, what, people = _app(plan_file, plan, admin, adjudicate)
    env = server_env(plan_file, db, admin)
    for who, code in people.items():
        click.echo(f"access code of {who}: {code}")
    click.echo(f"{what} with {name} on http://{address}:{port} (stop with Ctrl+C)")
    app = Path(str(leaderboard.__file__)).parent / "annotate" / script
    command = [
        sys.executable, "-m", "streamlit", "run", str(app),
        "--server.address", address, "--server.port", str(port), "--server.headless", "true",
        "--browser.gatherUsageStats", "false", "--client.toolbarMode", "viewer", "--client.showErrorDetails", "none",
    ]  # fmt: skip
    try:
        raise SystemExit(subprocess.run(command, env=env, check=False).returncode)
    except KeyboardInterrupt:
        raise SystemExit(0) from None


def _app(plan_file: Path, plan: Plan, admin: Path | None, adjudicate: bool) -> tuple[str, str, dict[str, str]]:
    """The script of a server, what it is called, and the access codes of those who are to log in."""
    from leaderboard.annotate.access import adjudicator_code, codes

    if admin is not None:
        return "admin.py", "the progress of the study", {}
    if adjudicate:
        return "adjudicate.py", "the adjudication", {"the adjudicator": adjudicator_code(plan, plan_file)}
    return "app.py", "the rating app", codes(plan, plan_file)


def server_env(plan_file: Path, db: str, admin: Path | None) -> dict[str, str]:
    """The environment of a server: the map is in it for `--admin` alone, whatever this process has.

    Args:
        plan_file: The plan.
        db: Path or URL of the database.
        admin: The map, for the server that shows progress.
    """
    env = {k: v for k, v in os.environ.items() if k != ENV_MAP}
    env |= {ENV_PLAN: str(plan_file.resolve()), ENV_DB: db if "://" in db else str(Path(db).resolve())}
    return env if admin is None else env | {ENV_MAP: str(admin.resolve())}


@annotate_command.command("export")
@click.argument("plan_file", metavar="PLAN.json", type=click.Path(path_type=Path))
@click.option("--map", "map_file", required=True, type=click.Path(path_type=Path), help="The plan's map.")
@click.option(
    "--db", envvar=ENV_DB, required=True, metavar="URL", help="A path, or postgresql://USER:PASSWORD@HOST/NAME."
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="New folder.")
@click.option("--into-store", is_flag=True, help="Add the ratings to their runs in the store; once, at the end.")
@store_option
def export_command(plan_file: Path, map_file: Path, db: str, out: Path, into_store: bool, store: Store) -> None:
    """Write what people said into a new folder and, with --into-store, add it to the runs in the store.

    ratings.csv: a row for each rater, card and criterion, with times, position and weight. pairs.csv: preferences.
    adjudications.csv: what was settled, which enters the store as the rater `adjudicated`.
    inspect/RUN/RATER.jsonl: scores of each rater and, as people.jsonl, of all together, as Inspect reads them:
    inspect score LOG --scorer inspect_ai/precomputed_scores -S scores=FILE --action overwrite --output-file NEW.eval
    """
    from judges.annotation.database import AnnotationStore
    from judges.annotation.export import rating_rows
    from judges.annotation.plan import load_map, load_plan
    from leaderboard.cli.annotate_export import add_to_store, write_export

    with one_line_errors():
        plan = load_plan(plan_file)
        plan_map = load_map(map_file, plan)
        saved = AnnotationStore(db, plan, create=False)
        ratings, settled = saved.ratings(), saved.adjudications()
        saved.close()
        rows = rating_rows(plan, plan_map, ratings, settled)
        if not rows:
            raise click.ClickException(f"{saved.name} holds no rating of a response yet; export when people have rated")
        # Before the files, so that what is refused leaves nothing behind.
        add_to_store(store, plan, rows, dry=True) if into_store else None
        written = write_export(out, plan, plan_map, ratings, settled)
        added = add_to_store(store, plan, rows) if into_store else {}
    click.echo(f"wrote {written} files to {out}")
    for run_id, new in added.items():
        click.echo(f"{'added to ' if new else 'unchanged'} {run_id}")
