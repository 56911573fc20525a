"""`psychosafe leaderboard`: the board in a browser, or as one file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from leaderboard.cli.common import one_line_errors, progress_bar, store_option, write_whole
from leaderboard.memory import ONE_ARENA
from results.store import ENV_STORE, Store


@click.command("leaderboard")
@click.option("--port", default=8501, show_default=True, help="Port on this machine.")
@click.option(
    "--export", "export", type=click.Path(path_type=Path, dir_okay=False), help="Write one HTML file instead."
)
@store_option
def leaderboard_command(port: int, export: Path | None, store: Store) -> None:
    """Open the leaderboard in a browser, or export all its pages as one file that works offline."""
    if export is not None:
        from leaderboard.board import board_of
        from leaderboard.static import board_html
        from leaderboard.views.moment import moment

        with one_line_errors():
            found = moment(store)
            with progress_bar("pages") as told:
                html = board_html(board_of(found.store, found.grids, found.damaged), found, told)
            write_whole(export, html)
        click.echo(f"wrote {export}")
        return
    command = [
        sys.executable, "-m", "leaderboard.server",
        "--server.address", "127.0.0.1", "--server.port", str(port), "--server.headless", "true",
        "--browser.gatherUsageStats", "false", "--client.toolbarMode", "viewer", "--client.showErrorDetails", "none",
    ]  # fmt: skip
    click.echo(f"leaderboard of {store.root} on http://127.0.0.1:{port} (stop with Ctrl+C)")
    sys.stdout.flush()
    # In this process's place, so that whoever stops the command stops the server.
    env = {**ONE_ARENA, **os.environ, ENV_STORE: str(store.root.resolve())}
    os.execve(sys.executable, command, env)  # noqa: S606 (no shell is what is wanted)
