"""`psychosafe import`: runs and people's ratings from other formats into the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from leaderboard.cli.common import one_line_errors, store_option
from leaderboard.cli.runs import balance
from results.manifest import Manifest
from results.schema import Rating
from results.store import Store

if TYPE_CHECKING:
    from results.importers.people import Added

RUNS: Final = ("psychosafe", "xstest", "sorry-bench", "lm-eval")
PEOPLE: Final = ("psychosafe-humans", "csv", "label-studio", "argilla")
OPTIONS: Final = {
    "--release": ("sorry-bench",),
    "--prompts": ("psychosafe",),
    "--answers": ("psychosafe-humans",),
    "--trace": ("psychosafe-humans",),
    "--rater": ("psychosafe-humans",),
    "--mapping": ("csv", "label-studio", "argilla"),
    "--keep-good": PEOPLE,
}
"""The formats that each option belongs to."""
PERSON: Final = "person 1"

_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("import")
@click.argument("layout", metavar="FORMAT", type=click.Choice([*RUNS, *PEOPLE]))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--release", type=click.Choice(["202503", "202406"]), help="sorry-bench: release [202503].")
@click.option("--prompts", type=click.Path(path_type=Path), help="psychosafe: a prompt set with domains, by text.")
@click.option("--answers", type=_file, help="psychosafe-humans: the judgment file with the answers.")
@click.option("--trace", type=_file, help="psychosafe-humans: JSON that says which slot is which run.")
@click.option("--rater", help=f"psychosafe-humans: name of the person [{PERSON}].")
@click.option("--mapping", type=_file, help="csv, label-studio, argilla: YAML that says what each column is.")
@click.option("--keep-good", is_flag=True, help="People's ratings: add the good rows of a file that has bad ones.")
@store_option
def import_command(layout: str, files: tuple[Path, ...], store: Store, **options: Any) -> None:
    """Bring runs, or people's ratings of runs, of another FORMAT into the store.

    \b
    Runs:
      psychosafe         judgment files of the published layout (compare_all_judges*.json)
      xstest             completion files with the labels of two people, GPT-4 and a string match
                         (xstest_v2_completions_*.csv); the files of one model are one run
      sorry-bench        the official model_judgment files, or a folder of them
      lm-eval            results_<date>.json of lm-evaluation-harness: figures of whole benchmarks, and what each
                         question scored where samples_<task>_<date>.jsonl lie beside it

    \b
    People's ratings, added to runs that are in the store:
      psychosafe-humans  annotated_responses.json, blinded pairs; with --answers or --trace
      csv                .csv, .tsv or .jsonl with a row a rating: run_id, item_id, rater, criterion, value,
                         and epoch, turn, repeat, status where needed; any other table with --mapping
      label-studio       the JSON export; tasks hold run_id and item_id, controls are named by criterion
      argilla            records as .json or .jsonl; metadata holds run_id and item_id

    A bad row refuses the whole file, and nothing is written; with --keep-good the others are added, the refused rows
    are listed and the exit status is 1.

    \b
    A mapping file, for example:
      run: published_qwen3.5-27b_v0        # or {column: Run}
      prompt: Question                     # matched by text; or item: ID
      rater: {column: Name}                # or a name
      criteria:
        refusal: {column: "Refused?", values: {yes: 1, no: 0, "n/a": skipped}}
      # or, in place of rater and criteria, a column for each person and criterion:
      # columns: {"Anna: refusal": {rater: Anna, criterion: refusal}}
    """  # noqa: D301  (click reads the control character)
    for name, formats in OPTIONS.items():
        if options[name[2:].replace("-", "_")] and layout not in formats:
            raise click.UsageError(f"{name} belongs to {', '.join(formats)}; leave it out")
    folders = [f for f in files if f.is_dir() and layout != "sorry-bench"]
    if folders:
        raise click.ClickException(f"{folders[0]} is a folder; give files")
    with one_line_errors():
        if layout in PEOPLE:
            added = _people(layout, files, store, options)
        elif layout == "lm-eval":
            _figures(files, store)
            return
        else:
            _runs(layout, files, store, options)
            return
    for run in added.runs:
        state = "added    " if run.new else "unchanged"
        known = f", {run.known} there already" if run.known and run.new else ""
        count = run.new or run.known
        people = ", ".join(run.raters[:5]) + (" and others" if len(run.raters) > 5 else "")
        click.echo(f"{state} {run.run_id}  ({count} rating{'s' * (count != 1)} by {people}{known})")
    for row in added.refused:
        click.echo(f"left out  {row}", err=True)
    if added.refused:
        raise SystemExit(1)


def _runs(layout: str, files: tuple[Path, ...], store: Store, options: dict[str, Any]) -> None:
    from evals.load import load_prompts
    from results.importers.psychosafe import read_judgments
    from results.importers.sorry_bench import read_judgments as read_sorry
    from results.importers.xstest import read_labels
    from results.schema import ratings_table

    prompts = options["prompts"]
    domains = {i.prompt: i.domain or "" for i in load_prompts(str(prompts)).items} if prompts else {}
    # All files are read before the first is written: a bad one leaves the store as it was.
    readers: dict[str, Callable[[Path], Iterable[tuple[Manifest, list[Rating]]]]] = {
        "psychosafe": partial(read_judgments, domains=domains),
        "xstest": read_labels,
        "sorry-bench": partial(read_sorry, release=options["release"] or "202503"),
    }
    for manifest, ratings in [run for file in files for run in list(readers[layout](file))]:
        state = "imported " if store.write(manifest, ratings_table(ratings)) else "unchanged"
        click.echo(f"{state} {manifest.run_id}  ({balance(manifest)})")


def _figures(files: tuple[Path, ...], store: Store) -> None:
    from results.importers.lm_eval import read_run, write_run

    for run in [read_run(file) for file in files]:
        state = "imported " if write_run(store, run) else "unchanged"
        items = len({r["item_id"] for r in run.ratings})
        told = f"samples of {items} questions" if items else "no items"
        click.echo(f"{state} {run.manifest.run_id}  ({len(run.figures)} figures, {told})")
        for line in (*run.alarms(), *run.notes):
            click.echo(f"          ! {line}", err=True)


def _people(layout: str, files: tuple[Path, ...], store: Store, options: dict[str, Any]) -> Added:
    from results.importers.argilla import read_argilla
    from results.importers.label_studio import read_label_studio
    from results.importers.people import add_people
    from results.importers.people_csv import read_csv
    from results.importers.people_mapping import read_mapping
    from results.importers.people_runs import Runs
    from results.importers.psychosafe_humans import read_annotated

    runs = Runs(store)
    mapping = read_mapping(options["mapping"]) if options["mapping"] else None
    readers = {
        "psychosafe-humans": partial(
            read_annotated, rater=options["rater"] or PERSON, answers=options["answers"], trace=options["trace"]
        ),
        "csv": partial(read_csv, mapping=mapping),
        "label-studio": partial(read_label_studio, mapping=mapping),
        "argilla": partial(read_argilla, mapping=mapping),
    }
    return add_people(store, [readers[layout](file, runs) for file in files], keep_good=options["keep_good"])
