"""The command `psychosafe`. Commands are imported when they are called, so that `--help` answers at once."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from typing import Any, Final

import click

_COMMANDS: Final = {
    "demo": ("leaderboard.cli.demo", "Four reference policies through the whole path, in about two minutes."),
    "data": ("leaderboard.cli.data", "Published data sets: what there is, fetch once, check."),
    "run": ("leaderboard.cli.suite", "A whole study from one file: planned, run, resumed, compared."),
    "rejudge": ("leaderboard.cli.rejudge", "Judge finished logs again with another panel."),
    "ingest": ("leaderboard.cli.runs", "Bring Inspect logs into the store."),
    "import": ("leaderboard.cli.imports", "Bring runs and people's ratings from other formats into the store."),
    "runs": ("leaderboard.cli.runs", "List the runs in the store."),
    "compare": ("leaderboard.cli.compare", "Compare runs with a baseline, paired on items."),
    "report": ("leaderboard.cli.report", "A report for a paper, in HTML, Markdown or LaTeX."),
    "verify": ("leaderboard.cli.report", "Recompute every figure of a report from the store."),
    "capabilities": ("leaderboard.cli.capabilities", "Whether a condition or fine-tune costs capability (lm-eval)."),
    "reproduce": ("leaderboard.cli.reproduce", "Published comparisons, recomputed from the published files."),
    "annotate": ("leaderboard.cli.annotate", "Ratings by people: plan, serve, export."),
    "agreement": ("leaderboard.cli.agreement", "How far judges and people agree, and what that does to results."),
    "judge": ("leaderboard.cli.judge", "What a judge gets right on answers whose verdicts are known."),
    "leaderboard": ("leaderboard.cli.board", "Open the leaderboard in a browser, or export it."),
}


_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _Lazy(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a disk that is full, or a file that cannot be read, is one line and no traceback."""
        try:
            return super().invoke(ctx)
        except OSError as ex:
            if ex.errno == errno.EPIPE:
                # Whoever read the output has gone; click ends quietly.
                raise
            raise click.ClickException(_told(ex)) from ex

    def main(self, *args: Any, **extra: Any) -> Any:
        """The same for what is said before any command runs: `--help` and `--version`."""
        try:
            return super().main(*args, **extra)
        except OSError as ex:
            click.echo(f"Error: {_told(ex)}", err=True)
            sys.exit(1)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The texts stand here too, so that the overview imports nothing.
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


def _told(ex: OSError) -> str:
    """What could not be read or written, and why."""
    why = " ".join(str(ex.strerror or ex).split())
    try:
        sys.stdout.flush()
    except OSError:
        # What is left of the output would be tried again at the end, with a traceback of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if ex.filename:
        return f"{ex.filename}: {why}; mend that and give the command again"
    if ex.errno in _FULL:
        return f"the output cannot be written: {why}; make room, or send it elsewhere, and give the command again"
    return f"{why}; mend that and give the command again"


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="psychosafe-eval")
def main() -> None:
    """Measure refusal quality in language models: run, judge, compare, show.

    Every command takes --store DIR (else $PSYCHOSAFE_STORE, else results/store/).
    """
