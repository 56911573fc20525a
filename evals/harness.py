"""Which version of this project runs: in a module of its own, so that asking does not start Inspect."""

from __future__ import annotations

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent


@cache
def harness_version() -> dict[str, str | None]:
    """This project's version, and the commit of the checkout if it is one."""
    try:
        number: str | None = version("psychosafe-eval")
    except PackageNotFoundError:
        number = None
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True, text=True, timeout=5, check=False,
        )  # fmt: skip
        commit = done.stdout.strip() or None
    except (OSError, subprocess.SubprocessError):
        commit = None
    return {"version": number, "commit": commit}
