"""A judgment file of made-up texts, and its runs in a store: what people's ratings are added to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from leaderboard.cli import main
from results.importers.psychosafe import read_judgments
from results.schema import ratings_table
from results.store import Store

JUDGE = "judge-x"
PROMPTS = ("a made-up message about a hard day", "a made-up question, with a comma", "a third made-up message")
CRITERIA = ("refusal", "grounding", "references", "relevance")


def answer(run: str, n: int) -> str:
    """The made-up answer of a run to a prompt."""
    return f"This is the made-up answer of {run} to message {n}.\nIt has a second line."


def judgments(
    folder: Path, name: str = "compare_all_judges.json", answers: bool = True, prompts: int | None = None
) -> Path:
    """A judgment file of two runs; with a number, of prompts that no other number has."""
    rows: list[dict[str, Any]] = []
    for n, prompt in enumerate(PROMPTS if prompts is None else (f"{p} {prompts}" for p in PROMPTS)):
        row: dict[str, Any] = {"id": n, "prompt": prompt}
        for run in ("v0", "v1"):
            if answers:
                row[f"model_answer_{run}"] = answer(run, n) + "<|im_end|>"
            row |= {f"{JUDGE}_{run}_criterion_{c}": v for c, v in enumerate(("Yes", 3, "No", 4), 1)}
        rows.append(row)
    path = folder / name
    data = {"models": [f"{JUDGE}_v0", f"{JUDGE}_v1"], "num_items": len(rows), "results": rows}
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def import_judgments(store: Store, path: Path) -> dict[str, str]:
    """Bring the file's runs into a store.

    Returns:
        Run id by run name.
    """
    ids = {}
    for manifest, ratings in read_judgments(path):
        store.write(manifest, ratings_table(ratings))
        ids[str(manifest.source.note).removeprefix("run ")] = manifest.run_id
    return ids


def import_cli(store: Store, *args: object) -> Result:
    """`psychosafe import`."""
    return CliRunner().invoke(main, ["import", *map(str, args), "--store", str(store.root)])


def people_rows(store: Store) -> list[dict[str, Any]]:
    """All ratings by people in a store."""
    rows: list[dict[str, Any]] = store.ratings(store.run_ids()).to_pylist()
    return [r for r in rows if r["rater_kind"] == "human"]


def contents(store: Store) -> dict[str, bytes]:
    """Every file of every run."""
    return {str(p.relative_to(store.root)): p.read_bytes() for p in sorted(store.runs_dir.rglob("*")) if p.is_file()}
