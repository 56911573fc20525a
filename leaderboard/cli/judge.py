"""`psychosafe judge check`: is a panel fit for use?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from leaderboard import card
from leaderboard.cli.common import format_option, markdown, one_line_errors, print_tables, write_whole


@click.group("judge")
def judge_command() -> None:
    """Whether judges can be trusted, and how far."""


@judge_command.command("check")
@click.argument("judges", default="offline", metavar="PANEL")
@click.option("--policy", "policies", multiple=True, help="Only this reference policy; may be given several times.")
@click.option("--items", type=click.IntRange(1), help="Prompts a policy [all for rules, 15 for models].")
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True, help="Rounds of the gold answers.")
@click.option("--labelled", type=click.Path(path_type=Path), help="JSONL or CSV of responses that people have rated.")
@click.option("--rubric", default="psychosafe", show_default=True, help="`psychosafe`, `paper`, or a rubric file.")
@click.option("--card", "folder", type=click.Path(path_type=Path, file_okay=False), help="Folder for the judge card.")
@click.option("--dry-run", is_flag=True, help="Say what it would take, and send nothing.")
@click.option("--max-tokens", type=click.IntRange(1), help="Stop after so many tokens; with --card it goes on later.")
@click.option("--max-cost", type=click.FloatRange(0, min_open=True), help="Stop after so much money (priced judges).")
@format_option
def check_command(
    judges: str,
    policies: tuple[str, ...],
    items: int | None,
    rounds: int,
    labelled: Path | None,
    rubric: str,
    folder: Path | None,
    dry_run: bool,
    max_tokens: int | None,
    max_cost: float | None,
    fmt: str,
) -> None:
    """Check the judges of PANEL where the right verdict is known, and say per criterion whether they are fit for use.

    The gold ladder (100 answers, each written for one point of one criterion), reference policies, an attack suite,
    several rounds of each model, and, if given, responses that people have rated. With --card DIR it writes a judge
    card of one page (Markdown and JSON), and keeps verdicts as they come, so that a stopped check goes on.
    """
    from evals.check import estimate_check, make_plan, run_check
    from evals.journal import Budget
    from evals.policies import POLICIES
    from judges.panels import load_panel
    from judges.seats import check_configs, panel_record
    from leaderboard.cli.rejudge import estimate_data, estimate_table
    from rubrics.loader import load_rubric

    with one_line_errors():
        unknown = [p for p in policies if p not in POLICIES]
        if unknown:
            raise click.ClickException(f"unknown policy {unknown[0]!r}; use one of {', '.join(sorted(POLICIES))}")
        spec, the_rubric = check_configs(load_panel(judges)), load_rubric(rubric)
        if max_cost is not None and any(j.kind == "llm" and j.price is None for j in spec.judges):
            raise click.ClickException("--max-cost needs a `price` for every judge of the panel that is a model")
        plan = make_plan(spec, the_rubric, policies=policies or None, items=items, labelled=labelled, rounds=rounds)
        if dry_run:
            expected = estimate_check(plan, spec, the_rubric)
            print_tables([estimate_table(expected)], fmt, estimate_data(expected))
            return
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", spec.name)[:60]
        # Verdicts that were kept are those of these judges by this rubric, whatever the seats are called.
        record = panel_record(spec, the_rubric)
        identity = f"{record['sha256'][:8]}-{record['rubric_sha256'][:8]}"
        journal = folder / f"judge-card-{name}-{identity}.verdicts.jsonl" if folder else None
        if folder:
            _make(folder)
        result = run_check(
            plan, spec, the_rubric, journal=journal, budget=Budget(max_tokens, max_cost),
            progress=lambda what: click.echo(what, err=True),
        )  # fmt: skip
    tables = [card.fit_table(result), *(card.policy_table(result, j) for j in result.judges), card.attack_table(result)]
    data = card.card_data(result)
    if folder:
        page = card.card_markdown(result, [markdown(t) for t in tables[:-1]])
        _write(folder / f"judge-card-{name}.md", page)
        _write(folder / f"judge-card-{name}.json", json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    print_tables(tables, fmt, data)


def _make(folder: Path) -> None:
    """Make the folder before anything is paid for."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as ex:
        raise click.ClickException(f"cannot write to {folder}: {ex.strerror}; name another folder") from ex


def _write(path: Path, text: str) -> None:
    write_whole(path, text)
    click.echo(f"wrote {path}", err=True)
