"""`psychosafe agreement`: how far judges and people agree, and what that does to the results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import click

from leaderboard.cli.common import FORMATS, one_line_errors, store_option, write_whole
from results.manifest import Manifest
from results.store import Store


@click.command("agreement")
@click.option("--runs", "wanted", multiple=True, metavar="RUN", help="Runs, by id, start of an id, or MODEL/CONDITION.")
@click.option("--humans", multiple=True, metavar="NAME", help="People to use [all but settled labels].")
@click.option("--criteria", multiple=True, metavar="ID", help="Criteria to report on [all that the runs share].")
@click.option("--compat", type=click.Choice(["pooled"]), help="Also print the published study's pooled figures.")
@click.option(
    "--width", type=click.FloatRange(0.01, 1), default=0.2, show_default=True, help="Width to plan labels for."
)
@click.option(
    "--margin", type=click.FloatRange(0.001, 1), default=0.1, show_default=True, help="Non-inferiority margin."
)
@click.option(
    "--epsilon", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Alternative annotator test."
)
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, help="Level of the intervals [0.95].")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all draws.")
@click.option("--all", "full", is_flag=True, help="Also every coefficient and every confusion table.")
@click.option("--format", "fmt", type=click.Choice([*FORMATS, "html"]), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Short for --format json.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write instead of the screen.")
@click.option("--figures", type=click.Path(path_type=Path, file_okay=False), help="Folder to write figures to.")
@click.option(
    "--image", type=click.Choice(["svg", "pdf", "png"]), default="pdf", show_default=True, help="Their format."
)
@store_option
def agreement_command(
    wanted: tuple[str, ...],
    humans: tuple[str, ...],
    criteria: tuple[str, ...],
    compat: str | None,
    width: float,
    margin: float,
    epsilon: float,
    level: float,
    seed: int,
    full: bool,
    fmt: str,
    as_json: bool,
    out: Path | None,
    figures: Path | None,
    image: Literal["svg", "pdf", "png"],
    store: Store,
) -> None:
    """Report how far judges and people agree.

    Without --runs, on all runs that people have rated. Options that take names may be given several times, or once with
    commas. Every coefficient stands with n, interval and method, beside judges that read nothing; criteria are never
    pooled. --format html and --figures also draw it.
    """
    from results.agreement import agreement_report
    from results.agreement_records import Settings

    fmt = "json" if as_json else fmt
    with one_line_errors():
        runs = chosen_runs(store, _names(wanted))
        settings = Settings(level, seed, width, margin, epsilon, compat == "pooled")
        report = agreement_report(store, runs, _names(criteria), _names(humans), settings)
        if fmt == "json":
            from leaderboard.agreement.written import report_data

            text = json.dumps(report_data(report), indent=1, ensure_ascii=False, allow_nan=False)
        elif fmt == "html":
            from leaderboard.agreement.layout import chapters
            from leaderboard.agreement.page import page_html

            text = page_html(report, chapters(report, full))
        else:
            from leaderboard.agreement.written import written

            text = written(report, fmt, full)
        if out is None:
            click.echo(text)
        else:
            write_whole(out, text + "\n")
            click.echo(f"written {out}", err=True)
        if figures is not None:
            from leaderboard.agreement.figures import figures as draw
            from leaderboard.agreement.images import write_images

            for path in write_images(draw(report), figures, image):
                click.echo(f"written {path}", err=True)


def chosen_runs(store: Store, wanted: tuple[str, ...]) -> list[Manifest]:
    """The runs that are named, else all that people have rated and that share a rubric with the first of them.

    Raises:
        AgreementError: Nobody has rated anything, or people rated by several rubrics.
    """
    from results.raters import AgreementError, rated_by_people

    if wanted:
        return list({m.run_id: m for m in map(store.find, wanted)}.values())
    runs = rated_by_people(store)
    if not runs:
        raise AgreementError(
            "no person has rated a run in this store; `psychosafe import` or `psychosafe annotate export` brings "
            "ratings in, and --runs reports on judges alone"
        )
    kinds = {json.dumps({c: s.model_dump() for c, s in m.rubric.scales.items()}, sort_keys=True) for m in runs}
    if len(kinds) > 1:
        some = ", ".join(m.run_id for m in runs[:6])
        raise AgreementError(f"people rated runs by {len(kinds)} rubrics; choose with --runs among {some}")
    return runs


def _names(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n.strip() for part in given for n in part.split(",") if n.strip()))
