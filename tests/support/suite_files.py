"""A suite's file in a test: the smallest one, and changes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ONE: dict[str, Any] = {
    "suite": "one",
    "models": [{"id": "a", "model": "policy/keyword"}],
    "tasks": [{"task": "contrast"}],
}


def written(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "suite.yaml"
    path.write_text(yaml.safe_dump({**ONE, **changes}), encoding="utf-8")
    return path
